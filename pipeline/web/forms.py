"""Forms a browser sends: read whole or not at all, and known to come from a page of ours.

In: a POST request. Out: a Form, or an HTTP refusal (403 without the token, 413 when it is too large). Decides nothing
about what is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MAX_FORM_BYTES = 256_000
MAX_FORM_FIELDS = 1_000
CSRF_FIELD = "csrf"
_KIND = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in; lines end as in a file."""

    fields: dict[str, list[str]]

    def __getitem__(self, name: str) -> str:
        """Give a field's first value; empty when there is none."""
        return self.get_all(name)[0] if name in self.fields else ""

    def get_all(self, name: str) -> list[str]:
        """Give all values of a field, in the order of the page."""
        return self.fields.get(name, [])


def parse_form(body: bytes) -> Form:
    """Read a form (application/x-www-form-urlencoded); ValueError when it is none.

    >>> read_form(b"subject=Bread+%26+salt&note=a%0D%0Ab&note=").fields
    {'subject': ['Bread & salt'], 'note': ['a\\nb', '']}
    """
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, encoding="utf-8")
    return Form({name: [each.replace("\r\n", "\n") for each in values] for name, values in fields.items()})


def form_endpoint(handler: Callable[[Request, Form], Response], token: str = "") -> Callable[[Request], object]:
    """Make an endpoint of a handler: it runs in a thread, and only for a form that carries our token.

    Without a token any form will do: where the address itself is a secret.
    """

    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
            raise HTTPException(415, "Use the form on the page itself.")
        try:
            form = parse_form(body)
        except ValueError as bad:
            raise HTTPException(400, "This form cannot be read: use the one on the page itself.") from bad
        if token and not compare_digest(form[CSRF_FIELD].encode(), token.encode()):
            raise HTTPException(
                403, "This page is from before the program was started: go back, copy your words, and reload it."
            )
        return await run_in_threadpool(handler, request, form)

    return endpoint


async def _body(request: Request) -> bytes:
    """Read the body, but stop as soon as it is too large, whatever it said about its length."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, f"This form is too large: up to {MAX_FORM_BYTES // 1000} KB are read.")
    return bytes(body)
