"""Results of parsing: records of an incremental parse, and the cleaning of channels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from pipeline.model.entry import Entry, EntryIdentity, ParsedFeed
from pipeline.model.feed import Channel
from pipeline.text.dates import parse_date
from pipeline.text.html import plain_text
from pipeline.text.plain_text import clean_title
from pipeline.text.urls import clean_url

MAX_ENTRIES = 5_000
"""Of one document; further ones are not read."""
_MAX_DATED = 20_000
"""Reading more dates would take longer than parsing the entries."""


def newest_indexes(dates: Sequence[str]) -> Sequence[int]:
    """Return the indexes of the ``MAX_ENTRIES`` newest entries in document order; ``dates`` are as written, or "".

    An undated entry is as old as the one before it. If most are undated, or there are too many, half of the entries is
    taken from each end, since new ones may be added at either.

    >>> len(newest_indexes([""] * 5_100)), newest_indexes(["2024-05-01", "2023-01-31"])
    (5000, range(0, 2))
    """
    count, half = len(dates), MAX_ENTRIES // 2
    if count <= MAX_ENTRIES:
        return range(count)
    instants = [parse_date(date) for date in dates] if count <= _MAX_DATED else []
    known = [instant for instant in instants if instant]
    if 2 * len(known) < count:
        return [*range(half), *range(count - half, count)]
    last = known[0]
    filled = [last := instant or last for instant in instants]
    by_date = sorted(range(count), key=lambda index: filled[index], reverse=True)
    return sorted(by_date[:MAX_ENTRIES])


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousDocument:
    """A feed's last document, as remembered by the store."""

    raw_hashes: Collection[str] = ()
    """The ``raw_hash`` of each entry in it."""
    channel: Channel = field(default_factory=Channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncrementalResult:
    """A document of which only new or changed entries were parsed."""

    parsed: ParsedFeed
    """``entries`` are the new and changed ones only; everything else describes the whole document."""
    hashes: tuple[str, ...] = ()
    """The ``raw_hash`` of every entry in document order; empty for parsers that do not compute them."""
    known_hashes: frozenset[str] = frozenset()
    """Those of the entries that were skipped."""

    def in_document_order(
        self, entries: Sequence[Entry], stored: Sequence[EntryIdentity]
    ) -> list[Entry | EntryIdentity]:
        """Return the normalised entries and the skipped ones (from ``stored``) in document order."""
        if not self.known_hashes:
            return list(entries)
        position = {raw_hash: index for index, raw_hash in reversed(list(enumerate(self.hashes)))}
        skipped = [entry for entry in stored if entry.raw_hash in self.known_hashes]
        return sorted([*entries, *skipped], key=lambda entry: position.get(entry.raw_hash, -1))


def clean_channel(channel: Channel, url: str) -> Channel:
    """Return a channel with its texts as plain text and its URLs absolute; ``url`` is the document's."""
    home = clean_url(channel.url, url)
    return replace(
        channel,
        title=clean_title(channel.title),
        url=home,
        description=plain_text(channel.description)[:2000],
        language=clean_title(channel.language)[:35],
        author=clean_title(channel.author)[:200],
        generator=clean_title(channel.generator)[:200],
        picture_url=clean_url(channel.picture_url, home or url),
        icon_url=clean_url(channel.icon_url, home or url),
        self_url=clean_url(channel.self_url, url),
        new_feed_url=clean_url(channel.new_feed_url, url),
    )
