"""Which entries a week's digest takes, and why each of the others stays out.

In: stored entries around the week, the calendar of what was made, the feeds with their rules, what the editor asks for.
Out: a Selection. Pure: no network, disk, clock or randomness.

``calendar`` says where an entry belongs, ``aside`` who stays out on their own account, ``stories`` what is told
together, ``reasons`` puts it into words. Once a closed week's digest was made, the week is *settled*: it has exactly
what it took then, and what the editor puts in. A story is told once, whatever becomes of its halves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.digest.pairing.stories import join_stories
from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.eligibility import LEFT_OUT_BY_EDITOR, EligibilityFilter
from pipeline.digest.selection.explain import DecisionExplainer
from pipeline.model.digest import Decision
from pipeline.model.edition import Overrides, matches, matches_any
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week

__all__ = ["Selection", "WeekAssignment", "select"]

_NOTHING_ASKED = Overrides()
_Story = tuple[StoredEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a week's digest is made of."""

    stories: tuple[_Story, ...]
    """The stories: entries told together, in the editor's order, then by date."""
    decisions: tuple[Decision, ...]
    """Every entry considered, in or out, in order of date."""

    arrived_late: frozenset[int] = frozenset()
    """Entries that turned up after the week was settled: explained, but no part of its digest."""
    ineligible: frozenset[int] = frozenset()
    """Entries that stay out on their own account: in quarantine, withdrawn, against a rule of their feed …"""
    excluded_by_editor: frozenset[int] = frozenset()
    """Of these, the ones that would be in, had the editor not decided against them."""
    too_new: frozenset[int] = frozenset()
    """Entries that would be in, were they not too fresh."""
    carried_over: frozenset[int] = frozenset()
    """Entries there was no room for: they go into the next digest."""
    published_elsewhere: Mapping[int, str] = field(default_factory=dict)
    """Entries whose story another sealed edition tells, and that edition's week."""
    overrides: Overrides = _NOTHING_ASKED
    """What the editor asked for, in and beyond the choice of entries."""

    @property
    def left_out(self) -> tuple[Decision, ...]:
        """What the digest knew of and did not take."""
        return tuple(each for each in self.decisions if not each.included and each.entry_id not in self.arrived_late)

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The chosen entries."""
        return tuple(stored.entry_id for group in self.stories for stored in group)


def select(
    week: Week,
    stored: Iterable[StoredEntry],
    assignment: WeekAssignment,
    feeds: Iterable[Feed] = (),
    overrides: Overrides = _NOTHING_ASKED,
) -> Selection:
    """Choose a week's entries from those around it.

    A settled week looks at what it took, at what the editor puts in, and at what sealed editions tell; so it always
    gives the same stories. Of a week whose edition is out, these are the stories that went out.
    """
    everything = sorted(stored, key=lambda each: (each.entry.published_at, each.entry.feed_id, each.entry.guid))
    away = EligibilityFilter(week=week, assignment=assignment, feeds=feeds, overrides=overrides).exclusion_reasons(
        everything
    )
    ties = join_stories(
        [each for each in everything if each.entry_id not in away and assignment.considers(week, each, overrides)]
    )
    mine = [story for story in ties.stories if assignment.week_of_story(story, week, overrides) == week]
    waiting = {each.entry_id for story in mine if _waits(story, week, assignment, overrides) for each in story}
    tellable = _told if assignment.is_sent(week) else _tellable
    groups = [tellable(story, week, overrides) for story in mine if story[0].entry_id not in waiting]
    inside = {each.entry_id for group in groups for each in group}
    stories = {each.entry_id: story for story in ties.stories for each in story}
    reasons = DecisionExplainer(week=week, assignment=assignment, overrides=overrides)
    decisions = []
    for each in everything:
        included, entry_id = each.entry_id in inside, each.entry_id
        why = reasons.explain_included(each) if included else away.get(entry_id)
        why = why or reasons.explain_left_out(each, stories.get(entry_id, (each,)), too_new=entry_id in waiting)
        decisions.append(_decision(each, included, why + ties.notes.get(entry_id, "")))
    return Selection(
        stories=_in_order([group for group in groups if group], overrides),
        decisions=tuple(decisions),
        arrived_late=frozenset(each.entry_id for each in everything if not assignment.was_known(week, each)) - inside,
        ineligible=frozenset(away),
        excluded_by_editor=frozenset(
            each.entry_id
            for each in everything
            if away.get(each.entry_id) == LEFT_OUT_BY_EDITOR and assignment.digest_week(each, week) == week
        ),
        too_new=frozenset(waiting),
        published_elsewhere=_told_elsewhere(ties.stories, week, assignment, inside),
        overrides=overrides,
    )


def _waits(story: _Story, week: Week, calendar: WeekAssignment, overrides: Overrides) -> bool:
    """A story waits whole: half of it now would be all there ever is of it."""
    if str(week) in calendar.closed_weeks or any(overrides.includes(each.entry) for each in story):
        return False
    return any(calendar.is_too_new(each) for each in story)


def _tellable(story: _Story, week: Week, overrides: Overrides) -> _Story:
    """Leave out of a story what another edition has, and the half that came too late for this one."""

    def free(each: StoredEntry) -> bool:
        return not each.edition_week or (each.late_counterpart and overrides.includes(each.entry))

    return tuple(each for each in story if free(each) or (each.edition_week == str(week) and not each.late_counterpart))


def _told(story: _Story, week: Week, overrides: Overrides) -> _Story:
    """Leave of a story what a week's edition has told."""
    return tuple(each for each in story if each.edition_week == str(week) and not each.late_counterpart)


def _told_elsewhere(
    stories: Iterable[_Story], week: Week, calendar: WeekAssignment, inside: set[int]
) -> dict[int, str]:
    owned = ((story, calendar.sealed_in(story)) for story in stories)
    return {
        each.entry_id: owner
        for story, owner in owned
        if owner and owner != str(week)
        for each in story
        if each.edition_week != owner and each.entry_id not in inside
    }


def _in_order(groups: Sequence[_Story], overrides: Overrides) -> tuple[_Story, ...]:
    """Put the editor's lead first, then what they have an order for, then the others by date."""
    lead = [overrides.lead] if overrides.lead else []

    def place(story: _Story) -> tuple[bool, int]:
        leads = any(matches_any(lead, each.entry) for each in story)
        places = (n for n, one in enumerate(overrides.order) if any(matches(one, each.entry) for each in story))
        return not leads, next(places, len(overrides.order))

    return tuple(sorted(groups, key=place))


def _decision(stored: StoredEntry, included: bool, reason: str) -> Decision:
    entry = stored.entry
    return Decision(
        feed_id=entry.feed_id,
        guid=entry.guid,
        title=entry.title,
        included=included,
        reason=reason,
        published_at=entry.published_at,
        entry_id=stored.entry_id,
    )
