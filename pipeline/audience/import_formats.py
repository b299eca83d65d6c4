"""Exports of mail services: which one a CSV file is from, and the person in a row.

A service is recognised by the names of its columns. Their case, spaces and underscores do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

from pipeline.audience.addresses import normalise_address
from pipeline.audience.csv_rows import original_cell
from pipeline.audience.subscription import make_preferences
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import BASES, Basis, Preferences

ImportState = Literal["active", "unconfirmed", "left", "bounced", "complained", "blocked"]
OWN_EXPORT = "pipeline"
OTHER = "CSV"
"""The format of a file whose header belongs to no service."""

_STATES: dict[str, ImportState] = {
    **dict.fromkeys(("active", "subscribed", "enabled", "confirmed", "regular", "premium", "free", "paid"), "active"),
    **dict.fromkeys(("gifted", "trialed", "churning", "true", "yes", "1"), "active"),
    **dict.fromkeys(("unconfirmed", "unactivated", "pending", "inactive", "validating"), "unconfirmed"),
    **dict.fromkeys(("nonsubscribed", "transactional"), "unconfirmed"),
    **dict.fromkeys(
        ("unsubscribed", "cancelled", "canceled", "removed", "deleted", "left", "false", "no", "0"), "left"
    ),
    **dict.fromkeys(("bounced", "cleaned", "undeliverable", "invalid", "hardbounced"), "bounced"),
    **dict.fromkeys(("complained", "junk", "spam", "complaint", "abuse"), "complained"),
    **dict.fromkeys(("blocklisted", "blacklisted", "blocked", "spammy", "suppressed", "disabled", "banned"), "blocked"),
}
_ADDRESS = ("email", "emailaddress", "emailadresse", "adresseemail", "subscriber", "mail", "address")
_STATUS_COLUMNS = {
    OWN_EXPORT: ("state",),
    "Buttondown": ("type", "subscribertype"),
    "Ghost": ("subscribedtoemails",),
    "Kit": ("status", "state"),
}
"""Columns of the state where it is not ``status``; elsewhere ``state`` is part of a postal address."""
_SIGNED_UP = ("optintime", "subscribedat", "creationdate", "createdat", "created", "subscribed", "datesubscribed")
_CONFIRMED = ("confirmtime", "confirmedat", "optedinat")
_LEFT = ("unsubtime", "unsubscribedat", "unsubscriptiondate", "unsubscribed", "deletedat")
_BOUNCED = ("cleantime", "undeliverabilitydate", "bouncedat")
_IP_ADDRESSES = ("optinip", "confirmip", "ipaddress")
_NO = ("", "false", "no", "0")
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)?(?: [A-Z]{1,5})?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFormat:
    """The columns of a file, and the service that wrote it."""

    name: str
    positions: Mapping[str, int]
    """The position of each column, by its name in lower-case letters and digits."""
    width: int
    has_header: bool = True

    def cell(self, cells: Sequence[str], *names: str) -> str:
        """Return the first cell of these columns that is not empty, stripped."""
        for name in names:
            position = self.positions.get(name)
            if position is not None and position < len(cells) and (text := cells[position].strip()):
                return original_cell(text) if self.name == OWN_EXPORT else text
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPerson:
    """The person in a row of an export."""

    address: str
    state: ImportState
    preferences: Preferences
    signed_up_at: datetime | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    """When they left there, or mail bounced."""
    paused_until: datetime | None = None
    ip_address: str = ""
    language: str = ""
    basis: Basis | None = None
    """The lawful basis that the row itself states; only our own export does."""

    @property
    def agreed_on(self) -> date | None:
        """The date of the consent that the row has."""
        agreed_at = self.confirmed_at or self.signed_up_at
        return agreed_at.date() if agreed_at else None


def recognise(header: Sequence[str]) -> ImportFormat:
    """Return the format of a file with this first row; UsageError if it has no column of addresses.

    A first row that has an address itself is not a header: then that column is the address.
    """
    names = [_plain(name) for name in header]
    positions = {name: position for position, name in reversed(list(enumerate(names)))}
    if not any(name in positions for name in _ADDRESS):
        if (position := next((index for index, cell in enumerate(header) if "@" in cell), None)) is None:
            shown = ", ".join(header)[:200]
            raise UsageError(f"there is no column of addresses; call it “email”. The columns are: {shown}.")
        return ImportFormat(name=OTHER, positions={"email": position}, width=len(header), has_header=False)
    return ImportFormat(name=_service(set(names)), positions=positions, width=len(header))


def _service(names: set[str]) -> str:
    """Return the service whose columns these are."""
    signatures: tuple[tuple[str, tuple[set[str], ...]], ...] = (
        (OWN_EXPORT, ({"address", "state", "topics", "frequency", "basis"},)),
        ("Mailchimp", ({"leid", "euid"}, {"memberrating", "optintime"})),
        ("Substack", ({"emaildisabled"},)),
        ("Ghost", ({"subscribedtoemails"},)),
        ("listmonk", ({"uuid", "attributes", "status"},)),
        ("Buttondown", ({"creationdate", "type"}, {"creationdate", "subscribertype"})),
        ("beehiiv", ({"subscriptiontier"}, {"subscriptionpremiumtiernames"}, {"premiumtiernames"})),
        (
            "MailerLite",
            ({"subscribed", "opens", "clicks"}, {"openscount"}, {"optedinat"}, {"subscriber", "subscribed"}),
        ),
        ("Kit", ({"firstname", "createdat", "status"}, {"firstname", "createdat", "state"})),
    )
    return next((name for name, columns in signatures if any(one <= names for one in columns)), OTHER)


def read_person(row_format: ImportFormat, cells: Sequence[str]) -> ImportedPerson:
    """Return the person in a row; UsageError if the address or the state cannot be used."""
    if any(cell.strip() for cell in cells[row_format.width :]):
        raise UsageError(f"{len(cells)} cells, but {row_format.width} columns; is a quotation mark missing?")
    cell = row_format.cell
    text = cell(cells, *_ADDRESS)
    if not text:
        raise UsageError("no address")
    names = (cell(cells, "firstname", "givenname"), cell(cells, "lastname", "surname", "familyname"))
    topics = cell(cells, "topics").replace(",", " ").split()
    basis = cell(cells, "basis")
    return ImportedPerson(
        address=normalise_address(text),
        state=_state(row_format, cells),
        preferences=make_preferences(
            cell(cells, "name", "fullname") or " ".join(names), topics, cell(cells, "frequency")
        ),
        signed_up_at=parse_instant(cell(cells, *_SIGNED_UP)),
        confirmed_at=parse_instant(cell(cells, *_CONFIRMED)),
        ended_at=parse_instant(cell(cells, *_LEFT, *_BOUNCED)),
        paused_until=parse_instant(cell(cells, "pauseduntil")),
        ip_address=cell(cells, *_IP_ADDRESSES)[:45],
        language=cell(cells, "language")[:35] if row_format.name == OWN_EXPORT else "",
        basis=next((known for known in BASES if known == basis), None),
    )


def _state(row_format: ImportFormat, cells: Sequence[str]) -> ImportState:
    text = row_format.cell(cells, *_STATUS_COLUMNS.get(row_format.name, ("status",)))
    if not text:
        return _state_by_dates(row_format, cells)
    word = _plain(text)
    if row_format.name == "beehiiv" and word == "inactive":
        return "left"
    if row_format.name == OWN_EXPORT and word == "paused":
        return "active"
    if word not in _STATES:
        raise UsageError(f"unknown state {text[:40]!r}")
    return _STATES[word]


def _state_by_dates(row_format: ImportFormat, cells: Sequence[str]) -> ImportState:
    """Return the state of a person in a file that has no column for it."""
    if any(row_format.cell(cells, name).lower() not in _NO for name in _BOUNCED):
        return "bounced"
    has_left = any(row_format.cell(cells, name).lower() not in _NO for name in (*_LEFT, "emaildisabled"))
    return "left" if has_left or row_format.cell(cells, "subscribed").lower() in _NO[1:] else "active"


def parse_instant(text: str) -> datetime | None:
    """Return a date and time of a CSV file; UTC if it names no zone. None if it is in another format.

    >>> parse_instant("2024-03-01 10:00:00.5 +0100 CET"), parse_instant("1666800076"), parse_instant("3/1/24")
    (datetime.datetime(2024, 3, 1, 9, 0, tzinfo=datetime.timezone.utc), \
datetime.datetime(2022, 10, 26, 16, 1, 16, tzinfo=datetime.timezone.utc), None)
    """
    if re.fullmatch(r"[1-9]\d{8,9}", text):
        return datetime.fromtimestamp(int(text), UTC)
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    try:
        naive = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}")
        return naive.replace(tzinfo=_zone(match[3])).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text in (None, "Z", "UTC"):
        return UTC
    digits = text.replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return timezone(-offset if text.startswith("-") else offset)


def _plain(name: str) -> str:
    """Return a name in lower-case letters and digits only.

    >>> _plain(" E-Mail_Address ")
    'emailaddress'
    """
    return "".join(char for char in name.casefold() if char.isalnum())
