"""The writer of the pages for subscribers: changes are committed together, and one that fails fails alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.model.errors import RefusedError, StoreError
from pipeline.store import Store
from pipeline.web.public.writer import Writer

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        yield store


@pytest.fixture
def writer() -> Iterator[Writer]:
    with Writer() as writer:
        yield writer


def count(store: Store, key: str) -> int:
    return store.signup_limits.count(key, within=DAY, now=NOW)


def while_busy(writer: Writer, store: Store, changes: list[Callable[[], object]]) -> list[object]:
    """Queue changes while the writer is at work, so that they are one batch; return results and errors."""
    begun, go_on = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        go_on.wait()

    def run(change: Callable[[], object]) -> object:
        try:
            return writer.run(store, change)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(changes) + 1) as threads:
        blocked = threads.submit(writer.run, store, block)
        begun.wait()
        waiting = [threads.submit(run, change) for change in changes]
        while writer.waiting < len(changes):
            threading.Event().wait(0.001)
        go_on.set()
        blocked.result()
        return [each.result() for each in waiting]


def test_changes_that_wait_are_committed_together(writer: Writer, store: Store) -> None:
    """Each gets its own result."""
    results = while_busy(writer, store, [lambda: count(store, "key") for _ in range(20)])
    assert sorted(map(int, results)) == list(range(1, 21))  # type: ignore[call-overload]
    assert writer.commits == 2


def test_a_refusal_concerns_one_change(writer: Writer, store: Store) -> None:
    """What it had written stays, as a counter must; the others are made."""

    def refuse() -> None:
        count(store, "refused")
        raise RefusedError("no")

    results = while_busy(writer, store, [lambda: count(store, "a"), refuse, lambda: count(store, "b")])
    assert [type(result) for result in results] == [int, RefusedError, int]
    assert [store.signup_limits.current(key, NOW) for key in ("a", "refused", "b")] == [1, 1, 1]


def test_a_bug_undoes_one_change(writer: Writer, store: Store) -> None:
    """The batch is rolled back and each change made again by itself."""

    def fail() -> None:
        count(store, "failed")
        raise ZeroDivisionError

    results = while_busy(writer, store, [lambda: count(store, "a"), fail, lambda: count(store, "b")])
    assert [type(result) for result in results] == [int, ZeroDivisionError, int]
    assert [store.signup_limits.current(key, NOW) for key in ("a", "failed", "b")] == [1, 0, 1]


def test_a_store_that_is_busy_is_tried_again(writer: Writer, store: Store) -> None:
    """A change that fails for the store's sake a few times is made in the end."""
    failures = iter([StoreError("in use"), StoreError("in use")])

    def change() -> int:
        if error := next(failures, None):
            raise error
        return count(store, "key")

    assert writer.run(store, change) == 1


def test_a_store_that_stays_busy_is_an_error(writer: Writer, store: Store) -> None:
    """After some attempts the waiting visitor gets an error."""

    def change() -> int:
        raise StoreError("in use")

    with pytest.raises(StoreError):
        writer.run(store, change)
    assert writer.run(store, lambda: count(store, "key")) == 1


def test_a_change_within_a_change_can_be_undone_alone(store: Store) -> None:
    """A transaction within a transaction is rolled back by itself, and what follows belongs to the outer one."""
    with store.audience_transaction():
        count(store, "before")
        with suppress(ZeroDivisionError), store.audience_transaction():
            count(store, "within")
            raise ZeroDivisionError
        count(store, "after")
    assert [store.signup_limits.current(key, NOW) for key in ("before", "within", "after")] == [1, 0, 1]
    with suppress(ZeroDivisionError), store.audience_transaction():
        with store.audience_transaction():
            count(store, "inner")
        count(store, "outer")
        raise ZeroDivisionError
    assert [store.signup_limits.current(key, NOW) for key in ("inner", "outer")] == [0, 0]
