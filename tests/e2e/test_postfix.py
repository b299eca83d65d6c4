"""An edition through Debian's Postfix and into a Maildir: everyone gets one copy, and its signature is valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from email import message_from_bytes
from pathlib import Path

import dkim
import pytest

from pipeline.delivery.dkim import DkimKey, DkimSigner, make_private_key
from pipeline.delivery.maildir import MaildirBackend
from pipeline.delivery.personalise import PersonalMessage
from pipeline.delivery.smtp import Smtp
from pipeline.delivery.smtp_backend import SmtpBackend
from pipeline.jobs.ports import DeliveryBackend
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.message import PLACEHOLDERS, ListIdentity, Recipient
from tests.golden.sample import PUBLICATION
from tests.postfix import DOMAIN, postfix

pytestmark = [pytest.mark.loopback, pytest.mark.slow]
SENDER_DOMAIN = "harbourandhearth.example"
EDITION = (
    (Path(__file__).parents[1] / "golden" / "sample.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
)
KEYS = {kind: DkimKey.read(f"{kind}1", make_private_key(kind)) for kind in ("rsa", "ed25519")}


def copies(addresses: Sequence[str]) -> list[Copy]:
    """Return a signed copy of the sample edition for each address."""
    identity = ListIdentity(home_url=PUBLICATION.url, id=f"weekly.{SENDER_DOMAIN}", feedback_id="2026-W07:weekly")
    edition, signer = PersonalMessage.compile(EDITION, identity), DkimSigner(SENDER_DOMAIN, [*KEYS.values()])
    made = []
    for number, address in enumerate(addresses):
        recipient = Recipient(
            address=address,
            unsubscribe_url=f"https://{SENDER_DOMAIN}/unsubscribe/{number:032}",
            unsubscribe_mailto=f"mailto:bounces+u{number:032}@{SENDER_DOMAIN}?subject=unsubscribe%20{number:032}",
            preferences_url=f"https://{SENDER_DOMAIN}/preferences/{number:032}?a=1&b=2",
            browser_url=f"https://{SENDER_DOMAIN}/archive/2026-W07",
        )
        sender = f"bounces+d{number:032}@{SENDER_DOMAIN}"
        message = signer.sign(edition.fill(recipient))
        made.append(Copy(delivery_id=number, attempt=1, address=address, sender=sender, message=message))
    return made


def send(backend: DeliveryBackend, wanted: Sequence[Copy]) -> list[DeliveryResult]:
    with closing(backend.open()) as connection:
        groups = (wanted[start : start + backend.max_batch] for start in range(0, len(wanted), backend.max_batch))
        return [result for group in groups for result in connection.send(group, lambda committed: committed)]


def check_copy(raw: bytes, copy: Copy) -> None:
    """Check that a delivered message is the one that was sent, and that both of its signatures are valid."""
    records = {f"{key.selector}._domainkey.{SENDER_DOMAIN}.".encode(): key.dns_record.encode() for key in KEYS.values()}
    message = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert message.endswith(copy.message)
    for index in (0, 1):
        assert dkim.DKIM(message).verify(idx=index, dnsfunc=lambda name, **_: records.get(name))
    parsed = message_from_bytes(message)
    assert parsed["To"] == copy.address
    assert parsed["List-Unsubscribe"].startswith(
        f"<https://{SENDER_DOMAIN}/unsubscribe/{copy.delivery_id:032}>, <mailto:"
    )
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    parts = [part.get_payload(decode=True) for part in parsed.walk() if not part.is_multipart()]
    assert not any(name.encode() in part for name in PLACEHOLDERS for part in parts if isinstance(part, bytes))


@pytest.mark.requires("postfix")
def test_postfix_delivers_every_copy_once(tmp_path: Path) -> None:
    """Over connections that are renewed, with a pipelined envelope; where it may not relay, the edition stops."""
    people = [*(f"p{number}@{DOMAIN}" for number in range(40)), f'"ida reeds"@{DOMAIN}', f"o'hara+x@{DOMAIN}"]
    wanted = {copy.address: copy for copy in copies(people)}
    with postfix(tmp_path) as server:
        smtp = Smtp(host="127.0.0.1", port=server.port, sender="", security="none", helo=SENDER_DOMAIN)
        backend = SmtpBackend(smtp, messages_per_connection=15)
        results = send(backend, [*wanted.values()])
        [denied] = send(backend, copies(["ida@elsewhere.example"]))
        delivered = server.messages(len(people))
    assert Counter(result.outcome for result in results) == {"sent": len(people)}
    assert (denied.outcome, "Relay access denied" in denied.reply) == ("stop", True)
    by_address = {message_from_bytes(raw)["To"]: raw for raw in delivered}
    assert (len(delivered), set(by_address)) == (len(people), set(people))
    for address, raw in by_address.items():
        assert message_from_bytes(raw)["Return-Path"] == f"<{wanted[address].sender}>"
        check_copy(raw, wanted[address])


def test_a_maildir_gets_every_copy_once(tmp_path: Path) -> None:
    """Byte for byte, also when it is sent twice."""
    wanted = copies([f"p{number}@{DOMAIN}" for number in range(120)])
    for _ in range(2):
        assert {result.outcome for result in send(MaildirBackend(tmp_path / "people"), wanted)} == {"sent"}
    files = sorted((tmp_path / "people" / "new").iterdir())
    assert len(files) == len(wanted)
    by_address = {copy.address: copy for copy in wanted}
    for file in files:
        check_copy(file.read_bytes(), by_address[message_from_bytes(file.read_bytes())["To"]])
