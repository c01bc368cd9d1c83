// Runs before the page is drawn, so that it never flashes in the other colours.
"use strict";
(function () {
  var chosen = null;
  try { chosen = localStorage.getItem("guard-theme"); } catch (error) { /* no storage */ }
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function set() {
    document.documentElement.dataset.theme = chosen || (dark.matches ? "dark" : "light");
  }
  set();
  dark.addEventListener("change", set);
  window.guardTheme = function () {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("guard-theme", chosen); } catch (error) { /* for this page only */ }
    set();
    document.dispatchEvent(new Event("guard:theme"));
  };
})();
