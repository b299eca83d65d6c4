// A small editor for Markdown: buttons and keys that change the text at the selection, pasted text cleaned into Markdown,
// pictures uploaded. The text stays in its field, where the browser's own undo works. Without this script it is typed.
"use strict";

const FIELD = "textarea[data-markdown]";
const PICTURES = "image/jpeg,image/png,image/gif,image/webp";
const KEYS = { b: "bold", i: "italic", k: "link" };
const fieldOf = (toolbar) => document.getElementById(toolbar.getAttribute("aria-controls"));
const toolbarOf = (field) => document.querySelector(`[role=toolbar][aria-controls="${CSS.escape(field.id)}"]`);

/** Replace the selection as if it was typed, so that it can be undone; select `length` characters from `start` on. */
function type(field, text, start = text.length, length = 0) {
  const at = field.selectionStart;
  field.focus();
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  field.setSelectionRange(at + start, at + start + length);
}

/** Put marks around the selection, or take them away if they are there. */
function surround(field, mark) {
  const { value, selectionStart: start, selectionEnd: end } = field;
  const chosen = value.slice(start, end).trim();
  const isMarked = value.slice(start - mark.length, start) === mark && value.slice(end, end + mark.length) === mark;
  if (isMarked) {
    field.setSelectionRange(start - mark.length, end + mark.length);
    return type(field, chosen, 0, chosen.length);
  }
  const [before, after] = value.slice(start, end).split(chosen || /$^/);
  type(field, `${before ?? ""}${mark}${chosen}${mark}${after ?? ""}`, (before ?? "").length + mark.length, chosen.length);
}

/** Put a prefix before each line of the selection. */
function prefixLines(field, prefix) {
  const { value } = field;
  const start = value.lastIndexOf("\n", field.selectionStart - 1) + 1;
  const next = value.indexOf("\n", field.selectionEnd);
  field.setSelectionRange(start, next < 0 ? value.length : next);
  const lines = value.slice(start, field.selectionEnd).split("\n");
  const isPrefixed = lines.every((line) => line.startsWith(prefix));
  const gap = start && !value.slice(0, start).endsWith("\n\n") && !isPrefixed ? "\n" : "";
  type(field, gap + lines.map((line) => (isPrefixed ? line.slice(prefix.length) : prefix + line)).join("\n"));
}

const commands = {
  bold: (field) => surround(field, "**"),
  italic: (field) => surround(field, "*"),
  list: (field) => prefixLines(field, "- "),
  quote: (field) => prefixLines(field, "> "),
  link(field) {
    const chosen = field.value.slice(field.selectionStart, field.selectionEnd);
    if (/^https?:\/\/\S+$/.test(chosen)) return type(field, `[](${chosen})`, 1);
    type(field, `[${chosen}](https://)`, chosen ? chosen.length + 3 : 1, chosen ? "https://".length : 0);
  },
  picture(field) {
    const chooser = Object.assign(document.createElement("input"), { type: "file", accept: PICTURES });
    chooser.addEventListener("change", () => upload(field, chooser.files[0]));
    chooser.click();
  },
};

/** Upload a picture and write it at the selection, with the caret where its description goes. */
async function upload(field, file) {
  const state = toolbarOf(field)?.querySelector("[role=status]");
  const say = (text) => state && (state.textContent = text);
  const body = new FormData();
  body.set("csrf", field.form.elements.csrf.value);
  body.set("picture", file, file.name || "picture");
  say("Uploading …");
  try {
    const response = await fetch("/pictures", { method: "POST", body, redirect: "error" });
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    const answer = isJson ? await response.json() : {};
    if (!response.ok) return say(answer.message ?? "Not uploaded: a picture may have 40 MB at most.");
    const gap = field.selectionStart && !field.value.slice(0, field.selectionStart).endsWith("\n\n") ? "\n\n" : "";
    type(field, gap + answer.markdown, gap.length + 2);
    say("Added. Say between the brackets what it shows.");
  } catch {
    say("Not uploaded: the server does not respond. Try again in a moment.");
  }
}

/** Return the Markdown of pasted HTML: bold, italic, links, lists and quotes; headings are bold, all else is text. */
function toMarkdown(html) {
  // The page's policy blocks inline styles, in documents that are only parsed as well.
  const withoutStyles = html.replace(/<style\b[^]*?<\/style>/gi, "").replace(/\sstyle=/gi, " data-style=");
  const body = new DOMParser().parseFromString(withoutStyles, "text/html").body;
  body.querySelectorAll("style, script, meta, link, title, img, svg, o\\:p").forEach((element) => element.remove());
  return blockText(body).replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
}

function blockText(node) {
  return [...node.childNodes].map(markdownOf).join("");
}

function around(mark, text) {
  const [, before, words, after] = text.match(/^(\s*)([^]*?)(\s*)$/);
  return words && !words.includes("\n\n") ? before + mark + words + mark + after : text;
}

function markdownOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.nodeValue.replace(/\s+/g, " ").replace(/[\\*_`[\]<]/g, "\\$&");
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  const text = blockText(node);
  const style = node.dataset.style ?? "";
  const isBold = /font-weight:\s*(bold|[6-9]00)/i.test(style);
  const isItalic = /font-style:\s*italic/i.test(style);
  switch (node.nodeName) {
    case "BR":
      return "\n";
    case "B":
    case "STRONG":
      return /font-weight:\s*normal/i.test(style) ? text : around("**", text); // Google Docs wraps everything in such a <b>
    case "I":
    case "EM":
      return /font-style:\s*normal/i.test(style) ? text : around("*", text);
    case "SPAN":
      return around(isBold ? "**" : "", around(isItalic ? "*" : "", text));
    case "A":
      return /^(https?|mailto):/i.test(node.getAttribute("href") ?? "") && text.trim() ? `[${text.trim()}](${node.href.replace(/[()]/g, encodeURIComponent)})` : text;
    case "LI": {
      const items = [...node.parentNode.children];
      const marker = node.parentNode.nodeName === "OL" ? `${items.indexOf(node) + 1}. ` : "- ";
      return `\n${marker}${text.trim().replace(/\n+/g, "\n" + " ".repeat(marker.length))}`;
    }
    case "BLOCKQUOTE":
      return `\n\n${text.trim().replace(/^/gm, "> ")}\n\n`;
    case "UL":
    case "OL":
    case "P":
    case "DIV":
    case "TR":
      return `\n\n${text.trim()}\n\n`;
  }
  return /^H[1-6]$/.test(node.nodeName) ? `\n\n${around("**", text.trim())}\n\n` : text;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("[role=toolbar] [data-format]");
  if (button) commands[button.dataset.format](fieldOf(button.closest("[role=toolbar]")));
});

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (target.matches?.(FIELD) && (event.ctrlKey || event.metaKey) && !event.altKey && KEYS[key.toLowerCase()]) {
    event.preventDefault();
    return commands[KEYS[key.toLowerCase()]](target);
  }
  const toolbar = target.closest?.("[role=toolbar]");
  if (!toolbar || !["ArrowLeft", "ArrowRight", "Home", "End"].includes(key)) return;
  event.preventDefault();
  const buttons = [...toolbar.querySelectorAll("[data-format]")];
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const index = step ? buttons.indexOf(target) + step : key === "Home" ? 0 : -1;
  buttons.forEach((button) => (button.tabIndex = -1));
  const next = buttons.at(index % buttons.length);
  next.tabIndex = 0;
  next.focus();
});

document.addEventListener("paste", (event) => {
  if (!event.target.matches?.(FIELD)) return;
  const [html, file] = [event.clipboardData.getData("text/html"), event.clipboardData.files[0]];
  if (!html && !file?.type.startsWith("image/")) return;
  event.preventDefault();
  if (html) type(event.target, toMarkdown(html));
  else upload(event.target, file);
});

document.addEventListener("drop", (event) => {
  const file = event.dataTransfer?.files[0];
  if (!file || !event.target.matches?.(FIELD)) return;
  event.preventDefault();
  upload(event.target, file);
});
