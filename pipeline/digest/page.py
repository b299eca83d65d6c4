"""From a Digest to a Page: everything a template prints, already worded and measured, for HTML and text alike.

In: a Digest, a Voice, a Look, how much is told. Out: a Page, where an empty string or tuple means: leave it out. Pure.
Templates only lay it out, so two themes never differ in what they say, and every theme speaks every language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from zoneinfo import ZoneInfo

from pipeline.digest import words
from pipeline.digest.look import CLASSIC, Look, dressed
from pipeline.digest.palette import Palette
from pipeline.digest.piece import Image, Link, Piece, fit, one_line, piece, told_by_title, web
from pipeline.digest.words import ENGLISH, Voice
from pipeline.model.digest import Digest, Publication, SectionKind, Story
from pipeline.model.mail import BROWSER, PREFERENCES, UNSUBSCRIBE, place_url
from pipeline.text import markdown

PREHEADER_LENGTH = 150
LOGO_WIDTH = 200
FILLER = "\u034f\u200c\u00a0"
"""Keeps the first words of the mail out of the inbox line; shown by no client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrift:
    """How much is told, to save weight."""

    excerpt_words: int | None = None
    """Excerpts get shorter than they came; 0 leaves them out."""
    whole_stories: int | None = None
    """Only so many stories are told; of the others, links first among them, the titles alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A section as it is printed."""

    kind: SectionKind
    heading: str
    pieces: tuple[Piece, ...]
    lines: tuple[Piece, ...] = ()
    """Stories told by their titles alone, after the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole mail as it is printed."""

    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    onwards: str
    """An arrow that points where reading goes."""
    colon: str
    """Between a label and what it labels."""
    subject: str
    preheader: str
    filler: str
    """Comes after the preheader, hidden with it, in the HTML alone."""
    name: str
    home: str
    logo: Image | None
    """A picture to stand for the name."""
    light: Palette
    dark: Palette
    title_font: str
    """A stack of fonts, as CSS takes it; so are the next two."""
    text_font: str
    label_font: str
    tagline: str
    number: str
    date: str
    """The day the week closed, in the publication's time zone."""
    headline: str
    introduction_html: str
    introduction_text: str
    chapters: tuple[Chapter, ...]
    ask_html: str
    """The one thing readers are asked to do, at the end."""
    ask_text: str
    reason: str
    postal_address: tuple[str, ...]
    """Its lines."""
    browser: Link
    unsubscribe: Link
    preferences: Link


def page(digest: Digest, voice: Voice = ENGLISH, look: Look = CLASSIC, thrift: Thrift | None = None) -> Page:
    """Word a digest for printing.

    ConfigError: the publication's accent is not of the form ``#rrggbb``.
    """
    publication = digest.publication
    closes = digest.closes_at.astimezone(ZoneInfo(publication.timezone))
    preheader = one_line(digest.preheader)
    look = dressed(look, accent=publication.accent, fonts=publication.fonts)
    return Page(
        language=publication.language,
        direction=voice.direction,
        onwards="←" if voice.direction == "rtl" else "→",
        colon=words.colon(voice),
        subject=one_line(digest.subject),
        preheader=preheader,
        filler=FILLER * max(0, PREHEADER_LENGTH - len(preheader)),
        name=publication.name,
        home=publication.url,
        logo=_logo(publication),
        light=look.light,
        dark=look.dark,
        title_font=look.title_font,
        text_font=look.text_font,
        label_font=look.label_font,
        tagline=publication.tagline,
        number=words.number(digest.number, voice),
        date=words.day(closes, voice),
        headline=one_line(digest.headline),
        introduction_html=markdown.to_html(digest.introduction_md),
        introduction_text=markdown.to_text(digest.introduction_md, colon=words.colon(voice)),
        chapters=tuple(_chapters(digest, voice, thrift or Thrift())),
        ask_html=markdown.to_html(publication.closing_ask_md),
        ask_text=markdown.to_text(publication.closing_ask_md, colon=words.colon(voice)),
        reason=publication.reason or words.reason(publication.name, voice),
        postal_address=tuple(line.strip() for line in publication.postal_address.splitlines() if line.strip()),
        browser=Link(label=voice.say("Read in your browser"), url=place_url(publication.url, BROWSER)),
        unsubscribe=Link(label=voice.say("Unsubscribe"), url=place_url(publication.url, UNSUBSCRIBE)),
        preferences=Link(label=voice.say("Change what you get"), url=place_url(publication.url, PREFERENCES)),
    )


def _chapters(digest: Digest, voice: Voice, thrift: Thrift) -> Iterator[Chapter]:
    """Tell the sections, the archive last; stories beyond ``thrift.whole_stories`` come as lines."""
    zone = ZoneInfo(digest.publication.timezone)
    left = thrift.whole_stories
    ordinals = count(1)
    for section in (*digest.sections, *digest.archive):
        if not section.stories:
            continue
        whole = section.stories if left is None else section.stories[: max(0, left)]
        left = None if left is None else left - len(whole)
        pieces = (piece(story, voice, zone, excerpt_words=thrift.excerpt_words) for story in whole)
        if section.kind == "archive":
            pieces = (_dated(told, story, voice, zone) for told, story in zip(pieces, whole, strict=True))
        elif section.kind != "links":
            pieces = (replace(told, ordinal=next(ordinals)) for told in pieces)
        yield Chapter(
            kind=section.kind,
            heading=one_line(section.heading) or words.heading(section.kind, voice),
            pieces=tuple(pieces),
            lines=tuple(told_by_title(story, voice) for story in section.stories[len(whole) :]),
        )


def _dated(told: Piece, story: Story, voice: Voice, zone: ZoneInfo) -> Piece:
    """Say of an older story when it was new."""
    if story.published_at is None:
        return told
    day = words.day(story.published_at.astimezone(zone), voice)
    return replace(told, byline=" · ".join(filter(None, (day, told.byline))))


def _logo(publication: Publication) -> Image | None:
    if not web(publication.logo_url):
        return None
    width, height = fit(publication.logo_width, publication.logo_height, LOGO_WIDTH)
    return Image(url=publication.logo_url, alt=publication.name, width=width, height=height)
