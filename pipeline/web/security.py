"""Access control and security headers of all pages.

A web page elsewhere can make an editor's browser send requests to 127.0.0.1. So the Host header must name this machine
(another name that resolves here is DNS rebinding), and any method but GET and HEAD needs an Origin of our own. Other
machines need a token, and the desk behind the daemon a session.
"""

from __future__ import annotations

from collections.abc import Callable
from hmac import compare_digest
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.model.editor import ActiveSession
from pipeline.web.sessions import enter_session

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
PREVIEW_COOKIE = "preview"
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MESSAGE_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""Policy of an edition in its frame: its own styles and images, and no scripts. It is same-origin so that the page
around it can read its height and scroll position; without scripts it can do nothing with that."""
IMAGE_SOURCES = {"local": "'self' data:", "all": "'self' https: http: data:", "none": "'none'"}
"""Origins of an edition's images: the desk itself, any, or none."""
Gate = Callable[[Request], ActiveSession | Response]
"""Returns the session of a request, or the response that it gets instead. Called in a thread."""

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send our own forms without an Origin
    "X-Content-Type-Options": "nosniff",
}


class AccessMiddleware:
    """ASGI middleware that rejects foreign requests and adds the security headers.

    Without ``token``, only the names of this machine and of ``public_url`` are accepted as Host. With a token any Host
    is: the token is expected in the query once, then in a cookie. With a ``gate`` a request needs a session.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str = "",
        public_url: str = "",
        gate: Gate | None = None,
    ) -> None:
        self._app = app
        self._token = token
        self._public_url = public_url
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject or pass on a request, and set the headers of the response."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        app = self._early_response(request) or await self._admit(request) or self._app
        await app(scope, receive, send_with_headers)

    async def _admit(self, request: Request) -> Response | None:
        """Return what a request gets without a session; None to pass it on, as that of its editor if it has one."""
        if self._gate is None:
            return None
        admitted = await run_in_threadpool(self._gate, request)
        if isinstance(admitted, Response):
            return admitted
        enter_session(request, admitted)  # again: the gate ran in a thread, with a context of its own
        return None

    def _early_response(self, request: Request) -> Response | None:
        """Return a rejection, or the redirect that sets the token's cookie; None to pass the request on."""
        reason = refusal_reason(
            request.method, request.headers, any_host=bool(self._token), public_url=self._public_url
        )
        if reason:
            return PlainTextResponse(reason, status_code=403)
        if not self._token or _equal(request.cookies.get(PREVIEW_COOKIE, ""), self._token):
            return None
        if request.method == "GET" and _equal(request.query_params.get("token", ""), self._token):
            # A browser takes a path that begins with two slashes for another host.
            redirect = RedirectResponse(f"/{request.url.path.lstrip('/')}", status_code=303)
            redirect.set_cookie(PREVIEW_COOKIE, self._token, httponly=True, samesite="lax")
            return redirect
        return PlainTextResponse("Open the address that the program printed: it contains a token.", status_code=403)


def refusal_reason(method: str, headers: Headers, *, any_host: bool = False, public_url: str = "") -> str:
    """Return why a request is rejected; empty if it is not.

    The Host must be a name of this machine or that of ``public_url``, unless ``any_host`` is set.

    >>> refusal_reason("GET", Headers({"host": "127.0.0.1:8025"}))
    ''
    >>> refusal_reason("GET", Headers({"host": "rebound.example:8025"}))
    'Open this page at http://127.0.0.1, not under another name.'
    >>> refusal_reason("POST", Headers({"host": "localhost:8025", "origin": "https://elsewhere.example"}))
    'Use the form on the page: this request came from another site.'
    >>> headers = Headers({"host": "127.0.0.1", "origin": "https://desk.example"})
    >>> refusal_reason("POST", headers, public_url="https://desk.example/")
    ''
    """
    host, public = headers.get("host", ""), urlsplit(public_url)
    if not any_host and host_name(host) not in (*LOOPBACK_HOSTS, public.hostname or LOOPBACK_HOSTS[0]):
        return f"Open this page at {public_url or 'http://127.0.0.1'}, not under another name."
    # For other machines a proxy may add TLS in front of us.
    origins = [f"http://{host}", f"{public.scheme}://{public.netloc}", *([f"https://{host}"] if any_host else [])]
    if method not in ("GET", "HEAD") and headers.get("origin") not in origins:
        return "Use the form on the page: this request came from another site."
    return ""


def host_name(host: str) -> str:
    """Return a Host header without its port (RFC 9110, 7.2); empty if it is invalid.

    >>> [host_name(host) for host in ("LocalHost:8026", "[::1]:8026", "[::1", "")]
    ['localhost', '::1', '', '']
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _equal(given: str, token: str) -> bool:
    """Compare in constant time."""
    return compare_digest(given.encode(), token.encode())
