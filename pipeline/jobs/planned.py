"""What the daemon and cron do at their times: the tasks of [schedule].

In: rhythms and what the jobs need. Out: Tasks for ``tick``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pipeline.ingest import poll
from pipeline.jobs.press import Press
from pipeline.jobs.refresh import Refresher
from pipeline.jobs.tick import Task
from pipeline.jobs.weekly import make
from pipeline.model.errors import FeedProblem, Refused
from pipeline.model.feed import Feed
from pipeline.model.schedule import Schedule
from pipeline.store import Store


def fetch_task(rhythm: Schedule, refresher: Refresher, feeds: Sequence[Feed]) -> Task:
    """Look at the feeds that are due."""

    def run(period: str, now: datetime) -> str:
        reports = refresher.refresh(feeds, now=now, due=poll.is_due)
        asked = [each for each in reports if each.outcome != "waiting"]
        line = f"{len(asked)} of {len(reports)} feeds asked, {sum(each.applied.new for each in asked)} new entries"
        failed = [f"{each.feed_id} {each.sentence}" for each in asked if not each.ok]
        if failed:
            raise FeedProblem("; ".join([line, *failed]))
        return line

    return Task(id="fetch", schedule=rhythm, run=run)


def draft_task(rhythm: Schedule, store: Store, open_press: Callable[[], Press], out: Path) -> Task:
    """Make the digest of the newest week that has closed."""

    def run(period: str, now: datetime) -> str:
        press = open_press()
        week = press.clock.newest_closed(now)
        try:
            made = make(store, press, week, out, now=now)
        except Refused as reason:
            return str(reason)  # an empty week is no trouble, nor is one that somebody holds or skipped
        return f"{week}: “{made.edition.subject}” in {made.paths[0].parent}"

    return Task(id="draft", schedule=rhythm, run=run)
