"""The desk behind the daemon for tests: the demo publication with editors, served on a port of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx

from pipeline.app import App
from pipeline.app.access import create_log_in_url, editors
from pipeline.app.feeds import build_refresher
from pipeline.jobs.access.log_in import find_editor
from tests.background_server import free_port
from tests.mail_server import MailServer
from tests.publication import small_theme

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
GIVE_UP_SECONDS = 60.0
ROOT = Path(__file__).parents[1]
WEEK = "/week/2026-W07"
ANN = ("Ann Harbour", "ann@harbour.example", True)
BOB = ("Bob Quay", "bob@harbour.example", False)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def store_demo(folder: Path) -> Path:
    """Write the demo publication with a small theme into a folder, to be copied, and fetch it."""
    small_theme(folder / "templates")
    text = (ROOT / "config.toml").read_text().replace('theme = "classic"', 'theme = "small"')
    text = text.replace('fixtures = "fixtures"', f'fixtures = "{ROOT / "fixtures"}"')
    (folder / "config.toml").write_text(text)
    # In a thread of its own: where a browser is open, this one has an event loop already.
    with ThreadPoolExecutor(1) as aside:
        aside.submit(_fetch, folder / "config.toml").result()
    return folder


def _fetch(config: Path) -> None:
    with App.load(config) as app:
        build_refresher(app).refresh(app.feeds, now=NOW)


class ServedDesk:
    """The desk of a publication, with its clock and its editors."""

    def __init__(self, folder: Path, mail_port: int) -> None:
        self.config = folder / "config.toml"
        self.now = NOW
        self.url = f"http://127.0.0.1:{free_port()}"
        self._text = self.config.read_text().replace("127.0.0.1:8026", self.url.removeprefix("http://"))
        if mail_port:
            mail = f'smtp_host = "127.0.0.1"\nsmtp_port = {mail_port}\nsmtp_security = "none"\n'
            self._text = re.sub(r"^smtp_(host|port|security) = .*\n", "", self._text, flags=re.MULTILINE)
            self._text = self._text.replace("[delivery]\n", f"[delivery]\n{mail}")
        self.name_editors(ANN, BOB)

    def name_editors(self, *editors: tuple[str, str, bool]) -> None:
        """Write the editors into config.toml."""
        tables = (
            f'\n[[editors]]\nname = "{name}"\naddress = "{address}"\nmay_approve = {str(may_approve).lower()}\n'
            for name, address, may_approve in editors
        )
        self.config.write_text(self._text + "".join(tables))

    def browser(self) -> httpx.Client:
        """Return a browser without cookies."""
        headers = {"user-agent": FIREFOX, "origin": self.url}
        return httpx.Client(base_url=self.url, headers=headers, timeout=GIVE_UP_SECONDS, follow_redirects=True)

    def link(self, editor: str) -> str:
        """Return the path of a new link for an editor, as the command line prints it."""
        with self.app() as app:
            url = create_log_in_url(app, find_editor(editors(app), editor), now=self.now)
        return url[url.index("/log-in/") :]

    @contextmanager
    def log_in(self, editor: str) -> Iterator[httpx.Client]:
        """Open a browser in which an editor is logged in."""
        with self.browser() as browser:
            assert browser.post(self.link(editor), headers=FORM).url.path == "/"
            yield browser

    def app(self) -> App:
        """Open the publication."""
        return App.load(self.config)


def wait_for_mails(server: MailServer, count: int) -> list[EmailMessage]:
    """Return the mails that the server received, once the expected number has arrived."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while len(server.messages) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(server.messages) == count
    return [cast(EmailMessage, message_from_bytes(raw, policy=policy.default)) for raw in server.messages]


def link_in(mail: EmailMessage) -> str:
    """Return the path and query of the link in a mail, which is the same in both parts."""
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    found = re.search(r"http\S+/log-in/\S+", text.get_content())
    assert found
    assert found[0].replace("&", "&amp;") in html.get_content()
    parts = urlsplit(found[0])
    return f"{parts.path}?{parts.query}"
