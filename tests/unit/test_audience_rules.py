"""The rules about people: tokens, addresses, and what may become of a subscription."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audience import subscription
from pipeline.audience.addresses import is_disposable, is_role_address, network_of, normalise_address
from pipeline.audience.person_mails import expires_at, reason_to_drop, recipient, retry_at
from pipeline.audience.tokens import (
    PURPOSES,
    TOKEN_CHARS,
    address_hash,
    confirmation_code,
    delivery_id_of,
    delivery_token,
    sign_token,
    subscriber_id_of,
    verify_token,
)
from pipeline.model.errors import InvalidTokenError, RefusedError, UsageError
from pipeline.model.subscriber import TOPICS, PersonMail, Preferences, Subscriber

NOW = datetime(2026, 2, 16, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOW + HOUR
ADA = Subscriber(id=7, address="ada@quay.example", state="unconfirmed", created_at=NOW, changed_at=NOW)
ACTIVE = replace(ADA, state="active", basis="consent", confirmed_at=NOW)
MAIL = PersonMail(id=3, kind="confirmation", subscriber=ADA, form="newsletter", attempts=1, created_at=NOW)
EPISODES = Preferences(name="Ada", topics=("episodes",), frequency="monthly")


@given(
    purpose=st.sampled_from(PURPOSES),
    number=st.integers(1, 2**35),
    expires_at=st.none() | st.integers(0, 10**10).map(lambda seconds: NOW + timedelta(seconds=seconds / 2)),
    bound_to=st.text(max_size=20),
)
@settings(deadline=None)
def test_a_token_says_whom_it_belongs_to_and_when_it_ends(
    purpose: str, number: int, expires_at: datetime | None, bound_to: str
) -> None:
    """It has 32 letters and digits, and is valid to the end of the hour it expires in."""
    person = replace(ADA, id=number)
    token = sign_token(purpose, person, "key", expires_at=expires_at, bound_to=bound_to)
    assert len(token) == TOKEN_CHARS
    assert token.isascii()
    assert token.isalnum()
    assert subscriber_id_of(token) == number
    end = verify_token(purpose, token, person, "key", bound_to=bound_to)
    if expires_at is None:
        assert end is None
    else:
        assert end is not None
        assert timedelta() < end - expires_at <= HOUR
        assert (end.minute, end.second) == (0, 0)


TOKEN = sign_token("confirm", ADA, "key", expires_at=NOW, bound_to="new")


@pytest.mark.parametrize(
    ("purpose", "token", "person", "key", "bound_to"),
    [
        ("unsubscribe", TOKEN, ADA, "key", "new"),
        ("confirm", TOKEN, ADA, "other key", "new"),
        ("confirm", TOKEN, ADA, "key", "other"),
        ("confirm", TOKEN, replace(ADA, created_at=NOW + HOUR), "key", "new"),
        ("confirm", TOKEN[:-1] + ("a" if TOKEN[-1] != "a" else "b"), ADA, "key", "new"),
        ("confirm", TOKEN[:6] + "zzzz" + TOKEN[10:], ADA, "key", "new"),
        ("confirm", TOKEN + "a", ADA, "key", "new"),
        ("confirm", TOKEN + "\n", ADA, "key", "new"),
        ("confirm", TOKEN[:-1], ADA, "key", "new"),
        ("confirm", "", ADA, "key", "new"),
        ("confirm", "é" * TOKEN_CHARS, ADA, "key", "new"),
    ],
    ids=[
        "purpose",
        "key",
        "binding",
        "another row",
        "signature",
        "expiry",
        "longer",
        "line",
        "cut",
        "empty",
        "letters",
    ],
)
def test_any_other_token_is_forged(purpose: str, token: str, person: Subscriber, key: str, bound_to: str) -> None:
    """Of another purpose, key, binding, or person with the same number; changed, cut or lengthened."""
    with pytest.raises(InvalidTokenError, match=r"^This link is invalid or incomplete: open it") as refusal:
        verify_token(purpose, token, person, key, bound_to=bound_to)
    assert refusal.value.kind == "forged"


def test_a_token_of_another_subscriber_is_forged() -> None:
    """The number is part of what is signed."""
    other = replace(ADA, id=8)
    signed = [sign_token("confirm", person, "key", expires_at=NOW) for person in (other, ADA)]
    swapped = signed[0][:6] + signed[1][6:]
    with pytest.raises(InvalidTokenError):
        verify_token("confirm", swapped, other, "key")


@pytest.mark.parametrize("text", ["", "a" * 31, "a" * 33, "../../etc/passwd", "a" * 31 + "-"])
def test_a_text_that_is_no_token_names_nobody(text: str) -> None:
    """It is refused before the store is asked."""
    with pytest.raises(InvalidTokenError, match=r"^This link is invalid or incomplete: open it") as refusal:
        subscriber_id_of(text)
    assert refusal.value.kind == "forged"


def test_links_that_were_mailed_stay_valid() -> None:
    """A token is written as it always was, and so is what is kept of an address."""
    assert TOKEN == "00000723ZEwZkOWTYLMoRZ7gno8Wb2Un"
    assert sign_token("unsubscribe", replace(ADA, id=10**9), "key") == "15FTGg0000ha9XkaAXb1msF1ZO5QFgFt"
    assert address_hash("ada@quay.example", "key").startswith("57e5fbfeeaccc0bcf8ecd638e8b78e0b")
    assert [confirmation_code(TOKEN, key) for key in ("1", "12")] == ["065163", "008794"]


@given(number=st.integers(0, 2**48), at=st.integers(0, TOKEN_CHARS - 1))
@settings(deadline=None)
def test_the_token_of_a_delivery_names_it_in_any_case(number: int, at: int) -> None:
    """A token of 32 letters and digits is valid in capitals too, but not changed, cut, or with another key."""
    token = delivery_token(number, "key")
    assert len(token) == TOKEN_CHARS
    assert token.isascii()
    assert token.isalnum()
    assert delivery_id_of(token, "key") == delivery_id_of(token.upper(), "key") == number
    changed = token[:at] + ("1" if token[at] != "1" else "2") + token[at + 1 :]
    assert not any(delivery_id_of(forged, "key") for forged in (changed, token[:-1], token + "0", ""))
    assert delivery_id_of(token, "other") is None


def test_a_code_depends_on_link_and_key() -> None:
    """It has six digits."""
    codes = {confirmation_code(token, key) for token in ("a" * 32, "b" * 32) for key in ("key", "other")}
    assert len(codes) == 4
    assert all(len(code) == 6 and code.isdecimal() for code in codes)


def test_the_hash_of_an_address_depends_on_the_key() -> None:
    """Without the key nobody can try out addresses."""
    assert address_hash("ada@quay.example", "key") != address_hash("ada@quay.example", "other")
    assert len(address_hash("ada@quay.example", "key")) == 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@quay.example",
        "ada@quay",
        "ada lovelace@quay.example",
        "ada@quay.example\nBcc: b@x.example",
        "Ada <ada@quay.example>",
        "a" * 65 + "@quay.example",
        "ädä@quay.example",
        "ada@[127.0.0.1]",
        "ada@-quay.example",
        '"ada"@quay.example',
        "ada@quay..example",
        "ada@" + "a" * 300 + ".example",
        "ada\0@quay.example",
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(text: str) -> None:
    """The sentence quotes what was entered, not all of it if it is long."""
    with pytest.raises(UsageError) as refusal:
        normalise_address(text)
    assert len(str(refusal.value)) < 400
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 80 + "…")])
def test_a_refusal_quotes_the_beginning(length: int, shown: str) -> None:
    """80 characters at most, on one line; then it says what is wrong."""
    with pytest.raises(UsageError) as refusal:
        normalise_address("x" * length)
    assert str(refusal.value).startswith(f"'{shown}' is not an email address: An email address must have an @-sign.")
    with pytest.raises(UsageError, match=r"^'ä d' is not an email address: "):
        normalise_address(" ä\n d")
    with pytest.raises(UsageError) as refusal:
        normalise_address("ä@quay.example")
    assert str(refusal.value) == "'ä@quay.example' has letters before the @ that most mail servers do not accept."


@pytest.mark.parametrize(
    ("address", "is_role"),
    [
        ("POSTMASTER@quay.example", True),
        ("info+a+b@quay.example", True),
        ("ada+info@quay.example", False),
        ("informant@quay.example", False),
    ],
)
def test_role_addresses(address: str, is_role: bool) -> None:
    """By the whole local part, in any case, without its tags."""
    assert is_role_address(address) is is_role


def test_a_disposable_address_is_recognised_below_its_domain() -> None:
    """A subdomain counts, a domain that merely ends alike does not."""
    assert is_disposable("ada@mailinator.com")
    assert is_disposable("ada@inbox.MAILINATOR.com")
    assert not is_disposable("ada@quay-mailinator.com")
    assert not is_disposable("ada@quay.example")


def test_what_is_no_address_of_a_network_is_a_network_of_its_own() -> None:
    """A proxy may send anything."""
    assert network_of("unknown") == "unknown"


@pytest.mark.parametrize(
    ("topics", "frequency", "expected"),
    [
        ((), "", Preferences()),
        (("links", "posts"), "monthly", Preferences(topics=("posts", "links"), frequency="monthly")),
        (("spam",), "hourly", Preferences()),
        (("posts", "posts"), "every", Preferences(topics=("posts",))),
    ],
)
def test_preferences_of_a_form_are_known_ones(topics: tuple[str, ...], frequency: str, expected: Preferences) -> None:
    """In the order of the topics; without any, all of them."""
    assert subscription.make_preferences("", topics, frequency) == expected


def test_a_name_is_one_line_of_limited_length() -> None:
    """Control characters become blanks."""
    name = subscription.make_preferences(" Ada\r\nBcc: x\0 \u202e" + "a" * 200, (), "").name
    assert len(name) == subscription.MAX_NAME_CHARS
    assert name.startswith("Ada Bcc: x ")
    assert name.isprintable()


def test_confirming_applies_what_the_form_asked_for() -> None:
    """The basis is consent, and a pause of an earlier subscription is over."""
    left = replace(ADA, state="left", requested=EPISODES, paused_until=NOW + HOUR)
    for before in (replace(ADA, requested=EPISODES), left):
        step = subscription.confirm(before, None, NOW)
        assert step.event == "confirmed"
        assert step.details == {"topics": "episodes", "frequency": "monthly"}
        after = step.subscriber
        assert (after.state, after.basis, after.confirmed_at) == ("active", "consent", NOW)
        assert (after.preferences, after.requested, after.paused_until) == (EPISODES, None, None)


def test_confirming_again_changes_nothing() -> None:
    """A second sign-up by somebody else cannot change what an active subscriber gets."""
    known = replace(ACTIVE, requested=EPISODES)
    assert subscription.confirm(known, None, NOW + HOUR) == subscription.Step(known)


@pytest.mark.parametrize(
    ("state", "reason"), [("suppressed", None), ("suppressed", "operator"), ("unconfirmed", "bounced")]
)
def test_a_suppressed_subscription_cannot_be_confirmed(state: str, reason: str | None) -> None:
    """The address may have bounced since the mail was sent, or before anybody signed up with it."""
    with pytest.raises(RefusedError):
        subscription.confirm(replace(ADA, state=state), reason, NOW)


def test_an_erased_person_may_confirm_a_new_subscription() -> None:
    """They signed up again by themselves."""
    assert subscription.confirm(ADA, "erased", NOW).subscriber.state == "active"


@pytest.mark.parametrize(("state", "becomes"), [("unconfirmed", "left"), ("active", "left")])
def test_leaving_ends_a_subscription(state: str, becomes: str) -> None:
    """Also one that was never confirmed; what a form asked for is forgotten."""
    step = subscription.leave(replace(ADA, state=state, requested=EPISODES), NOW + HOUR)
    assert (step.event, step.subscriber.state, step.subscriber.requested) == ("left", becomes, None)
    assert step.subscriber.changed_at == NOW + HOUR


@pytest.mark.parametrize("state", ["left", "suppressed"])
def test_nobody_leaves_twice(state: str) -> None:
    """Nor does leaving lift a suppression."""
    gone = replace(ACTIVE, state=state)
    assert subscription.leave(gone, NOW) == subscription.Step(gone)


@pytest.mark.parametrize("state", ["left", "suppressed"])
def test_a_person_comes_back_by_their_own_button(state: str) -> None:
    """With the preferences they had."""
    step = subscription.come_back(replace(ACTIVE, state=state, preferences=EPISODES), NOW + HOUR)
    assert (step.event, step.subscriber.state, step.subscriber.preferences) == ("returned", "active", EPISODES)


def test_who_is_active_does_not_come_back() -> None:
    """Pressing undo twice is the same as once."""
    assert subscription.come_back(ACTIVE, NOW) == subscription.Step(ACTIVE)


def test_nobody_comes_back_to_a_subscription_they_never_confirmed() -> None:
    """Undo is no way around the confirmation."""
    with pytest.raises(RefusedError, match="never confirmed"):
        subscription.come_back(replace(ADA, state="left"), NOW)


def test_the_soft_opt_in_of_charities_has_a_first_day() -> None:
    """Addresses collected before the law are refused, on its first day accepted."""
    first = subscription.CHARITY_OPT_IN_SINCE
    with pytest.raises(UsageError, match="soft opt-in"):
        subscription.add(
            ADA, basis="soft_opt_in_charity", collected_on=first - timedelta(days=1), now=NOW, event="imported"
        )
    step = subscription.add(ADA, basis="soft_opt_in_charity", collected_on=first, now=NOW, event="imported")
    assert step.details == {"basis": "soft_opt_in_charity", "collected_on": "2026-02-05"}
    assert (step.event, step.subscriber.state, step.subscriber.basis) == ("imported", "active", "soft_opt_in_charity")


@pytest.mark.parametrize("state", ["active", "left", "suppressed"])
def test_an_operator_revives_nobody(state: str) -> None:
    """Who is active keeps basis and date."""
    known = replace(ACTIVE, state=state)
    step = subscription.add(known, basis="consent", collected_on=date(2020, 1, 1), now=NOW, event="added")
    assert step == subscription.Step(known)


def test_a_pause_ends_by_itself_or_is_ended() -> None:
    """Until then the subscription is shown as paused and gets no mail."""
    until = NOW + timedelta(days=20)
    paused = subscription.pause(ACTIVE, until, NOW)
    assert (paused.event, paused.details) == ("paused", {"until": until.isoformat()})
    assert paused.subscriber.display_state(NOW) == "paused"
    assert paused.subscriber.display_state(until - timedelta(microseconds=1)) == "paused"
    assert paused.subscriber.display_state(until) == "active"
    assert subscription.pause(paused.subscriber, until, NOW) == subscription.Step(paused.subscriber)
    assert subscription.pause(paused.subscriber, None, NOW).event == "resumed"
    assert subscription.pause(paused.subscriber, None, until) == subscription.Step(paused.subscriber)
    assert subscription.pause(ACTIVE, NOW, NOW) == subscription.Step(ACTIVE)


@pytest.mark.parametrize("state", ["unconfirmed", "left", "suppressed"])
def test_only_an_active_subscription_is_shown_as_paused(state: str) -> None:
    """The others get no mail in any case."""
    assert replace(ACTIVE, state=state).display_state(NOW) == state
    assert replace(ACTIVE, state=state, paused_until=NOW + HOUR).display_state(NOW) == state


def test_preferences_that_are_the_same_are_no_change() -> None:
    """Sending the form of the preferences without a change records nothing."""
    assert subscription.change_preferences(ACTIVE, Preferences(), LATER) == subscription.Step(ACTIVE)
    step = subscription.change_preferences(ACTIVE, EPISODES, NOW)
    assert (step.event, step.subscriber.preferences) == ("changed", EPISODES)
    assert step.details == {"topics": "episodes", "frequency": "monthly"}


@pytest.mark.parametrize(("confirmed_at", "state"), [(NOW, "left"), (None, "unconfirmed")])
def test_lifting_a_suppression_brings_nobody_back(confirmed_at: datetime | None, state: str) -> None:
    """The person may sign up again, and is asked to confirm."""
    suppressed = subscription.suppress(replace(ADA, confirmed_at=confirmed_at), "operator", NOW)
    assert (suppressed.event, suppressed.details) == ("suppressed", {"reason": "operator"})
    assert subscription.suppress(suppressed.subscriber, "bounced", LATER) == subscription.Step(suppressed.subscriber)
    lifted = subscription.lift_suppression(suppressed.subscriber, NOW)
    assert (lifted.event, lifted.subscriber.state) == ("lifted", state)
    assert subscription.lift_suppression(lifted.subscriber, LATER) == subscription.Step(lifted.subscriber)


@pytest.mark.parametrize(
    ("state", "reason", "kind"),
    [
        ("unconfirmed", None, "confirmation"),
        ("left", None, "confirmation"),
        ("unconfirmed", "erased", "confirmation"),
        ("active", None, "already"),
        ("suppressed", None, None),
        ("suppressed", "bounced", None),
        ("unconfirmed", "complained", None),
        ("unconfirmed", "operator", None),
        ("active", "imported", "already"),
        ("suppressed", "imported", "confirmation"),
        ("suppressed", "erased", "confirmation"),
    ],
)
def test_a_form_mails_nobody_who_is_suppressed(state: str, reason: str | None, kind: str | None) -> None:
    """Somebody else may have entered the address. An erased person may sign up again."""
    assert subscription.sign_up_mail(replace(ADA, state=state), reason) == kind


CHANGE = replace(ACTIVE, preferences=EPISODES, changed_at=LATER)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            lambda: subscription.confirm(replace(ADA, requested=EPISODES), None, LATER),
            replace(CHANGE, confirmed_at=LATER),
        ),
        (
            lambda: subscription.confirm(replace(ADA, preferences=EPISODES), None, LATER),
            replace(CHANGE, confirmed_at=LATER),
        ),
        (
            lambda: subscription.add(
                replace(ADA, requested=EPISODES),
                basis="soft_opt_in_sale",
                collected_on=date(2020, 1, 1),
                now=LATER,
                event="added",
            ),
            replace(ACTIVE, basis="soft_opt_in_sale", confirmed_at=LATER, changed_at=LATER),
        ),
        (
            lambda: subscription.leave(replace(ACTIVE, requested=EPISODES), LATER),
            replace(ACTIVE, state="left", changed_at=LATER),
        ),
        (lambda: subscription.come_back(replace(ACTIVE, state="left"), LATER), replace(ACTIVE, changed_at=LATER)),
        (lambda: subscription.change_preferences(ACTIVE, EPISODES, LATER), CHANGE),
        (
            lambda: subscription.pause(ACTIVE, LATER + HOUR, LATER),
            replace(ACTIVE, paused_until=LATER + HOUR, changed_at=LATER),
        ),
        (
            lambda: subscription.pause(replace(ACTIVE, paused_until=LATER + HOUR), None, LATER),
            replace(ACTIVE, changed_at=LATER),
        ),
        (
            lambda: subscription.suppress(ACTIVE, "bounced", LATER),
            replace(ACTIVE, state="suppressed", changed_at=LATER),
        ),
        (
            lambda: subscription.lift_suppression(replace(ACTIVE, state="suppressed"), LATER),
            replace(ACTIVE, state="left", changed_at=LATER),
        ),
    ],
)
def test_a_step_changes_nothing_else(step: Callable[[], subscription.Step], expected: Subscriber) -> None:
    """What it is about, and when the subscription was changed."""
    assert step().subscriber == expected


def test_refusals_say_what_to_do() -> None:
    """The person reads them on a page, the operator in a terminal."""
    with pytest.raises(RefusedError) as refusal:
        subscription.confirm(ADA, "bounced", NOW)
    assert str(refusal.value) == "This address no longer gets mail from us: write to us if you would like it to."
    with pytest.raises(RefusedError) as refusal:
        subscription.come_back(ADA, NOW)
    assert str(refusal.value) == "This subscription was never confirmed: sign up again."
    with pytest.raises(UsageError) as mistake:
        subscription.add(ACTIVE, basis="soft_opt_in_charity", collected_on=date(2025, 5, 1), now=NOW, event="added")
    assert str(mistake.value) == (
        "the soft opt-in of charities covers addresses collected since 2026-02-05, not on 2025-05-01."
    )


def test_a_mail_is_tried_again_for_three_days() -> None:
    """After five minutes first, then ever more rarely, nine times in all."""
    hours = []
    while moment := retry_at(replace(MAIL, attempts=len(hours) + 1), NOW):
        hours.append((moment - NOW) / HOUR)
    assert hours == [5 / 60, 0.25, 1, 3, 8, 12, 24, 24]


@pytest.mark.parametrize(
    ("kind", "address", "ends_at"),
    [
        ("confirmation", "ada@quay.example", NOW + HOUR),
        ("guide", "ada@quay.example", None),
        ("address", "ada@harbour.example", None),
    ],
)
def test_where_a_mail_goes_and_when_its_link_ends(kind: str, address: str, ends_at: datetime | None) -> None:
    """A new address is confirmed at that address; a lifetime is counted from when the mail was asked for."""
    mail = replace(MAIL, kind=kind, subscriber=replace(ADA, new_address="ada@harbour.example"))
    assert recipient(mail) == address
    assert expires_at(mail, {"confirmation": HOUR}) == ends_at


@pytest.mark.parametrize(
    ("kind", "subscriber", "suppression", "ends_at", "reason"),
    [
        ("confirmation", ADA, None, NOW + HOUR, ""),
        ("confirmation", ADA, "imported", None, ""),
        ("confirmation", ADA, "bounced", None, "the address is suppressed"),
        ("guide", replace(ACTIVE, state="suppressed"), None, None, "the address is suppressed"),
        ("confirmation", ADA, None, NOW, "the time to confirm has passed"),
        ("confirmation", ACTIVE, None, NOW + HOUR, "the subscription is confirmed"),
        ("confirmation", replace(ACTIVE, state="left"), None, None, ""),
        ("guide", ACTIVE, None, None, ""),
        ("guide", replace(ACTIVE, state="left"), None, None, "the subscription has ended"),
        ("already", replace(ACTIVE, paused_until=NOW + HOUR), None, None, ""),
        ("best-of", ACTIVE, None, None, ""),
        ("best-of", replace(ACTIVE, paused_until=NOW + HOUR), None, None, "the subscription is paused"),
        ("best-of", replace(ACTIVE, paused_until=NOW), None, None, ""),
        ("address", replace(ACTIVE, new_address="ada@harbour.example"), None, NOW + HOUR, ""),
        ("address", ACTIVE, None, None, "the address has changed"),
        ("address", replace(ACTIVE, new_address="ada@quay.example"), None, None, "the address has changed"),
        ("guide", replace(ACTIVE, new_address="ada@quay.example"), None, None, ""),
    ],
)
def test_mails_that_are_not_wanted_any_more(
    kind: str, subscriber: Subscriber, suppression: str | None, ends_at: datetime | None, reason: str
) -> None:
    """What has happened since they were asked for decides."""
    assert reason_to_drop(replace(MAIL, kind=kind, subscriber=subscriber), suppression, ends_at, NOW) == reason


def test_every_topic_is_wanted_by_default() -> None:
    """People who are not asked get the whole edition."""
    assert Preferences().topics == TOPICS
