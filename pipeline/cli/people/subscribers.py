"""``pipeline subscribers``: list, show, add, suppress and erase people."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli import output
from pipeline.cli.arguments import Commands, load_app
from pipeline.cli.people import subscriber_files
from pipeline.cli.people.subscriber_files import BASIS_HELP, date_argument
from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.subscriber import (
    BASES,
    DISPLAY_STATES,
    FREQUENCIES,
    TOPICS,
    Preferences,
    Subscriber,
    SuppressionReason,
)
from pipeline.text.format import format_day

if TYPE_CHECKING:
    from pipeline.app import App
    from pipeline.jobs.audience.context import AudienceContext
    from pipeline.model.schedule import Clock

REASONS: tuple[SuppressionReason, ...] = ("operator", "bounced", "complained")
"""Why an operator suppresses an address by hand."""
STDOUT = Path("-")


def add_commands(commands: Commands) -> None:
    """Add the commands of ``subscribers``."""
    group = commands.add_group(
        "subscribers", list_subscribers, "list, show, add, import, export, suppress or erase subscribers"
    )
    parser = group.add("list", list_subscribers, "list subscribers in the order they were added", json=True)
    text = f"only those in this state, may be repeated: {', '.join(DISPLAY_STATES)}"
    parser.add_argument("--state", action="append", choices=DISPLAY_STATES, default=[], metavar="STATE", help=text)
    parser.add_argument("--search", default="", metavar="TEXT", help="only those whose address or name contains TEXT")

    parser = group.add("show", show, "show a person's subscription and its whole history", json=True)
    _add_address(parser)
    text = "print the consent receipt, or write it to FILE: HTML if its name ends with .html, else plain text"
    parser.add_argument("--receipt", nargs="?", type=Path, const=STDOUT, metavar="FILE", help=text)
    parser.add_argument("--force", action="store_true", help="overwrite FILE")

    _add_add(group)

    parser = group.add("suppress", suppress, "never mail an address again, even if it is added or imported")
    _add_address(parser)
    parser.add_argument("--reason", choices=REASONS, default="operator", help="why (default: operator)")
    parser.add_argument("--lift", action="store_true", help="let the person sign up again; it subscribes nobody")

    parser = group.add("erase", erase, "delete everything stored about a person (GDPR, article 17)")
    _add_address(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")

    subscriber_files.add_commands(group)
    group.describe()


def _add_address(parser: ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="email address of the person")


def _add_add(group: Commands) -> None:
    parser = group.add("add", add, "add a subscriber: ask for confirmation by mail, or state a lawful basis")
    _add_address(parser)
    parser.add_argument("--basis", choices=BASES, metavar="BASIS", help=f"{BASIS_HELP} (default: send a confirmation)")
    parser.add_argument("--collected", type=date_argument, metavar="DATE", help="when they agreed (default: today)")
    parser.add_argument("--name", default="", metavar="NAME", help="name of the person")
    text = f"topics, separated by commas: {', '.join(TOPICS)} (default: all)"
    parser.add_argument("--topics", default=",".join(TOPICS), metavar="TOPICS", help=text)
    parser.add_argument("--frequency", choices=FREQUENCIES, default="every", help="how often (default: every edition)")
    parser.add_argument("--form", metavar="FORM", help="the sign-up form to confirm (default: that of [signup])")
    parser.add_argument("--note", default="", metavar="TEXT", help="how they agreed, for the history")


def list_subscribers(options: Namespace, clock: Clock) -> int:
    """List subscribers, however many there are, a few in memory at a time."""
    now = clock()
    with load_app(options) as app:
        subscribers = app.store().subscribers.iterate(
            now, states=getattr(options, "state", []), search=getattr(options, "search", "")
        )
        zone = app.calendar.zone
        if options.json:
            _print_array(_list_json(subscriber, now) for subscriber in subscribers)
            return 0
        is_empty = True
        for subscriber in subscribers:
            is_empty = False
            since = format_day(subscriber.confirmed_at or subscriber.created_at, zone)
            print(f"{subscriber.display_state(now):<11}  {since:>15}  {subscriber.address}{_choices(subscriber)}")
    if is_empty:
        print("no subscribers: add one with `pipeline subscribers add ADDRESS`")
    return 0


def _choices(subscriber: Subscriber) -> str:
    """Return what a subscriber wants in parentheses; "" if that is every edition whole."""
    topics, frequency = subscriber.preferences.topics, subscriber.preferences.frequency
    choices = [*(topics if topics != TOPICS else ()), *([frequency] if frequency != "every" else [])]
    return f"  ({', '.join(choices)})" if choices else ""


def _list_json(subscriber: Subscriber, now: datetime) -> dict[str, Any]:
    since = subscriber.confirmed_at or subscriber.created_at
    return {
        "address": subscriber.address,
        "state": subscriber.display_state(now),
        "topics": subscriber.preferences.topics,
        "since": since.isoformat().replace("+00:00", "Z"),
    }


def _print_array(objects: Iterator[dict[str, Any]]) -> None:
    """Print objects as one JSON array, a line each."""
    start = "["
    for value in objects:
        print(start, json.dumps(value, ensure_ascii=False), sep="\n", end="")
        start = ","
    print("[]" if start == "[" else "\n]")


def show(options: Namespace, clock: Clock) -> int:
    """Show all that is known of a person, or print the consent receipt."""
    from pipeline.audience.person_data import person_json
    from pipeline.jobs.audience.person import load_person

    with _people(options, clock) as people:
        if options.receipt:
            return _write_receipt(options, people)
        data = load_person(people.context, options.address)
    if options.json:
        output.print_json(person_json(data, people.now))
        return 0
    from pipeline.audience.receipt import event_line, person_facts

    print(data.address)
    for line in output.table([(f"{label}:", value) for label, value in person_facts(data, people.now)], "  "):
        print(line)
    for event in data.history:
        print(event_line(event))
    return 0


def _write_receipt(options: Namespace, people: _People) -> int:
    from pipeline.jobs.audience.person import receipt_document
    from pipeline.jobs.maintenance.atomic_file import atomic_file

    as_html = options.receipt.suffix.lower() in (".html", ".htm")
    document = receipt_document(people.context, options.address, as_html=as_html, now=people.now)
    if options.receipt == STDOUT:
        print(document, end="")
        return 0
    with atomic_file(options.receipt, overwrite=options.force) as path:
        path.write_text(document, encoding="utf-8")
    people.print(output.relative_path(options.receipt))
    return 0


def add(options: Namespace, clock: Clock) -> int:
    """Add a subscriber with a lawful basis, or ask for confirmation."""
    from pipeline.audience.subscription import make_preferences
    from pipeline.jobs.audience.subscriptions import Subscriptions

    topics = options.topics.replace(",", " ").split()
    if unknown := set(topics) - set(TOPICS):
        raise UsageError(f"there is no topic {min(unknown)!r}; the topics are {', '.join(TOPICS)}.")
    preferences = make_preferences(options.name, topics, options.frequency)
    with _people(options, clock) as people:
        if options.basis is None:
            return _invite(options, people, preferences)
        today = people.now.astimezone(people.app.calendar.zone).date()
        if options.collected and options.collected > today:
            raise UsageError(f"--collected {options.collected} is in the future: state when they agreed.")
        is_new = Subscriptions(people.context).add(
            options.address,
            preferences,
            basis=options.basis,
            collected_on=options.collected or today,
            now=people.now,
            actor=people.actor,
            note=options.note,
        )
    people.print(f"{options.address}: {'added' if is_new else 'is a subscriber already, nothing was changed'}")
    return 0


def _invite(options: Namespace, people: _People, preferences: Preferences) -> int:
    from pipeline.app.audience import build_sign_up
    from pipeline.config.public import DEFAULT_FORM

    if not people.context.public_url:
        raise RefusedError(
            "a confirmation needs the pages for subscribers, and [public] url is not set: set it, or state the lawful "
            "basis with --basis."
        )
    is_queued = build_sign_up(people.app, people.context).invite(
        options.address,
        preferences,
        form_id=options.form or DEFAULT_FORM,
        actor=people.actor,
        now=people.now,
        note=options.note,
    )
    result = "will get a mail with a link to confirm" if is_queued else "is subscribed, or was asked within a week"
    people.print(f"{options.address}: {result}")
    return 0


def suppress(options: Namespace, clock: Clock) -> int:
    """Suppress an address, or lift that."""
    from pipeline.jobs.audience.subscriptions import Subscriptions

    with _people(options, clock) as people:
        jobs = Subscriptions(people.context)
        if options.lift:
            jobs.lift_suppression(options.address, actor=people.actor, now=people.now)
            people.print(f"{options.address}: may sign up again")
        else:
            jobs.suppress(options.address, options.reason, actor=people.actor, now=people.now)
            people.print(f"{options.address}: will never get mail")
    return 0


def erase(options: Namespace, clock: Clock) -> int:
    """Delete everything stored about a person, once the address was typed again."""
    from pipeline.audience.addresses import address_key
    from pipeline.jobs.audience.subscriptions import Subscriptions

    with _people(options, clock) as people:
        jobs = Subscriptions(people.context)
        subscriber = jobs.find(options.address)
        if not options.yes:
            prompt = f"Everything stored about {subscriber.address} will be deleted for ever. Type the address: "
            if address_key(_ask(prompt)) != address_key(subscriber.address):
                raise RefusedError("that is not the address: nothing was deleted.")
        jobs.erase(subscriber.address, actor=people.actor, now=people.now)
    people.print("erased; only a keyed hash is left, which keeps imports from adding the address again")
    return 0


def _ask(prompt: str) -> str:
    """Return a line that is typed after a prompt on stderr."""
    print(prompt, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """The jobs of people for one command."""

    app: App
    context: AudienceContext
    actor: str
    now: datetime
    quiet: bool

    def print(self, line: str) -> None:
        if not self.quiet:
            print(line)


@contextmanager
def _people(options: Namespace, clock: Clock) -> Iterator[_People]:
    from pipeline.app import user_name
    from pipeline.app.audience import build_audience_context

    with load_app(options) as app:
        context = build_audience_context(app)
        yield _People(app=app, context=context, actor=user_name(), now=clock(), quiet=options.quiet)
