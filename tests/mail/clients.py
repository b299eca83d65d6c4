"""Imitations of mail programs that drop parts of the HTML, returning what each shows.

Real Outlook and Gmail cannot run in CI; each function does what that program is known to do.
"""

from __future__ import annotations

import re

_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
_RULE = re.compile(r"[^{}]*(?:\[|:root|:hover)[^{}]*\{[^{}]*\}")
_DARK = re.compile(r"@media[^{]*prefers-color-scheme[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_WORD_IGNORES = (
    r"max-width|max-height|min-width|border-radius|table-layout|overflow[\w-]*|[a-z]+-inline-start|-webkit[\w-]+"
    r"|display|box-shadow|background-image|float|position|opacity"
)
_WORD_IGNORES_ON_PICTURES = r"width|height"
"""Images have the size of their attributes. Word breaks words that are too long for a cell, so word-break is kept."""


def without_style(html: str) -> str:
    """Return HTML without style elements, as Gmail shows it for other accounts, and Outlook in replies."""
    return _STYLE.sub("", html)


def as_gmail(html: str) -> str:
    """Return HTML as Gmail keeps it: no attribute selectors, pseudo-classes or dark scheme; a div for the body.

    https://developers.google.com/gmail/design/css; beyond 16 KB it keeps nothing.
    """
    styles = [_RULE.sub("", _DARK.sub("", style)) for style in _STYLE.findall(html)]
    kept = iter(styles if len("".join(styles)) <= 16_384 else [""] * len(styles))
    html = _STYLE.sub(lambda _: next(kept), html)
    html = re.sub(r"\s(?:id|xmlns:\w+)=\"[^\"]*\"", "", html)
    return re.sub(r"<body\b", "<body><div", html).replace("</body>", "</div></body>")


def as_word(html: str) -> str:
    """Return HTML as Word, and so Outlook, reads it: with Outlook's comments, without the CSS it ignores."""
    html = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    html = re.sub(r"<!--\[if mso[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)
    html = without_style(html)
    html = re.sub(r"<img\b[^>]*>", lambda picture: _dropping(_WORD_IGNORES_ON_PICTURES, picture[0]), html)
    return _dropping(_WORD_IGNORES, html)


def _dropping(properties: str, html: str) -> str:
    """Return HTML without some properties of its style attributes."""
    declared = re.compile(rf"(?<=[;\"])\s*(?:{properties})\s*:[^;\"]*;?")
    return re.sub(r'style="[^"]*"', lambda style: declared.sub("", style[0]), html)
