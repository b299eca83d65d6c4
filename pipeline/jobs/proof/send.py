"""The proof: the draft as its readers would get it, sent to the editor, with what was found and three buttons above it.

In: a store, what digests are made with, a postman, the moment. Out: a mail to the editor, once for the same bytes and
an hour after the last one at the earliest. Which were sent, the store knows; nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from pipeline.digest.render.mime import to_proof_eml
from pipeline.digest.render.proof_banner import BannerButton, BannerTemplates, ProofBanner
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.editions.check_links import check_and_save_links, check_results, is_fresh
from pipeline.jobs.ports import Mailer, OpenFetcher
from pipeline.jobs.proof.tokens import sign_token
from pipeline.model.check import CheckResult, blocking_results
from pipeline.model.digest import Edition
from pipeline.model.edition import refusal
from pipeline.model.errors import DeliveryInterrupted, DeliveryUncertainError, RefusedError
from pipeline.model.proof import Proof, ProofAction, ProofToken, SendPolicy
from pipeline.model.schedule import Every
from pipeline.model.week import Week, WeekCalendar
from pipeline.scheduler.engine import Task
from pipeline.store import Store

TOKEN_TTL = timedelta(days=7)
"""So long a button works."""
CHECK_INTERVAL = Every(timedelta(minutes=30))
"""So often it is looked whether a draft has changed."""
BUTTONS: tuple[tuple[ProofAction, str], ...] = (("approve", "Approve"), ("hold", "Hold"), ("open", "Open the desk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSender:
    """Sends proofs to the editor."""

    store: Store
    context: DigestContext
    mailer: Mailer
    banner: BannerTemplates
    send_policy: SendPolicy
    signing_key: str
    """What signs the buttons' passes."""
    web_url: str = ""
    """The address of the pages that the buttons lead to; empty where there are none."""
    hint: str = ""
    """What else the editor should know about these pages, as a sentence."""
    open_link_fetcher: OpenFetcher | None = None
    """Asks for links and pictures first; without it, what they answered last time is told."""

    def send(self, week: Week, *, now: datetime, force: bool = False) -> str:
        """Send the proof of a week's draft, and say what came of it in a line; ``again``: whether or not it is due.

        Refused for a week that is running, held, skipped or sent, NothingToPublish for one without a draft. A
        DeliveryProblem passes through: the proof is due again unless it may be out.
        """
        if now < self.context.calendar.bounds(week)[1]:
            raise RefusedError(f"{week} is still running: its proof can be sent once it has closed.")
        if reason := refusal("approve", self.store.editions.get(str(week))):
            raise RefusedError(reason)
        edition = build_draft(self.store, self.context, week, now=now).edition
        claimed = self.store.proofs.claim(str(week), edition.content_hash, edition.manifest, now=now, resend=force)
        if claimed is None:
            return f"{week}: no new proof, the editor has the newest or gets it in an hour"
        path = self._post(claimed, edition, now)
        where = (
            f"is in {path.parent.name}/{path.name}" if path else f"is on its way to {self.context.publication.editor}"
        )
        return f"{week}: the proof of “{edition.subject}” {where}"

    def _post(self, claimed: Proof, edition: Edition, now: datetime) -> Path | None:
        try:
            path = self.mailer.send(self._mail(claimed, edition, now), self.context.publication.editor)
        except (DeliveryUncertainError, DeliveryInterrupted):
            self.store.proofs.mark_sent(claimed, now=now)
            raise
        except BaseException:
            self.store.proofs.release(claimed)
            raise
        self.store.proofs.mark_sent(claimed, now=now)
        return path

    def _mail(self, claimed: Proof, edition: Edition, now: datetime) -> bytes:
        checks = self._checks(edition, now)
        note = ProofBanner(
            week=edition.week,
            number=edition.number,
            plan=self.send_policy.describe(Week.parse(edition.week), now, blocked=bool(blocking_results(checks))),
            checks=checks,
            buttons=tuple(self._button(claimed, choice, words, now) for choice, words in BUTTONS)
            if self.web_url
            else (),
            hint=self._hint(edition),
        )
        html, text = self.banner.prepend(edition.html.decode(), edition.text.decode(), note)
        return to_proof_eml(self.context.publication, edition, text, html, sequence=claimed.sequence, now=now)

    def _checks(self, edition: Edition, now: datetime) -> tuple[CheckResult, ...]:
        kept = self.store.editions.link_check(edition.content_hash)
        if self.open_link_fetcher and not is_fresh(kept, (), now=now):
            kept = check_and_save_links(self.store, edition, self.open_link_fetcher, now=now)
        return check_results(edition, kept)

    def _button(self, claimed: Proof, choice: ProofAction, words: str, now: datetime) -> BannerButton:
        what = ProofToken(
            week=claimed.week,
            content_hash=claimed.content_hash,
            action=choice,
            sequence=claimed.sequence,
            expires_at=now + TOKEN_TTL,
        )
        return BannerButton(label=words, url=f"{self.web_url}/proof/{sign_token(what, self.signing_key)}")

    def _hint(self, edition: Edition) -> str:
        command = f"`pipeline approve {edition.week} --hash {edition.content_hash[:12]}`"
        return f"{self.hint} On the command line it is {command}.".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSchedule:
    """A rhythm with occasions as long as the newest closed week has a draft that waits for an answer."""

    store: Store
    calendar: WeekCalendar
    never_repeats = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Name the week and the half hour; empty while there is nothing to answer."""
        week = str(self.calendar.newest_closed(now))
        waits = week in self.store.closed_weeks() and self.store.editions.get(week).state == "draft"
        return f"{week} {CHECK_INTERVAL.period(now, zone)}" if waits else ""

    def next_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Say when it is looked again."""
        return CHECK_INTERVAL.next_at(now, zone) if self.period(now, zone) else None


def proof_task(store: Store, calendar: WeekCalendar, build_sender: Callable[[], ProofSender]) -> Task:
    """Send the editor the draft of the newest closed week, and again when it has changed."""

    def run(period: str, now: datetime) -> str:
        try:
            return build_sender().send(calendar.newest_closed(now), now=now)
        except RefusedError as reason:
            return str(reason)

    return Task(id="proof", schedule=ProofSchedule(store=store, calendar=calendar), run=run)
