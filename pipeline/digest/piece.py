"""From a Story to a Piece: everything a template prints of it, already worded and measured, for HTML and text alike.

In: a Story, a Voice, how much of it is told. Out: a Piece, where an empty string or tuple means: leave it out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo

from pipeline.digest import words
from pipeline.digest.words import Voice
from pipeline.model.digest import ArchivePiece, Story, StoryKind
from pipeline.model.entry import Picture
from pipeline.text import markdown

FULL_WIDTH = 536
COVER_WIDTH = 120
SPECK = 48
"""A picture known to be smaller than this, in pixels, is an icon or counts visitors: it is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Words that lead somewhere."""

    label: str
    url: str
    about: str = ""
    """A quiet word behind it, such as a date."""


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
    ordinal: int = 0
    """Its place among the stories of the mail, from 1; links and older pieces have none."""
    image: Image | None = None
    buttons: tuple[Link, ...] = ()
    """What to do next, the more important first; at most two."""
    also: tuple[Link, ...] = ()
    """Other places to hear or read it, as text links."""
    note_html: str = ""
    """A word of the editor's about it."""
    note_text: str = ""
    contents: tuple[str, ...] = ()
    """What an episode is about."""
    contents_heading: str = ""
    opening: str = ""
    """How an episode begins, where ``contents`` do not say what it is about."""
    opening_heading: str = ""
    related: tuple[Link, ...] = ()
    """Older pieces about the same."""
    related_heading: str = ""


def piece(story: Story, voice: Voice, zone: tzinfo, *, excerpt_words: int | None = None) -> Piece:
    """Word a story for printing; ``excerpt_words`` shortens its excerpt further than it came, to save weight."""
    excerpt = story.excerpt_md
    if excerpt_words is not None:
        excerpt = markdown.excerpt(excerpt, excerpt_words) if excerpt_words else ""
    return Piece(
        kind=story.kind,
        title=title_of(story, voice),
        url=web(story.url),
        byline=_byline(story, voice),
        excerpt_html=markdown.to_html(excerpt),
        excerpt_text=markdown.to_text(excerpt, colon=words.colon(voice)),
        image=_image(story, voice),
        buttons=tuple(_buttons(story, voice)),
        also=tuple(_also(story, voice)),
        note_html=markdown.to_html(story.note_md),
        note_text=markdown.to_text(story.note_md, colon=words.colon(voice)),
        contents=tuple(filter(None, map(one_line, story.in_this_episode))),
        contents_heading=voice.say("In this episode"),
        opening=one_line(story.opening_text),
        opening_heading=voice.say("How it begins"),
        related=tuple(_related(story.related, voice, zone)),
        related_heading=voice.say("More about this"),
    )


def told_by_title(story: Story, voice: Voice) -> Piece:
    """Word a story as a mere line: its title, who made it and how long it takes."""
    return Piece(
        kind=story.kind,
        title=title_of(story, voice),
        url=web(story.url) or web(story.listen_url),
        byline=_byline(story, voice),
        excerpt_html="",
        excerpt_text="",
    )


def title_of(story: Story, voice: Voice) -> str:
    """Give a story's title, or a word for having none."""
    return one_line(story.title) or voice.say("Untitled")


def web(url: str) -> str:
    """Let only addresses of web pages through; entries hold no other, and here is the last place to be sure."""
    return url if url.lower().startswith(("https://", "http://")) and not re.search(r'[\s"<>]', url) else ""


def one_line(text: str) -> str:
    """Put text on one line, one blank between words.

    >>> one_line(" To \\n read ")
    'To read'
    """
    return " ".join(text.split())


def _byline(story: Story, voice: Voice) -> str:
    """Say who made a story and how long it takes; what the language keeps together, a line's end does not part."""
    named = replace(story, author=one_line(story.author), guest=one_line(story.guest), source=one_line(story.source))
    return " · ".join(words.byline(named, voice))


def _buttons(story: Story, voice: Voice) -> Iterable[Link]:
    read_url = web(story.url)
    listen_url = web(story.listen_url) or (read_url if story.kind == "episode" else "")
    if listen_url and story.kind in ("episode", "read-or-listen"):
        yield Link(label=words.listen_button(story, voice), url=listen_url)
    if read_url and story.kind in ("post", "read-or-listen"):
        yield Link(label=words.read_button(story, voice), url=read_url)


def _also(story: Story, voice: Voice) -> Iterable[Link]:
    yield from (Link(label=one_line(name), url=url) for name, url in story.listen if web(url) and name.strip())
    if web(story.transcript_url):
        yield Link(label=voice.say("Transcript"), url=story.transcript_url)


def _related(pieces: Iterable[ArchivePiece], voice: Voice, zone: tzinfo) -> Iterable[Link]:
    for each in pieces:
        if web(each.url) and each.title.strip():
            yield Link(
                label=one_line(each.title), url=each.url, about=words.month(each.published_at.astimezone(zone), voice)
            )


def _image(story: Story, voice: Voice) -> Image | None:
    picture = story.picture
    if picture is None or not web(picture.url) or SPECK > min(picture.width or SPECK, picture.height or SPECK) > 0:
        return None
    alt = one_line(picture.alt) or title_of(story, voice)
    if _is_cover(story, picture):
        side = min(COVER_WIDTH, picture.width or COVER_WIDTH)
        return Image(url=picture.url, alt=alt, width=side, height=side, cover=True)
    width, height = fit(picture.width, picture.height)
    return Image(url=picture.url, alt=alt, width=width, height=height)


def _is_cover(story: Story, picture: Picture) -> bool:
    """Episode art is square (Apple's rule); a post's picture, also of an episode's post, is not."""
    if story.kind == "post":
        return False
    if picture.width and picture.height:
        return 0.8 * picture.height < picture.width < 1.2 * picture.height
    return story.post is None or story.post.picture is None or story.post.picture.url != picture.url


def fit(width: int | None, height: int | None, most: int = FULL_WIDTH) -> tuple[int, int]:
    """Fit a picture into a square of ``most`` pixels, the text's width, without enlarging it; 0 is not known.

    >>> fit(1072, 600), fit(300, 200), fit(600, 1200), fit(None, None)
    ((536, 300), (300, 200), (268, 536), (536, 0))
    """
    if not width or width < 0:
        return most, 0
    if not height or height < 0:
        return min(width, most), 0
    scale = min(1.0, most / width, most / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
