// Updates the page in place: after a choice in the toolbar, and whenever the page version changes on the server.
// Without this script every page still works: the toolbar is a form, and reloading does the rest.
"use strict";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const nextEvent = (target, name) => new Promise((done) => target.addEventListener(name, done, { once: true }));
const NOTICE_MS = 15000; // how long a notice stays on the page
const TYPING_PAUSE_MS = 60; // how long to wait for the next key before the preview is updated
const CLIENT_ATTRIBUTES = ["style", "open"]; // changed by this script or the user: updates leave them as they are
const LOGGED_OUT_MS = 5000; // how often to ask whether somebody has logged in again
const OWN_SAVE_MS = 3000; // how long after saving a change of the file is this page's own
let ownSaveAt = 0; // when this page last saved something by itself
let savedScroll = 0; // where the page was scrolled to when its mail was replaced
let noticeUntil = 0; // when the notice may be removed
let shownById = new Map(); // the elements with an id that the page had before an update

/** Change one tree into another, touching only what differs: focus, scroll position and open details stay. */
function morph(now, next) {
  if (now.isEqualNode(next) || now.classList?.contains("save-state")) return;
  if (now.nodeName !== next.nodeName || now.id !== next.id) return now.replaceWith(withKnown(next));
  if (now.nodeType !== Node.ELEMENT_NODE) return void (now.nodeValue = next.nodeValue);
  if (now.nodeName === "IFRAME") loadFrame(now, next);
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !CLIENT_ATTRIBUTES.includes(name)) now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value && !CLIENT_ATTRIBUTES.includes(name) && name !== "src") now.setAttribute(name, value);
  }
  morphChildren(now, next);
}

/** Change the children of an element; those with an id stay the same wherever they move to, with what is typed in them. */
function morphChildren(now, next) {
  const fresh = [...next.childNodes];
  const wanted = new Set(fresh.map((child) => child.id).filter(Boolean));
  fresh.forEach((child, index) => {
    const [there, same] = [now.childNodes[index] ?? null, knownAs(child, now)];
    if (same && same !== there) now.insertBefore(same, there);
    if (same) morph(same, child);
    else if (!there || wanted.has(there.id)) now.insertBefore(withKnown(child), there);
    else morph(there, child);
  });
  while (now.childNodes.length > fresh.length) now.lastChild.remove();
}

/** Return the element of the page that a new one is, by its id, unless it is around the place of the new one. */
function knownAs(child, parent) {
  const known = child.id && shownById.get(child.id);
  return known && known.nodeName === child.nodeName && !known.contains(parent) ? known : null;
}

/** Return a new element in which those that the page has already are these, with what is typed in them. */
function withKnown(fresh) {
  fresh.querySelectorAll?.("[id]").forEach((child) => {
    const known = fresh.contains(child) && knownAs(child, child);
    if (!known) return;
    child.replaceWith(known);
    morph(known, child);
  });
  return fresh;
}

/** Return the document of a response, without what is meant for browsers without scripts. */
async function pageOf(response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  page.querySelectorAll("noscript").forEach((element) => element.remove());
  return page;
}

/** Load another mail into the frame, without a blank in between and without an entry in the history. */
function loadFrame(frame, next) {
  const differs = frame.dataset.src !== next.dataset.src || frame.dataset.fingerprint !== next.dataset.fingerprint;
  if (differs) frame.contentWindow.location.replace(next.dataset.src);
}

/** Make the frame as tall as its mail, so that the page has one scroll bar. */
function fitFrame(frame) {
  const mail = frame.contentDocument?.documentElement;
  if (!mail) return;
  const container = frame.parentElement;
  container.style.minHeight = `${container.offsetHeight}px`; // or the page would scroll while the frame is measured
  frame.style.height = "0";
  frame.style.height = `${mail.scrollHeight}px`;
  container.style.minHeight = "";
}

function watchFrame() {
  const frame = document.getElementById("mail");
  if (!frame || frame.dataset.watched) return;
  frame.dataset.watched = "yes";
  frame.addEventListener("load", () => fitFrame(frame));
  frame.addEventListener("load", () => savedScroll && scrollTo(0, savedScroll), { once: true });
  if (frame.contentDocument?.readyState === "complete") fitFrame(frame);
}

/** Fetch a page and show it in place of this one. */
async function showPage(address) {
  const response = await fetch(address);
  const next = await pageOf(response);
  const live = document.querySelectorAll("[data-live]");
  if ([...live].some((element) => !next.getElementById(element.id))) return location.reload();
  if (document.getElementById("mail")) savedScroll = scrollY;
  updateElements([...live], next);
  document.title = next.title;
}

/** Show elements as they are on another page. */
function updateElements(elements, next) {
  const active = document.activeElement;
  const top = active?.getBoundingClientRect().top;
  shownById = new Map([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
  elements.forEach((element) => next.getElementById(element.id) && morph(element, next.getElementById(element.id)));
  if (active?.isConnected && active !== document.activeElement) {
    active.focus({ preventScroll: true }); // it was moved
    scrollBy(0, active.getBoundingClientRect().top - top);
  }
  watchFrame();
}

/** Show a notice, for as long as it takes to read. */
function showNotice(text, milliseconds = NOTICE_MS) {
  const notice = document.getElementById("notice");
  if (notice.textContent !== text) notice.textContent = text;
  noticeUntil = Date.now() + milliseconds;
}

/** Ask for updates while the page is visible, and show a notice when the server does not respond. */
async function pollUpdates() {
  let seen = document.body.dataset.version;
  for (;;) {
    if (document.hidden) await nextEvent(document, "visibilitychange");
    try {
      const response = await fetch(`/updates?seen=${encodeURIComponent(seen)}`);
      if (response.status === 403) { // logged out meanwhile
        showNotice((await response.json()).message, 0);
        await sleep(LOGGED_OUT_MS);
        continue;
      }
      if (!response.ok) throw new Error(response.statusText);
      const { version, changes } = await response.json();
      const form = document.getElementById("editor-form");
      if (version !== seen) await (form ? updatePreview() : showPage(location.href));
      if (form || Date.now() - ownSaveAt < OWN_SAVE_MS) delete changes.editor_files; // the form shows this itself
      const message = Object.values(changes).join(" ");
      if (message) showNotice(message);
      else if (Date.now() > noticeUntil) showNotice("", 0);
      seen = version;
    } catch {
      showNotice("The server does not respond. This page continues as soon as it does.", 0);
      await sleep(1500);
    }
  }
}

/** Show the mail that the form's values would produce. The server responds with the page; its preview is taken from it. */
let latestPreview = 0;
async function updatePreview() {
  const form = document.getElementById("editor-form");
  const preview = ++latestPreview;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("do", "preview");
  const response = await fetch(form.action, { method: "POST", body: fields });
  const next = await pageOf(response);
  if (preview !== latestPreview || !next.getElementById("preview")) return; // outdated, or nothing to show
  updateElements([...document.querySelectorAll("[data-preview]")], next);
}

let typingTimer;
document.addEventListener("input", ({ target }) => {
  if (target.form?.id !== "editor-form") return;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(updatePreview, TYPING_PAUSE_MS);
});

document.addEventListener("change", ({ target }) => {
  if (target.form?.id !== "view-options") return;
  const address = `?${new URLSearchParams(new FormData(target.form))}`;
  history.replaceState(null, "", address);
  showPage(address);
});

// Approving checks links first, which takes a while: the button shows that it is working.
document.addEventListener("submit", ({ submitter }) => submitter?.setAttribute("aria-busy", "true"));
addEventListener("pageshow", () => document.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy")));

/** Return whether the form differs from what the server sent: typed before this script ran, or restored by the browser. */
function hasUnsavedText() {
  const fields = document.getElementById("editor-form")?.elements ?? [];
  return [...fields].some((field) => "defaultValue" in field && field.value !== field.defaultValue);
}

/** Scroll each row of views so that the current one can be seen on a narrow screen. */
function showCurrentView() {
  for (const current of document.querySelectorAll(".views [aria-current]")) {
    current.parentElement.scrollLeft = current.offsetLeft - current.parentElement.offsetLeft - current.offsetWidth;
  }
}

showCurrentView();
watchFrame();
if (hasUnsavedText()) updatePreview();
pollUpdates();
