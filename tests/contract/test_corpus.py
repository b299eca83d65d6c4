"""Feeds from the open web, parsed and normalised, compared with the expectations of the projects they come from.

The corpus is not part of the product: ``$PIPELINE_CORPUS`` names its folder. MANIFEST.tsv in it has for each file what
its project expects (``expected_by_source``) and the result of feedparser."""

from __future__ import annotations

import ast
import csv
import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.normalise import entry_title, normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.entry import Entry, ParsedFeed
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Feed
from pipeline.text.dates import parse_date
from pipeline.text.html import plain_text
from pipeline.text.message_headers import subject_header
from pipeline.text.plain_text import clean_title
from pipeline.text.urls import clean_url
from tests.invariants import document_difference, header_problem
from tests.measure_cost import scaled_seconds

pytestmark = [pytest.mark.corpus, pytest.mark.xdist_group("corpus")]  # one worker reads it for all

URL = "https://feed.example/x/feed.xml"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
TITLE_CHARS = 80
"""The manifest cuts what feedparser observed after so many characters."""

Row = dict[str, str]

NOT_FEEDS = {
    "broken/kagi__dylanharris.org_feed-me.rss": "attributes without quotes, and no item that any parser finds",
    "hostile/synth_deep_xml.xml": "nested thousands deep: the item behind that is given up, in words",
    "broken/reader__unknown.json": "a version of JSON Feed that does not exist",
    "hostile/synth_body_is_path.xml": "the name of a file",
    "hostile/synth_body_is_url.xml": "an address",
}

# Where we differ from what a project expects, and why we mean to.
_ONLY_MEDIA = "podcastparser counts only items with something to play"
_FROM_URL = "podcastparser names an untitled item after its file"
_NAMED_TAG = "a title may name a tag that formats nothing; it is shown as text"
DIFFERENT: dict[tuple[str, str], str] = {
    (
        "encodings/feedparser__encoding_bozo_linenoise.xml",
        "expect",
    ): "one stray byte among valid UTF-8, not all mojibake",
    ("hostile/feedparser__sanitize_feed_title_applet.xml", "expect"): _NAMED_TAG,
    ("encodings/feedparser__entities_rang.xml", "expect"): "&rang; as HTML 5 has it, U+27E9",
    (
        "encodings/rssparserjs__uolNoticias.rss",
        "first_title",
    ): "expected with U+FFFD; read as windows-1252 it is whole",
    ("podcast/podcastparser__itunes_type_serial.rss", "first_title"): "podcastparser turns serial shows around",
    ("podcast/podcastparser__itunes_type_serial.rss", "first_published"): "podcastparser turns serial shows around",
    ("podcast/podcastparser__itunes_type_serial.rss", "first_id"): "podcastparser turns serial shows around",
    ("podcast/podcastparser__no_enclosure.rss", "entries"): _ONLY_MEDIA,
    ("podcast/podcastparser__no_title_multi_enclosure.rss", "entries"): _ONLY_MEDIA,
    ("podcast/podcastparser__no_url.rss", "entries"): _ONLY_MEDIA,
    ("podcast/podcastparser__no_guid.rss", "first_title"): _FROM_URL,
    ("podcast/podcastparser__no_title.rss", "first_title"): _FROM_URL,
}

# Where we differ from what feedparser observed, and why we mean to.
_UNDECLARED = "no charset is named, and nobody guesses: other mojibake than feedparser's"
_HALF = "an item that broke off before its name was whole waits for the whole document"
BETTER: dict[tuple[str, str], str] = {
    ("broken/feedparser__illformed_rss_incomplete_cdata.xml", "entries"): _HALF,
    ("broken/feedparser__illformed_rss_incomplete_cdata.xml", "no_date"): _HALF,
    ("broken/gofeed__atom_atom10_feed_title_xhtml_escaped_markup.xml", "feed_title"): "found, though it closes wrongly",
    ("encodings/feedparser__chardet_eucjp.xml", "first_title"): _UNDECLARED,
    ("encodings/feedparser__chardet_shiftjis.xml", "first_title"): _UNDECLARED,
    ("hostile/feedparser__sanitize_feed_title_applet.xml", "feed_title"): _NAMED_TAG,
    ("encodings/feedparser__entities_rang.xml", "feed_title"): "&rang; as HTML 5 has it, U+27E9",
    ("encodings/miniflux__windows-1252-incorrect-prolog.xml", "feed_title"): "valid UTF-8 wins over the prolog",
    ("encodings/rssparserjs__uolNoticias.rss", "no_date"): "Portuguese dates are dates",
    ("hostile/synth_control_chars.xml", "first_title"): "what XML forbids is dropped",
}


def test_every_file_gives_entries_or_a_typed_error(corpus: Path) -> None:
    """393 files: no exception but NotAFeedError, and that only for files that are not feeds."""
    refused = {row["file"] for row in rows(corpus) if parse_file(corpus, row) is None}
    assert refused == set(NOT_FEEDS)


def test_expectations_of_the_projects(corpus: Path) -> None:
    """Numbers, titles, ids, durations and dates are as expected, or listed with a reason."""
    different = dict(differences(corpus, "expected_by_source"))
    assert different.keys() == DIFFERENT.keys(), sorted(different.items() ^ DIFFERENT.items())


def test_results_of_feedparser(corpus: Path) -> None:
    """The result is that of feedparser, or listed with a reason why it is better."""
    different = dict(differences(corpus, "observed_feedparser_6.0.14"))
    assert different.keys() == BETTER.keys(), sorted(different.items() ^ BETTER.items())


def test_hostile_files_are_safe(corpus: Path) -> None:
    """Nothing of a hostile file is unsafe to show or to open, and the harmless entries are kept."""
    for row in rows(corpus):
        if not row["file"].startswith("hostile/") or not (result := parse_file(corpus, row)):
            continue
        text = json.dumps([asdict(entry) for entry in result[1]], default=str)
        assert "root:" not in text, row["file"]
        assert "<script" not in text, row["file"]
        assert "\\u0000" not in text, row["file"]
        if row["file"].startswith("hostile/synth_") and "deep_xml" not in row["file"]:
            assert "ok-1" in {entry.guid for entry in result[1]}, row["file"]


def test_urls_are_safe(corpus: Path) -> None:
    """Every URL of every entry is absolute http(s) and clean."""
    for row in rows(corpus):
        for entry in (parse_file(corpus, row) or (None, ()))[1]:
            assert all(address == clean_url(address) for address in addresses(entry)), row["file"]
            assert len(entry.guid) <= 512, row["file"]


@pytest.mark.slow
def test_titles_are_subjects(corpus: Path) -> None:
    """As the subject of a message, each title is decoded to itself."""
    titles = {entry.title for row in rows(corpus) for entry in (parse_file(corpus, row) or (None, ()))[1]}
    problems = {title: header_problem(subject_header(title), " ".join(title.split())) for title in titles}
    assert len(titles) > 1_000
    assert {title: problem for title, problem in problems.items() if problem} == {}


def test_no_file_takes_long(corpus: Path) -> None:
    """A file takes at most a second of processor time, or two per megabyte; a slower one is measured again."""
    for row in rows(corpus):
        body = (corpus / row["file"]).read_bytes()
        limit = max(1.0, len(body) / 500_000)
        parse_file(corpus, row)
        if _SECONDS[row["file"]] > limit:
            assert min(scaled_seconds(lambda body=body: process(body)) for _ in range(4)) < limit, row["file"]


def process(body: bytes) -> None:
    """Parse and normalise a document."""
    if result := read_body(body):
        normalise(result, Feed(id="blog", url=URL, kind="blog"), url=URL, now=NOW)


@pytest.mark.slow
def test_damaged_files_parse_the_same(corpus: Path) -> None:
    """Every well-formed feed gives the same fields with a damaged end, and with the tolerant parser alone."""
    different = {
        row["file"]: document_difference((corpus / row["file"]).read_bytes(), tolerant_only=True)
        for row in rows(corpus)
    }
    assert {file: words for file, words in different.items() if words} == {}


def rows(corpus: Path) -> list[Row]:
    with (corpus / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        return list(csv.DictReader(manifest, delimiter="\t"))


def read_body(body: bytes) -> ParsedFeed | None:
    try:
        return parse_feed(body, url=URL)
    except NotAFeedError:
        return None


_READ: dict[str, tuple[ParsedFeed, tuple[Entry, ...]] | None] = {}
_SECONDS: dict[str, float] = {}
"""The CPU seconds that reading each file took."""


def parse_file(corpus: Path, row: Row) -> tuple[ParsedFeed, tuple[Entry, ...]] | None:
    """Parse a file of the corpus, once for all tests of this module."""
    name = row["file"]
    if name not in _READ:
        before = time.process_time()
        parsed = read_body((corpus / name).read_bytes())
        _READ[name] = parsed and (
            parsed,
            normalise(parsed, Feed(id="blog", url=URL, kind="blog"), url=URL, now=NOW),
        )
        _SECONDS[name] = time.process_time() - before
    return _READ[name]


def differences(corpus: Path, column: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the differences from a column of the manifest: ((file, what), description)."""
    for row in rows(corpus):
        expected = json.loads(row[column] or "{}")
        result = parse_file(corpus, row)
        if result is None or row["file"].endswith(".json"):
            continue  # feedparser reads no JSON Feed
        found = findings(*result)
        if not found["feed_title"] and expected.get("feed_title") == row["file"].rpartition("__")[2].rpartition(".")[0]:
            del expected["feed_title"]  # podcastparser names a feed without a title after its file
        for what in expected.keys() & CHECKS.keys():
            if not CHECKS[what](expected[what], found):
                yield (row["file"], what), f"{what}: {expected[what]!r}"


def findings(parsed: ParsedFeed, entries: tuple[Entry, ...]) -> dict[str, Any]:
    first = parsed.entries[0] if parsed.entries else None
    names = [] if first is None else [first.guid, first.link, *(part.url.strip() for part in first.enclosures)]
    return {
        "entries": len(parsed.entries),
        "feed_title": parsed.channel.title,
        "first_title": entry_title(first) if first else "",
        "names": names,
        "entry": entries[0] if entries else None,
        "undated": sum(1 for raw in parsed.entries if not raw.published_at and not raw.updated_at),
    }


def same_text(expected: str | None, found: str) -> bool:
    wanted = clean_title(expected or "")
    return wanted == found or (len(expected or "") >= TITLE_CHARS and found.startswith(wanted[:70]))


def same_name(expected: str, found: dict[str, Any]) -> bool:
    """An entry without an id has its link or media as its guid; podcastparser makes file:// of relative ones."""
    short = expected.removeprefix("file://tests/data/")
    return not expected or any(name in (expected, short) or name.startswith(expected[:80]) for name in found["names"])


def same_instant(expected: str | int, found: dict[str, Any]) -> bool:
    entry: Entry | None = found["entry"]
    if entry is None or entry.dated_by == "first_seen" or not expected:
        return True
    wanted = datetime.fromtimestamp(expected, UTC) if isinstance(expected, int) else parse_date(expected)
    return wanted == entry.published_at


def matches_feedparser_test(expected: str, found: dict[str, Any]) -> bool:
    """Evaluate feedparser's own expectations, which are Python, as far as they concern fields that are kept."""
    return all(
        PLACES[place](ast.literal_eval(value), found) for place, value in STATEMENT.findall(expected) if place in PLACES
    )


def same_words(expected: str, found: dict[str, Any]) -> bool:
    """Compare words only: markup and styles are reduced more than by feedparser."""
    return plain_text(expected) == (plain_text(found["entry"].body_html) if found["entry"] else "")


STATEMENT = re.compile(r"((?:feed|entries\[0\])\S*?) == ('(?:[^'\\]|\\.)*')")
PLACES: dict[str, Any] = {
    "feed['title']": lambda expected, found: same_text(expected, found["feed_title"]),
    "entries[0]['title']": lambda expected, found: same_text(expected, found["first_title"]),
    "entries[0]['link']": lambda expected, found: clean_url(expected) == found["entry"].url,
    "entries[0]['id']": lambda expected, found: expected == found["entry"].guid,
    "entries[0]['description']": same_words,
    "entries[0]['summary']": same_words,
    "entries[0].summary": same_words,
    "entries[0]['content'][0]['value']": same_words,
}
CHECKS: dict[str, Any] = {
    "entries": lambda expected, found: expected == found["entries"],
    "feed_title": lambda expected, found: same_text(expected, found["feed_title"]),
    "first_title": lambda expected, found: same_text(expected, found["first_title"]),
    "first_id": same_name,
    "first_published": same_instant,
    "first_duration": lambda expected, found: not found["entry"] or expected == (found["entry"].duration_seconds or 0),
    "expect": matches_feedparser_test,
    "no_date": lambda expected, found: expected == found["undated"],
}


def addresses(entry: Entry) -> Iterator[str]:
    yield from (entry.url, entry.chapters_url)
    yield from (transcript.url for transcript in entry.transcripts)
    yield from (address for person in entry.persons for address in (person.url, person.picture_url))
    if entry.picture:
        yield entry.picture.url
    if entry.enclosure:
        yield entry.enclosure.url
