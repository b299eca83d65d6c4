"""``pipeline bounces``: list what came back, and read it from the mailbox or from files."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import SOME_FAILED, Commands, load_app, parse_week
from pipeline.model.delivery_event import DELIVERY_EVENT_KINDS, DeliveryEventKind
from pipeline.model.errors import ConfigError, UsageError
from pipeline.text.format import format_day

if TYPE_CHECKING:
    from pipeline.jobs.ports import ReturnMailbox
    from pipeline.model.schedule import Clock

SHOWN: tuple[DeliveryEventKind, ...] = ("bounced", "rejected", "complained", "unsubscribed")
"""Kinds that are listed unless others are asked for."""


def add_commands(commands: Commands) -> None:
    """Add the commands of ``bounces``."""
    group = commands.add_group("bounces", list_events, "list bounces and complaints, or read the mail that came back")
    parser = group.add("list", list_events, "list bounces and complaints, the newest first", json=True)
    parser.add_argument("--week", default="", metavar="WEEK", help="only those of the edition of a week")
    text = f"only those of this kind, may be repeated: {', '.join(DELIVERY_EVENT_KINDS)} (default: {', '.join(SHOWN)})"
    parser.add_argument("--kind", action="append", choices=DELIVERY_EVENT_KINDS, default=[], metavar="KIND", help=text)
    parser = group.add("read", read, "read mail that came back: suppress addresses, end subscriptions, forward replies")
    text = "a Maildir, or files with a mail each, which are left as they are (default: the mailbox of [bounces])"
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE", help=text)
    group.describe()


def list_events(options: Namespace, clock: Clock) -> int:
    """List events with their address, week and reason."""
    kinds = getattr(options, "kind", []) or SHOWN
    with load_app(options) as app:
        name = getattr(options, "week", "")
        week = str(parse_week(name, app.calendar, clock())) if name else ""
        events = list(app.store().delivery_events.iterate(week=week, kinds=kinds))
        zone = app.calendar.zone
    if options.json:
        output.print_json([asdict(event) for event in events])
        return 0
    rows = [
        (
            format_day(event.at, zone),
            f"{event.severity} {event.kind}".strip(),
            event.week,
            event.address or "(erased)",
            event.diagnostic,
        )
        for event in events
    ]
    for line in output.table(rows):
        print(line)
    if not rows:
        print("nothing has come back")
    return 0


def read(options: Namespace, clock: Clock) -> int:
    """Read the mailbox, or what is named, and print what was in it."""
    from collections import Counter

    from pipeline.app.bounces import build_mailbox, build_returned_messages
    from pipeline.delivery.incoming.mailbox import MaildirMailbox, read_message
    from pipeline.jobs.deliveries.come_back import Reading

    now, counts = clock(), Counter[str]()
    unreadable: list[str] = []
    with load_app(options) as app:
        messages = build_returned_messages(app)
        mailboxes: list[ReturnMailbox] = [MaildirMailbox(path=path) for path in options.paths if path.is_dir()]
        if not options.paths:
            mailbox = build_mailbox(app)
            if mailbox is None:
                raise ConfigError(f"{options.config}: set [bounces] maildir or imap_host, or name a file to read.")
            mailboxes = [mailbox]
        for mailbox in mailboxes:
            reading = messages.read(mailbox, now)
            counts.update(reading.counts)
            unreadable += reading.unreadable
        for path in options.paths:
            if not path.is_dir():
                try:
                    content = read_message(path)
                except OSError as error:
                    raise UsageError(f"{path} cannot be read ({error.strerror or 'no such file'}).") from error
                counts.update(messages.handle(content, now))
    print(Reading(counts=counts).in_words() or "nothing to read")
    for name in unreadable:
        print(f"{name} cannot be read, and stays")
    return SOME_FAILED if unreadable else 0
