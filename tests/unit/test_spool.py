"""The spool: outcomes wait in their order, most of their documents outside of memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.http.spool import Spool
from pipeline.model.fetch import FetchOutcome


def outcome(number: int, size: int) -> FetchOutcome:
    """An outcome whose document no other has."""
    return FetchOutcome(key=str(number), url="", kind="ok", body=bytes([number % 251]) * size)


@given(st.lists(st.one_of(st.integers(0, 60), st.none()), max_size=60))
def test_what_is_put_in_comes_out_in_its_order(steps: list[int | None]) -> None:
    """Whatever the sizes, and whenever one is taken: each document comes back whole."""
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


def test_a_full_spool_says_so_until_it_is_read() -> None:
    """Nobody is asked while the file is full; when all that lay in it was read, it is begun anew."""
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


def test_little_stays_in_memory() -> None:
    """Of a hundred documents no more than the first few are held."""
    with Spool(memory_bytes=1_000) as spool:
        for number in range(100):
            spool.put(outcome(number, 300))
        assert sum(len(queued.body) for queued, _ in spool._queue) <= 1_000
        assert [len(spool.take().body) for _ in range(100)] == [300] * 100


def test_one_document_is_taken_however_large_it_is() -> None:
    """What is larger than all there is room for waits in memory, alone."""
    with Spool(memory_bytes=10, file_bytes=10) as spool:
        spool.put(outcome(1, 1_000))
        assert not spool.full
        assert len(spool.take().body) == 1_000


def test_where_no_file_can_be_made_memory_must_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder that is missing or full loses nothing: but then nobody is asked ahead of the reading."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with Spool(memory_bytes=10) as spool:
        for number in range(3):
            spool.put(outcome(number, 20))
        assert spool.full
        assert [spool.take().key for _ in range(3)] == ["0", "1", "2"]
        assert not spool.full


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has no name: nobody else finds it, and a killed process leaves none."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool(memory_bytes=1) as spool:
        spool.put(outcome(1, 20))
        spool.put(outcome(2, 20))
        assert list(tmp_path.iterdir()) == []
