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

from pipeline.digest.theme import Theme
from pipeline.model.edition import Overrides, Standing
from pipeline.model.entry import Entry
from pipeline.model.errors import Refused
from pipeline.model.week import Week
from tests.making import MONDAY, entry, episode
from tests.publishing import CLOCK, W07, House, small_theme

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEKS = [W07.next(n) for n in range(3)]
WORDS = "bread salt kiln rope lamp tide soup oak wool rain moss clay".split()  # noqa: SIM905
MOVES = ("digest", "approve", "approve", "hold", "resume", "skip", "send", "hand_over")
weeks = st.sampled_from(WEEKS)


@dataclass
class Piece:
    """One entry of a story, as its author knows it."""

    story: int
    entry: Entry
    paired: bool = True
    """Whether its title gives it away as its story's."""
    withdrawn: bool = False


class Publishing(RuleBasedStateMachine):
    """The machine. ``THEME`` is set by the test."""

    THEME: Theme

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.house = House(self.folder, self.THEME)
        self.pieces: list[Piece] = []
        self.told: dict[str, list[tuple[str, str]]] = {}
        """Week to what its mail has told, by feed and address: guids change."""
        self.seals: dict[tuple[str, str], bytes] = {}
        self.excused: set[int] = set()
        """Stories told twice as nobody could know that they were one, or as the editor wished."""

    def teardown(self) -> None:
        try:
            self.bring_to_an_end()
        finally:
            self.house.store.close()
            shutil.rmtree(self.folder)

    # Authors

    @initialize()
    def begin(self) -> None:
        """Both feeds were read before, so that what comes is news; an old post is their backlog."""
        self.house.at(MONDAY)
        old = entry("An old post", MONDAY - 22 * DAY)
        self.pieces.append(Piece(story=-1, entry=old))
        self.fetch()

    @rule(kinds=st.sampled_from(["post", "episode", "both"]), days=st.integers(0, 9), apart=st.integers(0, 6))
    def write(self, kinds: str, days: int, apart: int) -> None:
        """Publish a story, dated some days ago, its halves some days apart."""
        number = len(self.pieces)
        title, at = self._title(number), self.house.now - days * DAY
        if kinds != "episode":
            self.pieces.append(Piece(story=number, entry=entry(title, at, body_html=f"<p>{title}.</p>")))
        if kinds != "post":
            self.pieces.append(Piece(story=number, entry=episode(title, at + apart * HOUR * 20)))

    @rule(data=st.data(), disguised=st.booleans(), hours=st.integers(0, 200))
    def write_the_other_half(self, data: st.DataObject, disguised: bool, hours: int) -> None:
        """Publish the missing half of a story, within days of the first, its title disguised or not."""
        lone = [each for each in self.pieces[1:] if sum(other.story == each.story for other in self.pieces) == 1]
        if not lone:
            return
        one = data.draw(st.sampled_from(lone))
        title = f"Number {one.story}" if disguised else one.entry.title
        make = entry if one.entry.is_episode else episode
        slug = f"other-{one.story}"
        url = f"https://{'blog' if one.entry.is_episode else 'podcast'}.example/{slug}"
        other = make(title, min(one.entry.published_at + hours * HOUR, self.house.now), url=url, guid=slug)
        self.pieces.append(Piece(story=one.story, entry=other, paired=not disguised))

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """Change the text of something; a disguise falls."""
        piece = data.draw(st.sampled_from(self.pieces))
        title = piece.entry.title if piece.paired else self._title(piece.story)
        body = f"<p>{title}, revised {self.house.now:%d %H:%M}.</p>"
        piece.entry, piece.paired = replace(piece.entry, title=title, body_html=body), True

    @rule(data=st.data())
    def rename(self, data: st.DataObject) -> None:
        """Give something another guid, as a moved blog does."""
        piece = data.draw(st.sampled_from(self.pieces))
        piece.entry = replace(piece.entry, guid=f"{piece.entry.guid}+")

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Take something out of its feed, or put it in again."""
        piece = data.draw(st.sampled_from(self.pieces))
        piece.withdrawn = not piece.withdrawn

    # The program

    @rule(hours=st.sampled_from([1, 7, 30, 100]))
    def wait(self, hours: int) -> None:
        self.house.now += hours * HOUR

    @rule()
    def fetch(self) -> None:
        for feed in ("blog", "podcast"):
            here = [each.entry for each in self.pieces if not each.withdrawn and each.entry.feed_id == feed]
            newest_first = sorted(here, key=lambda each: each.published_at, reverse=True)
            self.house.fetch(*newest_first, feed=feed)

    @rule(minutes=st.sampled_from([0, 0, 90]))
    def let_news_settle(self, minutes: int) -> None:
        self.house.settle(minutes)

    @rule(week=weeks, data=st.data())
    def wish(self, week: Week, data: st.DataObject) -> None:
        """Let the editor leave something out of a week, or put something in."""
        piece = data.draw(st.sampled_from(self.pieces))
        name = f"{piece.entry.feed_id} {piece.entry.url}"
        if data.draw(st.booleans()):
            self.house.wishes[str(week)] = Overrides(leave_out=(name,))
        else:
            self.house.wishes[str(week)] = Overrides(put_back=(name,))
            self.excused.add(piece.story)

    @rule(week=weeks, moves=st.lists(st.sampled_from(MOVES), min_size=1, max_size=4))
    def decide(self, week: Week, moves: list[str]) -> None:
        """Do a few things with one week; what is refused is not done."""
        for move in moves:
            self._try(lambda move=move: getattr(self.house, move)(week))
            self.every_story_is_told_once()

    @rule(week=weeks)
    def publish(self, week: Week) -> None:
        self.house.closing(week, 6) if self.house.now < CLOCK.bounds(week)[1] else None
        self._try(lambda: self.house.publish(week))

    @rule(week=weeks)
    def rebuild(self, week: Week) -> None:
        """Made again at once after its sealing, an edition is the same."""
        try:
            standing = self.house.approve(week)
        except Refused:
            return
        assert standing.state == "approved"
        assert self.house.publisher.rebuild(week).parts == ()

    # What must hold

    @invariant()
    def no_seal_changes(self) -> None:
        for week in WEEKS:
            sealed = self.house.store.editions.sealed(str(week))
            if sealed:
                made = sealed.edition
                key = (str(week), f"{made.content_hash} {sealed.sealed_at}")
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
        for week in WEEKS[:2]:
            ledger = self.house.ledger(week)
            assert sum(1 for _ in ledger) == sum(each.entries for each in self.house.store.feed_counts().values())
            assert all(each.reason for each in ledger)

    def bring_to_an_end(self) -> None:
        """Take everything up again that is not sent or skipped, and send it; one more week takes what floats."""
        self.house.settle(0)
        self.fetch()
        last = max(CLOCK.week_of(self.house.now), WEEKS[-1])
        self.house.closing(last.next(), 6)
        note("… and the end of it:")
        for week in [WEEKS[0].next(n) for n in range(-6, 30)]:
            if week > last.next():
                break
            for move in (self.house.resume, self.house.publish, self.house.send):
                self._try(lambda move=move, week=week: move(week))
            self.every_story_is_told_once()
        self._nothing_is_forgotten()

    def _nothing_is_forgotten(self) -> None:
        there = {(each.entry.feed_id, each.entry.url): each for each in self._everything()}
        told = {self._story(name) for mail in self.told.values() for name in mail}
        unwanted = {name for wishes in self.house.wishes.values() for name in wishes.leave_out}
        for piece in self.pieces:
            name = (piece.entry.feed_id, piece.entry.url)
            if name not in there or there[name].backlog or there[name].withdrawn_at or " ".join(name) in unwanted:
                continue
            assert piece.story in told, f"{piece.entry.title} was forgotten: {self._whys(piece)}"

    # Words

    def _try(self, move: Callable[[], object]) -> None:
        try:
            move()
        except Refused as reason:
            note(str(reason))

    def _title(self, number: int) -> str:
        return f"The {WORDS[number % 12]} and the {WORDS[number // 12 % 12]} of house {number}"

    def _standings(self) -> list[Standing]:
        return list(self.house.store.editions.standings().values())

    def _story(self, name: tuple[str, str]) -> int:
        return next(each.story for each in self.pieces if (each.entry.feed_id, each.entry.url) == name)

    def _everything(self) -> list:
        return self.house.store.entries_between(MONDAY - 400 * DAY, MONDAY + 400 * DAY, ["blog", "podcast"])

    def _whys(self, piece: Piece) -> list[str]:
        return [self.house.why(week, piece.entry.title) for week in WEEKS]

    def _read_the_mail(self, week: str) -> None:
        sealed = self.house.store.editions.sealed(week)
        assert sealed is not None
        mail = [(each.entry.feed_id, each.entry.url) for each in self.house.store.entries_by_id(sealed.entry_ids)]
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


@pytest.mark.parametrize("lives", [16, pytest.param(100, marks=pytest.mark.slow)])
def test_whatever_happens_each_story_is_told_once_and_no_seal_changes(theme: Theme, lives: int) -> None:
    """Lives in random order: nothing told twice, nothing forgotten, every entry explained, no sealed byte changed."""
    Publishing.THEME = theme
    quietly = list(HealthCheck)
    settled = settings(max_examples=lives, stateful_step_count=35, deadline=None, suppress_health_check=quietly)
    run_state_machine_as_test(Publishing, settings=settled)
