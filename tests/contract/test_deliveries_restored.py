"""Restoring a backup repeats no delivery: the replaced store says who got an edition, or a person is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.audience.carry_over import carry_over
from pipeline.jobs.editions.recovery import RecoveryResult
from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.model.edition import RECOVERY_ACTOR
from pipeline.store import Store
from tests.deliveries import HOUR, KEY, UNCERTAIN, DeliveryHarness
from tests.factories import entry
from tests.people import audience
from tests.publication import CLOCK, PUBLICATION, W07, W08, PublicationHarness, shared_theme

DAY = timedelta(days=1)


@pytest.fixture
def harness(job_store_url: str, tmp_path: Path) -> Iterator[DeliveryHarness]:
    """An approved edition and three subscribers."""
    publication = PublicationHarness(tmp_path, shared_theme(), job_store_url)
    with publication.store:
        harness = DeliveryHarness(publication)
        for purpose, key in harness.context.keys.items():
            harness.store.subscribers.signing_key(purpose, key)
        yield harness


@pytest.fixture
def current(tmp_path: Path) -> Iterator[Store]:
    """The store that is used after the backup was made, empty at first."""
    with Store.open(f"sqlite:///{tmp_path / 'current.db'}") as store:
        yield store


def use(harness: DeliveryHarness, store: Store) -> None:
    """Go on with another store."""
    harness.store = harness.publication.store = store
    harness.context = audience(store, publication=PUBLICATION)


def go_on_in(harness: DeliveryHarness, current: Store) -> Store:
    """Go on in a copy of the store, and return the store, which is the backup now."""
    backup = harness.store
    import_lines(current, export_lines(backup))
    use(harness, current)
    return backup


def restore(harness: DeliveryHarness, backup: Store, previous: Store | None) -> RecoveryResult:
    """Go on with the backup, brought up to date from the store that it replaces."""
    use(harness, backup)
    recovery = replace(harness.publication.recovery, leaves_receipts=False)
    result = recovery.after_restore(backup, previous, now=harness.clock())
    carry_over(backup, previous)
    return result


def send(harness: DeliveryHarness, number: int) -> None:
    """Send some copies, one at a time, to those who come first."""
    harness.limits = replace(harness.limits, connections=1, first_batch=number, first_batch_wait=HOUR)
    assert harness.run().state == "waiting"
    harness.clock.wait(3_600)
    harness.limits = replace(harness.limits, first_batch=0)


@pytest.mark.parametrize("begun", [False, True])
def test_an_edition_sent_after_the_backup_is_not_sent_again(
    harness: DeliveryHarness, current: Store, *, begun: bool
) -> None:
    """Whether the backup was made before it was begun or in the middle; bounces still find their delivery."""
    if begun:
        harness.dispatcher.start(W07, harness.clock())
        send(harness, 1)
    backup = go_on_in(harness, current)
    if not begun:
        harness.dispatcher.start(W07, harness.clock())
    harness.backend.scripts = {"p2": [UNCERTAIN]}
    assert harness.run(patience=DAY).state == "finished"
    copies = harness.backend.counts
    before = harness.deliveries()
    result = restore(harness, backup, current)
    assert result == RecoveryResult(sent=("2026-W07",))
    assert harness.deliveries() == before
    assert (harness.store.dispatches.state(KEY), harness.store.editions.get(str(W07)).state) == ("finished", "sent")
    assert harness.run(patience=DAY).state == "stopped"
    assert harness.backend.counts == copies == {"p0": 1, "p1": 1, "p2": 1}
    assert harness.store.deliveries.sent_by_day() == current.deliveries.sent_by_day()


def test_a_send_goes_on_where_the_replaced_store_left_it(harness: DeliveryHarness, current: Store) -> None:
    """What a process had only claimed is sent; what it may have sent is uncertain."""
    backup = go_on_in(harness, current)
    harness.subscribe("p3")
    harness.dispatcher.start(W07, harness.clock())
    send(harness, 1)
    now = harness.clock()
    claimed = [one for one, _ in current.deliveries.claim(KEY, "dead", now, limit=2)]
    current.deliveries.record("dead", [(claimed[0].id, claimed[0].attempts)], [], now, day="2026-02-16")
    assert restore(harness, backup, current) == RecoveryResult(sent=("2026-W07",))
    assert harness.run(patience=DAY).state == "finished"
    assert harness.backend.counts == {"p0": 1, "p2": 1}
    states = {name: (one.state, one.reason) for name, one in harness.deliveries().items()}
    assert states == {"p0": ("sent", ""), "p1": ("uncertain", ""), "p2": ("sent", ""), "": ("failed", "unsubscribed")}


def test_nobody_who_is_gone_comes_back_with_their_delivery(harness: DeliveryHarness, current: Store) -> None:
    """Erased since the backup, or unknown to it: another person may get the same number."""
    backup = go_on_in(harness, current)
    joined = harness.subscribe("joined")
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    erased = current.subscribers.find("p0@quay.example")
    assert erased is not None
    harness.context = audience(current, publication=PUBLICATION)
    current.subscribers.delete(erased.id)
    use(harness, backup)
    harness.clock.wait(60)
    other = harness.subscribe("other")
    assert other.id == joined.id
    restore(harness, backup, current)
    deliveries = list(harness.store.deliveries.iterate(str(W07)))
    assert {one.address for one in deliveries} == {"", "p1@quay.example", "p2@quay.example"}
    assert other.id not in {one.subscriber_id for one in deliveries}
    assert len(deliveries) == 4


def test_a_cancelled_send_stays_cancelled(harness: DeliveryHarness, current: Store) -> None:
    """Nobody had it: the edition is held, as it was."""
    harness.dispatcher.start(W07, harness.clock())
    backup = go_on_in(harness, current)
    harness.clock.wait(60)
    harness.dispatcher.cancel(KEY, harness.clock())
    assert restore(harness, backup, current) == RecoveryResult()
    record = harness.store.editions.get(str(W07))
    assert (record.state, record.note, record.changed_by) == ("held", "sending was cancelled", "ann")
    assert harness.run().state == "stopped"
    assert not harness.backend.accepted


def test_an_older_store_takes_no_outcome_back(harness: DeliveryHarness, current: Store) -> None:
    """When a newer copy is restored over an older one: of each delivery the later state counts."""
    harness.dispatcher.start(W07, harness.clock())
    older = go_on_in(harness, current)
    send(harness, 2)
    restore(harness, current, older)
    assert harness.run(patience=DAY).state == "finished"
    assert harness.backend.counts == {"p0": 1, "p1": 1, "p2": 1}


def test_numbers_that_mean_other_deliveries_are_not_mixed_up(harness: DeliveryHarness, current: Store) -> None:
    """The backup was used, too, and froze other people in another order."""
    backup = go_on_in(harness, current)
    first = current.subscribers.find("p0@quay.example")
    assert first is not None
    current.subscribers.save(replace(first, state="left"))
    harness.subscribe("joined")
    use(harness, backup)
    harness.dispatcher.start(W07, harness.clock())
    use(harness, current)
    harness.clock.wait(60)
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    restore(harness, backup, current)
    assert harness.run().state in ("finished", "stopped")
    assert harness.backend.counts["p1"] == harness.backend.counts["p2"] == harness.backend.counts["joined"] == 1
    assert {name for name, one in harness.deliveries().items() if one.state == "sent"} >= {"p1", "p2"}
    assert len(list(backup.deliveries.iterate(str(W07)))) == 4


def test_without_the_replaced_store_a_send_waits_for_an_answer(harness: DeliveryHarness, current: Store) -> None:
    """It is paused, and says what happens if it is resumed."""
    harness.dispatcher.start(W07, harness.clock())
    send(harness, 1)
    backup = go_on_in(harness, current)
    harness.run()
    assert restore(harness, backup, None) == RecoveryResult(paused=("2026-W07",))
    dispatch = harness.dispatcher.require(KEY)
    assert (dispatch.state, dispatch.changed_by) == ("paused", RECOVERY_ACTOR)
    assert "get it twice if you resume" in dispatch.note
    assert harness.run(patience=DAY).state == "stopped"
    assert harness.store.editions.get(str(W07)).state == "sending"
    harness.dispatcher.resume(KEY, harness.clock())
    assert harness.run(patience=DAY).state == "finished"
    assert harness.backend.counts == {"p0": 1, "p1": 2, "p2": 2}


def test_the_outbox_proves_nothing_about_copies_to_subscribers(harness: DeliveryHarness, current: Store) -> None:
    """An edition that was approved is held, though the outbox has those that were sent before the backend changed."""
    harness.publication.send(W07)
    harness.publication.set_time(CLOCK.bounds(W08)[0] + HOUR).fetch(entry("Rope", CLOCK.bounds(W08)[0] + HOUR))
    harness.publication.set_time_after_closing(W08).digest(W08)
    harness.publication.approve(W08)
    harness.clock.now = harness.publication.now
    backup = go_on_in(harness, current)
    assert backup.editions.get(str(W08)).state == "approved"
    assert harness.publication.recovery.after_restore(current, None, now=harness.clock()) == RecoveryResult()
    assert restore(harness, backup, None) == RecoveryResult(unconfirmed=("2026-W08",))
