"""Validators of a message that need no browser: markup, format and safety. They return lists of errors.

They use the standard library's parsers, not the program's own, whose bugs would go unnoticed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

ALLOWED = Path(__file__).parent / "allowed.toml"
MAX_STYLE_BYTES = 16_384
MAX_LINE_LENGTH = 76
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ACTIVE_TAGS = {
    "script",
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "button",
    "link",
    "base",
    "svg",
    "math",
    "video",
    "audio",
}
_URL_ATTRIBUTES = {"href", "src", "action", "background", "poster", "srcset", "formaction"}
_IDENTIFIERS = ("Message-ID", "References", "In-Reply-To", "Feedback-ID")
_PLACEHOLDER = re.compile(r"zz(?:Unsubscribe|Preferences|Browser)zz")


class ParsedMarkup(HTMLParser):
    """Elements, attributes, links and styles of an HTML part; what only Outlook reads is a comment."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.style = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in ("style", "title") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
        elif self._inside != "title":
            self.text += data

    @property
    def hrefs(self) -> list[str]:
        """The URLs of all links."""
        return [values["href"] for tag, values in self.elements if tag == "a" and "href" in values]

    @property
    def declarations(self) -> Iterator[tuple[str, str]]:
        """(property, value) of style attributes and style elements."""
        blocks = re.findall(r"\{([^{}]*)\}", _COMMENT.sub("", self.style))
        blocks += [values["style"] for _, values in self.elements if "style" in values]
        for declaration in (text for block in blocks for text in block.split(";") if ":" in text):
            name, _, value = declaration.partition(":")
            yield name.strip().lower(), value.strip()


def used_features(html: str) -> dict[str, set[str]]:
    """Return the features that an HTML part needs mail programs to understand, by the tables of allowed.toml."""
    markup = ParsedMarkup(html)
    css = _COMMENT.sub("", markup.style)
    queries = " ".join(re.findall(r"@media([^{]*)\{", css))
    selectors = " ".join(re.findall(r"([^{}]*)\{[^{}]*\}", re.sub(r"@[^{]*\{", "", css)))
    values = " ".join(value for _, value in markup.declarations)
    return {
        "element": {tag for tag, _ in markup.elements},
        "attribute": {name for _, values in markup.elements for name in values},
        "property": {name for name, _ in markup.declarations},
        "at-rule": {*re.findall(r"@[\w-]+", css), *re.findall(r"[a-z][a-z-]+", queries)}
        - {"only", "and", "dark", "px"},
        "selector": set(re.findall(r":[\w-]+|\[[^\]]*\]|[>+~*]", selectors)),
        "function": set(re.findall(r"([\w-]+)\(", values)),
    }


@cache
def allowed_features() -> dict[str, dict[str, str]]:
    """Return the reviewed features: a table for each kind, a reason for each feature."""
    return tomllib.loads(ALLOWED.read_text())


def markup_errors(html: str) -> list[str]:
    """Return features that were not reviewed, styles that load something, and too large styles."""
    markup = ParsedMarkup(html)
    errors = [
        f"{kind} {name} is not in {ALLOWED.name}"
        for kind, names in used_features(html).items()
        for name in sorted(names - set(allowed_features().get(kind, ())))
    ]
    if re.search(r"url\s*\(|@import", markup.style + " ".join(value for _, value in markup.declarations)):
        errors.append("a style loads something")
    colours = {colour for _, value in markup.declarations for colour in re.findall(r"#\w+", value)}
    errors += [
        f"colour {colour} does not have six digits, as Outlook requires" for colour in colours if len(colour) != 7
    ]
    if len(markup.style.encode()) > MAX_STYLE_BYTES:
        errors.append(f"style elements have {len(markup.style.encode())} bytes")
    return errors


def link_errors(html: str, text: str) -> list[str]:
    """Return the URLs that are missing from the text part; of a mailto URL its address and the URL in its body."""
    return [href for href in dict.fromkeys(ParsedMarkup(html).hrefs) if any(one not in text for one in _readable(href))]


def _readable(href: str) -> list[str]:
    url = urlsplit(href)
    return [unquote(url.path), *parse_qs(url.query).get("body", [])] if url.scheme == "mailto" else [href]


def safety_errors(html: str) -> list[str]:
    """Return everything that runs, loads, submits or leads out of the web."""
    errors = []
    for tag, values in ParsedMarkup(html).elements:
        errors += [f"<{tag}>"] if tag in _ACTIVE_TAGS else []
        errors += [f"<{tag} {name}>" for name in values if name.startswith("on") or name == "http-equiv"]
        for name in _URL_ATTRIBUTES & set(values):
            url = re.sub(r"[\x00-\x20]", "", values[name]).lower()
            if not url.startswith(("https://", "http://") if tag == "img" else ("https://", "http://", "mailto:")):
                errors.append(f"<{tag} {name}={values[name]!r}>")
    return errors


def format_errors(eml: bytes, html: str, text: str) -> list[str]:
    """Check for text, then HTML, both UTF-8, on short lines, exactly as rendered; return what is wrong."""
    message = message_from_bytes(eml, policy=policy.default)
    assert isinstance(message, EmailMessage)
    parts = [part for part in message.walk() if not part.is_multipart()]
    bodies = [part.get_content().replace("\r\n", "\n") for part in parts]
    checks = {
        "is not multipart/alternative": message.get_content_type() == "multipart/alternative",
        "is not text, then HTML": [part.get_content_type() for part in parts] == ["text/plain", "text/html"],
        "is not UTF-8": all(part.get_content_charset() == "utf-8" for part in parts),
        "differs from what was rendered": bodies == [text, html],
        "has a body line over 76 characters": _longest(eml.partition(b"\r\n\r\n")[2]) <= MAX_LINE_LENGTH,
        "has line ends other than CRLF": not re.search(rb"(?<!\r)\n|\r(?!\n)", eml),
        "has bytes beyond ASCII": eml.isascii(),
        "has defects": not message.defects and not any(part.defects for part in parts),
        "lacks a header or repeats one": all(
            len(message.get_all(name, [])) == 1
            for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
        ),
        "has an unexpected header": not {"Bcc", "Cc", "Reply-To"} & set(message.keys()),
    }
    return [error for error, passed in checks.items() if not passed] + identifier_errors(eml)


def identifier_errors(eml: bytes) -> list[str]:
    """Return identifiers folded into encoded words, which makes them other identifiers (RFC 2047, 5)."""
    head = eml.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    names = "|".join((*_IDENTIFIERS, r"List-[\w-]+"))
    headers = re.findall(rf"(?mi)^(?:{names}):.*(?:\r\n[ \t].*)*", head)
    return [f"{header[:20]}… is encoded" for header in headers if "=?" in header]


def _longest(lines: bytes) -> int:
    return max(map(len, lines.split(b"\r\n")))


def personalisation_errors(eml: bytes) -> list[str]:
    """Check the unsubscribe headers and placeholders of a recipient's copy; return what is wrong.

    RFC 8058 (one click), RFC 2369 and RFC 2919 (List-*), Gmail's Feedback-ID.
    """
    head = eml.partition(b"\r\n\r\n")[0].decode("ascii", "replace").split("\r\n")
    headers = dict(line.split(": ", 1) for line in head if ": " in line and line[0] not in " \t")
    message = message_from_bytes(eml, policy=policy.default)
    decoded = "".join(part.get_content() for part in message.walk() if not part.is_multipart())  # type: ignore[attr-defined]
    checks = {
        "List-Unsubscribe is not one line with https and mailto": re.fullmatch(
            r"<https://[^<>\s]+>, <mailto:[^<>\s]+>", headers.get("List-Unsubscribe", "")
        ),
        "List-Unsubscribe-Post is missing": headers.get("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click",
        "List-Id is missing": re.search(r"<[\w.-]+\.[\w-]+>$", headers.get("List-Id", "")),
        "Feedback-ID is missing": headers.get("Feedback-ID"),
        "a placeholder is not filled in": not _PLACEHOLDER.search(decoded + "".join(head)),
    }
    return [error for error, passed in checks.items() if not passed] + identifier_errors(eml)
