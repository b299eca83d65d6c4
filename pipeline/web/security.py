"""Keeps the local pages local: who may ask, and what a browser may do with the answer.

In: every request. Out: the same request, or a refusal; every answer leaves with the same careful headers. Knows no
page and no data.

A page on the web can make an editor's browser talk to 127.0.0.1. So the Host header must name this machine (a foreign
name that resolves here is DNS rebinding), and anything but GET and HEAD must come from a page of our own (Origin).
Listening to other machines takes a token, and the desk behind the daemon a key that runs out.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
PREVIEW_COOKIE = "preview"
DESK_COOKIE = "desk"
"""Not the preview's: browsers keep cookies by host, whatever the port."""
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MAIL_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""For a mail in its frame: its own styles, its pictures, and nothing that runs. Same origin, so that the page around
it can read how tall it is and where it was scrolled to; without scripts it can do nothing with that."""
IMAGE_SOURCES = {"near": "'self' data:", "on": "'self' https: http: data:", "off": "'none'"}
"""Where a mail's pictures may come from: from the preview itself, from anywhere once the editor asks, from nowhere."""
DESK_CLOSED = (
    "The desk is closed: press “Open the desk” in a proof, then come back. Words that you were just writing are on the "
    "page before this one."
)

_CAREFUL = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # nobody elsewhere learns of us; with no-referrer our own forms had no Origin
    "X-Content-Type-Options": "nosniff",
}


class AccessMiddleware:
    """ASGI middleware around all pages.

    Without a ``token`` this machine's own names are answered, and that of ``home``, the address that a proxy has for
    these pages. With one, any name is: whoever knows the token may ask. It comes once, in the address, and then stays
    in a cookie. ``lets_in`` is asked about the desk's cookie, and alone decides.
    """

    def __init__(
        self, app: ASGIApp, token: str = "", home: str = "", lets_in: Callable[[str], bool] | None = None
    ) -> None:
        self._app = app
        self._token = token
        self._home = home
        self._lets_in = lets_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what is foreign, pass on the rest, and set the headers of every answer."""
        if scope["type"] != "http":
            return

        async def send_carefully(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _CAREFUL.items():
                    headers.setdefault(name, value)
            await send(message)

        app = self._answer(Request(scope)) or self._app
        await app(scope, receive, send_carefully)

    def _answer(self, request: Request) -> Response | None:
        """Answer here and now: with a refusal, or with the way in for who brings the token."""
        refusal = refusal_reason(request.method, request.headers, any_host=bool(self._token), public_url=self._home)
        if refusal:
            return PlainTextResponse(refusal, status_code=403)
        if self._lets_in and not self._lets_in(request.cookies.get(DESK_COOKIE, "")):
            return PlainTextResponse(DESK_CLOSED, status_code=403)
        if not self._token or _same(request.cookies.get(PREVIEW_COOKIE, ""), self._token):
            return None
        if request.method == "GET" and _same(request.query_params.get("token", ""), self._token):
            answer = RedirectResponse(request.url.path, status_code=303)
            answer.set_cookie(PREVIEW_COOKIE, self._token, httponly=True, samesite="lax")
            return answer
        return PlainTextResponse("Open the address that the program printed: its token is missing.", status_code=403)


def refusal_reason(method: str, headers: Headers, *, any_host: bool = False, public_url: str = "") -> str:
    """Say why a request is refused, or nothing; ``anywhere``: the host may have any name, ``home``: or this one's.

    >>> refuse("GET", Headers({"host": "127.0.0.1:8025"}))
    ''
    >>> refuse("GET", Headers({"host": "rebound.example:8025"}))
    'Open this page as http://127.0.0.1, not by another name.'
    >>> refuse("POST", Headers({"host": "localhost:8025", "origin": "https://elsewhere.example"}))
    'Use the form on the page itself: this request came from elsewhere.'
    >>> refuse("POST", Headers({"host": "127.0.0.1", "origin": "https://desk.example"}), home="https://desk.example/")
    ''
    """
    host, ours = headers.get("host", ""), urlsplit(public_url)
    if not any_host and _name(host) not in (*LOOPBACK_HOSTS, ours.hostname or LOOPBACK_HOSTS[0]):
        return f"Open this page as {public_url or 'http://127.0.0.1'}, not by another name."
    own = (*_origins(host, any_host), f"{ours.scheme}://{ours.netloc}")
    if method not in ("GET", "HEAD") and headers.get("origin") not in own:
        return "Use the form on the page itself: this request came from elsewhere."
    return ""


def _name(host: str) -> str:
    """Take a Host header's port away (RFC 9110, 7.2); empty for what is none.

    >>> [_name(host) for host in ("LocalHost:8026", "[::1]:8026", "[::1", "")]
    ['localhost', '::1', '', '']
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _origins(host: str, anywhere: bool) -> tuple[str, ...]:
    """Name our own origins; away from this machine a proxy may speak https for us."""
    return (f"http://{host}", f"https://{host}") if anywhere else (f"http://{host}",)


def _same(given: str, token: str) -> bool:
    return compare_digest(given.encode(), token.encode())
