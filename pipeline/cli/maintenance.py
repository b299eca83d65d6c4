"""Care of the data: backup, restore, prune, export, import.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from pipeline.app import App
from pipeline.cli import output as words
from pipeline.model.errors import RefusedError, UsageError
from pipeline.text.format import pluralize

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock


def backup(options: Namespace, clock: Clock) -> int:
    """Copy the store."""
    from pipeline.jobs.maintenance.backup import back_up

    with App.load(options.config) as app:
        size_bytes = back_up(app.store, options.file, overwrite=options.force)
    if not options.quiet:
        print(f"{words.relative_path(options.file)}: {size_bytes / 1e6:.1f} MB, checked")
    return 0


def restore(options: Namespace, clock: Clock) -> int:
    """Put a backup in the store's place, and open it once: it may be of an older version."""
    from pipeline.jobs.maintenance.backup import restore as put_back

    with App.load(options.config) as app:
        if app.store_file is None:
            raise RefusedError("[store] url names a server: restore it with pg_restore, or use `pipeline import FILE`.")
        old = put_back(options.file, app.store_file, now=clock(), overwrite=options.force)
        entries = sum(each.entries for each in app.store.feed_counts().values())
    if not options.quiet:
        print(f"{words.relative_path(app.store_file)}: restored, with {pluralize(entries, 'entry', 'entries')}")
        if old:
            print(f"What was there: {words.relative_path(old)}")
    return 0


def prune(options: Namespace, clock: Clock) -> int:
    """Drop old texts."""
    from pipeline.jobs.maintenance.prune import prune as drop

    with App.load(options.config) as app:
        keep = app.config.store.keep_bodies
        if keep is None:
            raise RefusedError('[store] keep_bodies does not say how long: set it, for example to "2 years".')
        done = drop(app.store, keep, now=clock())
        if options.compact:
            app.store.maintenance.compact()
    if not options.quiet:
        print(done.summary)
    return 0


def export(options: Namespace, clock: Clock) -> int:
    """Write everything as JSON Lines."""
    from pipeline.jobs.maintenance.atomic_file import atomic_file
    from pipeline.jobs.maintenance.export import export_lines

    with App.load(options.config) as app:
        lines = export_lines(app.store)
        if options.file is None:
            sys.stdout.writelines(lines)
            return 0
        with atomic_file(options.file, overwrite=options.force) as fresh, fresh.open("w", encoding="utf-8") as file:
            written = sum(1 for line in lines if file.write(line))
    if not options.quiet:
        print(f"{words.relative_path(options.file)}: {pluralize(written - 2, 'row')}")
    return 0


def import_(options: Namespace, clock: Clock) -> int:
    """Fill an empty store with an export."""
    from pipeline.jobs.maintenance.export import import_lines

    try:
        with App.load(options.config) as app, options.file.open(encoding="utf-8") as lines:
            counts = import_lines(app.store, lines)
    except (OSError, UnicodeDecodeError) as unreadable:
        raise UsageError(f"{options.file} cannot be read ({unreadable}): name another file.") from unreadable
    if not options.quiet:
        for line in words.table([(table, f"{count:,}") for table, count in counts.items()]):
            print(line)
    return 0
