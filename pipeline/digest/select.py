"""Which entries a week's digest takes, and why each of the others stays out.

In: stored entries around the week, which weeks were made and when, the feeds with their rules.
Out: a Selection. Pure: no network, disk, clock or randomness.

An entry belongs to the week of its date (its *home*). Once a closed week's digest was made, the week is
*settled*: what turns up for it afterwards is *late* and goes into the next digest that is made. What came
with the first read of a feed is backlog: never late, it stays at home. A story whose post and episode fall
into different weeks is told once, in the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from pipeline.digest.pair import pair
from pipeline.digest.rules import why_left_out
from pipeline.model.digest import Decision
from pipeline.model.entry import StoredEntry
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a week's digest is made of."""

    groups: tuple[tuple[StoredEntry, ...], ...]
    """The stories: entries told together, in order of date."""
    decisions: tuple[Decision, ...]
    """Every entry considered, in or out, in order of date."""

    unseen: frozenset[int] = frozenset()
    """Entries that turned up after the week was settled: explained, but no part of its digest."""
    barred: frozenset[int] = frozenset()
    """Entries in quarantine, and those that a rule of their feed keeps out."""

    @property
    def left_out(self) -> tuple[Decision, ...]:
        """What the digest knew of and did not take."""
        return tuple(each for each in self.decisions if not each.included and each.entry_id not in self.unseen)

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """The chosen entries."""
        return tuple(stored.entry_id for group in self.groups for stored in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Where entries belong: the weeks, and when the digest of each was made."""

    clock: WeekClock
    settled: Mapping[str, datetime]
    """Week to the moment its digest was made after it had closed."""

    def home(self, stored: StoredEntry) -> Week:
        """Name the week of an entry's date."""
        return self.clock.week_of(stored.entry.published_at)

    def known_at(self, week: Week, stored: StoredEntry) -> bool:
        """Tell whether the entry was there when the week was settled (or the week is still open to it)."""
        settled_at = self.settled.get(str(week))
        return settled_at is None or stored.first_seen_at <= settled_at

    def is_late(self, stored: StoredEntry) -> bool:
        """Tell whether its week, or one after it, was settled before the entry turned up."""
        if stored.backlog:
            return False
        home = str(self.home(stored))
        return any(week >= home and at < stored.first_seen_at for week, at in self.settled.items())

    def week_for(self, stored: StoredEntry, asked: Week) -> Week:
        """Name the week that tells this entry, when the digest asked for is ``asked``."""
        if stored.week:
            return Week.parse(stored.week)
        home = self.home(stored)
        if not self.is_late(stored) or asked <= home:
            return home
        return asked if str(asked) not in self.settled else asked.next()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ties:
    """Which entries are told together, and what the why-ledger says of it. Keys are entry ids."""

    groups: tuple[tuple[StoredEntry, ...], ...]
    remarks: Mapping[int, str]


def select(week: Week, stored: Iterable[StoredEntry], calendar: Calendar, feeds: Iterable[Feed] = ()) -> Selection:
    """Choose a week's entries from those around it.

    Entries first seen after the week was settled are explained, not looked at for its stories, so a settled week
    always gives the same digest. Neither are those in quarantine, and those that a rule of their feed keeps out,
    whenever it was written.
    """
    everything = sorted(stored, key=lambda each: (each.entry.published_at, each.entry.feed_id, each.entry.guid))
    barred = _barred(everything, feeds)
    ties = _ties([each for each in everything if calendar.known_at(week, each) and each.entry_id not in barred])
    chosen = tuple(group for group in ties.groups if _story_week(group, calendar, week) == week)
    inside = {each.entry_id for group in chosen for each in group}
    stories = {each.entry_id: group for group in ties.groups for each in group}
    decisions = []
    for each in everything:
        included = each.entry_id in inside
        story = stories.get(each.entry_id, (each,))
        reason = _why_in(week, each, calendar) if included else barred.get(each.entry_id)
        reason = reason or _why_out(week, each, calendar, story)
        decisions.append(_decision(each, included, reason + ties.remarks.get(each.entry_id, "")))
    unseen = frozenset(each.entry_id for each in everything if not calendar.known_at(week, each))
    return Selection(groups=chosen, decisions=tuple(decisions), unseen=unseen, barred=frozenset(barred))


def _barred(stored: Iterable[StoredEntry], feeds: Iterable[Feed]) -> dict[int, str]:
    """Find the entries that wait in quarantine or that a rule of their feed keeps out, and why."""
    ruled = {feed.id: feed for feed in feeds if feed.include or feed.exclude}
    whys = {}
    for each in stored:
        feed_id = each.entry.feed_id
        if each.quarantined_at:
            whys[each.entry_id] = (
                f"held back: most of its feed turned new at once; `pipeline feeds accept {feed_id}` takes it in"
            )
        elif feed_id in ruled and (why := why_left_out(each.entry, ruled[feed_id])):
            whys[each.entry_id] = why
    return whys


def _ties(visible: Sequence[StoredEntry]) -> _Ties:
    """Join paired entries, pairs of pairs too, into stories."""
    ids = {(each.entry.feed_id, each.entry.guid): each.entry_id for each in visible}
    leader = {each.entry_id: each.entry_id for each in visible}
    remarks: dict[int, str] = {}
    pairing = pair([each.entry for each in visible])
    for found in pairing.pairs:
        one, other = (ids[each.feed_id, each.guid] for each in (found.first, found.second))
        old, new = leader[other], leader[one]
        leader = {each: new if led == old else led for each, led in leader.items()} if old != new else leader
        remarks[one] = remarks[other] = f"; one story, post and partner: {found.reason}"
    for doubt in pairing.unsure:
        for entry, partner in ((doubt.first, doubt.second), (doubt.second, doubt.first)):
            remark = f"; perhaps one story with “{partner.title}”, kept apart: {doubt.reason}"
            remarks.setdefault(ids[entry.feed_id, entry.guid], remark)
    groups: dict[int, list[StoredEntry]] = {}
    for each in visible:
        groups.setdefault(leader[each.entry_id], []).append(each)
    return _Ties(groups=tuple(tuple(group) for group in groups.values()), remarks=remarks)


def _story_week(group: Sequence[StoredEntry], calendar: Calendar, asked: Week) -> Week | None:
    """Name the week that tells a story; None for archive, which none tells.

    Where it was told, there it stays; else its news decide, and only what has no news in it goes by its backlog: an
    old half that came with a new feed must not draw this week's post into a week long gone.
    """
    dated = [each for each in group if not _is_archive(each)]
    told = [each for each in dated if each.week]
    news = [each for each in dated if not each.backlog]
    return min((calendar.week_for(each, asked) for each in told or news or dated), default=None)


def _is_archive(stored: StoredEntry) -> bool:
    """Recognise an undated entry of a feed's first read: nobody can say when it was news."""
    return stored.backlog and stored.entry.dated_by == "first_seen"


def _why_in(week: Week, stored: StoredEntry, calendar: Calendar) -> str:
    dated = f"dated {_day(stored.entry.published_at, calendar.clock.zone)}"
    if stored.entry.dated_by == "first_seen":
        dated = f"undated, first seen {_day(stored.first_seen_at, calendar.clock.zone)}"
    home = calendar.home(stored)
    if home < week and calendar.is_late(stored):
        seen = _day(stored.first_seen_at, calendar.clock.zone)
        return f"{dated}, late: first seen {seen}, when the digest for its date was already made"
    return f"{dated}, in {week}" if home == week else f"{dated}, told with the other half of its story"


def _why_out(week: Week, stored: StoredEntry, calendar: Calendar, story: Sequence[StoredEntry]) -> str:
    dated = f"dated {_day(stored.entry.published_at, calendar.clock.zone)}"
    if _is_archive(stored):
        return "undated and there when its feed was first read: archive, not news"
    if not calendar.known_at(week, stored):
        seen = _day(stored.first_seen_at, calendar.clock.zone)
        where = f"went into {stored.week}" if stored.week else "goes into the next digest"
        if calendar.home(stored) <= week and not stored.backlog:
            return f"{dated}, first seen {seen}, after this digest was made: {where}"
        return f"{dated}, belongs to {calendar.week_for(stored, week)}"
    if stored.week:
        return f"{dated}, is in the digest of {stored.week}"
    own, told_in = calendar.week_for(stored, week), _story_week(story, calendar, week)
    if told_in != own:
        partner = next(each for each in story if each.entry_id != stored.entry_id)
        return f"{dated}, its story belongs to {told_in}, with “{partner.entry.title}”"
    return f"{dated}, belongs to {own}"


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


def _day(instant: datetime, zone: tzinfo) -> str:
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"
