"""Editions that are sent to subscribers: each copy once, whatever the server, a crash or an editor does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from pipeline.audience.tokens import delivery_id_of
from pipeline.model.errors import RefusedError
from pipeline.model.subscriber import Preferences
from tests.deliveries import (
    HOUR,
    KEY,
    LATER,
    REFUSED,
    SLOW,
    STOP,
    UNCERTAIN,
    DeliveryHarness,
)
from tests.publication import W07, PublicationHarness, shared_theme

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def harness(job_store_url: str, tmp_path: Path) -> Iterator[DeliveryHarness]:
    """An approved edition and three subscribers."""
    publication = PublicationHarness(tmp_path, shared_theme(), job_store_url)
    with publication.store:
        yield DeliveryHarness(publication)


def edition_state(harness: DeliveryHarness) -> str:
    """Return the state of the edition."""
    return harness.store.editions.get(str(W07)).state


def test_everybody_gets_their_own_copy_once(harness: DeliveryHarness) -> None:
    """With their own links, and an envelope sender that names the delivery; then the edition is sent."""
    harness.dispatcher.start(W07, harness.clock())
    assert edition_state(harness) == "sending"
    assert harness.run().state == "finished"
    assert harness.backend.counts == {"p0": 1, "p1": 1, "p2": 1}
    assert harness.states() == {"sent": 3}
    record = harness.store.editions.get(str(W07))
    assert (record.state, record.note) == ("sent", "scripted: 3 of 3 deliveries sent")
    for copy in harness.backend.accepted:
        message = message_from_bytes(copy.message, policy=policy.default)
        token = message["List-Unsubscribe"].partition("/unsubscribe/")[2][:32]
        person = harness.context.subscriber_of("unsubscribe", token, harness.clock())
        assert person.address == copy.address == message["To"]
        assert f"/unsubscribe/{token}" in message.get_body(("plain",)).get_content()
        local = copy.sender.partition("@")[0]
        assert delivery_id_of(local.removeprefix("bounces+d"), harness.context.keys["delivery"]) == copy.delivery_id
    assert harness.run().state == "stopped"
    assert len(harness.backend.accepted) == 3


def test_an_edition_that_is_sent_again_goes_to_those_who_joined_since(harness: DeliveryHarness) -> None:
    """When an editor asks for it, and to nobody else."""
    harness.dispatcher.start(W07, harness.clock())
    harness.subscribe("early")
    with pytest.raises(RefusedError, match="still being sent"):
        harness.dispatcher.add_joined(W07, harness.clock())
    harness.run()
    with pytest.raises(RefusedError, match="has been sent"):
        harness.dispatcher.start(W07, harness.clock())
    harness.subscribe("late", preferences=Preferences(topics=("links",)))
    harness.dispatcher.add_joined(W07, harness.clock())
    harness.run()
    assert harness.backend.counts == {"p0": 1, "p1": 1, "p2": 1, "early": 1}
    with pytest.raises(RefusedError, match="Nobody has subscribed since"):
        harness.dispatcher.add_joined(W07, harness.clock())
    assert harness.store.dispatches.state(KEY) == "finished"


def test_an_edition_for_nobody_is_not_begun(harness: DeliveryHarness) -> None:
    """It stays approved; the plan says why for each."""
    for number, change in enumerate(
        ({"state": "left"}, {"paused_until": harness.clock() + DAY}, {"state": "suppressed"})
    ):
        person = harness.store.subscribers.find(f"p{number}@quay.example")
        assert person is not None
        harness.store.subscribers.save(replace(person, **change))
    harness.subscribe("links", preferences=Preferences(topics=("links",)))
    with pytest.raises(RefusedError, match="would reach nobody"):
        harness.dispatcher.start(W07, harness.clock())
    assert edition_state(harness) == "approved"
    assert harness.store.dispatches.get(str(W07)) is None
    plan = {
        one.subscriber.address.partition("@")[0]: one.reason for one in harness.dispatcher.plan(W07, harness.clock())
    }
    assert plan == {
        "p0": "left",
        "p1": "paused",
        "p2": "suppressed",
        "links": "the edition has nothing that they want",
    }


def test_one_address_that_is_refused_stops_no_other(harness: DeliveryHarness) -> None:
    """The reply is kept."""
    harness.backend.scripts = {"p0": [REFUSED], "p1": [UNCERTAIN]}
    harness.dispatcher.start(W07, harness.clock())
    assert harness.run().state == "finished"
    deliveries = harness.deliveries()
    assert (deliveries["p0"].state, deliveries["p0"].reason, deliveries["p0"].reply) == (
        "failed",
        "refused",
        "550 no such user",
    )
    assert (deliveries["p1"].state, deliveries["p2"].state) == ("uncertain", "sent")
    note = harness.store.editions.get(str(W07)).note
    assert note == "scripted: 1 of 3 deliveries sent, 1 failed, 1 uncertain"


def test_what_is_not_accepted_is_tried_again_with_growing_gaps(harness: DeliveryHarness) -> None:
    """Until it is too old; the others have the edition long before."""
    harness.backend.scripts = {"p0": [LATER] * 100, "p1": [LATER, LATER]}
    harness.dispatcher.start(W07, began := harness.clock())
    result = harness.run()
    assert (result.state, result.until) == ("waiting", began + 5 * MINUTE)
    assert harness.backend.counts == {"p2": 1}
    assert harness.run(patience=3 * DAY).state == "finished"
    assert harness.backend.counts == {"p1": 1, "p2": 1}
    given_up = harness.deliveries()["p0"]
    assert (given_up.state, given_up.reason, given_up.reply) == ("failed", "expired", "450 try again")
    assert began + 2 * DAY <= given_up.changed_at <= began + 2 * DAY + 4 * HOUR + MINUTE
    assert given_up.attempts < 30


def test_a_server_that_is_overloaded_gets_a_pause(harness: DeliveryHarness) -> None:
    """It concerns all, so none is tried meanwhile; nothing is lost."""
    harness.backend.scripts = {"p0": [SLOW], "p1": [SLOW]}
    harness.limits = replace(harness.limits, connections=1)
    harness.dispatcher.start(W07, began := harness.clock())
    assert harness.run(patience=HOUR).state == "finished"
    assert harness.backend.counts == {"p0": 1, "p1": 1, "p2": 1}
    assert max(harness.backend.times) >= began + timedelta(seconds=30)


def test_a_fault_that_concerns_all_pauses_and_fails_nobody(harness: DeliveryHarness) -> None:
    """An editor resumes it when the cause is fixed."""
    harness.backend.scripts = {name: [STOP] for name in ("p0", "p1", "p2")}
    harness.limits = replace(harness.limits, connections=1)
    harness.dispatcher.start(W07, harness.clock())
    assert harness.run(patience=HOUR).state == "stopped"
    dispatch = harness.dispatcher.require(KEY)
    assert (dispatch.state, dispatch.note) == ("paused", "scripted: 535 authentication failed")
    assert harness.states() == {"queued": 3}
    assert harness.run().state == "stopped"
    harness.backend.scripts = {}
    harness.dispatcher.resume(KEY, harness.clock())
    assert harness.run().state == "finished"
    assert harness.backend.counts == {"p0": 1, "p1": 1, "p2": 1}


def test_people_who_leave_after_the_freeze_get_nothing(harness: DeliveryHarness) -> None:
    """Suppressed, paused and erased ones neither; somebody with a new address gets it there."""
    harness.subscribe("moved")
    harness.subscribe("erased")
    harness.dispatcher.start(W07, now := harness.clock())
    people = {name: harness.store.subscribers.find(f"{name}@quay.example") for name in ("p0", "p1", "moved", "erased")}
    p0, p1, moved, erased = (person for person in people.values() if person)
    harness.store.subscribers.save(replace(p0, state="left"))
    harness.store.subscribers.save(replace(p1, paused_until=now + DAY))
    hashed = harness.context.address_hash("p2@quay.example")
    harness.store.suppressions.add(hashed, "complained", actor="mailgun", now=now)
    harness.store.subscribers.change_address(replace(moved, address="new@quay.example"), "new@quay.example")
    harness.store.subscribers.delete(erased.id)
    assert harness.run().state == "finished"
    assert harness.backend.counts == {"new": 1}
    reasons = {name: one.reason for name, one in harness.deliveries().items()}
    assert reasons == {"p0": "unsubscribed", "p1": "paused", "p2": "suppressed", "moved": "", "": "unsubscribed"}
    assert harness.store.editions.get(str(W07)).note == "scripted: 1 of 5 deliveries sent, 4 not wanted any more"


@pytest.mark.parametrize("sent", [0, 1])
def test_a_send_is_cancelled_for_those_who_have_nothing_yet(harness: DeliveryHarness, sent: int) -> None:
    """If nobody has it, the edition is held and its entries are free."""
    harness.limits = replace(harness.limits, first_batch=sent)
    harness.dispatcher.start(W07, harness.clock())
    if sent:
        assert harness.run().state == "waiting"
    cancelled = harness.dispatcher.cancel(KEY, harness.clock())
    assert (cancelled.state, cancelled.failures) == ("cancelled", {"cancelled": 3 - sent})
    assert edition_state(harness) == ("sent" if sent else "held")
    assert harness.run().state == "stopped"
    assert len(harness.backend.accepted) == sent
    with pytest.raises(RefusedError, match="cannot be cancelled"):
        harness.dispatcher.cancel(KEY, harness.clock())


def test_an_edition_that_reached_nobody_is_sent_again(harness: DeliveryHarness) -> None:
    """After a cancel and a resume: also to who was refused or paused then, not to who has left since."""
    harness.limits = replace(harness.limits, first_batch=1)
    harness.backend.scripts = {"p0": [REFUSED]}
    harness.subscribe("q")
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    assert harness.states() == {"failed": 1, "queued": 3}
    assert harness.dispatcher.cancel(KEY, harness.clock()).in_words() == "0 of 4 deliveries sent, 1 failed, 3 cancelled"
    harness.subscribe("new")
    changes = {"p1": {"state": "left"}, "p2": {"address": "moved@quay.example"}}
    for name, change in changes.items():
        person = harness.store.subscribers.find(f"{name}@quay.example")
        assert person is not None
        harness.store.subscribers.save(replace(person, **change))
    harness.publication.workflow.resume(W07, now=harness.clock())
    plan = [one.subscriber.address for one in harness.dispatcher.plan(W07, harness.clock()) if one.variant]
    harness.clock.wait(60)
    dispatch = harness.dispatcher.start(W07, harness.clock())
    assert (dispatch.unfinished, dispatch.frozen_at) == (len(plan), harness.clock())
    assert harness.store.dispatches.first_batch_at(KEY) is None
    harness.limits = replace(harness.limits, first_batch=0)
    harness.run()
    assert sorted(copy.address for copy in harness.backend.accepted) == sorted(plan)
    assert harness.backend.counts == {"p0": 1, "moved": 1, "q": 1, "new": 1}
    assert edition_state(harness) == "sent"


def test_a_plan_names_nobody_who_would_get_nothing(harness: DeliveryHarness) -> None:
    """Of an edition that was sent to some, whether it is cancelled or not; nobody joins what was cancelled."""
    harness.limits = replace(harness.limits, connections=1)
    harness.backend.scripts = {"p1": [REFUSED], "p2": [LATER]}
    harness.dispatcher.start(W07, harness.clock())
    harness.run()

    def plan() -> dict[str, str]:
        planned = harness.dispatcher.plan(W07, harness.clock())
        return {one.subscriber.address.partition("@")[0]: one.reason or one.variant for one in planned}

    assert plan() == {"p0": "has got it already", "p1": "the delivery to them has failed", "p2": "whole"}
    harness.dispatcher.cancel(KEY, harness.clock())
    assert plan()["p2"] == "the delivery to them has failed"
    with pytest.raises(RefusedError, match="was cancelled, so nobody else gets it"):
        harness.dispatcher.add_joined(W07, harness.clock())


def test_a_pause_and_a_cancel_are_noticed_in_the_middle(harness: DeliveryHarness) -> None:
    """A message whose end was not sent is not completed."""
    harness.limits = replace(harness.limits, connections=1)
    harness.dispatcher.start(W07, harness.clock())
    harness.backend.before_commit = lambda: (
        harness.dispatcher.cancel(KEY, harness.clock()) if harness.store.dispatches.state(KEY) == "running" else None
    )
    harness.run()
    assert harness.backend.accepted == []
    assert harness.states() == {"failed": 3}


def test_the_first_batch_is_sent_and_then_time_passes(harness: DeliveryHarness) -> None:
    """Also across a restart."""
    harness.limits = replace(harness.limits, first_batch=2, first_batch_wait=HOUR)
    harness.dispatcher.start(W07, began := harness.clock())
    result = harness.run()
    assert (result.state, result.until) == ("waiting", began + HOUR)
    assert "the first batch of 2 is sent" in result.reason
    assert len(harness.backend.accepted) == 2
    harness.clock.wait(1_800)
    assert harness.run().until == began + HOUR
    assert harness.run(patience=2 * HOUR).state == "finished"
    assert len(harness.backend.accepted) == 3


def test_messages_are_sent_in_the_allowed_hours_only(harness: DeliveryHarness) -> None:
    """In the publication's time zone."""
    harness.limits = replace(harness.limits, hours=(time(8), time(20)))
    harness.clock.now = datetime(2026, 2, 16, 21, tzinfo=UTC)
    harness.dispatcher.start(W07, harness.clock())
    result = harness.run()
    assert (result.state, result.until) == ("waiting", datetime(2026, 2, 17, 8, tzinfo=UTC))
    assert result.reason == "messages are sent from 08:00 to 20:00"
    assert harness.run(patience=DAY).state == "finished"
    assert min(harness.backend.times) == datetime(2026, 2, 17, 8, tzinfo=UTC)


def test_a_new_domain_sends_more_each_day(harness: DeliveryHarness) -> None:
    """Days on which nothing was sent do not count; after the last limit there is none."""
    for number in range(10):
        harness.subscribe(f"more{number}")
    harness.limits = replace(harness.limits, warm_up=(2, 4))
    harness.dispatcher.start(W07, harness.clock())
    assert harness.run(patience=3 * DAY).state == "finished"
    days = [f"{at:%d}" for at in harness.backend.times]
    assert [days.count(day) for day in sorted({*days})] == [2, 4, 7]


@pytest.mark.parametrize(
    "changes", [{"max_per_minute": 6}, {"max_per_domain_per_minute": 6}, {"spread": 2 * MINUTE}], ids=str
)
def test_messages_are_spread_evenly(harness: DeliveryHarness, changes: dict[str, object]) -> None:
    """No more than six a minute, as a server, a recipient domain or the editor wants it."""
    for number in range(9):
        harness.subscribe(f"more{number}")
    harness.limits = replace(harness.limits, **changes)
    harness.dispatcher.start(W07, began := harness.clock())
    assert harness.run(patience=HOUR).state == "finished"
    times = sorted(harness.backend.times)
    assert len(times) == 12
    for index, at in enumerate(times):
        assert at >= began + (index - 1) * timedelta(seconds=10), f"message {index} came too early"
    assert times[-1] <= began + 3 * MINUTE


def test_only_one_process_sends_and_another_takes_over(harness: DeliveryHarness) -> None:
    """What the first had only claimed is sent; what it may have sent is uncertain, or as config says."""
    harness.dispatcher.start(W07, now := harness.clock())
    assert harness.store.dispatches.lease(KEY, "dead", now=now, until=now + MINUTE)
    claimed = [one for one, _ in harness.store.deliveries.claim(KEY, "dead", now, limit=2)]
    harness.store.deliveries.record("dead", [(claimed[0].id, 1)], [], now, day="2026-02-16")
    assert harness.run().state == "busy"
    harness.clock.wait(60)
    assert harness.run().state == "finished"
    assert harness.backend.counts == {"p1": 1, "p2": 1}
    uncertain = harness.deliveries()["p0"]
    assert (uncertain.state, uncertain.reply[:19]) == ("uncertain", "the process that se")
    assert harness.dispatcher.settle_uncertain(W07, accept=True, now=harness.clock()) == 1
    assert harness.states() == {"sent": 3}
    assert harness.dispatcher.settle_uncertain(W07, accept=False, now=harness.clock()) == 0


@pytest.mark.parametrize(("rule", "states", "copies"), [("accept", {"sent": 3}, 3), ("retry", {"sent": 3}, 4)])
def test_the_rule_for_uncertain_deliveries_is_followed(
    harness: DeliveryHarness, rule: str, states: dict[str, int], copies: int
) -> None:
    """Both when the answer is missing and after a crash."""
    harness.backend.scripts = {"p0": [UNCERTAIN]}
    harness.dispatcher.start(W07, harness.clock())
    assert harness.run(uncertain=rule).state == "finished"
    assert harness.states() == states
    assert len(harness.backend.accepted) == copies


def test_uncertain_and_failed_deliveries_are_tried_again_on_request(harness: DeliveryHarness) -> None:
    """The edition stays sent meanwhile."""
    harness.backend.scripts = {"p0": [REFUSED], "p1": [UNCERTAIN]}
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    assert harness.dispatcher.retry_failed(W07, harness.clock(), address="p0@quay.example") == 1
    assert harness.dispatcher.settle_uncertain(W07, accept=False, now=harness.clock()) == 1
    assert harness.store.dispatches.state(KEY) == "running"
    assert harness.run().state == "finished"
    assert harness.states() == {"sent": 3}
    assert edition_state(harness) == "sent"


def test_a_batch_may_have_results_of_all_kinds(harness: DeliveryHarness) -> None:
    """As mail services answer."""
    harness.backend.max_batch = 10
    harness.backend.scripts = {"p0": [REFUSED], "p1": [LATER]}
    harness.dispatcher.start(W07, harness.clock())
    assert harness.run(patience=HOUR).state == "finished"
    assert harness.states() == {"failed": 1, "sent": 2}


def test_an_error_of_the_program_loses_nothing(harness: DeliveryHarness) -> None:
    """Before the commit the message is sent again; after it, it is uncertain."""

    def fail() -> None:
        raise RuntimeError("a bug")

    harness.limits = replace(harness.limits, connections=1)
    harness.dispatcher.start(W07, harness.clock())
    harness.backend.before_commit = fail
    with pytest.raises(RuntimeError, match="a bug"):
        harness.run()
    harness.backend.before_commit, harness.backend.after_commit = lambda: None, fail
    with pytest.raises(RuntimeError, match="a bug"):
        harness.run()
    harness.backend.after_commit = lambda: None
    assert harness.run().state == "finished"
    assert harness.states() == {"sent": 2, "uncertain": 1}
    assert len(harness.backend.accepted) == 2
