"""What goes out unapproved was seen first, and whoever holds, approves or mends in time is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.answer import Answering
from pipeline.jobs.mailing import BY
from pipeline.model.proof import Pass, Plan
from tests.making import entry
from tests.office import HOUR, RHYTHM, TUESDAY, Breaks, Office, opened
from tests.publishing import CLOCK, W07, small_theme

MINUTE = timedelta(minutes=1)
LIMIT = TUESDAY + 12 * HOUR


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An edition that goes out unless somebody holds it; no proof of it is out yet."""
    office = opened(tmp_path)
    office.approval = "unless-held"
    yield office
    office.house.store.close()


def edit(office: Office, title: str) -> None:
    """Let the post of the week be edited at its source."""
    at = CLOCK.bounds(W07)[0] + timedelta(days=2)
    office.house.fetch(entry(guid="1", title=title, published_at=at))


def test_what_nobody_has_seen_is_shown_first_and_goes_out_an_hour_later(office: Office) -> None:
    """No proof before the send time: it is sent then, and the mailing waits for a word."""
    line = "2026-W07 goes out an hour after its proof, unless somebody holds it"
    assert office.lines(TUESDAY, hours=0.5) == [line]
    assert len(office.house.store.proofs.of_week("2026-W07")) == 1
    assert office.state() == "draft"
    office.lines(TUESDAY + HOUR)
    assert office.state() == "sent"


def test_what_was_edited_after_the_proof_is_shown_again(office: Office) -> None:
    """Other bytes than those that the editor has are unseen bytes; what goes out is what the newest proof shows."""
    office.show(W07, office.house.now)
    office.house.at(TUESDAY - MINUTE)
    edit(office, "Edited a minute before")
    office.lines(TUESDAY, hours=0.9)
    assert office.state() == "draft"
    office.lines(TUESDAY + HOUR, hours=0.5)
    newest, _ = office.house.store.proofs.of_week("2026-W07")
    assert office.state() == "sent"
    assert office.house.store.editions.standing("2026-W07").content_hash == newest.content_hash


def test_what_is_yet_to_be_read_and_drafted_is_not_shown(office: Office) -> None:
    """After a downtime the mailing comes first in the beat: no proof goes out of what the store held before."""
    office.drafted = False
    assert office.lines(TUESDAY) == ["2026-W07 waits for its draft"]
    assert office.house.store.proofs.of_week("2026-W07") == ()


def test_what_cannot_be_shown_does_not_go_out(office: Office) -> None:
    """The mail server is away: the editor is told in the other ways, and it is tried until there is a proof."""
    office.shut = True
    office.lines(TUESDAY, hours=5)
    assert (office.state(), office.told) == ("draft", ["2026-W07 cannot be shown to you"])
    office.shut = False
    office.lines(TUESDAY + 5.2 * HOUR, hours=1.5)
    assert office.state() == "sent"


def test_a_proof_too_late_for_its_hour_asks_for_an_approval(office: Office) -> None:
    """After a downtime until shortly before the limit nothing goes out unapproved."""
    office.lines(LIMIT - HOUR / 2, hours=3)
    assert office.told == ["2026-W07 waits for your approval", "2026-W07 was not sent"]
    assert office.state() == "draft"


def test_holding_what_could_not_be_sent_is_heard(office: Office) -> None:
    """By the proof's button or by the command: from then on it is the editor's, and nobody takes it up but they."""
    office.house.approve(W07)
    office.backend = way_out = Breaks(office.house.outbox.folder)
    office.lines(TUESDAY)
    standing = office.house.store.editions.standing("2026-W07")
    expires_at = TUESDAY + timedelta(days=5)
    press = Pass(week="2026-W07", content_hash=standing.content_hash, choice="hold", nth=1, expires_at=expires_at)
    publisher = replace(office.house.publisher, by="editor")
    plan = Plan(clock=CLOCK, send=RHYTHM)
    answering = Answering(publisher=publisher, plan=plan, laid_out=lambda week, now: None)
    assert [answering.answer(press, now=TUESDAY + MINUTE).case for _ in range(2)] == ["done", "already"]
    way_out.shut = False
    office.lines(TUESDAY + 2 * MINUTE, hours=3)
    standing = office.house.store.editions.standing("2026-W07")
    assert (standing.state, standing.moved_by, office.mails) == ("held", "editor", 1)


def test_a_failure_that_does_not_pass_names_commands_that_work(office: Office) -> None:
    """It is not tried again, and not forgotten: a week later the question is still open."""
    office.house.approve(W07)
    office.backend = Breaks(office.house.outbox.folder, kind="recipient")
    office.lines(TUESDAY, hours=2)
    assert "`pipeline resume 2026-W07`, then `pipeline send 2026-W07`" in office.notices[-1].text
    office.lines(TUESDAY + timedelta(weeks=1))
    assert office.open == {"send/2026-W07/late"}
    office.house.resume(W07)
    assert office.house.send(W07).state == "sent"


def test_an_approval_by_the_limit_counts_though_the_beat_comes_after_it(office: Office) -> None:
    """Cron comes when it comes; an hour later it is too late for that."""
    office.approval = "required"
    office.lines(TUESDAY)
    office.house.at(LIMIT - 2 * MINUTE).approve(W07)
    assert [each.line[:17] for each in office.beat(LIMIT + MINUTE)] == ["2026-W07: No. 2 s"]


def test_what_is_mended_before_the_limit_goes_out(office: Office) -> None:
    """However long it had been broken: it is looked at again soon, and once more after the limit."""
    good = office.house.press
    office.house.press = replace(good, theme=small_theme(office.house.folder / "broken", "<html>no link out</html>"))
    office.show(W07, TUESDAY - 9 * HOUR)
    office.lines(LIMIT - HOUR, hours=0.5)
    assert office.told == ["2026-W07 cannot go out as it is"]
    office.house.press = good
    office.show(W07, TUESDAY + 10 * HOUR)
    assert office.lines(LIMIT + MINUTE / 10) != []
    assert office.state() == "sent"


def test_a_clock_that_ran_ahead_for_a_beat_strands_nothing(office: Office) -> None:
    """The next mailing was begun a week early; the one of now still waits for its approval, and gets it."""
    office.approval = "required"
    office.lines(TUESDAY)
    office.beat(TUESDAY + timedelta(weeks=1, minutes=1))
    office.house.at(TUESDAY + 5 * MINUTE).approve(W07)
    office.lines(TUESDAY + 6 * MINUTE, hours=1)
    standing = office.house.store.editions.standing("2026-W07")
    assert (standing.state, standing.moved_by) == ("sent", BY)
