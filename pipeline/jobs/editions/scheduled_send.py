"""The mailing at its time: what may go out goes out, and of what may not, or comes too late, the editor is told.

In: a rhythm, what editions are made and sent with, an instant. Out: a Task for ``tick``. Which week it is about, and
how late it is, follows from when the period began; where its edition stands is read from the store at every attempt, so
a send that was cut short, a day without a machine and an editor who is late are one and the same case. What nobody
approved goes out only when the editor has had a proof of these very bytes for an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.editions.send import send
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.ports import Backend
from pipeline.model.alert import Alert, AlertLevel
from pipeline.model.digest import Edition
from pipeline.model.edition import SCHEDULE_ACTOR, EditionRecord
from pipeline.model.errors import DeliveryError, DeliveryFailedError, NothingToPublishError, RefusedError
from pipeline.model.proof import MIN_REVIEW_TIME
from pipeline.model.run import Run
from pipeline.model.schedule import At, Every, Schedule
from pipeline.model.week import Week, WeekCalendar
from pipeline.scheduler.engine import Deferred, Task
from pipeline.store import Store
from pipeline.text.format import datetime_in_words

ApprovalMode = Literal["required", "unless-held"]
ACTOR = SCHEDULE_ACTOR
ALERT_PREFIX = "send/"
"""How the keys of notices about mailings begin."""
RETRY_INTERVAL = timedelta(minutes=10)
"""What somebody has to mend is looked at again so soon, for the last time so long after the limit."""
GRACE_PERIOD = timedelta(hours=1)
"""What was approved in so long before the limit goes out so long after it: whoever sends it, comes later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledSend:
    """What sends by itself."""

    schedule: At
    late_limit: timedelta
    approval: ApprovalMode
    workflow: EditionWorkflow
    """Its name is ``ACTOR``."""
    backend: Backend
    reconcile_alerts: Callable[[Sequence[Alert], datetime], object]
    """Makes these the open notices about mailings: tells what is new, closes what is over."""
    on_state_change: Callable[[Week, datetime], object]
    """Lets the files in editions/ follow a move."""
    send_proof: Callable[[Week, datetime], object]
    """Sends the editor a proof, if one is due; a DeliveryProblem passes through."""
    draft_is_ready: Callable[[datetime], bool]
    """Tells whether the newest draft that is due has been made: after a downtime the feeds are read before it."""

    def run(self, now: datetime) -> str | Deferred:
        """Do what can be done now about the week that was the newest closed one when the period began."""
        mail = _Mail.of(self.schedule, self.late_limit, self.workflow.context.calendar, now)
        self._ask_about_older(mail)
        try:
            return self._move_on(mail)
        finally:
            self.reconcile_alerts(mail.notices, now)

    def _move_on(self, mail: _Mail) -> str | Deferred:
        standing = self._standing(mail)
        if standing.state in ("sent", "skipped"):
            return f"{mail.week} was {standing.state}"
        if not mail.in_time(standing):
            return self._too_late(mail, standing)
        if standing.state == "draft" and self.approval == "unless-held":
            return self._unless_held(mail)
        if standing.state in ("approved", "sending"):
            return self._send(mail)
        return self._wait(mail, standing)

    def _standing(self, mail: _Mail) -> EditionRecord:
        """Look where the edition stands; one that we hold ourselves, since it could not be sent, is taken up again."""
        standing = self.workflow.store.editions.get(str(mail.week))
        if standing.auto_held:
            return self.workflow.resume(mail.week, now=mail.now)
        return standing

    def _unless_held(self, mail: _Mail) -> str | Deferred:
        store = self.workflow.store
        try:
            edition = build_draft(store, self.workflow.context, mail.week, now=mail.now).edition
            if not self.draft_is_ready(mail.now):
                return Deferred(reason=f"{mail.week} waits for its draft", until=mail.soon)
            shown_at = store.proofs.first_sent_at(str(mail.week), edition.content_hash)
            if shown_at is None or mail.now < shown_at + MIN_REVIEW_TIME:
                return self._show_first(mail, edition)
            self.workflow.approve(mail.week, now=mail.now, content_hash=edition.content_hash)
        except NothingToPublishError as reason:
            return Deferred(reason=str(reason), until=mail.soon)
        except RefusedError as reason:
            return self._stop(mail, reason)
        return self._send(mail)

    def _show_first(self, mail: _Mail, edition: Edition) -> Deferred:
        """Let the editor see these bytes, and give them the time to hold them."""
        try:
            self.send_proof(mail.week, mail.now)
        except DeliveryError as trouble:
            text = f"{trouble} What nobody approved goes out only an hour after its proof. {mail.approval_helps}"
            mail.note("unseen", "cannot be shown to you", text)
            return Deferred(reason=f"{mail.week} could not be shown to the editor: {trouble}", until=mail.soon)
        shown_at = self.workflow.store.proofs.first_sent_at(str(mail.week), edition.content_hash)
        goes_at = (shown_at or mail.now) + MIN_REVIEW_TIME
        if goes_at > mail.until:
            mail.note("unapproved", "waits for your approval", f"Its proof came late. {mail.approval_helps}")
        line = f"{mail.week} goes out an hour after its proof, unless somebody holds it"
        return Deferred(reason=line, until=goes_at if shown_at else mail.soon)

    def _send(self, mail: _Mail) -> str | Deferred:
        try:
            standing, path = send(self.workflow, self.backend, mail.week, now=mail.now)
        except RefusedError as reason:
            return self._stop(mail, reason)
        except DeliveryError as trouble:
            mail.note("failed", "could not be sent", f"{trouble} {_what_now(mail, trouble)}")
            raise
        self.on_state_change(mail.week, mail.now)
        return f"{mail.week}: No. {standing.number} sent, into {path}"

    def _stop(self, mail: _Mail, reason: RefusedError) -> Deferred:
        mail.note("stopped", "cannot go out as it is", f"{reason} Mended by {mail.limit}, it goes out by itself.")
        return Deferred(reason=str(reason), until=mail.soon)

    def _wait(self, mail: _Mail, standing: EditionRecord) -> Deferred:
        if standing.state == "held":
            return Deferred(reason=f"{mail.week} is held", until=mail.last_look)
        if not self._has_content(mail):
            return Deferred(reason=f"{mail.week} has nothing to send", until=mail.last_look)
        text = f"It was to go out on {mail.time}. {mail.approval_helps}"
        mail.note("unapproved", "waits for your approval", text)
        line = f"{mail.week} is not approved; approved by {mail.limit}, it goes out at once"
        return Deferred(reason=line, until=mail.last_look)

    def _too_late(self, mail: _Mail, standing: EditionRecord) -> str | Deferred:
        """Ask the editor, and see what comes of it until the next mailing."""
        if standing.state == "held":
            return Deferred(reason=f"{mail.week} did not go out: it is held", until=mail.next_at)
        if not standing.is_sealed and not (self._was_expected(mail) and self._has_content(mail)):
            return f"{mail.week} did not go out: it has nothing to send"
        first = "" if standing.is_sealed else f"`pipeline approve {mail.week}`, then "
        text = (
            f"It was to go out on {mail.time}, and nothing goes out by itself later than {mail.limit}. "
            f"Is it still to go? {first}`pipeline send {mail.week}` sends it, `pipeline skip {mail.week}` lets it be."
        )
        mail.note("late", "was not sent", text, "error")
        line = f"{mail.week} did not go out in time; {first}`pipeline send {mail.week}` sends it"
        return Deferred(reason=line, until=mail.next_at)

    def _ask_about_older(self, mail: _Mail) -> None:
        """Ask about editions that were approved in vain: nothing of the kind goes out by itself."""
        for week, standing in self.workflow.store.editions.all().items():
            if week < str(mail.week) and (standing.auto_held or standing.state in ("approved", "sending")):
                replace(mail, week=Week.parse(week)).note(
                    "late", "was approved and never sent", _ask(standing), "error"
                )

    def _was_expected(self, mail: _Mail) -> bool:
        """Tell whether any feed had been read when it was to go out; before that there was no newsletter."""
        read = [state.first_read_at for state in self.workflow.store.feed_states().values()]
        return any(at is not None and at <= mail.began_at for at in read)

    def _has_content(self, mail: _Mail) -> bool:
        try:
            build_draft(self.workflow.store, self.workflow.context, mail.week, now=mail.now)
        except NothingToPublishError:
            return False
        return True


def _ask(standing: EditionRecord) -> str:
    week = standing.week
    if standing.auto_held:
        return f"Is it still to go? `pipeline resume {week}` takes it up again, `pipeline skip {week}` lets it be."
    return f"Is it still to go? `pipeline send {week}` sends it, `pipeline hold {week}` frees its stories."


def _what_now(mail: _Mail, trouble: DeliveryError) -> str:
    if trouble.retry:
        return f"It is tried again until {mail.limit}; then you are asked."
    first = f"`pipeline resume {mail.week}`, then " if isinstance(trouble, DeliveryFailedError) else ""
    return f"Now it is up to you: {first}`pipeline send {mail.week}`."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    """One mailing: which week, when it was to go out, until when it may by itself; and what there is to say of it."""

    week: Week
    began_at: datetime
    until: datetime
    next_at: datetime
    """When the next one is to go out."""
    now: datetime
    zone: tzinfo
    notices: list[Alert] = field(default_factory=list)

    @classmethod
    def of(cls, rhythm: At, late_limit: timedelta, clock: WeekCalendar, now: datetime) -> _Mail:
        """Find the mailing that is due now."""
        began_at = rhythm.began_at(now, clock.zone)
        return cls(
            week=clock.newest_closed(began_at),
            began_at=began_at,
            until=began_at + late_limit,
            next_at=rhythm.next_at(now, clock.zone),
            now=now,
            zone=clock.zone,
        )

    def note(self, what: str, subject: str, text: str, level: AlertLevel = "warning") -> None:
        """Say something of this week that somebody should be told."""
        key = f"{ALERT_PREFIX}{self.week}/{what}"
        self.notices.append(
            Alert(key=key, subject=f"{self.week} {subject}", text=text, raised_at=self.now, level=level)
        )

    def in_time(self, standing: EditionRecord) -> bool:
        """Tell whether it may still go out by itself: what was done just before the limit counts a little after it."""
        if standing.state in ("approved", "sending"):
            just_before = self.until - GRACE_PERIOD <= (standing.changed_at or self.now) <= self.until
            return self.now <= self.until + (GRACE_PERIOD if just_before else timedelta())
        return self.now < self.until + RETRY_INTERVAL

    @property
    def soon(self) -> datetime:
        """When to look again at what somebody may be mending; at the limit in any case."""
        return min(self.now + RETRY_INTERVAL, self.last_look)

    @property
    def last_look(self) -> datetime:
        """When to look again at what is an editor's to do: at the limit, and once a little after it."""
        return self.until if self.now < self.until else self.until + RETRY_INTERVAL

    @property
    def approval_helps(self) -> str:
        return f"Approve it by {self.limit} and it goes out at once, later not by itself."

    @property
    def time(self) -> str:
        return datetime_in_words(self.began_at, self.zone)

    @property
    def limit(self) -> str:
        return datetime_in_words(self.until, self.zone)


def send_task(schedule: At, store: Store, build_send: Callable[[], ScheduledSend]) -> Task:
    """Send the newest closed week's edition at its time, or as soon after it as it may go."""

    def moved(run: Run) -> bool:
        """Tell whether any edition was moved since: by an editor, most likely."""
        standings = store.editions.all().values()
        return any(each.changed_at and each.changed_at > run.claimed_at for each in standings)

    return Task(id="send", schedule=schedule, run=lambda period, now: build_send().run(now), is_ready=moved)


def is_draft_ready(schedule: Schedule, store: Store, now: datetime, zone: tzinfo) -> bool:
    """Tell whether the newest draft that is due has been made, or tried: ``rhythm`` is the drafts'."""
    run = store.runs.newest().get("draft")
    # Of one that comes every few minutes the period before will do: the newest is about to be run in this very beat.
    since = now - schedule.interval if isinstance(schedule, Every) else now
    periods = (schedule.period(since, zone), schedule.period(now, zone))
    return run is not None and run.period_key in periods and run.finished_at is not None
