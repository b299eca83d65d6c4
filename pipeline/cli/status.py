"""``pipeline status``, ``pipeline doctor`` and ``pipeline notify``."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import tzinfo
from itertools import groupby
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import SOME_FAILED, Commands, load_app
from pipeline.text.format import format_datetime, format_day, format_remaining, pluralize

if TYPE_CHECKING:
    from pipeline.jobs.monitoring.status import FeedStatus, Status
    from pipeline.model.digest import WeekSummary
    from pipeline.model.health import HealthResult
    from pipeline.model.schedule import Clock


def add_commands(commands: Commands) -> None:
    """Add status, doctor and notify."""
    commands.add("status", status, "show problems, feeds, weeks, the next runs and the last ones", json=True)
    parser = commands.add("doctor", doctor, "check the whole set-up and say how to fix what is wrong", json=True)
    parser.add_argument("--offline", action="store_true", help="skip the clock, the mail server and the domain")
    parser.add_argument(
        "--make-dkim-key", action="store_true", help="make the key that signs editions, and print its DNS record"
    )
    parser = commands.add("notify", notify, "send a test notification to every channel of [notify]")
    parser.add_argument("--test", action="store_true", required=True, help="send a test notification")


def status(options: Namespace, clock: Clock) -> int:
    """Print the status: first whether all is well."""
    from pipeline.app.deliveries import send_limits
    from pipeline.app.digests import build_digest_context
    from pipeline.app.tasks import build_tasks, next_runs
    from pipeline.jobs.monitoring.status_report import build_status_report

    with load_app(options) as app:
        now = clock()
        report = build_status_report(
            app.store(),
            app.feeds,
            app.calendar,
            lambda: build_digest_context(app),
            build_tasks(app),
            next_runs(app, now),
            now=now,
            limits=send_limits(app),
        )
    if options.json:
        output.print_json(asdict(report))
    elif not options.quiet:
        print_status(report, app.calendar.zone)
    else:
        for line in output.health_lines(report.problems):
            print(line)
    return 0


def print_status(status: Status, zone: tzinfo) -> None:
    """Print the status: whether all is well, problems, feeds, weeks, the next runs and the last ones."""
    if status.summary:
        print(status.summary)
    for line in output.health_lines(status.problems):
        print(f"  {line}")
    _print_feeds(status.feeds, zone)
    _print_weeks(status, zone)
    _print_table(
        "Next",
        [(run.task, format_datetime(run.at, zone), format_remaining(run.in_seconds)) for run in status.next_runs],
    )
    rows = []
    for run in status.last_runs:
        duration = "" if run.duration_seconds is None else f"{run.duration_seconds:,.0f} s"
        attempt = f" (attempt {run.attempts})" if run.attempts > 1 else ""
        rows.append((run.task, format_datetime(run.started_at, zone), duration, f"{run.status}{attempt}", run.message))
    _print_table("Last", rows)


def _print_table(heading: str, rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print(heading)
    for line in output.table(rows, "  "):
        print(line)


def _print_feeds(feeds: Sequence[FeedStatus], zone: tzinfo) -> None:
    print("Feeds")
    rows = [_feed_row(feed, zone) for feed in feeds]
    for feed, line in zip(feeds, output.table(rows, "  "), strict=True):
        print(line)
        for warning in feed.warnings:
            print(f"    {feed.feed.id} {warning.message}: {warning.fix}")


def _feed_row(status: FeedStatus, zone: tzinfo) -> tuple[str, ...]:
    from pipeline.model.fetch import NO_ADVICE

    feed, state, count = status.feed, status.state, status.count
    newest = f"newest {format_day(count.newest_at, zone)}" if count.entries else "nothing yet"
    last = output.last_read(state.read_at, zone)
    if state.failures:
        since = f", since {format_datetime(state.failing_since, zone)}" if state.failing_since else ""
        last = f"{state.message} ({pluralize(state.failures, 'time')} in a row{since})"
    elif state.outcome and state.outcome not in NO_ADVICE:
        last = f"{last}: {state.message}"
    if status.next_fetch_at:
        last = f"{last}, next {format_datetime(status.next_fetch_at, zone)}"
    return feed.id, feed.kind, pluralize(count.entries, "entry", "entries"), newest, last


def _print_weeks(status: Status, zone: tzinfo) -> None:
    print("Weeks")
    blockers = {edition.week: edition.blockers for edition in status.editions}
    rows = [_week_row(week, status, zone) for week in status.weeks]
    for week, line in zip(status.weeks, output.table(rows, "  "), strict=True):
        print(line)
        changes = status.changes.get(week.week, ())
        for change in changes:
            print(f"    {week.week} changed since approval: {change}")
        for blocker in blockers.get(week.week, ()):
            if blocker.message not in changes:
                print(f"    {blocker}")
    if not rows:
        print("  no entries yet: run `pipeline fetch`")


def _week_row(week: WeekSummary, status: Status, zone: tzinfo) -> tuple[str, ...]:
    counts = ((week.posts, "post"), (week.episodes, "episode"), (week.links, "link"))
    return week.week, *(pluralize(*count) for count in counts), _edition_cell(week, status, zone)


def _edition_cell(week: WeekSummary, status: Status, zone: tzinfo) -> str:
    record = status.records.get(week.week)
    if record and record.state != "draft":
        number = f"Issue {record.number} " if record.number else ""
        return number + output.describe_edition_status(record, zone)
    if week.state == "draft":
        drafted_at = status.drafted_at.get(week.week)
        return f"draft, written {format_datetime(drafted_at, zone)}" if drafted_at else "draft, not written yet"
    return week.state


def doctor(options: Namespace, clock: Clock) -> int:
    """Check the set-up and print the results; the exit code is 3 if something has to be fixed."""
    if options.make_dkim_key:
        return make_dkim_keys(options, clock)
    from pipeline.app.doctor import doctor_checks
    from pipeline.jobs.doctor import run_checks
    from pipeline.model.errors import ConfigError
    from pipeline.model.health import HealthResult, worst_level

    try:
        with load_app(options) as app:
            checks = doctor_checks(app, now=clock(), offline=options.offline)
            results = _print_results(run_checks(checks), options)
    except ConfigError as error:
        name = options.config.name
        unusable = [HealthResult(category="config", name=name, level="error", message=text) for text in error.problems]
        _print_results(unusable, options)
        return ConfigError.exit_code
    return SOME_FAILED if worst_level(results) == "error" else 0


def make_dkim_keys(options: Namespace, clock: Clock) -> int:
    """Make the keys that [delivery] names and that do not exist, and print the DNS record of each."""
    from pipeline.app.delivery import dkim_domain, dkim_key_settings, read_dkim_key
    from pipeline.jobs.doctor.dkim_keys import make_dkim_key

    with load_app(options) as app:
        proposed = ("dkim_key", f"s{clock():%Y%m}", "dkim.pem")
        configured = list(dkim_key_settings(app))
        for setting, selector, file in configured or [proposed]:
            is_new = make_dkim_key(app.folder / file, "rsa" if setting == "dkim_key" else "ed25519")
            key = read_dkim_key(app, setting, selector, file)
            print(f"{'Wrote' if is_new else 'There is'} {file}: keep it secret, and back it up.")
            print("Publish this TXT record (a zone file needs it in strings of at most 255 characters):")
            print(f"  {selector}._domainkey.{dkim_domain(app)}")
            print(f"  {key.dns_record}")
        if not configured:
            print("Then write this into config.toml:")
            print(f'  [delivery]\n  dkim_key = "{proposed[2]}"\n  dkim_selector = "{proposed[1]}"')
    print("`pipeline doctor` checks the record once it is published.")
    return 0


def _print_results(results: Iterable[HealthResult], options: Namespace) -> list[HealthResult]:
    """Print results by category, each as soon as it is there, and a summary; only problems with --quiet."""
    from pipeline.jobs.monitoring.status_report import summarize
    from pipeline.model.health import worst_level

    finished: list[HealthResult] = []
    if options.json:
        finished = list(results)
        output.print_json({"level": worst_level(finished), "results": [asdict(result) for result in finished]})
        return finished
    for category, grouped in groupby(results, key=lambda result: result.category):
        in_category = list(grouped)
        finished += in_category
        shown = [result for result in in_category if result.level != "ok" or not options.quiet]
        for line in (category.capitalize(), *(f"  {line}" for line in output.health_lines(shown))) if shown else ():
            print(line, flush=True)
    if not options.quiet:
        print(summarize(finished))
    return finished


def notify(options: Namespace, clock: Clock) -> int:
    """Send a test notification to every channel and print whether it arrived."""
    from pipeline.app.delivery import build_notifier
    from pipeline.model.alert import Alert
    from pipeline.model.errors import UsageError

    alert = Alert(
        key="test",
        subject="This is a test",
        text="Somebody ran `pipeline notify --test` to see whether alerts arrive. This one did: nothing is wrong.",
        raised_at=clock(),
        level="info",
    )
    with load_app(options) as app:
        results = build_notifier(app).send_test(alert)
    if not results:
        raise UsageError(
            f"there is no channel: set a command or a mail address under [notify] in {options.config}, "
            "or a mail server under [delivery]."
        )
    for channel, reply, error in results:
        if error:
            print(f"{channel}: {error}", file=sys.stderr)
        elif not options.quiet:
            print(f"{channel}: {reply or 'sent'}")
    return SOME_FAILED if any(error for _, _, error in results) else 0
