// Saves what is typed into forms with data-autosave, so that nothing is lost by another button, a closed tab or a crash.
// What the server does not have yet is kept in the browser as well. Without this script the forms have their own buttons.
"use strict";

const SAVE_PAUSE_MS = 800; // how long to wait for the next key before saving
const MAX_UNSAVED_MS = 4000; // how long somebody may type without a pause
const RETRY_MS = 5000; // when to try again after an error
const PREFIX = "unsaved ";
const timers = new Map(); // of each form that is not saved: when it will be, and since when it is not
const requests = new Map(); // of each form that is being saved
let isLeaving = false; // a form was submitted, which takes what was typed along

const forms = () => [...document.querySelectorAll("form[data-autosave]")];
const typed = (form) => [...form.elements].filter((field) => "defaultValue" in field && !["hidden", "file"].includes(field.type) && field.name !== "picture_alt");
const isChanged = (form) => typed(form).some((field) => field.value !== field.defaultValue);
const key = (form) => PREFIX + form.action + " " + (form.elements.entry?.value ?? "");

/** Show below the buttons of a form whether its text is saved. */
function showState(form, text, isProblem = false) {
  const state = form.querySelector(".save-state");
  state.classList.toggle("save-state--problem", isProblem);
  if (state.textContent !== text) state.textContent = text;
}

/** Keep what is typed in the browser until the server has it. */
function remember(form) {
  const fields = typed(form).map((field) => [field.name, field.value]);
  try {
    localStorage.setItem(key(form), JSON.stringify({ version: form.elements.version.value, fields }));
  } catch {} // private windows may have no storage
}

function forget(form) {
  localStorage.removeItem(key(form));
}

/** Put back what was typed before the tab was closed or the browser crashed. */
function restore(form) {
  let kept;
  try {
    kept = JSON.parse(localStorage.getItem(key(form)));
  } catch {}
  if (!kept) return;
  const fields = typed(form);
  const same = kept.fields.length === fields.length && kept.fields.every(([name], index) => fields[index].name === name);
  if (!same || kept.fields.every(([, value], index) => fields[index].value === value)) return forget(form);
  kept.fields.forEach(([, value], index) => (fields[index].value = value));
  form.elements.version.value = kept.version; // if somebody has saved since, both texts will be shown
  form.closest("details")?.setAttribute("open", "");
  showState(form, "Your text is back; it was not saved.", true);
  schedule(form, SAVE_PAUSE_MS);
  if (form.id === "editor-form") updatePreview();
}

function schedule(form, pause) {
  const { id, since = Date.now() } = timers.get(form) ?? {};
  clearTimeout(id);
  const wait = Math.max(0, Math.min(pause, since + MAX_UNSAVED_MS - Date.now()));
  timers.set(form, { id: setTimeout(() => save(form), wait), since });
}

/** Send a form's text to the server, one request at a time; return whether it has all of it. */
async function save(form, options) {
  while (requests.size) await Promise.all(requests.values()); // each changes the version that the next one has to name
  const request = send(form, options);
  requests.set(form, request);
  return request.finally(() => requests.delete(form));
}

async function send(form, { leaving = false } = {}) {
  clearTimeout(timers.get(form)?.id);
  const fields = typed(form).map((field) => [field, field.value]);
  const body = new URLSearchParams(new FormData(form));
  body.set("do", "autosave");
  showState(form, "Saving …");
  ownSaveAt = Date.now();
  let response, answer;
  try {
    response = await fetch(form.action, { method: "POST", body, keepalive: leaving, redirect: "error" });
    answer = await response.json();
  } catch {
    showState(form, "Not saved: the server does not respond. Your text is kept in this browser and saved as soon as it does.", true);
    timers.set(form, { id: setTimeout(() => save(form), RETRY_MS), since: Date.now() });
    return false;
  }
  if (!response.ok) {
    timers.set(form, { since: Date.now() }); // until more is typed
    showState(form, `Not saved: ${answer.message}`, true);
    return false;
  }
  ownSaveAt = Date.now();
  document.querySelectorAll("form input[name=version]").forEach((field) => (field.value = answer.version));
  fields.forEach(([field, value]) => !answer.unsaved.includes(field.name) && (field.defaultValue = value));
  timers.delete(form);
  if (!isChanged(form)) forget(form);
  const isAllSaved = fields.every(([field, value]) => field.value === value);
  if (isAllSaved) showState(form, "Saved.");
  else schedule(form, SAVE_PAUSE_MS);
  if (form.id === "editor-form") updatePreview();
  return isAllSaved;
}

document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (!form?.matches("[data-autosave]")) return;
  showState(form, "Not saved yet");
  remember(form);
  schedule(form, SAVE_PAUSE_MS);
});

// Another form's button leads to another page: what was typed elsewhere is saved before.
document.addEventListener("submit", async (event) => {
  const { target, submitter } = event;
  const others = forms().filter((form) => form !== target && timers.has(form));
  clearTimeout(timers.get(target)?.id);
  if (!others.length && !requests.size) {
    isLeaving = true;
    if (target.matches("[data-autosave]")) forget(target);
    return;
  }
  event.preventDefault();
  await Promise.all(requests.values());
  for (const form of others) {
    if (await save(form)) continue;
    submitter?.removeAttribute("aria-busy");
    return form.querySelector("textarea, input:not([type=hidden])").focus();
  }
  target.requestSubmit(submitter);
});

addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s" || !forms().length) return;
  event.preventDefault();
  forms().filter((form) => timers.has(form) || form.contains(document.activeElement)).forEach((form) => save(form));
});

addEventListener("beforeunload", (event) => {
  if (isLeaving) return;
  for (const form of forms().filter((form) => timers.has(form))) {
    save(form, { leaving: true });
    event.preventDefault();
  }
});
addEventListener("pageshow", () => (isLeaving = false));

forms().forEach(restore);
forms().filter((form) => isChanged(form) && !timers.has(form)).forEach((form) => schedule(form, SAVE_PAUSE_MS)); // typed before
