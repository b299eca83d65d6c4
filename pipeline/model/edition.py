"""The life of an edition: what the editor asks for, how it is sealed, where it stands.

In: plain values. Out: frozen records. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    """References of entries that stay out of this edition, and float on to none."""
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

    def asks_out(self, entry: Entry) -> bool:
        """Tell whether the editor leaves an entry out."""
        return named(self.leave_out, entry)

    def asks_in(self, entry: Entry) -> bool:
        """Tell whether the editor puts an entry in."""
        return named(self.put_back, entry)


def refers(reference: str, entry: Entry) -> bool:
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


def named(references: Iterable[str], entry: Entry) -> bool:
    """Tell whether one of the references names an entry."""
    return any(refers(each, entry) for each in references)
