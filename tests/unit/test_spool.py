"""The spool: outcomes come out in order, with most documents outside of memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.http.spool import Spool
from pipeline.model.fetch import FetchOutcome


def outcome(number: int, size: int) -> FetchOutcome:
    """Return an outcome with a unique document."""
    return FetchOutcome(key=str(number), url="", kind="ok", body=bytes([number % 251]) * size)


@given(st.lists(st.one_of(st.integers(0, 60), st.none()), max_size=60))
def test_outcomes_come_out_in_order(steps: list[int | None]) -> None:
    """Whatever the sizes and the order of calls, each document comes out complete."""
    put: list[FetchOutcome] = []
    taken: list[FetchOutcome] = []
    with Spool(memory_bytes=100, file_bytes=200) as spool:
        for number, size in enumerate(steps):
            if size is None:
                taken += [spool.take()] if spool else []
            else:
                put.append(outcome(number, size))
                spool.put(put[-1])
        taken += [spool.take() for _ in range(len(spool))]
    assert taken == put


def test_spool_is_full_until_it_is_emptied() -> None:
    """The file is truncated once every document in it was taken."""
    with Spool(memory_bytes=10, file_bytes=100) as spool:
        for number in range(6):
            assert not spool.full
            spool.put(outcome(number, 20 if number else 10))
        assert spool.full
        for _ in range(5):
            spool.take()
            assert spool.full
        spool.take()
        assert not spool.full


def test_memory_is_limited() -> None:
    """Of a hundred documents only the first few are in memory."""
    with Spool(memory_bytes=1_000) as spool:
        for number in range(100):
            spool.put(outcome(number, 300))
        assert sum(len(queued.body) for queued, _ in spool._queue) <= 1_000
        assert [len(spool.take().body) for _ in range(100)] == [300] * 100


def test_single_large_document_is_accepted() -> None:
    """A document larger than both limits waits in memory, alone."""
    with Spool(memory_bytes=10, file_bytes=10) as spool:
        spool.put(outcome(1, 1_000))
        assert not spool.full
        assert len(spool.take().body) == 1_000


def test_memory_is_used_without_a_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing or full temporary folder loses nothing, but the spool is then full early."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with Spool(memory_bytes=10) as spool:
        for number in range(3):
            spool.put(outcome(number, 20))
        assert spool.full
        assert [spool.take().key for _ in range(3)] == ["0", "1", "2"]
        assert not spool.full


def test_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process can open it, and a killed process leaves none behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool(memory_bytes=1) as spool:
        spool.put(outcome(1, 20))
        spool.put(outcome(2, 20))
        assert list(tmp_path.iterdir()) == []
