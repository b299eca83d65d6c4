"""Forms that a browser posts: limited in size, and only from our own pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from pipeline.web.sessions import csrf_token_of

MAX_FORM_BYTES = 256_000
MAX_FORM_FIELDS = 1_000
CSRF_FIELD = "csrf"
FORM_TYPE = "application/x-www-form-urlencoded"
UPLOAD_TYPE = "multipart/form-data"
_OUTDATED_PAGE = (
    "The program was restarted, or you logged in again, after this page was opened. Go back, copy your text, and "
    "reload the page."
)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form; lines end in ``\\n``."""

    fields: dict[str, list[str]]
    upload: bytes | None = None
    """The content of the uploaded file; None if the form has none, or none was chosen."""

    def __getitem__(self, name: str) -> str:
        """Return the first value of a field; empty if it is missing.

        >>> Form({"note": ["a", "b"]})["note"], Form({})["note"]
        ('a', '')
        """
        return self.fields.get(name, [""])[0]

    def get_all(self, name: str) -> list[str]:
        """Return all values of a field, in the order of the page."""
        return self.fields.get(name, [])


def form_endpoint(
    handler: Callable[[Request, Form], Response], csrf_token: str = "", *, max_upload_bytes: int = 0
) -> Callable[[Request], object]:
    """Return an endpoint that parses a form and runs ``handler`` in a thread.

    It answers 400 to too many fields, 403 to a form without ``csrf_token``, or that of its session, 413 to a large body
    and 415 to any other media type. Without a token every form is accepted, for pages whose address is a secret. With
    ``max_upload_bytes`` the form may have one file (RFC 7578); it is kept on disk until all of it was received.
    """

    async def endpoint(request: Request) -> Response:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != FORM_TYPE and not (max_upload_bytes and media_type == UPLOAD_TYPE):
            raise HTTPException(415, "Use the form on the page.")
        form = await read_form(request, max_upload_bytes=max_upload_bytes if media_type == UPLOAD_TYPE else 0)
        if csrf_token and not compare_digest(form[CSRF_FIELD].encode(), csrf_token_of(request, csrf_token).encode()):
            raise HTTPException(403, _OUTDATED_PAGE)
        return await run_in_threadpool(handler, request, form)

    return endpoint


async def read_form(request: Request, *, max_upload_bytes: int = 0) -> Form:
    """Return the form of a request, reading at most ``MAX_FORM_BYTES`` whatever its Content-Length says.

    A form with a file may have ``max_upload_bytes`` more.
    """
    limited = with_limited_body(request, MAX_FORM_BYTES + max_upload_bytes)
    fields: dict[str, list[str]] = {}
    upload: bytes | None = None
    async with limited.form(
        max_files=1 if max_upload_bytes else 0, max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FORM_BYTES
    ) as data:
        for name, value in data.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
            elif value.filename:
                upload = await value.read()
    return Form(fields, upload)


def with_limited_body(request: Request, max_bytes: int = MAX_FORM_BYTES) -> Request:
    """Return the request with a body that raises 413 once more than ``max_bytes`` of it were read."""
    total = 0

    async def receive_limited() -> Message:
        nonlocal total
        message = await request.receive()
        total += len(message.get("body", b""))
        if total > max_bytes:
            raise HTTPException(413, f"This form is too large; the limit is {_size(max_bytes)}.")
        return message

    return Request(request.scope, receive_limited)


def _size(number: int) -> str:
    return f"{number // 1000} KB" if number < 1_000_000 else f"{number // 1_000_000} MB"
