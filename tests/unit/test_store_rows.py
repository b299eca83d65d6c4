"""Conversion of records to rows: what is stored of an entry beyond its columns."""

from __future__ import annotations

from typing import Any, cast

from pipeline.model.update import EntryChange
from pipeline.store.rows import content_row, entry_row, stored_entry
from tests.factories import entry

STORED_COLUMNS = dict.fromkeys(
    ("entry_id", "first_seen_at", "changed_at", "vanished_at", "archived", "withdrawn_at", "quarantined_at")
)
WEEK_COLUMNS = dict.fromkeys(("assigned_week", "edition_week", "released_from", "late_counterpart"))


def test_unknown_details_are_ignored() -> None:
    """A field that another version has stored does not change the entry."""
    salt = entry("Salt", author="Ada")
    content = content_row(salt)
    row: dict[str, Any] = {
        **STORED_COLUMNS,
        **WEEK_COLUMNS,
        **entry_row(EntryChange(kind="new", entry=salt, fingerprint="1")),
        **content,
    }
    assert content["details"]
    assert stored_entry(cast("Any", row)).entry == salt
    row["details"] = {**content["details"], "reading_minutes": 3}
    assert stored_entry(cast("Any", row)).entry == salt
