"""A recipient's copy: sealed bytes, the recipient's values, and nothing that a value could add."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.delivery.personalise import PersonalMessage
from pipeline.model.errors import DeliveryFailedError
from pipeline.model.message import PLACEHOLDERS, UNSUBSCRIBE, ListIdentity, Recipient, placeholder_url

HOME = "https://orchard.example/"
IDENTITY = ListIdentity(home_url=HOME, id="weekly.orchard.example", feedback_id="2026-W07:weekly:orchard")
RECIPIENT = Recipient(
    address="ida@reeds.example",
    unsubscribe_url=f"{HOME}unsubscribe/4f9?list=weekly&x=1",
    unsubscribe_mailto="mailto:bounces+u4f9@orchard.example?subject=unsubscribe%204f9",
    preferences_url=f"{HOME}preferences/4f9",
    browser_url=f"{HOME}archive/2026-W07",
)
HEADER = (
    "From: Orchard <weekly@orchard.example>\r\nTo: editor@orchard.example,\r\n other@orchard.example\r\n"
    "Subject: Pears\r\nMessage-ID: <2026-W07.7.edition@orchard.example>\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative;\r\n boundary="=_2026-W07"\r\n\r\n'
)


def sealed(text: str, html: str = "", header: str = HEADER) -> bytes:
    """Return a message whose parts are already in quoted-printable."""
    encoding = "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    parts = (f"--=_2026-W07\r\nContent-Type: text/{kind}\r\n{encoding}" for kind in ("plain", "html"))
    return "".join((header, next(parts), text, "\r\n", next(parts), html, "\r\n--=_2026-W07--\r\n")).encode()


def links(separator: str = " ") -> str:
    return separator.join(placeholder_url(HOME, name) for name in PLACEHOLDERS)


def copy(message: bytes, recipient: Recipient = RECIPIENT) -> bytes:
    return PersonalMessage.compile(message, IDENTITY).fill(recipient)


def test_headers_are_the_recipients_own() -> None:
    """Each on one line, the folded To is replaced as a whole, and all others are as they were sealed."""
    head = copy(sealed(links())).partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head == [
        "From: Orchard <weekly@orchard.example>",
        "To: ida@reeds.example",
        "Subject: Pears",
        "Message-ID: <2026-W07.7.edition.ef3fda2c9ad90cf52279@orchard.example>",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        ' boundary="=_2026-W07"',
        "Feedback-ID: 2026-W07:weekly:orchard",
        "List-Id: <weekly.orchard.example>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        f"List-Unsubscribe: <{RECIPIENT.unsubscribe_url}>, <{RECIPIENT.unsubscribe_mailto}>",
    ]


def test_each_copy_has_a_message_id_of_its_own() -> None:
    """Also that of a correction; a copy that is built again, after a crash, has the same bytes."""
    message, corrected = sealed(links()), sealed(f"Pears, not plums. {links()}")
    other = replace(RECIPIENT, address="Ida@reeds.example")
    copies = [copy(sent, one) for sent in (message, corrected) for one in (RECIPIENT, other)]
    assert len({message_from_bytes(one)["Message-ID"] for one in copies}) == 4
    assert copy(message) == copy(message)


@given(st.lists(st.integers(0, 400), max_size=12), st.sampled_from(["text", "html"]))
@settings(deadline=None, max_examples=60)
def test_soft_line_breaks_anywhere_change_nothing(breaks: list[int], part: str) -> None:
    """Every placeholder is found and filled in, wherever quoted-printable breaks its line."""
    body = f"Leave: {links(' or ')} and =C3=A9"
    for position in sorted({at % len(body) for at in breaks}, reverse=True):
        if "=" not in body[max(0, position - 2) : position]:  # never inside an encoded byte
            body = f"{body[:position]}=\r\n{body[position:]}"
    message = sealed(links(), body) if part == "html" else sealed(body, links())
    parsed = message_from_bytes(copy(message), policy=policy.default)
    plain, html = (each.get_content() for each in parsed.iter_parts())  # type: ignore[attr-defined]
    assert RECIPIENT.unsubscribe_url in plain
    assert RECIPIENT.unsubscribe_url.replace("&", "&amp;") in html
    assert all(url in plain and url in html for url in (RECIPIENT.preferences_url, RECIPIENT.browser_url))
    assert not any(name in plain + html for name in PLACEHOLDERS)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (sealed(UNSUBSCRIBE), "zzUnsubscribezz stands where no link"),
        (sealed(links(), f"{HOME[:-1]}/about#zz=55nsubscribezz"), "zzUnsubscribezz stands where no link"),
        (sealed(links().replace("orchard", "meadow")), "stands where no link"),
        (sealed("", header="From: a@b.example\r\nMessage-ID: <1@b.example>\r\n\r\n"), "one To"),
        (sealed("", header=f"to: x@b.example\r\n{HEADER}"), "one To"),
        (sealed("", header="To: x@b.example\r\n\r\n"), "one Message-ID"),
        (sealed("", header="To: x@b.example\r\nMessage-ID: 7\r\n\r\n"), "its Message-ID is invalid"),
        (sealed("", header=f"LIST-UNSUBSCRIBE: <x>\r\n{HEADER}"), "no list headers"),
        (b"", "one To"),
        *(
            (sealed("", header=f"{HEADER[:-2]}{hidden}"), "the lines of a message end in CRLF")
            for hidden in ("x: \n\nhidden\r\n\r\n", "x: \rc\r\n\r\n", "x: \0\r\n\r\n", f"x: {'a' * 999}\r\n\r\n")
        ),
    ],
)
def test_a_message_that_cannot_be_personalised_is_refused(message: bytes, words: str) -> None:
    """Before the first copy is sent, with the reason."""
    with pytest.raises(DeliveryFailedError, match=words) as raised:
        PersonalMessage.compile(message, IDENTITY)
    assert raised.value.kind == "message"


@pytest.mark.parametrize(
    "identity",
    [
        {"id": "weekly.orchard.example>\r\nBcc: all@reeds.example"},
        {"id": "weekly"},
        {"id": "w" * 250 + ".example"},
        {"feedback_id": "2026-W07:\r\nX: y"},
        {"feedback_id": "wöchentlich"},
        {"feedback_id": ""},
    ],
)
def test_an_identity_cannot_add_a_header(identity: dict[str, str]) -> None:
    """A list's identity is one word in ASCII."""
    with pytest.raises(DeliveryFailedError, match="is no identifier for"):
        PersonalMessage.compile(sealed(links()), replace(IDENTITY, **identity))


@pytest.mark.parametrize("field", ["unsubscribe_url", "unsubscribe_mailto", "preferences_url", "browser_url"])
@pytest.mark.parametrize(
    "end",
    ["\r\nBcc: all@reeds.example", "\n", "\r", "\0", "\x1b[2J", " ", "\t", "ä", "\u2028", "<b>", '"', ">", "a" * 999],
)
def test_a_link_cannot_add_anything(field: str, end: str) -> None:
    """Neither a header nor markup; every link is one URL in ASCII that fits on a line."""
    if field in ("preferences_url", "browser_url") and end.startswith("aaa"):
        return  # long links of the bodies are broken into lines
    with pytest.raises(DeliveryFailedError, match="a personal link is not a URL") as raised:
        copy(sealed(links()), replace(RECIPIENT, **{field: getattr(RECIPIENT, field) + end}))
    assert raised.value.kind == "message"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//orchard.example/x", "", "mailto:a@orchard.example"])
def test_a_link_of_another_scheme_is_refused(url: str) -> None:
    """Web pages are linked to by http or https, and mails by mailto."""
    for field, value in (("unsubscribe_url", url), ("unsubscribe_mailto", f"https:{url}")):
        with pytest.raises(DeliveryFailedError, match="a personal link"):
            copy(sealed(links()), replace(RECIPIENT, **{field: value}))


@pytest.mark.parametrize(
    "address",
    [
        *("ida@reeds.example\r\nBcc: all@reeds.example", "ida\0@reeds.example", "ida@reeds.example\n"),
        *("Ida <ida@reeds.example>", "ida@reeds.example>", "idä@reeds.example", "ida@rieds\u00e9.example", ""),
        *("ida@reeds.example, bo@reeds.example", "a" * 241 + "@reeds.example", "ida@", "ida reeds@reeds.example"),
    ],
)
def test_an_invalid_address_is_refused(address: str) -> None:
    """One that is not plain ASCII, or could name other recipients or add a header."""
    with pytest.raises(DeliveryFailedError, match=r"address") as raised:
        copy(sealed(links()), replace(RECIPIENT, address=address))
    assert raised.value.kind == "recipient"


@pytest.mark.parametrize(
    "address", ['"ida reeds"@reeds.example', "o'hara+news@reeds.example", '"ida, r@h"@reeds.example']
)
def test_unusual_addresses_arrive_as_they_are(address: str) -> None:
    """Quoted local parts and punctuation are valid (RFC 5321, 4.1.2)."""
    head = copy(sealed(links()), replace(RECIPIENT, address=address)).partition(b"\r\n\r\n")[0]
    assert f"\r\nTo: {address}\r\n".encode() in head
