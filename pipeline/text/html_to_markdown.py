"""HTML to Markdown: the only door to markdownify.

In: sanitised HTML of an entry. Out: CommonMark without raw HTML. Pure. markdownify is imported when first needed,
because it and its parser are slow to load.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import Any

MAX_DEPTH = 100
"""Elements within elements. markdownify recurses, so a deeper document is read as plain text …"""
MAX_ELEMENTS = 5_000
"""… and so is a longer one: markdownify counts a list anew for each of its items."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_ENDLESS_BLANK = re.compile(r"[ \t\r\n]{100,}")  # markdownify's own pattern takes seconds over such a run
_EDGES = {"", "p", "div", "ul", "ol", "blockquote", "figure", "table", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&#~|])")
_UNSAFE_IN_URL = str.maketrans({char: f"%{ord(char):02X}" for char in ' ()<>\\"`'})


def to_markdown(html: str) -> str:
    """Turn sanitised HTML into CommonMark with tables; no raw HTML comes out.

    >>> to_markdown('<p>Read <a href="https://example.org/a_(b)">this</a>: it is 5 &lt; 6!</p>')
    'Read [this](https://example.org/a_%28b%29): it is 5 \\\\< 6!'
    >>> to_markdown("<p>As Quill found<sup>12</sup></p>")
    'As Quill found¹²'
    >>> to_markdown('<figure><img src="https://example.org/b.jpg" alt="A boat"><figcaption>Ours</figcaption></figure>')
    '![A boat](https://example.org/b.jpg "Ours")'
    """
    elements, depth = _measure(html)
    if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
        return _escaped_text(html)
    markdown: str = _converter()(
        heading_style="atx",
        bullets="-",
        autolinks=False,
        escape_misc=True,
        table_infer_header=True,
    ).convert(_ENDLESS_BLANK.sub(" ", html))
    return re.sub(r"\n{3,}", "\n\n", markdown).strip()


def _measure(html: str) -> tuple[int, int]:
    """Count the elements of well-formed HTML, and how many are nested at its deepest point.

    >>> _measure("<p>One <em>two <strong>three</strong></em></p><p>four</p>")
    (4, 3)
    """
    count = deepest = level = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _VOID:
            level += -1 if closing else 1
            count += not closing
            deepest = max(deepest, level)
    return count, deepest


def _escaped_text(html: str) -> str:
    return escape_markdown(" ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split()))


def escape_markdown(text: str) -> str:
    """Write plain text so that Markdown reads it as just that.

    >>> escape("2 * 3 [sic]")
    '2 \\\\* 3 \\\\[sic\\\\]'
    """
    return _PUNCTUATION.sub(r"\\\1", text)


def _break(before: str, after: str) -> str:
    """Write a ``<br>``: it breaks a line, several in a row end a paragraph, and one at an edge breaks nothing."""
    if before in _EDGES or before == "br" or after in _EDGES:
        return ""
    return "\n\n" if after == "br" else "\\\n"


def _beside(el: Any, direction: str) -> str:
    """Name what stands before or after an element, blanks aside: a tag, ``text``, or an empty string for nothing."""
    beside = getattr(el, direction)
    while beside is not None and not beside.name and not beside.strip():
        beside = getattr(beside, direction)
    return "" if beside is None else beside.name or "text"


@cache
def _converter() -> Any:  # markdownify has no types
    from markdownify import MarkdownConverter

    class Converter(MarkdownConverter):
        """markdownify, with safe addresses, note marks that stay marks and captions as titles."""

        def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
            el["href"] = (el.get("href") or "").translate(_UNSAFE_IN_URL)
            el.attrs.pop("title", None)
            if "sup" in parent_tags:
                text = text.translate(_SUPERSCRIPT)
            return str(super().convert_a(el, text, parent_tags))  # type: ignore[misc]

        def convert_img(self, el: Any, text: str, parent_tags: set[str]) -> str:
            alt = escape_markdown(" ".join((el.get("alt") or "").split()))
            src = (el.get("src") or "").translate(_UNSAFE_IN_URL)
            return f"![{alt}]({src})" if src and "_inline" not in parent_tags else alt

        def convert_br(self, el: Any, text: str, parent_tags: set[str]) -> str:
            return (
                " "
                if "_inline" in parent_tags
                else _break(_beside(el, "previous_sibling"), _beside(el, "next_sibling"))
            )

        def convert_figure(self, el: Any, text: str, parent_tags: set[str]) -> str:
            caption = escape_markdown(" ".join((el.figcaption.get_text() if el.figcaption else "").split())).replace(
                '"', r"\""
            )
            pictures = [self.convert_img(img, "", set()) for img in el.find_all("img", src=True)]
            if not pictures or not caption:
                return f"\n\n{text.strip()}\n\n"
            return "\n\n" + "\n".join(f'{picture[:-1]} "{caption}")' for picture in pictures) + "\n\n"

        def convert_sup(self, el: Any, text: str, parent_tags: set[str]) -> str:
            return text.translate(_SUPERSCRIPT) if text.strip().isdecimal() else text

        def convert_pre(self, el: Any, text: str, parent_tags: set[str]) -> str:
            longest = max((len(run) for run in re.findall("`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"\n\n{fence}\n{text.strip(chr(10))}\n{fence}\n\n" if text.strip() else ""

    return Converter
