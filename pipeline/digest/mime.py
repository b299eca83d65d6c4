"""From a rendered digest to a mail file: digest.eml, a proof for the editor that any mail client opens.

In: a RenderedDigest and its Digest. Out: the bytes of a multipart/alternative message (RFC 5322, RFC 2046). Pure.

The message says nothing about unsubscribing in its header: whose subscription it is, only delivery knows. It carries no
``X-Unsent`` either, which would make Outlook open it for editing instead of showing it as readers see it.
"""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from zoneinfo import ZoneInfo

from pipeline.model.digest import Digest, RenderedDigest

_PROOF = EmailPolicy(linesep="\r\n", max_line_length=76)
"""Lines of RFC 2045's and RFC 2047's length.

Not for List-* headers: Python 3.11 turns an address too long for a line into an encoded word, and one-click
unsubscribing no longer works (cpython #74717). Whoever adds those writes them unfolded.
"""


def to_eml(rendered: RenderedDigest, digest: Digest) -> bytes:
    """Write the proof: text, then HTML, both UTF-8; the same digest gives the same bytes.

    Date is the closing of the week. Lines end in CRLF; body lines are at most 76 characters.
    """
    publication = digest.publication
    sent_at = digest.closes_at.astimezone(ZoneInfo(publication.timezone))
    sender = _address(publication.sender)
    message = EmailMessage(policy=_PROOF)
    message["From"] = sender
    message["To"] = _address(publication.editor)
    message["Subject"] = " ".join(rendered.subject.split())
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{digest.week}.{digest.closes_at:%Y%m%d%H%M%S}.proof@{sender.domain}>"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{digest.week}")  # "=_" never occurs in quoted-printable; the standard library's is random
    return message.as_bytes()


def _address(mailbox: str) -> Address:
    """Read ``Name <address>``; the name may hold anything, quoted or not."""
    name, address = parseaddr(" ".join(mailbox.split()))
    return Address(display_name=name, addr_spec=address)
