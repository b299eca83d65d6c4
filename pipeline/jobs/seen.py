"""Whether anybody was ever shown a week's draft: nobody approves, or sends, what was never made.

In: a store, a week. Out: a refusal that says how to make it. Only reads.
"""

from __future__ import annotations

from pipeline.model.errors import Refused
from pipeline.model.week import Week
from pipeline.store import Store


def refuse_unseen(store: Store, week: Week) -> None:
    """Refuse to approve a week unless a digest of it was written, sealed or sent as a proof."""
    if not _was_made(store, week):
        raise Refused(
            f"{week} was never made, so nobody has seen it: run `pipeline digest --week {week}` and look at it, "
            f"then `pipeline approve {week}`."
        )


def refuse_unmade(store: Store, week: Week) -> None:
    """Refuse to send a week that has no edition, not even a draft."""
    if not _was_made(store, week):
        raise Refused(f"There is no edition of {week}: `pipeline digest --week {week}` makes one, if it has stories.")


def _was_made(store: Store, week: Week) -> bool:
    moved = store.editions.standing(str(week)).revision > 0
    return moved or str(week) in store.settled_weeks() or bool(store.proofs.of_week(str(week)))
