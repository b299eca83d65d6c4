"""The repository of mails to one person: a queue from which each mail is sent once.

A mail is claimed before it is sent. A claim whose process died ends after ``CLAIM_TTL``, and the mail is sent again: a
second confirmation mail does less harm than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from pipeline.model.subscriber import MailKind, PersonMail, PersonMailQueue, PersonMailRecord
from pipeline.store.database import Database
from pipeline.store.dialects import insert_if_absent
from pipeline.store.rows import storable
from pipeline.store.schema import given_guide, is_mail_pending, person_mail, subscriber
from pipeline.store.subscribers import read_subscriber

_ADD = person_mail.insert().inline()
CLAIM_TTL = timedelta(minutes=20)
"""How long a claim counts; longer than any mail server takes to answer."""


@dataclass(frozen=True, slots=True)
class PersonMailRepository:
    """Mails by subscriber, and the guides that were given to them."""

    database: Database

    def add(self, kind: MailKind | None, subscriber_id: int, *, form: str, now: datetime, due_at: datetime) -> None:
        """Add a mail that is due at an instant; None adds one that is never sent, in the same time as any other."""
        row = {
            "kind": kind or "none",
            "subscriber_id": subscriber_id,
            "form": form,
            "created_at": now,
            "due_at": due_at if kind else None,
            "attempts": 0,
            "error": "",
        }
        with self.database.write(counted=False) as connection:
            connection.execute(_ADD, row)

    def prune(self, before: datetime) -> None:
        """Delete the rows of mails that were never to be sent, if they are older."""
        is_never_sent = (person_mail.c.kind == "none") & (person_mail.c.created_at < before)
        with self.database.write(counted=False) as connection:
            connection.execute(delete(person_mail).where(is_never_sent))

    def claim_due(self, now: datetime, *, limit: int = 50) -> list[PersonMail]:
        """Claim mails that are due, the oldest first, and return them."""
        due = (
            select(person_mail.c.mail_id)
            .where(is_mail_pending, person_mail.c.due_at <= now, _is_free(now))
            .order_by(person_mail.c.due_at, person_mail.c.mail_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        with self.database.write(counted=False) as connection:
            ids = list(connection.scalars(due))
            connection.execute(
                update(person_mail)
                .where(person_mail.c.mail_id.in_(ids))
                .values(claimed_until=now + CLAIM_TTL, attempts=person_mail.c.attempts + 1)
            )
            columns = [person_mail.c[name] for name in ("mail_id", "kind", "attempts")]
            query = (
                select(
                    subscriber,
                    *columns,
                    person_mail.c.form.label("mail_form"),
                    person_mail.c.created_at.label("requested_at"),
                )
                .join_from(person_mail, subscriber)
                .where(person_mail.c.mail_id.in_(ids))
                .order_by(person_mail.c.due_at, person_mail.c.mail_id)
            )
            return [
                PersonMail(
                    id=row["mail_id"],
                    kind=row["kind"],
                    subscriber=read_subscriber(row),
                    form=row["mail_form"],
                    attempts=row["attempts"],
                    created_at=row["requested_at"],
                )
                for row in connection.execute(query).mappings()
            ]

    def mark_sent(self, mail: PersonMail, now: datetime) -> None:
        """Record that a mail was sent, or may have been."""
        self._settle(mail, sent_at=now)

    def retry(self, mail: PersonMail, *, due_at: datetime | None, error: str, now: datetime) -> None:
        """Record why a mail could not be sent, and send it again later; never with None."""
        self._settle(mail, due_at=due_at, failed_at=now, error=error)

    def postpone(self, *, due_at: datetime, error: str, now: datetime) -> None:
        """Send all mails that are due, and not claimed, later, since none of them can be sent now."""
        with self.database.write(counted=False) as connection:
            connection.execute(
                update(person_mail)
                .where(is_mail_pending, person_mail.c.due_at <= now, _is_free(now))
                .values(due_at=due_at, failed_at=now, error=storable(error))
            )

    def drop(self, mail: PersonMail, reason: str) -> None:
        """Do not send a mail that is not wanted any more, and remember why."""
        self._settle(mail, error=reason)

    def next_due_at(self) -> datetime | None:
        """Return when the next mail is due, or None if none is waiting."""
        with self.database.read() as connection:
            due_at: datetime | None = connection.scalar(select(func.min(person_mail.c.due_at)).where(is_mail_pending))
            return due_at

    def last_sent_at(self, subscriber_id: int, kind: MailKind) -> datetime | None:
        """Return when a person was last sent a mail of a kind, or None."""
        is_it = (person_mail.c.subscriber_id == subscriber_id) & (person_mail.c.kind == kind)
        with self.database.read() as connection:
            sent_at: datetime | None = connection.scalar(select(func.max(person_mail.c.sent_at)).where(is_it))
            return sent_at

    def queue(self, now: datetime) -> PersonMailQueue:
        """Return how many mails are waiting, and the newest failure."""
        failed = person_mail.c.failed_at.is_not(None)
        due = person_mail.c.due_at <= now
        counts = select(
            func.count().filter(due).label("due"),
            func.min(person_mail.c.due_at).filter(due).label("due_since"),
            func.count().filter(failed).label("failed"),
        ).where(is_mail_pending)
        newest = select(person_mail.c.failed_at, person_mail.c.error).where(failed)
        with self.database.read() as connection:
            count = connection.execute(counts).one()
            failure = connection.execute(
                newest.order_by(person_mail.c.failed_at.desc(), person_mail.c.mail_id.desc()).limit(1)
            ).first()
        return PersonMailQueue(
            waiting=count.due,
            waiting_since=count.due_since,
            failed=count.failed,
            failed_at=failure.failed_at if failure else None,
            error=failure.error if failure else "",
        )

    def give_guide(self, subscriber_id: int, form: str, version: str, now: datetime) -> bool:
        """Record that a version of a form's guide is given; return False if the person was given it before."""
        row = {"subscriber_id": subscriber_id, "form": form, "version": version, "given_at": now}
        with self.database.write(counted=False) as connection:
            return insert_if_absent(connection, given_guide, row)

    def guides_of(self, subscriber_id: int) -> list[tuple[str, str, datetime]]:
        """Return the guides a person was given: form, version, time."""
        query = select(given_guide.c.form, given_guide.c.version, given_guide.c.given_at)
        query = query.where(given_guide.c.subscriber_id == subscriber_id)
        query = query.order_by(given_guide.c.given_at, given_guide.c.form, given_guide.c.version)
        with self.database.read() as connection:
            return [(form, version, given_at) for form, version, given_at in connection.execute(query)]

    def of_subscriber(self, subscriber_id: int) -> list[PersonMailRecord]:
        """Return the mails to a person, the oldest first."""
        columns = [person_mail.c[name] for name in ("kind", "form", "created_at", "sent_at")]
        query = select(*columns).where(person_mail.c.subscriber_id == subscriber_id).order_by(person_mail.c.mail_id)
        with self.database.read() as connection:
            return [PersonMailRecord(**row) for row in connection.execute(query).mappings()]

    def _settle(
        self,
        mail: PersonMail,
        *,
        due_at: datetime | None = None,
        sent_at: datetime | None = None,
        failed_at: datetime | None = None,
        error: str = "",
    ) -> None:
        values = {
            "due_at": due_at,
            "sent_at": sent_at,
            "failed_at": failed_at,
            "error": storable(error),
            "claimed_until": None,
        }
        # Another process may have taken the mail over since: its claim counts one attempt more.
        is_ours = (person_mail.c.mail_id == mail.id) & (person_mail.c.attempts == mail.attempts)
        with self.database.write(counted=False) as connection:
            connection.execute(update(person_mail).where(is_ours).values(values))


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(person_mail.c.claimed_until.is_(None), person_mail.c.claimed_until <= now)
