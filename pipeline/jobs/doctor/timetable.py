"""The timetable: whether each letter is drafted, and can be shown, before it goes out.

In: rhythms, when weeks close, the moment. Out: Signs. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.model.health import Sign
from pipeline.model.schedule import At, Schedule
from pipeline.model.week import WeekClock


def timetable(clock: WeekClock, draft: Schedule, send: At | None, now: datetime) -> Iterator[Sign]:
    """Look whether the newest draft before the next mailing is of the week that it sends; nothing without a mailing."""
    if send is None:
        return
    send_at = send.next_at(now, clock.zone)
    drafted_at = draft.began_at(send_at, clock.zone) if isinstance(draft, At) else send_at - draft.interval
    good = drafted_at < send_at and clock.newest_closed(drafted_at) == clock.newest_closed(send_at)
    finding = "each letter is drafted before it goes out"
    missed = "the week that [schedule] send sends is not drafted before it, so nobody sees it in time"
    yield Sign(
        group="time",
        name="schedule",
        level="well" if good else "warning",
        finding=finding if good else missed,
        mend="" if good else "let [digest] week_closes come first, then [schedule] draft, then send",
    )


def unapproved(*, wanted: bool, possible: bool) -> Iterator[Sign]:
    """Say so where letters are to go out unapproved, and nothing lets the editor see them first."""
    if wanted and not possible:
        finding = '[digest] approval = "unless-held" has no effect: nothing goes out unapproved that nobody was shown'
        mend = 'give [delivery] smtp_host, which takes the proofs, or write approval = "required"'
        yield Sign(group="mail", name="approval", level="warning", finding=finding, mend=mend)
