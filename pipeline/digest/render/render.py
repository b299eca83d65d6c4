"""From a Digest to the words on a page: HTML with its styles inlined, and plain text.

In: a Digest and a Theme. Out: a RenderedDigest; the same input gives the same bytes. Touches nothing, the theme having
been read before, but the catalog of the publication's language. jinja2 and css-inline are imported when first needed.

Addresses that differ for each reader (unsubscribe, preferences, browser) are places, see ``model/mail.py``. Each stands
at the start of a line, so that it stays whole in quoted-printable.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.digest.render.digest_view import DigestView, LengthBudget, digest_view
from pipeline.digest.render.theme import Theme, load_theme, render_template
from pipeline.digest.render.translations import translator_for
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.message import PLACEHOLDERS

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["MAX_HTML_BYTES", "Theme", "load_theme", "render"]

MAX_HTML_BYTES = 60_000
"""Heavier HTML is told in fewer words: Gmail cuts a mail at 102 KB and hides the rest, unsubscribing included."""
_EXCERPT_WORDS = (None, 40, 25, 12)
_PLACE = re.compile(rf' (href="[^"]*#(?:{"|".join(PLACEHOLDERS)})")')


def render(digest: Digest, theme: Theme) -> RenderedDigest:
    """Render a digest; it shortens itself until the HTML is light enough to arrive whole.

    First excerpts get shorter, then the last stories are told by their titles alone, as many as it takes.
    TemplateError: a template asks for something that does not exist (with its file and line).
    """
    told = _told(digest, theme, LengthBudget())
    for words in _EXCERPT_WORDS[1:]:
        if told.light:
            break
        told = _told(digest, theme, LengthBudget(max_excerpt_words=words))
    if not told.light:
        told = _by_titles(digest, theme)
    return RenderedDigest(
        subject=told.page.subject,
        preheader=told.page.preheader,
        html=told.html,
        text=_text(theme.text, told.page),
        shortening=_shortened(told),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """A digest at one length."""

    page: DigestView
    html: str
    thrift: LengthBudget

    @property
    def light(self) -> bool:
        return len(self.html.encode()) <= MAX_HTML_BYTES


def _told(digest: Digest, theme: Theme, thrift: LengthBudget) -> _Told:
    printed = digest_view(digest, translator_for(digest.publication.language), theme.style, thrift)
    return _Told(printed, _html(theme.html, printed), thrift)


def _by_titles(digest: Digest, theme: Theme) -> _Told:
    """Tell as many stories in a few words as there is room for, the others by their titles."""
    stories = len(digest.stories) + sum(len(section.stories) for section in digest.archive)
    thrifts = [
        LengthBudget(max_excerpt_words=_EXCERPT_WORDS[-1], max_full_stories=whole) for whole in range(stories, -1, -1)
    ]
    place = bisect_left(thrifts, True, hi=stories, key=lambda thrift: _told(digest, theme, thrift).light)
    return _told(digest, theme, thrifts[place])


def _shortened(told: _Told) -> str:
    words, whole = told.thrift.max_excerpt_words, told.thrift.max_full_stories
    parts = [f"excerpts have {words} words at most"] if words is not None else []
    if whole is not None:
        lines = sum(len(chapter.lines) for chapter in told.page.sections)
        last = "story is told by its title" if lines == 1 else f"{lines} stories are told by their titles"
        parts.append(f"the last {last}")
    return f"To keep the mail light, {' and '.join(parts)}." if parts else ""


def _html(template: Template, printed: DigestView) -> str:
    html = _inliner().inline(render_template(template, page=printed))
    html = html.replace(' data-css-inline="keep"', "")
    html = re.sub(r">\s*\n\s*<", ">\n<", html)
    return _PLACE.sub(r"\n\1", html).strip() + "\n"


def _text(template: Template, printed: DigestView) -> str:
    lines = [line.rstrip() for line in render_template(template, page=printed).split("\n")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip() + "\n"


@cache
def _inliner() -> Any:  # css_inline has no types
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
