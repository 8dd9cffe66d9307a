// Says whether ../static is what the sources build to: builds into a folder beside it and compares byte for byte.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const files = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

const here = import.meta.dirname;
const built = mkdtempSync(join(tmpdir(), "page-"));
try {
  const vite = join(here, "node_modules", "vite", "bin", "vite.js");
  execFileSync(process.execPath, [vite, "build", "--logLevel", "warn"], { cwd: here, stdio: "inherit", env: { ...process.env, PAGE_OUT: built } });
  const committed = join(here, "..", "static");
  const names = [...new Set([...files(built), ...files(committed)])].sort();
  const read = (folder, name) => {
    try {
      return readFileSync(join(folder, name));
    } catch {
      return null;
    }
  };
  const stale = names.filter((name) => !read(built, name)?.equals(read(committed, name) ?? Buffer.from("\0missing")));
  if (stale.length) {
    console.error(`The built page is stale (${stale.join(", ")}): run make page and commit bot/playground/static.`);
    process.exitCode = 1;
  } else console.log("The built page is fresh.");
} finally {
  rmSync(built, { recursive: true, force: true });
}
