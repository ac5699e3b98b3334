// Runs before the first paint, so that a page never flashes in the wrong theme. A file, as inline scripts are not allowed.
(() => {
  let chosen = "system";
  try {
    chosen = localStorage.getItem("vedette.theme") ?? "system";
  } catch {
    // Storage may be forbidden; the system's theme is right then.
  }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
