"""Selection: the stories of a week's digest, and the decision on every entry around it.

A closed week has exactly the entries it was closed with, and those the editor includes. A story is published once,
whatever happens to its entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.digest.pairing.pair import JoinedStories, join_stories
from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.eligibility import Exclusion, find_exclusions
from pipeline.digest.selection.explain import DecisionExplainer
from pipeline.digest.selection.repeats import KnownTexts, Repeat, find_repeats
from pipeline.model.digest import Decision
from pipeline.model.edition import Overrides, matches, matches_any
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week
from pipeline.text.format import pluralize
from pipeline.text.urls import url_key

_NO_OVERRIDES = Overrides()
_NO_TEXTS = KnownTexts()
StoryEntries = tuple[StoredEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The stories of a week, and why other entries are left out. Sets hold entry ids."""

    stories: tuple[StoryEntries, ...]
    """In the editor's order, then by date."""
    decisions: tuple[Decision, ...]
    """On every entry considered, by date."""

    arrived_late: frozenset[int] = frozenset()
    """Entries that arrived after the week was closed: explained, but not part of its digest."""
    ineligible: frozenset[int] = frozenset()
    """Entries that are excluded whatever their week: quarantined, removed, filtered …"""
    excluded_by_editor: frozenset[int] = frozenset()
    """Those of them that only the editor excludes from this week."""
    excluded_by_filter: frozenset[int] = frozenset()
    """Those of them that ``include`` or ``exclude`` in config.toml excludes."""
    repeats: Mapping[int, Repeat] = field(default_factory=dict)
    """Entries that would be in this week's digest, but repeat a story, by entry id."""
    too_new: frozenset[int] = frozenset()
    """Entries left out only because they are too new."""
    carried_over: frozenset[int] = frozenset()
    """Entries of the week that go into the next digest: beyond the limit of links, or a closed week was too thin."""
    published_elsewhere: Mapping[int, str] = field(default_factory=dict)
    """Entries whose story is in another sealed edition, and that edition's week."""
    overrides: Overrides = _NO_OVERRIDES
    """All of the editor's overrides, not only those that select entries."""

    @property
    def possible_repeats(self) -> tuple[Decision, ...]:
        """The decisions on entries that stay out because they may repeat a story."""
        uncertain = {entry_id for entry_id, repeat in self.repeats.items() if not repeat.certain}
        return tuple(decision for decision in self.decisions if decision.entry_id in uncertain)

    @property
    def left_out(self) -> tuple[Decision, ...]:
        """The decisions on entries that were known to the digest and left out."""
        return tuple(
            decision
            for decision in self.decisions
            if not decision.included and decision.entry_id not in self.arrived_late
        )

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The ids of all entries included."""
        return tuple(stored.entry_id for story in self.stories for stored in story)


def select(
    week: Week,
    stored: Iterable[StoredEntry],
    assignment: WeekAssignment,
    feeds: Iterable[Feed] = (),
    overrides: Overrides = _NO_OVERRIDES,
    earlier: Iterable[StoredEntry] = (),
    known_texts: KnownTexts = _NO_TEXTS,
) -> Selection:
    """Return the selection of a week from the entries around it.

    A closed week always gives the same stories; a week whose edition is sent gives those that were sent. ``earlier``
    entries of the feeds only show what all entries of a feed have in common; ``known_texts`` may be repeated.
    """
    entries = sorted(stored, key=lambda one: (one.entry.published_at, one.entry.feed_id, one.entry.guid))
    explainer = DecisionExplainer(week=week, assignment=assignment, overrides=overrides)
    exclusions = find_exclusions(week, assignment, feeds, overrides, entries)
    repeats = _exclude_repeats(exclusions, entries, [*earlier, *known_texts.published], known_texts.keys, explainer)
    candidates = [
        one for one in entries if one.entry_id not in exclusions and assignment.considers(week, one, overrides)
    ]
    others = {one.entry_id: one.entry for one in (*entries, *earlier)}
    for one in candidates:
        del others[one.entry_id]
    joined = _join(candidates, list(others.values()), (*overrides.split, *assignment.split_elsewhere), overrides)
    own = [story for story in joined.stories if assignment.week_of_story(story, week, overrides) == week]
    too_new = {one.entry_id for story in own if _is_too_new(story, week, assignment, overrides) for one in story}
    stories = [_publishable(story, week, assignment, overrides) for story in own if story[0].entry_id not in too_new]
    included = {one.entry_id for story in stories for one in story}
    own_ids = {
        one.entry_id for one in entries if one.entry_id in exclusions and assignment.digest_week(one, week) == week
    }
    return Selection(
        stories=_in_order([story for story in stories if story], overrides),
        decisions=tuple(_decisions(entries, included, exclusions, joined, too_new, explainer)),
        arrived_late=frozenset(one.entry_id for one in entries if not assignment.was_known(week, one)) - included,
        ineligible=frozenset(exclusions),
        excluded_by_editor=_excluded(exclusions, "editor") & own_ids,
        excluded_by_filter=_excluded(exclusions, "filter"),
        repeats={entry_id: repeat for entry_id, repeat in repeats.items() if entry_id in own_ids},
        too_new=frozenset(too_new),
        carried_over=frozenset(one.entry_id for one in entries if one.released_from == str(week)) - included,
        published_elsewhere=_published_elsewhere(joined.stories, week, assignment, included),
        overrides=overrides,
    )


def limit_links(selection: Selection, link_feed_ids: Collection[str], *, max_links: int) -> Selection:
    """Return a selection with at most ``max_links`` links, counting those of the editor's own list.

    The oldest are kept; the others carry over, and the next digest considers them again. Links that the editor includes
    or orders are always kept, and count.
    """
    overrides = selection.overrides
    references = (*overrides.put_back, *overrides.order, overrides.lead)

    def is_requested(story: Sequence[StoredEntry]) -> bool:
        return any(matches_any(references, stored.entry) for stored in story)

    links = [story for story in selection.stories if all(stored.entry.feed_id in link_feed_ids for stored in story)]
    kept = {url_key(link.url) for link in overrides.links}
    kept |= {url_key(story[0].entry.url) for story in links if is_requested(story)}
    others = [story for story in links if not is_requested(story)]
    carried_over = {stored.entry_id for story in others[max(0, max_links - len(kept)) :] for stored in story}
    if not carried_over:
        return selection
    reason = f"; an edition has at most {pluralize(max_links, 'link')}: it carries over to the next"
    return replace(
        selection,
        stories=tuple(story for story in selection.stories if story[0].entry_id not in carried_over),
        carried_over=selection.carried_over | carried_over,
        decisions=tuple(
            replace(decision, included=False, reason=decision.reason + reason)
            if decision.entry_id in carried_over
            else decision
            for decision in selection.decisions
        ),
    )


def _join(
    candidates: Sequence[StoredEntry], others: Sequence[Entry], split: Sequence[str], overrides: Overrides
) -> JoinedStories:
    """Return the stories of the candidates, as the editor decided or else by the evidence."""

    def ids(references: Sequence[str]) -> set[int]:
        return {one.entry_id for one in candidates if matches_any(references, one.entry)}

    return join_stories(candidates, others, split=ids(split) if split else (), join=map(ids, overrides.join))


def _excluded(exclusions: Mapping[int, Exclusion], by: str) -> frozenset[int]:
    return frozenset(entry_id for entry_id, exclusion in exclusions.items() if exclusion.by == by)


def _exclude_repeats(
    exclusions: dict[int, Exclusion],
    entries: Sequence[StoredEntry],
    others: Iterable[StoredEntry],
    keys: Mapping[int, frozenset[int]],
    explainer: DecisionExplainer,
) -> dict[int, Repeat]:
    """Exclude the repeats among the entries that no edition carries and that may be published; return them."""
    assignment, overrides = explainer.assignment, explainer.overrides

    def may_repeat(one: StoredEntry) -> bool:
        exclusion = exclusions.get(one.entry_id)
        is_free = not one.edition_week and not one.archived and not overrides.includes(one.entry)
        return is_free and (exclusion is None or exclusion.by == "earlier edition")

    def may_be_original(one: StoredEntry) -> bool:
        exclusion = exclusions.get(one.entry_id)
        return exclusion is None or exclusion.by not in ("removal", "quarantine", "password", "filter")

    repeats = find_repeats(
        [one for one in entries if may_repeat(one)],
        [one for one in (*entries, *others) if may_be_original(one)],
        keys=keys,
        is_left_behind=lambda one: (
            not one.assigned_week and one.archived and assignment.is_past(assignment.week_of(one))
        ),
    )
    exclusions |= {
        one.entry_id: Exclusion("repeat", explainer.explain_repeat(one, repeats[one.entry_id]))
        for one in entries
        if one.entry_id in repeats
    }
    return repeats


def _is_too_new(story: StoryEntries, week: Week, assignment: WeekAssignment, overrides: Overrides) -> bool:
    """Return whether a story has to wait: it waits as a whole, since a story is published only once."""
    if str(week) in assignment.closed_weeks or any(overrides.includes(stored.entry) for stored in story):
        return False
    return any(assignment.is_too_new(stored) for stored in story)


def _publishable(story: StoryEntries, week: Week, assignment: WeekAssignment, overrides: Overrides) -> StoryEntries:
    """Return the entries of a story that a week's edition may publish, or has published if it is sent."""

    def is_publishable(stored: StoredEntry) -> bool:
        if stored.edition_week == str(week) and not stored.late_counterpart:
            return True
        if assignment.is_sent(week):
            return False
        return not stored.edition_week or (stored.late_counterpart and overrides.includes(stored.entry))

    return tuple(stored for stored in story if is_publishable(stored))


def _published_elsewhere(
    stories: Iterable[StoryEntries], week: Week, assignment: WeekAssignment, included: set[int]
) -> dict[int, str]:
    elsewhere = {}
    for story in stories:
        sealed_in = assignment.sealed_in(story)
        if sealed_in and sealed_in != str(week):
            for stored in story:
                if stored.edition_week != sealed_in and stored.entry_id not in included:
                    elsewhere[stored.entry_id] = sealed_in
    return elsewhere


def _in_order(stories: Sequence[StoryEntries], overrides: Overrides) -> tuple[StoryEntries, ...]:
    """Return the stories with the editor's lead first, then those the editor ordered, then the others by date."""
    lead = [overrides.lead] if overrides.lead else []

    def position(story: StoryEntries) -> tuple[bool, int]:
        is_lead = any(matches_any(lead, stored.entry) for stored in story)
        positions = (
            index
            for index, reference in enumerate(overrides.order)
            if any(matches(reference, stored.entry) for stored in story)
        )
        return not is_lead, next(positions, len(overrides.order))

    return tuple(sorted(stories, key=position))


def _decisions(
    entries: Sequence[StoredEntry],
    included: Collection[int],
    exclusions: Mapping[int, Exclusion],
    joined: JoinedStories,
    too_new: Collection[int],
    explainer: DecisionExplainer,
) -> Iterator[Decision]:
    """Yield the decision on each entry with its reason, and the partner it was paired with."""
    story_of = {one.entry_id: story for story in joined.stories for one in story}
    for one in entries:
        story = story_of.get(one.entry_id, (one,))
        if one.entry_id in included:
            reason = explainer.explain_included(one, story)
        elif one.entry_id in exclusions:
            reason = exclusions[one.entry_id].reason
        else:
            reason = explainer.explain_left_out(one, story, too_new=one.entry_id in too_new)
        pairing = joined.notes.get(one.entry_id, "")
        yield Decision(
            feed_id=one.entry.feed_id,
            guid=one.entry.guid,
            title=one.entry.title,
            included=one.entry_id in included,
            reason="; ".join(filter(None, [reason, pairing])),
            published_at=one.entry.published_at,
            entry_id=one.entry_id,
            pairing=pairing,
        )
