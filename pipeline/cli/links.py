"""``pipeline links``: list, add and remove links that are collected by hand."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import Commands, load_app
from pipeline.text.format import format_day

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock


def add_commands(commands: Commands) -> None:
    """Add the commands of ``links``."""
    links = commands.add_group("links", list_links, "list, add or remove useful links")
    links.add(
        "list", list_links, "list every link: those that wait for an edition, and those that were published", json=True
    )

    parser = links.add("add", add, "save a link for one of the next editions; its title is read from the page")
    parser.add_argument("url", metavar="URL", help="URL of the page")
    parser.add_argument("--note", default="", metavar="TEXT", help="why it matters (default: the page's description)")
    parser.add_argument("--title", default="", metavar="TEXT", help="its title (default: the page's title)")

    parser = links.add("remove", remove, "remove a link that was added by hand and is not published yet")
    parser.add_argument("url", metavar="URL", help="URL of the page")

    links.describe()


def list_links(options: Namespace, clock: Clock) -> int:
    """List the links that wait and those that were published."""
    from pipeline.app.feeds import build_link_collection

    with load_app(options) as app:
        links = build_link_collection(app, clock()).all()
        zone = app.calendar.zone
    if options.json:
        output.print_json([asdict(link) for link in links])
        return 0
    rows = [
        (
            f"published in {link.used_in}" if link.used_in else f"in {link.file}" if link.file else "waiting",
            format_day(link.added_at, zone),
            f"{link.title}: {link.url}",
        )
        for link in links
    ]
    for line in output.table(rows) if rows else ["no links yet: add one with `pipeline links add URL`"]:
        print(line)
    return 0


def add(options: Namespace, clock: Clock) -> int:
    """Save a link."""
    from pipeline.app.feeds import build_link_collection

    now = clock()
    with load_app(options) as app:
        link = build_link_collection(app, now).add(options.url, app.fetcher, note=options.note, title=options.title)
        week = app.calendar.week_of(now)
    if not options.quiet:
        print(f"{link.title}\n{link.url}")
        if link.note:
            print(link.note)
        print(f"It goes into the digest of {week}, or into a later one if that one is full.")
    return 0


def remove(options: Namespace, clock: Clock) -> int:
    """Remove a link."""
    from pipeline.app.feeds import build_link_collection

    with load_app(options) as app:
        link = build_link_collection(app, clock()).remove(options.url)
    if not options.quiet:
        print(f"removed: {link.title}: {link.url}")
    return 0
