"""Access control and headers of the pages for subscribers, and the IP address of a visitor.

They have no session and no cookie: the token in a person's link authorises, and anybody may sign up from any website.
So no Origin is checked. The Host header must be ours, as links and forms are made from it nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.model.subscriber import Visitor
from pipeline.web.public.audience import Audience
from pipeline.web.security import LOOPBACK_HOSTS, host_name

MAX_PAGE_CHARS = 500
MAX_USER_AGENT_CHARS = 300
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # a person's link is a secret
    "X-Content-Type-Options": "nosniff",
}
_NOT_INDEXED = {"X-Robots-Tag": "noindex, nofollow"}


class PublicMiddleware:
    """ASGI middleware that rejects requests for other hosts and sets the headers of every response."""

    def __init__(self, app: ASGIApp, audience: Callable[[], Audience]) -> None:
        self._app = app
        self._audience = audience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject or pass on a request."""
        if scope["type"] != "http":
            return
        audience = self._audience()
        headers = security_headers(audience, scope["path"])

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in headers.items():
                    own.setdefault(name, value)
            await send(message)

        app = self._app
        if not is_our_host(Headers(scope=scope).get("host", ""), audience.public_url):
            app = PlainTextResponse(f"Open these pages at {audience.public_url}.", status_code=421)
        await app(scope, receive, send_with_headers)


def security_headers(audience: Audience, path: str) -> dict[str, str]:
    """Return the headers of the page at a path; only the sign-up pages may be found by search engines."""
    headers = _HEADERS | {"Content-Security-Policy": content_policy(audience.publication.logo_url)}
    return headers if path.startswith(("/subscribe", "/static/")) else headers | _NOT_INDEXED


def is_our_host(host: str, public_url: str) -> bool:
    """Check whether a Host header names this machine or the host of ``public_url``.

    >>> [is_our_host(host, "https://news.example") for host in ("news.example", "127.0.0.1:8027", "rebound.example")]
    [True, True, False]
    """
    return host_name(host) in (*LOOPBACK_HOSTS, urlsplit(public_url).hostname)


def content_policy(logo_url: str) -> str:
    """Return the Content-Security-Policy: our own files, and the logo.

    >>> "img-src 'self' https://ada.example;" in content_policy("https://ada.example/logo.png")
    True
    """
    logo = urlsplit(logo_url)
    return _CSP.format(images=f" {logo.scheme}://{logo.netloc}" if logo.scheme in ("http", "https") else "")


def client_address(peer: str, forwarded_for: str, proxies: Sequence[str]) -> str:
    """Return the address of a client: that of the connection, or what our proxies say in ``X-Forwarded-For``.

    Each proxy adds the address it was called from at the end; those that clients wrote there come first. So it is the
    last one that is not a proxy of ours.

    >>> client_address("127.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", ["127.0.0.1", "10.0.0.0/8"])
    '203.0.113.9'
    >>> client_address("198.51.100.7", "6.6.6.6", ["127.0.0.1"])
    '198.51.100.7'
    """
    networks = [ip_network(proxy, strict=False) for proxy in proxies]
    address = peer
    for hop in reversed([peer] if not forwarded_for else [*forwarded_for.split(","), peer]):
        try:
            parsed = ip_address(hop.strip())
        except ValueError:
            break  # what stands before it was not written by our proxies
        address = str(parsed)
        if not any(parsed in network for network in networks):
            break
    return address


def visitor_of(request: Request, audience: Audience, *, page: str = "") -> Visitor:
    """Return the visitor who sent a request; ``page`` is the URL of the page with the form."""
    peer = request.client.host if request.client else ""
    forwarded_for = ",".join(request.headers.getlist("x-forwarded-for")[-20:])[-2_000:]
    return Visitor(
        ip_address=client_address(peer, forwarded_for, audience.proxies),
        user_agent=_one_line(request.headers.get("user-agent", ""))[:MAX_USER_AGENT_CHARS],
        page=_one_line(page)[:MAX_PAGE_CHARS] if page.startswith(("https://", "http://")) else "",
    )


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
