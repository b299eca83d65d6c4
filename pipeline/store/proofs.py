"""The repository of proofs: which were sent, which tokens of their buttons were used, and the keys that sign them.

A proof is claimed before it is sent, so that of two processes one sends it. A claim whose process died expires, and the
next process sends the same message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from pipeline.model.errors import InvalidTokenError
from pipeline.model.proof import Proof, ProofToken
from pipeline.store.database import Database
from pipeline.store.dialects import insert, insert_if_absent
from pipeline.store.schema import commit_counter, proof, signing_key, used_token

MIN_INTERVAL = timedelta(hours=1)
"""Time between two proofs of a week that are sent by schedule, however often the draft changes."""
CLAIM_TTL = timedelta(minutes=20)
"""How long a claim counts; longer than any mail server takes to answer."""
_NEWEST_FIRST = (proof.c.claimed_at.desc(), proof.c.sequence.desc(), proof.c.content_hash)


@dataclass(frozen=True, slots=True)
class ProofRepository:
    """Proofs by week, used tokens, signing keys."""

    database: Database

    def signing_key(self, purpose: str, new_key: str) -> str:
        """Return the key that signs for a purpose; ``new_key`` becomes that key if there is none yet."""
        query = select(signing_key.c.secret).where(signing_key.c.purpose == purpose)
        with self.database.read() as connection:
            if secret := connection.scalar(query):
                return str(secret)
        with self.database.write() as connection:
            insert_if_absent(connection, signing_key, {"purpose": purpose, "secret": new_key})
            return str(connection.scalar(query))

    def of_week(self, week: str) -> tuple[Proof, ...]:
        """Return the proofs of a week, the newest first."""
        with self.database.read() as connection:
            return _of_week(connection, week)

    def first_sent_at(self, week: str, content_hash: str) -> datetime | None:
        """Return when a proof of these bytes was first sent to the editor, or None."""
        same = (proof.c.week == week) & (proof.c.content_hash == content_hash)
        with self.database.read() as connection:
            sent_at: datetime | None = connection.scalar(select(func.min(proof.c.sent_at)).where(same))
            return sent_at

    def claim(
        self, week: str, content_hash: str, manifest: bytes, *, now: datetime, resend: bool = False
    ) -> Proof | None:
        """Claim a proof of a draft, to send it; return None if none is due.

        One is due once for the same bytes and ``MIN_INTERVAL`` after the last one of the week; with ``resend`` always.
        """
        with self.database.write() as connection:
            connection.execute(select(commit_counter.c.commits).with_for_update())  # one claim at a time, see ``lock``
            existing = _of_week(connection, week)
            if not resend and not _is_due(existing, content_hash, now):
                return None
            same = [other for other in existing if other.content_hash == content_hash]
            sequence = next(
                (other.sequence for other in same if other.sent_at is None),
                max((other.sequence for other in same), default=0) + 1,
            )
            claim = {"claimed_at": now, "manifest": manifest}
            row = {"week": week, "content_hash": content_hash, "sequence": sequence} | claim
            statement = insert(connection.dialect.name, proof).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=list(proof.primary_key), set_=claim))
            return Proof(week=week, content_hash=content_hash, sequence=sequence, claimed_at=now, manifest=manifest)

    def mark_sent(self, claimed: Proof, *, now: datetime) -> None:
        """Record that a proof was sent, or may have been."""
        with self.database.write() as connection:
            connection.execute(update(proof).where(_is_row(claimed)).values(sent_at=now))

    def release(self, claimed: Proof) -> None:
        """Delete the claim of a proof that was not sent, unless another process has claimed it since."""
        with self.database.write() as connection:
            connection.execute(delete(proof).where(_is_row(claimed), proof.c.claimed_at == claimed.claimed_at))

    def token_used_at(self, token: ProofToken) -> datetime | None:
        """Return when a token was used, or None."""
        with self.database.read() as connection:
            return connection.scalar(select(used_token.c.used_at).where(used_token.c.token_key == token.key))


def use_token(connection: Connection, token: ProofToken, now: datetime) -> None:
    """Use up a token inside the transaction it authorises; raise InvalidTokenError if it was used before."""
    if not insert_if_absent(connection, used_token, {"token_key": token.key, "used_at": now}):
        raise InvalidTokenError("This button was pressed before, and works once.", kind="used")


def _is_due(existing: Sequence[Proof], content_hash: str, now: datetime) -> bool:
    for other in existing:
        if other.sent_at is None:
            if now - other.claimed_at < CLAIM_TTL:
                return False  # another process is sending it
        elif other.content_hash == content_hash or now - other.sent_at < MIN_INTERVAL:
            return False
    return True


def _of_week(connection: Connection, week: str) -> tuple[Proof, ...]:
    rows = connection.execute(select(proof).where(proof.c.week == week).order_by(*_NEWEST_FIRST))
    return tuple(Proof(**row) for row in rows.mappings())


def _is_row(claimed: Proof) -> ColumnElement[bool]:
    return (
        (proof.c.week == claimed.week)
        & (proof.c.content_hash == claimed.content_hash)
        & (proof.c.sequence == claimed.sequence)
    )
