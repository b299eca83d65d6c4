"""Mails to one person, besides what all messages are checked for: headers, size, links and plain text."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest

from pipeline.digest.render.person_mail_view import LISTED
from tests.golden.person_mails import (
    CONTENTS,
    LOG_IN_CONTENT,
    log_in_mail,
    log_in_message,
    message,
    person_mail,
)
from tests.mail.editions import PERSON_MAILS, THEMES
from tests.mail.validators import ParsedMarkup, identifier_errors

every_mail = pytest.mark.parametrize(("theme", "name"), PERSON_MAILS)
MAX_BYTES = 20_000


@every_mail
def test_is_small(theme: str, name: str) -> None:
    """Even an awkward one is far below the size that Gmail cuts."""
    assert len(person_mail(theme, name).html.encode()) <= MAX_BYTES


@every_mail
def test_has_the_headers_of_its_kind(theme: str, name: str) -> None:
    """Who gets the newsletter may unsubscribe with one click; nobody answers automatically."""
    eml = message(theme, name)
    parsed = message_from_bytes(eml, policy=policy.default)
    expected = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}
    is_listed = CONTENTS[name].kind in LISTED
    assert set(parsed.keys()) == expected | ({"List-Unsubscribe", "List-Unsubscribe-Post"} if is_listed else set())
    assert parsed["To"] == "ada@quay.example"
    assert parsed["Auto-Submitted"] == "auto-generated"
    head = eml.partition(b"\r\n\r\n")[0].decode("ascii")
    assert identifier_errors(eml) == []
    assert (f"\r\nList-Unsubscribe: <{CONTENTS[name].unsubscribe_url}>\r\n" in head) == is_listed
    assert ("\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in head) == is_listed


@every_mail
def test_shows_one_heading_and_its_links(theme: str, name: str) -> None:
    """One h1; every link it is about, and the code, in both parts."""
    made, content = person_mail(theme, name), CONTENTS[name]
    markup = ParsedMarkup(made.html)
    assert [tag for tag, _ in markup.elements].count("h1") == 1
    links = {content.confirm_url, content.guide_url, content.preferences_url, content.unsubscribe_url, *stories(name)}
    assert links - {""} <= set(markup.hrefs)
    assert all(link in made.text for link in links)
    assert content.code in markup.text
    assert content.code in made.text.split() or not content.code


def stories(name: str) -> set[str]:
    return {story.url for story in CONTENTS[name].stories}


@every_mail
def test_text_part_can_be_read(theme: str, name: str) -> None:
    """Lines of at most 72 characters but for addresses and long words, no tags, no trailing blanks, no gaps."""
    text = person_mail(theme, name).text
    long = [line for line in text.split("\n") if len(line) > 72 and " " in line.strip()]
    assert long == []
    assert not re.search(r"[ \t]\n|\n{4}|&(?:amp|nbsp|lt);", text)
    assert text.endswith("\n")


@pytest.mark.parametrize("theme", THEMES)
def test_the_mail_to_log_in_has_its_link_in_both_parts(theme: str) -> None:
    """Both say how long it works; the headers are those of a mail that nobody answers or unsubscribes from."""
    made, content = log_in_mail(theme), LOG_IN_CONTENT
    parsed = message_from_bytes(log_in_message(theme), policy=policy.default)
    assert (parsed["Subject"], parsed["To"]) == ("Log in to the desk of Harbour & Hearth", "ann@quay.example")
    assert (parsed["Auto-Submitted"], parsed["List-Unsubscribe"]) == ("auto-generated", None)
    assert content.url in ParsedMarkup(made.html).hrefs
    for text in (made.text, ParsedMarkup(made.html).text):
        words = " ".join(text.split())
        assert "Hello Ann O’Hara & Sons, press the button" in words
        assert "The link works once, for 15 minutes." in words
    assert content.url in made.text
    assert "nsubscribe" not in made.html


@pytest.mark.parametrize("theme", THEMES)
def test_nobody_unsubscribes_from_a_confirmation(theme: str) -> None:
    """There is no such link, and no placeholder of one."""
    for name in ("confirmation", "address"):
        assert "nsubscribe<" not in person_mail(theme, name).html
        assert "#zz" not in person_mail(theme, name).html
