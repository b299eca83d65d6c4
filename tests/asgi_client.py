"""A client for ASGI applications, without a server or sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

BASE_URL = "http://127.0.0.1:8025"
FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded"}


class AsgiClient:
    """A client; exceptions of the application propagate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Send a request and return the response."""
        return asyncio.run(self._request(method, path, params, headers, content))

    def get(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a GET request."""
        return self.request("GET", path, params=params, headers=headers)

    def post(self, path: str, fields: Mapping[str, str | list[str]], *, page: str = "/feeds") -> httpx.Response:
        """Submit a form of ``page`` as a browser does: with its origin and CSRF token."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        body = urlencode({"csrf": token[1] if token else ""} | dict(fields), doseq=True)
        return self.request("POST", path, headers={"origin": BASE_URL} | FORM_HEADERS, content=body.encode())

    async def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            return await client.request(method, path, params=params, headers=headers, content=content)
