"""From a rendered digest to a mail: digest.eml, which any mail client opens, and the proof that the editor is sent.

In: a RenderedDigest and its Digest, or both parts of a proof. Out: the bytes of a multipart/alternative message
(RFC 5322, RFC 2046). Pure.

The message says nothing about unsubscribing in its header: whose subscription it is, only delivery knows. It carries no
``X-Unsent`` either, which would make Outlook open it for editing instead of showing it as readers see it.
"""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from pipeline.model.digest import Digest, Edition, Publication, RenderedDigest

_PROOF = EmailPolicy(linesep="\r\n", max_line_length=76)
"""Lines of RFC 2045's and RFC 2047's length.

Not for List-* headers: Python 3.11 turns an address too long for a line into an encoded word, and one-click
unsubscribing no longer works (cpython #74717). Whoever adds those writes them unfolded.
"""


def to_eml(rendered: RenderedDigest, digest: Digest) -> bytes:
    """Write the edition's mail: text, then HTML, both UTF-8; the same digest gives the same bytes.

    Date is the closing of the week. Lines end in CRLF; body lines are at most 76 characters.
    """
    publication = digest.publication
    sent_at = digest.closes_at.astimezone(ZoneInfo(publication.timezone))
    mark = f"{digest.week}.{digest.closes_at:%Y%m%d%H%M%S}.edition"
    message = _message(publication, rendered.subject, sent_at, mark)
    return _with_parts(message, rendered.text, rendered.html, digest.week)


def to_proof_eml(
    publication: Publication, edition: Edition, text: str, html: str, *, sequence: int, now: datetime
) -> bytes:
    """Write the proof of a draft, both parts of which have the banner above them.

    The same draft gives the same Message-ID, so a proof that is sent again after a crash is one mail; ``nth`` tells
    those apart that somebody asked for.
    """
    sent_at = now.astimezone(ZoneInfo(publication.timezone)).replace(microsecond=0)
    mark = f"{edition.week}.{edition.content_hash[:16]}.{sequence}.proof"
    message = _message(publication, f"[Proof] {edition.subject}", sent_at, mark)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer, please
    return _with_parts(message, text, html, edition.week)


def _message(publication: Publication, subject: str, sent_at: datetime, mark: str) -> EmailMessage:
    sender = _address(publication.sender)
    message = EmailMessage(policy=_PROOF)
    message["From"] = sender
    message["To"] = _address(publication.editor)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{mark}@{sender.domain}>"
    return message


def _with_parts(message: EmailMessage, text: str, html: str, week: str) -> bytes:
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{week}")  # "=_" never occurs in quoted-printable; the standard library's is random
    return message.as_bytes()


def _address(mailbox: str) -> Address:
    """Read ``Name <address>``; the name may hold anything, quoted or not."""
    name, address = parseaddr(" ".join(mailbox.split()))
    return Address(display_name=name, addr_spec=address)
