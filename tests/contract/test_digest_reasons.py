"""The manifest of a week is the same however often its digest is written, and whatever other weeks do meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.jobs.digests.build import build_draft
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry
from pipeline.model.errors import ThinWeekError
from pipeline.model.feed import Feed
from tests.factories import MONDAY, entry, episode
from tests.publication import FEEDS, W06, W07, W08, W09, PublicationHarness, shared_theme

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LINKS = tuple(entry(f"Link {n}", MONDAY - (30 - n) * DAY, feed="links") for n in range(9))
"""All older than what a digest reads around its week, and more than two editions may have."""
OLD = entry("Before we came", MONDAY - 40 * DAY, dated_by="first_seen")
EARLIER = entry("Rope", MONDAY - 3 * DAY), episode("Rope", MONDAY - 2 * DAY)
OWN = (
    entry("Salt", MONDAY + DAY),
    entry("Tar", MONDAY + DAY, categories=("Sponsored",)),
    entry("Kiln", MONDAY + 2 * DAY),
    entry("Oars", MONDAY + 2 * DAY),
)
FRESH = entry("Fresh paint", MONDAY + 6 * DAY)
FOLLOWING = entry("Nets", MONDAY + 8 * DAY), episode("Nets", MONDAY + 9 * DAY)
COUNTERPART = episode("A quay in winter", MONDAY + 3 * DAY)
REASONS = ("stories", "included", "left_out")
Step = Callable[[PublicationHarness], object]


@pytest.fixture
def harness(tmp_path: Path, job_store_url: str) -> Iterator[PublicationHarness]:
    """Three feeds; of links there are more than an edition may have, and the clock is after the closing of W06."""
    harness = PublicationHarness(tmp_path, shared_theme(), job_store_url).set_time(MONDAY - 39 * DAY)
    links = Feed(id="links", url="https://links.example/feed", kind="links")
    harness.context = replace(harness.context, feeds=(*FEEDS, links), max_links=3)
    harness.fetch(OLD)
    harness.fetch(feed="podcast")
    harness.fetch(feed="links")
    harness.set_time(MONDAY - DAY).fetch(*LINKS, feed="links")
    harness.fetch(OLD, EARLIER[0], entry("A quay in winter", MONDAY - 4 * DAY))
    harness.fetch(EARLIER[1], feed="podcast")
    harness.set_quiet_period(60)
    yield harness.set_time_after_closing(W06)
    harness.store.close()


def fetch_blog(harness: PublicationHarness, *more: Entry) -> None:
    harness.fetch(OLD, EARLIER[0], *OWN, FOLLOWING[0], *more)


def read_week(harness: PublicationHarness) -> None:
    """Fetch what W07 and the week after have; one post appears just before the digest, which does not wait for it."""
    fetch_blog(harness.set_time(MONDAY + 7 * DAY))
    harness.fetch(EARLIER[1], COUNTERPART, FOLLOWING[1], feed="podcast")
    fetch_blog(harness.set_time(MONDAY + 7 * DAY + 5 * HOUR + HOUR / 2), FRESH)
    harness.set_time_after_closing(W07)
    harness.overrides["2026-W07"] = Overrides(leave_out=(f"blog {OWN[3].guid}",))


def fetch_late_entries(harness: PublicationHarness) -> None:
    late = entry("Late", MONDAY + DAY), entry("Kiln two", MONDAY)
    fetch_blog(harness.set_time(harness.now + HOUR), FRESH, *late)
    harness.fetch(COUNTERPART, FOLLOWING[1], episode("Salt", MONDAY + 3 * DAY), feed="podcast")


BEFORE: dict[str, Step] = {
    "nothing": lambda harness: None,
    "drafted": lambda harness: harness.digest(W06),
    "sent": lambda harness: harness.publish(W06),
    "held": lambda harness: harness.hold(W06),
    "skipped": lambda harness: harness.skip(W06),
}


@pytest.mark.parametrize("before", BEFORE)
def test_a_digest_written_again_has_the_same_manifest(harness: PublicationHarness, before: str) -> None:
    """Byte for byte, with the reasons of entries in and out; when a later edition took its number, but for that."""
    BEFORE[before](harness)
    read_week(harness)
    first = harness.digest(W07).edition.manifest
    assert harness.digest(W07).edition.manifest == first
    fetch_late_entries(harness)
    assert harness.digest(W07).edition.manifest == first
    harness.set_time_after_closing(W08).digest(W08)
    assert harness.digest(W07).edition.manifest == first
    fetch_blog(harness.set_time_after_closing(W09, -6), FRESH, entry("Later still", MONDAY + 15 * DAY))
    harness.set_time_after_closing(W09).digest(W09)
    assert harness.digest(W07).edition.manifest == first
    harness.publish(W08)
    again = json.loads(harness.digest(W07).edition.manifest)
    assert {key: again[key] for key in REASONS} == {key: json.loads(first)[key] for key in REASONS}


def test_the_reasons_are_those_of_the_first_digest(harness: PublicationHarness) -> None:
    """Also when closed: the limit of links, the quiet period, the editor, neighbours with their pairs, and archive."""
    harness.publish(W06)
    read_week(harness)
    for _ in range(2):
        manifest = json.loads(harness.digest(W07).edition.manifest)
        reasons = {(one["feed_id"], one["title"]): one["reason"] for one in manifest["left_out"]}
        assert reasons["links", "Link 8"].endswith(
            "carried over from 2026-W06; an edition has at most 3 links: it carries over to the next"
        )
        assert "too new: its story appeared or changed" in reasons["blog", "Fresh paint"]
        assert reasons["blog", "Oars"] == "left out by the editor"
        assert "belongs to 2026-W08; paired" in reasons["blog", "Nets"]
        assert "its story with “A quay in winter” was sent with Issue 1" in reasons["podcast", "A quay in winter"]
        assert "archive, not news" in reasons["blog", "Before we came"]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("moves", ["hold resume", "approve hold resume", "approve hold resume hold resume"])
def test_a_resumed_week_has_the_reasons_it_had(harness: PublicationHarness, before: str, moves: str) -> None:
    """Held as a draft or approved: what had carried over from an earlier week still has, with all it had in and out."""
    BEFORE[before](harness)
    read_week(harness)
    first = json.loads(harness.digest(W07).edition.manifest)
    for move in moves.split():
        getattr(harness, move)(W07)
    again = json.loads(build_draft(harness.store, harness.context, W07, now=harness.now).edition.manifest)
    assert {key: again[key] for key in REASONS} == {key: first[key] for key in REASONS}
    assert "carried over" in json.dumps(first["included"])


def test_furniture_that_arrives_late_changes_no_closed_week(harness: PublicationHarness) -> None:
    """A line that three entries have is furniture; those that were stored after the week closed do not count."""
    posts = [
        entry(f"Rope {n}", MONDAY + n * DAY, body_html=f"<p>Ida keeps bees.</p><p>Somebody {verb} here.</p>")
        for n, verb in enumerate(("sings", "sews", "rows", "reads"), 1)
    ]
    harness.set_time(MONDAY + 5 * DAY).fetch(*posts[:2])
    first = harness.set_time_after_closing(W07).digest(W07).edition.html
    harness.set_time(MONDAY + 8 * DAY).fetch(*posts)
    again = harness.digest(W07).edition.html
    assert (again, b"Ida keeps bees." in first) == (first, True)
    following = harness.set_time_after_closing(W08).digest(W08).edition.html
    assert (b"Somebody reads here." in following, b"Ida keeps bees." in following) == (True, False)


def test_the_editor_may_still_change_a_closed_week(harness: PublicationHarness) -> None:
    """What is in or out now has the reason for that, not the one it had before."""
    read_week(harness)
    harness.digest(W07)
    harness.overrides["2026-W07"] = Overrides(
        leave_out=(f"blog {OWN[0].guid}", f"links {LINKS[0].guid}"), put_back=(f"blog {FRESH.guid}",)
    )
    assert harness.reason(W07, "Salt") == "out: left out by the editor"
    assert harness.reason(W07, "Fresh paint") == "in: dated Sun 15 Feb 2026, put back by the editor"
    assert harness.reason(W07, "Oars") == "in: dated Wed 11 Feb 2026, in 2026-W07"
    carried_over = "out: dated Mon 12 Jan 2026, carried over when 2026-W07 was closed: goes into the next digest"
    assert harness.reason(W07, "Link 3").replace("Tue 13", "Mon 12") == carried_over


def test_a_thin_week_is_refused_again_with_the_same_words(harness: PublicationHarness) -> None:
    """Its entries carry over once; put back, one is published, and the others say where they went."""
    harness.context = replace(harness.context, skip_thin_weeks=True, min_stories=9)
    read_week(harness)
    messages = []
    for _ in range(2):
        with pytest.raises(ThinWeekError) as refused:
            harness.digest(W07)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
    harness.overrides["2026-W07"] = Overrides(put_back=(f"blog {OWN[0].guid}",))
    first = harness.digest(W07).edition.manifest
    assert "carried over when 2026-W07 was closed: goes into the next digest" in first.decode()
    assert harness.digest(W07).edition.manifest == first
