"""The tables of runs: which periods were taken on, and which run of each schedule is the newest.

In: nothing. Out: SQLAlchemy tables, beside those of ``tables``. Touches no database.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from pipeline.store.columns import Instant
from pipeline.store.tables import metadata

run = Table(
    "run",
    metadata,
    Column("schedule_id", Text, primary_key=True),
    Column("period_key", Text, primary_key=True),
    Column("claimed_at", Instant, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("finished_at", Instant),
    Column("free_at", Instant),
)

# A tick need not look through all runs there ever were.
schedule = Table(
    "schedule",
    metadata,
    Column("schedule_id", Text, primary_key=True),
    Column("period_key", Text, nullable=False),
)
