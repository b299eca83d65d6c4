"""Compose a digest from selected entries: stories, sections, subject and preheader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from pipeline.digest.compose.archive import ArchiveContent, related_entries
from pipeline.digest.compose.episodes import guest_page, listen_page, show_covers_once, site_of, with_episode_details
from pipeline.digest.compose.excerpts import ExcerptCache, excerpt_key, opening_of
from pipeline.digest.compose.images import with_image_sizes
from pipeline.digest.compose.inbox_line import compose_inbox_line
from pipeline.digest.compose.levels import assign_levels
from pipeline.digest.editor.apply import apply_edits, apply_links, apply_notes, apply_order
from pipeline.digest.render.story_view import MAX_WORDS
from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.digest.selection.select import Selection
from pipeline.model.block import Block
from pipeline.model.check import PreflightContext
from pipeline.model.digest import Digest, Publication, Section, SectionKind, Story, StoryKind
from pipeline.model.entry import Entry, Picture, StoredEntry, TimedText
from pipeline.model.feed import Feed, FeedKind
from pipeline.model.week import Week
from pipeline.text.headlines import without_name
from pipeline.text.html import reading_minutes
from pipeline.text.titles import strip_episode_number
from pipeline.text.urls import domain

MAX_EXCERPT_WORDS = max(MAX_WORDS.values())
"""The view of a story shortens its excerpt to what its level has room for."""
_SECTION_OF: dict[StoryKind, SectionKind] = {
    "post": "posts",
    "episode": "episodes",
    "read-or-listen": "episodes",
    "link": "links",
}
_SECTION_ORDER: tuple[SectionKind, ...] = ("posts", "episodes", "links")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestInputs:
    """Everything an edition is built from, loaded beforehand; equal inputs and themes give equal bytes."""

    week: Week
    opens_at: datetime
    closes_at: datetime
    number: int | None = None
    """The edition's number: the one it has, or the next free one."""
    publication: Publication
    feeds: tuple[Feed, ...]
    selection: Selection
    """The stories of the week, why other entries are out, and the editor's overrides."""
    archive: ArchiveContent = field(default_factory=ArchiveContent)
    """Older entries to link to."""
    feed_titles: Mapping[str, str] = field(default_factory=dict)
    """Feed id to the title that the feed states."""
    episode_details: Mapping[str, tuple[TimedText, ...]] = field(default_factory=dict)
    """URL of a chapters file to its chapters, of a transcript to its opening and then its quotable sentences."""
    rarity: Mapping[str, float] = field(default_factory=dict)
    """How rare words of the transcripts are in the archive."""
    covers: Mapping[str, Picture] = field(default_factory=dict)
    """Feed id of a show to its cover."""
    icons: Mapping[str, Picture] = field(default_factory=dict)
    """Feed id to the icon, or else the picture, that the feed states."""
    excerpts: Mapping[str, str] = field(default_factory=dict)
    """Saved excerpts as Markdown, by ``excerpt_key``; missing ones are made while composing."""
    image_sizes: Mapping[str, Picture] = field(default_factory=dict)
    """URL of an image to its measured size."""
    blocks: tuple[Block, ...] = ()
    """All standing blocks of the publication."""
    previous_url: str = ""
    """The page of the edition before; empty if there is none."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """The uploaded pictures that the editor shows, by reference."""
    preflight: PreflightContext = field(default_factory=PreflightContext)
    translator: Translator = ENGLISH


def compose(inputs: DigestInputs) -> tuple[Digest, Mapping[str, str]]:
    """Return a week's digest, and the excerpts that had to be made for it, by ``excerpt_key``.

    Sections without stories are left out. The editor's overrides come before what the program would choose.
    """
    selection, overrides, publication = inputs.selection, inputs.selection.overrides, inputs.publication
    feeds = {feed.id: feed for feed in inputs.feeds}
    excerpts = ExcerptCache(inputs.excerpts)
    composed = [_story_with_details(entries, feeds, inputs, excerpts) for entries in selection.stories]
    stories = apply_links(apply_notes(composed, overrides), overrides, inputs.closes_at)
    sections = apply_order(apply_edits(_sections(stories, feeds, inputs), overrides), overrides)
    sections = assign_levels(sections, overrides, inputs.opens_at, inputs.closes_at)
    sections = _with_feed_of_lead(sections, inputs)
    sections = show_covers_once(sections, inputs.covers)
    inbox_line = compose_inbox_line(
        [story for section in sections for story in section.stories],
        publication,
        inputs.translator,
        show_names=tuple(inputs.feed_titles.values()),
        subject=overrides.subject,
        preheader=overrides.preheader,
        introduction_md=overrides.introduction_md,
    )
    digest = Digest(
        week=str(inputs.week),
        number=inputs.number,
        opens_at=inputs.opens_at,
        closes_at=inputs.closes_at,
        publication=publication,
        subject=inbox_line.subject,
        preheader=inbox_line.preheader,
        subject_suggestions=inbox_line.subjects,
        preheader_suggestions=inbox_line.preheaders,
        introduction_md=overrides.introduction_md,
        sections=sections,
        decisions=selection.decisions,
        archive=tuple(_archive_sections(inputs, feeds, excerpts)),
        blocks=tuple(_blocks(inputs)),
        previous_url=inputs.previous_url,
    )
    return with_image_sizes(digest, inputs.image_sizes), excerpts.new


def _blocks(inputs: DigestInputs) -> Iterator[Block]:
    """Yield the standing blocks of the day on which the week closes, each text once."""
    day = inputs.closes_at.astimezone(ZoneInfo(inputs.publication.timezone)).date()
    shown = {block.text_md: block for block in reversed(inputs.blocks) if block.is_shown_on(day)}
    yield from reversed(shown.values())


def excerpt_keys(stories: Iterable[Sequence[StoredEntry]], feeds: Sequence[Feed]) -> frozenset[str]:
    """Return the keys of the excerpts that composing these stories may use."""
    by_id = {feed.id: feed for feed in feeds}
    all_parts = (_parts([stored.entry for stored in story], by_id) for story in stories)
    return frozenset(excerpt_key(parts.texts, MAX_EXCERPT_WORDS) for parts in all_parts)


def describe_texts(stories: Iterable[Sequence[StoredEntry]], feeds: Sequence[Feed]) -> dict[int, str]:
    """Return what the text of each story is, by the id of the entry that it is taken from."""
    by_id = {feed.id: feed for feed in feeds}
    described = {}
    for story in stories:
        texts = _parts([stored.entry for stored in story], by_id).texts
        opening = opening_of(texts)
        entry_id = next(stored.entry_id for stored in story if stored.entry is texts[opening.entry_index])
        if texts[opening.entry_index].body_html:
            described[entry_id] = opening.reason
    return described


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoryParts:
    """The entries of a story by their roles."""

    kind: StoryKind
    lead: Entry
    post: Entry | None
    audio: Entry | None

    @property
    def texts(self) -> tuple[Entry, ...]:
        """The entries that the text of the story may be taken from."""
        return (self.lead, self.audio) if self.audio and self.audio is not self.lead else (self.lead,)


def _parts(entries: Sequence[Entry], feeds: Mapping[str, Feed]) -> _StoryParts:
    """Return the roles of entries; a blog's post with an enclosure is the episode only if no podcast has one."""

    def first(candidates: Iterable[Entry], kind: FeedKind) -> Entry | None:
        def is_of_other_kind(entry: Entry) -> bool:
            return entry.feed_id not in feeds or feeds[entry.feed_id].kind != kind

        return min(candidates, key=is_of_other_kind, default=None)

    audio = first((entry for entry in entries if entry.is_episode), "podcast")
    post = first((entry for entry in entries if entry is not audio), "blog")
    kind: StoryKind = "post"
    if audio:
        kind = "read-or-listen" if post else "episode"
    elif post and post.feed_id in feeds and feeds[post.feed_id].kind == "links":
        kind = "link"
    return _StoryParts(kind=kind, lead=post or entries[0], post=post, audio=audio)


def _story_with_details(
    entries: Sequence[StoredEntry], feeds: Mapping[str, Feed], inputs: DigestInputs, excerpts: ExcerptCache
) -> Story:
    """Return a story with the contents of its episode and its related entries."""
    story = _story([stored.entry for stored in entries], feeds, excerpts)
    story = with_episode_details(story, inputs.episode_details, inputs.rarity)
    return replace(
        story,
        guest_url=guest_page(story),
        listen_site=site_of(story.listen_url, inputs.publication.url),
        related=related_entries(inputs.archive.related.get(entries[0].entry_id, ())),
    )


def _story(entries: Sequence[Entry], feeds: Mapping[str, Feed], excerpts: ExcerptCache) -> Story:
    parts = _parts(entries, feeds)
    kind, lead, post, audio = parts.kind, parts.lead, parts.post, parts.audio
    listen_feed = feeds.get(audio.feed_id) if audio else None
    picture_order = (post, audio) if kind == "post" else (audio, post)
    picture = next((entry.picture for entry in picture_order if entry and entry.picture), None)
    return Story(
        kind=kind,
        title=strip_episode_number(lead.title, audio.episode, audio.season) if audio else lead.title,
        url=_page_url(lead) or (_page_url(audio) if audio else ""),
        entries=tuple(dict.fromkeys(entry for entry in (post, audio, *entries) if entry)),
        excerpt_md=excerpts.get(parts.texts, MAX_EXCERPT_WORDS),
        author=lead.author,
        guest=lead.guest or (audio.guest if audio else ""),
        picture=picture if kind != "link" else None,
        reading_minutes=_reading_minutes(post) if post and kind != "link" else 0,
        duration_seconds=audio.duration_seconds if audio else None,
        season=audio.season if audio else None,
        episode=audio.episode if audio else None,
        listen_url=listen_page(audio, post) if audio else "",
        listen_links=listen_feed.listen if listen_feed else (),
        transcript_url=next((transcript.url for transcript in audio.transcripts), "") if audio else "",
        explicit=bool(audio and audio.explicit),
        published_at=min(entry.published_at for entry in entries),
        link_domain=domain(lead.url) if kind == "link" else "",
    )


def _page_url(entry: Entry) -> str:
    """Return the URL of an entry's page, or of its media file if it has no page."""
    return entry.url or (entry.enclosure.url if entry.enclosure else "")


def _archive_sections(inputs: DigestInputs, feeds: Mapping[str, Feed], excerpts: ExcerptCache) -> Iterator[Section]:
    year_ago = inputs.translator.gettext("This week a year ago")
    for heading, entries in ((year_ago, inputs.archive.year_ago), ("", inputs.archive.filler)):
        if entries:
            stories = tuple(_archive_story(stored.entry, inputs, feeds, excerpts) for stored in entries)
            yield Section(kind="archive", heading=heading, stories=stories)


def _archive_story(entry: Entry, inputs: DigestInputs, feeds: Mapping[str, Feed], excerpts: ExcerptCache) -> Story:
    """Return an older entry as a brief."""
    story = _story([entry], feeds, excerpts)
    title = without_name(story.title, inputs.feed_titles.get(entry.feed_id, ""))
    return replace(story, level="brief", title=title)


def _reading_minutes(post: Entry) -> int:
    """Return the minutes needed to read a post; 0 for a film, or if the feed has only the beginning of the text."""
    return 0 if post.is_film or post.is_cut else reading_minutes(post.body_html)


def _sections(stories: Sequence[Story], feeds: Mapping[str, Feed], inputs: DigestInputs) -> tuple[Section, ...]:
    """Return stories under the headings of their feeds: posts, then episodes, then links; by date in each section.

    Where a section has stories of several feeds, each story has the title and icon of its own.
    """
    sections: dict[tuple[int, str], list[Story]] = {}
    link_feed = next((feed for feed in feeds.values() if feed.kind == "links"), None)
    for story in stories:
        kind = _SECTION_OF[story.kind]
        feed = feeds.get(_feed_id(story)) or (link_feed if kind == "links" else None)  # the editor's own are in no feed
        title = inputs.feed_titles.get(feed.id, "") if feed and kind != "links" else ""
        icon = inputs.icons.get(feed.id) if feed and title else None
        key = (_SECTION_ORDER.index(kind), feed.section if feed else "")
        named = replace(story, feed_title=title, feed_icon=icon, title=without_name(story.title, title))
        sections.setdefault(key, []).append(named)
    return tuple(
        Section(kind=_SECTION_ORDER[order], heading=heading, stories=_with_feed_titles(section_stories))
        for (order, heading), section_stories in sorted(sections.items(), key=lambda section: section[0][0])
    )


def _with_feed_of_lead(sections: tuple[Section, ...], inputs: DigestInputs) -> tuple[Section, ...]:
    """Return sections whose lead, which has no heading, has the title of its feed if other stories are of another.

    A feed with the name of the publication need not be named.
    """
    stories = [story for section in sections for story in section.stories if story.kind != "link"]
    feed_ids = [_feed_id(story) for story in stories]
    title = inputs.feed_titles.get(feed_ids[0], "") if stories else ""
    if title in ("", inputs.publication.name) or len(set(feed_ids)) < 2:
        return sections
    lead = replace(stories[0], feed_title=title, feed_icon=inputs.icons.get(feed_ids[0]))
    return (replace(sections[0], stories=(lead,)), *sections[1:])


def _feed_id(story: Story) -> str:
    entry = story.audio if _SECTION_OF[story.kind] == "episodes" else story.entries[0]
    return entry.feed_id if entry else ""


def _with_feed_titles(stories: Sequence[Story]) -> tuple[Story, ...]:
    """Return the stories of a section without the titles and icons of their feeds if all are of one feed."""
    if len({story.feed_title for story in stories}) > 1:
        return tuple(stories)
    return tuple(replace(story, feed_title="", feed_icon=None) for story in stories)
