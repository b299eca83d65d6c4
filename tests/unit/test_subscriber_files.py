"""Reading the exports of mail services: encodings, dialects, columns, states."""

from __future__ import annotations

import contextlib
import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.audience.csv_rows import MAX_LINE_BYTES, original_cell, read_rows, safe_cell, survey
from pipeline.audience.import_formats import ImportedPerson, ImportState, parse_instant, read_person, recognise
from pipeline.audience.import_rules import ImportStatement, decide
from pipeline.jobs.audience.import_subscribers import AddressSet
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import Preferences, Subscriber

NOW = datetime(2026, 2, 12, 12, tzinfo=UTC)
TEXT = "name{0}email\r\nZoë{0}zoe@quay.example\r\n"


def parse(data: bytes) -> list[list[str]]:
    """Return the cells of a file's rows."""
    text = data.decode(survey([data]).encoding, errors="replace")
    return [list(row.cells) for row in read_rows(io.StringIO(text, newline=""))]


def people(text: str) -> list[ImportedPerson]:
    """Return the people in a file."""
    rows = list(read_rows(io.StringIO(text, newline="")))
    row_format = recognise(rows[0].cells)
    return [read_person(row_format, row.cells) for row in rows[row_format.has_header :]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_usual_encodings_and_dialects_are_read(encoding: str, delimiter: str):
    """The delimiter is found in the first line, the encoding in all bytes."""
    data = TEXT.format(delimiter).encode(encoding)
    assert parse(data) == [["name", "email"], ["Zoë", "zoe@quay.example"]]


def test_the_encoding_is_found_wherever_the_letter_is():
    """Neither a letter late in the file nor one that is cut between two reads is missed."""
    late = b"email\n" + b"a@quay.example\n" * 10_000 + "zoë".encode("cp1252")
    assert survey([late[:5_000], late[5_000:]]).encoding == "cp1252"
    cut = "email\nzoë@quay.example".encode()
    assert [survey([cut[:place], cut[place:]]).encoding for place in range(1, len(cut))] == ["utf-8-sig"] * (
        len(cut) - 1
    )
    assert survey(["ë".encode()[:1]]).encoding == "cp1252"


def test_a_line_names_the_delimiter():
    """Spreadsheets write ``sep=;`` before the header; it counts as a line."""
    rows = list(read_rows(io.StringIO("sep=;\r\na,b;email\r\n1;x@y.example\r\n", newline="")))
    assert [(row.line, row.cells) for row in rows] == [(2, ["a,b", "email"]), (3, ["1", "x@y.example"])]


def test_cells_of_several_lines_keep_the_line_numbers_right():
    """The number of a row is that of its first line; empty rows are left out."""
    text = 'email,note\r\n\r\na@quay.example,"one\r\ntwo"\r\n,\r\nb@quay.example,\r\n'
    assert [row.line for row in read_rows(io.StringIO(text, newline=""))] == [1, 3, 6]


def test_a_missing_quotation_mark_is_a_bad_row():
    """It takes the rest into its cell; that is said, not read as a person."""
    rows = list(
        read_rows(io.StringIO('email,name\r\n"a@quay.example,A\r\n' + "b@quay.example,B\r\n" * 9_000, newline=""))
    )
    assert "quotation mark" in rows[1].error


def test_a_line_without_end_is_refused():
    """A file of another kind cannot fill the memory."""
    with pytest.raises(UsageError, match="too long"):
        survey([b"a" * 600_000, b"a" * 600_000])
    survey([b"a" * (MAX_LINE_BYTES - 1), b"\n", b"a" * 1_000])


@given(st.text(st.characters(codec="utf-8")))
@example("'=1")
@example("''\t")
@example("＝1")
def test_safe_cells_begin_no_formula_and_come_back(text: str):
    """Whatever the text, a spreadsheet takes it for text, and an import reads it as it was."""
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert original_cell(safe_cell(text)) == text


@given(st.binary(max_size=400) | st.text("ab@.,;\t\"'\r\n =é\0", max_size=200).map(lambda text: text.encode("utf-16")))
@example(b'email\n"')
@example(b"sep=;\nemail;x")
def test_any_bytes_are_rows_or_refused(data: bytes):
    """Nothing raises but UsageError; each row is a person or has a reason, and no row is lost."""
    text = data.decode(survey([data]).encoding, errors="replace")
    rows = list(read_rows(io.StringIO(text, newline="")))
    first = next(iter(io.StringIO(text, newline="")), "")
    if rows and not first.startswith(("sep=", '"sep=')):
        delimiter = max(",;\t|", key=lambda each: len(next(csv.reader([first], delimiter=each), [])))
        expected = [
            cells
            for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            if any(map(str.strip, cells))
        ]
        assert [list(row.cells) for row in rows] == expected
    try:
        row_format = recognise(rows[0].cells) if rows else None
    except UsageError:
        return
    for row in rows:
        assert row_format is not None
        with contextlib.suppress(UsageError):
            assert "@" in read_person(row_format, row.cells).address


SERVICES = {
    "Mailchimp": (
        '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID'
        '{0}\r\nuna@quay.example,Una,Ott,2,"2023-05-01 10:00:00",192.0.2.1,"2023-05-01 10:03:00",192.0.2.1,'
        "7,abc{1}\r\n",
        {
            "active": ("", ""),
            "left": (",UNSUB_TIME,UNSUB_REASON", ',"2024-01-05 08:00:00",NORMAL'),
            "bounced": (",CLEAN_TIME", ',"2024-01-05 08:00:00"'),
        },
    ),
    "Buttondown": (
        "email_address,name,creation_date,type,ip_address,tags{0}\n"
        "una@quay.example,Una Ott,2023-05-01T10:00:00Z,{1},192.0.2.1,\n",
        {
            "active": ("", "regular"),
            "unconfirmed": ("", "unactivated"),
            "left": ("", "unsubscribed"),
            "bounced": ("", "undeliverable"),
            "complained": ("", "complained"),
            "blocked": ("", "blocked"),
        },
    ),
    "Substack": (
        "email,name,active_subscription,expiry,plan,email_disabled,created_at{0}\n"
        "una@quay.example,Una Ott,false,,,{1},2023-05-01T10:00:00.000Z\n",
        {"active": ("", "false"), "left": ("", "true")},
    ),
    "Ghost": (
        "id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels{0}\n"
        "1,una@quay.example,Una Ott,,{1},2023-05-01T10:00:00.000Z,,\n",
        {"active": ("", "true"), "left": ("", "false")},
    ),
    "listmonk": (
        "uuid,email,name,attributes,status,created_at,updated_at{0}\n"
        '7,una@quay.example,Una Ott,"{{""a"": 1}}",{1},2023-05-01 10:00:00.12 +0000 UTC,\n',
        {"active": ("", "enabled"), "blocked": ("", "blocklisted")},
    ),
    "Kit": (
        "first_name,last_name,email_address,state,created_at,tags{0}\n"
        "Una,Ott,una@quay.example,{1},2023-05-01 10:00:00 UTC,\n",
        {
            "active": ("", "active"),
            "unconfirmed": ("", "inactive"),
            "left": ("", "cancelled"),
            "bounced": ("", "bounced"),
            "complained": ("", "complained"),
        },
    ),
    "beehiiv": (
        "Email,Name,Status,Created At,Subscription Tier{0}\nuna@quay.example,Una Ott,{1},2023-05-01 10:00:00,free\n",
        {
            "active": ("", "Active"),
            "unconfirmed": ("", "Pending"),
            "left": ("", "Inactive"),
            "bounced": ("", "invalid"),
        },
    ),
    "MailerLite": (
        "Subscriber,Name,Status,Subscribed,Opens,Clicks{0}\nuna@quay.example,Una Ott,{1},2023-05-01 10:00:00,4,1\n",
        {
            "active": ("", "Active"),
            "unconfirmed": ("", "Unconfirmed"),
            "left": ("", "Unsubscribed"),
            "bounced": ("", "Bounced"),
            "complained": ("", "Junk"),
        },
    ),
}


@pytest.mark.parametrize(
    ("service", "state"), [(service, state) for service, (_, states) in SERVICES.items() for state in states]
)
def test_exports_of_services_are_recognised(service: str, state: ImportState):
    """By their columns, with name, sign-up and state."""
    pattern, states = SERVICES[service]
    text = pattern.format(*states[state])
    assert recognise(text.splitlines()[0].replace('"', "").split(",")).name == service
    [person] = people(text)
    assert (person.address, person.preferences.name, person.state) == ("una@quay.example", "Una Ott", state)
    assert person.signed_up_at == datetime(2023, 5, 1, 10, tzinfo=UTC)


def test_consent_of_an_export_is_kept():
    """Times and address of the confirmation, and when somebody left."""
    pattern, states = SERVICES["Mailchimp"]
    [person] = people(pattern.format(*states["left"]))
    assert person.confirmed_at == datetime(2023, 5, 1, 10, 3, tzinfo=UTC)
    assert person.ended_at == datetime(2024, 1, 5, 8, tzinfo=UTC)
    assert (person.ip_address, person.agreed_on) == ("192.0.2.1", date(2023, 5, 1))


def test_other_files_are_read_by_usual_names():
    """A list without a header, too; a postal state is not the state of a subscription."""
    assert [person.address for person in people("a@quay.example\nb@quay.example\n")] == [
        "a@quay.example",
        "b@quay.example",
    ]
    [person] = people("E-Mail;Surname;State;Subscribed\nc@quay.example;Cox;Ohio;yes\n")
    assert (person.preferences.name, person.state) == ("Cox", "active")
    [person] = people("email,subscribed\nd@quay.example,FALSE\n")
    assert person.state == "left"
    with pytest.raises(UsageError, match="name, phone"):
        people("name,phone\nAda,7\n")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nobody,active", "not an email address"),
        (",active", "no address"),
        ("a@quay.example,sleeping", "unknown state 'sleeping'"),
        ("a@quay.example,active,more", "3 cells, but 2 columns"),
    ],
)
def test_bad_rows_have_a_reason(row: str, reason: str):
    """What is not understood is not guessed."""
    with pytest.raises(UsageError, match=reason):
        people(f"email,status\n{row}\n")


@pytest.mark.parametrize(
    "text", ["", "soon", "2024-13-01", "01/02/2024", "2024-01-01T25:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_other_dates_are_none(text: str):
    """An ambiguous date is no evidence."""
    assert parse_instant(text) is None


PERSON = ImportedPerson(
    address="una@quay.example", state="active", preferences=Preferences(name="Una"), signed_up_at=NOW
)
HERE = Subscriber(
    id=7,
    address="una@quay.example",
    state="active",
    form="newsletter",
    created_at=NOW,
    changed_at=NOW,
    confirmed_at=NOW,
)


@given(
    st.sampled_from(["active", "unconfirmed", "left", "bounced", "complained", "blocked"]),
    st.sampled_from([None, "unconfirmed", "active", "left", "suppressed"]),
    st.sampled_from([None, "bounced", "complained", "operator", "imported", "erased"]),
    st.sampled_from([None, "consent", "soft_opt_in_charity"]),
    st.none() | st.dates(date(2026, 1, 1), date(2026, 3, 1)),
)
def test_an_import_revives_nobody(state, here, suppression, basis, collected_on):
    """Nobody who left, was suppressed or erased becomes active, and nobody without a basis and its date."""
    person = replace(PERSON, state=state, signed_up_at=None)
    known = replace(HERE, state=here) if here else None
    decision = decide(person, known, suppression, ImportStatement(basis=basis, collected_on=collected_on), NOW)
    becomes_active = decision.subscriber is not None and decision.subscriber.state == "active"
    if becomes_active and here != "active":
        assert (state, suppression, here in (None, "unconfirmed")) == ("active", None, True)
        assert basis == "consent" or (basis and collected_on >= date(2026, 2, 5))
        assert decision.details["collected_on"] == collected_on.isoformat()
    if state in ("left", "bounced", "complained", "blocked"):
        assert decision.result == "suppressed"
        assert not becomes_active


@pytest.mark.parametrize(("hour", "result"), [(11, "duplicate"), (13, "suppressed")])
def test_people_who_signed_up_here_after_leaving_there_stay(hour: int, result: str):
    """The later wish counts."""
    person = replace(PERSON, state="left", ended_at=NOW.replace(hour=hour))
    assert decide(person, HERE, None, ImportStatement(), NOW).result == result


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3_000).map(lambda number: number * 1_024), max_size=3_000))
def test_an_address_set_is_a_set(hashes: list[int]):
    """Also when hashes share a slot, and when it grows."""
    addresses, seen = AddressSet(), set[int]()
    for hashed in hashes:
        hashed = hashed or 1
        assert addresses.add(hashed) == (hashed not in seen)
        seen.add(hashed)
