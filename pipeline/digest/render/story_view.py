"""View of a story: everything a template prints of it, worded and measured, for HTML and plain text alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from pipeline.digest.render import wording
from pipeline.digest.render.translator import Translator
from pipeline.model.block import BlockKind
from pipeline.model.digest import RelatedEntry, Story, StoryKind, StoryLevel
from pipeline.model.entry import Picture, TimedText
from pipeline.text import markdown
from pipeline.text.html_images import MIN_PIXELS
from pipeline.text.markdown_ends import is_list
from pipeline.text.plain_text import count_words
from pipeline.text.sentences import sentence_ends

FULL_WIDTH = 536
THUMBNAIL_WIDTH = 160
COVER_WIDTH = 120
MAX_WORDS: Mapping[StoryLevel, int] = {"lead": 60, "story": 40, "brief": 30}
"""The most words of a story's text; for a brief those of its title count, too."""
MIN_BRIEF_WORDS = 10
MIN_IMAGE_HEIGHT = 48
"""An image of less height is a rule or a button and is not shown, nor is one narrower than ``MIN_PIXELS``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link and its label."""

    label: str
    url: str
    detail: str = ""
    """Shown quietly after the label, e.g. a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """An image at its displayed size in CSS pixels; a height of 0 is unknown."""

    url: str
    alt: str
    width: int
    height: int = 0
    beside: bool = False
    """Small and beside the title, instead of as wide as the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockView:
    """A standing block as templates print it."""

    kind: BlockKind
    label: str
    """Of a sponsor it always says so; may be empty otherwise."""
    content_html: str
    content_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryView:
    """A story as templates print it; an empty field is left out."""

    kind: StoryKind
    level: StoryLevel
    title: str
    url: str
    kicker: str = ""
    """Whether to read or to hear it, and how long that takes."""
    byline: str = ""
    """Feed, author or guest, number of an episode; of a brief its feed or domain alone."""
    excerpt_html: str = ""
    """Empty for a brief."""
    excerpt_text: str = ""
    """Of a brief one sentence or less, for HTML and plain text alike."""
    colon: str = ""
    """Of a brief: between its title and its text, spaces included."""
    ordinal: int = 0
    """Its number among the stories of the newsletter, from 1; 0 for briefs."""
    image: ImageView | None = None
    buttons: tuple[LinkView, ...] = ()
    """At most two, the more important first."""
    more_links: tuple[LinkView, ...] = ()
    """Where else it can be heard or read."""
    note_html: str = ""
    """The editor's note; of a brief without paragraphs, in place of its text."""
    note_text: str = ""
    contents: tuple[str, ...] = ()
    """The titles of an episode's parts, each after the time at which it begins."""
    contents_heading: str = ""
    opening: str = ""
    """How an episode begins, if it has no ``contents``."""
    opening_heading: str = ""
    related: tuple[LinkView, ...] = ()
    """Older entries about the same topic."""
    related_heading: str = ""
    blocks: tuple[BlockView, ...] = ()
    """Standing blocks that follow it."""


def story_view(story: Story, translator: Translator, zone: tzinfo) -> StoryView:
    """Return the view of a story that is not a brief."""
    separator = wording.label_separator(translator)
    excerpt_md = markdown.excerpt(story.excerpt_md, MAX_WORDS[story.level])
    return StoryView(
        kind=story.kind,
        level=story.level,
        title=_title(story, translator),
        url=safe_url(story.url),
        kicker=wording.kicker(story, translator),
        byline=" · ".join(wording.byline(_with_names_on_one_line(story), translator)),
        excerpt_html=markdown.to_html(excerpt_md),
        excerpt_text=markdown.to_text(excerpt_md, colon=separator),
        image=_image(story, translator),
        buttons=tuple(_buttons(story, translator)),
        more_links=tuple(_more_links(story, translator)),
        note_html=markdown.to_html(story.note_md),
        note_text=markdown.to_text(story.note_md, colon=separator),
        contents=tuple(_contents(story.chapters)),
        contents_heading=translator.gettext("In this episode"),
        opening=one_line(story.transcript_opening),
        opening_heading=translator.gettext("How it begins"),
        related=tuple(_related_links(story.related, translator, zone)),
        related_heading=translator.gettext("More about this"),
    )


def brief_view(story: Story, translator: Translator, *, max_words: int = MAX_WORDS["brief"]) -> StoryView:
    """Return the view of a story as a brief: its title, then a sentence so that both have about ``max_words`` words.

    With 0 words there is no sentence, but the editor's note always is there.
    """
    separator, title = wording.label_separator(translator), _title(story, translator)
    kicker = wording.kicker(story, translator)
    sentence = "" if story.note_md else _first_sentence(story.excerpt_md, max_words and _remaining(max_words, title))
    has_text = bool(sentence or story.note_md.strip())
    return StoryView(
        kind=story.kind,
        level="brief",
        title=title,
        url=safe_url(story.url) or safe_url(story.listen_url),
        kicker=kicker,
        byline=one_line(story.link_domain or story.feed_title) or (kicker if max_words else ""),
        excerpt_text=sentence,
        colon=(" " if title[-1] in ".!?…。！？؟۔" else separator) if has_text else "",
        note_html=markdown.to_inline_html(story.note_md),
        note_text=markdown.to_text(story.note_md, colon=separator),
    )


def shown_text(story: Story) -> str:
    """Return the text of a story as it is shown at its level, as plain text; empty for a brief with a note."""
    if story.level != "brief":
        return markdown.to_plain(markdown.excerpt(story.excerpt_md, MAX_WORDS[story.level]))
    return "" if story.note_md else _first_sentence(story.excerpt_md, _remaining(MAX_WORDS["brief"], story.title))


def _remaining(max_words: int, title: str) -> int:
    return max(MIN_BRIEF_WORDS, max_words - count_words(title))


def _first_sentence(md: str, max_words: int) -> str:
    """Return the first sentence as plain text, cut after ``max_words`` words; empty for 0 words, or for a list."""
    if is_list(md):
        return ""
    text = markdown.to_plain(markdown.excerpt(md, max_words)) if max_words else ""
    return text[: next(iter(sentence_ends(text)), len(text))]


def _with_names_on_one_line(story: Story) -> Story:
    return replace(
        story, author=one_line(story.author), guest=one_line(story.guest), feed_title=one_line(story.feed_title)
    )


def safe_url(url: str) -> str:
    """Return a URL if it is http(s) and needs no escaping, else ""; a last check, as entries should have no others."""
    return url if url.lower().startswith(("https://", "http://")) and not re.search(r'[\s"<>]', url) else ""


def one_line(text: str) -> str:
    """Return text on one line, with single spaces.

    >>> one_line(" To \\n read ")
    'To read'
    """
    return " ".join(text.split())


def fit_image(width: int | None, height: int | None, max_side: int = FULL_WIDTH) -> tuple[int, int]:
    """Return the size of an image scaled down to fit a square of ``max_side`` CSS pixels; 0 is unknown.

    >>> fit_image(1072, 600), fit_image(300, 200), fit_image(600, 1200), fit_image(None, None)
    ((536, 300), (300, 200), (268, 536), (536, 0))
    """
    if not width or width < 0:
        return max_side, 0
    if not height or height < 0:
        return min(width, max_side), 0
    scale = min(1.0, max_side / width, max_side / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _title(story: Story, translator: Translator) -> str:
    return one_line(story.title) or translator.gettext("Untitled")


def _buttons(story: Story, translator: Translator) -> Iterator[LinkView]:
    read_url = safe_url(story.url)
    listen_url = safe_url(story.listen_url) or (read_url if story.kind == "episode" else "")
    if listen_url and story.kind in ("episode", "read-or-listen"):
        yield LinkView(label=wording.listen_button_label(story, translator), url=listen_url)
    if read_url != listen_url and read_url and story.kind in ("post", "read-or-listen"):
        yield LinkView(label=wording.read_button_label(story, translator), url=read_url)


def _contents(chapters: Iterable[TimedText]) -> Iterator[str]:
    for chapter in chapters:
        if title := one_line(chapter.text):
            yield title if chapter.start_seconds is None else f"{clock_time(chapter.start_seconds)} {title}"


def clock_time(seconds: int) -> str:
    """Return a time within an episode as players show it.

    >>> clock_time(65), clock_time(3909)
    ('1:05', '1:05:09')
    """
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def _more_links(story: Story, translator: Translator) -> Iterator[LinkView]:
    if safe_url(story.guest_url) and story.guest.strip():
        yield LinkView(label=one_line(story.guest), url=story.guest_url)
    for name, url in story.listen_links:
        if safe_url(url) and name.strip():
            yield LinkView(label=one_line(name), url=url)
    if safe_url(story.transcript_url):
        yield LinkView(label=translator.gettext("Transcript"), url=story.transcript_url)


def _related_links(entries: Iterable[RelatedEntry], translator: Translator, zone: tzinfo) -> Iterator[LinkView]:
    for entry in entries:
        if safe_url(entry.url) and entry.title.strip():
            month = translator.format_month(entry.published_at.astimezone(zone))
            yield LinkView(label=one_line(entry.title), url=entry.url, detail=month)


def _image(story: Story, translator: Translator) -> ImageView | None:
    picture = story.picture
    if picture is None or not safe_url(picture.url):
        return None
    if 0 < (picture.width or 0) < MIN_PIXELS or 0 < (picture.height or 0) < MIN_IMAGE_HEIGHT:
        return None
    alt = one_line(picture.alt) or _title(story, translator)
    if _is_cover(story, picture):
        side = min(COVER_WIDTH, picture.width or COVER_WIDTH)
        return ImageView(url=picture.url, alt=alt, width=side, height=side, beside=True)
    beside = story.level != "lead"
    width, height = fit_image(picture.width, picture.height, THUMBNAIL_WIDTH if beside else FULL_WIDTH)
    return ImageView(url=picture.url, alt=alt, width=width, height=height, beside=beside)


def _is_cover(story: Story, picture: Picture) -> bool:
    """Return whether an image is episode art, which is square (Apple's rule); a post's image never is."""
    if story.kind == "post":
        return False
    if picture.width and picture.height:
        return 0.8 * picture.height < picture.width < 1.2 * picture.height
    return story.post is None or story.post.picture is None or story.post.picture.url != picture.url
