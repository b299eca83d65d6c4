"""A closed week as it was when it closed.

Closing a week assigns its entries, and closing later ones assigns others. Decisions are explained by what was known
when the week closed, so that its first digest and every later one give the same reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.select import Selection
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week


def closed_before(week: Week, closed_weeks: Mapping[str, datetime]) -> dict[str, datetime]:
    """Return the weeks that closed before a closed week, with when they closed.

    >>> from datetime import UTC
    >>> monday, tuesday = datetime(2026, 2, 16, tzinfo=UTC), datetime(2026, 2, 17, tzinfo=UTC)
    >>> list(closed_before(Week(2026, 7), {"2026-W06": monday, "2026-W07": monday, "2026-W05": tuesday}))
    ['2026-W06']
    """
    own = closed_weeks[str(week)], str(week)
    return {key: at for key, at in closed_weeks.items() if (at, key) < own}


def assignment_at_closing(week: Week, assignment: WeekAssignment) -> WeekAssignment:
    """Return an assignment in which a closed week and those that closed after it are still open."""
    return replace(assignment, closed_weeks=closed_before(week, assignment.closed_weeks))


def entries_at_closing(week: Week, entries: Iterable[StoredEntry], assignment: WeekAssignment) -> Iterator[StoredEntry]:
    """Yield the entries that were stored when a week closed, without what it and later weeks have recorded of them."""
    closed_at = assignment.closed_weeks[str(week)]
    earlier = closed_before(week, assignment.closed_weeks)
    for stored in entries:
        if assignment.was_known(week, stored):
            yield replace(
                stored,
                changed_at=stored.changed_at if stored.changed_at <= closed_at else stored.first_seen_at,
                assigned_week=stored.assigned_week if stored.assigned_week in earlier else "",
                released_from=stored.released_from if stored.released_from in earlier else "",
                edition_week=stored.edition_week if stored.edition_week in earlier else "",
                late_counterpart=stored.late_counterpart and stored.edition_week in earlier,
            )


def with_reasons_at_closing(selection: Selection, at_closing: Selection) -> Selection:
    """Return a selection with the reasons of another, for every entry that both include or both leave out."""
    earlier = {(one.entry_id, one.included): one for one in at_closing.decisions}
    decisions = tuple(earlier.get((one.entry_id, one.included), one) for one in selection.decisions)
    return replace(selection, decisions=decisions)
