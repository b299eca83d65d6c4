// The Stories view: buttons that change the page in place, drag and drop, and the newsletter beside the stories while
// somebody types. Without this script the buttons load the page again, and stories are moved by their buttons.
"use strict";

const storiesFrame = () => document.getElementById("story-preview");

/** Send a form and show the page that answers it in place of this one. */
async function submitInPlace(form, body) {
  ownSaveAt = Date.now();
  const response = await fetch(form.action, { method: "POST", body });
  const next = await pageOf(response);
  if (!response.ok || !next.getElementById("week")) return document.querySelector("main").replaceWith(next.querySelector("main"));
  updateElements([...document.querySelectorAll("[data-live]")], next);
  const message = next.querySelector(".notice--success");
  if (message) showNotice(message.textContent);
  document.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  ownSaveAt = Date.now();
  showHandles();
}

// After autosave.js, which saves first what was typed elsewhere.
document.addEventListener("submit", async (event) => {
  const { target, submitter, defaultPrevented } = event;
  if (defaultPrevented || !target.matches("[data-in-place]")) return;
  event.preventDefault();
  const fields = new FormData(target, submitter);
  const body = submitter?.formEnctype === "multipart/form-data" ? fields : new URLSearchParams(fields);
  const [row, action] = [target.closest("[data-entry]")?.id, submitter?.value];
  isLeaving = false;
  timers.delete(target); // what was typed is part of it
  try {
    await submitInPlace(target, body);
  } catch {
    showNotice("The server does not respond. Nothing was changed: try again.");
    submitter?.removeAttribute("aria-busy");
    return;
  }
  const again = row && document.getElementById(row);
  const buttons = [...(again?.querySelectorAll("button") ?? [])];
  (buttons.find((button) => button.value === action) ?? buttons[0])?.focus({ preventScroll: true });
});

/** Show the newsletter as it would be with what is typed. */
let storyTimer, latestStory = 0;
document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (!form?.matches(".story__form") || !storiesFrame()) return;
  if (target.name === "picture_url") form.querySelector("[name=picture][value=own]").checked = true;
  clearTimeout(storyTimer);
  storyTimer = setTimeout(async () => {
    const request = ++latestStory;
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "preview");
    const response = await fetch(form.action, { method: "POST", body });
    if (!response.ok || request !== latestStory) return;
    const { src } = await response.json();
    if (src && storiesFrame()) showInFrame(storiesFrame(), src);
  }, TYPING_PAUSE_MS);
});

/** Load another newsletter into a frame, and keep where it was scrolled to. */
function showInFrame(frame, src) {
  const top = frame.contentWindow.scrollY;
  frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), { once: true });
  frame.contentWindow.location.replace(src);
}

let dragged = null;

function showHandles() {
  document.querySelectorAll(".story__handle").forEach((handle) => (handle.draggable = true));
}

document.addEventListener("dragstart", (event) => {
  if (!event.target.classList?.contains("story__handle")) return;
  dragged = event.target.closest("[data-entry]");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.entry);
  event.dataTransfer.setDragImage(dragged, 10, 10);
  dragged.classList.add("story--dragged");
});

document.addEventListener("dragover", (event) => {
  const row = event.target.closest?.("[data-entry]");
  if (!dragged || row?.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  if (row === dragged) return;
  const { top, height } = row.getBoundingClientRect();
  row.parentElement.insertBefore(dragged, event.clientY < top + height / 2 ? row : row.nextElementSibling);
});

document.addEventListener("drop", (event) => dragged && event.preventDefault());

document.addEventListener("dragend", async () => {
  if (!dragged) return;
  const row = dragged;
  dragged = null;
  row.classList.remove("story--dragged");
  const form = row.querySelector("form[data-in-place]");
  const body = new URLSearchParams({ csrf: form.elements.csrf.value, version: form.elements.version.value, do: "order" });
  document.querySelectorAll(".stories__section > [data-entry]").forEach((one) => body.append("entry", one.dataset.entry));
  try {
    await submitInPlace(form, body);
  } catch {
    showNotice("The server does not respond. The order was not saved: reload the page.");
  }
});

showHandles();
