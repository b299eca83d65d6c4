"""Render a digest with a theme: HTML with its styles inlined, and plain text. The same arguments give the same bytes.

Links that differ per recipient are placeholders, see ``model/message.py``. In the HTML each begins a line, so that
quoted-printable does not break it. Whatever else resembles one, or a merge tag of a mail service, is escaped:
content cannot make a personal link. jinja2 and css-inline are imported when first needed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from typing import Any

from pipeline.digest.render.digest_view import DigestView, LengthBudget, digest_view
from pipeline.digest.render.story_view import LinkView
from pipeline.digest.render.theme import Theme, render_template
from pipeline.digest.render.translations import translator_for
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.message import PLACEHOLDERS
from pipeline.text.merge_tags import escape_in_html, escape_in_text

MAX_HTML_BYTES = 60_000
"""Larger HTML is shortened: Gmail cuts a message at 102 KB and hides the rest, the unsubscribe link included."""
_EXCERPT_WORDS = (None, 40, 25, 12)
_PLACEHOLDER = re.compile(rf' (href="[^"]*#(?:{"|".join(PLACEHOLDERS)})")')


def render(digest: Digest, theme: Theme) -> RenderedDigest:
    """Return a digest as HTML and text, shortened as far as it takes to keep the HTML below ``MAX_HTML_BYTES``.

    First excerpts are shortened, then the last stories become briefs. Raise TemplateError, with file and line, if a
    template uses an unknown name.
    """
    for max_words in _EXCERPT_WORDS:
        attempt = _attempt(digest, theme, LengthBudget(max_excerpt_words=max_words))
        if attempt.fits:
            break
    else:
        attempt = _with_briefs(digest, theme)
    hiding, hidden = _hide_placeholders(attempt.view)
    lines = [line.rstrip() for line in render_template(theme.text, digest=hiding).split("\n")]
    text = re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip() + "\n"
    return RenderedDigest(
        subject=escape_in_text(attempt.view.subject),
        preheader=escape_in_text(attempt.view.preheader),
        html=attempt.html,
        text=_replace_all(escape_in_text(text), hidden),
        shortening=_describe_shortening(attempt),
    )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A digest rendered within one budget."""

    view: DigestView
    html: str
    budget: LengthBudget

    @property
    def fits(self) -> bool:
        return len(self.html.encode()) <= MAX_HTML_BYTES


def _attempt(digest: Digest, theme: Theme, budget: LengthBudget) -> _Attempt:
    view = digest_view(digest, translator_for(digest.publication.language), theme.style, budget)
    hiding, hidden = _hide_placeholders(view)
    html = _inliner().inline(render_template(theme.html, digest=hiding))
    html = re.sub(r">[^\S\n]*+\n\s*+<", ">\n<", html.replace(' data-css-inline="keep"', ""))
    html = _replace_all(escape_in_html(html), hidden)
    return _Attempt(view, _PLACEHOLDER.sub(r"\n\1", html).strip() + "\n", budget)


def _hide_placeholders(view: DigestView) -> tuple[DigestView, dict[str, str]]:
    """Return a view with other words for the placeholders in its personal links, and the placeholder of each word.

    The words are as long and come from a hash of the whole view, so nothing in it can contain them.
    """
    secret = sha256(repr(view).encode("utf-8", "replace")).digest()
    hashes = {name: b64encode(sha256(secret + name.encode()).digest(), b"xy").decode() for name in PLACEHOLDERS}
    hidden = {hashes[name][: len(name)]: name for name in PLACEHOLDERS}

    def hide(link: LinkView) -> LinkView:
        return replace(link, url=_replace_all(link.url, {name: word for word, name in hidden.items()}))

    return replace(
        view,
        browser_link=hide(view.browser_link),
        unsubscribe_link=hide(view.unsubscribe_link),
        preferences_link=hide(view.preferences_link),
    ), hidden


def _replace_all(text: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def _with_briefs(digest: Digest, theme: Theme) -> _Attempt:
    """Return the digest with as many stories in full as fit, and the others as briefs."""
    stories = len(digest.all_stories)
    budgets = [
        LengthBudget(max_excerpt_words=_EXCERPT_WORDS[-1], max_full_stories=full) for full in range(stories, -1, -1)
    ]
    index = bisect_left(budgets, True, hi=stories, key=lambda budget: _attempt(digest, theme, budget).fits)
    return _attempt(digest, theme, budgets[index])


def _describe_shortening(attempt: _Attempt) -> str:
    max_words = attempt.budget.max_excerpt_words
    parts = [f"excerpts have at most {max_words} words"] if max_words is not None else []
    if attempt.budget.max_full_stories is not None:
        briefs = sum(len(section.briefs) for section in attempt.view.sections)
        parts.append("the last story is only a title" if briefs == 1 else f"the last {briefs} stories are only titles")
    return f"To keep the newsletter small, {' and '.join(parts)}." if parts else ""


@cache
def _inliner() -> Any:  # css_inline has no types
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
