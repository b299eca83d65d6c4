"""The repository of task runs.

A run is written only on top of what its writer has seen. This compare-and-set is the lock that keeps two processes from
running the same task: it is part of the database, so it works across machines and nobody has to clean it up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, select, update

from pipeline.model.run import Run, is_claimable
from pipeline.store.database import Database
from pipeline.store.dialects import insert_if_absent
from pipeline.store.schema import newest_run, run

_SAME = (run.c.task_id == newest_run.c.task_id) & (run.c.period_key == newest_run.c.period_key)
_NEWEST = select(run).join_from(newest_run, run, _SAME, isouter=True)  # outer, or SQLite reads all runs there ever were
_CURRENT = _NEWEST.where(newest_run.c.task_id == bindparam("task")).with_for_update(of=newest_run)


@dataclass(frozen=True, slots=True)
class RunRepository:
    """Runs, by task and period."""

    database: Database

    def newest(self) -> dict[str, Run]:
        """Return the newest run of each task, by task id."""
        with self.database.autocommit() as connection:
            return {row["task_id"]: Run(**row) for row in connection.execute(_NEWEST).mappings()}

    def advance(self, expected: Run | None, run: Run, *, never_repeats: bool = True) -> bool:
        """Write a run on top of the expected one; return False, having written nothing, if that one is out of date.

        ``expected`` is the newest run of the same task, of whatever period, or None if it never ran. With
        ``never_repeats`` a finished period is not begun again, even if it is not the newest. One that may still be
        retried is: a clock that was ahead for a moment has begun the period after it too early.
        """
        with self.database.autocommit() as connection:
            if _current(connection, run.task_id) != expected:
                return False
        with self.database.write() as connection:
            return _advance(connection, expected, run, never_repeats=never_repeats)


def _advance(connection: Connection, expected: Run | None, new: Run, *, never_repeats: bool) -> bool:
    if _current(connection, new.task_id) != expected:
        return False
    pointer = {"task_id": new.task_id, "period_key": new.period_key}
    if expected is None and not insert_if_absent(connection, newest_run, pointer):
        return False  # PostgreSQL has no row to lock yet: whoever writes the first one goes on
    same_period = (run.c.task_id == new.task_id) & (run.c.period_key == new.period_key)
    replacement = update(run).where(same_period).values(asdict(new))
    if expected is not None and expected.period_key == new.period_key:
        connection.execute(replacement)
        return True
    if not insert_if_absent(connection, run, asdict(new)):
        if never_repeats:
            existing = Run(**connection.execute(select(run).where(same_period)).mappings().one())
            if not is_claimable(existing, new.claimed_at):
                return False
        connection.execute(replacement)
    moved = update(newest_run).where(newest_run.c.task_id == new.task_id)
    connection.execute(moved.values(period_key=new.period_key))
    return True


def _current(connection: Connection, task_id: str) -> Run | None:
    """Return a task's newest run, and keep others from writing one meanwhile."""
    row = connection.execute(_CURRENT, {"task": task_id}).mappings().first()
    return Run(**row) if row else None
