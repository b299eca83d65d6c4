"""Clicks are counted once a scanner would have shown itself, in every store; who clicked is forgotten then."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pipeline.jobs.deliveries.clicks import WINDOW, clicks_task, record_click, settle_clicks
from pipeline.jobs.maintenance.backup import back_up
from pipeline.model.counted_link import CountedLink
from pipeline.model.digest import Edition
from pipeline.model.edition import SealedEdition
from pipeline.model.subscriber import Visitor
from pipeline.scheduler.engine import Done
from pipeline.store import Store
from pipeline.store.schema import click_key, pending_click, scanner
from tests.people import NOW

WEEK = "2026-W07"
BREAD, SALT = (CountedLink(tag=f"{number:016x}", url=f"https://cove.example/{number}") for number in (1, 2))
CANARY = CountedLink(tag="f" * 16, url="https://cove.example/", is_canary=True)
MANIFEST = (
    b'{"counted_links": [{"tag": "0000000000000001", "url": "https://cove.example/1", "is_canary": false},'
    b' {"tag": "0000000000000002", "url": "https://cove.example/2", "is_canary": false},'
    b' {"tag": "ffffffffffffffff", "url": "https://cove.example/", "is_canary": true}]}'
)
ANN = Visitor(ip_address="192.0.2.7", user_agent="Firefox/148.0")
BO = Visitor(ip_address="2001:db8:0:1::7", user_agent="Firefox/148.0")
MINUTE = timedelta(minutes=1)


def seal(store: Store, week: str = WEEK) -> None:
    """Seal an edition with two counted links."""
    edition = Edition(
        week=week, state="approved", number=1, subject="Salt", preheader="", html=b"", text=b"", eml=b"",
        manifest=MANIFEST, content_hash=week,
    )  # fmt: skip
    sealed = SealedEdition(edition=edition, stories=(), sealed_at=NOW, sealed_by="ann")
    store.editions.approve(store.editions.get(week), sealed)


@pytest.fixture
def counting(store: Store) -> Store:
    """A store with a sealed edition."""
    seal(store)
    return store


def click(store: Store, link: CountedLink, minutes: float = 0, visitor: Visitor = ANN) -> None:
    record_click(store, WEEK, link, visitor, NOW + minutes * MINUTE)


def counts(store: Store) -> list[int]:
    """Return the clicks on the two links."""
    return list(store.clicks.counts(WEEK).values())


def rows(store: Store) -> list[int]:
    """Return how many clicks wait, how many scanners are known, and how many secrets there are."""
    with store.clicks.database.read() as connection:
        tables = (pending_click, scanner, click_key)
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def test_clicks_of_people_count(counting: Store) -> None:
    """After the window, each link for itself, of each client for itself; nothing about them is left."""
    click(counting, BREAD)
    click(counting, SALT, 1)
    click(counting, BREAD, 2, BO)
    assert settle_clicks(counting, NOW + 9 * MINUTE) == 0
    assert (counts(counting), rows(counting)) == ([0, 0], [3, 0, 1])
    assert settle_clicks(counting, NOW + 11 * MINUTE) == 2
    assert settle_clicks(counting, NOW + 12 * MINUTE) == 1
    assert (counts(counting), rows(counting)) == ([2, 1], [0, 0, 0])
    assert settle_clicks(counting, NOW + 13 * MINUTE) == 0


@pytest.mark.parametrize(
    ("canary_at", "expected"),
    [([-10], 0), ([-0.5], 0), ([0], 0), ([0.5], 0), ([9.9], 0), ([-10.1], 1), ([-13, -9], 0), ([-13, 20], 1)],
)
def test_clicks_of_scanners_do_not(counting: Store, canary_at: list[float], expected: int) -> None:
    """Whether they follow the canary before or after, within ten minutes; the other client's click counts."""
    events: list[tuple[float, Callable[[], None]]] = [
        *((at, lambda at=at: click(counting, CANARY, at)) for at in canary_at),  # type: ignore[misc]
        (0, lambda: click(counting, BREAD)),
        (0, lambda: click(counting, SALT, visitor=BO)),
        (10.2, lambda: settle_clicks(counting, NOW + 10.2 * MINUTE) and None),
    ]
    for _, happen in sorted(events, key=lambda event: event[0]):
        happen()
    assert counts(counting) == [expected, 1]
    settle_clicks(counting, NOW + 41 * MINUTE)
    assert (counts(counting), rows(counting)) == ([expected, 1], [0, 0, 0])


def test_a_click_that_is_settled_late_is_settled_alike(counting: Store) -> None:
    """The daemon was stopped for hours: what was within ten minutes still decides."""
    click(counting, BREAD)
    click(counting, CANARY, 9)
    click(counting, SALT, 60)
    assert settle_clicks(counting, NOW + 600 * MINUTE) == 1
    assert (counts(counting), rows(counting)) == ([0, 1], [0, 0, 0])


def test_a_scanner_that_goes_on_goes_on_to_be_one(counting: Store) -> None:
    """Its time begins anew with each visit to the canary, and its clicks are not even stored."""
    for at in (0, 8, 16):
        click(counting, CANARY, at)
    click(counting, BREAD, 17)
    assert rows(counting) == [0, 1, 1]
    settle_clicks(counting, NOW + 35 * MINUTE)
    assert rows(counting) == [0, 1, 1]
    settle_clicks(counting, NOW + 36 * MINUTE)
    assert (counts(counting), rows(counting)) == ([0, 0], [0, 0, 0])


def test_a_repeated_click_counts_once(counting: Store) -> None:
    """Of one client on one link, while the first one waits; another browser in the same network is another client."""
    for at in (0, 0.1, 5):
        click(counting, BREAD, at)
    click(counting, BREAD, 1, Visitor(ip_address="192.0.2.200", user_agent="Firefox/148.0"))
    click(counting, BREAD, 1, Visitor(ip_address="192.0.2.7", user_agent="Safari/605.1"))
    settle_clicks(counting, NOW + 20 * MINUTE)
    click(counting, BREAD, 21)
    settle_clicks(counting, NOW + 40 * MINUTE)
    assert counts(counting) == [3, 0]


def secret(store: Store) -> str | None:
    with store.clicks.database.read() as connection:
        found: str | None = connection.scalar(select(click_key.c.secret))
        return found


def test_the_secret_lives_for_a_day_at_most(counting: Store) -> None:
    """It is made with the first click, shared while clicks wait, and replaced after a day."""
    assert secret(counting) is None
    click(counting, BREAD)
    first = secret(counting)
    assert first
    assert counting.clicks.key(NOW + timedelta(hours=23), "new") == first
    assert counting.clicks.key(NOW + timedelta(hours=24), "new") == "new"
    assert secret(counting) == "new"


def test_hostile_clients_fill_no_disk(counting: Store) -> None:
    """Beyond a number nothing is recorded; what was there is settled, and then there is room again."""
    limited = replace(counting.clicks, max_rows=5)
    for number in range(8):
        limited.record(f"person {number}", WEEK, BREAD, NOW, window=WINDOW)
        limited.record(f"scanner {number}", WEEK, CANARY, NOW, window=WINDOW)
    assert rows(counting) == [5, 5, 0]
    settle_clicks(counting, NOW + 20 * MINUTE)
    assert (counts(counting), rows(counting)) == ([5, 0], [0, 0, 0])


def test_an_edition_sealed_again_keeps_its_counts(counting: Store) -> None:
    """Links that it has no longer still lead somewhere, as they are in messages."""
    click(counting, BREAD)
    settle_clicks(counting, NOW + 20 * MINUTE)
    counting.editions.change_state(counting.editions.get(WEEK), "draft", now=NOW, actor="ann")
    seal(counting)
    assert counts(counting) == [1, 0]


def test_the_replaced_store_knows_links_and_clicks(counting: Store, tmp_path: Path) -> None:
    """A backup from before the edition gets its links; of two counts the higher one is right."""
    click(counting, BREAD)
    settle_clicks(counting, NOW + 20 * MINUTE)
    with Store.open(f"sqlite:///{tmp_path / 'restored.db'}") as restored:
        restored.clicks.carry_over(counting.clicks)
        assert counts(restored) == [1, 0]
        click(restored, SALT, 20)
        settle_clicks(restored, NOW + 40 * MINUTE)
        counting.clicks.carry_over(restored.clicks)
        restored.clicks.carry_over(counting.clicks)
        assert counts(restored) == counts(counting) == [1, 1]
        assert restored.clicks.find(WEEK, CANARY.tag) == CANARY


def test_the_task_counts_every_ten_minutes(counting: Store) -> None:
    """And says how many there were."""
    task = clicks_task(counting)
    click(counting, BREAD)
    assert task.run("", NOW) == Done(message="")
    assert task.run("", NOW + WINDOW) == Done(message="1 click counted")
    assert task.schedule.next_at(datetime(2026, 2, 16, 9, 1, tzinfo=NOW.tzinfo), NOW.tzinfo) == NOW.replace(minute=10)


@pytest.mark.parametrize("is_settled", [False, True])
def test_a_backup_has_nothing_about_clients(tmp_path: Path, *, is_settled: bool) -> None:
    """Not even in unused bytes of its pages: hash and secret together could be traced back."""
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as store:
        seal(store)
        click(store, BREAD)
        click(store, CANARY, visitor=BO)
        key = secret(store)
        with store.clicks.database.read() as connection:
            hashes = [
                *connection.scalars(select(pending_click.c.client)),
                *connection.scalars(select(scanner.c.client)),
            ]
        assert rows(store) == [1, 1, 1]
        if is_settled:
            settle_clicks(store, NOW + 30 * MINUTE)
        before = rows(store)
        back_up(store, tmp_path / "backup.db")
        assert rows(store) == before
        content = (tmp_path / "backup.db").read_bytes()
        assert not any(text.encode() in content for text in (*hashes, key or ""))
    with closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
        assert backup.execute("SELECT count(*) FROM counted_link").fetchone() == (3,)
