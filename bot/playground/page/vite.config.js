import { readFileSync, readdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const OUT = process.env.PAGE_OUT ?? "../static";

/** Writes THIRD-PARTY.txt: name, version and licence text of each package whose code is in the bundle. */
function thirdParty() {
  return {
    name: "third-party",
    generateBundle(_options, bundle) {
      const folders = new Set();
      for (const chunk of Object.values(bundle)) {
        for (const id of Object.keys(chunk.modules ?? {})) {
          const found = id.match(/^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//);
          if (found) folders.add(found[1]);
        }
      }
      const parts = [...folders].sort().map((name) => {
        const folder = join(import.meta.dirname, "node_modules", name);
        const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        const file = existsSync(folder) && readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
        const text = file ? readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim() : license;
        return `${name} ${version} (${license})\n\n${text}\n`;
      });
      const inside = "slack-blocks-to-jsx is built with @yozora/parser (MIT, copyright guanghechen) and tailwindcss (MIT, copyright Tailwind Labs).";
      const source = `The page contains code of these packages. ${inside}\n\n${parts.join(`\n${"-".repeat(72)}\n\n`)}`;
      this.emitFile({ type: "asset", fileName: "THIRD-PARTY.txt", source });
    },
  };
}

export default defineConfig({
  plugins: [react(), thirdParty()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      output: {
        codeSplitting: false,
        entryFileNames: "assets/app.js",
        assetFileNames: ({ names }) => (names[0]?.endsWith(".css") ? "assets/app.css" : "assets/[name][extname]"),
      },
    },
  },
  server: { proxy: { "/playground": { target: process.env.PLAYGROUND, ws: true }, "/files": process.env.PLAYGROUND } },
});
