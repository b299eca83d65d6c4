"""What the pages need of the rest of the house: a port, and a memory in front of it.

In: whatever the composition root plugs in. Out: weeks, editions, reasons, pictures; moves and changes that are made as
the command line makes them. Looking changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import RLock
from typing import Literal, Protocol

from pipeline.model.check import LinkCheck
from pipeline.model.digest import BuildFailure, Decision, Edition, WeekSummary
from pipeline.model.edition import EditionRecord, EditorLink, Overrides
from pipeline.web.desk.updates import NewEntry, PageVersion, describe_changes, encode_version

Action = Literal["approve", "hold", "resume", "skip", "send", "test"]
ACTIONS: tuple[Action, ...] = ("approve", "hold", "resume", "skip", "send", "test")
OverridesChange = Callable[[Overrides], Overrides]
MAX_SHOWN_EDITIONS = 24
"""So many editions that were on a screen are kept, to show what has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorState:
    """What the editor asks of a week, and the version of the file it stands in."""

    version: str
    overrides: Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOptions:
    """What a move needs to know besides the week."""

    content_hash: str = ""
    """Of the edition that was on the screen."""
    overridden: tuple[str, ...] = ()
    """The names of the errors that are not to stop an approval."""
    test_address: str = ""
    """Who gets a test mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """One feed at a glance."""

    id: str
    kind: str
    url: str
    about: str
    """How it is doing, in a few words."""
    healthy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed at an address, or behind it."""

    url: str
    ok: bool
    kind: str = "blog"
    title: str = ""
    about: str = ""
    newest: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchProgress:
    """How reading the feeds comes along."""

    running: bool = False
    done: int = 0
    total: int = 0
    lines: tuple[tuple[bool, str], ...] = ()
    """(all is well, a line) for each feed that was asked."""


class Desk(Protocol):
    """The editor's desk, as the pages see it."""

    def weeks(self) -> tuple[WeekSummary, ...]:
        """Give all weeks, newest first; none while nothing has been fetched."""
        ...

    def edition(self, week: str) -> Edition | BuildFailure:
        """Give a week's edition as its readers would get it: its sealed bytes, or a draft made afresh.

        Trouble is a template or a setting that does not work. Raises NothingToPublish for a week without entries and
        UsageError for a week that is none.
        """
        ...

    def draft(self, week: str) -> Edition | BuildFailure:
        """Make a week's edition afresh, sealed or not; raises as ``edition``."""
        ...

    def approved_edition(self, week: str) -> Edition | None:
        """Give the bytes that were approved last; None when none were."""
        ...

    def edition_record(self, week: str) -> EditionRecord:
        """Tell where a week's edition stands."""
        ...

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """Give every entry considered for a week, in or out, and why."""
        ...

    def editor_state(self, week: str) -> EditorState:
        """Read what the editor asks of a week; raises EditorFileError."""
        ...

    def version(self, week: str) -> str:
        """Name the version of the editor's file; cheap, and even where the file cannot be understood."""
        ...

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        """Make the draft a change would lead to; nothing is written."""
        ...

    def save(self, week: str, change: OverridesChange, version: str) -> None:
        """Write a change into the editor's file; raises Overtaken when it is no longer of this version."""
        ...

    def perform(self, week: str, action: Action, options: ActionOptions) -> str:
        """Make a move in an edition's life, and say what came of it; raises Refused."""
        ...

    def preview_link(self, url: str) -> EditorLink:
        """Give a link with its page's own title and words; raises Refused for one that was told before."""
        ...

    def feeds(self) -> Sequence[FeedRow]:
        """List the feeds."""
        ...

    def find_feeds(self, url: str) -> Sequence[FoundFeed]:
        """Look at an address as a feed reader would."""
        ...

    def add_feed(self, url: str) -> str:
        """Add the feed at an address and say what was added; raises Refused, FeedProblem."""
        ...

    def remove_feed(self, feed_id: str) -> str:
        """Take a feed out and say so; raises Refused."""
        ...

    def start_fetch(self) -> None:
        """Begin to read the feeds; ``fetching`` tells how it comes along."""
        ...

    def fetch_progress(self) -> FetchProgress:
        """Tell how reading the feeds comes along, or how it ended."""
        ...

    def link_check(self, edition: Edition) -> LinkCheck | None:
        """Tell what the network said about these very bytes; None when it was not asked."""
        ...

    def ensure_links_checked(self, week: str, overridden: Sequence[str]) -> None:
        """Ask for the links and pictures of what would be approved, unless that was done; takes up to ten seconds."""
        ...

    def start_link_check(self, week: str) -> None:
        """Begin to ask for them, whatever was said before; ``looking`` tells how long it goes on."""
        ...

    def is_checking_links(self, week: str) -> bool:
        """Tell whether links and pictures are being asked for."""
        ...

    def page_version(self) -> PageVersion:
        """Give what differs once templates, config.toml, an editor's file or the database changed. Cheap."""
        ...

    def new_entries(self, after: int, until: int) -> Sequence[NewEntry]:
        """Give the entries that came in after one and until another, by number; of very many the last ones."""
        ...

    def local_image(self, url: str) -> tuple[str, bytes] | None:
        """Give (media type, bytes) of a picture kept at hand, as the demo's are; None for all others."""
        ...


class EditionCache:
    """What was on the screens: renders an edition once for each mark, and knows again what somebody has seen.

    One page is several requests (the page, the mail in its frame, the text): they all show the same edition. Requests
    run in threads; whoever asks the desk holds ``alone``, so that it is asked one question at a time.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.lock = RLock()
        self._mark = ""
        self._weeks: tuple[WeekSummary, ...] = ()
        self._kept: dict[tuple[str, str], Edition | BuildFailure] = {}
        self._seen: dict[str, Edition] = {}

    def page_version(self) -> str:
        """As Desk, but short whatever it was: it travels in every page and every question for news."""
        with self.lock:
            return encode_version(self.desk.page_version())

    def changes_since(self, version: str) -> dict[str, str]:
        """Say what has changed since a mark, by its kind, for somebody whose page was made then."""
        with self.lock:
            return describe_changes(version, encode_version(self.desk.page_version()), self.desk.new_entries)

    def weeks(self) -> tuple[WeekSummary, ...]:
        """As Desk, but looked up once for each mark."""
        with self.lock:
            self._forget()
            self._weeks = self._weeks or self.desk.weeks()
            return self._weeks

    def edition(self, week: str) -> Edition | BuildFailure:
        """As Desk, but composed once for each mark."""
        return self._remembered("edition", week, self.desk.edition)

    def draft(self, week: str) -> Edition | BuildFailure:
        """As Desk, but composed once for each mark; a draft that is shown as the edition is not made twice."""
        with self.lock:
            if not self.desk.edition_record(week).is_sealed:
                return self.edition(week)
            return self._remembered("draft", week, self.desk.draft)

    def preview(self, week: str, change: OverridesChange) -> Edition | BuildFailure:
        """As Desk; what comes of it can be looked at by its hash."""
        with self.lock:
            return self._see(self.desk.preview(week, change))

    def shown_edition(self, fingerprint: str) -> Edition | None:
        """Give an edition that was on a screen, by its fingerprint."""
        with self.lock:
            return self._seen.get(fingerprint)

    def _remembered(
        self, kind: str, week: str, make: Callable[[str], Edition | BuildFailure]
    ) -> Edition | BuildFailure:
        with self.lock:
            self._forget()
            if (kind, week) not in self._kept:
                self._kept[kind, week] = self._see(make(week))
            return self._kept[kind, week]

    def _forget(self) -> None:
        """Forget what was made under another mark."""
        if (mark := self.page_version()) != self._mark:
            self._kept, self._weeks, self._mark = {}, (), mark

    def _see(self, made: Edition | BuildFailure) -> Edition | BuildFailure:
        if isinstance(made, Edition):
            self._seen.pop(fingerprint(made), None)
            self._seen[fingerprint(made)] = made
            for old in list(self._seen)[:-MAX_SHOWN_EDITIONS]:
                del self._seen[old]
        return made


def fingerprint(edition: Edition) -> str:
    """Give what names an edition on the screen: its content hash."""
    return edition.content_hash or sha256(edition.html).hexdigest()
