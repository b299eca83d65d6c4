"""Ports of the desk's pages: small services over a publication, and their records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, Protocol

from pipeline.jobs.editions.workflow import CarryOver
from pipeline.jobs.editor.stories import StorySection
from pipeline.jobs.monitoring.status import Status
from pipeline.model.check import LinkCheck
from pipeline.model.digest import BuildFailure, Decision, Edition, WeekSummary
from pipeline.model.edition import EditionRecord, EditorLink, Overrides
from pipeline.web.desk.audience.service import AudienceDesk
from pipeline.web.desk.deliveries.corrections import CorrectionDesk
from pipeline.web.desk.deliveries.service import DeliveryDesk
from pipeline.web.desk.feeds.ports import FeedsService
from pipeline.web.desk.links.ports import LinksService
from pipeline.web.desk.settings.ports import SettingsService
from pipeline.web.desk.updates import NewEntry, PageVersion

Action = Literal["approve", "hold", "resume", "skip", "send", "hand over", "test"]
ACTIONS: tuple[Action, ...] = ("approve", "hold", "resume", "skip", "send", "hand over", "test")
OverridesChange = Callable[[Overrides], Overrides]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorState:
    """The editor's overrides for a week, and the version of the file that holds them."""

    version: str
    overrides: Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOptions:
    """Options of an action on an edition."""

    content_hash: str = ""
    """Hash of the edition that was on the screen."""
    overridden: tuple[str, ...] = ()
    """Names of the errors that must not block an approval."""
    test_address: str = ""
    """Address of the test copy."""


class EditionsService(Protocol):
    """Weeks and their editions. Weeks are given as ``2026-W07``; UsageError for any other text."""

    def weeks(self) -> tuple[WeekSummary, ...]:
        """Return all weeks, newest first; empty until entries have been fetched."""
        ...

    def edition(self, week: str) -> Edition | BuildFailure:
        """Return a week's sealed edition, or a new draft if it is not sealed.

        BuildFailure describes a template, an editor's file or a setting that does not work. Raise
        NothingToPublishError for a week without entries.
        """
        ...

    def draft(self, week: str) -> Edition | BuildFailure:
        """Return a new draft of a week, sealed or not. Raise the errors of ``edition``."""
        ...

    def approved_edition(self, week: str) -> Edition | None:
        """Return the edition that was approved last; None if there is none."""
        ...

    def sealed_subjects(self) -> Mapping[str, str]:
        """Return the subjects of the sealed editions, by week."""
        ...

    def record(self, week: str) -> EditionRecord:
        """Return the state of a week's edition."""
        ...

    def unconfirmed(self) -> EditionRecord | None:
        """Return the oldest edition that may have been sent without the store's knowledge; None if there is none."""
        ...

    def carry_over(self, week: str) -> CarryOver:
        """Return what would carry over, and to which week, if a week were held or skipped now."""
        ...

    def may_resume(self, week: str) -> bool:
        """Return whether a week that was held or skipped can be brought back, with at least one of its stories."""
        ...

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """Return a decision for every entry considered for a week, included or not."""
        ...

    def perform(self, week: str, action: Action, options: ActionOptions) -> str:
        """Run an action and return a sentence with its result. Raise RefusedError or DeliveryError."""
        ...

    def local_image(self, url: str) -> tuple[str, bytes] | None:
        """Return (media type, bytes) of an image that needs no network, as in the demo; None for any other."""
        ...


class LinkCheckService(Protocol):
    """Checks of the links and images of an edition."""

    def result(self, edition: Edition) -> LinkCheck | None:
        """Return the stored check of exactly this edition; None if it was never checked."""
        ...

    def ensure_checked(self, week: str, overridden: Sequence[str]) -> None:
        """Check what an approval would seal, unless a stored check still holds. Takes up to ten seconds."""
        ...

    def start(self, week: str) -> None:
        """Start a check in the background, whatever is stored."""
        ...

    def is_running(self, week: str) -> bool:
        """Return whether a check of the week is running in the background."""
        ...


class EditorService(Protocol):
    """The editor's file of a week."""

    def state(self, week: str) -> EditorState:
        """Return the overrides of a week. Raise EditorFileError if the file is invalid."""
        ...

    def version(self, week: str) -> str:
        """Return the version of the file, even if it is invalid; empty if there is no file. Cheap."""
        ...

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        """Return the draft that a change would produce. Writes nothing."""
        ...

    def save(self, week: str, change: OverridesChange, version: str, label: str = "") -> None:
        """Write a change to the file. Raise ConflictError if its version is no longer ``version``.

        With a ``label``, such as ``Left out “Bread”.``, it is offered to undo the change.
        """
        ...

    def last_change(self, week: str) -> str:
        """Return the label of the change that made the file what it is; empty if that cannot be undone. Cheap."""
        ...

    def undo(self, week: str, version: str) -> str:
        """Undo the last change and return its label. Raise ConflictError if the file has changed since."""
        ...

    def stories(self, week: str) -> tuple[StorySection, ...]:
        """Return the week's stories as an editor can change them. Raise EditorFileError if the file is invalid."""
        ...

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """Return (media type, bytes) of a picture; None if there is none to be had. Uses the network, needs no lock."""
        ...

    def add_picture(self, content: bytes) -> str:
        """Store an uploaded picture and return its reference. Raise RefusedError for any other file. Needs no lock."""
        ...

    def preview_link(self, url: str) -> EditorLink:
        """Return a link with the title and description of its page. Raise RefusedError if it was published before."""
        ...


class OverviewService(Protocol):
    """The publication as a whole."""

    def publication_name(self) -> str:
        """Return the name of the publication."""
        ...

    def has_audience(self) -> bool:
        """Return whether people can subscribe, or somebody has. Cheap: every page asks."""
        ...

    def zone(self) -> tzinfo:
        """Return the time zone of the publication."""
        ...

    def is_scheduled(self) -> bool:
        """Return whether editions are sent automatically."""
        ...

    def sends_unapproved(self) -> bool:
        """Return whether an edition is sent without approval unless somebody holds it."""
        ...

    def send_time(self, week: str) -> datetime | None:
        """Return when an edition is sent automatically, in the publication's time zone; None if never."""
        ...

    def status(self) -> Status:
        """Return the status of feeds, editions and tasks, and everything that is wrong."""
        ...


class UpdatesService(Protocol):
    """Changes since a page was made."""

    def page_version(self) -> PageVersion:
        """Return a value that differs whenever anything a page shows may have changed. Cheap."""
        ...

    def new_entries(self, after: int, until: int) -> Sequence[NewEntry]:
        """Return the entries with ids in (after, until], newest first; of very many only the newest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The services behind the desk's pages."""

    editions: EditionsService
    link_checks: LinkCheckService
    editor: EditorService
    feeds: FeedsService
    links: LinksService
    subscribers: AudienceDesk
    deliveries: DeliveryDesk
    corrections: CorrectionDesk
    overview: OverviewService
    settings: SettingsService
    updates: UpdatesService
