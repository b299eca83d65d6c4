"""The HTML part taken apart, as a mail program reads it.

In: HTML. Out: its links, pictures and words, and the tree they stand in. Pure; lxml is imported when first needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_WITHIN_A_LINE = {"a", "b", "em", "strong", "i", "s", "code", "span", "small", "sub", "sup"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlLink:
    """An address a reader can go to."""

    url: str
    text: str
    """What is underlined, or the alt text of the picture that is linked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlImage:
    """A picture; None is an attribute that is not there."""

    url: str
    alt: str | None
    link: str = ""
    """Where a click on it leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedHtml:
    """An HTML part, read."""

    root: Any
    """The lxml element of ``<html>``."""
    links: tuple[HtmlLink, ...]
    images: tuple[HtmlImage, ...]
    text: str
    """All that is said in it, in one line; the inbox line included, styles not."""
    style: str
    """What its style elements hold."""


def parse_html(html: str) -> ParsedHtml:
    """Take an HTML part apart.

    >>> mail = read('<p>Read <a href="https://a.example/">on<img src="x.png" alt="!"></a></p>')
    >>> mail.links, mail.words
    ((Link(url='https://a.example/', words='on !'),), 'Read on')
    >>> mail.pictures
    (Shown(url='x.png', alt='!', link='https://a.example/'),)
    """
    from lxml.html import document_fromstring

    root = document_fromstring(html)
    return ParsedHtml(
        root=root,
        links=tuple(
            HtmlLink(url=each.get("href"), text=_words_of(each)) for each in root.iter("a") if each.get("href")
        ),
        images=tuple(map(_shown, root.iter("img"))),
        text=_one_line(_texts(root.find("body"))),
        style="\n".join(each.text or "" for each in root.iter("style")),
    )


def _shown(picture: Any) -> HtmlImage:
    link = next((each.get("href") or "" for each in picture.iterancestors("a")), "")
    return HtmlImage(url=picture.get("src") or "", alt=picture.get("alt"), link=link)


def _words_of(link: Any) -> str:
    return _one_line([*_texts(link), *(f" {each.get('alt') or ''}" for each in link.iter("img"))])


def _texts(element: Any) -> Iterator[str]:
    """Give the texts under an element, without comments: what Outlook alone reads is not said to anybody else."""
    for each in element.iter():
        if isinstance(each.tag, str) and each.tag not in ("style", "script", "title"):
            yield _apart(each) + (each.text or "")
        if each is not element:
            yield _apart(each) + (each.tail or "")


def _apart(element: Any) -> str:
    """Keep what stands in different blocks apart, and a word that is half in italics together."""
    return "" if element.tag in _WITHIN_A_LINE else " "


def _one_line(texts: Iterable[str]) -> str:
    return " ".join("".join(texts).split())
