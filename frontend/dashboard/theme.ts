/** Light or dark: as the system says, until a person says otherwise. */
const KEPT = "standpipe-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

export function theme(): "light" | "dark" {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // A browser may refuse storage; the system's choice stands then.
  }
  return kept === "light" || kept === "dark" ? kept : dark.matches ? "dark" : "light";
}

export function applyTheme(): void {
  document.documentElement.dataset["theme"] = theme();
  dark.addEventListener("change", () => {
    document.documentElement.dataset["theme"] = theme();
  });
}

export function nextTheme(): "light" | "dark" {
  const next = theme() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // As above.
  }
  document.documentElement.dataset["theme"] = next;
  return next;
}
