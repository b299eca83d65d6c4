"""The publication's files: ``pipeline init``, ``backup``, ``restore``, ``prune``, ``export`` and ``import``."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import Commands, load_app
from pipeline.model.errors import DeliveryError, RefusedError, UsageError
from pipeline.text.format import format_bytes, pluralize

if TYPE_CHECKING:
    from pipeline.jobs.editions.recovery import RecoveryResult
    from pipeline.model.schedule import Clock


def add_commands(commands: Commands) -> None:
    """Add init and the commands that copy, move and shrink the store."""
    parser = commands.add("init", init, "create a commented config.toml and an empty editions/")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="folder to create them in (default: here)"
    )
    parser.add_argument("--demo", action="store_true", help="create the demo publication, which works offline")

    parser = commands.add("backup", backup, "copy the store into a file, at any time, and verify the copy")
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")

    parser = commands.add("restore", restore, "replace the store by a backup; the old one is kept beside it")
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that `pipeline backup` wrote")
    parser.add_argument("--force", action="store_true", help="replace a store that is not empty")

    parser = commands.add("prune", prune, "delete texts older than [store] keep_bodies that no edition uses")
    parser.add_argument("--compact", action="store_true", help="also return the space to the disk (SQLite)")

    parser = commands.add("export", export, "write everything in the store as JSON Lines")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a new file (default: stdout)")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")

    parser = commands.add("import", import_store, "fill an empty store of any kind from an export, all or nothing")
    parser.add_argument("file", type=Path, metavar="FILE", help="a file that `pipeline export` wrote")


def init(options: Namespace, clock: Clock) -> int:
    """Create the files of a publication."""
    from pipeline.app import resources_folder
    from pipeline.jobs.maintenance.init import create_project

    paths = create_project(options.folder, demo_from=resources_folder() if options.demo else None)
    if not options.quiet:
        for path in paths:
            print(output.relative_path(path))
        print("Next:")
        if options.folder.resolve() != Path().resolve():
            print(f"  cd {shlex.quote(str(options.folder))}")
        if options.demo:
            print("  pipeline digest 2026-W07")
        else:
            print(f"  edit {paths[0].name}: name, url, timezone, sender and editor\n  pipeline feeds add URL")
    return 0


def backup(options: Namespace, clock: Clock) -> int:
    """Copy the store."""
    from pipeline.jobs.maintenance.backup import back_up

    with load_app(options) as app:
        size_bytes = back_up(app.store(), options.file, overwrite=options.force)
    if not options.quiet:
        print(f"{output.relative_path(options.file)}: {format_bytes(size_bytes)}, verified")
    return 0


def restore(options: Namespace, clock: Clock) -> int:
    """Replace the store by a backup; editions sent since, and who left since, are carried over."""
    from pipeline.app.delivery import build_recovery
    from pipeline.jobs.audience.carry_over import CarriedOver, carry_over
    from pipeline.jobs.maintenance.backup import restore as restore_backup

    with load_app(options) as app:
        if app.store_file is None:
            raise RefusedError("[store] url names a server: restore it with pg_restore, or use `pipeline import FILE`.")
        now, recovery = clock(), build_recovery(app)
        results: list[tuple[RecoveryResult, CarriedOver]] = []
        old_file = restore_backup(
            options.file,
            app.store_file,
            now=now,
            overwrite=options.force,
            settle=lambda restored, previous: results.append(
                (recovery.after_restore(restored, previous, now=now), carry_over(restored, previous))
            ),
        )
        entries = sum(count.entries for count in app.store().feeds.stats().values())
    if not options.quiet:
        print(f"{output.relative_path(app.store_file)}: restored, with {pluralize(entries, 'entry', 'entries')}")
        if old_file:
            print(f"The old store: {output.relative_path(old_file)}")
        if people := results[0][1].summary:
            print(f"Carried over, since it happened after the copy was made: {people}")
    return _report(results[0][0], options)


def _report(result: RecoveryResult, options: Namespace) -> int:
    """Print which editions a store learned of, and return the exit code: 3 if a person has to say what was sent."""
    if result.sent and not options.quiet:
        print(f"Recorded as sent, since they left after the copy was made: {', '.join(result.sent)}")
    for week in result.unconfirmed:
        print(
            f"pipeline: {week} is held, as it may have been sent after the copy was made: run `pipeline fetch`, then "
            f"`pipeline send {week} --handed-over` if it was, or `pipeline resume {week}` if it was not.",
            file=sys.stderr,
        )
    for week in result.paused:
        print(
            f"pipeline: sending {week} is paused, as more people may have got it after the copy was made: run "
            f"`pipeline deliveries {week} --resume` to send it to all who have not got it as far as the copy knows, "
            f"some perhaps twice, or `pipeline deliveries {week} --cancel` to send it to nobody else.",
            file=sys.stderr,
        )
    return DeliveryError.exit_code if result.unconfirmed or result.paused else 0


def prune(options: Namespace, clock: Clock) -> int:
    """Delete old texts."""
    from pipeline.jobs.maintenance.prune import prune as prune_store

    with load_app(options) as app:
        keep = app.config.store.keep_bodies
        if keep is None:
            raise RefusedError('[store] keep_bodies is not set: set how long to keep texts, for example "2 years".')
        result = prune_store(app.store(), keep, now=clock())
        if options.compact:
            app.store().maintenance.compact()
    if not options.quiet:
        print(result.summary)
    return 0


def export(options: Namespace, clock: Clock) -> int:
    """Write everything in the store as JSON Lines."""
    from pipeline.jobs.maintenance.atomic_file import atomic_file
    from pipeline.jobs.maintenance.export import export_lines

    with load_app(options) as app:
        lines = export_lines(app.store())
        if options.file is None:
            sys.stdout.writelines(lines)
            return 0
        with atomic_file(options.file, overwrite=options.force) as path, path.open("w", encoding="utf-8") as file:
            count = sum(1 for line in lines if file.write(line))
    if not options.quiet:
        print(f"{output.relative_path(options.file)}: {pluralize(count - 2, 'row')}")
    return 0


def import_store(options: Namespace, clock: Clock) -> int:
    """Fill an empty store from an export; editions sent since are recorded as sent."""
    from pipeline.app.delivery import build_recovery
    from pipeline.jobs.maintenance.export import import_lines

    try:
        with load_app(options) as app, options.file.open(encoding="utf-8") as lines:
            now, recovery = clock(), build_recovery(app)
            results: list[RecoveryResult] = []
            counts = import_lines(
                app.store(), lines, settle=lambda store: results.append(recovery.after_restore(store, None, now=now))
            )
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{options.file} cannot be read ({error}): name another file.") from error
    if not options.quiet:
        for line in output.table([(table, f"{count:,}") for table, count in counts.items()]):
            print(line)
    return _report(results[0], options)
