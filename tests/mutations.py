"""Mutations of a document, by byte and by tag, from a source of randomness and other documents."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

MAX_BYTES = 300_000
TOKENS = [
    *(b"<item>", b"</item>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"<!DOCTYPE x [", b"<entry>", b"</title>"),
    *(b"&", b"&#0;", b"&#xD800;", b"&nbsp;", b"\x00", b"\xff", b"\xef\xbb\xbf", b"javascript:x", b"data:x", b"'", b'"'),
    *(b" xml:base='file:///'", b"http://[::1", b"https://x.example:99999/", b"<ol><li>", b"<img src=x width=1>", b"\r"),
    *(b"charset=utf-16", b"encoding='utf-7'", b"<rss>", b"</rss>", b"<feed>", b"\xe2\x80\xae", b"{", b"}", b"9" * 400),
    *(b"<", b">", b"&amp;lt;script&amp;gt;", b"<a href='java&#115;cript:x'>", b" onload=x", b"<svg><script>"),
    *(b"\xed\xa0\x80", b"&#x1F9C2;", b"<itunes:duration>1e9:99</itunes:duration>", b"<pubDate>0000-00-00</pubDate>"),
]  # fmt: skip
_TAG = re.compile(rb"<[^<>]{1,300}>")
_ELEMENT = re.compile(rb"<(\w[\w:]*)[^<>]*>(?:(?!<\1\b).){0,5000}?</\1>", re.DOTALL)
_VALUE = re.compile(rb">([^<>]+)<|=[\"']([^\"'<>]+)[\"']")
_ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "windows-1252", "utf-7", "cp932", "koi8-r")

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutated(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Return a document with one to six mutations."""
    for _ in range(chance.randint(1, 6)):
        body = chance.choice(MUTATIONS)(chance, body, others)[:MAX_BYTES]
    return body


def _cut(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    return body[: _place(chance, body)]


def _remove(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    start = _place(chance, body)
    return body[:start] + body[start + chance.randint(1, 60) :]


def _insert(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    at = _place(chance, body)
    return body[:at] + chance.choice(TOKENS) * chance.choice((1, 1, 1, 2, 50, 2000)) + body[at:]


def _flip(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    at = _place(chance, body)
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def _double(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    start = _place(chance, body)
    piece = body[start : start + chance.randint(1, 400)]
    return body[:start] + piece * chance.choice((2, 3, 100)) + body[start + len(piece) :]


def _splice(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others)
    return body[: _place(chance, body)] + other[_place(chance, other) :]


def _drop_tag(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    start, end = _span(chance, body, _TAG)
    return body[:start] + body[end:]


def _swap_tags(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    (start, end), (other_start, other_end) = sorted((_span(chance, body, _TAG), _span(chance, body, _TAG)))
    if end > other_start:
        return body
    between = body[end:other_start]
    return body[:start] + body[other_start:other_end] + between + body[start:end] + body[other_end:]


def _nest(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Put one element inside another, once or many times."""
    start, end = _span(chance, body, _ELEMENT)
    _, inside = _span(chance, body, _TAG)
    return body[:inside] + body[start:end] * chance.choice((1, 1, 2, 40)) + body[inside:]


def _graft(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Replace an element by one of another document."""
    other = chance.choice(others)
    (start, end), (first, last) = _span(chance, body, _ELEMENT), _span(chance, other, _ELEMENT)
    return body[:start] + other[first:last] + body[end:]


def _replace_value(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Replace a text or an attribute's value by a token."""
    start, end = _span(chance, body, _VALUE)
    return body[: start + 1] + chance.choice(TOKENS) + body[end - 1 :] if end > start else body


def _wrap(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Wrap an element in others of one name."""
    start, end = _span(chance, body, _ELEMENT)
    name, depth = chance.choice((b"div", b"item", b"channel", b"entry", b"title")), chance.choice((1, 3, 500))
    return body[:start] + (b"<%b>" % name) * depth + body[start:end] + (b"</%b>" % name) * depth + body[end:]


def _recode(chance: random.Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Encode the document differently, whatever it declares."""
    return body.decode("utf-8", "replace").encode(chance.choice(_ENCODINGS), "replace")


def _place(chance: random.Random, body: bytes) -> int:
    return chance.randrange(len(body) + 1)


def _span(chance: random.Random, body: bytes, what: re.Pattern[bytes]) -> tuple[int, int]:
    """Return the span of a match at or after a random place; an empty span without one."""
    at = _place(chance, body)
    found = what.search(body, at, at + 20_000) or what.search(body, 0, 20_000)
    return found.span() if found else (at, at)


MUTATIONS: tuple[Mutation, ...] = (
    *(_cut, _remove, _insert, _insert, _flip, _double, _splice),
    *(_drop_tag, _swap_tags, _nest, _graft, _replace_value, _replace_value, _wrap, _recode),
)
