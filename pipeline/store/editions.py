"""Editions: where each stands, what was sealed, and whose the entries are.

In: ways to read and to write, frozen records. Out: the same. Every method is one transaction. A move names the standing
it was decided on: whoever comes second is told so (``Overtaken``), and nothing of theirs is kept. Which moves make
sense, ``model.edition`` says; here they only happen wholly, once, and to nobody else's entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection

from pipeline.model.check import Look
from pipeline.model.digest import State
from pipeline.model.edition import Sealed, Standing
from pipeline.model.errors import Overtaken
from pipeline.model.proof import Pass
from pipeline.store import looks, planning, proofs, seals
from pipeline.store.door import Transaction


class Editions:
    """The editions of a store; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def standings(self) -> dict[str, Standing]:
        """Tell where every edition stands that was ever moved, by week."""
        with self._reading() as connection:
            return seals.standings(connection)

    def standing(self, week: str) -> Standing:
        """Tell where a week's edition stands; a draft when nobody has moved it."""
        with self._reading() as connection:
            return seals.standing(connection, week)

    def sealed(self, week: str) -> Sealed | None:
        """Give the newest seal of a week, or None."""
        with self._reading() as connection:
            return seals.newest(connection, week)

    def number_for(self, week: str) -> int:
        """Tell which number a week's edition has, or would get if it were sealed now."""
        with self._reading() as connection:
            return seals.standing(connection, week).number or seals.next_number(connection)

    def approve(
        self,
        seen: Standing,
        seal: Sealed,
        *,
        kept_out: Collection[int] = (),
        rolled_on: Collection[int] = (),
        told: Mapping[int, str] = MappingProxyType({}),
        using: Pass | None = None,
    ) -> Standing:
        """Keep a seal, give it its number and reserve its entries.

        Other entries placed in the week are given up again, as are those it has no room for (``rolled_on``); not so
        ``kept_out``, those the editor decided against. ``told``: entries whose story other sealed editions (by week)
        have told without them.
        Overtaken also when another edition has taken the number, or one of the entries, in the meantime. ``using``: a
        pass that is used up by this; PassRefused when it was before.
        """
        with self._moving(seen, "approved", seal.sealed_at, seal.sealed_by, using=using) as connection:
            number = seen.number or seals.next_number(connection)
            if number != seal.edition.number:
                raise Overtaken(f"No. {seal.edition.number} went to another edition a moment ago; approve again.")
            seals.keep(connection, seal)
            planning.settle(connection, seen.week, (), seal.sealed_at, rolled_on)
            seals.free(connection, seen.week)
            seals.reserve(connection, seen.week, seal.entry_ids)
            planning.place(connection, seen.week, [*seal.entry_ids, *kept_out])
            planning.release(connection, seen.week, but=[*seal.entry_ids, *kept_out])
            seals.bind(connection, told)
            return seals.standing(connection, seen.week)

    def give_up(
        self,
        seen: Standing,
        state: State,
        entry_ids: Collection[int],
        *,
        kept_out: Collection[int] = (),
        now: datetime,
        by: str,
        remark: str = "",
        using: Pass | None = None,
    ) -> Standing:
        """Hold or skip a week: its entries, placed or about to be (``entry_ids``), are free again and roll on."""
        with self._moving(seen, state, now, by, remark, using) as connection:
            planning.settle(connection, seen.week, [*entry_ids, *kept_out], now)
            seals.free(connection, seen.week)
            planning.release(connection, seen.week, but=kept_out)
            return seals.standing(connection, seen.week)

    def resume(self, seen: Standing, *, now: datetime, by: str) -> Standing:
        """Take back what a held week gave up and no other edition has sealed since.

        It is approved again where its seal still holds, all its entries having come back; else it is a draft.
        """
        with self._moving(seen, "draft", now, by) as connection:
            seal = seals.newest(connection, seen.week)
            planning.take_back(connection, seen.week, seal.entry_ids if seal else ())
            if seal and planning.all_placed(connection, seen.week, seal.entry_ids):
                seals.reserve(connection, seen.week, seal.entry_ids)
                seals.restore(connection, seen.week)
            return seals.standing(connection, seen.week)

    def move(
        self, seen: Standing, state: State, *, now: datetime, by: str, remark: str = "", using: Pass | None = None
    ) -> Standing:
        """Move an edition on without touching its entries: to ``sending``, to ``sent``, into another's name."""
        with self._moving(seen, state, now, by, remark, using) as connection:
            return seals.standing(connection, seen.week)

    def bind_halves(self, bound: Mapping[int, str]) -> None:
        """Remember of entries that sealed editions (by week) have told their story without them."""
        if bound:
            with self._writing() as connection:
                seals.bind(connection, bound)

    def look(self, content_hash: str) -> Look | None:
        """Tell what the network said about the links and pictures of these bytes; None when it was not asked."""
        with self._reading() as connection:
            return looks.newest(connection, content_hash)

    def keep_look(self, seen: Look) -> None:
        """Keep what the network said; an approval of the very bytes goes by it."""
        with self._writing() as connection:
            looks.save(connection, seen)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from writing, while a file that belongs to an edition is changed.

        Nothing of the store may be written inside. Whoever dies in here holds nobody up: the lock is the database's.
        """
        with self._writing() as connection:
            seals.one_at_a_time(connection)
            yield

    @contextmanager
    def _moving(
        self, seen: Standing, state: State, now: datetime, by: str, remark: str = "", using: Pass | None = None
    ) -> Iterator[Connection]:
        """Begin a transaction by moving an edition on, or by finding that somebody else has."""
        with self._writing() as connection:
            moved = {"state": state, "moved_at": now, "moved_by": by, "remark": remark}
            seals.advance(connection, seen, moved)
            if using:
                proofs.use_up(connection, using, now)
            yield connection
