"""A small publication for tests of editions: two feeds, a real store, a minimal theme, and the jobs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from pipeline.delivery.outbox import Outbox
from pipeline.digest.render.theme import Theme, load_theme
from pipeline.ingest.dedupe import decide
from pipeline.jobs.digests.build import WrittenDigest, write_digest
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.selection import explain_decisions
from pipeline.jobs.editions.recovery import Recovery
from pipeline.jobs.editions.send import mark_sent_elsewhere, send
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.model.digest import Decision, Publication
from pipeline.model.edition import EditionRecord, Overrides
from pipeline.model.entry import Entry, StoredEntry
from pipeline.model.feed import Feed, FeedState
from pipeline.model.update import FeedUpdate
from pipeline.model.week import Week, WeekCalendar
from pipeline.store import Store
from pipeline.text.message_headers import parse_mailbox
from tests.empty_store import empty_store
from tests.factories import MONDAY

W06, W07, W08, W09 = (Week(2026, number) for number in (6, 7, 8, 9))
FEEDS = (
    Feed(id="blog", url="https://blog.example/feed", kind="blog"),
    Feed(id="podcast", url="https://podcast.example/feed", kind="podcast"),
)
CLOCK = WeekCalendar.parse("mon 00:00", UTC)
PUBLICATION = Publication(
    name="Harbour & Hearth",
    url="https://harbourandhearth.example/",
    timezone="UTC",
    language="en-GB",
    sender="Harbour & Hearth <letter@harbourandhearth.example>",
    editor="editor@harbourandhearth.example",
    postal_address="",
)
HTML = """<html><body><p>{{ digest.number }}</p>{{ digest.introduction_html|safe }}
{% for story in [digest.lead] if story %}<h1><a href="{{ story.url }}">{{ story.title }}</a></h1>
{{ story.excerpt_html|safe }}{% endfor %}
{% for section in digest.sections %}{% for story in section.stories + section.briefs %}
<h2><a href="{{ story.url }}">{{ story.title }}</a></h2>{{ story.excerpt_html|safe }}
{% endfor %}{% endfor %}<a href="{{ digest.unsubscribe_link.url }}">{{ digest.unsubscribe_link.label
}}</a></body></html>
"""
TEXT = """{{ digest.number }} {{ digest.introduction_text }}
{% for story in [digest.lead] if story %}{{ story.title }}: {{ story.url }}
{% endfor %}{% for section in digest.sections %}{% for story in section.stories + section.briefs %}
{{ story.title }}: {{ story.url }}
{% endfor %}{% endfor %}{{ digest.unsubscribe_link.url }}
"""


def small_theme(folder: Path, html: str = HTML) -> Theme:
    """Return a theme that costs next to nothing to render."""
    (folder / "small").mkdir(parents=True, exist_ok=True)
    (folder / "small" / "digest.html.j2").write_text(html)
    (folder / "small" / "digest.txt.j2").write_text(TEXT)
    return load_theme([folder], "small")


@cache
def shared_theme() -> Theme:
    """Return that theme, compiled once for each process."""
    return small_theme(Path(temporary_folder().name))


@cache
def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder of this process, which is removed at its end."""
    return tempfile.TemporaryDirectory()


class PublicationHarness:
    """A publication with a settable clock and overrides of the editor."""

    def __init__(self, folder: Path, theme: Theme, url: str = "") -> None:
        self.folder = folder
        self.now = MONDAY
        self.store = Store.open(url or empty_store(folder))
        self.overrides: dict[str, Overrides] = {}
        self.context = DigestContext(
            publication=PUBLICATION,
            feeds=FEEDS,
            calendar=CLOCK,
            theme=theme,
            read_overrides=self._read_overrides,
            min_stories=0,
        )
        self.outbox = Outbox(folder / "outbox")

    def _read_overrides(self, week: Week, stored: Sequence[StoredEntry]) -> Overrides:
        return self.overrides.get(str(week), Overrides())

    @property
    def recovery(self) -> Recovery:
        domain = parse_mailbox(PUBLICATION.sender).domain
        return Recovery(backend=self.outbox, editions_folder=self.folder / "editions", calendar=CLOCK, domain=domain)

    @property
    def workflow(self) -> EditionWorkflow:
        return EditionWorkflow(store=self.store, context=self.context, actor="ann")

    def set_quiet_period(self, minutes: int) -> None:
        """Set ``quiet_period``."""
        self.context = replace(self.context, quiet_period=timedelta(minutes=minutes))

    def fetch(self, *document: Entry, feed: str = "blog") -> None:
        """Fetch a feed that contains these entries; those of its first fetch are archived."""
        changes = decide(document, self.store.entries.identities(feed))
        state = self.store.feeds.states().get(feed) or FeedState(feed_id=feed)
        update = FeedUpdate(
            state=replace(state, first_read_at=state.first_read_at or self.now),
            changes=changes,
            archived=state.first_read_at is None,
        )
        self.store.entries.apply([update], now=self.now)

    def set_time(self, when: datetime) -> PublicationHarness:
        """Set the clock."""
        self.now = when
        return self

    def set_time_after_closing(self, week: Week, hours: int = 6) -> PublicationHarness:
        """Set the clock to some hours after a week's closing."""
        return self.set_time(CLOCK.bounds(week)[1] + timedelta(hours=hours))

    def digest(self, week: Week) -> WrittenDigest:
        return write_digest(self.store, self.context, week, self.folder / "editions", now=self.now)

    def approve(self, week: Week, content_hash: str = "") -> EditionRecord:
        return self.workflow.approve(week, now=self.now, content_hash=content_hash)

    def hold(self, week: Week) -> EditionRecord:
        return self.workflow.hold(week, now=self.now)

    def resume(self, week: Week) -> EditionRecord:
        return self.workflow.resume(week, now=self.now)

    def skip(self, week: Week) -> EditionRecord:
        return self.workflow.skip(week, now=self.now)

    def send(self, week: Week) -> EditionRecord:
        return send(self.workflow, self.recovery, week, now=self.now)[0]

    def hand_over(self, week: Week) -> EditionRecord:
        return mark_sent_elsewhere(self.workflow, week, now=self.now)

    def publish(self, week: Week) -> EditionRecord:
        """Write, approve and send an edition."""
        self.digest(week)
        self.approve(week)
        return self.send(week)

    def decisions(self, week: Week) -> tuple[Decision, ...]:
        return explain_decisions(self.store, self.context, week, now=self.now)

    def reason(self, week: Week, title: str) -> str:
        """Return the reason of a decision, with ``in`` or ``out`` before it."""
        decision = next(decision for decision in self.decisions(week) if decision.title == title)
        return f"{'in' if decision.included else 'out'}: {decision.reason}"

    def titles(self, week: Week) -> list[str]:
        """Return the titles of a week's digest as it is built now."""
        return story_titles(self.digest(week).edition.manifest)

    def sealed_titles(self, week: Week) -> list[str]:
        sealed = self.store.editions.sealed(str(week))
        assert sealed is not None
        return story_titles(sealed.edition.manifest)


def story_titles(manifest: bytes) -> list[str]:
    """Return the titles of the stories in a manifest."""
    return [story["title"] for story in json.loads(manifest)["stories"]]
