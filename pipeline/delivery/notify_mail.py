"""Write a notice as a mail.

In: a Notice, who writes, who reads. Out: the bytes of a text/plain message (RFC 5322, CRLF, 7 bit). Pure.
"""

from __future__ import annotations

import textwrap
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from pipeline.model.alert import Alert

_POLICY = EmailPolicy(linesep="\r\n", max_line_length=76)
_FOOT = "This is said once. `pipeline status` shows what is still the matter."


def alert_message(alert: Alert, *, sender: str, recipient: str, name: str) -> bytes:
    r"""Write the mail; the same notice gives the same bytes and so the same Message-ID.

    ``sender`` and ``recipient`` are mailboxes; ``name`` is the publication's, for the subject.

    >>> from datetime import UTC, datetime
    >>> told = Notice(key="k", subject="All is quiet", text="Too quiet.", at=datetime(2026, 2, 9, tzinfo=UTC))
    >>> b"Subject: [H & H] All is quiet\r\n" in note(told, sender="a@h.example", recipient="b@h.example", name="H & H")
    True
    """
    written_by = _address(sender)
    mark = sha256(f"{alert.key} {alert.raised_at.isoformat()} {alert.subject}".encode()).hexdigest()[:20]
    message = EmailMessage(policy=_POLICY)
    message["From"] = written_by
    message["To"] = _address(recipient)
    message["Subject"] = " ".join(f"[{name}] {alert.subject}".split())
    message["Date"] = format_datetime(alert.raised_at)
    message["Message-ID"] = f"<{mark}.notice@{written_by.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answer, please
    message.set_content(_body(alert), cte="quoted-printable")
    return message.as_bytes()


def _body(notice: Alert) -> str:
    paragraphs = [*notice.text.split("\n\n"), _FOOT]
    return "\n\n".join(_wrapped(each) for each in paragraphs) + "\n"


def _wrapped(paragraph: str) -> str:
    """Wrap at 72 columns, never within a word: addresses and commands stay whole; indented lines stay as they are."""
    if paragraph.startswith(" "):
        return paragraph
    return textwrap.fill(paragraph, 72, break_long_words=False, break_on_hyphens=False)


def _address(mailbox: str) -> Address:
    name, address = parseaddr(" ".join(mailbox.split()))
    return Address(display_name=name, addr_spec=address)
