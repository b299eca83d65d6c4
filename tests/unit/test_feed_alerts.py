"""Alerts about failing feeds: raised once, late enough to be sure, with what to do; resolved on recovery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest import polling
from pipeline.ingest.dedupe import decide
from pipeline.jobs.monitoring.feed_alerts import feed_alerts_task
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.entry import Entry
from pipeline.model.feed import Channel, Feed, FeedState
from pipeline.model.fetch import FetchOutcome, OutcomeKind
from pipeline.model.schedule import Every
from pipeline.model.update import FeedChanges, FeedUpdate
from pipeline.scheduler.engine import Done, Task
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.factories import MONDAY, entry

HOUR = timedelta(hours=1)
STEP = 2 * HOUR
DAY = timedelta(days=1)
START = MONDAY + timedelta(hours=6)
BLOG = Feed(id="blog", url="https://blog.example/feed?a=1&b=2", kind="blog")
PODCAST = Feed(id="podcast", url="https://podcast.example/feed", kind="podcast")
TITLES = {"blog": "Harbour & Hearth", "podcast": ""}


class Simulation:
    """Feeds that are fetched every two hours at most, by the polling rules, and the alerts sent meanwhile."""

    def __init__(self, store: Store, *feeds: Feed) -> None:
        self.store, self.feeds, self.now = store, feeds, START
        self.sent: list[Alert] = []
        self.answers: dict[str, dict[str, Any]] = {feed.id: {"kind": "ok"} for feed in feeds}

    @property
    def task(self) -> Task:
        notifier = Notifier(alerts=self.store.alerts, channels={"mail": self._send})
        return feed_alerts_task(Every(STEP), self.store, self.feeds, notifier, UTC)

    def _send(self, alert: Alert) -> str:
        self.sent.append(alert)
        return ""

    def answer(self, feed_id: str, kind: OutcomeKind, detail: str = "", **more: Any) -> None:
        """Set how a feed answers from now on."""
        self.answers[feed_id] = {"kind": kind, "detail": detail, **more}

    def run_for(self, span: timedelta) -> list[Alert]:
        """Simulate a time span and return the alerts sent in it."""
        before = len(self.sent)
        end = self.now + span
        while self.now < end:
            self.now += STEP
            for feed in self.feeds:
                self._fetch(feed)
            self.task.run("", self.now)
        return self.sent[before:]

    def _fetch(self, feed: Feed) -> None:
        state = self.store.feeds.states().get(feed.id) or FeedState(feed_id=feed.id, url=feed.url)
        if state.url != feed.url:
            state = FeedState(feed_id=feed.id, url=feed.url)
        if polling.is_due(state, self.now):
            outcome = FetchOutcome(key=feed.id, url=feed.url, **self.answers[feed.id])
            channel = Channel(title=TITLES[feed.id]) if outcome.ok else None
            self.store.feeds.save(polling.next_state(state, outcome, now=self.now, channel=channel))

    def publish(self, feed_id: str, *entries: Entry, quarantined: bool = False) -> None:
        """Store a document's entries."""
        state = self.store.feeds.states()[feed_id]
        changes = decide(entries, self.store.entries.identities(feed_id)).entries
        difference = FeedChanges(entries=changes, quarantine_reason="It turned new at once." if quarantined else "")
        self.store.entries.apply([FeedUpdate(state=state, changes=difference)], now=self.now)


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    with Store.open(empty_store(tmp_path)) as store:
        simulation = Simulation(store, BLOG, PODCAST)
        simulation.run_for(STEP)
        yield simulation


def test_healthy_feeds_raise_no_alert(simulation: Simulation) -> None:
    """Nothing is sent for days."""
    assert simulation.run_for(4 * DAY) == []


def test_a_feed_that_fails_for_long_raises_one_alert(simulation: Simulation) -> None:
    """It comes after a day, with the last outcome and what to do, and is not repeated."""
    simulation.answer("blog", "server_error", "answered 500 Internal Server Error")
    assert simulation.run_for(23 * HOUR) == []
    (alert,) = simulation.run_for(5 * DAY)
    assert alert.subject == "Harbour & Hearth (feed blog) cannot be read"
    assert "Since Monday 9 February, 10:00 it could not be read (" in alert.text
    assert alert.text.split("\n\n")[0].endswith(
        "The last time it answered 500 Internal Server Error. Tell the publisher of the feed."
    )
    assert "    pipeline feeds check 'https://blog.example/feed?a=1&b=2'" in alert.text.split("\n\n")
    assert 'under id = "blog"' in alert.text


def test_a_recovery_is_sent_once(simulation: Simulation) -> None:
    """A later failure raises a new alert."""
    simulation.answer("blog", "not_found", "answered 404 Not Found")
    assert len(simulation.run_for(3 * DAY)) == 1
    simulation.answer("blog", "ok")
    assert [(alert.subject, alert.level) for alert in simulation.run_for(2 * DAY)] == [
        ("Harbour & Hearth (feed blog) has recovered", "info")
    ]
    simulation.answer("blog", "not_found", "answered 404 Not Found")
    assert len(simulation.run_for(3 * DAY)) == 1


def test_each_recovered_feed_has_its_own_message(simulation: Simulation) -> None:
    """Feeds that failed separately recover separately."""
    for feed in simulation.feeds:
        simulation.answer(feed.id, "not_found", "answered 404 Not Found")
    assert len(simulation.run_for(3 * DAY)) == 2
    for feed in simulation.feeds:
        simulation.answer(feed.id, "ok")
    assert sorted(alert.key for alert in simulation.run_for(2 * DAY)) == [
        "feed/blog/recovered",
        "feed/podcast/recovered",
    ]


def test_a_feed_that_fails_now_and_then_raises_no_alert(simulation: Simulation) -> None:
    """It fails for twenty hours and works for thirty-six, several times."""
    for _ in range(2):
        simulation.answer("blog", "timeout", "did not answer within 20 seconds")
        assert simulation.run_for(20 * HOUR) == []
        simulation.answer("blog", "ok")
        assert simulation.run_for(36 * HOUR) == []


def test_another_kind_of_failure_raises_no_second_alert(simulation: Simulation) -> None:
    """The alert that it cannot be read is still open."""
    simulation.answer("blog", "not_found", "answered 404 Not Found")
    assert len(simulation.run_for(3 * DAY)) == 1
    simulation.answer("blog", "not_a_feed", "returns a web page")
    assert simulation.run_for(2 * DAY) == []
    simulation.answer("blog", "rate_limited", "answered 429 Too Many Requests")
    assert simulation.run_for(3 * DAY) == []


def test_a_web_page_instead_of_a_feed_raises_an_alert_sooner(simulation: Simulation) -> None:
    """That hardly ever passes by itself. The alert says what the address returns."""
    simulation.answer("blog", "not_a_feed", "returns a web page")
    (alert,) = simulation.run_for(12 * HOUR)
    assert alert.subject == "Harbour & Hearth (feed blog) is no longer a feed"
    assert "The last time it returns a web page." in alert.text


def test_a_host_that_limits_the_rate_for_days_raises_an_alert(simulation: Simulation) -> None:
    """429 does not count as a failure for polling, but nothing is read."""
    simulation.answer("blog", "rate_limited", "answered 429 Too Many Requests")
    assert len(simulation.run_for(3 * DAY)) == 1


def test_a_monthly_feed_may_fail_for_longer(simulation: Simulation) -> None:
    """Three days for a feed with monthly entries; its cadence is estimated from them."""
    for month in range(9):
        simulation.publish("blog", entry(f"Piece {month}", START - timedelta(days=30 * month)))
    simulation.answer("blog", "timeout", "did not answer within 20 seconds")
    assert simulation.run_for(2.9 * DAY) == []
    assert len(simulation.run_for(1.5 * DAY)) == 1


def test_downtime_of_the_program_does_not_count(simulation: Simulation) -> None:
    """Ten days without the program and then three failures in two hours are not a long failure."""
    simulation.now += 10 * DAY
    simulation.answer("blog", "unreachable", "could not be reached")
    assert simulation.run_for(3 * HOUR) == []


def test_a_gone_feed_raises_an_alert_at_once(simulation: Simulation) -> None:
    """It names the commands that remove the feed or try again, and is not repeated."""
    simulation.answer("blog", "gone", "answered 410 Gone")
    (alert,) = simulation.run_for(4 * DAY)
    assert (alert.subject, alert.level) == ("Harbour & Hearth (feed blog) is gone for good", "error")
    assert "    pipeline feeds remove blog" in alert.text.split("\n\n")


def test_a_moved_feed_raises_an_alert_with_the_new_address(simulation: Simulation) -> None:
    """It comes once the new address is used, and closes when config.toml has it."""
    simulation.answer("blog", "moved", moved_to="https://new.example/feed")
    (alert,) = simulation.run_for(5 * DAY)
    assert alert.subject == "Harbour & Hearth (feed blog) has moved"
    assert '    url = "https://new.example/feed"' in alert.text.split("\n\n")
    simulation.feeds = (replace(BLOG, url="https://new.example/feed"), PODCAST)
    simulation.answer("blog", "ok")
    assert simulation.run_for(3 * DAY) == []
    assert simulation.store.alerts.list_open() == []


def test_a_quarantine_raises_an_alert_with_the_command_that_ends_it(simulation: Simulation) -> None:
    """It lists the newest titles, so that the editor can decide."""
    titles = ("Casino", "Poker", "Dice", "Roulette")
    simulation.publish(
        "blog", *(entry(title, START + hours * HOUR) for hours, title in enumerate(titles)), quarantined=True
    )
    (alert,) = simulation.run_for(DAY)
    assert alert.subject == "Harbour & Hearth (feed blog) has 4 entries in quarantine"
    assert "4 entries turned new at once: “Roulette”, “Dice”, “Poker” and others." in alert.text
    assert "    pipeline feeds accept blog" in alert.text.split("\n\n")
    quarantined = [stored.entry_id for stored in simulation.store.entries.quarantined("blog")]
    simulation.store.entries.release_quarantine(new=quarantined, archived=[], now=simulation.now)
    assert simulation.run_for(DAY) == []
    assert simulation.store.alerts.list_open() == []


def test_a_broken_connection_is_one_alert_for_all_feeds(simulation: Simulation) -> None:
    """It is resolved when the connection works again; a feed that still fails has its own alert then."""
    for feed in simulation.feeds:
        simulation.answer(feed.id, "unreachable", "could not be reached")
    (offline,) = simulation.run_for(4 * DAY)
    assert offline.subject == "No feed can be reached"
    assert offline.text.endswith("The feed blog, for example, could not be reached.")
    simulation.answer("podcast", "ok")
    alerts = simulation.run_for(DAY)
    assert sorted(alert.subject for alert in alerts) == [
        "Feeds can be reached again",
        "Harbour & Hearth (feed blog) cannot be read",
    ]


def test_the_alert_of_a_removed_feed_is_closed(simulation: Simulation) -> None:
    """No message is sent."""
    simulation.answer("blog", "not_found", "answered 404 Not Found")
    assert len(simulation.run_for(3 * DAY)) == 1
    simulation.feeds = (PODCAST,)
    assert simulation.run_for(DAY) == []
    assert simulation.store.alerts.list_open() == []


def test_the_task_reports_only_new_alerts(simulation: Simulation) -> None:
    """Cron would mail every line that is printed."""
    assert simulation.task.run("", simulation.now) == Done(message="")
    simulation.answer("blog", "gone", "answered 410 Gone")
    messages = []
    for _ in range(6):
        simulation.now += STEP
        simulation._fetch(BLOG)
        outcome = simulation.task.run("", simulation.now)
        assert isinstance(outcome, Done)
        messages.append(outcome.message)
    assert [message for message in messages if message] == [
        "one new alert: Harbour & Hearth (feed blog) is gone for good"
    ]


def test_a_missing_password_raises_an_alert_at_the_third_failure(simulation: Simulation) -> None:
    """The alert says only what to do."""
    state = FeedState(
        feed_id="blog",
        url=BLOG.url,
        failures=3,
        failing_since=simulation.now,
        checked_at=simulation.now,
        outcome="no_secret",
        detail="was not fetched, since the environment variable BLOG_KEY is not set",
        advice="set it in the environment of the program",
    )
    simulation.store.feeds.save(state)
    simulation.task.run("", simulation.now)
    (alert,) = simulation.sent
    assert alert.text.endswith("BLOG_KEY is not set. Set it in the environment of the program.")
    assert isinstance(alert.raised_at, datetime)
