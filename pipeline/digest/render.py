"""From a Digest to the words on a page: HTML with its styles inlined, and plain text.

In: a Digest and a Theme. Out: a RenderedDigest; the same input gives the same bytes. Touches nothing, the theme having
been read before. jinja2 and css-inline are imported when first needed.

Addresses that differ for each reader (unsubscribe, preferences, browser) are places, see ``model/mail.py``. Each stands
at the start of a line, so that it stays whole in quoted-printable.
"""

from __future__ import annotations

import re
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.digest.page import Page, page
from pipeline.digest.theme import Theme, load_theme
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.errors import TemplateError
from pipeline.model.mail import PLACES

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["MAX_HTML_BYTES", "Theme", "load_theme", "render"]

MAX_HTML_BYTES = 60_000
"""Heavier HTML has its excerpts shortened: Gmail cuts a mail at 102 KB and hides the rest, unsubscribing included."""
_EXCERPT_WORDS = (None, 40, 25, 12)
_PLACE = re.compile(rf' (href="[^"]*#(?:{"|".join(PLACES)})")')


def render(digest: Digest, theme: Theme) -> RenderedDigest:
    """Render a digest; excerpts shorten themselves until the HTML is light enough to arrive whole.

    TemplateError: a template asks for something that does not exist (with its file and line).
    """
    for excerpt_words in _EXCERPT_WORDS:
        printed = page(digest, excerpt_words=excerpt_words)
        html = _html(theme.html, printed)
        if len(html.encode()) <= MAX_HTML_BYTES:
            break
    return RenderedDigest(
        subject=printed.subject, preheader=printed.preheader, html=html, text=_text(theme.text, printed)
    )


def _html(template: Template, printed: Page) -> str:
    html = _inliner().inline(_filled(template, printed))
    html = html.replace(' data-css-inline="keep"', "")
    html = re.sub(r">\s*\n\s*<", ">\n<", html)
    return _PLACE.sub(r"\n\1", html).strip() + "\n"


def _text(template: Template, printed: Page) -> str:
    lines = [line.rstrip() for line in _filled(template, printed).split("\n")]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip() + "\n"


@cache
def _inliner() -> Any:  # css_inline has no types
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def _filled(template: Template, printed: Page) -> str:
    try:
        return template.render(page=printed)
    except Exception as error:
        file, line = _whereabouts(error)
        if not file:
            raise
        raise TemplateError(f"Mend {file}, line {line}: {error}.", file=file, line=line) from error


def _whereabouts(error: Exception) -> tuple[str, int]:
    """Find the template line an error came from: jinja2 writes template lines into the traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".j2")]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else ("", 0)
