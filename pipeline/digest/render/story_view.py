"""From a Story to a Piece: everything a template prints of it, already worded and measured, for HTML and text alike.

In: a Story, a Voice, how much of it is told. Out: a Piece, where an empty string or tuple means: leave it out. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo

from pipeline.digest.render import wording as words
from pipeline.digest.render.wording import Translator
from pipeline.model.digest import RelatedEntry, Story, StoryKind
from pipeline.model.entry import Picture
from pipeline.text import markdown

FULL_WIDTH = 536
COVER_WIDTH = 120
MIN_IMAGE_PIXELS = 48
"""A picture known to be smaller than this, in pixels, is an icon or counts visitors: it is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """Words that lead somewhere."""

    label: str
    url: str
    about: str = ""
    """A quiet word behind it, such as a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """A picture at the size it is shown, in CSS pixels; a height of 0 is not known."""

    url: str
    alt: str
    width: int
    height: int = 0
    cover: bool = False
    """Small and beside the title instead of wide and above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryView:
    """A story as it is printed."""

    kind: StoryKind
    title: str
    url: str
    byline: str
    excerpt_html: str
    excerpt_text: str
    ordinal: int = 0
    """Its place among the stories of the mail, from 1; links and older pieces have none."""
    image: ImageView | None = None
    buttons: tuple[LinkView, ...] = ()
    """What to do next, the more important first; at most two."""
    also: tuple[LinkView, ...] = ()
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
    related: tuple[LinkView, ...] = ()
    """Older pieces about the same."""
    related_heading: str = ""


def story_view(story: Story, voice: Translator, zone: tzinfo, *, excerpt_words: int | None = None) -> StoryView:
    """Word a story for printing; ``max_excerpt_words`` shortens its excerpt further than it came, to save weight."""
    excerpt = story.excerpt_md
    if excerpt_words is not None:
        excerpt = markdown.excerpt(excerpt, excerpt_words) if excerpt_words else ""
    return StoryView(
        kind=story.kind,
        title=story_title(story, voice),
        url=safe_url(story.url),
        byline=_byline(story, voice),
        excerpt_html=markdown.to_html(excerpt),
        excerpt_text=markdown.to_text(excerpt, colon=words.label_separator(voice)),
        image=_image(story, voice),
        buttons=tuple(_buttons(story, voice)),
        also=tuple(_also(story, voice)),
        note_html=markdown.to_html(story.note_md),
        note_text=markdown.to_text(story.note_md, colon=words.label_separator(voice)),
        contents=tuple(filter(None, map(one_line, story.chapter_titles))),
        contents_heading=voice.gettext("In this episode"),
        opening=one_line(story.transcript_opening),
        opening_heading=voice.gettext("How it begins"),
        related=tuple(_related(story.related, voice, zone)),
        related_heading=voice.gettext("More about this"),
    )


def brief_view(story: Story, voice: Translator) -> StoryView:
    """Word a story as a mere line: its title, who made it and how long it takes."""
    return StoryView(
        kind=story.kind,
        title=story_title(story, voice),
        url=safe_url(story.url) or safe_url(story.listen_url),
        byline=_byline(story, voice),
        excerpt_html="",
        excerpt_text="",
    )


def story_title(story: Story, voice: Translator) -> str:
    """Give a story's title, or a word for having none."""
    return one_line(story.title) or voice.gettext("Untitled")


def safe_url(url: str) -> str:
    """Let only addresses of web pages through; entries hold no other, and here is the last place to be sure."""
    return url if url.lower().startswith(("https://", "http://")) and not re.search(r'[\s"<>]', url) else ""


def one_line(text: str) -> str:
    """Put text on one line, one blank between words.

    >>> one_line(" To \\n read ")
    'To read'
    """
    return " ".join(text.split())


def _byline(story: Story, voice: Translator) -> str:
    """Say who made a story and how long it takes; what the language keeps together, a line's end does not part."""
    named = replace(
        story, author=one_line(story.author), guest=one_line(story.guest), link_domain=one_line(story.link_domain)
    )
    return " · ".join(words.byline(named, voice))


def _buttons(story: Story, voice: Translator) -> Iterable[LinkView]:
    read_url = safe_url(story.url)
    listen_url = safe_url(story.listen_url) or (read_url if story.kind == "episode" else "")
    if listen_url and story.kind in ("episode", "read-or-listen"):
        yield LinkView(label=words.listen_button_label(story, voice), url=listen_url)
    if read_url and story.kind in ("post", "read-or-listen"):
        yield LinkView(label=words.read_button_label(story, voice), url=read_url)


def _also(story: Story, voice: Translator) -> Iterable[LinkView]:
    yield from (
        LinkView(label=one_line(name), url=url) for name, url in story.listen_links if safe_url(url) and name.strip()
    )
    if safe_url(story.transcript_url):
        yield LinkView(label=voice.gettext("Transcript"), url=story.transcript_url)


def _related(pieces: Iterable[RelatedEntry], voice: Translator, zone: tzinfo) -> Iterable[LinkView]:
    for each in pieces:
        if safe_url(each.url) and each.title.strip():
            yield LinkView(
                label=one_line(each.title),
                url=each.url,
                about=words.format_month(each.published_at.astimezone(zone), voice),
            )


def _image(story: Story, voice: Translator) -> ImageView | None:
    picture = story.picture
    if (
        picture is None
        or not safe_url(picture.url)
        or MIN_IMAGE_PIXELS > min(picture.width or MIN_IMAGE_PIXELS, picture.height or MIN_IMAGE_PIXELS) > 0
    ):
        return None
    alt = one_line(picture.alt) or story_title(story, voice)
    if _is_cover(story, picture):
        side = min(COVER_WIDTH, picture.width or COVER_WIDTH)
        return ImageView(url=picture.url, alt=alt, width=side, height=side, cover=True)
    width, height = fit_image(picture.width, picture.height)
    return ImageView(url=picture.url, alt=alt, width=width, height=height)


def _is_cover(story: Story, picture: Picture) -> bool:
    """Episode art is square (Apple's rule); a post's picture, also of an episode's post, is not."""
    if story.kind == "post":
        return False
    if picture.width and picture.height:
        return 0.8 * picture.height < picture.width < 1.2 * picture.height
    return story.post is None or story.post.picture is None or story.post.picture.url != picture.url


def fit_image(width: int | None, height: int | None, max_side: int = FULL_WIDTH) -> tuple[int, int]:
    """Fit a picture into a square of ``most`` pixels, the text's width, without enlarging it; 0 is not known.

    >>> fit(1072, 600), fit(300, 200), fit(600, 1200), fit(None, None)
    ((536, 300), (300, 200), (268, 536), (536, 0))
    """
    if not width or width < 0:
        return max_side, 0
    if not height or height < 0:
        return min(width, max_side), 0
    scale = min(1.0, max_side / width, max_side / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
