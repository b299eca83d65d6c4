"""Uploads of pictures, and the images that the desk can show by itself.

A script posts a picture alone, to ``/pictures``, and gets its Markdown. Other forms have a file among their fields:
they accept ``MAX_UPLOAD_BYTES`` more and call ``added_picture``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pipeline.app import App
from pipeline.jobs.editor.pictures import MAX_UPLOAD_BYTES, PictureFolder
from pipeline.model.errors import PipelineError, UsageError
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.web.desk.ports import EditorService
from pipeline.web.forms import Form, form_endpoint

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_ESCAPED = {ord(char): f"\\{char}" for char in "\\[]*_`<"}


@dataclass(frozen=True, slots=True)
class PicturePages:
    """Handler of pictures that a script uploads."""

    editor: EditorService
    csrf_token: str

    def routes(self) -> list[BaseRoute]:
        """Return the route of uploads."""
        endpoint = form_endpoint(self.upload, self.csrf_token, max_upload_bytes=MAX_UPLOAD_BYTES)
        return [Route("/pictures", endpoint, methods=["POST"])]

    def upload(self, request: Request, form: Form) -> Response:
        """Store a picture; return its Markdown and its reference as JSON, or 409 and why it was refused."""
        try:
            markdown = added_picture(self.editor, form)
        except PipelineError as error:
            return JSONResponse({"message": str(error)}, status_code=409)
        return JSONResponse({"markdown": markdown, "reference": markdown.rpartition("(")[2].removesuffix(")")})


def added_picture(editor: EditorService, form: Form) -> str:
    """Store the file of a form and return it as Markdown, with the form's ``picture_alt``.

    Raise UsageError if no file was chosen, RefusedError if it is not a picture that can be shown.
    """
    if form.upload is None:
        raise UsageError("No picture was chosen: choose a file, then press Add picture.")
    alt = " ".join(form["picture_alt"].split()).translate(_ESCAPED)
    return f"![{alt}]({editor.add_picture(form.upload)})"


def local_image(app: App, url: str, *, now: datetime) -> tuple[str, bytes] | None:
    """Return (media type, bytes) of an uploaded picture, or of an image from the demo's fixtures; None for any other.

    An uploaded picture has its path from the folder of an edition. Nothing is fetched over the network.
    """
    if picture := PictureFolder(folder=app.editions_folder).read(url.removeprefix("../")):
        return ("image/png" if url.endswith(".png") else "image/jpeg"), picture
    if not app.config.fetch.fixtures:
        return None

    async def fetch() -> FetchOutcome:
        async with app.fetcher() as fetcher:
            return await fetcher.fetch(FetchRequest(key="image", url=url), now=now)

    outcome = asyncio.run(fetch())
    return (outcome.content_type, outcome.body) if outcome.content_type in IMAGE_TYPES else None
