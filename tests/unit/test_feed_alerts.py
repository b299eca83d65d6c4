"""What is said of feeds in trouble: once, late enough to be sure, with what to do; and when they are well again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest import polling as poll
from pipeline.ingest.dedupe import decide
from pipeline.jobs.monitoring.feed_alerts import feed_alerts_task
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.model.alert import Alert
from pipeline.model.entry import Entry
from pipeline.model.feed import Channel, Feed, FeedState
from pipeline.model.fetch import FetchOutcome, OutcomeKind
from pipeline.model.schedule import Every
from pipeline.model.update import FeedChanges, FeedUpdate
from pipeline.scheduler.engine import Task
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


class Months:
    """Feeds that are asked every two hours at most, by the rules of polling,, and what is said of them meanwhile."""

    def __init__(self, store: Store, *feeds: Feed) -> None:
        self.store, self.feeds, self.now = store, feeds, START
        self.told: list[Alert] = []
        self.answers: dict[str, dict[str, Any]] = {feed.id: {"kind": "ok"} for feed in feeds}

    @property
    def task(self) -> Task:
        notifier = Notifier(alerts=self.store.alerts, channels={"mail": self._tell})
        return feed_alerts_task(Every(STEP), self.store, self.feeds, notifier, UTC)

    def _tell(self, notice: Alert) -> str:
        self.told.append(notice)
        return ""

    def answer(self, feed_id: str, kind: OutcomeKind, detail: str = "", **more: Any) -> None:
        """Decide how a feed answers from now on."""
        self.answers[feed_id] = {"kind": kind, "detail": detail, **more}

    def goes_by(self, span: timedelta) -> list[Alert]:
        """Let time pass; gives what was told meanwhile."""
        before = len(self.told)
        end = self.now + span
        while self.now < end:
            self.now += STEP
            for feed in self.feeds:
                self._ask(feed)
            self.task.run("", self.now)
        return self.told[before:]

    def _ask(self, feed: Feed) -> None:
        state = self.store.feeds.states().get(feed.id) or FeedState(feed_id=feed.id, url=feed.url)
        if state.url != feed.url:
            state = FeedState(feed_id=feed.id, url=feed.url)
        if poll.is_due(state, self.now):
            outcome = FetchOutcome(key=feed.id, url=feed.url, **self.answers[feed.id])
            channel = Channel(title=TITLES[feed.id]) if outcome.ok else None
            self.store.feeds.save(poll.next_state(state, outcome, now=self.now, channel=channel))

    def publish(self, feed_id: str, *found: Entry, suspicious: bool = False) -> None:
        """Store a document's entries."""
        state = self.store.feeds.states()[feed_id]
        changes = decide(found, self.store.entries.identities(feed_id)).entries
        difference = FeedChanges(entries=changes, quarantine_reason="It turned new at once." if suspicious else "")
        self.store.entries.apply([FeedUpdate(state=state, changes=difference)], now=self.now)


@pytest.fixture
def months(tmp_path: Path) -> Iterator[Months]:
    with Store.open(empty_store(tmp_path)) as store:
        found = Months(store, BLOG, PODCAST)
        found.goes_by(STEP)
        yield found


def test_while_all_is_well_nothing_is_said(months: Months) -> None:
    """For days."""
    assert months.goes_by(4 * DAY) == []


def test_a_feed_that_fails_for_long_is_told_of_once(months: Months) -> None:
    """After a day and not every half hour, with the last answer and what to do; then nothing more."""
    months.answer("blog", "server_error", "answered 500 Internal Server Error")
    assert months.goes_by(23 * HOUR) == []
    (told,) = months.goes_by(5 * DAY)
    assert told.subject == "Harbour & Hearth (feed blog) cannot be read"
    assert "Since Monday 9 February, 10:00 it could not be read, though it was tried" in told.text
    assert told.text.split("\n\n")[0].endswith(
        "The last time it answered 500 Internal Server Error. Tell the publisher of the feed."
    )
    assert "    pipeline feeds check 'https://blog.example/feed?a=1&b=2'" in told.text.split("\n\n")
    assert 'under id = "blog"' in told.text


def test_when_it_is_well_again_that_is_said_once(months: Months) -> None:
    """And its next trouble is a new one."""
    months.answer("blog", "not_found", "answered 404 Not Found")
    assert len(months.goes_by(3 * DAY)) == 1
    months.answer("blog", "ok")
    assert [(each.subject, each.level) for each in months.goes_by(2 * DAY)] == [
        ("Harbour & Hearth (feed blog) is well again", "info")
    ]
    months.answer("blog", "not_found", "answered 404 Not Found")
    assert len(months.goes_by(3 * DAY)) == 1


def test_feeds_that_are_well_again_at_once_are_each_told_of(months: Months) -> None:
    """One by one they failed, so one by one they are back."""
    for feed in months.feeds:
        months.answer(feed.id, "not_found", "answered 404 Not Found")
    assert len(months.goes_by(3 * DAY)) == 2
    for feed in months.feeds:
        months.answer(feed.id, "ok")
    assert sorted(each.key for each in months.goes_by(2 * DAY)) == ["feed/blog/well", "feed/podcast/well"]


def test_a_feed_that_comes_and_goes_is_not_in_trouble(months: Months) -> None:
    """It is down for twenty hours, and up for thirty-six, again and again."""
    for _ in range(2):
        months.answer("blog", "timeout", "did not answer within 20 seconds")
        assert months.goes_by(20 * HOUR) == []
        months.answer("blog", "ok")
        assert months.goes_by(36 * HOUR) == []


def test_other_reasons_to_fail_are_no_new_trouble(months: Months) -> None:
    """It has been told that it cannot be read; that stays as it is."""
    months.answer("blog", "not_found", "answered 404 Not Found")
    assert len(months.goes_by(3 * DAY)) == 1
    months.answer("blog", "not_a_feed", "Enter the address of a feed: this one returns a web page")
    assert months.goes_by(2 * DAY) == []
    months.answer("blog", "rate_limited", "answered 429 Too Many Requests")
    assert months.goes_by(3 * DAY) == []


def test_a_web_page_in_place_of_a_feed_is_said_sooner(months: Months) -> None:
    """That hardly ever passes by itself; in words that say what is there."""
    months.answer("blog", "not_a_feed", "Enter the address of a feed: this one returns a web page")
    (told,) = months.goes_by(12 * HOUR)
    assert told.subject == "Harbour & Hearth (feed blog) is no feed any more"
    assert "Its address returns a web page." in told.text


def test_a_host_that_turns_us_away_for_days_is_trouble(months: Months) -> None:
    """429 counts as no failure for polling, but nothing is read."""
    months.answer("blog", "rate_limited", "answered 429 Too Many Requests")
    assert len(months.goes_by(3 * DAY)) == 1


def test_a_monthly_feed_may_fail_for_longer(months: Months) -> None:
    """Three days where a month's news is expected; its rhythm is learnt from its entries."""
    for month in range(9):
        months.publish("blog", entry(f"Piece {month}", START - timedelta(days=30 * month)))
    months.answer("blog", "timeout", "did not answer within 20 seconds")
    assert months.goes_by(2.9 * DAY) == []
    assert len(months.goes_by(1.5 * DAY)) == 1


def test_downtime_of_our_own_is_no_trouble_of_a_feed(months: Months) -> None:
    """Ten days without the program, then three failures in two hours: that is not for long."""
    months.now += 10 * DAY
    months.answer("blog", "unreachable", "could not be reached")
    assert months.goes_by(3 * HOUR) == []


def test_a_feed_that_is_gone_is_said_at_once(months: Months) -> None:
    """With the commands that take it out or try again, and nothing after that."""
    months.answer("blog", "gone", "answered 410 Gone")
    (told,) = months.goes_by(4 * DAY)
    assert (told.subject, told.level) == ("Harbour & Hearth (feed blog) is gone for good", "error")
    assert "    pipeline feeds remove blog" in told.text.split("\n\n")


def test_a_feed_that_moved_for_good_is_said_with_the_line_to_write(months: Months) -> None:
    """Once the program has followed it; written into config.toml, nothing more is said."""
    months.answer("blog", "moved", moved_to="https://new.example/feed")
    (told,) = months.goes_by(5 * DAY)
    assert told.subject == "Harbour & Hearth (feed blog) has moved"
    assert '    url = "https://new.example/feed"' in told.text.split("\n\n")
    months.feeds = (replace(BLOG, url="https://new.example/feed"), PODCAST)
    months.answer("blog", "ok")
    assert months.goes_by(3 * DAY) == []
    assert months.store.alerts.list_open() == []


def test_entries_that_are_held_back_are_said_with_the_command_that_takes_them(months: Months) -> None:
    """And with the newest titles, for somebody who has to decide."""
    titles = ("Casino", "Poker", "Dice", "Roulette")
    months.publish("blog", *(entry(title, START + hours * HOUR) for hours, title in enumerate(titles)), suspicious=True)
    (told,) = months.goes_by(DAY)
    assert told.subject == "Harbour & Hearth (feed blog) holds 4 entries back"
    assert "4 entries turned new at once: “Roulette”, “Dice”, “Poker” and others." in told.text
    assert "    pipeline feeds accept blog" in told.text.split("\n\n")
    held = [each.entry_id for each in months.store.entries.quarantined("blog")]
    months.store.entries.release_quarantine(new=held, archived=[], now=months.now)
    assert months.goes_by(DAY) == []
    assert months.store.alerts.list_open() == []


def test_no_connection_is_one_notice_and_not_one_a_feed(months: Months) -> None:
    """And one when it is back; a feed that fails on then is told of by itself."""
    for feed in months.feeds:
        months.answer(feed.id, "unreachable", "could not be reached")
    (cut_off,) = months.goes_by(4 * DAY)
    assert cut_off.subject == "No feed can be reached"
    assert cut_off.text.endswith("The feed blog, for example, could not be reached.")
    months.answer("podcast", "ok")
    told = months.goes_by(DAY)
    assert sorted(each.subject for each in told) == [
        "Feeds can be reached again",
        "Harbour & Hearth (feed blog) cannot be read",
    ]


def test_a_feed_that_is_taken_out_is_forgotten(months: Months) -> None:
    """Nothing is said of its end."""
    months.answer("blog", "not_found", "answered 404 Not Found")
    assert len(months.goes_by(3 * DAY)) == 1
    months.feeds = (PODCAST,)
    assert months.goes_by(DAY) == []
    assert months.store.alerts.list_open() == []


def test_the_task_has_a_line_only_where_there_is_news(months: Months) -> None:
    """A crontab line mails what is printed."""
    assert months.task.run("", months.now) == ""
    months.answer("blog", "gone", "answered 410 Gone")
    lines = []
    for _ in range(6):
        months.now += STEP
        months._ask(BLOG)
        lines.append(months.task.run("", months.now))
    assert [line for line in lines if line] == ["one new notice: Harbour & Hearth (feed blog) is gone for good"]


def test_a_missing_password_is_said_at_the_third_time(months: Months) -> None:
    """It is known at once what to do, and it is all that is said."""
    state = FeedState(
        feed_id="blog",
        url=BLOG.url,
        failures=3,
        failing_since=months.now,
        checked_at=months.now,
        outcome="no_secret",
        detail="was not asked, since the environment variable BLOG_KEY is not set: set it where the program runs",
    )
    months.store.feeds.save(state)
    months.task.run("", months.now)
    (told,) = months.told
    assert told.text.endswith("BLOG_KEY is not set. Set it where the program runs.")
    assert isinstance(told.raised_at, datetime)
