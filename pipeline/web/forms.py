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
_OUTDATED_PAGE = (
    "The program was restarted, or you logged in again, after this page was opened. Go back, copy your text, and "
    "reload the page."
)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form; lines end in ``\\n``."""

    fields: dict[str, list[str]]

    def __getitem__(self, name: str) -> str:
        """Return the first value of a field; empty if it is missing.

        >>> Form({"note": ["a", "b"]})["note"], Form({})["note"]
        ('a', '')
        """
        return self.fields.get(name, [""])[0]

    def get_all(self, name: str) -> list[str]:
        """Return all values of a field, in the order of the page."""
        return self.fields.get(name, [])


def form_endpoint(handler: Callable[[Request, Form], Response], csrf_token: str = "") -> Callable[[Request], object]:
    """Return an endpoint that parses a form and runs ``handler`` in a thread.

    It answers 400 to too many fields, 403 to a form without ``csrf_token``, or that of its session, 413 to a large body
    and 415 to any other media type. Without a token every form is accepted, for pages whose address is a secret.
    """

    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
            raise HTTPException(415, "Use the form on the page.")
        form = await read_form(request)
        if csrf_token and not compare_digest(form[CSRF_FIELD].encode(), csrf_token_of(request, csrf_token).encode()):
            raise HTTPException(403, _OUTDATED_PAGE)
        return await run_in_threadpool(handler, request, form)

    return endpoint


async def read_form(request: Request) -> Form:
    """Return the form of a request, reading at most ``MAX_FORM_BYTES`` whatever its Content-Length says."""
    data = await with_limited_body(request).form(max_files=0, max_fields=MAX_FORM_FIELDS)
    fields: dict[str, list[str]] = {}
    for name, value in data.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return Form(fields)


def with_limited_body(request: Request, max_bytes: int = MAX_FORM_BYTES) -> Request:
    """Return the request with a body that raises 413 once more than ``max_bytes`` of it were read."""
    total = 0

    async def receive_limited() -> Message:
        nonlocal total
        message = await request.receive()
        total += len(message.get("body", b""))
        if total > max_bytes:
            raise HTTPException(413, f"This form is too large; the limit is {max_bytes // 1000} KB.")
        return message

    return Request(request.scope, receive_limited)
