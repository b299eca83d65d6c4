"""Rows of editions: records, sealed editions and reserved entries. Runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, select, update

from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, EditorLink, Overrides, SealedEdition, StoryEdit
from pipeline.model.errors import ConflictError
from pipeline.model.variant import Variant, VariantKey
from pipeline.store.clicks import insert_links
from pipeline.store.dialects import insert, upsert
from pipeline.store.schema import (
    commit_counter,
    content,
    edition,
    edition_entry,
    entry,
    published_text,
    sealed_edition,
    sealed_variant,
)
from pipeline.text.text_keys import text_keys

_NEWEST = (sealed_edition.c.week == edition.c.week) & (sealed_edition.c.version == edition.c.version)
_RECORD = select(
    *(edition.c[name] for name in ("week", "state", "number", "revision", "changed_at", "changed_by", "note")),
    sealed_edition.c.sealed_at,
    *(func.coalesce(sealed_edition.c[name], "").label(name) for name in ("content_hash", "sealed_by")),
).outerjoin_from(edition, sealed_edition, _NEWEST)
_SEALED = select(sealed_edition, edition.c.number).join_from(edition, sealed_edition, _NEWEST)
_VERSION = select(sealed_edition, edition.c.number).join_from(edition, sealed_edition)
_WITH_KEYS = (
    select(published_text.c.entry_id)
    .distinct()
    .join(edition_entry, edition_entry.c.entry_id == published_text.c.entry_id)
    .where(published_text.c.key.in_(bindparam("keys", expanding=True)))
)
_MAX_KEYS = 10_000  # in one statement; SQLite allows 32,766 parameters
_VARIANT_PARTS = ("subject", "preheader", "html", "text", "eml")
_PARTS = ("content_hash", "subject", "preheader", "html", "text", "eml", "manifest")


def records(connection: Connection) -> dict[str, EditionRecord]:
    """Return the record of every edition whose state was ever changed, by week."""
    return {row["week"]: EditionRecord(**row) for row in connection.execute(_RECORD).mappings()}


def record(connection: Connection, week: str) -> EditionRecord:
    """Return the record of a week's edition; a draft if its state was never changed."""
    row = connection.execute(_RECORD.where(edition.c.week == week)).mappings().first()
    return EditionRecord(**row) if row else EditionRecord(week=week)


def next_number(connection: Connection) -> int:
    """Return the number after the highest one there is."""
    return connection.scalar(select(func.coalesce(func.max(edition.c.number), 0))) + 1  # type: ignore[operator]


def sent_before(connection: Connection, week: str) -> str | None:
    """Return the newest week before this one whose edition was sent, or None."""
    was_sent = (edition.c.week < week) & (edition.c.state == "sent")
    previous: str | None = connection.scalar(select(func.max(edition.c.week)).where(was_sent))
    return previous


def newest_sealed(connection: Connection, week: str) -> SealedEdition | None:
    """Return a week's newest sealed edition, or None; corrections do not count."""
    row = connection.execute(_SEALED.where(edition.c.week == week)).mappings().first()
    return _sealed_edition(row, _variants(connection, week, row["version"])) if row else None


def subjects(connection: Connection) -> dict[str, str]:
    """Return the subject of the newest sealed edition of each week that has one."""
    newest = select(edition.c.week, sealed_edition.c.subject).join_from(edition, sealed_edition, _NEWEST)
    return {row.week: row.subject for row in connection.execute(newest)}


def splits(connection: Connection, weeks: Collection[str]) -> tuple[str, ...]:
    """Return the references that the editor split from their stories in the newest sealed editions of some weeks."""
    newest = select(sealed_edition.c.overrides).join_from(edition, sealed_edition, _NEWEST)
    stored = connection.execute(newest.where(edition.c.week.in_(weeks))).scalars()
    return tuple(reference for overrides in stored for reference in overrides.get("split", ()))


def sealed_version(connection: Connection, week: str, version: int) -> SealedEdition:
    """Return what was sealed as a version of a week."""
    is_version = (sealed_edition.c.week == week) & (sealed_edition.c.version == version)
    row = connection.execute(_VERSION.where(is_version)).mappings().one()
    return _sealed_edition(row, _variants(connection, week, version))


def lock(connection: Connection) -> None:
    """Wait for other writers on PostgreSQL; SQLite's write transaction has done so, and ignores ``FOR UPDATE``."""
    connection.execute(select(commit_counter.c.commits).with_for_update())


def change_record(connection: Connection, expected: EditionRecord, values: Mapping[str, Any]) -> None:
    """Write the columns of a transition; raise ConflictError if the record is no longer the expected one."""
    lock(connection)
    draft = {"week": expected.week, "state": "draft", "revision": 0, "changed_by": "", "note": ""}
    connection.execute(insert(connection.dialect.name, edition).values(draft).on_conflict_do_nothing())
    unchanged = (edition.c.week == expected.week) & (edition.c.revision == expected.revision)
    statement = update(edition).where(unchanged).values(revision=expected.revision + 1, **values)
    if connection.execute(statement.returning(edition.c.week)).first() is None:
        raise ConflictError(
            f"{expected.week} was changed by another process a moment ago: "
            "see its state with `pipeline status`, then decide again."
        )


def withdraw_unsent(connection: Connection, sent: EditionRecord, entry_ids: Collection[int]) -> None:
    """Make drafts of other editions that were not sent and have the number of a sent edition or one of its entries."""
    owners = select(edition_entry.c.week).where(edition_entry.c.entry_id.in_(entry_ids))
    conflicts = (edition.c.number == sent.number) | edition.c.week.in_(owners)
    is_unsent = (edition.c.week != sent.week) & edition.c.state.not_in(("sending", "sent"))
    for week, state in connection.execute(select(edition.c.week, edition.c.state).where(is_unsent, conflicts)).all():
        unreserve(connection, week)
        values = {"number": None, "version": None, "state": "draft" if state == "approved" else state}
        withdrawn = update(edition).where(edition.c.week == week)
        connection.execute(withdrawn.values(values | {"revision": edition.c.revision + 1}))


def replace_record(connection: Connection, sent: EditionRecord) -> None:
    """Write the record of a sent edition in place of its week's; ``insert_sealed`` writes its number."""
    revision = max(record(connection, sent.week).revision, sent.revision) + 1
    columns = ("week", "state", "changed_at", "changed_by", "note")
    values = {name: getattr(sent, name) for name in columns} | {"revision": revision}
    upsert(connection, edition, values)


def insert_sealed(connection: Connection, sealed: SealedEdition) -> None:
    """Insert a sealed edition as the newest version of its week."""
    version = insert_version(connection, sealed)
    current = update(edition).where(edition.c.week == sealed.edition.week)
    connection.execute(current.values(number=sealed.edition.number, version=version))


def insert_version(connection: Connection, sealed: SealedEdition) -> int:
    """Insert sealed bytes beside the edition of their week, which stays as it is, and return their version."""
    week = sealed.edition.week
    newest = connection.scalar(select(func.max(sealed_edition.c.version)).where(sealed_edition.c.week == week))
    version = (newest or 0) + 1
    values = {name: getattr(sealed.edition, name) for name in _PARTS}
    values |= {"week": week, "version": version, "sealed_at": sealed.sealed_at, "sealed_by": sealed.sealed_by}
    values |= {"stories": sealed.stories, "overrides": asdict(sealed.overrides)}
    connection.execute(sealed_edition.insert().values(values))
    rows = [_variant_row(variant) | {"position": at} for at, variant in enumerate(sealed.edition.variants)]
    if rows:
        connection.execute(sealed_variant.insert(), [row | {"week": week, "version": version} for row in rows])
    insert_links(connection, week, sealed.edition.manifest)
    return version


def reactivate(connection: Connection, week: str) -> None:
    """Make the newest sealed edition of a resumed week the approved one again."""
    connection.execute(update(edition).where(edition.c.week == week).values(state="approved"))


def reserve(connection: Connection, week: str, entry_ids: Collection[int]) -> None:
    """Reserve entries for an edition; raise ConflictError if another edition has one of them."""
    _write_entries(connection, dict.fromkeys(entry_ids, week), late_counterpart=False)
    reserved = select(func.count()).where(edition_entry.c.week == week, edition_entry.c.late_counterpart.is_(False))
    if connection.scalar(reserved) != len(entry_ids):
        raise ConflictError(
            f"An entry of {week} went into another edition a moment ago: make the digest again, then decide."
        )


def reserve_free(connection: Connection, week: str, entry_ids: Collection[int]) -> None:
    """Reserve entries for an edition that was sent, apart from those of other editions."""
    _write_entries(connection, dict.fromkeys(entry_ids, week), late_counterpart=False)


def entries_with(connection: Connection, keys: Sequence[int]) -> set[int]:
    """Return the ids of entries in sealed editions whose texts have one of these keys."""
    return {
        entry_id
        for start in range(0, len(keys), _MAX_KEYS)
        for entry_id in connection.scalars(_WITH_KEYS, {"keys": keys[start : start + _MAX_KEYS]})
    }


def unreserve(connection: Connection, week: str) -> None:
    """Delete an edition's reservations and late counterparts."""
    connection.execute(delete(edition_entry).where(edition_entry.c.week == week))


def link_counterparts(connection: Connection, weeks_by_entry: Mapping[int, str]) -> None:
    """Record entries whose story an edition has published without them; weeks without an edition are ignored."""
    query = select(edition_entry.c.week).where(edition_entry.c.week.in_(set(weeks_by_entry.values())))
    existing = set(connection.scalars(query))
    rows = {entry_id: week for entry_id, week in weeks_by_entry.items() if week in existing}
    _write_entries(connection, rows, late_counterpart=True)


def _write_entries(connection: Connection, weeks: Mapping[int, str], *, late_counterpart: bool) -> None:
    """Write rows, where an entry is not reserved yet; a late counterpart may still be reserved."""
    rows = [
        {"entry_id": entry_id, "week": week, "late_counterpart": late_counterpart} for entry_id, week in weeks.items()
    ]
    if rows:
        statement = insert(connection.dialect.name, edition_entry)
        new = {name: statement.excluded[name] for name in ("week", "late_counterpart")}
        key, is_free = [edition_entry.c.entry_id], edition_entry.c.late_counterpart
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=new, where=is_free), rows)
        _write_text_keys(connection, weeks)


def _write_text_keys(connection: Connection, entry_ids: Collection[int]) -> None:
    """Write the keys by which the texts of entries are found again, once an edition carries them."""
    columns = (
        entry.c.entry_id,
        entry.c.feed_id,
        entry.c.title,
        entry.c.url_key,
        content.c.details,
        content.c.body_html,
    )
    texts = connection.execute(select(*columns).join_from(entry, content).where(entry.c.entry_id.in_(entry_ids)))
    rows = [
        {"key": key, "entry_id": row.entry_id}
        for row in texts.all()
        for key in text_keys(row.feed_id, row.title, row.url_key, row.body_html or row.details.get("excerpt_text", ""))
    ]
    if rows:
        connection.execute(insert(connection.dialect.name, published_text).on_conflict_do_nothing(), rows)


def _variants(connection: Connection, week: str, version: int) -> tuple[Variant, ...]:
    of_edition = (sealed_variant.c.week == week) & (sealed_variant.c.version == version)
    rows = connection.execute(select(sealed_variant).where(of_edition).order_by(sealed_variant.c.position)).mappings()
    return tuple(
        Variant(
            key=VariantKey(topics=tuple(row["topics"].split()), frequency=row["frequency"]),
            shown=tuple(row["shown"].split()),
            subscribers=row["subscribers"],
            **{name: row[name] for name in _VARIANT_PARTS},
        )
        for row in rows
    )


def _variant_row(variant: Variant) -> dict[str, Any]:
    return {
        "topics": " ".join(variant.key.topics),
        "frequency": variant.key.frequency,
        "shown": " ".join(variant.shown),
        "subscribers": variant.subscribers,
        **{name: getattr(variant, name) for name in _VARIANT_PARTS},
    }


def _sealed_edition(row: RowMapping, variants: tuple[Variant, ...]) -> SealedEdition:
    parts = {name: row[name] for name in _PARTS}
    return SealedEdition(
        edition=Edition(week=row["week"], state="approved", number=row["number"], variants=variants, **parts),
        stories=tuple(tuple(story) for story in row["stories"]),
        overrides=_overrides(row["overrides"]),
        sealed_at=row["sealed_at"],
        sealed_by=row["sealed_by"],
    )


def _overrides(stored: Mapping[str, Any]) -> Overrides:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    values["links"] = tuple(EditorLink(**link) for link in stored["links"])
    values["stories"] = {story: StoryEdit(**edit) for story, edit in stored.get("stories", {}).items()}
    values["join"] = tuple(tuple(references) for references in stored.get("join", ()))
    values["related"] = {story: tuple(references) for story, references in stored["related"].items()}
    return Overrides(**values)
