"""The life of an edition until it is sent: approve, hold, resume, skip, rebuild.

In: a store, what digests are made with, a week, who and when. Out: where the edition stands now. A move that is not to
be made is Refused, with the reason and what to do instead; each move is one transaction of the store.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.digest.differences import differences, parts_changed
from pipeline.digest.seal import approved
from pipeline.digest.select import Selection
from pipeline.jobs.check import OpenProber, findings, look_over, settled
from pipeline.jobs.gather import choose
from pipeline.jobs.press import Press
from pipeline.jobs.weekly import compile_edition, draft
from pipeline.model.check import Check, Look, blocking
from pipeline.model.digest import Edition, State
from pipeline.model.edition import Move, Sealed, Standing, why_not
from pipeline.model.errors import Refused, Stopped
from pipeline.model.proof import Pass
from pipeline.model.week import Week
from pipeline.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What making a sealed edition again from the store came to."""

    parts: tuple[str, ...]
    """The files whose bytes are no longer the same; none, when all is well."""
    changes: tuple[str, ...]
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Decides about editions."""

    store: Store
    press: Press
    by: str
    """In whose name."""
    prober: OpenProber | None = None
    """Asks for links and pictures before an approval; without it, what they answered last time counts."""
    using: Pass | None = None
    """The pass by which the decision came: used up by it, in the same transaction."""

    def approve(
        self,
        week: Week,
        *,
        now: datetime,
        content_hash: str = "",
        shown: bytes = b"",
        overridden: Collection[str] = (),
    ) -> Standing:
        """Seal a week's edition as it would be made now.

        Refused when ``content_hash`` (or its beginning), or the manifest that was ``shown``, is given and is not that
        of the edition: somebody has seen something else. Refused also for every error of its checks, the network's
        included, whose name is not ``overridden``.
        """
        seen = self.standing(week, "approve")
        if now < self.press.clock.bounds(week)[1]:
            raise Refused(f"{week} is still running: approve it once it has closed.")
        edition, selection = draft(self.store, self.press, week, now=now)
        _refuse_another(edition, content_hash, shown)
        if seen.state == "approved" and seen.content_hash == edition.content_hash:
            raise Refused(f"{week} was approved by {seen.sealed_by}, and nothing has changed since.")
        checks = findings(edition, self._look(edition, overridden, now))
        if stopped := blocking(checks, overridden):
            raise Stopped(_why_stopped(week, stopped))
        seal = Sealed(
            edition=approved(edition, overridden=[each.name for each in blocking(checks)]),
            stories=tuple(tuple(each.entry_id for each in group) for group in selection.groups),
            overrides=selection.overrides,
            sealed_at=now,
            sealed_by=self.by,
        )
        return self.store.editions.approve(
            seen,
            seal,
            kept_out=selection.kept_out,
            rolled_on=selection.rolled_on,
            told=selection.told,
            using=self.using,
        )

    def _look(self, edition: Edition, overridden: Collection[str], now: datetime) -> Look | None:
        """Tell what the network says of an edition: as it was kept, or, where it may be asked, afresh."""
        kept = self.store.editions.look(edition.content_hash)
        if self.prober is None or settled(kept, overridden, now=now):
            return kept
        return look_over(self.store, edition, self.prober, now=now)

    def hold(self, week: Week, *, now: datetime) -> Standing:
        """Keep an edition from being sent; its entries float into the next digest that is made."""
        seen = self.standing(week, "hold")
        if seen.put_off:  # its entries are free already
            return self.store.editions.move(seen, "held", now=now, by=self.by, using=self.using)
        return self._give_up(week, "hold", "held", now)

    def skip(self, week: Week, *, now: datetime) -> Standing:
        """Let a week have no edition; its entries float into the next digest that is made."""
        return self._give_up(week, "skip", "skipped", now)

    def resume(self, week: Week, *, now: datetime) -> Standing:
        """Take a held edition up again, with those of its entries that no sealed edition has by now."""
        seen = self.standing(week, "resume")
        return self.store.editions.resume(seen, now=now, by=self.by)

    def rebuild(self, week: Week) -> Rebuilt:
        """Make a sealed edition again, in memory, and compare; Refused when none is sealed."""
        sealed = self.store.editions.sealed(str(week))
        if sealed is None:
            raise Refused(f"{week} is not sealed, so there is nothing to compare with: approve it first.")
        there = {each.entry_id: each for each in self.store.entries_by_id(sealed.entry_ids)}
        groups = (tuple(there[each] for each in story if each in there) for story in sealed.stories)
        selection = Selection(groups=tuple(filter(None, groups)), decisions=(), overrides=sealed.overrides)
        fresh = compile_edition(self.store, self.press, week, selection)
        old, new = sealed.edition.manifest, fresh.manifest
        return Rebuilt(parts=parts_changed(old, new), changes=differences(old, new))

    def standing(self, week: Week, move: Move) -> Standing:
        """Tell where an edition stands from which a move is to be made; Refused when it must not be."""
        seen = self.store.editions.standing(str(week))
        if reason := why_not(move, seen):
            raise Refused(reason)
        return seen

    def _give_up(self, week: Week, move: Move, state: State, now: datetime) -> Standing:
        seen = self.standing(week, move)
        selection = choose(self.store, self.press, week, now=now)
        entry_ids, kept_out = [*selection.entry_ids, *selection.rolled_on], selection.kept_out
        return self.store.editions.give_up(
            seen, state, entry_ids, kept_out=kept_out, now=now, by=self.by, using=self.using
        )


def _refuse_another(edition: Edition, content_hash: str, shown: bytes) -> None:
    """Refuse an edition that is not what somebody has seen, going by its hash or by the manifest they were shown."""
    week, found = edition.week, edition.content_hash
    if not found.startswith(content_hash):
        raise Refused(f"{week} is no longer what you have seen: look again (its hash is {found}), then approve.")
    try:
        changes = differences(shown, edition.manifest) if shown else ()
    except (ValueError, KeyError, TypeError):  # somebody else wrote there: it says nothing
        return
    if changes:
        raise Refused(
            f"{week} is no longer what you were shown: {'; '.join(changes)}. "
            f"Run `pipeline digest --week {week}` and look again, then `pipeline approve {week}`."
        )


def _why_stopped(week: Week, stopped: Sequence[Check]) -> str:
    """Name what stands in the way of an approval, and both ways out."""
    faults = " ".join(f"{each.name} ({each.where}): {each.message}" for each in stopped)
    names = " ".join(f"--override {name}" for name in dict.fromkeys(each.name for each in stopped))
    return f"{faults} Mend that, or decide otherwise: pipeline approve {week} {names}."
