"""The whole status of a publication, as ``pipeline status`` prints it: problems, editions, next and last runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.jobs.deliveries.progress import DispatchProgress, describe_progress, load_attention
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.monitoring.feed_health import next_fetch_at
from pipeline.jobs.monitoring.run_health import run_health_results
from pipeline.jobs.monitoring.status import (
    Blocker,
    EditionStatus,
    FeedStatus,
    LastRun,
    ScheduledRun,
    Status,
    load_status,
)
from pipeline.model.check import blocking_results
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import NothingToPublishError, PipelineError
from pipeline.model.feed import Feed
from pipeline.model.health import HEALTH_LEVELS, HealthLevel, HealthResult
from pipeline.model.run import Run
from pipeline.model.week import Week, WeekCalendar
from pipeline.scheduler.engine import NextRun, Task
from pipeline.store import Store
from pipeline.text.format import count_in_words, format_datetime, pluralize

MAX_QUEUE_DELAY = timedelta(minutes=15)
"""How long a confirmation or a guide may wait to be sent."""


def build_status_report(
    store: Store,
    feeds: Sequence[Feed],
    calendar: WeekCalendar,
    build_context: Callable[[], DigestContext],
    tasks: Sequence[Task],
    next_runs: Sequence[NextRun],
    *,
    now: datetime,
    limits: SendLimits | None = None,
) -> Status:
    """Return the status of everything. ``limits`` are those of sending: estimates of its end depend on them."""
    runs, zone = store.runs.newest(), calendar.zone
    status = load_status(store, feeds, calendar, build_context, now=now)
    next_fetch = _next_fetch(tasks, next_runs, zone)
    feed_statuses = tuple(replace(feed, next_fetch_at=next_fetch(feed)) for feed in status.feeds)
    dispatches = load_attention(store, limits or SendLimits(zone=zone), now)
    is_timed = any(task.id == "send" for task in tasks)
    editions = tuple(_editions(store, build_context, calendar, status, now, dispatches, is_timed=is_timed))
    results = [result for feed in feed_statuses for result in feed.health]
    results += [
        *_feed_results(feeds),
        *_edition_results(editions, status.changes),
        *_dispatch_results(dispatches, zone),
    ]
    results += run_health_results(tasks, runs, now, zone)
    results += [*_alert_results(store, {result.name for result in results if result.level != "ok"})]
    results += [*_channel_results(store), *_person_mail_results(store, now)]
    problems = [result for result in results if result.level != "ok"]
    problems.sort(key=lambda result: -HEALTH_LEVELS.index(result.level))
    return replace(
        status,
        feeds=feed_statuses,
        editions=editions,
        dispatches=tuple(dispatches),
        next_runs=_scheduled_runs(next_runs, now, zone),
        last_runs=tuple(map(_last_run, sorted(runs.values(), key=lambda run: run.claimed_at, reverse=True))),
        problems=tuple(problems),
        healthy=not any(result.level == "error" for result in problems),
        summary=summarize(problems),
    )


def summarize(results: Sequence[HealthResult]) -> str:
    """Return one sentence about health results.

    >>> summarize([])
    'All is well.'
    >>> summarize([HealthResult(category="feeds", name="blog", level="error", message="is gone")])
    '1 error.'
    """
    counts = {level: sum(result.level == level for result in results) for level in ("error", "warning")}
    parts = [pluralize(count, level) for level, count in counts.items() if count]
    return f"{', '.join(parts)}." if parts else "All is well."


def _feed_results(feeds: Sequence[Feed]) -> Iterator[HealthResult]:
    """Yield an error if there are no feeds."""
    if not feeds:
        fix = "`pipeline feeds add URL` finds a feed and adds it"
        yield _result("feeds", "config.toml", "error", "names no feed, so nothing is read", fix)


def _next_fetch(
    tasks: Sequence[Task], next_runs: Sequence[NextRun], zone: tzinfo
) -> Callable[[FeedStatus], datetime | None]:
    """Return a function for when a feed is fetched next: the first fetch at which it is due."""
    schedule = next((task.schedule for task in tasks if task.id == "fetch"), None)
    first_at = next((run.at for run in next_runs if run.task_id == "fetch"), None)

    if schedule is None or first_at is None:
        return lambda feed: None
    return lambda feed: next_fetch_at(feed.state, schedule, first_at, zone)


def _scheduled_runs(next_runs: Sequence[NextRun], now: datetime, zone: tzinfo) -> tuple[ScheduledRun, ...]:
    runs = (
        ScheduledRun(task=run.task_id, at=run.at.astimezone(zone), in_seconds=max(0.0, (run.at - now).total_seconds()))
        for run in next_runs
    )
    return tuple(sorted(runs, key=lambda run: run.at))


def _last_run(run: Run) -> LastRun:
    return LastRun(
        task=run.task_id,
        period=run.period_key,
        status=run.status,
        message=run.message,
        started_at=run.claimed_at,
        duration_seconds=(run.finished_at - run.claimed_at).total_seconds() if run.finished_at else None,
        attempts=run.attempts,
    )


def _editions(
    store: Store,
    build_context: Callable[[], DigestContext],
    calendar: WeekCalendar,
    status: Status,
    now: datetime,
    dispatches: Sequence[DispatchProgress],
    *,
    is_timed: bool,
) -> Iterator[EditionStatus]:
    """Yield the newest closed week with the checks of its draft, other unsent editions, and the newest that is out.

    ``is_timed``: editions are sent automatically, at the time of [schedule] send.
    """
    progress = [one for one in dispatches if not one.dispatch.correction]
    sending = {one.dispatch.week: describe_progress(one, calendar.zone) for one in progress}
    closed = str(calendar.newest_closed(now))
    with_entries = {week.week for week in status.weeks}
    drafted = {week: EditionRecord(week=week) for week in status.drafted_at if week in with_entries}
    records = {closed: EditionRecord(week=closed), **drafted, **status.records}
    corrections = _corrections(store, dispatches, calendar.zone)
    out = [week for week in sorted(records, reverse=True) if records[week].state in ("sent", "skipped")]
    for week in sorted(records, reverse=True):
        record = records[week]
        if record.state == "draft" and week == closed:
            if week in with_entries and (draft := _draft(store, build_context, status, record, now)):
                yield draft
        elif record.state == "draft" and week in drafted:
            yield EditionStatus(week=week, state="draft", number=record.number, blockers=(_needs_approval(week),))
        elif record.state not in ("draft", "sent", "skipped") or week in out[:1] or week in corrections:
            changes = (Blocker(message=change) for change in status.changes.get(week, ()))
            waiting = _waiting(record, calendar.zone, is_timed=is_timed, progress=sending.get(week, ""))
            blockers = (*waiting, *changes, *corrections.get(week, ()))
            yield EditionStatus(week=week, state=record.state, number=record.number, blockers=blockers)


def _corrections(store: Store, dispatches: Sequence[DispatchProgress], zone: tzinfo) -> Mapping[str, Sequence[Blocker]]:
    """Return what the corrections of editions wait for that are not sent, or still being sent, by week."""
    sending = {one.dispatch.key: describe_progress(one, zone) for one in dispatches}
    blockers: dict[str, Sequence[Blocker]] = {}
    for correction in store.corrections.all():
        fix = f"`pipeline send {correction.week} --correction`"
        if correction.state == "draft":
            message = f"correction {correction.number} waits to be sent"
            blockers[correction.week] = (Blocker(message=message, fix=fix),)
        elif correction.state == "sending":
            progress = sending.get(correction.key, "being sent")
            blockers[correction.week] = (Blocker(message=f"correction {correction.number}: {progress}"),)
    return blockers


def _needs_approval(week: str) -> Blocker:
    return Blocker(message="waits for approval", fix=f"`pipeline approve {week}`")


def _waiting(record: EditionRecord, zone: tzinfo, *, is_timed: bool, progress: str) -> Iterator[Blocker]:
    week, since = record.week, format_datetime(record.changed_at, zone)
    if record.state == "approved":
        fix = f"it is sent at its time, or now with `pipeline send {week}`" if is_timed else f"`pipeline send {week}`"
        yield Blocker(message="waits to be sent", fix=fix)
    elif record.is_unconfirmed:
        fix = f"`pipeline send {week} --handed-over` if it was, `pipeline resume {week}` if it was not"
        yield Blocker(message=f"may have been sent already: {record.note}", fix=fix)
    elif record.state == "held":
        yield Blocker(message=f"held by {record.changed_by} since {since}", fix=f"`pipeline resume {week}` resumes it")
    elif progress:
        yield Blocker(message=f"{record.state} since {since}: {progress}")
    elif record.state == "sending":
        fix = f"if no process is sending it, `pipeline send {week}` finishes it"
        yield Blocker(message=f"being sent since {since}", fix=fix)


def _draft(
    store: Store, build_context: Callable[[], DigestContext], status: Status, record: EditionRecord, now: datetime
) -> EditionStatus | None:
    """Return the draft of the newest closed week with its blocking checks; None if it has no content."""
    from pipeline.jobs.digests.build import current_edition  # slow to import, and rarely needed
    from pipeline.jobs.editions.check_links import check_results

    week = record.week
    try:
        edition = current_edition(store, build_context(), Week.parse(week), now=now)
    except NothingToPublishError:
        return None
    except PipelineError as error:
        blocker = Blocker(message=f"no draft can be built: {error}")
        return EditionStatus(week=week, state="draft", blockers=(blocker,), failed=True)
    blocking = blocking_results(check_results(edition, store.link_checks.get(edition.content_hash)))
    blockers = [Blocker(message=f"{result.name}: {result.message}") for result in blocking]
    blockers.append(_needs_approval(week) if week in status.drafted_at else Blocker(message="the draft is not written"))
    return EditionStatus(
        week=week, state="draft", number=edition.number, blockers=tuple(blockers), failed=bool(blocking)
    )


def _edition_results(
    editions: Sequence[EditionStatus], changes: Mapping[str, tuple[str, ...]]
) -> Iterator[HealthResult]:
    for edition in editions:
        week, changed = edition.week, changes.get(edition.week, ())
        if edition.failed:
            yield _result("editions", week, "error", str(edition.blockers[0]), f"`pipeline check {week}` says more")
        elif changed:
            fix = f"check it, then run `pipeline approve {week}` again, or send it as it is"
            yield _result("editions", week, "warning", f"changed since approval: {changed[0]}", fix)
        elif edition.state in ("held", "sending") and edition.blockers[0].fix:
            yield _result("editions", week, "warning", edition.blockers[0].message, edition.blockers[0].fix)


def _dispatch_results(dispatches: Sequence[DispatchProgress], zone: tzinfo) -> Iterator[HealthResult]:
    """Yield what an editor has to decide about the sending of an edition, or that nothing sends it."""
    for progress in dispatches:
        week, name, words = progress.dispatch.week, progress.dispatch.name, describe_progress(progress, zone)
        send = f"`pipeline send {week}{' --correction' if progress.dispatch.correction else ''}`"
        if progress.dispatch.state == "paused":
            yield _result("deliveries", name, "warning", words, f"`pipeline deliveries {week} --resume` goes on")
        elif progress.is_unattended:
            fix = f"`pipeline run` does that by itself, {send} once"
            yield _result("deliveries", name, "warning", f"nothing sends it now: {words}", fix)
        if uncertain := progress.dispatch.counts.get("uncertain", 0):
            count = count_in_words(uncertain, "delivery", "deliveries")
            fix = f"`pipeline deliveries {week} --uncertain` lists them; add --accept or --retry to decide"
            yield _result("deliveries", name, "warning", f"{count} may have arrived or not", fix)


def _alert_results(store: Store, reported: set[str]) -> Iterator[HealthResult]:
    """Yield the open alerts, without those about feeds whose health is reported already."""
    for alert in store.alerts.list_open():
        kind, _, subject = alert.key.partition("/")
        if not (kind == "feed" and subject.partition("/")[0] in reported):
            level: HealthLevel = "error" if alert.level == "error" else "warning"
            advice = alert.text.split("\n\n")[-1]
            yield _result("alerts", alert.key, level, alert.subject.rstrip("."), advice.rstrip("."))


def _channel_results(store: Store) -> Iterator[HealthResult]:
    """Yield, for each channel that failed, how many alerts wait for it and why."""
    failed = [delivery for delivery, _ in store.alerts.pending() if delivery.error]
    for channel in sorted({delivery.channel for delivery in failed}):
        waiting = [delivery for delivery in failed if delivery.channel == channel]
        alerts = count_in_words(len(waiting), "alert")
        message = f"{alerts} could not be sent by {channel}: {waiting[-1].error.rstrip('.')}"
        yield _result("alerts", channel, "warning", message, "fix that, then run `pipeline notify --test`")


def _person_mail_results(store: Store, now: datetime) -> Iterator[HealthResult]:
    """Yield how many confirmations, guides and the like cannot be sent and why, or that nothing sends them."""
    queue = store.person_mails.queue(now)
    if queue.failed:
        count = count_in_words(queue.failed, "mail")
        message = f"{count} could not be sent: {queue.error.rstrip('.')}"
        yield _result("subscribers", "mails", "warning", message, "fix that; they are tried again for three days")
    elif queue.waiting_since and now - queue.waiting_since > MAX_QUEUE_DELAY:
        count = count_in_words(queue.waiting, "mail")
        message = f"{count} to subscribers should have been sent long ago"
        fix = "`pipeline run` sends them, if [public] url is set"
        yield _result("subscribers", "mails", "warning", message, fix)


def _result(category: str, name: str, level: HealthLevel, message: str, fix: str) -> HealthResult:
    return HealthResult(category=category, name=name, level=level, message=message, fix=fix)
