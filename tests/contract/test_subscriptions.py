"""Subscriptions from sign-up to farewell, in every store: what a form, a person and an operator can do, and cannot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audience.addresses import address_key
from pipeline.audience.subscription import describe
from pipeline.jobs.audience.context import GUIDE_TTL, MAIL_INTERVAL, PREFERENCES_TTL, AudienceContext
from pipeline.jobs.audience.sign_up import LIMIT_INTERVAL, SignUp, SignUpRequest, clean_up, clean_up_task
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.errors import ConfigError, InvalidTokenError, PipelineError, RefusedError, UsageError
from pipeline.model.subscriber import Preferences, SignupForm, Visitor
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.people import NOW, RULES, WORDING, audience, queued, sign_up, subscriber

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPISODES = Preferences(topics=("episodes",), frequency="monthly")
TODAY = NOW.date()


@pytest.fixture
def context(store: Store, tmp_path: Path) -> AudienceContext:
    """A publication with two forms, one of which has a guide."""
    (tmp_path / "tides.txt").write_text("High water follows the moon.")
    return audience(store, tmp_path)


def kinds(context: AudienceContext, address: str) -> list[str]:
    """Return the kinds of the events in a person's history."""
    events = context.store.subscription_events.of_subscriber(subscriber(context, address).id)
    return [event.kind for event in events]


def test_a_sign_up_waits_for_its_confirmation(context: AudienceContext) -> None:
    """The receipt has the wording, its version, the page, and where the browser was."""
    person = sign_up(context, "Ada@quay.example", form="tides", preferences=EPISODES, language="de")
    assert (person.state, person.address, person.language) == ("unconfirmed", "Ada@quay.example", "de")
    (event,) = context.store.subscription_events.of_subscriber(person.id)
    assert (event.kind, event.form, event.at, event.details) == ("requested", "tides", NOW, describe(EPISODES))
    assert event.wording is not None
    assert (event.wording.text, event.wording.version) == (f"{WORDING} And the guide.", 1)
    assert event.visitor == Visitor(ip_address="203.0.113.7", user_agent="Test/1", page="https://harbour.example/join")
    assert [(mail.kind, mail.form) for mail in queued(context)] == [("confirmation", "tides")]


def test_a_confirmation_makes_it_active_and_gives_the_guide_once(context: AudienceContext) -> None:
    """A second press changes nothing."""
    person = sign_up(context, "ada@quay.example", form="tides", preferences=EPISODES)
    queued(context)
    visitor = Visitor(ip_address="198.51.100.9")
    for _ in range(2):
        person = Subscriptions(context).confirm(person, NOW + HOUR, visitor, seconds_since_mail="3600")
    assert (person.state, person.preferences, person.confirmed_at) == ("active", EPISODES, NOW + HOUR)
    assert [mail.kind for mail in queued(context, NOW + HOUR)] == ["guide"]
    assert kinds(context, person.address) == ["requested", "confirmed", "guide"]
    confirmed = context.store.subscription_events.of_subscriber(person.id)[1]
    assert confirmed.visitor == visitor
    assert confirmed.details == describe(EPISODES) | {"seconds_since_mail": "3600"}


def test_a_new_version_of_a_guide_is_another_guide(context: AudienceContext) -> None:
    """The same one is only given again on request."""
    person = Subscriptions(context).confirm(sign_up(context, "ada@quay.example", form="tides"), NOW)
    queued(context)
    subscriptions = Subscriptions(context)
    subscriptions.give_guide(person, "tides", NOW)
    assert queued(context) == []
    subscriptions.give_guide(person, "tides", NOW, again=True)
    (context.folder / "tides.txt").write_text("High water follows the moon, twice a day.")
    subscriptions.give_guide(person, "tides", NOW)
    assert [mail.kind for mail in queued(context)] == ["guide", "guide"]
    assert len(context.store.person_mails.guides_of(person.id)) == 2


def test_a_confirmation_gives_the_guide_of_every_form(context: AudienceContext) -> None:
    """Whichever was filled in first, and whichever link is used; also after a person has left."""
    subscriptions = Subscriptions(context)
    sign_up(context, "ada@quay.example")
    sign_up(context, "ada@quay.example", form="tides")
    ada = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    bea = subscriptions.confirm(sign_up(context, "bea@quay.example"), NOW)
    subscriptions.leave(bea, NOW)
    subscriptions.confirm(sign_up(context, "bea@quay.example", form="tides"), NOW)
    guides = [mail for mail in queued(context) if mail.kind == "guide"]
    assert [(mail.subscriber.id, mail.form) for mail in guides] == [(ada.id, "tides"), (bea.id, "tides")]


def test_a_missing_guide_keeps_nobody_from_subscribing(context: AudienceContext) -> None:
    """The mail with the guide waits until its file is back."""
    (context.folder / "tides.txt").unlink()
    person = Subscriptions(context).confirm(sign_up(context, "ada@quay.example", form="tides"), NOW)
    assert person.state == "active"
    assert [mail.kind for mail in queued(context)] == ["confirmation", "guide"]


def test_a_guide_that_is_missing_is_named(context: AudienceContext) -> None:
    """With its path and what to do; a URL is not read."""
    (context.folder / "tides.txt").unlink()
    with pytest.raises(ConfigError, match=r"tides\.txt"):
        context.guide("tides")
    url = SignupForm(id="tides", title="", wording=WORDING, guide="https://harbour.example/tides.pdf")
    guide = replace(context, forms={"tides": url}).guide("tides")
    assert guide is not None
    assert (guide.url, guide.path) == ("https://harbour.example/tides.pdf", None)
    assert context.guide("newsletter") is None
    assert context.guide("gone") is None


def test_past_stories_are_queued_if_wanted(context: AudienceContext) -> None:
    """Days after the confirmation."""
    rules = replace(RULES, best_of_after=3 * DAY)
    Subscriptions(replace(context, rules=rules)).confirm(sign_up(context, "ada@quay.example"), NOW)
    assert [mail.kind for mail in queued(context, NOW + 3 * DAY - HOUR)] == ["confirmation"]
    assert [mail.kind for mail in queued(context, NOW + 3 * DAY)] == ["best-of"]


def test_an_address_gets_one_mail_a_week_from_a_form(context: AudienceContext) -> None:
    """However often it is entered, and in whatever case. Another form is another mail."""
    for hours in (0, 1, 100):
        sign_up(context, "Ada@quay.example" if hours else "ada@QUAY.example", now=NOW + hours * HOUR)
    assert [mail.kind for mail in queued(context, NOW + 100 * HOUR)] == ["confirmation"]
    sign_up(context, "ada@quay.example", form="tides", now=NOW + 100 * HOUR)
    assert [mail.form for mail in queued(context, NOW + 100 * HOUR)] == ["tides"]
    sign_up(context, "ada@quay.example", now=NOW + MAIL_INTERVAL)
    assert [mail.kind for mail in queued(context, NOW + MAIL_INTERVAL)] == ["confirmation"]


def test_who_is_subscribed_is_told_so_and_keeps_everything(context: AudienceContext) -> None:
    """Somebody else may have entered the address."""
    person = Subscriptions(context).confirm(sign_up(context, "ada@quay.example"), NOW)
    queued(context)
    again = sign_up(context, "ada@quay.example", now=NOW + MAIL_INTERVAL, preferences=EPISODES)
    assert again == person
    assert [mail.kind for mail in queued(context, NOW + MAIL_INTERVAL)] == ["already"]


@pytest.mark.parametrize("reason", ["bounced", "complained", "operator"])
def test_a_form_mails_nobody_who_is_suppressed(context: AudienceContext, reason: str) -> None:
    """Whether or not we know the person; the answer is the same as ever."""
    Subscriptions(context).suppress("ada@quay.example", reason, actor="eve", now=NOW)
    sign_up(context, "ada@quay.example")
    Subscriptions(context).suppress("ada@quay.example", reason, actor="eve", now=NOW)
    sign_up(context, "ADA@quay.example", form="tides")
    assert queued(context, NOW + 100 * DAY) == []
    assert subscriber(context, "ada@quay.example").state == "suppressed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"has_consented": False}, "Tick the box"),
        ({"address": "ada@quay"}, "not an email address"),
        ({"address": "ada@mailinator.com"}, "thrown away"),
        ({"form": "gone"}, "there is no sign-up form"),
        ({"address": "ada@no-mail.example"}, "does not receive mail"),
        ({"address": "info@quay.example"}, "several people"),
    ],
)
def test_a_form_that_is_wrong_is_refused_and_leaves_nothing(
    context: AudienceContext, change: dict[str, object], words: str
) -> None:
    """The sentence says what to do."""
    rules = replace(RULES, allow_role=False, has_mail_server=lambda domain: domain != "no-mail.example")
    values = {"form": "newsletter", "address": "ada@quay.example", "has_consented": True} | change
    job, request = SignUp(replace(context, rules=rules)), SignUpRequest(**values)
    with pytest.raises(UsageError, match=words):
        job.store(request, job.check(request), NOW)
    assert list(context.store.subscribers.iterate(NOW)) == []
    assert context.store.person_mails.next_due_at() is None


def test_a_network_may_sign_up_so_often(context: AudienceContext) -> None:
    """Neighbours count together; another network and the next hour do not."""
    limited = replace(context, rules=replace(RULES, max_per_network=2))
    for number in range(2):
        sign_up(limited, f"p{number}@quay.example", visitor=Visitor(ip_address=f"203.0.113.{number}"))
    with pytest.raises(RefusedError, match="Try again in an hour"):
        sign_up(limited, "p2@quay.example", visitor=Visitor(ip_address="203.0.113.77"))
    sign_up(limited, "p3@quay.example", visitor=Visitor(ip_address="203.0.114.1"))
    sign_up(limited, "p2@quay.example", visitor=Visitor(ip_address="203.0.113.77"), now=NOW + LIMIT_INTERVAL)


def test_a_flood_of_sign_ups_is_reported_and_asks_for_a_challenge(context: AudienceContext) -> None:
    """Of the form that gets it, and not for longer than it lasts."""
    reports: list[tuple[str, int]] = []
    limited = replace(context, rules=replace(RULES, max_per_form=2, challenge="auto"))
    signs_up = SignUp(limited, on_flood=lambda form, count, now: reports.append((form.id, count)))
    for number in range(5):
        assert signs_up.needs_challenge("newsletter", NOW) is (number > 2)
        address = f"p{number}@quay.example"
        signs_up.store(SignUpRequest(form="newsletter", address=address, has_consented=True), address, NOW)
    assert reports == [("newsletter", 3)]
    assert signs_up.needs_challenge("newsletter", NOW)
    assert not signs_up.needs_challenge("tides", NOW)
    assert not signs_up.needs_challenge("newsletter", NOW + LIMIT_INTERVAL)
    for challenge in ("always", "never"):
        rules = replace(RULES, challenge=challenge)
        assert SignUp(replace(context, rules=rules)).needs_challenge("tides", NOW) is (challenge == "always")


def test_the_daily_task_deletes_and_closes_alerts(context: AudienceContext) -> None:
    """It says how many sign-ups it deleted, and nothing if there were none."""
    sign_up(context, "ada@quay.example")
    closed: list[datetime] = []
    task = clean_up_task(context.store, 7 * DAY, closed.append)
    results = [task.run("", NOW + days * DAY) for days in (7, 8, 9)]
    assert [result.message for result in results] == ["", "1 unconfirmed sign-up deleted", ""]
    assert closed == [NOW + days * DAY for days in (7, 8, 9)]


def test_sign_ups_that_nobody_confirmed_are_deleted(context: AudienceContext) -> None:
    """With everything about them. Those who left and signed up again stay."""
    sign_up(context, "ada@quay.example")
    bea = Subscriptions(context).confirm(sign_up(context, "bea@quay.example"), NOW)
    Subscriptions(context).leave(bea, NOW)
    sign_up(context, "bea@quay.example", form="tides")
    assert clean_up(context.store, 7 * DAY, now=NOW + 7 * DAY) == 0
    assert clean_up(context.store, 7 * DAY, now=NOW + 7 * DAY + HOUR) == 1
    assert [person.address for person in context.store.subscribers.iterate(NOW)] == ["bea@quay.example"]


def test_who_has_left_comes_back_by_undo_or_by_a_new_confirmation(context: AudienceContext) -> None:
    """A form alone does not bring them back."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example", preferences=EPISODES), NOW)
    subscriptions.leave(person, NOW + HOUR)
    subscriptions.leave(person, NOW + HOUR)
    assert sign_up(context, "ada@quay.example", form="tides", now=NOW + DAY).state == "left"
    subscriptions.come_back(person, NOW + DAY)
    assert subscriber(context, "ada@quay.example").preferences == EPISODES
    subscriptions.leave(person, NOW + 2 * DAY)
    assert subscriptions.confirm(person, NOW + 2 * DAY).preferences == EPISODES
    assert kinds(context, "ada@quay.example") == [
        "requested",
        "confirmed",
        "left",
        "requested",
        "returned",
        "left",
        "confirmed",
        "guide",
    ]


def test_a_reason_for_leaving_is_kept_and_cut(context: AudienceContext) -> None:
    """Only of somebody who has left."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    subscriptions.give_reason(person, "too many", NOW)
    subscriptions.leave(person, NOW)
    subscriptions.give_reason(subscriber(context, "ada@quay.example"), "w" * 900, NOW)
    subscriptions.give_reason(subscriber(context, "ada@quay.example"), "  ", NOW)
    events = context.store.subscription_events.of_subscriber(person.id)
    assert [len(event.details.get("why", "")) for event in events] == [0, 0, 0, 500]
    assert [event.kind for event in events][-2:] == ["left", "reason"], "the departure counts once"


def test_preferences_and_pause_are_changed_together(context: AudienceContext) -> None:
    """Sending the form twice is the same as once."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    for _ in range(2):
        subscriptions.change(person, EPISODES, NOW + 9 * DAY, NOW)
    changed = subscriber(context, "ada@quay.example")
    assert (changed.preferences, changed.paused_until) == (EPISODES, NOW + 9 * DAY)
    assert kinds(context, "ada@quay.example") == ["requested", "confirmed", "changed", "paused"]


def test_an_address_changes_once_the_new_one_has_confirmed(context: AudienceContext) -> None:
    """Links of the old mails keep working."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    leave_token = context.token("unsubscribe", person, NOW)
    queued(context)
    subscriptions.request_address(person, "ada@pier.example", NOW)
    assert subscriber(context, "ada@quay.example").state == "active"
    (mail,) = queued(context)
    assert (mail.kind, mail.subscriber.new_address) == ("address", "ada@pier.example")
    token = context.token("address", mail.subscriber, NOW)
    for _ in range(2):
        subscriptions.confirm_address(context.subscriber_of("address", token, NOW + HOUR), NOW + HOUR)
    assert subscriber(context, "ada@pier.example").id == person.id
    assert context.subscriber_of("unsubscribe", leave_token, NOW + 900 * DAY).address == "ada@pier.example"
    assert kinds(context, "ada@pier.example")[-2:] == ["address-requested", "address-changed"]


def test_a_link_for_one_new_address_does_not_confirm_another(context: AudienceContext) -> None:
    """The link is bound to the address it was sent to."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    subscriptions.request_address(person, "ada@pier.example", NOW)
    token = context.token("address", subscriber(context, "ada@quay.example"), NOW)
    subscriptions.request_address(person, "ada@other.example", NOW)
    with pytest.raises(InvalidTokenError):
        context.subscriber_of("address", token, NOW)


def test_who_left_another_service_may_sign_up_here(context: AudienceContext) -> None:
    """Confirming lifts the suppression that the import made, whether or not they were subscribers."""
    subscriptions = Subscriptions(context)
    subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    for name in ("ada", "bea"):
        subscriptions.suppress(f"{name}@quay.example", "imported", actor="eve", now=NOW)
        person = sign_up(context, f"{name}@quay.example", form="tides", preferences=EPISODES)
        assert subscriptions.confirm(person, NOW).preferences == EPISODES
        assert context.suppression(f"{name}@quay.example") is None


def test_a_new_address_gets_one_mail_a_week(context: AudienceContext) -> None:
    """However often it is entered, and by whom."""
    subscriptions = Subscriptions(context)
    for name in ("ada", "bea"):
        person = subscriptions.confirm(sign_up(context, f"{name}@quay.example"), NOW)
        subscriptions.request_address(person, "cai@pier.example", NOW)
    assert [mail.kind for mail in queued(context)].count("address") == 1
    subscriptions.request_address(person, "cai@pier.example", NOW + MAIL_INTERVAL)
    assert [mail.kind for mail in queued(context, NOW + MAIL_INTERVAL)] == ["address"]


@pytest.mark.parametrize("taken_by", ["subscriber", "suppression"])
def test_an_address_that_cannot_be_taken_gets_no_mail(context: AudienceContext, taken_by: str) -> None:
    """And the person who asked does not learn why."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    if taken_by == "subscriber":
        sign_up(context, "bea@quay.example")
    else:
        subscriptions.suppress("bea@quay.example", "complained", actor="eve", now=NOW)
    queued(context)
    subscriptions.request_address(person, "bea@quay.example", NOW)
    assert queued(context) == []
    with pytest.raises(RefusedError):
        subscriptions.confirm_address(person, NOW)
    assert subscriber(context, "ada@quay.example").id == person.id


def test_an_operator_adds_with_a_basis_and_revives_nobody(context: AudienceContext) -> None:
    """Neither those who have left nor suppressed ones; who is active keeps everything."""
    subscriptions = Subscriptions(context)
    given = {"basis": "soft_opt_in_sale", "collected_on": date(2025, 5, 1), "now": NOW, "actor": "eve"}
    assert subscriptions.add("ada@quay.example", EPISODES, **given)
    assert not subscriptions.add("ada@quay.example", Preferences(), **given | {"basis": "consent"})
    added = subscriber(context, "ada@quay.example")
    assert (added.state, added.basis, added.preferences) == ("active", "soft_opt_in_sale", EPISODES)
    (event,) = context.store.subscription_events.of_subscriber(added.id)
    assert (event.kind, event.actor, event.details["collected_on"]) == ("added", "eve", "2025-05-01")
    subscriptions.leave(added, NOW)
    subscriptions.suppress("bea@quay.example", "bounced", actor="eve", now=NOW)
    for address in ("ada@quay.example", "bea@quay.example"):
        with pytest.raises(RefusedError, match="only the person"):
            subscriptions.add(address, EPISODES, **given)


def test_a_lifted_suppression_lets_a_person_sign_up_again(context: AudienceContext) -> None:
    """It does not bring the subscription back."""
    subscriptions = Subscriptions(context)
    subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    subscriptions.suppress("ADA@quay.example", "operator", actor="eve", now=NOW)
    assert subscriber(context, "ada@quay.example").state == "suppressed"
    subscriptions.lift_suppression("ada@quay.example", actor="eve", now=NOW)
    assert subscriber(context, "ada@quay.example").state == "left"
    with pytest.raises(UsageError, match="not suppressed"):
        subscriptions.lift_suppression("ada@quay.example", actor="eve", now=NOW)
    assert kinds(context, "ada@quay.example")[-2:] == ["suppressed", "lifted"]


def test_an_erased_person_is_unknown_but_not_imported_again(context: AudienceContext) -> None:
    """Only an HMAC is left. They may sign up again themselves, which lifts it once they confirm."""
    subscriptions = Subscriptions(context)
    person = subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    token = context.token("unsubscribe", person, NOW)
    subscriptions.erase("Ada@quay.example", actor="eve", now=NOW)
    assert context.store.subscribers.find("ada@quay.example") is None
    with pytest.raises(InvalidTokenError) as gone:
        context.subscriber_of("unsubscribe", token, NOW)
    assert gone.value.kind == "used"
    with pytest.raises(RefusedError, match="suppressed"):
        subscriptions.add("ada@quay.example", EPISODES, basis="consent", collected_on=TODAY, now=NOW, actor="eve")
    ((_, actor, action, details),) = context.store.subscription_events.logged()
    assert (actor, action) == ("eve", "erase")
    assert "ada" not in str(details)
    again = sign_up(context, "ada@quay.example", form="tides", now=NOW + DAY)
    with pytest.raises(InvalidTokenError):
        context.subscriber_of("unsubscribe", token, NOW)
    assert context.suppression("ada@quay.example") == "erased"
    subscriptions.confirm(again, NOW + DAY)
    assert context.suppression("ada@quay.example") is None


def test_erasing_does_not_forget_a_complaint(context: AudienceContext) -> None:
    """Otherwise a form could mail the person again."""
    subscriptions = Subscriptions(context)
    subscriptions.confirm(sign_up(context, "ada@quay.example"), NOW)
    subscriptions.suppress("ada@quay.example", "complained", actor="eve", now=NOW)
    subscriptions.erase("ada@quay.example", actor="eve", now=NOW)
    assert context.suppression("ada@quay.example") == "complained"


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [("confirm", RULES.keep_unconfirmed), ("preferences", PREFERENCES_TTL), ("guide", GUIDE_TTL)],
)
def test_links_end_after_their_time(context: AudienceContext, purpose: str, lifetime: timedelta) -> None:
    """Those to unsubscribe never do."""
    person = sign_up(context, "ada@quay.example")
    assert context.link(purpose, person, NOW).startswith(f"https://news.harbour.example/{purpose}/")
    token = context.token(purpose, person, NOW)
    assert context.subscriber_of(purpose, token, NOW + lifetime) == person
    with pytest.raises(InvalidTokenError) as late:
        context.subscriber_of(purpose, token, NOW + lifetime + HOUR)
    assert late.value.kind == "expired"
    leave = context.token("unsubscribe", person, NOW)
    assert context.subscriber_of("unsubscribe", leave, NOW + 9_000 * DAY) == person


STEPS = ("sign up", "confirm", "import", "leave", "come back", "suppress", "lift", "erase", "change", "clean up")


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store for many examples, each with an address of its own."""
    return Store.open(empty_store(tmp_path_factory.mktemp("people")))


@given(steps=st.lists(st.sampled_from(STEPS), max_size=14), number=st.uuids())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_rules_hold_in_any_order(shared_store: Store, steps: list[str], number: object) -> None:
    """Only the person revives a subscription; an active one has a receipt, or a basis that the operator stated."""
    context, address = audience(shared_store), f"{number}@quay.example"
    key, subscriptions, now = address_key(address), Subscriptions(audience(shared_store)), NOW
    for step in steps:
        now += HOUR
        before, suppressed = context.store.subscribers.find(key), context.suppression(address)
        try:
            take(subscriptions, address, step, now)
        except PipelineError:
            assert context.store.subscribers.find(key) == before, "a refused step changes nothing"
        after = context.store.subscribers.find(key)
        revived = after is not None and after.state == "active" and (before is None or before.state != "active")
        if revived and before and before.state in ("left", "suppressed"):
            assert step in ("confirm", "come back")
        if revived and (suppressed or (before and before.state == "suppressed")):
            assert step == "come back" or (step == "confirm" and suppressed == "erased")
        if suppressed and step not in ("confirm", "come back", "lift"):
            assert context.suppression(address) is not None
        if after is None:
            continue
        events = context.store.subscription_events.of_subscriber(after.id)
        if after.state == "active":
            assert after.confirmed_at is not None
            assert any(event.kind == "confirmed" for event in events) or any(event.kind == "added" for event in events)
            assert any(event.wording for event in events) or any("basis" in event.details for event in events)
            assert context.suppression(address) is None
        if after.state == "suppressed":
            assert context.suppression(address) is not None


def take(subscriptions: Subscriptions, address: str, step: str, now: object) -> None:
    """Take one step with an address."""
    context = subscriptions.context
    person = context.store.subscribers.find(address_key(address))
    if step == "sign up":
        sign_up(context, address, now=now)
    elif step == "import":
        subscriptions.add(address, EPISODES, basis="consent", collected_on=TODAY, now=now, actor="eve")
    elif step == "suppress":
        subscriptions.suppress(address, "bounced", actor="eve", now=now)
    elif step == "lift":
        subscriptions.lift_suppression(address, actor="eve", now=now)
    elif step == "erase":
        subscriptions.erase(address, actor="eve", now=now)
    elif step == "clean up":
        clean_up(context.store, RULES.keep_unconfirmed, now=now)
    elif person is not None:
        action = {"confirm": subscriptions.confirm, "leave": subscriptions.leave, "come back": subscriptions.come_back}
        if step == "change":
            subscriptions.change(person, EPISODES, None, now)
        else:
            action[step](person, now)
