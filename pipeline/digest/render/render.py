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

from pipeline.digest.render.digest_view import DigestView, LengthBudget, digest_view, skim_lines
from pipeline.digest.render.story_view import MAX_WORDS, LinkView
from pipeline.digest.render.theme import Theme, render_template
from pipeline.digest.render.translations import translator_for
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.message import PLACEHOLDERS
from pipeline.text.merge_tags import escape_in_html, escape_in_text
from pipeline.text.no_break import keep_together_in_html

MAX_HTML_BYTES = 60_000
"""Larger HTML is shortened: Gmail cuts a message at 102 KB and hides the rest, the unsubscribe link included."""
_PLACEHOLDER = re.compile(rf' (href="[^"]*#(?:{"|".join(PLACEHOLDERS)})")')


def render(digest: Digest, theme: Theme) -> RenderedDigest:
    """Return a digest as HTML and text, shortened as far as it takes to keep the HTML below ``MAX_HTML_BYTES``.

    First the last stories become briefs, then briefs lose their text, useful links last. Raise TemplateError, with file
    and line, if a template uses an unknown name.
    """
    attempt = _attempt(digest, theme, LengthBudget())
    if not attempt.fits:
        attempt = _shortened(digest, theme)
    hiding, hidden = _hide_placeholders(attempt.view)
    text = tidy_text(render_template(theme.text, digest=hiding))
    return RenderedDigest(
        subject=escape_in_text(attempt.view.subject),
        preheader=escape_in_text(attempt.view.preheader),
        html=attempt.html,
        text=_replace_all(escape_in_text(text), hidden),
        shortening=_describe_shortening(attempt, digest),
        skim=tuple(skim_lines(attempt.view)),
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
    html = inline_styles(render_template(theme.html, digest=hiding))
    html = _replace_all(escape_in_html(html), hidden)
    return _Attempt(view, _PLACEHOLDER.sub(r"\n\1", html), budget)


def inline_styles(html: str) -> str:
    """Return the HTML of a template with its styles inlined, without the blanks between its tags."""
    html = _inliner().inline(html)
    html = re.sub(r">[^\S\n]*+\n\s*+<", ">\n<", html.replace(' data-css-inline="keep"', ""))
    return keep_together_in_html(html).strip() + "\n"


def tidy_text(text: str) -> str:
    """Return the text of a template without blanks at the ends of lines, and with at most two blank lines in a row."""
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", lines).strip() + "\n"


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


def _shortened(digest: Digest, theme: Theme) -> _Attempt:
    """Return the digest with the largest budget that fits, or else the smallest one."""
    full = sum(story.level != "brief" for story in digest.stories)
    budgets = [LengthBudget(max_full_stories=number) for number in range(full - 1, 0, -1)]
    smallest = budgets[-1] if budgets else LengthBudget()
    budgets += [
        replace(smallest, brief_words=briefs, link_words=links)
        for briefs, links in ((15, 30), (0, 30), (0, 15), (0, 0))
    ]
    last = len(budgets) - 1
    index = bisect_left(budgets, True, hi=last, key=lambda budget: _attempt(digest, theme, budget).fits)
    return _attempt(digest, theme, budgets[index])


def _describe_shortening(attempt: _Attempt, digest: Digest) -> str:
    budget, parts = attempt.budget, []
    if budget.max_full_stories is not None:
        wanted = sum(story.level != "brief" for story in digest.stories if story.kind != "link")
        added = wanted - budget.max_full_stories
        parts.append("the last story is a brief" if added == 1 else f"the last {added} stories are briefs")
    for name, words in (("briefs", budget.brief_words), ("useful links", budget.link_words)):
        if words < MAX_WORDS["brief"]:
            parts.append(f"{name} have at most {words} words" if words else f"{name} are only titles")
    return f"To keep the newsletter small, {' and '.join(parts)}." if parts else ""


@cache
def _inliner() -> Any:  # css_inline has no types
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)
