"""Alert the editor when the source of a story changes or disappears after the story was sent.

A feed that drops old entries off its end has withdrawn nothing; only an entry missing between others counts as
withdrawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.edition import EditionRecord, SealedEdition
from pipeline.model.entry import EntryRevision, StoredEntry
from pipeline.model.week import Week
from pipeline.scheduler.engine import Done, Task, TaskSchedule
from pipeline.store import Store
from pipeline.text.format import count_in_words, datetime_in_words
from pipeline.text.html import plain_text
from pipeline.text.urls import media_key, url_key
from pipeline.text.word_diff import diff_words

WATCH_DURATION = timedelta(days=7)
"""How long after an edition was sent its entries are watched."""
KEEP_REVISIONS = 10 * WATCH_DURATION
"""How long revisions of entries are kept: an edition may be sent weeks after its approval."""
MAX_PHRASES = 4
ALERT_PREFIX = "sent/"


def source_changes_task(schedule: TaskSchedule, store: Store, notifier: Notifier, zone: tzinfo) -> Task:
    """Return the task that compares sent stories with their sources. It runs after the feeds were fetched."""

    def run(period: str, now: datetime) -> Done:
        resolve_sent(store, notifier, now)
        alerts = [alert for sent in recently_sent(store, now) for alert in find_changes(store, sent, zone, now)]
        new = notifier.reconcile(ALERT_PREFIX, alerts, at=now)
        store.entry_revisions.prune(now - KEEP_REVISIONS)
        return Done(message=f"{count_in_words(new, 'change')} at the source of sent stories" if new else "")

    return Task(id="source-changes", schedule=schedule, run=run)


def resolve_sent(store: Store, notifier: Notifier, now: datetime) -> None:
    """Close the alerts about sending editions that have been sent or skipped by now."""
    records = store.editions.all()
    for alert in notifier.open_alerts():
        prefix, _, week = alert.key.rpartition("/")[0].partition("/")
        if prefix == "send" and week in records and records[week].state in ("sent", "skipped"):
            notifier.resolve(alert.key, at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEdition:
    """An edition that was sent, as its newest correction has it if there is one."""

    record: EditionRecord
    entries: tuple[StoredEntry, ...]
    """The current versions in the store."""
    fingerprints: Mapping[int, str]
    """The fingerprint of each entry when it was sealed, by entry id."""

    @property
    def name(self) -> str:
        """Number and week, for example ``Issue 7 (2026-W07)``."""
        return f"Issue {self.record.number} ({self.record.week})"


def recently_sent(store: Store, now: datetime) -> Iterator[SentEdition]:
    """Yield the editions that are still watched."""
    for week, record in store.editions.all().items():
        is_recent = record.state == "sent" and record.changed_at and now - record.changed_at <= WATCH_DURATION
        if is_recent and (sealed := store.corrections.newest_sent(week) or store.editions.sealed(week)):
            entries = tuple(store.entries.by_id(sealed.entry_ids))
            yield SentEdition(record=record, entries=entries, fingerprints=_fingerprints(sealed, entries))


def _fingerprints(sealed: SealedEdition, entries: Iterable[StoredEntry]) -> dict[int, str]:
    """Return the sealed fingerprints by entry id; the editor's own links are no stored entries."""
    by_identity = {
        (entry["feed_id"], entry["guid"]): entry["fingerprint"]
        for story in json.loads(sealed.edition.manifest)["stories"]
        for entry in story["entries"]
    }
    identities = {stored.entry_id: (stored.entry.feed_id, stored.entry.guid) for stored in entries}
    return {entry_id: by_identity[known] for entry_id, known in identities.items() if known in by_identity}


def find_changes(store: Store, sent: SentEdition, zone: tzinfo, now: datetime) -> Iterator[Alert]:
    """Yield an alert for each entry of an edition that was changed or withdrawn; deleted entries are ignored."""
    now_stored = {stored.entry_id: stored.fingerprint for stored in sent.entries}
    changed = {key: sealed for key, sealed in sent.fingerprints.items() if sealed != now_stored[key]}
    revisions = store.entry_revisions.get(changed)
    for stored in sent.entries:
        if stored.withdrawn_at:
            yield _withdrawn(sent, stored, zone, now)
        elif (revision := revisions.get(stored.entry_id)) and (
            differences := describe_changes(revision, current_revision(stored))
        ):
            yield _changed(sent, stored, differences, zone, now)


def current_revision(stored: StoredEntry) -> EntryRevision:
    """Return the parts of an entry that a subscriber sees."""
    entry = stored.entry
    audio = entry.enclosure.url if entry.enclosure else ""
    return EntryRevision(title=entry.title, url=entry.url, enclosure_url=audio, body_html=entry.body_html)


def describe_changes(old: EntryRevision, new: EntryRevision) -> list[str]:
    """Return a line for each visible difference; white space and equivalent spellings of a URL do not count.

    >>> bread = EntryRevision(title="Bread", url="https://a.example/x")
    >>> describe_changes(bread, EntryRevision(title="Rye bread", url="http://www.a.example/x/"))
    ['title: “Bread” is now “Rye bread”']
    """
    lines = []
    if old.title.split() != new.title.split():
        lines.append(f"title: “{old.title}” is now “{new.title}”")
    if url_key(old.url) != url_key(new.url):
        lines.append(f"link: {old.url or 'none'} is now {new.url or 'none'}")
    if media_key(old.enclosure_url) != media_key(new.enclosure_url):
        lines.append(f"audio: {old.enclosure_url or 'none'} is now {new.enclosure_url or 'none'}")
    phrases = diff_words(plain_text(old.body_html), plain_text(new.body_html))
    lines += [_phrase(*phrase) for phrase in phrases[:MAX_PHRASES]]
    if len(phrases) > MAX_PHRASES:
        lines.append(f"text: {count_in_words(len(phrases) - MAX_PHRASES, 'place')} more")
    return lines


def _phrase(old: str, new: str) -> str:
    if not old or not new:
        return f"text: {'new' if new else 'removed'}: “{new or old}”"
    return f"text: “{old}” is now “{new}”"


def _changed(sent: SentEdition, stored: StoredEntry, differences: list[str], zone: tzinfo, now: datetime) -> Alert:
    digest = hashlib.sha256("\n".join(differences).encode("utf-8", "replace")).hexdigest()[:12]
    text = [
        f"{_published(sent, stored, zone)} Since then its source was changed:",
        *(f"    {line}" for line in differences),
        "The sent edition stays as it is. If the change is small, there is nothing to do. If subscribers were "
        f"misinformed, {_correction(sent)}.",
    ]
    return Alert(
        key=f"{_key(sent, stored)}/{digest}",
        subject=f"“{stored.entry.title}” was changed after it was sent",
        text="\n\n".join(text),
        raised_at=now,
    )


def _withdrawn(sent: SentEdition, stored: StoredEntry, zone: tzinfo, now: datetime) -> Alert:
    text = [
        f"{_published(sent, stored, zone)} It is no longer in its feed, though older entries still are: somebody has "
        "removed it. The newsletter links to this page, so check whether it still exists:",
        f"    {stored.entry.url}",
        "If the page is gone, ask the publisher of the site to restore it or to redirect its address. "
        f"If the story was wrong, {_correction(sent)}.",
    ]
    return Alert(
        key=f"{_key(sent, stored)}/withdrawn",
        subject=f"“{stored.entry.title}” was removed after it was sent",
        text="\n\n".join(text),
        raised_at=now,
    )


def _key(sent: SentEdition, stored: StoredEntry) -> str:
    return f"{ALERT_PREFIX}{sent.record.week}/{stored.entry_id}"


def _published(sent: SentEdition, stored: StoredEntry, zone: tzinfo) -> str:
    at = f", sent on {datetime_in_words(sent.record.changed_at, zone)}," if sent.record.changed_at else ""
    return f"{sent.name}{at} contains this story of the feed {stored.entry.feed_id}."


def _correction(sent: SentEdition) -> str:
    week = sent.record.week
    return (
        f"send them a correction, with `pipeline correct {week} --message TEXT` or at the desk, or say so in the next "
        f"edition, in editions/{Week.parse(week).next()}.md"
    )
