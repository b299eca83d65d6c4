"""The proof: the draft as its readers would get it, sent to the editor, with what was found and three buttons above it.

In: a store, what digests are made with, a postman, the moment. Out: a mail to the editor, once for the same bytes and
an hour after the last one at the earliest. Which were sent, the store knows; nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from pipeline.digest.banner import Banner, Button, Note
from pipeline.digest.mime import to_proof
from pipeline.jobs.check import OpenProber, findings, look_over, settled
from pipeline.jobs.passes import write_pass
from pipeline.jobs.press import Press
from pipeline.jobs.send import Postman
from pipeline.jobs.tick import Task
from pipeline.jobs.weekly import draft
from pipeline.model.check import Check, blocking
from pipeline.model.digest import Edition
from pipeline.model.edition import why_not
from pipeline.model.errors import DeliveryInterrupted, DeliveryUncertain, Refused
from pipeline.model.proof import Choice, Pass, Plan, Proof
from pipeline.model.schedule import Every
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store

GOOD_FOR = timedelta(days=7)
"""So long a button works."""
LOOKS_EVERY = Every(timedelta(minutes=30))
"""So often it is looked whether a draft has changed."""
BUTTONS: tuple[tuple[Choice, str], ...] = (("approve", "Approve"), ("hold", "Hold"), ("open", "Open the desk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofreader:
    """Sends proofs to the editor."""

    store: Store
    press: Press
    postman: Postman
    banner: Banner
    plan: Plan
    key: str
    """What signs the buttons' passes."""
    pages: str = ""
    """The address of the pages that the buttons lead to; empty where there are none."""
    hint: str = ""
    """What else the editor should know about these pages, as a sentence."""
    prober: OpenProber | None = None
    """Asks for links and pictures first; without it, what they answered last time is told."""

    def proof(self, week: Week, *, now: datetime, again: bool = False) -> str:
        """Send the proof of a week's draft, and say what came of it in a line; ``again``: whether or not it is due.

        Refused for a week that is running, held, skipped or sent, NothingToPublish for one without a draft. A
        DeliveryProblem passes through: the proof is due again unless it may be out.
        """
        if now < self.press.clock.bounds(week)[1]:
            raise Refused(f"{week} is still running: its proof can be sent once it has closed.")
        if reason := why_not("approve", self.store.editions.standing(str(week))):
            raise Refused(reason)
        edition, _ = draft(self.store, self.press, week, now=now)
        claimed = self.store.proofs.claim(str(week), edition.content_hash, edition.manifest, now=now, again=again)
        if claimed is None:
            return f"{week}: no new proof, the editor has the newest or gets it in an hour"
        path = self._post(claimed, edition, now)
        where = f"is in {path.parent.name}/{path.name}" if path else f"is on its way to {self.press.publication.editor}"
        return f"{week}: the proof of “{edition.subject}” {where}"

    def _post(self, claimed: Proof, edition: Edition, now: datetime) -> Path | None:
        try:
            path = self.postman.post(self._mail(claimed, edition, now), self.press.publication.editor)
        except (DeliveryUncertain, DeliveryInterrupted):
            self.store.proofs.posted(claimed, now=now)
            raise
        except BaseException:
            self.store.proofs.give_back(claimed)
            raise
        self.store.proofs.posted(claimed, now=now)
        return path

    def _mail(self, claimed: Proof, edition: Edition, now: datetime) -> bytes:
        checks = self._checks(edition, now)
        note = Note(
            week=edition.week,
            number=edition.number,
            plan=self.plan.words(Week.parse(edition.week), now, stopped=bool(blocking(checks))),
            checks=checks,
            buttons=tuple(self._button(claimed, choice, words, now) for choice, words in BUTTONS) if self.pages else (),
            hint=self._hint(edition),
        )
        html, text = self.banner.above(edition.html.decode(), edition.text.decode(), note)
        return to_proof(self.press.publication, edition, text, html, nth=claimed.nth, now=now)

    def _checks(self, edition: Edition, now: datetime) -> tuple[Check, ...]:
        kept = self.store.editions.look(edition.content_hash)
        if self.prober and not settled(kept, (), now=now):
            kept = look_over(self.store, edition, self.prober, now=now)
        return findings(edition, kept)

    def _button(self, claimed: Proof, choice: Choice, words: str, now: datetime) -> Button:
        what = Pass(
            week=claimed.week,
            content_hash=claimed.content_hash,
            choice=choice,
            nth=claimed.nth,
            expires_at=now + GOOD_FOR,
        )
        return Button(words=words, url=f"{self.pages}/proof/{write_pass(what, self.key)}")

    def _hint(self, edition: Edition) -> str:
        command = f"`pipeline approve {edition.week} --hash {edition.content_hash[:12]}`"
        return f"{self.hint} On the command line it is {command}.".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A rhythm with occasions as long as the newest closed week has a draft that waits for an answer."""

    store: Store
    clock: WeekClock
    once = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the week and the half hour; empty while there is nothing to answer."""
        week = str(self.clock.newest_closed(now))
        waits = week in self.store.settled_weeks() and self.store.editions.standing(week).state == "draft"
        return f"{week} {LOOKS_EVERY.period(now, zone)}" if waits else ""

    def next_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Say when it is looked again."""
        return LOOKS_EVERY.next_at(now, zone) if self.period(now, zone) else None


def proof_task(store: Store, clock: WeekClock, open_proofreader: Callable[[], Proofreader]) -> Task:
    """Send the editor the draft of the newest closed week, and again when it has changed."""

    def run(period: str, now: datetime) -> str:
        try:
            return open_proofreader().proof(clock.newest_closed(now), now=now)
        except Refused as reason:
            return str(reason)

    return Task(id="proof", schedule=Drafted(store=store, clock=clock), run=run)
