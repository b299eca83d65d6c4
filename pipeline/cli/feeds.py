"""What each ``pipeline feeds`` command does: read its arguments, call one job, print what came of it.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.cli import output as words
from pipeline.model.errors import FeedError, RefusedError, UsageError
from pipeline.text.format import format_datetime, format_day, pluralize

if TYPE_CHECKING:
    from pipeline.jobs.feeds.probe import FeedProbe
    from pipeline.model.schedule import Clock


def list_(options: Namespace, clock: Clock) -> int:
    """List the feeds, and below each what is not well with it."""
    from pipeline.cli.status_output import health_lines
    from pipeline.jobs.monitoring.status import load_feed_status

    with App.load(options.config) as app:
        zone = app.calendar.zone
        found = load_feed_status(app.store, app.feeds, zone)
    if options.json:
        words.print_json([asdict(each) for each in found])
        return 0
    rows = [
        (
            each.feed.id,
            each.feed.kind,
            pluralize(each.count.entries, "entry", "entries"),
            f"read {format_datetime(each.state.read_at, zone)}",
            each.state.current_url or each.feed.url,
        )
        for each in found
    ]
    for each, line in zip(found, words.table(rows), strict=True):
        print(line)
        for trouble in health_lines(sign for sign in each.health if sign.level != "well"):
            print(f"  {trouble}")
    return 0


def check(options: Namespace, clock: Clock) -> int:
    """Look at an address as a feed reader would."""
    from pipeline.cli.status_output import print_probes
    from pipeline.jobs.feeds.probe import probe_url

    with App.load(options.config) if options.config.exists() else App.without_config() as app:
        findings = probe_url(options.url, app.fetcher, now=clock(), headers=app.headers_for_url(options.url))
        print_probes(findings, app.calendar.zone, as_json=options.json)
    return 0 if findings[0].ok else FeedError.exit_code


def add(options: Namespace, clock: Clock) -> int:
    """Find a feed and write it into config.toml."""
    from pipeline.jobs.feeds.add import FeedOptions, FeedRegistry, discover_feed

    with App.load(options.config) as app:
        known = FeedRegistry(feeds=app.feeds, states=app.store.feed_states())
        wishes = FeedOptions(id=options.id, kind=options.kind, section=options.section)
        found = discover_feed(options.url, known, app.fetcher, now=clock(), options=wishes)
        app.add_feeds([found.feed])
        zone = app.calendar.zone
    if not options.quiet:
        print(f"{words.relative_path(options.config)}: added {found.feed.id} ({found.feed.kind}): {found.feed.url}")
        print(f"  {_described(found.probe, zone)}")
        for other in found.alternatives:
            print(f"also found: {other.feed_url}\n  {_described(other, zone)}")
        print(f"Next: pipeline fetch {found.feed.id}")
    return 0


def remove(options: Namespace, clock: Clock) -> int:
    """Take a feed out of config.toml."""
    with App.load(options.config) as app:
        (feed,) = app.select_feeds([options.feed])
        if len(app.feeds) == 1:
            raise RefusedError(
                f"{feed.id} is the only feed, and without one there is nothing to read: add another first."
            )
        kept = app.store.feed_counts().get(feed.id)
        app.remove_feed(feed.id)
    if not options.quiet:
        print(f"{words.relative_path(options.config)}: removed {feed.id}, {feed.url}")
        if kept and kept.entries:
            stay = pluralize(kept.entries, "entry stays", "entries stay")
            print(f"Its {stay} stored, for no digest any more; pipeline feeds add {feed.url} undoes it.")
    return 0


def accept(options: Namespace, clock: Clock) -> int:
    """Take in what a feed holds back."""
    from pipeline.jobs.feeds.quarantine import release_quarantine as take_in

    with App.load(options.config) as app:
        (feed,) = app.select_feeds([options.feed])
        taken = take_in(app.store, feed.id, app.calendar, now=clock())
    if not options.quiet:
        news, backlog = pluralize(taken.new, "entry", "entries"), pluralize(taken.archived, "older one")
        nothing = f"{feed.id} holds nothing back."
        print(f"{feed.id}: {news} for the next digest, {backlog}" if taken.new or taken.archived else nothing)
    return 0


def import_(options: Namespace, clock: Clock) -> int:
    """Write the feeds of an OPML file into config.toml."""
    from pipeline.ingest.opml import read_opml
    from pipeline.jobs.feeds.add import FeedRegistry, plan_import
    from pipeline.jobs.feeds.add import verify_feeds as check_all

    outlines = read_opml(_bytes_of(options.file))
    with App.load(options.config) as app:
        feeds, skipped = plan_import(outlines, FeedRegistry(feeds=app.feeds, states=app.store.feed_states()))
        if options.check and feeds:
            feeds, failed = check_all(feeds, app.fetcher, now=clock())
            skipped += failed
        if feeds:
            app.add_feeds(feeds)
    for each in skipped:
        print(f"left out: {each.url} {each.reason}", file=sys.stderr if each.failed else sys.stdout)
    if not options.quiet:
        for line in words.table([(f"added {feed.id}", feed.kind, feed.url) for feed in feeds]):
            print(line)
        print(f"{pluralize(len(outlines), 'feed')} listed: {len(feeds)} added, {len(skipped)} left out.")
    return FeedError.exit_code if any(each.failed for each in skipped) else 0


def export(options: Namespace, clock: Clock) -> int:
    """Write the feeds as OPML."""
    from pipeline.ingest.opml import write_opml
    from pipeline.jobs.feeds.add import to_outline

    with App.load(options.config) as app:
        states = app.store.feed_states()
        titles = {feed_id: state.channel.title for feed_id, state in states.items()}
        document = write_opml(app.publication.name, [to_outline(feed, titles.get(feed.id, "")) for feed in app.feeds])
    if options.file is None:
        print(document.decode("utf-8"), end="")
        return 0
    try:
        with options.file.open("xb") as file:
            file.write(document)
    except FileExistsError as there:
        raise RefusedError(f"{options.file} is there already and was left as it is: name a new file.") from there
    except OSError as trouble:
        raise UsageError(f"{options.file} cannot be written ({trouble.strerror}): name another file.") from trouble
    return 0


def _described(finding: FeedProbe, zone: tzinfo) -> str:
    title = finding.parsed.channel.title if finding.parsed else ""
    newest = max((each.published_at for each in finding.entries), default=None)
    entries = pluralize(len(finding.entries), "entry", "entries")
    return (
        f"“{title or 'no title'}”, {entries}, the newest of {format_day(newest, zone)}"
        if newest
        else f"“{title}”, empty"
    )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read ({trouble.strerror}): give an OPML file.") from trouble
