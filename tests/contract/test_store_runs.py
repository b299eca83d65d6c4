"""What every store promises of runs: a step is written on top of what its writer has seen, by one process only."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from store_factories import DAY, NOW

from pipeline.model.run import LEASE_TTL, Run, claim, finish, renew
from pipeline.store import Store


def first(store: Store, period: str = "2026-W07", seen: Run | None = None) -> Run:
    """Take a period on."""
    run = claim("draft", period, seen, claimed_by="here", now=NOW)
    assert store.runs.advance(seen, run)
    return run


def test_each_step_of_a_run_is_kept_whole(store: Store) -> None:
    """Taken on, renewed, ended: what was written last is what is known, to the microsecond."""
    run = first(store)
    for step in (
        renew(run, NOW + timedelta(microseconds=7)),
        finish(run, "retrying", "the network is away", NOW + LEASE_TTL, NOW + DAY),
    ):
        assert store.runs.advance(run, step)
        assert store.runs.newest() == {"draft": step}
        run = step


def test_the_newest_run_of_each_schedule_is_known(store: Store) -> None:
    """By schedule, the period taken on last."""
    older = first(store)
    newer = first(store, "2026-W08", older)
    fetch = claim("fetch", "2026-02-12", None, claimed_by="there", now=NOW)
    assert store.runs.advance(None, fetch)
    assert store.runs.newest() == {"draft": newer, "fetch": fetch}


@pytest.mark.parametrize(
    "change",
    [
        lambda run: None,
        lambda run: renew(run, NOW + LEASE_TTL),
        lambda run: finish(run, "succeeded", "made", NOW),
        lambda run: claim("draft", "2026-W07", run, claimed_by="there", now=NOW),
    ],
    ids=["never", "renewed", "ended", "taken over"],
)
def test_a_step_on_top_of_what_is_no_longer_so_is_not_written(
    store: Store, change: Callable[[Run], Run | None]
) -> None:
    """Whoever saw nothing, or an older step, is told so; not even the change mark moves."""
    run = first(store)
    now = change(run)
    if now:
        assert store.runs.advance(run, now)
    mark = store.revision()
    seen = run if now else None
    assert not store.runs.advance(seen, claim("draft", "2026-W07", seen, claimed_by="other", now=NOW))
    assert not store.runs.advance(seen, claim("draft", "2026-W08", seen, claimed_by="other", now=NOW))
    assert store.runs.newest() == {"draft": now or run}
    assert store.revision() == mark


def test_a_period_that_is_over_does_not_come_again(store: Store) -> None:
    """A clock that is set back makes an old period due: it is not begun anew, unless its task may repeat it."""
    old = first(store)
    newer = first(store, "2026-W08", old)
    again = claim("draft", "2026-W07", newer, claimed_by="here", now=NOW)
    assert not store.runs.advance(newer, again)
    assert store.runs.newest() == {"draft": newer}
    assert store.runs.advance(newer, again, never_repeats=False)
    assert store.runs.newest() == {"draft": again}


@pytest.mark.parametrize("known", [False, True], ids=["the first ever", "after another"])
def test_of_many_that_take_on_a_schedule_one_does(store_url: str, known: bool) -> None:
    """Six stores race, for the same period or for different ones: one has it, and nobody else works beside it."""
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(6)]
        for name in "abcdefgh":
            seen = claim(name, "2026-W06", None, claimed_by="before", now=NOW) if known else None
            if seen:
                assert stores[0].runs.advance(None, seen)
            wanted = [
                replace(claim(name, f"2026-W{7 + nth % 2:02}", seen, claimed_by="one", now=NOW), claimed_by=str(nth))
                for nth in range(6)
            ]
            race = [pool.submit(each.runs.advance, seen, run) for each, run in zip(stores, wanted, strict=True)]
            assert sum(runner.result() for runner in race) == 1
            assert stores[0].runs.newest()[name] in wanted
