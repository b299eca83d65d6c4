"""Notices in the store: one open notice of one thing, one telling in one way, whoever else tries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from store_cases import HOUR, NOW

from pipeline.model.notice import Notice, Telling
from pipeline.store import Store

SILENT = Notice(key="feed/blog/unread", subject="The blog cannot be read", text="Since Monday.", at=NOW)
WELL = Notice(key="feed/blog/well", subject="The blog is well again", text="It is.", at=NOW + HOUR, level="info")
BOTH = ("command", "mail")
LEASE = NOW + timedelta(minutes=10)


def to_tell(store: Store) -> Telling:
    """Open a notice, and give the one telling there is."""
    store.notices.add(SILENT, ["mail"])
    (found,) = store.notices.due(NOW, BOTH)
    return found


def test_a_notice_is_open_until_it_is_closed(store: Store) -> None:
    """As it was told, with its instant and its level."""
    assert store.notices.add(SILENT, BOTH)
    assert store.notices.open() == [SILENT]
    assert store.notices.close(SILENT.key, at=NOW + HOUR)
    assert store.notices.open() == []


def test_an_open_notice_is_not_opened_again(store: Store) -> None:
    """Whatever it says by now; it stays as it was told, and there is nothing more to tell."""
    store.notices.add(SILENT, ["mail"])
    assert not store.notices.add(replace(SILENT, text="Still."), BOTH)
    assert store.notices.open() == [SILENT]
    assert len(store.notices.due(NOW, BOTH)) == 1


def test_what_comes_again_is_told_again(store: Store) -> None:
    """Once closed, the same key is a new occurrence."""
    store.notices.add(SILENT, ["mail"])
    store.notices.close(SILENT.key, at=NOW)
    assert store.notices.add(replace(SILENT, at=NOW + HOUR), ["mail"])
    assert [each.notice.at for each in store.notices.due(NOW + HOUR, BOTH)] == [NOW, NOW + HOUR]


def test_of_many_that_open_a_notice_one_does(store: Store) -> None:
    """And it is to be told once."""
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: store.notices.add(SILENT, ["mail"]), range(4)))
    assert sorted(opened) == [False] * 3 + [True]
    assert len(store.notices.due(NOW, BOTH)) == 1


def test_of_many_that_tell_a_notice_one_may(store: Store) -> None:
    """The claim decides."""
    telling = to_tell(store)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: store.notices.claim(telling, until=LEASE), range(4)))
    assert sorted(claimed) == [False] * 3 + [True]


def test_what_was_told_is_never_due_again(store: Store) -> None:
    """Not in that way; the other way is its own affair."""
    store.notices.add(SILENT, BOTH)
    command, mail = store.notices.due(NOW, BOTH)
    assert store.notices.claim(command, until=LEASE)
    assert store.notices.told(command, at=NOW)
    assert store.notices.due(NOW + 1000 * HOUR, BOTH) == [mail]


def test_what_could_not_be_told_is_due_again_later(store: Store) -> None:
    """With one attempt more to its name."""
    telling = to_tell(store)
    store.notices.claim(telling, until=LEASE)
    assert store.notices.failed(telling, "nobody answers", again_at=NOW + HOUR)
    assert store.notices.due(NOW + HOUR - timedelta(seconds=1), BOTH) == []
    assert store.notices.due(NOW + HOUR, BOTH) == [replace(telling, attempts=1, trouble="nobody answers")]


def test_a_claim_whose_owner_died_runs_out(store: Store) -> None:
    """Then another takes over, and the first, should it live after all, settles nothing."""
    telling = to_tell(store)
    store.notices.claim(telling, until=LEASE)
    assert store.notices.due(NOW, BOTH) == []
    (again,) = store.notices.due(LEASE, BOTH)
    assert store.notices.claim(again, until=LEASE + HOUR)
    assert not store.notices.told(telling, at=LEASE)
    assert store.notices.told(again, at=LEASE)


def test_the_end_is_told_once_by_whoever_closed(store: Store) -> None:
    """A farewell is never open, and where nothing was closed there is none."""
    store.notices.add(SILENT, [])
    with ThreadPoolExecutor(4) as pool:
        closings = pool.map(
            lambda _: store.notices.close(SILENT.key, at=NOW + HOUR, farewell=WELL, ways=["mail"]), range(4)
        )
        assert sorted(closings) == [False] * 3 + [True]
    assert store.notices.open() == []
    assert [each.notice for each in store.notices.due(NOW + HOUR, BOTH)] == [WELL]


def test_what_a_wrong_clock_put_off_is_due_when_it_is_set_right(store: Store) -> None:
    """Nothing is due years from now but by mistake."""
    telling = to_tell(store)
    store.notices.claim(telling, until=LEASE + 20_000 * HOUR)
    assert [each.notice for each in store.notices.due(NOW + HOUR, BOTH)] == [SILENT]


def test_a_way_that_is_no_longer_there_is_not_asked_for(store: Store) -> None:
    """What was to be told by a command that config.toml has lost stays where it is."""
    store.notices.add(SILENT, BOTH)
    assert [each.way for each in store.notices.due(NOW, ["mail"])] == ["mail"]
    assert store.notices.due(NOW, []) == []
