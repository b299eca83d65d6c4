"""Excerpts begin with the text that an editor would choose, and show no furniture: measured on the labelled set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.excerpts.measure import MAX_FURNITURE, MIN_RIGHT, measure


def assert_good(corpus: Path | None) -> None:
    scores = measure(corpus)
    faults = "\n".join(fault for score in scores.values() for fault in score.faults)
    assert all(score.right >= MIN_RIGHT * score.entries for score in scores.values()), faults
    entries = sum(score.entries for score in scores.values())
    assert sum(score.furniture for score in scores.values()) <= MAX_FURNITURE * entries, faults


def test_own_feeds() -> None:
    """Every part of our own feeds reaches the limits."""
    assert_good(None)


def test_corpus() -> None:
    """So does every part of the labelled feeds of the corpus."""
    if not os.environ.get("PIPELINE_CORPUS"):
        pytest.skip("PIPELINE_CORPUS is not set")
    assert_good(Path(os.environ["PIPELINE_CORPUS"]))
