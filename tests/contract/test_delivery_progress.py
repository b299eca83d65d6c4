"""How an edition gets on: rate, estimated end, what is waited for, and who gets nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from pipeline.app.health import delivery_metrics
from pipeline.jobs.deliveries.limits import SendLimits, SendProgress
from pipeline.jobs.deliveries.progress import (
    MAX_UNATTENDED,
    DispatchProgress,
    describe_progress,
    estimate_end,
    load_attention,
    load_progress,
)
from pipeline.jobs.deliveries.recipients import NO_VARIANT, count_recipients
from pipeline.jobs.monitoring.status import Status
from pipeline.jobs.monitoring.status_report import build_status_report
from pipeline.model.delivery_event import DeliveryEvent
from pipeline.model.subscriber import Preferences
from tests.deliveries import KEY, LATER, REFUSED, UNCERTAIN, DeliveryHarness
from tests.publication import CLOCK, FEEDS, W07, PublicationHarness, shared_theme

MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 2, 16, 9, tzinfo=UTC)


@pytest.fixture
def harness(job_store_url: str, tmp_path: Path) -> Iterator[DeliveryHarness]:
    """An approved edition and three subscribers."""
    publication = PublicationHarness(tmp_path, shared_theme(), job_store_url)
    with publication.store:
        yield DeliveryHarness(publication)


def progress(harness: DeliveryHarness) -> DispatchProgress:
    """Return the progress of the edition."""
    return load_progress(harness.store, harness.dispatcher.require(KEY), harness.limits, harness.clock())


def test_the_numbers_of_recipients_are_those_of_the_plan(harness: DeliveryHarness) -> None:
    """Each reason is counted as often as the plan gives it."""
    now = harness.clock()
    harness.subscribe("q", preferences=Preferences(topics=("episodes",)))
    harness.subscribe("r", state="left")
    harness.subscribe("s", paused_until=now + timedelta(days=3))
    sealed = harness.store.editions.sealed(str(W07))
    assert sealed
    counts = count_recipients(harness.store, sealed.edition, now)
    assert (counts.variants, counts.total) == ({"whole": 3}, 3)
    assert counts.left_out == {NO_VARIANT: 1, "left": 1, "paused": 1}
    plan = list(harness.dispatcher.plan(W07, now))
    assert sum(bool(planned.variant) for planned in plan) == counts.total
    assert sorted(planned.reason for planned in plan if planned.reason) == sorted(counts.left_out)


def test_the_rate_and_the_end_follow_what_was_sent_lately(harness: DeliveryHarness) -> None:
    """A refusal counts as an outcome, a message to be tried again does not."""
    harness.backend.scripts = {"p1": [REFUSED], "p2": [LATER]}
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    harness.clock.wait(60)
    shown = progress(harness)
    assert (shown.done, shown.per_minute) == (2, 2)
    assert shown.ends_at == harness.clock() + MINUTE / 2
    assert describe_progress(shown, UTC).startswith("1 of 3 deliveries sent, 1 failed, 1 waiting; 2 a minute; about ")
    assert [each.dispatch.key for each in load_attention(harness.store, harness.limits, harness.clock())] == [KEY]


def test_a_dispatch_that_is_held_says_until_when(harness: DeliveryHarness) -> None:
    """By the hours; a process is not missed meanwhile."""
    hours = (time(20), time(21))
    harness.limits = replace(harness.limits, hours=hours, max_per_minute=1)
    harness.dispatcher.start(W07, harness.clock())
    harness.clock.wait(MAX_UNATTENDED.total_seconds())
    shown = progress(harness)
    assert shown.waits_until == harness.clock().replace(hour=20, minute=0)
    assert shown.ends_at == shown.waits_until + 3 * MINUTE
    assert not shown.is_unattended
    assert "waits until Mon 16 Feb 2026 20:00: messages are sent from 20:00 to 21:00" in describe_progress(shown, UTC)


def test_a_dispatch_that_nobody_sends_is_noticed(harness: DeliveryHarness) -> None:
    """After a minute; not while a process has its lease, and not if it is paused."""
    harness.dispatcher.start(W07, harness.clock())
    assert not progress(harness).is_unattended
    harness.clock.wait(MAX_UNATTENDED.total_seconds())
    assert progress(harness).is_unattended
    now = harness.clock()
    assert harness.store.dispatches.lease(KEY, "one", now=now, until=now + MINUTE)
    assert not progress(harness).is_unattended
    harness.store.dispatches.end_lease(KEY, "one")
    harness.dispatcher.pause(KEY, now, note="a wrong link")
    shown = progress(harness)
    assert not shown.is_unattended
    assert describe_progress(shown, UTC) == "0 of 3 deliveries sent, 3 waiting; paused by ann (a wrong link)"


@pytest.mark.parametrize(
    ("changes", "sent_by_day", "expected"),
    [
        ({}, {}, "2026-02-16 10:40"),
        ({"hours": (time(8), time(10))}, {}, "2026-02-17 08:40"),
        ({"warm_up": (30, 50)}, {"2026-02-16": 10}, "2026-02-18 00:03"),
        ({"warm_up": (30, 50), "hours": (time(8), time(20))}, {"2026-02-16": 10}, "2026-02-18 08:03"),
    ],
    ids=["no limits", "hours", "warm-up", "both"],
)
def test_the_end_respects_the_limits(changes: dict[str, object], sent_by_day: dict[str, int], expected: str) -> None:
    """Of the hours and of the days of a warm-up."""
    limits = SendLimits(zone=UTC, **changes)
    before = SendProgress(total=100, begun=0, first_batch_at=None, sent_by_day=sent_by_day)
    left = 100 if not changes.get("warm_up") else 73
    end = estimate_end(left, 1, limits, before, MONDAY)
    assert end
    assert f"{end:%Y-%m-%d %H:%M}" == expected


def test_an_end_that_nobody_knows_is_not_guessed() -> None:
    """Without a rate, and where it would take years."""
    limits = SendLimits(zone=UTC)
    before = SendProgress(total=9, begun=0, first_batch_at=None, sent_by_day={})
    assert estimate_end(9, 0, limits, before, MONDAY) is None
    assert estimate_end(10**9, 1, limits, before, MONDAY) is None


def status(harness: DeliveryHarness) -> Status:
    """Return the status, as `pipeline status` prints it."""
    return build_status_report(
        harness.store,
        FEEDS,
        CLOCK,
        lambda: harness.publication.context,
        [],
        [],
        now=harness.clock(),
        limits=harness.limits,
    )


def test_status_says_how_a_send_gets_on_and_what_to_decide(harness: DeliveryHarness) -> None:
    """While it runs no problem; paused, without a process, and uncertain ones are warnings that say what to do."""
    harness.backend.scripts = {"p1": [UNCERTAIN], "p2": [LATER]}
    harness.dispatcher.start(W07, harness.clock())
    assert not [each for each in status(harness).problems if each.category in ("deliveries", "editions")]
    harness.run()
    report = status(harness)
    (edition,) = [each for each in report.editions if each.week == str(W07)]
    assert "1 of 3 deliveries sent, 1 uncertain, 1 waiting" in str(edition.blockers[0])
    assert [each.dispatch.counts for each in report.dispatches] == [{"sent": 1, "uncertain": 1, "queued": 1}]
    (uncertain,) = [each for each in report.problems if each.category == "deliveries"]
    assert uncertain.message == "one delivery may have arrived or not"
    assert "--uncertain" in uncertain.fix
    assert asdict(report)["dispatches"][0]["dispatch"]["counts"]["uncertain"] == 1
    harness.clock.wait(600)
    (late, *_) = [each for each in status(harness).problems if each.category == "deliveries"]
    assert late.message.startswith("nothing sends it now: 1 of 3 deliveries sent")
    harness.dispatcher.pause(KEY, harness.clock(), note="a wrong link")
    (paused, *_) = [each for each in status(harness).problems if each.category == "deliveries"]
    assert paused.message.endswith("paused by ann (a wrong link)")
    assert "--resume" in paused.fix


def test_metrics_count_the_deliveries_of_the_newest_editions(harness: DeliveryHarness) -> None:
    """And the health says how those that are being sent get on."""
    harness.backend.scripts = {"p1": [REFUSED], "p2": [LATER]}
    harness.dispatcher.start(W07, harness.clock())
    harness.run()
    one = harness.deliveries()["p0"]
    event = DeliveryEvent(kind="complained", at=harness.clock(), delivery_id=one.id, key="k")
    harness.store.delivery_events.add(event, one, one.subscriber_id, one.address, harness.clock())
    harness.clock.wait(60)
    metrics = delivery_metrics(harness.store, harness.limits, harness.clock())
    assert metrics == {
        "dispatches_by_state": {"running": 1},
        "deliveries_by_state": {"sent": 1, "failed": 1, "queued": 1},
        "failures_by_reason": {"refused": 1},
        "deliveries_per_minute": 2,
        "sending_ends_at": harness.clock() + MINUTE / 2,
        "delivery_events": {"complained": 1},
    }
