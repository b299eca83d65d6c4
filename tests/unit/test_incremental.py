"""Incremental parsing has the same effect on the store as parsing the whole document."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.dedupe import decide
from pipeline.ingest.identity import enclosure_key, enclosure_type, page_key
from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse import PARSER_VERSION
from pipeline.ingest.parse.parser import parse_feed, parse_incrementally
from pipeline.ingest.parse.result import IncrementalResult, PreviousDocument
from pipeline.model.entry import Entry, EntryIdentity
from pipeline.model.errors import NotAFeedError
from pipeline.model.feed import Channel, Feed
from pipeline.model.update import FeedChanges

NOW = datetime(2026, 2, 16, tzinfo=UTC)
BLOG = Feed(id="blog", url="https://harbourandhearth.example/feed/", kind="blog")


def document(*items: str, head: str = "<title>Harbour &amp; Hearth</title>", built: str = "09 Feb") -> bytes:
    """Return a feed with these entries, generated on a day."""
    date = f"<lastBuildDate>Mon, {built} 2026 06:00:00 GMT</lastBuildDate>"
    return f"<rss version='2.0'><channel>{head}{date}{''.join(items)}</channel></rss>".encode()


def post(
    number: int, title: str = "", *, guid: str = "", page: str = "", date: str = "09 Feb 2026", more: str = ""
) -> str:
    """Return an entry element; its number gives guid, page and title unless they are given."""
    named = f"<guid isPermaLink='false'>{guid or number}</guid><title>{title or f'Post {number}'}</title>"
    link = f"<link>https://harbourandhearth.example/{page or number}/</link>"
    return f"<item>{named}{link}<pubDate>{date} 06:{number:02}:00 GMT</pubDate>{more}</item>"


def parse(body: bytes, hashes: Collection[str] = (), channel: Channel | None = None) -> IncrementalResult:
    """Parse the entries of a document that are not known."""
    return parse_incrementally(body, PreviousDocument(raw_hashes=hashes, channel=channel or Channel()), url=BLOG.url)


def entries_of(reading: IncrementalResult, now: datetime = NOW) -> tuple[Entry, ...]:
    """Normalise the parsed entries."""
    return normalise(reading.parsed, BLOG, url=BLOG.url, now=now)


def stored(body: bytes) -> list[EntryIdentity]:
    """Return what the store remembers after the first parse of a document."""
    changes = decide(entries_of(parse(body)), []).entries
    return [identity(number, change.entry, change.fingerprint) for number, change in enumerate(changes, 1)]


def identity(entry_id: int, entry: Entry, fingerprint: str) -> EntryIdentity:
    """Return an entry as the store remembers it."""
    facts = {name: getattr(entry, name) for name in ("guid", "title", "published_at", "dated_by", "duration_seconds")}
    return EntryIdentity(
        entry_id=entry_id,
        url_key=page_key(entry),
        enclosure_key=enclosure_key(entry),
        media_type=enclosure_type(entry),
        fingerprint=fingerprint,
        vanished=False,
        raw_hash=entry.raw_hash,
        **facts,
    )


def changes_of(body: bytes, stored_entries: Sequence[EntryIdentity], *, whole: bool) -> FeedChanges:
    """Return the changes of a document, parsed whole or incrementally."""
    reading = parse(body, () if whole else {entry.raw_hash for entry in stored_entries})
    return decide(reading.in_document_order(entries_of(reading), stored_entries), stored_entries)


def effect(changes: FeedChanges) -> object:
    """Return everything in the changes that affects the store."""
    written = [change for change in changes.entries if change.kind != "same"]
    return written, sorted(changes.vanished), sorted(changes.withdrawn), changes.reappeared, changes.quarantine_reason


numbers = st.lists(st.integers(1, 12), unique=True, max_size=9)
titles = st.sampled_from(["Bread", "Salt & fat", "Today", ""])
pages = st.sampled_from(["", "bread", "today"])
posts = st.builds(post, st.integers(1, 12), titles, guid=st.sampled_from(["", "3", "x"]), page=pages)


@given(st.lists(posts, max_size=9), st.lists(posts, max_size=9))
def test_incremental_parse_has_the_same_effect(before: list[str], now: list[str]) -> None:
    """Whatever was known and whatever the document contains, the store gets the same changes."""
    first = stored(document(*before))
    second = document(*now, *before[: len(now)], built="16 Feb")
    assert effect(changes_of(second, first, whole=False)) == effect(changes_of(second, first, whole=True))


def test_withdrawal_depends_on_the_stored_date() -> None:
    """An entry stored with its duplicate's earlier date is compared by that date, parsed or not."""
    doubled = post(2, "Salt", page="bread"), post(1, "Salt", page="bread"), post(2, "Bread")
    first = stored(document(post(1, "Bread"), *doubled))
    second = document(post(1, "Bread"), post(1, "Bread"), post(1, "Bread"), doubled[0], built="16 Feb")
    assert [item.published_at.minute for item in first] == [1, 1, 2]
    results = [changes_of(second, first, whole=whole) for whole in (False, True)]
    assert [changes.withdrawn for changes in results] == [(3,), (3,)]


@given(numbers, numbers)
def test_only_new_entries_are_parsed(before: list[int], now: list[int]) -> None:
    """Entries with guids of their own are not parsed again."""
    hashes = parse(document(*map(post, before))).hashes
    reading = parse(document(*map(post, now), built="16 Feb"), hashes)
    assert [entry.guid for entry in reading.parsed.entries] == [str(number) for number in now if number not in before]


odd = st.sampled_from(
    [
        "<description><![CDATA[<item><guid>2</guid></item>]]></description>",
        "<description><![CDATA[ an open <item> ]]></description>",
        "<description><![CDATA[ </item> ]]></description>",
        "<!-- </item><item> -->",
        "<x:entry xmlns:x='urn:x'>2</x:entry>",
        "<entry><guid>3</guid></entry>",
        "<item><guid isPermaLink='false'>4</guid></item>",
        "<description>5 &lt; 6 &nbsp; &</description>",
    ]
)
"""Not among them: a second guid that is another item's. Which of the two entries stays when one item leaves is open."""


@given(numbers, numbers, st.dictionaries(st.integers(1, 12), odd, max_size=2))
def test_markup_inside_entries(before: list[int], now: list[int], said: dict[int, str]) -> None:
    """Entry tags in CDATA, comments or other elements do not change the result."""
    first = stored(document(*(post(number, more=said.get(number, "")) for number in before)))
    second = document(*(post(number, more=said.get(number, "")) for number in now), built="16 Feb")
    assert effect(changes_of(second, first, whole=False)) == effect(changes_of(second, first, whole=True))


@given(numbers, numbers, odd.filter(lambda text: not text.startswith("<item>")))
def test_markup_between_entries(before: list[int], now: list[int], between: str) -> None:
    """Entry tags outside of entries do not change the result."""
    first = stored(document(*map(post, before), between))
    second = document(*map(post, now), between, *map(post, before[:1]), built="16 Feb")
    assert effect(changes_of(second, first, whole=False)) == effect(changes_of(second, first, whole=True))


def test_entry_in_the_text_of_an_entry() -> None:
    """An entry whose text contains an entry is parsed again when anything in it changes."""
    quoted = "<description><![CDATA[<item><guid>2</guid></item>]]></description>"
    first = parse(document(post(1, more=quoted)))
    later = parse(document(post(1, "Mended", more=quoted)), first.hashes, first.parsed.channel)
    assert [entry.title for entry in later.parsed.entries] == ["Mended"]


def test_edited_entry_is_parsed_again() -> None:
    """The hash covers everything in the element."""
    hashes = parse(document(post(1), post(2))).hashes
    assert [entry.title for entry in parse(document(post(1, "Mended"), post(2)), hashes).parsed.entries] == ["Mended"]


@pytest.mark.parametrize(
    "head", ["<title>Other</title>", "<title>Harbour &amp; Hearth</title><link>https://o.example/</link>"]
)
def test_changed_head_reparses_every_entry(head: str) -> None:
    """Language, home page and the like influence how an entry is parsed."""
    hashes = parse(document(post(1), post(2))).hashes
    assert len(parse(document(post(1), post(2), head=head), hashes).parsed.entries) == 2


def test_channel_is_reused_if_its_part_is_unchanged() -> None:
    """If only the build date changed, the stored channel is used."""
    before = parse(document(post(1)))
    later = parse(document(post(1), built="16 Feb"), before.hashes, replace(before.parsed.channel, author="remembered"))
    assert later.parsed.channel.author == "remembered"


@pytest.mark.parametrize(
    ("changes", "parsed"),
    [({}, 0), ({"url": "https://harbourandhearth.example/other/"}, 2), ({"context": "other settings"}, 2)],
)
def test_what_else_an_entry_depends_on(changes: dict[str, str], parsed: int) -> None:
    """The address of the document and the context given by the caller."""
    body, usual = document(post(1), post(2)), {"url": BLOG.url, "context": ""}
    before = parse_incrementally(body, PreviousDocument(), **usual)
    known = PreviousDocument(raw_hashes=before.hashes, channel=before.parsed.channel)
    later = parse_incrementally(body, known, **usual | changes)
    assert len(later.parsed.entries) == parsed
    assert (later.parsed.channel == before.parsed.channel) is not changes


@pytest.mark.parametrize("known", [[], [0], [1], [0, 1]])
def test_hashes(known: list[int]) -> None:
    """One of each entry: 16 digits for its guid and 32 for the rest; the channel has the hash of the head."""
    before = parse(document(post(1), post(2)))
    assert all(re.fullmatch("[0-9a-f]{48}", raw_hash) for raw_hash in before.hashes)
    assert re.fullmatch(rf"{PARSER_VERSION}\.[0-9a-f]{{32}}", before.parsed.channel.head_hash)
    assert [entry.raw_hash for entry in before.parsed.entries] == list(before.hashes)
    hashes = [before.hashes[index] for index in known]
    later = parse(document(post(1), post(2)), hashes, replace(before.parsed.channel, omitted_entries=3))
    assert (later.hashes, later.known_hashes) == (before.hashes, frozenset(hashes))
    assert [entry.raw_hash for entry in later.parsed.entries] == [each for each in before.hashes if each not in hashes]
    assert (later.parsed.version, later.parsed.channel) == ("rss", before.parsed.channel)


def test_a_moved_entry_keeps_its_hash() -> None:
    """It depends neither on its neighbours nor on the text between them."""
    hashes = parse(document(post(1), "  ", post(2))).hashes
    assert parse(document(post(2), post(3), "\n", post(1)), hashes).known_hashes == frozenset(hashes)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("<pubDate>Mon</pubDate>", "<pubDate>Tue</pubDate>", True),
        ("<x:updated xmlns:x='u'>1</x:updated>", "<x:updated xmlns:x='u'>2</x:updated>", True),
        ("<modified>1</modified>", "", True),
        ("<date>1</date>", "<date>2</date>", True),
        ("<ttl>1</ttl>", "<ttl>1</ttl>\n", True),
        ("<ttl>1</ttl>", "<ttl>2</ttl>", False),
        ("<image><url>a</url></image>", "<image><url>b</url></image>", False),
        ("<a/><b/>", "<b/><a/>", False),
    ],
)
def test_what_a_head_hash_depends_on(one: str, other: str, same: bool) -> None:
    """Its elements and their order; neither its dates nor blanks between elements."""
    first, second = (parse(document(post(1), head=head)).parsed.channel.head_hash for head in (one, other))
    assert first
    assert (first == second) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("<rss version='2.0'><channel>", "<rss version='2.0'><channel>", True),
        ("<rss version='2.0'><channel>", "<rss version='2.1'><channel>", False),
        ("<rss a='1' b='2'><channel>", "<rss b='2' a='1'><channel>", True),
        ("<rss xmlns:a='u' xmlns:b='v'><channel>", "<rss xmlns:b='v' xmlns:a='u'><channel>", True),
        ("<rss xmlns:a='u'><channel>", "<rss xmlns:a='v'><channel>", False),
        ("<rss><channel c='1'>", "<rss><channel c='2'>", False),
        ("<rss><channel>", "<RSS><channel>", False),
    ],
)
def test_what_a_head_hash_of_tags_depends_on(one: str, other: str, same: bool) -> None:
    """Attributes and namespaces of what is around the entries, in any order."""
    hashes = []
    for start in (one, other):
        end = f"</channel></{start[1:4]}>"
        hashes.append(parse(f"{start}{post(1)}{end}".encode()).parsed.channel.head_hash)
    assert hashes[0]
    assert (hashes[0] == hashes[1]) is same


@pytest.mark.parametrize(
    "body",
    [
        document(f"<group><sub>{post(1)}</sub></group>"),
        document(post(1), "<x:item xmlns:x='u'/>"),
        document(post(1), "<entry/>"),
        document(post(1), "<item/>"),
    ],
    ids=["deeper", "a prefix", "another kind", "empty"],
)
def test_a_document_that_is_parsed_whole(body: bytes) -> None:
    """Its entries cannot be told apart without parsing all of it."""
    reading = parse(body)
    assert (reading.hashes, reading.known_hashes, reading.parsed.channel.head_hash) == ((), frozenset(), "")
    assert reading.parsed.entries


def test_new_entries_of_a_repaired_document() -> None:
    """Only they are parsed; the warnings are those of the whole document."""
    first, second = (document(*items, head="<title>R&D</title>") for items in ([post(1)], [post(2), post(1)]))
    before = parse(first)
    later = parse(second, before.hashes, before.parsed.channel)
    assert [entry.guid for entry in later.parsed.entries] == ["2"]
    assert later.parsed.channel.title == "R&D"
    assert later.parsed.warnings == ("The XML is broken: EntityRef: expecting ';'.",)
    assert parse(second, later.hashes, later.parsed.channel).parsed.warnings == later.parsed.warnings


@pytest.mark.parametrize("count", [3, 4])
def test_entries_with_one_guid_among_others(count: int) -> None:
    """An entry that takes the guid of a known one is parsed together with it; the others stay known."""
    before = parse(document(*map(post, range(1, count))))
    later = parse(document(post(9, guid="1"), *map(post, range(1, count))), before.hashes, before.parsed.channel)
    assert [entry.title for entry in later.parsed.entries] == ["Post 9", "Post 1"]
    assert later.known_hashes == frozenset(before.hashes[1:])
    assert later.hashes[1:] == before.hashes


def test_entries_in_document_order() -> None:
    """Those that were parsed and those that were skipped, each at its place; what has no place comes first."""
    before, entries = stored(document(post(1), post(2))), [post(3), post(1), post(4), post(2)]
    reading = parse(document(*entries), [entry.raw_hash for entry in before])
    new = list(entries_of(reading))
    unknown = replace(new[0], guid="5", raw_hash="")
    ordered = reading.in_document_order(
        [new[1], unknown, new[0]], [*reversed(before), before[0]._replace(raw_hash="x")]
    )
    assert [entry.guid for entry in ordered] == ["5", "3", "1", "4", "2"]
    whole = replace(reading, known_hashes=frozenset())
    assert whole.in_document_order(new[::-1], before) == new[::-1]


def test_changed_channel_is_parsed_without_new_entries() -> None:
    """The channel follows the document, as in a whole parse."""
    before = parse(document(post(1)))
    later = parse(document(post(1), head="<title>New name</title>"), before.hashes, before.parsed.channel)
    assert later.parsed.channel.title == "New name"


def test_entries_with_one_guid_are_parsed_together() -> None:
    """The guid of one of them depends on the other."""
    both = document(post(1, guid="same"), post(2, guid="same"))
    assert len(parse(both, parse(both).hashes).parsed.entries) == 2


def test_missing_guid_reparses_everything() -> None:
    """The guid of such an entry depends on the links of all others."""
    body = document(post(1), "<item><title>Nameless</title></item>")
    assert parse(body).hashes == ()
    assert len(parse(body, {"anything"}).parsed.entries) == 2


def test_entry_dated_ahead_is_parsed_until_its_day() -> None:
    """Its date cannot be used yet, so its hash is not stored."""
    ahead = parse(document(post(1, date="09 Mar 2026"), post(2)))
    assert [bool(entry.raw_hash) for entry in entries_of(ahead)] == [False, True]
    assert [bool(entry.raw_hash) for entry in entries_of(ahead, datetime(2026, 3, 9, 12, tzinfo=UTC))] == [True, True]


def some_of(order: Sequence[str]) -> list[set[str]]:
    """Return subsets of hashes: every other, all but the first, all but the last two."""
    return [set(order[::2]), set(order[1:]), set(order[:-2])]


@pytest.mark.slow
@pytest.mark.corpus
def test_incremental_parse_of_the_corpus(corpus: Path) -> None:
    """Every well-formed feed gives the same entries for several subsets of known ones."""
    tried = 0
    for file in sorted(each for each in corpus.rglob("*") if each.is_file() and each.suffix != ".tsv"):
        body = file.read_bytes()
        try:
            whole = parse(body)
        except NotAFeedError:
            continue
        entries = {entry.raw_hash: entry for entry in entries_of(whole)}
        plain = normalise(parse_feed(body, url=BLOG.url), BLOG, url=BLOG.url, now=NOW)
        assert [replace(entry, raw_hash="") for entry in entries_of(whole)] == list(plain), file.name
        for hashes in some_of(whole.hashes):
            reading = parse(body, hashes)
            wanted = {mark: entry for mark, entry in entries.items() if mark not in reading.known_hashes and mark}
            assert {entry.raw_hash: entry for entry in entries_of(reading) if entry.raw_hash} == wanted, file.name
            tried += len(reading.known_hashes)
    assert tried > 4_000, "the corpus holds fewer items than it did"
