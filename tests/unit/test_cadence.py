"""The cadence of simulated feeds with known truth: two years each, with typical irregularities."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.ingest.cadence import estimate_cadence, expected_on, is_late, publishing_days

DAY = timedelta(days=1)
BEGIN, END = date(2024, 9, 3), date(2026, 9, 1)
HOLIDAYS = (
    (date(2024, 12, 22), date(2025, 1, 5)),
    (date(2025, 8, 1), date(2025, 8, 25)),
    (date(2025, 12, 20), date(2026, 1, 4)),
)
HISTORIES = 12
MOST_FALSE_ALARMS = 0.01
"""Of all checks of feeds with a cadence, while nothing is missing."""
MOST_FALSE_ALARMS_IRREGULAR = 0.015
"""Of all checks of feeds without one: every alarm is false there."""


@dataclass(frozen=True)
class Behaviour:
    """The behaviour of a simulated feed."""

    every_days: int
    slips: tuple[int, ...] = (0,)
    """By how many days it is late or early, each as likely as the next."""
    weekdays_only: bool = False
    doubles: float = 0.0
    """The share of its days that are followed by a second one."""

    def slots(self, chance: random.Random) -> list[tuple[date, date | None]]:
        """Return two years of days on which an entry is due, with the day it came; None in the holidays."""
        found: list[tuple[date, date | None]] = []
        day = BEGIN
        while day < END:
            away = any(start <= day < end for start, end in HOLIDAYS)
            if not (self.weekdays_only and day.weekday() > 4):
                found.append((day, None if away else day + chance.choice(self.slips) * DAY))
                if not away and chance.random() < self.doubles:
                    found.append((day + 2 * DAY, day + 2 * DAY))
            day += self.every_days * DAY
        return found


BEHAVIOURS = {
    "weekly, to the day": Behaviour(7),
    "weekly, with slips": Behaviour(7, slips=(0, 0, 0, 0, 0, 0, 0, 1, 1, 2)),
    "weekly, with many slips": Behaviour(7, slips=(-1, 0, 0, 0, 0, 1, 1, 2, 3, 4)),
    "weekly, sometimes twice": Behaviour(7, slips=(0, 0, 0, 1), doubles=0.15),
    "fortnightly": Behaviour(14, slips=(0, 0, 0, 0, 0, 1, 2)),
    "every working day": Behaviour(1, weekdays_only=True),
    "every third day": Behaviour(3, slips=(0, 0, 0, 1)),
    "monthly": Behaviour(30, slips=(-2, -1, 0, 0, 1, 2, 3)),
}


@dataclass
class Tally:
    """The results of checks."""

    well: int = 0
    false: int = 0
    missing: int = 0
    overlooked: int = 0


def tally_checks(
    slots: Sequence[tuple[date, date | None]], weekday: int, missing: Callable[[date, date], bool]
) -> Tally:
    """Check a feed once a week for two years; ``missing(last, today)`` is the truth."""
    actual, count = sorted({came for _, came in slots if came}), Tally()
    for number in range((END - BEGIN).days):
        today = BEGIN + number * DAY
        seen = [day for day in actual if day <= today]
        if today.weekday() != weekday or not seen:
            continue
        late = is_late(estimate_cadence(seen), seen[-1], today)
        if missing(seen[-1], today):
            count.missing += 1
            count.overlooked += not late
        else:
            count.well += 1
            count.false += late
    return count


def summed(counts: Sequence[Tally]) -> Tally:
    return Tally(*(sum(getattr(each, name) for each in counts) for name in ("well", "false", "missing", "overlooked")))


def tally_histories(behaviour: Behaviour) -> Tally:
    """Check many histories of a feed."""
    counts = []
    for seed in range(HISTORIES):
        slots = behaviour.slots(random.Random(seed))
        dropped = [due for due, came in slots if came is None]
        longest_slip = max(behaviour.slips)
        counts.append(
            tally_checks(
                slots,
                seed % 7,
                lambda last, today, dropped=dropped, slip=longest_slip: any(
                    last - slip * DAY < due <= today for due in dropped
                ),
            )
        )
    return summed(counts)


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_false_alarms_are_rare(behaviour: Behaviour) -> None:
    """At most one in a hundred checks without a missing entry reports a late feed."""
    count = tally_histories(behaviour)
    assert count.well > 800
    assert count.false <= MOST_FALSE_ALARMS * count.well


@pytest.mark.parametrize("mean_days", [3, 6, 10, 20])
def test_irregular_feed_is_rarely_late(mean_days: int) -> None:
    """Nobody can say when its next entry is due."""
    counts = []
    for seed in range(3 * HISTORIES):
        chance, day, slots = random.Random(seed), BEGIN, []
        while day < END:
            day += max(1, round(chance.expovariate(1 / mean_days))) * DAY
            slots.append((day, day))
        counts.append(tally_checks(slots, seed % 7, lambda last, today: False))
    count = summed(counts)
    assert count.well > 3000
    assert count.false <= MOST_FALSE_ALARMS_IRREGULAR * count.well


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_stopped_feed_is_late(behaviour: Behaviour) -> None:
    """At the latest one gap, or a week, after the first missing entry, plus its longest delay."""
    for seed in range(HISTORIES):
        slots = behaviour.slots(random.Random(seed))
        stopped = [(due, came) for due, came in slots if came and due < date(2026, 6, 1)]
        last = max(came for _, came in stopped if came)
        rhythm = estimate_cadence(sorted({came for _, came in stopped if came}))
        noticed = next(last + days * DAY for days in range(1, 200) if is_late(rhythm, last, last + days * DAY))
        due = last + behaviour.every_days * DAY
        assert noticed <= due + (max(behaviour.every_days, 7) + max(behaviour.slips) + 1) * DAY


def test_a_punctual_feed_is_late_the_day_after() -> None:
    """The check of the very next day reports it."""
    tuesdays = [date(2026, 1, 6) + number * 7 * DAY for number in range(8)]
    rhythm = estimate_cadence(tuesdays[:-1])
    assert expected_on(rhythm, tuesdays[-2]) == tuesdays[-1]
    assert not is_late(rhythm, tuesdays[-2], tuesdays[-1])
    assert is_late(rhythm, tuesdays[-2], tuesdays[-1] + DAY)


def test_new_feed_is_never_late() -> None:
    """A year without entries after five posts says nothing."""
    days = [date(2026, 1, 6) + number * 7 * DAY for number in range(6)]
    assert not estimate_cadence(days).confident
    assert not is_late(estimate_cadence(days), days[-1], days[-1] + 365 * DAY)
    assert not is_late(estimate_cadence([]), days[-1], days[-1] + 365 * DAY)


def test_a_burst_and_an_imported_archive_are_one_day_each() -> None:
    """Eighty posts of one afternoon do not change the cadence."""
    tuesdays = [datetime(2026, 1, 6, 12, tzinfo=UTC) + number * 7 * DAY for number in range(9)]
    imported = [datetime(2026, 1, 22, 15, minute, tzinfo=UTC) for minute in range(60)]
    assert estimate_cadence(publishing_days([*tuesdays, *imported], UTC)) == estimate_cadence(
        publishing_days(tuesdays, UTC)
    )


def test_days_are_those_of_the_publication() -> None:
    """Half past eleven at night in London is still that day in London."""
    late = [datetime(2026, 6, 2, 22, 30, tzinfo=UTC), datetime(2026, 6, 2, 23, 30, tzinfo=UTC)]
    assert publishing_days(late, ZoneInfo("Europe/London")) == [date(2026, 6, 2), date(2026, 6, 3)]


def test_changed_habits_are_followed() -> None:
    """From weekly to monthly: after some months the new cadence counts, and no month is late."""
    weekly = [date(2024, 1, 2) + number * 7 * DAY for number in range(52)]
    monthly = [weekly[-1] + number * 30 * DAY for number in range(1, 25)]
    rhythm = estimate_cadence([*weekly, *monthly])
    assert rhythm.interval_days == 30
    assert not is_late(rhythm, monthly[-1], monthly[-1] + 30 * DAY)
