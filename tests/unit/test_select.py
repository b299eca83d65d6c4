"""Selection: the week of each entry, late entries, stories published once, and a decision on every entry."""

import random
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.select import select
from pipeline.model.edition import EditionRecord, Overrides
from pipeline.model.feed import Feed, FilterRule
from pipeline.model.week import Week, WeekCalendar
from tests.factories import MONDAY, entry, episode, stored

W06, W07, W08 = Week(2026, 6), Week(2026, 7), Week(2026, 8)
CALENDAR = WeekCalendar.parse("mon 00:00", UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
AFTER_W07 = MONDAY + WEEK + timedelta(hours=8)


def choose(week, entries, *, post_decides=True, **closed_weeks):
    closed_weeks = {key.replace("_", "-"): at for key, at in closed_weeks.items()}
    assignment = WeekAssignment(calendar=CALENDAR, closed_weeks=closed_weeks, post_decides=post_decides)
    return select(week, entries, assignment)


def titles(selection):
    return [[stored.entry.title for stored in story] for story in selection.stories]


def why(selection, title):
    return next(decision.reason for decision in selection.decisions if decision.title == title)


def test_a_week_has_the_entries_dated_in_it():
    """The first instant is in; the closing instant belongs to the next week."""
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


def test_an_entry_fetched_after_its_week_ended_is_included_if_the_week_is_not_closed():
    """Whoever runs the program once a week, after the closing, does not get every entry a week late."""
    found = choose(W07, [stored(entry(), first_seen_at=AFTER_W07)], **{"2026_W06": MONDAY})
    assert titles(found) == [["Bread"]]


def test_a_late_entry_goes_into_the_next_digest():
    """An entry first seen after its week was closed is in the next digest, with the reason."""
    late = stored(entry("Late", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY)
    on_time = stored(entry("On time", MONDAY + 8 * DAY), 2)
    closed = {"2026_W07": AFTER_W07}
    assert titles(choose(W07, [late, on_time], **closed)) == []
    assert "goes into the next digest" in why(choose(W07, [late, on_time], **closed), "Late")
    following = choose(W08, [late, on_time], **closed)
    assert titles(following) == [["Late"], ["On time"]]
    assert "late: first seen Tue 17 Feb 2026" in why(following, "Late")


def test_an_entry_is_late_for_a_week_that_ended_without_a_digest():
    """After weeks without a digest, the next one includes entries that arrived too late for their own."""
    late = stored(entry("Late", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY)
    assert titles(choose(W08, [late])) == [["Late"]]
    assert "late: first seen Tue 17 Feb 2026, after 2026-W07 had closed" in why(choose(W08, [late]), "Late")
    assert titles(choose(W07, [late])) == [["Late"]]
    assert titles(choose(W06, [late])) == []


def test_a_late_entry_is_included_only_once():
    """An entry of 2026-W08 is not in 2026-W09, and 2026-W08 built again still has it."""
    late = stored(entry("Late", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY, assigned_week="2026-W08")
    closed = {"2026_W07": AFTER_W07, "2026_W08": AFTER_W07 + WEEK}
    assert titles(choose(W08, [late], **closed)) == [["Late"]]
    assert titles(choose(W08.next(), [late], **closed)) == []
    assert "is in the digest of 2026-W08" in why(choose(W08.next(), [late], **closed), "Late")


def test_archived_entries_of_a_new_feed_are_never_late():
    """Old entries of a feed added today belong to the weeks of their dates."""
    old = stored(entry("Old", MONDAY + DAY), first_seen_at=AFTER_W07 + DAY, archived=True)
    assert titles(choose(W08, [old], **{"2026_W07": AFTER_W07})) == []


def test_undated_entries_of_a_first_fetch_are_archive():
    """Without a date nobody knows when they were news."""
    undated = stored(entry("Old", MONDAY + DAY, dated_by="first_seen"), archived=True)
    found = choose(W07, [undated])
    assert titles(found) == []
    assert "archive, not news" in why(found, "Old")


def test_an_undated_entry_is_dated_when_first_seen():
    """After the first fetch of a feed, the date of an undated entry is when it was first seen."""
    undated = stored(entry("New", MONDAY + DAY, dated_by="first_seen"))
    assert why(choose(W07, [undated]), "New").startswith("undated, first seen Tue 10 Feb 2026")


def test_an_episode_and_its_post_are_one_story():
    """Both are included, as one story, with the reason for pairing them."""
    found = choose(W07, [stored(entry("Bread", MONDAY + DAY), 1), stored(episode("Bread", MONDAY + 2 * DAY), 2)])
    assert titles(found) == [["Bread", "Bread"]]
    assert all("paired: " in decision.reason for decision in found.decisions)


def test_a_story_across_two_weeks_is_in_the_week_of_its_post():
    """Whether the post of Sunday or the episode of Sunday is the first; the reasons name the post."""
    for post_day, week, other in ((6, W07, W08), (7, W08, W07)):
        both = [
            stored(entry("Bread", MONDAY + post_day * DAY), 1),
            stored(episode("Bread", MONDAY + (13 - post_day) * DAY), 2),
        ]
        found = choose(week, both)
        assert titles(found) == [["Bread", "Bread"]]
        assert sum(f"in {week}, the week of its post “Bread”" in one.reason for one in found.decisions) == 1
        assert titles(choose(other, both)) == []
        reasons = [decision.reason for decision in choose(other, both).decisions]
        assert all(str(week) in reason for reason in reasons)
        assert sum("the week of its post “Bread”" in reason for reason in reasons) == 1


def test_the_first_entry_of_a_story_can_decide_its_week():
    """With story_week = "first", the episode of Sunday takes the post of Monday along."""
    both = [stored(entry("Bread", MONDAY + 7 * DAY), 1), stored(episode("Bread", MONDAY + 6 * DAY), 2)]
    assert titles(choose(W07, both, post_decides=False)) == [["Bread", "Bread"]]
    assert titles(choose(W08, both, post_decides=False)) == []
    reasons = [decision.reason for decision in choose(W08, both, post_decides=False).decisions]
    assert any("its story belongs to 2026-W07, with “Bread”" in reason for reason in reasons)


def test_an_episode_does_not_wait_for_a_post_that_is_not_there():
    """A post that comes after the episode's week was closed changes no week; without one the episode would be lost."""
    heard = stored(episode("Bread", MONDAY + 6 * DAY), 2)
    assert titles(choose(W07, [heard])) == [["Bread"]]
    both = [stored(entry("Bread", MONDAY + 8 * DAY), 1), replace(heard, assigned_week="2026-W07")]
    assert titles(choose(W07, both, **{"2026_W07": AFTER_W07})) == [["Bread"]]
    assert titles(choose(W08, both, **{"2026_W07": AFTER_W07})) == []


def test_an_episode_whose_post_is_withdrawn_is_not_lost():
    """It was left to the post's week, and the next digest includes it alone."""
    heard = stored(episode("Bread", MONDAY + 6 * DAY), 2)
    both = [stored(entry("Bread", MONDAY + 7 * DAY), 1), heard]
    assert titles(choose(W07, both)) == []
    both[0] = replace(both[0], withdrawn_at=AFTER_W07 + DAY, vanished_at=AFTER_W07 + DAY)
    assert titles(choose(W08, both, **{"2026_W07": AFTER_W07})) == [["Bread"]]


def test_an_entry_arriving_after_its_story_was_published_is_not_news():
    """An episode seen after 2026-W07 published the post changes neither 2026-W07 nor 2026-W08."""
    both = [
        stored(entry("Bread", MONDAY + 6 * DAY), 1, assigned_week="2026-W07"),
        stored(episode("Bread", MONDAY + 7 * DAY + timedelta(hours=9)), 2),
    ]
    closed = {"2026_W07": AFTER_W07}
    assert titles(choose(W07, both, **closed)) == [["Bread"]]
    following = choose(W08, both, **closed)
    assert titles(following) == []
    reason = "its story belongs to 2026-W07, the week of its post “Bread”"
    assert any(reason in decision.reason for decision in following.decisions)


def test_a_closed_week_does_not_change():
    """Entries that arrive later change neither its stories nor its left-out entries."""
    before = [stored(entry("Bread", MONDAY + DAY), 1, assigned_week="2026-W07"), stored(entry("Soup", MONDAY - DAY), 2)]
    closed = {"2026_W07": AFTER_W07}
    found = choose(W07, before, **closed)
    later = [
        stored(entry("Late", MONDAY + 2 * DAY), 3, first_seen_at=AFTER_W07 + DAY),
        stored(episode("Bread", AFTER_W07), 4),
    ]
    afterwards = choose(W07, [*before, *later], **closed)
    assert afterwards.stories == found.stories
    assert afterwards.left_out == found.left_out
    assert len(afterwards.decisions) == 4


def reference(of):
    return f"{of.entry.feed_id} {of.entry.guid}"


def test_exclusions_are_sorted_by_who_excludes():
    """Quarantined, removed, protected and filtered entries, and those the editor leaves out, each with its reason."""
    feed = Feed(id="blog", url="", kind="blog", exclude=FilterRule(categories=("ads",)))
    excluded = [
        stored(entry("Quarantined"), 1, quarantined_at=MONDAY),
        stored(entry("Removed"), 2, withdrawn_at=MONDAY),
        stored(entry("Protected", needs_password=True), 3),
        stored(entry("Filtered", categories=("ads",)), 4),
        stored(entry("Left out"), 5),
        stored(entry("Left out later", MONDAY + WEEK), 6),
        stored(entry("Filtered elsewhere", feed="podcast", categories=("ads",)), 7),
    ]
    overrides = Overrides(leave_out=tuple(map(reference, excluded[4:6])))
    found = select(W07, excluded, WeekAssignment(calendar=CALENDAR, closed_weeks={}), [feed], overrides)
    assert found.entry_ids == (7,)
    assert found.ineligible == {1, 2, 3, 4, 5, 6}
    assert (found.excluded_by_editor, found.excluded_by_filter) == ({5}, {4})
    assert {decision.title: decision.reason for decision in found.left_out} == {
        "Quarantined": "quarantined: it looks imported or comes from another feed; "
        "`pipeline feeds accept blog` releases it",
        "Removed": "removed from its feed",
        "Protected": "left out: it needs a password, which subscribers do not have",
        "Filtered": "left out: category ads is excluded in config.toml",
        "Left out": "left out by the editor",
        "Left out later": "left out by the editor",
    }
    back = Overrides(put_back=tuple(map(reference, excluded)))
    found = select(W07, excluded, WeekAssignment(calendar=CALENDAR, closed_weeks={}), [feed], back)
    assert sorted(found.entry_ids) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("fields", "repeats"),
    [
        ({}, {2}),
        ({"withdrawn_at": MONDAY}, set()),
        ({"quarantined_at": MONDAY}, set()),
    ],
)
def test_what_is_excluded_is_no_original(fields, repeats):
    """A story comes again under another guid: it is not kept out because of an entry that nobody gets."""
    words = " ".join(f"word{number}" for number in range(50))
    pair = [stored(entry("Bread", body_html=words), 1, **fields), stored(entry("Soup", body_html=words), 2)]
    found = choose(W07, pair)
    assert found.repeats.keys() == repeats
    assert set(found.entry_ids) == ({1} if repeats else {2})


def test_an_entry_left_out_of_an_earlier_edition_stays_out():
    """Its editor saw it there; a draft has decided nothing."""
    earlier = stored(entry("Old", MONDAY - DAY), assigned_week="2026-W06")
    for state, by in (("sent", {1}), ("skipped", {1}), ("draft", set())):
        records = {"2026-W06": EditionRecord(week="2026-W06", state=state)}
        found = select(W07, [earlier], WeekAssignment(calendar=CALENDAR, closed_weeks={}, records=records))
        assert found.ineligible == by
        assert ("left out of 2026-W06 by the editor" in why(found, "Old")) is bool(by)


def test_the_editor_orders_stories():
    """The lead first, then the ordered ones, then the others by date; a pair is one story."""
    posts = [stored(entry(title, MONDAY + number * DAY), number) for number, title in enumerate(("A", "B", "C", "D"))]
    overrides = Overrides(order=(reference(posts[3]), reference(posts[1])), lead=reference(posts[2]))
    assignment = WeekAssignment(calendar=CALENDAR, closed_weeks={})
    found = select(W07, posts, assignment, overrides=overrides)
    assert titles(found) == [["C"], ["D"], ["B"], ["A"]]
    assert found.overrides == overrides
    assert titles(select(W07, posts, assignment)) == [["A"], ["B"], ["C"], ["D"]]


def test_a_story_that_is_too_new_waits_as_a_whole():
    """Unless the editor includes it, or the week is closed."""
    pair = [stored(entry("Bread", MONDAY), 1), stored(episode("Bread", MONDAY + DAY), 2), stored(entry("Soup"), 3)]
    quiet = WeekAssignment(calendar=CALENDAR, closed_weeks={}, quiet_since=MONDAY + DAY)
    found = select(W07, pair, quiet)
    assert (titles(found), found.too_new) == ([["Soup"]], {1, 2})
    assert "too new" in why(found, "Bread")
    assert len(select(W07, pair, quiet, overrides=Overrides(put_back=(reference(pair[0]),))).stories) == 2
    closed = replace(quiet, closed_weeks={"2026-W07": AFTER_W07})
    assigned = [replace(one, assigned_week="2026-W07") for one in pair]
    assert len(select(W07, assigned, closed).stories) == 2


def test_entries_beside_a_sent_edition_are_explained():
    """What came late for its story, what the week released, and what is published in another edition."""
    sent = {"2026-W07": EditionRecord(week="2026-W07", state="sent", number=7)}
    assignment = WeekAssignment(calendar=CALENDAR, closed_weeks={"2026-W07": AFTER_W07}, records=sent)
    published = stored(entry("Bread", MONDAY), 1, assigned_week="2026-W07", edition_week="2026-W07")
    partner = stored(episode("Bread", MONDAY + 2 * DAY), 2, first_seen_at=AFTER_W07 + DAY)
    late = stored(entry("Late"), 3, first_seen_at=AFTER_W07 + DAY)
    released = stored(entry("Released"), 4, released_from="2026-W07")
    everything = [published, partner, late, released]
    found = select(W07, everything, assignment)
    assert found.entry_ids == (1,)
    assert (found.arrived_late, found.carried_over, found.published_elsewhere) == ({2, 3}, {4}, {})
    following = select(W08, everything, assignment)
    assert following.published_elsewhere == {2: "2026-W07"}
    assert sorted(following.entry_ids) == [3, 4]
    assert following.arrived_late == following.carried_over == frozenset()


def test_a_late_counterpart_is_published_on_request_only():
    """Its story was published without it."""
    sent = {"2026-W06": EditionRecord(week="2026-W06", state="sent", number=6)}
    assignment = WeekAssignment(calendar=CALENDAR, closed_weeks={}, records=sent)
    late = stored(episode("Bread", MONDAY), 2, edition_week="2026-W06", late_counterpart=True)
    assert select(W07, [late], assignment).entry_ids == ()
    assert select(W07, [late], assignment, overrides=Overrides(put_back=(reference(late),))).entry_ids == (2,)


days = st.integers(-20, 20).map(lambda day: MONDAY + day * DAY)
entries = st.lists(
    st.builds(
        lambda title, at, seen, audio, archived: stored(
            (episode if audio else entry)(title, at), first_seen_at=max(at, seen), archived=archived
        ),
        st.sampled_from(["Bread", "Soup", "Salt", "Kiln"]),
        days,
        days,
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: (one.entry.feed_id, one.entry.guid),
)


def publish(entries, weeks, shuffled: random.Random, *, post_decides=True):
    """Return the stories of weeks that are built one after the other, and the entries by id as they are afterwards."""
    kept = {number: replace(one, entry_id=number) for number, one in enumerate(entries)}
    stories, closed_weeks = {}, {}
    for week in weeks:
        built_at = CALENDAR.bounds(week)[1] + BUILT_AFTER
        around = [one for one in kept.values() if abs(one.entry.published_at - built_at) < 60 * WEEK]
        seen = [one for one in around if one.first_seen_at <= built_at]
        shuffled.shuffle(seen)
        assignment = WeekAssignment(calendar=CALENDAR, closed_weeks=closed_weeks, post_decides=post_decides)
        found = select(week, seen, assignment)
        assert len(found.decisions) == len(seen)
        stories[week] = found.stories
        for entry_id in found.entry_ids:
            kept[entry_id] = replace(kept[entry_id], assigned_week=kept[entry_id].assigned_week or str(week))
        closed_weeks[str(week)] = built_at
    return stories, kept


BUILT_AFTER = timedelta(hours=6)
"""How long after a week its digest is built."""
WORDS = [f"{first} {second}" for first in ("Salt", "Kiln", "Tide", "Loom", "Barn", "Hive", "Oats", "Pier")
         for second in ("mending", "harbour", "lantern", "orchard", "whistle", "granite", "feather")]  # fmt: skip


@pytest.mark.parametrize("hours", [-20, -3, 1, 5])
@pytest.mark.parametrize("seed", range(3))
def test_a_weekly_rhythm_stays_one_episode_a_week(hours: int, seed: int):
    """Over a year: the post is always on one side of the week's border, the episode some days before or hours after."""
    chance, entries = random.Random(seed), []
    for number in range(52):
        border = MONDAY + number * WEEK
        at = border + timedelta(hours=hours)
        heard_at = min(at + timedelta(minutes=chance.randint(-60 * 60, 26 * 60)), border + BUILT_AFTER)
        entries += [
            stored(entry(WORDS[number], at), first_seen_at=at),
            stored(episode(WORDS[number], heard_at), first_seen_at=heard_at),
        ]
    weeks = [(W06 if hours < 0 else W07).next(number) for number in range(52)]
    stories, _ = publish(entries, weeks, chance)
    assert [[len(story) for story in stories[week]] for week in weeks] == [[2]] * 52


@pytest.mark.parametrize("post_decides", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_story_whose_post_comes_late_is_published_once(seed: int, post_decides: bool):
    """Over a year: however late a post is seen, and wherever its episode is dated, its story is in one week."""
    chance, entries = random.Random(seed), []
    for number in range(52):
        at = MONDAY + number * WEEK + chance.randint(-1, 1) * DAY
        heard_at = at + timedelta(hours=chance.randint(-60, 60))
        entries += [
            stored(entry(WORDS[number], at), first_seen_at=at + timedelta(hours=chance.randint(0, 200))),
            stored(episode(WORDS[number], heard_at), first_seen_at=heard_at),
        ]
    stories, _ = publish(entries, [W06.next(number) for number in range(-1, 56)], chance, post_decides=post_decides)
    published = [story[0].entry.title for week in stories for story in stories[week]]
    assert sorted(published) == sorted(WORDS[:52])


@given(entries=entries, shuffled=st.randoms(), post_decides=st.booleans())
def test_each_entry_is_published_at_most_once_and_none_is_lost(entries, shuffled: random.Random, post_decides: bool):
    """With weeks built one after the other, every entry is in exactly one, whatever the input order, archive aside."""
    weeks = [Week(2026, 3).next(n) for n in range(10)]
    stories, kept = publish(entries, weeks, shuffled, post_decides=post_decides)
    published = [one.entry_id for week in weeks for story in stories[week] for one in story]
    assert len(published) == len(set(published))
    titles = {kept[entry_id].entry.title for entry_id in published}
    lost = [one for one in kept.values() if one.entry_id not in published and not one.archived]
    assert [one for one in lost if one.entry.title not in titles] == []
