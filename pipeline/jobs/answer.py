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

from pipeline.digest.differences import differences
from pipeline.jobs.check import findings
from pipeline.jobs.editions import Publisher
from pipeline.jobs.weekly import draft
from pipeline.model.check import Check, blocking
from pipeline.model.digest import Edition
from pipeline.model.edition import Standing, why_not
from pipeline.model.errors import NothingToPublish, PassRefused, Refused
from pipeline.model.proof import Pass, Plan
from pipeline.model.week import Week

Case = Literal["ready", "done", "already", "closed", "used", "changed", "empty"]
"""It can be done, was done just now, had been done, is no longer to be done, or the pass was used for it before; the
draft is another by now, or there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a button is for, and how things stand."""

    what: Pass
    case: Case
    standing: Standing
    plan: str = ""
    """What becomes of the edition by itself, as a sentence."""
    edition: Edition | None = None
    """As it would be made now, where that counts."""
    checks: tuple[Check, ...] = ()
    changes: tuple[str, ...] = ()
    """What is no longer as in the proof, a phrase each."""
    reason: str = ""
    """Why it is not to be done, as a sentence."""
    used_at: datetime | None = None

    @property
    def stoppers(self) -> tuple[str, ...]:
        """The names of the errors that stop an approval."""
        return tuple(dict.fromkeys(check.name for check in blocking(self.checks)))

    @property
    def stories(self) -> int:
        """How many stories it tells."""
        return len(json.loads(self.edition.manifest)["stories"]) if self.edition else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Takes answers to proofs."""

    publisher: Publisher
    plan: Plan
    laid_out: Callable[[Week, datetime], object]
    """Lets the files in editions/ follow a move."""

    def look(self, what: Pass, *, now: datetime) -> Asked:
        """Say how things stand; PassRefused when the pass is too old, or for a look at the desk alone."""
        still_good(what, now)
        if what.choice == "open":
            raise PassRefused("This link opens the desk, and decides nothing.", kind="forged")
        return self._look(what, now)

    def answer(self, what: Pass, *, now: datetime, overridden: Collection[str] = ()) -> Asked:
        """Do what the button says, once; where that cannot be, say how things stand.

        Refused for errors that nobody overrode: the move was not made, and the pass is as good as before.
        """
        asked = self.look(what, now=now)
        if asked.case != "ready":
            return asked
        week = Week.parse(what.week)
        try:
            standing = self._move(what, week, now, overridden)
        except Refused:
            again = self.look(what, now=now)
            if again.case == "ready":
                raise
            return again  # two presses at once: the other one was quicker
        self.laid_out(week, now)
        return replace(asked, case="done", standing=standing, plan=self.plan.once_approved(week, now))

    def _move(self, what: Pass, week: Week, now: datetime, overridden: Collection[str]) -> Standing:
        publisher = replace(self.publisher, using=what)
        if what.choice == "hold":
            return publisher.hold(week, now=now)
        return publisher.approve(week, now=now, content_hash=what.content_hash, overridden=overridden)

    def _look(self, what: Pass, now: datetime) -> Asked:
        store, week = self.publisher.store, Week.parse(what.week)
        standing = store.editions.standing(what.week)
        asked = Asked(what=what, case="ready", standing=standing, plan=self.plan.once_approved(week, now))
        if _done_already(what, standing):
            return replace(asked, case="already")
        if reason := why_not("hold" if what.choice == "hold" else "approve", standing):
            return replace(asked, case="closed", reason=reason)
        if used_at := store.proofs.used_at(what):
            return replace(asked, case="used", used_at=used_at)
        if standing.put_off:
            return asked  # it was sealed, and is held as it is
        try:
            return self._compared(asked, week, now)
        except NothingToPublish as reason:
            return replace(asked, case="empty", reason=str(reason))

    def _compared(self, asked: Asked, week: Week, now: datetime) -> Asked:
        """Compare the draft with what the proof showed. Holding is allowed all the same: it is what doubt asks for."""
        store, what = self.publisher.store, asked.what
        edition, _ = draft(store, self.publisher.press, week, now=now)
        checks = findings(edition, store.editions.look(edition.content_hash))
        asked = replace(asked, edition=edition, checks=checks)
        if edition.content_hash == what.content_hash:
            return asked
        shown = (each for each in store.proofs.of_week(what.week) if each.content_hash == what.content_hash)
        changes = next((differences(each.manifest, edition.manifest) for each in shown), ())
        return replace(asked, changes=changes, case="ready" if what.choice == "hold" else "changed")


def still_good(what: Pass, now: datetime) -> None:
    """Let a pass through until it expires; PassRefused from then on."""
    if now >= what.expires_at:
        raise PassRefused("This link is too old: it worked for seven days.", kind="expired")


def _done_already(what: Pass, standing: Standing) -> bool:
    if what.choice == "hold":
        return standing.state == "held" and not standing.put_off
    return standing.sealed and standing.content_hash == what.content_hash
