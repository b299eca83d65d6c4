"""Check the HTML for anything that runs, loads or submits. Entries are sanitised when stored; this checks again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.digest.checks.inputs import SUBJECT, THEME, CheckInputs
from pipeline.model.check import CheckResult

_FORBIDDEN_TAGS = {
    "script", "iframe", "object", "embed", "applet", "form", "input", "button", "select", "textarea", "link", "base",
    "svg", "math", "video", "audio",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", ""}
_URL_ATTRIBUTES = ("href", "src", "background", "action", "poster", "srcset", "formaction")
_LOADING_CSS = re.compile(r"@import|url\s*\(|expression\s*\(|-moz-binding", re.IGNORECASE)


def unsafe(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that nothing runs, that only images load, and that links lead to pages and mailboxes."""
    for element in inputs.html.root.iter():
        for fault in _faults(element):
            message = f"Remove {fault} from the theme or the story: mail programs block it, spam filters count it."
            yield THEME.result("unsafe", "error", message)
    if loading := _LOADING_CSS.search(inputs.html.css):
        message = f"Remove “{loading[0]}” from the style sheet: only images may be loaded."
        yield THEME.result("unsafe", "error", message)
    if re.search(r"[\r\n]", inputs.rendered.subject + inputs.rendered.preheader):
        message = "Write the subject and the preheader on one line each."
        yield SUBJECT.result("unsafe", "error", message)


def _faults(element: Any) -> Iterator[str]:
    if not isinstance(element.tag, str):
        return
    if element.tag in _FORBIDDEN_TAGS:
        yield f"<{element.tag}>"
    if (element.get("http-equiv") or "").lower() in ("refresh", "set-cookie"):
        yield "<meta http-equiv>"
    for name, value in element.attrib.items():
        if name.startswith("on"):
            yield f"{name}=…"
        if name in _URL_ATTRIBUTES and _scheme(value) not in _SCHEMES:
            yield f"the URL “{value[:40]}”"
        if name == "style" and _LOADING_CSS.search(value):
            yield f"the style “{value[:40]}”"


def _scheme(url: str) -> str:
    """Return a URL's scheme as a browser reads it: spaces and control characters are ignored.

    >>> _scheme("java\\tscript:alert(1)"), _scheme("/path"), _scheme("https://a.example/")
    ('javascript', '', 'https')
    """
    scheme = re.match(r"([a-zA-Z][\w+.-]*):", re.sub(r"[\x00-\x20]+", "", url))
    return scheme[1].lower() if scheme else ""
