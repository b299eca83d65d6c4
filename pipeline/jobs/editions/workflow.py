"""The life of an edition until it is sent: approve, hold, resume, skip, rebuild.

In: a store, what digests are made with, a week, who and when. Out: where the edition stands now. A move that is not to
be made is Refused, with the reason and what to do instead; each move is one transaction of the store.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.digest.edition.diff import changed_files, manifest_changes
from pipeline.digest.edition.seal import mark_approved
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.build import build_draft, build_selected
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.selection import select_entries
from pipeline.jobs.editions.check_links import check_and_save_links, check_results, is_fresh
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.check import CheckResult, LinkCheck, blocking_results
from pipeline.model.digest import Edition, EditionState
from pipeline.model.edition import EditionRecord, SealedEdition, Transition, refusal
from pipeline.model.errors import ChecksFailedError, RefusedError
from pipeline.model.proof import ProofToken
from pipeline.model.week import Week
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildResult:
    """What making a sealed edition again from the store came to."""

    changed_files: tuple[str, ...]
    """The files whose bytes are no longer the same; none, when all is well."""
    changes: tuple[str, ...]
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionWorkflow:
    """Decides about editions."""

    store: Store
    context: DigestContext
    actor: str
    """In whose name."""
    open_link_fetcher: OpenFetcher | None = None
    """Asks for links and pictures before an approval; without it, what they answered last time counts."""
    proof_token: ProofToken | None = None
    """The pass by which the decision came: used up by it, in the same transaction."""

    def approve(
        self,
        week: Week,
        *,
        now: datetime,
        content_hash: str = "",
        reviewed_manifest: bytes = b"",
        overridden: Collection[str] = (),
    ) -> EditionRecord:
        """Seal a week's edition as it would be made now.

        Refused when ``content_hash`` (or its beginning), or the manifest that was ``shown``, is given and is not that
        of the edition: somebody has seen something else. Refused also for every error of its checks, the network's
        included, whose name is not ``overridden``.
        """
        seen = self.require(week, "approve")
        if now < self.context.calendar.bounds(week)[1]:
            raise RefusedError(f"{week} is still running: approve it once it has closed.")
        draft = build_draft(self.store, self.context, week, now=now)
        edition, selection = draft.edition, draft.selection
        _refuse_another(edition, content_hash, reviewed_manifest)
        if seen.state == "approved" and seen.content_hash == edition.content_hash:
            raise RefusedError(f"{week} was approved by {seen.sealed_by}, and nothing has changed since.")
        checks = check_results(edition, self._look(edition, overridden, now))
        if stopped := blocking_results(checks, overridden):
            raise ChecksFailedError(_why_stopped(week, stopped))
        seal = SealedEdition(
            edition=mark_approved(edition, overridden=[each.name for each in blocking_results(checks)]),
            stories=tuple(tuple(each.entry_id for each in group) for group in selection.stories),
            overrides=selection.overrides,
            sealed_at=now,
            sealed_by=self.actor,
        )
        return self.store.editions.approve(
            seen,
            seal,
            excluded=selection.excluded_by_editor,
            carried_over=selection.carried_over,
            published_elsewhere=selection.published_elsewhere,
            token=self.proof_token,
        )

    def _look(self, edition: Edition, overridden: Collection[str], now: datetime) -> LinkCheck | None:
        """Tell what the network says of an edition: as it was kept, or, where it may be asked, afresh."""
        kept = self.store.editions.link_check(edition.content_hash)
        if self.open_link_fetcher is None or is_fresh(kept, overridden, now=now):
            return kept
        return check_and_save_links(self.store, edition, self.open_link_fetcher, now=now)

    def hold(self, week: Week, *, now: datetime) -> EditionRecord:
        """Keep an edition from being sent; its entries float into the next digest that is made."""
        seen = self.require(week, "hold")
        if seen.auto_held:  # its entries are free already
            return self.store.editions.change_state(seen, "held", now=now, actor=self.actor, token=self.proof_token)
        return self._give_up(week, "hold", "held", now)

    def skip(self, week: Week, *, now: datetime) -> EditionRecord:
        """Let a week have no edition; its entries float into the next digest that is made."""
        return self._give_up(week, "skip", "skipped", now)

    def resume(self, week: Week, *, now: datetime) -> EditionRecord:
        """Take a held edition up again, with those of its entries that no sealed edition has by now."""
        seen = self.require(week, "resume")
        return self.store.editions.resume(seen, now=now, actor=self.actor)

    def rebuild(self, week: Week) -> RebuildResult:
        """Make a sealed edition again, in memory, and compare; Refused when none is sealed."""
        sealed = self.store.editions.sealed(str(week))
        if sealed is None:
            raise RefusedError(f"{week} is not sealed, so there is nothing to compare with: approve it first.")
        there = {each.entry_id: each for each in self.store.entries_by_id(sealed.entry_ids)}
        groups = (tuple(there[each] for each in story if each in there) for story in sealed.stories)
        selection = Selection(stories=tuple(filter(None, groups)), decisions=(), overrides=sealed.overrides)
        fresh = build_selected(self.store, self.context, week, selection).edition
        old, new = sealed.edition.manifest, fresh.manifest
        return RebuildResult(changed_files=changed_files(old, new), changes=manifest_changes(old, new))

    def require(self, week: Week, transition: Transition) -> EditionRecord:
        """Tell where an edition stands from which a move is to be made; Refused when it must not be."""
        seen = self.store.editions.get(str(week))
        if reason := refusal(transition, seen):
            raise RefusedError(reason)
        return seen

    def _give_up(self, week: Week, move: Transition, state: EditionState, now: datetime) -> EditionRecord:
        seen = self.require(week, move)
        selection = select_entries(self.store, self.context, week, now=now)
        entry_ids, kept_out = [*selection.entry_ids, *selection.carried_over], selection.excluded_by_editor
        return self.store.editions.release(
            seen, state, entry_ids, excluded=kept_out, now=now, actor=self.actor, token=self.proof_token
        )


def _refuse_another(edition: Edition, content_hash: str, shown: bytes) -> None:
    """Refuse an edition that is not what somebody has seen, going by its hash or by the manifest they were shown."""
    week, found = edition.week, edition.content_hash
    if not found.startswith(content_hash):
        raise RefusedError(f"{week} is no longer what you have seen: look again (its hash is {found}), then approve.")
    try:
        changes = manifest_changes(shown, edition.manifest) if shown else ()
    except (ValueError, KeyError, TypeError):  # somebody else wrote there: it says nothing
        return
    if changes:
        raise RefusedError(
            f"{week} is no longer what you were shown: {'; '.join(changes)}. "
            f"Run `pipeline digest --week {week}` and look again, then `pipeline approve {week}`."
        )


def _why_stopped(week: Week, stopped: Sequence[CheckResult]) -> str:
    """Name what stands in the way of an approval, and both ways out."""
    faults = " ".join(f"{each.name} ({each.where}): {each.message}" for each in stopped)
    names = " ".join(f"--override {name}" for name in dict.fromkeys(each.name for each in stopped))
    return f"{faults} Mend that, or decide otherwise: pipeline approve {week} {names}."


def require_reviewed(store: Store, week: Week) -> None:
    """Refuse to approve a week unless a digest of it was written, sealed or sent as a proof."""
    if not _was_made(store, week):
        raise RefusedError(
            f"{week} was never made, so nobody has seen it: run `pipeline digest --week {week}` and look at it, "
            f"then `pipeline approve {week}`."
        )


def require_draft(store: Store, week: Week) -> None:
    """Refuse to send a week that has no edition, not even a draft."""
    if not _was_made(store, week):
        raise RefusedError(
            f"There is no edition of {week}: `pipeline digest --week {week}` makes one, if it has stories."
        )


def _was_made(store: Store, week: Week) -> bool:
    moved = store.editions.get(str(week)).revision > 0
    return moved or str(week) in store.closed_weeks() or bool(store.proofs.of_week(str(week)))
