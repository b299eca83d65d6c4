"""Sanitise and repair HTML from feeds, and convert it to plain text."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable
from contextvars import ContextVar

import nh3

from pipeline.text.html_images import (
    IMAGE,
    LAZY_SOURCES,
    RAW_ATTRIBUTES,
    SOURCE_SETS,
    best_source,
    image_text,
    is_significant_class,
    replace_image,
    show_noscript_images,
    use_picture_sources,
)
from pipeline.text.html_repair import drop_hidden, flatten_scripts, link_embeds
from pipeline.text.plain_text import clean_text, count_cjk, count_words, has_cjk
from pipeline.text.urls import clean_url

WORDS_PER_MINUTE = 238
"""Silent reading of English non-fiction (Brysbaert 2019, a meta-analysis of 190 studies)."""
CJK_PER_MINUTE = 500
"""Chinese or Japanese characters."""
MAX_DEPTH = 200
"""HTML nested deeper than this is reduced to its text."""

_TAGS = set(
    re.findall(
        r"\w+",
        "p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote q cite em strong b i s strike del ins sub sup "
        "small mark abbr a img pre code kbd samp var table caption thead tbody tfoot tr th td figure figcaption",
    )
)
_REMOVED_TAGS = set(re.findall(r"\w+", "script style template noscript iframe object applet frameset svg math form "
                                       "select textarea button title head audio video canvas"))  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": set(RAW_ATTRIBUTES),
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "blockquote": {"cite"},
    "abbr": {"title"},
}
_URL_ATTRIBUTES = frozenset({"href", "src", "cite", *LAZY_SOURCES})
_BLOCK_TAGS = set(
    re.findall(
        r"\w+",
        "p div br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote pre table tr td th figure figcaption section "
        "article",
    )
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>")
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "wbr", "source", "area", "col", "embed", "base", "param"}
)
_BLOCK = re.compile(rf"<(?:{'|'.join(sorted(_BLOCK_TAGS))})[\s/>]", re.IGNORECASE)
_INLINE_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_TAGS - _BLOCK_TAGS))})(?:\s+[\w-]+=\"[^\"]*\")*\s*/?>")
_BLOCK_TAG = re.compile(r"<[^>]*(?:>|$)")
_MANY_WORDS = 100
"""Above this count, whitespace-separated tokens that are not words, such as dashes, are not subtracted."""
_STRUCK = re.compile(r"\s?<(s|strike|del)>.*?(?:</\1>|\Z)", re.DOTALL)
_TERM = re.compile(r":?(?:(?<!\s)\s++)?</dt>\s*+<dd>")
_ENTITY = re.compile(r"&\w+;")
_EMPTY = re.compile(r"<(p|h[1-6]|li|figure|figcaption|em|strong|b|i|a|blockquote)>(?:\s|&nbsp;|<br>)*</\1>")


def sanitise(html: str, base_url: str) -> str:
    """Return ``html`` reduced to what a newsletter may show: well-formed, links absolute http(s) or mailto.

    Structure, links, images, code and tables stay; scripts, forms, players, styles and tracking pixels are removed.
    HTML nested deeper than ``MAX_DEPTH`` is reduced to its text.

    >>> sanitise('<p onclick="x()">Read <a href="../more?utm_source=rss">on</a><script>x()</script>', "https://h.example/a/b/")
    '<p>Read <a href="https://h.example/a/more">on</a></p>'
    """
    if not html.strip():
        return ""
    html = use_picture_sources(show_noscript_images(html))
    if _too_deep(html):
        return _text_alone(html)
    before = _base_url.set(base_url)
    try:
        clean = _CLEANER.clean(link_embeds(drop_hidden(html)))
    finally:
        _base_url.reset(before)
    return remove_empty_elements(flatten_scripts(IMAGE.sub(replace_image, clean))).strip()


def sanitise_without_attributes(html: str) -> str:
    """Return ``html`` sanitised and without attributes: enough to extract its text.

    >>> sanitise_without_attributes('<p class="x">Read <a href="../more">on</a><script>x()</script>')
    '<p>Read <a>on</a></p>'
    """
    if _too_deep(html):
        return _text_alone(html)
    html = drop_hidden(html)
    if "<img" in html:
        html = IMAGE.sub(image_text, _IMAGE_TEXT_CLEANER.clean(html))
    return flatten_scripts(_TEXT_CLEANER.clean(html))


def _text_alone(html: str) -> str:
    return f"<p>{entities.escape(_TAG.sub(' ', html), quote=False)}</p>"


def plain_text(html: str) -> str:
    """Return the text of any HTML: a blank line between blocks, whitespace normalised, invisible characters removed.

    >>> plain_text("<h2>Salt</h2><p>A pinch,&nbsp;or <b>two</b>.<br>Taste.</p>")
    'Salt\\n\\nA pinch, or two.\\n\\nTaste.'
    """
    if "<" not in html:
        blocks = entities.unescape(html).split("\n\n")
    elif _too_deep(html):
        blocks = entities.unescape(_TAG.sub("\n", html)).split("\n")
    else:
        lean = _BLOCK_CLEANER.clean(drop_hidden(html))
        lean = re.sub("</?su[bp]>", "", flatten_scripts(lean))
        blocks = [entities.unescape(block) for block in re.split(r"<[^>]*>?", lean)]
    return _joined(blocks)


def sanitised_to_text(html: str) -> str:
    """Return the text of sanitised HTML: as ``plain_text``, but faster.

    >>> sanitised_to_text("<h2>Salt</h2><p>A pinch,&nbsp;or <b>two</b>.<br>Taste.</p>")
    'Salt\\n\\nA pinch, or two.\\n\\nTaste.'
    """
    if "<s" in html or "<del" in html:
        html = _STRUCK.sub("", html)
    if "</dt>" in html:
        html = _TERM.sub(": ", html)
    return _joined(entities.unescape(_BLOCK_TAG.sub("\0", _INLINE_TAG.sub("", html))).split("\0"))


def count_html_words(html: str) -> int:
    """Return the number of words in sanitised HTML.

    >>> count_html_words("<p>A pinch,&nbsp;or <b>two</b>.<br>Taste.</p>")
    5
    """
    text = _BLOCK_TAG.sub(" ", html)
    text = _ENTITY.sub(" ", text) if "&" in text else text
    words = len(text.split())
    return words if words > _MANY_WORDS and not has_cjk(text) else count_words(text)


def reading_minutes(html: str) -> int:
    """Return the minutes needed to read sanitised HTML: at least 1, or 0 if it is empty.

    >>> reading_minutes("<p>Salt</p>"), reading_minutes("<p>" + "salt " * 600 + "</p>"), reading_minutes("")
    (1, 3, 0)
    """
    words, cjk = count_html_words(html), count_cjk(_BLOCK_TAG.sub(" ", html))
    minutes = (words - cjk // 2) / WORDS_PER_MINUTE + cjk / CJK_PER_MINUTE
    return max(1, round(minutes)) if words or cjk else 0


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join([text for block in blocks if block and (text := clean_text(block))])


def add_paragraphs(html: str) -> str:
    """Turn blank lines into paragraphs if the HTML has no blocks, and newlines into ``<br>`` if it has no tags.

    >>> add_paragraphs("Salt.\\nFat.\\n\\nAcid &amp; heat."), add_paragraphs("<p>Salt.\\n\\nFat.</p>")
    ('<p>Salt.<br>Fat.</p><p>Acid &amp; heat.</p>', '<p>Salt.\\n\\nFat.</p>')
    """
    if _BLOCK.search(html) or "\n" not in html.strip():
        return html
    brk = " " if _TAG.search(html) else "<br>"
    blocks = (brk.join(line.strip() for line in block.split("\n")) for block in re.split(r"\n\s*?\n", html.strip()))
    return "".join(f"<p>{block}</p>" for block in blocks if block)


def nesting_depth(html: str) -> int:
    """Return the maximum nesting depth of tags, in one pass and without requiring that they are closed.

    >>> nesting_depth("<ul><li><b>x</b></li><li>y<br></li></ul>")
    3
    """
    depth = max_depth = 0
    for closing, name, empty in _TAG.findall(html):
        if closing:
            depth = max(depth - 1, 0)
        elif not empty and name.lower() not in _VOID:
            depth += 1
            max_depth = max(max_depth, depth)
    return max_depth


def join_broken_lists(html: str) -> str:
    """Return HTML with numbered lists that an editor split rejoined, see ``pipeline.text.html_lists``.

    >>> join_broken_lists("<ol><li>Mix</li></ol><p>&nbsp;</p><ol><li>Bake</li></ol>")
    '<ol><li>Mix</li><li>Bake</li></ol>'
    """
    if html.count("<ol") < 2 or _too_deep(html):
        return html
    from pipeline.text.html_lists import join_ordered_lists  # lxml is slow to import

    return join_ordered_lists(html)


def _too_deep(html: str) -> bool:
    return html.count("<") > MAX_DEPTH and nesting_depth(html) > MAX_DEPTH  # counting is fast and usually enough


def remove_empty_elements(html: str) -> str:
    """Return HTML without empty elements, and without elements that become empty as a result.

    >>> remove_empty_elements("<p>Salt.</p><ul><li><em> </em></li></ul>")
    '<p>Salt.</p><ul></ul>'
    """
    for _ in range(3):
        html, changed = _EMPTY.subn("", html)
        if not changed:
            break
    return html


def _filter_attribute(tag: str, name: str, value: str) -> str | None:
    """Return an attribute value, with URLs made absolute, or None to drop it."""
    if name in _URL_ATTRIBUTES:
        url = value.strip()
        if url.startswith(("https://", "http://")):
            return clean_url(url) or None  # independent of the base, so the result is cached for all documents
        return url if url.lower().startswith("mailto:") else clean_url(url, _base_url.get()) or None
    if name == "class":
        return value if is_significant_class(value) else None
    if name in SOURCE_SETS:
        return best_source(value, _base_url.get()) or None
    if tag == "img" and name in ("width", "height"):
        number = value.strip().removesuffix("px")
        return number if number.isdecimal() else None
    return value


# Creating a cleaner takes longer than using it, so all documents share one; the base URL is passed in a context
# variable.
_base_url: ContextVar[str] = ContextVar("base_url", default="")
_CLEANER = nh3.Cleaner(
    tags=_TAGS, clean_content_tags=_REMOVED_TAGS, attributes=_ATTRIBUTES, attribute_filter=_filter_attribute,
    url_schemes={"http", "https", "mailto"}, link_rel=None, strip_comments=True,
)  # fmt: skip
_IMAGE_TEXT_CLEANER = nh3.Cleaner(
    tags=_TAGS, clean_content_tags=_REMOVED_TAGS, attributes={"img": set(RAW_ATTRIBUTES)}, link_rel=None
)
_TEXT_CLEANER = nh3.Cleaner(tags=_TAGS, clean_content_tags=_REMOVED_TAGS, attributes={}, link_rel=None)
_BLOCK_CLEANER = nh3.Cleaner(
    tags=_BLOCK_TAGS | {"sup", "sub"}, clean_content_tags=_REMOVED_TAGS, attributes={}, link_rel=None
)
