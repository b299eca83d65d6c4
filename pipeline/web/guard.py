"""Keeps the local pages local: who may ask, and what a browser may do with the answer.

In: every request. Out: the same request, or a refusal; every answer leaves with the same careful headers. Knows no
page and no data.

A page on the web can make an editor's browser talk to 127.0.0.1. So the Host header must name this machine (a foreign
name that resolves here is DNS rebinding), and anything but GET and HEAD must come from a page of our own (Origin).
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {pictures}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""For a mail in its frame: its own styles, its pictures, and nothing that runs. Same origin, so that the page around
it can read how tall it is and where it was scrolled to; without scripts it can do nothing with that."""
PICTURES = "'self' https: data:"
NO_PICTURES = "'none'"

_CAREFUL = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """ASGI middleware around all pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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

        refusal = refuse(scope["method"], Headers(scope=scope))
        app = PlainTextResponse(refusal, status_code=403) if refusal else self._app
        await app(scope, receive, send_carefully)


def refuse(method: str, headers: Headers) -> str:
    """Say why a request is refused, or nothing.

    >>> refuse("GET", Headers({"host": "127.0.0.1:8025"}))
    ''
    >>> refuse("GET", Headers({"host": "rebound.example:8025"}))
    'Open this page as http://127.0.0.1, not by another name.'
    >>> refuse("POST", Headers({"host": "localhost:8025", "origin": "https://elsewhere.example"}))
    'Use the form on the page itself: this request came from elsewhere.'
    """
    host = headers.get("host", "")
    if host.partition(":")[0].lower() not in HOSTS:
        return "Open this page as http://127.0.0.1, not by another name."
    if method not in ("GET", "HEAD") and headers.get("origin") != f"http://{host}":
        return "Use the form on the page itself: this request came from elsewhere."
    return ""
