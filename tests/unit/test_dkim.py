"""Signatures of DKIM, verified with dkimpy: valid as signed, and broken by whatever matters."""

from __future__ import annotations

import re
from functools import cache

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.delivery.dkim import DkimKey, DkimSigner, make_private_key
from pipeline.model.errors import ConfigError

DOMAIN = "orchard.example"
MESSAGE = (
    b"From: The Orchard <weekly@orchard.example>\r\nTo: ida@reeds.example\r\nSubject: Pears,\r\n  and   plums \r\n"
    b"Date: Mon, 16 Feb 2026 00:00:00 +0000\r\nMessage-ID: <7@orchard.example>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/alternative;\r\n\tboundary=x\r\nX-Other: 1\r\nFeedback-ID: 7:weekly\r\n"
    b"List-Id: <weekly.orchard.example>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"List-Unsubscribe: <https://orchard.example/u/4f9>, <mailto:u@orchard.example>\r\n\r\n"
    b"A pear.\r\n\r\n.\r\nA plum.\r\n\r\n\r\n"
)


@cache
def key(kind: str) -> DkimKey:
    return DkimKey.read(f"{kind}1", make_private_key("rsa" if kind == "rsa" else "ed25519"))


def signed(message: bytes, *kinds: str) -> bytes:
    return DkimSigner(DOMAIN, [key(kind) for kind in kinds or ("rsa",)]).sign(message)


def valid(message: bytes, index: int = 0) -> bool:
    """Verify one signature of a message as a receiver does, with the keys published in DNS."""
    records = {f"{kind}1._domainkey.{DOMAIN}.".encode(): key(kind).dns_record.encode() for kind in ("rsa", "ed25519")}
    verifier = dkim.DKIM(message, minkey=1024)
    try:
        return bool(verifier.verify(idx=index, dnsfunc=lambda name, **_: records.get(name)))
    except dkim.DKIMException:
        return False


@pytest.mark.parametrize("kinds", [("rsa",), ("ed25519",), ("rsa", "ed25519")])
def test_signatures_are_valid(kinds: tuple[str, ...]) -> None:
    """Every one of them; signing again gives the same bytes, and the message behind them is unchanged."""
    message = signed(MESSAGE, *kinds)
    assert message.endswith(MESSAGE)
    assert [valid(message, index) for index in range(len(kinds))] == [True] * len(kinds)
    assert message == signed(MESSAGE, *kinds)
    assert max(map(len, message.split(b"\r\n"))) <= 100


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *((f"\r\n{name}: ".encode(), f"\r\n{name}: x".encode()) for name in (
            *("To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Feedback-ID", "List-Id"),
            *("List-Unsubscribe", "List-Unsubscribe-Post"),
        )),
        (b"From: The", b"From: A"),
        (b"X-Other: 1\r\n", b"From: eve@reeds.example\r\n"),
        (b"A plum.", b"A plum!"),
        (b"A pear.\r\n\r\n", b"A pear.\r\n"),
    ],
)  # fmt: skip
def test_changes_break_the_signature(old: bytes, new: bytes) -> None:
    """Of every header that matters and of the body; another From cannot be added."""
    for kind in ("rsa", "ed25519"):
        message = signed(MESSAGE, kind)
        changed = message.replace(old, new, 1)
        assert changed != message
        assert not valid(changed)


def test_nobody_can_add_another_author() -> None:
    """One From more than there is is signed, since not every receiver refuses a second one (RFC 6376, 8.15)."""
    message, added = signed(MESSAGE), b"From: eve@reeds.example\r\n"
    names = re.sub(rb"\s", b"", message.partition(b" h=")[2].partition(b";")[0]).split(b":")
    assert names.count(b"from") == 2
    assert not valid(added + message)
    assert not valid(message.replace(b"To: ida", added + b"To: ida"))


def test_harmless_changes_keep_the_signature() -> None:
    """Other headers, another folding and blank lines at the end, as mail servers change them."""
    message = signed(MESSAGE)
    for changed in (
        message.replace(b"X-Other: 1\r\n", b"X-Other: 2\r\nReceived: x\r\n"),
        message.replace(b"Pears,\r\n  and   plums \r\n", b"Pears, and\r\n plums\r\n"),
        message + b"\r\n\r\n",
        b"Received: from x\r\n" + message,
    ):
        assert changed != message
        assert valid(changed)


@given(
    st.lists(
        st.sampled_from(["A: 1", "From: a@b.example", "To: x", "Subject:", "subject: a  b\r\n\t c", "List-Id: x"])
    ),
    st.lists(st.sampled_from(["", " ", "x", ".", "\t", "=C3=A9 ", "--=_"])),
)
@settings(deadline=None, max_examples=100)
def test_every_message_with_an_author_can_be_signed(headers: list[str], lines: list[str]) -> None:
    """Headers repeated, empty or missing, bodies empty or of blank lines only."""
    head = "\r\n".join(["From: a@orchard.example", *(one for one in headers if not one.startswith("From"))])
    message = "\r\n".join([head, "", *lines]).encode()
    assert valid(signed(message, "ed25519"))


def test_a_dns_record_has_the_public_key() -> None:
    """And no part of the private one; a key does not show itself."""
    for kind in ("rsa", "ed25519"):
        assert re.fullmatch(rf"v=DKIM1; k={kind}; p=[A-Za-z0-9+/]+=*", key(kind).dns_record)
        assert key(kind).kind == kind
        assert "PRIVATE" not in repr(key(kind))
        assert "private_key" not in repr(key(kind))


def pem(private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, encryption
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"", "no private key"),
        (lambda: b"\xff\x00-----BEGIN", "no private key"),
        (lambda: make_private_key().replace(b"A", b"B"), "no private key"),
        (lambda: key("rsa").dns_record.encode(), "no private key"),
        (lambda: pem(rsa.generate_private_key(65_537, 1024), b"secret"), "without a passphrase"),
        (lambda: pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
    ],
)
def test_unusable_keys_are_refused(make: object, words: str) -> None:
    """With the reason, and without a word of their content."""
    with pytest.raises(ConfigError, match=words):
        DkimKey.read("s1", make())  # type: ignore[operator]


def test_an_old_key_file_is_read() -> None:
    """In the format of OpenSSL before 1.0."""
    old = rsa.generate_private_key(65_537, 1024)
    assert DkimKey.read("s1", pem(old)).private_key.private_numbers() == old.private_numbers()  # type: ignore[union-attr]
