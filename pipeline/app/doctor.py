"""The doctor checks of a publication, with their arguments filled in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import TZPATH

from pipeline.app.access import desk_url, editors, sends_links
from pipeline.app.delivery import (
    bounce_domain,
    build_outbox,
    build_smtp,
    dkim_domain,
    dkim_key_settings,
    read_dkim_key,
    sends_unapproved,
)
from pipeline.app.digests import template_folders
from pipeline.app.tasks import build_tasks
from pipeline.jobs.doctor import DoctorCheck
from pipeline.model.errors import ConfigError
from pipeline.model.health import HealthResult, Owner
from pipeline.text.message_headers import parse_mailbox

if TYPE_CHECKING:
    from pipeline.app.app import App

MOUNTINFO = Path("/proc/self/mountinfo")
_MAX_CLOCK_SERVERS = 3
_RECENT = timedelta(days=28)
"""The age up to which the dates of entries are checked."""


def doctor_checks(app: App, *, now: datetime, offline: bool) -> Iterator[DoctorCheck]:
    """Yield all doctor checks; ``offline`` leaves out those that use the network."""
    yield DoctorCheck(category="config", run=partial(_secrets, app))
    yield DoctorCheck(category="time", run=partial(_time_zone, app, now))
    if not offline:
        yield DoctorCheck(category="time", run=partial(_clock, app, now))
    yield DoctorCheck(category="time", run=partial(schedule_checks, app, now))
    yield DoctorCheck(category="disk", run=partial(_disk, app))
    yield DoctorCheck(category="store", run=partial(_database, app))
    yield DoctorCheck(category="store", run=partial(owner_checks, app))
    yield DoctorCheck(category="templates", run=partial(_theme, app))
    yield DoctorCheck(category="feeds", run=partial(_feeds, app, now))
    yield DoctorCheck(category="runs", run=partial(_runs, app, now))
    yield DoctorCheck(category="alerts", run=partial(_notify_command, app))
    yield DoctorCheck(category="desk", run=partial(_desk, app))
    yield DoctorCheck(category="mail", run=partial(_dkim_keys, app))
    if app.config.delivery.count_links:
        yield DoctorCheck(category="mail", run=partial(_link_counts, app))
    if not offline:
        yield DoctorCheck(category="mail", run=partial(_mail_server, app))
        yield DoctorCheck(category="domain", run=partial(_domain, app))


def schedule_checks(app: App, now: datetime) -> Iterator[HealthResult]:
    """Check that the editor can see what is sent automatically before it is sent; the daemon does so at its start."""
    from pipeline.jobs.doctor.activity import check_approval_mode, check_schedule

    settings = app.config.schedule
    yield from check_schedule(app.calendar, settings.draft, settings.send, now)
    yield from check_approval_mode(wanted=app.config.digest.approval == "unless-held", possible=sends_unapproved(app))


def claim_storage(app: App) -> None:
    """Record that the database and the outbox are this publication's, unless they are another's."""
    own = _owner(app)
    app.store().maintenance.claim(own)
    build_outbox(app).claim(own)


def owner_checks(app: App) -> Iterator[HealthResult]:
    """Check that no other publication uses the database or the outbox; ``run`` and ``tick`` do so at their start."""
    from pipeline.jobs.doctor.storage import check_owners

    database = app.store().maintenance.owner() if _has_store(app) else None
    owners = {"[store] url": database, "[delivery] outbox": build_outbox(app).owner()}
    return check_owners(owners, _owner(app))


def _owner(app: App) -> Owner:
    return Owner(f"{app.publication.name} ({app.publication.url})", str(app.config.path.absolute()))


def _secrets(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_secrets

    return check_secrets(app.config.path.read_text("utf-8-sig"), app.config.path.name)


def _time_zone(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.clock import check_time_zone

    return check_time_zone(app.publication.timezone, TZPATH, now)


def _clock(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.clock import check_clock

    if app.config.fetch.fixtures:
        message = "was not compared: [fetch] fixtures replaces the network"
        return iter([HealthResult(category="time", name="clock", level="ok", message=message)])
    urls = [app.publication.url, *(feed.url for feed in app.feeds)]
    return check_clock(app.link_fetcher, urls[:_MAX_CLOCK_SERVERS], now)


def _disk(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.storage import check_disk

    store = {"store": app.store_file.parent} if app.store_file else {}
    return check_disk({**store, "editions": app.editions_folder, "outbox": app.folder / app.config.delivery.outbox})


def _database(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.storage import check_database

    mounts = MOUNTINFO.read_text("utf-8", "replace") if MOUNTINFO.exists() else ""
    return check_database(lambda: app.store(), app.store_file, mounts)


def _theme(app: App) -> Iterator[HealthResult]:
    from pipeline.digest.render.theme import compile_theme
    from pipeline.jobs.doctor.setup import check_theme

    name = app.config.digest.theme
    return check_theme(name, lambda: compile_theme(template_folders(app), name))


def _feeds(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.activity import check_entry_dates, check_feeds

    states = app.store().feeds.states() if _has_store(app) else {}
    yield from check_feeds(app.feeds, states, app.calendar.zone)
    if states:
        feed_ids = [feed.id for feed in app.feeds]
        yield from check_entry_dates(app.store().entries.between(now - _RECENT, now + timedelta(days=1), feed_ids))


def _runs(app: App, now: datetime) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.activity import check_runs

    newest = app.store().runs.newest() if _has_store(app) else {}
    return check_runs(build_tasks(app) if newest else (), newest, now, app.calendar.zone)


def _has_store(app: App) -> bool:
    """Check whether there is a store, without creating one."""
    return app.store_file is None or app.store_file.exists()


def _notify_command(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_notify_command

    return check_notify_command(app.config.notify.command, app.folder)


def _desk(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_desk

    url = desk_url(app) if app.config.web.listen else ""
    return check_desk(url, editors(app), sends_links=sends_links(app))


def _dkim_keys(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.dkim_keys import check_key_files

    files = {name: app.folder / file for name, _, file in dkim_key_settings(app)}
    return check_key_files(files, lambda: [read_dkim_key(app, *names) for names in dkim_key_settings(app)])


def _link_counts(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_link_counts

    return check_link_counts(app.config.public.url)


def _mail_server(app: App) -> Iterator[HealthResult]:
    from pipeline.jobs.doctor.setup import check_mail_server

    return check_mail_server(app.config.delivery.smtp_host, build_smtp(app))


def _domain(app: App) -> Iterator[HealthResult]:
    from pipeline.delivery.dns import Resolver
    from pipeline.jobs.doctor.dkim_keys import check_alignment, check_published_keys
    from pipeline.jobs.doctor.email_auth import check_domain, check_spf_alignment

    settings = app.config.delivery
    domain, lookup = parse_mailbox(app.publication.sender).domain, Resolver()
    try:
        keys = [read_dkim_key(app, *names) for names in dkim_key_settings(app)]
    except ConfigError:  # _dkim_keys reports it
        keys = []
    own = {key.selector for key in keys} if dkim_domain(app) == domain else set()
    selectors = [name for name in settings.dkim_selectors.split() if name not in own]
    envelope_domain = bounce_domain(app)
    yield from check_domain(
        domain,
        lookup,
        smtp_host=settings.smtp_host,
        selectors=selectors if selectors or not keys else None,
        envelope_domain=envelope_domain,
    )
    if envelope_domain:
        signing_domain = dkim_domain(app) if keys else domain if selectors else ""
        yield from check_spf_alignment(domain, envelope_domain, lookup, signing_domain=signing_domain)
    if keys:
        yield from check_published_keys(dkim_domain(app), keys, lookup)
        yield from check_alignment(domain, dkim_domain(app), lookup)
