"""Write messages: an edition's digest.eml, and the proof sent to the editor (RFC 5322, RFC 2046, RFC 2045).

An edition has no List-Unsubscribe header: only delivery knows whose subscription it is. It has no ``X-Unsent`` header
either, which would make Outlook open it for editing.
"""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from zoneinfo import ZoneInfo

from pipeline.model.digest import Digest, Edition, Publication, RenderedDigest
from pipeline.text.message_headers import message_headers

_POLICY = EmailPolicy(linesep="\r\n", max_line_length=76)
"""Line lengths of RFC 2045, for bodies and their headers; all other headers are written by ``message_headers``."""


def to_eml(rendered: RenderedDigest, digest: Digest) -> bytes:
    """Return an edition as a message: plain text, then HTML, both UTF-8; the same digest gives the same bytes.

    Its Date is the closing of the week. Lines end in CRLF; body lines have at most 76 characters.
    """
    sent_at = digest.closes_at.astimezone(ZoneInfo(digest.publication.timezone))
    message_id = f"{digest.week}.{digest.closes_at:%Y%m%d%H%M%S}.edition"
    headers = _headers(digest.publication, rendered.subject, sent_at, message_id)
    return headers + _parts(EmailMessage(policy=_POLICY), rendered.text, rendered.html, digest.week)


def to_proof_eml(
    publication: Publication, edition: Edition, text: str, html: str, *, sequence: int, now: datetime
) -> bytes:
    """Return the proof of a draft as a message; its parts already have the banner.

    The same draft and ``sequence`` give the same Message-ID, so that a proof repeated after a crash counts as one
    message. ``sequence`` distinguishes proofs that were requested.
    """
    sent_at = now.astimezone(ZoneInfo(publication.timezone)).replace(microsecond=0)
    message_id = f"{edition.week}.{edition.content_hash[:16]}.{sequence}.proof"
    headers = _headers(publication, f"[Proof] {edition.subject}", sent_at, message_id)
    message = EmailMessage(policy=_POLICY)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents out-of-office replies
    return headers + _parts(message, text, html, edition.week)


def _headers(publication: Publication, subject: str, sent_at: datetime, message_id: str) -> bytes:
    return message_headers(
        sender=publication.sender,
        recipient=publication.editor,
        subject=subject,
        sent_at=sent_at,
        message_id=message_id,
    )


def _parts(message: EmailMessage, text: str, html: str, week: str) -> bytes:
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{week}")  # "=_" never occurs in quoted-printable; the standard library's is random
    return message.as_bytes()
