"""Notices in the store: one open notice of one thing, one telling in one way, whoever else tries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from store_factories import HOUR, NOW

from pipeline.model.alert import Alert, AlertDelivery
from pipeline.store import Store

SILENT = Alert(key="feed/blog/unread", subject="The blog cannot be read", text="Since Monday.", raised_at=NOW)
WELL = Alert(key="feed/blog/well", subject="The blog is well again", text="It is.", raised_at=NOW + HOUR, level="info")
BOTH = ("command", "mail")
LEASE = NOW + timedelta(minutes=10)


def to_tell(store: Store) -> AlertDelivery:
    """Open a notice, and give the one telling there is."""
    store.alerts.add(SILENT, ["mail"])
    (found,) = store.alerts.due(NOW, BOTH)
    return found


def test_a_notice_is_open_until_it_is_closed(store: Store) -> None:
    """As it was told, with its instant and its level."""
    assert store.alerts.add(SILENT, BOTH)
    assert store.alerts.list_open() == [SILENT]
    assert store.alerts.close(SILENT.key, at=NOW + HOUR)
    assert store.alerts.list_open() == []


def test_an_open_notice_is_not_opened_again(store: Store) -> None:
    """Whatever it says by now; it stays as it was told, and there is nothing more to tell."""
    store.alerts.add(SILENT, ["mail"])
    assert not store.alerts.add(replace(SILENT, text="Still."), BOTH)
    assert store.alerts.list_open() == [SILENT]
    assert len(store.alerts.due(NOW, BOTH)) == 1


def test_what_comes_again_is_told_again(store: Store) -> None:
    """Once closed, the same key is a new occurrence."""
    store.alerts.add(SILENT, ["mail"])
    store.alerts.close(SILENT.key, at=NOW)
    assert store.alerts.add(replace(SILENT, raised_at=NOW + HOUR), ["mail"])
    assert [each.alert.raised_at for each in store.alerts.due(NOW + HOUR, BOTH)] == [NOW, NOW + HOUR]


def test_of_many_that_open_a_notice_one_does(store: Store) -> None:
    """And it is to be told once."""
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: store.alerts.add(SILENT, ["mail"]), range(4)))
    assert sorted(opened) == [False] * 3 + [True]
    assert len(store.alerts.due(NOW, BOTH)) == 1


def test_of_many_that_tell_a_notice_one_may(store: Store) -> None:
    """The claim decides."""
    telling = to_tell(store)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: store.alerts.claim(telling, until=LEASE), range(4)))
    assert sorted(claimed) == [False] * 3 + [True]


def test_what_was_told_is_never_due_again(store: Store) -> None:
    """Not in that way; the other way is its own affair."""
    store.alerts.add(SILENT, BOTH)
    command, mail = store.alerts.due(NOW, BOTH)
    assert store.alerts.claim(command, until=LEASE)
    assert store.alerts.mark_sent(command, at=NOW)
    assert store.alerts.due(NOW + 1000 * HOUR, BOTH) == [mail]


def test_what_could_not_be_told_is_due_again_later(store: Store) -> None:
    """With one attempt more to its name."""
    telling = to_tell(store)
    store.alerts.claim(telling, until=LEASE)
    assert store.alerts.mark_failed(telling, "nobody answers", retry_at=NOW + HOUR)
    assert store.alerts.due(NOW + HOUR - timedelta(seconds=1), BOTH) == []
    assert store.alerts.due(NOW + HOUR, BOTH) == [replace(telling, attempts=1, error="nobody answers")]


def test_a_claim_whose_owner_died_runs_out(store: Store) -> None:
    """Then another takes over, and the first, should it live after all, settles nothing."""
    telling = to_tell(store)
    store.alerts.claim(telling, until=LEASE)
    assert store.alerts.due(NOW, BOTH) == []
    (again,) = store.alerts.due(LEASE, BOTH)
    assert store.alerts.claim(again, until=LEASE + HOUR)
    assert not store.alerts.mark_sent(telling, at=LEASE)
    assert store.alerts.mark_sent(again, at=LEASE)


def test_the_end_is_told_once_by_whoever_closed(store: Store) -> None:
    """A farewell is never open, and where nothing was closed there is none."""
    store.alerts.add(SILENT, [])
    with ThreadPoolExecutor(4) as pool:
        closings = pool.map(
            lambda _: store.alerts.close(SILENT.key, at=NOW + HOUR, resolution=WELL, channels=["mail"]), range(4)
        )
        assert sorted(closings) == [False] * 3 + [True]
    assert store.alerts.list_open() == []
    assert [each.alert for each in store.alerts.due(NOW + HOUR, BOTH)] == [WELL]


def test_what_a_wrong_clock_put_off_is_due_when_it_is_set_right(store: Store) -> None:
    """Nothing is due years from now but by mistake."""
    telling = to_tell(store)
    store.alerts.claim(telling, until=LEASE + 20_000 * HOUR)
    assert [each.alert for each in store.alerts.due(NOW + HOUR, BOTH)] == [SILENT]


def test_a_way_that_is_no_longer_there_is_not_asked_for(store: Store) -> None:
    """What was to be told by a command that config.toml has lost stays where it is."""
    store.alerts.add(SILENT, BOTH)
    assert [each.channel for each in store.alerts.due(NOW, ["mail"])] == ["mail"]
    assert store.alerts.due(NOW, []) == []
