"""Measure what a mail costs in a warm process: rendering, and checking it without a network.

The demo edition is built in a temporary folder. Medians in CPU milliseconds are printed, each also as a multiple of
rendering an empty template in the same run; the exit code is 1 if a limit is exceeded. No network is used. Run it on an
idle machine: `make bench`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time

from jinja2 import Template

from pipeline.app import App, resources_folder
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.digest.checks import preflight
from pipeline.digest.compose.compose import compose
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.jobs.digests.inputs import load_inputs
from pipeline.jobs.digests.selection import select_entries
from pipeline.model.week import Week

RUNS = 200
WEEK, NOW = Week(2026, 7), datetime(2026, 2, 16, 9, tzinfo=UTC)
FLOOR = "an empty template"
LIMITS = {"render: HTML, styles inlined, text": 15.0, "preflight without a network": 60.0}
"""CPU milliseconds."""


def subjects(app: App) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name; a call is one run."""
    build_refresher(app).refresh(app.feeds, now=NOW)
    store, context = app.store(), build_digest_context(app)
    inputs = load_inputs(store, context, WEEK, select_entries(store, context, WEEK, now=NOW))
    digest, _ = compose(inputs)
    rendered = render(digest, context.theme)
    eml = to_eml(rendered, digest)
    rendering, checking = LIMITS
    return {
        FLOOR: Template("").render,
        rendering: lambda: render(digest, context.theme),
        checking: lambda: preflight(digest, rendered, eml, inputs.preflight),
    }


def measure(folder: Path, runs: int) -> dict[str, float]:
    """Return the median of each subject in CPU milliseconds; they are run in turn, so that load affects all alike."""
    for name in ("config.toml", "fixtures"):
        (shutil.copytree if name == "fixtures" else shutil.copy)(resources_folder() / name, folder / name)
    with App.load(folder / "config.toml") as app:
        measured = subjects(app)
        found: dict[str, list[float]] = {name: [] for name in measured}
        for _ in range(runs):
            for name, run in measured.items():
                started = process_time()
                run()
                found[name].append(1000 * (process_time() - started))
    return {name: median(times) for name, times in found.items()}


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=RUNS, help=f"how often (default: {RUNS})")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.parse_args().runs)
    print(f"{'':36}{'CPU ms':>10}{'floors':>10}{'limit':>8}")
    for name, milliseconds in found.items():
        limit = f"{LIMITS[name]:g}" if name in LIMITS else ""
        print(f"{name:36}{milliseconds:10.3f}{milliseconds / found[FLOOR]:10.0f}{limit:>8}")
    return int(any(found[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
