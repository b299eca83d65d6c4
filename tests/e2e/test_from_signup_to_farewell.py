"""The whole way of a subscriber: sign-up in a browser, an edition by SMTP, one click to leave, and no next edition."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from pipeline.web.public.server import serve_public
from tests.background_server import free_port
from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer
from tests.mail_server import MailServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.loopback]
ADA, BEN = "ada@quay.example", "ben@quay.example"
CONFIG = """
[public]
url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"

[signup]
check_mx = false
min_seconds = 0

[delivery]
backend = "smtp"
smtp_host = "127.0.0.1"
smtp_port = {smtp_port}
smtp_security = "none"
"""


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server that accepts everything."""
    with MailServer() as mail:
        yield mail


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str], mail: MailServer) -> Iterator[CliRunner]:
    """A publication whose pages for subscribers are served, with one subscriber."""
    with HttpServer() as web:
        runner = CliRunner(tmp_path, web, capsys)
        runner.write_config(more=CONFIG.format(port=free_port(), smtp_port=mail.port))
        runner.run_ok("subscribers", "add", BEN, "--basis", "consent")
        with serve_public(runner.config, lambda: runner.now) as url:
            assert url
            yield runner


def messages_to(mail: MailServer, address: str) -> list[EmailMessage]:
    """Return the messages to an address."""
    parsed = (message_from_bytes(message, policy=policy.default) for message in mail.messages)
    return [message for message in parsed if message["To"] == address]


def text_of(message: EmailMessage) -> str:
    """Return the text part of a message."""
    part = message.get_body(("plain",))
    assert part
    return str(part.get_content())


def sign_up(chromium: Browser, url: str, mail: MailServer) -> None:
    """Fill in the form, follow the link of the mail, and press its button."""
    page = chromium.new_page(locale="en-GB")
    page.goto(f"{url}/subscribe")
    page.get_by_label("Email address").fill(ADA)
    page.locator("input[name=consent]").check()
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == "Almost done: check your email"
    while not messages_to(mail, ADA):
        time.sleep(0.02)
    link = re.search(rf"{url}/confirm/\w{{32}}", text_of(messages_to(mail, ADA)[0]))
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="Yes, subscribe me").click()
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() == "You are subscribed"
    page.close()


def publish(program: CliRunner, week: str, title: str, day: str, now: datetime) -> str:
    """Fetch a new post, and approve and send the edition of its week; return what was printed."""
    program.serve("/blog", rss(item(title, date=f"{day} 09:00:00 GMT")))
    with ThreadPoolExecutor(1) as other:  # the browser occupies the event loop of this thread
        other.submit(program.run, "fetch", "--force").result()
        program.now = now
        for command in ("digest", "approve"):
            other.submit(program.run_ok, command, week, "--offline").result()
        return other.submit(program.run_ok, "send", week).result()


def test_a_subscriber_gets_one_edition_leaves_and_gets_no_other(
    chromium: Browser, program: CliRunner, mail: MailServer
) -> None:
    """The link in the header works as mailbox providers use it (RFC 8058), and the one in the text is the same."""
    url = re.search(r'url = "(http://127[^"]+)"', program.config.read_text().partition("[public]")[2])
    assert url
    sign_up(chromium, url[1], mail)
    before = len(mail.messages)
    sent = publish(program, "2026-W07", "Bread on a stone", "Tue, 10 Feb 2026", datetime(2026, 2, 16, 9, tzinfo=UTC))
    assert "2 of 2 deliveries sent" in sent
    assert len(mail.messages) == before + 2
    edition = messages_to(mail, ADA)[-1]
    assert "Bread on a stone" in text_of(edition)
    one_click = str(edition["List-Unsubscribe"]).partition("<")[2].partition(">")[0]
    assert edition["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one_click in text_of(edition)
    assert httpx.get(one_click).status_code == 200
    assert ADA in program.run_ok("subscribers", "list", "--state", "active")  # a scanner's GET changes nothing
    answer = httpx.post(one_click, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.history) == (200, [])
    sent = publish(program, "2026-W08", "Salt and rope", "Tue, 17 Feb 2026", datetime(2026, 2, 23, 9, tzinfo=UTC))
    assert "1 of 1 delivery sent" in sent
    assert [len(messages_to(mail, address)) for address in (ADA, BEN)] == [2, 2]
