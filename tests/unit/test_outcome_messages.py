"""Every outcome of a fetch is explained wherever it is shown: by `fetch`, `feeds check` and `status`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from pipeline.cli.feeds import print_probes
from pipeline.cli.output import feed_line
from pipeline.cli.status import print_status
from pipeline.ingest.polling import next_state
from pipeline.jobs.feeds.probe import probe_outcome
from pipeline.jobs.feeds.refresh import FeedReport
from pipeline.jobs.monitoring.feed_health import fetch_result
from pipeline.jobs.monitoring.status import FeedStatus, Status
from pipeline.model.feed import Feed, FeedState, FeedStats
from pipeline.model.fetch import (
    ADVICE,
    BLOCKED_ADVICE,
    LASTING_ADVICE,
    NO_ADVICE,
    PROBE_ADVICE,
    FetchOutcome,
    OutcomeKind,
)

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
URL = "https://harbourandhearth.example/feed/"
FEED = Feed(id="blog", url=URL, kind="blog")
KINDS: tuple[OutcomeKind, ...] = get_args(OutcomeKind)
LOUD = [kind for kind in KINDS if kind not in NO_ADVICE]


def outcome(kind: OutcomeKind, **more: object) -> FetchOutcome:
    return FetchOutcome(key="blog", url=URL, kind=kind, **({"detail": "did what it did"} | more))


def feed_status(fetched: FetchOutcome) -> FeedStatus:
    state = next_state(FeedState(feed_id="blog", url=URL), fetched, now=NOW)
    return FeedStatus(feed=FEED, state=state, count=FeedStats())


@pytest.mark.parametrize("kind", KINDS)
def test_every_outcome_has_advice(kind: OutcomeKind) -> None:
    """A message says what happened and, unless that is enough, what to do."""
    sentence = outcome(kind).message
    assert sentence.startswith("did what it did" if kind in NO_ADVICE else f"did what it did: {ADVICE[kind]}")
    assert LASTING_ADVICE.get(kind, "") in sentence


@pytest.mark.parametrize("kind", KINDS)
def test_fetch_shows_the_message(kind: OutcomeKind) -> None:
    """The line of a feed contains the whole message."""
    fetched = outcome(kind)
    report = FeedReport(feed_id="blog", outcome=kind, message=fetched.message, ok=fetched.ok)
    assert feed_line(report, 6) == f"blog    {fetched.message}"


def test_health_results_separate_message_and_fix() -> None:
    """The message says what the address returns, the fix what to do."""
    unread = FeedState(feed_id="blog", url=URL)
    result = fetch_result(next_state(unread, outcome("not_a_feed", detail="returns a web page"), now=NOW), UTC)
    assert result.message == "fails since Mon 9 Feb 2026 12:00 (once), returns a web page"
    assert result.fix == ADVICE["not_a_feed"]


@pytest.mark.parametrize("kind", LOUD)
def test_status_shows_the_message(kind: OutcomeKind, capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown whether the outcome counts as a failure or not."""
    fetched = outcome(kind)
    print_status(
        Status(feeds=(feed_status(fetched),), weeks=(), drafted_at={}, records={}, changes={}),
        ZoneInfo("Europe/London"),
    )
    assert fetched.message in capsys.readouterr().out


@pytest.mark.parametrize("kind", [kind for kind in LOUD if kind != "partial"])
def test_check_shows_the_message(kind: OutcomeKind, capsys: pytest.CaptureFixture[str]) -> None:
    """With a document or without one, and with advice for a feed that nothing fetches again."""
    body = b"<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
    fetched = outcome(kind, body=body if kind == "moved" else b"")
    probe = probe_outcome(fetched, now=NOW)
    print_probes([probe], ZoneInfo("UTC"), as_json=False)
    shown = capsys.readouterr().out
    assert fetched.probe_message in shown
    assert "fetched again" not in shown
    assert "stored" not in shown
    assert probe.outcome == kind


@pytest.mark.parametrize(
    ("status", "words"), [(401, "password"), (402, "pay"), (403, "needs a password"), (451, "law")]
)
def test_a_refusal_explains_its_status(status: int, words: str) -> None:
    """401, 402, 403 and 451 are all ``blocked``, with different advice."""
    assert words in outcome("blocked", status=status).message
    assert set(BLOCKED_ADVICE) == {401, 402, 451}


def test_check_reports_truncated_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """It shows the readable entries, and that there may have been more."""
    body = b"<rss version='2.0'><channel><item><guid>1</guid><title>Salt</title></item><item><ti"
    probe = probe_outcome(outcome("ok", body=body, detail="answered 200 OK"), now=NOW)
    print_probes([probe], ZoneInfo("UTC"), as_json=False)
    shown = capsys.readouterr().out
    assert (probe.outcome, probe.ok, len(probe.entries)) == ("partial", True, 1)
    assert "answered 200 OK, but its XML is broken: " in shown
    assert PROBE_ADVICE["partial"] in shown


def test_check_explains_web_pages() -> None:
    """One sentence says what was found and what URL to give instead."""
    probe = probe_outcome(outcome("ok", body=b"<!doctype html><html></html>"), now=NOW)
    assert (probe.outcome, probe.message) == (
        "not_a_feed",
        "returns a web page: enter the address of the feed itself.",
    )


def test_check_reports_a_hint_that_the_feed_moved() -> None:
    """It is a warning of `feeds check`; the hint is not followed automatically."""
    body = (
        b"<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'><channel>"
        b"<itunes:new-feed-url>https://new.example/feed</itunes:new-feed-url></channel></rss>"
    )
    (hint, *_) = probe_outcome(outcome("ok", body=body), now=NOW).warnings
    assert hint.startswith("it says that it moved to https://new.example/feed")
