"""The two texts of an item, its content and its summary, into a body and an excerpt.

In: HTML as a feed gives it. Out: sanitised HTML, plain text. Touches nothing.
"""

from __future__ import annotations

import re

from pipeline.text.html import (
    add_paragraphs,
    join_broken_lists,
    sanitise,
    sanitise_without_attributes,
    sanitised_to_text,
)
from pipeline.text.plain_text import excerpt_text, strip_boilerplate
from pipeline.text.wordpress import strip_plugin_markup, strip_shortcodes

MAX_HTML_CHARS = 500_000
_NO_PROSE_BEGINS = r"<(h[1-6]|figure|table|pre)\b"
_UNFINISHED = re.compile(_NO_PROSE_BEGINS)
_NOT_PROSE = re.compile(rf"{_NO_PROSE_BEGINS}.*?</\1>", re.DOTALL)
_OPENING_CHARS = 1_500
_MORE_THAN_ENOUGH_WORDS = 65
"""An excerpt has 60, at most."""
_MOST_CHARS = 20_000
_ELLIPSIS = r"(?:…|\.{3}|&hellip;|&#8230;)"
_CUT_SHORT = re.compile(rf"\[\s?{_ELLIPSIS}\s?\]|{_ELLIPSIS}\s*+(?:</\w+>\s*+)*+$")


def extract_body(content_html: str, summary_html: str, base: str) -> tuple[str, str]:
    """Return the sanitised body and the excerpt in plain text; which text is the body, their length tells.

    >>> body_of("<p>Salt first. Then heat.</p>", "Salt [&#8230;]", "https://h.example/")
    ('<p>Salt first. Then heat.</p>', 'Salt first. Then heat.')
    """
    longer, shorter = sorted((content_html, summary_html), key=len, reverse=True)
    body_html = clean_body(longer[:MAX_HTML_CHARS], base)
    summary = (
        ""
        if not shorter or _CUT_SHORT.search(shorter[-1000:])
        else strip_shortcodes(_prose(sanitise_without_attributes(shorter[:_MOST_CHARS])))
    )
    return body_html, excerpt_text(strip_boilerplate(summary) or _opening(body_html) or _whole(body_html))


def clean_body(html: str, base: str) -> str:
    """Return a body sanitised, without boilerplate at its end, its numbered lists mended.

    >>> clean_body("<p>Salt.</p><p>The post Salt appeared first on Harbour.</p>", "https://h.example/")
    '<p>Salt.</p>'
    """
    clean = strip_boilerplate(strip_plugin_markup(sanitise(add_paragraphs(html), base)))
    mended = join_broken_lists(clean)
    return clean if mended == clean else sanitise(mended, base)


def _opening(html: str) -> str:
    """Return the prose of the first paragraphs where that is more than an excerpt takes; else nothing.

    The rest of a long text need not be looked at then.
    """
    opening = _NOT_PROSE.sub(" ", html[: max(0, html.rfind("</p>", 0, _OPENING_CHARS))])
    prose = "" if _UNFINISHED.search(opening) else sanitised_to_text(opening)
    return prose if prose.count(" ") > _MORE_THAN_ENOUGH_WORDS else ""


def _whole(html: str) -> str:
    """Return the prose of a text, or its words where it has no prose."""
    return _prose(html) or sanitised_to_text(html[:_MOST_CHARS])


def _prose(html: str) -> str:
    return sanitised_to_text(_NOT_PROSE.sub(" ", html[:_MOST_CHARS]))
