"""The workflow of an edition until it is sent: approve, hold, resume, skip, rebuild."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from pipeline.digest.edition.diff import changed_files, manifest_changes
from pipeline.digest.edition.seal import mark_approved
from pipeline.digest.selection.select import Selection
from pipeline.jobs.digests.build import build_draft, build_selected, require_confirmed
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.selection import select_entries
from pipeline.jobs.digests.variants import VariantPlan
from pipeline.jobs.editions.check_links import check_results, current_link_check
from pipeline.jobs.ports import OpenFetcher
from pipeline.model.check import CHECK_NAMES, CheckResult, blocking_results
from pipeline.model.digest import Edition, EditionState
from pipeline.model.edition import EditionRecord, SealedEdition, Transition, refusal
from pipeline.model.errors import ChecksFailedError, NothingToPublishError, RefusedError, UsageError
from pipeline.model.proof import ProofToken
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.format import pluralize


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildResult:
    """How a sealed edition differs when it is built again from the store."""

    changed_files: tuple[str, ...]
    """Names of files whose bytes differ; empty if the rebuild is identical."""
    changes: tuple[str, ...]
    """The reasons, a phrase each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """The stories that a week releases when it is held or skipped, and the next digest, which gets them."""

    stories: int
    week: Week

    def __str__(self) -> str:
        """Return a sentence without a full stop, for the record of the edition.

        >>> str(CarryOver(stories=4, week=Week.parse("2026-W08")))
        '4 stories carried over to 2026-W08'
        """
        return f"{pluralize(self.stories, 'story', 'stories')} carried over to {self.week}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionWorkflow:
    """Moves editions from state to state: approve, hold, resume, skip.

    Each transition is one transaction of the store. A transition that is not allowed raises RefusedError with the
    reason and what to do instead.
    """

    store: Store
    context: DigestContext
    actor: str
    """Who makes the transitions; stored with them."""
    open_link_fetcher: OpenFetcher | None = None
    """Used to check links before an approval; without it, saved results count."""
    proof_token: ProofToken | None = None
    """The token of a proof's button that led here; the transition consumes it in the same transaction."""

    def require_reviewed(self, week: Week, *, now: datetime) -> None:
        """Raise RefusedError unless a digest of the week was written, sealed or sent as a proof."""
        if not _has_draft(self.store, week):
            self._require_closed(week, now, "approve")
            raise RefusedError(
                f"{week} has no digest yet, so nobody has reviewed it: run `pipeline digest {week}`, review it, then "
                f"run `pipeline approve {week}`."
            )

    def require_draft(self, week: Week, *, now: datetime) -> None:
        """Raise RefusedError if the week has no edition, not even a draft."""
        if not _has_draft(self.store, week):
            self._require_closed(week, now, "send")
            raise RefusedError(
                f"There is no edition of {week}: `pipeline digest {week}` creates one if the week has stories."
            )

    def _require_closed(self, week: Week, now: datetime, action: str) -> None:
        """Raise RefusedError for an open week: more entries may follow, and what was written is only a look ahead."""
        if now < self.context.calendar.bounds(week)[1]:
            raise RefusedError(f"{week} is still open: {action} it once it has closed.")

    def approve(
        self,
        week: Week,
        *,
        now: datetime,
        content_hash: str = "",
        reviewed_manifest: bytes = b"",
        overridden: Collection[str] = (),
    ) -> EditionRecord:
        """Seal a week's edition as it would be built now, and return its new record.

        Raise RefusedError if the edition differs from what was reviewed, given by ``content_hash`` (or its beginning)
        or by ``reviewed_manifest``. Raise ChecksFailedError for check errors whose names are not in ``overridden``, and
        UsageError for a name in it that no check has.
        """
        record = self.require(week, "approve")
        self._require_closed(week, now, "approve")
        draft = build_draft(self.store, self.context, week, now=now)
        edition, selection = draft.edition, draft.selection
        _require_unchanged(edition, content_hash, reviewed_manifest)
        if record.state == "approved" and record.content_hash == edition.content_hash:
            raise RefusedError(f"{week} was approved by {record.sealed_by}, and nothing has changed since.")
        sealed = SealedEdition(
            edition=self.checked(edition, overridden, now=now, command=f"pipeline approve {week}"),
            stories=tuple(tuple(stored.entry_id for stored in story) for story in selection.stories),
            overrides=selection.overrides,
            sealed_at=now,
            sealed_by=self.actor,
        )
        return self.store.editions.approve(
            record,
            sealed,
            excluded=selection.excluded_by_editor | selection.repeats.keys(),
            carried_over=selection.carried_over,
            published_elsewhere=selection.published_elsewhere,
            token=self.proof_token,
        )

    def checked(self, edition: Edition, overridden: Collection[str], *, now: datetime, command: str) -> Edition:
        """Return a draft as approved, with the names of the errors that are ignored in its manifest.

        ChecksFailedError, naming ``command``, for errors of checks that are not in ``overridden``; UsageError for a
        name in it that no check has.
        """
        _require_checks(overridden)
        link_check = current_link_check(self.store, edition, self.open_link_fetcher, now=now, overridden=overridden)
        results = check_results(edition, link_check)
        if blocking := blocking_results(results, overridden):
            names = dict.fromkeys(result.name for result in blocking)
            raise ChecksFailedError(_explain_blocked(blocking, command), tuple(names))
        return mark_approved(edition, overridden=[result.name for result in blocking_results(results)])

    def confirm_sent(self, record: EditionRecord, *, now: datetime) -> EditionRecord:
        """Record that an unconfirmed edition was sent, as it was sealed, or else as it would be built now.

        Raise RefusedError if its week has no entries in this store.
        """
        week = Week.parse(record.week)
        selection = select_entries(self.store, self.context, week, now=now)
        sealed = self.store.editions.sealed(record.week)
        if sealed is None:
            try:
                edition = build_draft(self.store, self.context, week, now=now).edition
            except NothingToPublishError as error:
                raise RefusedError(
                    f"{error} Run `pipeline fetch`, then this again; if nothing comes, run `pipeline skip {week}`."
                ) from error
            stories = tuple(tuple(stored.entry_id for stored in story) for story in selection.stories)
            approved = mark_approved(edition)
            sealed = SealedEdition(edition=approved, stories=stories, sealed_at=now, sealed_by=self.actor)
        return self.store.editions.approve(
            record,
            replace(sealed, sealed_at=now, sealed_by=self.actor),
            excluded=selection.excluded_by_editor,
            carried_over=selection.carried_over,
            published_elsewhere=selection.published_elsewhere,
            state="sent",
            note="handed over",
        )

    def hold(self, week: Week, *, now: datetime) -> EditionRecord:
        """Keep an edition from being sent; its entries carry over to the next digest."""
        record = self.require(week, "hold")
        if record.auto_held:  # its entries have been released already
            return self.store.editions.change_state(record, "held", now=now, actor=self.actor, token=self.proof_token)
        return self._release(record, "held", now)

    def skip(self, week: Week, *, now: datetime) -> EditionRecord:
        """Leave a week without an edition; its entries carry over to the next digest."""
        return self._release(self.require(week, "skip"), "skipped", now)

    def carry_over(self, week: Week, *, now: datetime) -> CarryOver:
        """Return what would carry over, and to which week, if a week were held or skipped now."""
        return self._carry_over(week, select_entries(self.store, self.context, week, now=now), now)

    def resume(self, week: Week, *, now: datetime) -> EditionRecord:
        """Return a held or skipped edition to its former state, with what no other edition has sealed.

        Raise RefusedError for a skipped week of which other editions have published everything.
        """
        record = self.require(week, "resume")
        if record.state == "skipped" and not self.store.editions.may_resume(str(week)):
            raise RefusedError(f"{week} cannot be brought back: other editions have published all its stories since.")
        return self.store.editions.resume(record, now=now, actor=self.actor)

    def rebuild(self, week: Week) -> RebuildResult:
        """Build a sealed edition again in memory and compare; raise RefusedError if the week is not sealed."""
        sealed = self.store.editions.sealed(str(week))
        if sealed is None:
            raise RefusedError(f"{week} is not sealed, so there is nothing to compare with: approve it first.")
        entries = {stored.entry_id: stored for stored in self.store.entries.by_id(sealed.entry_ids)}
        stories = (tuple(entries[entry_id] for entry_id in story if entry_id in entries) for story in sealed.stories)
        selection = Selection(stories=tuple(filter(None, stories)), decisions=(), overrides=sealed.overrides)
        plan = VariantPlan.of_sealed(sealed.edition)
        rebuilt = build_selected(self.store, self.context, week, selection, plan).edition
        old, new = sealed.edition.manifest, rebuilt.manifest
        return RebuildResult(changed_files=changed_files(old, new), changes=manifest_changes(old, new))

    def require(self, week: Week, transition: Transition) -> EditionRecord:
        """Return the record of a week's edition if a transition is allowed from it, else raise RefusedError.

        Nothing is approved or sent while another edition may have been sent, with the same entries.
        """
        record = self.store.editions.get(str(week))
        if reason := refusal(transition, record):
            raise RefusedError(reason)
        if transition in ("approve", "send", "hand over"):
            require_confirmed(self.store, week)
        return record

    def _release(self, record: EditionRecord, state: EditionState, now: datetime) -> EditionRecord:
        week = Week.parse(record.week)
        selection = select_entries(self.store, self.context, week, now=now)
        carry_over = self._carry_over(week, selection, now)
        return self.store.editions.release(
            record,
            state,
            [*selection.entry_ids, *selection.carried_over],
            excluded=selection.excluded_by_editor | selection.repeats.keys(),
            now=now,
            actor=self.actor,
            note=str(carry_over) if carry_over.stories else "",
            token=self.proof_token,
        )

    def _carry_over(self, week: Week, selection: Selection, now: datetime) -> CarryOver:
        closed = self.store.weeks.closed()
        following = max(week.next(), self.context.calendar.newest_closed(now))
        while str(following) in closed:
            following = following.next()
        return CarryOver(stories=len(selection.stories), week=following)


def _has_draft(store: Store, week: Week) -> bool:
    has_changed = store.editions.get(str(week)).revision > 0
    return has_changed or str(week) in store.weeks.closed() or bool(store.proofs.of_week(str(week)))


def _require_unchanged(edition: Edition, content_hash: str, reviewed_manifest: bytes) -> None:
    """Raise RefusedError if an edition differs from the one that was reviewed."""
    week = edition.week
    if not edition.content_hash.startswith(content_hash):
        raise RefusedError(
            f"{week} has changed since you reviewed it: review it again (its hash is now {edition.content_hash}), "
            "then approve it."
        )
    try:
        changes = manifest_changes(reviewed_manifest, edition.manifest) if reviewed_manifest else ()
    except (ValueError, KeyError, TypeError):  # not one of our manifests, so there is nothing to compare
        return
    if changes:
        raise RefusedError(
            f"{week} has changed since you reviewed it: {'; '.join(changes)}. "
            f"Run `pipeline digest --week {week}`, review it again, then run `pipeline approve {week}`."
        )


def _require_checks(names: Collection[str]) -> None:
    """Raise UsageError for a name that is not that of a check."""
    for name in names:
        if name not in CHECK_NAMES:
            close = get_close_matches(name, CHECK_NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else "`pipeline check WEEK` names those that found something."
            raise UsageError(f"there is no check {name!r}: {hint}")


def _explain_blocked(blocking: Sequence[CheckResult], command: str) -> str:
    """Return the errors that block an approval, and how to proceed."""
    errors = " ".join(f"{result.name} ({result.where}): {result.message}" for result in blocking)
    overrides = " ".join(f"--override {name}" for name in dict.fromkeys(result.name for result in blocking))
    return f"{errors} Fix this, or approve anyway: {command} {overrides}."
