"""Rules about entries and feeds at their edges: every field, every default, and the limits of numbers and times."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from pipeline.ingest import full_text, polling
from pipeline.ingest.body import NO_BODY, Body, entry_body, extract_body
from pipeline.ingest.cadence import MAX_GAPS, Cadence, estimate_cadence, expected_on, is_late, publishing_days
from pipeline.ingest.dedupe import decide, fingerprint
from pipeline.ingest.full_text import needs_full_text, with_full_text
from pipeline.ingest.identity import enclosure_key, enclosure_type, match_entries, page_key
from pipeline.ingest.normalise import MAX_CATEGORIES, normalise
from pipeline.ingest.pictures import choose_picture, fittest
from pipeline.model.entry import (
    Enclosure,
    Entry,
    EntryIdentity,
    ParsedFeed,
    Person,
    Picture,
    RawEntry,
    Soundbite,
    Transcript,
)
from pipeline.model.errors import ExpensiveDocumentError
from pipeline.model.feed import Channel, Feed, FeedState
from pipeline.model.fetch import FetchOutcome
from tests.rows import shortened

NOW = datetime(2026, 2, 9, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
URL = "https://h.example/feed"
BLOG, SHOW = (Feed(id="f", url=URL, kind=kind) for kind in ("blog", "podcast"))
RAW = RawEntry(
    guid=" g\n1 ",
    link="/1?utm_source=x",
    title="Podcast – Ada Marsh – Salt &amp;amp; fat",
    content_html="<p>Salt came <a href='b'>by sea</a>.</p>",
    summary_html="How a harbour waits.",
    subtitle="What the tide brings.",
    published_at=NOW - DAY,
    updated_at=NOW - HOUR,
    author="ada@h.example (Ada Marsh)",
    categories=("Salt", " salt  b ", "Salt", ""),
    enclosures=(Enclosure(url="/1.png", media_type="image/png"), Enclosure(url="/1.mp3", length_bytes=5)),
    picture_url="/1.jpg",
    duration="1:00",
    season="S02",
    episode="Episode 7",
    episode_type="bonus",
    explicit=False,
    transcripts=(Transcript(url="/1.vtt", media_type="t" * 101, language="l" * 36), Transcript(url="javascript:x")),
    chapters_url="/1.json",
    persons=(
        Person(name="Bo", role="guest", url="/bo", picture_url="/bo.jpg"),
        Person(name="", role="guest"),
        Person(name="n" * 201, role="r" * 51),
        Person(name="Cy", role=" "),
    ),
    soundbites=(Soundbite(start_seconds=1, duration_seconds=2, title="s" * 201),),
    unreadable_date="soon",
    raw_hash="h",
)
ENTRY = Entry(
    feed_id="f",
    guid="g 1",
    url="https://h.example/1",
    title="Salt & fat",
    published_at=NOW - DAY,
    updated_at=NOW - HOUR,
    label="Podcast",
    author="Ada Marsh",
    guest="Ada Marsh",
    body_html='<p>Salt came <a href="https://h.example/b">by sea</a>.</p>',
    excerpt_text="How a harbour waits.",
    summaries=("How a harbour waits.", "What the tide brings."),
    categories=("Salt", "salt b"),
    language="en",
    picture=Picture(url="https://h.example/1.jpg"),
    enclosure=Enclosure(url="https://h.example/1.mp3", media_type="audio/mpeg", length_bytes=5),
    duration_seconds=60,
    season=2,
    episode=7,
    episode_type="bonus",
    explicit=False,
    transcripts=(Transcript(url="https://h.example/1.vtt", media_type="t" * 100, language="l" * 35),),
    chapters_url="https://h.example/1.json",
    persons=(
        Person(name="Bo", role="guest", url="https://h.example/bo", picture_url="https://h.example/bo.jpg"),
        Person(name="n" * 200, role="r" * 50),
        Person(name="Cy"),
    ),
    soundbites=(Soundbite(start_seconds=1, duration_seconds=2, title="s" * 200),),
    raw_hash="h",
)


def read(*raw: RawEntry, feed: Feed = BLOG, version: str = "rss20", home: str = "") -> tuple[Entry, ...]:
    """Return the entries of a document with these raw entries."""
    parsed = ParsedFeed(version=version, channel=Channel(language="en", url=home), entries=raw)
    return normalise(parsed, feed, url=URL, now=NOW)


@pytest.mark.parametrize(
    ("raw", "entry"),
    [
        ({}, {}),
        ({"title": "Salt"}, {"title": "Salt", "label": "", "guest": "Bo"}),
        ({"title": "Salt", "persons": ()}, {"title": "Salt", "label": "", "guest": "", "persons": ()}),
        (
            {"title": "Salt (with Ida Brandt)", "persons": ()},
            {"title": "Salt", "label": "", "guest": "Ida Brandt", "persons": ()},
        ),
        ({"title": ""}, {"title": "How a harbour waits.", "label": "", "guest": "Bo"}),
        ({"title": "Salt &lt;b&gt;", "title_type": "text"}, {"title": "Salt &lt;b&gt;", "label": "", "guest": "Bo"}),
        ({"title": "Salt <b>a</b>", "title_type": "html"}, {"title": "Salt a", "label": "", "guest": "Bo"}),
        ({"guid": "g" * 512}, {"guid": "g" * 512}),
        ({"guid": "g" * 513},
         {"guid": f"sha256:{sha256(b'g' * 513).hexdigest()}"}),
        ({"guid": ""}, {"guid": "h.example/1"}),
        ({"link": ""}, {"url": ""}),
        ({"base_url": "https://b.example/c/", "link": "d", "chapters_url": "", "transcripts": (), "persons": (),
          "picture_url": "", "enclosures": ()},
         {"url": "https://b.example/c/d", "chapters_url": "", "transcripts": (), "persons": (), "picture": None,
          "enclosure": None, "body_html": '<p>Salt came <a href="https://b.example/c/b">by sea</a>.</p>'}),
        ({"content_base_url": "https://b.example/c/"},
         {"body_html": '<p>Salt came <a href="https://b.example/c/b">by sea</a>.</p>'}),
        ({"published_at": None}, {"published_at": NOW - HOUR, "dated_by": "updated"}),
        ({"published_at": None, "updated_at": None},
         {"published_at": NOW, "updated_at": None, "dated_by": "first_seen", "unusable_date": "soon"}),
        ({"published_at": datetime(1990, 1, 1, tzinfo=UTC)}, {"published_at": datetime(1990, 1, 1, tzinfo=UTC)}),
        ({"published_at": datetime(1989, 12, 31, tzinfo=UTC), "updated_at": None},
         {"published_at": NOW, "updated_at": None, "dated_by": "first_seen", "unusable_date": "1989-12-31"}),
        ({"published_at": NOW + DAY}, {"published_at": NOW + DAY}),
        ({"published_at": NOW + DAY + HOUR}, {"published_at": NOW - HOUR, "dated_by": "updated", "raw_hash": ""}),
        ({"updated_at": NOW + DAY + HOUR}, {"updated_at": None, "raw_hash": ""}),
        ({"author": ""}, {"author": ""}),
        ({"categories": tuple(f"{n}" for n in range(MAX_CATEGORIES + 1))},
         {"categories": tuple(f"{n}" for n in range(MAX_CATEGORIES))}),
        ({"categories": ("c" * 101,)}, {"categories": ("c" * 100,)}),
        ({"duration": ""}, {"duration_seconds": None}),
        ({"season": "", "episode": "0"}, {"season": None, "episode": None}),
        ({"season": "123456", "episode": "7th"}, {"season": None, "episode": 7}),
        ({"episode_type": "trailer"}, {"episode_type": "trailer"}),
        ({"episode_type": "other"}, {"episode_type": "full"}),
        ({"explicit": True}, {"explicit": True}),
        ({"subtitle": "How a harbour waits."}, {"summaries": ("How a harbour waits.",)}),
        ({"transcripts": (Transcript(url="/1"),) * 21}, {"transcripts": (Transcript(url="https://h.example/1"),) * 20}),
        ({"picture_url": ""}, {"picture": Picture(url="https://h.example/1.png")}),
    ],
)  # fmt: skip
def test_an_entry(raw: dict[str, Any], entry: dict[str, Any]) -> None:
    """Each field of it, cleaned and shortened, and what takes its place where it is absent."""
    (found,) = read(replace(RAW, **raw))
    assert found == replace(ENTRY, **entry)


@pytest.mark.parametrize(
    ("feed", "raw", "is_post"),
    [
        (BLOG, {}, False),
        (SHOW, {}, False),
        (BLOG, {"title": "Salt"}, True),
        (SHOW, {"title": "Salt"}, False),
        (BLOG, {"title": "Bonus Episode – Salt"}, False),
        (BLOG, {"title": "Guest Post – Salt"}, True),
        (BLOG, {"title": "Salt", "enclosures": ()}, False),
        *((BLOG, {"title": "Salt", name: getattr(RAW, name)}, False) for name in (
            "duration", "season", "episode", "episode_type", "chapters_url", "transcripts", "soundbites")),
    ],
)  # fmt: skip
def test_a_post_with_a_file(feed: Feed, raw: dict[str, Any], is_post: bool) -> None:
    """In a blog, unless it says that it is an episode."""
    plain = RawEntry(guid="1", title=RAW.title, enclosures=RAW.enclosures)
    assert read(replace(plain, **raw), feed=feed)[0].is_post is is_post


@pytest.mark.parametrize(
    ("kind", "url", "media_type", "expected"),
    [
        ("blog", "/1.mp3", "", "audio/mpeg"),
        ("blog", "/1.M4A?x=.png", "text/html", "audio/mp4"),
        ("blog", "/1", "Audio/OGG; codecs=x", "audio/ogg"),
        ("blog", "/1", "video/x", "video/x"),
        ("blog", "/1", "", None),
        ("podcast", "/1", "", "audio/mpeg"),
        ("podcast", "/1", "binary/octet-stream", "audio/mpeg"),
        ("podcast", "/1.pdf", "", None),
        ("podcast", "/1", "text/html", None),
        ("podcast", "javascript:x", "audio/mpeg", None),
        *(("blog", f"/1.{ending}", "", media_type) for ending, media_type in [
            ("aac", "audio/aac"), ("ogg", "audio/ogg"), ("oga", "audio/ogg"), ("opus", "audio/ogg"),
            ("wav", "audio/wav"), ("flac", "audio/flac"), ("mp4", "video/mp4"), ("m4v", "video/mp4"),
            ("mov", "video/quicktime"), ("webm", "video/webm")]),
    ],
)  # fmt: skip
def test_the_type_of_a_file(kind: Any, url: str, media_type: str, expected: str | None) -> None:
    """Its own, that of its ending, or sound in a podcast."""
    raw = RawEntry(guid="1", title="Salt", enclosures=(Enclosure(url=url, media_type=media_type),))
    (entry,) = read(raw, feed=replace(BLOG, kind=kind))
    assert (entry.enclosure and entry.enclosure.media_type) == expected


@pytest.mark.parametrize(("length", "guests"), [(95, f"{'a' * 100} and {'b' * 95}"), (96, "a" * 100)])
def test_as_many_guests_as_fit(length: int, guests: str) -> None:
    """In 200 characters."""
    names = ("a" * 100, "b" * length)
    raw = RawEntry(guid="1", title="Salt", persons=tuple(Person(name=name, role="guest") for name in names))
    assert read(raw)[0].guest == guests


def test_sound_comes_before_films() -> None:
    """The first of each kind counts."""
    files = [Enclosure(url=f"/{name}") for name in ("1.mp4", "2.mp4", "3.mp3", "4.mp3")]
    for count, url in ((2, "1.mp4"), (4, "3.mp3")):
        (entry,) = read(RawEntry(guid="1", title="Salt", enclosures=tuple(files[:count])))
        assert entry.enclosure
        assert entry.enclosure.url == f"https://h.example/{url}"


@pytest.mark.parametrize(
    ("raw", "guids"),
    [
        ([{"link": "/a"}, {"link": "/b"}], ["h.example/a", "h.example/b"]),
        ([{"guid": "g", "link": "/a"}, {"guid": "g", "link": "/b"}], ["g", "g|https://h.example/b"]),
        ([{"guid": "g", "link": "/a"}, {"guid": "g", "link": "/a"}], ["g"]),
        ([{"guid": "g", "link": "/a", "enclosures": (Enclosure(url="/1.mp3"),)},
          {"guid": "g", "link": "/a", "enclosures": (Enclosure(url="/2.mp3"),)}], ["g", "g|h.example/2.mp3"]),
        ([{"guid": "g", "link": "/a"}, {"guid": "g", "link": "/b"}, {"guid": "g", "link": "/b"}],
         ["g", "g|https://h.example/b"]),
        ([{"guid": "g"}, {"guid": "h"}], []),
        ([{"link": "https://feedpress.me/link/1/2", "guid": "https://h.example/p"}], ["https://h.example/p"]),
    ],
)  # fmt: skip
def test_guids(raw: list[dict[str, Any]], guids: list[str]) -> None:
    """Of entries without one, and of entries that share one; entries with nothing to show are none."""
    assert [entry.guid for entry in read(*(RawEntry(**each) for each in raw))] == guids


@pytest.mark.parametrize(
    "changes",
    [{"title": "Fat"}, {"published_at": NOW}, {"enclosures": (Enclosure(url="/1.mp3"),)}, {"summary_html": "Acid"}],
)
def test_guids_of_entries_with_the_link_of_the_site(changes: dict[str, Any]) -> None:
    """They are hashes of what is known of them."""
    first = RawEntry(link="/", title="Salt", summary_html="Rope")
    one, other, again = (
        read(raw, home="https://h.example/")[0].guid for raw in (first, replace(first, **changes), first)
    )
    assert one.startswith("sha256:")
    assert one == again != other


@pytest.mark.parametrize(("version", "is_cut"), [("rss20", False), ("atom10", True), ("json11", True)])
def test_a_summary_alone(version: str, is_cut: bool) -> None:
    """In Atom and JSON Feed it is an excerpt."""
    assert read(RawEntry(guid="1", title="Salt", summary_html="Rope."), version=version)[0].is_cut is is_cut


STATE = FeedState(feed_id="f", url=URL)


def after(state: FeedState = STATE, kind: Any = "ok", now: datetime = NOW, **more: Any) -> FeedState:
    """Return the state after an outcome; ``interval`` and the like are arguments of ``next_state``."""
    own = {name: more.pop(name) for name in ("channel", "has_news", "same_feed", "interval") if name in more}
    return polling.next_state(state, FetchOutcome(key="f", url=URL, kind=kind, **more), now=now, **own)


@pytest.mark.parametrize(
    ("due", "retry", "gone", "is_due", "can_fetch", "can_force"),
    [
        (None, None, None, True, True, True),
        (NOW, None, None, True, True, True),
        (NOW + HOUR, None, None, False, True, True),
        (NOW + 8 * DAY, None, None, False, True, True),
        (NOW + 8 * DAY + HOUR, None, None, True, True, True),
        (None, NOW, None, True, True, True),
        (None, NOW + HOUR, None, False, False, False),
        (None, NOW + 8 * DAY, None, True, True, True),
        (None, NOW + 8 * DAY - HOUR, None, False, False, False),
        (None, None, NOW, False, False, True),
    ],
)
def test_when_a_feed_is_fetched(
    due: datetime | None, retry: datetime | None, gone: datetime | None, is_due: bool, can_fetch: bool, can_force: bool
) -> None:
    """On schedule, on request and by force; times more than eight days ahead are those of a wrong clock."""
    state = replace(STATE, due_at=due, retry_at=retry, gone_at=gone)
    found = polling.is_due(state, NOW), polling.can_fetch(state, NOW), polling.can_force(state, NOW)
    assert found == (is_due, can_fetch, can_force)


def test_why_a_feed_is_not_fetched() -> None:
    """Gone, refused by its host, or not due."""
    explained = [
        polling.explain_wait(replace(STATE, **changes))
        for changes in (
            {"gone_at": NOW, "due_at": NOW}, {"retry_at": NOW, "outcome": "rate_limited"},
            {"retry_at": NOW, "due_at": NOW + HOUR}, {},
        )
    ]  # fmt: skip
    assert explained == [
        "gone since 2026-02-09 and no longer fetched: remove it from config.toml or enter its new address",
        "its host accepts no requests until 2026-02-09 12:00 UTC",
        "not due before 2026-02-09 13:00 UTC",
        "due now",
    ]


def test_a_request() -> None:
    """It has the validators of the last document, unless another parser read it or it is a week old."""
    state = replace(
        STATE, etag="e", last_modified="m", body_sha256="b", document_at=NOW, current_url="https://n.example/",
        channel=Channel(head_hash=after().channel.head_hash),
    )  # fmt: skip
    fields = ("key", "url", "etag", "last_modified", "body_sha256", "headers")
    for now, changes, expected in (
        (NOW, {}, ("f", "https://n.example/", "e", "m", "b", (("A", "1"),))),
        (NOW + 7 * DAY - HOUR, {}, ("f", "https://n.example/", "e", "m", "b", (("A", "1"),))),
        (NOW + 7 * DAY, {"current_url": ""}, ("f", URL, "", "", "b", (("A", "1"),))),
        (NOW, {"document_at": None}, ("f", "https://n.example/", "", "", "b", (("A", "1"),))),
        (NOW, {"channel": Channel()}, ("f", "https://n.example/", "", "", "", (("A", "1"),))),
    ):
        request = polling.build_request(replace(state, **changes), now, headers=(("A", "1"),))
        assert tuple(getattr(request, name) for name in fields) == expected
    assert polling.build_request(STATE, NOW).headers == ()


def test_hints_of_a_move() -> None:
    """An address that differs by more than its spelling."""
    for hint, expected in (("", ""), ("http://www.h.example/feed/", ""), ("https://n.example/", "https://n.example/")):
        assert polling.moved_hint(Channel(new_feed_url=hint), URL) == expected


def test_a_success() -> None:
    """Everything that a document leaves in the state."""
    before = replace(STATE, failures=3, failing_since=NOW - DAY, gone_at=NOW - DAY, new_content_at=NOW - DAY)
    facts = {"etag": "e", "last_modified": "m", "body_sha256": "b", "detail": "fine"}
    state = after(before, "ok", channel=Channel(title="H"), **facts)
    assert (state.failures, state.failing_since, state.gone_at) == (0, None, None)
    assert (state.read_at, state.checked_at, state.document_at, state.new_content_at, state.first_read_at) == (NOW,) * 5
    assert {name: getattr(state, name) for name in facts} == facts
    assert (state.outcome, state.channel.title) == ("ok", "H")
    later = after(state, "not_modified", NOW + HOUR)
    assert (later.document_at, later.new_content_at, later.read_at, later.channel) == (
        NOW,
        NOW,
        NOW + HOUR,
        state.channel,
    )
    same = after(state, "ok", NOW + HOUR, has_news=False)
    assert (same.document_at, same.new_content_at) == (NOW + HOUR, NOW)


def test_a_refusal_of_the_host() -> None:
    """Until the time that it names, else for an interval."""
    until = NOW + 2 * HOUR
    state = after(STATE, "rate_limited", retry_at=until, retry_host="h.example", interval=HOUR)
    assert (state.retry_at, state.retry_host, state.failing_since, state.failures) == (until, "h.example", NOW, 0)
    assert state.due_at
    assert until <= state.due_at <= until + HOUR / 10
    again = after(state, "rate_limited", NOW + HOUR, interval=HOUR)
    assert (again.retry_at, again.failing_since) == (NOW + 2 * HOUR, NOW)


@pytest.mark.parametrize(("failures", "hours"), [(0, 1), (1, 2), (4, 16), (5, 24), (30, 24)])
def test_a_failure(failures: int, hours: int) -> None:
    """The wait doubles up to a day, less the share of the feed."""
    state = after(replace(STATE, failures=failures), "timeout", interval=HOUR)
    assert (state.failures, state.failing_since) == (failures + 1, NOW)
    assert state.due_at
    assert 0.9 * hours * HOUR <= state.due_at - NOW <= hours * HOUR
    slow = after(replace(STATE, failures=failures), "timeout", interval=3 * DAY)
    assert slow.due_at
    assert 2.7 * DAY <= slow.due_at - NOW <= 3 * DAY


@pytest.mark.parametrize(
    ("silent_hours", "asked", "hours"),
    [
        (0, {}, 0.5),
        (12, {}, 0.5),
        (48, {}, 2),
        (24 * 24, {}, 24),
        (24 * 48, {}, 24),
        (0, {"max_age_seconds": 7200}, 2),
        (0, {"max_age_seconds": 86_400 * 2}, 24),
        (0, {"channel": Channel(ttl_minutes=90)}, 1.5),
        (0, {"channel": Channel(ttl_minutes=90), "max_age_seconds": 7200}, 2),
        (0, {"channel": Channel(ttl_minutes=90), "max_age_seconds": 60}, 1.5),
    ],
)
def test_the_wait_after_a_success(silent_hours: float, asked: dict[str, Any], hours: float) -> None:
    """A part of the silence, or what the publisher asks for, up to a day."""
    before = replace(STATE, new_content_at=NOW - silent_hours * HOUR, first_read_at=NOW)
    state = after(before, "ok", has_news=False, **asked)
    assert state.due_at
    assert 0.9 * hours * HOUR <= state.due_at - NOW <= hours * HOUR


def test_hours_and_days_that_are_skipped() -> None:
    """The wait ends at the beginning of the next hour that is allowed."""
    monday, noon = Channel(skip_days=("Monday ",)), Channel(skip_hours=(12, 13))
    for channel, due in ((monday, datetime(2026, 2, 10, tzinfo=UTC)), (noon, datetime(2026, 2, 9, 14, tzinfo=UTC))):
        assert after(channel=channel).due_at == due
        assert not polling.is_due(replace(STATE, channel=channel), NOW)
        assert not polling.is_due(replace(STATE, channel=channel), due - timedelta(seconds=1))
        assert polling.is_due(replace(STATE, channel=channel), due)


def days(*gaps: int) -> list[date]:
    """Return days with these gaps between them, from a Tuesday on."""
    found = [date(2026, 1, 6)]
    for gap in gaps:
        found.append(found[-1] + gap * DAY)
    return found


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((), (0, None, 0, False)),
        ((3,), (3, None, 0, False)),
        ((1, 2, 3, 9), (2, None, 0, False)),
        ((7,) * 5, (7, None, 0, False)),
        ((7,) * 6, (7, 1, 0, True)),
        ((14,) * 6, (14, 1, 0, True)),
        ((21,) * 6, (21, None, 0, True)),
        ((1,) * 10, (1, None, 0, True)),
        ((1, 1, 1, 1, 3) * 4, (1, None, 3, True)),
        ((7, 7, 8, 6, 7, 7, 8, 6), (7, 1, 2, True)),
        ((30, 31, 30, 31, 28, 31, 30), (30, None, 1, True)),
        ((1, 9, 2, 30, 4, 60, 1), (4, None, 4, False)),
        ((99, *(7,) * MAX_GAPS), (7, 2, 0, True)),
        ((5, 9) * 5, (5, None, 5, True)),
    ],
)
def test_the_cadence_of_gaps(gaps: tuple[int, ...], expected: tuple[Any, ...]) -> None:
    """Interval, weekday, slack and confidence."""
    found = estimate_cadence(days(*gaps))
    assert (found.interval_days, found.weekday, found.slack_days, found.confident) == expected


@pytest.mark.parametrize(
    ("weekday", "last", "expected"), [(None, 6, 13), (1, 6, 13), (1, 8, 13), (1, 5, 13), (1, 9, 13), (1, 10, 20)]
)
def test_the_next_day_of_a_feed(weekday: int | None, last: int, expected: int) -> None:
    """A week after the weekday that is nearest to the last one; it is late after its slack."""
    cadence = Cadence(interval_days=7, weekday=weekday, slack_days=2, confident=True)
    due = date(2026, 1, expected)
    assert expected_on(cadence, date(2026, 1, last)) == due
    assert [is_late(cadence, date(2026, 1, last), due + more * DAY) for more in (0, 2, 3)] == [False, False, True]
    assert not is_late(replace(cadence, confident=False), date(2026, 1, last), due + 9 * DAY)


def test_days_of_publication() -> None:
    """Those of the zone, each once, in order."""
    assert publishing_days([NOW + DAY, NOW, NOW + HOUR], UTC) == [date(2026, 2, 9), date(2026, 2, 10)]
    assert publishing_days([NOW], ZoneInfo("Pacific/Auckland")) == [date(2026, 2, 10)]


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://h.example/2"}, {"title": "x"}, {"label": "x"}, {"author": "x"}, {"guest": "x"},
        {"body_html": "x"}, {"excerpt_text": "x"}, {"categories": ("x",)}, {"picture": None}, {"enclosure": None},
        {"enclosure": Enclosure(url="https://h.example/1.mp3", media_type="x")}, {"duration_seconds": None},
        {"season": 9}, {"episode": 9}, {"episode_type": "x"}, {"explicit": None}, {"transcripts": ()},
        {"chapters_url": "x"}, {"persons": ()}, {"summaries": ("x",)}, {"body_html": ENTRY.body_html + "9 views"},
    ],
)  # fmt: skip
def test_what_a_fingerprint_depends_on(changes: dict[str, Any]) -> None:
    """Everything that is shown of an entry; a number of views is no content, but a text that names one is."""
    same = changes == {"body_html": ENTRY.body_html + "9 views"}
    assert (fingerprint(replace(ENTRY, **changes)) == fingerprint(ENTRY)) is same


@pytest.mark.parametrize(
    "changes",
    [
        {"guid": "x"}, {"published_at": NOW}, {"updated_at": None}, {"url": "http://www.h.example/1/"},
        {"categories": ("salt b", "Salt")}, {"duration_seconds": 61}, {"language": "x"}, {"raw_hash": "x"},
        {"enclosure": Enclosure(url="https://op3.dev/e/h.example/1.mp3?x", media_type="audio/mpeg", length_bytes=9)},
        {"picture": Picture(url="https://h.example/1.jpg", alt="x", width=9)}, {"soundbites": ()},
        {"summaries": (ENTRY.excerpt_text, *ENTRY.summaries)},
    ],
)  # fmt: skip
def test_what_a_fingerprint_does_not_depend_on(changes: dict[str, Any]) -> None:
    """Dates, spellings, orders, and what advertising changes."""
    assert fingerprint(replace(ENTRY, **changes)) == fingerprint(ENTRY)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("12 comments", ""), ("1 like", ""), ("1,234 views", ""), ("1.2K shares", ""), ("3m plays", ""),
        ("1 response", "1 response"), ("2 responses", ""), ("2 replies", ""), ("9 downloads", ""),
        ("comments", "comments"), ("12 viewers", "12 viewers"), ("two views", "two views"), ("a12 views", "a12 views"),
    ],
)  # fmt: skip
def test_counters_are_no_content(text: str, counted: str) -> None:
    """A number and what it counts, in any form."""
    found, expected = (fingerprint(replace(ENTRY, body_html=f"x {each}.")) for each in (text, counted))
    assert found == expected


def stored(entry: Entry = ENTRY, entry_id: int = 1, **changes: Any) -> EntryIdentity:
    """Return an entry as the store remembers it."""
    names = ("guid", "title", "published_at", "dated_by", "duration_seconds", "raw_hash")
    facts = {name: getattr(entry, name) for name in names} | {
        "entry_id": entry_id, "url_key": page_key(entry), "enclosure_key": enclosure_key(entry), "vanished": False,
        "media_type": enclosure_type(entry), "fingerprint": fingerprint(entry),
    }  # fmt: skip
    return EntryIdentity(**facts | changes)


LATER = {"published_at": NOW}
OTHER_FILE = {"enclosure": Enclosure(url="https://o.example/9.mp3", media_type="audio/mpeg")}


@pytest.mark.parametrize(
    ("entry", "identity", "matches"),
    [
        ({}, {}, True),
        ({"guid": "x"}, {}, True),  # by its page
        ({"guid": "x", "url": "https://o.example/"}, {}, True),  # by its file
        ({"guid": "x", "url": "", **OTHER_FILE}, {}, True),  # by its title and day
        ({"guid": "x", "url": "", "title": "y", **OTHER_FILE}, {}, False),
        ({"guid": "x", "url": "", **OTHER_FILE, **LATER}, {}, False),
        ({"guid": "x", "url": "", "dated_by": "first_seen", **OTHER_FILE}, {}, False),
        ({"guid": "x", "url": "", "enclosure": None}, {}, False),
        ({"guid": "x", "url": "", "enclosure": Enclosure(url="https://o.example/9", media_type="x")}, {}, False),
        ({"guid": "x", "url": "", "duration_seconds": 660, **OTHER_FILE}, {}, True),
        ({"guid": "x", "url": "", "duration_seconds": 661, **OTHER_FILE}, {}, False),
        ({"guid": "x", "url": "", "duration_seconds": None, **OTHER_FILE}, {}, True),
        (
            {"guid": "x", "url": "https://o.example/1", "published_at": NOW - DAY / 2, **OTHER_FILE},
            {},
            True,
        ),  # by its title and path
        ({"guid": "x", "url": "https://o.example/2", **OTHER_FILE, **LATER}, {}, False),
        ({"guid": "x", "url": "https://o.example/1", "title": "y", **OTHER_FILE, **LATER}, {}, False),
        (
            {"guid": "http://h.example/g/"},
            {"guid": "https://www.h.example/g", "url_key": "", "enclosure_key": ""},
            True,
        ),
        ({"guid": "h.example/g", "title": "y"}, {"guid": "h.example/g/", "url_key": "", "enclosure_key": ""}, False),
        ({"guid": "x", "title": "y", "published_at": NOW - 2 * DAY}, {}, True),
        ({"guid": "x", "title": "y", "published_at": NOW - 2 * DAY - HOUR}, {}, False),
        ({"guid": "x", "published_at": NOW - 9 * DAY}, {}, True),
        ({"guid": "x", "title": "y", "published_at": NOW - 9 * DAY, "dated_by": "first_seen"}, {}, True),
        ({"guid": "x", "title": "y", "published_at": NOW - 9 * DAY}, {"dated_by": "first_seen"}, True),
        ({"guid": "x", "title": "y", "published_at": NOW - DAY * 3 / 2, **OTHER_FILE}, {}, True),
        ({"guid": "x", "title": "y", "published_at": NOW - DAY * 3 / 2 - HOUR, **OTHER_FILE}, {}, False),
    ],
)
def test_which_entry_is_a_stored_one(entry: dict[str, Any], identity: dict[str, Any], matches: bool) -> None:
    """By its guid, page, file, or title; not if its date and its content say otherwise."""
    seen, known = replace(ENTRY, **entry), stored(**identity)
    assert match_entries([seen], [known]) == ({seen.guid: known} if matches else {})


def test_what_is_not_repaired() -> None:
    """Titles do not count in a document that was cut off, and a key that two entries have counts for none."""
    renamed = replace(ENTRY, guid="x", url="", **OTHER_FILE)
    assert match_entries([renamed], [stored()], complete=False) == {}
    twins = [replace(ENTRY, guid=guid, title=guid) for guid in ("x", "y")]
    assert match_entries(twins, [stored()]) == {}
    assert match_entries(twins[:1], [stored(), stored(entry_id=2, guid="z", title="z")]) == {}


@pytest.mark.parametrize(
    ("entry", "identity", "kind", "published_at"),
    [
        ({}, {}, "same", NOW - DAY),
        ({"title": "x"}, {}, "changed", NOW - DAY),
        ({"title": "x"}, {"deleted": True}, "same", NOW - DAY),
        ({"guid": "x"}, {}, "repaired", NOW - DAY),
        ({"guid": "x"}, {"deleted": True}, "same", NOW - DAY),
        ({"guid": "x", "published_at": NOW - HOUR}, {}, "repaired", NOW - DAY),
        ({"guid": "x", "published_at": NOW - 2 * DAY}, {}, "repaired", NOW - 2 * DAY),
        ({"published_at": NOW}, {}, "same", NOW),
        ({"published_at": NOW - 2 * DAY}, {}, "changed", NOW - 2 * DAY),
        ({"published_at": NOW - 2 * DAY, "dated_by": "updated"}, {}, "same", NOW - DAY),
        ({}, {"dated_by": "first_seen"}, "changed", NOW - DAY),
    ],
)
def test_kinds_of_changes(entry: dict[str, Any], identity: dict[str, Any], kind: str, published_at: datetime) -> None:
    """New, changed, repaired or the same, and the date that counts."""
    (change,) = decide([replace(ENTRY, **entry)], [stored(**identity)]).entries
    assert (change.kind, change.entry.published_at, change.entry_id) == (kind, published_at, 1)


def test_what_left_a_document() -> None:
    """It vanished; if it was newer than the last entry, it was withdrawn. Of part of a document nothing is known."""
    entries = [replace(ENTRY, guid=f"{n}", url=f"https://h.example/n{n}", title=f"t{n}", enclosure=None,
                       published_at=NOW - n * DAY) for n in range(4)]  # fmt: skip
    known = [stored(entry, number) for number, entry in enumerate(entries)]
    found = decide([entries[0], entries[2]], known)
    assert (found.vanished, found.withdrawn, found.reappeared, found.untouched) == ((1, 3), (1,), (), 0)
    assert decide(known[:1], known).untouched == 1
    partly = decide([entries[0], replace(entries[2], title="half")], known, complete=False)
    assert ([change.kind for change in partly.entries], partly.vanished) == (["same", "same"], ())
    gone = [known[0]._replace(vanished=True), known[1]._replace(vanished=True), known[2]._replace(deleted=True)]
    back = decide(entries[:1], gone)
    assert (back.reappeared, back.vanished, back.withdrawn) == ((0,), (), ())


@pytest.mark.parametrize(
    ("known", "new", "day", "quarantined"),
    [(3, 3, -9, True), (2, 3, -9, False), (3, 2, -9, False), (3, 3, 1, True), (4, 3, 40, False)],
)
def test_documents_that_turn_new_at_once(known: int, new: int, day: int, quarantined: bool) -> None:
    """Entries that are older than the stored ones, or came much faster, are no news."""
    blank = replace(ENTRY, enclosure=None, picture=None)
    old = [replace(blank, guid=f"o{n}", url=f"https://h.example/o{n}", title=f"o{n}",
                   published_at=NOW - 90 * DAY + n * 9 * DAY) for n in range(known)]  # fmt: skip
    step = 9 * DAY if day == 40 else HOUR
    fresh = [replace(blank, guid=f"n{n}", url=f"https://h.example/n{n}", title=f"n{n}", body_html=f"{n}",
                     published_at=old[-1].published_at + day * DAY + n * step) for n in range(new)]  # fmt: skip
    reason = decide(fresh, [stored(entry, number) for number, entry in enumerate(old)]).quarantine_reason
    assert reason == (
        f"{new} of {new} entries turned new at once although {known} were known; "
        "check whether the feed moved or was imported anew"
        if quarantined
        else ""
    )


@pytest.mark.parametrize(
    ("raw", "body", "expected"),
    [
        ({}, "", None),
        ({"picture_url": "/a.jpg"}, '<img src="https://h.example/b.jpg" width="900">',
         Picture(url="https://h.example/a.jpg")),
        ({"pictures": (Picture(url="/a.jpg", width=300), Picture(url="/b.jpg", width=600, height=9, alt=" B "))}, "",
         Picture(url="https://h.example/b.jpg", width=600, height=9, alt="B")),
        ({"enclosures": (Enclosure(url="/a.jpg", media_type=" IMAGE/jpeg"),)}, "", Picture(url="https://h.example/a.jpg")),
        ({"enclosures": (Enclosure(url="/a.jpg"), Enclosure(url="/b", media_type="audio/x"))}, "",
         Picture(url="https://h.example/a.jpg")),
        ({"enclosures": (Enclosure(url="/a.jpg", media_type="text/html"),)}, "", None),
        ({"pictures": (Picture(url="/a-300x200.jpg"),)}, "",
         Picture(url="https://h.example/a-300x200.jpg", width=300, height=200)),
        ({"picture_url": "/a.svg"}, '<img src="https://h.example/b.jpg" title="T" alt="">',
         Picture(url="https://h.example/b.jpg", alt="T")),
        ({"picture_url": "/icons/a.png"}, "", None),
        ({"pictures": (Picture(url="/a-300x200.jpg", alt="A"), Picture(url="/a.jpg?x", width=900))}, "",
         Picture(url="https://h.example/a.jpg?x", width=900, alt="A")),
        ({"pictures": (Picture(url="/a.jpg"),)}, '<img src="https://h.example/a.jpg" width="640" height="480" alt="A">',
         Picture(url="https://h.example/a.jpg", width=640, height=480, alt="A")),
        ({"pictures": (Picture(url="javascript:x"),)}, "", None),
    ],
)  # fmt: skip
def test_the_picture_of_an_entry(raw: dict[str, Any], body: str, expected: Picture | None) -> None:
    """Its own, else the fittest; alt text and size come from wherever the same file has them."""
    assert choose_picture(RawEntry(**raw), "https://h.example/", body) == expected


def test_pictures_that_are_excluded() -> None:
    """The next one counts; an alt text is cut at forty words only if it is long."""
    one, two = Picture(url="1.jpg", width=900), Picture(url="2.jpg", width=300, alt="a " * 60)
    assert fittest([one, two]) == one
    assert fittest([one, two], own_url="2.jpg") == replace(two, alt=("a " * 60).strip())
    assert fittest([one, two], excluded={"1.jpg", "3.jpg"}) == replace(two, alt=("a " * 60).strip())
    assert fittest([one], excluded={"1.jpg"}) is fittest([]) is None
    long = fittest([replace(two, alt="b " * 90)])
    assert long
    assert long.alt == ("b " * 40).strip() + "…"


NEW, OTHER = "https://n.example/feed", "https://o.example/feed"


@pytest.mark.parametrize(
    ("before", "more", "expected"),
    [
        (("", None, 0), {"moved_to": NEW}, ("", NEW, NOW, 1)),
        (("", None, 0), {"moved_to": NEW, "same_feed": True}, ("", NEW, NOW, 1)),
        (("", None, 0), {"moved_to": NEW, "same_feed": False}, ("", NEW, None, 0)),
        ((NEW, NOW - HOUR, 1), {"moved_to": NEW}, ("", NEW, NOW - HOUR, 2)),
        ((NEW, NOW - HOUR, 2), {"moved_to": NEW}, ("", NEW, NOW - HOUR, 3)),
        ((NEW, NOW - DAY, 1), {"moved_to": NEW}, ("", NEW, NOW - DAY, 2)),
        ((NEW, NOW - DAY, 2), {"moved_to": NEW}, (NEW, "", None, 0)),
        ((NEW, NOW - DAY + HOUR, 2), {"moved_to": NEW}, ("", NEW, NOW - DAY + HOUR, 3)),
        ((NEW, None, 0), {"moved_to": NEW}, ("", NEW, None, 0)),
        ((NEW, None, 0), {"moved_to": NEW, "same_feed": True}, ("", NEW, NOW, 1)),
        ((NEW, NOW - DAY, 2), {"moved_to": NEW, "same_feed": False}, ("", NEW, None, 0)),
        ((NEW, NOW - DAY, 2), {"moved_to": OTHER}, ("", OTHER, NOW, 1)),
        ((NEW, NOW - DAY, 2), {"moved_to": ""}, ("", "", None, 0)),
    ],
)
def test_sightings_of_a_move(
    before: tuple[str, datetime | None, int], more: dict[str, Any], expected: tuple[str, str, datetime | None, int]
) -> None:
    """Three over a day are enough, but none of another feed."""
    target, first_at, count = before
    state = after(replace(STATE, moved_to=target, moved_first_at=first_at, moved_count=count), **more)
    assert (state.current_url, state.moved_to, state.moved_first_at, state.moved_count) == expected


@pytest.mark.parametrize(
    ("kind", "failures", "adopted", "expected"),
    [
        ("timeout", 0, True, (1, NEW, None, False)),
        ("timeout", 1, True, (2, NEW, None, False)),
        ("timeout", 2, True, (3, "", None, True)),
        ("gone", 0, True, (1, "", None, True)),
        ("gone", 0, False, (1, "", NOW, False)),
        ("timeout", 9, False, (10, "", None, False)),
    ],
)
def test_failures_of_an_adopted_address(
    kind: str, failures: int, adopted: bool, expected: tuple[int, str, datetime | None, bool]
) -> None:
    """It is given up before the configured one, which is asked an interval later."""
    before = replace(STATE, failures=failures, current_url=NEW if adopted else "", failing_since=NOW + HOUR)
    state = after(before, kind, interval=HOUR)
    assert (state.failures, state.current_url, state.gone_at, state.due_at == NOW + HOUR) == expected
    assert state.failing_since == NOW
    assert (state.due_at is None) is (state.gone_at is not None)


def test_hosts_that_refuse() -> None:
    """The latest time of each counts; a time without a host, or without a time, is none."""
    states = [replace(STATE, retry_at=at, retry_host=host) for at, host in (
        (NOW + HOUR, "a.example"), (NOW + 2 * HOUR, "a.example"), (NOW, "b.example"), (NOW + HOUR, ""),
        (None, "c.example"))]  # fmt: skip
    assert polling.blocked_hosts(states, NOW) == {"a.example": NOW + 2 * HOUR}


def test_a_stored_entry_is_matched_once() -> None:
    """By the first rule that finds it, and an entry that has one gets no other."""
    moved = replace(ENTRY, url="https://h.example/new")
    copy = replace(ENTRY, guid="x", title="y", enclosure=None)
    one, two = stored(), stored(entry_id=2, guid="z", url_key="h.example/new", enclosure_key="", title="z")
    assert match_entries([moved, copy], [one, two]) == {"g 1": one}


def test_a_base_of_a_text_below_that_of_its_entry() -> None:
    """It is relative to it."""
    raw = replace(RAW, base_url="https://b.example/c/", content_base_url="d/", link="")
    assert 'href="https://b.example/c/d/b"' in read(raw)[0].body_html
    assert 'href="https://h.example/b"' in read(replace(RAW, link=""))[0].body_html
    assert 'href="https://o.example/b"' in read(replace(RAW, link=""), home="https://o.example/x")[0].body_html


@pytest.mark.parametrize(
    ("fresh", "with_known", "quarantined"),
    [
        ({"dated_by": "first_seen"}, False, True),
        ({"dated_by": "first_seen"}, True, False),
        ({"title": "o{n}"}, False, True),
        ({"title": "o{n}"}, True, False),
        ({}, False, False),
    ],
)
def test_new_entries_that_may_be_old(fresh: dict[str, Any], with_known: bool, quarantined: bool) -> None:
    """Without a date, or with a stored title, unless the document has stored entries, too."""
    blank = replace(ENTRY, enclosure=None, picture=None)
    old = [replace(blank, guid=f"o{n}", url=f"https://h.example/o{n}", title=f"o{n}", body_html=f"o{n}",
                   published_at=NOW - 90 * DAY + n * DAY) for n in range(4)]  # fmt: skip
    new = [replace(blank, guid=f"n{n}", url=f"https://h.example/n{n}", body_html=f"{n}",
                   published_at=NOW + n * DAY, **{"title": f"n{n}"} | {
                       name: value.format(n=n) for name, value in fresh.items()}) for n in range(4)]  # fmt: skip
    document = [*new, old[0]] if with_known else new
    found = decide(document, [stored(entry, number) for number, entry in enumerate(old)])
    assert bool(found.quarantine_reason) is quarantined


WORDS = "word " * 70
BODY = Body(html="<p>Text of it.</p>", excerpt_text="Text of it.", summaries=(), is_cut=False)


@pytest.mark.parametrize(
    ("content", "summary", "expected"),
    [
        ("<p>Text of it.</p>", "", BODY),
        ("", "<p>Text of it.</p>", BODY),
        ("<p>Text of it.</p>", "S", BODY._replace(excerpt_text="S", summaries=("S",))),
        *(("<p>Text of it.</p>", cut, BODY) for cut in ("S […]", "S [...]", "S…", "S...", "S&hellip;</p>", "S&#8230;")),
        ("<p>Text of it.</p>", "Text of it.", BODY),
        ("<h2>H</h2><p>Text of it.</p><figure>x</figure>", "",
         BODY._replace(html="<h2>H</h2><p>Text of it.</p><figure>x</figure>")),
        ("<h2>Text of it.</h2>", "", BODY._replace(html="<h2>Text of it.</h2>")),
        ("<p>Text of it.</p>[gallery ids='1,2']", "[gallery ids='1']S",
         BODY._replace(excerpt_text="S", summaries=("S",))),
        ("<p>Text of it […]</p>", "", Body("<p>Text of it…</p>", "Text of it…", (), is_cut=True)),
        ("&lt;p&gt;Text of it.&lt;/p&gt;", "", BODY),
        ("Text\n\nof it.", "", Body("<p>Text</p><p>of it.</p>", "Text of it.", (), is_cut=False)),
        ("<ol><li>a</li></ol><ol><li>b</li></ol>", "", Body("<ol><li>a</li><li>b</li></ol>", "a b", (), is_cut=False)),
        ("<p>FÃ¤hre</p>", "", Body("<p>Fähre</p>", "Fähre", (), is_cut=False)),
    ],
    ids=shortened,
)  # fmt: skip
def test_the_text_of_an_entry(content: str, summary: str, expected: Body) -> None:
    """The longer text is the body; a summary that was cut, or that begins it, is none."""
    assert extract_body(content, summary, "https://h.example/") == expected


def test_a_long_body() -> None:
    """It is cut, and its excerpt is made of its first paragraphs if they are enough."""
    assert len(extract_body("<p>" + "x " * 300_000, "", "").html) < 500_010
    for more in ("<h2>H</h2><p>More.</p>", "<p>More.</p>"):
        assert extract_body(f"<p>{WORDS}</p>{more}", "", "").excerpt_text == ("word " * 60).strip() + "…"


def test_players_of_attached_files() -> None:
    """They leave no link; those of other files do."""
    html = '<p>a</p><audio src="https://h.example/1.mp3"></audio>'
    link = '<p><a href="https://h.example/1.mp3">1.mp3</a></p>'
    for attached, more in ((["https://h.example/1.mp3?x"], ""), ([], link), (["https://h.example/2.mp3"], link)):
        assert extract_body(html, "", "", attached).html == f"<p>a</p>{more}"
        files = tuple(Enclosure(url=url) for url in attached)
        assert entry_body(RawEntry(content_html=html, enclosures=files), "").html == f"<p>a</p>{more}"


@pytest.mark.parametrize(
    ("raw", "summaries"),
    [
        ({"subtitle": "Sub."}, ("Sub.",)),
        ({"subtitle": "T"}, ()),
        ({"subtitle": ""}, ()),
        ({"subtitle": "Text of it."}, ()),
        ({"subtitle": "S", "summary_html": "S"}, ("S",)),
        ({"subtitle": "S…", "summary_html": "S and more"}, ("S and more",)),
        ({"subtitle": "Other.", "summary_html": "S"}, ("S", "Other.")),
    ],
)
def test_summaries(raw: dict[str, str], summaries: tuple[str, ...]) -> None:
    """The description, then the subtitle, unless it is the title, or known, or begins the text."""
    assert entry_body(RawEntry(title="T", content_html=BODY.html, **raw), "").summaries == summaries


@pytest.mark.parametrize("name", ["content_html", "summary_html"])
def test_the_form_of_a_protected_post(name: str) -> None:
    """It is no text."""
    assert entry_body(RawEntry(**{name: 'x<FORM action="/" class="post-password-form">'}), "") is NO_BODY


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({}, True),
        ({"url": ""}, False),
        ({"enclosure": None, "is_post": False}, True),
        ({"enclosure": ENTRY.enclosure, "is_post": False}, False),
        ({"enclosure": ENTRY.enclosure, "is_post": True}, True),
        ({"needs_password": True}, False),
        ({"body_html": "w " * 356}, True),
        ({"body_html": "w " * 358}, False),
        ({"body_html": "w " * 358, "is_cut": True}, True),
    ],
)
def test_which_entries_need_their_page(changes: dict[str, Any], needed: bool) -> None:
    """Those with a page and a short text, or one that was cut; neither episodes nor protected posts."""
    assert needs_full_text(replace(ENTRY, enclosure=None, **changes) if "enclosure" not in changes
                           else replace(ENTRY, **changes)) is needed  # fmt: skip


def test_html_of_an_article() -> None:
    """Lists, emphasis, links and pictures; a headline that repeats the title is left out."""
    body = etree.fromstring(
        '<body><head rend="h1"> A  b </head><p>x <ref target="/y" z="1">y</ref><lb/><hi rend="#b">b</hi>'
        '<hi rend="#t">t</hi><hi rend="#sub">2</hi><hi rend="#sup">3</hi><hi rend="#i">i</hi>'
        '<graphic src="i.jpg" alt="A &amp; B" title="T"/></p><list rend="ol"><item>1</item></list>'
        '<list><item>2</item></list><quote>q</quote><head rend="h1">C</head><head rend="h4">D</head>'
        "<table><row><cell>z</cell></row></table><!-- c --></body>"
    )
    end = (
        '<p>x <a href="/y">y</a><br><strong>b</strong><code>t</code><sub>2</sub><sup>3</sup><em>i</em>'
        '<img src="i.jpg" alt="A &amp; B"></p><ol><li>1</li></ol><ul><li>2</li></ul><blockquote>q</blockquote>'
        "<h2>C</h2><h4>D</h4><table><tr><td>z</td></tr></table><!-- c -->"
    )
    assert full_text._html(deepcopy(body), "a B") == end
    assert full_text._html(deepcopy(body), "other") == f"<h2> A  b </h2>{end}"


def test_an_article_that_is_as_long_as_the_text() -> None:
    """It does not take its place; a longer one does, and the excerpt stays as a summary."""
    page = f"<html><body><article><p>{'Salt came by sea. ' * 40}</p></article></body></html>".encode()
    before = replace(ENTRY, enclosure=None, summaries=(), is_cut=True, body_html=f"<p>{'word ' * 160}</p>")
    assert with_full_text(before, page, content_type="text/html", url="https://h.example/1") is before
    shorter = replace(before, body_html=f"<p>{'word ' * 159}</p>")
    after = with_full_text(shorter, page, content_type="text/html", url="https://h.example/1")
    assert (after.is_cut, after.summaries, after.body_html.count("Salt")) == (False, (ENTRY.excerpt_text,), 40)
    told = with_full_text(replace(shorter, summaries=("s",)), page, content_type="text/html", url="")
    assert told.summaries == ("s",)


def test_a_page_without_an_article() -> None:
    """An entry without a text has none afterwards."""
    before = replace(ENTRY, body_html="")
    assert with_full_text(before, b"", content_type="", url="") is before


@pytest.mark.parametrize("more", [0, 1])
def test_the_most_tags_of_a_page(more: int) -> None:
    """It has 20,000 at most."""
    page = b"<" * (full_text.MAX_PAGE_TAGS + more)
    if more:
        with pytest.raises(ExpensiveDocumentError, match=r"^has more than 20,000 tags: "):
            with_full_text(ENTRY, page, content_type="", url="")
    else:
        assert with_full_text(ENTRY, page, content_type="", url="") is ENTRY
