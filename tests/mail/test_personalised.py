"""Personalised copies: one-click unsubscribing, and no placeholder left."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape

import pytest

from pipeline.delivery.personalise import PersonalMessage
from pipeline.model.message import ListIdentity, Recipient
from tests.mail.editions import MAILS, RenderedMail, mail
from tests.mail.hostile_feed import HOST
from tests.mail.validators import ParsedMarkup, personalisation_errors

LONG = "a-token-that-no-line-has-room-for-" * 9
SITE = "https://harbourandhearth.example"
READER = Recipient(
    address="ann@example.org",
    unsubscribe_url=f"{SITE}/leave?token={LONG}&list=weekly",
    unsubscribe_mailto=f"mailto:leave@harbourandhearth.example?subject=unsubscribe%20{LONG}",
    preferences_url=f"{SITE}/settings?token={LONG}&list=weekly",
    browser_url=f"{SITE}/letters/2026-W07?a=1&b=2",
)
every_mail = pytest.mark.parametrize(("theme", "edition"), MAILS)


def copy(made: RenderedMail, edition: str) -> bytes:
    """Return the recipient's copy of a message."""
    home = {"hostile": f"https://{HOST}/"}.get(edition, f"{SITE}/")
    identity = ListIdentity(home_url=home, id="weekly.harbourandhearth.example", feedback_id="2026-W07:weekly:h")
    return PersonalMessage.compile(made.eml, identity).fill(READER)


def bodies(message: bytes) -> tuple[str, str]:
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())  # type: ignore[attr-defined]
    return text, html


@every_mail
def test_has_one_click_unsubscribing(theme: str, edition: str) -> None:
    """The headers have each URL on one line, unencoded, and no placeholder is left."""
    assert personalisation_errors(copy(mail(theme, edition), edition)) == []


@every_mail
def test_links_to_the_recipients_own_pages(theme: str, edition: str) -> None:
    """Both parts have the recipient's complete URLs and are otherwise as sealed."""
    text, html = bodies(copy(mail(theme, edition), edition))
    own = {READER.unsubscribe_url, READER.preferences_url, READER.browser_url}
    assert own <= set(ParsedMarkup(html).hrefs)
    assert all(url in text.split() for url in own)
    assert all(escape(url) in html and url not in html for url in own)  # every one has an ampersand
    assert len(ParsedMarkup(html).hrefs) == len(ParsedMarkup(mail(theme, edition).html).hrefs)


@every_mail
def test_keeps_the_lines_short(theme: str, edition: str) -> None:
    """Long URLs get soft line breaks: no body line is over 76 characters, and every line ends in CRLF."""
    body = copy(mail(theme, edition), edition).partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert body.count(b"\n") == body.count(b"\r\n")


def test_copies_differ_only_in_personal_parts() -> None:
    """To, Message-ID and the URLs; two copies for one recipient are equal."""
    made = mail("classic", "sample")
    first, again = copy(made, "sample"), copy(made, "sample")
    assert first == again
    parsed = message_from_bytes(first, policy=policy.default)
    assert parsed["To"] == "ann@example.org"
    assert parsed["Message-ID"] != message_from_bytes(made.eml, policy=policy.default)["Message-ID"]
