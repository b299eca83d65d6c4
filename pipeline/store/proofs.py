"""Proofs: which were sent, which of their buttons were used, and what signs them.

In: ways to read and to write, frozen records. Out: the same. Every method is one transaction. A proof is claimed before
it is sent, so that of two processes one sends it; a claim whose process died runs out, and the next one sends the very
same mail.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from pipeline.model.errors import InvalidTokenError
from pipeline.model.proof import Proof, ProofToken
from pipeline.store.dialects import insert
from pipeline.store.schema import commit_counter, proof, signing_key, used_token

if TYPE_CHECKING:
    from pipeline.store.errors import Transaction

MIN_INTERVAL = timedelta(hours=1)
"""Between two proofs that go out by themselves, however often a draft changes."""
CLAIM_TTL = timedelta(minutes=20)
"""After so long, whoever claimed a proof and has not sent it is dead: no mail server is waited for longer."""


class ProofRepository:
    """The proofs of a store; made by it."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def signing_key(self, purpose: str, new_key: str) -> str:
        """Give what signs links of a purpose; ``fresh`` is kept as that where there is none yet."""
        with self._reading() as connection:
            found = connection.scalar(select(signing_key.c.secret).where(signing_key.c.purpose == purpose))
        if found:
            return str(found)
        with self._writing() as connection:
            row = {"purpose": purpose, "secret": new_key}
            connection.execute(insert(connection.dialect.name, signing_key).values(row).on_conflict_do_nothing())
            return str(connection.scalar(select(signing_key.c.secret).where(signing_key.c.purpose == purpose)))

    def of_week(self, week: str) -> tuple[Proof, ...]:
        """Give the proofs of a week, the newest first."""
        with self._reading() as connection:
            return _of_week(connection, week)

    def first_sent_at(self, week: str, content_hash: str) -> datetime | None:
        """Tell since when the editor has a proof of these very bytes; None: they have none."""
        with self._reading() as connection:
            same = (proof.c.week == week) & (proof.c.content_hash == content_hash)
            found: datetime | None = connection.scalar(select(func.min(proof.c.sent_at)).where(same))
            return found

    def claim(
        self, week: str, content_hash: str, manifest: bytes, *, now: datetime, resend: bool = False
    ) -> Proof | None:
        """Take it on oneself to send a proof of a draft; None when that is not, or not yet, to be done.

        Once for these bytes, and an hour after the last one at the earliest; ``again``: as often as somebody asks.
        """
        with self._writing() as connection:
            connection.execute(
                select(commit_counter.c.commits).with_for_update()
            )  # one claim at a time, on PostgreSQL too
            before = _of_week(connection, week)
            if not resend and not _is_due(before, content_hash, now):
                return None
            same = [each for each in before if each.content_hash == content_hash]
            lost = next((each for each in same if each.sent_at is None), None)
            nth = lost.sequence if lost else max((each.sequence for each in same), default=0) + 1
            claimed = {"claimed_at": now, "manifest": manifest}
            row = {"week": week, "content_hash": content_hash, "sequence": nth} | claimed
            statement = insert(connection.dialect.name, proof).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=list(proof.primary_key), set_=claimed))
            return Proof(week=week, content_hash=content_hash, sequence=nth, claimed_at=now, manifest=manifest)

    def mark_sent(self, claimed: Proof, *, now: datetime) -> None:
        """Remember that a proof is out, or may be."""
        with self._writing() as connection:
            connection.execute(update(proof).where(_row(claimed)).values(sent_at=now))

    def release(self, claimed: Proof) -> None:
        """Let go of a proof that did not get out: whoever comes next may try, unless somebody does by now."""
        with self._writing() as connection:
            connection.execute(delete(proof).where(_row(claimed), proof.c.claimed_at == claimed.claimed_at))

    def token_used_at(self, token: ProofToken) -> datetime | None:
        """Tell when a pass was used; None while it was not."""
        with self._reading() as connection:
            return connection.scalar(select(used_token.c.used_at).where(used_token.c.token_key == token.key))


def use_up(connection: Connection, what: ProofToken, now: datetime) -> None:
    """Use a pass, inside the transaction of what it is for; PassRefused when it was used before."""
    row = {"token_key": what.key, "used_at": now}
    statement = insert(connection.dialect.name, used_token).values(row).on_conflict_do_nothing()
    if connection.execute(statement.returning(used_token.c.token_key)).first() is None:
        raise InvalidTokenError("This button was pressed before, and works once.", kind="used")


def _is_due(before: Sequence[Proof], content_hash: str, now: datetime) -> bool:
    for each in before:
        on_its_way = each.sent_at is None and now - each.claimed_at < CLAIM_TTL
        too_soon = each.sent_at is not None and now - each.sent_at < MIN_INTERVAL
        seen = each.sent_at is not None and each.content_hash == content_hash
        if on_its_way or too_soon or seen:
            return False
    return True


def _of_week(connection: Connection, week: str) -> tuple[Proof, ...]:
    rows = connection.execute(select(proof).where(proof.c.week == week).order_by(proof.c.claimed_at.desc()))
    return tuple(Proof(**row) for row in rows.mappings())


def _row(claimed: Proof) -> ColumnElement[bool]:
    return (
        (proof.c.week == claimed.week)
        & (proof.c.content_hash == claimed.content_hash)
        & (proof.c.sequence == claimed.sequence)
    )
