"""From a Digest to a Page: everything a template prints, already worded and measured, for HTML and text alike.

In: a Digest. Out: a Page, where an empty string or tuple means: leave it out. Pure. Templates only lay it out, so two
themes never differ in what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pipeline.digest import words
from pipeline.digest.palette import Palette, palettes
from pipeline.model.digest import Digest, Section, SectionKind, Story, StoryKind
from pipeline.model.entry import Picture
from pipeline.model.mail import BROWSER, PREFERENCES, UNSUBSCRIBE, place_url
from pipeline.text import markdown

FULL_WIDTH = 536
COVER_WIDTH = 120
PREHEADER_LENGTH = 150
FILLER = "\u034f\u200c\u00a0"
"""Keeps the first words of the mail out of the inbox line; shown by no client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Words that lead somewhere."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture at the size it is shown, in CSS pixels; a height of 0 is not known."""

    url: str
    alt: str
    width: int
    height: int = 0
    cover: bool = False
    """Small and beside the title instead of wide and above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A story as it is printed."""

    kind: StoryKind
    title: str
    url: str
    byline: str
    excerpt_html: str
    excerpt_text: str
    image: Image | None
    buttons: tuple[Link, ...]
    """What to do next, the more important first; at most two."""
    also: tuple[Link, ...]
    """Other places to hear or read it, as text links."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A section as it is printed."""

    kind: SectionKind
    heading: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole mail as it is printed."""

    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    subject: str
    preheader: str
    filler: str
    """Comes after the preheader, hidden with it, in the HTML alone."""
    name: str
    home: str
    logo: str
    """Address of a picture to stand for the name."""
    light: Palette
    dark: Palette
    tagline: str
    number: str
    date: str
    """The day the week closed, in the publication's time zone."""
    headline: str
    introduction_html: str
    introduction_text: str
    chapters: tuple[Chapter, ...]
    reason: str
    postal_address: tuple[str, ...]
    """Its lines."""
    browser: Link
    unsubscribe: Link
    preferences: Link


def page(digest: Digest, *, excerpt_words: int | None = None) -> Page:
    """Word a digest for printing; ``excerpt_words`` shortens excerpts further than they came, to save weight."""
    publication = digest.publication
    closes = digest.closes_at.astimezone(ZoneInfo(publication.timezone))
    preheader = _one_line(digest.preheader)
    light, dark = palettes(publication.accent)
    return Page(
        language=publication.language,
        direction=words.direction(publication.language),
        subject=_one_line(digest.subject),
        preheader=preheader,
        filler=FILLER * max(0, PREHEADER_LENGTH - len(preheader)),
        name=publication.name,
        home=publication.url,
        logo=_web(publication.logo_url),
        light=light,
        dark=dark,
        tagline=publication.tagline,
        number=words.number(digest.number),
        date=words.day(closes),
        headline=_one_line(digest.headline),
        introduction_html=markdown.to_html(digest.introduction_md),
        introduction_text=markdown.to_text(digest.introduction_md),
        chapters=tuple(_chapter(section, excerpt_words) for section in digest.sections if section.stories),
        reason=publication.reason or words.reason(publication.name),
        postal_address=tuple(line.strip() for line in publication.postal_address.splitlines() if line.strip()),
        browser=Link(label=words.READ_IN_BROWSER, url=place_url(publication.url, BROWSER)),
        unsubscribe=Link(label=words.UNSUBSCRIBE, url=place_url(publication.url, UNSUBSCRIBE)),
        preferences=Link(label=words.PREFERENCES, url=place_url(publication.url, PREFERENCES)),
    )


def _chapter(section: Section, excerpt_words: int | None) -> Chapter:
    return Chapter(
        kind=section.kind,
        heading=_one_line(section.heading) or words.HEADINGS[section.kind],
        pieces=tuple(_piece(story, excerpt_words) for story in section.stories),
    )


def _piece(story: Story, excerpt_words: int | None) -> Piece:
    excerpt = story.excerpt_md
    if excerpt_words is not None:
        excerpt = markdown.excerpt(excerpt, excerpt_words)
    return Piece(
        kind=story.kind,
        title=_one_line(story.title) or words.UNTITLED,
        url=_web(story.url),
        byline=" · ".join(map(_one_line, words.byline(story))),
        excerpt_html=markdown.to_html(excerpt),
        excerpt_text=markdown.to_text(excerpt),
        image=_image(story),
        buttons=tuple(_buttons(story)),
        also=tuple(_also(story)),
    )


def _buttons(story: Story) -> Iterable[Link]:
    read_url = _web(story.url)
    listen_url = _web(story.listen_url) or (read_url if story.kind == "episode" else "")
    if listen_url and story.kind in ("episode", "read-or-listen"):
        yield Link(label=words.listen_button(story), url=listen_url)
    if read_url and story.kind in ("post", "read-or-listen"):
        yield Link(label=words.read_button(story), url=read_url)


def _also(story: Story) -> Iterable[Link]:
    yield from (Link(label=name, url=url) for name, url in story.listen if _web(url))
    if _web(story.transcript_url):
        yield Link(label=words.TRANSCRIPT, url=story.transcript_url)


def _image(story: Story) -> Image | None:
    picture = story.picture
    if picture is None or not _web(picture.url):
        return None
    alt = _one_line(picture.alt) or _one_line(story.title)
    if _is_cover(story, picture):
        return Image(url=picture.url, alt=alt, width=COVER_WIDTH, height=COVER_WIDTH, cover=True)
    width, height = _fit(picture.width, picture.height)
    return Image(url=picture.url, alt=alt, width=width, height=height)


def _is_cover(story: Story, picture: Picture) -> bool:
    """Episode art is square (Apple's rule); a post's picture, also of an episode's post, is not."""
    if story.kind == "post":
        return False
    if picture.width and picture.height:
        return picture.width < 1.2 * picture.height
    return story.post is None or story.post.picture is None or story.post.picture.url != picture.url


def _fit(width: int | None, height: int | None) -> tuple[int, int]:
    """Fit a picture into a square of the text's width without enlarging it.

    >>> _fit(1072, 600), _fit(300, 200), _fit(600, 1200), _fit(None, None)
    ((536, 300), (300, 200), (268, 536), (536, 0))
    """
    if not width or width < 0:
        return FULL_WIDTH, 0
    if not height or height < 0:
        return min(width, FULL_WIDTH), 0
    scale = min(1.0, FULL_WIDTH / width, FULL_WIDTH / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _web(url: str) -> str:
    """Let only addresses of web pages through; entries hold no other, and here is the last place to be sure."""
    return url if url.lower().startswith(("https://", "http://")) and not re.search(r'[\s"<>]', url) else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
