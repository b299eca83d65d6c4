"""A fuzzer for decode, parse and normalise: ``python -m tests.fuzz_ingest --seconds 60 --seed 7``.

In: the documents of fixtures/quirks, cut, doubled, spliced and spoilt byte by byte. Out: nothing, or the first document
that broke a promise, saved for a look, and exit code 1. The promises: no exception but NotAFeed, no unsafe address, no
guid twice, no more than a few seconds a document.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.ingest.discover import find_feeds
from pipeline.ingest.normalise import normalise
from pipeline.ingest.sources import parse
from pipeline.model.errors import NotAFeed
from tests.unit.test_normalise import FEED, NOW, assert_safe

QUIRKS = Path(__file__).parents[1] / "fixtures" / "quirks"
MOST_SECONDS = 5.0
TOKENS = [
    *(b"<item>", b"</item>", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?", b"<!DOCTYPE x [", b"<entry>", b"</title>"),
    *(b"&", b"&#0;", b"&#xD800;", b"&nbsp;", b"\x00", b"\xff", b"\xef\xbb\xbf", b"javascript:x", b"data:x", b"'", b'"'),
    *(b" xml:base='file:///'", b"http://[::1", b"https://x.example:99999/", b"<ol><li>", b"<img src=x width=1>", b"\r"),
    *(b"charset=utf-16", b"encoding='utf-7'", b"<rss>", b"</rss>", b"<feed>", b"\xe2\x80\xae", b"{", b"}", b"9" * 400),
    *(b"<", b">", rb"\ud800", rb"\u0000", b"[", b"&#xD800"),
]  # fmt: skip

Mutation = Callable[[random.Random, bytes, list[bytes]], bytes]


def main() -> int:
    """Fuzz for a while; return 1 when a document broke a promise."""
    arguments = argparse.ArgumentParser(description="Fuzz decode, parse and normalise.")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--save", type=Path, default=Path("fuzz-found.bin"))
    options = arguments.parse_args()
    seeds = [path.read_bytes() for path in sorted(QUIRKS.glob("*.xml"))]
    chance = random.Random(options.seed)
    end = time.monotonic() + options.seconds
    count = 0
    while time.monotonic() < end:
        body = mutated(chance, chance.choice(seeds), seeds)
        count += 1
        if problem := broken_promise(body):
            options.save.write_bytes(body)
            print(f"document {count}: {problem}; saved as {options.save}", file=sys.stderr)
            return 1
    print(f"{count} documents, no promise broken")
    return 0


def mutated(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    """Spoil a document in one to six places."""
    for _ in range(chance.randint(1, 6)):
        body = chance.choice(MUTATIONS)(chance, body, seeds)[:300_000]
    return body


def broken_promise(body: bytes) -> str:
    """Return what is wrong with the way ``body`` is read, "" when nothing is."""
    before = time.process_time()
    try:
        find_feeds(body, FEED.url)
        entries = normalise(parse(body, url=FEED.url), FEED, url=FEED.url, now=NOW)
        for entry in entries:
            assert_safe(entry)
    except NotAFeed:
        entries = ()
    except Exception as error:
        return repr(error)[:300]
    seconds = time.process_time() - before
    twice = len({entry.guid for entry in entries}) != len(entries)
    return "a guid twice" if twice else f"{seconds:.1f} seconds" if seconds > MOST_SECONDS else ""


def _cut(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _remove(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    start = chance.randrange(len(body) + 1)
    return body[:start] + body[start + chance.randint(1, 60) :]


def _insert(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(TOKENS) * chance.choice((1, 1, 1, 2, 50, 2000)) + body[at:]


def _flip(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]


def _double(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    start = chance.randrange(len(body) + 1)
    piece = body[start : start + chance.randint(1, 400)]
    return body[:start] + piece * chance.choice((2, 3, 100)) + body[start + len(piece) :]


def _splice(chance: random.Random, body: bytes, seeds: list[bytes]) -> bytes:
    other = chance.choice(seeds)
    return body[: chance.randrange(len(body) + 1)] + other[chance.randrange(len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (_cut, _remove, _insert, _insert, _flip, _double, _splice)

if __name__ == "__main__":
    sys.exit(main())
