"""What each ``pipeline feeds`` command does: read its arguments, call one job, print what came of it.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.cli import words
from pipeline.model.errors import FeedProblem, Refused, UsageError

if TYPE_CHECKING:
    from pipeline.jobs.inspect import Finding

Clock = Callable[[], datetime]


def list_(options: Namespace, clock: Clock) -> int:
    """List the feeds, and below each what is not well with it."""
    from pipeline.cli.findings import sign_lines
    from pipeline.jobs.status import feeds_status

    with App.load(options.config) as app:
        zone = app.clock.zone
        found = feeds_status(app.store, app.feeds, zone)
    if options.json:
        words.show_json([asdict(each) for each in found])
        return 0
    rows = [
        (
            each.feed.id,
            each.feed.kind,
            words.counted(each.count.entries, "entry", "entries"),
            f"read {words.moment(each.state.read_at, zone)}",
            each.state.address or each.feed.url,
        )
        for each in found
    ]
    for each, line in zip(found, words.table(rows), strict=True):
        print(line)
        for trouble in sign_lines(sign for sign in each.signs if sign.level != "well"):
            print(f"  {trouble}")
    return 0


def check(options: Namespace, clock: Clock) -> int:
    """Look at an address as a feed reader would."""
    from pipeline.cli.findings import show_findings
    from pipeline.jobs.inspect import inspect

    with App.load(options.config) if options.config.exists() else App.bare() as app:
        findings = inspect(options.url, app.fetcher, now=clock(), headers=app.headers_for(options.url))
        show_findings(findings, app.clock.zone, as_json=options.json)
    return 0 if findings[0].ok else FeedProblem.exit_code


def add(options: Namespace, clock: Clock) -> int:
    """Find a feed and write it into config.toml."""
    from pipeline.jobs.feeds import Known, Wishes, find

    with App.load(options.config) as app:
        known = Known(feeds=app.feeds, states=app.store.feed_states())
        wishes = Wishes(id=options.id, kind=options.kind, section=options.section)
        found = find(options.url, known, app.fetcher, now=clock(), wishes=wishes)
        app.add_feeds([found.feed])
        zone = app.clock.zone
    if not options.quiet:
        print(f"{words.near(options.config)}: added {found.feed.id} ({found.feed.kind}): {found.feed.url}")
        print(f"  {_described(found.finding, zone)}")
        for other in found.others:
            print(f"also found: {other.address}\n  {_described(other, zone)}")
        print(f"Next: pipeline fetch {found.feed.id}")
    return 0


def remove(options: Namespace, clock: Clock) -> int:
    """Take a feed out of config.toml."""
    with App.load(options.config) as app:
        (feed,) = app.feeds_named([options.feed])
        if len(app.feeds) == 1:
            raise Refused(f"{feed.id} is the only feed, and without one there is nothing to read: add another first.")
        kept = app.store.feed_counts().get(feed.id)
        app.remove_feed(feed.id)
    if not options.quiet:
        print(f"{words.near(options.config)}: removed {feed.id}, {feed.url}")
        if kept and kept.entries:
            stay = words.counted(kept.entries, "entry stays", "entries stay")
            print(f"Its {stay} stored, for no digest any more; pipeline feeds add {feed.url} undoes it.")
    return 0


def accept(options: Namespace, clock: Clock) -> int:
    """Take in what a feed holds back."""
    from pipeline.jobs.accept import accept as take_in

    with App.load(options.config) as app:
        (feed,) = app.feeds_named([options.feed])
        taken = take_in(app.store, feed.id, app.clock, now=clock())
    if not options.quiet:
        news, backlog = words.counted(taken.news, "entry", "entries"), words.counted(taken.backlog, "older one")
        nothing = f"{feed.id} holds nothing back."
        print(f"{feed.id}: {news} for the next digest, {backlog}" if taken.news or taken.backlog else nothing)
    return 0


def import_(options: Namespace, clock: Clock) -> int:
    """Write the feeds of an OPML file into config.toml."""
    from pipeline.ingest.opml import read_opml
    from pipeline.jobs.feeds import Known, choose
    from pipeline.jobs.feeds import check as check_all

    outlines = read_opml(_bytes_of(options.file))
    with App.load(options.config) as app:
        feeds, skipped = choose(outlines, Known(feeds=app.feeds, states=app.store.feed_states()))
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
        print(f"{words.counted(len(outlines), 'feed')} listed: {len(feeds)} added, {len(skipped)} left out.")
    return FeedProblem.exit_code if any(each.failed for each in skipped) else 0


def export(options: Namespace, clock: Clock) -> int:
    """Write the feeds as OPML."""
    from pipeline.ingest.opml import write_opml
    from pipeline.jobs.feeds import outline_of

    with App.load(options.config) as app:
        states = app.store.feed_states()
        titles = {feed_id: state.channel.title for feed_id, state in states.items()}
        document = write_opml(app.publication.name, [outline_of(feed, titles.get(feed.id, "")) for feed in app.feeds])
    if options.file is None:
        print(document.decode("utf-8"), end="")
        return 0
    try:
        with options.file.open("xb") as file:
            file.write(document)
    except FileExistsError as there:
        raise Refused(f"{options.file} is there already and was left as it is: name a new file.") from there
    except OSError as trouble:
        raise UsageError(f"{options.file} cannot be written ({trouble.strerror}): name another file.") from trouble
    return 0


def _described(finding: Finding, zone: tzinfo) -> str:
    title = finding.parsed.channel.title if finding.parsed else ""
    newest = max((each.published_at for each in finding.entries), default=None)
    entries = words.counted(len(finding.entries), "entry", "entries")
    return (
        f"“{title or 'no title'}”, {entries}, the newest of {words.day(newest, zone)}"
        if newest
        else f"“{title}”, empty"
    )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as trouble:
        raise UsageError(f"{path} cannot be read ({trouble.strerror}): give an OPML file.") from trouble
