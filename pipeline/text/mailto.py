"""URLs of the scheme mailto (RFC 6068), which open a new message in the mail program."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote

MAX_SUBJECT_CHARS = 120
"""A longer subject is cut: some systems open no URL of over 2,000 characters, and one character may take twelve."""
_SCHEME = "mailto:"


def mailto_url(address: str = "", *, subject: str = "", body: str = "") -> str:
    """Return the URL of a message with a subject and a body; without an address, its recipient is yet to be chosen.

    >>> mailto_url("ada@quay.example", subject="Re: Bread & salt")
    'mailto:ada@quay.example?subject=Re%3A%20Bread%20%26%20salt'
    >>> mailto_url(body="https://quay.example/")
    'mailto:?body=https%3A%2F%2Fquay.example%2F'
    """
    fields = {"subject": subject[:MAX_SUBJECT_CHARS], "body": body}
    query = "&".join(f"{name}={_quoted(value)}" for name, value in fields.items() if value)
    return f"{_SCHEME}{_quoted(address, safe='@+')}{query and '?'}{query}"


def readable_parts(url: str) -> tuple[str, ...]:
    """Return what a plain text has to show of a URL: of mailto the address and the body, else the URL itself.

    >>> readable_parts("mailto:ada@quay.example?subject=Re%3A%20Bread")
    ('ada@quay.example',)
    >>> readable_parts("mailto:?subject=Bread&body=https%3A%2F%2Fquay.example%2F"), readable_parts("https://a.example/")
    (('https://quay.example/',), ('https://a.example/',))
    """
    if not url.lower().startswith(_SCHEME):
        return (url,)
    address, _, query = url[len(_SCHEME) :].partition("?")
    return tuple(filter(None, (unquote(address), *parse_qs(query).get("body", ()))))


def _quoted(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="replace")
