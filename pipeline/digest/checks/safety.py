"""Check of what a stranger's words may not do in a mail: run, load, submit, lead out of the web.

In: a Proof. Out: Checks. Pure. Entries are cleaned when they come in; this is the last look before it goes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline.digest.checks.inputs import SUBJECT, THEME, CheckInputs
from pipeline.model.check import CheckResult

_NO_MAIL_HAS = {
    "script", "iframe", "object", "embed", "applet", "form", "input", "button", "select", "textarea", "link", "base",
    "svg", "math", "video", "audio",
}  # fmt: skip
_SCHEMES = {"http", "https", "mailto", ""}
_ADDRESSES = ("href", "src", "background", "action", "poster", "srcset", "formaction")
_LOADS = re.compile(r"@import|url\s*\(|expression\s*\(|-moz-binding", re.IGNORECASE)


def unsafe(proof: CheckInputs) -> Iterator[CheckResult]:
    """Nothing runs, nothing loads but pictures, and links lead to pages and mailboxes."""
    for element in proof.parsed_html.root.iter():
        for fault in _faults(element):
            message = f"Take {fault} out of the theme or the story: mail programs block it, spam filters count it."
            yield THEME.result("unsafe", "error", message)
    if found := _LOADS.search(proof.parsed_html.style):
        message = f"Take “{found[0]}” out of the style sheet: a mail loads nothing but pictures."
        yield THEME.result("unsafe", "error", message)
    if re.search(r"[\r\n]", proof.rendered.subject + proof.rendered.preheader):
        message = "Write the subject and the preheader on one line each."
        yield SUBJECT.result("unsafe", "error", message)


def _faults(element: Any) -> Iterator[str]:
    if not isinstance(element.tag, str):
        return
    if element.tag in _NO_MAIL_HAS:
        yield f"<{element.tag}>"
    if (element.get("http-equiv") or "").lower() in ("refresh", "set-cookie"):
        yield "<meta http-equiv>"
    for name, value in element.attrib.items():
        if name.startswith("on"):
            yield f"{name}=…"
        if name in _ADDRESSES and _scheme(value) not in _SCHEMES:
            yield f"the address “{value[:40]}”"
        if name == "style" and _LOADS.search(value):
            yield f"the style “{value[:40]}”"


def _scheme(address: str) -> str:
    """Read what stands before the colon, as a browser does: blanks and control characters do not hide it.

    >>> _scheme("java\\tscript:alert(1)"), _scheme("/path"), _scheme("https://a.example/")
    ('javascript', '', 'https')
    """
    found = re.match(r"([a-zA-Z][\w+.-]*):", re.sub(r"[\x00-\x20]+", "", address))
    return found[1].lower() if found else ""
