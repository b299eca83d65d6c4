"""The repository of editions: the state of each week's edition, what was sealed, and the entries each one has.

A transition names the record it was decided on: of two at once the second raises ConflictError and writes nothing.
``model.edition`` says which transitions are allowed; this module makes each happen wholly or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection

from pipeline.model.digest import EditionState
from pipeline.model.edition import EditionRecord, SealedEdition
from pipeline.model.errors import ConflictError
from pipeline.model.proof import ProofToken
from pipeline.store import edition_rows, weeks
from pipeline.store.database import Database
from pipeline.store.proofs import use_token


@dataclass(frozen=True, slots=True)
class EditionRepository:
    """Editions, by week."""

    database: Database

    def all(self) -> dict[str, EditionRecord]:
        """Return the record of every edition whose state was ever changed, by week."""
        with self.database.read() as connection:
            return edition_rows.records(connection)

    def get(self, week: str) -> EditionRecord:
        """Return the record of a week's edition; a draft if its state was never changed."""
        with self.database.read() as connection:
            return edition_rows.record(connection, week)

    def sealed(self, week: str) -> SealedEdition | None:
        """Return a week's newest sealed edition, or None."""
        with self.database.read() as connection:
            return edition_rows.newest_sealed(connection, week)

    def splits(self, weeks: Collection[str]) -> tuple[str, ...]:
        """Return the references that the editor split from their stories in the sealed editions of some weeks."""
        with self.database.read() as connection:
            return edition_rows.splits(connection, weeks)

    def subjects(self) -> dict[str, str]:
        """Return the subject of each week's newest sealed edition, by week."""
        with self.database.read() as connection:
            return edition_rows.subjects(connection)

    def unconfirmed(self) -> EditionRecord | None:
        """Return the record of the oldest edition that may have been sent without this store's knowledge, or None."""
        records = [record for record in self.all().values() if record.is_unconfirmed]
        return min(records, key=lambda record: record.week, default=None)

    def number_for(self, week: str) -> int:
        """Return the number of a week's edition, or the one it would get if it were sealed now."""
        with self.database.read() as connection:
            return edition_rows.record(connection, week).number or edition_rows.next_number(connection)

    def sent_before(self, week: str) -> str | None:
        """Return the newest week before this one whose edition was sent, or None."""
        with self.database.read() as connection:
            return edition_rows.sent_before(connection, week)

    def entries_with(self, keys: Collection[int]) -> set[int]:
        """Return the ids of entries in sealed editions whose texts have one of these keys (``text.text_keys``)."""
        with self.database.read() as connection:
            return edition_rows.entries_with(connection, sorted(keys))

    def may_resume(self, week: str) -> bool:
        """Check whether other editions have left something of what a held or skipped week released, if it did."""
        with self.database.read() as connection:
            return weeks.may_reclaim(connection, week)

    def approve(
        self,
        expected: EditionRecord,
        sealed: SealedEdition,
        *,
        excluded: Collection[int] = (),
        carried_over: Collection[int] = (),
        published_elsewhere: Mapping[int, str] = MappingProxyType({}),
        token: ProofToken | None = None,
        state: EditionState = "approved",
        note: str = "",
    ) -> EditionRecord:
        """Store a sealed edition, give it its number and reserve its entries; ``state`` may be ``sent``.

        Entries assigned to the week that are not in it are released, as are those ``carried_over``; ``excluded`` ones,
        left out by the editor, stay assigned. ``published_elsewhere`` maps entries whose story other sealed editions
        have published to their week. Raise ConflictError if the number or an entry went to another edition meanwhile,
        InvalidTokenError if ``token`` was used before; it is used up.
        """
        week = expected.week
        with self._transition(expected, state, sealed.sealed_at, sealed.sealed_by, note, token) as connection:
            number = expected.number or edition_rows.next_number(connection)
            if number != sealed.edition.number:
                raise ConflictError(
                    f"Issue {sealed.edition.number} went to another edition a moment ago; approve again."
                )
            edition_rows.insert_sealed(connection, sealed)
            weeks.close(connection, week, (), sealed.sealed_at, carried_over)
            edition_rows.unreserve(connection, week)
            edition_rows.reserve(connection, week, sealed.entry_ids)
            weeks.assign(connection, week, [*sealed.entry_ids, *excluded])
            weeks.release(connection, week, keep=[*sealed.entry_ids, *excluded])
            edition_rows.link_counterparts(connection, published_elsewhere)
            return edition_rows.record(connection, week)

    def release(
        self,
        expected: EditionRecord,
        state: EditionState,
        entry_ids: Collection[int],
        *,
        excluded: Collection[int] = (),
        now: datetime,
        actor: str,
        note: str = "",
        token: ProofToken | None = None,
    ) -> EditionRecord:
        """Hold or skip a week: release its entries and those about to be assigned to it (``entry_ids``)."""
        with self._transition(expected, state, now, actor, note, token) as connection:
            weeks.close(connection, expected.week, [*entry_ids, *excluded], now)
            edition_rows.unreserve(connection, expected.week)
            weeks.release(connection, expected.week, keep=excluded)
            return edition_rows.record(connection, expected.week)

    def resume(self, expected: EditionRecord, *, now: datetime, actor: str) -> EditionRecord:
        """Reclaim the entries a held or skipped week has released, but those another edition has sealed since.

        The edition is approved again if all entries of its seal came back, else it is a draft.
        """
        week = expected.week
        with self._transition(expected, "draft", now, actor) as connection:
            sealed = edition_rows.newest_sealed(connection, week)
            weeks.reclaim(connection, week, sealed.entry_ids if sealed else ())
            if sealed and weeks.has_all(connection, week, sealed.entry_ids):
                edition_rows.reserve(connection, week, sealed.entry_ids)
                edition_rows.reactivate(connection, week)
            return edition_rows.record(connection, week)

    def change_state(
        self,
        expected: EditionRecord,
        state: EditionState,
        *,
        now: datetime,
        actor: str,
        note: str = "",
        token: ProofToken | None = None,
    ) -> EditionRecord:
        """Change the state of an edition, or who changed it, and nothing about its entries."""
        with self._transition(expected, state, now, actor, note, token) as connection:
            return edition_rows.record(connection, expected.week)

    def adopt(self, record: EditionRecord, sealed: SealedEdition, assigned: Collection[int], *, now: datetime) -> None:
        """Store an edition that was sent without this store's knowledge, with its record and the ids of this store.

        ``assigned`` are all entries assigned to its week. Editions that were not sent and have its number or one of its
        entries become drafts. If another edition of the week is stored as sent, it stays, and the entries count as late
        counterparts of its stories. An entry stays in a sent edition that has it.
        """
        week, ids = record.week, sealed.entry_ids
        with self.database.write() as connection:
            edition_rows.lock(connection)
            if edition_rows.record(connection, week).state == "sent":
                edition_rows.link_counterparts(connection, dict.fromkeys(ids, week))
                return
            edition_rows.withdraw_unsent(connection, record, ids)
            edition_rows.unreserve(connection, week)
            edition_rows.replace_record(connection, record)
            edition_rows.insert_sealed(connection, sealed)
            edition_rows.reserve_free(connection, week, ids)
            weeks.close(connection, week, (), now)
            weeks.assign(connection, week, assigned)
            weeks.release(connection, week, keep=assigned)

    def link_counterparts(self, weeks_by_entry: Mapping[int, str]) -> None:
        """Record entries whose story a sealed edition has published without them: entry id to week."""
        if weeks_by_entry:
            with self.database.write() as connection:
                edition_rows.link_counterparts(connection, weeks_by_entry)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from writing, while a file that belongs to an edition is changed.

        Write nothing to the store inside. The lock is the database's: it ends with the process that holds it.
        """
        with self.database.write() as connection:
            edition_rows.lock(connection)
            yield

    @contextmanager
    def _transition(
        self,
        expected: EditionRecord,
        state: EditionState,
        now: datetime,
        actor: str,
        note: str = "",
        token: ProofToken | None = None,
    ) -> Iterator[Connection]:
        """Open a transaction that begins with the transition; raise ConflictError if ``expected`` is out of date."""
        with self.database.write() as connection:
            values = {"state": state, "changed_at": now, "changed_by": actor, "note": note}
            edition_rows.change_record(connection, expected, values)
            if token:
                use_token(connection, token, now)
            yield connection
