"""Scheduled sends: an edition is sent once, at its time, and the editor is alerted about all others once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.editions.scheduled_send import ACTOR, ApprovalMode
from pipeline.model.schedule import At, parse_schedule
from pipeline.scheduler.engine import Done
from tests.factories import entry
from tests.publication import CLOCK, W06, W07, W08, PublicationHarness, shared_theme, small_theme
from tests.scheduled_publication import HOUR, TUESDAY, FailingOutbox, ScheduledPublication, open_scheduled


@pytest.fixture
def scheduled(tmp_path: Path) -> Iterator[ScheduledPublication]:
    """One story in each of two weeks; earlier sends are done."""
    scheduled = open_scheduled(tmp_path)
    yield scheduled
    scheduled.harness.store.close()


def test_an_approved_edition_is_sent_once_at_its_time(scheduled: ScheduledPublication) -> None:
    """It is not sent a tick early, and not again."""
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    assert scheduled.run(TUESDAY - 3 * HOUR, hours=2.9) == []
    (line,) = scheduled.run(TUESDAY, hours=30)
    assert line.startswith("2026-W07: Issue 2 written to the outbox; not delivered to anyone: ")
    assert (scheduled.state(), scheduled.sent_count, scheduled.alert_subjects) == ("sent", 2, [])
    assert scheduled.harness.store.editions.get("2026-W07").changed_by == "schedule"


def test_an_unapproved_edition_raises_one_alert_and_is_sent_once_approved(scheduled: ScheduledPublication) -> None:
    """The alert comes at the send time; approved within the limit, it is sent in the next tick."""
    assert scheduled.run(TUESDAY, hours=3) == [
        "2026-W07 is not approved; if approved by Tuesday 17 February, 19:00, it is sent at once"
    ]
    assert scheduled.alert_subjects == ["2026-W07 waits for your approval"]
    scheduled.harness.approve(W07)
    assert len(scheduled.run(TUESDAY + 3.1 * HOUR)) == 1
    assert (scheduled.state(), scheduled.alert_subjects) == ("sent", ["2026-W07 waits for your approval"])
    assert scheduled.open == set()


def test_approval_counts_until_the_limit_and_not_after_it(scheduled: ScheduledPublication) -> None:
    """Twelve hours late it is still sent; a minute later the editor decides."""
    scheduled.run(TUESDAY)
    scheduled.harness.set_time(TUESDAY + 12 * HOUR).approve(W07)
    assert [each.message[:21] for each in scheduled.tick(TUESDAY + 12 * HOUR)] == ["2026-W07: Issue 2 wri"]


def test_nothing_is_sent_automatically_after_the_limit(scheduled: ScheduledPublication) -> None:
    """Neither unapproved nor approved editions are; the alert names the commands."""
    scheduled.run(TUESDAY, hours=13)
    assert scheduled.alert_subjects == ["2026-W07 waits for your approval", "2026-W07 was not sent"]
    assert "run `pipeline approve 2026-W07`, then `pipeline send 2026-W07`" in scheduled.alerts[-1].text
    scheduled.harness.approve(W07)
    assert scheduled.run(TUESDAY + 14 * HOUR, hours=24) == [
        "2026-W07 was not sent in time; run `pipeline send 2026-W07` to send it"
    ]
    assert (scheduled.state(), scheduled.sent_count) == ("approved", 1)


def test_after_the_limit_it_is_checked_rarely(scheduled: ScheduledPublication) -> None:
    """Each check builds the draft again, so it does not happen in every tick."""
    scheduled.run(TUESDAY)
    for nth in range(9 * 4):
        scheduled.tick(TUESDAY + 12 * HOUR + nth * timedelta(seconds=15))
    assert 2 <= scheduled.harness.store.runs.newest()["send"].attempts <= 5


def test_the_alert_is_closed_when_the_editor_has_sent_or_skipped(scheduled: ScheduledPublication) -> None:
    """The next tick closes it."""
    scheduled.run(TUESDAY, hours=13)
    assert scheduled.open == {"send/2026-W07/late"}
    scheduled.harness.approve(W07)
    scheduled.harness.send(W07)
    assert scheduled.run(TUESDAY + 14 * HOUR, hours=1) == ["2026-W07 was sent"]
    assert scheduled.open == set()


def test_after_a_long_downtime_an_approved_edition_raises_an_alert(scheduled: ScheduledPublication) -> None:
    """The machine was off from before the send time until a day later."""
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    (line,) = scheduled.run(TUESDAY + 24 * HOUR, hours=24)
    assert line == "2026-W07 was not sent in time; run `pipeline send 2026-W07` to send it"
    assert (scheduled.state(), scheduled.alert_subjects, scheduled.alerts[0].level) == (
        "approved",
        ["2026-W07 was not sent"],
        "error",
    )


def test_after_ten_days_no_old_edition_is_sent(scheduled: ScheduledPublication) -> None:
    """There is an alert for the newest edition and for the older approved one."""
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    at = CLOCK.bounds(W08)[0] + timedelta(days=1)
    scheduled.harness.set_time(at).fetch(entry(guid="8", title="Story 8", published_at=at))
    scheduled.harness.set_time_after_closing(W08).digest(W08)
    scheduled.run(TUESDAY + timedelta(days=10), hours=6)
    assert scheduled.alert_subjects == ["2026-W07 was approved and never sent", "2026-W08 was not sent"]
    assert scheduled.sent_count == 1


def test_unless_held_seals_and_sends_an_unapproved_edition(scheduled: ScheduledPublication) -> None:
    """The schedule is the actor, and there is no alert: the proof was sent in time."""
    scheduled.approval = "unless-held"
    scheduled.send_proof(W07, scheduled.harness.now)
    assert len(scheduled.run(TUESDAY, hours=1)) == 1
    standing = scheduled.harness.store.editions.get("2026-W07")
    assert (standing.state, standing.sealed_by, scheduled.alert_subjects) == ("sent", "schedule", [])


@pytest.mark.parametrize("approval", ["required", "unless-held"])
def test_a_held_edition_is_sent_when_it_is_resumed_and_approved(
    scheduled: ScheduledPublication, approval: ApprovalMode
) -> None:
    """Holding raises no alert; resumed in time, the edition is like any other."""
    scheduled.approval = approval
    scheduled.send_proof(W07, scheduled.harness.now)
    scheduled.harness.hold(W07)
    assert scheduled.run(TUESDAY, hours=2) == ["2026-W07 is held"]
    assert (scheduled.state(), scheduled.alert_subjects) == ("held", [])
    scheduled.harness.resume(W07)
    if approval == "required":
        scheduled.harness.approve(W07)
    scheduled.run(TUESDAY + 2.2 * HOUR, hours=0.5)
    assert scheduled.state() == "sent"


def test_an_edition_held_past_the_limit_raises_no_alert(scheduled: ScheduledPublication) -> None:
    """Whoever holds an edition knows that it was not sent."""
    scheduled.harness.hold(W07)
    assert scheduled.run(TUESDAY, hours=14) == ["2026-W07 is held", "2026-W07 was not sent: it is held"]
    assert scheduled.alert_subjects == []


def test_check_errors_block_an_unapproved_edition(scheduled: ScheduledPublication) -> None:
    """The editor is alerted; if the errors are fixed in time, it is sent."""
    scheduled.approval = "unless-held"
    scheduled.send_proof(W07, scheduled.harness.now)
    good = scheduled.harness.context
    broken = small_theme(scheduled.harness.folder / "broken", "<html><body>{{ digest.number }}</body></html>")
    scheduled.harness.context = replace(good, theme=broken)
    scheduled.send_proof(W07, scheduled.harness.now + HOUR)
    (line,) = scheduled.run(TUESDAY, hours=1)
    assert "--override" in line
    assert scheduled.alert_subjects == ["2026-W07 cannot be sent as it is"]
    scheduled.harness.context = good
    scheduled.run(TUESDAY + HOUR, hours=2)
    assert scheduled.state() == "sent"


def test_a_failing_backend_is_retried_and_one_message_is_sent(scheduled: ScheduledPublication) -> None:
    """An edition held by the schedule is resumed; there is one alert."""
    scheduled.backend = way_out = FailingOutbox(scheduled.harness.outbox.folder)
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    assert len(scheduled.run(TUESDAY, hours=2)) > 2
    assert (scheduled.state(), scheduled.alert_subjects) == ("held", ["2026-W07 could not be sent"])
    way_out.failing = False
    scheduled.run(TUESDAY + 2.5 * HOUR, hours=2)
    assert (scheduled.state(), scheduled.sent_count) == ("sent", 2)


def test_a_backend_that_fails_until_the_limit_leaves_it_to_the_editor(scheduled: ScheduledPublication) -> None:
    """After the limit there are no retries; the alert stays open until its commands are run."""
    scheduled.backend = FailingOutbox(scheduled.harness.outbox.folder)
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    scheduled.run(TUESDAY + 11 * HOUR, hours=2)
    assert scheduled.run(TUESDAY + 15 * HOUR, hours=2) == []
    assert scheduled.open == {"send/2026-W07/late"}
    assert "run `pipeline send 2026-W07`; to drop it" in scheduled.alerts[-1].text
    assert scheduled.run(TUESDAY + timedelta(weeks=1)) != []
    assert scheduled.open == {"send/2026-W07/late"}
    scheduled.harness.send(W07)
    scheduled.run(TUESDAY + timedelta(weeks=1, hours=2))
    assert scheduled.open == set()


def test_an_interrupted_send_is_finished_within_the_limit(scheduled: ScheduledPublication) -> None:
    """Killed between the two transactions, it sends no second message."""
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    seen = scheduled.harness.store.editions.get("2026-W07")
    scheduled.harness.store.editions.change_state(seen, "sending", now=TUESDAY, actor=ACTOR)
    scheduled.run(TUESDAY + HOUR)
    assert (scheduled.state(), scheduled.sent_count) == ("sent", 2)


def test_a_send_interrupted_long_ago_raises_an_alert(scheduled: ScheduledPublication) -> None:
    """The editor decides whether it is finished."""
    scheduled.harness.set_time_after_closing(W07).approve(W07)
    seen = scheduled.harness.store.editions.get("2026-W07")
    scheduled.harness.store.editions.change_state(seen, "sending", now=TUESDAY, actor=ACTOR)
    scheduled.run(TUESDAY + 13 * HOUR)
    assert (scheduled.state(), scheduled.alert_subjects) == ("sending", ["2026-W07 was not sent"])


@pytest.mark.parametrize("approval", ["required", "unless-held"])
def test_a_week_without_stories_raises_no_alert(scheduled: ScheduledPublication, approval: ApprovalMode) -> None:
    """There is nothing to approve or to send."""
    scheduled.approval = approval
    scheduled.harness.publish(W07)
    lines = scheduled.run(TUESDAY + timedelta(weeks=1), hours=14)
    assert lines[-1] == "2026-W08 was not sent: it has nothing to send"
    assert (scheduled.state(W08), scheduled.alert_subjects) == ("draft", [])


def test_the_week_is_the_one_closed_at_the_send_time(tmp_path: Path) -> None:
    """A send due on Sunday evening and some hours late is not for the week that closed at midnight."""
    scheduled = ScheduledPublication(PublicationHarness(tmp_path, shared_theme()))
    at = CLOCK.bounds(W06)[0]
    scheduled.harness.set_time(at).fetch()
    scheduled.harness.set_time(at + HOUR).fetch(entry(guid="6", published_at=at + HOUR))
    scheduled.harness.set_time_after_closing(W06).digest(W06)
    scheduled.harness.approve(W06)
    sunday = parse_schedule("sun 20:00")
    assert isinstance(sunday, At)
    outcome = replace(scheduled.scheduled_send(), schedule=sunday).run(CLOCK.bounds(W07)[1] + 3 * HOUR)
    assert isinstance(outcome, Done)
    assert outcome.week == "2026-W06"
    assert outcome.message.startswith("2026-W06: Issue 1 written to the outbox")
    scheduled.harness.store.close()
