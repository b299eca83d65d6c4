"""The HTML part, parsed as a mail program reads it: links, images, text and styles. lxml is imported on first use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_INLINE_TAGS = {"a", "b", "em", "strong", "i", "s", "code", "span", "small", "sub", "sup"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlLink:
    """A link."""

    url: str
    text: str
    """Its text, with the alt text of linked images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlImage:
    """An image."""

    url: str
    alt: str | None
    """None if the attribute is missing."""
    link_url: str = ""
    """The URL it links to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedHtml:
    """A parsed HTML part."""

    root: Any
    """The lxml element ``<html>``."""
    links: tuple[HtmlLink, ...]
    images: tuple[HtmlImage, ...]
    text: str
    """All text on one line, the preheader included, styles left out."""
    css: str
    """The content of its style elements."""


def parse_html(html: str) -> ParsedHtml:
    """Return a parsed HTML part.

    >>> html = parse_html('<p>Read <a href="https://a.example/">on<img src="x.png" alt="!"></a></p>')
    >>> html.links, html.text
    ((HtmlLink(url='https://a.example/', text='on !'),), 'Read on')
    >>> html.images
    (HtmlImage(url='x.png', alt='!', link_url='https://a.example/'),)
    """
    from lxml.html import document_fromstring

    root = document_fromstring(html)
    links = []
    for link in root.iter("a"):
        if url := link.get("href"):
            alts = (f" {image.get('alt') or ''}" for image in link.iter("img"))
            links.append(HtmlLink(url=url, text=_one_line([*_texts(link), *alts])))
    images = []
    for image in root.iter("img"):
        link_url = next((link.get("href") or "" for link in image.iterancestors("a")), "")
        images.append(HtmlImage(url=image.get("src") or "", alt=image.get("alt"), link_url=link_url))
    return ParsedHtml(
        root=root,
        links=tuple(links),
        images=tuple(images),
        text=_one_line(_texts(root.find("body"))),
        css="\n".join(style.text or "" for style in root.iter("style")),
    )


def _texts(element: Any) -> Iterator[str]:
    """Yield the texts under an element, without comments, which only Outlook reads.

    Texts of different blocks are separated by a space; a word that is partly in italics is not.
    """
    for child in element.iter():
        space = "" if child.tag in _INLINE_TAGS else " "
        if isinstance(child.tag, str) and child.tag not in ("style", "script", "title"):
            yield space + (child.text or "")
        if child is not element:
            yield space + (child.tail or "")


def _one_line(texts: Iterable[str]) -> str:
    return " ".join("".join(texts).split())
