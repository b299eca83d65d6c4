"""Tables for operating the program: migrations, runs of tasks, alerts, signing keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from pipeline.store.schema.types import ROW_ID, Instant, metadata

migration = Table(
    "pipeline_migration",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)

# One row: the number of transactions that were committed.
commit_counter = Table(
    "commit_counter",
    metadata,
    Column("counter_id", Integer, primary_key=True, autoincrement=False),
    Column("commits", BigInteger, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("period_key", Text, primary_key=True),
    Column("claimed_at", Instant, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("finished_at", Instant),
    Column("retry_at", Instant),
)

# Points to the newest run of each task, so that a tick does not have to read all runs.
newest_run = Table(
    "newest_run",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("period_key", Text, nullable=False),
)

# One row for each time an alert was raised. The unique index guarantees one open alert of a key, however many
# processes raise it.
alert = Table(
    "alert",
    metadata,
    Column("alert_id", ROW_ID, primary_key=True),
    Column("key", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("closed_at", Instant),
)
is_open = alert.c.closed_at.is_(None)
Index("alert_open", alert.c.key, unique=True, sqlite_where=is_open)

# An alert and one channel: pending while ``due_at`` is set, sent at ``sent_at``.
alert_delivery = Table(
    "alert_delivery",
    metadata,
    Column("alert_id", ForeignKey("alert.alert_id"), primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("sent_at", Instant),
    Column("error", Text, nullable=False),
)
is_pending = alert_delivery.c.due_at.is_not(None)
Index("alert_delivery_due", alert_delivery.c.due_at, sqlite_where=is_pending)

# One row: the publication that uses the database and its config.toml, so that a second one is noticed.
owner = Table(
    "owner",
    metadata,
    Column("owner_id", Integer, primary_key=True, autoincrement=False),
    Column("publication", Text, nullable=False),
    Column("config", Text, nullable=False),
)

# Secrets that sign links and sessions, one for each purpose, created at first use.
signing_key = Table(
    "signing_key",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("secret", Text, nullable=False),
)

# Sessions of the desk. Only a hash of the cookie is stored; ``editor`` is the key of the editor's address.
editor_session = Table(
    "editor_session",
    metadata,
    Column("session_id", ROW_ID, primary_key=True),
    Column("secret_hash", Text, nullable=False),
    Column("editor", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("browser", Text, nullable=False),
)
Index("editor_session_secret", editor_session.c.secret_hash, unique=True)
Index("editor_session_editor", editor_session.c.editor)
