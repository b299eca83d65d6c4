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

from pipeline.app.delivery import build_smtp, sends_unapproved
from pipeline.app.digests import template_folders
from pipeline.app.tasks import build_tasks
from pipeline.jobs.doctor import DoctorCheck
from pipeline.model.feed import FeedState
from pipeline.model.health import HealthResult

if TYPE_CHECKING:
    from pipeline.app.app import App

MOUNTINFO = Path("/proc/self/mountinfo")
_SERVERS_ASKED = 3


def doctor_checks(app: App, *, now: datetime, offline: bool) -> Iterator[DoctorCheck]:
    """List what there is to look at; ``offline`` leaves out what asks the network."""
    yield DoctorCheck(category="config", run=partial(_settings, app))
    yield DoctorCheck(category="time", run=partial(_zone, app, now))
    if not offline:
        yield DoctorCheck(category="time", run=partial(_clock, app, now))
    yield DoctorCheck(category="time", run=partial(schedule_checks, app, now))
    yield DoctorCheck(category="disk", run=partial(_disk, app))
    yield DoctorCheck(category="store", run=partial(_store, app))
    yield DoctorCheck(category="templates", run=partial(_theme, app))
    yield DoctorCheck(category="feeds", run=partial(_feeds, app))
    yield DoctorCheck(category="runs", run=partial(_runs, app, now))
    yield DoctorCheck(category="notices", run=partial(_notices, app))
    if not offline:
        yield DoctorCheck(category="mail", run=partial(_mail, app))
        yield DoctorCheck(category="domain", run=partial(_domain, app))


def schedule_checks(app: App, now: datetime) -> Iterator[HealthResult]:
    """Look whether what goes out by itself can be seen before: the daemon asks at its start, too."""
    from pipeline.jobs.doctor.activity import check_approval_mode, check_schedule

    said = app.config.schedule
    yield from check_schedule(app.calendar, said.draft, said.send, now)
    yield from check_approval_mode(wanted=app.config.digest.approval == "unless-held", possible=sends_unapproved(app))


def _settings(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_secrets

    return check_secrets(app.config.path.read_text("utf-8-sig"), app.config.path.name)


def _zone(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.clock import check_time_zone

    return check_time_zone(app.publication.timezone, TZPATH, now)


def _clock(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.clock import check_clock

    if app.config.fetch.fixtures:
        finding = "is not compared: [fetch] fixtures answers instead of the network"
        return iter([HealthResult(category="time", name="clock", level="well", message=finding)])
    urls = [app.publication.url, *(feed.url for feed in app.feeds)]
    return check_clock(app.link_fetcher, urls[:_SERVERS_ASKED], now)


def _disk(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.storage import check_disk

    store = {"store": app.store_file.parent} if app.store_file else {}
    return check_disk({**store, "editions": app.editions_folder, "outbox": app.folder / app.config.delivery.outbox})


def _store(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.storage import check_database

    mounts = MOUNTINFO.read_text("utf-8", "replace") if MOUNTINFO.exists() else ""
    return check_database(lambda: app.store, app.store_file, mounts)


def _theme(app: App) -> Iterator[HealthResult]:
    from pipeline.digest.render.theme import compile_theme
    from pipeline.jobs.doctor.setup import check_theme

    name = app.config.digest.theme
    return check_theme(name, lambda: compile_theme(template_folders(app), name))


def _feeds(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.activity import check_feeds

    states = app.store.feeds.states() if _is_there(app) else {}
    return check_feeds([states.get(feed.id) or FeedState(feed_id=feed.id) for feed in app.feeds], app.calendar.zone)


def _runs(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.activity import check_runs

    newest = app.store.runs.newest() if _is_there(app) else {}
    return check_runs(build_tasks(app) if newest else (), newest, now, app.calendar.zone)


def _is_there(app: App) -> bool:
    """Tell whether there is a store: looking must not make one."""
    return app.store_file is None or app.store_file.exists()


def _notices(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_notify_command

    return check_notify_command(app.config.notify.command, app.folder)


def _mail(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_mail_server

    return check_mail_server(app.config.delivery.smtp_host, build_smtp(app))


def _domain(app: App) -> Iterator[HealthResult]:
    from pipeline.delivery.dns import Resolver
    from pipeline.jobs.doctor.email_auth import check_domain

    said = app.config.delivery
    name = parseaddr(app.publication.sender)[1].rpartition("@")[2]
    return check_domain(name, Resolver(), smtp_host=said.smtp_host, selectors=said.dkim_selectors.split())
