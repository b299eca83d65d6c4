"""Months in the life of a publication, in random order, against the real store: what must hold whatever happens.

Stories come as a post, an episode or both, at once or weeks apart, under titles that pair or do not yet; they are
edited, given other guids, taken out of their feeds; weeks are made, approved, held, resumed, skipped, sent and rebuilt
as nobody would. Afterwards everything is brought to its end, and every story must have been told, once.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.digest.render.theme import Theme
from pipeline.model.edition import EditionRecord, Overrides
from pipeline.model.entry import Entry
from pipeline.model.errors import RefusedError
from pipeline.model.week import Week
from tests import postgres
from tests.factories import MONDAY, entry, episode
from tests.publication import CLOCK, W07, PublicationHarness, small_theme

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, LAST = W07, W07.next(7)
WORDS = "bread salt kiln rope lamp tide soup oak wool rain moss clay".split()  # noqa: SIM905
KINDS = ("post", "episode", "both", "other half")
LIVES = (
    ("digest",),
    ("approve", "send"),
    ("digest", "approve", "hand_over"),
    ("approve",),
    ("hold",),
    ("approve", "hold"),
    ("resume",),
    ("resume", "approve", "send"),
    ("approve", "hold", "resume", "send"),
    ("approve", "skip"),
    ("skip",),
    ("send",),
)
"""What may be done with a week, one after the other; what is refused is not done."""
backs = st.sampled_from([0, 0, 0, 1, 2])
"""How many weeks back from the newest that has closed."""


@dataclass
class Piece:
    """One entry of a story, as its author knows it."""

    story: int
    entry: Entry
    paired: bool = True
    """Whether its title gives it away as its story's."""
    withdrawn: bool = False


class Publishing(RuleBasedStateMachine):
    """The machine. ``THEME`` is set by the test, ``SERVER`` where the store is to be on one."""

    THEME: Theme
    SERVER = ""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        if self.SERVER:
            postgres.clear(self.SERVER)
        self.house = PublicationHarness(self.folder, self.THEME, self.SERVER)
        self.pieces: list[Piece] = []
        self.told: dict[str, list[tuple[str, str]]] = {}
        """Week to what its mail has told, by feed and address: guids change."""
        self.seals: dict[tuple[str, str], bytes] = {}
        self.excused: set[int] = set()
        """Stories told twice as nobody could know that they were one, or as the editor wished."""
        self.unwanted: set[str] = set()
        """What the editor has ever asked to be left out of a week."""

    def teardown(self) -> None:
        try:
            self.bring_to_an_end()
        finally:
            self.house.store.close()
            shutil.rmtree(self.folder)

    # Authors

    @initialize(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3))
    def begin(self, kinds: list[str]) -> None:
        """Both feeds were read before, so that what comes is news; an old post is their backlog."""
        self.house.set_time(MONDAY)
        old = entry("An old post", MONDAY - 22 * DAY)
        self.pieces.append(Piece(story=-1, entry=old))
        self._fetch()
        self.house.now += 3 * DAY
        for kind in kinds:
            self._write(kind, 1, 1)

    # Few rules, each of many ways: hypothesis leaves some rules out of a life, and none of these may be missing long.

    @rule(kinds=st.sampled_from(KINDS), days=st.integers(0, 9), apart=st.integers(0, 6), data=st.data())
    def write(self, kinds: str, days: int, apart: int, data: st.DataObject) -> None:
        """Publish a story, dated some days ago, its halves some days apart; or the missing half of another."""
        lone = [each for each in self.pieces[1:] if sum(other.story == each.story for other in self.pieces) == 1]
        if kinds == "other half" and lone:
            self._write_other_half(data.draw(st.sampled_from(lone)), apart, disguised=data.draw(st.booleans()))
        else:
            self._write(kinds, days, apart)
        self._fetch()

    @rule(data=st.data(), how=st.sampled_from(["edit", "rename", "withdraw"]))
    def change(self, data: st.DataObject, how: str) -> None:
        """Edit something, which takes a disguise off; give it another guid; take it out of its feed or put it back."""
        piece = data.draw(st.sampled_from(self.pieces))
        if how == "edit":
            title = piece.entry.title if piece.paired else self._title(piece.story)
            body = f"<p>{title}, revised {self.house.now:%d %H:%M}.</p>"
            piece.entry, piece.paired = replace(piece.entry, title=title, body_html=body), True
        elif how == "rename":
            piece.entry = replace(piece.entry, guid=f"{piece.entry.guid}+")
        else:
            piece.withdrawn = not piece.withdrawn
        self._fetch()

    @rule(back=backs, data=st.data(), minutes=st.sampled_from([0, 0, 90]))
    def wish(self, back: int, data: st.DataObject, minutes: int) -> None:
        """Let the editor leave something out of a week, or put something in; and let news wait, or not."""
        self.house.set_quiet_period(minutes)
        week, piece = str(self._week(back)), data.draw(st.sampled_from(self.pieces))
        name = f"{piece.entry.feed_id} {piece.entry.url}"
        if data.draw(st.booleans()):
            self.house.overrides[week] = Overrides(leave_out=(name,))
            self.unwanted.add(name)
        else:
            self.house.overrides[week] = Overrides(put_back=(name,))
            self.excused.add(piece.story)

    @rule(hours=st.sampled_from([0, 0, 7, 60, 170]), back=backs, moves=st.sampled_from(LIVES))
    def decide(self, hours: int, back: int, moves: tuple[str, ...]) -> None:
        """Let time pass, for some weeks in all, and do a few things with one of the weeks that have closed."""
        if self.house.now < CLOCK.bounds(LAST)[1]:
            self.house.now += hours * HOUR
        self._fetch()
        for move in moves:
            self._try(lambda move=move: self._move(move, self._week(back)))
            self.every_story_is_told_once()

    def _move(self, move: str, week: Week) -> None:
        getattr(self.house, move)(week)
        if move == "approve":
            assert self.house.workflow.rebuild(week).changed_files == (), "made again at once, an edition is another"

    def _write(self, kinds: str, days: int, apart: int) -> None:
        number = len(self.pieces)
        title, at = self._title(number), self.house.now - days * DAY
        if kinds != "episode":
            self.pieces.append(Piece(story=number, entry=entry(title, at, body_html=f"<p>{title}.</p>")))
        if kinds in ("episode", "both"):
            self.pieces.append(Piece(story=number, entry=episode(title, at + apart * HOUR * 20)))

    def _write_other_half(self, one: Piece, apart: int, *, disguised: bool) -> None:
        title = f"Number {one.story}" if disguised else one.entry.title
        make, blog = (entry, "blog") if one.entry.is_episode else (episode, "podcast")
        slug = f"other-{one.story}"
        at = min(one.entry.published_at + apart * DAY, self.house.now)
        other = make(title, at, url=f"https://{blog}.example/{slug}", guid=slug)
        self.pieces.append(Piece(story=one.story, entry=other, paired=not disguised))

    def _fetch(self) -> None:
        for feed in ("blog", "podcast"):
            here = [each.entry for each in self.pieces if not each.withdrawn and each.entry.feed_id == feed]
            newest_first = sorted(here, key=lambda each: each.published_at, reverse=True)
            self.house.fetch(*newest_first, feed=feed)

    # What must hold

    @invariant()
    def no_seal_changes(self) -> None:
        for week in self.house.store.editions.all():
            sealed = self.house.store.editions.sealed(week)
            if sealed:
                made = sealed.edition
                key = (week, f"{made.content_hash} {sealed.sealed_at}")
                assert self.seals.setdefault(key, made.html + made.text + made.eml + made.manifest) == (
                    made.html + made.text + made.eml + made.manifest
                )

    @invariant()
    def numbers_are_given_once(self) -> None:
        numbers = [each.number for each in self._standings() if each.number]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))

    @invariant()
    def every_story_is_told_once(self) -> None:
        for standing in self._standings():
            if standing.state == "sent" and standing.week not in self.told:
                self._read_the_mail(standing.week)

    @precondition(lambda self: len(self.pieces) % 3 == 0)
    @invariant()
    def every_entry_is_explained(self) -> None:
        for week in (self._week(0), self._week(1)):
            ledger = self.house.decisions(week)
            assert sum(1 for _ in ledger) == sum(each.entries for each in self.house.store.feeds.stats().values())
            assert all(each.reason for each in ledger)
            sealed = self.house.store.editions.sealed(str(week))
            if sealed and self.house.store.editions.get(str(week)).state == "sent":
                assert {each.entry_id for each in ledger if each.included} == set(sealed.entry_ids)

    def bring_to_an_end(self) -> None:
        """Take everything up again that is not sent or skipped, and send it; one more week takes what floats."""
        self.house.set_quiet_period(0)
        self._fetch()
        last = CLOCK.week_of(self.house.now).next()
        self.house.set_time_after_closing(last, 6)
        note("… and the end of it:")
        week = FIRST.next(-7)
        while (week := week.next()) <= last:
            for move in (self.house.resume, self.house.publish, self.house.send):
                self._try(lambda move=move, week=week: move(week))
            self.every_story_is_told_once()
        self._nothing_is_forgotten()

    def _nothing_is_forgotten(self) -> None:
        """What was not told is backlog, was taken back, or was decided against: the ledger must say so, too."""
        there = {(each.entry.feed_id, each.entry.url): each for each in self._everything()}
        told = {self._story(name) for mail in self.told.values() for name in mail}
        for piece in self.pieces:
            name = (piece.entry.feed_id, piece.entry.url)
            if name not in there or piece.story in told or there[name].backlog or there[name].withdrawn_at:
                continue
            whys = self._whys(there[name].entry_id)
            decided = " ".join(name) in self.unwanted and any("by the editor" in each for each in whys)
            assert decided, f"{piece.entry.title} was forgotten: {whys}"

    # Words

    def _try(self, move: Callable[[], object]) -> None:
        try:
            move()
        except RefusedError as reason:
            note(str(reason))

    def _week(self, back: int) -> Week:
        return CLOCK.newest_closed(self.house.now).next(-back)

    def _title(self, number: int) -> str:
        return f"The {WORDS[number % 12]} and the {WORDS[number // 12 % 12]} of house {number}"

    def _standings(self) -> list[EditionRecord]:
        return list(self.house.store.editions.all().values())

    def _story(self, name: tuple[str, str]) -> int:
        return next(each.story for each in self.pieces if (each.entry.feed_id, each.entry.url) == name)

    def _everything(self) -> list:
        return self.house.store.entries.between(MONDAY - 400 * DAY, MONDAY + 400 * DAY, ["blog", "podcast"])

    def _whys(self, entry_id: int) -> list[str]:
        weeks = [FIRST.next(number) for number in range(-3, 14)]
        return [
            f"{week}: {each.reason}"
            for week in weeks
            for each in self.house.decisions(week)
            if each.entry_id == entry_id
        ]

    def _read_the_mail(self, week: str) -> None:
        sealed = self.house.store.editions.sealed(week)
        assert sealed is not None
        mail = [(each.entry.feed_id, each.entry.url) for each in self.house.store.entries.by_id(sealed.entry_ids)]
        before = {name for other in self.told.values() for name in other}
        assert not before & set(mail), "an entry went out twice"
        for name in mail:
            story = self._story(name)
            earlier = {each for each in before if self._story(each) == story}
            if earlier and self._known_as_one(story) and story not in self.excused:
                raise AssertionError(f"the story of {name} went out twice: {earlier}, in {self.told}, then in {week}")
        self.told[week] = mail

    def _known_as_one(self, story: int) -> bool:
        """Whether the store has both halves under titles that pair."""
        titles = {
            each.entry.title
            for each in self._everything()
            if self._story((each.entry.feed_id, each.entry.url)) == story
        }
        return len(titles) == 1


@pytest.fixture(scope="module")
def theme(tmp_path_factory: pytest.TempPathFactory) -> Theme:
    return small_theme(tmp_path_factory.mktemp("themes"))


@pytest.mark.parametrize("lives", [5, pytest.param(100, marks=pytest.mark.slow(minutes=1))])
def test_whatever_happens_each_story_is_told_once_and_no_seal_changes(theme: Theme, lives: int) -> None:
    """Lives in random order: nothing told twice, nothing forgotten, every entry explained, no sealed byte changed."""
    live(Publishing, theme, lives)


@pytest.mark.postgres
@pytest.mark.parametrize("lives", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_so_it_is_on_a_server(theme: Theme, lives: int, postgres_url: str) -> None:
    """The same lives, the store being PostgreSQL."""

    class PublishingOnServer(Publishing):
        SERVER = postgres_url

    live(PublishingOnServer, theme, lives)


def live(machine: type[Publishing], theme: Theme, lives: int) -> None:
    """Let so many publications live."""
    machine.THEME = theme
    quietly = list(HealthCheck)
    settled = settings(max_examples=lives, stateful_step_count=35, deadline=None, suppress_health_check=quietly)
    run_state_machine_as_test(machine, settings=settled)
