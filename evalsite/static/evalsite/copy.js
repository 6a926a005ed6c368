// Buttons that copy: data-copy names the element whose text or value goes to the clipboard.

function textOf(element) {
  return "value" in element ? element.value : element.textContent.trim();
}

// Pages that are not served over https or from localhost have no clipboard; then the text is selected instead.
async function copy(element) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(textOf(element));
    return "Copied";
  }
  getSelection().selectAllChildren(element);
  element.select?.();
  return "Selected: copy it with Ctrl + C";
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.querySelector(button.dataset.copy);
  const said = button.parentElement.querySelector("[data-copied]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    said.textContent = await copy(source).catch(() => "It could not be copied; please select it yourself.");
  });
}
