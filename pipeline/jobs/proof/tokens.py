"""Sign and verify the tokens of proof buttons and the desk's session cookie.

Pure: whether a token has expired or was used is for the caller to check. Only this module imports itsdangerous.
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
    """Return a signed token (HMAC with SHA-256) of letters, digits, ``-``, ``_`` and ``.``, safe in a URL's path.

    >>> friday = datetime(2026, 2, 20, tzinfo=UTC)
    >>> hold = ProofToken(week="2026-W07", content_hash="ab", action="hold", sequence=1, expires_at=friday)
    >>> sign_token(hold, "key").rpartition(".")[0]
    '2026-W07.ab.hold.1.1771545600'
    >>> verify_token(sign_token(hold, "key"), "key") == hold
    True
    """
    fields = (token.week, token.content_hash, token.action, token.sequence, int(token.expires_at.timestamp()))
    return _signer(key, PROOF_PURPOSE).sign(".".join(map(str, fields))).decode("ascii")


def verify_token(token: str, key: str) -> ProofToken:
    """Return the fields of a signed token; raise InvalidTokenError (forged) if the signature is not ours."""
    try:
        payload = _signer(key, PROOF_PURPOSE).unsign(token).decode("ascii")
        week, content_hash, action, sequence, expires = payload.split(".")
    except (BadSignature, UnicodeError) as error:
        message = "This link is invalid or incomplete: open it from the mail itself."
        raise InvalidTokenError(message, kind="forged") from error
    return ProofToken(
        week=week,
        content_hash=content_hash,
        action=action,  # type: ignore[arg-type]  # signed by us, so it is a ProofAction
        sequence=int(sequence),
        expires_at=datetime.fromtimestamp(int(expires), UTC),
    )


def sign_session(until: datetime, key: str) -> str:
    """Return a signed value that opens the desk until an instant. For cookies only: URLs are stored and shared.

    >>> friday = datetime(2026, 2, 20, tzinfo=UTC)
    >>> session_is_valid(sign_session(friday, "key"), "key", now=datetime(2026, 2, 19, tzinfo=UTC))
    True
    >>> session_is_valid(sign_session(friday, "key"), "key", now=friday)
    False
    """
    return _signer(key, SESSION_PURPOSE).sign(str(int(until.timestamp()))).decode("ascii")


def session_is_valid(session: str, key: str, *, now: datetime) -> bool:
    """Check whether a session was signed by us and has not expired."""
    try:
        return now.timestamp() < int(_signer(key, SESSION_PURPOSE).unsign(session))
    except BadSignature:
        return False


def _signer(key: str, purpose: str) -> Signer:
    return Signer(key, salt=purpose, key_derivation="hmac", digest_method=sha256)
