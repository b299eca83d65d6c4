"""What each command does: read its arguments, call one job, print what came of it.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
Jobs are imported inside the commands, and the modules of other commands when they are asked for, so that each command
pays for its own.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app import App, resources_folder
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.cli import output as words
from pipeline.cli.arguments import parse_week
from pipeline.model.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

    from pipeline.jobs.digests.build import WrittenDigest
    from pipeline.jobs.feeds.refresh import FeedReport
    from pipeline.model.digest import Decision
    from pipeline.model.schedule import Clock

SOME_FAILED = 3


def help_(options: Namespace, clock: Clock) -> int:
    """Say which version this is, or what there is to do."""
    from pipeline import __version__
    from pipeline.cli.parser import build_parser

    if options.version:
        print(f"pipeline {__version__}")
    else:
        build_parser().print_help()
    return 0 if options.version else UsageError.exit_code


def init(options: Namespace, clock: Clock) -> int:
    """Write something to start from."""
    from pipeline.jobs.maintenance.init import create_project

    written = create_project(options.folder, demo_from=resources_folder() if options.demo else None)
    if not options.quiet:
        for path in written:
            print(words.relative_path(path))
        inside = "" if options.folder == Path() else f"cd {options.folder} && "
        following = f"{inside}pipeline digest --week 2026-W07"
        if not options.demo:
            following = f"edit {words.relative_path(written[0])}, then: pipeline feeds add URL"
        print(f"Next: {following}")
    return 0


def fetch(options: Namespace, clock: Clock) -> int:
    """Read what is new."""
    with App.load(options.config) as app:
        reports = _refresh(app, options, clock(), options.feeds, force=options.force)
    if options.json:
        words.print_json([asdict(report) for report in reports])
    elif not options.quiet:
        print(words.feeds_summary(reports))
    return _exit_code(reports)


def digest(options: Namespace, clock: Clock) -> int:
    """Bring feeds up to date and write a week's digest, or compare a sealed one."""
    if options.rebuild:
        return load_command("digest --rebuild")(options, clock)
    from pipeline.jobs.digests.build import write_digest
    from pipeline.jobs.digests.context import no_enrichment
    from pipeline.jobs.digests.selection import explain_decisions

    with App.load(options.config) as app:
        now = clock()
        week = parse_week(options.week, app.calendar, now)
        press, out = build_digest_context(app), options.out or app.editions_folder
        press = replace(press, enrich=no_enrichment) if options.offline else press
        reports = () if options.offline else _refresh(app, options, now)
        try:
            made = write_digest(app.store, press, week, out, now=now)
        finally:
            ledger = explain_decisions(app.store, press, week, now=now) if options.explain else ()
            if not options.json:
                for line in words.decision_lines(ledger):
                    print(line)
        _show_made(made, ledger, options, app.calendar.zone)
    if options.open:
        import webbrowser

        webbrowser.open(made.paths[0].absolute().as_uri())
    return _exit_code(reports)


def _show_made(made: WrittenDigest, ledger: tuple[Decision, ...], options: Namespace, zone: tzinfo) -> None:
    edition = made.edition
    if options.json:
        said: dict[str, object] = {"edition": edition.week, "number": edition.number, "state": edition.state}
        said |= {
            "subject": edition.subject,
            "content_hash": edition.content_hash,
            "changed_since_approval": edition.changes,
        }
        said |= {"paths": [str(path) for path in made.paths]}
        words.print_json(said | ({"decisions": [asdict(each) for each in ledger]} if ledger else {}))
    elif not options.quiet:
        print(f"{edition.week}: “{edition.subject}”")
        for line in words.edition_status_lines(made.record, edition.changes, zone):
            print(line)
        for path in made.paths:
            print(words.relative_path(path))
        if made.editor_file:
            print(f"Yours to write in: {words.relative_path(made.editor_file)}")


def preview(options: Namespace, clock: Clock) -> int:
    """Serve the preview until stopped."""
    from pipeline.web.desk.publication import LivePublication
    from pipeline.web.desk.services import create_desk, default_week
    from pipeline.web.preview import serve_preview

    with LivePublication(options.config, clock) as publication:
        desk = create_desk(publication)
        calendar = publication.current_app().calendar
        week = str(parse_week(options.week, calendar, clock())) if options.week else default_week(desk.editions.weeks())
        serve_preview(desk, week=week, host=options.host, port=options.port, open_browser=options.open)
    return 0


def _refresh(
    app: App, options: Namespace, now: datetime, ids: tuple[str, ...] | list[str] = (), *, force: bool = False
) -> tuple[FeedReport, ...]:
    from pipeline.ingest import polling as poll

    feeds = app.select_feeds(ids)
    width = max(len(feed.id) for feed in feeds)
    due = poll.can_force if force else poll.can_fetch
    with words.feed_progress(len(feeds), width, quiet=options.quiet or options.json) as show:
        return build_refresher(app).refresh(feeds, now=now, is_due=due, on_report=show)


def _exit_code(reports: tuple[FeedReport, ...]) -> int:
    return 0 if all(report.ok for report in reports) else SOME_FAILED


COMMANDS = {
    "help": "commands.help_",
    "init": "commands.init",
    "fetch": "commands.fetch",
    "digest": "commands.digest",
    "digest --rebuild": "editions.rebuild",
    "check": "check.check",
    "preview": "commands.preview",
    "approve": "editions.approve",
    "hold": "editions.hold",
    "resume": "editions.resume",
    "skip": "editions.skip",
    "send": "editions.send",
    "proof": "editions.proof",
    "run": "daemon.run",
    "tick": "daemon.tick",
    "feeds list": "feeds.list_",
    "feeds check": "feeds.check",
    "feeds add": "feeds.add",
    "feeds remove": "feeds.remove",
    "feeds accept": "feeds.accept",
    "feeds import": "feeds.import_",
    "feeds export": "feeds.export",
    "links list": "links.list_",
    "links add": "links.add",
    "links remove": "links.remove",
    "backfill": "links.backfill",
    "status": "status.status",
    "notify": "notify.notify",
    "doctor": "status.doctor",
    "backup": "maintenance.backup",
    "restore": "maintenance.restore",
    "prune": "maintenance.prune",
    "export": "maintenance.export",
    "import": "maintenance.import_",
}
"""Which function of which module does a command."""


def load_command(name: str) -> Callable[[Namespace, Clock], int]:
    """Find what does a command; its module is loaded only now."""
    module, function = COMMANDS[name].split(".")
    done: Callable[[Namespace, Clock], int] = getattr(import_module(f"pipeline.cli.{module}"), function)
    return done
