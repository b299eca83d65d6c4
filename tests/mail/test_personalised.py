"""Acceptance 6, for a reader's own copy: they can leave by one click, and nothing waits to be filled in."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from pipeline.delivery.personalise import personalise
from pipeline.model.message import ListIdentity, Recipient
from tests.mail.editions import MAILS, RenderedMail, mail
from tests.mail.hostile_feed import HOST
from tests.mail.validators import ParsedMarkup, personalisation_errors

LONG = "a-token-that-no-line-has-room-for-" * 9
SITE = "https://harbourandhearth.example"
READER = Recipient(
    address="ann@example.org",
    unsubscribe_url=f"{SITE}/leave?token={LONG}&list=weekly",
    unsubscribe_address=f"leave+{LONG}@harbourandhearth.example",
    preferences_url=f"{SITE}/settings?token={LONG}&list=weekly",
    browser_url=f"{SITE}/letters/2026-W07?a=1&b=2",
)
every_mail = pytest.mark.parametrize(("theme", "edition"), MAILS)


def copy(made: RenderedMail, edition: str) -> bytes:
    """Make the reader's copy of a mail."""
    home = {"hostile": f"https://{HOST}/"}.get(edition, f"{SITE}/")
    return personalise(
        made.eml,
        READER,
        ListIdentity(home_url=home, id="weekly.harbourandhearth.example", feedback_id="2026-W07:weekly:h"),
    )


def bodies(message: bytes) -> tuple[str, str]:
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())  # type: ignore[attr-defined]
    return text, html


@every_mail
def test_can_be_left_by_one_click(theme: str, edition: str) -> None:
    """The header says how, each way on one line and by its plain address; no place is left open anywhere."""
    assert personalisation_errors(copy(mail(theme, edition), edition)) == []


@every_mail
def test_leads_to_the_readers_own_pages(theme: str, edition: str) -> None:
    """Both parts link to the reader's addresses, whole, and are else what was sealed."""
    text, html = bodies(copy(mail(theme, edition), edition))
    own = {READER.unsubscribe_url, READER.preferences_url, READER.browser_url}
    assert own <= set(ParsedMarkup(html).hrefs)
    assert all(url in text.split() for url in own)
    assert len(ParsedMarkup(html).hrefs) == len(ParsedMarkup(mail(theme, edition).html).hrefs)


@every_mail
def test_keeps_the_lines_short(theme: str, edition: str) -> None:
    """Long addresses are broken softly: no body line is over 76 characters, and every line ends in CRLF."""
    body = copy(mail(theme, edition), edition).partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert body.count(b"\n") == body.count(b"\r\n")


def test_two_readers_differ_in_what_is_theirs() -> None:
    """To, Message-ID and the places: nothing else tells two copies apart, and the same reader's copy is the same."""
    made = mail("classic", "sample")
    first, again = copy(made, "sample"), copy(made, "sample")
    assert first == again
    parsed = message_from_bytes(first, policy=policy.default)
    assert parsed["To"] == "ann@example.org"
    assert parsed["Message-ID"] != message_from_bytes(made.eml, policy=policy.default)["Message-ID"]


@pytest.mark.parametrize("broken", ["https://a.example/\r\nBcc: all@a.example", "https://ä.example/"])
def test_a_broken_address_is_no_header(broken: str) -> None:
    """An address with a line end in it, or one that is not ASCII, is refused."""
    reader = Recipient(
        address="ann@example.org",
        unsubscribe_url=broken,
        unsubscribe_address="leave@a.example",
        preferences_url="https://a.example/",
        browser_url="https://a.example/",
    )
    with pytest.raises(ValueError, match="header line"):
        personalise(
            b"To: a@a.example\r\n\r\n", reader, ListIdentity(home_url="https://a.example/", id="a.b", feedback_id="x")
        )
