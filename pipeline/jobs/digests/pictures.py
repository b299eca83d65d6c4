"""Replace the pictures of stories that their whole feed repeats, such as a banner below every post."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.ingest.pictures import body_pictures, fittest
from pipeline.model.entry import Entry, StoredEntry

REPEATED = 3
"""An image that this many entries of a feed have is about none of them."""

Stories = tuple[tuple[StoredEntry, ...], ...]


def replace_repeated_pictures(stories: Stories, entries: Sequence[StoredEntry]) -> Stories:
    """Return stories whose posts have no picture that ``REPEATED`` of the ``entries`` of their feed have.

    The fittest other image of the text replaces it. Episodes keep their cover, which all episodes of a show share.
    """
    feeds = {stored.entry.feed_id for story in stories for stored in story if stored.entry.picture}
    repeated = {feed_id: _repeated(one.entry for one in entries if one.entry.feed_id == feed_id) for feed_id in feeds}
    return tuple(tuple(_with_own_picture(stored, repeated) for stored in story) for story in stories)


def _repeated(entries: Iterable[Entry]) -> frozenset[str]:
    counts: Counter[str] = Counter()
    for entry in entries:
        declared = [entry.picture] if entry.picture else []
        counts.update({picture.url for picture in (*declared, *body_pictures(entry.body_html))})
    return frozenset(url for url, count in counts.items() if count >= REPEATED)


def _with_own_picture(stored: StoredEntry, repeated: Mapping[str, frozenset[str]]) -> StoredEntry:
    entry = stored.entry
    if entry.picture is None or entry.is_episode or entry.picture.url not in repeated[entry.feed_id]:
        return stored
    picture = fittest(tuple(body_pictures(entry.body_html)), excluded=repeated[entry.feed_id])
    return replace(stored, entry=replace(entry, picture=picture))
