"""Mails to one person: which are sent, tried again, dropped or given up, through a real mail server and both stores."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from pipeline.audience.person_mails import RETRY_GAPS
from pipeline.audience.subscription import make_preferences
from pipeline.audience.tokens import PURPOSES, confirmation_code
from pipeline.delivery.outbox import Outbox
from pipeline.delivery.smtp.client import Smtp
from pipeline.digest.render.person_mail import load_person_mail_templates
from pipeline.jobs.audience.context import AudienceContext, SignupRules
from pipeline.jobs.audience.person_mail_writer import PersonMailWriter
from pipeline.jobs.audience.person_mailer import SERVER_PAUSE, PersonMailer
from pipeline.jobs.audience.sign_up import SignUp, SignUpRequest
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.jobs.monitoring.status_report import build_status_report
from pipeline.jobs.ports import Mailer
from pipeline.model.digest import Edition
from pipeline.model.edition import SealedEdition
from pipeline.model.errors import DeliveryFailedError, DeliveryUncertainError
from pipeline.model.subscriber import SignupForm, Subscriber
from pipeline.model.week import WeekCalendar
from pipeline.store import Store
from pipeline.store.person_mails import CLAIM_TTL
from tests.golden.sample import PUBLICATION
from tests.mail_server import HANG_UP, SILENCE, MailServer

TEMPLATES = load_person_mail_templates([Path(__file__).parents[2] / "templates"], "classic")
NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ADA = "ada@quay.example"
FORMS = {
    "newsletter": SignupForm(id="newsletter", title="", wording="Send it to me.", guide="https://loaf.example/guide"),
    "baking": SignupForm(id="baking", title="", wording="Send it to me.", guide="rye.pdf", guide_title="Rye by hand"),
    "plain": SignupForm(id="plain", title="", wording="Send it to me."),
}


@dataclass
class Sent:
    """A mailer that keeps what it is given, or fails."""

    messages: list[tuple[EmailMessage, str]] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)
    """By address."""
    name = "memory"
    outcome = "sent"

    def send(self, message: bytes, address: str) -> Path | None:
        if address in self.failures:
            raise self.failures[address]
        parsed = message_from_bytes(message, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append((parsed, address))
        return None

    def subjects(self) -> list[str]:
        return [message["Subject"] for message, _ in self.messages]


@dataclass
class Audience:
    """People, forms, and what sends their mails."""

    context: AudienceContext
    sent: Sent = field(default_factory=Sent)

    def sign_up(self, address: str = ADA, form: str = "plain", now: datetime = NOW, name: str = "") -> None:
        preferences = make_preferences(name, (), "")
        request = SignUpRequest(form=form, address=address, has_consented=True, preferences=preferences, language="")
        SignUp(self.context).store(request, address, now)

    def subscriber(self, address: str = ADA) -> Subscriber:
        return self.subscriptions.find(address)

    @property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(self.context)

    def confirmed(self, address: str = ADA, form: str = "plain", now: datetime = NOW) -> Subscriber:
        self.sign_up(address, form, now)
        self.send(now)
        subscriber = self.subscriptions.confirm(self.subscriber(address), now)
        self.sent.messages.clear()
        return subscriber

    def mailer(self, mailer: Mailer | None = None, templates: Any = TEMPLATES) -> PersonMailer:
        writer = PersonMailWriter(self.context, templates)
        return PersonMailer(writer=writer, mailer=mailer or self.sent, read_seconds=lambda: 0.0)

    def send(self, now: datetime = NOW, mailer: Mailer | None = None) -> int:
        return self.mailer(mailer).send_due(now)

    def queue_error(self, now: datetime = NOW) -> str:
        return self.context.store.person_mails.queue(now).error


@pytest.fixture
def audience(store: Store, tmp_path: Path) -> Audience:
    (tmp_path / "rye.pdf").write_bytes(b"%PDF rye")
    rules = SignupRules(
        keep_unconfirmed=timedelta(days=7), max_per_network=20, max_per_form=200, min_seconds=0, challenge="never",
        allow_disposable=True, allow_role=True, best_of_after=timedelta(days=3),
    )  # fmt: skip
    keys = {purpose: f"key of {purpose}" for purpose in (*PURPOSES, "suppression", "challenge", "delivery")}
    context = AudienceContext(
        store=store, publication=PUBLICATION, forms=FORMS, rules=rules, public_url="https://news.example",
        folder=tmp_path, keys=keys,
    )  # fmt: skip
    return Audience(context)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_confirmation_has_the_link_and_its_code(audience: Audience) -> None:
    """Both are those of the subscriber; there is nothing to unsubscribe from yet, and no text of the visitor."""
    audience.sign_up(name="Win money at evil.example", form="baking")
    assert audience.send() == 1
    message, address = audience.sent.messages[0]
    text = text_of(message)
    token = audience.context.token("confirm", audience.subscriber(), NOW)
    assert f"https://news.example/confirm/{token}" in text
    assert confirmation_code(token, audience.context.keys["confirm"]) in text
    assert (address, message["To"], message["Auto-Submitted"]) == (ADA, ADA, "auto-generated")
    assert "List-Unsubscribe" not in message
    assert "evil" not in message.as_string()


@pytest.mark.parametrize("form", ["newsletter", "baking"])
def test_a_guide_is_sent_once_for_each_person_and_version(audience: Audience, form: str) -> None:
    """Confirming queues it; confirming again does not; a later version is another guide."""
    subscriber = audience.confirmed(form=form)
    audience.subscriptions.confirm(subscriber, NOW)
    assert audience.send() == 1
    message = audience.sent.messages[0][0]
    link = "https://loaf.example/guide" if form == "newsletter" else "https://news.example/guide/"
    assert link in text_of(message)
    unsubscribe = audience.context.link("unsubscribe", subscriber, NOW)
    assert message["List-Unsubscribe"] == f"<{unsubscribe}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    audience.subscriptions.give_guide(subscriber, form, NOW)
    assert audience.send() == 0


def test_a_subscriber_who_signs_up_again_gets_the_guide_with_the_reminder(audience: Audience) -> None:
    """Also that of a form they never used; it is recorded in their history."""
    subscriber = audience.confirmed()
    audience.sign_up(form="baking", now=NOW + DAY)
    assert audience.send(NOW + DAY) == 1
    message = audience.sent.messages[0][0]
    assert message["Subject"].startswith("You are already subscribed")
    assert "https://news.example/guide/" in text_of(message)
    assert "https://news.example/preferences/" in text_of(message)
    assert [form for form, _, _ in audience.context.store.person_mails.guides_of(subscriber.id)] == ["baking"]
    events = audience.context.store.subscription_events.of_subscriber(subscriber.id)
    assert [event.form for event in events if event.kind == "guide"] == ["baking"]


def suppress(audience: Audience) -> None:
    audience.subscriptions.suppress(ADA, "complained", actor="test", now=NOW)


def leave(audience: Audience) -> None:
    audience.subscriptions.leave(audience.subscriber(), NOW)


def confirm(audience: Audience) -> None:
    audience.subscriptions.confirm(audience.subscriber(), NOW)


@pytest.mark.parametrize("change", [suppress, confirm])
def test_a_confirmation_is_dropped_when_it_is_not_wanted_any_more(audience: Audience, change: Any) -> None:
    """The address was suppressed or the subscription confirmed while the mail was waiting."""
    audience.sign_up()
    change(audience)
    assert audience.send() == 0
    assert audience.send(NOW + DAY) == 0


@pytest.mark.parametrize(("later", "sent"), [(7 * DAY - timedelta(seconds=1), 1), (7 * DAY, 0)])
def test_a_confirmation_that_waited_too_long_is_dropped(audience: Audience, later: timedelta, sent: int) -> None:
    """Its link would not work any more."""
    audience.sign_up()
    assert audience.send(NOW + later) == sent


@pytest.mark.parametrize("change", [suppress, leave])
def test_a_guide_is_dropped_when_the_subscription_has_ended(audience: Audience, change: Any) -> None:
    """Nothing is sent to somebody who has left, or is suppressed."""
    audience.confirmed(form="baking")
    change(audience)
    assert audience.send() == 0


def test_a_paused_subscriber_gets_no_best_of(audience: Audience, tmp_path: Path) -> None:
    """It is dropped, and not sent after the pause."""
    subscriber = audience.confirmed()
    audience.subscriptions.change(subscriber, subscriber.preferences, NOW + 9 * DAY, NOW)
    assert (audience.send(NOW + 3 * DAY), audience.send(NOW + 20 * DAY)) == (0, 0)
    assert audience.context.store.person_mails.next_due_at() is None


def test_a_best_of_needs_a_past_edition(audience: Audience) -> None:
    """Before the first edition there is nothing to show."""
    audience.confirmed()
    assert audience.send(NOW + 3 * DAY) == 0
    assert audience.context.store.person_mails.next_due_at() is None


def send_edition(store: Store, number: int, title: str, section: str = "posts", state: Any = "sent") -> None:
    """Seal and send the edition of a week whose lead has a title; its URL is that of a story."""
    lead = {"section": section, "kind": "episode" if section == "episodes" else "post", "level": "lead"}
    other = {
        "section": "posts",
        "kind": "post",
        "level": "story",
        "title": "Not this",
        "url": "https://harbour.example/0",
    }
    manifest = {
        "closes_at": f"2026-01-{number:02}T00:00:00Z",
        "skim": [{"title": title, "text": f"{title} begins.", "level": "lead"}],
        "stories": [other, lead | {"title": title, "url": f"https://harbour.example/{title.replace(' ', '-')}"}],
    }
    edition = Edition(
        week=f"2026-W{number:02}", state="approved", number=number, subject="", preheader="", html=b"", text=b"",
        eml=b"", manifest=json.dumps(manifest).encode(), content_hash=f"{number}",
    )  # fmt: skip
    sealed = SealedEdition(edition=edition, stories=(), sealed_at=NOW, sealed_by="ann")
    store.editions.approve(store.editions.get(edition.week), sealed, state=state)


def test_a_best_of_has_the_leads_of_the_newest_editions(audience: Audience) -> None:
    """Six at most, of the topics that the person chose, each once, the newest first, none that was not sent."""
    store = audience.context.store
    leads = ["Salt", "Rye", "Rope", "Tar", "Rye", "Tea", "Eels", "Soup"]
    for number, title in enumerate(leads, 1):
        send_edition(store, number, title)
    send_edition(store, 9, "A talk", "episodes")
    send_edition(store, 10, "Too early", state="approved")
    subscriber = audience.confirmed()
    audience.subscriptions.change(subscriber, make_preferences("", ["posts"], ""), None, NOW)
    assert audience.send(NOW + 3 * DAY) == 1
    message = audience.sent.messages[0][0]
    text = text_of(message)
    titles = [line for line in text.splitlines() if line in (*leads, "A talk", "Too early")]
    assert titles == ["Soup", "Eels", "Tea", "Rye", "Tar", "Rope"]
    assert "https://harbour.example/Soup" in text
    assert "Soup begins." in text
    assert "Not this" not in text
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_new_address_is_confirmed_there(audience: Audience) -> None:
    """The mail goes to the new address, names neither address, and its link is bound to it."""
    subscriber = audience.confirmed()
    audience.subscriptions.request_address(subscriber, "ada@new.example", NOW)
    assert audience.send() == 1
    message, address = audience.sent.messages[0]
    token = audience.context.token("address", audience.subscriber(), NOW)
    assert (address, message["To"]) == ("ada@new.example", "ada@new.example")
    assert f"https://news.example/address/{token}" in text_of(message)
    assert ADA not in message.as_string()
    assert "List-Unsubscribe" not in message


def test_a_failure_is_tried_again_with_growing_gaps_for_three_days(audience: Audience) -> None:
    """After the last attempt the mail is given up, and nothing waits."""
    audience.sign_up()
    failing = Sent(failures={ADA: DeliveryFailedError("mail.example cannot accept messages now.", kind="later")})
    now, attempts = NOW, 0
    for gap in RETRY_GAPS:
        assert audience.send(now, failing) == 0
        assert audience.context.store.person_mails.next_due_at() == now + gap
        now, attempts = now + gap, attempts + 1
    assert audience.context.store.person_mails.queue(now).waiting == 1
    assert audience.send(now, failing) == 0
    assert audience.context.store.person_mails.next_due_at() is None
    assert now - NOW <= 3 * DAY + timedelta(hours=1)
    assert list(RETRY_GAPS) == sorted(RETRY_GAPS)


def test_one_recipient_does_not_stop_the_others(audience: Audience, caplog: pytest.LogCaptureFixture) -> None:
    """Refused for good, refused for now, or a bug: the others get their mails, and no address is logged or kept."""
    people = [f"{name}@quay.example" for name in ("ann", "ben", "cleo", "dan")]
    for address in people:
        audience.sign_up(address)
    refused = f"mail.example refuses {people[0]}: check that address (550 5.1.1 <{people[0]}> is unknown)."
    reply = f"550 5.1.1 <{people[0]}> is unknown"
    audience.sent.failures = {
        people[0]: DeliveryFailedError(refused, kind="recipient", reply=reply),
        people[1]: DeliveryFailedError("mail.example cannot accept messages now (451 later).", kind="later"),
        people[2]: ValueError(f"a bug with {people[2]}"),
    }
    with caplog.at_level(logging.DEBUG):
        assert audience.send() == 1
    assert [address for _, address in audience.sent.messages] == people[3:]
    assert "quay.example" not in caplog.text
    assert "quay.example" not in audience.queue_error()
    audience.sent.failures = {}
    assert audience.send(NOW + DAY) == 2  # the first was refused for good
    assert audience.subscriber(people[0]).state == "unconfirmed"


@pytest.mark.parametrize("kind", ["unreachable", "login", "insecure", "sender", "failed"])
def test_a_failing_server_is_not_asked_for_each_mail(audience: Audience, kind: Any) -> None:
    """The others wait for some minutes without using up an attempt; the reason stands with each."""
    for name in ("ann", "ben", "cleo"):
        audience.sign_up(f"{name}@quay.example")
    failing = Sent(failures={f"{name}@quay.example": DeliveryFailedError("down", kind=kind) for name in ("ann", "ben")})
    assert audience.send(NOW, failing) == 0
    assert failing.messages == []
    queue = audience.context.store.person_mails.queue(NOW)
    assert (queue.waiting, queue.failed, queue.error) == (0, 3, "down")
    assert audience.send(NOW + SERVER_PAUSE - timedelta(seconds=1)) == 0
    claimed = audience.context.store.person_mails.claim_due(NOW + SERVER_PAUSE)
    assert sorted(mail.attempts for mail in claimed) == [1, 1, 2]
    assert audience.send(NOW + SERVER_PAUSE + CLAIM_TTL) == 3


def test_a_recipient_refused_by_policy_is_tried_again(audience: Audience) -> None:
    """5.7 is about the sender (RFC 3463): a mail server without a login says it of everybody."""
    audience.sign_up()
    error = DeliveryFailedError("refuses you", kind="recipient", reply="554 5.7.1 relay access denied")
    assert audience.send(NOW, Sent(failures={ADA: error})) == 0
    assert audience.send(NOW + DAY) == 1


def test_an_unknown_outcome_counts_as_sent(audience: Audience) -> None:
    """A second confirmation would look like spam."""
    audience.sign_up()
    assert audience.send(NOW, Sent(failures={ADA: DeliveryUncertainError("no answer", kind="uncertain")})) == 1
    assert audience.send(NOW + DAY) == 0


def test_a_missing_guide_file_is_a_failure_until_it_is_back(audience: Audience, tmp_path: Path) -> None:
    """The error says which file, and the mail is tried again."""
    audience.confirmed(form="baking")
    (tmp_path / "rye.pdf").rename(tmp_path / "rye.bak")
    assert audience.send() == 0
    assert "rye.pdf" in audience.queue_error()
    (tmp_path / "rye.pdf").write_bytes(b"%PDF rye, second printing")
    assert audience.send(NOW + DAY) == 1
    assert len(audience.context.store.person_mails.guides_of(audience.subscriber().id)) == 2


def test_a_missing_guide_file_keeps_nobody_from_confirming(audience: Audience, tmp_path: Path) -> None:
    """The mail is sent without the guide's title."""
    (tmp_path / "rye.pdf").unlink()
    audience.sign_up(form="baking")
    assert (audience.send(), audience.queue_error()) == (1, "")
    text = text_of(audience.sent.messages[0][0])
    assert "https://news.example/confirm/" in text
    assert "Rye by hand" not in text


def test_a_claim_whose_process_died_is_taken_over(audience: Audience) -> None:
    """After CLAIM_TTL another process sends the same Message-ID, and what the dead one says counts no more."""
    audience.sign_up()
    queue = audience.context.store.person_mails
    (lost,) = queue.claim_due(NOW, limit=1)
    assert audience.send(NOW + CLAIM_TTL - timedelta(seconds=1)) == 0
    assert audience.send(NOW + CLAIM_TTL) == 1
    queue.retry(lost, due_at=NOW, error="too late", now=NOW)
    assert audience.send(NOW + DAY) == 0


def test_a_long_pass_claims_from_the_time_it_is(audience: Audience) -> None:
    """Otherwise the claims at its end would be over before they begin."""
    for name in ("ann", "ben"):
        audience.sign_up(f"{name}@quay.example")
    seconds = iter((0.0, 0.0, 7200.0, 7200.0))
    claimable: list[int] = []

    class Watching(Sent):
        def send(self, message: bytes, address: str) -> Path | None:
            super().send(message, address)
            if len(self.messages) == 2:
                queue = audience.context.store.person_mails
                claimable.append(len(queue.claim_due(NOW + timedelta(seconds=7300))))
            return None

    mailer = replace(audience.mailer(Watching()), read_seconds=lambda: next(seconds))
    assert mailer.send_due(NOW) == 2
    assert claimable == [0]


def smtp(server: MailServer) -> Smtp:
    return Smtp(host="localhost", port=server.port, sender="letter@quay.example", security="none",
                timeout_seconds=5.0, final_timeout_seconds=0.3)  # fmt: skip


@pytest.mark.loopback
def test_a_mail_server_gets_the_message(audience: Audience) -> None:
    """It arrives byte for byte as it is written, to one recipient."""
    audience.sign_up()
    with MailServer() as server:
        assert audience.send(NOW, smtp(server)) == 1
    assert f"RCPT TO:<{ADA}>" in server.commands
    message = message_from_bytes(server.messages[0], policy=policy.default)
    assert message["Subject"] == "Confirm your subscription to Harbour & Hearth"
    assert message["Message-ID"] == "<20260216090000.1.confirmation@harbourandhearth.example>"


@pytest.mark.loopback
@pytest.mark.parametrize(
    ("manners", "outcome"),
    [
        ({"answers": {"RCPT": "550 5.1.1 no such user"}}, "given up"),
        ({"answers": {"RCPT": "554 5.7.1 relay access denied"}}, "again"),
        ({"answers": {"RCPT": "450 4.2.1 greylisted"}}, "again"),
        ({"answers": {"DATA": "554 no"}}, "again"),
        ({"answers": {".": "451 later"}}, "again"),
        ({"answers": {"GREETING": HANG_UP}}, "again"),
        ({"answers": {".": HANG_UP}}, "sent"),
        ({"answers": {".": SILENCE}}, "sent"),
    ],
)
def test_what_a_mail_server_may_do(audience: Audience, manners: dict[str, Any], outcome: str) -> None:
    """A mail that was not accepted is sent again, with the same Message-ID; one that may have been is not."""
    audience.sign_up()
    with MailServer(**manners) as server:
        assert audience.send(NOW, smtp(server)) == (1 if outcome == "sent" else 0)
    error = audience.queue_error()
    assert (error == "") == (outcome == "sent")
    assert "@" not in error
    with MailServer() as server:
        assert audience.send(NOW + DAY, smtp(server)) == (1 if outcome == "again" else 0)
    ids = {message_from_bytes(message)["Message-ID"] for message in server.messages}
    assert ids <= {"<20260216090000.1.confirmation@harbourandhearth.example>"}


def test_the_outbox_recognises_a_mail_that_is_sent_again(audience: Audience, tmp_path: Path) -> None:
    """A process died after writing it: the second attempt writes no second copy, though its Date differs."""
    audience.sign_up()
    outbox = Outbox(tmp_path / "outbox")
    (mail,) = audience.context.store.person_mails.claim_due(NOW, limit=1)
    outbox.send(audience.mailer().writer.message(mail, ADA, NOW), ADA)
    assert audience.send(NOW + CLAIM_TTL, outbox) == 1
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1


def problems(audience: Audience, now: datetime) -> list[str]:
    status = build_status_report(
        audience.context.store,
        [],
        WeekCalendar.parse("mon 00:00", UTC),
        lambda: pytest.fail("no draft is built"),
        [],
        [],
        now=now,
    )
    return [f"{result.name}: {result.message}" for result in status.problems if result.category == "subscribers"]


def test_status_says_that_mails_cannot_be_sent(audience: Audience) -> None:
    """How many and why, or that nothing sends them; a mail of a minute ago is no problem."""
    audience.sign_up()
    assert problems(audience, NOW + timedelta(minutes=1)) == []
    assert problems(audience, NOW + DAY) == ["mails: one mail to subscribers should have been sent long ago"]
    error = DeliveryFailedError(f"mail.example cannot take mail for {ADA}.", kind="later")
    audience.send(NOW, Sent(failures={ADA: error}))
    assert problems(audience, NOW) == ["mails: one mail could not be sent: mail.example cannot take mail for …"]
    audience.send(NOW + DAY)
    assert problems(audience, NOW + DAY) == []
