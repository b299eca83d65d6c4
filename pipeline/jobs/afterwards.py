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

from pipeline.jobs.notify import Notifier
from pipeline.jobs.tick import Rhythm, Task
from pipeline.model.edition import Sealed, Standing
from pipeline.model.entry import StoredEntry, Wording
from pipeline.model.notice import Notice
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.html import plain_text
from pipeline.text.moments import counted, moment_in_words
from pipeline.text.rewording import rewordings
from pipeline.text.urls import media_key, url_key

WATCHED = timedelta(days=7)
"""How long after the send a story is watched."""
KEPT = 10 * WATCHED
"""How long former wordings are kept: an edition may be sent weeks after it was approved."""
MOST_PHRASES = 4
ABOUT = "sent/"


def afterwards_task(rhythm: Rhythm, store: Store, notifier: Notifier, zone: tzinfo) -> Task:
    """Look after what was sent; to be run after feeds were read."""

    def run(period: str, now: datetime) -> str:
        close_settled(store, notifier, now)
        found = [notice for sent in lately_sent(store, now) for notice in changed(store, sent, zone, now)]
        new = notifier.settle(ABOUT, found, at=now)
        store.former.forget(now - KEPT)
        return f"{counted(new, 'change')} at the source of what was sent" if new else ""

    return Task(id="afterwards", schedule=rhythm, run=run)


def close_settled(store: Store, notifier: Notifier, now: datetime) -> None:
    """Close what was said of mailings that have meanwhile been sent or skipped: nobody is asked any more."""
    standings = store.editions.standings()
    for notice in notifier.opened():
        about, _, week = notice.key.rpartition("/")[0].partition("/")
        if about == "send" and week in standings and standings[week].state in ("sent", "skipped"):
            notifier.close(notice.key, at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An edition that is out."""

    standing: Standing
    sealed: Sealed

    @property
    def name(self) -> str:
        """What people call it."""
        return f"No. {self.standing.number} ({self.standing.week})"

    @property
    def marks(self) -> dict[int, str]:
        """The fingerprint each entry had when it was sealed, by entry id."""
        manifest = json.loads(self.sealed.edition.manifest)
        told = [each for story in manifest["stories"] for each in story["entries"]]
        return {entry_id: each["fingerprint"] for entry_id, each in zip(self.sealed.entry_ids, told, strict=True)}


def lately_sent(store: Store, now: datetime) -> Iterator[Sent]:
    """Find the editions that are still watched."""
    for week, standing in store.editions.standings().items():
        lately = standing.state == "sent" and standing.moved_at and now - standing.moved_at <= WATCHED
        if lately and (sealed := store.editions.sealed(week)):
            yield Sent(standing=standing, sealed=sealed)


def changed(store: Store, sent: Sent, zone: tzinfo, now: datetime) -> Iterator[Notice]:
    """Say of each entry of an edition whether it reads otherwise today, or was taken back. Deleted ones say nothing."""
    marks = sent.marks
    stored = store.entries_by_id(marks)
    rewritten = {each.entry_id: marks[each.entry_id] for each in stored if each.fingerprint != marks[each.entry_id]}
    former = store.former.of(rewritten)
    for each in stored:
        if each.withdrawn_at:
            yield _vanished(sent, each, zone, now)
        elif each.entry_id in former and (what := differences(former[each.entry_id], wording(each))):
            yield _rewritten(sent, each, what, zone, now)


def wording(stored: StoredEntry) -> Wording:
    """Give what a reader gets to see of an entry."""
    entry = stored.entry
    audio = entry.enclosure.url if entry.enclosure else ""
    return Wording(title=entry.title, url=entry.url, enclosure_url=audio, body_html=entry.body_html)


def differences(old: Wording, new: Wording) -> list[str]:
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
    phrases = rewordings(plain_text(old.body_html), plain_text(new.body_html))
    found += [_phrase(*phrase) for phrase in phrases[:MOST_PHRASES]]
    if len(phrases) > MOST_PHRASES:
        found.append(f"text: {counted(len(phrases) - MOST_PHRASES, 'place')} more")
    return found


def _phrase(old: str, new: str) -> str:
    if not old or not new:
        return f"text: {'new' if new else 'gone'} is “{new or old}”"
    return f"text: “{old}” is now “{new}”"


def _rewritten(sent: Sent, stored: StoredEntry, what: list[str], zone: tzinfo, now: datetime) -> Notice:
    mark = hashlib.sha256("\n".join(what).encode("utf-8", "replace")).hexdigest()[:12]
    return Notice(
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
        at=now,
    )


def _vanished(sent: Sent, stored: StoredEntry, zone: tzinfo, now: datetime) -> Notice:
    return Notice(
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
        at=now,
    )


def _key(sent: Sent, stored: StoredEntry) -> str:
    return f"{ABOUT}{sent.standing.week}/{stored.entry_id}"


def _told(sent: Sent, stored: StoredEntry, zone: tzinfo) -> str:
    at = f", sent on {moment_in_words(sent.standing.moved_at, zone)}" if sent.standing.moved_at else ""
    return f"{sent.name}{at}, tells this story of the feed {stored.entry.feed_id}."


def _say_so(sent: Sent) -> str:
    week = Week.parse(sent.standing.week).next()
    return f"in the introduction, with `pipeline preview {week}` or in editions/{week}.md"
