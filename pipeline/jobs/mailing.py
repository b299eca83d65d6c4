"""The mailing at its time: what may go out goes out, and of what may not, or comes too late, the editor is told.

In: a rhythm, what editions are made and sent with, an instant. Out: a Task for ``tick``. Which week it is about, and
how late it is, follows from when the period began; where its edition stands is read from the store at every attempt, so
a send that was cut short, a day without a machine and an editor who is late are one and the same case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from pipeline.jobs.editions import Publisher
from pipeline.jobs.send import Backend, send
from pipeline.jobs.tick import Task, Waits
from pipeline.jobs.weekly import draft
from pipeline.model.edition import Standing
from pipeline.model.errors import DeliveryProblem, NothingToPublish, Refused
from pipeline.model.notice import Notice, NoticeLevel
from pipeline.model.run import Run
from pipeline.model.schedule import At
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store
from pipeline.text.moments import moment_in_words

Approval = Literal["required", "unless-held"]
BY = "schedule"
"""In whose name editions move by themselves."""
ABOUT = "send/"
"""How the keys of notices about mailings begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailing:
    """What sends by itself."""

    rhythm: At
    late_limit: timedelta
    approval: Approval
    publisher: Publisher
    """Its name is ``BY``."""
    backend: Backend
    settle: Callable[[Sequence[Notice], datetime], object]
    """Makes these the open notices about mailings: tells what is new, closes what is over."""
    laid_out: Callable[[Week, datetime], object]
    """Lets the files in editions/ follow a move."""

    def run(self, now: datetime) -> str | Waits:
        """Do what can be done now about the week that was the newest closed one when the period began."""
        mail = _Mail.of(self.rhythm, self.late_limit, self.publisher.press.clock, now)
        self._ask_about_older(mail)
        try:
            return self._move_on(mail)
        finally:
            self.settle(mail.notices, now)

    def _move_on(self, mail: _Mail) -> str | Waits:
        standing = self._standing(mail)
        if standing.state in ("sent", "skipped"):
            return f"{mail.week} was {standing.state}"
        if mail.now > mail.until:
            return self._too_late(mail, standing)
        if standing.state == "draft" and self.approval == "unless-held":
            return self._seal_and_send(mail)
        if standing.state in ("approved", "sending"):
            return self._send(mail)
        return self._wait(mail, standing)

    def _standing(self, mail: _Mail) -> Standing:
        """Look where the edition stands; one that we hold ourselves, since it could not be sent, is taken up again."""
        standing = self.publisher.store.editions.standing(str(mail.week))
        if standing.state == "held" and standing.moved_by == BY and mail.now <= mail.until:
            return self.publisher.resume(mail.week, now=mail.now)
        return standing

    def _seal_and_send(self, mail: _Mail) -> str | Waits:
        try:
            self.publisher.approve(mail.week, now=mail.now)
        except NothingToPublish as reason:
            return Waits(line=str(reason), until=mail.until)
        except Refused as reason:
            return self._stop(mail, reason)
        return self._send(mail)

    def _send(self, mail: _Mail) -> str | Waits:
        try:
            standing, path = send(self.publisher, self.backend, mail.week, now=mail.now)
        except Refused as reason:
            return self._stop(mail, reason)
        except DeliveryProblem as trouble:
            again = f"It is tried again until {mail.limit}; then" if trouble.retry else "Now"
            mail.note("failed", "could not be sent", f"{trouble} {again} it is up to you: `pipeline send {mail.week}`.")
            raise
        self.laid_out(mail.week, mail.now)
        return f"{mail.week}: No. {standing.number} sent, into {path}"

    def _stop(self, mail: _Mail, reason: Refused) -> Waits:
        mail.note("stopped", "cannot go out as it is", f"{reason} Mended by {mail.limit}, it goes out by itself.")
        return Waits(line=str(reason), until=mail.until)

    def _wait(self, mail: _Mail, standing: Standing) -> Waits:
        if standing.state == "held":
            return Waits(line=f"{mail.week} is held", until=mail.until)
        if not self._has_content(mail):
            return Waits(line=f"{mail.week} has nothing to send", until=mail.until)
        text = (
            f"It was to go out on {mail.time}. Approve it by {mail.limit} and it goes out at once, later not by itself."
        )
        mail.note("unapproved", "waits for your approval", text)
        line = f"{mail.week} is not approved; approved by {mail.limit}, it goes out at once"
        return Waits(line=line, until=mail.until)

    def _too_late(self, mail: _Mail, standing: Standing) -> str | Waits:
        """Ask the editor, and see what comes of it until the next mailing."""
        if standing.state == "held":
            return Waits(line=f"{mail.week} did not go out: it is held", until=mail.next_at)
        if not standing.sealed and not (self._was_expected(mail) and self._has_content(mail)):
            return f"{mail.week} did not go out: it has nothing to send"
        first = "" if standing.sealed else f"`pipeline approve {mail.week}`, then "
        text = (
            f"It was to go out on {mail.time}, and nothing goes out by itself later than {mail.limit}. "
            f"Is it still to go? {first}`pipeline send {mail.week}` sends it, `pipeline skip {mail.week}` lets it be."
        )
        mail.note("late", "was not sent", text, "error")
        line = f"{mail.week} did not go out in time; {first}`pipeline send {mail.week}` sends it"
        return Waits(line=line, until=mail.next_at)

    def _ask_about_older(self, mail: _Mail) -> None:
        """Ask about editions that were approved in vain: nothing of the kind goes out by itself."""
        for week, standing in self.publisher.store.editions.standings().items():
            if standing.state in ("approved", "sending") and week < str(mail.week):
                text = f"Is it still to go? `pipeline send {week}` sends it, `pipeline hold {week}` frees its stories."
                replace(mail, week=Week.parse(week)).note("late", "was approved and never sent", text, "error")

    def _was_expected(self, mail: _Mail) -> bool:
        """Tell whether any feed had been read when it was to go out; before that there was no newsletter."""
        read = [state.first_read_at for state in self.publisher.store.feed_states().values()]
        return any(at is not None and at <= mail.began_at for at in read)

    def _has_content(self, mail: _Mail) -> bool:
        try:
            draft(self.publisher.store, self.publisher.press, mail.week, now=mail.now)
        except NothingToPublish:
            return False
        return True


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
    notices: list[Notice] = field(default_factory=list)

    @classmethod
    def of(cls, rhythm: At, late_limit: timedelta, clock: WeekClock, now: datetime) -> _Mail:
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

    def note(self, what: str, subject: str, text: str, level: NoticeLevel = "warning") -> None:
        """Say something of this week that somebody should be told."""
        key = f"{ABOUT}{self.week}/{what}"
        self.notices.append(Notice(key=key, subject=f"{self.week} {subject}", text=text, at=self.now, level=level))

    @property
    def time(self) -> str:
        return moment_in_words(self.began_at, self.zone)

    @property
    def limit(self) -> str:
        return moment_in_words(self.until, self.zone)


def send_task(rhythm: At, store: Store, open_mailing: Callable[[], Mailing]) -> Task:
    """Send the newest closed week's edition at its time, or as soon after it as it may go."""

    def moved(run: Run) -> bool:
        """Tell whether any edition was moved since: by an editor, most likely."""
        standings = store.editions.standings().values()
        return any(each.moved_at and each.moved_at > run.claimed_at for each in standings)

    return Task(id="send", schedule=rhythm, run=lambda period, now: open_mailing().run(now), wakes=moved)
