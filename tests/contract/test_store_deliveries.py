"""Deliveries in every store: frozen once, claimed by one process, recorded before the last byte, settled once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from pipeline.model.delivery import Delivery, DeliveryState, Settlement
from pipeline.model.subscriber import Preferences, Subscriber
from pipeline.store import Store
from tests.people import NOW

HOUR = timedelta(hours=1)
WEEK = "2026-W07"
KEY = (WEEK, 0)
EVERY = "posts episodes links"
ACTIVE = Subscriber(id=0, address="", state="active", created_at=NOW, changed_at=NOW)


def add(store: Store, name: str, **changes: object) -> Subscriber:
    """Add an active subscriber."""
    address = f"{name}@quay.example"
    return store.subscribers.add_or_lock(replace(ACTIVE, **{"address": address} | changes), address)


def freeze(store: Store, number: int = 3) -> None:
    """Freeze an edition for some subscribers, named p0, p1 and so on."""
    for index in range(number):
        add(store, f"p{index}")
    store.dispatches.start(KEY, now=NOW, actor="ann")
    assert store.dispatches.freeze(KEY, {"whole": [(EVERY, "every")]}, NOW) == number


def claim(store: Store, owner: str = "one", *, limit: int = 10) -> list[Delivery]:
    """Claim what is due."""
    return [delivery for delivery, _ in store.deliveries.claim(KEY, owner, NOW, limit=limit)]


def record(store: Store, owner: str, finals: Sequence[Delivery] = (), settled: Sequence[Settlement] = ()) -> set[int]:
    """Record deliveries as final, and outcomes."""
    numbers = [(delivery.id, delivery.attempts) for delivery in finals]
    return store.deliveries.record(owner, numbers, settled, NOW, day="2026-02-16")


def settlement(delivery: Delivery, **changes: object) -> Settlement:
    """Return the outcome of a delivery, by default sent."""
    sent = Settlement(delivery_id=delivery.id, attempt=delivery.attempts, state="sent", due_at=NOW, reply="250 OK")
    return replace(sent, **changes)


def states(store: Store) -> list[str]:
    """Return the states of all deliveries of the week."""
    return [delivery.state for delivery in store.deliveries.iterate(WEEK)]


def test_each_active_subscriber_gets_one_delivery_of_their_variant(store: Store) -> None:
    """Nobody else gets any, and freezing again adds those who joined since."""
    add(store, "all")
    add(store, "posts", preferences=Preferences(topics=("posts",)))
    add(store, "links", preferences=Preferences(topics=("links",)))
    add(store, "monthly", preferences=Preferences(frequency="monthly"))
    add(store, "paused", paused_until=NOW + HOUR)
    add(store, "back", paused_until=NOW)
    add(store, "left", state="left")
    variants = {"whole": [(EVERY, "every")], "posts": [("posts", "every")], "empty": []}
    assert store.dispatches.freeze(KEY, variants, NOW) == 3
    frozen = {delivery.address.partition("@")[0]: delivery.variant for delivery in store.deliveries.iterate(WEEK)}
    assert frozen == {"all": "whole", "posts": "posts", "back": "whole"}
    add(store, "late")
    assert [store.dispatches.freeze(KEY, variants, NOW) for _ in range(2)] == [1, 0]
    assert store.dispatches.freeze((WEEK, 1), {}, NOW) == 0


def test_a_delivery_is_claimed_by_one_process(store: Store) -> None:
    """Several at once share them; each row goes to one."""
    freeze(store, 40)
    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda owner: claim(store, f"owner {owner}", limit=10), range(4)))
    numbers = sorted(delivery.id for part in claimed for delivery in part)
    assert numbers == sorted({*numbers})
    assert len(numbers) + len(claim(store, "last", limit=40)) == 40
    assert {delivery.attempts for part in claimed for delivery in part} <= {1}


def test_a_claim_takes_the_first_due_and_no_more_than_asked(store: Store) -> None:
    """One that is due later waits."""
    freeze(store)
    first, *others = claim(store)
    times = (HOUR, -2 * HOUR, -HOUR)
    settled = [
        settlement(one, state="queued", due_at=NOW + wait) for one, wait in zip((first, *others), times, strict=True)
    ]
    record(store, "one", (), settled)
    assert [delivery.id for delivery in claim(store)] == [others[0].id, others[1].id]
    assert store.deliveries.next_due_at(KEY) == NOW + HOUR


@pytest.mark.parametrize("outcome", ["sent", "failed"])
@pytest.mark.parametrize("change", ["owner", "attempt", "state"])
def test_what_another_process_took_over_is_not_completed(store: Store, change: str, outcome: DeliveryState) -> None:
    """Neither as final nor with an outcome."""
    freeze(store, 1)
    [claimed] = claim(store)
    if change == "owner":
        assert record(store, "two", [claimed]) == set()
        record(store, "two", (), [settlement(claimed, state=outcome)])
        assert states(store) == ["claimed"]
    elif change == "attempt":
        store.deliveries.recover(KEY, NOW, uncertain="uncertain", reply="")
        [again] = claim(store)
        assert record(store, "one", [claimed]) == set()
        record(store, "one", (), [settlement(claimed, state=outcome)])
        assert (states(store), again.attempts) == (["claimed"], 2)
    else:
        record(store, "one", (), [settlement(claimed, state="queued")])
        assert record(store, "one", [claimed]) == set()
        record(store, "one", (), [settlement(claimed, state=outcome)])
        assert states(store) == ["queued"]


def test_a_crash_repeats_nothing_that_may_have_been_accepted(store: Store) -> None:
    """What was claimed is sent again; what was final is uncertain until a late outcome or a person settles it."""
    freeze(store)
    first, second, third = claim(store)
    assert record(store, "one", [first, second]) == {first.id, second.id}
    assert store.deliveries.recover(KEY, NOW, uncertain="uncertain", reply="the process ended") == 2
    assert states(store) == ["uncertain", "uncertain", "queued"]
    record(store, "one", (), [settlement(first), settlement(third)])
    assert states(store) == ["sent", "uncertain", "queued"]
    stored = store.deliveries.get(second.id)
    assert stored
    assert stored.reply == "the process ended"
    assert store.deliveries.settle_uncertain(WEEK, "queued", NOW, address="nobody@quay.example") == 0
    assert store.deliveries.settle_uncertain(WEEK, "queued", NOW) == 1
    assert [delivery.id for delivery in claim(store)] == [second.id, third.id]


def test_a_process_that_takes_over_waits_for_one_that_records(store: Store) -> None:
    """Each would otherwise wait for a row that the other has changed, whichever comes first."""
    freeze(store, 2)
    first, second = claim(store)
    record(store, "one", [first, second])
    take_over = Thread(target=lambda: store.deliveries.recover(KEY, NOW, uncertain="uncertain", reply=""))
    with store.audience_transaction():
        record(store, "one", (), [settlement(second)])
        take_over.start()
        take_over.join(0.3)  # long enough to meet the changed row
        record(store, "one", (), [settlement(first)])
    take_over.join()
    assert states(store) == ["sent", "sent"]


def test_an_outcome_is_stored_and_counted(store: Store) -> None:
    """With its reply, its reason and its id at the mail service; sent ones by day."""
    freeze(store)
    first, second, third = claim(store)
    record(store, "one", [first])
    failed = settlement(second, state="failed", reply="550 no\x00such", reason="refused")
    record(store, "one", (), [settlement(first, provider_id="a-1"), failed])
    record(store, "one", (), [settlement(third)])
    found = store.deliveries.find_provider_id("a-1")
    assert found
    assert (found.id, found.reply, found.state) == (first.id, "250 OK", "sent")
    assert store.deliveries.find_provider_id("") is None
    assert store.deliveries.of_subscriber(found.subscriber_id or 0) == [found]
    stored = store.deliveries.get(second.id)
    assert stored
    assert (stored.state, stored.reply, stored.reason) == ("failed", "550 nosuch", "refused")
    assert store.deliveries.sent_by_day() == {"2026-02-16": 2}
    dispatch = store.dispatches.get(WEEK)
    assert dispatch
    assert (dispatch.counts, dispatch.failures) == ({"sent": 2, "failed": 1}, {"refused": 1})
    assert dispatch.in_words() == "2 of 3 deliveries sent, 1 failed"
    assert store.deliveries.retry_failed(WEEK, NOW) == 1
    assert [one.unfinished for one in store.dispatches.of_week(WEEK)] == [1]
    assert store.deliveries.cancel(KEY, NOW) == 1
    assert [one.unfinished for one in store.dispatches.of_week(WEEK)] == [0]
    assert store.deliveries.retry_failed(WEEK, NOW) == 0


@pytest.mark.parametrize("state", ["sent", "failed"])
def test_replies_are_stored_as_they_are(store: Store, state: DeliveryState) -> None:
    """Whatever they consist of: nothing in them is taken for a part of the statement, or of its parameters."""
    replies = [
        *('250 "ok", [1, null]', r"250 C:\new\\u0041 \ud83d\ude00", "250 :rows %s %(own)s ?", "250 '; --", "250 null"),
        *("", "null", "\u2028\ufeff é 👩‍🚀 \U0010ffff", "x\x01\x1f\x7f\x80", "a\ud800b\x00c\udfff", "👍" * 200),
    ]
    freeze(store, len(replies))
    claimed = claim(store, limit=len(replies))
    settled = [
        settlement(one, state=state, reply=reply, provider_id=reply)
        for one, reply in zip(claimed, replies, strict=True)
    ]
    record(store, "one", (), settled)
    stored = [store.deliveries.get(one.id) for one in claimed]
    expected = ["abc" if reply.startswith("a") else reply for reply in replies]
    assert [(one.state, one.reply, one.provider_id) for one in stored if one] == [
        (state, reply, reply) for reply in expected
    ]


def test_an_erased_person_gets_nothing_more_and_leaves_no_address(store: Store) -> None:
    """The record stays, since it counts."""
    freeze(store, 2)
    first, second = claim(store, limit=2)
    record(store, "one", (), [settlement(first)])
    for delivery in (first, second):
        store.subscribers.delete(delivery.subscriber_id or 0)
    assert record(store, "one", [second]) == set()
    kept = list(store.deliveries.iterate(WEEK))
    assert [(one.state, one.reason, one.address, one.subscriber_id) for one in kept] == [
        ("sent", "", "", None),
        ("failed", "unsubscribed", "", None),
    ]


def test_one_process_has_the_lease_until_it_ends(store: Store) -> None:
    """Another may take it once it has run out; none while it is paused."""
    freeze(store, 1)
    lease = store.dispatches.lease
    assert lease(KEY, "one", now=NOW, until=NOW + HOUR)
    assert not lease(KEY, "two", now=NOW, until=NOW + HOUR)
    assert lease(KEY, "one", now=NOW, until=NOW + 2 * HOUR)
    assert lease(KEY, "two", now=NOW + 2 * HOUR, until=NOW + 3 * HOUR)
    store.dispatches.end_lease(KEY, "one")
    assert not lease(KEY, "one", now=NOW, until=NOW + HOUR)
    store.dispatches.end_lease(KEY, "two")
    assert lease(KEY, "one", now=NOW, until=NOW + HOUR)
    assert store.dispatches.change_state(KEY, "paused", now=NOW, actor="ann", note="wait", only_if="running")
    assert not lease(KEY, "one", now=NOW, until=NOW + HOUR)
    assert not store.dispatches.change_state(KEY, "paused", now=NOW, actor="ann", only_if="running")
    paused = store.dispatches.get(WEEK)
    assert paused
    assert (paused.state, paused.changed_by, paused.note) == ("paused", "ann", "wait")


def test_a_dispatch_is_finished_when_nothing_is_open(store: Store) -> None:
    """Uncertain deliveries do not keep it open; somebody who joins opens it again."""
    freeze(store, 1)
    assert not store.dispatches.finish(KEY, now=NOW, actor="smtp")
    [claimed] = claim(store)
    record(store, "one", (), [settlement(claimed, state="uncertain")])
    assert [one.week for one in store.dispatches.running()] == [WEEK]
    assert store.dispatches.finish(KEY, now=NOW, actor="smtp")
    assert not store.dispatches.finish(KEY, now=NOW, actor="smtp")
    assert (store.dispatches.running(), store.dispatches.state(KEY)) == ([], "finished")
    store.dispatches.end_first_batch(KEY, NOW)
    store.dispatches.start(KEY, now=NOW + HOUR, actor="ben")
    again = store.dispatches.get(WEEK)
    assert again
    assert (again.state, again.frozen_at, again.changed_by) == ("running", NOW, "ben")
    assert store.dispatches.first_batch_at(KEY) == NOW
    assert (
        [one.week for one in store.dispatches.of_week(WEEK)] == [one.week for one in store.dispatches.all()] == [WEEK]
    )


def test_deliveries_move_with_an_export(store: Store, tmp_path: Path) -> None:
    """Into a new store, with their numbers."""
    freeze(store)
    claim(store, limit=1)
    with Store.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        other.maintenance.import_rows(store.maintenance.export_rows())
        assert list(other.deliveries.iterate(WEEK)) == list(store.deliveries.iterate(WEEK))
        assert other.dispatches.all() == store.dispatches.all()


def test_outcomes_are_counted_since_an_instant(store: Store) -> None:
    """Whatever the outcome; one that is open does not count."""
    freeze(store, 4)
    sent, failed, open_one, _ = claim(store)
    late = NOW + HOUR
    record(store, "one", settled=[settlement(sent), settlement(failed, state="failed", reason="refused", due_at=late)])
    record(store, "one", settled=[settlement(open_one, state="queued", due_at=late)])
    assert [store.dispatches.count_settled(KEY, since) for since in (NOW, late, late + HOUR)] == [2, 1, 0]


def test_the_dispatches_of_the_newest_editions(store: Store) -> None:
    """Corrections are no editions. A lease that has ended is none."""
    for key, state in (("2026-W06", 0), "finished"), (KEY, "paused"), ((WEEK, 1), "running"):
        store.dispatches.start(key, now=NOW, actor="ann", state=state)
    assert [one.week for one in store.dispatches.newest(3)] == [WEEK, "2026-W06"]
    assert [one.week for one in store.dispatches.newest(1)] == [WEEK]
    assert not store.dispatches.is_leased(KEY, NOW)
    assert store.dispatches.lease((WEEK, 1), "one", now=NOW, until=NOW + HOUR)
    assert store.dispatches.is_leased((WEEK, 1), NOW)
    assert not store.dispatches.is_leased((WEEK, 1), NOW + HOUR)


def test_deliveries_are_read_in_pages(store: Store) -> None:
    """In the order they were queued, of some states only."""
    freeze(store, 5)
    first, second, *_ = claim(store, limit=2)
    record(store, "one", settled=[settlement(second, state="uncertain")])
    assert [one.id for one in store.deliveries.page(WEEK, limit=2)] == [first.id, second.id]
    assert len(store.deliveries.page(WEEK, after_id=second.id)) == 3
    assert [one.id for one in store.deliveries.page(WEEK, states=("uncertain",))] == [second.id]
