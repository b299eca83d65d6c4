"""A week and its digest: what is composed, rendered and sealed.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.model.entry import Entry, Picture

SectionKind = Literal["posts", "episodes", "links", "archive"]
StoryKind = Literal["post", "episode", "read-or-listen", "link"]
EditionState = Literal["draft", "approved", "held", "sending", "sent", "skipped"]
"""Where an edition stands; ``model.edition`` says which moves lead where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Who publishes: [publication] of config.toml."""

    name: str
    url: str
    timezone: str
    language: str
    """BCP 47, e.g. ``en-GB``; becomes the mail's ``lang``."""
    sender: str
    """RFC 5322 mailbox: ``Name <address>``."""
    editor: str
    postal_address: str
    tagline: str = ""
    logo_url: str = ""
    accent: str = ""
    """Colour of links and buttons, ``#rrggbb``; empty means the theme's own."""
    reason: str = ""
    """Footer: why the reader gets this mail."""
    fonts: str = ""
    """A family of fonts, by its name in ``digest.look``; empty means the theme's own."""
    call_to_action_md: str = ""
    """The one thing that readers are asked to do, as Markdown."""
    logo_width: int | None = None
    """The logo's size in pixels, where it is known; so is ``logo_height``."""
    logo_height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedEntry:
    """An older post or episode that a digest points back to. It was news once and is none now: it counts as nothing."""

    title: str
    url: str
    published_at: datetime
    guid: str = ""
    feed_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One entry of the digest after pairing: a post, an episode, both as one, or a link."""

    kind: StoryKind
    title: str
    url: str
    """The page the title leads to: the post's where there is one, else the episode's."""
    entries: tuple[Entry, ...]
    """The entries it is made of: the one to read (where there is one), the one to hear, then the others."""
    excerpt_md: str = ""
    """A few sentences (or a short list) as Markdown, without headings, pictures or raw HTML."""
    author: str = ""
    guest: str = ""
    picture: Picture | None = None
    reading_minutes: int = 0
    duration_seconds: int | None = None
    season: int | None = None
    episode: int | None = None
    listen_url: str = ""
    """The episode's page (never the media file where there is a page); empty when there is nothing to hear."""
    listen_links: tuple[tuple[str, str], ...] = ()
    """Other places to hear it: (name, URL)."""
    transcript_url: str = ""
    explicit: bool = False
    published_at: datetime | None = None
    link_domain: str = ""
    """For a link: the domain it leads to, e.g. ``example.org``."""
    note_md: str = ""
    """A few words of the editor's about it, as Markdown."""
    chapter_titles: tuple[str, ...] = ()
    """What it is about, chapter by chapter."""
    transcript_opening: str = ""
    """How it begins, in the speakers' own words, where there are no chapters."""
    related: tuple[RelatedEntry, ...] = ()
    """Older pieces about the same, the nearest first."""

    @property
    def post(self) -> Entry | None:
        """The part to read, where there is one."""
        return self.entries[0] if self.kind in ("post", "read-or-listen") else None

    @property
    def audio(self) -> Entry | None:
        """The part to hear, where there is one."""
        heard = {"episode": 0, "read-or-listen": 1}.get(self.kind)
        return None if heard is None else self.entries[heard]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Stories under one heading."""

    kind: SectionKind
    heading: str
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One line of the why-ledger: an entry, in or out, and why, as a sentence's end."""

    feed_id: str
    guid: str
    title: str
    included: bool
    reason: str
    published_at: datetime
    entry_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The content of a week, the same for everybody."""

    week: str
    """ISO week, e.g. ``2026-W07``."""
    opens_at: datetime
    closes_at: datetime
    publication: Publication
    subject: str
    preheader: str
    sections: tuple[Section, ...]
    decisions: tuple[Decision, ...]
    headline: str = ""
    introduction_md: str = ""
    number: int | None = None
    """The edition's number, once it has one."""
    archive: tuple[Section, ...] = ()
    """Older stories, told again and marked as such. They are no part of ``stories``: nothing of them is carried."""

    @property
    def stories(self) -> tuple[Story, ...]:
        """All stories in the order a reader meets them."""
        return tuple(story for section in self.sections for story in section.stories)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDigest:
    """The digest as words on a page: still without an envelope."""

    subject: str
    preheader: str
    html: str
    text: str
    shortening: str = ""
    """What was told in fewer words to keep the mail light, as a sentence; empty when nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A digest as bytes: what is previewed and written is exactly this."""

    week: str
    state: EditionState
    number: int | None
    subject: str
    preheader: str
    html: bytes
    text: bytes
    eml: bytes
    manifest: bytes
    """manifest.json, UTF-8, with the SHA-256 of each part."""
    content_hash: str = ""
    """SHA-256 over all a reader gets: what an editor has seen, and approves."""
    changes: tuple[str, ...] = ()
    """Of a sealed edition: what has changed since, a phrase each. Its bytes have not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSummary:
    """A week at a glance, for a list of weeks."""

    week: str
    opens_at: datetime
    """Aware, in the publication's time zone: pages print it as it is. The same holds for ``closes_at``."""
    closes_at: datetime
    posts: int = 0
    episodes: int = 0
    links: int = 0
    state: EditionState = "draft"
    number: int | None = None
    """The edition's number, once it has one."""
    changed: bool = False
    """True when the content has changed since the edition was approved."""
    running: bool = False
    """True while the week has not closed: more may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFailure:
    """Why there is no edition to show: a sentence for the editor, and where to mend it."""

    message: str
    file: str = ""
    line: int | None = None
    context_lines: tuple[tuple[int, str], ...] = ()
    """The lines of the file around that line, each with its number."""
