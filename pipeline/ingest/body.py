"""Turns the content and summary of an entry into a sanitised HTML body and a plain-text excerpt."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from pipeline.model.entry import RawEntry
from pipeline.text.html import (
    add_paragraphs,
    join_broken_lists,
    sanitise,
    sanitise_without_attributes,
    sanitised_to_text,
)
from pipeline.text.html_repair import drop_players, repair_markup
from pipeline.text.mojibake import repair_mojibake
from pipeline.text.opening import is_beginning
from pipeline.text.plain_text import clean_title, excerpt_text, split_boilerplate, strip_boilerplate
from pipeline.text.wordpress import strip_plugin_markup, strip_shortcodes

MAX_HTML_CHARS = 500_000
_NOT_PROSE = re.compile(r"<(h[1-6]|figure|table|pre)\b.*?(?:</\1>|(\Z))", re.DOTALL)
_UNFINISHED = "\0"
"""Stands for an element that goes on where the text was cut."""
_OPENING_CHARS = 1_500
_ENOUGH_WORDS = 65
"""An excerpt has at most 60."""
_MAX_CHARS = 20_000
_ELLIPSIS = r"(?:…|\.{3}|&hellip;|&#8230;)"
_CUT_SHORT = re.compile(rf"\[\s?{_ELLIPSIS}\s?\]|{_ELLIPSIS}\s*+(?:</\w+>\s*+)*+$")

_PASSWORD_FORM = re.compile(r"<form\b[^<>]{0,1000}\bpost-password-form\b", re.IGNORECASE)


class Body(NamedTuple):
    """The text of an entry."""

    html: str
    """Sanitised."""
    excerpt_text: str
    """Plain text, as in Entry."""
    summaries: tuple[str, ...]
    """The same as in Entry."""
    is_cut: bool
    """The same as in Entry."""


NO_BODY = Body("", "", (), is_cut=False)


def entry_body(raw: RawEntry, base: str) -> Body:
    """Return the text of an entry; ``NO_BODY`` if it needs a password."""
    if _PASSWORD_FORM.search(raw.content_html) or _PASSWORD_FORM.search(raw.summary_html):
        return NO_BODY
    attached = [enclosure.url for enclosure in raw.enclosures]
    body = extract_body(raw.content_html, raw.summary_html, base, attached)
    if raw.subtitle and (subtitle := excerpt_text(clean_title(raw.subtitle))) != clean_title(raw.title):
        is_known = any(one.startswith(subtitle.rstrip(".…")) for one in body.summaries)
        if not is_known and not is_beginning(subtitle, body.html):
            return body._replace(summaries=(*body.summaries, subtitle))
    return body


def extract_body(content_html: str, summary_html: str, base: str, attached: Collection[str] = ()) -> Body:
    """Return the longer of the two texts, and the excerpt. Players of ``attached`` files leave no link.

    >>> extract_body("<p>Salt first. Then heat.</p>", "Salt [&#8230;]", "https://h.example/")
    Body(html='<p>Salt first. Then heat.</p>', excerpt_text='Salt first. Then heat.', summaries=(), is_cut=False)
    """
    longer, shorter = sorted((content_html, summary_html), key=len, reverse=True)
    longer = longer[:MAX_HTML_CHARS]
    body_html, is_cut = _clean(drop_players(longer, attached) if attached else longer, base)
    summary = (
        ""
        if not shorter or _CUT_SHORT.search(shorter[-1000:])
        else strip_shortcodes(_prose(sanitise_without_attributes(_repair(shorter[:_MAX_CHARS]))))
    )
    summary = strip_boilerplate(summary)
    excerpt = summary or _opening(body_html) or _prose(body_html) or sanitised_to_text(body_html[:_MAX_CHARS])
    shortened = excerpt_text(excerpt)
    return Body(
        body_html, shortened, (shortened,) if summary and not is_beginning(summary, body_html) else (), is_cut=is_cut
    )


def clean_body(html: str, base: str) -> str:
    """Return a sanitised body without boilerplate at its end and with repaired numbered lists.

    >>> clean_body("<p>Salt.</p><p>The post Salt appeared first on Harbour.</p>", "https://h.example/")
    '<p>Salt.</p>'
    """
    return _clean(html, base)[0]


def _clean(html: str, base: str) -> tuple[str, bool]:
    """Return a clean body, and whether its end says that the text goes on elsewhere."""
    clean, is_cut = split_boilerplate(strip_plugin_markup(sanitise(add_paragraphs(_repair(html)), base)))
    repaired = join_broken_lists(clean)
    return clean if repaired == clean else sanitise(repaired, base), is_cut


def _repair(html: str) -> str:
    return repair_mojibake(repair_markup(html))


def _opening(html: str) -> str:
    """Return the prose of the first paragraphs if it is enough for an excerpt, else "".

    The rest of a long text is then not processed.
    """
    opening = _NOT_PROSE.sub(_blank, html[: max(0, html.rfind("</p>", 0, _OPENING_CHARS))])
    prose = "" if _UNFINISHED in opening else sanitised_to_text(opening)
    return prose if prose.count(" ") > _ENOUGH_WORDS else ""


def _prose(html: str) -> str:
    return sanitised_to_text(_NOT_PROSE.sub(_blank, html[:_MAX_CHARS]))


def _blank(element: re.Match[str]) -> str:
    return " " if element[2] is None else _UNFINISHED
