"""The mailbox for bounces is read: addresses are suppressed, people leave, replies are forwarded, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from pipeline.audience.bounces import IncomingMail
from pipeline.audience.tokens import delivery_token
from pipeline.delivery.forwarded_reply import reply_message
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.jobs.deliveries.come_back import MAX_FORWARDED, ReturnedMessages, bounces_task
from pipeline.jobs.deliveries.events import EventRecorder
from pipeline.model.alert import Alert
from pipeline.model.errors import DeliveryFailedError, DeliveryUncertainError, MailboxError
from pipeline.model.schedule import parse_schedule
from pipeline.model.subscriber import Subscriber
from pipeline.scheduler.engine import Done
from pipeline.store import Store
from tests import returned_mails
from tests.people import NOW, audience, subscriber
from tests.returned_mails import NO_USER, ORIGINAL, PERSON_TOKEN, TOKEN, UNKNOWN_ORIGINAL, dsn, feedback, plain

ADA = "ada@bakery.example"
ACTIVE = Subscriber(id=0, address=ADA, state="active", created_at=NOW, changed_at=NOW, confirmed_at=NOW)
REPLY = plain(f"From: Ada <{ADA}>\nSubject: Re: Bread", "Lovely!")


class FakeMailbox:
    """A mailbox in memory."""

    name = "the test's mailbox"

    def __init__(self, *messages: bytes | None, fails: bool = False) -> None:
        self.messages, self.seen, self.fails = dict(enumerate(messages)), set[str](), fails

    @contextmanager
    def open(self) -> Iterator[FakeMailbox]:
        if self.fails:
            raise MailboxError("it is closed.")
        yield self

    def unseen(self) -> Iterator[tuple[str, bytes | None]]:
        yield from ((str(n), content) for n, content in self.messages.items() if str(n) not in self.seen)

    def set_seen(self, name: str) -> None:
        self.seen.add(name)


@pytest.fixture
def context(job_store_url: str) -> Iterator[AudienceContext]:
    """A subscriber, who got an edition."""
    with Store.open(job_store_url) as store:
        store.subscribers.add_or_lock(ACTIVE, ADA)
        store.dispatches.start(("2026-W07", 0), now=NOW, actor="ann")
        store.dispatches.freeze(("2026-W07", 0), {"whole": [("posts episodes links", "every")]}, NOW)
        yield audience(store)


def known(context: AudienceContext, message: bytes, *, delivery: bool = True) -> bytes:
    """Return a message with valid tokens in place of those of the fixtures: of the delivery, and of the person."""
    (sent,) = context.store.deliveries.iterate("2026-W07")
    token = delivery_token(sent.id, context.keys["delivery"]) if delivery else "gone"
    person = context.token("unsubscribe", subscriber(context, ADA), NOW)
    return message.replace(TOKEN.encode(), token.encode()).replace(PERSON_TOKEN.encode(), person.encode())


def handler(context: AudienceContext, sent: list[str] | None = None) -> ReturnedMessages:
    def forward(reply: IncomingMail, unique: str, now: object) -> None:
        if sent is not None:
            sent.append(reply.text)

    return ReturnedMessages(recorder=EventRecorder(subscriptions=Subscriptions(context)), forward=forward)


def read(context: AudienceContext, *messages: bytes) -> str:
    """Read a mailbox with some messages, and return what was in it, in words."""
    mailbox = FakeMailbox(*messages)
    reading = handler(context).read(mailbox, NOW)
    assert mailbox.seen == {str(number) for number in range(len(messages))}
    return reading.in_words()


UNTO_NEWS = UNKNOWN_ORIGINAL.replace("unsubscribe/…", f"unsubscribe/{PERSON_TOKEN}")
OF_ANOTHER = UNKNOWN_ORIGINAL.replace(ADA, "bo@x.example")
NO_ADDRESS = UNTO_NEWS.replace(f"To: {ADA}", "To: redacted")


@pytest.mark.parametrize(
    ("message", "words", "state"),
    [
        (dsn(NO_USER), "1 report, 1 suppressed", "suppressed"),
        (dsn(NO_USER, to="news@x.example", original=UNTO_NEWS), "1 report, 1 suppressed", "suppressed"),
        (dsn(NO_USER, to="news@x.example", original=UNKNOWN_ORIGINAL), "1 report", "active"),
        (
            dsn(NO_USER.replace(ADA, "new@x.example"), to="x", original=UNTO_NEWS),
            "1 report, 1 suppressed",
            "suppressed",
        ),
        (dsn(NO_USER.replace(ADA, "old@x.example"), to="x", original=NO_ADDRESS), "1 report", "active"),
        (feedback("Feedback-Type: abuse"), "1 report, 1 suppressed", "suppressed"),
        (feedback("Feedback-Type: abuse", original=NO_ADDRESS), "1 report, 1 suppressed", "suppressed"),
        (feedback(f"Original-Rcpt-To: {ADA}", original=UNKNOWN_ORIGINAL), "1 report", "active"),
        (feedback("Feedback-Type: opt-out", original=NO_ADDRESS), "1 report, 1 left", "left"),
        (feedback(f"Feedback-Type: opt-out\nOriginal-Rcpt-To: {ADA}", original=UNKNOWN_ORIGINAL), "1 report", "active"),
        (returned_mails.QMAIL, "1 report", "active"),
        (dsn(NO_USER.replace(ADA, "bo@x.example"), original=OF_ANOTHER), "1 report", "active"),
        (dsn(NO_USER.replace(ADA, "ADA@Bakery.Example")), "1 report, 1 suppressed", "suppressed"),
        (dsn(NO_USER.replace(ADA, "forwarded@x.example")), "1 report, 1 suppressed", "suppressed"),
        (dsn("Action: failed\nStatus: 5.1.1", original=UNKNOWN_ORIGINAL), "1 report, 1 suppressed", "suppressed"),
        (plain(f"From: {ADA}\nSubject: unsubscribe {PERSON_TOKEN}", ""), "1 left", "left"),
        (plain(f"To: bounces+u{PERSON_TOKEN}@quay.example\nFrom: x@y.example", ""), "1 left", "left"),
        (plain(f"From: {ADA}\nSubject: unsubscribe {'0' * 32}", ""), "1 reply", "active"),
        (plain(f"From: {ADA}\nAuto-Submitted: auto-replied", f"> {ORIGINAL}"), "1 automatic", "active"),
        (REPLY, "1 reply", "active"),
    ],
)
def test_a_message_does_what_it_proves(context: AudienceContext, message: bytes, words: str, state: str) -> None:
    """By the token of the delivery, or of the person and their address; without one it is a soft bounce at most."""
    message = known(context, message)
    assert read(context, message) == words
    assert subscriber(context, ADA).state == state
    again = read(context, message)
    assert "suppressed" not in again
    assert "left" not in again


def test_a_bounce_of_a_former_address_leaves_the_subscriber_alone(context: AudienceContext) -> None:
    """Whichever token proves it."""
    bounce, by_person = known(context, dsn(NO_USER)), known(context, dsn(NO_USER, to="x", original=UNTO_NEWS))
    changed = replace(subscriber(context, ADA), address="ada@new.example")
    context.store.subscribers.change_address(changed, "ada@new.example")
    assert read(context, by_person) == "1 report"
    assert read(context, bounce) == "1 report, 1 suppressed"
    assert context.suppression(ADA) == "bounced"
    assert subscriber(context, "ada@new.example").state == "active"


def test_forged_reports_suppress_nobody_however_many_there_are(context: AudienceContext) -> None:
    """Those of one day count once, for somebody who knows the address and has no mail of theirs."""
    forged = dsn(NO_USER, to="x", original=UNKNOWN_ORIGINAL)
    many = [forged.replace(b"bounce-1", b"bounce-%d" % number) for number in range(20)]
    assert read(context, *many) == "20 reports"
    assert subscriber(context, ADA).state == "active"


def test_a_reply_is_forwarded_once(context: AudienceContext) -> None:
    """With what the person wrote; automatic ones are not."""
    sent: list[str] = []
    mailbox = FakeMailbox(REPLY, plain("From: x@y.example\nAuto-Submitted: auto-replied", "Away"))
    assert handler(context, sent).read(mailbox, NOW).in_words() == "1 reply, 1 automatic"
    assert handler(context, sent).read(mailbox, NOW).in_words() == ""
    assert sent == ["Lovely!"]


@pytest.mark.parametrize(("error", "stays"), [(DeliveryFailedError, True), (DeliveryUncertainError, False)])
def test_a_reply_that_was_not_forwarded_stays_and_nothing_else_does(
    context: AudienceContext, error: type[Exception], stays: bool
) -> None:
    """One that may have been forwarded does not."""

    def fail(reply: IncomingMail, unique: str, now: object) -> None:
        raise error("the server is down")

    mailbox = FakeMailbox(REPLY, known(context, dsn(NO_USER)))
    reading = replace(handler(context), forward=fail).read(mailbox, NOW)
    assert reading.counts["suppressed"] == 1
    assert mailbox.seen == ({"1"} if stays else {"0", "1"})


def test_a_flood_of_replies_is_forwarded_in_parts(context: AudienceContext) -> None:
    """The others stay until the next time."""
    sent: list[str] = []
    mailbox = FakeMailbox(*[REPLY] * (MAX_FORWARDED + 5))
    assert handler(context, sent).read(mailbox, NOW).counts == {"reply": MAX_FORWARDED, "put off": 5}
    assert handler(context, sent).read(mailbox, NOW).counts == {"reply": 5}


def test_without_an_address_replies_stay_in_the_mailbox_only(context: AudienceContext) -> None:
    """Seen, so that they are not read again."""
    assert replace(handler(context), forward=None).read(FakeMailbox(REPLY), NOW).in_words() == "1 reply"


def test_a_message_that_cannot_be_read_stays_and_is_alerted_of(context: AudienceContext) -> None:
    """The others are read; the alert has one key, so that it is sent once."""
    mailbox = FakeMailbox(None, known(context, dsn(NO_USER)))
    alerts: list[list[Alert]] = []
    task = bounces_task(
        parse_schedule("every 5 minutes"),
        lambda: (handler(context), mailbox),
        lambda given, at: alerts.append([*given]),
    )
    for _ in range(2):
        assert isinstance(task.run("period", NOW), Done)
    assert mailbox.seen == {"1"}
    assert [[alert.key for alert in given] for given in alerts] == [["bounces/unreadable"]] * 2
    mailbox.messages.clear()
    assert task.run("period", NOW + timedelta(minutes=5)) == Done(message="")
    assert alerts[-1] == []


def test_a_mailbox_that_cannot_be_used_is_an_error_that_is_tried_again(context: AudienceContext) -> None:
    """The engine of the schedule reports it."""
    with pytest.raises(MailboxError) as failure:
        handler(context).read(FakeMailbox(fails=True), NOW)
    assert failure.value.retry


@pytest.mark.parametrize("author", [ADA, "no address", "a@b.example\r\nBcc: eve@x.example", ""])
def test_a_forwarded_reply_is_answered_to_its_author(author: str) -> None:
    """If that is an address; nothing a person wrote becomes a header, and it is never forwarded again."""
    message = reply_message(
        author=author,
        subject="Re: Bröt\r\nBcc: eve@x.example",
        text="Lovely!\n.\nFrom me – ü",
        sender="Harbour <news@quay.example>",
        recipient="Ed <editor@quay.example>",
        name="Harbour & Hearth",
        unique="7",
        now=NOW,
    )
    parsed = message_from_bytes(message, policy=policy.default)
    assert parsed["Reply-To"] == (ADA if author == ADA else None)
    assert parsed["Bcc"] is None
    assert parsed["To"] == "Ed <editor@quay.example>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert "Lovely!\n.\nFrom me – ü" in parsed.get_content().replace("\r\n", "\n")
    assert b"\n" not in message.replace(b"\r\n", b"")
