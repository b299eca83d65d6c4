"""Access to the desk by the newest config.toml, and the thread that mails links to log in."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from pipeline.app import App
from pipeline.app.access import build_log_in, editors, send_log_in_link, sends_links
from pipeline.app.delivery import web_url
from pipeline.app.reload import ReloadingApp
from pipeline.jobs.access.log_in import LogIn
from pipeline.jobs.access.sessions import Sessions
from pipeline.model.editor import ActiveSession, Editor
from pipeline.model.errors import PipelineError
from pipeline.model.schedule import Clock

ATTEMPTS, RETRY_SECONDS = 3, 20.0
"""How often a link is mailed if the server fails, and the pause before each further attempt."""
STOP_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One state of config.toml."""

    app: App
    editors: tuple[Editor, ...]
    log_in: LogIn
    sends_links: bool
    is_https: bool
    proxies: tuple[str, ...]

    @property
    def sessions(self) -> Sessions:
        """The sessions of the desk."""
        return self.log_in.sessions


class LiveAccess:
    """The access that config.toml grants now, safe in any thread. A context manager: it closes the store."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.clock = clock
        self._app = ReloadingApp(path, unattended=False)
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._queue: SimpleQueue[tuple[Editor, str] | None] = SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._mail, name="links to log in", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._queue.put(None)
        self._thread.join(STOP_SECONDS)  # a mail server may not answer
        self._app.close()

    def current(self) -> Access:
        """Return the access of the newest valid config.toml. Who was removed from it is logged out."""
        with self._lock:
            app = self._app.current()
            if self._access is None or self._access.app is not app:
                self._access = Access(
                    app=app,
                    editors=editors(app),
                    log_in=build_log_in(app),
                    sends_links=sends_links(app),
                    is_https=web_url(app).startswith("https:"),
                    proxies=app.config.public.proxies,
                )
                self._access.sessions.end_of_removed()
            return self._access

    def find(self, secret: str) -> ActiveSession | None:
        """Return the session with a secret; None if it has ended."""
        return self.current().sessions.find(secret, now=self.clock()) if secret else None

    def mail_link(self, editor: Editor, path: str) -> None:
        """Mail a link soon, which leads to ``path``. The caller does not wait: how long it takes would reveal that an
        address is an editor's."""
        self._queue.put((editor, path))

    def _mail(self) -> None:
        while wanted := self._queue.get():
            editor, path = wanted
            for attempt in range(1, ATTEMPTS + 1):
                if self._try_to_mail(editor, path, is_last=attempt == ATTEMPTS) or self._stopped.wait(RETRY_SECONDS):
                    break

    def _try_to_mail(self, editor: Editor, path: str, *, is_last: bool) -> bool:
        """Mail a link; return whether there is nothing more to try."""
        try:
            # Opened again: a mail server may take a minute, while config.toml changes.
            with App.load(self.path) as app:
                send_log_in_link(app, editor, path, now=self.clock())
        except PipelineError as error:
            is_done = is_last or not error.retry
            log.warning("the link to log in for %s was not sent%s: %s", editor.name, "" if is_done else " yet", error)
            return is_done
        except Exception:
            log.exception("the link to log in for %s was not sent", editor.name)
            return True
        log.info("a link to log in was sent to %s", editor.name)
        return True
