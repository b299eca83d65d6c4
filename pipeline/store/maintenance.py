"""Care of what is kept: is it whole, a copy of it, its oldest texts dropped, all of it out and in again.

In: ways to read and to write, plain values. Out: plain values, a file. Every method is one transaction, but for
``drop_bodies``, which is one for each portion, so that nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.model.errors import RefusedError
from pipeline.store import backup as copies
from pipeline.store import bodies
from pipeline.store import export as exchange
from pipeline.store.dialects import release_memory, use_snapshot
from pipeline.store.errors import Transaction

_AT_A_TIME = 500


class Maintenance:
    """What a store's owner does with it now and then; made by the store."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def release_memory(self) -> None:
        """Give back the memory that was taken for the work done."""
        with self._reading() as connection:
            release_memory(connection)

    def integrity_errors(self) -> list[str]:
        """Name what is wrong with the database, a line each; SQLite looks at all of it, a server at itself."""
        with self._reading() as connection:
            return copies.integrity_errors(connection) if connection.dialect.name == "sqlite" else []

    def back_up(self, file: Path) -> None:
        """Write a copy of the database as it is at one moment, while others write on; Refused on a server.

        BrokenCopy when the copy is not whole: then what it was made of is damaged.
        """
        with self._reading() as connection:
            if connection.dialect.name != "sqlite":
                raise RefusedError(
                    "[store] url names a server, which has backups of its own: use pg_dump, or `pipeline export FILE`."
                )
            copies.copy(connection, file)

    def compact(self) -> None:
        """Give the room of what was dropped back to the disk; a server does so by itself."""
        with self._reading() as connection:
            copies.compact(connection)

    def drop_bodies(self, before: datetime) -> tuple[int, int]:
        """Drop texts from before an instant that no edition tells or may still tell; counts entries and bytes."""
        entries = size_bytes = last = 0
        while True:
            with self._writing() as connection:
                chosen, freed_bytes = bodies.drop(connection, before, after=last, most=_AT_A_TIME)
            if not chosen:
                return entries, size_bytes
            entries, size_bytes, last = entries + len(chosen), size_bytes + freed_bytes, chosen[-1]

    def export_rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Give every row as it is at one moment: its table's name, and its values as JSON has them, by column."""
        with self._reading() as connection:
            use_snapshot(connection)
            yield from exchange.rows(connection)

    def import_rows(self, rows: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, int]:
        """Fill an empty store with such rows, all or nothing, and count them by table.

        Refused when it is not empty; BrokenCopy when the rows contradict each other or these tables. What ``rows``
        raises leaves the store empty, too.
        """
        with self._writing() as connection:
            return exchange.fill(connection, rows)
