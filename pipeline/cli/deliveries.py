"""``pipeline deliveries``, and sending an edition to subscribers for ``pipeline send``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Literal

from pipeline.cli import output
from pipeline.cli.arguments import SOME_FAILED, Commands, add_week, load_app, parse_week
from pipeline.text.format import format_datetime, pluralize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.app import App
    from pipeline.jobs.deliveries.dispatch import Dispatcher
    from pipeline.jobs.deliveries.limits import SendProgress
    from pipeline.jobs.deliveries.recipients import PlannedDelivery
    from pipeline.jobs.deliveries.sender import SendResult
    from pipeline.model.delivery import Delivery, DeliveryState, Dispatch
    from pipeline.model.schedule import Clock
    from pipeline.model.week import Week
    from pipeline.store import Store

Recipients = Literal["all", "joined", "correction"]
"""To whom: everybody who wants the edition; those who joined since; or its correction to those who got it."""
PATIENCE = timedelta(minutes=1)
"""How long `pipeline send` waits by itself: for more, the daemon or a later call goes on."""


def add_commands(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("deliveries", deliveries, "list who got an edition; pause, resume or cancel sending it")
    add_week(parser)
    for state in ("failed", "uncertain"):
        parser.add_argument(f"--{state}", action="store_true", help=f"only the {state} deliveries")
    parser.add_argument("--address", default="", metavar="ADDRESS", help="only the deliveries to ADDRESS")
    parser.add_argument("--links", action="store_true", help="how often each link was followed, if that is counted")
    parser.add_argument(
        "--correction", type=int, metavar="N", help="only the deliveries of correction N; 0: only those of the edition"
    )
    actions = parser.add_mutually_exclusive_group()
    actions.add_argument(
        "--retry",
        action="store_true",
        help="with --failed or --uncertain: send them again, perhaps twice",
    )
    actions.add_argument("--accept", action="store_true", help="with --uncertain: count them as sent")
    actions.add_argument("--pause", action="store_true", help="pause sending; nothing is lost")
    actions.add_argument("--resume", action="store_true", help="go on with a paused send")
    actions.add_argument("--cancel", action="store_true", help="end sending: those who have nothing yet get nothing")
    parser.add_argument("--by", default="", metavar="NAME", help="who decides (default: your login name)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def deliveries(options: Namespace, clock: Clock) -> int:
    """List the deliveries of an edition, or act on them."""
    from pipeline.app import user_name
    from pipeline.app.deliveries import build_dispatcher

    with load_app(options) as app:
        week = parse_week(options.week, app.calendar, clock())
        dispatcher = build_dispatcher(app, options.by or user_name())
        dispatcher.require((str(week), 0))
        if options.retry or options.accept:
            return _settle(options, dispatcher, week, clock)
        key = next((dispatch.key for dispatch in dispatcher.open_dispatches(week)), (str(week), 0))
        if options.pause:
            dispatcher.pause(key, clock(), note="paused by hand")
        elif options.resume:
            dispatcher.resume(key, clock())
        elif options.cancel:
            dispatcher.cancel(key, clock())
        elif options.links:
            return _list_links(dispatcher.workflow.store, str(week), as_json=options.json)
        else:
            return _list(options, app, app.store().dispatches.of_week(str(week)))
        if not options.quiet:
            print(_in_words(dispatcher.require(key)))
    return 0


def _settle(options: Namespace, dispatcher: Dispatcher, week: Week, clock: Clock) -> int:
    from pipeline.model.errors import UsageError

    if options.failed == options.uncertain or (options.accept and options.failed):
        raise UsageError("name the deliveries: --uncertain --accept, --uncertain --retry or --failed --retry.")
    chosen = {"address": options.address, "correction": options.correction}
    if options.failed:
        number = dispatcher.retry_failed(week, clock(), **chosen)
    else:
        number = dispatcher.settle_uncertain(week, accept=options.accept, now=clock(), **chosen)
    if not options.quiet:
        what = "counted as sent" if options.accept else "queued again"
        print(f"{week}: {pluralize(number, 'delivery', 'deliveries')} {what}")
        for dispatch in dispatcher.open_dispatches(week) if number and options.retry else ():
            print(f"Next: {_command(dispatch)}")
    return 0


def _list(options: Namespace, app: App, dispatches: list[Dispatch]) -> int:
    from pipeline.model.errors import RefusedError

    if options.correction not in (None, *(dispatch.correction for dispatch in dispatches)):
        raise RefusedError(f"No correction {options.correction} of {dispatches[0].week} was sent to subscribers.")
    states: list[DeliveryState] = []
    if options.failed:
        states.append("failed")
    if options.uncertain:
        states.append("uncertain")
    rows = (
        one
        for one in app.store().deliveries.iterate(dispatches[0].week, states=states)
        if options.address.casefold() in ("", one.address.casefold()) and options.correction in (None, one.correction)
    )
    if options.json:
        output.print_json(
            [
                {
                    "address": one.address,
                    "state": one.state,
                    "reply": one.reply,
                    "reason": one.reason,
                    "variant": one.variant,
                    "correction": one.correction,
                    "attempts": one.attempts,
                    "due_at": one.due_at if one.state == "queued" else None,
                    "changed_at": one.changed_at,
                }
                for one in rows
            ]
        )
        return 0
    for dispatch in dispatches:
        print(_in_words(dispatch))
    if clicks := sum(app.store().clicks.counts(dispatches[0].week).values()):
        print(f"{pluralize(clicks, 'click')} on its links: --links lists them")
    for line in output.table([_row(one, app.calendar.zone) for one in rows], indent="  "):
        print(line)
    return 0


def _list_links(store: Store, week: str, *, as_json: bool) -> int:
    from pipeline.jobs.deliveries.numbers import load_link_clicks

    links = load_link_clicks(store, week)
    if as_json:
        output.print_json([{"url": one.url, "title": one.title, "clicks": one.clicks} for one in links])
        return 0
    clicks, dispatch = sum(one.clicks for one in links), store.dispatches.get(week)
    if not links or not dispatch:
        print(f"Clicks on the links of {week} are not counted ([delivery] count_links).")
        return 0
    print(f"{week}: {pluralize(clicks, 'click')} on {pluralize(len(links), 'link')}; {dispatch.in_words()}")
    for line in output.table([(f"{one.clicks:,}", one.title, one.url) for one in links if one.clicks], indent="  "):
        print(line)
    return 0


def _row(one: Delivery, zone: tzinfo) -> tuple[str, str, str, str]:
    state = f"{one.state}, correction {one.correction}" if one.correction else one.state
    why = ": ".join(text for text in (one.reason, one.reply) if text)
    return one.address or "(erased)", state, format_datetime(one.changed_at, zone), why


def _in_words(dispatch: Dispatch) -> str:
    state = {"running": "is being sent", "paused": "is paused", "cancelled": "was cancelled", "finished": "is sent"}
    note = f" ({dispatch.note})" if dispatch.note else ""
    return f"{dispatch.name} {state[dispatch.state]}{note}: {dispatch.in_words()}"


def print_plan(plan: Iterable[PlannedDelivery], name: str, *, as_json: bool, verbose: bool) -> None:
    """Print who would get which variant, and how many get nothing for which reason."""
    if as_json:
        output.print_json(
            [{"address": one.subscriber.address, "variant": one.variant, "reason": one.reason} for one in plan]
        )
        return
    variants: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in plan:
        (variants if one.variant else reasons)[one.variant or one.reason] += 1
        if verbose:
            print(f"  {one.subscriber.address}  {one.variant or f'nothing: {one.reason}'}")
    print(f"{name} would go to {pluralize(variants.total(), 'subscriber')}; nothing is sent now.")
    rows = [(f"{number:,}", name) for name, number in sorted(variants.items())]
    rows += [(f"{number:,}", f"nothing: {reason}") for reason, number in sorted(reasons.items())]
    for line in output.table(rows, indent="  "):
        print(line)


def send_to_subscribers(app: App, week: Week, actor: str, clock: Clock, *, quiet: bool, to: Recipients) -> int:
    """Send an edition or its correction to subscribers, and return the exit code."""
    from pipeline.app.deliveries import build_deliverer

    with _progress(quiet=quiet) as on_progress:
        deliverer = build_deliverer(app, actor, clock, on_progress=on_progress)
        dispatcher, now = deliverer.dispatcher, clock()
        starts = {
            "all": dispatcher.start,
            "joined": dispatcher.add_joined,
            "correction": dispatcher.start_correction,
        }
        dispatch = starts[to](week, now)
        if not quiet:
            number = pluralize(dispatch.unfinished, "delivery", "deliveries")
            print(f"{dispatch.name}: {number} to send through {dispatcher.backend_name}", flush=True)
        result = deliverer.run(dispatch.key, patience=PATIENCE)
    dispatch = dispatcher.require(dispatch.key)
    if not quiet:
        print(_in_words(dispatch))
    for line in _what_next(dispatch, result, app.calendar.zone):
        print(line, file=sys.stderr)
    return SOME_FAILED if dispatch.failed or dispatch.counts.get("uncertain") or dispatch.unfinished else 0


def _what_next(dispatch: Dispatch, result: SendResult, zone: tzinfo) -> Iterator[str]:
    """Yield what a person may have to do now, a sentence each."""
    week = dispatch.week
    if result.until:
        at = format_datetime(result.until, zone)
        yield f"{result.reason[0].upper()}{result.reason[1:]}. It goes on {at}: the daemon does that by itself, or run"
        yield f"`{_command(dispatch)}` then."
    if dispatch.failed:
        number = pluralize(dispatch.failed, "delivery", "deliveries")
        yield f"{number} failed: `pipeline deliveries {week} --failed` says why."
    if uncertain := dispatch.counts.get("uncertain"):
        yield (
            f"{pluralize(uncertain, 'delivery is', 'deliveries are')} uncertain: `pipeline deliveries {week} "
            "--uncertain` lists them; add --accept or --retry to decide."
        )
    if result.state == "busy":
        yield f"Another process is sending {dispatch.name}."
    if dispatch.state == "paused":
        yield f"When the cause is fixed, run `pipeline deliveries {week} --resume`, then `{_command(dispatch)}`."


def _command(dispatch: Dispatch) -> str:
    """Return the command that sends what a dispatch has left."""
    return f"pipeline send {dispatch.week}" + (" --correction" if dispatch.correction else "")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[SendProgress], None]]:
    """Yield a function that shows how far sending has come; it does nothing where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("deliveries", total=None, rate="")

        def show(progress: SendProgress) -> None:
            speed = bar.tasks[0].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            bar.update(task, total=progress.total, completed=progress.done, rate=rate)

        yield show
