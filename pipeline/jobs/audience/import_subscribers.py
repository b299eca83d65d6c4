"""Import subscribers: rows in, one report line for each out; in transactions of a thousand rows.

An import that was stopped is started again: what was imported is found there, and nothing changes twice.
"""

from __future__ import annotations

import gc
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from pipeline.audience.addresses import address_key
from pipeline.audience.csv_rows import CsvRow
from pipeline.audience.import_formats import ImportedPerson, ImportFormat, read_person
from pipeline.audience.import_rules import ImportDecision, ImportStatement, Result, decide
from pipeline.jobs.audience.context import AudienceContext
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import Subscriber, SubscriptionEvent, Suppression, SuppressionReason

BATCH_ROWS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """The result of one row."""

    line: int
    """The number of the row's first line in its file."""
    address: str
    result: Result
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberImport:
    """Imports the rows of files. With ``dry_run`` nothing is stored; the report is the same."""

    context: AudienceContext
    statement: ImportStatement
    actor: str
    now: datetime
    dry_run: bool = False
    seen: AddressSet = field(default_factory=lambda: AddressSet())

    def run(self, rows: Iterable[CsvRow], row_format: ImportFormat, file_name: str) -> Iterator[ReportLine]:
        """Import the rows of a file and yield a line for each, in their order, once it is stored."""
        origin, rows = f"{row_format.name}, {file_name}", iter(rows)
        while batch := list(islice(rows, BATCH_ROWS)):
            yield from self._import(batch, row_format, origin)
            # Queries leave cycles that hold the parameters of a batch; the collector would come too late for them.
            gc.collect(1)

    def log(self, file_name: str, results: Counter[Result]) -> None:
        """Record in the log that files were imported, and how many rows had which result."""
        if not self.dry_run:
            counts = {result.replace(" ", "_"): str(count) for result, count in results.items()}
            log = self.context.store.subscription_events.log
            log("import", actor=self.actor, at=self.now, file=file_name, note=self.statement.note, **counts)

    def _import(self, batch: list[CsvRow], row_format: ImportFormat, origin: str) -> list[ReportLine]:
        people = [_read(row, row_format) for row in batch]
        keys = {person.address: address_key(person.address) for person in people if isinstance(person, ImportedPerson)}
        hashes = {key: self.context.address_hash(key) for key in keys.values()}
        store = self.context.store
        with nullcontext() if self.dry_run else store.audience_transaction():
            known = store.subscribers.find_all(list(hashes), lock=not self.dry_run)
            changes = _Changes(self, known, hashes, store.suppressions.find_all(list(hashes.values())))
            lines = [
                changes.take(row, keys[person.address], person, origin)
                if isinstance(person, ImportedPerson)
                else ReportLine(line=row.line, address=_address_in(row, row_format), result="bad", reason=person)
                for row, person in zip(batch, people, strict=True)
            ]
            if not self.dry_run:
                changes.write()
        return lines


class _Changes:
    """The changes of one batch: collected row by row, then written together."""

    def __init__(
        self,
        importer: SubscriberImport,
        known: dict[str, Subscriber],
        hashes: dict[str, str],
        suppressed: dict[str, SuppressionReason],
    ) -> None:
        self._importer = importer
        self._known = known
        self._hashes = hashes
        self._suppressed = suppressed
        self._changed: dict[str, Subscriber] = {}
        self._events: list[tuple[str, SubscriptionEvent]] = []
        self._suppressions: dict[str, Suppression] = {}

    def take(self, row: CsvRow, key: str, person: ImportedPerson, origin: str) -> ReportLine:
        """Decide on a row, and remember what is to be stored."""
        hashed = self._hashes[key]
        is_new = self._importer.seen.add(int(hashed[:16], 16))
        reason = self._suppressed.get(hashed)
        decision = decide(person, self._known.get(key), reason, self._importer.statement, self._importer.now)
        if not is_new and decision.result in ("imported", "updated", "duplicate", "no basis"):
            decision = ImportDecision(result="duplicate", reason="is in the file more than once")
        self._remember(key, decision, origin)
        return ReportLine(line=row.line, address=person.address, result=decision.result, reason=decision.reason)

    def _remember(self, key: str, decision: ImportDecision, origin: str) -> None:
        hashed, actor, now = self._hashes[key], self._importer.actor, self._importer.now
        if decision.subscriber and decision.event:
            self._known[key] = self._changed[key] = decision.subscriber
            details = {**decision.details, "imported_from": origin}
            event = SubscriptionEvent(at=now, kind=decision.event, actor=actor, details=details)
            self._events.append((key, event))
        if decision.suppress:
            self._suppressed[hashed] = decision.suppress
            self._suppressions[hashed] = Suppression(reason=decision.suppress, actor=actor, suppressed_at=now)

    def write(self) -> None:
        """Store the changes. Somebody who signed up meanwhile keeps what they chose."""
        store = self._importer.context.store
        numbers = store.subscribers.add_all([(one, key) for key, one in self._changed.items() if not one.id])
        for key, changed in self._changed.items():
            if changed.id:
                store.subscribers.save(changed)
                numbers[key] = changed.id
        if events := [(numbers[key], event) for key, event in self._events if key in numbers]:
            store.subscription_events.add_all(events)
        store.suppressions.add_all(self._suppressions)


class AddressSet:
    """A set of hashes of addresses, 64 bits each, in 16 bytes or so a hash."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def add(self, hashed: int) -> bool:
        """Add a hash; return False if it is in the set."""
        if self._count * 2 >= len(self._slots):
            self._grow()
        is_new = _insert(self._slots, hashed or 1)
        self._count += is_new
        return is_new

    def _grow(self) -> None:
        larger = array("Q", bytes(len(self._slots) * 16))
        for hashed in self._slots:
            if hashed:
                _insert(larger, hashed)
        self._slots = larger


def _insert(slots: array[int], hashed: int) -> bool:
    position = hashed % len(slots)
    while slots[position]:
        if slots[position] == hashed:
            return False
        position = (position + 1) % len(slots)
    slots[position] = hashed
    return True


def _read(row: CsvRow, row_format: ImportFormat) -> ImportedPerson | str:
    """Return the person in a row, or why it is bad."""
    if row.error:
        return row.error
    try:
        return read_person(row_format, row.cells)
    except UsageError as error:
        return str(error).rstrip(".")


def _address_in(row: CsvRow, row_format: ImportFormat) -> str:
    """Return the cell of a bad row that may be an address, at most 100 characters of it."""
    return next((cell.strip()[:100] for cell in row.cells[: row_format.width] if "@" in cell), "")
