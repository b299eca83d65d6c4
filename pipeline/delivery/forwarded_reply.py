"""Write a person's reply as a message to the editor. Pure."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import EmailPolicy

from pipeline.text.message_headers import mailbox_header, message_headers, parse_mailbox

_POLICY = EmailPolicy(linesep="\r\n", max_line_length=76)


def reply_message(
    *, author: str, subject: str, text: str, sender: str, recipient: str, name: str, unique: str, now: datetime
) -> bytes:
    r"""Return a text/plain message (RFC 5322, CRLF, 7 bit) whose Reply-To is the author; no attachments are passed on.

    ``sender`` and ``recipient`` are mailboxes, ``name`` is the publication's, and ``unique`` makes the Message-ID. An
    ``author`` that is no valid address is only named in the text.

    >>> from datetime import UTC
    >>> message = reply_message(
    ...     author="ada@h.example", subject="Re: Bread", text="Lovely!", sender="a@h.example",
    ...     recipient="b@h.example", name="H & H", unique="7", now=datetime(2026, 2, 9, tzinfo=UTC))
    >>> b"Reply-To: ada@h.example\r\n" in message, b"Subject: [H & H] Reply: Re: Bread\r\n" in message
    (True, True)
    """
    headers = message_headers(
        sender=sender,
        recipient=recipient,
        subject=f"[{name}] Reply: {subject[:200]}",
        sent_at=now,
        message_id=f"{unique}.reply",
    )
    with suppress(ValueError):
        headers += mailbox_header("Reply-To", parse_mailbox(author)).encode("ascii")
    message = EmailMessage(policy=_POLICY)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: one that comes back is not forwarded again
    introduction = (
        f"{author or 'Somebody'} has answered a mail of {name}. The whole reply is in the mailbox for bounces."
    )
    message.set_content(f"{introduction}\n\n{text}\n", cte="quoted-printable")
    return headers + message.as_bytes()
