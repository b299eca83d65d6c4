"""Mail programs that take half of a mail away. In: HTML. Out: what such a program shows. Pure.

None of them is the program itself: real Outlook and Gmail cannot run in CI. Each does what that program is known to do.
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
"""There it obeys the attributes alone. That it breaks a word too long for its cell is why word-break is kept."""


def without_style(html: str) -> str:
    """Drop style elements, as Gmail does with non-Google accounts, and Outlook with replies."""
    return _STYLE.sub("", html)


def as_gmail(html: str) -> str:
    """Keep of styles what Gmail keeps: no attribute selectors, no pseudo-classes, no dark scheme; a div for body.

    https://developers.google.com/gmail/design/css; beyond 16 KB it keeps nothing.
    """
    styles = [_RULE.sub("", _DARK.sub("", style)) for style in _STYLE.findall(html)]
    kept = iter(styles if len("".join(styles)) <= 16_384 else [""] * len(styles))
    html = _STYLE.sub(lambda _: next(kept), html)
    html = re.sub(r"\s(?:id|xmlns:\w+)=\"[^\"]*\"", "", html)
    return re.sub(r"<body\b", "<body><div", html).replace("</body>", "</div></body>")


def as_word(html: str) -> str:
    """Read Outlook's comments, and ignore what Word, and so Outlook, ignores of CSS."""
    html = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    html = re.sub(r"<!--\[if mso[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)
    html = without_style(html)
    html = re.sub(r"<img\b[^>]*>", lambda picture: _dropping(_WORD_IGNORES_ON_PICTURES, picture[0]), html)
    return _dropping(_WORD_IGNORES, html)


def _dropping(properties: str, html: str) -> str:
    """Take properties out of style attributes."""
    declared = re.compile(rf"(?<=[;\"])\s*(?:{properties})\s*:[^;\"]*;?")
    return re.sub(r'style="[^"]*"', lambda style: declared.sub("", style[0]), html)
