"""Editions: where each stands, what was sealed, and whose the entries are.

In: ways to read and to write, frozen records. Out: the same. Every method is one transaction. A move names the standing
it was decided on: whoever comes second is told so (``ConflictError``), and nothing of theirs is kept. Which moves make
sense, ``model.edition`` says; here they only happen wholly, once, and to nobody else's entries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection

from pipeline.model.check import LinkCheck
from pipeline.model.digest import EditionState
from pipeline.model.edition import EditionRecord, SealedEdition
from pipeline.model.errors import ConflictError
from pipeline.model.proof import ProofToken
from pipeline.store import edition_rows as seals
from pipeline.store import link_checks as looks
from pipeline.store import proofs
from pipeline.store import weeks as planning
from pipeline.store.errors import Transaction


class EditionRepository:
    """The editions of a store; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def all(self) -> dict[str, EditionRecord]:
        """Tell where every edition stands that was ever moved, by week."""
        with self._reading() as connection:
            return seals.standings(connection)

    def get(self, week: str) -> EditionRecord:
        """Tell where a week's edition stands; a draft when nobody has moved it."""
        with self._reading() as connection:
            return seals.standing(connection, week)

    def sealed(self, week: str) -> SealedEdition | None:
        """Give the newest seal of a week, or None."""
        with self._reading() as connection:
            return seals.newest(connection, week)

    def number_for(self, week: str) -> int:
        """Tell which number a week's edition has, or would get if it were sealed now."""
        with self._reading() as connection:
            return seals.standing(connection, week).number or seals.next_number(connection)

    def approve(
        self,
        expected: EditionRecord,
        seal: SealedEdition,
        *,
        excluded: Collection[int] = (),
        carried_over: Collection[int] = (),
        published_elsewhere: Mapping[int, str] = MappingProxyType({}),
        token: ProofToken | None = None,
    ) -> EditionRecord:
        """Keep a seal, give it its number and reserve its entries.

        Other entries placed in the week are given up again, as are those it has no room for (``carried_over``); not so
        ``excluded_by_editor``, those the editor decided against. ``told``: entries whose story other sealed editions (by week)
        have told without them.
        Overtaken also when another edition has taken the number, or one of the entries, in the meantime. ``using``: a
        pass that is used up by this; PassRefused when it was before.
        """
        with self._moving(expected, "approved", seal.sealed_at, seal.sealed_by, using=token) as connection:
            number = expected.number or seals.next_number(connection)
            if number != seal.edition.number:
                raise ConflictError(f"No. {seal.edition.number} went to another edition a moment ago; approve again.")
            seals.keep(connection, seal)
            planning.settle(connection, expected.week, (), seal.sealed_at, carried_over)
            seals.free(connection, expected.week)
            seals.reserve(connection, expected.week, seal.entry_ids)
            planning.place(connection, expected.week, [*seal.entry_ids, *excluded])
            planning.release(connection, expected.week, but=[*seal.entry_ids, *excluded])
            seals.bind(connection, published_elsewhere)
            return seals.standing(connection, expected.week)

    def release(
        self,
        expected: EditionRecord,
        state: EditionState,
        entry_ids: Collection[int],
        *,
        excluded: Collection[int] = (),
        now: datetime,
        actor: str,
        note: str = "",
        token: ProofToken | None = None,
    ) -> EditionRecord:
        """Hold or skip a week: its entries, placed or about to be (``entry_ids``), are free again and roll on."""
        with self._moving(expected, state, now, actor, note, token) as connection:
            planning.settle(connection, expected.week, [*entry_ids, *excluded], now)
            seals.free(connection, expected.week)
            planning.release(connection, expected.week, but=excluded)
            return seals.standing(connection, expected.week)

    def resume(self, expected: EditionRecord, *, now: datetime, actor: str) -> EditionRecord:
        """Take back what a held week gave up and no other edition has sealed since.

        It is approved again where its seal still holds, all its entries having come back; else it is a draft.
        """
        with self._moving(expected, "draft", now, actor) as connection:
            seal = seals.newest(connection, expected.week)
            planning.take_back(connection, expected.week, seal.entry_ids if seal else ())
            if seal and planning.all_placed(connection, expected.week, seal.entry_ids):
                seals.reserve(connection, expected.week, seal.entry_ids)
                seals.restore(connection, expected.week)
            return seals.standing(connection, expected.week)

    def change_state(
        self,
        expected: EditionRecord,
        state: EditionState,
        *,
        now: datetime,
        actor: str,
        note: str = "",
        token: ProofToken | None = None,
    ) -> EditionRecord:
        """Move an edition on without touching its entries: to ``sending``, to ``sent``, into another's name."""
        with self._moving(expected, state, now, actor, note, token) as connection:
            return seals.standing(connection, expected.week)

    def link_duplicates(self, weeks_by_entry: Mapping[int, str]) -> None:
        """Remember of entries that sealed editions (by week) have told their story without them."""
        if weeks_by_entry:
            with self._writing() as connection:
                seals.bind(connection, weeks_by_entry)

    def link_check(self, content_hash: str) -> LinkCheck | None:
        """Tell what the network said about the links and pictures of these bytes; None when it was not asked."""
        with self._reading() as connection:
            return looks.newest(connection, content_hash)

    def save_link_check(self, link_check: LinkCheck) -> None:
        """Keep what the network said; an approval of the very bytes goes by it."""
        with self._writing() as connection:
            looks.save(connection, link_check)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep every other process from writing, while a file that belongs to an edition is changed.

        Nothing of the store may be written inside. Whoever dies in here holds nobody up: the lock is the database's.
        """
        with self._writing() as connection:
            seals.one_at_a_time(connection)
            yield

    @contextmanager
    def _moving(
        self,
        seen: EditionRecord,
        state: EditionState,
        now: datetime,
        by: str,
        remark: str = "",
        using: ProofToken | None = None,
    ) -> Iterator[Connection]:
        """Begin a transaction by moving an edition on, or by finding that somebody else has."""
        with self._writing() as connection:
            moved = {"state": state, "changed_at": now, "changed_by": by, "note": remark}
            seals.advance(connection, seen, moved)
            if using:
                proofs.use_up(connection, using, now)
            yield connection
