"""Pictures from the web on the pages of the desk: fetched by this program, so that the browser contacts nobody else."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.app import App
from pipeline.model.fetch import FetchRequest
from pipeline.model.schedule import Clock
from pipeline.web.desk.pictures.pages import IMAGE_TYPES

MAX_KEPT_BYTES = 30_000_000
MAX_PICTURE_BYTES = 8_000_000
RETRY_AFTER = timedelta(minutes=2)


@dataclass(slots=True)
class RemotePictures:
    """Fetches pictures with the limits of the link checks, and keeps the newest in memory. Needs no lock."""

    open_app: Callable[[], AbstractContextManager[App]]
    clock: Clock
    _kept: OrderedDict[str, tuple[str, bytes]] = field(default_factory=OrderedDict)
    _failed: dict[str, datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, url: str) -> tuple[str, bytes] | None:
        """Return (media type, bytes) of a picture; None if it cannot be fetched or is no image for mails."""
        now = self.clock()
        with self._lock:
            if url in self._kept:
                self._kept.move_to_end(url)
                return self._kept[url]
            if url in self._failed and now - self._failed[url] < RETRY_AFTER:
                return None
        with self.open_app() as app:
            picture = asyncio.run(_fetch(app, url, now))
        with self._lock:
            if picture is None:
                self._failed[url] = now
                return None
            self._kept[url] = picture
            while sum(len(content) for _, content in self._kept.values()) > MAX_KEPT_BYTES:
                self._kept.popitem(last=False)
        return picture


def picture_response(picture: tuple[str, bytes] | None) -> Response:
    """Return a picture as a response that browsers keep for a while; raise HTTPException 404 if there is none."""
    if picture is None:
        raise HTTPException(404, "There is no such picture.")
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=600"}
    return Response(picture[1], media_type=picture[0], headers=headers)


async def _fetch(app: App, url: str, now: datetime) -> tuple[str, bytes] | None:
    async with app.link_fetcher() as fetcher:
        outcome = await fetcher.fetch(FetchRequest(key="picture", url=url), now=now)
    is_image = outcome.content_type in IMAGE_TYPES and 0 < len(outcome.body) <= MAX_PICTURE_BYTES
    return (outcome.content_type, outcome.body) if is_image else None
