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

from pipeline.model.check import Look
from pipeline.model.digest import Decision, Edition, Trouble, WeekSummary
from pipeline.model.edition import EditorLink, Overrides, Standing
from pipeline.web.news import Arrival, Mark, told, written

Action = Literal["approve", "hold", "resume", "skip", "send", "test"]
ACTIONS: tuple[Action, ...] = ("approve", "hold", "resume", "skip", "send", "test")
Change = Callable[[Overrides], Overrides]
SEEN_MOST = 24
"""So many editions that were on a screen are kept, to show what has changed since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What the editor asks of a week, and the version of the file it stands in."""

    version: str
    asked: Overrides


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a move needs to know besides the week."""

    content_hash: str = ""
    """Of the edition that was on the screen."""
    overridden: tuple[str, ...] = ()
    """The names of the errors that are not to stop an approval."""
    address: str = ""
    """Who gets a test mail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """One feed at a glance."""

    id: str
    kind: str
    url: str
    about: str
    """How it is doing, in a few words."""
    well: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFeed:
    """A feed at an address, or behind it."""

    url: str
    ok: bool
    kind: str = "blog"
    title: str = ""
    about: str = ""
    newest: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
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

    def edition(self, week: str) -> Edition | Trouble:
        """Give a week's edition as its readers would get it: its sealed bytes, or a draft made afresh.

        Trouble is a template or a setting that does not work. Raises NothingToPublish for a week without entries and
        UsageError for a week that is none.
        """
        ...

    def draft(self, week: str) -> Edition | Trouble:
        """Make a week's edition afresh, sealed or not; raises as ``edition``."""
        ...

    def approved(self, week: str) -> Edition | None:
        """Give the bytes that were approved last; None when none were."""
        ...

    def standing(self, week: str) -> Standing:
        """Tell where a week's edition stands."""
        ...

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """Give every entry considered for a week, in or out, and why."""
        ...

    def script(self, week: str) -> Script:
        """Read what the editor asks of a week; raises EditorFileError."""
        ...

    def version(self, week: str) -> str:
        """Name the version of the editor's file; cheap, and even where the file cannot be understood."""
        ...

    def tried(self, week: str, change: Change) -> Edition | Trouble:
        """Make the draft a change would lead to; nothing is written."""
        ...

    def save(self, week: str, change: Change, version: str) -> None:
        """Write a change into the editor's file; raises Overtaken when it is no longer of this version."""
        ...

    def act(self, week: str, action: Action, wish: Wish) -> str:
        """Make a move in an edition's life, and say what came of it; raises Refused."""
        ...

    def look_up(self, url: str) -> EditorLink:
        """Give a link with its page's own title and words; raises Refused for one that was told before."""
        ...

    def feeds(self) -> Sequence[FeedLine]:
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

    def fetch(self) -> None:
        """Begin to read the feeds; ``fetching`` tells how it comes along."""
        ...

    def fetching(self) -> Fetching:
        """Tell how reading the feeds comes along, or how it ended."""
        ...

    def look(self, edition: Edition) -> Look | None:
        """Tell what the network said about these very bytes; None when it was not asked."""
        ...

    def look_over(self, week: str, overridden: Sequence[str]) -> None:
        """Ask for the links and pictures of what would be approved, unless that was done; takes up to ten seconds."""
        ...

    def begin_look(self, week: str) -> None:
        """Begin to ask for them, whatever was said before; ``looking`` tells how long it goes on."""
        ...

    def looking(self, week: str) -> bool:
        """Tell whether links and pictures are being asked for."""
        ...

    def mark(self) -> Mark:
        """Give what differs once templates, config.toml, an editor's file or the database changed. Cheap."""
        ...

    def arrivals(self, after: int, until: int) -> Sequence[Arrival]:
        """Give the entries that came in after one and until another, by number; of very many the last ones."""
        ...

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """Give (media type, bytes) of a picture kept at hand, as the demo's are; None for all others."""
        ...


class Memory:
    """What was on the screens: renders an edition once for each mark, and knows again what somebody has seen.

    One page is several requests (the page, the mail in its frame, the text): they all show the same edition. Requests
    run in threads; whoever asks the desk holds ``alone``, so that it is asked one question at a time.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.alone = RLock()
        self._mark = ""
        self._weeks: tuple[WeekSummary, ...] = ()
        self._kept: dict[tuple[str, str], Edition | Trouble] = {}
        self._seen: dict[str, Edition] = {}

    def mark(self) -> str:
        """As Desk, but short whatever it was: it travels in every page and every question for news."""
        with self.alone:
            return written(self.desk.mark())

    def news(self, seen: str) -> dict[str, str]:
        """Say what has changed since a mark, by its kind, for somebody whose page was made then."""
        with self.alone:
            return told(seen, written(self.desk.mark()), self.desk.arrivals)

    def weeks(self) -> tuple[WeekSummary, ...]:
        """As Desk, but looked up once for each mark."""
        with self.alone:
            self._forget()
            self._weeks = self._weeks or self.desk.weeks()
            return self._weeks

    def edition(self, week: str) -> Edition | Trouble:
        """As Desk, but composed once for each mark."""
        return self._remembered("edition", week, self.desk.edition)

    def draft(self, week: str) -> Edition | Trouble:
        """As Desk, but composed once for each mark; a draft that is shown as the edition is not made twice."""
        with self.alone:
            if not self.desk.standing(week).sealed:
                return self.edition(week)
            return self._remembered("draft", week, self.desk.draft)

    def tried(self, week: str, change: Change) -> Edition | Trouble:
        """As Desk; what comes of it can be looked at by its hash."""
        with self.alone:
            return self._see(self.desk.tried(week, change))

    def seen(self, fingerprint: str) -> Edition | None:
        """Give an edition that was on a screen, by its fingerprint."""
        with self.alone:
            return self._seen.get(fingerprint)

    def _remembered(self, kind: str, week: str, make: Callable[[str], Edition | Trouble]) -> Edition | Trouble:
        with self.alone:
            self._forget()
            if (kind, week) not in self._kept:
                self._kept[kind, week] = self._see(make(week))
            return self._kept[kind, week]

    def _forget(self) -> None:
        """Forget what was made under another mark."""
        if (mark := self.mark()) != self._mark:
            self._kept, self._weeks, self._mark = {}, (), mark

    def _see(self, made: Edition | Trouble) -> Edition | Trouble:
        if isinstance(made, Edition):
            self._seen.pop(fingerprint(made), None)
            self._seen[fingerprint(made)] = made
            for old in list(self._seen)[:-SEEN_MOST]:
                del self._seen[old]
        return made


def fingerprint(edition: Edition) -> str:
    """Give what names an edition on the screen: its content hash."""
    return edition.content_hash or sha256(edition.html).hexdigest()
