"""Every outcome is explained in words wherever a person meets it: by ``fetch``, ``feeds check`` and ``status``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from pipeline.cli.findings import show_findings, show_status
from pipeline.cli.words import feed_line
from pipeline.ingest.poll import next_state
from pipeline.jobs.feed_signs import feed_signs
from pipeline.jobs.inspect import read
from pipeline.jobs.refresh import FeedReport
from pipeline.jobs.status import FeedStatus, Status
from pipeline.model.feed import Feed, FeedCount, FeedState
from pipeline.model.fetch import ADVICE, BLOCKED_ADVICE, SILENT, FetchOutcome, OutcomeKind

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
URL = "https://harbourandhearth.example/feed/"
FEED = Feed(id="blog", url=URL, kind="blog")
KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)
LOUD = [kind for kind in KINDS if kind not in SILENT]


def outcome(kind: OutcomeKind, **more: object) -> FetchOutcome:
    return FetchOutcome(feed_id="blog", url=URL, kind=kind, **({"detail": "did what it did"} | more))


def as_status_says(said: FetchOutcome) -> FeedStatus:
    state = next_state(FeedState(feed_id="blog", url=URL), said, now=NOW)
    return FeedStatus(feed=FEED, state=state, count=FeedCount())


@pytest.mark.parametrize("kind", KINDS)
def test_every_outcome_has_its_advice(kind: OutcomeKind) -> None:
    """What happened, and then, unless that says it all, what to do about it."""
    sentence = outcome(kind).sentence
    assert sentence == ("did what it did" if kind in SILENT else f"did what it did: {ADVICE[kind]}")


@pytest.mark.parametrize("kind", KINDS)
def test_fetch_explains_it(kind: OutcomeKind) -> None:
    """The line of a feed is the whole sentence."""
    said = outcome(kind)
    report = FeedReport(feed_id="blog", outcome=kind, sentence=said.sentence, ok=said.ok)
    assert feed_line(report, 6) == f"blog    {said.sentence}"


def test_what_is_no_feed_is_said_before_what_helps() -> None:
    """A sign has the finding and, apart from it, the remedy."""
    detail = "Give the address of a feed: this one answers with a web page"
    state = FeedState(feed_id="blog", checked_at=NOW, failures=1, outcome="not_a_feed", detail=detail)
    (sign,) = feed_signs(state, (), UTC)
    assert (sign.finding, sign.mend) == ("fails (once), answers with a web page", "give the address of a feed")


@pytest.mark.parametrize("kind", LOUD)
def test_status_explains_it(kind: OutcomeKind, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it counts as a failure or not."""
    said = outcome(kind)
    show_status(
        Status(feeds=(as_status_says(said),), weeks=(), made={}, standings={}, changes={}), ZoneInfo("Europe/London")
    )
    assert said.sentence in capsys.readouterr().out


@pytest.mark.parametrize("kind", [kind for kind in LOUD if kind != "partly_broken"])
def test_check_explains_it(kind: OutcomeKind, capsys: pytest.CaptureFixture[str]) -> None:
    """With a document to read or without one."""
    body = b"<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
    said = outcome(kind, body=body if kind == "moved" else b"")
    finding = read(said, now=NOW)
    show_findings([finding], ZoneInfo("UTC"), as_json=False)
    assert said.sentence in capsys.readouterr().out
    assert finding.outcome == kind


@pytest.mark.parametrize(
    ("status", "words"), [(401, "password"), (402, "pay"), (403, "needs a password"), (451, "law")]
)
def test_a_refusal_says_what_its_status_means(status: int, words: str) -> None:
    """401, 402, 403 and 451 are all ``blocked``, each for a reason of its own."""
    assert words in outcome("blocked", status=status).sentence
    assert set(BLOCKED_ADVICE) == {401, 402, 451}


def test_a_document_that_broke_off_is_told_by_check(capsys: pytest.CaptureFixture[str]) -> None:
    """What could be read is shown, and that there may have been more."""
    body = b"<rss version='2.0'><channel><item><guid>1</guid><title>Salt</title></item><item><ti"
    finding = read(outcome("ok", body=body, detail="answered 200 OK"), now=NOW)
    show_findings([finding], ZoneInfo("UTC"), as_json=False)
    shown = capsys.readouterr().out
    assert (finding.outcome, finding.ok, len(finding.entries)) == ("partly_broken", True, 1)
    assert "answered 200 OK, but its XML is broken: " in shown
    assert ADVICE["partly_broken"] in shown


def test_a_page_instead_of_a_feed_is_told_in_one_sentence() -> None:
    """What was found says already what to give instead."""
    finding = read(outcome("ok", body=b"<!doctype html><html></html>"), now=NOW)
    assert (finding.outcome, finding.sentence) == (
        "not_a_feed",
        "Give the address of a feed: this one answers with a web page.",
    )


def test_a_hint_that_the_feed_moved_is_passed_on() -> None:
    """By ``feeds check``, as something odd; nobody follows it without being told."""
    body = (
        b"<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel>"
        b"<itunes:new-feed-url>https://new.example/feed</itunes:new-feed-url></channel></rss>"
    )
    (hint, *_) = read(outcome("ok", body=body), now=NOW).oddities
    assert hint.startswith("it says that it moved to https://new.example/feed")
