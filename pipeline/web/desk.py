"""What the pages need of the rest of the house: a port, and a memory in front of it.

In: whatever the composition root plugs in. Out: weeks, editions, reasons, pictures. The port reads and never writes:
a look at the preview must not change what it looks at.
"""

from __future__ import annotations

from hashlib import sha256
from threading import Lock
from typing import Protocol

from pipeline.model.digest import Decision, Edition, Trouble, WeekSummary


class Desk(Protocol):
    """The editor's desk, as the pages see it."""

    def weeks(self) -> tuple[WeekSummary, ...]:
        """Give all weeks, newest first; none while nothing has been fetched."""
        ...

    def edition(self, week: str) -> Edition | Trouble:
        """Compose and render a week afresh, exactly as the command line would write it.

        Trouble is a template or a setting that does not work. Raises NothingToPublish for a week without entries and
        UsageError for a week that is none.
        """
        ...

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """Give every entry considered for a week, in or out, and why."""
        ...

    def mark(self) -> str:
        """Give a text that differs once a template, config.toml or the database has changed. Cheap."""
        ...

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """Give (media type, bytes) of a picture kept at hand, as the demo's are; None for all others."""
        ...


class Memory:
    """A desk that renders an edition once and shows it again until the mark differs.

    One page is several requests (the page, the mail in its frame, the text): they all show the same edition. Requests
    run in threads; behind the lock the desk is asked one question at a time.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = Lock()
        self._kept: tuple[str, str, Edition | Trouble] | None = None

    def weeks(self) -> tuple[WeekSummary, ...]:
        """As Desk."""
        with self._lock:
            return self._desk.weeks()

    def edition(self, week: str) -> Edition | Trouble:
        """As Desk, but composed once for each mark."""
        with self._lock:
            mark = self._mark()
            if self._kept is None or self._kept[:2] != (mark, week):
                self._kept = (mark, week, self._desk.edition(week))
            return self._kept[2]

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """As Desk."""
        with self._lock:
            return self._desk.decisions(week)

    def mark(self) -> str:
        """As Desk, but short whatever it was: it travels in every page and every question for news."""
        with self._lock:
            return self._mark()

    def picture(self, url: str) -> tuple[str, bytes] | None:
        """As Desk."""
        with self._lock:
            return self._desk.picture(url)

    def _mark(self) -> str:
        return sha256(self._desk.mark().encode()).hexdigest()[:16]
