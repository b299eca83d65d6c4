"""An edition through Debian's Postfix and into a Maildir: everyone gets one copy, and its signature is valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import dkim
import pytest

from pipeline.delivery.dkim import DkimKey, DkimSigner, make_private_key
from pipeline.delivery.maildir import MaildirBackend
from pipeline.delivery.personalise import PersonalMessage
from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.sender import SmtpBackend
from pipeline.jobs.deliveries.copies import CopyWriter, list_identity
from pipeline.jobs.ports import DeliveryBackend
from pipeline.model.delivery import Copy, Delivery, DeliveryResult
from pipeline.model.message import PLACEHOLDERS, ListIdentity, Recipient
from pipeline.model.variant import WHOLE
from tests.deliveries import OpenWorker
from tests.golden.sample import PUBLICATION
from tests.postfix import DOMAIN, postfix
from tests.subscriber_pages import PUBLIC_URL, open_pages, write_publication

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
    with closing(OpenWorker(backend)) as worker:
        return worker.send(wanted, lambda committed: committed)


def check_signatures(raw: bytes) -> Message:
    """Return a delivered message; both of its signatures must be valid."""
    records = {f"{key.selector}._domainkey.{SENDER_DOMAIN}.".encode(): key.dns_record.encode() for key in KEYS.values()}
    message = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for index in (0, 1):
        assert dkim.DKIM(message).verify(idx=index, dnsfunc=lambda name, **_: records.get(name))
    return message_from_bytes(message)


def check_copy(raw: bytes, copy: Copy) -> None:
    """Check that a delivered message is the one that was sent, and that both of its signatures are valid."""
    parsed = check_signatures(raw)
    assert raw.replace(b"\r\n", b"\n").endswith(copy.message.replace(b"\r\n", b"\n"))
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


def test_one_click_on_a_delivered_copy_unsubscribes(tmp_path: Path) -> None:
    """As a mailbox provider does it: it checks the signature, and POSTs to the URL of the header (RFC 8058)."""
    with open_pages(write_publication(tmp_path)) as pages:
        context, ada = pages.audience.context, pages.active()
        identity = replace(list_identity(context, "2026-W07"), home_url=PUBLICATION.url)
        messages = {WHOLE.name: PersonalMessage.compile(EDITION, identity)}
        signer = DkimSigner(SENDER_DOMAIN, [*KEYS.values()])
        writer = CopyWriter(
            context=context, week="2026-W07", messages=messages, bounce_address="", add_signature=signer.sign
        )
        delivery = Delivery(
            id=1,
            week="2026-W07",
            subscriber_id=ada.id,
            address=ada.address,
            variant=WHOLE.name,
            state="claimed",
            attempts=1,
            due_at=pages.now,
            changed_at=pages.now,
        )
        copy = writer.write(delivery, ada, pages.now)
        [result] = send(MaildirBackend(tmp_path / "people"), [copy])
        [file] = (tmp_path / "people" / "new").iterdir()
        message = check_signatures(file.read_bytes())
        url = message["List-Unsubscribe"].partition("<")[2].partition(">")[0]
        response = pages.post(url.removeprefix(PUBLIC_URL), dict([message["List-Unsubscribe-Post"].split("=")]))
        assert (result.outcome, response.status_code) == ("sent", 200)
        assert (pages.subscriber().state, pages.events()[-1]) == ("left", "left")
