"""From the chosen entries to a Digest: stories, sections, subject and preheader.

In: the groups a Selection chose, the publication, the feeds, what the editor asks for, what there is to point back to,
what is known of episodes' contents, the excerpts that were made before. Out: a Digest, the same for everybody.
Pure: no network, disk, clock or randomness; excerpts are made here, of these few entries only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.digest.compose.archive import ArchiveContent, related_entries
from pipeline.digest.compose.excerpts import ExcerptCache, excerpt_key
from pipeline.digest.compose.images import with_image_sizes
from pipeline.digest.compose.inputs import DigestInputs
from pipeline.digest.compose.subject import compose_preheader, compose_subject
from pipeline.digest.editor.apply import apply_links, apply_notes, apply_order
from pipeline.digest.render.translator import Translator
from pipeline.model.digest import Digest, Section, SectionKind, Story, StoryKind
from pipeline.model.entry import Entry, Picture, StoredEntry
from pipeline.model.feed import Feed, FeedKind
from pipeline.text.html import reading_minutes
from pipeline.text.html_to_markdown import escape_markdown
from pipeline.text.titles import strip_episode_number
from pipeline.text.urls import domain

_EXCERPT_WORDS: dict[StoryKind, int] = {"post": 60, "episode": 50, "read-or-listen": 60, "link": 30}
_SECTION_OF: dict[StoryKind, SectionKind] = {
    "post": "posts",
    "episode": "episodes",
    "read-or-listen": "episodes",
    "link": "links",
}
_SECTION_ORDER: tuple[SectionKind, ...] = ("posts", "episodes", "links")

EpisodeDetails = Mapping[str, tuple[str, ...]]


def compose(inputs: DigestInputs) -> tuple[Digest, Mapping[str, str]]:
    """Return a week's digest, and the excerpts that had to be made for it, by ``excerpt_key``.

    Sections without stories are left out. The editor's overrides come before what the program would choose.
    """
    selection, overrides, publication = inputs.selection, inputs.selection.overrides, inputs.publication
    feeds = {feed.id: feed for feed in inputs.feeds}
    excerpts = ExcerptCache(inputs.excerpts)
    composed = [
        _compose_story(entries, feeds, inputs.archive, inputs.episode_details, excerpts)
        for entries in selection.stories
    ]
    stories = apply_links(apply_notes(composed, overrides), overrides, inputs.closes_at)
    sections = apply_order(_sections(stories, feeds), overrides)
    ordered = [story for section in sections for story in section.stories]
    digest = Digest(
        week=str(inputs.week),
        number=inputs.number,
        opens_at=inputs.opens_at,
        closes_at=inputs.closes_at,
        publication=publication,
        subject=overrides.subject or compose_subject(ordered, publication.name),
        preheader=overrides.preheader or compose_preheader(ordered, inputs.translator),
        introduction_md=overrides.introduction_md,
        sections=sections,
        decisions=selection.decisions,
        archive=tuple(_archive_sections(inputs.archive, feeds, inputs.translator)),
    )
    return with_image_sizes(digest, inputs.image_sizes), excerpts.new


def excerpt_keys(stories: Iterable[Sequence[StoredEntry]], feeds: Sequence[Feed]) -> frozenset[str]:
    """Name the excerpts that the stories of these groups may be told with, as ``digest.excerpts`` names them."""
    by_id = {feed.id: feed for feed in feeds}
    cast = (_cast([stored.entry for stored in group], by_id) for group in stories)
    return frozenset(
        excerpt_key(body, _EXCERPT_WORDS[kind]) for kind, lead, _, audio in cast for body in _bodies(lead, audio)
    )


def _compose_story(
    group: Sequence[StoredEntry],
    feeds: Mapping[str, Feed],
    older: ArchiveContent,
    talks: EpisodeDetails,
    excerpts: ExcerptCache,
) -> Story:
    """Tell a group as one story, with what is inside the episode and what older pieces are about the same."""
    story = _story([stored.entry for stored in group], feeds, excerpts)
    audio = story.audio
    chapters = talks.get(audio.chapters_url, ()) if audio else ()
    opening = next((talks[each.url] for each in audio.transcripts if talks.get(each.url)), ()) if audio else ()
    return replace(
        story,
        chapter_titles=chapters,
        transcript_opening="" if chapters else " ".join(opening),
        related=related_entries(older.related.get(group[0].entry_id, ())),
    )


def _archive_sections(older: ArchiveContent, feeds: Mapping[str, Feed], voice: Translator) -> Iterator[Section]:
    for heading, found in ((voice.gettext("This week a year ago"), older.year_ago), ("", older.filler)):
        if found:
            yield Section(kind="archive", heading=heading, stories=tuple(_again(each.entry, feeds) for each in found))


def _again(entry: Entry, feeds: Mapping[str, Feed]) -> Story:
    """Tell an older entry once more, in the plain words that were kept of it: they are short, and at hand."""
    story = _story([replace(entry, body_html="")], feeds, ExcerptCache())
    minutes = reading_minutes(entry.body_html) if story.kind == "post" else 0
    return replace(story, excerpt_md=escape_markdown(entry.excerpt_text), reading_minutes=minutes)


def _story(entries: Sequence[Entry], feeds: Mapping[str, Feed], excerpts: ExcerptCache) -> Story:
    """Tell entries as one story: what there is to read first, then what there is to hear."""
    kind, lead, read, audio = _cast(entries, feeds)
    listen_feed = feeds.get(audio.feed_id) if audio else None
    return Story(
        kind=kind,
        title=strip_episode_number(lead.title, audio.episode, audio.season) if audio else lead.title,
        url=_page(lead) or (_page(audio) if audio else ""),
        entries=tuple(dict.fromkeys(entry for entry in (read, audio, *entries) if entry)),
        excerpt_md=_excerpt(lead, audio, _EXCERPT_WORDS[kind], excerpts),
        author=lead.author,
        guest=lead.guest or (audio.guest if audio else ""),
        picture=_picture(read, audio, kind),
        reading_minutes=reading_minutes(read.body_html) if read and kind != "link" else 0,
        duration_seconds=audio.duration_seconds if audio else None,
        season=audio.season if audio else None,
        episode=audio.episode if audio else None,
        listen_url=_page(audio) if audio else "",
        listen_links=listen_feed.listen if listen_feed else (),
        transcript_url=next((each.url for each in audio.transcripts), "") if audio else "",
        explicit=bool(audio and audio.explicit),
        published_at=min(entry.published_at for entry in entries),
        link_domain=domain(lead.url) if kind == "link" else "",
    )


def _cast(entries: Sequence[Entry], feeds: Mapping[str, Feed]) -> tuple[StoryKind, Entry, Entry | None, Entry | None]:
    """Tell what kind of story entries are, which of them leads, which is to be read, and which to be heard."""
    audio = _first((entry for entry in entries if entry.is_episode), feeds, "podcast")
    read = _first((entry for entry in entries if entry is not audio), feeds, "blog")
    return _kind(read, audio, feeds), read or entries[0], read, audio


def _kind(read: Entry | None, audio: Entry | None, feeds: Mapping[str, Feed]) -> StoryKind:
    if audio:
        return "read-or-listen" if read else "episode"
    return "link" if read and _is_link(read, feeds) else "post"


def _first(entries: Iterable[Entry], feeds: Mapping[str, Feed], kind: FeedKind) -> Entry | None:
    """Take the first entry, those of a kind of feed before all others: a blog's post may carry its episode's file."""
    return min(entries, key=lambda entry: entry.feed_id not in feeds or feeds[entry.feed_id].kind != kind, default=None)


def _is_link(entry: Entry, feeds: Mapping[str, Feed]) -> bool:
    return entry.feed_id in feeds and feeds[entry.feed_id].kind == "links"


def _page(entry: Entry) -> str:
    """The page to open; the media file only where there is no page."""
    return entry.url or (entry.enclosure.url if entry.enclosure else "")


def _picture(read: Entry | None, audio: Entry | None, kind: StoryKind) -> Picture | None:
    if kind == "link":
        return None
    first, second = (audio, read) if kind != "post" else (read, audio)
    return (first and first.picture) or (second and second.picture) or None


def _excerpt(lead: Entry, audio: Entry | None, words: int, excerpts: ExcerptCache) -> str:
    found = (excerpts.get(body, words) for body in _bodies(lead, audio))
    return next(filter(None, found), lead.excerpt_text)


def _bodies(lead: Entry, audio: Entry | None) -> Iterator[str]:
    """Give the bodies that a story's excerpt is taken from: the first one that has prose."""
    return (entry.body_html for entry in (lead, audio) if entry and entry.body_html)


def _sections(stories: Sequence[Story], feeds: Mapping[str, Feed]) -> tuple[Section, ...]:
    """Gather stories under their feeds' headings: posts, then episodes, then links; by date inside."""
    gathered: dict[tuple[int, str], list[Story]] = {}
    for story in stories:
        kind = _SECTION_OF[story.kind]
        told_by = story.audio if kind == "episodes" else story.entries[0]
        feed = feeds.get(told_by.feed_id) if told_by else None
        if kind == "links":  # the editor's own stand in no feed
            feed = feed or next((each for each in feeds.values() if each.kind == "links"), None)
        gathered.setdefault((_SECTION_ORDER.index(kind), feed.section if feed else ""), []).append(story)
    return tuple(
        Section(kind=_SECTION_ORDER[order], heading=heading, stories=tuple(found))
        for (order, heading), found in sorted(gathered.items(), key=lambda item: item[0][0])
    )
