"""The week of an entry, and the sentences that explain it: each rule, at its boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.closing import assignment_at_closing, entries_at_closing, with_reasons_at_closing
from pipeline.digest.selection.explain import DecisionExplainer
from pipeline.digest.selection.repeats import Repeat
from pipeline.digest.selection.select import Selection
from pipeline.model.digest import Decision
from pipeline.model.edition import EditionRecord, Overrides
from pipeline.model.entry import StoredEntry
from pipeline.model.week import Week, WeekCalendar
from tests.factories import MONDAY, entry, stored

W06, W07, W08, W09 = (Week(2026, number) for number in range(6, 10))
CALENDAR = WeekCalendar.parse("mon 00:00", UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
END = MONDAY + WEEK
"""When 2026-W07 closes."""
BREAD = stored(entry("Bread", MONDAY + DAY), 1)
SOUP = stored(entry("Soup", MONDAY + 2 * DAY), 2)
NO_OVERRIDES = Overrides()


def weeks(**more: Any) -> WeekAssignment:
    return WeekAssignment(**({"calendar": CALENDAR, "closed_weeks": {}} | more))


def editions(**states: str) -> dict[str, EditionRecord]:
    """Return records by week, with the number of the week as their number: ``W07="sent"``."""
    keys = {name: f"2026-{name}" for name in states}
    return {
        keys[name]: EditionRecord(week=keys[name], state=state, number=int(name[1:])) for name, state in states.items()
    }


def included(of: StoredEntry) -> Overrides:
    return Overrides(put_back=(f"{of.entry.feed_id} {of.entry.guid}",))


# ── The week ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_was_known_up_to_the_closing() -> None:
    """Whether or not it is of the same week; every entry is known to a week that is still open."""
    closed = weeks(closed_weeks={"2026-W07": BREAD.first_seen_at})
    assert closed.was_known(W07, BREAD)
    assert not closed.was_known(W07, replace(BREAD, first_seen_at=BREAD.first_seen_at + HOUR))
    assert closed.was_known(W08, replace(BREAD, first_seen_at=END + WEEK))


@pytest.mark.parametrize(
    ("fields", "considered"),
    [({}, False), ({"assigned_week": "2026-W07"}, True), ({"edition_week": "2026-W05"}, True)],
)
def test_a_closed_week_considers_its_own_entries(fields: dict[str, Any], considered: bool) -> None:
    """Also those of sealed editions, and those that the editor includes; an open week considers all."""
    closed, one = weeks(closed_weeks={"2026-W07": END}), replace(BREAD, **fields)
    assert closed.considers(W07, one, NO_OVERRIDES) is considered
    assert closed.considers(W07, one, included(one))
    assert closed.considers(W08, one, NO_OVERRIDES)


@pytest.mark.parametrize(
    ("seen_at", "closed_weeks", "late"),
    [
        (END - HOUR, {}, False),
        (END, {}, True),
        (END - HOUR, {"2026-W07": END - 2 * HOUR}, True),
        (END - HOUR, {"2026-W07": END - HOUR}, False),
        (END - HOUR, {"2026-W08": END - 2 * HOUR}, True),
        (END - HOUR, {"2026-W06": END - 2 * HOUR}, False),
    ],
)
def test_an_entry_is_late_after_the_end_or_the_closing(seen_at: Any, closed_weeks: Any, late: bool) -> None:
    """Its own week has ended, or that or a later week was closed before it came; archived entries never are."""
    one = replace(BREAD, first_seen_at=seen_at)
    assert weeks(closed_weeks=closed_weeks).is_late(one) is late
    assert not weeks(closed_weeks=closed_weeks).is_late(replace(one, archived=True))


def test_a_week_is_past_once_a_later_one_has_ended() -> None:
    """Or once it or a later one is closed."""
    assert not weeks().is_past(W07)
    assert [weeks(newest_closed=W07).is_past(week) for week in (W06, W07, W08)] == [True, False, False]
    assert [weeks(closed_weeks={"2026-W07": END}).is_past(week) for week in (W06, W07, W08)] == [True, True, False]


@pytest.mark.parametrize(
    ("fields", "carried"),
    [
        ({}, True),
        ({"archived": True}, False),
        ({"archived": True, "released_from": "2026-W06"}, True),
        ({"assigned_week": "2026-W07"}, False),
        ({"edition_week": "2026-W07"}, False),
        ({"edition_week": "2026-W07", "released_from": "2026-W06"}, False),
    ],
)
def test_an_entry_that_missed_its_week_carries_over(fields: dict[str, Any], carried: bool) -> None:
    """Unless it is archive, or some digest or edition has it; what a week released always does."""
    one = replace(BREAD, **fields)
    assert weeks(newest_closed=W08).carries_over(one) is carried
    assert weeks().carries_over(replace(one, first_seen_at=END)) is carried
    assert weeks().carries_over(one) is (carried and bool(one.released_from))


def test_an_entry_is_too_new_after_the_quiet_time_began() -> None:
    """New or changed later than that; never an archived one, and none if there is no such time."""
    quiet = weeks(quiet_since=BREAD.first_seen_at)
    changed = replace(BREAD, changed_at=BREAD.first_seen_at + HOUR)
    assert [quiet.is_too_new(one) for one in (BREAD, changed, replace(changed, archived=True))] == [False, True, False]
    assert quiet.is_too_new(replace(BREAD, first_seen_at=BREAD.first_seen_at + HOUR))
    assert not weeks().is_too_new(changed)


@pytest.mark.parametrize(
    ("fields", "closed", "requested", "week"),
    [
        ({}, (), W07, W07),
        ({}, (), W06, W07),
        ({}, (), W08, W08),  # W08 is requested when W07 has ended without a digest
        ({"first_seen_at": END + HOUR}, (), W07, W07),
        ({"first_seen_at": END + HOUR}, ("2026-W07",), W07, W08),
        ({"first_seen_at": END + HOUR}, ("2026-W07", "2026-W08"), W08, W09),
        ({"assigned_week": "2026-W06"}, (), W08, W06),
        ({"archived": True}, (), W08, W07),
    ],
)
def test_the_digest_of_an_entry(fields: dict[str, Any], closed: Any, requested: Week, week: Week) -> None:
    """Its own week's, or that of the next digest, which is never one before its date."""
    assignment = weeks(closed_weeks=dict.fromkeys(closed, END), newest_closed=W07 if requested == W07 else W08)
    assert assignment.digest_week(replace(BREAD, **fields), requested) == week


def test_the_edition_of_a_story() -> None:
    """Of two, a sent one counts, then the earlier one; "" without any."""
    pair = (replace(BREAD, edition_week="2026-W06"), replace(SOUP, edition_week="2026-W07"))
    assert weeks().sealed_in((BREAD, SOUP)) == ""
    assert weeks(records=editions(W06="approved", W07="approved")).sealed_in(pair) == "2026-W06"
    for state in ("sending", "sent"):
        assert weeks(records=editions(W06="approved", W07=state)).sealed_in(pair) == "2026-W07"
    assert weeks(records=editions(W06="sent", W07="sent")).sealed_in(pair) == "2026-W06"


@pytest.mark.parametrize(
    ("story", "states", "overrides", "week"),
    [
        ([BREAD, SOUP], {}, NO_OVERRIDES, W07),
        ([BREAD, SOUP], {}, included(SOUP), W09),
        ([replace(BREAD, edition_week="2026-W07"), SOUP], {"W07": "sent"}, NO_OVERRIDES, W07),
        ([replace(BREAD, edition_week="2026-W07")], {"W07": "approved"}, included(BREAD), W07),
        ([replace(BREAD, edition_week="2026-W07", late_counterpart=True)], {}, included(BREAD), W09),
        ([replace(BREAD, edition_week="2026-W09")], {"W09": "approved"}, included(BREAD), W09),
        ([replace(BREAD, edition_week="2026-W09"), SOUP], {"W09": "sent"}, NO_OVERRIDES, W09),
        ([replace(BREAD, edition_week="2026-W09", late_counterpart=True)], {"W09": "sent"}, NO_OVERRIDES, W09),
        ([SOUP], {"W09": "sent"}, included(SOUP), W07),
        ([replace(BREAD, archived=True), replace(SOUP, released_from="2026-W08")], {}, NO_OVERRIDES, W09),
        ([replace(BREAD, archived=True), replace(SOUP, assigned_week="2026-W08")], {}, NO_OVERRIDES, W08),
        ([stored(entry("Old", MONDAY, dated_by="first_seen"), archived=True)], {}, NO_OVERRIDES, None),
    ],
)
def test_the_week_of_a_story(story: list[StoredEntry], states: Any, overrides: Overrides, week: Week | None) -> None:
    """When the digest of 2026-W09 is built: editions first, then the editor, then the digests of its new entries."""
    assert weeks(records=editions(**states)).week_of_story(story, W09, overrides) == week


def test_a_closed_week_is_seen_as_it_was_when_it_closed() -> None:
    """Entries that came later are not there, and what it and later weeks have recorded is not either."""
    closed = weeks(closed_weeks={"2026-W06": MONDAY, "2026-W07": END, "2026-W08": END + WEEK})
    assert assignment_at_closing(W07, closed) == weeks(closed_weeks={"2026-W06": MONDAY})
    recorded = {"assigned_week": "2026-W07", "released_from": "2026-W08", "edition_week": "2026-W07"}
    earlier = dict.fromkeys(recorded, "2026-W06") | {"late_counterpart": True}
    late = replace(BREAD, entry_id=8, first_seen_at=END + HOUR)
    changed = replace(BREAD, changed_at=END + HOUR, late_counterpart=True, **recorded)
    known = replace(SOUP, changed_at=END, **earlier)
    assert list(entries_at_closing(W07, [changed, known, late], closed)) == [BREAD, known]


def test_reasons_at_closing_replace_those_of_the_same_decision() -> None:
    """An entry that was left out at the closing and is included now keeps its new reason."""
    decisions = [
        Decision(feed_id="blog", guid=guid, title="", included=True, reason="now", published_at=MONDAY, entry_id=number)
        for number, guid in enumerate("ab")
    ]
    then = [replace(one, reason="then", included=one.entry_id == 0) for one in decisions]
    now, before = (Selection(stories=(), decisions=tuple(some)) for some in (decisions, then))
    assert [one.reason for one in with_reasons_at_closing(now, before).decisions] == ["then", "now"]


# ── The sentences ────────────────────────────────────────────────────────────────────────────────────────────────


def explainer(week: Week, overrides: Overrides = NO_OVERRIDES, **more: Any) -> DecisionExplainer:
    return DecisionExplainer(week=week, assignment=weeks(**more), overrides=overrides)


UNDATED = stored(entry("Undated", MONDAY + DAY, dated_by="first_seen"), 3)
UNUSABLE = stored(entry("Undated", MONDAY + DAY, dated_by="first_seen", unusable_date="noon"), 3)


@pytest.mark.parametrize(
    ("week", "one", "more", "reason"),
    [
        (W07, BREAD, {}, "dated Tue 10 Feb 2026, in 2026-W07"),
        (W07, UNDATED, {}, "undated, first seen Tue 10 Feb 2026, in 2026-W07"),
        (
            W07,
            UNUSABLE,
            {},
            "without a usable date (it says “noon”), first seen Tue 10 Feb 2026, in 2026-W07",
        ),
        (W08, BREAD, {"overrides": included(BREAD)}, "dated Tue 10 Feb 2026, put back by the editor"),
        (
            W08,
            replace(BREAD, released_from="2026-W07"),
            {"records": editions(W07="held")},
            "dated Tue 10 Feb 2026, carried over from 2026-W07, which is held",
        ),
        (
            W08,
            replace(BREAD, released_from="2026-W07"),
            {"records": editions(W07="skipped")},
            "dated Tue 10 Feb 2026, carried over from 2026-W07, which was skipped",
        ),
        (W08, replace(BREAD, released_from="2026-W07"), {}, "dated Tue 10 Feb 2026, carried over from 2026-W07"),
        (
            W08,
            replace(BREAD, first_seen_at=END + HOUR),
            {},
            "dated Tue 10 Feb 2026, late: first seen Mon 16 Feb 2026, after 2026-W07 had closed",
        ),
        (
            W08,
            replace(BREAD, first_seen_at=END + HOUR),
            {"closed_weeks": {"2026-W07": END}},
            "dated Tue 10 Feb 2026, late: first seen Mon 16 Feb 2026, after the digest for its date had been built",
        ),
        (W08, BREAD, {}, "dated Tue 10 Feb 2026, carried over: not in the digest of 2026-W07"),
        (W08, replace(BREAD, archived=True), {}, "dated Tue 10 Feb 2026, included with the rest of its story"),
        (W06, BREAD, {}, "dated Tue 10 Feb 2026, included with the rest of its story"),
    ],
)
def test_an_included_entry_is_explained(week: Week, one: StoredEntry, more: Any, reason: str) -> None:
    """Its date, and why it is in this digest."""
    assert explainer(week, **more).explain_included(one, (one,)) == reason


CLOSED = {"closed_weeks": {"2026-W07": END}}


@pytest.mark.parametrize(
    ("week", "one", "more", "reason"),
    [
        (
            W08,
            replace(BREAD, edition_week="2026-W07"),
            {"records": editions(W07="sent")},
            "was sent with Issue 7 (2026-W07); nothing is published twice",
        ),
        (
            W08,
            replace(BREAD, edition_week="2026-W07"),
            {"records": editions(W07="approved")},
            "is in Issue 7 (2026-W07), which is approved; nothing is published twice",
        ),
        (
            W07,
            replace(BREAD, edition_week="2026-W07", late_counterpart=True),
            {"records": editions(W07="sent")},
            "its story with “Soup” was sent with Issue 7 (2026-W07); a story is published once",
        ),
        (W08, BREAD, {}, "belongs to 2026-W07"),
        (W08, replace(BREAD, first_seen_at=END), {}, "its story belongs to 2026-W07, with “Soup”"),
        (W06, BREAD, {}, "its story belongs to 2026-W08, with “Soup”"),
        (W07, replace(BREAD, assigned_week="2026-W06"), {}, "is in the digest of 2026-W06"),
        (W07, BREAD, CLOSED, "not included when this digest was built: goes into the next digest"),
        (
            W07,
            replace(BREAD, first_seen_at=END + DAY),
            CLOSED,
            "first seen Tue 17 Feb 2026, after this digest was built: goes into the next digest",
        ),
        (
            W07,
            replace(BREAD, first_seen_at=END + DAY, assigned_week="2026-W08"),
            CLOSED,
            "first seen Tue 17 Feb 2026, after this digest was built: went into 2026-W08",
        ),
        (W07, replace(BREAD, first_seen_at=END + DAY, archived=True), CLOSED, "belongs to 2026-W07"),
        (
            W07,
            replace(BREAD, released_from="2026-W07"),
            CLOSED,
            "carried over when 2026-W07 was closed: goes into the next digest",
        ),
        (
            W07,
            replace(BREAD, released_from="2026-W06"),
            CLOSED | {"records": editions(W06="held")},
            "released by 2026-W06, which is held: goes into the next digest",
        ),
    ],
)
def test_a_left_out_entry_is_explained(week: Week, one: StoredEntry, more: Any, reason: str) -> None:
    """Its date, and where it is or will be."""
    soup = replace(SOUP, assigned_week="2026-W08" if week == W06 else "")
    assert (
        explainer(week, **more).explain_left_out(one, (one, soup), too_new=False) == f"dated Tue 10 Feb 2026, {reason}"
    )


def test_a_late_entry_goes_into_the_next_digest() -> None:
    """Where nothing else decides its week."""
    late = replace(BREAD, first_seen_at=END + HOUR)
    reason = explainer(W08).explain_left_out(late, (late,), too_new=False)
    assert reason == "dated Tue 10 Feb 2026, goes into the next digest"


def test_an_entry_that_is_too_new_is_explained() -> None:
    """By the last change of its story."""
    touched = replace(SOUP, changed_at=MONDAY + 3 * DAY + HOUR)
    reason = explainer(W07).explain_left_out(BREAD, (BREAD, touched), too_new=True)
    since = "its story appeared or changed Thu 12 Feb 2026 01:00; the next digest includes it"
    assert reason == f"dated Tue 10 Feb 2026, too new: {since}"


def test_archive_is_explained() -> None:
    """An entry without a date that came with its feed belongs to no week."""
    old = replace(UNDATED, archived=True)
    reason = explainer(W07).explain_left_out(old, (old,), too_new=False)
    assert reason == "undated and already there when its feed was first fetched: archive, not news"


def test_a_repeat_is_explained() -> None:
    """By its original, where that is, and the evidence."""
    sent = {"records": editions(W06="sent")}
    sure = Repeat(original=replace(SOUP, edition_week="2026-W06"), evidence="the same text", certain=True)
    assert explainer(W07, **sent).explain_repeat(BREAD, sure) == (
        "dated Tue 10 Feb 2026, repeats “Soup” of Wed 11 Feb 2026, which was sent with Issue 6 (2026-W06): "
        "the same text; nothing is published twice"
    )
    untitled = stored(entry("Soup", MONDAY, guid="x"), 9)
    unsure = Repeat(
        original=replace(untitled, entry=replace(untitled.entry, title="")), evidence="the same title", certain=False
    )
    assert explainer(W07).explain_repeat(BREAD, unsure) == (
        "dated Tue 10 Feb 2026, may repeat “(no title)” of Mon 9 Feb 2026: the same title; put it back if not"
    )
