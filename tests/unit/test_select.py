"""Which entries a week takes: by date, late ones next, a story once, and every one accounted for."""

import random
from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.selection.select import WeekAssignment, select
from pipeline.model.week import Week, WeekCalendar
from tests.factories import MONDAY, entry, episode, stored

W06, W07, W08 = Week(2026, 6), Week(2026, 7), Week(2026, 8)
CLOCK = WeekCalendar.parse("mon 00:00", UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
AFTER_W07 = MONDAY + WEEK + timedelta(hours=8)


def choose(week, entries, **settled):
    made = {key.replace("_", "-"): at for key, at in settled.items()}
    return select(week, entries, WeekAssignment(calendar=CLOCK, closed_weeks=made))


def titles(selection):
    return [[each.entry.title for each in group] for group in selection.groups]


def why(selection, title):
    return next(each.reason for each in selection.decisions if each.title == title)


def test_a_week_takes_what_is_dated_in_it():
    """The first instant is in, the closing is out: it belongs to the next week."""
    found = choose(
        W07,
        [
            stored(entry("Before", MONDAY - timedelta(seconds=1)), 1, first_seen_at=MONDAY - timedelta(seconds=1)),
            stored(entry("Opening", MONDAY), 2),
            stored(entry("Last second", MONDAY + WEEK - timedelta(seconds=1)), 3),
            stored(entry("Closing", MONDAY + WEEK), 4),
        ],
    )
    assert titles(found) == [["Opening"], ["Last second"]]
    assert why(found, "Before") == "dated Sun 8 Feb 2026, belongs to 2026-W06"
    assert why(found, "Closing") == "dated Mon 16 Feb 2026, belongs to 2026-W08"


def test_what_is_read_weeks_later_still_belongs_to_its_week_while_that_is_not_made():
    """Somebody who runs the program once a week, after the closing, does not get every entry a week late."""
    found = choose(W07, [stored(entry(), first_seen_at=AFTER_W07)], **{"2026_W06": MONDAY})
    assert titles(found) == [["Bread"]]


def test_a_late_entry_goes_into_the_next_digest():
    """Dated in a week whose digest was made before it was seen: out there, in the next one, with the reason."""
    late = stored(entry("Late", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY)
    on_time = stored(entry("On time", MONDAY + 8 * DAY), 2)
    made = {"2026_W07": AFTER_W07}
    assert titles(choose(W07, [late, on_time], **made)) == []
    assert "goes into the next digest" in why(choose(W07, [late, on_time], **made), "Late")
    following = choose(W08, [late, on_time], **made)
    assert titles(following) == [["Late"], ["On time"]]
    assert "late: first seen Tue 17 Feb 2026" in why(following, "Late")


def test_an_entry_is_late_for_a_week_that_has_closed_though_nobody_made_it():
    """After a week without a digest, or a month of silence, the next one takes what turned up too late for its own."""
    late = stored(entry("Late", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY)
    assert titles(choose(W08, [late])) == [["Late"]]
    assert "late: first seen Tue 17 Feb 2026, after 2026-W07 had closed" in why(choose(W08, [late]), "Late")
    assert titles(choose(W07, [late])) == [["Late"]]
    assert titles(choose(W06, [late])) == []


def test_a_late_entry_is_not_taken_again_once_a_week_took_it():
    """What 2026-W08 took is out of 2026-W09, and 2026-W08 gives it again."""
    late = stored(entry("Late", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY, week="2026-W08")
    made = {"2026_W07": AFTER_W07, "2026_W08": AFTER_W07 + WEEK}
    assert titles(choose(W08, [late], **made)) == [["Late"]]
    assert titles(choose(W08.next(), [late], **made)) == []
    assert "is in the digest of 2026-W08" in why(choose(W08.next(), [late], **made), "Late")


def test_the_backlog_of_a_new_feed_is_never_late():
    """A feed added today brings old entries: they stay in the weeks of their dates."""
    old = stored(entry("Old", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY, backlog=True)
    assert titles(choose(W08, [old], **{"2026_W07": AFTER_W07})) == []


def test_undated_entries_of_a_first_read_are_archive():
    """Nobody can say when they were news, so they are not news now."""
    undated = stored(entry("Old", MONDAY + DAY, dated_by="first_seen"), backlog=True)
    found = choose(W07, [undated])
    assert titles(found) == []
    assert "archive, not news" in why(found, "Old")


def test_an_undated_entry_that_turns_up_later_counts_from_then():
    """Without a date the day it was first seen is its date."""
    undated = stored(entry("New", MONDAY + DAY, dated_by="first_seen"))
    assert why(choose(W07, [undated]), "New").startswith("undated, first seen Tue 10 Feb 2026")


def test_an_episode_and_its_post_are_one_story():
    """Both are in, together, with the reason they belong together."""
    found = choose(W07, [stored(entry("Bread", MONDAY + DAY), 1), stored(episode("Bread", MONDAY + 2 * DAY), 2)])
    assert titles(found) == [["Bread", "Bread"]]
    assert all("one story" in each.reason for each in found.decisions)


def test_a_story_whose_halves_fall_into_two_weeks_is_told_in_the_earlier_one():
    """The post of Sunday and the episode of Monday are told once, together, in the week of the post."""
    halves = [stored(entry("Bread", MONDAY + 6 * DAY), 1), stored(episode("Bread", MONDAY + 7 * DAY), 2)]
    assert titles(choose(W07, halves)) == [["Bread", "Bread"]]
    following = choose(W08, halves)
    assert titles(following) == []
    assert all("2026-W07" in each.reason for each in following.decisions)


def test_a_half_that_turns_up_after_its_story_was_told_is_not_told_again():
    """The episode seen after 2026-W07 told the post changes nothing there, and is no news in 2026-W08."""
    halves = [
        stored(entry("Bread", MONDAY + 6 * DAY), 1, week="2026-W07"),
        stored(episode("Bread", MONDAY + 7 * DAY + timedelta(hours=9)), 2),
    ]
    made = {"2026_W07": AFTER_W07}
    assert titles(choose(W07, halves, **made)) == [["Bread"]]
    following = choose(W08, halves, **made)
    assert titles(following) == []
    assert any("its story belongs to 2026-W07, with “Bread”" in each.reason for each in following.decisions)


def test_a_settled_week_does_not_change():
    """Whatever turns up afterwards, a week that was made tells the same stories and knows of the same entries."""
    before = [stored(entry("Bread", MONDAY + DAY), 1, week="2026-W07"), stored(entry("Soup", MONDAY - DAY), 2)]
    made = {"2026_W07": AFTER_W07}
    found = choose(W07, before, **made)
    later = [
        stored(entry("Late", MONDAY + 2 * DAY), 3, first_seen_at=AFTER_W07 + DAY),
        stored(episode("Bread", AFTER_W07), 4),
    ]
    afterwards = choose(W07, [*before, *later], **made)
    assert afterwards.stories == found.stories
    assert afterwards.left_out == found.left_out
    assert len(afterwards.decisions) == 4


days = st.integers(-20, 20).map(lambda day: MONDAY + day * DAY)
entries = st.lists(
    st.builds(
        lambda title, at, seen, audio, backlog: stored(
            (episode if audio else entry)(title, at), first_seen_at=max(at, seen), backlog=backlog
        ),
        st.sampled_from(["Bread", "Soup", "Salt", "Kiln"]),
        days,
        days,
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda each: (each.entry.feed_id, each.entry.guid),
)


@given(entries=entries, shuffled=st.randoms())
def test_over_the_weeks_each_entry_is_told_at_most_once_and_none_is_lost(entries, shuffled: random.Random):
    """Weeks made one after the other: every entry is in exactly one, whatever the order of input, archive aside."""
    kept = {each.entry_id: each for each in (replace(each, entry_id=n) for n, each in enumerate(entries))}
    told, settled = [], {}
    for week in [Week(2026, 3).next(n) for n in range(10)]:
        made_at = CLOCK.bounds(week)[1] + timedelta(hours=6)
        seen = [each for each in kept.values() if each.first_seen_at <= made_at]
        shuffled.shuffle(seen)
        found = select(week, seen, WeekAssignment(calendar=CLOCK, closed_weeks=settled))
        assert len(found.decisions) == len(seen)
        told += found.entry_ids
        kept |= {each: replace(kept[each], week=kept[each].week or str(week)) for each in found.entry_ids}
        settled[str(week)] = made_at
    assert len(told) == len(set(told))
    partners = {each.entry.title for each in kept.values() if each.entry_id in told}
    lost = [each for each in kept.values() if each.entry_id not in told and not each.backlog]
    assert [each for each in lost if each.entry.title not in partners] == []
