// Brings the page up to date in place: after a choice in the toolbar, and whenever the desk's mark changes.
// Without it every page still works: the toolbar is a form, and the browser's own reload does the rest.
"use strict";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const event = (target, name) => new Promise((done) => target.addEventListener(name, done, { once: true }));
const READING_MS = 15000; // so long a piece of news stays on the page
let place = 0; // where the page was scrolled to when its mail had to go
const OURS = ["style", "open"]; // attributes this script or the reader sets; the server never does twice

/** Turn one tree into another, touching only what differs: focus, scroll position and open details stay. */
function morph(now, next) {
  if (now.isEqualNode(next)) return;
  if (now.nodeName !== next.nodeName || now.id !== next.id) return now.replaceWith(next);
  if (now.nodeType !== Node.ELEMENT_NODE) return void (now.nodeValue = next.nodeValue);
  if (now.nodeName === "IFRAME") turn(now, next);
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !OURS.includes(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value && !OURS.includes(name) && name !== "src") now.setAttribute(name, value);
  }
  const [old, fresh] = [[...now.childNodes], [...next.childNodes]];
  fresh.forEach((child, at) => (at < old.length ? morph(old[at], child) : now.append(child)));
  old.slice(fresh.length).forEach((child) => child.remove());
}

/** Load another mail into a frame; what is on the screen stays until it is there, and the history gets no step. */
function turn(frame, next) {
  const differs = frame.dataset.src !== next.dataset.src || frame.dataset.fingerprint !== next.dataset.fingerprint;
  if (differs) frame.contentWindow.location.replace(next.dataset.src);
}

/** Make the frame as tall as its mail, so that the page scrolls as one. */
function fit(frame) {
  const mail = frame.contentDocument?.documentElement;
  if (!mail) return;
  const stage = frame.parentElement;
  stage.style.minHeight = `${stage.offsetHeight}px`; // holds the page, or it would scroll while the frame is measured
  frame.style.height = "0";
  frame.style.height = `${mail.scrollHeight}px`;
  stage.style.minHeight = "";
}

function tend() {
  const frame = document.getElementById("mail");
  if (!frame || frame.dataset.tended) return;
  frame.dataset.tended = "yes";
  frame.addEventListener("load", () => fit(frame));
  frame.addEventListener("load", () => place && scrollTo(0, place), { once: true });
  if (frame.contentDocument?.readyState === "complete") fit(frame);
}

/** Fetch a page of ours and show it in place of this one. */
async function show(address) {
  const answer = await fetch(address);
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const live = document.querySelectorAll("[data-live]");
  if ([...live].some((part) => !next.getElementById(part.id))) return location.reload();
  if (document.getElementById("mail")) place = scrollY;
  live.forEach((part) => morph(part, next.getElementById(part.id)));
  document.title = next.title;
  tend();
}

/** Ask for news as long as somebody looks, and say so when nobody answers. */
async function watch() {
  let seen = document.body.dataset.mark;
  const notice = document.getElementById("notice");
  let until = 0;
  for (;;) {
    if (document.hidden) await event(document, "visibilitychange");
    try {
      const answer = await fetch(`/mark?seen=${encodeURIComponent(seen)}`);
      if (!answer.ok) throw new Error(answer.statusText);
      const { mark, news } = await answer.json();
      const form = document.getElementById("words");
      if (mark !== seen) await (form ? tryOut() : show(location.href));
      if (form) delete news.words; // the form says so itself, and keeps what was typed
      const said = Object.values(news).join(" ");
      if (said) [notice.textContent, until] = [said, Date.now() + READING_MS];
      else if (Date.now() > until) notice.textContent = "";
      seen = mark;
    } catch {
      [notice.textContent, until] = ["The preview has stopped. Start it again, and this page goes on.", 0];
      await pause(1500);
    }
  }
}

/** Show what the words in the form would make, unsaved: the server answers with the page, its preview is taken over. */
let trying = 0;
async function tryOut() {
  const form = document.getElementById("words");
  const turn = ++trying;
  const answer = await fetch(form.action, { method: "POST", body: filled(form, "try") });
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (turn !== trying || !next.getElementById("tried")) return; // somebody has typed on, or there is nothing to show
  document.querySelectorAll("[data-tried]").forEach((part) => morph(part, next.getElementById(part.id)));
  tend();
}

function filled(form, what) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("do", what);
  return fields;
}

let resting;
document.addEventListener("input", ({ target }) => {
  if (target.form?.id !== "words") return;
  clearTimeout(resting);
  resting = setTimeout(tryOut, 60);
});

document.addEventListener("change", ({ target }) => {
  if (target.form?.id !== "look") return;
  const address = `?${new URLSearchParams(new FormData(target.form))}`;
  history.replaceState(null, "", address);
  show(address);
});

// Approving asks the network first: the button says that it is at it.
document.addEventListener("submit", ({ submitter }) => submitter?.setAttribute("aria-busy", "true"));
addEventListener("pageshow", () => document.querySelectorAll("[aria-busy]").forEach((each) => each.removeAttribute("aria-busy")));

/** Tell whether the form holds other words than the page came with: typed before this script was there, or restored. */
function typedAlready() {
  const fields = document.getElementById("words")?.elements ?? [];
  return [...fields].some((field) => "defaultValue" in field && field.value !== field.defaultValue);
}

/** Show the name of the view in a row that is too long for the screen. */
function showTab() {
  const tab = document.querySelector(".views [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - tab.offsetWidth;
}

showTab();
tend();
if (typedAlready()) tryOut();
watch();
