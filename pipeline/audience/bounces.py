"""Read mail that comes back: bounces, complaints, unsubscribe requests, automatic replies, and replies by people.

Anybody can write such a mail. One that proves to be about a mail of ours carries a token: that of a delivery, which is
verified here, or the subscriber's own, which the caller verifies (``IncomingMail.tokens``). Without one, nothing in it
is believed more than a little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import Message
from hashlib import sha256
from typing import Literal

from pipeline.audience.delivery_status import StatusReport, printable, read_feedback, read_status
from pipeline.audience.mail_parts import MAX_MAIL_BYTES, MailPart, read_address, read_date, read_parts
from pipeline.audience.tokens import TOKEN_CHARS, delivery_id_of
from pipeline.model.delivery_event import DeliveryEvent, event_key
from pipeline.text.html import plain_text

MailKind = Literal["report", "unsubscribe", "automatic", "reply"]
MAX_REPLY_CHARS = 20_000
MAX_TOKENS = 20
_MAX_AGE = timedelta(days=60)
_MAX_HOPS = 40
_MAX_PROSE_CHARS = 20_000
_TOKEN = rf"([0-9A-Za-z]{{{TOKEN_CHARS}}})"
_DELIVERY = re.compile(rf"\+[Dd]{_TOKEN}@".encode())
_SUBSCRIBER = re.compile(rf"(?:/unsubscribe/|\+[Uu]|unsubscribe%20){_TOKEN}(?![0-9A-Za-z])".encode())
_UNSUBSCRIBE_ADDRESS = re.compile(rf"\+[Uu]{_TOKEN}@")
_UNSUBSCRIBE_SUBJECT = re.compile(rf"\bunsubscribe(?:[ +_]|%20){{1,3}}{_TOKEN}(?![0-9A-Za-z])", re.IGNORECASE)
_RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_DAEMON = re.compile(r"(?:mailer-?daemon|mail-daemon)(?![^@\s])", re.IGNORECASE)
_SERVER = re.compile(rf"{_DAEMON.pattern}|postmaster(?![^@\s])", re.IGNORECASE)
"""A person may answer as postmaster, too."""
_AUTOMATIC_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Response", "X-Mail-Autoreply", "X-FC-MachineGenerated")
_LIST_HEADERS = ("List-Id", "List-Unsubscribe", "List-Post", "Feedback-ID", "X-Loop", "Mailing-List")
_AUTOMATIC_SUBJECT = re.compile(
    r"(?:auto(?:matic|mated)?[ -]?(?:reply|response)|(?:i am |i'm )?out of (?:the )?office|away from (?:the|my) office|"
    r"on (?:vacation|holiday|leave)\b|abwesen|automatische antwort|réponse automatique|absence du bureau|absent du|"
    r"respuesta automática|fuera de (?:la )?oficina|risposta automatica|fuori (?:sede|ufficio)|automatisch antwoord|"
    r"afwezig|autosvar|automaattinen|resposta automática|odpowiedź automatyczna|delivery receipt|read:|gelesen:|lu :)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMail:
    """A mail that came to the address for bounces."""

    kind: MailKind
    events: tuple[DeliveryEvent, ...] = ()
    """Of a report: what it says of each recipient. One whose delivery is not known needs one of the tokens as proof."""
    tokens: tuple[str, ...] = ()
    """What may be a subscriber's own token to unsubscribe."""
    sent_to: str = ""
    """Of a report: whom the mail was addressed to that it is about."""
    sender: str = ""
    """The address in From; empty if there is none."""
    subject: str = ""
    text: str = field(default="", repr=False)
    """Of a reply: what the person wrote, at most ``MAX_REPLY_CHARS`` characters."""


def read_mail(mail: bytes, *, key: str, now: datetime) -> IncomingMail:
    """Return what a mail is, and what it says. Any bytes are a mail; ``key`` verifies the tokens of deliveries."""
    parts = read_parts(mail)
    first = parts[0]
    subject, sender = first.header("Subject"), read_address(first.header("From"))
    decoded = (content for part in parts if (content := part.content()) is not part.body)
    content = b"\n".join((mail[:MAX_MAIL_BYTES], *decoded))
    known = IncomingMail(
        kind="automatic", tokens=_distinct(_SUBSCRIBER, content), sender=printable(sender), subject=printable(subject)
    )
    context = _Context(content=content, first=first, key=key, now=now)
    if reports := _read_reports(parts):
        sent_to = next(
            (read_address(part.header("To")) for part in parts if part.is_enclosed and part.header("To")), ""
        )
        return replace(known, kind="report", events=context.events(reports), sent_to=sent_to)
    if any(part.media_type == "message/disposition-notification" for part in parts):
        return known
    if tokens := _unsubscribe_tokens(first, subject):
        return replace(known, kind="unsubscribe", tokens=tokens)
    if reports := _guess_reports(parts, subject, is_verp=context.delivery_id(headers_only=True) is not None):
        return replace(known, kind="report", events=context.events(reports))
    if is_automatic(first, subject):
        return known
    return replace(known, kind="reply", tokens=(), text=_text(parts))


def is_automatic(mail: MailPart, subject: str) -> bool:
    """Check whether a program sent a mail: an answering machine (RFC 3834), a list, a server, or we ourselves."""
    submitted = mail.header("Auto-Submitted").lower().partition(";")[0].strip()
    precedence = mail.header("Precedence").lower().strip()
    return (
        submitted not in ("", "no")
        or precedence in ("auto_reply", "bulk", "junk", "list")
        or "all" in mail.header("X-Auto-Response-Suppress").lower().replace(" ", "").split(",")
        or mail.header("Return-Path").strip() == "<>"
        or any(mail.header(name) for name in (*_AUTOMATIC_HEADERS, *_LIST_HEADERS))
        or sum(1 for _ in mail.headers("Received")) > _MAX_HOPS
        or _AUTOMATIC_SUBJECT.match(subject) is not None
        or _DAEMON.match(_author(mail)) is not None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """A mail with a report, and what is needed to understand it."""

    content: bytes = field(repr=False)
    """The mail, followed by those of its parts that are encoded in it."""
    first: MailPart
    key: str = field(repr=False)
    now: datetime

    def delivery_id(self, *, headers_only: bool = False) -> int | None:
        """Return the delivery that a verified token in the mail names."""
        content = " ".join(self.first.headers(*_RECIPIENT_HEADERS)).encode() if headers_only else self.content
        ids = (delivery_id_of(token, self.key) for token in _distinct(_DELIVERY, content))
        return next((delivery_id for delivery_id in ids if delivery_id is not None), None)

    def events(self, reports: Sequence[StatusReport]) -> tuple[DeliveryEvent, ...]:
        """Return an event for each recipient, or the mildest for the one delivery, which may have been forwarded."""
        delivery_id = self.delivery_id()
        if delivery_id is not None:
            reports = [min(reports, key=_gravity)]
        return tuple(self._event(report, delivery_id) for report in reports)

    def _event(self, report: StatusReport, delivery_id: int | None) -> DeliveryEvent:
        date = read_date(self.first.header("Date"))
        identity = self.first.header("Message-ID") or sha256(self.content).hexdigest()
        return DeliveryEvent(
            kind=report.kind,
            severity=report.severity,
            address=report.address,
            delivery_id=delivery_id,
            at=date if date and self.now - _MAX_AGE < date < self.now else self.now,
            diagnostic=report.diagnostic,
            key=event_key("mail", identity, report.kind, str(delivery_id or report.address)),
        )


def _read_reports(parts: Iterable[MailPart]) -> list[StatusReport]:
    """Return the reports in the parts of a mail; those of its delivery status if it has one."""
    parts = list(parts)
    statuses = [report for part in parts[1:] for report in read_status(part)]
    if statuses or not parts:
        return statuses
    enclosed = [part for part in parts if part.is_enclosed]
    for part in parts[1:]:
        if report := read_feedback(part):
            return [replace(report, address=report.address or _original_recipient(enclosed))]
    original = _original_recipient(enclosed)  # Outlook.com writes no feedback report
    return [StatusReport(kind="complained", address=original, diagnostic="abuse")] if original else []


def _original_recipient(enclosed: Iterable[MailPart]) -> str:
    for part in enclosed:
        if address := read_address(part.header("X-HmXmrOriginalRecipient")):
            return address
    return ""


def _author(mail: MailPart) -> str:
    """Return the address in From, or what is there instead of one."""
    header = mail.header("From")
    return read_address(header) or header


def _guess_reports(parts: Sequence[MailPart], subject: str, *, is_verp: bool) -> list[StatusReport]:
    """Return the reports in a mail of a server that writes no delivery status; never more than a soft bounce."""
    first = parts[0]
    failed, author = first.header("X-Failed-Recipients"), _author(first)
    from_server = failed or _SERVER.match(author) or (not author and first.header("Return-Path").strip() == "<>")
    if not from_server or _AUTOMATIC_SUBJECT.match(subject):
        return []
    prose = _prose(parts)
    failures = [read_address(one) for one in failed.split(",")] if failed else _failed_addresses(first, prose)
    addresses = [address for address in failures if address] or ([""] if is_verp else [])
    return [
        StatusReport(kind="bounced", severity="soft", address=address, diagnostic=printable(prose[:400]))
        for address in addresses[:MAX_TOKENS]
    ]


def _failed_addresses(first: MailPart, prose: str) -> list[str]:
    """Return the addresses that flufl.bounce finds in the text of a bounce."""
    from flufl.bounce import all_failures  # slow to import and rarely needed

    message = Message()
    for name in ("From", "Subject", "Return-Path"):
        message[name] = first.header(name)
    message.set_payload("\n".join(line[:500] for line in prose.split("\n")))
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # one detector's bug is no reason to lose the mail
        return []
    return sorted(read_address(address.decode("utf-8", "replace")) for address in {*temporary, *permanent})


def _unsubscribe_tokens(first: MailPart, subject: str) -> tuple[str, ...]:
    """Return the tokens of a mail that asks to unsubscribe, by its subject or its address."""
    recipients = " ".join(first.headers(*_RECIPIENT_HEADERS))
    tokens = [*_UNSUBSCRIBE_SUBJECT.findall(subject), *_UNSUBSCRIBE_ADDRESS.findall(recipients)]
    return tuple(dict.fromkeys(tokens))[:MAX_TOKENS]


def _distinct(pattern: re.Pattern[bytes], content: bytes) -> tuple[str, ...]:
    tokens: dict[str, None] = {}
    for match in pattern.finditer(content):
        tokens[match[1].decode("ascii")] = None
        if len(tokens) == MAX_TOKENS:
            break
    return tuple(tokens)


def _gravity(report: StatusReport) -> int:
    if report.kind in ("delivered", "deferred", "unknown"):
        return 0 if report.kind == "delivered" else 1
    return 3 if report.severity == "hard" or report.kind == "complained" else 2


def _prose(parts: Sequence[MailPart]) -> str:
    """Return the beginning of the first text in a mail that is not that of an enclosed one."""
    for wanted in ("text/plain", "text/html"):
        for part in parts:
            if part.media_type == wanted and not part.is_enclosed:
                text = part.text()[: 5 * _MAX_PROSE_CHARS]
                return (plain_text(text) if wanted == "text/html" else text)[:_MAX_PROSE_CHARS]
    return ""


def _text(parts: Sequence[MailPart]) -> str:
    """Return the text of a reply, without control characters."""
    lines = ("".join(char for char in line if char.isprintable()) for line in _prose(parts).expandtabs(4).split("\n"))
    return "\n".join(line.rstrip() for line in lines).strip()[:MAX_REPLY_CHARS]
