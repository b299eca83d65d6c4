"""The cost of a hostile document: at most a second of processor time and 64 MB, measured in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile_documents import documents
from tests.invariants import read_entries, violation

MOST_SECONDS = 1.0
MOST_MEGABYTES = 64.0


def measure(paths: list[Path]) -> list[dict[str, Any]]:
    """Return the cost of each file."""
    command = [sys.executable, "-m", "tests.measure_cost", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure_too_expensive(paths: list[Path]) -> list[dict[str, Any]]:
    """Return the measurements of files beyond the limits, four times in a row: the machine may have been busy."""
    dear = {path.name for path in paths}
    for _ in range(4):
        found = measure([path for path in paths if path.name in dear])
        beyond = [
            each
            for each in found
            if each["ended"] or each["seconds"] > MOST_SECONDS or each["megabytes"] > MOST_MEGABYTES
        ]
        dear = {each["file"] for each in beyond}
    return beyond


@pytest.mark.slow
def test_generated_hostile_documents_are_cheap(tmp_path: Path) -> None:
    """Entity bombs, deep nesting, a million attributes, a long guid, endless texts."""
    paths = []
    for name, body in documents().items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(body)
    assert measure_too_expensive(paths) == []


@pytest.mark.slow
@pytest.mark.corpus
def test_hostile_documents_of_the_corpus_are_cheap(corpus: Path) -> None:
    """Every document in corpus/feeds/hostile."""
    assert measure_too_expensive(sorted((corpus / "hostile").iterdir())) == []


@pytest.mark.slow
def test_hostile_documents_keep_the_invariants() -> None:
    """Entries are safe and distinct."""
    for name, body in documents().items():
        assert violation(read_entries(body)) == "", name


@pytest.mark.slow
def test_measurement_distinguishes_costs(tmp_path: Path) -> None:
    """Four thousand entries cost more than one."""
    cheap, dear = tmp_path / "cheap", tmp_path / "dear"
    cheap.write_bytes(b"<rss><channel><item><guid>1</guid></item></channel></rss>")
    items = b"".join(b"<item><guid>%d</guid><description>%d words</description></item>" % (n, n) for n in range(4000))
    dear.write_bytes(b"<rss><channel>%b</channel></rss>" % items)
    one, other = measure([cheap, dear])
    assert other["seconds"] > 4 * one["seconds"]
    assert other["megabytes"] > one["megabytes"] + 2
