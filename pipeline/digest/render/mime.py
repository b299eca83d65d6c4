"""Write messages: an edition's digest.eml, the proof sent to the editor, and messages to one person (RFC 5322, 2046).

An edition has no List-Unsubscribe header: only delivery knows whose subscription it is. It has no ``X-Unsent`` header
either, which would make Outlook open it for editing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import EmailPolicy
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pipeline.model.digest import Digest, Edition, Publication, RenderedDigest
from pipeline.text.message_headers import message_headers
from pipeline.text.picture_references import FOLDER, is_reference, with_content_ids

_POLICY = EmailPolicy(linesep="\r\n", max_line_length=76)
"""Line lengths of RFC 2045, for bodies and their headers; all other headers are written by ``message_headers``."""


def to_eml(
    rendered: RenderedDigest,
    digest: Digest,
    *,
    variant: str = "edition",
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> bytes:
    """Return an edition as a message: plain text, then HTML, both UTF-8; the same digest gives the same bytes.

    Its Date is the closing of the week; its Message-ID has the name of the ``variant``. A correction has the date it
    was made and an own Message-ID, and refers to that of the edition. Lines end in CRLF; body lines have at most 76
    characters. Uploaded ``pictures``, by reference, are embedded.
    """
    message_id = f"{digest.week}.{digest.closes_at:%Y%m%d%H%M%S}.{variant}"
    sent_at, reply_to = digest.closes_at, ""
    if digest.correction:
        sent_at, reply_to = digest.correction.made_at.replace(microsecond=0), message_id
        message_id += f".correction-{digest.correction.number}"
    sent_at = sent_at.astimezone(ZoneInfo(digest.publication.timezone))
    headers = _headers(digest.publication, rendered.subject, sent_at, message_id, reply_to)
    return headers + _parts(EmailMessage(policy=_POLICY), rendered.text, rendered.html, digest.week, pictures)


def to_proof_eml(
    publication: Publication, edition: Edition, text: str, html: str, *, sequence: int, now: datetime
) -> bytes:
    """Return the proof of a draft as a message; its parts already have the banner.

    The same draft and ``sequence`` give the same Message-ID, so that a proof repeated after a crash counts as one
    message. ``sequence`` distinguishes proofs that were requested. The variants are attached, byte for byte.
    """
    sent_at = now.astimezone(ZoneInfo(publication.timezone)).replace(microsecond=0)
    message_id = f"{edition.week}.{edition.content_hash[:16]}.{sequence}.proof"
    headers = _headers(publication, f"[Proof] {edition.subject}", sent_at, message_id)
    message = EmailMessage(policy=_POLICY)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents out-of-office replies
    pictures = embedded_pictures(edition.eml)
    if not edition.variants:
        return headers + _parts(message, text, html, edition.week, pictures)
    headers += b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
    return headers + _mixed(_parts(EmailMessage(policy=_POLICY), text, html, edition.week, pictures), edition)


def to_person_eml(
    publication: Publication,
    address: str,
    subject: str,
    text: str,
    html: str,
    *,
    message_id: str,
    unsubscribe_url: str,
    now: datetime,
) -> bytes:
    """Return a message to one person; with a URL that unsubscribes at once (RFC 8058), it has the headers for that.

    Raise ValueError for a URL that is not a header line.
    """
    headers = message_headers(
        sender=publication.sender, recipient=address, subject=subject, sent_at=now, message_id=message_id
    )
    if unsubscribe_url:
        if not unsubscribe_url.isascii() or not unsubscribe_url.isprintable() or " " in unsubscribe_url:
            raise ValueError(f"not a URL in a header: {unsubscribe_url!r}")
        # One line, however long: folded into an encoded word it would not be understood (cpython #74717).
        headers += f"List-Unsubscribe: <{unsubscribe_url}>\r\n".encode()
        headers += b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    message = EmailMessage(policy=_POLICY)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents out-of-office replies
    return headers + _parts(message, text, html, "mail")


def _headers(publication: Publication, subject: str, sent_at: datetime, message_id: str, reply_to: str = "") -> bytes:
    return message_headers(
        sender=publication.sender,
        recipient=publication.editor,
        subject=subject,
        sent_at=sent_at,
        message_id=message_id,
        reply_to=reply_to,
    )


def embedded_pictures(eml: bytes) -> dict[str, bytes]:
    """Return the pictures embedded in the message of an edition, by reference."""
    if b"\r\nContent-ID:" not in eml:
        return {}
    parts = message_from_bytes(eml).walk()
    names = ((str(part["Content-ID"] or "").strip("<> ").rpartition("@")[0], part) for part in parts)
    contents = ((f"{FOLDER}/{name}", part.get_payload(decode=True)) for name, part in names)
    return {reference: bytes(content) for reference, content in contents if is_reference(reference) and content}


def _parts(
    message: EmailMessage, text: str, html: str, week: str, pictures: Mapping[str, bytes] = MappingProxyType({})
) -> bytes:
    """Return the last headers and the body of a message; pictures that the HTML shows are embedded (RFC 2387, 2392)."""
    html, shown = with_content_ids(html) if pictures else (html, ())
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if embedded := [reference for reference in shown if reference in pictures]:
        related = message.get_payload()[-1]  # type: ignore[index]
        for reference in embedded:
            name = reference.rpartition("/")[2]
            subtype = "png" if name.endswith(".png") else "jpeg"
            related.add_related(  # type: ignore[union-attr]
                pictures[reference],
                "image",
                subtype,
                cid=f"<{name}@{FOLDER}>",
                disposition="inline",
                filename=name,
            )
        related.set_boundary(f"=_pictures-{week}")  # type: ignore[union-attr]
    message.set_boundary(f"=_{week}")  # "=_" never occurs in quoted-printable; the standard library's is random
    return message.as_bytes()


def _mixed(first: bytes, edition: Edition) -> bytes:
    """Return the last header and the body of a message with an edition's variants attached (RFC 2046, 5.2.1).

    Written by hand, as ``EmailMessage`` would fold the headers of the variants anew.
    """
    boundary = f"=_variants-{edition.week}"
    parts = [first]
    for variant in edition.variants:
        disposition = f'Content-Disposition: attachment; filename="{variant.name}.eml"'
        parts.append(f"Content-Type: message/rfc822\r\n{disposition}\r\n\r\n".encode() + variant.eml)
    body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts)
    return (
        f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode() + body + f"--{boundary}--\r\n".encode()
    )
