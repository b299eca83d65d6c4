"""Write an alert as an email message. Pure."""

from __future__ import annotations

import textwrap
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import sha256

from pipeline.model.alert import Alert
from pipeline.text.message_headers import message_headers

_POLICY = EmailPolicy(linesep="\r\n", max_line_length=76)
_FOOTER = "This alert is sent once. `pipeline status` shows all current problems."


def alert_message(alert: Alert, *, sender: str, recipient: str, name: str) -> bytes:
    r"""Return a text/plain message (RFC 5322, CRLF, 7 bit); the same alert gives the same bytes and Message-ID.

    ``sender`` and ``recipient`` are mailboxes; ``name`` is the publication's name, for the subject.

    >>> from datetime import UTC, datetime
    >>> alert = Alert(key="k", subject="All is quiet", text="Too quiet.", raised_at=datetime(2026, 2, 9, tzinfo=UTC))
    >>> message = alert_message(alert, sender="a@h.example", recipient="b@h.example", name="H & H")
    >>> b"Subject: [H & H] All is quiet\r\n" in message
    True
    """
    unique = sha256(f"{alert.key} {alert.raised_at.isoformat()} {alert.subject}".encode()).hexdigest()[:20]
    headers = message_headers(
        sender=sender,
        recipient=recipient,
        subject=f"[{name}] {alert.subject}",
        sent_at=alert.raised_at,
        message_id=f"{unique}.alert",
    )
    message = EmailMessage(policy=_POLICY)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: asks for no out-of-office reply
    paragraphs = [*alert.text.split("\n\n"), _FOOTER]
    message.set_content("\n\n".join(map(_wrap, paragraphs)) + "\n", cte="quoted-printable")
    return headers + message.as_bytes()


def _wrap(paragraph: str) -> str:
    """Wrap at 72 columns without breaking URLs and commands; indented paragraphs are kept as they are."""
    if paragraph.startswith(" "):
        return paragraph
    return textwrap.fill(paragraph, 72, break_long_words=False, break_on_hyphens=False)
