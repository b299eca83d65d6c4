"""The repository of corrections of sent editions: a note, sealed bytes, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, select, update

from pipeline.model.correction import Correction, CorrectionState
from pipeline.model.delivery import DispatchKey
from pipeline.model.edition import SealedEdition
from pipeline.model.errors import ConflictError
from pipeline.store import edition_rows
from pipeline.store.database import Database
from pipeline.store.dialects import upsert
from pipeline.store.rows import storable
from pipeline.store.schema import correction, sealed_edition

_SEALED = (sealed_edition.c.week == correction.c.week) & (sealed_edition.c.version == correction.c.version)
_CORRECTION = select(
    correction, sealed_edition.c.content_hash, sealed_edition.c.sealed_at, sealed_edition.c.sealed_by
).join_from(correction, sealed_edition, _SEALED)
_NAMES = ("week", "number", "state", "text_md", "changed_at", "changed_by", "note")


@dataclass(frozen=True, slots=True)
class CorrectionRepository:
    """Corrections, by week and number. A change names the record it was decided on, as with editions."""

    database: Database

    def all(self) -> list[Correction]:
        """Return all corrections, by week and number."""
        return self._list(correction.c.number > 0)

    def of_week(self, week: str) -> list[Correction]:
        """Return the corrections of a week's edition by number; only the last may be a draft."""
        return self._list(correction.c.week == week)

    def newest(self, week: str) -> Correction | None:
        """Return the last correction of a week's edition, or None."""
        return next(reversed(self.of_week(week)), None)

    def sealed(self, week: str, number: int) -> SealedEdition | None:
        """Return what was sealed as a correction, or None."""
        with self.database.read() as connection:
            version = connection.scalar(select(correction.c.version).where(_is(week, number)))
            return edition_rows.sealed_version(connection, week, version) if version else None

    def newest_sent(self, week: str) -> SealedEdition | None:
        """Return what was sealed as the newest correction that is sent, or being sent; None if there is none."""
        numbers = [one.number for one in self.of_week(week) if one.is_out]
        return self.sealed(week, numbers[-1]) if numbers else None

    def save_draft(self, number: int, sealed: SealedEdition, text_md: str) -> Correction:
        """Store a draft, in place of an earlier draft of that number.

        ConflictError if the number has been given to another correction, or that was sent.
        """
        week, at, actor = sealed.edition.week, sealed.sealed_at, sealed.sealed_by
        with self.database.write() as connection:
            edition_rows.lock(connection)
            newest = next(reversed(_select(connection, correction.c.week == week)), None)
            expected = 1 if newest is None else newest.number + (newest.state != "draft")
            if number != expected:
                raise _conflict(week)
            version = edition_rows.insert_version(connection, sealed)
            row = {"week": week, "number": number, "version": version, "state": "draft", "text_md": storable(text_md)}
            upsert(connection, correction, row | {"changed_at": at, "changed_by": storable(actor), "note": ""})
            return _require(connection, (week, number))

    def change_state(
        self, expected: Correction, state: CorrectionState, *, now: datetime, actor: str, note: str = ""
    ) -> Correction:
        """Change the state; ConflictError if it, or what is sealed, is no longer the expected one."""
        values = {"state": state, "changed_at": now, "changed_by": storable(actor), "note": storable(note)}
        with self.database.write() as connection:
            edition_rows.lock(connection)
            if _require(connection, expected.key) != expected:
                raise _conflict(expected.week)
            connection.execute(update(correction).where(_is(*expected.key)).values(values))
            return _require(connection, expected.key)

    def discard(self, expected: Correction) -> None:
        """Delete a draft; what was sealed for it is kept. ConflictError if it is not the expected one any more."""
        with self.database.write() as connection:
            edition_rows.lock(connection)
            if _require(connection, expected.key) != expected or expected.state != "draft":
                raise _conflict(expected.week)
            connection.execute(delete(correction).where(_is(*expected.key)))

    def adopt(self, known: Correction, sealed: SealedEdition) -> None:
        """Store a correction that left without this store's knowledge, in place of what it has under that number."""
        week, number = known.key
        with self.database.write() as connection:
            edition_rows.lock(connection)
            own = next(iter(_select(connection, _is(week, number))), None)
            version = connection.scalar(select(correction.c.version).where(_is(week, number)))
            if own is None or own.content_hash != sealed.edition.content_hash:
                version = edition_rows.insert_version(connection, sealed)
            values = {name: getattr(known, name) for name in _NAMES}
            upsert(connection, correction, values | {"version": version})

    def _list(self, condition: ColumnElement[bool]) -> list[Correction]:
        with self.database.read() as connection:
            return _select(connection, condition)


def _select(connection: Connection, condition: ColumnElement[bool]) -> list[Correction]:
    query = _CORRECTION.where(condition).order_by(correction.c.week, correction.c.number)
    return [_correction(row) for row in connection.execute(query).mappings()]


def _require(connection: Connection, key: DispatchKey) -> Correction:
    corrections = _select(connection, _is(*key))
    if not corrections:
        raise _conflict(key[0])
    return corrections[0]


def _is(week: str, number: int) -> ColumnElement[bool]:
    return and_(correction.c.week == week, correction.c.number == number)


def _conflict(week: str) -> ConflictError:
    return ConflictError(
        f"The correction of {week} was changed by another process a moment ago: look at it, then decide again."
    )


def _correction(row: RowMapping) -> Correction:
    names = (*_NAMES, "content_hash", "sealed_at", "sealed_by")
    return Correction(**{name: row[name] for name in names})
