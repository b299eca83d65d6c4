"""Repair HTML from feeds around sanitising: escaped markup, embeds, hidden elements, raised and lowered text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape, unescape
from urllib.parse import unquote

from pipeline.text.urls import media_key

_START = r"p|div|section|article|figure|img|h[1-6]|ul|ol|blockquote|table|center|font|span|a"
_ESCAPED_HTML = re.compile(
    rf"\A\s*+(?:<(?:p|div|span)\b[^<>]*+>\s*+)*+&lt;(?:{_START})(?:\s[^<>]{{0,300}}?)?/?&gt;"
    r"|&lt;br\s{0,2}/&gt;|[\w.,:;!?)]&lt;br&gt;|&lt;/(?:p|div|ul|ol|li|h[1-6]|blockquote|table|figure)&gt;"
    r"|&lt;a\s{1,3}href=",
    re.IGNORECASE,
)
_WRAPPER = re.compile(
    r"\A\s*+(?:<(?:p|div|span)\b[^<>]*+>\s*+)*+(?P<text>[^<>]*+)(?:</(?:p|div|span)>\s*+)*+\Z", re.IGNORECASE
)
_HTML_TAG = re.compile(
    r"</|<!--|<(?:br|p|img|hr|div|li|dt|dd|td|h[1-6]|iframe|video|audio|embed|input|wbr)[\s/>]|<[a-z]+\s+[\w-]+\s*=",
    re.IGNORECASE,
)
_BASE64 = re.compile(
    r"(?:(?<=[\s>])|\A)(?:data:[\w/+.-]{1,60};base64,)?"
    r"(?:[A-Za-z0-9+/]{400,}+={0,2}|(?:[A-Za-z0-9+/]{60,}+={0,2}\s*+){4,}+)"
)

_SCRIPT = re.compile(
    r"<(?P<tag>su[pb])\b[^<>]*>(?P<text>(?:[^<>]|</?(?:em|i|b|strong|span)>){1,80})</(?P=tag)\s?>", re.IGNORECASE
)
_NOTE = r"\s*\[?(?:\d{1,3}|[a-z*†‡§↩↑^])\]?[\ufe0e\ufe0f]?\s*"
_FOOTNOTE = re.compile(
    rf"<sup>\s*<a\b[^<>]*>{_NOTE}</a>\s*</sup>|<a href=\"[^\"]*#[^\"]*\"[^<>]*>(?:<sup>{_NOTE}</sup>|{_NOTE})</a>"
    r"|<sup>\s*\[\d{1,3}\]\s*</sup>"
)
_RAISED = str.maketrans("0123456789+-−–=()niªº", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱªº")
_LOWERED = str.maketrans("0123456789+-−–=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₋₌₍₎")
_FLAT = {"tm": "™", "sm": "℠", "r": "®", "e": "e", "o": "º", "a": "ª"}
"""Raised text that is no exponent."""

_HIDDEN_STYLE = r"display\s*:\s*none|visibility\s*:\s*hidden"
_HIDDEN_CLASS = r"screen-reader-text|sr-only|visually-hidden"
_HIDDEN = re.compile(rf"\shidden[\s=/>]|{_HIDDEN_STYLE}|\b(?:{_HIDDEN_CLASS})\b", re.IGNORECASE)
_IS_HIDDEN_STYLE = re.compile(_HIDDEN_STYLE, re.IGNORECASE)
_IS_HIDDEN_CLASS = re.compile(rf"(?:^|\s)(?:{_HIDDEN_CLASS})(?:\s|$)")

_EMBED = re.compile(r"<(iframe|video|audio)\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_FILE_TAG = re.compile(r"<source\b[^<>]*>", re.IGNORECASE)
_MAX_FILE_CHARS = 1_000
"""How far behind the beginning of a player its first file may be named."""
_EMBED_ATTRIBUTE = re.compile(r"\s(src|data-src|title)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_FILMS = (
    (re.compile(r"(?:https?:)?//(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{6,20})"),
     "https://www.youtube.com/watch?v={}", "youtube.com"),
    (re.compile(r"(?:https?:)?//player\.vimeo\.com/video/(\d{4,15})"), "https://vimeo.com/{}", "vimeo.com"),
    (re.compile(r"(?:https?:)?//(?:www\.|geo\.)?dailymotion\.com/(?:embed/video/|player\S*?[?&]video=)(\w{5,15})"),
     "https://www.dailymotion.com/video/{}", "dailymotion.com"),
    (re.compile(r"(?:https?:)?//embed\.ted\.com/(talks/[\w/-]{3,120})"), "https://www.ted.com/{}", "ted.com"),
)  # fmt: skip


def repair_markup(html: str) -> str:
    """Return what was meant: HTML that was escaped as if it were text, or text that was not escaped as HTML.

    Files written as base64 are removed.

    >>> repair_markup("&lt;div class=x&gt;Salt &amp;amp; fat&lt;/div&gt;"), repair_markup("A Set<Label> & more")
    ('<div class=x>Salt &amp; fat</div>', 'A Set&lt;Label> & more')
    """
    if "&lt;" in html and _ESCAPED_HTML.search(html) and (whole := _WRAPPER.match(html)):
        html = unescape(whole["text"])
    elif "<" in html and not _HTML_TAG.search(html) and re.search(r"\w<\w", html):
        html = html.replace("<", "&lt;")
    return _BASE64.sub("", html) if len(html) > 240 else html


def flatten_scripts(html: str) -> str:
    """Return HTML with raised and lowered text as characters that keep their meaning, and without footnote numbers.

    >>> flatten_scripts("10<sup>-9</sup> m, 2<sup>n</sup>, e<sup>x</sup>, the 2<sup>nd</sup> H<sub>2</sub>O")
    '10⁻⁹ m, 2ⁿ, e^x, the 2nd H₂O'
    >>> flatten_scripts('Salt.<sup><a href="https://h.example/#fn1">1</a></sup>')
    'Salt.'
    """
    if "<sup" in html or "#" in html:
        html = _FOOTNOTE.sub("", html)
    return _SCRIPT.sub(_flat, html) if "<su" in html.lower() else html


def _flat(match: re.Match[str]) -> str:
    text = unescape(re.sub(r"<[^<>]*>", "", match["text"])).strip()
    if match["tag"].lower() == "sub":
        lowered = text.translate(_LOWERED)
        return escape(lowered if not set(text) & set(lowered) else text, quote=False)
    raised = text.translate(_RAISED)
    if text and (not set(text) & set(raised) or set(text) <= set("ªº")):
        return raised
    if text.isalpha():
        return escape(_FLAT.get(text.lower(), f"^{text}" if len(text) == 1 else text), quote=False)
    return escape(f"^({text})" if 0 < len(text) <= 12 and " " not in text else text, quote=False)


def drop_hidden(html: str) -> str:
    """Return HTML without elements that a browser does not show, or only to screen readers; images stay.

    >>> drop_hidden('<p>Salt <span style="display: none">now</span>first.</p>')
    '<p>Salt first.</p>'
    """
    if not _HIDDEN.search(html):
        return html
    from lxml import etree  # slow to import
    from lxml import html as lxml_html

    try:
        root = lxml_html.fragment_fromstring(html, create_parent="div")
    except (ValueError, etree.LxmlError):
        return html
    hidden = [element for element in root.iterdescendants() if element.tag != "img" and _is_hidden(element.attrib)]
    for element in hidden:
        element.drop_tree()
    inner = "".join(lxml_html.tostring(child, encoding="unicode") for child in root)
    return escape(root.text or "", quote=False) + inner if hidden else html


def _is_hidden(attributes: dict[str, str]) -> bool:
    return (
        attributes.get("hidden", "until-found") != "until-found"
        or _IS_HIDDEN_STYLE.search(attributes.get("style", "")) is not None
        or _IS_HIDDEN_CLASS.search(attributes.get("class", "")) is not None
    )


def link_embeds(html: str) -> str:
    """Return HTML with a link to the film or sound before each player of it, which sanitising removes.

    >>> link_embeds('<iframe src="https://player.vimeo.com/video/4711" title="A loaf"></iframe>')[:54]
    '<p><a href="https://vimeo.com/4711">A loaf</a></p><ifr'
    >>> link_embeds('<audio controls><source src="/talks/loaf.ogg"></audio>')[:52]
    '<p><a href="/talks/loaf.ogg">loaf.ogg</a></p><audio '
    """
    lower = html.lower()
    if "<iframe" in lower or "<video" in lower or "<audio" in lower:
        return _EMBED.sub(lambda embed: _embed_link(embed) + embed[0], html)
    return html


def drop_players(html: str, urls: Iterable[str]) -> str:
    """Return HTML in which the players of some files are empty, so that they are not replaced by links.

    >>> drop_players('<audio src="https://h.example/1.mp3?_=1"></audio>', ["https://h.example/1.mp3"])
    '<audio src=""></audio>'
    """
    keys = {media_key(url) for url in urls}
    return _EMBED.sub(lambda embed: f'<{embed[1]} src="">' if media_key(_file_url(embed)) in keys else embed[0], html)


def _embed_link(embed: re.Match[str]) -> str:
    attributes = _attributes(embed[0])
    title = attributes.get("title", "")
    if embed[1].lower() == "iframe":
        url, label = _film(attributes)
    else:
        url = _file_url(embed)
        label = unquote(url.partition("?")[0].rpartition("/")[2])
    label = label if not title or "player" in title.lower() else title
    return f'<p><a href="{escape(url)}">{escape(label)}</a></p>' if url and label else ""


def _film(attributes: Mapping[str, str]) -> tuple[str, str]:
    """Return the page of the film in a frame, and the site that shows it."""
    for address in (attributes.get("src", ""), attributes.get("data-src", "")):
        for pattern, url, site in _FILMS:
            if film := pattern.match(address):
                return url.format(film[1]), site
    return "", ""


def _file_url(player: re.Match[str]) -> str:
    """Return the address of the file that a player plays, or ""."""
    own = _attributes(player[0])
    inside = player.string[player.end() : player.end() + _MAX_FILE_CHARS].partition("</")[0]
    first = _FILE_TAG.search(inside)
    url = (own if "src" in own or not first else _attributes(first[0])).get("src", "") or own.get("data-src", "")
    return "" if url.startswith(("data:", "blob:")) else url


def _attributes(tag: str) -> dict[str, str]:
    pairs = _EMBED_ATTRIBUTE.findall(tag)
    return {name.lower(): unescape(double or single).strip() for name, double, single in pairs}
