"""One document request, from the configured URL through its redirects to the outcome. Sends nothing itself."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import islice

import httpx

from pipeline.ingest.http import semantics
from pipeline.model.errors import FetchError
from pipeline.model.fetch import WITH_BODY, FetchLimits, FetchOutcome, FetchRequest, OutcomeKind
from pipeline.text.format import format_utc

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
_AMBIGUOUS = frozenset('%\\<>^`{|}" ')
"""Characters of a host that a resolver or proxy may read as another host; no name has them."""
_HEADERS = (("Accept", _ACCEPT), ("Accept-Encoding", "gzip, deflate"), ("Connection", "close"))
_MAX_COOKIE_BYTES = 4_096
"""Of one cookie, with its attributes (RFC 6265, 6.1), and of all that a request sends."""
_MAX_COOKIES = 50
"""That one response sets (RFC 6265, 6.1); further ones are ignored."""
_COOKIE_POLICY = DefaultCookiePolicy(strict_domain=True, strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain)
"""A cookie without a domain goes to the very host that set it."""


class FetchAttempt:
    """The state of one request: its current URL, the URLs visited, their cookies, and the time left in seconds."""

    def __init__(self, request: FetchRequest, limits: FetchLimits) -> None:
        self.seconds_left = limits.deadline_seconds
        self.is_new_host = True
        """False after a redirect within the host."""
        self.answered = False
        self._request = request
        self._limits = limits
        self._url = httpx.URL()
        self._origin = self._url
        self._secrets: list[tuple[str, str]] = list(request.headers)
        self._cookies: httpx.Cookies | None = None  # until a redirect sets one
        self._visited: list[tuple[httpx.URL, str]] = []
        self._moved_to = ""

    @property
    def first_bytes(self) -> int:
        """Number of bytes wanted from the start of the document; 0 for all of it."""
        return self._request.first_bytes

    @property
    def host(self) -> str:
        """``name``, or ``name:port`` where the port is not the scheme's default."""
        return self._url.netloc.decode("ascii").rstrip(".")

    def start(self) -> None:
        """Set the URL to the requested one; a user name and password in it become a header (RFC 7617)."""
        url = _parse_url(self._request.url)
        if url is None:
            raise FetchError("invalid_url", "is not a web address")
        if url.userinfo:
            credentials = f"{url.username}:{url.password}".encode()
            self._secrets.append(("Authorization", f"Basic {b64encode(credentials).decode('ascii')}"))
        self._origin = self._url = _without_userinfo(url)

    def redirect(self, response: httpx.Response) -> None:
        """Set the URL to a redirect's target. Raise FetchError if it is invalid or was visited with the same cookies.

        Cookies that the redirect sets are sent for the rest of this attempt, where their attributes allow it: some
        sites redirect to the same URL until they see theirs.
        """
        location = response.headers.get("location", "")
        target = _parse_url(location, base=self._url)
        if not location or target is None:
            raise FetchError("protocol_error", f"redirects to {location!r}, which is not a web address")
        self._visited.append((self._url, self._cookie()))
        self._keep_cookies(response)
        only_permanent = self._moved_to == ("" if len(self._visited) == 1 else str(self._url))
        if only_permanent and response.status_code in semantics.PERMANENT_REDIRECTS:
            self._moved_to = str(_without_userinfo(target))
        host, self._url = self.host, _without_userinfo(target)
        self.is_new_host = self.host != host
        if (self._url, self._cookie()) in self._visited or len(self._visited) > self._limits.max_redirects:
            raise FetchError("redirect_loop", f"redirects without end, last to {self._url}")

    def build_request(self) -> httpx.Request:
        """Return the HTTP request for the current URL."""
        secrets = self._secrets if _may_receive_secrets(self._url, self._origin) else []
        cookies = [value for name, value in secrets if name.lower() == "cookie"] + [self._cookie()]
        headers = [
            ("User-Agent", self._limits.user_agent),
            *_HEADERS,
            *self._validators(),
            *([("Range", f"bytes=0-{self.first_bytes - 1}")] if self.first_bytes else ()),
            *((name, value) for name, value in secrets if name.lower() != "cookie"),
            *([("Cookie", "; ".join(filter(None, cookies)))] if any(cookies) else ()),
        ]
        raw = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]
        timeout = httpx.Timeout(self._limits.timeout_seconds).as_dict()
        return httpx.Request(self._request.method, self._url, headers=raw, extensions={"timeout": timeout})

    def _keep_cookies(self, response: httpx.Response) -> None:
        cookies = map(semantics.usable_validator, response.headers.get_list("set-cookie"))
        usable = (cookie for cookie in cookies if 0 < len(cookie) <= _MAX_COOKIE_BYTES)
        headers = [("Set-Cookie", cookie) for cookie in islice(usable, _MAX_COOKIES)]
        if headers:
            if self._cookies is None:
                self._cookies = httpx.Cookies(CookieJar(_COOKIE_POLICY))
            request = httpx.Request("GET", self._url)
            self._cookies.extract_cookies(httpx.Response(response.status_code, headers=headers, request=request))

    def _cookie(self) -> str:
        """Return the cookies for the current URL, as in the header, or ""."""
        if self._cookies is None:
            return ""
        request = httpx.Request("GET", self._url)
        self._cookies.set_cookie_header(request)
        cookie = str(request.headers.get("cookie", ""))
        return cookie if len(cookie) <= _MAX_COOKIE_BYTES else ""

    def outcome(self, kind: OutcomeKind, detail: str) -> FetchOutcome:
        """Return an outcome without a response."""
        url, final_url = str(self._origin) or self._request.url, str(self._url)
        return FetchOutcome(key=self._request.key, url=url, kind=kind, detail=detail, final_url=final_url)

    def rate_limited(self, detail: str, until: datetime) -> FetchOutcome:
        """Return the outcome of a request that the host refuses until a time (aware UTC)."""
        outcome = self.outcome("rate_limited", f"{detail} until {format_utc(until)}")
        return replace(outcome, retry_at=until, retry_host=self.host)

    def finish(self, response: httpx.Response, body: bytes) -> FetchOutcome:
        """Return the outcome for the last response."""
        sha256 = hashlib.sha256(body).hexdigest() if response.is_success else self._request.body_sha256
        kind, detail = self._classify(response.status_code, sha256)
        headers = response.headers
        # A 304 need not repeat the validators it confirms (RFC 9110, 15.4.5).
        confirmed = self._request if kind == "not_modified" else None
        return replace(
            self.outcome(kind, detail),
            status=response.status_code,
            body=body if kind in WITH_BODY else b"",
            body_sha256=sha256,
            content_type=headers.get("content-type", ""),
            server_date=headers.get("date", ""),
            length_bytes=semantics.parse_length(headers.get("content-length", ""), headers.get("content-range", "")),
            etag=semantics.usable_validator(headers.get("etag", "")) or (confirmed.etag if confirmed else ""),
            last_modified=semantics.usable_validator(headers.get("last-modified", ""))
            or (confirmed.last_modified if confirmed else ""),
            moved_to=self._moved_to,
            max_age_seconds=semantics.parse_max_age(headers.get("cache-control", "")),
        )

    def _classify(self, status: int, sha256: str) -> tuple[OutcomeKind, str]:
        kind, detail = semantics.outcome_kind(status), f"answered {semantics.status_text(status)}"
        if kind == "not_modified" and not self._validators():
            return "protocol_error", f"{detail} to an unconditional request"
        if kind == "ok" and sha256 == self._request.body_sha256:
            return "unchanged", f"{detail} with the same document as last time"
        if kind == "ok" and self._moved_to:
            return "moved", f"{detail} from its new address, {self._moved_to}"
        return kind, detail

    def _validators(self) -> list[tuple[str, str]]:
        headers = (("If-None-Match", self._request.etag), ("If-Modified-Since", self._request.last_modified))
        return [(name, value) for name, value in headers if semantics.usable_validator(value)]


def _parse_url(text: str, base: httpx.URL | None = None) -> httpx.URL | None:
    """Return an absolute http or https URL, or None if ``text`` is anything else."""
    try:
        url = base.join(text.strip()) if base else httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError):  # ValueError: a lone surrogate
        return None
    has_host = bool(url.host) and _AMBIGUOUS.isdisjoint(url.host)
    return url if url.scheme in ("http", "https") and has_host and (url.port or 0) < 65_536 else None


def _without_userinfo(url: httpx.URL) -> httpx.URL:
    """Return the URL without its fragment, user name and password."""
    return url.copy_with(fragment=None, username=None, password=None) if url.fragment or url.userinfo else url


def _may_receive_secrets(url: httpx.URL, origin: httpx.URL) -> bool:
    """Check whether the feed's own headers may be sent here: only to its host, and never from https down to http."""
    if url.host != origin.host:
        return False
    upgraded = (origin.scheme, url.scheme) == ("http", "https") and origin.port is None and url.port is None
    return upgraded or (url.scheme, url.port) == (origin.scheme, origin.port)
