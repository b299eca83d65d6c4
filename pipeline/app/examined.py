"""What the doctor looks at: every examination, joined to this house's settings.

In: a house. Out: Examinations. Each is done when it is looked at, and opens what it needs itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import TZPATH

from pipeline.jobs.doctor import Examination
from pipeline.model.feed import FeedState
from pipeline.model.health import Sign

if TYPE_CHECKING:
    from pipeline.app.running import App

MOUNTS = Path("/proc/self/mountinfo")
_SERVERS_ASKED = 3


def examinations(app: App, *, now: datetime, offline: bool) -> Iterator[Examination]:
    """List what there is to look at; ``offline`` leaves out what asks the network."""
    yield Examination(group="config", look=partial(_settings, app))
    yield Examination(group="time", look=partial(_zone, app, now))
    if not offline:
        yield Examination(group="time", look=partial(_clock, app, now))
    yield Examination(group="time", look=partial(foresight, app, now))
    yield Examination(group="disk", look=partial(_disk, app))
    yield Examination(group="store", look=partial(_store, app))
    yield Examination(group="templates", look=partial(_theme, app))
    yield Examination(group="feeds", look=partial(_feeds, app))
    yield Examination(group="runs", look=partial(_runs, app, now))
    yield Examination(group="notices", look=partial(_notices, app))
    if not offline:
        yield Examination(group="mail", look=partial(_mail, app))
        yield Examination(group="domain", look=partial(_domain, app))


def foresight(app: App, now: datetime) -> Iterator[Sign]:
    """Look whether what goes out by itself can be seen before: the daemon asks at its start, too."""
    from pipeline.jobs.doctor.timetable import timetable, unapproved

    said = app.config.schedule
    yield from timetable(app.clock, said.draft, said.send, now)
    yield from unapproved(wanted=app.config.digest.approval == "unless-held", possible=app.unless_held)


def _settings(app: App) -> Iterator[Sign]:
    from pipeline.jobs.doctor.settings import settings

    return settings(app.config.path.read_text("utf-8-sig"), app.config.path.name)


def _zone(app: App, now: datetime) -> Iterator[Sign]:
    from pipeline.jobs.doctor.zone import zone

    return zone(app.publication.timezone, TZPATH, now)


def _clock(app: App, now: datetime) -> Iterator[Sign]:
    from pipeline.jobs.doctor.watch import watch

    if app.config.fetch.fixtures:
        finding = "is not compared: [fetch] fixtures answers instead of the network"
        return iter([Sign(group="time", name="clock", level="well", finding=finding)])
    urls = [app.publication.url, *(feed.url for feed in app.feeds)]
    return watch(app.prober, urls[:_SERVERS_ASKED], now)


def _disk(app: App) -> Iterator[Sign]:
    from pipeline.jobs.doctor.disk import disk

    store = {"store": app.store_file.parent} if app.store_file else {}
    return disk({**store, "editions": app.editions, "outbox": app.folder / app.config.delivery.outbox})


def _store(app: App) -> Iterator[Sign]:
    from pipeline.jobs.doctor.keeping import keeping

    mounts = MOUNTS.read_text("utf-8", "replace") if MOUNTS.exists() else ""
    return keeping(lambda: app.store, app.store_file, mounts)


def _theme(app: App) -> Iterator[Sign]:
    from pipeline.digest.theme import compile_theme
    from pipeline.jobs.doctor.theme import theme

    name = app.config.digest.theme
    return theme(name, lambda: compile_theme(app.template_folders, name))


def _feeds(app: App) -> Iterator[Sign]:
    from pipeline.jobs.doctor.reading import reading

    states = app.store.feed_states() if _is_there(app) else {}
    return reading([states.get(feed.id) or FeedState(feed_id=feed.id) for feed in app.feeds], app.clock.zone)


def _runs(app: App, now: datetime) -> Iterator[Sign]:
    from pipeline.jobs.doctor.runs import runs

    newest = app.store.runs.newest() if _is_there(app) else {}
    return runs(app.tasks if newest else (), newest, now, app.clock.zone)


def _is_there(app: App) -> bool:
    """Tell whether there is a store: looking must not make one."""
    return app.store_file is None or app.store_file.exists()


def _notices(app: App) -> Iterator[Sign]:
    from pipeline.jobs.doctor.hook import hook

    return hook(app.config.notify.command, app.folder)


def _mail(app: App) -> Iterator[Sign]:
    from pipeline.jobs.doctor.post import post

    return post(app.config.delivery.smtp_host, app.smtp)


def _domain(app: App) -> Iterator[Sign]:
    from pipeline.delivery.resolver import Resolver
    from pipeline.jobs.doctor.domain import domain

    said = app.config.delivery
    name = parseaddr(app.publication.sender)[1].rpartition("@")[2]
    return domain(name, Resolver(), smtp_host=said.smtp_host, selectors=said.dkim_selectors.split())
