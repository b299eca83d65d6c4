"""Alerts about stories whose source changed or disappeared after they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.jobs.editions.corrections import make_correction, send_correction
from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.jobs.monitoring.source_changes import KEEP_REVISIONS, describe_changes, recently_sent, source_changes_task
from pipeline.model.alert import Alert
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import Enclosure, Entry, EntryRevision
from pipeline.model.schedule import parse_schedule
from pipeline.scheduler.engine import Done
from tests.factories import MONDAY, entry, episode
from tests.publication import W07, W08, PublicationHarness, shared_theme

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HOURLY = parse_schedule("every hour")
BODY = "<p>Leave the dough for three hours, then fold it.</p>"
BREAD = entry("Bread", MONDAY + DAY, body_html=BODY)
SOUP = entry("Soup", MONDAY + 2 * DAY, body_html="<p>Boil it.</p>")
OLD = entry("Old piece", MONDAY - 30 * DAY)


class SentPublication:
    """A publication that sent an edition with Bread and Soup, and the task that watches it."""

    def __init__(self, harness: PublicationHarness) -> None:
        self.harness = harness
        self.alerts: list[Alert] = []
        harness.set_time(MONDAY - DAY).fetch(OLD)
        harness.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD, OLD)
        harness.set_time_after_closing(W07).publish(W07)

    def fetch(self, *document: Entry, after: timedelta = HOUR) -> list[Alert]:
        """Fetch the feed later, run the task, and return the alerts sent."""
        self.harness.set_time(self.harness.now + after)
        self.harness.fetch(*document)
        return self.run()

    def run(self) -> list[Alert]:
        before = len(self.alerts)
        notifier = Notifier(alerts=self.harness.store.alerts, channels={"mail": self._send})
        outcome = source_changes_task(HOURLY, self.harness.store, notifier, UTC).run("", self.harness.now)
        assert isinstance(outcome, Done)
        self.message = outcome.message
        return self.alerts[before:]

    def _send(self, alert: Alert) -> str:
        self.alerts.append(alert)
        return ""


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[SentPublication]:
    harness = PublicationHarness(tmp_path, shared_theme())
    yield SentPublication(harness)
    harness.store.close()


def test_an_unchanged_source_raises_no_alert(sent: SentPublication) -> None:
    """The same document, a new entry, or an old one that drops off the end."""
    assert sent.fetch(SOUP, BREAD, OLD) == []
    assert sent.fetch(entry("Cake", MONDAY + 8 * DAY), SOUP, BREAD) == []
    assert sent.message == ""


def test_a_changed_text_raises_an_alert_with_the_difference(sent: SentPublication) -> None:
    """It says which edition, when it was sent, what was changed and what an editor can do; it is sent once."""
    edited = replace(BREAD, body_html=BODY.replace("three", "four"))
    (alert,) = sent.fetch(SOUP, edited, OLD)
    assert alert.subject == "“Bread” was changed after it was sent"
    assert alert.text.split("\n\n") == [
        "Issue 1 (2026-W07), sent on Monday 16 February, 06:00, contains this story of the feed blog. Since then its "
        "source was changed:",
        "    text: “Leave the dough for three hours, then fold it.” is now "
        "“Leave the dough for four hours, then fold it.”",
        "The sent edition stays as it is. If the change is small, there is nothing to do. If subscribers were "
        "misinformed, send them a correction, with `pipeline correct 2026-W07 --message TEXT` or at the desk, or say "
        "so in the next edition, in editions/2026-W08.md.",
    ]
    assert sent.message == "one change at the source of sent stories"
    assert sent.fetch(SOUP, edited, OLD) == []


def test_a_sent_correction_closes_the_alert(sent: SentPublication) -> None:
    """A draft of one does not; a change after it raises another."""
    harness = sent.harness
    assert len(sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)) == 1
    make_correction(harness.workflow, W07, "It is rye bread.", now=harness.now)
    assert sent.run() == []
    assert len(harness.store.alerts.list_open()) == 1
    send_correction(harness.workflow, harness.recovery, W07, now=harness.now)
    assert sent.run() == []
    assert harness.store.alerts.list_open() == []
    (alert,) = sent.fetch(SOUP, replace(BREAD, title="Wheat bread"), OLD)
    assert "    title: “Rye bread” is now “Wheat bread”" in alert.text.split("\n\n")


def test_the_order_of_the_stories_and_the_editors_links_do_not_matter(tmp_path: Path) -> None:
    """The manifest has stories in reading order, and links that no feed has."""
    harness = PublicationHarness(tmp_path, shared_theme())
    links = (EditorLink(url="https://tides.example/", title="Tides"),)
    harness.overrides[str(W07)] = Overrides(links=links, lead=f"blog {SOUP.guid}")
    sent = SentPublication(harness)
    (alert,) = sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)
    assert "    title: “Bread” is now “Rye bread”" in alert.text.split("\n\n")
    harness.store.close()


def test_each_further_change_raises_an_alert(sent: SentPublication) -> None:
    """It shows the difference from what was sent; when the change is undone, the alert is closed."""
    assert len(sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)) == 1
    (alert,) = sent.fetch(SOUP, replace(BREAD, title="Wheat bread"), OLD)
    assert "    title: “Bread” is now “Wheat bread”" in alert.text.split("\n\n")
    assert sent.fetch(SOUP, BREAD, OLD) == []
    assert sent.harness.store.alerts.list_open() == []


def test_invisible_changes_raise_no_alert(sent: SentPublication) -> None:
    """White space, markup, categories, another spelling of the URL."""
    same: dict[str, Any] = {
        "body_html": "<div>Leave the dough  for\n<b>three</b>\u00a0hours, then fold it.</div>",
        "categories": ("Baking",),
        "url": "https://www.blog.example/bread/?utm_source=rss",
    }
    assert sent.fetch(SOUP, replace(BREAD, **same), OLD) == []


def test_a_removed_story_raises_an_alert(sent: SentPublication) -> None:
    """Older entries are still in the feed, so it did not drop off the end; when it returns, the alert is closed."""
    (alert,) = sent.fetch(SOUP, OLD)
    assert alert.subject == "“Bread” was removed after it was sent"
    assert f"    {BREAD.url}" in alert.text.split("\n\n")
    assert sent.fetch(SOUP, OLD) == []
    assert sent.fetch(SOUP, BREAD, OLD) == []
    assert sent.harness.store.alerts.list_open() == []


def test_an_entry_that_drops_off_the_end_is_not_removed(sent: SentPublication) -> None:
    """A feed of the newest two entries no longer contains older ones."""
    assert sent.fetch(entry("Cake", MONDAY + 8 * DAY), entry("Pie", MONDAY + 7 * DAY)) == []


def test_a_feed_that_became_another_removes_nothing(sent: SentPublication) -> None:
    """All entries are new: that is a problem of the feed, not of each story."""
    others = [entry(f"Other {n}", MONDAY - n * DAY, guid=f"other-{n}") for n in range(5)]
    assert sent.fetch(*others) == []


def test_a_deleted_entry_raises_no_alert(sent: SentPublication) -> None:
    """Somebody deleted it on purpose."""
    ids = {known.guid: known.entry_id for known in sent.harness.store.entries.identities("blog")}
    sent.fetch(SOUP, OLD)
    sent.alerts.clear()
    sent.harness.store.entries.delete([ids[BREAD.guid]], now=sent.harness.now)
    assert sent.run() == []


def test_an_edition_is_watched_for_a_week(sent: SentPublication) -> None:
    """Later changes raise no alert, and open alerts are closed."""
    assert len(sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)) == 1
    assert sent.fetch(SOUP, replace(BREAD, title="Wheat bread"), OLD, after=8 * DAY) == []
    assert sent.harness.store.alerts.list_open() == []


def test_a_change_between_approval_and_sending_raises_an_alert(tmp_path: Path) -> None:
    """Subscribers get what was sealed at the approval."""
    harness = PublicationHarness(tmp_path, shared_theme())
    harness.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD, OLD)
    harness.set_time_after_closing(W08, hours=1).fetch(SOUP, BREAD, OLD, entry("Cake", MONDAY + 9 * DAY))
    harness.digest(W08)
    harness.approve(W08)
    harness.set_time(harness.now + HOUR).fetch(
        SOUP, BREAD, OLD, entry("Cheesecake", MONDAY + 9 * DAY, guid="blog:cake")
    )
    harness.send(W08)
    alerts: list[Alert] = []
    notifier = Notifier(alerts=harness.store.alerts, channels={"mail": lambda alert: alerts.append(alert) or ""})
    source_changes_task(HOURLY, harness.store, notifier, UTC).run("", harness.now)
    assert [alert.subject for alert in alerts] == ["“Cheesecake” was changed after it was sent"]
    harness.store.close()


def test_an_unsent_edition_is_not_watched(tmp_path: Path) -> None:
    """The desk shows what has changed since the approval, and it can still be edited."""
    harness = PublicationHarness(tmp_path, shared_theme())
    harness.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD)
    harness.set_time_after_closing(W07).digest(W07)
    harness.approve(W07)
    harness.fetch(SOUP, replace(BREAD, title="Rye bread"))
    notifier = Notifier(alerts=harness.store.alerts)
    assert source_changes_task(HOURLY, harness.store, notifier, UTC).run("", harness.now) == Done(message="")
    harness.store.close()


def test_alerts_about_sending_are_closed_when_the_edition_is_sent_or_skipped(sent: SentPublication) -> None:
    """Those of other weeks stay open."""
    alerts = sent.harness.store.alerts
    for week in ("2026-W07", "2026-W08"):
        alerts.add(
            Alert(key=f"send/{week}/unapproved", subject=f"{week} waits", text="", raised_at=sent.harness.now), []
        )
    sent.run()
    assert [alert.key for alert in alerts.list_open()] == ["send/2026-W08/unapproved"]
    sent.harness.skip(W08)
    sent.run()
    assert alerts.list_open() == []


def test_entry_revisions_are_pruned(sent: SentPublication) -> None:
    """They are kept only as long as an edition may need them."""
    sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)
    (edition,) = recently_sent(sent.harness.store, sent.harness.now)
    assert [revision.title for revision in sent.harness.store.entry_revisions.get(edition.fingerprints).values()] == [
        "Bread"
    ]
    sent.harness.set_time(sent.harness.now + KEEP_REVISIONS + DAY)
    sent.run()
    assert sent.harness.store.entry_revisions.get(edition.fingerprints) == {}


def test_every_kind_of_difference_is_named() -> None:
    """Title, link, audio and some places of the text; further places are counted."""
    words = [f"w{n}" for n in range(200)]
    edited = [word if number % 20 else f"{word}!" for number, word in enumerate(words)]
    audio = "https://a.example/1.mp3"
    old = EntryRevision(title="Bread", url="https://a.example/x", enclosure_url=audio, body_html=" ".join(words))
    new = EntryRevision(title="Rye", url="https://a.example/y", body_html=" ".join(edited))
    lines = describe_changes(old, new)
    assert lines[:3] == [
        "title: “Bread” is now “Rye”",
        "link: https://a.example/x is now https://a.example/y",
        "audio: https://a.example/1.mp3 is now none",
    ]
    assert lines[3] == "text: “w0 w1 w2 w3 w4 …” is now “w0! w1 w2 w3 w4 …”"
    assert lines[-1] == "text: 6 places more"


def test_tracking_prefixes_and_tokens_of_audio_do_not_count() -> None:
    """They change without a change of the audio file."""
    plain = episode(enclosure=Enclosure(url="https://audio.example/1.mp3"))
    old = EntryRevision(title="Talk", enclosure_url=plain.enclosure.url if plain.enclosure else "")
    assert describe_changes(old, replace(old, enclosure_url="https://audio.example/1.mp3?token=abc")) == []
