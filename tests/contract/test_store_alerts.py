"""Alerts in every store: one open alert of a key, one delivery by a channel, whichever process is first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from store_factories import HOUR, NOW

from pipeline.model.alert import Alert, AlertDelivery
from pipeline.store import Store

UNREACHABLE = Alert(key="feed/blog/unread", subject="The blog cannot be read", text="Since Monday.", raised_at=NOW)
RECOVERED = Alert(
    key="feed/blog/well", subject="The blog is well again", text="It is.", raised_at=NOW + HOUR, level="info"
)
CHANNELS = ("command", "mail")
LEASE = NOW + timedelta(minutes=10)


def add_delivery(store: Store) -> AlertDelivery:
    """Add an alert and return its only delivery."""
    store.alerts.add(UNREACHABLE, ["mail"])
    (delivery,) = store.alerts.due(NOW, CHANNELS)
    return delivery


def test_an_alert_is_open_until_it_is_closed(store: Store) -> None:
    """It is read back equal, with its instant and level."""
    assert store.alerts.add(UNREACHABLE, CHANNELS)
    assert store.alerts.list_open() == [UNREACHABLE]
    assert store.alerts.close(UNREACHABLE.key, at=NOW + HOUR)
    assert store.alerts.list_open() == []


def test_an_open_alert_is_not_added_again(store: Store) -> None:
    """Its text stays as it was, and no further delivery is added."""
    store.alerts.add(UNREACHABLE, ["mail"])
    assert not store.alerts.add(replace(UNREACHABLE, text="Still."), CHANNELS)
    assert store.alerts.list_open() == [UNREACHABLE]
    assert len(store.alerts.due(NOW, CHANNELS)) == 1


def test_a_closed_alert_can_be_added_again(store: Store) -> None:
    """Once closed, the same key is a new alert with a delivery of its own."""
    store.alerts.add(UNREACHABLE, ["mail"])
    store.alerts.close(UNREACHABLE.key, at=NOW)
    assert store.alerts.add(replace(UNREACHABLE, raised_at=NOW + HOUR), ["mail"])
    assert [delivery.alert.raised_at for delivery in store.alerts.due(NOW + HOUR, CHANNELS)] == [NOW, NOW + HOUR]


def test_concurrent_processes_add_one_alert(store: Store) -> None:
    """It has one delivery."""
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: store.alerts.add(UNREACHABLE, ["mail"]), range(4)))
    assert sorted(opened) == [False] * 3 + [True]
    assert len(store.alerts.due(NOW, CHANNELS)) == 1


def test_concurrent_processes_claim_a_delivery_once(store: Store) -> None:
    """The claim decides."""
    delivery = add_delivery(store)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: store.alerts.claim(delivery, until=LEASE), range(4)))
    assert sorted(claimed) == [False] * 3 + [True]


def test_a_sent_delivery_is_never_due_again(store: Store) -> None:
    """The delivery by another channel is not affected."""
    store.alerts.add(UNREACHABLE, CHANNELS)
    command, mail = store.alerts.due(NOW, CHANNELS)
    assert store.alerts.claim(command, until=LEASE)
    assert store.alerts.mark_sent(command, at=NOW)
    assert store.alerts.due(NOW + 1000 * HOUR, CHANNELS) == [mail]


def test_a_failed_delivery_is_due_again_later(store: Store) -> None:
    """It counts one attempt more."""
    delivery = add_delivery(store)
    store.alerts.claim(delivery, until=LEASE)
    assert store.alerts.mark_failed(delivery, "nobody answers", retry_at=NOW + HOUR)
    assert store.alerts.due(NOW + HOUR - timedelta(seconds=1), CHANNELS) == []
    assert store.alerts.due(NOW + HOUR, CHANNELS) == [replace(delivery, attempts=1, error="nobody answers")]


def test_a_claim_expires(store: Store) -> None:
    """Another process claims the delivery, and the first one can no longer mark it."""
    delivery = add_delivery(store)
    store.alerts.claim(delivery, until=LEASE)
    assert store.alerts.due(NOW, CHANNELS) == []
    (again,) = store.alerts.due(LEASE, CHANNELS)
    assert store.alerts.claim(again, until=LEASE + HOUR)
    assert not store.alerts.mark_sent(delivery, at=LEASE)
    assert store.alerts.mark_sent(again, at=LEASE)


def test_a_resolution_is_delivered_once(store: Store) -> None:
    """It is never open, and nothing is delivered where nothing was closed."""
    store.alerts.add(UNREACHABLE, [])
    with ThreadPoolExecutor(4) as pool:
        closings = pool.map(
            lambda _: store.alerts.close(UNREACHABLE.key, at=NOW + HOUR, resolution=RECOVERED, channels=["mail"]),
            range(4),
        )
        assert sorted(closings) == [False] * 3 + [True]
    assert store.alerts.list_open() == []
    assert [delivery.alert for delivery in store.alerts.due(NOW + HOUR, CHANNELS)] == [RECOVERED]


def test_a_delivery_postponed_by_a_wrong_clock_is_due(store: Store) -> None:
    """A delivery due years from now can only be a mistake."""
    delivery = add_delivery(store)
    store.alerts.claim(delivery, until=LEASE + 20_000 * HOUR)
    assert [delivery.alert for delivery in store.alerts.due(NOW + HOUR, CHANNELS)] == [UNREACHABLE]


def test_deliveries_by_other_channels_are_not_due(store: Store) -> None:
    """A delivery by a channel that config.toml no longer names stays pending."""
    store.alerts.add(UNREACHABLE, CHANNELS)
    assert [delivery.channel for delivery in store.alerts.due(NOW, ["mail"])] == ["mail"]
    assert store.alerts.due(NOW, []) == []
