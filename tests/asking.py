"""Ask an ASGI application without a server: one request at a time, over httpx and no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp

HERE = "http://127.0.0.1:8025"


class Client:
    """A browser's address bar. The application's exceptions propagate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request and read the whole answer."""
        return asyncio.run(self._request(method, path, params, headers))

    def get(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Ask for an address."""
        return self.request("GET", path, params=params, headers=headers)

    async def _request(
        self, method: str, path: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await client.request(method, path, params=params, headers=headers)
