"""Delivery status reports of mail servers (RFC 3464, RFC 6533) and complaints of mailbox providers (RFC 5965).

A report is taken as its server meant it, though few follow the standards. Whether it is about one of our mails is not
decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.audience.mail_parts import MAX_HEADER_CHARS, MailPart, decode_text, read_address, read_fields
from pipeline.model.delivery_event import MAX_DIAGNOSTIC_CHARS, DeliveryEventKind, Severity

MAX_RECIPIENTS = 50
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_FEEDBACK_TYPES = frozenset({"message/feedback-report", "message/global-feedback-report"})
_KINDS: dict[str, DeliveryEventKind] = {
    **dict.fromkeys(("failed", "5"), "bounced"),
    **dict.fromkeys(("delayed", "4"), "deferred"),
    **dict.fromkeys(("delivered", "relayed", "expanded", "2"), "delivered"),
}
"""By the action of a delivery status, or the class of its status code."""
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])\d\d(?!\d)")
_XTEXT = re.compile(r"\+(2B|3D)")
"""The characters that xtext (RFC 3461) has to encode. Others are left alone: a name may end in "+AB"."""
_UTF8_TEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
# The subjects and details of status codes (RFC 3463) that are about the address; all others are about its server, its
# rules, or this mail, and may not last.
_ADDRESS_STATUS = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1", "4.4", "4.1", "4.310"})
_UNCLEAR_STATUS = frozenset({"0.0", "1.0", "1.5", "2.0", "3.0", "4.0", "5.0"})
"""Codes that say nothing; some servers use only these, and the reason is in the text."""
_NO_SUCH_ADDRESS = re.compile(
    r"\b(?:(?:unknown|invalid|no such|nonexistent|non-existent|unrouteable|bad destination) "
    r"(?:user|mailbox|recipient|address|account|local part|host|domain)|(?:user|mailbox|recipient|address|account|"
    r"domain|host)(?: name)? (?:is |was |has been )?(?:unknown|invalid|not found|disabled|inactive|"
    r"closed|deactivated|suspended|discontinued)|(?:does not|doesn'?t) (?:exist|have (?:a|an) \S{1,60} "
    r"account)|no (?:mailbox|account) (?:here )?by that name|not a valid (?:user|mailbox|recipient)|no longer "
    r"(?:available|active|valid|exists?|in use))\b",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"\b(?:spam|block(?:ed|list)|blacklist|policy|reputation|dmarc|spf|dkim|quota|full)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The outcome of a mail for one recipient, as a report states it."""

    kind: DeliveryEventKind
    severity: Severity = ""
    address: str = ""
    diagnostic: str = ""


def read_status(part: MailPart) -> list[StatusReport]:
    """Return what a delivery status says, a report for each recipient; none if the part is not one."""
    text = part.text()
    is_status = part.media_type in _STATUS_TYPES or (
        part.media_type.startswith("text/") and "\nfinal-recipient:" in f"\n{text[:20_000].lower()}"
    )
    return list(_reports(text)) if is_status and not part.is_enclosed else []


def read_feedback(part: MailPart) -> StatusReport | None:
    """Return the complaint in a feedback report; None if the part is not one.

    Reports that are about no complaint, such as those of DMARC, have the kind ``unknown``.
    """
    if part.media_type not in _FEEDBACK_TYPES or part.is_enclosed:
        return None
    fields = read_fields(part.text())
    feedback = fields.get("feedback-type", "abuse").lower()[:40]
    kinds: dict[str, DeliveryEventKind] = {"abuse": "complained", "fraud": "complained", "opt-out": "unsubscribed"}
    address = read_address(fields.get("original-rcpt-to") or fields.get("removal-recipient") or "")
    server = fields.get("user-agent") or fields.get("reporting-mta") or ""
    return StatusReport(
        kind=kinds.get(feedback, "unknown"), address=address, diagnostic=printable(f"{feedback} {server}")
    )


def severity_of(status: str, diagnostic: str) -> Severity:
    """Return whether a failure lasts, from a status code (RFC 3463), which may be empty, and the words of a server.

    The code in the server's own words counts more than the one in the report, which many write as 5.0.0.

    >>> severity_of("5.1.1", ""), severity_of("5.0.0", "smtp; 550 5.2.2 Mailbox full"), severity_of("5.7.1", "no")
    ('hard', 'soft', 'soft')
    >>> severity_of("5.0.0", "550 Unknown user ada")
    'hard'
    """
    codes = [*_STATUS.findall(diagnostic), *_STATUS.findall(status)]
    clear = [code for code in codes if f"{int(code[1])}.{int(code[2])}" not in _UNCLEAR_STATUS]
    if clear:
        first = clear[0]
        return "hard" if first[0] == "5" and f"{int(first[1])}.{int(first[2])}" in _ADDRESS_STATUS else "soft"
    reply = _REPLY_CODE.search(diagnostic)
    is_permanent = any(code[0] == "5" for code in codes) if codes else reply is None or reply[1] == "5"
    is_about_address = _NO_SUCH_ADDRESS.search(diagnostic) and not _POLICY.search(diagnostic)
    return "hard" if is_permanent and is_about_address else "soft"


def printable(text: str) -> str:
    """Return the words of a server as one printable line of at most ``MAX_DIAGNOSTIC_CHARS`` characters."""
    line = decode_text(text[:MAX_HEADER_CHARS])
    return "".join(char for char in line if char.isprintable())[:MAX_DIAGNOSTIC_CHARS].strip()


def _reports(text: str) -> Iterator[StatusReport]:
    """Yield a report for each block of a delivery status that is about a recipient."""
    count = 0
    for block in re.split(r"\n[ \t]*\n", text):
        fields = read_fields(block)
        if count < MAX_RECIPIENTS and not {"final-recipient", "original-recipient", "action"}.isdisjoint(fields):
            count += 1
            yield _report(fields)


def _report(fields: Mapping[str, str]) -> StatusReport:
    status = fields.get("status", "")[:100]
    diagnostic = fields.get("diagnostic-code", "")[:MAX_HEADER_CHARS]
    code = _STATUS.search(status)
    action = fields.get("action", "").partition(" ")[0].strip("();,.").lower()
    kind = _KINDS.get(action) or _KINDS.get(code[1] if code else "", "bounced")
    words = diagnostic.partition(";")[2].strip() if ";" in diagnostic[:20] else diagnostic
    has_status = code is None or code[0] in words
    return StatusReport(
        kind=kind,
        severity=severity_of(status, words) if kind == "bounced" else "",
        address=_recipient(fields.get("original-recipient", "")) or _recipient(fields.get("final-recipient", "")),
        diagnostic=printable(words if has_status else f"{status} {words}"),
    )


def _recipient(field: str) -> str:
    r"""Return the address of a recipient field, in whichever of its encodings; empty if there is none.

    >>> _recipient("rfc822; ada+2Bnews@quay.example"), _recipient(r"utf-8;\x{3B4}@quay.example"), _recipient("unknown")
    ('ada+news@quay.example', 'δ@quay.example', '')
    """
    kind, semicolon, address = field[:MAX_HEADER_CHARS].partition(";")
    if not semicolon:
        kind, address = "", kind
    address = address.strip().strip("<>").strip()
    if kind.strip().lower().startswith("utf-8"):
        address = _UTF8_TEXT.sub(lambda match: _character(match[1]), address)
    else:
        address = _XTEXT.sub(lambda match: chr(int(match[1], 16)), address)
    return read_address(address) if address.isprintable() else ""


def _character(hexadecimal: str) -> str:
    number = int(hexadecimal, 16)
    return chr(number) if number <= 0x10FFFF else "\ufffd"
