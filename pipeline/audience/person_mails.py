"""Rules of mails to one person: whether one is still wanted, and when one that could not be sent is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.audience.subscription import is_blocked
from pipeline.model.subscriber import MailKind, PersonMail, SuppressionReason

RETRY_GAPS = (
    *(timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3), timedelta(hours=8)),
    *(timedelta(hours=12), timedelta(days=1), timedelta(days=1)),
)
"""How long after each failed attempt the next one is made: three days in all."""


def retry_at(mail: PersonMail, now: datetime) -> datetime | None:
    """Return when to try a mail again after its newest attempt has failed; None if it was tried for three days."""
    return now + RETRY_GAPS[mail.attempts - 1] if mail.attempts <= len(RETRY_GAPS) else None


def recipient(mail: PersonMail) -> str:
    """Return the address that a mail goes to: a new one is confirmed at that address."""
    return mail.subscriber.new_address if mail.kind == "address" else mail.subscriber.address


def expires_at(mail: PersonMail, lifetimes: Mapping[MailKind, timedelta]) -> datetime | None:
    """Return when the link in a mail ends, counted from when it was asked for; None if it does not."""
    lifetime = lifetimes.get(mail.kind)
    return mail.created_at + lifetime if lifetime else None


def reason_to_drop(
    mail: PersonMail, suppression: SuppressionReason | None, ends_at: datetime | None, now: datetime
) -> str:
    """Return why a mail is not wanted any more, since something has changed while it waited; empty if it is.

    ``suppression`` is that of the recipient, and ``ends_at`` when the link in the mail ends.
    """
    subscriber = mail.subscriber
    if is_blocked(subscriber.state, suppression):
        return "the address is suppressed"
    if ends_at and ends_at <= now:
        return "the time to confirm has passed"
    if mail.kind == "confirmation" and subscriber.state == "active":
        return "the subscription is confirmed"
    if mail.kind != "confirmation" and subscriber.state != "active":
        return "the subscription has ended"
    if mail.kind == "best-of" and subscriber.is_paused(now):
        return "the subscription is paused"
    if mail.kind == "address" and subscriber.new_address in ("", subscriber.address):
        return "the address has changed"
    return ""
