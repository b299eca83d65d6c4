"""What goes out unapproved was seen first, and whoever holds, approves or mends in time is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.editions.scheduled_send import ACTOR
from pipeline.jobs.proof.decide import ProofDecisions
from pipeline.model.proof import ProofToken, SendPolicy
from tests.factories import entry
from tests.publication import CLOCK, W07, small_theme
from tests.scheduled_publication import HOUR, SCHEDULE, TUESDAY, FailingOutbox, ScheduledPublication, open_scheduled

MINUTE = timedelta(minutes=1)
LIMIT = TUESDAY + 12 * HOUR


@pytest.fixture
def office(tmp_path: Path) -> Iterator[ScheduledPublication]:
    """An edition that goes out unless somebody holds it; no proof of it is out yet."""
    office = open_scheduled(tmp_path)
    office.approval = "unless-held"
    yield office
    office.harness.store.close()


def edit(office: ScheduledPublication, title: str) -> None:
    """Let the post of the week be edited at its source."""
    at = CLOCK.bounds(W07)[0] + timedelta(days=2)
    office.harness.fetch(entry(guid="1", title=title, published_at=at))


def test_what_nobody_has_seen_is_shown_first_and_goes_out_an_hour_later(office: ScheduledPublication) -> None:
    """No proof before the send time: it is sent then, and the mailing waits for a word."""
    line = "2026-W07 is sent an hour after its proof unless somebody holds it"
    assert office.run(TUESDAY, hours=0.5) == [line]
    assert len(office.harness.store.proofs.of_week("2026-W07")) == 1
    assert office.state() == "draft"
    office.run(TUESDAY + HOUR)
    assert office.state() == "sent"


def test_what_was_edited_after_the_proof_is_shown_again(office: ScheduledPublication) -> None:
    """Other bytes than those that the editor has are unseen bytes; what goes out is what the newest proof shows."""
    office.send_proof(W07, office.harness.now)
    office.harness.set_time(TUESDAY - MINUTE)
    edit(office, "Edited a minute before")
    office.run(TUESDAY, hours=0.9)
    assert office.state() == "draft"
    office.run(TUESDAY + HOUR, hours=0.5)
    newest, _ = office.harness.store.proofs.of_week("2026-W07")
    assert office.state() == "sent"
    assert office.harness.store.editions.get("2026-W07").content_hash == newest.content_hash


def test_what_is_yet_to_be_read_and_drafted_is_not_shown(office: ScheduledPublication) -> None:
    """After a downtime the mailing comes first in the beat: no proof goes out of what the store held before."""
    office.draft_ready = False
    assert office.run(TUESDAY) == ["2026-W07 waits for its draft"]
    assert office.harness.store.proofs.of_week("2026-W07") == ()


def test_what_cannot_be_shown_does_not_go_out(office: ScheduledPublication) -> None:
    """The mail server is away: the editor is told in the other ways, and it is tried until there is a proof."""
    office.mail_server_down = True
    office.run(TUESDAY, hours=5)
    assert (office.state(), office.alert_subjects) == ("draft", ["2026-W07 could not be sent to you as a proof"])
    office.mail_server_down = False
    office.run(TUESDAY + 5.2 * HOUR, hours=1.5)
    assert office.state() == "sent"


def test_a_proof_too_late_for_its_hour_asks_for_an_approval(office: ScheduledPublication) -> None:
    """After a downtime until shortly before the limit nothing goes out unapproved."""
    office.run(LIMIT - HOUR / 2, hours=3)
    assert office.alert_subjects == ["2026-W07 waits for your approval", "2026-W07 was not sent"]
    assert office.state() == "draft"


def test_holding_what_could_not_be_sent_is_heard(office: ScheduledPublication) -> None:
    """By the proof's button or by the command: from then on it is the editor's, and nobody takes it up but they."""
    office.harness.approve(W07)
    office.backend = way_out = FailingOutbox(office.harness.outbox.folder)
    office.run(TUESDAY)
    standing = office.harness.store.editions.get("2026-W07")
    expires_at = TUESDAY + timedelta(days=5)
    press = ProofToken(
        week="2026-W07", content_hash=standing.content_hash, action="hold", sequence=1, expires_at=expires_at
    )
    publisher = replace(office.harness.workflow, actor="editor")
    plan = SendPolicy(calendar=CLOCK, schedule=SCHEDULE)
    answering = ProofDecisions(workflow=publisher, send_policy=plan, editions_folder=office.harness.folder / "editions")
    assert [answering.decide(press, now=TUESDAY + MINUTE).status for _ in range(2)] == ["done", "already"]
    way_out.failing = False
    office.run(TUESDAY + 2 * MINUTE, hours=3)
    standing = office.harness.store.editions.get("2026-W07")
    assert (standing.state, standing.changed_by, office.sent_count) == ("held", "editor", 1)


def test_a_failure_that_does_not_pass_names_commands_that_work(office: ScheduledPublication) -> None:
    """It is not tried again, and not forgotten: a week later the question is still open."""
    office.harness.approve(W07)
    office.backend = FailingOutbox(office.harness.outbox.folder, kind="recipient")
    office.run(TUESDAY, hours=2)
    assert "`pipeline resume 2026-W07`, then `pipeline send 2026-W07`" in office.alerts[-1].text
    office.run(TUESDAY + timedelta(weeks=1))
    assert office.open == {"send/2026-W07/late"}
    office.harness.resume(W07)
    assert office.harness.send(W07).state == "sent"


def test_an_approval_by_the_limit_counts_though_the_beat_comes_after_it(office: ScheduledPublication) -> None:
    """Cron comes when it comes; an hour later it is too late for that."""
    office.approval = "required"
    office.run(TUESDAY)
    office.harness.set_time(LIMIT - 2 * MINUTE).approve(W07)
    assert [each.message[:17] for each in office.tick(LIMIT + MINUTE)] == ["2026-W07: No. 2 s"]


def test_what_is_mended_before_the_limit_goes_out(office: ScheduledPublication) -> None:
    """However long it had been broken: it is looked at again soon, and once more after the limit."""
    good = office.harness.context
    office.harness.context = replace(
        good, theme=small_theme(office.harness.folder / "broken", "<html>no link out</html>")
    )
    office.send_proof(W07, TUESDAY - 9 * HOUR)
    office.run(LIMIT - HOUR, hours=0.5)
    assert office.alert_subjects == ["2026-W07 cannot be sent as it is"]
    office.harness.context = good
    office.send_proof(W07, TUESDAY + 10 * HOUR)
    assert office.run(LIMIT + MINUTE / 10) != []
    assert office.state() == "sent"


def test_a_clock_that_ran_ahead_for_a_beat_strands_nothing(office: ScheduledPublication) -> None:
    """The next mailing was begun a week early; the one of now still waits for its approval, and gets it."""
    office.approval = "required"
    office.run(TUESDAY)
    office.tick(TUESDAY + timedelta(weeks=1, minutes=1))
    office.harness.set_time(TUESDAY + 5 * MINUTE).approve(W07)
    office.run(TUESDAY + 6 * MINUTE, hours=1)
    standing = office.harness.store.editions.get("2026-W07")
    assert (standing.state, standing.changed_by) == ("sent", ACTOR)
