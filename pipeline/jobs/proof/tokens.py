"""Sign and verify the tokens of proof buttons.

Pure: whether a token has expired or was used is for the caller to check.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.jobs.access.tokens import signed, verified
from pipeline.model.errors import InvalidTokenError
from pipeline.model.proof import ProofToken

PROOF_PURPOSE = "proof"


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
    return signed(".".join(map(str, fields)), key, PROOF_PURPOSE)


def verify_token(token: str, key: str) -> ProofToken:
    """Return the fields of a signed token; raise InvalidTokenError (forged) if the signature is not ours."""
    try:
        week, content_hash, action, sequence, expires = verified(token, key, PROOF_PURPOSE).split(".")
    except ValueError as error:
        message = "This link is invalid or incomplete: open it from the mail itself."
        raise InvalidTokenError(message, kind="forged") from error
    return ProofToken(
        week=week,
        content_hash=content_hash,
        action=action,  # type: ignore[arg-type]  # signed by us, so it is a ProofAction
        sequence=int(sequence),
        expires_at=datetime.fromtimestamp(int(expires), UTC),
    )
