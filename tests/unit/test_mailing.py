"""The mailing at its time: what may go out goes out once; of the rest the editor is told, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.mailing import BY, Approval
from pipeline.model.schedule import At, parse_schedule
from tests.making import entry
from tests.office import HOUR, TUESDAY, Breaks, Office, opened
from tests.publishing import CLOCK, W06, W07, W08, House, small_theme, usual_theme


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """One story in each of two weeks; what was due before is done."""
    office = opened(tmp_path)
    yield office
    office.house.store.close()


def test_what_is_approved_goes_out_at_its_time_and_once(office: Office) -> None:
    """Not a beat before, and never again."""
    office.house.closing(W07).approve(W07)
    assert office.lines(TUESDAY - 3 * HOUR, hours=2.9) == []
    (line,) = office.lines(TUESDAY, hours=30)
    assert line.startswith("2026-W07: No. 2 sent, into ")
    assert (office.state(), office.mails, office.told) == ("sent", 2, [])
    assert office.house.store.editions.standing("2026-W07").moved_by == "schedule"


def test_what_nobody_approved_is_asked_for_once_and_goes_out_when_it_is(office: Office) -> None:
    """The editor is told at the send time; approved within the limit it goes out at the next beat."""
    assert office.lines(TUESDAY, hours=3) == [
        "2026-W07 is not approved; approved by Tuesday 17 February, 19:00, it goes out at once"
    ]
    assert office.told == ["2026-W07 waits for your approval"]
    office.house.approve(W07)
    assert len(office.lines(TUESDAY + 3.1 * HOUR)) == 1
    assert (office.state(), office.told) == ("sent", ["2026-W07 waits for your approval"])
    assert office.open == set()


def test_an_approval_at_the_very_limit_still_sends_and_one_after_it_asks(office: Office) -> None:
    """Twelve hours late is late; a minute more is too late, and the editor decides."""
    office.lines(TUESDAY)
    office.house.at(TUESDAY + 12 * HOUR).approve(W07)
    assert [each.line[:17] for each in office.beat(TUESDAY + 12 * HOUR)] == ["2026-W07: No. 2 s"]


def test_nothing_goes_out_by_itself_later_than_the_limit(office: Office) -> None:
    """Neither unapproved nor approved afterwards; the notice says which commands there are."""
    office.lines(TUESDAY, hours=13)
    assert office.told == ["2026-W07 waits for your approval", "2026-W07 was not sent"]
    assert "`pipeline approve 2026-W07`, then `pipeline send 2026-W07` sends it" in office.notices[-1].text
    office.house.approve(W07)
    assert office.lines(TUESDAY + 14 * HOUR, hours=24) == [
        "2026-W07 did not go out in time; `pipeline send 2026-W07` sends it"
    ]
    assert (office.state(), office.mails) == ("approved", 1)


def test_after_the_limit_it_is_looked_at_now_and_then(office: Office) -> None:
    """Not at every beat of the minutes in which a mending still counts: each look makes the draft anew."""
    office.lines(TUESDAY)
    for nth in range(9 * 4):
        office.beat(TUESDAY + 12 * HOUR + nth * timedelta(seconds=15))
    assert 2 <= office.house.store.runs.newest()["send"].attempts <= 5


def test_what_was_asked_is_no_question_any_more_once_it_is_answered(office: Office) -> None:
    """The editor sends it by hand, or lets it be: the notice is closed at the next beat."""
    office.lines(TUESDAY, hours=13)
    assert office.open == {"send/2026-W07/late"}
    office.house.approve(W07)
    office.house.send(W07)
    assert office.lines(TUESDAY + 14 * HOUR, hours=1) == ["2026-W07 was sent"]
    assert office.open == set()


def test_after_downtime_an_approved_edition_is_asked_about_instead_of_sent(office: Office) -> None:
    """The machine was off from before the send time until a day later."""
    office.house.closing(W07).approve(W07)
    (line,) = office.lines(TUESDAY + 24 * HOUR, hours=24)
    assert line == "2026-W07 did not go out in time; `pipeline send 2026-W07` sends it"
    assert (office.state(), office.told, office.notices[0].level) == ("approved", ["2026-W07 was not sent"], "error")


def test_after_ten_days_no_old_mailing_goes_out(office: Office) -> None:
    """The week that was approved in vain is asked about, and so is the newest; nothing is sent."""
    office.house.closing(W07).approve(W07)
    at = CLOCK.bounds(W08)[0] + timedelta(days=1)
    office.house.at(at).fetch(entry(guid="8", title="Story 8", published_at=at))
    office.house.closing(W08).digest(W08)
    office.lines(TUESDAY + timedelta(days=10), hours=6)
    assert office.told == ["2026-W07 was approved and never sent", "2026-W08 was not sent"]
    assert office.mails == 1


def test_what_may_go_unless_somebody_holds_it_is_sealed_and_sent(office: Office) -> None:
    """In the schedule's name, and nobody is bothered: the proof was there in time."""
    office.approval = "unless-held"
    office.show(W07, office.house.now)
    assert len(office.lines(TUESDAY, hours=1)) == 1
    standing = office.house.store.editions.standing("2026-W07")
    assert (standing.state, standing.sealed_by, office.told) == ("sent", "schedule", [])


@pytest.mark.parametrize("approval", ["required", "unless-held"])
def test_what_is_held_stays_and_goes_out_when_it_is_resumed_and_approved(office: Office, approval: Approval) -> None:
    """Holding is the editor's word: no notice, no mail; taken up again in time it is like any other."""
    office.approval = approval
    office.show(W07, office.house.now)
    office.house.hold(W07)
    assert office.lines(TUESDAY, hours=2) == ["2026-W07 is held"]
    assert (office.state(), office.told) == ("held", [])
    office.house.resume(W07)
    if approval == "required":
        office.house.approve(W07)
    office.lines(TUESDAY + 2.2 * HOUR, hours=0.5)
    assert office.state() == "sent"


def test_what_was_held_past_the_limit_is_left_to_the_editor_without_a_word(office: Office) -> None:
    """Who holds an edition knows that it has not gone out."""
    office.house.hold(W07)
    assert office.lines(TUESDAY, hours=14) == ["2026-W07 is held", "2026-W07 did not go out: it is held"]
    assert office.told == []


def test_errors_of_the_checks_stop_what_nobody_approved(office: Office) -> None:
    """Unless-held never overrides: the editor is told what is wrong, and mending it in time sends it."""
    office.approval = "unless-held"
    office.show(W07, office.house.now)
    good = office.house.press
    broken = small_theme(office.house.folder / "broken", "<html><body>{{ page.number }}</body></html>")
    office.house.press = replace(good, theme=broken)
    office.show(W07, office.house.now + HOUR)
    (line,) = office.lines(TUESDAY, hours=1)
    assert "--override" in line
    assert office.told == ["2026-W07 cannot go out as it is"]
    office.house.press = good
    office.lines(TUESDAY + HOUR, hours=2)
    assert office.state() == "sent"


def test_a_way_out_that_is_shut_is_tried_again_and_the_mail_goes_out_once(office: Office) -> None:
    """Held by nobody but ourselves it is taken up again; the editor hears of it once."""
    office.backend = way_out = Breaks(office.house.outbox.folder)
    office.house.closing(W07).approve(W07)
    assert len(office.lines(TUESDAY, hours=2)) > 2
    assert (office.state(), office.told) == ("held", ["2026-W07 could not be sent"])
    way_out.shut = False
    office.lines(TUESDAY + 2.5 * HOUR, hours=2)
    assert (office.state(), office.mails) == ("sent", 2)


def test_a_way_out_that_stays_shut_leaves_it_to_the_editor(office: Office) -> None:
    """After the limit nothing is tried any more; what the notice names works, and the question stays until then."""
    office.backend = Breaks(office.house.outbox.folder)
    office.house.closing(W07).approve(W07)
    office.lines(TUESDAY + 11 * HOUR, hours=2)
    assert office.lines(TUESDAY + 15 * HOUR, hours=2) == []
    assert office.open == {"send/2026-W07/late"}
    assert "? `pipeline send 2026-W07` sends it" in office.notices[-1].text
    assert office.lines(TUESDAY + timedelta(weeks=1)) != []
    assert office.open == {"send/2026-W07/late"}
    office.house.send(W07)
    office.lines(TUESDAY + timedelta(weeks=1, hours=2))
    assert office.open == set()


def test_a_send_that_was_cut_short_is_finished_within_the_limit(office: Office) -> None:
    """Killed between the two transactions: the same rules, and no second mail."""
    office.house.closing(W07).approve(W07)
    seen = office.house.store.editions.standing("2026-W07")
    office.house.store.editions.move(seen, "sending", now=TUESDAY, by=BY)
    office.lines(TUESDAY + HOUR)
    assert (office.state(), office.mails) == ("sent", 2)


def test_a_send_that_was_cut_short_long_ago_is_asked_about(office: Office) -> None:
    """Whether it is still to go is the editor's to say."""
    office.house.closing(W07).approve(W07)
    seen = office.house.store.editions.standing("2026-W07")
    office.house.store.editions.move(seen, "sending", now=TUESDAY, by=BY)
    office.lines(TUESDAY + 13 * HOUR)
    assert (office.state(), office.told) == ("sending", ["2026-W07 was not sent"])


@pytest.mark.parametrize("approval", ["required", "unless-held"])
def test_a_week_without_stories_is_no_matter_for_the_editor(office: Office, approval: Approval) -> None:
    """Nothing to approve, nothing to send, nobody to wake."""
    office.approval = approval
    office.house.publish(W07)
    lines = office.lines(TUESDAY + timedelta(weeks=1), hours=14)
    assert lines[-1] == "2026-W08 did not go out: it has nothing to send"
    assert (office.state(W08), office.told) == ("draft", [])


def test_the_week_is_the_one_that_had_closed_at_the_send_time(tmp_path: Path) -> None:
    """Sent on Sunday evening, late by a few hours, it is not mistaken for the week that closed at midnight."""
    office = Office(House(tmp_path, usual_theme()))
    at = CLOCK.bounds(W06)[0]
    office.house.at(at).fetch()
    office.house.at(at + HOUR).fetch(entry(guid="6", published_at=at + HOUR))
    office.house.closing(W06).digest(W06)
    office.house.approve(W06)
    sunday = parse_schedule("sun 20:00")
    assert isinstance(sunday, At)
    came = replace(office.mailing(), rhythm=sunday).run(CLOCK.bounds(W07)[1] + 3 * HOUR)
    assert str(came).startswith("2026-W06: No. 1 sent")
    office.house.store.close()
