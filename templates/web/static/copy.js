// Copies a file of the edition, or a line of it, to the clipboard. Without this script the files are downloaded.
"use strict";

/** Copy a text; without a secure connection browsers only offer the older way. */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("refused");
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.("[data-copy], [data-copy-text]");
  if (!button) return;
  const status = document.getElementById("copied");
  try {
    let text = button.dataset.copyText;
    if (button.dataset.copy) {
      const response = await fetch(button.dataset.copy);
      if (!response.ok) throw new Error(response.statusText);
      text = await response.text();
    }
    await copyText(text);
    status.textContent = `Copied: ${button.textContent.replace(/^Copy /, "").trim()}.`;
  } catch {
    status.textContent = "It was not copied: the browser or the server refused. Download it instead.";
  }
  button.focus();
});
