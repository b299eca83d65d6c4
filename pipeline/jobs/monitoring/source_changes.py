"""After the send: say once what has changed at the source of a story that readers already have.

In: a store, a notifier, the moment. Out: a notice for each change, told; and what was said about the mailing is closed.
Looks at what was sent within a week. A feed that drops old items off its end has taken nothing back, so only what was
taken out of its midst counts as vanished.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.edition import EditionRecord, SealedEdition
from pipeline.model.entry import EntryRevision, StoredEntry
from pipeline.model.week import Week
from pipeline.scheduler.engine import Task, TaskSchedule
from pipeline.store import Store
from pipeline.text.format import count_in_words, datetime_in_words
from pipeline.text.html import plain_text
from pipeline.text.urls import media_key, url_key
from pipeline.text.word_diff import diff_words

WATCH_DURATION = timedelta(days=7)
"""How long after the send a story is watched."""
KEEP_REVISIONS = 10 * WATCH_DURATION
"""How long former wordings are kept: an edition may be sent weeks after it was approved."""
MAX_PHRASES = 4
ALERT_PREFIX = "sent/"


def source_changes_task(schedule: TaskSchedule, store: Store, notifier: Notifier, zone: tzinfo) -> Task:
    """Look after what was sent; to be run after feeds were read."""

    def run(period: str, now: datetime) -> str:
        resolve_sent(store, notifier, now)
        found = [notice for sent in recently_sent(store, now) for notice in find_changes(store, sent, zone, now)]
        new = notifier.reconcile(ALERT_PREFIX, found, at=now)
        store.entry_revisions.prune(now - KEEP_REVISIONS)
        return f"{count_in_words(new, 'change')} at the source of what was sent" if new else ""

    return Task(id="afterwards", schedule=schedule, run=run)


def resolve_sent(store: Store, notifier: Notifier, now: datetime) -> None:
    """Close what was said of mailings that have meanwhile been sent or skipped: nobody is asked any more."""
    standings = store.editions.all()
    for notice in notifier.open_alerts():
        about, _, week = notice.key.rpartition("/")[0].partition("/")
        if about == "send" and week in standings and standings[week].state in ("sent", "skipped"):
            notifier.resolve(notice.key, at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEdition:
    """An edition that is out."""

    record: EditionRecord
    sealed: SealedEdition

    @property
    def name(self) -> str:
        """What people call it."""
        return f"No. {self.record.number} ({self.record.week})"

    @property
    def fingerprints(self) -> dict[int, str]:
        """The fingerprint each entry had when it was sealed, by entry id."""
        manifest = json.loads(self.sealed.edition.manifest)
        told = [each for story in manifest["stories"] for each in story["entries"]]
        return {entry_id: each["fingerprint"] for entry_id, each in zip(self.sealed.entry_ids, told, strict=True)}


def recently_sent(store: Store, now: datetime) -> Iterator[SentEdition]:
    """Find the editions that are still watched."""
    for week, standing in store.editions.all().items():
        lately = standing.state == "sent" and standing.changed_at and now - standing.changed_at <= WATCH_DURATION
        if lately and (sealed := store.editions.sealed(week)):
            yield SentEdition(record=standing, sealed=sealed)


def find_changes(store: Store, sent: SentEdition, zone: tzinfo, now: datetime) -> Iterator[Alert]:
    """Say of each entry of an edition whether it reads otherwise today, or was taken back. Deleted ones say nothing."""
    marks = sent.fingerprints
    stored = store.entries.by_id(marks)
    rewritten = {each.entry_id: marks[each.entry_id] for each in stored if each.fingerprint != marks[each.entry_id]}
    former = store.entry_revisions.get(rewritten)
    for each in stored:
        if each.withdrawn_at:
            yield _vanished(sent, each, zone, now)
        elif each.entry_id in former and (what := describe_changes(former[each.entry_id], current_revision(each))):
            yield _rewritten(sent, each, what, zone, now)


def current_revision(stored: StoredEntry) -> EntryRevision:
    """Give what a reader gets to see of an entry."""
    entry = stored.entry
    audio = entry.enclosure.url if entry.enclosure else ""
    return EntryRevision(title=entry.title, url=entry.url, enclosure_url=audio, body_html=entry.body_html)


def describe_changes(old: EntryRevision, new: EntryRevision) -> list[str]:
    """Say what a reader would notice, a line each; other spellings of an address and other blanks are no difference.

    >>> bread = Wording(title="Bread", url="https://a.example/x")
    >>> differences(bread, Wording(title="Rye bread", url="http://www.a.example/x/"))
    ['title: “Bread” is now “Rye bread”']
    """
    found = []
    if old.title.split() != new.title.split():
        found.append(f"title: “{old.title}” is now “{new.title}”")
    if url_key(old.url) != url_key(new.url):
        found.append(f"link: {old.url or 'none'} is now {new.url or 'none'}")
    if media_key(old.enclosure_url) != media_key(new.enclosure_url):
        found.append(f"audio: {old.enclosure_url or 'none'} is now {new.enclosure_url or 'none'}")
    phrases = diff_words(plain_text(old.body_html), plain_text(new.body_html))
    found += [_phrase(*phrase) for phrase in phrases[:MAX_PHRASES]]
    if len(phrases) > MAX_PHRASES:
        found.append(f"text: {count_in_words(len(phrases) - MAX_PHRASES, 'place')} more")
    return found


def _phrase(old: str, new: str) -> str:
    if not old or not new:
        return f"text: {'new' if new else 'gone'} is “{new or old}”"
    return f"text: “{old}” is now “{new}”"


def _rewritten(sent: SentEdition, stored: StoredEntry, what: list[str], zone: tzinfo, now: datetime) -> Alert:
    mark = hashlib.sha256("\n".join(what).encode("utf-8", "replace")).hexdigest()[:12]
    return Alert(
        key=f"{_key(sent, stored)}/{mark}",
        subject=f"“{stored.entry.title}” was changed after it was sent",
        text="\n\n".join(
            [
                f"{_told(sent, stored, zone)} Since then it was changed where it comes from:",
                *(f"    {line}" for line in what),
                "What was sent stays as it is. If it is a small correction, there is nothing to do. If readers were "
                f"told something wrong, say so in the next newsletter: {_say_so(sent)}.",
            ]
        ),
        raised_at=now,
    )


def _vanished(sent: SentEdition, stored: StoredEntry, zone: tzinfo, now: datetime) -> Alert:
    return Alert(
        key=f"{_key(sent, stored)}/vanished",
        subject=f"“{stored.entry.title}” was taken out after it was sent",
        text="\n\n".join(
            [
                f"{_told(sent, stored, zone)} It is no longer in its feed, though older ones still are: somebody took "
                "it out. The newsletter leads to this page, so see whether it is there:",
                f"    {stored.entry.url}",
                "If the page is gone, ask whoever runs the site to put it back or to let the address lead elsewhere. "
                f"If the story was wrong, say so in the next newsletter: {_say_so(sent)}.",
            ]
        ),
        raised_at=now,
    )


def _key(sent: SentEdition, stored: StoredEntry) -> str:
    return f"{ALERT_PREFIX}{sent.record.week}/{stored.entry_id}"


def _told(sent: SentEdition, stored: StoredEntry, zone: tzinfo) -> str:
    at = f", sent on {datetime_in_words(sent.record.changed_at, zone)}" if sent.record.changed_at else ""
    return f"{sent.name}{at}, tells this story of the feed {stored.entry.feed_id}."


def _say_so(sent: SentEdition) -> str:
    week = Week.parse(sent.record.week).next()
    return f"in the introduction, with `pipeline preview {week}` or in editions/{week}.md"
