"""Read the mailbox that messages come back to, record what they say, and forward replies to the editor."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from pipeline.audience.addresses import address_key
from pipeline.audience.bounces import IncomingMail, read_mail
from pipeline.jobs.deliveries.events import EventRecorder, normalised, unproved
from pipeline.jobs.ports import ReturnMailbox
from pipeline.model.alert import Alert
from pipeline.model.delivery_event import DeliveryEvent, event_key
from pipeline.model.errors import DeliveryFailedError, DeliveryUncertainError, InvalidTokenError, PipelineError
from pipeline.model.schedule import Schedule
from pipeline.model.subscriber import Subscriber
from pipeline.scheduler.engine import Done, Task

log = logging.getLogger(__name__)

ALERT_PREFIX = "bounces/"
MAX_FORWARDED = 50
"""How many replies are forwarded at a time; the next time the others are."""
_WORDS = ("report", "suppressed", "left", "reply", "automatic", "put off", "unreadable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The result of reading a mailbox."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many messages were reports, replies, automatic or unreadable, or put off; how many addresses were
    suppressed, and how many people left."""
    unreadable: Sequence[str] = ()
    """Names of messages that stay in the mailbox."""

    def in_words(self) -> str:
        """Return what was read, such as ``3 reports, 1 suppressed, 2 replies``; empty if there was nothing.

        >>> Reading(counts=Counter({"reply": 2, "report": 1})).in_words()
        '1 report, 2 replies'
        """
        plurals = {"report": "reports", "reply": "replies"}
        parts = ((self.counts[word], word) for word in _WORDS if self.counts[word])
        return ", ".join(f"{count} {word if count == 1 else plurals.get(word, word)}" for count, word in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedMessages:
    """Handles messages that came back. The same message handled twice is recorded once."""

    recorder: EventRecorder
    forward: Callable[[IncomingMail, str, datetime], None] | None = None
    """Sends a reply, with a name that is unique to it, to the editor; None to keep replies in the mailbox only."""

    def read(self, mailbox: ReturnMailbox, now: datetime) -> Reading:
        """Handle all messages of a mailbox that were not seen, and set them as seen.

        What cannot be read, or not be forwarded now, stays. MailboxError if the mailbox cannot be used.
        """
        counts: Counter[str] = Counter()
        unreadable = []
        with mailbox.open() as opened:
            for name, content in opened.unseen():
                outcome = self._handle_safely(content, now, may_forward=counts["reply"] < MAX_FORWARDED)
                counts.update(outcome)
                if "unreadable" in outcome:
                    unreadable.append(name)
                elif "put off" not in outcome:
                    opened.set_seen(name)
        return Reading(counts=counts, unreadable=unreadable)

    def handle(self, content: bytes, now: datetime) -> list[str]:
        """Handle a message, and return what it was and what was done, in the words of ``Reading.counts``.

        DeliveryFailedError if it is a reply and cannot be forwarded.
        """
        context = self.recorder.subscriptions.context
        message = read_mail(content, key=context.keys["delivery"], now=now)
        identity = sha256(content).hexdigest()
        if message.kind == "report":
            events = (self._prove(event, message, now) for event in message.events)
            actions = [self.recorder.record(event, now) for event in events]
            return ["report", *(action for action in actions if action in ("suppressed", "left"))]
        if message.kind == "unsubscribe":
            if person := self._person(message, now):
                key = event_key("unsubscribe", identity)
                event = DeliveryEvent(kind="unsubscribed", address=person.address, at=now, key=key)
                return ["left"] if self.recorder.record(event, now) == "left" else ["automatic"]
            message = replace(message, kind="reply")  # somebody means something by it
        if message.kind == "reply" and self.forward:
            try:
                self.forward(message, identity[:20], now)
            except DeliveryUncertainError as error:
                log.warning("a reply may have been forwarded: %s", error)
        return [message.kind]

    def _handle_safely(self, content: bytes | None, now: datetime, *, may_forward: bool) -> list[str]:
        if content is None:
            return ["unreadable"]
        if not may_forward:
            return ["put off"]
        try:
            return self.handle(content, now)
        except DeliveryFailedError as error:
            log.warning("a reply stays in the mailbox, since it cannot be forwarded: %s", error)
            return ["put off"]
        except PipelineError:
            raise
        except Exception:  # a bug: the other messages are read all the same
            log.exception("a returned message could not be handled")
            return ["unreadable"]

    def _prove(self, event: DeliveryEvent, message: IncomingMail, now: datetime) -> DeliveryEvent:
        """Return an event as far as its message proves it.

        The token of a delivery proves it, unless the message names other addresses alone: the number may be used again
        after a restore. A subscriber's own token proves it if it came back with the address that they have: otherwise
        the address may be one they had before. A complaint is theirs whatever address they have.
        """
        addresses = {address_key(normalised(address)) for address in (event.address, message.sent_to)} - {""}
        if event.delivery_id is not None:
            delivery = self.recorder.subscriptions.context.store.deliveries.get(event.delivery_id)
            known_as = address_key(delivery.address) if delivery else ""  # empty once the person was erased
            if not known_as or not addresses or known_as in addresses:
                return event
            event = replace(event, delivery_id=None)
        person = self._person(message, now)
        if person and (address_key(person.address) in addresses or event.kind in ("complained", "unsubscribed")):
            return replace(event, address=person.address)
        return unproved(event)

    def _person(self, message: IncomingMail, now: datetime) -> Subscriber | None:
        """Return the subscriber whose own token to unsubscribe is in a message."""
        for token in message.tokens:
            try:
                return self.recorder.subscriptions.context.subscriber_of("unsubscribe", token, now)
            except InvalidTokenError:
                continue
        return None


def bounces_task(
    schedule: Schedule,
    build: Callable[[], tuple[ReturnedMessages, ReturnMailbox]],
    reconcile_alerts: Callable[[Sequence[Alert], datetime], object],
) -> Task:
    """Return the task that reads the mailbox; messages that cannot be read are alerted of once."""

    def run(period: str, now: datetime) -> Done:
        messages, mailbox = build()
        reading = messages.read(mailbox, now)
        reconcile_alerts([_alert(reading, mailbox, now)] if reading.unreadable else [], now)
        return Done(message=reading.in_words())

    return Task(id="bounces", schedule=schedule, run=run)


def _alert(reading: Reading, mailbox: ReturnMailbox, now: datetime) -> Alert:
    names = "\n".join(f"    {name}" for name in reading.unreadable[:10])
    text = (
        f"Some messages in the mailbox for bounces ({mailbox.name}) cannot be read. They stay there, and are tried "
        f"again each time.\n\n{names}\n\nLook at them, and at their permissions; delete them if they are useless."
    )
    return Alert(key=f"{ALERT_PREFIX}unreadable", subject="Bounces that cannot be read", text=text, raised_at=now)
