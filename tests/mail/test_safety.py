"""Well-formed messages, and hostile feeds made harmless with their text kept."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from tests.mail.editions import ALL_MAILS, THEMES, mail
from tests.mail.hostile_feed import KEPT_TEXTS
from tests.mail.screen import open_screen
from tests.mail.validators import ParsedMarkup, format_errors, safety_errors

if TYPE_CHECKING:
    from playwright.sync_api import Browser

every_mail = pytest.mark.parametrize(("theme", "edition"), ALL_MAILS)
every_theme = pytest.mark.parametrize("theme", THEMES)


@every_mail
def test_is_well_formed(theme: str, edition: str) -> None:
    """Text, then HTML, UTF-8, lines of 76 characters, CRLF, no encoded identifier; decoded, they are as rendered."""
    made = mail(theme, edition)
    assert format_errors(made.eml, made.html, made.text) == []


@every_mail
def test_has_no_active_content(theme: str, edition: str) -> None:
    """No script, handler or form; links lead to pages and mailboxes, images come from the web."""
    assert safety_errors(mail(theme, edition).html) == []


@every_theme
def test_harmless_text_of_a_hostile_feed_is_kept(theme: str) -> None:
    """In both parts."""
    made = mail(theme, "hostile")
    assert [words for words in KEPT_TEXTS if words not in ParsedMarkup(made.html).text] == []
    assert [words for words in KEPT_TEXTS if words not in made.text] == []


@every_theme
def test_a_hostile_title_adds_no_header(theme: str) -> None:
    """CR and LF in a title, encoded or not, add no recipient."""
    message = message_from_bytes(mail(theme, "hostile").eml, policy=policy.default)
    assert set(message.keys()) == {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}


@every_theme
@pytest.mark.browser
def test_a_hostile_feed_runs_nothing(chromium: Browser, theme: str) -> None:
    """Nothing happens in a browser with scripts enabled."""
    with open_screen(chromium, "<title>before</title>") as screen:
        dialogs: list[str] = []
        screen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss())[1])
        screen.page.set_content(mail(theme, "hostile").html, wait_until="load")
        for link in screen.page.locator("a").all():
            link.dispatch_event("mouseover")
        assert dialogs == []
        assert screen.requested_urls == []
