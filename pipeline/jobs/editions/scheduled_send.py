"""Send the newest closed week's edition at its scheduled time.

The week and the delay follow from the start of the schedule's period; the edition's state is read from the store at
each attempt. An interrupted send, a day without power and a late editor are therefore handled in the same way. An
edition that nobody approved is sent only if the editor has had a proof of these very bytes for ``MIN_REVIEW_TIME``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal

from pipeline.jobs.digests.build import build_draft, write_sealed
from pipeline.jobs.editions.recovery import Recovery
from pipeline.jobs.editions.send import send
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.alert import Alert, AlertLevel
from pipeline.model.digest import Edition
from pipeline.model.edition import SCHEDULE_ACTOR, EditionRecord, refusal
from pipeline.model.errors import DeliveryError, DeliveryFailedError, NothingToPublishError, RefusedError
from pipeline.model.proof import MIN_REVIEW_TIME
from pipeline.model.run import Run
from pipeline.model.schedule import At, Every, Schedule
from pipeline.model.week import Week, WeekCalendar
from pipeline.scheduler.engine import Deferred, Done, Task
from pipeline.store import Store
from pipeline.text.format import datetime_in_words

ApprovalMode = Literal["required", "unless-held"]
ACTOR = SCHEDULE_ACTOR
ALERT_PREFIX = "send/"
"""Prefix of the keys of alerts about scheduled sends."""
RETRY_INTERVAL = timedelta(minutes=10)
"""How often to try again while somebody may be fixing the problem; also how long after the limit the last try is."""
GRACE_PERIOD = timedelta(hours=1)
"""An edition approved within this time before the limit may still be sent for as long after the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSend:
    """Sends editions by schedule and keeps the alerts about them up to date."""

    schedule: At
    late_limit: timedelta
    """How long after the scheduled time an edition may still be sent automatically."""
    approval: ApprovalMode
    workflow: EditionWorkflow
    """With ``ACTOR`` as its actor."""
    recovery: Recovery
    """With the backend that editions are sent through."""
    editions_folder: Path
    """Folder of the written editions, which follow the state of a sent one."""
    reconcile_alerts: Callable[[Sequence[Alert], datetime], object]
    """Makes the given alerts the only open ones below ``ALERT_PREFIX``."""
    send_proof: Callable[[Week, datetime], object]
    """Sends the editor a proof if one is due; may raise DeliveryError."""
    draft_is_ready: Callable[[datetime], bool]
    """Checks whether the draft that is due has been written; after a downtime, feeds are fetched before it."""

    start_sending: Callable[[Week, datetime], object] | None = None
    """Starts to send an approved edition to subscribers, which another thread does; None if the outbox gets it."""

    def run(self, now: datetime) -> Done | Deferred:
        """Handle the week that was the newest closed one when the schedule's period began; return what was done."""
        window = _SendWindow.at(self.schedule, self.late_limit, self.workflow.context.calendar, now)
        self.recovery.from_files(self.workflow.store, now=now)
        self._add_alerts_about_older_editions(window)
        try:
            outcome = self._advance(window)
        finally:
            self.reconcile_alerts(window.alerts, now)
        week = str(window.week)
        return Done(message=outcome, week=week) if isinstance(outcome, str) else replace(outcome, week=week)

    def _advance(self, window: _SendWindow) -> str | Deferred:
        record = self.workflow.store.editions.get(str(window.week))
        if record.auto_held:
            record = self.workflow.resume(window.week, now=window.now)
        if record.state in ("sent", "skipped"):
            return f"{window.week} was {record.state}"
        if record.state == "sending" and self.start_sending:
            return f"{window.week} is being sent"
        if unconfirmed := self.workflow.store.editions.unconfirmed():
            return self._report_blocked(window, RefusedError(refusal("send", unconfirmed)))
        if not window.is_open(record):
            return self._report_missed(window, record)
        if record.state == "draft" and self.approval == "unless-held":
            return self._send_unapproved(window)
        if record.state in ("approved", "sending"):
            return self._send(window)
        return self._await_approval(window, record)

    def _send_unapproved(self, window: _SendWindow) -> str | Deferred:
        """Approve and send a draft if the editor has had its proof long enough; else send the proof."""
        store = self.workflow.store
        try:
            edition = build_draft(store, self.workflow.context, window.week, now=window.now).edition
            if not self.draft_is_ready(window.now):
                return Deferred(reason=f"{window.week} waits for its draft", until=window.retry_at)
            proof_sent_at = store.proofs.first_sent_at(str(window.week), edition.content_hash)
            if proof_sent_at is None or window.now < proof_sent_at + MIN_REVIEW_TIME:
                return self._send_proof(window, edition)
            self.workflow.approve(window.week, now=window.now, content_hash=edition.content_hash)
        except NothingToPublishError as error:
            return Deferred(reason=str(error), until=window.retry_at)
        except RefusedError as error:
            return self._report_blocked(window, error)
        return self._send(window)

    def _send_proof(self, window: _SendWindow, edition: Edition) -> Deferred:
        """Send the proof of a draft and wait for as long as the editor may hold it."""
        try:
            self.send_proof(window.week, window.now)
        except DeliveryError as error:
            text = f"{error} An unapproved edition is sent only an hour after its proof. {window.approval_hint}"
            window.add_alert("unseen", "could not be sent to you as a proof", text)
            return Deferred(reason=f"{window.week}: the proof could not be sent: {error}", until=window.retry_at)
        sent_at = self.workflow.store.proofs.first_sent_at(str(window.week), edition.content_hash)
        send_at = (sent_at or window.now) + MIN_REVIEW_TIME
        if send_at > window.closes_at:
            window.add_alert("unapproved", "waits for your approval", f"Its proof was late. {window.approval_hint}")
        reason = f"{window.week} is sent an hour after its proof unless somebody holds it"
        return Deferred(reason=reason, until=send_at if sent_at else window.retry_at)

    def _send(self, window: _SendWindow) -> str | Deferred:
        try:
            if self.start_sending:
                self.start_sending(window.week, window.now)
                return f"{window.week} is being sent to subscribers"
            record, path = send(self.workflow, self.recovery, window.week, now=window.now)
        except RefusedError as error:
            return self._report_blocked(window, error)
        except DeliveryError as error:
            window.add_alert("failed", "could not be sent", f"{error} {_next_steps(window, error)}")
            raise
        write_sealed(self.workflow.store, self.workflow.context, window.week, self.editions_folder, now=window.now)
        return f"{window.week}: Issue {record.number} {self.recovery.backend.outcome}: {path}"

    def _report_blocked(self, window: _SendWindow, error: RefusedError) -> Deferred:
        text = f"{error} If this is fixed by {window.closing_time}, it is sent automatically."
        window.add_alert("stopped", "cannot be sent as it is", text)
        return Deferred(reason=str(error), until=window.retry_at)

    def _await_approval(self, window: _SendWindow, record: EditionRecord) -> Deferred:
        if record.state == "held":
            return Deferred(reason=f"{window.week} is held", until=window.last_check_at)
        if not self._has_content(window):
            return Deferred(reason=f"{window.week} has nothing to send", until=window.last_check_at)
        text = f"It was due on {window.opening_time}. {window.approval_hint}"
        window.add_alert("unapproved", "waits for your approval", text)
        reason = f"{window.week} is not approved; if approved by {window.closing_time}, it is sent at once"
        return Deferred(reason=reason, until=window.last_check_at)

    def _report_missed(self, window: _SendWindow, record: EditionRecord) -> str | Deferred:
        """Leave an edition whose window has passed to the editor, and check on it until the next scheduled send."""
        week = window.week
        if record.state == "held":
            return Deferred(reason=f"{week} was not sent: it is held", until=window.next_opens_at)
        if not record.is_sealed and not (self._was_expected(window) and self._has_content(window)):
            return f"{week} was not sent: it has nothing to send"
        commands = f"`pipeline send {week}`"
        if not record.is_sealed:
            commands = f"`pipeline approve {week}`, then {commands}"
        text = (
            f"It was due on {window.opening_time}, and nothing is sent automatically after {window.closing_time}. "
            f"To send it anyway, run {commands}; to drop it, run `pipeline skip {week}`."
        )
        window.add_alert("late", "was not sent", text, "error")
        return Deferred(reason=f"{week} was not sent in time; run {commands} to send it", until=window.next_opens_at)

    def _add_alerts_about_older_editions(self, window: _SendWindow) -> None:
        """Add an alert about each older edition that was approved and never sent; they are not sent automatically."""
        for week, record in self.workflow.store.editions.all().items():
            if week >= str(window.week) or not (record.auto_held or record.state in ("approved", "sending")):
                continue
            text = f"To send it, run `pipeline send {week}`; to release its stories, run `pipeline hold {week}`."
            if record.auto_held:
                text = f"To send it, run `pipeline resume {week}`; to drop it, run `pipeline skip {week}`."
            older = replace(window, week=Week.parse(week))
            older.add_alert("late", "was approved and never sent", text, "error")

    def _was_expected(self, window: _SendWindow) -> bool:
        """Check whether any feed had been fetched by the scheduled time; before that there was no newsletter."""
        first_fetches = [state.first_read_at for state in self.workflow.store.feeds.states().values()]
        return any(at is not None and at <= window.opens_at for at in first_fetches)

    def _has_content(self, window: _SendWindow) -> bool:
        try:
            build_draft(self.workflow.store, self.workflow.context, window.week, now=window.now)
        except NothingToPublishError:
            return False
        return True


def _next_steps(window: _SendWindow, error: DeliveryError) -> str:
    if error.retry:
        return f"Sending is retried until {window.closing_time}; after that, the decision is yours."
    resume = f"`pipeline resume {window.week}`, then " if isinstance(error, DeliveryFailedError) else ""
    return f"To try again, run {resume}`pipeline send {window.week}`."


@dataclass(frozen=True, slots=True, kw_only=True)
class _SendWindow:
    """When one week's edition may be sent automatically, and the alerts about it."""

    week: Week
    opens_at: datetime
    """The scheduled time."""
    closes_at: datetime
    """The limit: nothing is sent automatically after it, apart from ``GRACE_PERIOD``."""
    next_opens_at: datetime
    now: datetime
    zone: tzinfo
    alerts: list[Alert] = field(default_factory=list)

    @classmethod
    def at(cls, schedule: At, late_limit: timedelta, calendar: WeekCalendar, now: datetime) -> _SendWindow:
        """Return the window of the schedule's newest period."""
        opens_at = schedule.began_at(now, calendar.zone)
        return cls(
            week=calendar.newest_closed(opens_at),
            opens_at=opens_at,
            closes_at=opens_at + late_limit,
            next_opens_at=schedule.next_at(now, calendar.zone),
            now=now,
            zone=calendar.zone,
        )

    def add_alert(self, kind: str, subject: str, text: str, level: AlertLevel = "warning") -> None:
        """Add an alert about the week; its key ends with ``kind``."""
        key = f"{ALERT_PREFIX}{self.week}/{kind}"
        subject = f"{self.week} {subject}"
        self.alerts.append(Alert(key=key, subject=subject, text=text, raised_at=self.now, level=level))

    def is_open(self, record: EditionRecord) -> bool:
        """Check whether the edition may be sent automatically now."""
        if record.state not in ("approved", "sending"):
            return self.now < self.closes_at + RETRY_INTERVAL
        changed_at = record.changed_at or self.now
        approved_late = self.closes_at - GRACE_PERIOD <= changed_at <= self.closes_at
        return self.now <= self.closes_at + (GRACE_PERIOD if approved_late else timedelta())

    @property
    def retry_at(self) -> datetime:
        """When to try again what somebody may be fixing."""
        return min(self.now + RETRY_INTERVAL, self.last_check_at)

    @property
    def last_check_at(self) -> datetime:
        """When to check again on what only the editor can do: at the limit, and once shortly after it."""
        return self.closes_at if self.now < self.closes_at else self.closes_at + RETRY_INTERVAL

    @property
    def approval_hint(self) -> str:
        return f"If you approve it by {self.closing_time}, it is sent at once; later it is not sent automatically."

    @property
    def opening_time(self) -> str:
        return datetime_in_words(self.opens_at, self.zone)

    @property
    def closing_time(self) -> str:
        return datetime_in_words(self.closes_at, self.zone)


def send_task(schedule: At, store: Store, build_send: Callable[[], ScheduledSend]) -> Task:
    """Return the task that sends the newest closed week's edition at its time, or as soon after it as allowed."""

    def has_changed(run: Run) -> bool:
        """Check whether an edition has changed its state since a run, most likely by an editor."""
        records = store.editions.all().values()
        return any(record.changed_at and record.changed_at > run.claimed_at for record in records)

    return Task(id="send", schedule=schedule, run=lambda period, now: build_send().run(now), is_ready=has_changed)


def is_draft_ready(schedule: Schedule, store: Store, now: datetime, zone: tzinfo) -> bool:
    """Check whether the newest draft due by ``schedule``, the drafts' schedule, has been written or tried."""
    run = store.runs.newest().get("draft")
    # With a short interval, the period before counts, too: the newest one is about to run in this tick.
    since = now - schedule.interval if isinstance(schedule, Every) else now
    periods = (schedule.period(since, zone), schedule.period(now, zone))
    return run is not None and run.period_key in periods and run.finished_at is not None
