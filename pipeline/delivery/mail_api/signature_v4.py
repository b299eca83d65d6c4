"""Signatures of requests to Amazon Web Services, version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Pure. Requests have
a path without characters that need escaping and no query, as all have that this program sends. Why not botocore:
decision 0014.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access key. Temporary ones have a session token."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def signed_headers(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """Return the headers of a request with X-Amz-Date and Authorization; ``now`` is aware.

    >>> day = datetime.fromisoformat("2015-08-30T12:36:00Z")
    >>> key = Credentials(key_id="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    >>> url = "https://example.amazonaws.com/"
    >>> made = signed_headers("POST", url, {}, b"", credentials=key, region="us-east-1", service="service", now=day)
    >>> made["Authorization"].rpartition("=")[2]  # "post-vanilla" of the test suite that Amazon publishes
    '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'
    """
    at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    added = {"X-Amz-Date": at, **({"X-Amz-Security-Token": credentials.token} if credentials.token else {})}
    signed = {name.lower(): value.strip() for name, value in {**headers, **added, "Host": parts.netloc}.items()}
    names = ";".join(sorted(signed))
    lines = [f"{name}:{signed[name]}" for name in sorted(signed)]
    canonical = "\n".join([method, parts.path or "/", parts.query, *lines, "", names, sha256(body).hexdigest()])
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    signed_text = "\n".join([_ALGORITHM, at, scope, sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret}".encode()
    for step in scope.split("/"):
        key = _hmac(key, step)
    credential = f"Credential={credentials.key_id}/{scope}"
    authorization = f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={_hmac(key, signed_text).hex()}"
    return {**headers, **added, "Authorization": authorization}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
