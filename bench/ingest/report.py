"""The measurements as a Markdown table, from the costs by mode and name."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.ingest.contenders import TIMEOUT_SECONDS
from bench.ingest.measure import Weight

Found = Mapping[tuple[str, str], Sequence[Weight]]
MEASURE = "reader"
LIMITS = {"cold": 0.40, "one new": 0.08, "unchanged": 0.04, "build date": 0.06, "304": 0.9}
"""Shares of reader's CPU time: the goals for a thousand feeds."""
OURS = ("feedparser", "httpx", "lxml", "nh3", "sqlalchemy")


def report(found: Found, feeds: int, peers: Path) -> str:
    """Return the whole report."""
    lines = ["# What a run costs", "", *_circumstances(found, feeds, peers), ""]
    for mode in dict.fromkeys(mode for mode, _ in found):
        lines += [f"## {mode}", "", *_table(found, mode), ""]
    return "\n".join(lines)


def _circumstances(found: Found, feeds: int, peers: Path) -> Iterator[str]:
    runs = max(len(weights) for weights in found.values())
    yield f"{feeds:,} feeds on the loopback interface; medians of {runs} {'round' if runs == 1 else 'rounds'};"
    yield "CPU seconds (user and system) of whole processes, their peak memory, the entries in each one's store."
    yield f"Measured on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({platform.machine()}), load"
    yield f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}."
    yield ""
    yield f"Ours: {', '.join(f'{name} {version(name)}' for name in OURS)}."
    if installed := _installed(peers):
        yield f"Others: {', '.join(installed)}; reader with ten threads, rss2email delivering into a local maildir."
    yield f"Time-out of all: {TIMEOUT_SECONDS} seconds."


def _installed(peers: Path) -> list[str]:
    if not (peers / "bin" / "pip").exists():
        return []
    listing = subprocess.run(
        [str(peers / "bin" / "pip"), "list", "--format=freeze"], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.split("==") for line in listing.split())
    return [f"{name} {number}" for name, number in pairs if name in ("reader", "rss2email", "feedparser", "httpx")]


def _table(found: Found, mode: str) -> Iterator[str]:
    yield "| program | CPU s | of reader's | limit | peak MB | entries | wall s |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    measure = median(weight.cpu_seconds for weight in found[mode, MEASURE]) if (mode, MEASURE) in found else None
    for (each, name), weights in found.items():
        if each == mode:
            yield _row(name, weights, measure, LIMITS.get(mode) if name == "ours" else None)


def _row(name: str, weights: Sequence[Weight], measure: float | None, limit: float | None) -> str:
    cpu = median(weight.cpu_seconds for weight in weights)
    cells = (
        name,
        f"{cpu:.2f}",
        f"{cpu / measure:.3f}" if measure else "",
        f"{limit:.2f}" if limit else "",
        f"{median(weight.peak_bytes for weight in weights) / 1e6:.0f}",
        _stored(weights[-1]),
        f"{median(weight.wall_seconds for weight in weights):.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _stored(weight: Weight) -> str:
    if weight.stored is None:
        return weight.ended
    right = "" if weight.stored == weight.expected else f" of {weight.expected:,}"
    return f"{weight.stored:,}{right} {weight.ended}".strip()
