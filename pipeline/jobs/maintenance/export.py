"""Everything as JSON Lines, and back: what moves a publication to another machine or another kind of database.

In: a store, lines. Out: lines, counts. Touches no file: lines come and go one at a time, however many there are.

The first line is the head: what this is, the schema, every table's columns and their types (``instant`` is RFC 3339 in
UTC, ``bytes`` base64). Then a line for each row, its table first. The last line counts the rows of each table: without
it, or with other counts, an export is not whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.model.errors import CorruptBackupError
from pipeline.store import Store
from pipeline.store.export import column_types
from pipeline.store.migrate import list_migrations

FORMAT, VERSION = "pipeline-export", 1
_ADVICE = "name a file that `pipeline export` wrote"


def export_lines(store: Store) -> Iterator[str]:
    """Give everything that is kept as it is at one moment, a line at a time, always in the same order."""
    yield _line({"format": FORMAT, "version": VERSION, "schema": max(list_migrations()), "tables": column_types()})
    counts: Counter[str] = Counter()
    for table, values in store.maintenance.export_rows():
        counts[table] += 1
        yield _line({table: values})
    yield _line({"end": dict(counts)})


def import_lines(store: Store, lines: Iterable[str]) -> dict[str, int]:
    """Fill an empty store with an export, all or nothing; counts the rows by table.

    Refused when the store is not empty; BrokenCopy, which names the line, when the export is not whole or not ours.
    """
    reading = _Reading(lines)
    _check_head(reading.next())
    return {table: count for table, count in store.maintenance.import_rows(reading.rows()).items() if count}


class _Reading:
    """Reads an export line by line, and knows how many there were."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._number = 0

    def next(self) -> dict[str, Any]:
        """Read the next line; BrokenCopy when there is none, or it is not a JSON object."""
        self._number += 1
        try:
            found = json.loads(next(self._lines))
        except StopIteration:
            raise CorruptBackupError(
                f"the export ends with line {self._number - 1} and has no end: {_ADVICE}."
            ) from None
        except (ValueError, RecursionError) as wrong:
            raise CorruptBackupError(f"line {self._number} of the export is not JSON: {_ADVICE}.") from wrong
        if not isinstance(found, dict):
            raise CorruptBackupError(f"line {self._number} of the export is no row: {_ADVICE}.")
        return found

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give the rows up to the end, whose counts must be theirs."""
        counts: Counter[str] = Counter()
        while "end" not in (found := self.next()):
            if len(found) != 1 or not isinstance(values := next(iter(found.values())), dict):
                raise CorruptBackupError(f"line {self._number} of the export is no row: {_ADVICE}.")
            table = next(iter(found))
            counts[table] += 1
            yield table, values
        if found["end"] != counts:
            raise CorruptBackupError(
                f"the export says that it holds {found['end']}, and holds {dict(counts)}: make it again."
            )


def _check_head(head: dict[str, Any]) -> None:
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        raise CorruptBackupError(f"line 1 is not the head of an export: {_ADVICE}.")
    if head.get("schema") != max(list_migrations()) or head.get("tables") != column_types():
        raise CorruptBackupError(
            f"the export has schema {head.get('schema')} and this version {max(list_migrations())}: export and import with the "
            "same version of the program, and install the newer one afterwards."
        )


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
