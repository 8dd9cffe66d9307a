import { useCallback, useEffect, useState } from "react";

/** Where the page is, kept in the address after `#`: the person one is, and the channel or the app's Home. */
export type Place = { user: string; at: string };

const read = (): Place => {
  const [user = "", at = ""] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { user, at };
};

export function usePlace(): [Place, (place: Place) => void] {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const follow = () => setPlace(read());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const go = useCallback((next: Place) => {
    history.replaceState(null, "", `#/${encodeURIComponent(next.user)}/${encodeURIComponent(next.at)}`);
    setPlace(next);
  }, []);
  return [place, go];
}

export type ThemeChoice = "system" | "light" | "dark";

/** The chosen theme, and the one it comes to; kept in this browser, following the system until chosen. */
export function useTheme(): [ThemeChoice, "light" | "dark", (choice: ThemeChoice) => void] {
  const [choice, setChoice] = useState<ThemeChoice>(() => (localStorage.getItem("theme") as ThemeChoice | null) ?? "system");
  const [systemDark, setSystemDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setSystemDark(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  const theme = choice === "system" ? (systemDark ? "dark" : "light") : choice;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const choose = useCallback((next: ThemeChoice) => {
    localStorage.setItem("theme", next);
    setChoice(next);
  }, []);
  return [choice, theme, choose];
}
