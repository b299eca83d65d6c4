"""Export a whole store as JSON Lines and import it, to move to another machine or another kind of database.

The first line is a header: the format, the schema, every table's columns and their types (``instant`` is RFC 3339 in
UTC, ``bytes`` base64). A line for each row follows, with its table. The last line counts the rows of each table:
without it, or with other counts, an export is incomplete. Lines are streamed, however many there are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pipeline.model.errors import CorruptBackupError
from pipeline.store import Store
from pipeline.store.export import column_types
from pipeline.store.migrate import list_migrations

FORMAT, VERSION = "pipeline-export", 1
_ADVICE = "name a file that `pipeline export` wrote"


def export_lines(store: Store) -> Iterator[str]:
    """Yield the lines of an export: a consistent snapshot, always in the same order."""
    yield _line({"format": FORMAT, "version": VERSION, "schema": max(list_migrations()), "tables": column_types()})
    counts: Counter[str] = Counter()
    for table, values in store.maintenance.export_rows():
        counts[table] += 1
        yield _line({table: values})
    yield _line({"end": dict(counts)})


def import_lines(
    store: Store, lines: Iterable[str], *, settle: Callable[[Store], object] = lambda imported: None
) -> dict[str, int]:
    """Import an export into an empty store, all or nothing; return the number of rows by table.

    ``settle`` carries over what must not be forgotten, in the same transaction: without it nothing is imported.
    RefusedError if the store is not empty; CorruptBackupError, naming the line, if the export is incomplete or
    another program's.
    """
    export = _ExportLines(lines)
    _check_header(export.next())
    with store.transaction():
        counts = store.maintenance.import_rows(export.rows())
        settle(store)
    return {table: count for table, count in counts.items() if count}


class _ExportLines:
    """Reads an export line by line and counts the lines."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._number = 0

    def next(self) -> dict[str, Any]:
        """Return the next line; CorruptBackupError if there is none or it is not a JSON object."""
        self._number += 1
        try:
            value = json.loads(next(self._lines))
        except StopIteration:
            raise CorruptBackupError(
                f"the export ends with line {self._number - 1} and has no end: {_ADVICE}."
            ) from None
        except (ValueError, RecursionError) as error:
            raise CorruptBackupError(f"line {self._number} of the export is not JSON: {_ADVICE}.") from error
        if not isinstance(value, dict):
            raise CorruptBackupError(f"line {self._number} of the export is not a row: {_ADVICE}.")
        return value

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield table and values of each row; CorruptBackupError if the counts at the end differ."""
        counts: Counter[str] = Counter()
        while "end" not in (line := self.next()):
            if len(line) != 1 or not isinstance(values := next(iter(line.values())), dict):
                raise CorruptBackupError(f"line {self._number} of the export is not a row: {_ADVICE}.")
            table = next(iter(line))
            counts[table] += 1
            yield table, values
        if line["end"] != counts:
            raise CorruptBackupError(f"the export announces {line['end']} and contains {dict(counts)}: export again.")


def _check_header(header: dict[str, Any]) -> None:
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise CorruptBackupError(f"line 1 is not the header of an export: {_ADVICE}.")
    if header.get("schema") != max(list_migrations()) or header.get("tables") != column_types():
        raise CorruptBackupError(
            f"the export has schema {header.get('schema')} and this version {max(list_migrations())}: export and "
            "import with the same version of the program, and install the newer one afterwards."
        )


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
