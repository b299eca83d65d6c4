"""Hide secrets in text that is logged or shown."""

from __future__ import annotations

import re
from collections.abc import Collection

REDACTED = "…"
MIN_SECRET_CHARS = 4
"""Shorter known values are not hidden: they are hardly secrets, and would mangle words."""

_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]{1,30}://)[^\s/?#@\"']{1,500}(?:/[^\s?#@\"']{1,200})?@", re.IGNORECASE)
_NAMED = re.compile(
    r"""(?P<name>(?<![\w.-])["']?[\w.-]*?(?:passw(?:or)?d|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"""
    r"""|credential|session|signature|cookie)[\w.-]{0,20}(?<!_env)["']?\s{0,3}[=:]\s{0,3}|[?&;](?:auth|code|hash|hmac|key|pass"""
    r"""|sig|sign|signed|jwt|policy|x-amz-[a-z-]{1,20})=)(?P<quote>["']?)(?P<value>[^\s"'&;,)\]}<>]{1,2000})""",
    re.IGNORECASE,
)
_AUTHORIZATION = re.compile(
    r"\b(Authorization[\"']?\s*[:=]\s*[\"']?)?\b(Basic|Bearer|Digest)(\s+)[\w.~+/=-]{8,2000}", re.IGNORECASE
)
# Our tokens and JSON Web Tokens: parts joined by dots, the last a signature in base64url. A short signature must have
# digits, or it might be a name; one of 256 bits may have none by chance.
_SIGNED = re.compile(
    r"(?<![\w.:-])(?:[\w:-]{1,500}\.){1,8}"
    r"(?=[\w-]*\d|[\w-]{40})(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{20,200}(?![\w-])"
)


def redact(text: str, secrets: Collection[str] = ()) -> str:
    """Return ``text`` with user info and secret query parameters of URLs, tokens and signed links replaced by ``…``.

    ``secrets`` are values to hide wherever they occur. False positives are hidden as well: a log that shows too little
    is better than one that has to be locked away.

    >>> redact("cannot reach https://ann:pw@feeds.example/x?id=7&token=a1b2c3")
    'cannot reach https://…@feeds.example/x?id=7&token=…'
    >>> redact("smtp said: password=hunter2, AUTH Basic dXNlcjpwYXNz")
    'smtp said: password=…, AUTH Basic …'
    >>> redact("opened /proof/eyJ3IjoiMjAyNi1XMDcifQ.aZ1xYw.V5bKcO0N-4p6aQq3rXo1kM7Zt2s")
    'opened /proof/…'
    >>> redact("smtp_password_env: there is no SMTP_PW")  # the name of a variable is no secret
    'smtp_password_env: there is no SMTP_PW'
    >>> redact("login failed for s3same-open", {"s3same-open"})
    'login failed for …'
    """
    for secret in sorted((secret for secret in secrets if len(secret) >= MIN_SECRET_CHARS), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    text = _USERINFO.sub(rf"\1{REDACTED}@", text)
    text = _AUTHORIZATION.sub(rf"\1\2\3{REDACTED}", text)
    text = _NAMED.sub(rf"\g<name>\g<quote>{REDACTED}", text)
    return _SIGNED.sub(REDACTED, text)
