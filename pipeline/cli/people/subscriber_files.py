"""``pipeline subscribers import`` and ``export``: people from files and into files."""

from __future__ import annotations

import csv
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import output
from pipeline.cli.arguments import SOME_FAILED, Commands, load_app
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import BASES
from pipeline.text.format import pluralize

if TYPE_CHECKING:
    from pipeline.jobs.audience.import_files import SubscriberFile
    from pipeline.jobs.audience.import_subscribers import ReportLine, SubscriberImport
    from pipeline.model.schedule import Clock

BASIS_HELP = (
    "the lawful basis, which you must be able to prove: `consent`, or the soft opt-in of PECR, `soft_opt_in_sale` or "
    "`soft_opt_in_charity`"
)
MAX_PRINTED = 20
"""Maximum number of rows that are named on stderr; a report file has all of them."""


def date_argument(text: str) -> date:
    """Return the date that an argument names; ValueError, which argparse reports, if it is none.

    >>> date_argument("2026-02-12")
    datetime.date(2026, 2, 12)
    """
    return date.fromisoformat(text)


def add_commands(group: Commands) -> None:
    """Add the commands to those of ``subscribers``."""
    summary = "import subscribers from a CSV file or the download of another mail service"
    parser = group.add("import", import_subscribers, summary)
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV file, or a ZIP archive of CSV files")
    parser.add_argument("--dry-run", action="store_true", help="store nothing: say what would become of each row")
    parser.add_argument("--basis", choices=BASES, metavar="BASIS", help=BASIS_HELP)
    text = "when they agreed, where the file has no date of a person's own"
    parser.add_argument("--collected", type=date_argument, metavar="DATE", help=text)
    text = "where and how they agreed; kept in the history of each"
    parser.add_argument("--note", default="", metavar="TEXT", help=text)
    parser.add_argument("--report", type=Path, metavar="REPORT", help="write a line for each row into this CSV file")
    parser.add_argument("--force", action="store_true", help="overwrite REPORT")

    summary = "export all subscribers as CSV, or all that is stored about one person as JSON"
    parser = group.add("export", export, summary)
    text = "a new CSV file, or the address of a person (GDPR, article 15); default: all as CSV on stdout"
    parser.add_argument("target", nargs="?", default="", metavar="TARGET", help=text)
    parser.add_argument("--force", action="store_true", help="overwrite FILE")


def import_subscribers(options: Namespace, clock: Clock) -> int:
    """Import the rows of a file; the exit code is 3 if some could not be, or had no lawful basis."""
    from pipeline.app import user_name
    from pipeline.app.audience import build_audience_context
    from pipeline.audience.import_rules import RESULTS, ImportStatement, Result
    from pipeline.jobs.audience.import_files import open_files
    from pipeline.jobs.audience.import_subscribers import SubscriberImport

    now, results = clock(), Counter[Result]()
    with load_app(options) as app, open_files(options.file) as files, ExitStack() as stack:
        if options.collected and options.collected > now.astimezone(app.calendar.zone).date():
            raise UsageError(f"--collected {options.collected} is in the future: state when they agreed.")
        job = SubscriberImport(
            context=build_audience_context(app),
            statement=ImportStatement(basis=options.basis, collected_on=options.collected, note=options.note),
            actor=user_name(),
            now=now,
            dry_run=options.dry_run,
        )
        write_line = stack.enter_context(_report(options))
        advance = stack.enter_context(_progress(sum(file.text.lines for file in files), quiet=options.quiet))
        try:
            for name, line in _import_files(job, files, advance):
                results[line.result] += 1
                write_line(name, line)
        finally:
            job.log(options.file.name, results)
    if not options.quiet:
        print("dry run, nothing was stored:" if options.dry_run else f"{options.file.name}:")
        for row in output.table([(result, f"{results[result]:,}") for result in RESULTS if results[result]], "  "):
            print(row)
    return SOME_FAILED if results["bad"] or results["no basis"] else 0


def _import_files(
    job: SubscriberImport, files: list[SubscriberFile], advance: Callable[[int], None]
) -> Iterator[tuple[str, ReportLine]]:
    """Yield the name of the file and the report line of each row."""
    before = 0
    for file in files:
        with file.rows() as rows:
            for line in job.run(rows, file.format, file.name):
                yield file.name, line
                advance(before + line.line)
        before += file.text.lines


@contextmanager
def _report(options: Namespace) -> Iterator[Callable[[str, ReportLine], None]]:
    """Yield a function that writes a report line, and names rows that were not imported on stderr."""
    from pipeline.audience.csv_rows import safe_cell
    from pipeline.jobs.maintenance.atomic_file import atomic_file

    with ExitStack() as stack:
        writer = None
        if options.report:
            path = stack.enter_context(atomic_file(options.report, overwrite=options.force))
            file = stack.enter_context(path.open("w", encoding="utf-8-sig", newline=""))
            writer = csv.writer(file)
            writer.writerow(("file", "line", "address", "result", "reason"))
        failed = 0

        def write_line(name: str, line: ReportLine) -> None:
            nonlocal failed
            if writer:
                cells = (name, str(line.line), line.address, line.result, line.reason)
                writer.writerow([safe_cell(cell) for cell in cells])
            if line.result in ("bad", "no basis"):
                failed += 1
                if failed <= MAX_PRINTED:
                    print(f"pipeline: {name}, line {line.line}: {line.result}: {line.reason}", file=sys.stderr)

        yield write_line
        if failed > MAX_PRINTED:
            more = pluralize(failed - MAX_PRINTED, "row")
            print(f"pipeline: {more} more; --report FILE lists every row.", file=sys.stderr)


@contextmanager
def _progress(lines: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Yield a function that shows how many lines were read; it does nothing where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        yield lambda line: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("lines", total=lines)

        def advance(line: int) -> None:
            if line % 1_000 == 0 or line >= lines:
                bar.update(task, completed=line)

        yield advance


def export(options: Namespace, clock: Clock) -> int:
    """Export everybody as CSV, or one person as JSON."""
    from pipeline.app import user_name
    from pipeline.app.audience import build_audience_context
    from pipeline.audience.person_data import person_json
    from pipeline.jobs.audience.export_subscribers import export_csv
    from pipeline.jobs.audience.person import export_person
    from pipeline.jobs.maintenance.atomic_file import atomic_file

    with load_app(options) as app:
        context, now, actor = build_audience_context(app), clock(), user_name()
        if "@" in Path(options.target).name and not options.target.lower().endswith(".csv"):
            output.print_json(person_json(export_person(context, options.target, actor=actor, now=now), now))
            return 0
        if not options.target:
            export_csv(context, sys.stdout, actor=actor, now=now)
            return 0
        file = Path(options.target)
        with (
            atomic_file(file, overwrite=options.force) as path,
            path.open("w", encoding="utf-8-sig", newline="") as out,
        ):
            count = export_csv(context, out, actor=actor, now=now)
    if not options.quiet:
        print(f"{output.relative_path(file)}: {pluralize(count, 'subscriber')}")
    return 0
