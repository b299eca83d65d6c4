"""Find out which editions were sent without a store's knowledge, after a backup or an export replaced it.

Three things know more than the store: the store that it replaced, the outbox, whose receipts prove that an edition
left, and the files in ``editions/``, which are written after a send. An edition that only may have been sent is held
until a person says whether it was; until then no other edition is approved or sent, as it might repeat its entries.
Likewise its dispatch is paused if the store cannot know who has got it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pipeline.jobs.digests.files import CORRECTIONS
from pipeline.jobs.editions.sent_editions import (
    SENT_STATES,
    adopt,
    adopt_correction,
    as_correction,
    missing_editions,
    read_edition,
)
from pipeline.jobs.ports import Backend
from pipeline.model.edition import RECOVERY_ACTOR, EditionRecord, PublishedEdition
from pipeline.model.week import WeekCalendar
from pipeline.store import Store

_EDITION_ID = re.compile(r"(\d{4}-W\d\d)\.\d{14}\.edition@(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryResult:
    """The weeks of editions that a store did not know to be sent."""

    sent: tuple[str, ...] = ()
    """Recorded as sent."""
    unconfirmed: tuple[str, ...] = ()
    """Held, because they may have been sent."""
    paused: tuple[str, ...] = ()
    """Sending them is paused, because more people may have got them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The evidence outside the store of which editions were sent."""

    backend: Backend
    editions_folder: Path
    calendar: WeekCalendar
    domain: str
    """The domain of the sender, which ends the Message-ID of each edition."""
    leaves_receipts: bool = True
    """Whether every edition that is sent ends up in the outbox; subscribers' copies do not."""

    def after_restore(self, store: Store, previous: Store | None, *, now: datetime) -> RecoveryResult:
        """Bring a store up to date that was restored or imported, ``previous`` being the one it replaces, if readable.

        If ``previous`` is not a later state of the same publication, dispatches are paused; if the outbox is not the
        one that the store has sent its editions to, either, the weeks since the store's last change are held.
        """
        since = store.maintenance.changed_at()
        is_later = previous is not None and _is_later_state(previous, store)
        sent = [adopt(store, edition) for edition in missing_editions(store, previous)] if previous else []
        if previous:
            _carry_over_corrections(store, previous)
        if previous and is_later:
            _carry_over_dispatches(store, previous, now)
        is_complete = is_later or (self.leaves_receipts and self._has_receipts_of(store))
        result = self.from_files(store, now=now)
        paused = [] if is_later else _pause_dispatches(store, since, now)
        if not is_later:
            _cancel_drafts(store, now)
        unknown = [] if is_complete or since is None else self._hold_since(store, since, now, paused)
        return RecoveryResult(
            sent=tuple(sorted({*sent, *result.sent})),
            unconfirmed=tuple(sorted({*result.unconfirmed, *unknown})),
            paused=tuple(paused),
        )

    def from_files(self, store: Store, *, now: datetime) -> RecoveryResult:
        """Record the editions that the outbox or ``editions/`` prove to be sent; hold those without known content."""
        sent, unconfirmed = [], []
        receipts = self._receipts()  # first: whatever is delivered later is being sent in the records
        records = store.editions.all()
        written = {path.parent.name for path in self.editions_folder.glob("????-W??/state.json")}
        for week in sorted({*receipts, *written}):
            record = records.get(week) or EditionRecord(week=week)
            if record.state in SENT_STATES or record.is_unconfirmed:
                continue
            receipt = receipts.get(week)
            edition = self._find_edition(store, record, receipt)
            if edition:
                sent.append(adopt(store, edition))
            elif receipt:
                note = f"{receipt} is an edition of that week; if you never sent it, move it away"
                _hold(store, record, note, now)
                unconfirmed.append(week)
        self._adopt_corrections(store)
        return RecoveryResult(sent=tuple(sent), unconfirmed=tuple(unconfirmed))

    def _adopt_corrections(self, store: Store) -> None:
        """Record the corrections that are written as sent, or being sent, to ``editions/``: nobody gets them twice."""
        for path in sorted(self.editions_folder.glob(f"????-W??/{CORRECTIONS}/*/state.json")):
            with suppress(OSError, ValueError, KeyError, TypeError):  # not written by this program, or not completely
                written = read_edition(path.parent, json.loads(path.read_bytes()))
                if written.record.state in SENT_STATES:
                    adopt_correction(store, as_correction(written), written.sealed)

    def _receipts(self) -> dict[str, Path]:
        """Return the delivered editions of this publication, by week."""
        matches = ((_EDITION_ID.fullmatch(name), path) for name, path in self.backend.delivered().items())
        return {match[1]: path for match, path in matches if match and match[2] == self.domain}

    def _has_receipts_of(self, store: Store) -> bool:
        """Check whether the outbox has the newest edition the store has sent through it; any, if it has sent none."""
        note = self.backend.outcome
        records = store.editions.all().items()
        known = [week for week, record in records if record.state == "sent" and record.note == note]
        receipts = self._receipts()
        return max(known) in receipts if known else bool(receipts)

    def _find_edition(self, store: Store, record: EditionRecord, receipt: Path | None) -> PublishedEdition | None:
        """Return the edition of a receipt, or the one written as sent to ``editions/``; None if neither is complete."""
        message = receipt.read_bytes() if receipt else b""
        sealed = store.editions.sealed(record.week)
        if sealed and sealed.edition.eml == message:
            entries = store.entries.by_id(sealed.entry_ids)
            sent = replace(record, state="sent", note=self.backend.outcome)
            return PublishedEdition(record=sent, sealed=sealed, entries=tuple(entries))
        with suppress(OSError, ValueError, KeyError, TypeError):  # not written by this program, or not completely
            folder = self.editions_folder / record.week
            written = read_edition(folder, json.loads((folder / "state.json").read_bytes()))
            if written.sealed.edition.eml == message or (not receipt and written.record.state == "sent"):
                return replace(written, record=replace(written.record, state="sent"))
        return None

    def _hold_since(self, store: Store, since: datetime, now: datetime, paused: Collection[str]) -> list[str]:
        """Put editions on hold that may have been sent since, but not ``paused`` ones; return their weeks."""
        records = store.editions.all()
        weeks = {week for week, record in records.items() if record.state in ("approved", "sending")}
        week = self.calendar.newest_closed(since)
        while since < now and week <= self.calendar.newest_closed(now):
            weeks.add(str(week))
            week = week.next()
        held = []
        for name in sorted(weeks.difference(paused)):
            record = records.get(name) or EditionRecord(week=name)
            if record.state not in ("sent", "skipped") and not record.is_unconfirmed:
                _hold(store, record, f"this store knows nothing after {since:%Y-%m-%d %H:%M} UTC", now)
                held.append(name)
        return held


def _hold(store: Store, record: EditionRecord, note: str, now: datetime) -> None:
    store.editions.change_state(record, "held", now=now, actor=RECOVERY_ACTOR, note=note)


def _carry_over_corrections(store: Store, previous: Store) -> None:
    """Record the corrections that another store has sent, or begun to send."""
    for correction in previous.corrections.all():
        sealed = previous.corrections.sealed(*correction.key)
        if sealed and correction.state != "draft":
            adopt_correction(store, correction, sealed)


def _carry_over_dispatches(store: Store, previous: Store, now: datetime) -> None:
    """Bring dispatches up to date; an edition that is not being sent any more is held, as it is in the other store."""
    store.dispatches.carry_over(previous.dispatches)
    store.clicks.carry_over(previous.clicks)
    for dispatch in store.dispatches.all():
        record = store.editions.get(dispatch.week)
        if record.state == "sending" and (dispatch.state, dispatch.correction) == ("cancelled", 0):
            ended = previous.editions.get(dispatch.week)
            store.editions.release(record, "held", (), now=now, actor=ended.changed_by, note=ended.note)


def _cancel_drafts(store: Store, now: datetime) -> None:
    """Cancel corrections that may have been sent since: they can be made again."""
    for correction in store.corrections.all():
        if correction.state == "draft":
            note = "it may have been sent before the store was restored"
            store.corrections.change_state(correction, "cancelled", now=now, actor=RECOVERY_ACTOR, note=note)


def _pause_dispatches(store: Store, since: datetime | None, now: datetime) -> list[str]:
    """Pause what is being sent, since the store does not know how far that came; return the weeks."""
    weeks = []
    for dispatch in store.dispatches.all():
        if dispatch.state in ("running", "paused"):
            newest = max(filter(None, (since, dispatch.changed_at)))
            note = (
                f"this store knows nothing after {newest:%Y-%m-%d %H:%M} UTC: those who got the edition after that get "
                "it twice if you resume"
            )
            store.dispatches.change_state(dispatch.key, "paused", now=now, actor=RECOVERY_ACTOR, note=note)
            weeks.append(dispatch.week)
    return sorted({*weeks})


def _is_later_state(previous: Store, store: Store) -> bool:
    """Check whether a store is the same or a later state of another: it has read the same feed first, and not less."""
    changed_at, newest_at = store.maintenance.changed_at(), previous.maintenance.changed_at()
    if changed_at is None or newest_at is None or changed_at > newest_at:
        return False
    return bool(_first_reads(store) & _first_reads(previous))


def _first_reads(store: Store) -> set[tuple[str, datetime]]:
    states = store.feeds.states().values()
    return {(state.feed_id, state.first_read_at) for state in states if state.first_read_at}
