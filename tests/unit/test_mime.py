"""The message file of an edition: structure, headers and line lengths."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.digest import Digest
from pipeline.model.message import PLACEHOLDERS, placeholder_url
from pipeline.text.merge_tags import WORD_JOINER
from tests.golden.sample import BARE, PUBLICATION, SAMPLE, STRESS

THEMES = Path(__file__).parent.parent.parent / "templates"
DIGESTS = {"sample": SAMPLE, "stress": STRESS, "bare": BARE}


def raw(digest: Digest) -> bytes:
    return to_eml(render(digest, load_theme([THEMES], "classic")), digest)


def parsed(digest: Digest) -> EmailMessage:
    message = message_from_bytes(raw(digest), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("name", DIGESTS)
def test_text_comes_first_then_html(name: str) -> None:
    """multipart/alternative, both parts UTF-8 and complete."""
    mail = parsed(DIGESTS[name])
    rendered = render(DIGESTS[name], load_theme([THEMES], "classic"))
    text, html = mail.iter_parts()
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in (text, html)] == ["utf-8", "utf-8"]
    assert [part.get_content().replace("\r\n", "\n") for part in (text, html)] == [rendered.text, rendered.html]
    assert not mail.defects


@pytest.mark.parametrize("name", DIGESTS)
def test_lines_are_short_and_end_in_crlf(name: str) -> None:
    """No line is over 76 characters and no line feed is alone."""
    content = raw(DIGESTS[name])
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert content.isascii()


def test_same_digest_same_bytes() -> None:
    """Boundary, date and Message-ID follow from the edition."""
    assert raw(SAMPLE) == raw(SAMPLE)
    assert b'boundary="=_2026-W07"' in raw(SAMPLE)
    assert raw(SAMPLE).count(b"--=_2026-W07") == 3


def test_date_is_the_closing_of_the_week() -> None:
    """In the publication's time zone."""
    assert parsed(SAMPLE)["Date"] == "Mon, 16 Feb 2026 00:00:00 +0000"
    tokyo = replace(SAMPLE, publication=replace(PUBLICATION, timezone="Asia/Tokyo"))
    assert parsed(tokyo)["Date"] == "Mon, 16 Feb 2026 09:00:00 +0900"


def test_from_to_and_message_id() -> None:
    """From is the publication's sender, To the editor, and the Message-ID has the sender's domain."""
    mail = parsed(SAMPLE)
    assert mail["From"] == "Harbour & Hearth <letter@harbourandhearth.example>"
    assert mail["To"] == "editor@harbourandhearth.example"
    assert re.fullmatch(r"<2026-W07\.\w+\.edition@harbourandhearth\.example>", mail["Message-ID"])


def test_identifiers_are_never_encoded_words() -> None:
    """A long Message-ID stays on one line, as an encoded word would be another identifier."""
    domain = f"{'long' * 15}.{'longer' * 9}.example"
    mail = raw(replace(SAMPLE, publication=replace(PUBLICATION, sender=f"letter@{domain}")))
    line = next(line for line in mail.split(b"\r\n") if line.startswith(b"Message-ID"))
    assert line.endswith(f"@{domain}>".encode())


def test_hostile_subject_is_one_header() -> None:
    """CR and LF in a title cannot add a header; the text is kept."""
    mail = parsed(STRESS)
    assert "Bcc" not in mail
    assert mail["Subject"].replace(WORD_JOINER, "") == " ".join(STRESS.subject.split())
    assert mail["From"].addresses[0].display_name == "Ħarbour, Hearth & Co."


def test_encoded_words_are_short() -> None:
    """RFC 2047 allows an encoded word 75 characters."""
    assert all(len(word) <= 75 for word in re.findall(rb"=\?.*?\?=", raw(STRESS).split(b"\r\n\r\n")[0]))


def test_no_list_headers() -> None:
    """List-* headers and placeholders belong to delivery."""
    head = raw(SAMPLE).split(b"\r\n\r\n")[0]
    assert b"List-" not in head
    assert not any(place.encode() in head for place in PLACEHOLDERS)


@pytest.mark.parametrize("name", DIGESTS)
def test_placeholders_survive_quoted_printable(name: str) -> None:
    """Each is complete in the encoded bytes, as often as it was written."""
    digest = DIGESTS[name]
    written = render(digest, load_theme([THEMES], "classic"))
    for place in PLACEHOLDERS:
        url = placeholder_url(digest.publication.url, place)
        assert raw(digest).count(url.encode()) == written.html.count(url) + written.text.count(url) >= 2
