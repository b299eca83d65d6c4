"""Excerpts begin with the text that an editor would choose, and show no furniture: measured on the labelled set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.excerpts.measure import MAX_FURNITURE, MIN_RIGHT, measure


def assert_good(corpus: Path | None) -> None:
    for part, score in measure(corpus).items():
        faults = "\n".join([part, *score.faults])
        assert score.right >= MIN_RIGHT * score.entries, faults
        assert score.furniture <= MAX_FURNITURE * score.entries, faults


def test_own_feeds() -> None:
    """Every part of our own feeds reaches the limits."""
    assert_good(None)


def test_corpus() -> None:
    """So does every part of the labelled feeds of the corpus."""
    if not os.environ.get("PIPELINE_CORPUS"):
        pytest.skip("PIPELINE_CORPUS is not set")
    assert_good(Path(os.environ["PIPELINE_CORPUS"]))
