"""What lets an editor in, signed, so that nobody can make one: passes in links, and the desk's key in a cookie.

In: a Pass or an instant and what signs it, or a token. Out: a token, or the Pass. Pure: whether a pass has expired or
was used is for others to say. The only door to itsdangerous.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from itsdangerous import BadSignature, Signer

from pipeline.model.errors import InvalidTokenError
from pipeline.model.proof import ProofToken

PROOF_PURPOSE = "proof"
SESSION_PURPOSE = "desk"


def sign_token(token: ProofToken, key: str) -> str:
    """Sign a pass (HMAC with SHA-256); letters, digits, ``-``, ``_`` and ``.`` alone, a letter or digit first.

    >>> friday = datetime(2026, 2, 20, tzinfo=UTC)
    >>> hold = Pass(week="2026-W07", content_hash="ab", choice="hold", nth=1, expires_at=friday)
    >>> write_pass(hold, "key").rpartition(".")[0]
    '2026-W07.ab.hold.1.1771545600'
    >>> read_pass(write_pass(hold, "key"), "key") == hold
    True
    """
    told = (token.week, token.content_hash, token.action, token.sequence, int(token.expires_at.timestamp()))
    return _signer(key, PROOF_PURPOSE).sign(".".join(map(str, told))).decode("ascii")


def verify_token(token: str, key: str) -> ProofToken:
    """Read a token of ours; PassRefused (forged) for anything else."""
    try:
        week, content_hash, choice, nth, expires = _signer(key, PROOF_PURPOSE).unsign(token).decode("ascii").split(".")
    except (BadSignature, UnicodeError) as forged:
        told = "This link is not one of ours, or not whole: open it from the mail itself."
        raise InvalidTokenError(told, kind="forged") from forged
    return ProofToken(
        week=week,
        content_hash=content_hash,
        action=choice,  # type: ignore[arg-type]  # signed by us, so one of Choice
        sequence=int(nth),
        expires_at=datetime.fromtimestamp(int(expires), UTC),
    )


def sign_session(until: datetime, key: str) -> str:
    """Sign what opens the desk until an instant, for a cookie: never for an address, which is kept and passed on.

    >>> friday = datetime(2026, 2, 20, tzinfo=UTC)
    >>> opens_desk(write_desk_key(friday, "key"), "key", now=datetime(2026, 2, 19, tzinfo=UTC))
    True
    >>> opens_desk(write_desk_key(friday, "key"), "key", now=friday)
    False
    """
    return _signer(key, SESSION_PURPOSE).sign(str(int(until.timestamp()))).decode("ascii")


def session_is_valid(token: str, key: str, *, now: datetime) -> bool:
    """Tell whether a token is such a key of ours, and its time not over."""
    try:
        return now.timestamp() < int(_signer(key, SESSION_PURPOSE).unsign(token))
    except BadSignature:
        return False


def _signer(key: str, purpose: str) -> Signer:
    return Signer(key, salt=purpose, key_derivation="hmac", digest_method=sha256)
