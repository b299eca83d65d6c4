"""The commands of an edition's life: approve, hold, resume, skip, send, and ``digest --rebuild``.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
"""

from __future__ import annotations

import getpass
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.app.delivery import build_backend, build_mailer, build_proof_sender
from pipeline.app.digests import build_digest_context
from pipeline.cli import output as words
from pipeline.cli.arguments import parse_week
from pipeline.model.errors import RefusedError
from pipeline.model.week import Week

if TYPE_CHECKING:
    from pipeline.jobs.editions.workflow import EditionWorkflow
    from pipeline.model.edition import EditionRecord
    from pipeline.model.schedule import Clock

_PLACES = (
    "Note: the links with #zzUnsubscribezz, #zzPreferenceszz and #zzBrowserzz are places for your mail service's own "
    "(docs/handing-over.md)."
)


def approve(options: Namespace, clock: Clock) -> int:
    """Seal an edition."""
    from pipeline.jobs.digests.files import read_draft_manifest
    from pipeline.jobs.editions.workflow import require_reviewed

    with _at_work(options, clock) as at:
        if not options.hash:
            require_reviewed(at.app.store, at.week)
        shown = b"" if options.hash else read_draft_manifest(at.app.editions_folder / str(at.week))
        publisher = at.publisher if options.offline else replace(at.publisher, open_link_fetcher=at.app.link_fetcher)
        standing = publisher.approve(
            at.week, now=at.now, content_hash=options.hash, reviewed_manifest=shown, overridden=options.override
        )
        at.say(standing, f"approved; its hash is {standing.content_hash[:12]}")
        at.say_next(f"pipeline send {at.week}")
    return 0


def hold(options: Namespace, clock: Clock) -> int:
    """Hold an edition back."""
    with _at_work(options, clock) as at:
        standing = at.publisher.hold(at.week, now=at.now)
        at.say(standing, "held; its entries roll on into the next digest that is made")
        at.say_next(f"pipeline resume {at.week}")
    return 0


def resume(options: Namespace, clock: Clock) -> int:
    """Take a held edition up again."""
    with _at_work(options, clock) as at:
        standing = at.publisher.resume(at.week, now=at.now)
        approved = standing.state == "approved"
        at.say(standing, "approved as it was" if approved else "a draft again, with the entries that are still free")
        at.say_next(f"pipeline {'send' if approved else 'approve'} {at.week}")
    return 0


def skip(options: Namespace, clock: Clock) -> int:
    """Let a week pass without an edition."""
    with _at_work(options, clock) as at:
        at.say(at.publisher.skip(at.week, now=at.now), "skipped; its entries roll on into the next digest that is made")
    return 0


def send(options: Namespace, clock: Clock) -> int:
    """Let an edition leave the house, or a copy of it."""
    from pipeline.jobs.editions import send as sending
    from pipeline.jobs.editions.workflow import require_draft

    with _at_work(options, clock) as at:
        if options.test:
            copy = sending.send_test(at.publisher, build_mailer(at.app), at.week, options.test, now=at.now)
            where = f"is in {words.relative_path(copy)}" if copy else "was sent"
            at.print(f"{at.week}: a copy for {options.test} {where}")
            return 0
        require_draft(at.app.store, at.week)
        if options.handed_over:
            at.say(sending.mark_sent_elsewhere(at.publisher, at.week, now=at.now), "marked as handed over")
            at.print(_PLACES)
        else:
            standing, path = sending.send(at.publisher, build_backend(at.app), at.week, now=at.now)
            at.say(standing, f"sent, into {words.relative_path(path)}")
            at.print(_PLACES)
    return 0


def proof(options: Namespace, clock: Clock) -> int:
    """Send the editor a proof, whether or not it is due."""
    with _at_work(options, clock) as at:
        at.print(build_proof_sender(at.app).send(at.week, now=at.now, force=True))
    return 0


def rebuild(options: Namespace, clock: Clock) -> int:
    """Make a sealed edition again and compare; nothing is written."""
    with _at_work(options, clock) as at:
        rebuilt = at.publisher.rebuild(at.week)
        if options.json:
            words.print_json({"edition": str(at.week), "parts": rebuilt.changed_files, "changes": rebuilt.changes})
        elif not rebuilt.changed_files:
            at.print(f"{at.week}: made again from the store, the bytes are the same")
        else:
            why = "; ".join(rebuilt.changes)
            raise RefusedError(
                f"{at.week} would not be the same: {', '.join(rebuilt.changed_files)} differ, because {why}."
            )
    return RefusedError.exit_code if rebuilt.changed_files else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """One command at work on one week."""

    app: App
    publisher: EditionWorkflow
    week: Week
    now: datetime
    quiet: bool

    def print(self, line: str) -> None:
        if not self.quiet:
            print(line)

    def say(self, standing: EditionRecord, what: str) -> None:
        """Say what came of a move, and let the files in editions/ follow it."""
        from pipeline.jobs.digests.build import write_sealed

        write_sealed(self.app.store, self.publisher.context, self.week, self.app.editions_folder, now=self.now)
        number = f"No. {standing.number} " if standing.number else ""
        self.print(f"{standing.week}: {number}{what}")

    def say_next(self, command: str) -> None:
        self.print(f"Next: {command}")


@contextmanager
def _at_work(options: Namespace, clock: Clock) -> Iterator[_Work]:
    from pipeline.jobs.editions.workflow import EditionWorkflow

    with App.load(options.config) as app:
        now = clock()
        by = getattr(options, "by", "") or _login()
        publisher = EditionWorkflow(store=app.store, context=build_digest_context(app), actor=by)
        week = parse_week(options.week, app.calendar, now)
        yield _Work(app=app, publisher=publisher, week=week, now=now, quiet=options.quiet)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"  # a container may run under a number that has no name
