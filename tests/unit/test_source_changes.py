"""After the send: what changed or vanished at its source is said once, with the difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.jobs.monitoring.notifier import Notifier
from pipeline.jobs.monitoring.source_changes import KEEP_REVISIONS, describe_changes, recently_sent, source_changes_task
from pipeline.model.alert import Alert
from pipeline.model.entry import Enclosure, Entry, EntryRevision
from pipeline.model.schedule import parse_schedule
from tests.factories import MONDAY, entry, episode
from tests.publication import W07, W08, PublicationHarness, shared_theme

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HOURLY = parse_schedule("every hour")
BODY = "<p>Leave the dough for three hours, then fold it.</p>"
BREAD = entry("Bread", MONDAY + DAY, body_html=BODY)
SOUP = entry("Soup", MONDAY + 2 * DAY, body_html="<p>Boil it.</p>")
OLD = entry("Old piece", MONDAY - 30 * DAY)


class Sent:
    """An edition that is out, with Bread and Soup in it, and the task that looks after it."""

    def __init__(self, house: PublicationHarness) -> None:
        self.house = house
        self.told: list[Alert] = []
        house.set_time(MONDAY - DAY).fetch(OLD)
        house.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD, OLD)
        house.set_time_after_closing(W07).publish(W07)

    def fetch(self, *document: Entry, after: timedelta = HOUR) -> list[Alert]:
        """Read the feed later, and look; gives what was told."""
        self.house.set_time(self.house.now + after)
        self.house.fetch(*document)
        return self.look()

    def look(self) -> list[Alert]:
        before = len(self.told)
        notifier = Notifier(alerts=self.house.store.alerts, channels={"mail": self._tell})
        self.line = source_changes_task(HOURLY, self.house.store, notifier, UTC).run("", self.house.now)
        return self.told[before:]

    def _tell(self, notice: Alert) -> str:
        self.told.append(notice)
        return ""


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Sent]:
    house = PublicationHarness(tmp_path, shared_theme())
    yield Sent(house)
    house.store.close()


def test_while_nothing_changes_nothing_is_said(sent: Sent) -> None:
    """The same document, a new entry, an old one that drops off the end."""
    assert sent.fetch(SOUP, BREAD, OLD) == []
    assert sent.fetch(entry("Cake", MONDAY + 8 * DAY), SOUP, BREAD) == []
    assert sent.line == ""


def test_a_changed_text_is_said_with_the_words(sent: Sent) -> None:
    """Which edition, when it was sent, what it was and is, and what an editor can do; once."""
    edited = replace(BREAD, body_html=BODY.replace("three", "four"))
    (told,) = sent.fetch(SOUP, edited, OLD)
    assert told.subject == "“Bread” was changed after it was sent"
    assert told.text.split("\n\n") == [
        "No. 1 (2026-W07), sent on Monday 16 February, 06:00, tells this story of the feed blog. Since then it was "
        "changed where it comes from:",
        "    text: “Leave the dough for three hours, then fold it.” is now "
        "“Leave the dough for four hours, then fold it.”",
        "What was sent stays as it is. If it is a small correction, there is nothing to do. If readers were told "
        "something wrong, say so in the next newsletter: in the introduction, with `pipeline preview 2026-W08` or in "
        "editions/2026-W08.md.",
    ]
    assert sent.line == "one change at the source of what was sent"
    assert sent.fetch(SOUP, edited, OLD) == []


def test_each_further_change_is_said_too(sent: Sent) -> None:
    """With all that differs from what was sent; taken back, the notice is closed and nothing is said."""
    assert len(sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)) == 1
    (told,) = sent.fetch(SOUP, replace(BREAD, title="Wheat bread"), OLD)
    assert "    title: “Bread” is now “Wheat bread”" in told.text.split("\n\n")
    assert sent.fetch(SOUP, BREAD, OLD) == []
    assert sent.house.store.alerts.list_open() == []


def test_what_a_reader_would_not_notice_is_not_said(sent: Sent) -> None:
    """Blanks, markup, categories, another spelling of the address."""
    same: dict[str, Any] = {
        "body_html": "<div>Leave the dough  for\n<b>three</b>\u00a0hours, then fold it.</div>",
        "categories": ("Baking",),
        "url": "https://www.blog.example/bread/?utm_source=rss",
    }
    assert sent.fetch(SOUP, replace(BREAD, **same), OLD) == []


def test_a_story_that_was_taken_out_is_said(sent: Sent) -> None:
    """Older ones are still there, so it did not scroll off; with the address to look at. Back again, it is over."""
    (told,) = sent.fetch(SOUP, OLD)
    assert told.subject == "“Bread” was taken out after it was sent"
    assert f"    {BREAD.url}" in told.text.split("\n\n")
    assert sent.fetch(SOUP, OLD) == []
    assert sent.fetch(SOUP, BREAD, OLD) == []
    assert sent.house.store.alerts.list_open() == []


def test_what_scrolls_off_the_end_has_not_vanished(sent: Sent) -> None:
    """A feed that holds the newest two drops the older ones, ours among them."""
    assert sent.fetch(entry("Cake", MONDAY + 8 * DAY), entry("Pie", MONDAY + 7 * DAY)) == []


def test_a_feed_that_turned_into_another_takes_nothing_back(sent: Sent) -> None:
    """Everything is another's: that is the feed's trouble, not each story's."""
    others = [entry(f"Other {n}", MONDAY - n * DAY, guid=f"other-{n}") for n in range(5)]
    assert sent.fetch(*others) == []


def test_what_was_deleted_here_says_nothing(sent: Sent) -> None:
    """Whoever deleted it knows."""
    ids = {each.guid: each.entry_id for each in sent.house.store.entries.identities("blog")}
    sent.fetch(SOUP, OLD)
    sent.told.clear()
    sent.house.store.entries.delete([ids[BREAD.guid]], now=sent.house.now)
    assert sent.look() == []


def test_a_week_after_the_send_nobody_looks_any_more(sent: Sent) -> None:
    """Whatever changes then, and what was told is over."""
    assert len(sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)) == 1
    assert sent.fetch(SOUP, replace(BREAD, title="Wheat bread"), OLD, after=8 * DAY) == []
    assert sent.house.store.alerts.list_open() == []


def test_a_change_between_approval_and_send_is_said_as_well(tmp_path: Path) -> None:
    """What readers get is what was sealed."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD, OLD)
    house.set_time_after_closing(W08, hours=1).fetch(SOUP, BREAD, OLD, entry("Cake", MONDAY + 9 * DAY))
    house.digest(W08)
    house.approve(W08)
    house.set_time(house.now + HOUR).fetch(SOUP, BREAD, OLD, entry("Cheesecake", MONDAY + 9 * DAY, guid="blog:cake"))
    house.send(W08)
    told: list[Alert] = []
    notifier = Notifier(alerts=house.store.alerts, channels={"mail": lambda notice: told.append(notice) or ""})
    source_changes_task(HOURLY, house.store, notifier, UTC).run("", house.now)
    assert [each.subject for each in told] == ["“Cheesecake” was changed after it was sent"]
    house.store.close()


def test_an_edition_that_waits_is_not_looked_after(tmp_path: Path) -> None:
    """Approved and not sent: the desk says what has changed, and it can still be mended."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.set_time(MONDAY + 3 * DAY).fetch(SOUP, BREAD)
    house.set_time_after_closing(W07).digest(W07)
    house.approve(W07)
    house.fetch(SOUP, replace(BREAD, title="Rye bread"))
    notifier = Notifier(alerts=house.store.alerts)
    assert source_changes_task(HOURLY, house.store, notifier, UTC).run("", house.now) == ""
    house.store.close()


def test_what_was_said_of_a_mailing_is_over_when_it_is_out(sent: Sent) -> None:
    """Sent or skipped, nobody need approve it any more; of other weeks it stays."""
    notices = sent.house.store.alerts
    for week in ("2026-W07", "2026-W08"):
        notices.add(
            Alert(key=f"send/{week}/unapproved", subject=f"{week} waits", text="", raised_at=sent.house.now), []
        )
    sent.look()
    assert [each.key for each in notices.list_open()] == ["send/2026-W08/unapproved"]
    sent.house.skip(W08)
    sent.look()
    assert notices.list_open() == []


def test_former_wordings_are_forgotten_in_time(sent: Sent) -> None:
    """A body kept for comparing is not kept for ever."""
    sent.fetch(SOUP, replace(BREAD, title="Rye bread"), OLD)
    (edition,) = recently_sent(sent.house.store, sent.house.now)
    assert [each.title for each in sent.house.store.entry_revisions.get(edition.fingerprints).values()] == ["Bread"]
    sent.house.set_time(sent.house.now + KEEP_REVISIONS + DAY)
    sent.look()
    assert sent.house.store.entry_revisions.get(edition.fingerprints) == {}


def test_every_kind_of_difference_is_named() -> None:
    """Title, link, audio, and a few places of the text; the rest is counted."""
    words = [f"w{n}" for n in range(200)]
    edited = [word if number % 20 else f"{word}!" for number, word in enumerate(words)]
    audio = "https://a.example/1.mp3"
    old = EntryRevision(title="Bread", url="https://a.example/x", enclosure_url=audio, body_html=" ".join(words))
    new = EntryRevision(title="Rye", url="https://a.example/y", body_html=" ".join(edited))
    found = describe_changes(old, new)
    assert found[:3] == [
        "title: “Bread” is now “Rye”",
        "link: https://a.example/x is now https://a.example/y",
        "audio: https://a.example/1.mp3 is now none",
    ]
    assert found[3] == "text: “w0 w1 w2 w3 w4 …” is now “w0! w1 w2 w3 w4 …”"
    assert found[-1] == "text: 6 places more"


def test_the_same_file_behind_another_counter_is_the_same() -> None:
    """Measuring prefixes and tokens of audio addresses come and go."""
    plain = episode(enclosure=Enclosure(url="https://audio.example/1.mp3"))
    old = EntryRevision(title="Talk", enclosure_url=plain.enclosure.url if plain.enclosure else "")
    assert describe_changes(old, replace(old, enclosure_url="https://audio.example/1.mp3?token=abc")) == []
