"""The tasks of an App: their order, their clock, and the checks of their schedule."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.delivery import bounce_domain, send_policy
from pipeline.app.doctor import schedule_checks
from pipeline.app.tasks import BOOTTIME, build_tasks
from pipeline.jobs.deliveries.clicks import WINDOW, record_click, settle_clicks
from pipeline.jobs.editions.scheduled_send import is_draft_ready
from pipeline.jobs.tasks import draft_task
from pipeline.model.counted_link import CountedLink
from pipeline.model.schedule import parse_schedule
from pipeline.model.subscriber import Visitor
from pipeline.scheduler.engine import run_due
from pipeline.scheduler.lease import RunLeases
from tests.publication import CLOCK, W06, W07, PublicationHarness, shared_theme
from tests.scheduled_publication import SCHEDULE
from tests.subscriber_pages import write_publication
from tests.year_simulation import START, create_publication


def test_sending_comes_before_fetching(tmp_path: Path) -> None:
    """A slow feed does not delay an edition that is ready to be sent."""
    create_publication(tmp_path)
    with App.load(tmp_path / "config.toml") as app:
        names = [task.id for task in build_tasks(app)]
    assert names[:2] == ["send", "fetch"]


def test_without_a_mail_server_nothing_is_sent_unapproved(tmp_path: Path) -> None:
    """The editor could not get a proof; with a mail server the setting counts."""
    create_publication(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text().replace('"required"', '"unless-held"'))
    with App.load(file) as app:
        assert (app.config.digest.approval, send_policy(app).sends_unapproved) == ("unless-held", False)
    file.write_text(file.read_text() + '[delivery]\nsmtp_host = "smtp.harbourandhearth.example"\n')
    with App.load(file) as app:
        assert send_policy(app).sends_unapproved


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", "harbourandhearth.example"),
        ('[bounces]\naddress = "back@Bounces.quay.example"\n', "bounces.quay.example"),
        (
            '[bounces]\naddress = "back@quay.example"\n[public]\nurl = "https://quay.example"\n'
            '[delivery]\nbackend = "postmark"\napi_key_env = "KEY"\n',
            "",
        ),
    ],
)
def test_spf_is_about_the_address_that_bounces_go_to(tmp_path: Path, settings: str, expected: str) -> None:
    """It is that of [bounces] or the sender; a mail service with an API uses one of its own."""
    create_publication(tmp_path)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text() + settings)
    with App.load(file) as app:
        assert bounce_domain(app) == expected


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has it, and only there it differs")
def test_the_clock_of_a_tick_counts_while_the_machine_sleeps() -> None:
    """After hours of sleep in the middle of a tick, what is too late is known to be."""
    assert BOOTTIME == time.CLOCK_BOOTTIME


def test_a_draft_is_ready_once_its_period_has_run(tmp_path: Path) -> None:
    """Not before, and no longer a week later."""
    publication = PublicationHarness(tmp_path, shared_theme())
    publication.set_time(CLOCK.bounds(W06)[0]).fetch()
    now = publication.set_time_after_closing(W07, 40).now
    assert not is_draft_ready(SCHEDULE, publication.store, now, CLOCK.zone)
    task = draft_task(SCHEDULE, publication.store, lambda: publication.context, tmp_path / "editions")
    list(run_due([task], RunLeases(publication.store.runs, "here", lambda: now), lambda: now, CLOCK.zone))
    assert is_draft_ready(SCHEDULE, publication.store, now, CLOCK.zone)
    assert not is_draft_ready(SCHEDULE, publication.store, now + timedelta(weeks=1), CLOCK.zone)
    publication.store.close()


def test_with_drafts_at_intervals_the_previous_one_counts_as_ready(tmp_path: Path) -> None:
    """Sending comes before drafting in each tick, so the newest draft is never ready."""
    publication, often = PublicationHarness(tmp_path, shared_theme()), parse_schedule("every 5 minutes")
    now = publication.set_time_after_closing(W07).now
    task = draft_task(often, publication.store, lambda: publication.context, tmp_path / "editions")
    list(run_due([task], RunLeases(publication.store.runs, "here", lambda: now), lambda: now, CLOCK.zone))
    ready = [
        is_draft_ready(often, publication.store, now + timedelta(minutes=after), CLOCK.zone) for after in (0, 6, 11)
    ]
    assert ready == [True, True, False]
    publication.store.close()


def test_a_schedule_without_time_for_review_is_a_warning(tmp_path: Path) -> None:
    """A week that closes after its draft is written, and no mail server for proofs."""
    create_publication(tmp_path)
    file = tmp_path / "config.toml"
    with App.load(file) as app:
        assert [result.level for result in schedule_checks(app, START)] == ["ok"]
    late = file.read_text().replace('week_closes = "fri 00:00"', 'week_closes = "fri 09:00"')
    file.write_text(late.replace('"required"', '"unless-held"'))
    with App.load(file) as app:
        assert [result.name for result in schedule_checks(app, START) if result.level == "warning"] == [
            "schedule",
            "approval",
        ]


def test_clicks_are_settled_until_none_waits(tmp_path: Path) -> None:
    """Also after counting was turned off: what is known about clients is deleted in any case."""
    config = write_publication(tmp_path, delivery='backend = "maildir"\ncount_links = true')

    def has_task() -> bool:
        with App.load(config) as app:
            return "clicks" in [task.id for task in build_tasks(app)]

    assert has_task()
    config.write_text(config.read_text().replace("count_links = true", ""))
    assert not has_task()
    link = CountedLink(tag="0" * 16, url="https://kelp.example/salt")
    with App.load(config) as app:
        record_click(app.store(), "2026-W07", link, Visitor(), START)
    assert has_task()
    with App.load(config) as app:
        settle_clicks(app.store(), START + WINDOW)
    assert not has_task()
