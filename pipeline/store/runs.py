"""Runs of schedules: each step of a run is written only on top of what its writer has seen.

In: ways to read and to write, frozen records. Out: the same. That compare-and-set is the lock that keeps two processes
from doing the same job; it lies in the database, so it holds between machines, and nobody has to clean it up.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, Update, bindparam, select, update

from pipeline.model.run import Run, is_claimable
from pipeline.store.dialects import insert_if_absent
from pipeline.store.errors import Transaction
from pipeline.store.schema import newest_run, run

_SAME = (run.c.task_id == newest_run.c.task_id) & (run.c.period_key == newest_run.c.period_key)
_NEWEST = select(run).join_from(newest_run, run, _SAME, isouter=True)  # outer, or SQLite reads all runs there ever were
_CURRENT = _NEWEST.where(newest_run.c.task_id == bindparam("of")).with_for_update(of=newest_run)


class RunRepository:
    """The runs of a store; made by it."""

    def __init__(self, asking: Transaction, writing: Transaction) -> None:
        self._asking = asking
        self._writing = writing

    def newest(self) -> dict[str, Run]:
        """Give the run of each schedule that was taken on last, by schedule id."""
        with self._asking() as connection:
            return {row["task_id"]: Run(**row) for row in connection.execute(_NEWEST).mappings()}

    def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
        """Write a run's next step on top of the one seen; False, and nothing written, when that is not so any more.

        ``seen`` is the newest run of the same schedule, of whatever period; None when there never was one.
        ``once``: a period that is over is not begun anew, though it is not the newest. One that still waits is taken
        up again: a clock that ran ahead for a moment had begun the next before it.
        """
        with self._asking() as connection:
            if _current(connection, run.task_id) != expected:
                return False
        with self._writing() as connection:
            return _advance(connection, expected, run, once=never_repeats)


def _advance(connection: Connection, seen: Run | None, to: Run, *, once: bool) -> bool:
    if _current(connection, to.task_id) != seen:
        return False
    if seen is None and not insert_if_absent(connection, newest_run, _pointer(to)):
        return False  # PostgreSQL has no row to lock yet: whoever writes the first one goes on
    if seen is not None and seen.period_key == to.period_key:
        connection.execute(_replaced(to))
        return True
    if not insert_if_absent(connection, run, asdict(to)):
        if once and not is_claimable(_of_period(connection, to), to.claimed_at):
            return False
        connection.execute(_replaced(to))
    moved = update(newest_run).where(newest_run.c.task_id == to.task_id)
    connection.execute(moved.values(period_key=to.period_key))
    return True


def _current(connection: Connection, task_id: str) -> Run | None:
    """Read a schedule's newest run, and let nobody else write one meanwhile."""
    row = connection.execute(_CURRENT, {"of": task_id}).mappings().first()
    return Run(**row) if row else None


def _of_period(connection: Connection, to: Run) -> Run:
    row = connection.execute(select(run).where(_same_period(to))).mappings().one()
    return Run(**row)


def _replaced(to: Run) -> Update:
    return update(run).where(_same_period(to)).values(asdict(to))


def _same_period(to: Run) -> ColumnElement[bool]:
    return (run.c.task_id == to.task_id) & (run.c.period_key == to.period_key)


def _pointer(to: Run) -> dict[str, object]:
    return {"task_id": to.task_id, "period_key": to.period_key}
