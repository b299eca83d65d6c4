// The page of settings: the field for a colour and its text follow each other.
"use strict";

for (const text of document.querySelectorAll("[data-colour]")) {
  const picker = document.getElementById(text.dataset.colour);
  picker.addEventListener("input", () => { text.value = picker.value; });
  text.addEventListener("input", () => {
    if (/^#[0-9a-f]{6}$/i.test(text.value.trim())) picker.value = text.value.trim().toLowerCase();
  });
}
