"""One request on its way, from the address asked for to the outcome.

In: a request, the answers it meets. Out: what to ask next and of whom, and in the end the outcome. Speaks httpx's
words (addresses, requests, responses) and touches no network: it is sent by ``fetch``.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import datetime

import httpx

from pipeline.ingest.http import semantics as answers
from pipeline.model.errors import FetchError
from pipeline.model.fetch import WITH_BODY, FetchLimits, FetchOutcome, FetchRequest, OutcomeKind
from pipeline.text.format import format_utc

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
_HEADERS = (("Accept", _ACCEPT), ("Accept-Encoding", "gzip, deflate"), ("Connection", "close"))


class FetchAttempt:
    """One request on its way: where it has been, what it may say to whom, how long it has left."""

    def __init__(self, request: FetchRequest, limits: FetchLimits) -> None:
        self.seconds_left = limits.deadline_seconds
        self.is_new_host = True
        self.answered = False
        self._request = request
        self._limits = limits
        self._url = httpx.URL()
        self._home = self._url
        self._secrets: list[tuple[str, str]] = list(request.headers)
        self._been: list[httpx.URL] = []
        self._moved_to = ""

    @property
    def first_bytes(self) -> int:
        """How much of the document is wanted; 0 for all."""
        return self._request.first_bytes

    @property
    def host(self) -> str:
        """``name`` or, where it is not the usual one, ``name:port``."""
        return self._url.netloc.decode("ascii").rstrip(".")

    def start(self) -> None:
        """Go to the address asked for; a user name and password in it become a header (RFC 7617)."""
        url = _web_address(self._request.url)
        if url is None:
            raise FetchError("invalid_url", "is not an address on the web")
        if url.userinfo:
            pair = f"{url.username}:{url.password}".encode()
            self._secrets.append(("Authorization", f"Basic {b64encode(pair).decode('ascii')}"))
        self._home = self._url = _bare(url)

    def redirect(self, response: httpx.Response) -> None:
        """Go where a redirect leads. Raises FetchProblem when that is nowhere, or where it has been."""
        location = response.headers.get("location", "")
        target = _web_address(location, base=self._url)
        if not location or target is None:
            raise FetchError("protocol_error", f"redirects to {location!r}, which is not an address on the web")
        self._been.append(self._url)
        unbroken = self._moved_to == ("" if len(self._been) == 1 else str(self._url))
        if unbroken and response.status_code in answers.PERMANENT_REDIRECTS:
            self._moved_to = str(_bare(target))
        host, self._url = self.host, _bare(target)
        self.is_new_host = self.host != host
        if self._url in self._been or len(self._been) > self._limits.max_redirects:
            raise FetchError("redirect_loop", f"is redirected without end, last to {self._url}")

    def build_request(self) -> httpx.Request:
        """Build the request for the address it is at."""
        headers = [
            ("User-Agent", self._limits.user_agent),
            *_HEADERS,
            *self._validators(),
            *([("Range", f"bytes=0-{self.first_bytes - 1}")] if self.first_bytes else ()),
            *(self._secrets if _may_know(self._url, self._home) else ()),
        ]
        raw = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]
        timeout = httpx.Timeout(self._limits.timeout_seconds).as_dict()
        return httpx.Request(self._request.method, self._url, headers=raw, extensions={"timeout": timeout})

    def outcome(self, kind: OutcomeKind, detail: str) -> FetchOutcome:
        """Write down what came of it, without an answer."""
        url, final_url = str(self._home) or self._request.url, str(self._url)
        return FetchOutcome(key=self._request.key, url=url, kind=kind, detail=detail, final_url=final_url)

    def rate_limited(self, detail: str, until: datetime) -> FetchOutcome:
        """Write down that the host wants to be left alone."""
        outcome = self.outcome("rate_limited", f"{detail} until {format_utc(until)}")
        return replace(outcome, retry_at=until, retry_host=self.host)

    def finish(self, response: httpx.Response, body: bytes) -> FetchOutcome:
        """Write down the answer that ended the errand."""
        words = f"answered {answers.status_text(response.status_code)}"
        sha256 = hashlib.sha256(body).hexdigest() if response.is_success else self._request.body_sha256
        kind, detail = self._judge(answers.outcome_kind(response.status_code), words, sha256)
        headers = response.headers
        return replace(
            self.outcome(kind, detail),
            status=response.status_code,
            body=body if kind in WITH_BODY else b"",
            body_sha256=sha256,
            content_type=headers.get("content-type", ""),
            server_date=headers.get("date", ""),
            length_bytes=answers.parse_length(headers.get("content-length", ""), headers.get("content-range", "")),
            etag=answers.usable_validator(headers.get("etag", "")) or self._kept(kind, self._request.etag),
            last_modified=answers.usable_validator(headers.get("last-modified", ""))
            or self._kept(kind, self._request.last_modified),
            moved_to=self._moved_to,
            max_age_seconds=answers.parse_max_age(headers.get("cache-control", "")),
        )

    def _judge(self, kind: OutcomeKind, words: str, sha256: str) -> tuple[OutcomeKind, str]:
        if kind == "not_modified" and not self._validators():
            return "protocol_error", f"{words} without having been asked for changes"
        if kind == "ok" and sha256 == self._request.body_sha256:
            return "unchanged", f"{words} with the same document as last time"
        if kind == "ok" and self._moved_to:
            return "moved", f"{words} from its new address, {self._moved_to}"
        return kind, words

    def _validators(self) -> list[tuple[str, str]]:
        pairs = (("If-None-Match", self._request.etag), ("If-Modified-Since", self._request.last_modified))
        return [(name, value) for name, value in pairs if answers.usable_validator(value)]

    def _kept(self, kind: OutcomeKind, value: str) -> str:
        """A 304 need not repeat the validators it confirms (RFC 9110, 15.4.5)."""
        return value if kind == "not_modified" else ""


def _web_address(text: str, base: httpx.URL | None = None) -> httpx.URL | None:
    """Read an absolute http(s) address; None when it is anything else."""
    try:
        url = base.join(text.strip()) if base else httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):  # ValueError: half a surrogate pair
        return None
    return url if url.scheme in ("http", "https") and url.host and (url.port or 0) < 65_536 else None


def _bare(url: httpx.URL) -> httpx.URL:
    """Leave out the fragment and whoever signs in."""
    return url.copy_with(fragment=None, username=None, password=None) if url.fragment or url.userinfo else url


def _may_know(url: httpx.URL, home: httpx.URL) -> bool:
    """Tell whether the feed's own headers may be sent here: to its host, never from https down to http."""
    if url.host != home.host:
        return False
    upgraded = (home.scheme, url.scheme) == ("http", "https") and home.port is None and url.port is None
    return upgraded or (url.scheme, url.port) == (home.scheme, home.port)
