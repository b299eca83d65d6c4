"""The life of an edition: ``pipeline approve``, ``hold``, ``resume``, ``skip``, ``send``, ``proof``, and rebuilding."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import Command, Commands, add_week, load_app, parse_week

if TYPE_CHECKING:
    from pipeline.app import App
    from pipeline.cli.deliveries import Recipients
    from pipeline.jobs.editions.workflow import EditionWorkflow
    from pipeline.model.edition import EditionRecord
    from pipeline.model.schedule import Clock
    from pipeline.model.week import Week

PLACEHOLDERS_NOTE = (
    "Note: the links with #zzUnsubscribezz, #zzPreferenceszz and #zzBrowserzz are placeholders for those of your mail "
    "service (docs/handover.md)."
)


def add_commands(commands: Commands) -> None:
    """Add the commands for editions."""
    parser = _add(commands, "approve", approve, "seal the edition of a week: these bytes are sent, and no others")
    parser.add_argument(
        "--hash", default="", metavar="HASH", help="only if its content_hash (in manifest.json) begins with HASH"
    )
    _add_check_options(parser)
    _add(commands, "hold", hold, "hold an edition; its entries carry over to the next digest")
    _add(commands, "resume", resume, "resume a held or skipped edition, with those of its entries that are still free")
    _add(commands, "skip", skip, "publish no edition for a week; its entries carry over to the next digest")
    parser = _add(commands, "send", send, "send an approved edition, or finish a send that was interrupted")
    parser.add_argument(
        "--correction", action="store_true", help="send the correction of a sent edition, to those who got that"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--test", metavar="ADDRESS", help="only send a test copy to ADDRESS; also works for a draft")
    instead.add_argument(
        "--dry-run", action="store_true", help="send nothing: say who would get which variant, and why others do not"
    )
    instead.add_argument(
        "--joined-since", action="store_true", help="send a sent edition to those who have subscribed since, too"
    )
    parser.add_argument("--json", action="store_true", help="with --dry-run: print JSON")
    instead.add_argument(
        "--handed-over", action="store_true", help="send nothing: mark the edition as sent by another service"
    )
    parser = _add(commands, "correct", correct, "make a correction of a sent edition; `send --correction` sends it")
    note = parser.add_mutually_exclusive_group()
    note.add_argument(
        "--message", default="", metavar="TEXT", help="what was wrong, as Markdown: subscribers read it first"
    )
    note.add_argument("--file", type=Path, metavar="FILE", help="the same in a file")
    note.add_argument("--discard", action="store_true", help="delete the correction that is not sent")
    _add_check_options(parser)
    add_week(commands.add("proof", proof, "send the editor a proof of a week's draft, with check results and buttons"))


def _add(commands: Commands, name: str, run: Command, summary: str) -> ArgumentParser:
    parser = commands.add(name, run, summary)
    add_week(parser)
    parser.add_argument("--by", default="", metavar="NAME", help="who decides (default: your login name)")
    return parser


def _add_check_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--override",
        action="append",
        default=[],
        metavar="NAME",
        help="ignore errors of this check (may be repeated)",
    )
    parser.add_argument(
        "--offline", action="store_true", help="do not check links and images again; stored results still count"
    )


def approve(options: Namespace, clock: Clock) -> int:
    """Seal a week's edition."""
    from pipeline.jobs.digests.files import read_draft_manifest

    with _action(options, clock) as action:
        week, workflow, manifest = action.week, action.workflow, b""
        if not options.hash:
            workflow.require_reviewed(week, now=action.now)
            manifest = read_draft_manifest(action.app.editions_folder / str(week))
        if not options.offline:
            workflow = replace(workflow, open_link_fetcher=action.app.link_fetcher)
        record = workflow.approve(
            week,
            now=action.now,
            content_hash=options.hash,
            reviewed_manifest=manifest,
            overridden=options.override,
        )
        action.report(record, f"approved, with hash {record.content_hash[:12]}", then="send")
    return 0


def hold(options: Namespace, clock: Clock) -> int:
    """Hold an edition."""
    with _action(options, clock) as action:
        record = action.workflow.hold(action.week, now=action.now)
        action.report(record, f"held; {record.note or 'its entries carry over to the next digest'}", then="resume")
    return 0


def resume(options: Namespace, clock: Clock) -> int:
    """Resume a held or skipped edition."""
    with _action(options, clock) as action:
        record = action.workflow.resume(action.week, now=action.now)
        if record.state == "approved":
            action.report(record, "approved, as before", then="send")
        else:
            action.report(record, "a draft again, with its entries that are still free", then="approve")
    return 0


def skip(options: Namespace, clock: Clock) -> int:
    """Publish no edition for a week."""
    with _action(options, clock) as action:
        record = action.workflow.skip(action.week, now=action.now)
        action.report(record, f"skipped; {record.note or 'its entries carry over to the next digest'}")
        action.print(f"To undo this: pipeline resume {action.week}")
    return 0


def send(options: Namespace, clock: Clock) -> int:
    """Send an edition or a test copy of it, or record that it was sent elsewhere."""
    from pipeline.app.deliveries import build_dispatcher, delivers
    from pipeline.cli.deliveries import print_plan, send_to_subscribers
    from pipeline.jobs.editions import send as sending
    from pipeline.model.errors import UsageError

    if options.correction and (options.joined_since or options.handed_over):
        raise UsageError("--correction goes with --test or --dry-run, or without another option.")
    with _action(options, clock) as action:
        app, week = action.app, action.week
        if options.test:
            _send_test(action, options.test, correction=options.correction)
            return 0
        action.workflow.require_draft(week, now=action.now)
        if options.dry_run:
            dispatcher = build_dispatcher(app, action.workflow.actor)
            plan = (dispatcher.plan_correction if options.correction else dispatcher.plan)(week, clock())
            name = f"The correction of {week}" if options.correction else str(week)
            print_plan(plan, name, as_json=options.json, verbose=options.verbose)
        elif options.handed_over:
            record = sending.mark_sent_elsewhere(action.workflow, week, now=action.now)
            action.report(record, "marked as sent by another service")
            action.print(PLACEHOLDERS_NOTE)
        elif delivers(app) or options.joined_since:
            actor, quiet = action.workflow.actor, options.quiet
            to: Recipients = "joined" if options.joined_since else "correction" if options.correction else "all"
            return send_to_subscribers(app, week, actor, clock, quiet=quiet, to=to)
        else:
            _send_to_outbox(action, correction=options.correction)
    return 0


def _send_test(action: _Action, address: str, *, correction: bool) -> None:
    from pipeline.app.delivery import build_mailer
    from pipeline.jobs.editions.corrections import send_test_correction
    from pipeline.jobs.editions.send import send_test

    mailer, send_copy = build_mailer(action.app), send_test_correction if correction else send_test
    path = send_copy(action.workflow, mailer, action.week, address, now=action.now)
    action.print(f"{action.week}: a test copy for {address} was {mailer.outcome}")
    if path:
        action.print(output.relative_path(path))


def correct(options: Namespace, clock: Clock) -> int:
    """Make a correction of a sent edition, or discard the one that is not sent."""
    from pipeline.jobs.digests.build import write_sealed
    from pipeline.jobs.digests.files import correction_folder
    from pipeline.jobs.editions.corrections import discard_correction, make_correction

    with _action(options, clock) as action:
        app, week, workflow = action.app, action.week, action.workflow
        if options.discard:
            correction = discard_correction(workflow, week, app.editions_folder)
            action.print(f"{week}: correction {correction.number} was discarded; nothing was sent")
            return 0
        if not options.offline:
            workflow = replace(workflow, open_link_fetcher=app.link_fetcher)
        text = _read_note(options.file) if options.file else options.message
        correction = make_correction(workflow, week, text, now=action.now, overridden=options.override)
        write_sealed(app.store(), workflow.context, week, app.editions_folder, now=action.now)
        action.print(f"{week}: correction {correction.number} is sealed, with hash {correction.content_hash[:12]}")
        action.print(output.relative_path(correction_folder(app.editions_folder, *correction.key)))
        action.print(f"Next: pipeline send {week} --correction --test ADDRESS, then pipeline send {week} --correction")
    return 0


def _read_note(file: Path) -> str:
    from pipeline.model.errors import UsageError

    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as a UTF-8 text file: name another file.") from error


def _send_to_outbox(action: _Action, *, correction: bool) -> None:
    from pipeline.app.delivery import build_recovery
    from pipeline.jobs.editions.corrections import send_correction
    from pipeline.jobs.editions.send import send

    recovery, week, now = build_recovery(action.app), action.week, action.now
    if correction:
        sent, sent_path = send_correction(action.workflow, recovery, week, now=now)
        action.report(action.workflow.store.editions.get(str(week)), f"correction {sent.number} {sent.note}")
    else:
        record, sent_path = send(action.workflow, recovery, week, now=now)
        action.report(record, recovery.backend.outcome)
    action.print(output.relative_path(sent_path))
    action.print(PLACEHOLDERS_NOTE)


def proof(options: Namespace, clock: Clock) -> int:
    """Send the editor a proof, whether or not one is due."""
    from pipeline.app.delivery import build_proof_sender

    with _action(options, clock) as action:
        action.print(build_proof_sender(action.app).send(action.week, now=action.now, resend=True))
    return 0


def rebuild(options: Namespace, clock: Clock) -> int:
    """Rebuild a sealed edition and compare it; the exit code is 4 if it differs. Nothing is written."""
    from pipeline.model.errors import RefusedError

    with _action(options, clock) as action:
        result = action.workflow.rebuild(action.week)
        if options.json:
            output.print_json({"edition": str(action.week), "parts": result.changed_files, "changes": result.changes})
        elif result.changed_files:
            files, changes = ", ".join(result.changed_files), "; ".join(result.changes)
            raise RefusedError(f"{action.week} would not be the same: {files} differ, because {changes}.")
        else:
            action.print(f"{action.week}: rebuilt from the store, the bytes are the same")
    return RefusedError.exit_code if result.changed_files else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Action:
    """One command applied to one week."""

    app: App
    workflow: EditionWorkflow
    week: Week
    now: datetime
    quiet: bool

    def print(self, line: str) -> None:
        if not self.quiet:
            print(line)

    def report(self, record: EditionRecord, result: str, *, then: str = "") -> None:
        """Update the files in editions/ and print the result, and the command to use next."""
        from pipeline.jobs.digests.build import write_sealed

        write_sealed(self.app.store(), self.workflow.context, self.week, self.app.editions_folder, now=self.now)
        number = f"Issue {record.number} " if record.number else ""
        self.print(f"{record.week}: {number}{result}")
        if then:
            self.print(f"Next: pipeline {then} {self.week}")


@contextmanager
def _action(options: Namespace, clock: Clock) -> Iterator[_Action]:
    from pipeline.app import user_name
    from pipeline.app.digests import build_digest_context
    from pipeline.jobs.editions.workflow import EditionWorkflow

    with load_app(options) as app:
        now = clock()
        actor = getattr(options, "by", "") or user_name()
        workflow = EditionWorkflow(store=app.store(), context=build_digest_context(app), actor=actor)
        week = parse_week(options.week, app.calendar, now)
        yield _Action(app=app, workflow=workflow, week=week, now=now, quiet=options.quiet)
