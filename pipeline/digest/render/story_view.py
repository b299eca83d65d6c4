"""View of a story: everything a template prints of it, worded and measured, for HTML and plain text alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from pipeline.digest.render import wording
from pipeline.digest.render.image_view import ImageView, icon_view, image_view, one_line, safe_url
from pipeline.digest.render.translator import Translator
from pipeline.model.block import BlockKind
from pipeline.model.digest import RelatedEntry, Story, StoryKind, StoryLevel
from pipeline.model.entry import TimedText
from pipeline.text import markdown
from pipeline.text.markdown_ends import is_list
from pipeline.text.markdown_pictures import to_html_with_pictures
from pipeline.text.plain_text import count_words
from pipeline.text.sentences import sentence_ends

MAX_WORDS: Mapping[StoryLevel, int] = {"lead": 60, "story": 40, "brief": 30}
"""The most words of a story's text; for a brief those of its title count, too."""
MIN_BRIEF_WORDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """A link and its label."""

    label: str
    url: str
    detail: str = ""
    """Shown quietly after the label, e.g. a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BylinePart:
    """A part of a byline: a name, which may have an icon and be a link, and the words around it."""

    name: str
    before: str = ""
    after: str = ""
    url: str = ""
    icon: ImageView | None = None
    """Of a feed; it says nothing that the name does not."""


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
    byline_parts: tuple[BylinePart, ...] = ()
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

    @property
    def byline(self) -> str:
        """The text of ``byline_parts``, separated by middle dots."""
        return " · ".join(f"{part.before}{part.name}{part.after}" for part in self.byline_parts)


def story_view(story: Story, translator: Translator, zone: tzinfo) -> StoryView:
    """Return the view of a story that is not a brief."""
    separator = wording.label_separator(translator)
    excerpt_md = shown_markdown(story)
    return StoryView(
        kind=story.kind,
        level=story.level,
        title=_title(story, translator),
        url=safe_url(story.url),
        kicker=wording.kicker(story, translator),
        byline_parts=tuple(_byline(story, translator)),
        excerpt_html=markdown.to_html(excerpt_md),
        excerpt_text=markdown.to_text(excerpt_md, colon=separator),
        image=image_view(story, _title(story, translator)),
        buttons=tuple(_buttons(story, translator)),
        more_links=tuple(_more_links(story, translator)),
        note_html=to_html_with_pictures(story.note_md),
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
    sentence = "" if story.note_md else _brief_text(story, max_words and _remaining(max_words, title))
    has_text = bool(sentence or story.note_md.strip())
    return StoryView(
        kind=story.kind,
        level="brief",
        title=title,
        url=safe_url(story.url) or safe_url(story.listen_url),
        kicker=kicker,
        byline_parts=tuple(_brief_byline(story, kicker if max_words else "")),
        excerpt_text=sentence,
        colon=(" " if title[-1] in ".!?…。！？؟۔" else separator) if has_text else "",
        note_html=markdown.to_inline_html(story.note_md),
        note_text=markdown.to_text(story.note_md, colon=separator),
    )


def shown_markdown(story: Story) -> str:
    """Return the text of a story as Markdown: the editor's own in whole, any other as far as its level has room."""
    if story.has_own_text:
        return story.excerpt_md
    if story.level == "brief":
        return _brief_text(story, _remaining(MAX_WORDS["brief"], story.title))
    return markdown.excerpt(story.excerpt_md, MAX_WORDS[story.level])


def shown_text(story: Story) -> str:
    """Return the text of a story as it is shown at its level, as plain text; empty for a brief with a note."""
    if story.level != "brief":
        return markdown.to_plain(shown_markdown(story))
    return "" if story.note_md else _brief_text(story, _remaining(MAX_WORDS["brief"], story.title))


def _remaining(max_words: int, title: str) -> int:
    return max(MIN_BRIEF_WORDS, max_words - count_words(title))


def _brief_text(story: Story, max_words: int) -> str:
    """Return the text of a brief as plain text: the editor's own in whole, else a sentence; empty for 0 words."""
    if story.has_own_text:
        return one_line(markdown.to_plain(story.excerpt_md)) if max_words else ""
    return _first_sentence(story.excerpt_md, max_words)


def _first_sentence(md: str, max_words: int) -> str:
    """Return the first sentence as plain text, cut after ``max_words`` words; empty for 0 words, or for a list."""
    if is_list(md):
        return ""
    text = markdown.to_plain(markdown.excerpt(md, max_words)) if max_words else ""
    return text[: next(iter(sentence_ends(text)), len(text))]


def _byline(story: Story, translator: Translator) -> Iterator[BylinePart]:
    author, guest, feed_title = map(one_line, (story.author, story.guest, story.feed_title))
    phrases = wording.byline(replace(story, author=author, guest=guest, feed_title=feed_title), translator)
    for name, before, after, role in phrases:
        url = safe_url(story.guest_url) if role == "guest" else ""
        icon = icon_view(story) if role == "feed" else None
        yield BylinePart(name=name, before=before, after=after, url=url, icon=icon)


def _brief_byline(story: Story, otherwise: str) -> Iterator[BylinePart]:
    """Yield the byline of a brief, if it has one."""
    if name := one_line(story.link_domain or story.feed_title):
        yield BylinePart(name=name, icon=None if story.link_domain else icon_view(story))
    elif otherwise:
        yield BylinePart(name=otherwise)


def _title(story: Story, translator: Translator) -> str:
    return one_line(story.title) or translator.gettext("Untitled")


def _buttons(story: Story, translator: Translator) -> Iterator[LinkView]:
    """Yield the links to hear and to read a story; the first has the editor's label, if there is one."""
    own = iter(filter(None, [one_line(story.button_label)]))
    read_url = safe_url(story.url)
    listen_url = safe_url(story.listen_url) or (read_url if story.kind == "episode" else "")
    if listen_url and story.kind in ("episode", "read-or-listen"):
        yield LinkView(label=next(own, "") or wording.listen_button_label(story, translator), url=listen_url)
    if read_url != listen_url and read_url and story.kind in ("post", "read-or-listen"):
        yield LinkView(label=next(own, "") or wording.read_button_label(story, translator), url=read_url)


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
