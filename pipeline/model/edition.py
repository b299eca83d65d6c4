"""Editions: the editor's overrides, the states of an edition and the transitions between them.

draft ──approve──> approved ──send──> sending ──> sent
  │ ▲                 │ (content changed: approve again, which seals again)
  ├─┴── hold / resume ┘
  └── skip / resume: its entries carry over, until they are published
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from pipeline.model.digest import Edition, EditionState
from pipeline.model.entry import Entry, StoredEntry
from pipeline.text.urls import url_key


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorLink:
    """A useful link that the editor added to one edition."""

    url: str
    title: str = ""
    note_md: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryEdit:
    """The editor's own text, picture and labels of a story in one edition; an empty field keeps what was published."""

    title: str = ""
    text_md: str | None = None
    """The excerpt as Markdown, shown in whole; empty for none, None for the published one."""
    picture_url: str | None = None
    """The address of a picture; empty for none, None for the published one."""
    alt: str = ""
    """The alternative text of the picture."""
    button: str = ""
    """The label of the first button or link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """The editor's choices for one edition; an empty field leaves the choice to the program.

    A *reference* names an entry: its feed's id, a space, and its guid or URL. See ``matches``.
    """

    leave_out: tuple[str, ...] = ()
    """References of entries that are left out; they do not carry over, and are not linked to as older content."""
    put_back: tuple[str, ...] = ()
    """References of entries that are included although the program leaves them out."""
    order: tuple[str, ...] = ()
    """References in the order of their stories; the other stories follow, by date."""
    lead: str = ""
    """Reference of the lead."""
    brief: tuple[str, ...] = ()
    """References of stories to show as briefs."""
    full: tuple[str, ...] = ()
    """References of stories not to show as briefs."""
    subject: str = ""
    preheader: str = ""
    introduction_md: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Reference to the editor's note on that story, as Markdown."""
    stories: Mapping[str, StoryEdit] = field(default_factory=dict)
    """Reference to the editor's own text of that story."""
    split: tuple[str, ...] = ()
    """References of entries that are stories of their own, whatever they would be paired with."""
    join: tuple[tuple[str, ...], ...] = ()
    """References of entries that are one story although they would not be paired; each entry at most once."""
    links: tuple[EditorLink, ...] = ()
    related: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Reference of a story to those of the older entries to link to; an empty tuple links to none."""

    @property
    def picture_urls(self) -> tuple[str, ...]:
        """The addresses of the pictures that the editor chose for stories."""
        return tuple(edit.picture_url for edit in self.stories.values() if edit.picture_url)

    def excludes(self, entry: Entry) -> bool:
        """Return whether the editor leaves an entry out."""
        return matches_any(self.leave_out, entry)

    def includes(self, entry: Entry) -> bool:
        """Return whether the editor includes an entry."""
        return matches_any(self.put_back, entry)


def matches(reference: str, entry: Entry) -> bool:
    """Return whether a reference names an entry; any spelling of its URL that leads to the same page does.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 2, 9, tzinfo=UTC)
    >>> bread = Entry(feed_id="blog", guid="7", url="https://a.example/x", title="Bread", published_at=day)
    >>> [matches(reference, bread) for reference in ("blog 7", "blog http://www.a.example/x/", "podcast 7", "7")]
    [True, True, False, False]
    """
    feed_id, _, name = reference.partition(" ")
    if feed_id != entry.feed_id or not name:
        return False
    return name == entry.guid or (bool(entry.url) and url_key(name) == url_key(entry.url))


def matches_any(references: Iterable[str], entry: Entry) -> bool:
    """Return whether one of the references names an entry."""
    return any(matches(reference, entry) for reference in references)


SCHEDULE_ACTOR = "schedule"
"""The actor recorded when the scheduler changes an edition."""
RECOVERY_ACTOR = "recovery"
"""The actor recorded when an edition is held because it may have been sent without this store's knowledge."""
Transition = Literal["approve", "hold", "resume", "skip", "send", "hand over"]

TRANSITIONS: Mapping[Transition, frozenset[EditionState]] = MappingProxyType(
    {
        "approve": frozenset({"draft", "approved"}),
        "hold": frozenset({"draft", "approved"}),
        "resume": frozenset({"held", "skipped"}),
        "skip": frozenset({"draft", "approved", "held"}),
        "send": frozenset({"approved", "sending"}),
        "hand over": frozenset({"approved"}),
    }
)
"""The states from which each transition is allowed."""
SEALED_STATES: frozenset[EditionState] = frozenset({"approved", "sending", "sent"})
"""States in which the bytes are fixed and the stories belong to the edition."""
_REFUSALS: Mapping[EditionState, str] = MappingProxyType(
    {
        "draft": "is a draft: review it, then run `pipeline approve {week}`",
        "approved": "is approved but not sent yet: run `pipeline send {week}`",
        "held": "is held: run `pipeline resume {week}` first",
        "sending": "is being sent: run `pipeline send {week}` to finish",
        "sent": "has been sent and can no longer change: `pipeline correct {week} --message TEXT` makes a correction",
        "skipped": "was skipped, and its entries carry over: run `pipeline resume {week}` to undo that",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRecord:
    """The state of a week's edition."""

    week: str
    state: EditionState = "draft"
    number: int | None = None
    """1, 2, 3 …, assigned when the week is first sealed; never changed, never reused."""
    revision: int = 0
    """Counts the transitions; a transition names the revision it is based on, so only one of two at once succeeds."""
    content_hash: str = ""
    """Of the latest sealed edition; empty if there is none."""
    sealed_at: datetime | None = None
    sealed_by: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""
    note: str = ""
    """Details of the last transition: how it was sent, why it is held."""

    @property
    def is_sealed(self) -> bool:
        """Whether the sealed bytes are valid; a held edition may have to be sealed again."""
        return self.state in SEALED_STATES

    @property
    def auto_held(self) -> bool:
        """Whether the scheduler holds it because it could not be sent; a person may then hold it as well."""
        return self.state == "held" and self.changed_by == SCHEDULE_ACTOR

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it may have been sent without this store's knowledge; a person has to say whether it was."""
        return self.state == "held" and self.changed_by == RECOVERY_ACTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEdition:
    """An edition as it was sealed, kept for ever."""

    edition: Edition
    stories: tuple[tuple[int, ...], ...]
    """The entry ids of each story."""
    overrides: Overrides = field(default_factory=Overrides)
    """The editor's choices at that time, so that the edition can be rebuilt."""
    sealed_at: datetime
    sealed_by: str

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The ids of all its entries."""
        return tuple(entry_id for story in self.stories for entry_id in story)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEdition:
    """A sent edition as another store, or the files of the publication, know it."""

    record: EditionRecord
    sealed: SealedEdition
    """With entry ids of its origin."""
    entries: tuple[StoredEntry, ...]
    """Its entries and all others assigned to its week, with the same ids."""


def refusal(transition: Transition, record: EditionRecord) -> str:
    """Return a sentence saying why a transition is not allowed and what to do instead; empty if it is allowed.

    >>> refusal("approve", EditionRecord(week="2026-W07"))
    ''
    >>> refusal("approve", EditionRecord(week="2026-W07", state="held"))
    '2026-W07 is held: run `pipeline resume 2026-W07` first.'
    >>> held = [EditionRecord(week="2026-W07", state="held", changed_by=actor) for actor in ("ann", SCHEDULE_ACTOR)]
    >>> [refusal("hold", record) == "" for record in held]
    [False, True]
    >>> restored = EditionRecord(week="2026-W07", state="held", changed_by=RECOVERY_ACTOR, note="a backup was restored")
    >>> refusal("send", restored).partition(":")[0]
    '2026-W07 may have been sent already (a backup was restored)'
    """
    if record.is_unconfirmed:
        return "" if transition in ("resume", "skip", "hand over") else _ask(record)
    if record.state in TRANSITIONS[transition] or (transition == "hold" and record.auto_held):
        return ""
    if transition == "resume" and record.state in ("draft", "approved"):
        return f"{record.week} is neither held nor skipped, so there is nothing to resume."
    return f"{record.week} {_REFUSALS[record.state].format(week=record.week)}."


def _ask(record: EditionRecord) -> str:
    """Return the question whether an edition was sent, with the commands that answer it."""
    week = record.week
    return (
        f"{week} may have been sent already ({record.note}): if it was, run `pipeline send {week} --handed-over`, "
        f"if not, `pipeline resume {week}`."
    )
