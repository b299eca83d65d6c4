"""Runs in every store: a run is written only on top of what its writer has seen, by one process."""

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


def claim_first(store: Store, period: str = "2026-W07", expected: Run | None = None) -> Run:
    """Claim a period and return the run."""
    run = claim("draft", period, expected, claimed_by="here", now=NOW)
    assert store.runs.advance(expected, run)
    return run


def test_each_state_of_a_run_is_read_back_equal(store: Store) -> None:
    """Claimed, renewed, finished: the last one is returned, to the microsecond."""
    run = claim_first(store)
    for step in (
        renew(run, NOW + timedelta(microseconds=7)),
        finish(run, "retrying", "the network is away", NOW + LEASE_TTL, NOW + DAY),
    ):
        assert store.runs.advance(run, step)
        assert store.runs.newest() == {"draft": step}
        run = step


def test_newest_returns_one_run_for_each_task(store: Store) -> None:
    """By task, the period claimed last."""
    older = claim_first(store)
    newer = claim_first(store, "2026-W08", older)
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
def test_a_run_is_not_written_over_an_unexpected_one(store: Store, change: Callable[[Run], Run | None]) -> None:
    """A writer that has seen no run, or an older one, gets False; the revision stays."""
    run = claim_first(store)
    now = change(run)
    if now:
        assert store.runs.advance(run, now)
    revision = store.revision()
    expected = run if now else None
    assert not store.runs.advance(expected, claim("draft", "2026-W07", expected, claimed_by="other", now=NOW))
    assert not store.runs.advance(expected, claim("draft", "2026-W08", expected, claimed_by="other", now=NOW))
    assert store.runs.newest() == {"draft": now or run}
    assert store.revision() == revision


def test_a_finished_period_is_not_repeated(store: Store) -> None:
    """A clock set back makes an old period due: it is not begun again, unless its task may repeat it."""
    old = claim_first(store)
    newer = claim_first(store, "2026-W08", old)
    again = claim("draft", "2026-W07", newer, claimed_by="here", now=NOW)
    assert not store.runs.advance(newer, again)
    assert store.runs.newest() == {"draft": newer}
    assert store.runs.advance(newer, again, never_repeats=False)
    assert store.runs.newest() == {"draft": again}


@pytest.mark.parametrize("known", [False, True], ids=["the first ever", "after another"])
def test_of_concurrent_processes_one_claims_a_task(store_url: str, known: bool) -> None:
    """Six stores futures, for the same period or for different ones: one gets it."""
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(6)]
        for name in "abcdefgh":
            expected = claim(name, "2026-W06", None, claimed_by="before", now=NOW) if known else None
            if expected:
                assert stores[0].runs.advance(None, expected)
            wanted = [
                replace(
                    claim(name, f"2026-W{7 + number % 2:02}", expected, claimed_by="one", now=NOW),
                    claimed_by=str(number),
                )
                for number in range(6)
            ]
            futures = [
                pool.submit(store.runs.advance, expected, run) for store, run in zip(stores, wanted, strict=True)
            ]
            assert sum(runner.result() for runner in futures) == 1
            assert stores[0].runs.newest()[name] in wanted
