"""Markdown to everything a mail needs: HTML, wrapped text, one-liners and excerpts, all from the same tokens.

In: Markdown, from an entry (``to_markdown``) or from an editor. Out: strings. The only door to markdown-it-py, which is
imported when first needed. Pure: touches no network, disk, clock or randomness.

The text part of a mail is never made from its finished HTML: both come from the Markdown.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import nh3

from pipeline.text.html_to_markdown import escape_markdown, to_markdown
from pipeline.text.plain_text import count_words

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

__all__ = ["excerpt", "to_html", "to_markdown", "to_plain", "to_text"]

_TAGS = {"p", "br", "hr", "ul", "ol", "li", "blockquote", "a", "strong", "em", "s", "code", "pre"}
_TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
_EMPTY = re.compile(r"<(p|ul|ol|li|blockquote|a|em|strong)(?: [^>]*)?>\s*</\1>")
_ABSOLUTE = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)  # elsewhere than on its page, "#note" leads nowhere
_PICTURE = re.compile(r'!\[(?:[^\]\\]|\\.){0,500}\]\([^)\s]*(?:\s+"(?:[^"\\]|\\.)*")?\)')
_EMPTY_LINK = re.compile(r"\[\s*\]\([^)]*\)")
_SENTENCE_END = re.compile(r"(?<![.\s]\w)[.!?…][\"'”’»)\]*_]*(?=\s+[^a-z\s])|[。！？]")
_ABBREVIATION = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|St|No|Prof|Rev|vs|etc|e\.g|i\.e|approx|Ep|Vol|p|pp)\.$")
_EXCERPTED_CHARACTERS = 10_000
"""How far into a text an excerpt looks; what follows is never reached, but would take time to read."""
_LEFT_OUT = {"heading", "table", "hr", "fence", "code_block", "html_block"}


def to_html(md: str) -> str:
    """Turn Markdown into safe HTML: no raw HTML, no pictures (their alt text stays), no headings (they become bold).

    >>> to_html("Bring *bread* & <script>")
    '<p>Bring <em>bread</em> &amp; &lt;script&gt;</p>'
    """
    html = nh3.clean(
        _parser().render(md),
        tags=_TAGS | _TABLE_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        attribute_filter=lambda tag, name, value: value if name != "href" or _ABSOLUTE.match(value) else None,
        link_rel=None,
    )
    html = re.sub(r"<a>(.*?)</a>", r"\1", html, flags=re.DOTALL)  # links that had nowhere to go
    while html != (filled := _EMPTY.sub("", html)):  # where a picture was
        html = filled
    return html.strip()


def to_text(md: str, width: int = 72, *, colon: str = ": ") -> str:
    """Turn Markdown into text for a terminal: wrapped, lists and quotes kept, each link's address on its own line.

    Addresses are never broken, however long. ``colon`` stands between a link's words and its address.

    >>> print(to_text("See [the tide table](https://example.org/tides) first."))
    See the tide table first.
    <BLANKLINE>
    the tide table: https://example.org/tides
    """
    return "\n\n".join(_blocks_as_text(_tree(md).children, width, colon))


def to_plain(md: str) -> str:
    """Turn Markdown into one line of text, without addresses: for preheaders and comparisons.

    >>> to_plain("# A *slow* loaf\\n\\n- flour\\n- [salt](https://example.org/)")
    'A slow loaf flour salt'
    """
    return _plain(_tree(md).children)


def excerpt(md: str, max_words: int = 60) -> str:
    """Shorten Markdown to its first sentences, list items or quotes: at most ``max_words`` words, ending at a sentence.

    Headings, pictures, tables and code are left out. A list that does not fit ends in "…".

    >>> excerpt("# Bread\\n\\nFlour first. Then water, a lot of it.", max_words=4)
    'Flour first.'
    """
    nodes = _tree(md[:_EXCERPTED_CHARACTERS]).children
    parts, _, whole = _shortened(nodes, max_words)
    if not parts and not whole:  # the first sentence alone is too long
        prose = (node for node in nodes if node.type not in _LEFT_OUT)
        return escape_markdown(_first_words(_plain(prose), max_words)) + "…"
    return _unannounced("\n\n".join(parts))


def wrap(text: str, width: int = 72) -> str:
    """Wrap one paragraph; neither a word nor an address is ever broken.

    >>> wrap("Salt, flour and https://example.org/water", width=16)
    'Salt, flour and\\nhttps://example.org/water'
    """
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    def alt(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        return nh3.clean_text(tokens[index].content)

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("image", alt)
    parser.add_render_rule("heading_open", lambda *_: "<p><strong>")
    parser.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    return parser


def _tree(md: str) -> SyntaxTreeNode:
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(_parser().parse(md))


def _plain(nodes: Iterable[SyntaxTreeNode]) -> str:
    inlines = (inline for node in nodes for inline in node.walk() if inline.type == "inline")
    return " ".join(" ".join(map(_inline_text, inlines)).split())


def _inline_text(node: SyntaxTreeNode) -> str:
    """Read the words of an inline node; a hard break is a newline."""
    if node.type in ("softbreak", "hardbreak"):
        return "\n" if node.type == "hardbreak" else " "
    if node.children and node.type != "image":
        return "".join(map(_inline_text, node.children))
    return node.content if node.type in ("text", "code_inline", "image") else ""


def _blocks_as_text(nodes: Iterable[SyntaxTreeNode], width: int, colon: str) -> Iterator[str]:
    for node in nodes:
        if node.type == "blockquote":
            yield _quoted("\n\n".join(_blocks_as_text(node.children, width - 2, colon)))
        elif node.type in ("bullet_list", "ordered_list"):
            yield _list_as_text(node, width, colon)
        elif node.type in ("fence", "code_block"):
            yield textwrap.indent(node.content.rstrip(), "    ")
        elif node.type == "hr":
            yield "* * *"
        elif node.type == "table":
            yield "\n".join(_row_as_text(row, width) for row in node.walk() if row.type == "tr")
        elif node.children:
            yield from _paragraph_as_text(node.children[0], width, colon)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _paragraph_as_text(inline: SyntaxTreeNode, width: int, colon: str) -> Iterator[str]:
    lines = _inline_text(inline).split("\n")
    text = "\n".join(wrap(line, width) for line in lines).strip()
    if text:
        yield text
    links = [line for node in inline.walk() if node.type == "link" for line in _link_lines(node, width, colon)]
    if links:
        yield "\n".join(links)


def _link_lines(link: SyntaxTreeNode, width: int, colon: str) -> Iterator[str]:
    url, label = str(link.attrs["href"]).removeprefix("mailto:"), " ".join(_inline_text(link).split())
    if url != label and _ABSOLUTE.match(str(link.attrs["href"])):
        yield labelled(label, url, width, colon)


def labelled(label: str, url: str, width: int = 72, colon: str = ": ") -> str:
    """Write ``Label: URL`` on a line, or the URL on the next one when both do not fit.

    >>> labelled("Listen", "https://example.org/14")
    'Listen: https://example.org/14'
    """
    line = f"{label}{colon}{url}" if label else url
    return line if len(line) <= width else f"{wrap(label + colon.rstrip(), width)}\n{url}" if label else url


def _list_as_text(node: SyntaxTreeNode, width: int, colon: str) -> str:
    items = []
    for number, item in enumerate(node.children, int(node.attrs.get("start", 1))):
        mark = f"{number}. " if node.type == "ordered_list" else "- "
        text = "\n".join(_blocks_as_text(item.children, width - len(mark), colon))
        items.append(mark + textwrap.indent(text, " " * len(mark)).lstrip())
    return "\n".join(items)


def _row_as_text(row: SyntaxTreeNode, width: int) -> str:
    return wrap(" | ".join(_inline_text(cell.children[0]) if cell.children else "" for cell in row.children), width)


def _unannounced(text: str) -> str:
    """End with an ellipsis where a colon announces what is not there."""
    return re.sub(r":$", "…", text)


def _first_words(text: str, max_words: int) -> str:
    """Take words while they fit; of a script without blanks between words, two characters for each.

    >>> _first_words("one endless sentence", 2), _first_words("塩と油と酸と", 2)
    ('one endless', '塩と油と')
    """
    words = text.split()[:max_words]
    while len(words) > 1 and count_words(" ".join(words)) > max_words:
        words.pop()
    text = " ".join(words)
    return text if count_words(text) <= max_words else text[: 2 * max_words]


def _shortened(nodes: Iterable[SyntaxTreeNode], room: int) -> tuple[list[str], int, bool]:
    """Take blocks while there is room for their words: (Markdown of each, room left, whether all were taken)."""
    taken: list[str] = []
    for node in nodes:
        if node.type in _LEFT_OUT:
            taken[-1:] = map(_unannounced, taken[-1:])
            continue
        if node.type == "blockquote":
            inner, room, whole = _shortened(node.children, room)
            part = _quoted("\n\n".join(inner)) if inner else ""
        elif node.type in ("bullet_list", "ordered_list"):
            part, room, whole = _shortened_list(node, room)
        else:
            part, room, whole = _shortened_paragraph(node.children[0].content if node.children else "", room)
        if part:
            taken.append(part)
        if not whole:
            return taken, 0, False
    return taken, room, True


def _shortened_list(node: SyntaxTreeNode, room: int) -> tuple[str, int, bool]:
    lines: list[str] = []
    for number, item in enumerate(node.children, int(node.attrs.get("start", 1))):
        mark = f"{number}. " if node.type == "ordered_list" else "- "
        text = " ".join(
            _without_pictures(part.children[0].content) for part in item.children if part.type == "paragraph"
        )
        words = _count(text)
        if words > room:
            return "\n".join([*lines, f"{mark}…"]) if lines else "", 0, False
        lines.append(mark + text.replace("\n", " "))
        room -= words
    return "\n".join(lines), room, True


def _shortened_paragraph(source: str, room: int) -> tuple[str, int, bool]:
    source = _without_pictures(source)
    words = _count(source)
    if words <= room:
        return source, room - words, True
    sentences = list(takewhile(lambda part: _count(part) <= room, _beginnings(source)))
    return sentences[-1] if sentences else "", 0, False


def _without_pictures(source: str) -> str:
    return _EMPTY_LINK.sub("", _PICTURE.sub("", source)).strip()


def _beginnings(source: str) -> Iterator[str]:
    """Cut Markdown of a paragraph after each sentence, but never inside a link or emphasis."""
    whole = to_plain(source)
    for end in _SENTENCE_END.finditer(source):
        beginning = source[: end.end()]
        if not _ABBREVIATION.search(beginning) and whole.startswith(to_plain(beginning)):
            yield beginning


def _count(md: str) -> int:
    return count_words(to_plain(md))
