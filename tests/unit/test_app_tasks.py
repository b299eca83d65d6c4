"""The house by itself: in which order its tasks come, and by which clock a beat goes on."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.delivery import send_policy
from pipeline.app.doctor import schedule_checks
from pipeline.app.tasks import BOOTTIME, build_tasks
from pipeline.jobs.editions.scheduled_send import is_draft_ready
from pipeline.jobs.tasks import draft_task
from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import run_due
from pipeline.scheduler.lease import RunLeases
from tests.publication import CLOCK, W06, W07, PublicationHarness, shared_theme
from tests.scheduled_publication import SCHEDULE
from tests.year_simulation import START, create_publication


def test_the_mailing_comes_before_the_reading(tmp_path: Path) -> None:
    """A server that answers slowly holds up no letter that may go out."""
    create_publication(tmp_path)
    with App.load(tmp_path / "config.toml") as app:
        names = [task.id for task in build_tasks(app)]
    assert names[:2] == ["send", "fetch"]


def test_without_a_mail_server_nothing_goes_out_unapproved(tmp_path: Path) -> None:
    """Nobody would be shown it; with one, what is wished counts."""
    create_publication(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text().replace('"required"', '"unless-held"'))
    with App.load(file) as app:
        assert (app.config.digest.approval, send_policy(app).sends_unapproved) == ("unless-held", False)
    file.write_text(file.read_text() + '[delivery]\nsmtp_host = "smtp.harbourandhearth.example"\n')
    with App.load(file) as app:
        assert send_policy(app).sends_unapproved


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has it, and only there it differs")
def test_a_beat_goes_on_while_the_machine_sleeps() -> None:
    """Hours of sleep in the middle of a beat are hours: what is too late then is known to be."""
    assert BOOTTIME == time.CLOCK_BOOTTIME


def test_a_draft_is_made_once_its_period_has_been_run(tmp_path: Path) -> None:
    """Not before, and a week later not any more."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.set_time(CLOCK.bounds(W06)[0]).fetch()
    now = house.set_time_after_closing(W07, 40).now
    assert not is_draft_ready(SCHEDULE, house.store, now, CLOCK.zone)
    task = draft_task(SCHEDULE, house.store, lambda: house.context, tmp_path / "editions")
    list(run_due([task], RunLeases(house.store.runs, "here", lambda: now), lambda: now, CLOCK.zone))
    assert is_draft_ready(SCHEDULE, house.store, now, CLOCK.zone)
    assert not is_draft_ready(SCHEDULE, house.store, now + timedelta(weeks=1), CLOCK.zone)
    house.store.close()


def test_of_drafts_every_few_minutes_the_last_one_will_do(tmp_path: Path) -> None:
    """The mailing comes before them in each beat, and would never find the newest one made."""
    house, often = PublicationHarness(tmp_path, shared_theme()), parse_schedule("every 5 minutes")
    now = house.set_time_after_closing(W07).now
    task = draft_task(often, house.store, lambda: house.context, tmp_path / "editions")
    list(run_due([task], RunLeases(house.store.runs, "here", lambda: now), lambda: now, CLOCK.zone))
    made = [is_draft_ready(often, house.store, now + timedelta(minutes=each), CLOCK.zone) for each in (0, 6, 11)]
    assert made == [True, True, False]
    house.store.close()


def test_what_goes_out_unseen_is_foreseen(tmp_path: Path) -> None:
    """By the doctor and at the daemon's start: a week that closes after its draft, and no way to show a letter."""
    create_publication(tmp_path)
    file = tmp_path / "config.toml"
    with App.load(file) as app:
        assert [sign.level for sign in schedule_checks(app, START)] == ["well"]
    late = file.read_text().replace('week_closes = "fri 00:00"', 'week_closes = "fri 09:00"')
    file.write_text(late.replace('"required"', '"unless-held"'))
    with App.load(file) as app:
        assert [sign.name for sign in schedule_checks(app, START) if sign.level == "warning"] == [
            "schedule",
            "approval",
        ]
