"""The mailing at its time: what may go out goes out once; of the rest the editor is told, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.editions.scheduled_send import ACTOR, ApprovalMode
from pipeline.model.schedule import At, parse_schedule
from tests.factories import entry
from tests.publication import CLOCK, W06, W07, W08, PublicationHarness, shared_theme, small_theme
from tests.scheduled_publication import HOUR, TUESDAY, FailingOutbox, ScheduledPublication, open_scheduled


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ScheduledPublication]:
    """One story in each of two weeks; what was due before is done."""
    office = open_scheduled(tmp_path)
    yield office
    office.harness.store.close()


def test_what_is_approved_goes_out_at_its_time_and_once(office: ScheduledPublication) -> None:
    """Not a beat before, and never again."""
    office.harness.set_time_after_closing(W07).approve(W07)
    assert office.run(TUESDAY - 3 * HOUR, hours=2.9) == []
    (line,) = office.run(TUESDAY, hours=30)
    assert line.startswith("2026-W07: No. 2 sent, into ")
    assert (office.state(), office.sent_count, office.alert_subjects) == ("sent", 2, [])
    assert office.harness.store.editions.get("2026-W07").changed_by == "schedule"


def test_what_nobody_approved_is_asked_for_once_and_goes_out_when_it_is(office: ScheduledPublication) -> None:
    """The editor is told at the send time; approved within the limit it goes out at the next beat."""
    assert office.run(TUESDAY, hours=3) == [
        "2026-W07 is not approved; if approved by Tuesday 17 February, 19:00, it is sent at once"
    ]
    assert office.alert_subjects == ["2026-W07 waits for your approval"]
    office.harness.approve(W07)
    assert len(office.run(TUESDAY + 3.1 * HOUR)) == 1
    assert (office.state(), office.alert_subjects) == ("sent", ["2026-W07 waits for your approval"])
    assert office.open == set()


def test_an_approval_at_the_very_limit_still_sends_and_one_after_it_asks(office: ScheduledPublication) -> None:
    """Twelve hours late is late; a minute more is too late, and the editor decides."""
    office.run(TUESDAY)
    office.harness.set_time(TUESDAY + 12 * HOUR).approve(W07)
    assert [each.message[:17] for each in office.tick(TUESDAY + 12 * HOUR)] == ["2026-W07: No. 2 s"]


def test_nothing_goes_out_by_itself_later_than_the_limit(office: ScheduledPublication) -> None:
    """Neither unapproved nor approved afterwards; the notice says which commands there are."""
    office.run(TUESDAY, hours=13)
    assert office.alert_subjects == ["2026-W07 waits for your approval", "2026-W07 was not sent"]
    assert "run `pipeline approve 2026-W07`, then `pipeline send 2026-W07`" in office.alerts[-1].text
    office.harness.approve(W07)
    assert office.run(TUESDAY + 14 * HOUR, hours=24) == [
        "2026-W07 was not sent in time; run `pipeline send 2026-W07` to send it"
    ]
    assert (office.state(), office.sent_count) == ("approved", 1)


def test_after_the_limit_it_is_looked_at_now_and_then(office: ScheduledPublication) -> None:
    """Not at every beat of the minutes in which a mending still counts: each look makes the draft anew."""
    office.run(TUESDAY)
    for nth in range(9 * 4):
        office.tick(TUESDAY + 12 * HOUR + nth * timedelta(seconds=15))
    assert 2 <= office.harness.store.runs.newest()["send"].attempts <= 5


def test_what_was_asked_is_no_question_any_more_once_it_is_answered(office: ScheduledPublication) -> None:
    """The editor sends it by hand, or lets it be: the notice is closed at the next beat."""
    office.run(TUESDAY, hours=13)
    assert office.open == {"send/2026-W07/late"}
    office.harness.approve(W07)
    office.harness.send(W07)
    assert office.run(TUESDAY + 14 * HOUR, hours=1) == ["2026-W07 was sent"]
    assert office.open == set()


def test_after_downtime_an_approved_edition_is_asked_about_instead_of_sent(office: ScheduledPublication) -> None:
    """The machine was off from before the send time until a day later."""
    office.harness.set_time_after_closing(W07).approve(W07)
    (line,) = office.run(TUESDAY + 24 * HOUR, hours=24)
    assert line == "2026-W07 was not sent in time; run `pipeline send 2026-W07` to send it"
    assert (office.state(), office.alert_subjects, office.alerts[0].level) == (
        "approved",
        ["2026-W07 was not sent"],
        "error",
    )


def test_after_ten_days_no_old_mailing_goes_out(office: ScheduledPublication) -> None:
    """The week that was approved in vain is asked about, and so is the newest; nothing is sent."""
    office.harness.set_time_after_closing(W07).approve(W07)
    at = CLOCK.bounds(W08)[0] + timedelta(days=1)
    office.harness.set_time(at).fetch(entry(guid="8", title="Story 8", published_at=at))
    office.harness.set_time_after_closing(W08).digest(W08)
    office.run(TUESDAY + timedelta(days=10), hours=6)
    assert office.alert_subjects == ["2026-W07 was approved and never sent", "2026-W08 was not sent"]
    assert office.sent_count == 1


def test_what_may_go_unless_somebody_holds_it_is_sealed_and_sent(office: ScheduledPublication) -> None:
    """In the schedule's name, and nobody is bothered: the proof was there in time."""
    office.approval = "unless-held"
    office.send_proof(W07, office.harness.now)
    assert len(office.run(TUESDAY, hours=1)) == 1
    standing = office.harness.store.editions.get("2026-W07")
    assert (standing.state, standing.sealed_by, office.alert_subjects) == ("sent", "schedule", [])


@pytest.mark.parametrize("approval", ["required", "unless-held"])
def test_what_is_held_stays_and_goes_out_when_it_is_resumed_and_approved(
    office: ScheduledPublication, approval: ApprovalMode
) -> None:
    """Holding is the editor's word: no notice, no mail; taken up again in time it is like any other."""
    office.approval = approval
    office.send_proof(W07, office.harness.now)
    office.harness.hold(W07)
    assert office.run(TUESDAY, hours=2) == ["2026-W07 is held"]
    assert (office.state(), office.alert_subjects) == ("held", [])
    office.harness.resume(W07)
    if approval == "required":
        office.harness.approve(W07)
    office.run(TUESDAY + 2.2 * HOUR, hours=0.5)
    assert office.state() == "sent"


def test_what_was_held_past_the_limit_is_left_to_the_editor_without_a_word(office: ScheduledPublication) -> None:
    """Who holds an edition knows that it has not gone out."""
    office.harness.hold(W07)
    assert office.run(TUESDAY, hours=14) == ["2026-W07 is held", "2026-W07 was not sent: it is held"]
    assert office.alert_subjects == []


def test_errors_of_the_checks_stop_what_nobody_approved(office: ScheduledPublication) -> None:
    """Unless-held never overrides: the editor is told what is wrong, and mending it in time sends it."""
    office.approval = "unless-held"
    office.send_proof(W07, office.harness.now)
    good = office.harness.context
    broken = small_theme(office.harness.folder / "broken", "<html><body>{{ digest.number }}</body></html>")
    office.harness.context = replace(good, theme=broken)
    office.send_proof(W07, office.harness.now + HOUR)
    (line,) = office.run(TUESDAY, hours=1)
    assert "--override" in line
    assert office.alert_subjects == ["2026-W07 cannot be sent as it is"]
    office.harness.context = good
    office.run(TUESDAY + HOUR, hours=2)
    assert office.state() == "sent"


def test_a_way_out_that_is_shut_is_tried_again_and_the_mail_goes_out_once(office: ScheduledPublication) -> None:
    """Held by nobody but ourselves it is taken up again; the editor hears of it once."""
    office.backend = way_out = FailingOutbox(office.harness.outbox.folder)
    office.harness.set_time_after_closing(W07).approve(W07)
    assert len(office.run(TUESDAY, hours=2)) > 2
    assert (office.state(), office.alert_subjects) == ("held", ["2026-W07 could not be sent"])
    way_out.failing = False
    office.run(TUESDAY + 2.5 * HOUR, hours=2)
    assert (office.state(), office.sent_count) == ("sent", 2)


def test_a_way_out_that_stays_shut_leaves_it_to_the_editor(office: ScheduledPublication) -> None:
    """After the limit nothing is tried any more; what the notice names works, and the question stays until then."""
    office.backend = FailingOutbox(office.harness.outbox.folder)
    office.harness.set_time_after_closing(W07).approve(W07)
    office.run(TUESDAY + 11 * HOUR, hours=2)
    assert office.run(TUESDAY + 15 * HOUR, hours=2) == []
    assert office.open == {"send/2026-W07/late"}
    assert "run `pipeline send 2026-W07`; to drop it" in office.alerts[-1].text
    assert office.run(TUESDAY + timedelta(weeks=1)) != []
    assert office.open == {"send/2026-W07/late"}
    office.harness.send(W07)
    office.run(TUESDAY + timedelta(weeks=1, hours=2))
    assert office.open == set()


def test_a_send_that_was_cut_short_is_finished_within_the_limit(office: ScheduledPublication) -> None:
    """Killed between the two transactions: the same rules, and no second mail."""
    office.harness.set_time_after_closing(W07).approve(W07)
    seen = office.harness.store.editions.get("2026-W07")
    office.harness.store.editions.change_state(seen, "sending", now=TUESDAY, actor=ACTOR)
    office.run(TUESDAY + HOUR)
    assert (office.state(), office.sent_count) == ("sent", 2)


def test_a_send_that_was_cut_short_long_ago_is_asked_about(office: ScheduledPublication) -> None:
    """Whether it is still to go is the editor's to say."""
    office.harness.set_time_after_closing(W07).approve(W07)
    seen = office.harness.store.editions.get("2026-W07")
    office.harness.store.editions.change_state(seen, "sending", now=TUESDAY, actor=ACTOR)
    office.run(TUESDAY + 13 * HOUR)
    assert (office.state(), office.alert_subjects) == ("sending", ["2026-W07 was not sent"])


@pytest.mark.parametrize("approval", ["required", "unless-held"])
def test_a_week_without_stories_is_no_matter_for_the_editor(
    office: ScheduledPublication, approval: ApprovalMode
) -> None:
    """Nothing to approve, nothing to send, nobody to wake."""
    office.approval = approval
    office.harness.publish(W07)
    lines = office.run(TUESDAY + timedelta(weeks=1), hours=14)
    assert lines[-1] == "2026-W08 was not sent: it has nothing to send"
    assert (office.state(W08), office.alert_subjects) == ("draft", [])


def test_the_week_is_the_one_that_had_closed_at_the_send_time(tmp_path: Path) -> None:
    """Sent on Sunday evening, late by a few hours, it is not mistaken for the week that closed at midnight."""
    office = ScheduledPublication(PublicationHarness(tmp_path, shared_theme()))
    at = CLOCK.bounds(W06)[0]
    office.harness.set_time(at).fetch()
    office.harness.set_time(at + HOUR).fetch(entry(guid="6", published_at=at + HOUR))
    office.harness.set_time_after_closing(W06).digest(W06)
    office.harness.approve(W06)
    sunday = parse_schedule("sun 20:00")
    assert isinstance(sunday, At)
    came = replace(office.scheduled_send(), schedule=sunday).run(CLOCK.bounds(W07)[1] + 3 * HOUR)
    assert str(came).startswith("2026-W06: No. 1 sent")
    office.harness.store.close()
