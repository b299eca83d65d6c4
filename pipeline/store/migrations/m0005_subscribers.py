"""Create the tables of subscribers."""

from __future__ import annotations

from sqlalchemy import Connection

_TYPES = {
    "sqlite": {"id": "INTEGER NOT NULL PRIMARY KEY", "ref": "INTEGER", "instant": "DATETIME"},
    "postgresql": {"id": "BIGSERIAL NOT NULL PRIMARY KEY", "ref": "BIGINT", "instant": "TIMESTAMP WITH TIME ZONE"},
}
_STATEMENTS = (
    """CREATE TABLE subscriber (
subscriber_id {id}, address TEXT NOT NULL, address_key TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL,
topics TEXT NOT NULL, frequency TEXT NOT NULL, language TEXT NOT NULL, form TEXT NOT NULL, basis TEXT,
created_at {instant} NOT NULL, confirmed_at {instant}, changed_at {instant} NOT NULL, paused_until {instant},
requested JSON, new_address TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX subscriber_address ON subscriber (address_key)",
    "CREATE INDEX subscriber_state ON subscriber (state, subscriber_id)",
    "CREATE INDEX subscriber_created ON subscriber (created_at)",
    """CREATE TABLE wording (
wording_id {id}, form TEXT NOT NULL, language TEXT NOT NULL, version INTEGER NOT NULL, text TEXT NOT NULL,
first_used_at {instant} NOT NULL)""",
    "CREATE UNIQUE INDEX wording_version ON wording (form, language, version)",
    """CREATE TABLE subscription_event (
event_id {id}, subscriber_id {ref} NOT NULL, at {instant} NOT NULL,
kind TEXT NOT NULL, actor TEXT NOT NULL, form TEXT NOT NULL, wording_id {ref},
ip_address TEXT NOT NULL, user_agent TEXT NOT NULL, page TEXT NOT NULL, details JSON NOT NULL,
FOREIGN KEY(subscriber_id) REFERENCES subscriber (subscriber_id),
FOREIGN KEY(wording_id) REFERENCES wording (wording_id))""",
    "CREATE INDEX subscription_event_subscriber ON subscription_event (subscriber_id)",
    "CREATE INDEX subscription_event_kind ON subscription_event (kind, at)",
    """CREATE TABLE suppression (
address_hash TEXT NOT NULL PRIMARY KEY, reason TEXT NOT NULL, suppressed_at {instant} NOT NULL,
actor TEXT NOT NULL)""",
    """CREATE TABLE person_mail (
mail_id {id}, kind TEXT NOT NULL, subscriber_id {ref} NOT NULL REFERENCES subscriber (subscriber_id),
form TEXT NOT NULL, created_at {instant} NOT NULL, due_at {instant}, claimed_until {instant},
attempts INTEGER NOT NULL, sent_at {instant}, failed_at {instant}, error TEXT NOT NULL)""",
    "CREATE INDEX person_mail_due ON person_mail (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX person_mail_failed ON person_mail (failed_at)",
    "CREATE INDEX person_mail_subscriber ON person_mail (subscriber_id)",
    """CREATE TABLE given_guide (
subscriber_id {ref} NOT NULL REFERENCES subscriber (subscriber_id), form TEXT NOT NULL, version TEXT NOT NULL,
given_at {instant} NOT NULL, PRIMARY KEY (subscriber_id, form, version))""",
    """CREATE TABLE signup_limit (
key TEXT NOT NULL PRIMARY KEY, since {instant} NOT NULL, count INTEGER NOT NULL, expires_at {instant} NOT NULL)""",
    "CREATE INDEX signup_limit_expires ON signup_limit (expires_at)",
    "CREATE TABLE audience_key (purpose TEXT NOT NULL PRIMARY KEY, secret TEXT NOT NULL)",
    """CREATE TABLE audience_log (
log_id {id}, at {instant} NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, details JSON NOT NULL)""",
)


def upgrade(connection: Connection) -> None:
    """Create the tables."""
    types = _TYPES[connection.dialect.name]
    for statement in _STATEMENTS:
        connection.exec_driver_sql(statement.format(**types))
