"""Sign and verify texts for one purpose, and the tokens of links to log in.

Pure: whether a token has expired or was used is for the caller to check. Only this module imports itsdangerous.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

from itsdangerous import BadSignature, Signer

from pipeline.model.editor import Editor, LogInToken
from pipeline.model.errors import InvalidTokenError

LOG_IN_PURPOSE = "log-in"
_EDITOR_ID_CHARS = 16


def editor_id(editor: Editor) -> str:
    """Return the text that names an editor in links, without the address.

    >>> editor_id(Editor(name="Ann", address="Ann@quay.example", may_approve=True))
    '388be82823f944ab'
    """
    return sha256(editor.key.encode()).hexdigest()[:_EDITOR_ID_CHARS]


def signed_log_in(token: LogInToken, key: str) -> str:
    """Return a signed token of letters, digits, ``-``, ``_`` and ``.``, safe in a URL's path.

    >>> token = LogInToken(editor_id="c0e7", nonce="n0-nce", expires_at=datetime(2026, 2, 20, tzinfo=UTC))
    >>> signed_log_in(token, "key").rpartition(".")[0], verify_log_in(signed_log_in(token, "key"), "key") == token
    ('c0e7.n0-nce.1771545600', True)
    """
    return signed(f"{token.editor_id}.{token.nonce}.{int(token.expires_at.timestamp())}", key, LOG_IN_PURPOSE)


def verify_log_in(token: str, key: str) -> LogInToken:
    """Return the fields of a signed token; raise InvalidTokenError (forged) if the signature is not ours."""
    try:
        editor, nonce, expires = verified(token, key, LOG_IN_PURPOSE).split(".")
    except ValueError as error:
        raise InvalidTokenError("This link is invalid or incomplete: copy the whole address.", kind="forged") from error
    return LogInToken(editor_id=editor, nonce=nonce, expires_at=datetime.fromtimestamp(int(expires), UTC))


def signed(text: str, key: str, purpose: str) -> str:
    """Return an ASCII text with a signature (HMAC with SHA-256) that is valid for one purpose only."""
    return _signer(key, purpose).sign(text).decode("ascii")


def verified(signed_text: str, key: str, purpose: str) -> str:
    """Return the text that was signed for a purpose; raise ValueError if the signature is not ours."""
    try:
        return _signer(key, purpose).unsign(signed_text).decode("ascii")
    except (BadSignature, UnicodeError) as error:
        raise ValueError("not signed for this purpose") from error


def _signer(key: str, purpose: str) -> Signer:
    return Signer(key, salt=purpose, key_derivation="hmac", digest_method=sha256)
