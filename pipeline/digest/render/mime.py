"""Write messages: an edition's digest.eml, and the proof sent to the editor (RFC 5322, RFC 2046, RFC 2045).

An edition has no List-Unsubscribe header: only delivery knows whose subscription it is. It has no ``X-Unsent`` header
either, which would make Outlook open it for editing.
"""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from pipeline.model.digest import Digest, Edition, Publication, RenderedDigest

_POLICY = EmailPolicy(linesep="\r\n", max_line_length=76)
"""Line lengths of RFC 2045 and RFC 2047.

Not for List-* headers: Python 3.11 turns an address too long for a line into an encoded word, which breaks one-click
unsubscribing (cpython #74717). Write those headers unfolded.
"""


def to_eml(rendered: RenderedDigest, digest: Digest) -> bytes:
    """Return an edition as a message: plain text, then HTML, both UTF-8; the same digest gives the same bytes.

    Its Date is the closing of the week. Lines end in CRLF; body lines have at most 76 characters.
    """
    sent_at = digest.closes_at.astimezone(ZoneInfo(digest.publication.timezone))
    message_id = f"{digest.week}.{digest.closes_at:%Y%m%d%H%M%S}.edition"
    message = _message(digest.publication, rendered.subject, sent_at, message_id)
    return _with_parts(message, rendered.text, rendered.html, digest.week)


def to_proof_eml(
    publication: Publication, edition: Edition, text: str, html: str, *, sequence: int, now: datetime
) -> bytes:
    """Return the proof of a draft as a message; its parts already have the banner.

    The same draft and ``sequence`` give the same Message-ID, so that a proof repeated after a crash counts as one
    message. ``sequence`` distinguishes proofs that were requested.
    """
    sent_at = now.astimezone(ZoneInfo(publication.timezone)).replace(microsecond=0)
    message_id = f"{edition.week}.{edition.content_hash[:16]}.{sequence}.proof"
    message = _message(publication, f"[Proof] {edition.subject}", sent_at, message_id)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents out-of-office replies
    return _with_parts(message, text, html, edition.week)


def _message(publication: Publication, subject: str, sent_at: datetime, message_id: str) -> EmailMessage:
    sender = _address(publication.sender)
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = _address(publication.editor)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{message_id}@{sender.domain}>"
    return message


def _with_parts(message: EmailMessage, text: str, html: str, week: str) -> bytes:
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{week}")  # "=_" never occurs in quoted-printable; the standard library's is random
    return message.as_bytes()


def _address(mailbox: str) -> Address:
    """Parse ``Name <address>``; the name may hold any characters, quoted or not."""
    name, address = parseaddr(" ".join(mailbox.split()))
    return Address(display_name=name, addr_spec=address)
