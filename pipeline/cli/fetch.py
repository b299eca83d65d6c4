"""``pipeline fetch`` and ``pipeline backfill``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import SOME_FAILED, Commands, load_app
from pipeline.text.format import pluralize

if TYPE_CHECKING:
    from pipeline.app import App
    from pipeline.jobs.feeds.refresh import FeedReport
    from pipeline.model.feed import ArchivePosition
    from pipeline.model.schedule import Clock


def add_commands(commands: Commands) -> None:
    """Add fetch and backfill."""
    parser = commands.add("fetch", fetch, "fetch the feeds that are due", json=True)
    parser.add_argument("feeds", nargs="*", metavar="FEED", help="ids of the feeds to fetch (default: all)")
    parser.add_argument("--force", action="store_true", help="fetch feeds that are not due, too")
    parser = commands.add("backfill", backfill, "read older entries from a feed's archive pages; can be interrupted")
    parser.add_argument("feed", metavar="FEED", help="id of the feed")
    parser.add_argument("--again", action="store_true", help="start over instead of continuing")


def fetch(options: Namespace, clock: Clock) -> int:
    """Fetch feeds and store what is new."""
    with load_app(options) as app:
        reports = refresh_feeds(app, options, clock(), options.feeds, force=options.force)
    if options.json:
        output.print_json([asdict(report) for report in reports])
    elif not options.quiet:
        print(output.feeds_summary(reports))
    return exit_code(reports)


def refresh_feeds(
    app: App, options: Namespace, now: datetime, ids: Sequence[str] = (), *, force: bool = False
) -> tuple[FeedReport, ...]:
    """Fetch the feeds with these ids (all if there are none) and show progress."""
    from pipeline.app.feeds import build_refresher
    from pipeline.ingest.polling import can_fetch, can_force
    from pipeline.jobs.monitoring.feed_health import former_ids, renamed_result

    feeds = app.select_feeds(ids)
    for feed_id, former_id in former_ids(app.feeds, app.store().feeds.states()).items():
        warning = renamed_result(feed_id, former_id)
        if not options.quiet:
            print(f"warning: {feed_id} {warning.message}: {warning.fix}", file=sys.stderr)
    width = max(len(feed.id) for feed in feeds)
    with output.feed_progress(len(feeds), width, quiet=options.quiet or options.json) as show:
        refresher = build_refresher(app)
        return refresher.refresh(feeds, now=now, is_due=can_force if force else can_fetch, on_report=show)


def exit_code(reports: Sequence[FeedReport]) -> int:
    """Return the exit code of a fetch."""
    return 0 if all(report.ok for report in reports) else SOME_FAILED


def backfill(options: Namespace, clock: Clock) -> int:
    """Read the archive of a feed."""
    from pipeline.app.feeds import build_backfiller
    from pipeline.model.errors import FeedError

    with load_app(options) as app:
        (feed,) = app.select_feeds([options.feed])
        with _archive_progress(options) as show:
            result = build_backfiller(app, feed, clock(), show).run(app.fetcher, restart=options.again)
    if not result.ok:
        print(f"{feed.id}: {result.message}", file=sys.stderr)
        return FeedError.exit_code
    if not options.quiet:
        print(f"{feed.id}: {result.message}")
    return 0


@contextmanager
def _archive_progress(options: Namespace) -> Iterator[Callable[[ArchivePosition], None]]:
    """Yield a function that shows progress: a status line on a terminal, a line per page with --verbose, or nothing."""

    def describe(position: ArchivePosition) -> str:
        return f"{pluralize(len(position.page_hashes), 'page')}, {position.entry_count:,} older entries"

    if options.quiet or not sys.stderr.isatty():
        yield (lambda position: print(describe(position), flush=True)) if options.verbose else (lambda position: None)
        return
    from rich.console import Console

    with Console(stderr=True).status("reading the archive") as status:
        yield lambda position: status.update(f"reading the archive: {describe(position)}")
