"""Rows of editions: standings, seals, and which entries are whose.

In: a connection, frozen records. Out: frozen records. Begins and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select, update

from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, EditorLink, Overrides, SealedEdition
from pipeline.model.errors import ConflictError
from pipeline.store.dialects import insert
from pipeline.store.schema import commit_counter, edition, edition_entry, sealed_edition

_NEWEST = (sealed_edition.c.week == edition.c.week) & (sealed_edition.c.version == edition.c.version)
_STANDING = select(
    *(edition.c[name] for name in ("week", "state", "number", "revision", "changed_at", "changed_by", "note")),
    *(sealed_edition.c[name] for name in ("content_hash", "sealed_at", "sealed_by")),
).outerjoin_from(edition, sealed_edition, _NEWEST)
_SEAL = select(sealed_edition, edition.c.number).join_from(edition, sealed_edition, _NEWEST)
_PARTS = ("content_hash", "subject", "preheader", "html", "text", "eml", "manifest")


def standings(connection: Connection) -> dict[str, EditionRecord]:
    """Read where every edition stands that was ever moved, by week."""
    return {row["week"]: _standing(row) for row in connection.execute(_STANDING).mappings()}


def standing(connection: Connection, week: str) -> EditionRecord:
    """Read where a week's edition stands; a draft when nobody has moved it."""
    row = connection.execute(_STANDING.where(edition.c.week == week)).mappings().first()
    return _standing(row) if row else EditionRecord(week=week)


def next_number(connection: Connection) -> int:
    """Count one on from the highest number there is."""
    return connection.scalar(select(func.coalesce(func.max(edition.c.number), 0))) + 1  # type: ignore[operator]


def newest(connection: Connection, week: str) -> SealedEdition | None:
    """Read a week's newest seal."""
    row = connection.execute(_SEAL.where(edition.c.week == week)).mappings().first()
    return _sealed(row) if row else None


def one_at_a_time(connection: Connection) -> None:
    """Wait for whoever else is at it: SQLite sees to that by itself, and with_for_update says nothing to it."""
    connection.execute(select(commit_counter.c.commits).with_for_update())


def advance(connection: Connection, seen: EditionRecord, moved: Mapping[str, Any]) -> None:
    """Move an edition on from where it was seen; Overtaken when it stands elsewhere by now."""
    one_at_a_time(connection)
    fresh = {"week": seen.week, "state": "draft", "revision": 0, "changed_by": "", "note": ""}
    connection.execute(insert(connection.dialect.name, edition).values(fresh).on_conflict_do_nothing())
    there = (edition.c.week == seen.week) & (edition.c.revision == seen.revision)
    onward = update(edition).where(there).values(revision=seen.revision + 1, **moved)
    if connection.execute(onward.returning(edition.c.week)).first() is None:
        raise ConflictError(
            f"{seen.week} was changed by another process a moment ago: "
            "see where it stands with `pipeline status`, then decide again."
        )


def keep(connection: Connection, seal: SealedEdition) -> None:
    """Add a seal to those there were, and let the edition point to it."""
    made, week = seal.edition, seal.edition.week
    last = connection.scalar(select(func.max(sealed_edition.c.version)).where(sealed_edition.c.week == week))
    version = (last or 0) + 1
    values = {name: getattr(made, name) for name in _PARTS}
    values |= {"week": week, "version": version, "sealed_at": seal.sealed_at, "sealed_by": seal.sealed_by}
    values |= {"stories": seal.stories, "overrides": asdict(seal.overrides)}
    connection.execute(sealed_edition.insert().values(values))
    connection.execute(update(edition).where(edition.c.week == week).values(number=made.number, version=version))


def restore(connection: Connection, week: str) -> None:
    """Let a seal count again."""
    connection.execute(update(edition).where(edition.c.week == week).values(state="approved"))


def reserve(connection: Connection, week: str, entry_ids: Collection[int]) -> None:
    """Make entries an edition's own; Overtaken when one of them is another's."""
    _own(connection, dict.fromkeys(entry_ids, week), half=False)
    owned = select(func.count()).where(edition_entry.c.week == week, edition_entry.c.late_counterpart.is_(False))
    if connection.scalar(owned) != len(entry_ids):
        raise ConflictError(
            f"An entry of {week} went into another edition a moment ago: make the digest again, then decide."
        )


def bind(connection: Connection, bound: Mapping[int, str]) -> None:
    """Remember of entries that an edition, by week, has told their story without them."""
    there = set(connection.scalars(select(edition_entry.c.week).where(edition_entry.c.week.in_(set(bound.values())))))
    _own(connection, {entry_id: week for entry_id, week in bound.items() if week in there}, half=True)


def free(connection: Connection, week: str) -> None:
    """Let go of all entries of an edition."""
    connection.execute(delete(edition_entry).where(edition_entry.c.week == week))


def _own(connection: Connection, weeks: Mapping[int, str], *, half: bool) -> None:
    """Note whose entries are; one that is told elsewhere stays there, a mere half may still be told."""
    rows = [{"entry_id": entry_id, "week": week, "late_counterpart": half} for entry_id, week in weeks.items()]
    if rows:
        statement = insert(connection.dialect.name, edition_entry)
        mine = {"week": statement.excluded.week, "late_counterpart": statement.excluded.late_counterpart}
        key, free = [edition_entry.c.entry_id], edition_entry.c.late_counterpart
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=mine, where=free), rows)


def _standing(row: RowMapping) -> EditionRecord:
    known = {"content_hash": row["content_hash"] or "", "sealed_by": row["sealed_by"] or ""}
    return EditionRecord(**{**row, **known})


def _sealed(row: RowMapping) -> SealedEdition:
    parts = {name: row[name] for name in _PARTS}
    return SealedEdition(
        edition=Edition(week=row["week"], state="approved", number=row["number"], **parts),
        stories=tuple(tuple(story) for story in row["stories"]),
        overrides=_overrides(row["overrides"]),
        sealed_at=row["sealed_at"],
        sealed_by=row["sealed_by"],
    )


def _overrides(found: Mapping[str, Any]) -> Overrides:
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    values["links"] = tuple(EditorLink(**each) for each in found["links"])
    values["related"] = {story: tuple(pieces) for story, pieces in found.get("related", {}).items()}
    return Overrides(**values)
