"""Convert sanitised HTML to Markdown with markdownify, which is imported on first use because it loads slowly."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import Any

MAX_DEPTH = 100
"""Maximum nesting depth. markdownify recurses, so deeper documents are converted as plain text."""
MAX_ELEMENTS = 5_000
"""Maximum number of elements; longer documents are converted as plain text, as markdownify is quadratic in lists."""

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_EDGE_BLANK = re.compile(r"(?<=>)(?:&nbsp;|\xa0)|(?:&nbsp;|\xa0)(?=<)")
"""markdownify drops these at the edges of elements, and the words around them would touch."""
_IDLE_NO_BREAK_SPACE = re.compile(r"\xa0[\xa0 ]++|(?<![\xa0 ]) {1,9}\xa0[\xa0 ]*+|(?<=[^\W\d_])\xa0(?=[^\W\d_])")
"""Editors leave these between words; one before a French question mark, or between a number and its unit, is meant."""
_LONG_WHITESPACE = re.compile(r"[ \t\r\n]{100,}")  # takes seconds in markdownify's own pattern
_EDGES = {"", "p", "div", "ul", "ol", "blockquote", "figure", "table", "pre", "hr", "h1", "h2", "h3", "h4", "h5", "h6"}
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>&#~|])")
_UNSAFE_IN_URL = str.maketrans({char: f"%{ord(char):02X}" for char in ' ()<>\\"`'})


def to_markdown(html: str) -> str:
    """Convert sanitised HTML to CommonMark with tables and without raw HTML.

    >>> to_markdown('<p>Read <a href="https://example.org/a_(b)">this</a>: it is 5 &lt; 6!</p>')
    'Read [this](https://example.org/a_%28b%29): it is 5 \\\\< 6!'
    >>> to_markdown("<p>As Quill found<sup>12</sup></p>")
    'As Quill found¹²'
    >>> to_markdown('<figure><img src="https://example.org/b.jpg" alt="A boat"><figcaption>Ours</figcaption></figure>')
    '![A boat](https://example.org/b.jpg "Ours")'
    """
    elements, depth = _measure(html)
    if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
        return escape_markdown(" ".join(unescape(re.sub(r"<[^>]*>?", " ", html)).split()))
    markdown: str = _converter()(
        heading_style="atx",
        bullets="-",
        autolinks=False,
        escape_misc=True,
        table_infer_header=True,
    ).convert(_EDGE_BLANK.sub(" ", _LONG_WHITESPACE.sub(" ", html)))
    return re.sub(r"\n{3,}", "\n\n", _IDLE_NO_BREAK_SPACE.sub(" ", markdown)).strip()


def _measure(html: str) -> tuple[int, int]:
    """Return the number of elements in well-formed HTML, and their maximum nesting depth.

    >>> _measure("<p>One <em>two <strong>three</strong></em></p><p>four</p>")
    (4, 3)
    """
    count = max_depth = depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _VOID:
            depth += -1 if closing else 1
            count += not closing
            max_depth = max(max_depth, depth)
    return count, max_depth


def escape_markdown(text: str) -> str:
    """Escape Markdown syntax in plain text.

    >>> escape_markdown("2 * 3 [sic]")
    '2 \\\\* 3 \\\\[sic\\\\]'
    """
    return _PUNCTUATION.sub(r"\\\1", text)


def _break(before: str, after: str) -> str:
    """Convert a ``<br>``: several in a row end a paragraph, one at the edge of a block is dropped."""
    if before in _EDGES or before == "br" or after in _EDGES:
        return ""
    return "\n\n" if after == "br" else "\\\n"


def _sibling_name(el: Any, direction: str) -> str:
    """Return the name of the next non-blank sibling: a tag name, ``text``, or "" if there is none."""
    sibling = getattr(el, direction)
    while sibling is not None and not sibling.name and not sibling.strip():
        sibling = getattr(sibling, direction)
    return "" if sibling is None else sibling.name or "text"


def _emphasised(el: Any, text: str, delimiter: str, parent_tags: set[str]) -> str:
    """Return each paragraph of a text between delimiters, or without them where CommonMark would take them for text.

    A delimiter between a word and punctuation, as in ``said*“Salt”*``, is text.
    """
    if parent_tags & {"code", "pre", "kbd", "samp"} or not text.strip():
        return text
    if "\n\n" in text.strip():
        return "\n\n".join(_emphasised(el, part, delimiter, parent_tags) for part in text.split("\n\n"))
    start, inner, end = text[: len(text) - len(text.lstrip())], text.strip(), text[len(text.rstrip()) :]
    before, after = (_neighbour(el, direction) for direction in ("previous_sibling", "next_sibling"))
    glued = (not start and before.isalnum() and not inner[0].isalnum()) or (
        not end and after.isalnum() and not inner[-1].isalnum()
    )
    inside_same = el.parent is not None and el.parent.name == el.name
    return text if glued or inside_same else f"{start}{delimiter}{inner}{delimiter}{end}"


def _neighbour(el: Any, direction: str) -> str:
    """Return the character before or after an element, or "" if there is none."""
    sibling = getattr(el, direction)
    text = "" if sibling is None else sibling.get_text()
    return text[-1:] if direction == "previous_sibling" else text[:1]


def _term(converter: Any, el: Any, text: str, parent_tags: set[str]) -> str:
    term = escape_markdown(" ".join(el.get_text().split()).rstrip(":"))
    return f"\n\n**{term}:** " if term else ""


def _definition(converter: Any, el: Any, text: str, parent_tags: set[str]) -> str:
    return f"{text.strip()}\n\n"


def _strong(converter: Any, el: Any, text: str, parent_tags: set[str]) -> str:
    return _emphasised(el, text, "**", parent_tags)


def _emphasis(converter: Any, el: Any, text: str, parent_tags: set[str]) -> str:
    return _emphasised(el, text, "*", parent_tags)


def _struck_out(converter: Any, el: Any, text: str, parent_tags: set[str]) -> str:
    return _emphasised(el, text, "~~", parent_tags)


@cache
def _converter() -> Any:  # markdownify has no types
    from markdownify import MarkdownConverter

    class Converter(MarkdownConverter):
        """markdownify with escaped URLs, Unicode superscripts and captions as image titles."""

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
                else _break(_sibling_name(el, "previous_sibling"), _sibling_name(el, "next_sibling"))
            )

        def convert_figure(self, el: Any, text: str, parent_tags: set[str]) -> str:
            caption = escape_markdown(" ".join((el.figcaption.get_text() if el.figcaption else "").split())).replace(
                '"', r"\""
            )
            images = [self.convert_img(img, "", set()) for img in el.find_all("img", src=True)]
            if not images or not caption:
                return f"\n\n{text.strip()}\n\n"
            return "\n\n" + "\n".join(f'{image[:-1]} "{caption}")' for image in images) + "\n\n"

        def convert_sup(self, el: Any, text: str, parent_tags: set[str]) -> str:
            return text.translate(_SUPERSCRIPT) if text.strip().isdecimal() else text

        convert_dt, convert_dd = _term, _definition
        convert_b = convert_strong = _strong
        convert_i = convert_em = _emphasis
        convert_del = convert_s = convert_strike = _struck_out

        def convert_pre(self, el: Any, text: str, parent_tags: set[str]) -> str:
            longest = max((len(run) for run in re.findall("`+", text)), default=0)
            fence = "`" * max(3, longest + 1)
            return f"\n\n{fence}\n{text.strip(chr(10))}\n{fence}\n\n" if text.strip() else ""

    return Converter
