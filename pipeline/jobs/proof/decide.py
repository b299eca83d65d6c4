"""The editor's answer to a proof: what a button would do, whether it still can, and the move itself.

In: the pass of a proof's link, the moment. Out: an Asked, which says how things stand; ``answer`` makes the move, and
uses the pass up in the same transaction. Looking changes nothing, however often scanners do it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pipeline.digest.edition.diff import manifest_changes
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.editions.check_links import check_results
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.check import CheckResult, blocking_results
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, refusal
from pipeline.model.errors import InvalidTokenError, NothingToPublishError, RefusedError
from pipeline.model.proof import ProofToken, SendPolicy
from pipeline.model.week import Week

DecisionStatus = Literal["ready", "done", "already", "closed", "used", "changed", "empty"]
"""It can be done, was done just now, had been done, is no longer to be done, or the pass was used for it before; the
draft is another by now, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDecision:
    """What a button is for, and how things stand."""

    token: ProofToken
    case: DecisionStatus
    record: EditionRecord
    plan: str = ""
    """What becomes of the edition by itself, as a sentence."""
    edition: Edition | None = None
    """As it would be made now, where that counts."""
    checks: tuple[CheckResult, ...] = ()
    changes: tuple[str, ...] = ()
    """What is no longer as in the proof, a phrase each."""
    reason: str = ""
    """Why it is not to be done, as a sentence."""
    used_at: datetime | None = None

    @property
    def stoppers(self) -> tuple[str, ...]:
        """The names of the errors that stop an approval."""
        return tuple(dict.fromkeys(check.name for check in blocking_results(self.checks)))

    @property
    def stories(self) -> int:
        """How many stories it tells."""
        return len(json.loads(self.edition.manifest)["stories"]) if self.edition else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofDecisions:
    """Takes answers to proofs."""

    workflow: EditionWorkflow
    send_policy: SendPolicy
    on_state_change: Callable[[Week, datetime], object]
    """Lets the files in editions/ follow a move."""

    def preview(self, token: ProofToken, *, now: datetime) -> PendingDecision:
        """Say how things stand; PassRefused when the pass is too old, or for a look at the desk alone."""
        require_unexpired(token, now)
        if token.action == "open":
            raise InvalidTokenError("This link opens the desk, and decides nothing.", kind="forged")
        return self._look(token, now)

    def decide(self, token: ProofToken, *, now: datetime, overridden: Collection[str] = ()) -> PendingDecision:
        """Do what the button says, once; where that cannot be, say how things stand.

        Refused for errors that nobody overrode: the move was not made, and the pass is as good as before.
        """
        asked = self.preview(token, now=now)
        if asked.case != "ready":
            return asked
        week = Week.parse(token.week)
        try:
            standing = self._move(token, week, now, overridden)
        except RefusedError:
            again = self.preview(token, now=now)
            if again.case == "ready":
                raise
            return again  # two presses at once: the other one was quicker
        self.on_state_change(week, now)
        return replace(asked, case="done", record=standing, plan=self.send_policy.describe_approved(week, now))

    def _move(self, what: ProofToken, week: Week, now: datetime, overridden: Collection[str]) -> EditionRecord:
        publisher = replace(self.workflow, proof_token=what)
        if what.action == "hold":
            return publisher.hold(week, now=now)
        return publisher.approve(week, now=now, content_hash=what.content_hash, overridden=overridden)

    def _look(self, what: ProofToken, now: datetime) -> PendingDecision:
        store, week = self.workflow.store, Week.parse(what.week)
        standing = store.editions.get(what.week)
        asked = PendingDecision(
            token=what, case="ready", record=standing, plan=self.send_policy.describe_approved(week, now)
        )
        if _done_already(what, standing):
            return replace(asked, case="already")
        if reason := refusal("hold" if what.action == "hold" else "approve", standing):
            return replace(asked, case="closed", reason=reason)
        if used_at := store.proofs.token_used_at(what):
            return replace(asked, case="used", used_at=used_at)
        if standing.auto_held:
            return asked  # it was sealed, and is held as it is
        try:
            return self._compared(asked, week, now)
        except NothingToPublishError as reason:
            return replace(asked, case="empty", reason=str(reason))

    def _compared(self, asked: PendingDecision, week: Week, now: datetime) -> PendingDecision:
        """Compare the draft with what the proof showed. Holding is allowed all the same: it is what doubt asks for."""
        store, what = self.workflow.store, asked.token
        edition = build_draft(store, self.workflow.context, week, now=now).edition
        checks = check_results(edition, store.editions.link_check(edition.content_hash))
        asked = replace(asked, edition=edition, checks=checks)
        if edition.content_hash == what.content_hash:
            return asked
        shown = (each for each in store.proofs.of_week(what.week) if each.content_hash == what.content_hash)
        changes = next((manifest_changes(each.manifest, edition.manifest) for each in shown), ())
        return replace(asked, changes=changes, case="ready" if what.action == "hold" else "changed")


def require_unexpired(token: ProofToken, now: datetime) -> None:
    """Let a pass through until it expires; PassRefused from then on."""
    if now >= token.expires_at:
        raise InvalidTokenError("This link is too old: it worked for seven days.", kind="expired")


def _done_already(what: ProofToken, standing: EditionRecord) -> bool:
    if what.action == "hold":
        return standing.state == "held" and not standing.auto_held
    return standing.is_sealed and standing.content_hash == what.content_hash
