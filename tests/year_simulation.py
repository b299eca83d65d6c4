"""A simulated year of a small publication: what is published, what fails, and what the editor does.

Everything is a function of the time and the store, so a process that was killed can be continued by another.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.app import App
from pipeline.app.delivery import build_recovery
from pipeline.app.digests import build_digest_context
from pipeline.app.reload import ReloadingApp
from pipeline.app.tasks import next_runs
from pipeline.jobs.editions.scheduled_send import GRACE_PERIOD
from pipeline.jobs.editions.send import send
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import NothingToPublishError
from pipeline.model.week import Week
from pipeline.scheduler.engine import TaskResult
from tests.publication import HTML, small_theme

LONDON = ZoneInfo("Europe/London")
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
Interval = tuple[datetime, datetime]
START = datetime(2026, 2, 6, tzinfo=UTC)
"""A Friday; weeks close on Fridays. The clocks change on 29 March and 25 October, in the hour of the send."""
HOSTS = {"blog": "blog.example", "talks": "talks.example", "links": "links.example"}
CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
timezone = "Europe/London"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"
[[feeds]]
id = "blog"
url = "https://blog.example/feed.xml"
kind = "blog"
[[feeds]]
id = "talks"
url = "https://talks.example/feed.xml"
kind = "podcast"
[[feeds]]
id = "links"
url = "https://links.example/feed.xml"
kind = "links"
[fetch]
fixtures = "net"
[store]
url = "{store}"
[web]
listen = ""
[digest]
week_closes = "fri 00:00"
theme = "small"
min_entries = 0
approval = "{approval}"
[schedule]
fetch = "{fetch}"
draft = "fri 06:00"
send = "sun 01:30"
late_limit = "12 hours"
"""
SQLITE = "sqlite:///pipeline.db"
FETCH_SCHEDULE = "every 3 hours"
LATE_LIMIT = 12 * HOUR
TICK_INTERVAL = timedelta(minutes=1)
"""Shortest interval of ticks."""
IDLE_INTERVAL, IDLE_AFTER, COOL_DOWN = 6 * HOUR, 3 * DAY, 3 * WEEK
"""Interval of ticks once everything is published; when it begins, and how long it lasts."""
IDLE_SHARE = 0.1
"""Share of the ticks at which nothing is due."""
_SYLLABLES = ("ba", "ko", "ri", "tan", "mel", "su", "vo", "ned", "pil", "gar", "hus", "lim", "dor", "fey", "zan", "quo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post."""

    feed: str
    guid: str
    title: str
    published_at: datetime
    appears_at: datetime
    """When it appears in the feed; days after its date if it is late."""
    edited_at: datetime


def posts(seed: int, weeks: int) -> list[Post]:
    """Return the posts of some weeks and a little before; one week in thirteen has none."""
    chance = random.Random(seed)
    written = []
    for week in range(-3, weeks):
        opens_at = START + week * WEEK
        silent = week % 13 == 9
        for feed, most in (("blog", 2), ("talks", 1), ("links", 3)):
            for nth in range(0 if silent else chance.randint(int(feed == "blog"), most)):
                at = opens_at + chance.random() * WEEK
                late = chance.random() < 0.12 and week >= 0
                written.append(
                    Post(
                        feed=feed,
                        guid=f"{feed}-{week}-{nth}",
                        title=" ".join("".join(chance.sample(_SYLLABLES, 3)).title() for _ in range(4)),
                        published_at=at,
                        appears_at=at + late * chance.uniform(2, 8) * DAY,
                        edited_at=at + chance.choice((1, 9, 5000)) * DAY,
                    )
                )
    return written


class SimulatedFeeds:
    """The network as files: each feed's document at a time; none while the feed fails."""

    def __init__(self, folder: Path, written: Sequence[Post], failing: Mapping[str, Sequence[Interval]]) -> None:
        self._folder = folder
        self._posts = written
        self._failing = failing
        for post in written:
            page = folder / HOSTS[post.feed] / post.guid / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(f"<title>{post.title}</title>")

    def update(self, now: datetime) -> None:
        """Write the documents as they are at ``now``."""
        for feed, host in HOSTS.items():
            file = self._folder / host / "feed.xml"
            if any(start <= now < end for start, end in self._failing.get(feed, ())):
                file.unlink(missing_ok=True)
                continue
            document = self._document(feed, now).encode()
            if not file.is_file() or file.read_bytes() != document:
                file.parent.mkdir(parents=True, exist_ok=True)
                fresh = file.with_suffix(".new")
                fresh.write_bytes(document)
                fresh.replace(file)

    def _document(self, feed: str, now: datetime) -> str:
        shown = sorted((each for each in self._posts if each.feed == feed and each.appears_at <= now), key=_appeared)
        items = "".join(_item(post, now) for post in reversed(shown[-12:]))
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{feed}</title>{items}</channel></rss>'


def _appeared(post: Post) -> datetime:
    return post.appears_at


def _item(post: Post, now: datetime) -> str:
    link = f"https://{HOSTS[post.feed]}/{post.guid}"
    title = post.title + " again" * (now >= post.edited_at)
    audio = f'<enclosure url="{link}.mp3" length="1" type="audio/mpeg"/>' if post.feed == "talks" else ""
    date = format_datetime(post.published_at, usegmt=True)
    return (
        f"<item><guid>{post.guid}</guid><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate>"
        f"<description>{post.title}: a few words.</description>{audio}</item>"
    )


def create_publication(folder: Path, store: str = SQLITE, fetch: str = FETCH_SCHEDULE) -> None:
    """Create the publication."""
    small_theme(folder / "templates", HTML.replace("<html>", '<html lang="en">'))
    (folder / "net").mkdir(exist_ok=True)
    write_config(folder, "required", store, fetch)


def write_config(folder: Path, approval: str, store: str = SQLITE, fetch: str = FETCH_SCHEDULE) -> None:
    """Write config.toml."""
    fresh = folder / "config.toml.new"
    fresh.write_text(CONFIG.format(approval=approval, store=store, fetch=fetch))
    fresh.replace(folder / "config.toml")


def time_steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield times at a fixed interval."""
    while start < end:
        yield start
        start += step


def wakeups(
    app: Callable[[], App], start: datetime, end: datetime, outages: Sequence[Interval], chance: random.Random
) -> Iterator[datetime]:
    """Yield the time of each next run, and sometimes a time before it; none while the machine is off.

    At the end, continue a few times a day until everything is published.
    """
    now = start
    while now < end + COOL_DOWN:
        yield now
        due = min(each.at for each in next_runs(app(), now) if each.at > now)
        shortest = TICK_INTERVAL if now < end + IDLE_AFTER else IDLE_INTERVAL
        now += max((due - now) * (chance.random() if chance.random() < IDLE_SHARE else 1), shortest)
        now = next((over for begin, over in outages if begin <= now < over), now)


class SimulatedEditor:
    """An editor who approves most weeks in time, some late, some not at all, and holds or skips a few."""

    def __init__(self, app: App) -> None:
        self.app = app

    def act(self, now: datetime) -> None:
        """Act on the newest closed week, as this editor does at this hour."""
        week = self.app.calendar.newest_closed(now)
        hours = (now - self.app.calendar.bounds(week)[1]) / HOUR
        if hours < 7 or not (self.app.editions_folder / str(week) / "manifest.json").is_file():
            return
        with suppress(NothingToPublishError):
            self._decide(week, self.app.store().editions.get(str(week)), hours, now)

    @property
    def _publisher(self) -> EditionWorkflow:
        return EditionWorkflow(store=self.app.store(), context=build_digest_context(self.app), actor="ann")

    def _decide(self, week: Week, standing: EditionRecord, hours: float, now: datetime) -> None:
        habit = week.number % 8
        if habit == 3 and standing.state == "draft" and hours < 52:
            self._publisher.hold(week, now=now)
        elif standing.state == "held" and standing.changed_by == "ann" and hours >= 52:
            self._publisher.resume(week, now=now)
        elif habit == 5 and standing.state == "draft" and week.number % 16 == 5:
            self._publisher.skip(week, now=now)
        elif standing.state == "draft" and hours >= {1: 53, 2: 80, 3: 53}.get(habit, 20):
            self._publisher.approve(week, now=now)
        elif standing.state in ("approved", "sending") and hours >= 100:
            # It was not sent in time, and the alert says how to send it.
            send(self._publisher, build_recovery(self.app), week, now=now)


def run_tick(reloading: ReloadingApp, now: datetime) -> list[TaskResult]:
    """Run one tick."""
    return list(reloading.run_due_tasks(now))


@dataclass(frozen=True, slots=True, kw_only=True)
class YearResult:
    """The result of a simulated year."""

    published: Counter[str]
    """Number of sent editions that contain each guid."""
    records: dict[str, EditionRecord]
    sent_count: int


def collect_result(folder: Path) -> YearResult:
    """Count everything that was sent."""
    with App.load(folder / "config.toml") as app:
        standings = app.store().editions.all()
        published: Counter[str] = Counter()
        for week, standing in standings.items():
            sealed = app.store().editions.sealed(week)
            if standing.state == "sent" and sealed:
                stories = json.loads(sealed.edition.manifest)["stories"]
                published.update(entry["guid"] for story in stories for entry in story["entries"])
        assert app.store().maintenance.integrity_errors() == []
    return YearResult(published=published, records=standings, sent_count=len(list((folder / "outbox").glob("*.eml"))))


def verify(result: YearResult, written: Sequence[Post], end: datetime) -> None:
    """Check that every story is in exactly one edition and that no edition was sent late by the schedule."""
    expected = {post.guid for post in written if START <= post.appears_at < end}
    assert {guid: count for guid, count in result.published.items() if count > 1} == {}
    assert expected - set(result.published) == set()
    assert {post.guid for post in written if post.appears_at < START - WEEK} & set(result.published) == set()
    sent = [each for each in result.records.values() if each.state == "sent"]
    assert result.sent_count == len(sent)
    assert sorted(each.number or 0 for each in sent) == list(range(1, len(sent) + 1))
    for each in sent:
        if each.changed_by == "schedule":
            assert each.changed_at
            limit = send_time(Week.parse(each.week)) + LATE_LIMIT
            just_before = each.sealed_at is not None and each.sealed_at >= limit - GRACE_PERIOD
            assert limit - LATE_LIMIT <= each.changed_at <= limit + (GRACE_PERIOD if just_before else timedelta()), each


def send_time(week: Week) -> datetime:
    """Return when a week's edition is to be sent: 01:30 on the Sunday after its closing, or its equivalent."""
    sunday = week.monday + 6 * DAY
    return datetime(sunday.year, sunday.month, sunday.day, 1, 30, tzinfo=LONDON).astimezone(UTC)
