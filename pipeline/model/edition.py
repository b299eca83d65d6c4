"""The life of an edition: what the editor asks for, how it is sealed, where it stands.

In: plain values. Out: frozen records. Touches nothing.

    draft ──approve──> approved ──send──> sending ──> sent
      │ ▲                 │ (changed since: approve again, a new seal)
      ├─┴── hold / resume ┘
      └── skip: its entries roll forward
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from pipeline.model.digest import Edition, EditionState
from pipeline.model.entry import Entry
from pipeline.text.urls import url_key


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorLink:
    """A useful link the editor wrote down for one edition."""

    url: str
    title: str = ""
    note_md: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the editor asks for instead of what the program would choose; empty means: nothing.

    A *reference* names an entry: its feed's id, a blank, and its guid or its address. See ``refers``.
    """

    leave_out: tuple[str, ...] = ()
    """References of entries that stay out of this edition, and float on to none; nor are they shown again in it."""
    put_back: tuple[str, ...] = ()
    """References of entries that come in although the program would leave them out."""
    order: tuple[str, ...] = ()
    """References in the order in which their stories are told; the others follow, by date."""
    lead: str = ""
    """Reference of the story told first."""
    subject: str = ""
    preheader: str = ""
    introduction_md: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Reference to a few words of the editor's about that story, as Markdown."""
    links: tuple[EditorLink, ...] = ()
    related: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Reference of a story to the references of older pieces to point to under it; none at all is a choice, too."""

    def excludes(self, entry: Entry) -> bool:
        """Tell whether the editor leaves an entry out."""
        return matches_any(self.leave_out, entry)

    def includes(self, entry: Entry) -> bool:
        """Tell whether the editor puts an entry in."""
        return matches_any(self.put_back, entry)


def matches(reference: str, entry: Entry) -> bool:
    """Tell whether a reference names an entry; an address may be spelt in any way that leads to the same page.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 2, 9, tzinfo=UTC)
    >>> bread = Entry(feed_id="blog", guid="7", url="https://a.example/x", title="Bread", published_at=day)
    >>> [refers(each, bread) for each in ("blog 7", "blog http://www.a.example/x/", "podcast 7", "7")]
    [True, True, False, False]
    """
    feed_id, _, name = reference.partition(" ")
    if feed_id != entry.feed_id or not name:
        return False
    return name == entry.guid or (bool(entry.url) and url_key(name) == url_key(entry.url))


def matches_any(references: Iterable[str], entry: Entry) -> bool:
    """Tell whether one of the references names an entry."""
    return any(matches(each, entry) for each in references)


SCHEDULE_ACTOR = "schedule"
"""In whose name editions move by themselves."""
Transition = Literal["approve", "hold", "resume", "skip", "send", "hand over"]

TRANSITIONS: Mapping[Transition, frozenset[EditionState]] = MappingProxyType(
    {
        "approve": frozenset({"draft", "approved"}),
        "hold": frozenset({"draft", "approved"}),
        "resume": frozenset({"held"}),
        "skip": frozenset({"draft", "approved", "held"}),
        "send": frozenset({"approved", "sending"}),
        "hand over": frozenset({"approved"}),
    }
)
"""From where each move may be made."""
SEALED_STATES: frozenset[EditionState] = frozenset({"approved", "sending", "sent"})
"""Whoever stands here has bytes that nothing changes, and its stories are its own."""
_INSTEAD: Mapping[EditionState, str] = MappingProxyType(
    {
        "draft": "is a draft: look at it, then run `pipeline approve {week}`",
        "approved": "is approved and waits to be sent: run `pipeline send {week}`",
        "held": "is held: run `pipeline resume {week}` first",
        "sending": "is being sent: run `pipeline send {week}` to finish it",
        "sent": "has been sent and stays as it is: what is to be said now goes into the next edition",
        "skipped": "was skipped and stays so: its entries have rolled on into the next digest",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionRecord:
    """Where a week's edition stands."""

    week: str
    state: EditionState = "draft"
    number: int | None = None
    """1, 2, 3 …, given when the week is first sealed; never changed, never given again."""
    revision: int = 0
    """Counts the moves: whoever moves an edition names the one they saw, so that of two at once one wins."""
    content_hash: str = ""
    """Of the newest seal; empty while there is none."""
    sealed_at: datetime | None = None
    sealed_by: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""
    note: str = ""
    """What there is to say about the last move: how it left the house, why it is held."""

    @property
    def is_sealed(self) -> bool:
        """True when there are bytes that count: of a held edition the seal waits, and may have to be made anew."""
        return self.state in SEALED_STATES

    @property
    def auto_held(self) -> bool:
        """True when the schedule holds it, since it could not be sent: nobody wished that, and anybody may hold it."""
        return self.state == "held" and self.changed_by == SCHEDULE_ACTOR


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEdition:
    """An edition as it was sealed: kept for ever, changed never."""

    edition: Edition
    stories: tuple[tuple[int, ...], ...]
    """The ids of the entries it tells, story by story."""
    overrides: Overrides = field(default_factory=Overrides)
    """What the editor had asked for, so that the edition can be made again."""
    sealed_at: datetime
    sealed_by: str

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """All entries it tells."""
        return tuple(entry_id for story in self.stories for entry_id in story)


def refusal(transition: Transition, record: EditionRecord) -> str:
    """Say in a sentence why a move is not to be made, and what to do instead; empty when it may be made.

    >>> why_not("approve", Standing(week="2026-W07"))
    ''
    >>> why_not("approve", Standing(week="2026-W07", state="held"))
    '2026-W07 is held: run `pipeline resume 2026-W07` first.'
    >>> [why_not("hold", Standing(week="2026-W07", state="held", moved_by=by)) == "" for by in ("ann", BY_ITSELF)]
    [False, True]
    """
    if record.state in TRANSITIONS[transition] or (transition == "hold" and record.auto_held):
        return ""
    if transition == "resume" and record.state in ("draft", "approved"):
        return f"{record.week} is not held, so there is nothing to resume."
    return f"{record.week} {_INSTEAD[record.state].format(week=record.week)}."
