"""Send the mails to one person that are due: confirmations, guides and the like.

Each is claimed, checked again and sent by itself, so that none waits for another. No address is logged or kept with an
error.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.audience.person_mails import reason_to_drop, recipient, retry_at
from pipeline.jobs.audience.context import Guide
from pipeline.jobs.audience.person_mail_writer import PersonMailWriter
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.jobs.ports import Mailer
from pipeline.model.errors import (
    AlreadyDeliveredError,
    DeliveryFailedError,
    DeliveryInterrupted,
    DeliveryKind,
    DeliveryUncertainError,
    RefusedError,
)
from pipeline.model.subscriber import PersonMail
from pipeline.text.format import pluralize

log = logging.getLogger(__name__)

SERVER_FAILURES: tuple[DeliveryKind, ...] = ("failed", "unreachable", "insecure", "login", "sender")
"""Failures that would meet every other mail, too."""
SERVER_PAUSE = timedelta(minutes=5)
"""How long the mail server is left alone then: many failed logins may lock the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMailer:
    """Sends mails to one person from the queue."""

    writer: PersonMailWriter
    mailer: Mailer
    read_seconds: Callable[[], float] = time.monotonic
    """Reads a clock that only runs forward: a claim counts from when it is made."""

    def send_due(self, now: datetime, *, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Send the mails that are due, until ``is_stopping``, and return how many were sent.

        A mail that could not be sent is tried again later, and so are all others if the mail server is the reason.
        Never raises for a single mail; StoreError if the store fails.
        """
        began, sent = self.read_seconds(), 0
        queue = self.writer.context.store.person_mails
        while not is_stopping():
            claimed = queue.claim_due(at := now + timedelta(seconds=self.read_seconds() - began), limit=1)
            if not claimed:
                break
            failure = self._send(claimed[0], at)
            if failure is None:
                sent += 1
            elif failure in SERVER_FAILURES:
                error = queue.queue(at).error
                queue.postpone(due_at=at + SERVER_PAUSE, error=error, now=at)
                break
        if sent:
            log.info("%s to one person sent", pluralize(sent, "mail"))
        return sent

    def _send(self, mail: PersonMail, now: datetime) -> DeliveryKind | str | None:
        """Send a claimed mail, or record why not; return None if it was sent, else the kind of failure."""
        context = self.writer.context
        address = recipient(mail)
        reason = reason_to_drop(mail, context.suppression(address), self.writer.expires_at(mail), now)
        if reason:
            return self._drop(mail, reason)
        guide = None
        try:
            guide = self.writer.guide(mail)
            self.mailer.send(self.writer.message(mail, address, now), address)
        except RefusedError as error:
            return self._drop(mail, str(error))
        except (DeliveryUncertainError, AlreadyDeliveredError):
            log.warning("a mail (%s) may have been sent without an answer; it is not sent again", mail.kind)
        except DeliveryInterrupted:
            self._sent(mail, guide, now)
            raise
        except DeliveryFailedError as error:
            self._failed(mail, str(error), now, is_final=_is_permanent(error))
            return error.kind
        except Exception as error:  # a bug, or a broken template: the others are sent all the same
            self._failed(mail, f"{type(error).__name__}: {error}", now)
            return "not written"
        self._sent(mail, guide, now)
        return None

    def _sent(self, mail: PersonMail, guide: Guide | None, now: datetime) -> None:
        """Record that a mail was sent, and the guide in it; that of a mail of kind ``guide`` mostly is recorded."""
        store = self.writer.context.store
        with store.audience_transaction():
            store.person_mails.mark_sent(mail, now)
            if guide:
                subscriptions = Subscriptions(self.writer.context)
                subscriptions.record_guide(mail.subscriber, guide, now, again=mail.kind == "already")

    def _drop(self, mail: PersonMail, reason: str) -> str:
        self.writer.context.store.person_mails.drop(mail, reason)
        log.info("a mail (%s) is not sent: %s", mail.kind, reason)
        return "dropped"

    def _failed(self, mail: PersonMail, error: str, now: datetime, *, is_final: bool = False) -> None:
        error = without_addresses(error)
        due_at = None if is_final else retry_at(mail, now)
        self.writer.context.store.person_mails.retry(mail, due_at=due_at, error=error, now=now)
        outcome = "is tried again later" if due_at else "is given up"
        log.warning("a mail (%s) could not be sent and %s: %s", mail.kind, outcome, error)


def without_addresses(text: str) -> str:
    """Return a text with "…" in place of each word that has an "@".

    >>> without_addresses("refuses ann@x.example: check it (550 5.1.1 <ANN@x.example> is unknown)")
    'refuses … check it (550 5.1.1 … is unknown)'
    """
    return " ".join("…" if "@" in word else word for word in text.split())


def _is_permanent(error: DeliveryFailedError) -> bool:
    """Check whether a server refused the recipient for good, and not because of its policy (5.7, RFC 3463)."""
    _, _, status = error.reply.partition(" ")
    return error.kind == "recipient" and error.reply.startswith("5") and not status.startswith("5.7.")
