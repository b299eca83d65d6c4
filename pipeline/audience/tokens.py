"""The tokens in links to a person and in addresses: 32 letters and digits, signed with a key of their purpose.

A token names a subscriber and when it expires, and nothing else can be read from it. It is not stored: six characters
are the subscriber's number, four the hour it expires in, and 22 an HMAC (SHA-256, 130 bits).
"""

from __future__ import annotations

import hmac
import re
import string
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from itertools import product
from typing import Literal

from pipeline.model.errors import InvalidTokenError
from pipeline.model.subscriber import Subscriber

Purpose = Literal["confirm", "unsubscribe", "preferences", "address", "guide"]
PURPOSES: tuple[Purpose, ...] = ("confirm", "unsubscribe", "preferences", "address", "guide")
TOKEN_CHARS = 32
_DIGITS = string.digits + string.ascii_letters
_ID_CHARS, _HOUR_CHARS = 6, 4
_SECONDS_PER_HOUR = 3600
_INVALID = "This link is invalid or incomplete: open it from the mail itself."
_TOKEN = re.compile(rf"[0-9A-Za-z]{{{TOKEN_CHARS}}}")
_ADDRESS_DIGITS = string.digits + string.ascii_lowercase
_DELIVERY_ID_CHARS = 10


def sign_token(
    purpose: Purpose, subscriber: Subscriber, key: str, *, expires_at: datetime | None = None, bound_to: str = ""
) -> str:
    """Return a token for a subscriber. It is valid to the end of the hour of ``expires_at``, or for ever.

    ``bound_to`` is more that the token is only valid for, such as the new address that it confirms.
    """
    hour = 0 if expires_at is None else int(expires_at.timestamp()) // _SECONDS_PER_HOUR + 1
    claims = _encode(subscriber.id, _ID_CHARS) + _encode(hour, _HOUR_CHARS)
    return claims + _signature(purpose, claims, subscriber, key, bound_to)


def subscriber_id_of(token: str) -> int:
    """Return the number of the subscriber whom a token names, which is to be verified.

    Raise InvalidTokenError (forged) if it is not a token.
    """
    if not _TOKEN.fullmatch(token):
        raise InvalidTokenError(_INVALID, kind="forged")
    return _decode(token[:_ID_CHARS])


def verify_token(
    purpose: Purpose, token: str, subscriber: Subscriber, key: str, *, bound_to: str = ""
) -> datetime | None:
    """Return when a token of a subscriber expires, at the beginning of an hour (UTC); None if it does not.

    Raise InvalidTokenError (forged) if it was not signed for this purpose and subscriber. Whether it has expired is for
    the caller to check, who then may offer a new one.
    """
    claims = token[: _ID_CHARS + _HOUR_CHARS]
    expected = _signature(purpose, claims, subscriber, key, bound_to)
    if not _TOKEN.fullmatch(token) or not hmac.compare_digest(token[len(claims) :], expected):
        raise InvalidTokenError(_INVALID, kind="forged")
    hour = _decode(claims[_ID_CHARS:])
    return datetime.fromtimestamp(hour * _SECONDS_PER_HOUR, UTC) if hour else None


def delivery_token(delivery_id: int, key: str) -> str:
    """Return the token of a delivery in the address that its bounces go to.

    It is in lower case, since mail servers may change the case of an address: ten characters are the number of the
    delivery, and 22 an HMAC (SHA-256, 113 bits).

    >>> delivery_token(1, "key")
    '0000000001r6175rrb9vp5luwiuv0epa'
    """
    number = _encode(delivery_id, _DELIVERY_ID_CHARS, _ADDRESS_DIGITS)
    digest = hmac.digest(key.encode(), f"delivery {number}".encode(), sha256)
    return number + _encode(int.from_bytes(digest), TOKEN_CHARS - _DELIVERY_ID_CHARS, _ADDRESS_DIGITS)


def delivery_id_of(token: str, key: str) -> int | None:
    """Return the number of the delivery that a token, in upper or lower case, is for; None if it was not made here.

    >>> delivery_id_of(delivery_token(1, "key").upper(), "key"), delivery_id_of("0" * 32, "key")
    (1, None)
    """
    if not _TOKEN.fullmatch(token):
        return None
    token = token.lower()
    delivery_id = int(token[:_DELIVERY_ID_CHARS], len(_ADDRESS_DIGITS))
    return delivery_id if hmac.compare_digest(token, delivery_token(delivery_id, key)) else None


def confirmation_code(token: str, key: str) -> str:
    """Return the six digits that stand for a confirmation link where a browser runs no scripts.

    >>> confirmation_code("a" * 32, "key")
    '687054'
    """
    digest = hmac.digest(key.encode(), f"code {token}".encode(), sha256)
    return f"{int.from_bytes(digest) % 1_000_000:06}"


def address_hash(address_key: str, key: str) -> str:
    """Return what is kept of a suppressed or erased address: an HMAC (SHA-256) in hexadecimal digits."""
    return hmac.new(key.encode(), address_key.encode(), sha256).hexdigest()


def _signature(purpose: Purpose, claims: str, subscriber: Subscriber, key: str, bound_to: str) -> str:
    # Bound to when the subscriber was added, too: a database may use the number of a deleted row again.
    content = f"{purpose} {claims} {subscriber.created_at.timestamp()} {bound_to}"
    digest = hmac.digest(key.encode(), content.encode(), sha256)
    return _encode(int.from_bytes(digest), TOKEN_CHARS - _ID_CHARS - _HOUR_CHARS)


def _encode(number: int, length: int, digits_of_base: str = _DIGITS) -> str:
    """Return the last ``length`` digits of a number, in base 62 or that of other digits."""
    pairs = _pairs(digits_of_base)
    number %= len(digits_of_base) ** length
    written = []
    for _ in range((length + 1) // 2):
        number, pair = divmod(number, len(pairs))
        written.append(pairs[pair])
    return "".join(reversed(written))[-length:]


@cache
def _pairs(digits: str) -> tuple[str, ...]:
    """Return all pairs of digits in order, which halves the divisions."""
    return tuple(map("".join, product(digits, repeat=2)))


def _decode(text: str) -> int:
    number = 0
    for digit in text:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number
