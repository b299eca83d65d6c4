"""Send the proof of a draft to the editor: the digest as subscribers would get it, with check results and buttons.

The same bytes are sent once, and a changed draft at the earliest an hour after the last proof. The store knows which
proofs were sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from pipeline.digest.edition.seal import manifest_skim, read_correction
from pipeline.digest.render.mime import to_proof_eml
from pipeline.digest.render.proof_banner import BannerButton, BannerTemplates, ProofBanner
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.editions.check_links import check_results, current_link_check
from pipeline.jobs.ports import Mailer, OpenFetcher
from pipeline.jobs.proof.tokens import sign_token
from pipeline.model.check import blocking_results
from pipeline.model.digest import Edition
from pipeline.model.edition import refusal
from pipeline.model.errors import DeliveryInterrupted, DeliveryUncertainError, RefusedError
from pipeline.model.proof import Proof, ProofAction, ProofToken, SendPolicy
from pipeline.model.schedule import Every
from pipeline.model.week import Week, WeekCalendar
from pipeline.scheduler.engine import Done, Task
from pipeline.store import Store

TOKEN_TTL = timedelta(days=7)
"""How long a button works."""
CHECK_INTERVAL = Every(timedelta(minutes=30))
"""How often to check whether a draft has changed."""
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
    """Signs the tokens of the buttons."""
    web_url: str = ""
    """Base URL of the pages behind the buttons; empty if there are none."""
    hint: str = ""
    """A sentence about these pages for the editor."""
    open_link_fetcher: OpenFetcher | None = None
    """Used to check links first; without it, saved results are shown."""

    def send(self, week: Week, *, now: datetime, resend: bool = False) -> str:
        """Send the proof of a week's draft if one is due, or in any case with ``resend``; return what was done.

        Of a sent edition it is the proof of the correction that is not sent. Raise RefusedError for a week that has not
        closed, or is held, skipped or sent without one, NothingToPublishError for one without a draft. After a
        DeliveryError the proof stays due unless it may have been delivered.
        """
        if now < self.context.calendar.bounds(week)[1]:
            raise RefusedError(f"{week} is still open: its proof can be sent once it has closed.")
        edition = self._correction(week)
        if edition is None:
            if reason := refusal("approve", self.store.editions.get(str(week))):
                raise RefusedError(reason)
            edition = build_draft(self.store, self.context, week, now=now).edition
        proof = self.store.proofs.claim(str(week), edition.content_hash, edition.manifest, now=now, resend=resend)
        if proof is None:
            return f"{week}: no new proof, the editor has the newest or gets it in an hour"
        path = self._deliver(proof, self._with_real_links(edition, week, now), now)
        where = f": {path.parent.name}/{path.name}" if path else f" to {self._editor}"
        return f"{week}: the proof of “{edition.subject}” was {self.mailer.outcome}{where}"

    def _with_real_links(self, edition: Edition, week: Week, now: datetime) -> Edition:
        """Return a draft whose attached variants have no counted links: these lead on once it is sealed."""
        if not self.context.counting_url or not edition.variants or edition.state != "draft":
            return edition
        context = replace(self.context, counting_url="")
        return replace(edition, variants=build_draft(self.store, context, week, now=now).edition.variants)

    def _correction(self, week: Week) -> Edition | None:
        """Return the correction of a week's edition that is a draft; None if there is none."""
        newest = self.store.corrections.newest(str(week))
        sealed = self.store.corrections.sealed(*newest.key) if newest and newest.state == "draft" else None
        return sealed.edition if sealed else None

    @property
    def _editor(self) -> str:
        return self.context.publication.editor

    def _deliver(self, proof: Proof, edition: Edition, now: datetime) -> Path | None:
        """Send a claimed proof; release the claim if nothing was delivered."""
        try:
            path = self.mailer.send(self._message(proof, edition, now), self._editor)
        except (DeliveryUncertainError, DeliveryInterrupted):
            self.store.proofs.mark_sent(proof, now=now)
            raise
        except BaseException:
            self.store.proofs.release(proof)
            raise
        self.store.proofs.mark_sent(proof, now=now)
        return path

    def _message(self, proof: Proof, edition: Edition, now: datetime) -> bytes:
        results = check_results(edition, current_link_check(self.store, edition, self.open_link_fetcher, now=now))
        plan = self.send_policy.describe(Week.parse(edition.week), now, blocked=bool(blocking_results(results)))
        command, buttons = f"`pipeline approve {edition.week} --hash {edition.content_hash[:12]}`", BUTTONS
        if correction := read_correction(edition.manifest):
            plan = f"This is correction {correction.number} of an edition that was sent. It is not sent by itself."
            command, buttons = f"`pipeline send {edition.week} --correction`", BUTTONS[-1:]
        banner = ProofBanner(
            week=edition.week,
            number=edition.number,
            plan=plan,
            checks=results,
            buttons=tuple(self._button(proof, action, label, now) for action, label in buttons if self.web_url),
            preheader=edition.preheader,
            skim=manifest_skim(edition.manifest),
            variants=edition.variants,
            hint=f"{self.hint} On the command line it is {command}.".strip(),
        )
        html, text = self.banner.prepend(edition.html.decode(), edition.text.decode(), banner)
        return to_proof_eml(self.context.publication, edition, text, html, sequence=proof.sequence, now=now)

    def _button(self, proof: Proof, action: ProofAction, label: str, now: datetime) -> BannerButton:
        token = ProofToken(
            week=proof.week,
            content_hash=proof.content_hash,
            action=action,
            sequence=proof.sequence,
            expires_at=now + TOKEN_TTL,
        )
        return BannerButton(label=label, url=f"{self.web_url}/proof/{sign_token(token, self.signing_key)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSchedule:
    """Schedule with a period as long as the newest closed week has a draft that waits for a decision."""

    store: Store
    calendar: WeekCalendar
    never_repeats = False

    def period(self, now: datetime, zone: tzinfo) -> str:
        """Return the week and its half hour; empty while there is nothing to decide."""
        week = str(self.calendar.newest_closed(now))
        is_waiting = week in self.store.weeks.closed() and self.store.editions.get(week).state == "draft"
        return f"{week} {CHECK_INTERVAL.period(now, zone)}" if is_waiting else ""

    def next_at(self, now: datetime, zone: tzinfo) -> datetime | None:
        """Return when to check again, or None while there is nothing to decide."""
        return CHECK_INTERVAL.next_at(now, zone) if self.period(now, zone) else None


def proof_task(store: Store, calendar: WeekCalendar, build_sender: Callable[[], ProofSender]) -> Task:
    """Return the task that sends the proof of the newest closed week, and again when the draft has changed."""

    def run(period: str, now: datetime) -> Done:
        week = calendar.newest_closed(now)
        try:
            message = build_sender().send(week, now=now)
        except RefusedError as error:
            message = str(error)
        return Done(message=message, week=str(week))

    return Task(id="proof", schedule=ProofSchedule(store=store, calendar=calendar), run=run)
