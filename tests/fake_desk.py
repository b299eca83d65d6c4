"""A desk without a publication: three weeks, an edition with a dark design, and values that tests change."""

from __future__ import annotations

import json
from atexit import register
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

from pipeline.config import format_settings, setting_mistake
from pipeline.digest.editor.apply import apply_edit
from pipeline.digest.render.person_mail import load_person_mail_templates
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.person_mail_writer import PersonMailWriter
from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.deliveries.limits import SendLimits
from pipeline.jobs.editions.workflow import CarryOver
from pipeline.jobs.editor.stories import EditableStory, StorySection, reference_of
from pipeline.jobs.monitoring.status import Status
from pipeline.jobs.ports import Mailer
from pipeline.model.check import LinkCheck
from pipeline.model.digest import BuildFailure, Decision, Edition, Story, WeekSummary
from pipeline.model.edition import EditionRecord, EditorLink, Overrides, StoryEdit
from pipeline.model.entry import Entry, Picture
from pipeline.model.errors import ConfigError, ConflictError, NothingToPublishError, RefusedError, UsageError
from pipeline.model.schedule import Clock
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.web.desk.audience.service import AudienceDesk
from pipeline.web.desk.deliveries.corrections import CorrectionDesk
from pipeline.web.desk.deliveries.service import DeliveryDesk
from pipeline.web.desk.feeds.ports import FeedRow, FetchProgress, FoundFeed, RemovedFeed
from pipeline.web.desk.links.ports import LinkRow
from pipeline.web.desk.ports import (
    Action,
    ActionOptions,
    Desk,
    EditorState,
    OverridesChange,
)
from pipeline.web.desk.settings.ports import SettingsChange, SettingsState, SettingValues
from pipeline.web.desk.updates import NewEntry, PageVersion
from tests.empty_store import empty_store
from tests.people import NOW, audience

TEMPLATES = Path(__file__).parents[1] / "templates"
LONDON = ZoneInfo("Europe/London")
IMAGE = "https://harbourandhearth.example/pictures/kettle.png"
REMOTE_IMAGE = "https://pictures.example/tide.png"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0f01f0005050102"
    "cfa02ecd0000000049454e44ae426082"
)
SENDER = "Harbour & Hearth <newsletter@harbourandhearth.example>"
SUBJECT = "A kettle on the quay, and who keeps the lights on"
PREHEADER = "Why the harbour kitchen never closes, an hour with a lighthouse keeper, and three things worth a click."

HTML = f"""<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>Harbour &amp; Hearth</title>
<style>
@media (max-width: 599px) {{ .wide {{ display: none !important }} }}
@media (prefers-color-scheme: dark) {{
  .page {{ background: #0d1b2a !important }}
  .words {{ color: #e8e6e1 !important }}
}}
</style></head>
<body style="margin:0">
<table role="presentation" class="page" width="100%" style="background:#f4f1ea"><tr><td align="center">
<table role="presentation" width="600" style="width:100%;max-width:600px"><tr>
<td class="words" id="words" style="padding:24px;color:#222222;font:17px/27px Georgia,serif">
<h1 style="font-size:30px;line-height:38px">{SUBJECT}</h1>
<p class="wide" id="wide">Only where there is room.</p>
<p><img src="{IMAGE}" width="536" height="200" alt="A copper kettle" style="max-width:100%;background:#dddddd"></p>
{
    "<p>The tide comes in twice a day and so do the people who work on it. The kitchen on the quay has not closed since"
    " anybody can remember, and the kettle is the reason.</p>" * 9
}
<p><a id="read" href="https://harbourandhearth.example/kettle">Read the whole story</a></p>
</td></tr></table></td></tr></table></body></html>
"""
TEXT = f"""{SUBJECT}
{"=" * len(SUBJECT)}

The tide comes in twice a day and so do the people who work on it. The
kitchen on the quay has not closed since anybody can remember.

Read the whole story: https://harbourandhearth.example/kettle
"""
STORIES = (
    ("The story", "A kettle on the quay", "https://harbourandhearth.example/kettle"),
    ("The episode", "Who keeps the lights on", "https://harbourandhearth.example/lights"),
    ("Useful links", "Tide tables for the whole coast", "https://tides.example/"),
    ("Useful links", "How to read a chart", "https://charts.example/"),
)


def edition(
    week: str,
    *,
    html: str = HTML,
    subject: str = SUBJECT,
    sender: str = SENDER,
    headings: str = "{}",
    titles: str = "{}",
) -> Edition:
    """Return an edition. ``headings`` and ``titles`` are format strings for those of its stories."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["Subject"] = subject
    mail["List-Id"] = "Harbour & Hearth <weekly.harbourandhearth.example>"
    mail.set_content(TEXT)
    mail.add_alternative(html, subtype="html")
    stories = [
        {"section": "posts", "heading": headings.format(heading), "title": titles.format(title), "url": url}
        for heading, title, url in STORIES
    ]
    manifest = {"stories": stories, "checks": [], "sha256": {"digest.html": sha256(html.encode()).hexdigest()}}
    return Edition(
        week=week,
        state="draft",
        number=None,
        subject=subject,
        preheader=PREHEADER,
        html=html.encode(),
        text=TEXT.encode(),
        eml=mail.as_bytes(),
        manifest=json.dumps(manifest).encode(),
        content_hash=sha256(f"{subject}{html}".encode()).hexdigest(),
    )


def summary(week: str, *, posts: int = 1, episodes: int = 1, links: int = 3, is_open: bool = False) -> WeekSummary:
    """Return the summary of a week that closes on Monday at midnight in London."""
    monday = Week.parse(week).monday
    opens_at = datetime(monday.year, monday.month, monday.day, tzinfo=LONDON)
    closes_at = opens_at + timedelta(days=7)
    return WeekSummary(
        week=week,
        opens_at=opens_at,
        closes_at=closes_at,
        posts=posts,
        episodes=episodes,
        links=links,
        is_open=is_open,
        state="open" if is_open else "draft",
    )


def decision(title: str, reason: str, *, included: bool, day: int) -> Decision:
    """Return a decision on an entry published at 9:30 UTC on a day of February."""
    published_at = datetime(2026, 2, day, 9, 30, tzinfo=UTC)
    return Decision(
        feed_id="blog", guid=title, title=title, included=included, reason=reason, published_at=published_at
    )


@dataclass
class FakeSettings:
    """``SettingsService`` whose values are in memory."""

    values: dict[str, str] = field(
        default_factory=lambda: {
            "publication.name": "Harbour & Hearth",
            "publication.sender": SENDER,
            "publication.postal_address": "1 Quay, Wells",
            "publication.tagline": "",
            "publication.logo_url": "",
            "publication.accent": "",
            "publication.fonts": "",
            "digest.theme": "classic",
            "digest.week_closes": "mon 00:00",
            "schedule.draft": "mon,thu 06:00",
            "schedule.send": "",
            "digest.approval": "required",
        }
    )
    problem: str = ""
    """Why nothing can be written."""
    public_url: str = ""
    before: dict[str, str] = field(default_factory=dict)
    """The values that the last change replaced."""

    def state(self) -> SettingsState:
        return SettingsState(
            values=dict(self.values),
            themes=("classic", "journal", "letter"),
            version=sha256(repr(self.values).encode()).hexdigest(),
            zone="Europe/London",
            problem=self.problem,
            public_url=self.public_url,
            last_change=SettingsChange(id="1", detail=", ".join(self.before)) if self.before else None,
        )

    def mistakes(self, values: SettingValues) -> SettingValues:
        found = {name: setting_mistake(*name.split(".", 1), value) for name, value in values.items()}
        return {name: message for name, message in found.items() if message}

    def save(self, values: SettingValues, version: str) -> str:
        if self.problem:
            raise ConfigError(self.problem)
        self.before = {name: self.values[name] for name in values}
        self.values.update(values)
        return f"Saved: {', '.join(values)}."

    def lines(self, values: SettingValues) -> str:
        return format_settings({tuple(name.split(".", 1)): value for name, value in values.items()})  # type: ignore[misc]  # a pair

    def undo(self, change_id: str) -> str:
        if not self.before:
            raise RefusedError("this change was undone before.")
        self.values.update(self.before)
        self.before = {}
        return "Undone."


@dataclass
class FakeLinks:
    """``LinksService`` with a link of each kind."""

    rows: tuple[LinkRow, ...] = (
        LinkRow(
            url="https://tides.example/",
            title="Tide tables for the whole coast",
            note="Every tide of the year.",
            origin="added on Tue 10 Feb 2026",
            removable=True,
        ),
        LinkRow(url="https://charts.example/", title="How to read a chart", origin="from links on Wed 11 Feb 2026"),
        LinkRow(url="https://ropes.example/", title="Ropes", week="2026-W07"),
        LinkRow(url="https://lamps.example/", title="Lamps", used_in="edition 1 (2026-W06)"),
    )
    gone: tuple[LinkRow, ...] = (LinkRow(url="https://gulls.example/", title="Gulls"),)
    desk_url: str = ""

    def all(self) -> tuple[LinkRow, ...]:
        return self.rows

    def max_links(self) -> int:
        return 7

    def public_url(self) -> str:
        return self.desk_url

    def add(self, url: str, *, title: str = "", note: str = "") -> str:
        if any(row.url == url for row in self.rows):
            raise RefusedError(f"{url} is in the list already.")
        self.rows += (LinkRow(url=url, title=title or url, note=note, removable=True),)
        return f"Added: {title or url}"

    def remove(self, url: str) -> str:
        self.gone += tuple(row for row in self.rows if row.url == url)
        self.rows = tuple(row for row in self.rows if row.url != url)
        return f"Removed: {url}"

    def removed(self) -> tuple[LinkRow, ...]:
        return self.gone

    def restore(self, url: str) -> str:
        self.rows += tuple(row for row in self.gone if row.url == url)
        self.gone = tuple(row for row in self.gone if row.url != url)
        return f"Restored: {url}"


@dataclass
class FakeDesk:
    """All services of a desk. Open pages follow when a test changes ``revision`` or calls ``change``."""

    revision: str = "1"
    editions: dict[str, Edition | BuildFailure] = field(default_factory=lambda: {"2026-W07": edition("2026-W07")})
    summaries: tuple[WeekSummary, ...] = (
        summary("2026-W08", links=0, is_open=True),
        summary("2026-W07"),
        summary("2026-W06", posts=0, episodes=0, links=0),
    )
    images: dict[str, tuple[str, bytes]] = field(default_factory=lambda: {IMAGE: ("image/png", PIXEL)})
    sealed: dict[str, Edition] = field(default_factory=dict)
    records: dict[str, EditionRecord] = field(default_factory=dict)
    file_version: str = "v1"
    overrides: Overrides = field(default_factory=Overrides)
    resumable: bool = True
    undoable: list[tuple[str, Overrides]] = field(default_factory=list)
    refusal: str = ""
    performed: list[tuple[Action, ActionOptions]] = field(default_factory=list)
    feed_rows: tuple[FeedRow, ...] = (
        FeedRow(
            id="blog",
            kind="blog",
            url="https://harbourandhearth.example/feed/",
            title="Harbour & Hearth",
            status="Works",
            last_read="Mon 16 Feb 2026 08:30",
            next_read="Mon 16 Feb 2026 09:00",
            publishes="usually weekly, on Tuesdays",
            entries=12,
            newest="Tue 10 Feb 2026",
            newest_title="A kettle on the quay",
        ),
        FeedRow(
            id="podcast",
            kind="podcast",
            url="https://table.example/",
            problems=("Answered 404: check the address.", "Holds 2 entries in quarantine: accept them."),
            healthy=False,
            quarantined=2,
        ),
    )
    removed_feeds: tuple[RemovedFeed, ...] = ()
    links: FakeLinks = field(default_factory=lambda: FakeLinks())
    found: tuple[FoundFeed, ...] = ()
    """What a search finds; without any, two feeds."""
    fetched: list[str] = field(default_factory=list)
    """The ids of feeds that were fetched by themselves; empty ones for all."""
    progress: FetchProgress = field(default_factory=FetchProgress)
    build_count: int = 0
    link_checks: dict[str, LinkCheck] = field(default_factory=dict)
    ensured_checks: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    running_checks: set[str] = field(default_factory=set)
    entries: list[NewEntry] = field(default_factory=list)
    people: AudienceContext | None = None
    """Without one, nobody has signed up."""
    sends_at: datetime | None = None
    """When every edition is sent automatically."""
    unapproved: bool = False
    """Whether editions are sent without approval."""
    publication_status: Status = field(
        default_factory=lambda: Status(
            feeds=(), weeks=(), drafted_at={}, records={}, changes={}, summary="All is well."
        )
    )
    takes_subscribers: bool = True
    """Whether people can subscribe."""
    settings: FakeSettings = field(default_factory=lambda: FakeSettings())
    delivers: bool = False
    dispatcher: Dispatcher | None = None
    limits: SendLimits = field(default_factory=lambda: SendLimits(zone=UTC))
    clock: Clock = lambda: NOW

    def services(self) -> Desk:
        """Return the desk that ``create_desk_app`` takes."""
        subscribers = AudienceDesk(
            self.open_people,
            self.open_writer,
            lambda form_id: f"<form>{form_id}</form>",
            lambda: NOW,
            actor=lambda: "eve",
        )
        deliveries = DeliveryDesk(
            open_store=lambda: self.open_people().store,
            open_dispatcher=self.open_dispatcher,
            open_limits=lambda: self.limits,
            delivers=lambda: self.delivers,
            clock=self.clock,
        )
        return Desk(
            editions=self,
            link_checks=self,
            editor=self,
            feeds=self,
            links=self.links,
            subscribers=subscribers,
            deliveries=deliveries,
            corrections=CorrectionDesk(
                open_store=lambda: self.open_people().store,
                open_dispatcher=self.open_dispatcher,
                open_mailer=self.open_mailer,
                delivers=lambda: self.delivers,
                opened=lambda: nullcontext(self.open_dispatcher()),
                clock=self.clock,
            ),
            overview=self,
            settings=self.settings,
            updates=self,
        )

    def open_dispatcher(self) -> Dispatcher:
        """Return what starts and ends the sending: the one a test gave."""
        assert self.dispatcher, "this desk sends nothing"
        return self.dispatcher

    def open_mailer(self) -> Mailer:
        """Return what sends test copies."""
        raise AssertionError("this desk sends no mail")

    def open_people(self) -> AudienceContext:
        """Return the people, with a store of its own if a test gave none."""
        if self.people is None:
            folder = mkdtemp()
            register(rmtree, folder, ignore_errors=True)
            self.people = audience(Store.open(empty_store(Path(folder))))
        return self.people

    def open_writer(self) -> PersonMailWriter:
        """Return what writes mails to these people."""
        return PersonMailWriter(self.open_people(), load_person_mail_templates([TEMPLATES], "classic"))

    def change(self, week: str, shown: Edition | BuildFailure) -> None:
        """Replace the edition of a week, as a saved template would."""
        self.editions[week] = shown
        self.revision += "+"

    # EditionsService

    def weeks(self) -> tuple[WeekSummary, ...]:
        return self.summaries

    def edition(self, week: str) -> Edition | BuildFailure:
        self.build_count += 1
        if week in self.editions:
            return self.editions[week]
        if any(week == known.week for known in self.summaries):
            raise NothingToPublishError(
                f"There is nothing to publish in {week}; the newest week with entries is 2026-W07."
            )
        raise UsageError(f"There is no week {week}.")

    def draft(self, week: str) -> Edition | BuildFailure:
        return self.edition(week)

    def approved_edition(self, week: str) -> Edition | None:
        return self.sealed.get(week)

    def sealed_subjects(self) -> dict[str, str]:
        return {week: edition.subject for week, edition in self.sealed.items()}

    def record(self, week: str) -> EditionRecord:
        return self.records.get(week) or EditionRecord(week=week)

    def unconfirmed(self) -> EditionRecord | None:
        return next((record for record in self.records.values() if record.is_unconfirmed), None)

    def carry_over(self, week: str) -> CarryOver:
        return CarryOver(stories=2, week=Week.parse(week).next())

    def may_resume(self, week: str) -> bool:
        return self.resumable

    def decisions(self, week: str) -> tuple[Decision, ...]:
        return (
            decision("A kettle on the quay", "published in this week", included=True, day=10),
            decision("Who keeps the lights on", "published in this week", included=True, day=11),
            decision("Last week’s catch", "sent in 2026-W06", included=False, day=3),
            decision("Rope, and how to trust it", "published after the week closed", included=False, day=17),
        )

    def perform(self, week: str, action: Action, options: ActionOptions) -> str:
        if self.refusal:
            raise RefusedError(self.refusal)
        self.performed.append((action, options))
        self.revision += "+"
        return f"Done: {action}."

    def local_image(self, url: str) -> tuple[str, bytes] | None:
        return self.images.get(url)

    # LinkCheckService

    def result(self, edition: Edition) -> LinkCheck | None:
        return self.link_checks.get(edition.week)

    def ensure_checked(self, week: str, overridden: Sequence[str]) -> None:
        self.ensured_checks.append((week, tuple(overridden)))

    def start(self, week: str) -> None:
        self.running_checks.add(week)
        self.revision += "+"

    def is_running(self, week: str) -> bool:
        return week in self.running_checks

    # EditorService

    def state(self, week: str) -> EditorState:
        return EditorState(version=self.file_version, overrides=self.overrides)

    def version(self, week: str) -> str:
        return self.file_version

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        overrides = change(self.overrides)
        current = self.edition(week)
        if isinstance(current, BuildFailure):
            return current
        html = current.html.decode().replace("<p class", f"<p>{overrides.introduction_md}</p><p class")
        changed = edition(week, html=html, subject=overrides.subject or current.subject)
        preheader = overrides.preheader or current.preheader
        return replace(changed, preheader=preheader, manifest=current.manifest)

    def save(self, week: str, change: OverridesChange, version: str, label: str = "") -> None:
        if version != self.file_version:
            raise ConflictError("Somebody else has changed the file: your change was not saved.")
        self.undoable.append((label, self.overrides))
        self.overrides = change(self.overrides)
        self.file_version += "+"
        self.revision += "+"

    def add_picture(self, content: bytes) -> str:
        if not content.startswith(b"picture"):
            raise RefusedError("This file is no picture.")
        return "pictures/0123456789abcdef01234567-1200x800.jpg"

    def last_change(self, week: str) -> str:
        return self.undoable[-1][0] if self.undoable else ""

    def undo(self, week: str, version: str) -> str:
        label, self.overrides = self.undoable.pop()
        self.file_version += "-"
        self.revision += "+"
        return label

    def stories(self, week: str) -> tuple[StorySection, ...]:
        included = [one for one in self.decisions(week) if one.included]
        return (StorySection(heading="From the blog", stories=tuple(map(self._story, included))),) if included else ()

    def _story(self, decision: Decision) -> EditableStory:
        entry = Entry(
            feed_id=decision.feed_id,
            guid=decision.guid,
            url=f"https://blog.example/{decision.entry_id}",
            title=decision.title,
            published_at=decision.published_at,
        )
        reference = reference_of(entry)
        picture = Picture(url=IMAGE, alt="A loaf")
        note = self.overrides.notes.get(reference, "")
        published = Story(
            kind="post",
            title=decision.title,
            url=entry.url,
            entries=(entry,),
            excerpt_md="As *published*.",
            picture=picture,
            note_md=note,
        )
        edit = self.overrides.stories.get(reference, StoryEdit())
        return EditableStory(
            published=published,
            shown=apply_edit(published, edit),
            edit=edit,
            decisions=(decision,),
            pictures=(picture, Picture(url="https://img.example/other.jpg", alt="Another loaf")),
            note_md=note,
            left_out=reference in self.overrides.leave_out,
        )

    def picture(self, url: str) -> tuple[str, bytes] | None:
        return self.images.get(url)

    def preview_link(self, url: str) -> EditorLink:
        return EditorLink(url=url, title="Title of the page", note_md="Its description.")

    # FeedsService

    def rows(self) -> tuple[FeedRow, ...]:
        return self.feed_rows

    def icon(self, feed_id: str) -> tuple[str, bytes] | None:
        return self.images[IMAGE] if feed_id == "blog" else None

    def find(self, url: str) -> tuple[FoundFeed, ...]:
        if "nothing" in url:
            raise UsageError(f"{url} is not an address on the web.")
        return self.found or (
            FoundFeed(
                url=f"{url}feed/",
                ok=True,
                title="Harbour & Hearth",
                status="2 entries",
                newest_titles=("A kettle on the quay", "Rope, and how to trust it"),
                warnings=("odd",),
            ),
            FoundFeed(url=f"{url}comments/", ok=False, status="answered 404 Not Found: check the address"),
        )

    def add(self, url: str) -> str:
        return f"Added {url}"

    def remove(self, feed_id: str) -> str:
        (row,) = (row for row in self.feed_rows if row.id == feed_id)
        self.feed_rows = tuple(row for row in self.feed_rows if row.id != feed_id)
        self.removed_feeds = (RemovedFeed(id=row.id, url=row.url), *self.removed_feeds)
        return f"Removed {feed_id}"

    def removed(self) -> tuple[RemovedFeed, ...]:
        return self.removed_feeds

    def restore(self, feed_id: str) -> str:
        return f"Restored {feed_id}"

    def accept(self, feed_id: str) -> str:
        return f"Accepted {feed_id}"

    def start_fetch(self, feed_id: str = "") -> None:
        self.fetched.append(feed_id)
        self.progress = FetchProgress(running=True, done=1, total=2, results=((True, "blog: read (2 new)"),))
        self.revision += "+"

    def fetch_progress(self) -> FetchProgress:
        return self.progress

    # OverviewService

    def publication_name(self) -> str:
        return "Harbour & Hearth"

    def has_audience(self) -> bool:
        return self.takes_subscribers

    def zone(self) -> tzinfo:
        return LONDON

    def is_scheduled(self) -> bool:
        return self.sends_at is not None

    def sends_unapproved(self) -> bool:
        return self.unapproved

    def send_time(self, week: str) -> datetime | None:
        return self.sends_at

    def status(self) -> Status:
        return self.publication_status

    # UpdatesService

    def page_version(self) -> PageVersion:
        return PageVersion(store=self.revision, newest_entry_id=len(self.entries))

    def new_entries(self, after: int, until: int) -> Sequence[NewEntry]:
        return self.entries[after:until][::-1]
