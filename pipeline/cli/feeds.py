"""``pipeline feeds``: list, check, add, remove, restore, accept, import and export."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import Commands, load_app
from pipeline.model.errors import FeedError, RefusedError, UsageError
from pipeline.model.feed import FEED_KINDS
from pipeline.text.format import format_day, pluralize
from pipeline.text.urls import with_scheme

if TYPE_CHECKING:
    from pipeline.jobs.feeds.probe import FeedProbe
    from pipeline.model.schedule import Clock

MAX_TITLES = 3
"""How many entries of a probed feed are printed."""


def add_commands(commands: Commands) -> None:
    """Add the commands of ``feeds``."""
    feeds = commands.add_group("feeds", list_feeds, "list, check, add, remove, restore, accept, import or export feeds")
    feeds.add("list", list_feeds, "list the feeds and their problems", json=True)

    parser = feeds.add("check", check, "show what a URL contains as a feed, with warnings", json=True)
    parser.add_argument("url", metavar="URL", help="URL of a feed, or of a home page that links to feeds")

    parser = feeds.add("add", add, "find the feed of a URL and add it to config.toml")
    parser.add_argument("url", metavar="URL", help="URL of a feed, or of a home page that links to one")
    parser.add_argument(
        "--id", default="", metavar="ID", help="its permanent short name (default: made from its title)"
    )
    parser.add_argument(
        "--kind", choices=FEED_KINDS, metavar="KIND", help="blog, podcast or links (default: recognised)"
    )
    parser.add_argument("--section", default="", metavar="TEXT", help="heading of its section in the newsletter")

    parser = feeds.add("remove", remove, "remove a feed from config.toml; its entries stay stored")
    parser.add_argument("feed", metavar="FEED", help="id of the feed")

    parser = feeds.add("restore", restore, "put a removed feed back into config.toml, as it was and where it was")
    parser.add_argument("feed", metavar="FEED", help="id of the feed")

    parser = feeds.add(
        "accept",
        accept,
        "accept entries in quarantine: most of the feed turned new at once, or it leads to another feed",
    )
    parser.add_argument("feed", metavar="FEED", help="id of the feed")

    parser = feeds.add("import", import_feeds, "add the feeds of an OPML file to config.toml")
    parser.add_argument("file", type=Path, metavar="FILE", help="an OPML file; its folders become sections")
    parser.add_argument("--check", action="store_true", help="fetch each feed first, and leave out those that fail")

    parser = feeds.add("export", export, "write the feeds as OPML, for other feed readers")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a new file (default: stdout)")

    feeds.describe()


def list_feeds(options: Namespace, clock: Clock) -> int:
    """List the feeds, each with its problems."""
    from pipeline.jobs.monitoring.status import load_feed_status

    with load_app(options) as app:
        zone = app.calendar.zone
        feeds = load_feed_status(app.store(), app.feeds, zone)
    if options.json:
        output.print_json([asdict(status) for status in feeds])
        return 0
    rows = [
        (
            status.feed.id,
            status.feed.kind,
            pluralize(status.count.entries, "entry", "entries"),
            output.last_read(status.state.read_at, zone),
            status.state.current_url or status.feed.url,
        )
        for status in feeds
    ]
    if not feeds:
        print("no feeds yet: add one with `pipeline feeds add URL`")
    for status, line in zip(feeds, output.table(rows), strict=True):
        print(line)
        for problem in output.health_lines(result for result in status.health if result.level != "ok"):
            print(f"  {problem}")
    return 0


def check(options: Namespace, clock: Clock) -> int:
    """Show what a URL contains, as a feed reader sees it."""
    from pipeline.app import App
    from pipeline.jobs.feeds.probe import probe_address

    with load_app(options) if options.config.exists() else App.without_config() as app:
        headers = app.headers_for_url(with_scheme(options.url))
        probes = probe_address(options.url, app.fetcher, now=clock(), headers=headers)
        print_probes(probes, app.calendar.zone, as_json=options.json)
    return 0 if probes[0].ok else FeedError.exit_code


def print_probes(probes: Sequence[FeedProbe], zone: tzinfo, *, as_json: bool) -> None:
    """Print what a URL, and the feeds it links to, contain."""
    if as_json:
        output.print_json([_probe_values(probe) for probe in probes])
        return
    for probe in probes:
        for line in _probe_lines(probe, zone):
            print(line)


def _probe_values(probe: FeedProbe) -> dict[str, object]:
    return {
        "url": probe.url,
        "ok": probe.ok,
        "outcome": probe.outcome,
        "message": probe.message,
        "kind": probe.kind,
        "version": probe.parsed.version if probe.parsed else "",
        "title": probe.parsed.channel.title if probe.parsed else "",
        "entries": len(probe.entries),
        "newest_at": max((entry.published_at for entry in probe.entries), default=None),
        "warnings": probe.warnings,
    }


def _probe_lines(probe: FeedProbe, zone: tzinfo) -> Iterator[str]:
    from pipeline.model.fetch import NO_ADVICE

    yield probe.url
    if not probe.parsed:
        yield f"  {probe.message}"
        return
    channel = probe.parsed.channel
    newest = sorted(probe.entries, key=lambda entry: entry.published_at, reverse=True)
    summary = [f"“{channel.title}”" if channel.title else "no title", probe.parsed.version]
    summary += [pluralize(len(newest), "entry", "entries"), f"looks like a {probe.kind}"]
    yield f"  {', '.join(summary)}"
    rows = [(format_day(entry.published_at, zone), entry.title or "(no title)") for entry in newest[:MAX_TITLES]]
    yield from output.table(rows, "  ")
    if probe.outcome not in NO_ADVICE:
        yield f"  {probe.message}"
    for warning in probe.warnings:
        yield f"  warning: {warning}"
    yield "  in config.toml:"
    yield "    [[feeds]]"
    yield f'    id = "{probe.kind}"'
    yield f'    url = "{probe.url}"'
    yield f'    kind = "{probe.kind}"'


def add(options: Namespace, clock: Clock) -> int:
    """Find a feed and add it to config.toml."""
    from pipeline.jobs.feeds.add import FeedOptions, FeedRegistry, discover_feed

    with load_app(options) as app:
        registry = FeedRegistry(feeds=app.feeds, states=app.store().feeds.states())
        choices = FeedOptions(id=options.id, kind=options.kind, section=options.section)
        discovery = discover_feed(options.url, registry, app.fetcher, now=clock(), options=choices)
        feed = discovery.feed
        app.add_feeds([feed])
        zone = app.calendar.zone
    if not options.quiet:
        print(f"{output.relative_path(options.config)}: added {feed.id} ({feed.kind}): {feed.url}")
        print(f"  {_describe(discovery.probe, zone)}")
        for alternative in discovery.alternatives:
            print(f"also found: {alternative.feed_url}\n  {_describe(alternative, zone)}")
        print(f"Next: pipeline fetch {feed.id}")
    return 0


def _describe(probe: FeedProbe, zone: tzinfo) -> str:
    title = probe.parsed.channel.title if probe.parsed else ""
    if not probe.entries:
        return f"“{title}”, empty"
    newest = max(entry.published_at for entry in probe.entries)
    entries = pluralize(len(probe.entries), "entry", "entries")
    return f"“{title or 'no title'}”, {entries}, the newest of {format_day(newest, zone)}"


def remove(options: Namespace, clock: Clock) -> int:
    """Remove a feed from config.toml."""
    with load_app(options) as app:
        (feed,) = app.select_feeds([options.feed])
        if len(app.feeds) == 1:
            raise RefusedError(f"{feed.id} is the only feed: add another one before you remove it.")
        count = app.store().feeds.stats().get(feed.id)
        app.remove_feed(feed.id)
    if not options.quiet:
        print(f"{output.relative_path(options.config)}: removed {feed.id}, {feed.url}")
        if count and count.entries:
            entries = pluralize(count.entries, "entry stays", "entries stay")
            print(f"Its {entries} stored but unused.")
        print(f"`pipeline feeds restore {feed.id}` undoes this.")
    return 0


def restore(options: Namespace, clock: Clock) -> int:
    """Put a removed feed back into config.toml."""
    with load_app(options) as app:
        app.restore_feed(options.feed)
    if not options.quiet:
        print(f"{output.relative_path(options.config)}: restored {options.feed}")
    return 0


def accept(options: Namespace, clock: Clock) -> int:
    """Release the quarantine of a feed."""
    from pipeline.jobs.feeds.quarantine import release_quarantine

    with load_app(options) as app:
        (feed,) = app.select_feeds([options.feed])
        released = release_quarantine(app.store(), feed.id, app.calendar, now=clock())
    if not options.quiet:
        new, older = pluralize(released.new, "entry", "entries"), pluralize(released.archived, "older one")
        nothing = f"{feed.id} has nothing in quarantine."
        print(f"{feed.id}: {new} for the next digest, {older}" if released.new or released.archived else nothing)
    return 0


def import_feeds(options: Namespace, clock: Clock) -> int:
    """Add the feeds of an OPML file to config.toml."""
    from pipeline.ingest.opml import read_opml
    from pipeline.jobs.feeds.add import FeedRegistry, plan_import, verify_feeds

    try:
        outlines = read_opml(options.file.read_bytes())
    except OSError as error:
        raise UsageError(f"{options.file} cannot be read ({error.strerror}): name an OPML file.") from error
    with load_app(options) as app:
        feeds, skipped = plan_import(outlines, FeedRegistry(feeds=app.feeds, states=app.store().feeds.states()))
        if options.check and feeds:
            feeds, failed = verify_feeds(feeds, app.fetcher, now=clock())
            skipped += failed
        if feeds:
            app.add_feeds(feeds)
    for outline in skipped:
        print(f"left out: {outline.url} {outline.reason}", file=sys.stderr if outline.failed else sys.stdout)
    if not options.quiet:
        rows: Sequence[Sequence[str]] = [(f"added {feed.id}", feed.kind, feed.url) for feed in feeds]
        for line in output.table(rows):
            print(line)
        print(f"{pluralize(len(outlines), 'feed')} listed: {len(feeds)} added, {len(skipped)} left out.")
    return FeedError.exit_code if any(outline.failed for outline in skipped) else 0


def export(options: Namespace, clock: Clock) -> int:
    """Write the feeds as OPML."""
    from pipeline.ingest.opml import write_opml
    from pipeline.jobs.feeds.add import to_outline

    with load_app(options) as app:
        titles = {feed_id: state.channel.title for feed_id, state in app.store().feeds.states().items()}
        document = write_opml(app.publication.name, [to_outline(feed, titles.get(feed.id, "")) for feed in app.feeds])
    if options.file is None:
        print(document.decode("utf-8"), end="")
        return 0
    try:
        with options.file.open("xb") as file:
            file.write(document)
    except FileExistsError as error:
        raise RefusedError(f"{options.file} exists and was not changed: name a new file.") from error
    except OSError as error:
        raise UsageError(f"{options.file} cannot be written ({error.strerror}): name another file.") from error
    return 0
