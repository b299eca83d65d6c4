"""Builders for the jobs that read feeds, their archives, and the links an editor collects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.app.digests import build_editor_files
from pipeline.model.feed import Feed

if TYPE_CHECKING:
    from pipeline.app.app import App
    from pipeline.jobs.editor.links import LinkCollection
    from pipeline.jobs.feeds.backfill import Backfiller
    from pipeline.jobs.feeds.refresh import Refresher
    from pipeline.model.feed import ArchivePosition

DEFAULT_FETCH_INTERVAL = timedelta(hours=1)
"""How often feeds are assumed to be fetched when [schedule] fetch names times of day."""


def build_refresher(app: App) -> Refresher:
    """Return the job that fetches feeds and stores their entries."""
    from pipeline.jobs.feeds.refresh import Refresher
    from pipeline.model.schedule import Every

    schedule = app.config.schedule.fetch
    interval = schedule.interval if isinstance(schedule, Every) else DEFAULT_FETCH_INTERVAL
    return Refresher(store=app.store(), open_fetcher=app.fetcher, interval=interval, headers=app.feed_headers)


def build_backfiller(app: App, feed: Feed, now: datetime, on_page: Callable[[ArchivePosition], None]) -> Backfiller:
    """Return the job that reads a feed's older pages; ``on_page`` is called after each page."""
    from pipeline.jobs.feeds.backfill import Backfiller

    return Backfiller(
        store=app.store(),
        feed=feed,
        now=now,
        archive_before=app.calendar.bounds(app.calendar.newest_closed(now))[0],
        headers=app.feed_headers(feed.id),
        on_page=on_page,
    )


def build_link_collection(app: App, now: datetime) -> LinkCollection:
    """Return the links that the editor collects for the newsletter."""
    from pipeline.jobs.editor.links import LinkCollection

    files = build_editor_files(app)
    return LinkCollection(store=app.store(), feeds=app.feeds, now=now, editor_links=files.links)
