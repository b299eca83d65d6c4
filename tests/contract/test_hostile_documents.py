"""What a hostile document may cost: a second of processor time and 64 MB, measured in processes of their own."""

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


def measured(paths: list[Path]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.measure_cost", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def too_dear(paths: list[Path]) -> list[dict[str, Any]]:
    """Measure files, those that were too dear twice: the machine may have been busy with something else."""
    dear = {path.name for path in paths}
    for _ in range(2):
        found = measured([path for path in paths if path.name in dear])
        beyond = [
            each
            for each in found
            if each["ended"] or each["seconds"] > MOST_SECONDS or each["megabytes"] > MOST_MEGABYTES
        ]
        dear = {each["file"] for each in beyond}
    return beyond


@pytest.mark.slow
def test_our_hostile_documents_are_cheap_to_read(tmp_path: Path) -> None:
    """Laughs, nests, a million attributes, a long guid, texts without end: each within its second and its 64 MB."""
    paths = []
    for name, body in documents().items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(body)
    assert too_dear(paths) == []


@pytest.mark.corpus
def test_the_hostile_documents_of_others_are_cheap_to_read(corpus: Path) -> None:
    """All of corpus/feeds/hostile."""
    assert too_dear(sorted((corpus / "hostile").iterdir())) == []


@pytest.mark.slow
def test_what_is_hostile_keeps_the_promises() -> None:
    """Safe entries, none of them twice."""
    for name, body in documents().items():
        assert violation(read_entries(body)) == "", name


def test_a_measurement_tells_cheap_from_dear(tmp_path: Path) -> None:
    """What costs more is measured as more: four thousand items against one."""
    cheap, dear = tmp_path / "cheap", tmp_path / "dear"
    cheap.write_bytes(b"<rss><channel><item><guid>1</guid></item></channel></rss>")
    items = b"".join(b"<item><guid>%d</guid><description>%d words</description></item>" % (n, n) for n in range(4000))
    dear.write_bytes(b"<rss><channel>%b</channel></rss>" % items)
    one, other = measured([cheap, dear])
    assert other["seconds"] > 4 * one["seconds"]
    assert other["megabytes"] > one["megabytes"] + 2
