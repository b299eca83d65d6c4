"""What `pipeline links` and `pipeline backfill` do: read their arguments, call one job, print what came of it.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.app.feeds import build_backfiller, build_link_collection
from pipeline.cli import output as words
from pipeline.model.errors import FeedError
from pipeline.text.format import format_day, pluralize

if TYPE_CHECKING:
    from pipeline.jobs.editor.links import CollectedLink
    from pipeline.model.archive import ArchivePosition
    from pipeline.model.schedule import Clock


def list_(options: Namespace, clock: Clock) -> int:
    """List the links that wait and those that were told."""
    with App.load(options.config) as app:
        found = build_link_collection(app, clock()).recent()
        zone = app.calendar.zone
    if options.json:
        words.print_json([asdict(each) for each in found])
        return 0
    rows = [
        (
            f"told in {each.used_in}" if each.used_in else "waits",
            format_day(each.added_at, zone),
            f"{each.title}: {each.url}",
        )
        for each in found
    ]
    for line in words.table(rows) if rows else ["no links yet: add one with `pipeline links add URL`"]:
        print(line)
    return 0


def add(options: Namespace, clock: Clock) -> int:
    """Add a link by hand."""
    now = clock()
    with App.load(options.config) as app:
        added = build_link_collection(app, now).add(options.url, app.fetcher, note=options.note, title=options.title)
        week = app.calendar.week_of(now)
    if not options.quiet:
        _show(added)
        print(f"It comes into the digest of {week}, or into a later one when that has enough.")
    return 0


def remove(options: Namespace, clock: Clock) -> int:
    """Forget a link that was added by hand."""
    with App.load(options.config) as app:
        removed = build_link_collection(app, clock()).remove(options.url)
    if not options.quiet:
        print(f"removed: {removed.title}: {removed.url}")
    return 0


def backfill(options: Namespace, clock: Clock) -> int:
    """Read the archive behind a feed."""
    now = clock()
    with App.load(options.config) as app:
        (feed,) = app.select_feeds([options.feed])
        with _pages(options) as show:
            done = build_backfiller(app, feed, now, show).run(app.fetcher, restart=options.again)
    if not done.ok:
        print(f"{feed.id}: {done.message}", file=sys.stderr)
        return FeedError.exit_code
    if not options.quiet:
        print(f"{feed.id}: {done.message}")
    return 0


def _show(link: CollectedLink) -> None:
    print(f"{link.title}\n{link.url}")
    if link.note:
        print(link.note)


@contextmanager
def _pages(options: Namespace) -> Iterator[Callable[[ArchivePosition], None]]:
    """Show how far it is: a line that moves on a terminal, a line a page with --verbose, nothing otherwise."""

    def told(position: ArchivePosition) -> str:
        return f"{pluralize(len(position.page_hashes), 'page')}, {position.entry_count:,} older entries"

    if options.quiet or not sys.stderr.isatty():
        yield (lambda position: print(told(position), flush=True)) if options.verbose else (lambda position: None)
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading the archive") as status:
        yield lambda position: status.update(f"reading the archive: {told(position)}")
