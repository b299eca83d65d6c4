"""Care of the data: backup, restore, prune, export, import.

In: parsed arguments and a clock. Out: an exit code; PipelineErrors pass through to ``main``.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime

from pipeline.app import App
from pipeline.cli import words
from pipeline.model.errors import Refused, UsageError

Clock = Callable[[], datetime]


def backup(options: Namespace, clock: Clock) -> int:
    """Copy the store."""
    from pipeline.jobs.care.backup import back_up

    with App.load(options.config) as app:
        size_bytes = back_up(app.store, options.file, overwrite=options.force)
    if not options.quiet:
        print(f"{words.near(options.file)}: {size_bytes / 1e6:.1f} MB, checked")
    return 0


def restore(options: Namespace, clock: Clock) -> int:
    """Put a backup in the store's place, and open it once: it may be of an older version."""
    from pipeline.jobs.care.backup import restore as put_back

    with App.load(options.config) as app:
        if app.store_file is None:
            raise Refused("[store] url names a server: restore it with pg_restore, or use `pipeline import FILE`.")
        old = put_back(options.file, app.store_file, now=clock(), overwrite=options.force)
        entries = sum(each.entries for each in app.store.feed_counts().values())
    if not options.quiet:
        print(f"{words.near(app.store_file)}: restored, with {words.counted(entries, 'entry', 'entries')}")
        if old:
            print(f"What was there: {words.near(old)}")
    return 0


def prune(options: Namespace, clock: Clock) -> int:
    """Drop old texts."""
    from pipeline.jobs.care.prune import prune as drop

    with App.load(options.config) as app:
        keep = app.config.store.keep_bodies
        if keep is None:
            raise Refused('[store] keep_bodies does not say how long: set it, for example to "2 years".')
        done = drop(app.store, keep, now=clock())
        if options.compact:
            app.store.care.compact()
    if not options.quiet:
        print(done.line)
    return 0


def export(options: Namespace, clock: Clock) -> int:
    """Write everything as JSON Lines."""
    from pipeline.jobs.care.exchange import export_lines
    from pipeline.jobs.care.files import whole_file

    with App.load(options.config) as app:
        lines = export_lines(app.store)
        if options.file is None:
            sys.stdout.writelines(lines)
            return 0
        with whole_file(options.file, overwrite=options.force) as fresh, fresh.open("w", encoding="utf-8") as file:
            written = sum(1 for line in lines if file.write(line))
    if not options.quiet:
        print(f"{words.near(options.file)}: {words.counted(written - 2, 'row')}")
    return 0


def import_(options: Namespace, clock: Clock) -> int:
    """Fill an empty store with an export."""
    from pipeline.jobs.care.exchange import import_lines

    try:
        with App.load(options.config) as app, options.file.open(encoding="utf-8") as lines:
            counts = import_lines(app.store, lines)
    except (OSError, UnicodeDecodeError) as unreadable:
        raise UsageError(f"{options.file} cannot be read ({unreadable}): name another file.") from unreadable
    if not options.quiet:
        for line in words.table([(table, f"{count:,}") for table, count in counts.items()]):
            print(line)
    return 0
