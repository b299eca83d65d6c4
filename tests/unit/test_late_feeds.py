"""The quiet-week watch: which feed is late, since when, and whether it is the feed or its people."""

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


class Watched:
    """A blog that has something new each Tuesday, and the watch over it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.told: list[Alert] = []
        self.state = FeedState(
            feed_id="blog",
            url=BLOG.url,
            channel=Channel(title="Harbour & Hearth"),
            outcome="ok",
            read_at=WEDNESDAY - timedelta(minutes=20),
            checked_at=WEDNESDAY - timedelta(minutes=20),
        )
        self.publish(*(WEDNESDAY - DAY - weeks * WEEK for weeks in range(1, 12)))

    def publish(self, *moments: datetime, suspicious: bool = False) -> None:
        found = [entry(f"Post of {moment:%d %B %Y}", moment) for moment in moments]
        changes = decide(found, self.store.entries.identities("blog")).entries
        difference = FeedChanges(entries=changes, quarantine_reason="It turned new at once." if suspicious else "")
        self.store.entries.apply([FeedUpdate(state=self.state, changes=difference)], now=WEDNESDAY)

    def remember(self, **facts: object) -> None:
        self.state = replace(self.state, **facts)  # type: ignore[arg-type]
        self.store.feeds.save(self.state)

    def look(self, now: datetime = WEDNESDAY) -> str:
        """Let the watch look; gives its line."""
        return late_feeds_task(DRAFT, DRAFT, self.store, [BLOG], self._notifier, LONDON).run("", now)

    def after_a_fetch(self, now: datetime) -> None:
        feed_alerts_task(DRAFT, self.store, [BLOG], self._notifier, LONDON).run("", now)

    @property
    def _notifier(self) -> Notifier:
        return Notifier(alerts=self.store.alerts, channels={"mail": self._tell})

    def _tell(self, notice: Alert) -> str:
        self.told.append(notice)
        return ""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Store.open(empty_store(tmp_path)) as store:
        yield Watched(store)


def test_a_late_feed_is_said_with_the_day_it_was_expected_on(watched: Watched) -> None:
    """In words for an editor: since when, how often usually, when the draft is made, and that nobody published."""
    assert watched.look() == "late: blog"
    (told,) = watched.told
    assert told.subject == "Harbour & Hearth (feed blog) is late"
    assert told.text.split("\n\n") == [
        "Nothing new since Tuesday 3 February. Usually there is something new on Tuesdays, so it was to be expected on "
        "Tuesday 10 February. The next newsletter is made on Thursday 12 February, 16:00.",
        "The feed is well: it was read on Wednesday 11 February, 15:40. So nobody has published anything yet. You can "
        "wait, ask whoever writes, or let the newsletter go without it.",
    ]


def test_when_all_is_well_nothing_is_said(watched: Watched) -> None:
    """No notice, no line."""
    watched.publish(WEDNESDAY - DAY)
    assert watched.look() == ""
    assert watched.told == []


def test_on_the_day_itself_nothing_is_late_yet(watched: Watched) -> None:
    """Tuesday's post may come on Tuesday evening."""
    assert watched.look(WEDNESDAY - DAY) == ""


def test_a_broken_feed_is_not_taken_for_silence(watched: Watched) -> None:
    """It says since when it fails, and how."""
    watched.remember(
        failures=9, failing_since=WEDNESDAY - 2 * DAY, outcome="not_found", detail="answered 404 Not Found: check it"
    )
    watched.look()
    assert "The feed is broken: since Monday 9 February, 16:00 it could not be read" in watched.told[0].text
    assert "The last time it answered 404 Not Found. Check it." in watched.told[0].text
    assert "nobody has published" not in watched.told[0].text


def test_a_feed_that_is_gone_is_broken_too(watched: Watched) -> None:
    """Though it is not asked any more."""
    watched.remember(gone_at=WEDNESDAY - 8 * DAY, outcome="gone", detail="answered 410 Gone")
    watched.look()
    assert "The feed is broken: since Tuesday 3 February, 16:00" in watched.told[0].text


def test_what_is_held_back_may_be_what_is_missing(watched: Watched) -> None:
    """Entries in quarantine are named with the command that takes them in; they count as no news."""
    watched.publish(WEDNESDAY - DAY, suspicious=True)
    watched.look()
    assert "one entry is held back" in watched.told[0].text
    assert "    pipeline feeds accept blog" in watched.told[0].text.split("\n\n")


def test_a_feed_that_was_not_asked_lately_is_not_called_silent(watched: Watched) -> None:
    """After a downtime the truth is: nobody has looked."""
    watched.remember(read_at=WEDNESDAY - 5 * DAY, checked_at=WEDNESDAY - 5 * DAY)
    watched.look()
    assert "The program has not read it since Friday 6 February, 16:00" in watched.told[0].text
    assert "`pipeline fetch blog`" in watched.told[0].text


def test_a_silence_is_said_once_and_is_over_when_something_comes(watched: Watched) -> None:
    """Not each week anew; what comes after a fetch closes it; the next silence is another one."""
    for weeks in range(4):
        watched.look(WEDNESDAY + weeks * WEEK)
    assert len(watched.told) == 1
    back = WEDNESDAY + 4 * WEEK
    watched.publish(back - DAY)
    watched.after_a_fetch(back)
    assert watched.store.alerts.list_open() == []
    watched.look(back + WEEK)
    assert len(watched.told) == 2


def test_a_new_feed_is_not_judged(tmp_path: Path) -> None:
    """With three posts, whatever the silence."""
    with Store.open(f"sqlite:///{tmp_path / 'new.db'}") as store:
        watched = Watched(store)
        store.entries.delete([each.entry_id for each in store.entries.identities("blog")][3:], now=WEDNESDAY)
        assert watched.look(WEDNESDAY + 20 * WEEK) == ""


def test_an_archive_that_is_read_later_makes_nothing_late_nor_well(watched: Watched) -> None:
    """What counts is when it was published, not when it was stored."""
    watched.publish(*(WEDNESDAY - DAY - weeks * WEEK for weeks in range(12, 50)))
    assert watched.look() == "late: blog"


def test_the_watch_is_a_day_before_the_draft() -> None:
    """By the clocks, whatever the weekdays; where drafts are made all day long, once a day."""
    for draft, watch in [
        ("mon 06:00", "sun 06:00"),
        ("tue,fri 16:00", "mon,thu 16:00"),
        ("daily 05:30", "daily 05:30"),
    ]:
        assert day_before(parse_schedule(draft)) == parse_schedule(watch)
    assert day_before(parse_schedule("every 2 hours")) == parse_schedule("every 24 hours")
