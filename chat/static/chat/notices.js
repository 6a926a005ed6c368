// The line of notices above the text box: at most one of each kind, said politely to screen readers.

export class Notices {
  constructor(place, template) {
    this.place = place;
    this.template = template;
    this.shown = new Map();
  }

  // look: "", "good", "warn" or "bad". actions: [{label, href} or {label, click}].
  show(kind, look, text, actions = []) {
    const known = this.shown.get(kind);
    if (known?.dataset.text === text) return;
    const notice = this.template.content.firstElementChild.cloneNode(true);
    if (look) notice.classList.add(look);
    notice.dataset.text = text;
    notice.querySelector("span").textContent = text;
    if (actions.length) notice.append(row(actions));
    if (known) known.replaceWith(notice);
    else this.place.append(notice);
    this.shown.set(kind, notice);
  }

  clear(kind) {
    this.shown.get(kind)?.remove();
    this.shown.delete(kind);
  }
}

function row(actions) {
  const box = document.createElement("span");
  box.className = "row";
  box.append(...actions.map(control));
  return box;
}

function control({ label, href, click }) {
  const element = document.createElement(href ? "a" : "button");
  element.className = "btn small";
  element.textContent = label;
  if (href) element.href = href;
  else {
    element.type = "button";
    element.addEventListener("click", click);
  }
  return element;
}
