"""Remove what a feed repeats from the entries of stories: bylines, sponsors and invitations, banners, portraits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.digest.compose.excerpts import opening_of
from pipeline.ingest.pictures import body_pictures, fittest
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store
from pipeline.text.furniture import (
    LEARNT_CHARS,
    REPEATED,
    furniture_keys,
    remove_from_text,
    remove_furniture,
    repeated_keys,
)
from pipeline.text.passage_faults import Rank

LEARNT_ENTRIES = 24
"""Number of newest entries that show what a feed repeats."""

Stories = tuple[tuple[StoredEntry, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """Texts and pictures that several entries of a feed have in common."""

    texts: frozenset[str]
    """Keys of ``text.furniture.repeated_keys``."""
    picture_urls: frozenset[str]


class FurnitureRemover:
    """Removes from a week's stories every text and picture that their feeds repeat; learns from each feed once.

    Only entries published before the end of the week, and stored when it was closed, show what a feed repeats, so that
    a closed week always gives the same. Episodes keep their cover, which all episodes of a show share.
    """

    def __init__(self, store: Store, week: Week, calendar: WeekCalendar) -> None:
        self._entries = store.entries
        self._before = calendar.bounds(week)[1]
        self._first_seen_by = store.weeks.closed().get(str(week))
        self._learnt: dict[str, Furniture] = {}

    def clean(self, stories: Iterable[Sequence[StoredEntry]]) -> Stories:
        """Return the stories with clean entries."""
        return tuple(tuple(map(self._clean, story)) for story in stories)

    def _clean(self, stored: StoredEntry) -> StoredEntry:
        furniture = self._furniture_of(stored.entry.feed_id)
        entry = with_own_picture(with_own_text(stored.entry, furniture), furniture)
        return stored if entry is stored.entry else replace(stored, entry=entry)

    def _furniture_of(self, feed_id: str) -> Furniture:
        if feed_id not in self._learnt:
            newest = self._entries.newest_before(
                feed_id, self._before, limit=LEARNT_ENTRIES, first_seen_by=self._first_seen_by
            )
            self._learnt[feed_id] = learn_furniture(stored.entry for stored in newest)
        return self._learnt[feed_id]


def learn_furniture(entries: Iterable[Entry]) -> Furniture:
    """Return what the entries of one feed have in common."""
    pictures: Counter[str] = Counter()
    keys = []
    for entry in entries:
        keys.append(furniture_keys(entry.body_html[:LEARNT_CHARS], entry.summaries))
        urls = {picture.url for picture in body_pictures(entry.body_html)} if "<img" in entry.body_html else set()
        pictures.update(urls | {entry.picture.url} if entry.picture else urls)
    repeated = frozenset(url for url, count in pictures.items() if count >= REPEATED)
    return Furniture(texts=repeated_keys(keys), picture_urls=repeated)


def with_own_text(entry: Entry, furniture: Furniture) -> Entry:
    """Return an entry without what its feed repeats, or unchanged if it has no other text."""
    body_html = remove_furniture(entry.body_html, furniture.texts)
    summaries = tuple(remove_from_text(summary, furniture.texts) for summary in entry.summaries)
    if (body_html, summaries) == (entry.body_html, entry.summaries):
        return entry
    clean = replace(entry, body_html=body_html, summaries=summaries)
    has_text = opening_of([clean]).rank < Rank.DOUBTFUL or opening_of([entry]).rank >= Rank.DOUBTFUL
    return clean if has_text else entry


def with_own_picture(entry: Entry, furniture: Furniture) -> Entry:
    """Return a post without a picture that its feed repeats; the fittest other image of its text replaces it."""
    if entry.picture is None or entry.is_episode or entry.picture.url not in furniture.picture_urls:
        return entry
    own = fittest(tuple(body_pictures(entry.body_html)), excluded=furniture.picture_urls)
    return replace(entry, picture=own)
