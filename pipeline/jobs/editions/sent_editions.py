"""Sent editions that a store does not have: read from another store or from ``editions/``, and recorded in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from typing import Any

from pipeline.digest.edition.seal import read_correction
from pipeline.digest.edition.variants import read_variants
from pipeline.digest.selection.eligibility import LEFT_OUT_BY_EDITOR
from pipeline.model.correction import Correction
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, PublishedEdition, SealedEdition
from pipeline.model.entry import Enclosure, Entry, EntryIdentity, StoredEntry
from pipeline.model.feed import FeedState
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate
from pipeline.store import Store
from pipeline.store.rows import storable
from pipeline.text.urls import url_key

SENT_STATES = ("sending", "sent")
"""States in which an edition has left, or may have."""


def missing_editions(store: Store, previous: Store) -> Iterator[PublishedEdition]:
    """Yield the editions that another store has sent, or begun to send, and a store has not."""
    known = store.editions.all()
    for week, record in previous.editions.all().items():
        sealed, own = previous.editions.sealed(week), known.get(week)
        is_known = own and own.content_hash == record.content_hash and own.state in ("sent", record.state)
        if sealed and record.state in SENT_STATES and not is_known:
            entries = [*previous.entries.of_weeks([week]), *previous.entries.of_edition(week)]
            by_id = {stored.entry_id: stored for stored in entries}
            deleted = _deleted_entries(previous, set(sealed.entry_ids) - set(by_id))
            yield PublishedEdition(record=record, sealed=sealed, entries=(*by_id.values(), *deleted))


def _deleted_entries(store: Store, entry_ids: set[int]) -> Iterator[StoredEntry]:
    """Yield deleted entries, of which only the identity is left."""
    for feed_id in store.feeds.states() if entry_ids else ():
        for known in store.entries.identities(feed_id):
            if known.entry_id in entry_ids:
                entry = Entry(
                    feed_id=feed_id, guid=known.guid, url="", title=known.title, published_at=known.published_at
                )
                yield _unread(entry, known.entry_id, known.fingerprint)


def _unread(entry: Entry, entry_id: int, fingerprint: str) -> StoredEntry:
    at = entry.published_at
    return StoredEntry(entry=entry, entry_id=entry_id, fingerprint=fingerprint, first_seen_at=at, changed_at=at)


def read_edition(folder: Path, state: Any) -> PublishedEdition:
    """Return an edition from the files that ``jobs.digests.files`` wrote; ValueError if they do not belong together."""
    manifest_json = (folder / "manifest.json").read_bytes()
    manifest = json.loads(manifest_json)
    parts = {name: (folder / f"digest.{name}").read_bytes() for name in ("html", "txt", "eml")}
    hashes = {f"digest.{name}": sha256(part).hexdigest() for name, part in parts.items()}
    if manifest["sha256"] != hashes or manifest["content_hash"] != state["content_hash"]:
        raise ValueError(f"the files in {folder} are of different editions")
    edition = Edition(
        week=manifest["edition"],
        state="approved",
        number=state["number"],
        subject=manifest["subject"],
        preheader=manifest["preheader"],
        html=parts["html"],
        text=parts["txt"],
        eml=parts["eml"],
        manifest=manifest_json,
        content_hash=manifest["content_hash"],
        variants=read_variants(manifest_json, lambda path: (folder / path).read_bytes()),
    )
    ids = count(1)
    stories = [[_read_entry(values, next(ids)) for values in story["entries"]] for story in manifest["stories"]]
    sealed = SealedEdition(
        edition=edition,
        stories=tuple(tuple(stored.entry_id for stored in story) for story in stories),
        sealed_at=datetime.fromisoformat(state["approved_at"]),
        sealed_by=state["approved_by"],
    )
    record = EditionRecord(
        week=edition.week,
        state=state["state"],
        number=edition.number,
        changed_at=datetime.fromisoformat(state["changed_at"]),
        changed_by=state["changed_by"],
        note=state["note"],
    )
    return PublishedEdition(record=record, sealed=sealed, entries=tuple(chain.from_iterable(stories)))


def _read_entry(values: Mapping[str, Any], entry_id: int) -> StoredEntry:
    audio_url = values["enclosure_url"]
    entry = Entry(
        feed_id=values["feed_id"],
        guid=values["guid"],
        url=values["url"],
        title=values["title"],
        published_at=datetime.fromisoformat(values["published_at"]),
        enclosure=Enclosure(url=audio_url) if audio_url else None,
    )
    return _unread(entry, entry_id, values["fingerprint"])


def adopt(store: Store, edition: PublishedEdition) -> str:
    """Record an edition and its entries in a store and return its week."""
    week, ids = edition.record.week, _own_ids(store, edition.entries)
    stories = tuple(tuple(ids[entry_id] for entry_id in story) for story in edition.sealed.stories)
    sealed = replace(edition.sealed, stories=stories)
    others = {
        ids[stored.entry_id]: stored for stored in edition.entries if ids[stored.entry_id] not in sealed.entry_ids
    }
    assigned = [entry_id for entry_id, stored in others.items() if stored.assigned_week == week]
    assigned += _left_out_by_editor(store, json.loads(sealed.edition.manifest))
    store.editions.adopt(edition.record, sealed, [*sealed.entry_ids, *assigned], now=sealed.sealed_at)
    store.editions.link_counterparts({entry_id: week for entry_id, stored in others.items() if stored.late_counterpart})
    return week


def as_correction(written: PublishedEdition) -> Correction:
    """Return the record of a correction that was read from files; ValueError if they are those of an edition."""
    record, sealed = written.record, written.sealed
    note = read_correction(sealed.edition.manifest)
    if note is None or record.changed_at is None:
        raise ValueError(f"{record.week} is no correction")
    return Correction(
        week=record.week,
        number=note.number,
        state="sent",
        text_md=note.text_md,
        content_hash=sealed.edition.content_hash,
        sealed_at=sealed.sealed_at,
        sealed_by=sealed.sealed_by,
        changed_at=record.changed_at,
        changed_by=record.changed_by,
        note=record.note,
    )


def adopt_correction(store: Store, correction: Correction, sealed: SealedEdition) -> None:
    """Record a correction that has left, unless a store knows more of it, or has not sent the edition it corrects."""
    note, first = read_correction(sealed.edition.manifest), store.editions.sealed(correction.week)
    if note is None or first is None or first.edition.content_hash != note.corrects:
        return
    own = next((one for one in store.corrections.of_week(correction.week) if one.number == correction.number), None)
    if own is None or own.state == "draft" or own.changed_at < correction.changed_at:
        store.corrections.adopt(correction, replace(sealed, stories=first.stories))


def _left_out_by_editor(store: Store, manifest: Mapping[str, Any]) -> list[int]:
    """Return the entries that an edition's editor left out, which do not carry over, unless another week has them."""
    guids: dict[str, set[str]] = {}
    for decision in manifest["left_out"]:
        if decision["reason"] == LEFT_OUT_BY_EDITOR:
            guids.setdefault(decision["feed_id"], set()).add(storable(decision["guid"]))
    ids = [
        known.entry_id
        for feed_id, of_feed in guids.items()
        for known in store.entries.identities(feed_id)
        if known.guid in of_feed
    ]
    own, closes_at = ("", manifest["edition"]), datetime.fromisoformat(manifest["closes_at"])
    return [
        stored.entry_id
        for stored in store.entries.by_id(ids)
        if stored.assigned_week in own and stored.edition_week in own and stored.entry.published_at < closes_at
    ]


def _own_ids(store: Store, entries: Iterable[StoredEntry]) -> dict[int, int]:
    """Return a store's own ids of entries from elsewhere, by their ids there; store those that it does not have."""
    by_feed: dict[str, list[StoredEntry]] = {}
    for stored in entries:
        by_feed.setdefault(stored.entry.feed_id, []).append(stored)
    ids: dict[int, int] = {}
    for feed_id, of_feed in by_feed.items():
        known = _Identities(store.entries.identities(feed_id))
        if new := [stored for stored in of_feed if known.find(stored.entry) is None]:
            changes = [EntryChange(kind="new", entry=stored.entry, fingerprint=stored.fingerprint) for stored in new]
            state = store.feeds.states().get(feed_id) or FeedState(feed_id=feed_id)
            update = FeedUpdate(state=state, changes=FeedChanges(entries=changes))
            store.entries.apply([update], now=max(stored.first_seen_at for stored in new))
            known = _Identities(store.entries.identities(feed_id))
        ids |= {stored.entry_id: own for stored in of_feed if (own := known.find(stored.entry)) is not None}
    return ids


class _Identities:
    """The entries of a feed, to find one that another store knows under an earlier or later GUID."""

    def __init__(self, identities: Iterable[EntryIdentity]) -> None:
        self._by_guid: dict[str, int] = {}
        self._by_page: dict[tuple[str, str], int] = {}
        for known in identities:
            self._by_guid[known.guid] = known.entry_id
            self._by_page[known.url_key, known.title] = known.entry_id

    def find(self, entry: Entry) -> int | None:
        """Return the id of an entry, or None."""
        page = url_key(entry.url)
        return self._by_guid.get(storable(entry.guid)) or (self._by_page.get((page, entry.title)) if page else None)
