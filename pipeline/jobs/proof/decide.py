"""Decide on an edition with a button of its proof: preview what the button would do, and do it once.

Previewing changes nothing, however often security scanners follow the link.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipeline.digest.edition.diff import manifest_changes
from pipeline.jobs.digests.build import build_draft, write_sealed
from pipeline.jobs.editions.check_links import check_results
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.check import CheckResult, blocking_results
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, refusal
from pipeline.model.errors import InvalidTokenError, NothingToPublishError, RefusedError
from pipeline.model.proof import ProofToken, SendPolicy
from pipeline.model.week import Week

DecisionStatus = Literal["ready", "done", "already", "closed", "used", "changed", "empty"]
"""Can be done; has just been done; had been done before; is no longer allowed; the token was used before; the draft has
changed since the proof; the week has no draft."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDecision:
    """The action of a button, and the state of the edition."""

    token: ProofToken
    status: DecisionStatus
    record: EditionRecord
    outlook: str = ""
    """When an approved edition is sent, as a sentence."""
    edition: Edition | None = None
    """The draft as it would be built now, where it matters."""
    checks: tuple[CheckResult, ...] = ()
    changes: tuple[str, ...] = ()
    """How the draft differs from the proof, a phrase for each difference."""
    reason: str = ""
    """Why the button does nothing, as a sentence."""
    used_at: datetime | None = None

    @property
    def blocking_checks(self) -> tuple[str, ...]:
        """The names of the checks that block an approval."""
        return tuple(dict.fromkeys(result.name for result in blocking_results(self.checks)))

    @property
    def story_count(self) -> int:
        """The number of the draft's stories."""
        return len(json.loads(self.edition.manifest)["stories"]) if self.edition else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofDecisions:
    """Previews and makes decisions by proof tokens."""

    workflow: EditionWorkflow
    send_policy: SendPolicy
    editions_folder: Path
    """Folder of the written editions, which follow the state of a sealed one."""

    def preview(self, token: ProofToken, *, now: datetime) -> PendingDecision:
        """Return what a token's button would do now.

        Raise InvalidTokenError if the token has expired or only opens the desk.
        """
        require_unexpired(token, now)
        if token.action == "open":
            raise InvalidTokenError("This link opens the desk, and decides nothing.", kind="forged")
        return self._preview(token, now)

    def decide(self, token: ProofToken, *, now: datetime, overridden: Collection[str] = ()) -> PendingDecision:
        """Do what a token's button says, once, and return what was done or why not.

        Raise RefusedError (ChecksFailedError) if the edition was not approved and the token can still be used.
        """
        pending = self.preview(token, now=now)
        if pending.status != "ready":
            return pending
        week = Week.parse(token.week)
        workflow = replace(self.workflow, proof_token=token)
        try:
            if token.action == "hold":
                record = workflow.hold(week, now=now)
            else:
                record = workflow.approve(week, now=now, content_hash=token.content_hash, overridden=overridden)
        except RefusedError:
            pending = self.preview(token, now=now)
            if pending.status == "ready":
                raise
            return pending  # of two simultaneous clicks, the other one came first
        write_sealed(workflow.store, workflow.context, week, self.editions_folder, now=now)
        outlook = self.send_policy.describe_approved(week, now)
        return replace(pending, status="done", record=record, outlook=outlook)

    def _preview(self, token: ProofToken, now: datetime) -> PendingDecision:
        store, week = self.workflow.store, Week.parse(token.week)
        record = store.editions.get(token.week)
        outlook = self.send_policy.describe_approved(week, now)
        pending = PendingDecision(token=token, status="ready", record=record, outlook=outlook)
        if _is_done(token, record):
            return replace(pending, status="already")
        if reason := refusal("hold" if token.action == "hold" else "approve", record):
            return replace(pending, status="closed", reason=reason)
        if used_at := store.proofs.token_used_at(token):
            return replace(pending, status="used", used_at=used_at)
        if record.auto_held:
            return pending  # it was sealed, and is held as it is
        try:
            return self._compare(pending, week, now)
        except NothingToPublishError as error:
            return replace(pending, status="empty", reason=str(error))

    def _compare(self, pending: PendingDecision, week: Week, now: datetime) -> PendingDecision:
        """Add the draft and its changes since the proof; a changed draft can be held, but not approved."""
        store, token = self.workflow.store, pending.token
        edition = build_draft(store, self.workflow.context, week, now=now).edition
        checks = check_results(edition, store.link_checks.get(edition.content_hash))
        pending = replace(pending, edition=edition, checks=checks)
        if edition.content_hash == token.content_hash:
            return pending
        proofs = (proof for proof in store.proofs.of_week(token.week) if proof.content_hash == token.content_hash)
        changes = next((manifest_changes(proof.manifest, edition.manifest) for proof in proofs), ())
        return replace(pending, changes=changes, status="ready" if token.action == "hold" else "changed")


def require_unexpired(token: ProofToken, now: datetime) -> None:
    """Raise InvalidTokenError if a token has expired."""
    if now >= token.expires_at:
        raise InvalidTokenError("This link is too old: it worked for seven days.", kind="expired")


def _is_done(token: ProofToken, record: EditionRecord) -> bool:
    if token.action == "hold":
        return record.state == "held" and not record.auto_held
    return record.is_sealed and record.content_hash == token.content_hash
