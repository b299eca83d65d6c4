"""A transport that answers from a folder instead of the network: for the demo and for tests.

``https://host/a/b.xml`` is ``folder/host/a/b.xml``; a URL that ends in ``/`` or names a folder is ``index.xml``,
``index.html`` … in it; ``?paged=2`` is ``index@paged=2.xml``. Anything else is a 404. Reads inside the folder only,
even where a symbolic link leads out of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

import httpx

_TYPES = {
    ".xml": "application/xml",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
}
_INDEXES = ("index.xml", "index.html", "index.json", "index.rss", "index.atom")
_LAST_MODIFIED = format_datetime(datetime(2026, 1, 1, tzinfo=UTC), usegmt=True)
"""The same for every file: a file's own date is only the day it was checked out."""


class ReplayTransport(httpx.AsyncBaseTransport):
    """Answers every request from a folder, like a web server with validators."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return 200 with the file's bytes (HEAD: without them), 304 if the client has them, or 404."""
        path = self._find(request.url)
        if path is None:
            return httpx.Response(404, request=request)
        body = path.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Last-Modified": _LAST_MODIFIED}
        if etag in request.headers.get("if-none-match", ""):
            return httpx.Response(304, headers=headers, request=request)
        headers["Content-Type"] = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        content = b"" if request.method == "HEAD" else body
        return httpx.Response(200, headers=headers, content=content, request=request)

    def _find(self, url: httpx.URL) -> Path | None:
        inside = (path.resolve() for path in _candidates(self._folder, url))
        return next((path for path in inside if path.is_relative_to(self._folder) and path.is_file()), None)


def _candidates(folder: Path, url: httpx.URL) -> Iterator[Path]:
    """Yield the files that may answer a URL, the likeliest first."""
    parts = [part for part in url.path.split("/") if part]
    if "\0" in url.path or not {".", ".."}.isdisjoint(parts):
        return
    page = folder.joinpath(url.host, *parts)
    if parts and not url.path.endswith("/"):
        yield _with_query(page, url.query)
    for index in _INDEXES:
        yield _with_query(page / index, url.query)


def _with_query(path: Path, query: bytes) -> Path:
    """Return the path with the query in its name: ``index.xml`` and ``paged=2`` is ``index@paged=2.xml``."""
    if not query:
        return path
    name = quote(query.decode("ascii"), safe="=&,;+%")
    return path.with_name(f"{path.stem}@{name}{path.suffix}")
