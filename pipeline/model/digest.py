"""Digests: what is composed, rendered and sealed for a week."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pipeline.model.block import Block
from pipeline.model.correction import CorrectionNote
from pipeline.model.entry import Entry, Picture, TimedText
from pipeline.model.variant import Variant

SectionKind = Literal["posts", "episodes", "links", "archive"]
StoryKind = Literal["post", "episode", "read-or-listen", "link"]
StoryLevel = Literal["lead", "story", "brief"]
"""How much of a story is shown: the one that opens the newsletter, an ordinary one, or one sentence."""
EditionState = Literal["draft", "approved", "held", "sending", "sent", "skipped"]  # transitions: ``model.edition``
WeekState = Literal["open", "draft", "approved", "held", "sending", "sent", "skipped"]
"""``open`` until the week closes, unless something was decided before; then the state of its edition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The [publication] section of config.toml."""

    name: str
    url: str
    timezone: str
    language: str
    """BCP 47, e.g. ``en-GB``; the ``lang`` of the HTML."""
    sender: str
    """RFC 5322 mailbox: ``Name <address>``."""
    editor: str
    postal_address: str
    tagline: str = ""
    logo_url: str = ""
    accent: str = ""
    """Colour of links and buttons, ``#rrggbb``; empty for the theme's own."""
    reason: str = ""  # footer: why the subscriber gets this newsletter
    fonts: str = ""
    """A key of ``digest.render.style.FONTS``; empty for the theme's own fonts."""
    call_to_action_md: str = ""
    """The one request at the end of the newsletter, as Markdown."""
    logo_width: int | None = None
    """In pixels, like ``logo_height``; None if unknown."""
    logo_height: int | None = None
    signature: str = ""
    """The editor's name, below the introduction."""
    portrait_url: str = ""
    portrait_width: int | None = None
    """In pixels, like ``portrait_height``; None if unknown."""
    portrait_height: int | None = None
    feedback_links: bool = False
    """Whether the end has links to reply, to rate the edition, and to pass it on."""

    @property
    def image_urls(self) -> tuple[str, ...]:
        """The URLs of its logo and portrait; empty ones are not set."""
        return self.logo_url, self.portrait_url


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedEntry:
    """An older post or episode that a digest links to. It does not count as part of the digest."""

    title: str
    url: str
    published_at: datetime
    guid: str = ""
    feed_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A post, an episode, both of them paired, or a link."""

    kind: StoryKind
    title: str
    url: str
    """The page the title links to: the post's if there is one, else the episode's."""
    entries: tuple[Entry, ...]
    """The post (if any), the episode (if any), then their copies."""
    level: StoryLevel = "story"
    feed_title: str = ""
    """Title of the feed, if the section has stories of several feeds."""
    feed_icon: Picture | None = None
    """Icon or picture of the feed, if ``feed_title`` is shown."""
    excerpt_md: str = ""
    """A few sentences or a short list as Markdown, without headings, images or raw HTML."""
    has_own_text: bool = False
    """Whether the editor wrote ``excerpt_md`` for this edition: it is shown in whole."""
    button_label: str = ""
    """The editor's label of the first button or link; empty for that of the theme."""
    author: str = ""
    guest: str = ""
    picture: Picture | None = None
    reading_minutes: int = 0
    """0 if there is nothing to read or it is not known how much."""
    duration_seconds: int | None = None
    season: int | None = None
    episode: int | None = None
    listen_url: str = ""
    """The page to hear the episode, its own or the post's, or its media file if it has no page; empty without one."""
    listen_site: str = ""
    """The domain that ``listen_url`` leads to, if that is another site than the publication's."""
    listen_links: tuple[tuple[str, str], ...] = ()
    """Links to other podcast platforms: (name, URL)."""
    transcript_url: str = ""
    explicit: bool = False
    published_at: datetime | None = None
    link_domain: str = ""
    """The domain that a story of kind ``link`` leads to, e.g. ``example.org``."""
    note_md: str = ""
    """The editor's note on the story, as Markdown."""
    guest_url: str = ""
    """The guest's page, if the episode has one guest and names it (podcast:person)."""
    chapters: tuple[TimedText, ...] = ()
    """Titles of the episode's chapters, and when they begin."""
    transcript_opening: str = ""
    """The beginning of the episode's transcript as plain text; empty if there are chapters."""
    quotable: tuple[TimedText, ...] = ()
    """The opening of the episode's transcript and a few sentences of it, for the editor to quote."""
    related: tuple[RelatedEntry, ...] = ()
    """Older posts and episodes about the same topic, the closest first."""

    @property
    def post(self) -> Entry | None:
        """The post, if there is one."""
        return self.entries[0] if self.kind in ("post", "read-or-listen") else None

    @property
    def audio(self) -> Entry | None:
        """The episode, if there is one."""
        index = {"episode": 0, "read-or-listen": 1}.get(self.kind)
        return None if index is None else self.entries[index]

    @property
    def is_film(self) -> bool:
        """True when its episode, or its post if there is no episode, is a video."""
        entries = self.entries[1:] if self.kind == "read-or-listen" else self.entries
        return any(entry.is_film for entry in entries[:1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Stories under one heading; the lead is alone in the first section, and its heading is not shown."""

    kind: SectionKind
    heading: str
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One line of the decision log: whether an entry is included, and why."""

    feed_id: str
    guid: str
    title: str
    included: bool
    reason: str
    """The end of a sentence, e.g. ``dated Mon 9 Feb 2026, in 2026-W07``."""
    published_at: datetime
    entry_id: int = 0
    pairing: str = ""
    """The end of a sentence about its partner, e.g. ``paired: same audio file``; also part of ``reason``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The content of a week's newsletter, the same for all subscribers."""

    week: str
    """ISO week, e.g. ``2026-W07``."""
    opens_at: datetime
    closes_at: datetime
    publication: Publication
    subject: str
    preheader: str
    sections: tuple[Section, ...]
    decisions: tuple[Decision, ...]
    subject_suggestions: tuple[str, ...] = ()
    """Subjects that the editor could take, the best first."""
    preheader_suggestions: tuple[str, ...] = ()
    """The same for the preheader; they go with ``subject``."""
    introduction_md: str = ""
    number: int | None = None
    """The edition's number; None until the edition has been sealed once."""
    archive: tuple[Section, ...] = ()
    """Older stories shown again. They are not part of ``stories`` and are not published by this edition."""
    blocks: tuple[Block, ...] = ()
    """The standing blocks of this edition, in the order of config.toml."""
    previous_url: str = ""
    """The page of the edition before; empty if there is none."""
    correction: CorrectionNote | None = None

    @property
    def stories(self) -> tuple[Story, ...]:
        """All new stories, in reading order."""
        return tuple(story for section in self.sections for story in section.stories)

    @property
    def all_stories(self) -> tuple[Story, ...]:
        """All stories, the older ones of ``archive`` last."""
        return tuple(story for section in (*self.sections, *self.archive) for story in section.stories)


@dataclass(frozen=True, slots=True, kw_only=True)
class SkimLine:
    """The little of a story that is read by somebody who only skims: its title and its first words."""

    title: str
    text: str = ""
    level: StoryLevel = "story"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDigest:
    """A digest as HTML and plain text, not yet a message."""

    subject: str
    preheader: str
    html: str
    text: str
    shortening: str = ""
    """A sentence about what was shortened to keep the HTML small; empty if nothing was."""
    skim: tuple[SkimLine, ...] = ()
    """Of each story, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A digest frozen into bytes: exactly these are previewed, written and sent."""

    week: str
    state: EditionState
    number: int | None
    subject: str
    preheader: str
    html: bytes
    text: bytes
    eml: bytes
    manifest: bytes
    """manifest.json as UTF-8, with the SHA-256 of each part."""
    content_hash: str = ""
    """SHA-256 of everything a subscriber gets: what the editor reviews and approves."""
    changes: tuple[str, ...] = ()
    """Of a sealed edition: a phrase for each change of its content since. Its bytes are unchanged."""
    variants: tuple[Variant, ...] = ()
    """For subscribers who want less than the whole; their bytes are part of the edition."""

    def as_variant(self, name: str) -> Edition:
        """Return the edition with the bytes of a variant in place of its own, or unchanged if it has no such variant.

        >>> edition = Edition(week="", state="draft", number=1, subject="", preheader="", html=b"", text=b"", eml=b"",
        ...     manifest=b"")
        >>> edition.as_variant("whole") is edition
        True
        """
        variant = next((variant for variant in self.variants if variant.name == name), None)
        if variant is None:
            return self
        return replace(
            self,
            subject=variant.subject,
            preheader=variant.preheader,
            html=variant.html,
            text=variant.text,
            eml=variant.eml,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSummary:
    """A row in the list of weeks."""

    week: str
    opens_at: datetime
    """Aware, in the publication's time zone, like ``closes_at``."""
    closes_at: datetime
    posts: int = 0
    episodes: int = 0
    links: int = 0
    state: WeekState = "draft"
    number: int | None = None
    """The edition's number; None until the edition has been sealed once."""
    changed: bool = False  # since the edition was approved
    is_open: bool = False  # until the week closes; more entries may still arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFailure:
    """Why a week's edition could not be built."""

    message: str  # a sentence for the editor
    file: str = ""  # the file to fix, if there is one
    line: int | None = None
    context_lines: tuple[tuple[int, str], ...] = ()
    """(number, text) of the lines around ``line``."""
