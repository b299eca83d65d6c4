"""Alerts about late feeds: since when an entry was expected, and why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.ingest.dedupe import decide
from pipeline.jobs.monitoring.feed_alerts import feed_alerts_task
from pipeline.jobs.monitoring.late_feeds import day_before, late_feeds_task
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.feed import Channel, Feed, FeedState
from pipeline.model.schedule import parse_schedule
from pipeline.model.update import FeedChanges, FeedUpdate
from pipeline.scheduler.engine import Done
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.factories import entry

LONDON = ZoneInfo("Europe/London")
BLOG = Feed(id="blog", url="https://blog.example/feed", kind="blog")
WEDNESDAY = datetime(2026, 2, 11, 16, tzinfo=UTC)
"""The day before the draft."""
WEEK = timedelta(weeks=1)
DAY = timedelta(days=1)
DRAFT = parse_schedule("thu 16:00")


class LateFeedCheck:
    """A blog with a new entry each Tuesday, the task that checks it, and the alerts it sends."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sent: list[Alert] = []
        self.state = FeedState(
            feed_id="blog",
            url=BLOG.url,
            channel=Channel(title="Harbour & Hearth"),
            outcome="ok",
            read_at=WEDNESDAY - timedelta(minutes=20),
            checked_at=WEDNESDAY - timedelta(minutes=20),
        )
        self.publish(*(WEDNESDAY - DAY - weeks * WEEK for weeks in range(1, 12)))

    def publish(self, *times: datetime, quarantined: bool = False) -> None:
        entries = [entry(f"Post of {at:%d %B %Y}", at) for at in times]
        changes = decide(entries, self.store.entries.identities("blog")).entries
        difference = FeedChanges(entries=changes, quarantine_reason="It turned new at once." if quarantined else "")
        self.store.entries.apply([FeedUpdate(state=self.state, changes=difference)], now=WEDNESDAY)

    def set_state(self, **values: object) -> None:
        self.state = replace(self.state, **values)  # type: ignore[arg-type]
        self.store.feeds.save(self.state)

    def run(self, now: datetime = WEDNESDAY) -> str:
        """Run the task and return its message."""
        outcome = late_feeds_task(DRAFT, DRAFT, self.store, [BLOG], self._notifier, LONDON).run("", now)
        assert isinstance(outcome, Done)
        return outcome.message

    def run_after_fetch(self, now: datetime) -> None:
        feed_alerts_task(DRAFT, self.store, [BLOG], self._notifier, LONDON).run("", now)

    @property
    def _notifier(self) -> Notifier:
        return Notifier(alerts=self.store.alerts, channels={"mail": self._send})

    def _send(self, alert: Alert) -> str:
        self.sent.append(alert)
        return ""


@pytest.fixture
def check(tmp_path: Path) -> Iterator[LateFeedCheck]:
    with Store.open(empty_store(tmp_path)) as store:
        yield LateFeedCheck(store)


def test_a_late_feed_raises_an_alert_with_the_expected_day(check: LateFeedCheck) -> None:
    """It says since when there is nothing new, the usual cadence, when the draft is written, and the cause."""
    assert check.run() == "late: blog"
    (alert,) = check.sent
    assert alert.subject == "Harbour & Hearth (feed blog) is late"
    assert alert.text.split("\n\n") == [
        "There is nothing new since Tuesday 3 February. Usually there is something new on Tuesdays, so it was expected "
        "on Tuesday 10 February. The next draft is written on Thursday 12 February, 16:00.",
        "The feed is healthy: it was read on Wednesday 11 February, 15:40. So nothing has been published yet. Wait, "
        "ask the author, or let the newsletter go out without it.",
    ]


def test_a_punctual_feed_raises_no_alert(check: LateFeedCheck) -> None:
    """The task has no message either."""
    check.publish(WEDNESDAY - DAY)
    assert check.run() == ""
    assert check.sent == []


def test_a_feed_is_not_late_on_the_expected_day(check: LateFeedCheck) -> None:
    """Tuesday's post may come on Tuesday evening."""
    assert check.run(WEDNESDAY - DAY) == ""


def test_a_broken_feed_is_named_as_the_cause(check: LateFeedCheck) -> None:
    """The alert says since when the feed fails, and how."""
    check.set_state(
        failures=9,
        failing_since=WEDNESDAY - 2 * DAY,
        outcome="not_found",
        detail="answered 404 Not Found",
        advice="check it",
    )
    check.run()
    assert "The feed is broken: it could not be read since Monday 9 February, 16:00" in check.sent[0].text
    assert "The last time it answered 404 Not Found. Check it." in check.sent[0].text
    assert "nothing has been published" not in check.sent[0].text


def test_a_gone_feed_counts_as_broken(check: LateFeedCheck) -> None:
    """It is broken although it is no longer fetched."""
    check.set_state(gone_at=WEDNESDAY - 8 * DAY, outcome="gone", detail="answered 410 Gone")
    check.run()
    assert "The feed is broken: it could not be read since Tuesday 3 February, 16:00" in check.sent[0].text


def test_quarantined_entries_are_named_as_the_cause(check: LateFeedCheck) -> None:
    """The alert names the command that releases them; quarantined entries do not count as new."""
    check.publish(WEDNESDAY - DAY, quarantined=True)
    check.run()
    assert "One entry is in quarantine" in check.sent[0].text
    assert "    pipeline feeds accept blog" in check.sent[0].text.split("\n\n")


def test_a_feed_that_was_not_fetched_lately_may_have_new_entries(check: LateFeedCheck) -> None:
    """After a downtime the alert says that the feed was not read."""
    check.set_state(read_at=WEDNESDAY - 5 * DAY, checked_at=WEDNESDAY - 5 * DAY)
    check.run()
    assert "The feed was not read since Friday 6 February, 16:00" in check.sent[0].text
    assert "`pipeline fetch blog`" in check.sent[0].text


def test_an_alert_is_sent_once_and_closed_when_an_entry_arrives(check: LateFeedCheck) -> None:
    """It is not repeated each week; the fetch of a new entry closes it; the next gap raises a new one."""
    for weeks in range(4):
        check.run(WEDNESDAY + weeks * WEEK)
    assert len(check.sent) == 1
    back = WEDNESDAY + 4 * WEEK
    check.publish(back - DAY)
    check.run_after_fetch(back)
    assert check.store.alerts.list_open() == []
    check.run(back + WEEK)
    assert len(check.sent) == 2


def test_a_new_feed_is_never_late(tmp_path: Path) -> None:
    """Three entries are too few to know its cadence."""
    with Store.open(f"sqlite:///{tmp_path / 'new.db'}") as store:
        check = LateFeedCheck(store)
        store.entries.delete([known.entry_id for known in store.entries.identities("blog")][3:], now=WEDNESDAY)
        assert check.run(WEDNESDAY + 20 * WEEK) == ""


def test_reading_an_archive_changes_nothing(check: LateFeedCheck) -> None:
    """The date of publication counts, not the date of storage."""
    check.publish(*(WEDNESDAY - DAY - weeks * WEEK for weeks in range(12, 50)))
    assert check.run() == "late: blog"


def test_the_check_is_a_day_before_the_draft() -> None:
    """At the same time of day; once a day if drafts are written at intervals."""
    for draft, check in [
        ("mon 06:00", "sun 06:00"),
        ("tue,fri 16:00", "mon,thu 16:00"),
        ("daily 05:30", "daily 05:30"),
    ]:
        assert day_before(parse_schedule(draft)) == parse_schedule(check)
    assert day_before(parse_schedule("every 2 hours")) == parse_schedule("every 24 hours")
