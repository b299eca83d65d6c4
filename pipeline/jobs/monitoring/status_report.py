"""All of it as an operator reads it: is it well, what needs whom, what comes next.

In: a store, the feeds, the tasks and when they come, the moment. Out: a Status with nothing left out. Only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.monitoring.run_health import run_health_results
from pipeline.jobs.monitoring.status import EditionStatus, FeedStatus, LastRun, ScheduledRun, Status, load_status
from pipeline.model.check import blocking_results
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import NothingToPublishError, PipelineError
from pipeline.model.feed import Feed
from pipeline.model.health import HEALTH_LEVELS, HealthLevel, HealthResult
from pipeline.model.run import Run
from pipeline.model.week import Week, WeekCalendar
from pipeline.scheduler.engine import NextRun, Task
from pipeline.store import Store
from pipeline.text.format import count_in_words, format_datetime

AWAITING_APPROVAL = "waits for approval: `pipeline approve {week}`"


def build_status_report(
    store: Store,
    feeds: Sequence[Feed],
    calendar: WeekCalendar,
    build_context: Callable[[], DigestContext],
    tasks: Sequence[Task],
    next_runs: Sequence[NextRun],
    *,
    now: datetime,
) -> Status:
    """Look at everything there is, and say how it is doing."""
    runs = store.runs.newest()
    seen = load_status(store, feeds, calendar, build_context, now=now)
    next_jobs = _next_jobs(next_runs, now, calendar.zone)
    asked_at = _rounds(tasks, next_runs, calendar.zone)
    found = tuple(replace(each, next_fetch_at=asked_at(each)) for each in seen.feeds)
    timed = any(task.id == "send" for task in tasks)
    editions = tuple(_editions(store, build_context, calendar, seen, now, timed=timed))
    signs = [sign for each in found for sign in each.health]
    signs += [*_edition_signs(editions, seen.changes), *run_health_results(tasks, runs, now, calendar.zone)]
    signs += [*_notices(store, {each.name for each in signs if each.level != "well"}), *_untold(store)]
    trouble = sorted((each for each in signs if each.level != "well"), key=_gravity)
    return replace(
        seen,
        feeds=found,
        editions=editions,
        next_runs=next_jobs,
        last_runs=tuple(map(_last_run, sorted(runs.values(), key=lambda run: run.claimed_at, reverse=True))),
        problems=tuple(trouble),
        healthy=not any(each.level == "trouble" for each in trouble),
        summary=summarize(trouble),
    )


def summarize(results: Sequence[HealthResult]) -> str:
    """Sum signs up.

    >>> in_a_sentence([])
    'All is well.'
    >>> in_a_sentence([Sign(group="feeds", name="blog", level="trouble", finding="is gone")])
    '1 thing needs mending.'
    """
    parts = []
    for level, one, many in (("trouble", "needs mending", "need mending"), ("warning", "wants a look", "want a look")):
        if number := sum(each.level == level for each in results):
            parts.append(f"{number} {'thing' if number == 1 else 'things'} {one if number == 1 else many}")
    return f"{', '.join(parts)}." if parts else "All is well."


def _gravity(sign: HealthResult) -> int:
    return -HEALTH_LEVELS.index(sign.level)


def _rounds(tasks: Sequence[Task], coming: Sequence[NextRun], zone: tzinfo) -> Callable[[FeedStatus], datetime | None]:
    """Make what says when a feed is asked next: in the first round of fetching once it is due."""
    rhythm = next((task.schedule for task in tasks if task.id == "fetch"), None)
    first = next((each.at for each in coming if each.task_id == "fetch"), None)

    def asked_at(each: FeedStatus) -> datetime | None:
        if rhythm is None or first is None or each.state.gone_at:
            return None
        due = max(filter(None, (each.state.due_at, each.state.retry_at)), default=first)
        return first if due <= first else rhythm.next_at(due - timedelta(microseconds=1), zone)

    return asked_at


def _next_jobs(coming: Sequence[NextRun], now: datetime, zone: tzinfo) -> tuple[ScheduledRun, ...]:
    jobs = (
        ScheduledRun(
            task=each.task_id, at=each.at.astimezone(zone), in_seconds=max(0.0, (each.at - now).total_seconds())
        )
        for each in coming
    )
    return tuple(sorted(jobs, key=lambda job: job.at))


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
    open_press: Callable[[], DigestContext],
    clock: WeekCalendar,
    seen: Status,
    now: datetime,
    *,
    timed: bool,
) -> Iterator[EditionStatus]:
    """Look at the newest closed week closely, at what is under way besides, and at the newest that is out.

    ``timed``: editions go out by themselves, at the time of [schedule] send.
    """
    closed = str(clock.newest_closed(now))
    filled = {each.week for each in seen.weeks}
    made = {week: EditionRecord(week=week) for week in seen.drafted_at if week in filled}
    standings = {closed: EditionRecord(week=closed), **made, **seen.records}
    out = [week for week in sorted(standings, reverse=True) if standings[week].state in ("sent", "skipped")]
    for week in sorted(standings, reverse=True):
        standing = standings[week]
        if standing.state == "draft" and week == closed:
            if week in filled and (draft := _draft(store, open_press, seen, standing, now)):
                yield draft
        elif standing.state == "draft" and week in made:
            yield EditionStatus(
                week=week, state="draft", number=standing.number, blockers=(AWAITING_APPROVAL.format(week=week),)
            )
        elif standing.state not in ("draft", "sent", "skipped") or week in out[:1]:
            blocks = (*_why_it_waits(standing, clock.zone, timed=timed), *seen.changes.get(week, ()))
            yield EditionStatus(week=week, state=standing.state, number=standing.number, blockers=blocks)


def _why_it_waits(standing: EditionRecord, zone: tzinfo, *, timed: bool) -> Iterator[str]:
    week, since = standing.week, format_datetime(standing.changed_at, zone)
    if standing.state == "approved":
        at_its_time = "at its time, or by " if timed else ""
        yield f"waits to be sent: {at_its_time}`pipeline send {week}`{'' if timed else ' sends it'}"
    elif standing.state == "held":
        yield f"held by {standing.changed_by} since {since}: `pipeline resume {week}` takes it up again"
    elif standing.state == "sending":
        yield f"being sent since {since}: if nobody is at it, `pipeline send {week}` finishes it"


def _draft(
    store: Store, open_press: Callable[[], DigestContext], seen: Status, standing: EditionRecord, now: datetime
) -> EditionStatus | None:
    """Look at the draft of the newest closed week; None when it has nothing to tell."""
    from pipeline.jobs.digests.build import current_edition
    from pipeline.jobs.editions.check_links import (
        check_results,  # the digest's rooms are heavy, and often there is nothing to make
    )

    week = standing.week
    try:
        edition = current_edition(store, open_press(), Week.parse(week), now=now)
    except NothingToPublishError:
        return None
    except PipelineError as trouble:
        blocks: tuple[str, ...] = (f"a draft cannot be made: {trouble}",)
        return EditionStatus(week=week, state="draft", blockers=blocks, failed=True)
    stops = blocking_results(check_results(edition, store.link_checks.get(edition.content_hash)))
    blocks = tuple(f"{each.name}: {each.message}" for each in stops)
    waits = AWAITING_APPROVAL.format(week=week) if week in seen.drafted_at else "not made yet"
    return EditionStatus(week=week, state="draft", number=edition.number, blockers=(*blocks, waits), failed=bool(stops))


def _edition_signs(editions: Sequence[EditionStatus], changes: Mapping[str, tuple[str, ...]]) -> Iterator[HealthResult]:
    for each in editions:
        changed = changes.get(each.week, ())
        if each.failed:
            yield _sign("editions", each.week, "trouble", each.blockers[0], f"`pipeline check {each.week}` says more")
        elif changed:
            mend = f"look at it, then run `pipeline approve {each.week}` again, or send it as it is"
            yield _sign("editions", each.week, "warning", f"changed since approval: {changed[0]}", mend)
        elif each.state in ("held", "sending"):
            finding, _, mend = each.blockers[0].partition(": ")
            yield _sign("editions", each.week, "warning", finding, mend)


def _notices(store: Store, told: set[str]) -> Iterator[HealthResult]:
    """Pass on what people were told and is still so, but for what the feeds say themselves."""
    for each in store.alerts.list_open():
        kind, _, about = each.key.partition("/")
        if not (kind == "feed" and about.partition("/")[0] in told):
            level: HealthLevel = "trouble" if each.level == "error" else "warning"
            yield _sign(
                "notices", each.key, level, each.subject.rstrip("."), each.text.rpartition("\n\n")[2].rstrip(".")
            )


def _untold(store: Store) -> Iterator[HealthResult]:
    """Say of each way to tell notices that has failed how many wait for it, and why."""
    failed = [each for each, _ in store.alerts.pending() if each.error]
    for way in sorted({each.channel for each in failed}):
        mine = [each for each in failed if each.channel == way]
        finding = f"{count_in_words(len(mine), 'notice')} could not be told by {way}: {mine[-1].error.rstrip('.')}"
        yield _sign("notices", way, "warning", finding, "mend that; `pipeline notify` tries it out")


def _sign(group: str, name: str, level: HealthLevel, finding: str, mend: str) -> HealthResult:
    return HealthResult(category=group, name=name, level=level, message=finding, fix=mend)
