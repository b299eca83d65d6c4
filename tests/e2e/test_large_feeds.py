"""Feeds with more entries than are read: the newest are kept, wherever they are, and the rest is mentioned."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.ingest.parse.parser import parse_feed, parse_incrementally
from pipeline.ingest.parse.result import MAX_ENTRIES, PreviousDocument, newest_indexes
from tests.cli_runner import CliRunner
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
TOTAL = MAX_ENTRIES + 300
FIRST = datetime(2010, 1, 1, 6, tzinfo=UTC)


def date_of(number: int) -> datetime:
    """Return the date of an entry; the higher its number, the newer it is."""
    return FIRST + timedelta(days=number)


def rss_document(numbers: Sequence[int], *, dated: bool = True) -> bytes:
    """Return RSS 2.0."""
    items = (
        f"<item><guid>{n}</guid><title>Tide {n}</title>"
        f"{f'<pubDate>{format_datetime(date_of(n))}</pubDate>' if dated else ''}</item>"
        for n in numbers
    )
    return f"<rss version='2.0'><channel><title>Tides</title>{''.join(items)}</channel></rss>".encode()


def atom_document(numbers: Sequence[int], prefix: str = "") -> bytes:
    """Return Atom, with a namespace prefix if one is given."""
    xmlns = f"xmlns{':' if prefix else ''}{prefix.rstrip(':')}='http://www.w3.org/2005/Atom'"
    entries = (
        f"<{prefix}entry><{prefix}id>{n}</{prefix}id><{prefix}updated>{date_of(n).isoformat()}</{prefix}updated>"
        f"<{prefix}title>Tide {n}</{prefix}title></{prefix}entry>"
        for n in numbers
    )
    return f"<{prefix}feed {xmlns}>{''.join(entries)}</{prefix}feed>".encode()


def json_document(numbers: Sequence[int]) -> bytes:
    """Return JSON Feed."""
    items = [{"id": str(n), "title": f"Tide {n}", "date_published": date_of(n).isoformat()} for n in numbers]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Tides", "items": items}).encode()


def shuffled(numbers: Sequence[int]) -> list[int]:
    """Return the numbers in a random order, the same each time."""
    return random.Random(7).sample(numbers, len(numbers))


@pytest.mark.parametrize(
    ("document", "order"),
    [
        (rss_document, list),
        (rss_document, shuffled),
        (json_document, shuffled),
        (atom_document, reversed),
        (lambda numbers: atom_document(numbers, "a:"), shuffled),
    ],
)
def test_newest_are_read(document: Callable[[Sequence[int]], bytes], order: Callable[[Sequence[int]], Iterable[int]]):
    """They are read in the document's order, and the others are counted."""
    numbers = [*order(range(TOTAL))]
    parsed = parse_incrementally(document(numbers), PreviousDocument()).parsed
    assert [entry.guid for entry in parsed.entries] == [str(n) for n in numbers if n >= TOTAL - MAX_ENTRIES]
    assert parsed.channel.omitted_entries == TOTAL - MAX_ENTRIES


def test_a_whole_read_has_the_same_result():
    """Reading a whole document, as `feeds check` does, omits the same entries."""
    body = rss_document(range(TOTAL))
    assert parse_feed(body).entries[0].guid == "300"
    assert parse_feed(body).channel.omitted_entries == TOTAL - MAX_ENTRIES


def test_a_document_that_shrank_has_no_omitted_entries():
    """The channel that is known from before does not keep the number."""
    long = parse_incrementally(rss_document(range(TOTAL)), PreviousDocument())
    previous = PreviousDocument(raw_hashes=long.hashes, channel=long.parsed.channel)
    more = parse_incrementally(rss_document(range(TOTAL + 2)), previous)
    assert ([entry.guid for entry in more.parsed.entries], more.parsed.channel.omitted_entries) == (
        ["5300", "5301"],
        302,
    )
    short = parse_incrementally(rss_document(range(TOTAL - 10, TOTAL)), previous)
    assert (short.parsed.entries, short.parsed.channel.omitted_entries) == ((), 0)


@pytest.mark.parametrize("numbers", [range(TOTAL + 1), range(TOTAL, -1, -1)], ids=["added last", "added first"])
def test_new_entries_without_dates_are_found_at_either_end(numbers: Sequence[int]):
    """Nothing says which end of an undated feed is the newer one."""
    before = [n for n in numbers if n < TOTAL]
    first = parse_incrementally(rss_document(before, dated=False), PreviousDocument())
    previous = PreviousDocument(raw_hashes=first.hashes, channel=first.parsed.channel)
    second = parse_incrementally(rss_document(numbers, dated=False), previous)
    assert [entry.guid for entry in second.parsed.entries] == [str(TOTAL)]


def test_dates_decide_if_most_entries_have_one():
    """An undated entry is as old as the one before it; among too many, both ends are read."""
    dates = [date_of(n).isoformat() if n % 3 != 1 else "" for n in range(TOTAL)]
    assert newest_indexes(dates) == [*range(300, TOTAL)]
    assert newest_indexes(["nonsense"] * TOTAL) == [*range(2500), *range(2800, TOTAL)]
    assert newest_indexes([date_of(1).isoformat()] * 100_000)[-1] == 99_999
    assert newest_indexes(["2026-01-01"] * 3) == range(3)


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def test_news_of_a_feed_that_is_sorted_oldest_first(program: CliRunner):
    """They are published, and every report says that entries are not read."""
    newest = (program.now - FIRST).days
    old = range(newest - TOTAL, newest - 7)
    program.serve("/blog", rss_document(old))
    assert "293 of them" in program.run_ok("fetch")
    program.serve("/blog", rss_document([*old, newest]))
    program.run_ok("fetch", "--force")
    sentence = "has too many entries, and 294 of them, the oldest as far as known, are not read"
    explained = program.run_ok("digest", "--week", "current", "--offline", "--explain")
    assert sentence in explained
    assert [story["title"] for story in program.manifest()["stories"]] == [f"Tide {newest}"]
    assert sentence in program.run_ok("feeds", "check", program.server.url("/blog"))
    for command in (("status",), ("doctor", "--offline")):
        assert sentence in program.run(*command)[1]
