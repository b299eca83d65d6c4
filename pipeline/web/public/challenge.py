"""Tests for programs at the sign-up form, without a third party: how long they took, and a proof of work.

The proof is altcha's: a browser tries keys until one begins as asked. It only raises the price of a sign-up, so it is
asked for when there are too many. altcha itself accepts a solution twice; each is stored until it expires.
"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import datetime, timedelta
from hashlib import sha256

import altcha

from pipeline.store import Store

CHALLENGE_TTL = timedelta(minutes=30)
ALGORITHM = "PBKDF2/SHA-256"
COST = 5_000
"""Iterations for each key that is tried. Half a second to a few of them for 256 keys, 2 ms to check one."""
_MAX_PAYLOAD_CHARS = 4_000


def make_start_time(now: datetime, key: str) -> str:
    """Return a signed text that says when a form was shown."""
    seconds = str(int(now.timestamp()))
    return f"{seconds}.{_signature(seconds, key)}"


def seconds_since(started: str, now: datetime, key: str) -> float | None:
    """Return how long ago a form was shown; None if the text was not signed here."""
    seconds, _, signature = started.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(seconds, key).encode()):
        return None
    return now.timestamp() - int(seconds)


def make_challenge(form: str, now: datetime, key: str) -> str:
    """Return a challenge for a form as JSON, as altcha's protocol has it."""
    data = {"form": form, "until": int((now + CHALLENGE_TTL).timestamp())}
    challenge = altcha.create_challenge(ALGORITHM, COST, data=data, hmac_secret=key)
    return json.dumps(challenge.to_dict())


def accept_solution(payload: str, form: str, now: datetime, key: str, store: Store) -> bool:
    """Check whether a solution is right, in time, for this form, and new; from then on it is not new."""
    if len(payload) > _MAX_PAYLOAD_CHARS:
        return False
    try:
        parameters = json.loads(base64.b64decode(payload))["challenge"]["parameters"]
        data, nonce = parameters["data"], str(parameters["nonce"])
        is_current = data["form"] == form and data["until"] > now.timestamp()
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    if not is_current or not altcha.verify_solution(payload, key).verified:
        return False
    return store.signup_limits.count(f"challenge {nonce}", within=CHALLENGE_TTL, now=now) == 1


def _signature(text: str, key: str) -> str:
    return hmac.new(key.encode(), f"shown {text}".encode(), sha256).hexdigest()[:32]
