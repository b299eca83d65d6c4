"""Convert Markdown to HTML, wrapped text, single lines and excerpts, all from the same tokens of markdown-it-py.

The plain text of a digest is made from the same Markdown as its HTML, never from the HTML. markdown-it-py is imported
on first use.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import nh3

from pipeline.text.html_to_markdown import escape_markdown, to_markdown
from pipeline.text.plain_text import count_words, end_with_ellipsis, first_words
from pipeline.text.sentences import sentence_ends
from pipeline.text.urls import url_key
from pipeline.text.wrap import labelled, wrap

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

__all__ = ["excerpt", "to_html", "to_markdown", "to_plain", "to_text"]

_TAGS = {"p", "br", "hr", "ul", "ol", "li", "blockquote", "a", "strong", "em", "s", "code", "pre"}
_TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
_EMPTY = re.compile(r"<(p|ul|ol|li|blockquote|a|em|strong)(?: [^<>]*)?>\s*+</\1>")
_BLOCK_TAG = re.compile(r"</?(?:p|br|hr|ul|ol|li|blockquote|pre|table|thead|tbody|tr|th|td)\b[^<>]*>")
# Relative links such as "#note" lead nowhere in a mail.
_ABSOLUTE_URL = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_IMAGE = re.compile(r'!\[(?:[^\[\]\\]|\\.){0,500}\]\([^)\s\[]*+(?:\s++"(?:[^"\\]|\\.)*")?\)')
_HARD_BREAKS = re.compile(r"(?:\\\n\s*)+")
_LOOSE_BLANK = re.compile(r" +(?=[ .,;:!?])")
_EMPTY_LINK = re.compile(r"\[\s*+\]\([^)\[]*+\)")
_MAX_EXCERPT_INPUT_CHARS = 10_000
"""Only this much of a text is parsed for an excerpt."""
_NO_MARKUP = re.compile(r"[^\W\d_](?:[^\W_]|[ .,;:?'\"“”‘’()…–—-])*+")
"""Text that means the same in Markdown as without it, which costs no parsing."""
_EXCLUDED_FROM_EXCERPT = {"heading", "table", "hr", "fence", "code_block", "html_block"}


def to_html(md: str) -> str:
    """Return safe HTML: no raw HTML, images replaced by their alt text, headings by bold paragraphs.

    >>> to_html("Bring *bread* & <script>")
    '<p>Bring <em>bread</em> &amp; &lt;script&gt;</p>'
    """
    return render_safe(md, _parser())


def render_safe(md: str, parser: MarkdownIt) -> str:
    """Return what a parser renders, without any element or address that a newsletter may not have."""
    html = nh3.clean(
        parser.render(md),
        tags=_TAGS | _TABLE_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        attribute_filter=lambda tag, name, value: value if name != "href" or _ABSOLUTE_URL.match(value) else None,
        link_rel=None,
    )
    html = re.sub(r"<a>(.*?)(?:</a>|\Z)", r"\1", html, flags=re.DOTALL)  # links whose href was removed
    while html != (filled := _EMPTY.sub("", html)):
        html = filled
    return html.strip()


def to_inline_html(md: str) -> str:
    """Return safe HTML without elements that break the line: paragraphs and list items follow each other.

    >>> to_inline_html("Bring *bread*.\\n\\n- salt")
    'Bring <em>bread</em>. salt'
    """
    return " ".join(_BLOCK_TAG.sub(" ", to_html(md)).split())


def to_text(md: str, width: int = 72, *, colon: str = ": ") -> str:
    """Return wrapped text: lists and quotes kept, the address of each link on its own line and never broken.

    ``colon`` separates a link's text from its address.

    >>> print(to_text("See [the tide table](https://example.org/tides) first."))
    See the tide table first.
    <BLANKLINE>
    the tide table: https://example.org/tides
    """
    return "\n\n".join(_blocks_as_text(_tree(md).children, width, colon))


def to_plain(md: str) -> str:
    """Return one line of text without addresses, for preheaders and comparisons.

    >>> to_plain("# A *slow* loaf\\n\\n- flour\\n- [salt](https://example.org/)")
    'A slow loaf flour salt'
    """
    return " ".join(md.split()) if _NO_MARKUP.fullmatch(md) else _plain(_tree(md).children)


def excerpt(md: str, max_words: int = 60) -> str:
    """Return the first sentences, list lines or quotes as Markdown: at most ``max_words`` words, ending at a sentence.

    Headings, images, tables and code are left out. A list that does not fit ends in "…".

    >>> excerpt("# Bread\\n\\nFlour first. Then water, a lot of it.", max_words=4)
    'Flour first.'
    """
    nodes = _tree(md[:_MAX_EXCERPT_INPUT_CHARS]).children
    parts, _, complete = _shortened(nodes, max_words)
    if not parts and not complete:  # even the first sentence is too long
        prose = (node for node in nodes if node.type not in _EXCLUDED_FROM_EXCERPT)
        return escape_markdown(end_with_ellipsis(_fitted(first_words(_plain(prose), max_words), max_words)))
    return _end_with_ellipsis("\n\n".join(parts))


@cache
def _parser() -> MarkdownIt:
    def alt(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        return nh3.clean_text(tokens[index].content)

    return new_parser(alt)


def new_parser(image_rule: Callable[..., str]) -> MarkdownIt:
    """Return a parser of CommonMark, tables and struck-out text, with an own rule for images."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.add_render_rule("image", image_rule)
    parser.add_render_rule("heading_open", lambda *_: "<p><strong>")
    parser.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    return parser


def parse_inline_tokens(md: str) -> Iterator[Token]:
    """Yield the tokens of all texts, links and images, in order."""
    yield from (token for block in _parser().parse(md) for token in block.children or ())


def _tree(md: str) -> SyntaxTreeNode:
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(_parser().parse(md))


def _plain(nodes: Iterable[SyntaxTreeNode]) -> str:
    inlines = (inline for node in nodes for inline in node.walk() if inline.type == "inline")
    return " ".join(" ".join(map(_inline_text, inlines)).split())


def _inline_text(node: SyntaxTreeNode) -> str:
    """Return the text of an inline node, without what is struck out; a hard break is a newline."""
    if node.type in ("softbreak", "hardbreak"):
        return "\n" if node.type == "hardbreak" else " "
    if node.type == "s":
        return ""
    if node.children and node.type != "image":
        text = "".join(map(_inline_text, node.children))
        return _LOOSE_BLANK.sub("", text) if any(child.type == "s" for child in node.children) else text
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
            rows = (row.children for row in node.walk() if row.type == "tr")
            cells = ([_inline_text(cell.children[0]) if cell.children else "" for cell in row] for row in rows)
            yield "\n".join(wrap(" | ".join(row), width) for row in cells)
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
    is_url = url_key(url) == url_key(label if "://" in label else f"https://{label}") if " " not in label else False
    if url != label and not is_url and _ABSOLUTE_URL.match(str(link.attrs["href"])):
        yield labelled(label, url, width, colon)


def _list_as_text(block: SyntaxTreeNode, width: int, colon: str) -> str:
    lines = []
    for number, node in enumerate(block.children, int(block.attrs.get("start", 1))):
        marker = f"{number}. " if block.type == "ordered_list" else "- "
        text = "\n".join(_blocks_as_text(node.children, width - len(marker), colon))
        lines.append(marker + textwrap.indent(text, " " * len(marker)).lstrip())
    return "\n".join(lines)


def _end_with_ellipsis(text: str) -> str:
    """Replace a trailing colon, which announces what was left out, by an ellipsis."""
    return re.sub(r":$", "…", text)


def _fitted(words: str, max_words: int) -> str:
    """Return as many of the words as count as ``max_words``; "10:30/11" between blanks is three.

    >>> _fitted("one a/b", 2), _fitted("a/b/c", 2)
    ('one', 'a/b/')
    """
    parts = words.split()
    while len(parts) > 1 and count_words(" ".join(parts)) > max_words:
        parts.pop()
    text = " ".join(parts)
    return text if count_words(text) <= max_words else text[: 2 * max_words]


def _shortened(nodes: Iterable[SyntaxTreeNode], words_left: int) -> tuple[list[str], int, bool]:
    """Return (Markdown of each block that fits, words left, whether all blocks fit)."""
    taken: list[str] = []
    for node in nodes:
        if node.type in _EXCLUDED_FROM_EXCERPT:
            taken[-1:] = map(_end_with_ellipsis, taken[-1:])
            continue
        if node.type == "blockquote":
            inner, words_left, complete = _shortened(node.children, words_left)
            part = _quoted("\n\n".join(inner)) if inner else ""
        elif node.type in ("bullet_list", "ordered_list"):
            part, words_left, complete = _shortened_list(node, words_left)
            if not complete and taken and not taken[-1].endswith(":"):  # nothing announces the part of a list
                part = ""
        else:
            part, words_left, complete = _shortened_paragraph(
                node.children[0].content if node.children else "", words_left
            )
        if part:
            taken.append(part)
        else:
            taken[-1:] = map(_end_with_ellipsis, taken[-1:])
        if not complete:
            return taken, 0, False
    return taken, words_left, True


def _shortened_list(block: SyntaxTreeNode, words_left: int) -> tuple[str, int, bool]:
    lines: list[str] = []
    for number, node in enumerate(block.children, int(block.attrs.get("start", 1))):
        marker = f"{number}. " if block.type == "ordered_list" else "- "
        text = " ".join(_without_images(part.children[0].content) for part in node.children if part.type == "paragraph")
        words = _count(text)
        if words > words_left:
            return "\n".join([*lines, f"{marker}…"]) if lines else "", 0, False
        lines.append(marker + text.replace("\n", " "))
        words_left -= words
    return "\n".join(lines), words_left, True


def _shortened_paragraph(md: str, words_left: int) -> tuple[str, int, bool]:
    md = _without_images(md)
    words = _count(md)
    if words <= words_left:
        return md, words_left - words, True
    sentences = list(takewhile(lambda part: _count(part) <= words_left, _sentence_prefixes(md)))
    return sentences[-1] if sentences else "", 0, False


def _without_images(md: str) -> str:
    """Return Markdown without images, and without the hard breaks around them."""
    shorter = _EMPTY_LINK.sub("", _IMAGE.sub("", md)).strip()
    return md.strip() if shorter == md.strip() else _HARD_BREAKS.sub("\\\\\n", shorter).strip("\\\n ")


def _sentence_prefixes(md: str) -> Iterator[str]:
    """Yield the beginnings of a paragraph that end at a sentence, but never inside a link or emphasis."""
    complete = to_plain(md)
    for end in sentence_ends(md):
        if complete.startswith(to_plain(md[:end])):
            yield md[:end]


def _count(md: str) -> int:
    return count_words(to_plain(md))
