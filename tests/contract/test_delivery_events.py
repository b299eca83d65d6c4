"""What comes back is recorded once, and suppresses or ends a subscription, in every store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.jobs.deliveries.events import EventRecorder
from pipeline.model.delivery import Delivery, Settlement
from pipeline.model.delivery_event import DeliveryEvent, event_key
from pipeline.model.subscriber import Subscriber
from pipeline.store import Store
from tests.people import NOW, audience, subscriber

DAY = timedelta(days=1)
ADA, BO = "ada@quay.example", "bo@quay.example"
ACTIVE = Subscriber(id=0, address="", state="active", created_at=NOW, changed_at=NOW, confirmed_at=NOW)


@pytest.fixture
def context(store: Store) -> AudienceContext:
    """Two subscribers, who got two editions, the second six days after the first."""
    for address in (ADA, BO):
        store.subscribers.add_or_lock(replace(ACTIVE, address=address), address)
    for number, week in enumerate(("2026-W07", "2026-W08")):
        send(store, week, NOW + 6 * number * DAY)
    return audience(store)


def send(store: Store, week: str, now: datetime) -> None:
    key = (week, 0)
    store.dispatches.start(key, now=now, actor="ann")
    store.dispatches.freeze(key, {"whole": [("posts episodes links", "every")]}, now)
    claimed = [delivery for delivery, _ in store.deliveries.claim(key, "one", now, limit=10)]
    settled = [
        Settlement(
            delivery_id=one.id,
            attempt=one.attempts,
            state="sent",
            due_at=now,
            reply="250 OK",
            provider_id=f"{week}/{one.address}",
        )
        for one in claimed
    ]
    store.deliveries.record("one", [], settled, now, day="2026-02-16")


def delivery(store: Store, address: str = ADA, week: str = "2026-W07") -> Delivery:
    return next(one for one in store.deliveries.iterate(week) if one.address == address)


def event(kind: str = "bounced", severity: str = "hard", **more: Any) -> DeliveryEvent:
    values = {"address": ADA, "at": NOW, "key": event_key("test", kind, severity, *map(str, more.values()))}
    return DeliveryEvent(kind=kind, severity=severity, **values | more)


def record(context: AudienceContext, *events: DeliveryEvent, now: datetime = NOW, max_soft: int = 3) -> Sequence[str]:
    recorder = EventRecorder(subscriptions=Subscriptions(context), max_soft=max_soft)
    return [recorder.record(one, now) for one in events]


@pytest.mark.parametrize(
    ("kind", "severity", "action", "state", "reason"),
    [
        ("bounced", "hard", "suppressed", "suppressed", "bounced"),
        ("rejected", "hard", "suppressed", "suppressed", "bounced"),
        ("complained", "", "suppressed", "suppressed", "complained"),
        ("complained", "soft", "recorded", "active", None),
        ("bounced", "soft", "recorded", "active", None),
        ("rejected", "", "recorded", "active", None),
        ("deferred", "", "recorded", "active", None),
        ("deferred", "hard", "recorded", "active", None),
        ("delivered", "", "recorded", "active", None),
        ("unsubscribed", "", "left", "left", None),
        ("autoresponded", "", "ignored", "active", None),
        ("clicked", "", "ignored", "active", None),
        ("unknown", "hard", "ignored", "active", None),
    ],
)
def test_an_event_does_what_its_kind_asks_for_and_no_more(
    context: AudienceContext, kind: str, severity: str, action: str, state: str, reason: str | None
) -> None:
    """Once, by whatever names the subscriber: the address, the delivery, or the mail service's id for it."""
    first = event(kind, severity)
    assert record(context, first, first) == [action, "ignored" if action == "ignored" else "repeated"]
    assert subscriber(context, ADA).state == state
    assert context.suppression(ADA) == reason
    assert subscriber(context, BO).state == "active"
    by_id = event(kind, severity, delivery_id=delivery(context.store, BO).id, address="other@x.example")
    assert record(context, by_id) == [action]
    assert subscriber(context, BO).state == state
    by_provider = event(kind, severity, provider_id=f"2026-W08/{BO}", address="")
    assert record(context, by_provider) == ["ignored" if action == "ignored" else "recorded"]


def test_nobody_is_stored_who_is_not_a_subscriber(context: AudienceContext) -> None:
    """A report may name any address; it suppresses none that we never wrote to."""
    strange = [
        event(address=address) for address in ("eve@quay.example", "", "nobody", "a@b@c", "x" * 500 + "@y.example")
    ]
    assert record(context, *strange) == ["ignored"] * 5
    assert list(context.store.delivery_events.iterate()) == []
    assert context.suppression("eve@quay.example") is None


def test_a_token_whose_delivery_is_gone_proves_nothing(context: AudienceContext) -> None:
    """It may be anybody's, so that the address it comes with counts as one soft bounce."""
    assert record(context, event(delivery_id=999_999)) == ["recorded"]
    assert record(context, event("unsubscribed", "", delivery_id=999_999)) == ["ignored"]
    assert [one.severity for one in context.store.delivery_events.iterate()] == ["soft"]
    assert subscriber(context, ADA).state == "active"


def test_a_bounce_of_an_address_that_was_changed_leaves_the_new_one_alone(context: AudienceContext) -> None:
    """The old one is suppressed, so that nobody signs up with it again."""
    sent = delivery(context.store)
    person = subscriber(context, ADA)
    context.store.subscribers.change_address(replace(person, address="ada@new.example"), "ada@new.example")
    assert record(context, event(delivery_id=sent.id), event("bounced", "soft", delivery_id=sent.id)) == [
        "suppressed",
        "recorded",
    ]
    assert subscriber(context, "ada@new.example").state == "active"
    assert context.suppression(ADA) == "bounced"
    assert context.suppression("ada@new.example") is None
    assert record(context, event("unsubscribed", "", delivery_id=sent.id)) == ["recorded"]
    assert subscriber(context, "ada@new.example").state == "active"


def soft(number: int, **more: Any) -> DeliveryEvent:
    return event("bounced", "soft", at=NOW + number * DAY, key=f"soft:{number}/{more}", **more)


def test_soft_bounces_suppress_when_there_were_enough(context: AudienceContext) -> None:
    """Several reports about one delivery count once, and so do those of one day without one."""
    sent = [delivery(context.store, week=week).id for week in ("2026-W07", "2026-W08")]
    now = NOW + 40 * DAY
    few = [soft(1, delivery_id=sent[0]), soft(2, delivery_id=sent[0]), soft(3, delivery_id=sent[1])]
    assert record(context, *few, now=now) == ["recorded"] * 3
    assert record(context, soft(4), soft(4, diagnostic="x"), now=now) == ["suppressed", "recorded"]
    assert context.suppression(ADA) == "bounced"
    (last,) = [one for one in context.store.subscription_events.of_subscriber(1) if one.kind == "suppressed"]
    assert last.actor == "bounces"


def test_soft_bounces_of_long_ago_or_before_a_new_start_do_not_count(context: AudienceContext) -> None:
    """A person who was let in again, or changed the address, begins with none."""
    now = NOW + 300 * DAY
    assert record(context, *(soft(number) for number in (1, 2, 3, 250, 251)), now=now) == ["recorded"] * 5
    subscriptions = Subscriptions(context)
    subscriptions.suppress(ADA, "operator", actor="ann", now=NOW + 252 * DAY)
    subscriptions.come_back(subscriber(context, ADA), NOW + 253 * DAY)
    assert record(context, soft(254), soft(255), now=now) == ["recorded"] * 2
    assert record(context, soft(256), now=now) == ["suppressed"]


def test_someone_who_left_stays_so_and_someone_suppressed_keeps_the_reason(context: AudienceContext) -> None:
    """What comes later is recorded."""
    Subscriptions(context).suppress(ADA, "complained", actor="ann", now=NOW)
    assert record(context, event(), event("unsubscribed", "")) == ["recorded", "recorded"]
    assert context.suppression(ADA) == "complained"
    Subscriptions(context).leave(subscriber(context, BO), NOW)
    assert record(context, event("unsubscribed", "", address=BO)) == ["recorded"]


def test_events_are_counted_by_kind_once_for_each_delivery(context: AudienceContext) -> None:
    """Whether they bounced once or twice; and who left before the next edition counts for this one."""
    store = context.store
    ada, bo = delivery(store).id, delivery(store, BO).id
    record(
        context, event(delivery_id=ada), event("bounced", "soft", delivery_id=ada), event(delivery_id=bo), max_soft=9
    )
    record(context, event("complained", "", delivery_id=bo), event("delivered", "", delivery_id=bo))
    assert store.delivery_events.counts("2026-W07") == {"bounced": 2, "complained": 1, "delivered": 1}
    assert store.delivery_events.counts("2026-W08") == {}


def test_who_left_between_two_editions_left_after_the_first(context: AudienceContext) -> None:
    """Also who got only one of them; nobody else."""
    store = context.store
    Subscriptions(context).leave(subscriber(context, ADA), NOW + 2 * DAY)
    Subscriptions(context).come_back(subscriber(context, ADA), NOW + 3 * DAY)
    Subscriptions(context).leave(subscriber(context, ADA), NOW + 4 * DAY)
    Subscriptions(context).leave(subscriber(context, BO), NOW + 9 * DAY)
    store.subscribers.add_or_lock(replace(ACTIVE, address="cy@quay.example"), "cy@quay.example")
    Subscriptions(context).leave(subscriber(context, "cy@quay.example"), NOW + 2 * DAY)
    assert [store.delivery_events.left(week) for week in ("2026-W07", "2026-W08", "2026-W09")] == [1, 1, 0]


def test_events_are_listed_newest_first_and_outlive_an_erased_person_without_the_address(
    context: AudienceContext,
) -> None:
    """They count for the edition still."""
    events, sent = context.store.delivery_events, delivery(context.store).id
    record(context, event("delivered", "", delivery_id=sent), event(delivery_id=sent, diagnostic=f"no {ADA}"))
    record(context, event("complained", "", address=BO))
    assert [(one.kind, one.week, one.address) for one in events.iterate()] == [
        ("complained", "", BO),
        ("bounced", "2026-W07", ADA),
        ("delivered", "2026-W07", ADA),
    ]
    assert [one.kind for one in events.iterate(week="2026-W07", kinds=["bounced"])] == ["bounced"]
    assert [one.kind for one in events.of_subscriber(subscriber(context, ADA).id)] == ["delivered", "bounced"]
    Subscriptions(context).erase(ADA, actor="ann", now=NOW)
    (erased,) = events.iterate(kinds=["bounced"])
    assert (erased.address, erased.diagnostic, erased.week) == ("", "", "2026-W07")
    assert record(context, event("complained", "", delivery_id=sent, address=ADA)) == ["recorded"]
    assert next(iter(events.iterate())).address == ""
    assert events.counts("2026-W07") == {"delivered": 1, "bounced": 1, "complained": 1}
