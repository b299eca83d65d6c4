"""Tables of people: subscriptions and their history, suppressed addresses, mails to one person."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, Table, Text

from pipeline.store.schema.types import ROW_ID, Instant, metadata

# ``address_key`` finds a person however they write the address.
subscriber = Table(
    "subscriber",
    metadata,
    Column("subscriber_id", ROW_ID, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("topics", Text, nullable=False),
    Column("frequency", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("basis", Text),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("changed_at", Instant, nullable=False),
    Column("paused_until", Instant),
    Column("requested", JSON(none_as_null=True)),
    Column("new_address", Text, nullable=False),
)
Index("subscriber_address", subscriber.c.address_key, unique=True)
Index("subscriber_state", subscriber.c.state, subscriber.c.subscriber_id)
Index("subscriber_created", subscriber.c.created_at)

# Every wording of a tick box that was ever shown, so that a receipt can quote it.
wording = Table(
    "wording",
    metadata,
    Column("wording_id", ROW_ID, primary_key=True),
    Column("form", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("first_used_at", Instant, nullable=False),
)
Index("wording_version", wording.c.form, wording.c.language, wording.c.version, unique=True)

# The history of a subscription: rows are added, never changed; erasing a person deletes theirs.
subscription_event = Table(
    "subscription_event",
    metadata,
    Column("event_id", ROW_ID, primary_key=True),
    Column("subscriber_id", ForeignKey("subscriber.subscriber_id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("wording_id", ForeignKey("wording.wording_id")),
    Column("ip_address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("page", Text, nullable=False),
    Column("details", JSON, nullable=False),
)
Index("subscription_event_subscriber", subscription_event.c.subscriber_id)
Index("subscription_event_kind", subscription_event.c.kind, subscription_event.c.at)

# Addresses that never get mail. Only an HMAC of each, since erased people are among them.
suppression = Table(
    "suppression",
    metadata,
    Column("address_hash", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("suppressed_at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
)

# Mails to one person: pending while ``due_at`` is set. A claim that has ended is taken over.
person_mail = Table(
    "person_mail",
    metadata,
    Column("mail_id", ROW_ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subscriber_id", ForeignKey("subscriber.subscriber_id"), nullable=False),
    Column("form", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("claimed_until", Instant),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Instant),
    Column("failed_at", Instant),
    Column("error", Text, nullable=False),
)
is_mail_pending = person_mail.c.due_at.is_not(None)
Index("person_mail_due", person_mail.c.due_at, sqlite_where=is_mail_pending)
Index("person_mail_failed", person_mail.c.failed_at)
Index("person_mail_subscriber", person_mail.c.subscriber_id)

# Which version of which form's guide each person was given.
given_guide = Table(
    "given_guide",
    metadata,
    Column("subscriber_id", ForeignKey("subscriber.subscriber_id"), primary_key=True),
    Column("form", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("given_at", Instant, nullable=False),
)

# Counters of sign-ups by network, form and address (as an HMAC): how many since when.
signup_limit = Table(
    "signup_limit",
    metadata,
    Column("key", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
Index("signup_limit_expires", signup_limit.c.expires_at)

# Secrets that sign links to people and hash suppressed addresses. They move with the people.
audience_key = Table(
    "audience_key",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("secret", Text, nullable=False),
)

# What the operator did to people's data: exports, imports, erasures. People are named by their HMAC only.
audience_log = Table(
    "audience_log",
    metadata,
    Column("log_id", ROW_ID, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("details", JSON, nullable=False),
)
