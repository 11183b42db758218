// The theme's toggles of the navigation have no text: say to screen readers what each opens.
document.addEventListener("DOMContentLoaded", () => {
  for (const toggle of document.querySelectorAll("summary > .toctree-toggle")) {
    const page = toggle.closest("li").querySelector("a");
    toggle.parentElement.setAttribute("aria-label", `Pages below ${page.textContent.trim()}`);
  }
});
