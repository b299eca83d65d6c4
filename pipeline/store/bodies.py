"""Old texts: which can be missed, and how much room they took.

In: a connection, an instant. Out: ids and bytes. Begins and ends no transaction. An entry keeps its row, its names, its
fingerprint and its excerpt: it is known for ever, can be looked back to, and never returns as new.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, not_, select, update

from pipeline.store.dialects import utf8_length
from pipeline.store.schema import Instant, content, edition_entry, entry, is_quarantined, is_unassigned

_BEFORE = bindparam("before", type_=Instant)
_TOLD = select(edition_entry.c.entry_id)
# What no week has told may still be told, and what waits to be accepted is not even looked at yet.
_CAN_BE_MISSED = (
    (content.c.body_html != "")
    & (entry.c.published_at < _BEFORE)
    & (entry.c.changed_at < _BEFORE)
    & not_(is_unassigned)
    & not_(is_quarantined)
    & entry.c.entry_id.not_in(_TOLD)
)
_OLD = (
    select(content.c.entry_id)
    .join_from(content, entry)
    .where(_CAN_BE_MISSED, content.c.entry_id > bindparam("after"))
    .order_by(content.c.entry_id)
    .limit(bindparam("most"))
)


def drop(connection: Connection, before: datetime, *, after: int, most: int) -> tuple[Sequence[int], int]:
    """Empty the bodies of some entries with ids beyond ``after``; gives their ids in order, and the bytes freed."""
    chosen = list(connection.scalars(_OLD, {"before": before, "after": after, "most": most}))
    these = content.c.entry_id.in_(chosen)
    size = select(func.coalesce(func.sum(utf8_length(connection, content.c.body_html)), 0)).where(these)
    freed_bytes = connection.scalar(size) or 0
    connection.execute(update(content).where(these).values(body_html=""))
    return chosen, int(freed_bytes)
