"""HTML from strangers made safe, mended, and read as text.

In: any string that calls itself HTML. Out: a small, well-formed, harmless subset of it, or plain text.
Touches nothing: no picture is loaded, no link followed.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterable
from contextvars import ContextVar

import nh3

from pipeline.text.plain_text import clean_title, count_words, excerpt_text, has_cjk, strip_boilerplate
from pipeline.text.urls import clean_url

__all__ = [
    "add_paragraphs",
    "clean_title",
    "count_html_words",
    "count_words",
    "excerpt_text",
    "join_broken_lists",
    "plain_text",
    "reading_minutes",
    "remove_empty_elements",
    "sanitise",
    "sanitise_without_attributes",
    "sanitised_to_text",
    "strip_boilerplate",
]  # fmt: skip

WORDS_PER_MINUTE = 238
"""Silent reading of English non-fiction: Brysbaert 2019, a meta-analysis of 190 studies."""
MAX_DEPTH = 200
"""Tags nested deeper than this are no text, but an attempt to overflow somebody's stack."""

_TAGS = set(
    re.findall(
        r"\w+",
        "p br hr h1 h2 h3 h4 h5 h6 ul ol li dl dt dd blockquote q cite em strong b i s del ins sub sup small mark abbr "
        "a img pre code kbd samp var table caption thead tbody tfoot tr th td figure figcaption",
    )
)
_CONTENT_GONE = set(re.findall(r"\w+", "script style template noscript iframe object applet frameset svg math form "
                                       "select textarea button title head audio video canvas"))  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start", "reversed", "type"},
    "li": {"value"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "blockquote": {"cite"},
    "abbr": {"title"},
}
_BLOCK_TAGS = {
    "p",
    "div",
    "br",
    "hr",
    "li",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "table",
}
_BLOCK_TAGS |= {f"h{level}" for level in range(1, 7)} | {"figure", "figcaption", "section", "article"}
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>")
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "wbr", "source", "area", "col", "embed", "base", "param"}
)
_IMG = re.compile(r"<img((?:\s+[\w-]+=\"[^\"]*\")*)\s*/?>")
_ATTRIBUTE = re.compile(r"([\w-]+)=\"([^\"]*)\"")
_COUNTERS = re.compile(
    r"//(?:pixel\.wp\.com|stats\.wordpress\.com|[^/]*\.?feedburner\.com/~|rss\.feedsportal|[^/]*doubleclick\.net|"
    r"www\.google-analytics\.com|medium\.com/_/stat|[^/]*\.?scorecardresearch\.com|b\.gif|pixel\.|tracking\.|"
    r"feeds\.wordpress\.com/1\.0/|[^/]+/(?:[^\"]*/)?(?:pixel|spacer|blank|1x1|count(?:er)?)\.(?:gif|png)\b)"
)
_BLOCK = re.compile(rf"<(?:{'|'.join(sorted(_BLOCK_TAGS))})[\s/>]", re.IGNORECASE)
_INLINE_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_TAGS - _BLOCK_TAGS))})(?:\s+[\w-]+=\"[^\"]*\")*\s*/?>")
_BLOCK_TAG = re.compile(r"<[^>]*(?:>|$)")
_MANY_WORDS = 100
"""Of so many, those that are no words, such as a dash between blanks, do not count."""
_ENTITY = re.compile(r"&\w+;")
_EMPTY = re.compile(r"<(p|h[1-6]|li|figure|figcaption|em|strong|b|i|a|blockquote)>(?:\s|&nbsp;|<br>)*</\1>")


def sanitise(html: str, base_url: str) -> str:
    """Return ``html`` reduced to what a newsletter may show, well-formed, with absolute http(s) and mailto links.

    Text structure, links, pictures, code and tables stay; scripts, forms, players, styling and pictures that only
    count readers go. Nesting deeper than ``MAX_DEPTH`` gives the text alone.

    >>> sanitise('<p onclick="x()">Read <a href="../more?utm_source=rss">on</a><script>x()</script>', "https://h.example/a/b/")
    '<p>Read <a href="https://h.example/a/more">on</a></p>'
    """
    if not html.strip():
        return ""
    if _too_deep(html):
        return _text_alone(html)
    before = _base_url.set(base_url)
    try:
        clean = _CLEANER.clean(html)
    finally:
        _base_url.reset(before)
    return remove_empty_elements(_IMG.sub(_picture, clean)).strip()


def sanitise_without_attributes(html: str) -> str:
    """Return ``html`` as ``sanitise`` does, but without attributes: what one needs to read its words.

    >>> outline('<p class="x">Read <a href="../more">on</a><script>x()</script>')
    '<p>Read <a>on</a></p>'
    """
    if _too_deep(html):
        return _text_alone(html)
    return _OUTLINER.clean(html)


def _text_alone(html: str) -> str:
    return f"<p>{entities.escape(_TAG.sub(' ', html), quote=False)}</p>"


def plain_text(html: str) -> str:
    """Return the words of ``html``: a blank line between blocks, no markup, blanks and invisible characters tidied.

    >>> plain_text("<h2>Salt</h2><p>A pinch,&nbsp;or <b>two</b>.<br>Taste.</p>")
    'Salt\\n\\nA pinch, or two.\\n\\nTaste.'
    """
    if "<" not in html:
        blocks = entities.unescape(html).split("\n\n")
    elif _too_deep(html):
        blocks = entities.unescape(_TAG.sub("\n", html)).split("\n")
    else:
        lean = _BLOCK_CLEANER.clean(html)
        blocks = [entities.unescape(block) for block in re.split(r"<[^>]*>", lean)]
    return _joined(blocks)


def sanitised_to_text(html: str) -> str:
    """Return the words of HTML that ``sanitise`` made, as ``plain_text`` would, and faster.

    >>> words_of("<h2>Salt</h2><p>A pinch,&nbsp;or <b>two</b>.<br>Taste.</p>")
    'Salt\\n\\nA pinch, or two.\\n\\nTaste.'
    """
    return _joined(entities.unescape(_BLOCK_TAG.sub("\0", _INLINE_TAG.sub("", html))).split("\0"))


def count_html_words(html: str) -> int:
    """Count the words of HTML that ``sanitise`` made.

    >>> word_count("<p>A pinch,&nbsp;or <b>two</b>.<br>Taste.</p>")
    5
    """
    text = _BLOCK_TAG.sub(" ", html)
    text = _ENTITY.sub(" ", text) if "&" in text else text
    words = len(text.split())
    return words if words > _MANY_WORDS and not has_cjk(text) else count_words(text)


def reading_minutes(html: str) -> int:
    """Return the minutes to read HTML that ``sanitise`` made: at least 1, and 0 when there is nothing to read.

    >>> reading_minutes("<p>Salt</p>"), reading_minutes("<p>" + "salt " * 600 + "</p>"), reading_minutes("")
    (1, 3, 0)
    """
    words = count_html_words(html)
    return max(1, round(words / WORDS_PER_MINUTE)) if words else 0


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join([text for block in blocks if block and (text := clean_title(block, markup=False))])


def add_paragraphs(html: str) -> str:
    """Make paragraphs of blank lines in HTML that has no blocks, and line breaks of lines where it has no tags at all.

    >>> paragraphs("Salt.\\nFat.\\n\\nAcid &amp; heat."), paragraphs("<p>Salt.\\n\\nFat.</p>")
    ('<p>Salt.<br>Fat.</p><p>Acid &amp; heat.</p>', '<p>Salt.\\n\\nFat.</p>')
    """
    if _BLOCK.search(html) or "\n" not in html.strip():
        return html
    brk = " " if _TAG.search(html) else "<br>"
    blocks = (brk.join(line.strip() for line in block.split("\n")) for block in re.split(r"\n\s*?\n", html.strip()))
    return "".join(f"<p>{block}</p>" for block in blocks if block)


def nesting_depth(html: str) -> int:
    """Return how deep tags nest, in one pass and without trusting that they are closed.

    >>> depth("<ul><li><b>x</b></li><li>y<br></li></ul>")
    3
    """
    open_tags = deepest = 0
    for closing, name, empty in _TAG.findall(html):
        if closing:
            open_tags = max(open_tags - 1, 0)
        elif not empty and name.lower() not in _VOID:
            open_tags += 1
            deepest = max(deepest, open_tags)
    return deepest


def join_broken_lists(html: str) -> str:
    """Join numbered lists that an editor broke apart, see ``pipeline.text.html_lists``; anything else stays as it is.

    >>> mend_lists("<ol><li>Mix</li></ol><p>&nbsp;</p><ol><li>Bake</li></ol>")
    '<ol><li>Mix</li><li>Bake</li></ol>'
    """
    if html.count("<ol") < 2 or _too_deep(html):
        return html
    from pipeline.text.html_lists import (
        join_ordered_lists,  # lxml takes a while to import: only where there is something to mend
    )

    return join_ordered_lists(html)


def _too_deep(html: str) -> bool:
    return html.count("<") > MAX_DEPTH and nesting_depth(html) > MAX_DEPTH  # counting is fast and mostly enough


def _link(value: str, base_url: str) -> str:
    address = value.strip()
    if address.startswith(("https://", "http://")):
        return clean_url(address)  # whatever the base is, so that it need be cleaned once only
    return address if address.lower().startswith("mailto:") else clean_url(address, base_url)


def _picture(found: re.Match[str]) -> str:
    """Drop a picture that has no source, is a pixel, or comes from a counter."""
    attributes = dict(_ATTRIBUTE.findall(found[1]))
    source = attributes.get("src", "")
    tiny = any(attributes.get(side, "99").isdecimal() and int(attributes[side][:6]) <= 2
               for side in ("width", "height") if side in attributes)  # fmt: skip
    return "" if not source or tiny or _COUNTERS.search(source) else found[0]


def remove_empty_elements(html: str) -> str:
    """Leave out elements that hold nothing, and what they leave empty.

    >>> without_empty("<p>Salt.</p><ul><li><em> </em></li></ul>")
    '<p>Salt.</p><ul></ul>'
    """
    for _ in range(3):
        html, changed = _EMPTY.subn("", html)
        if not changed:
            break
    return html


def _safe(tag: str, name: str, value: str) -> str | None:
    """Keep an attribute, with its address made absolute; None drops it."""
    if name in ("href", "src", "cite"):
        return _link(value, _base_url.get()) or None
    return value if tag != "img" or name not in ("width", "height") or value.isdecimal() else None


# Making a cleaner takes longer than cleaning with it, so there is one for all; what differs from one document to the
# next it cannot be told otherwise than so.
_base_url: ContextVar[str] = ContextVar("base_url", default="")
_CLEANER = nh3.Cleaner(
    tags=_TAGS, clean_content_tags=_CONTENT_GONE, attributes=_ATTRIBUTES, attribute_filter=_safe,
    url_schemes={"http", "https", "mailto"}, link_rel=None, strip_comments=True,
)  # fmt: skip
_OUTLINER = nh3.Cleaner(tags=_TAGS, clean_content_tags=_CONTENT_GONE, attributes={}, link_rel=None)
_BLOCK_CLEANER = nh3.Cleaner(tags=_BLOCK_TAGS, clean_content_tags=_CONTENT_GONE, attributes={}, link_rel=None)
