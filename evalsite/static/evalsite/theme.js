// Light, dark or as the system says; remembered in this browser alone. Runs before the page is drawn.

const KEY = "look";
const CHOICES = ["light", "dark"];

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be forbidden; the system's choice stands.
  }
}

function remember(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // The choice then lasts for this page.
  }
}

function apply(choice) {
  if (CHOICES.includes(choice)) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
}

function offer(control) {
  const select = control.querySelector("select");
  select.value = CHOICES.includes(remembered()) ? remembered() : "system";
  select.addEventListener("change", () => {
    apply(select.value);
    remember(select.value);
  });
  control.hidden = false;
}

apply(remembered());
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-theme-control]").forEach(offer));
