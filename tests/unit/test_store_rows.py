"""Rows and records: what is kept of an entry beyond its columns."""

from __future__ import annotations

from typing import Any, cast

from pipeline.model.update import EntryChange
from pipeline.store.rows import content_row, entry_row, stored_entry
from tests.factories import entry

BESIDE = dict.fromkeys(
    ("entry_id", "first_seen_at", "changed_at", "vanished_at", "archived", "withdrawn_at", "quarantined_at")
)
PLACED = dict.fromkeys(("assigned_week", "edition_week", "released_from", "late_counterpart"))


def test_what_another_version_wrote_down_besides_is_passed_over() -> None:
    """A fact that no entry has any more, as the reading minutes once were, leaves the entry as it is."""
    salt = entry("Salt", author="Ada")
    content = content_row(salt)
    row: dict[str, Any] = {
        **BESIDE,
        **PLACED,
        **entry_row(EntryChange(kind="new", entry=salt, fingerprint="1")),
        **content,
    }
    assert content["details"]
    assert stored_entry(cast("Any", row)).entry == salt
    row["details"] = {**content["details"], "reading_minutes": 3}
    assert stored_entry(cast("Any", row)).entry == salt
