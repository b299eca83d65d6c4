"""Measure what an edition costs in a warm process, and what an archive of 10,000 entries adds to that.

The demo publication is created twice in a temporary folder, once with the archive. The fastest and the median of all
runs are printed in CPU milliseconds; limits hold for the fastest, since other work on the machine can only slow a run
down. The exit code is 1 if composing and rendering (without the selection) take more than 60 ms, or finding what the
feeds repeat and composing more than 40 ms, or if the archive changes the first by a tenth or more. Excerpts have been
saved by an earlier draft of the week, but for the line "with nothing saved". No network is used.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time

from pipeline.app import App, resources_folder
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.digest.compose.compose import compose
from pipeline.digest.render.render import render
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.digests.inputs import load_inputs
from pipeline.jobs.digests.selection import select_entries
from pipeline.model.entry import Entry
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate
from pipeline.model.week import Week
from pipeline.text.furniture import furniture_keys
from pipeline.text.opening import find_opening

RUNS = 100
ARCHIVE = 10_000
WEEK, NOW = Week(2026, 7), datetime(2026, 2, 16, 9, tzinfo=UTC)
LIMIT_MS = 60.0
LIMIT_GROWTH = 0.10
FURNITURE_LIMIT_MS = 40.0
FURNITURE = "learn what feeds repeat, then compose"
FIRST = "the same with nothing saved: the first draft of a week"
COMPOSE, DRAFT = "compose and render", "the whole draft: choose, compose, render, check, seal"
STEMS = (
    *(
        "harbour",
        "hearth",
        "bread",
        "kiln",
        "lamp",
        "tide",
        "rope",
        "wool",
        "soup",
        "moss",
        "frost",
        "garden",
        "letter",
    ),
    *("window", "boat", "winter", "table", "salt", "kettle", "net", "oar", "clay", "oak", "rain", "quay", "supper"),
)
WORDS = [*STEMS, *(one + other for one in STEMS for other in STEMS if one != other)]
"""In the order of how often they are used: the second half as often as the first, the third a third (Zipf)."""


def archive(feed_id: str, count: int) -> list[EntryChange]:
    """Return posts of the twenty years before, ten a week, with the vocabulary of one publisher."""
    chance, changes = random.Random(1), []
    usual = [1 / rank for rank in range(1, len(WORDS) + 1)]
    for number in range(count):
        title = " ".join(chance.choices(WORDS, usual, k=5)).capitalize()
        body = " ".join(chance.choices(WORDS, usual, k=300))
        at = datetime(2025, 11, 1, tzinfo=UTC) - timedelta(hours=17 * number)
        entry = Entry(
            feed_id=feed_id,
            guid=f"archive-{number}",
            url=f"https://harbourandhearth.example/archive/{number}/",
            title=f"{title} {number}",
            published_at=at,
            body_html=f"<p>{body}.</p>",
            excerpt_text=f"{body[:300]}.",
        )
        changes.append(EntryChange(kind="new", entry=entry, fingerprint=str(number)))
    return changes


def publication(folder: Path, entries: int) -> App:
    """Create the demo publication, fetch its feeds and add ``entries`` archived entries to its blog."""
    folder.mkdir()
    shutil.copy(resources_folder() / "config.toml", folder)
    shutil.copytree(resources_folder() / "fixtures", folder / "fixtures")
    app = App.load(folder / "config.toml")
    build_refresher(app).refresh(app.feeds, now=NOW)
    if entries:
        state = app.store().feeds.states()["blog"]
        app.store().entries.apply(
            [FeedUpdate(state=state, changes=FeedChanges(entries=archive("blog", entries)), archived=True)], now=NOW
        )
    return app


def subjects(app: App) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    store, press = app.store(), build_digest_context(app)
    selection = select_entries(store, press, WEEK, now=NOW)
    store.excerpts.save(build_draft(store, press, WEEK, now=NOW).new_excerpts, now=NOW)

    def compose_anew(*, has_excerpts: bool = True) -> object:
        furniture_keys.cache_clear()
        find_opening.cache_clear()
        inputs = load_inputs(store, press, WEEK, selection)
        return compose(inputs if has_excerpts else replace(inputs, excerpts={}))

    return {
        FURNITURE: compose_anew,
        FIRST: lambda: compose_anew(has_excerpts=False),
        COMPOSE: lambda: render(compose(load_inputs(store, press, WEEK, selection))[0], press.theme),
        DRAFT: lambda: build_draft(store, press, WEEK, now=NOW),
    }


def measure(apps: dict[int, App], runs: int) -> dict[tuple[str, int], list[float]]:
    """Return the times; every subject is run on every publication in turn, so that load affects all alike."""
    measured = {(name, size): run for size, app in apps.items() for name, run in subjects(app).items()}
    found: dict[tuple[str, int], list[float]] = {key: [] for key in measured}
    for _ in range(runs):
        for key, run in measured.items():
            started = process_time()
            run()
            found[key].append(1000 * (process_time() - started))
    return found


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=RUNS, help=f"how often (default: {RUNS})")
    with tempfile.TemporaryDirectory() as folder:
        apps = {size: publication(Path(folder) / str(size), size) for size in (0, ARCHIVE)}
        found = measure(apps, options.parse_args().runs)
        for app in apps.values():
            app.close()
    print(f"{'CPU ms, fastest (median)':56}{'demo':>16}{f'+ {ARCHIVE:,}':>16}{'change':>9}")
    fastest = {key: min(times) for key, times in found.items()}
    for name in (COMPOSE, FURNITURE, FIRST, DRAFT):
        columns = "".join(f"{fastest[name, size]:9.1f} ({median(found[name, size]):4.0f})" for size in apps)
        print(f"{name:56}{columns}{fastest[name, ARCHIVE] / fastest[name, 0] - 1:+9.1%}")
    alone, growth = fastest[COMPOSE, 0], fastest[COMPOSE, ARCHIVE] / fastest[COMPOSE, 0] - 1
    slow = max(fastest[FURNITURE, size] for size in apps)
    print(f"limits: {LIMIT_MS:.0f} ms, {LIMIT_GROWTH:+.0%} (first line); {FURNITURE_LIMIT_MS:.0f} ms (second line)")
    return int(alone > LIMIT_MS or slow > FURNITURE_LIMIT_MS or growth >= LIMIT_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
