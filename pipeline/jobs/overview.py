"""All of it as an operator reads it: is it well, what needs whom, what comes next.

In: a store, the feeds, the tasks and when they come, the moment. Out: a Status with nothing left out. Only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from pipeline.jobs.press import Press
from pipeline.jobs.run_signs import run_signs
from pipeline.jobs.status import EditionStatus, FeedStatus, LastRun, NextJob, Status, status
from pipeline.jobs.tick import Coming, Task
from pipeline.model.check import blocking
from pipeline.model.edition import Standing
from pipeline.model.errors import NothingToPublish, PipelineError
from pipeline.model.feed import Feed
from pipeline.model.health import SIGN_LEVELS, Sign, SignLevel
from pipeline.model.run import Run
from pipeline.model.week import Week, WeekClock
from pipeline.store import Store
from pipeline.text.moments import counted
from pipeline.text.stamps import moment

WAITS = "waits for approval: `pipeline approve {week}`"


def overview(
    store: Store,
    feeds: Sequence[Feed],
    clock: WeekClock,
    open_press: Callable[[], Press],
    tasks: Sequence[Task],
    coming: Sequence[Coming],
    *,
    now: datetime,
) -> Status:
    """Look at everything there is, and say how it is doing."""
    runs = store.runs.newest()
    seen = status(store, feeds, clock, open_press, now=now)
    next_jobs = _next_jobs(coming, now, clock.zone)
    asked_at = _rounds(tasks, coming, clock.zone)
    found = tuple(replace(each, next_at=asked_at(each)) for each in seen.feeds)
    timed = any(task.id == "send" for task in tasks)
    editions = tuple(_editions(store, open_press, clock, seen, now, timed=timed))
    signs = [sign for each in found for sign in each.signs]
    signs += [*_edition_signs(editions, seen.changes), *run_signs(tasks, runs, now, clock.zone)]
    signs += [*_notices(store, {each.name for each in signs if each.level != "well"}), *_untold(store)]
    trouble = sorted((each for each in signs if each.level != "well"), key=_gravity)
    return replace(
        seen,
        feeds=found,
        editions=editions,
        next_jobs=next_jobs,
        last_runs=tuple(map(_last_run, sorted(runs.values(), key=lambda run: run.claimed_at, reverse=True))),
        trouble=tuple(trouble),
        well=not any(each.level == "trouble" for each in trouble),
        sentence=in_a_sentence(trouble),
    )


def in_a_sentence(signs: Sequence[Sign]) -> str:
    """Sum signs up.

    >>> in_a_sentence([])
    'All is well.'
    >>> in_a_sentence([Sign(group="feeds", name="blog", level="trouble", finding="is gone")])
    '1 thing needs mending.'
    """
    parts = []
    for level, one, many in (("trouble", "needs mending", "need mending"), ("warning", "wants a look", "want a look")):
        if number := sum(each.level == level for each in signs):
            parts.append(f"{number} {'thing' if number == 1 else 'things'} {one if number == 1 else many}")
    return f"{', '.join(parts)}." if parts else "All is well."


def _gravity(sign: Sign) -> int:
    return -SIGN_LEVELS.index(sign.level)


def _rounds(tasks: Sequence[Task], coming: Sequence[Coming], zone: tzinfo) -> Callable[[FeedStatus], datetime | None]:
    """Make what says when a feed is asked next: in the first round of fetching once it is due."""
    rhythm = next((task.schedule for task in tasks if task.id == "fetch"), None)
    first = next((each.at for each in coming if each.task_id == "fetch"), None)

    def asked_at(each: FeedStatus) -> datetime | None:
        if rhythm is None or first is None or each.state.gone_at:
            return None
        due = max(filter(None, (each.state.due_at, each.state.retry_at)), default=first)
        return first if due <= first else rhythm.next_at(due - timedelta(microseconds=1), zone)

    return asked_at


def _next_jobs(coming: Sequence[Coming], now: datetime, zone: tzinfo) -> tuple[NextJob, ...]:
    jobs = (
        NextJob(task=each.task_id, at=each.at.astimezone(zone), in_seconds=max(0.0, (each.at - now).total_seconds()))
        for each in coming
    )
    return tuple(sorted(jobs, key=lambda job: job.at))


def _last_run(run: Run) -> LastRun:
    return LastRun(
        task=run.schedule_id,
        period=run.period_key,
        outcome=run.outcome,
        line=run.line,
        at=run.claimed_at,
        seconds=(run.finished_at - run.claimed_at).total_seconds() if run.finished_at else None,
        attempts=run.attempts,
    )


def _editions(
    store: Store, open_press: Callable[[], Press], clock: WeekClock, seen: Status, now: datetime, *, timed: bool
) -> Iterator[EditionStatus]:
    """Look at the newest closed week closely, at what is under way besides, and at the newest that is out.

    ``timed``: editions go out by themselves, at the time of [schedule] send.
    """
    closed = str(clock.newest_closed(now))
    filled = {each.week for each in seen.weeks}
    made = {week: Standing(week=week) for week in seen.made if week in filled}
    standings = {closed: Standing(week=closed), **made, **seen.standings}
    out = [week for week in sorted(standings, reverse=True) if standings[week].state in ("sent", "skipped")]
    for week in sorted(standings, reverse=True):
        standing = standings[week]
        if standing.state == "draft" and week == closed:
            if week in filled and (draft := _draft(store, open_press, seen, standing, now)):
                yield draft
        elif standing.state == "draft" and week in made:
            yield EditionStatus(week=week, state="draft", number=standing.number, blocks=(WAITS.format(week=week),))
        elif standing.state not in ("draft", "sent", "skipped") or week in out[:1]:
            blocks = (*_why_it_waits(standing, clock.zone, timed=timed), *seen.changes.get(week, ()))
            yield EditionStatus(week=week, state=standing.state, number=standing.number, blocks=blocks)


def _why_it_waits(standing: Standing, zone: tzinfo, *, timed: bool) -> Iterator[str]:
    week, since = standing.week, moment(standing.moved_at, zone)
    if standing.state == "approved":
        at_its_time = "at its time, or by " if timed else ""
        yield f"waits to be sent: {at_its_time}`pipeline send {week}`{'' if timed else ' sends it'}"
    elif standing.state == "held":
        yield f"held by {standing.moved_by} since {since}: `pipeline resume {week}` takes it up again"
    elif standing.state == "sending":
        yield f"being sent since {since}: if nobody is at it, `pipeline send {week}` finishes it"


def _draft(
    store: Store, open_press: Callable[[], Press], seen: Status, standing: Standing, now: datetime
) -> EditionStatus | None:
    """Look at the draft of the newest closed week; None when it has nothing to tell."""
    from pipeline.jobs.check import findings  # the digest's rooms are heavy, and often there is nothing to make
    from pipeline.jobs.weekly import show

    week = standing.week
    try:
        edition = show(store, open_press(), Week.parse(week), now=now)
    except NothingToPublish:
        return None
    except PipelineError as trouble:
        blocks: tuple[str, ...] = (f"a draft cannot be made: {trouble}",)
        return EditionStatus(week=week, state="draft", blocks=blocks, broken=True)
    stops = blocking(findings(edition, store.editions.look(edition.content_hash)))
    blocks = tuple(f"{each.name}: {each.message}" for each in stops)
    waits = WAITS.format(week=week) if week in seen.made else "not made yet"
    return EditionStatus(week=week, state="draft", number=edition.number, blocks=(*blocks, waits), broken=bool(stops))


def _edition_signs(editions: Sequence[EditionStatus], changes: Mapping[str, tuple[str, ...]]) -> Iterator[Sign]:
    for each in editions:
        changed = changes.get(each.week, ())
        if each.broken:
            yield _sign("editions", each.week, "trouble", each.blocks[0], f"`pipeline check {each.week}` says more")
        elif changed:
            mend = f"look at it, then run `pipeline approve {each.week}` again, or send it as it is"
            yield _sign("editions", each.week, "warning", f"changed since approval: {changed[0]}", mend)
        elif each.state in ("held", "sending"):
            finding, _, mend = each.blocks[0].partition(": ")
            yield _sign("editions", each.week, "warning", finding, mend)


def _notices(store: Store, told: set[str]) -> Iterator[Sign]:
    """Pass on what people were told and is still so, but for what the feeds say themselves."""
    for each in store.notices.open():
        kind, _, about = each.key.partition("/")
        if not (kind == "feed" and about.partition("/")[0] in told):
            level: SignLevel = "trouble" if each.level == "error" else "warning"
            yield _sign(
                "notices", each.key, level, each.subject.rstrip("."), each.text.rpartition("\n\n")[2].rstrip(".")
            )


def _untold(store: Store) -> Iterator[Sign]:
    """Say of each way to tell notices that has failed how many wait for it, and why."""
    failed = [each for each, _ in store.notices.waiting() if each.trouble]
    for way in sorted({each.way for each in failed}):
        mine = [each for each in failed if each.way == way]
        finding = f"{counted(len(mine), 'notice')} could not be told by {way}: {mine[-1].trouble.rstrip('.')}"
        yield _sign("notices", way, "warning", finding, "mend that; `pipeline notify` tries it out")


def _sign(group: str, name: str, level: SignLevel, finding: str, mend: str) -> Sign:
    return Sign(group=group, name=name, level=level, finding=finding, mend=mend)
