"""Unapproved editions are sent only after a proof, and holding, approving and fixing in time take effect."""

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
def scheduled(tmp_path: Path) -> Iterator[ScheduledPublication]:
    """An edition that is sent unless somebody holds it; no proof of it was sent yet."""
    scheduled = open_scheduled(tmp_path)
    scheduled.approval = "unless-held"
    yield scheduled
    scheduled.harness.store.close()


def edit(scheduled: ScheduledPublication, title: str) -> None:
    """Change the week's post in its feed."""
    at = CLOCK.bounds(W07)[0] + timedelta(days=2)
    scheduled.harness.fetch(entry(guid="1", title=title, published_at=at))


def test_without_a_proof_one_is_sent_first_and_the_edition_an_hour_later(scheduled: ScheduledPublication) -> None:
    """If there is no proof at the send time, it is sent then, and the edition waits."""
    line = "2026-W07 is sent an hour after its proof unless somebody holds it"
    assert scheduled.run(TUESDAY, hours=0.5) == [line]
    assert len(scheduled.harness.store.proofs.of_week("2026-W07")) == 1
    assert scheduled.state() == "draft"
    scheduled.run(TUESDAY + HOUR)
    assert scheduled.state() == "sent"


def test_a_draft_changed_after_its_proof_gets_another_proof(scheduled: ScheduledPublication) -> None:
    """Only the bytes of the newest proof are sent."""
    scheduled.send_proof(W07, scheduled.harness.now)
    scheduled.harness.set_time(TUESDAY - MINUTE)
    edit(scheduled, "Edited a minute before")
    scheduled.run(TUESDAY, hours=0.9)
    assert scheduled.state() == "draft"
    scheduled.run(TUESDAY + HOUR, hours=0.5)
    newest, _ = scheduled.harness.store.proofs.of_week("2026-W07")
    assert scheduled.state() == "sent"
    assert scheduled.harness.store.editions.get("2026-W07").content_hash == newest.content_hash


def test_no_proof_is_sent_before_the_draft_is_ready(scheduled: ScheduledPublication) -> None:
    """After a downtime the send task runs first; no proof of outdated content is sent."""
    scheduled.draft_ready = False
    assert scheduled.run(TUESDAY) == ["2026-W07 waits for its draft"]
    assert scheduled.harness.store.proofs.of_week("2026-W07") == ()


def test_without_a_deliverable_proof_nothing_is_sent(scheduled: ScheduledPublication) -> None:
    """If the mail server is away, the editor is alerted, and the proof is retried."""
    scheduled.mail_server_down = True
    scheduled.run(TUESDAY, hours=5)
    assert (scheduled.state(), scheduled.alert_subjects) == ("draft", ["2026-W07 could not be sent to you as a proof"])
    scheduled.mail_server_down = False
    scheduled.run(TUESDAY + 5.2 * HOUR, hours=1.5)
    assert scheduled.state() == "sent"


def test_a_proof_less_than_an_hour_before_the_limit_requires_approval(scheduled: ScheduledPublication) -> None:
    """After a downtime until shortly before the limit, nothing is sent unapproved."""
    scheduled.run(LIMIT - HOUR / 2, hours=3)
    assert scheduled.alert_subjects == ["2026-W07 waits for your approval", "2026-W07 was not sent"]
    assert scheduled.state() == "draft"


def test_a_failed_edition_that_is_held_stays_held(scheduled: ScheduledPublication) -> None:
    """Held by the proof's button or a command, it is not resumed automatically."""
    scheduled.harness.approve(W07)
    scheduled.backend = way_out = FailingOutbox(scheduled.harness.outbox.folder)
    scheduled.run(TUESDAY)
    standing = scheduled.harness.store.editions.get("2026-W07")
    expires_at = TUESDAY + timedelta(days=5)
    press = ProofToken(
        week="2026-W07", content_hash=standing.content_hash, action="hold", sequence=1, expires_at=expires_at
    )
    workflow = replace(scheduled.harness.workflow, actor="editor")
    plan = SendPolicy(calendar=CLOCK, schedule=SCHEDULE)
    answering = ProofDecisions(
        workflow=workflow, send_policy=plan, editions_folder=scheduled.harness.folder / "editions"
    )
    assert [answering.decide(press, now=TUESDAY + MINUTE).status for _ in range(2)] == ["done", "already"]
    way_out.failing = False
    scheduled.run(TUESDAY + 2 * MINUTE, hours=3)
    standing = scheduled.harness.store.editions.get("2026-W07")
    assert (standing.state, standing.changed_by, scheduled.sent_count) == ("held", "editor", 1)


def test_a_permanent_failure_names_commands_that_work(scheduled: ScheduledPublication) -> None:
    """It is not retried, and the alert is still open a week later."""
    scheduled.harness.approve(W07)
    scheduled.backend = FailingOutbox(scheduled.harness.outbox.folder, kind="recipient")
    scheduled.run(TUESDAY, hours=2)
    assert "`pipeline resume 2026-W07`, then `pipeline send 2026-W07`" in scheduled.alerts[-1].text
    scheduled.run(TUESDAY + timedelta(weeks=1))
    assert scheduled.open == {"send/2026-W07/late"}
    scheduled.harness.resume(W07)
    assert scheduled.harness.send(W07).state == "sent"


def test_an_approval_before_the_limit_counts_if_the_tick_is_later(scheduled: ScheduledPublication) -> None:
    """Within an hour after the limit the edition is sent, and not later."""
    scheduled.approval = "required"
    scheduled.run(TUESDAY)
    scheduled.harness.set_time(LIMIT - 2 * MINUTE).approve(W07)
    assert [each.message[:21] for each in scheduled.tick(LIMIT + MINUTE)] == ["2026-W07: Issue 2 wri"]


def test_an_edition_fixed_before_the_limit_is_sent(scheduled: ScheduledPublication) -> None:
    """It is checked again every few minutes, and once more after the limit."""
    good = scheduled.harness.context
    scheduled.harness.context = replace(
        good, theme=small_theme(scheduled.harness.folder / "broken", "<html>no link out</html>")
    )
    scheduled.send_proof(W07, TUESDAY - 9 * HOUR)
    scheduled.run(LIMIT - HOUR, hours=0.5)
    assert scheduled.alert_subjects == ["2026-W07 cannot be sent as it is"]
    scheduled.harness.context = good
    scheduled.send_proof(W07, TUESDAY + 10 * HOUR)
    assert scheduled.run(LIMIT + MINUTE / 10) != []
    assert scheduled.state() == "sent"


def test_a_clock_that_ran_ahead_for_one_tick_does_no_harm(scheduled: ScheduledPublication) -> None:
    """The next send started a week early; the current one still waits for approval and gets it."""
    scheduled.approval = "required"
    scheduled.run(TUESDAY)
    scheduled.tick(TUESDAY + timedelta(weeks=1, minutes=1))
    scheduled.harness.set_time(TUESDAY + 5 * MINUTE).approve(W07)
    scheduled.run(TUESDAY + 6 * MINUTE, hours=1)
    standing = scheduled.harness.store.editions.get("2026-W07")
    assert (standing.state, standing.changed_by) == ("sent", ACTOR)
