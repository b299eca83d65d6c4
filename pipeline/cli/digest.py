"""``pipeline digest``, ``preview`` and ``check``."""

from __future__ import annotations

from argparse import ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import Commands, add_week, load_app, parse_week
from pipeline.cli.editions import rebuild
from pipeline.cli.fetch import exit_code, refresh_feeds
from pipeline.text.format import pluralize

if TYPE_CHECKING:
    from pipeline.jobs.digests.build import WrittenDigest
    from pipeline.model.check import CheckLevel, CheckLine, CheckResult
    from pipeline.model.digest import Decision, Edition
    from pipeline.model.schedule import Clock
    from pipeline.store import Store

HEADINGS: dict[CheckLevel, str] = {
    "error": "Errors, which prevent approval",
    "warning": "Warnings",
    "hint": "Hints",
}


def add_commands(commands: Commands) -> None:
    """Add digest, preview and check."""
    parser = commands.add("digest", digest, "fetch what is due and write the newsletter of a week", json=True)
    add_week(parser, default="last")
    parser.add_argument("--offline", action="store_true", help="fetch nothing, use what is stored")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write to (default: editions/ beside config.toml)"
    )
    parser.add_argument(
        "--explain", action="store_true", help="print every entry, why it is in or not, and what its text is"
    )
    parser.add_argument(
        "--rebuild", action="store_true", help="rebuild a sealed edition, compare it with the original, write nothing"
    )
    parser.add_argument("--open", action="store_true", help="open the newsletter in the browser")

    parser = commands.add("preview", preview, "open the desk: preview, edit, approve and send in the browser")
    add_week(parser, default_help="the newest with entries")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; any but the default adds a token to the URL (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=_port, default=8025, metavar="N", help="port to listen on (default: 8025)")
    parser.add_argument("--open", action=BooleanOptionalAction, default=True, help="open the browser (default: yes)")

    parser = commands.add("check", check, "check a newsletter before it is sent", json=True)
    add_week(parser, default="last")
    parser.add_argument("--offline", action="store_true", help="do not check links and images")


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ArgumentTypeError(f"{port} is not a port: use a number from 0 to 65535")
    return port


def digest(options: Namespace, clock: Clock) -> int:
    """Fetch what is due and write a week's digest, or compare a sealed one with --rebuild."""
    if options.rebuild:
        return rebuild(options, clock)
    from pipeline.app.digests import build_digest_context
    from pipeline.jobs.digests.build import write_digest
    from pipeline.jobs.digests.context import no_enrichment
    from pipeline.jobs.digests.selection import explain_decisions

    with load_app(options) as app:
        now = clock()
        week = parse_week(options.week, app.calendar, now)
        context, folder = build_digest_context(app), options.out or app.editions_folder
        context = replace(context, enrich=no_enrichment) if options.offline else context
        reports = () if options.offline else refresh_feeds(app, options, now)
        try:
            written = write_digest(app.store(), context, week, folder, now=now)
        finally:
            decisions = explain_decisions(app.store(), context, week, now=now) if options.explain else ()
            if not options.json:
                for line in output.decision_lines(decisions):
                    print(line)
                if options.explain:
                    _print_omissions(app.store(), context.feed_ids)
        _print_digest(written, decisions, options, app.calendar.zone)
    if options.open:
        import webbrowser

        webbrowser.open(written.paths[0].absolute().as_uri())
    return exit_code(reports)


def _print_omissions(store: Store, feed_ids: Collection[str]) -> None:
    """Print a line for each feed whose document has more entries than are read."""
    for feed_id, state in store.feeds.states().items():
        if feed_id in feed_ids and state.channel.omission:
            print(f"{feed_id} {state.channel.omission}")


def _print_digest(written: WrittenDigest, decisions: Sequence[Decision], options: Namespace, zone: tzinfo) -> None:
    edition = written.edition
    if options.json:
        values: dict[str, object] = {
            "edition": edition.week,
            "number": edition.number,
            "state": edition.state,
            "subject": edition.subject,
            "content_hash": edition.content_hash,
            "changed_since_approval": edition.changes,
            "variants": [variant.name for variant in edition.variants],
            "paths": [str(path) for path in written.paths],
        }
        if decisions:
            values["decisions"] = [asdict(decision) for decision in decisions]
        output.print_json(values)
    elif not options.quiet:
        print(f"{edition.week}: “{edition.subject}”")
        for line in output.edition_status_lines(written.record, edition.changes, zone):
            print(line)
        for variant in edition.variants:
            print(f"{variant.name}, for {pluralize(variant.subscribers, 'subscriber')}: “{variant.subject}”")
        for path in written.paths:
            print(output.relative_path(path))
        if written.editor_file:
            print(f"Edit this file: {output.relative_path(written.editor_file)}")


def preview(options: Namespace, clock: Clock) -> int:
    """Serve the desk until stopped."""
    from pipeline.web.desk.publication import LivePublication
    from pipeline.web.desk.services import create_desk, default_week
    from pipeline.web.pages import serve_preview

    with LivePublication(options.config, clock) as publication:
        desk = create_desk(publication)
        calendar = publication.current_app().calendar
        week = str(parse_week(options.week, calendar, clock())) if options.week else default_week(desk.editions.weeks())
        serve_preview(desk, week=week, host=options.host, port=options.port, open_browser=options.open)
    return 0


def check(options: Namespace, clock: Clock) -> int:
    """Check a week's edition and print the results, the worst first; the exit code is 4 if there are errors."""
    from pipeline.app.digests import build_digest_context
    from pipeline.jobs.digests.build import current_edition
    from pipeline.jobs.editions.check_links import check_and_save_links, check_results
    from pipeline.model.check import blocking_results
    from pipeline.model.errors import RefusedError

    with load_app(options) as app:
        now = clock()
        week = parse_week(options.week, app.calendar, now)
        edition = current_edition(app.store(), build_digest_context(app), week, now=now)
        links = None if options.offline else check_and_save_links(app.store(), edition, app.link_fetcher, now=now)
        results = check_results(edition, links)
    if options.json:
        checks = [asdict(result) for result in results]
        output.print_json({"edition": edition.week, "offline": options.offline, "checks": checks})
    else:
        _print_results(edition, results, offline=options.offline, quiet=options.quiet)
    return RefusedError.exit_code if blocking_results(results) else 0


def _print_results(edition: Edition, results: Sequence[CheckResult], *, offline: bool, quiet: bool) -> None:
    """Print results under the headings of their levels, like ones on one line; only errors if ``quiet``."""
    from pipeline.model.check import check_lines

    if not quiet:
        print(f"{edition.week}: “{edition.subject}”")
    for level, heading in HEADINGS.items():
        rows = [_line_row(line) for line in check_lines(results) if line.level == level]
        if rows and (level == "error" or not quiet):
            print(heading)
            for row in output.table(rows, "  "):
                print(row)
    if not quiet:
        counts = (pluralize(sum(result.level == level for result in results), level) for level in HEADINGS)
        print(f"{', '.join(counts)}.{' Links and images were not checked (--offline).' if offline else ''}")


def _line_row(line: CheckLine) -> tuple[str, str]:
    """Return what is printed of results that say the same: the check, then where they are and the sentence."""
    locations = "; ".join(line.locations)
    return line.name, f"{locations}: {line.message}" if locations else line.message
