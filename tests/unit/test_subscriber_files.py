"""Reading the exports of mail services: encodings, dialects, columns, states."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.audience.csv_rows import MAX_LINE_BYTES, CsvRow, original_cell, read_rows, safe_cell, survey
from pipeline.audience.import_formats import (
    ImportedPerson,
    ImportFormat,
    ImportState,
    parse_instant,
    read_person,
    recognise,
)
from pipeline.audience.import_rules import ImportDecision, ImportStatement, decide
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


LONGEST = b"a" * MAX_LINE_BYTES


@pytest.mark.parametrize(
    ("chunks", "line"),
    [
        ([LONGEST, b"a"], "1"),
        ([b"a\nb\n", b"a" * 600_000, b"a" * 600_000], "3"),
        ([b"a\nb", LONGEST + b"\nc"], "2"),
        ([b"a\n" * 1_200 + LONGEST + b"a\n"], "1"),
        ([b"a\n" * 1_200, b"a\n" + LONGEST + b"a\nb"], "1,201"),
    ],
)
def test_a_line_without_end_is_refused(chunks: list[bytes], line: str):
    """A file of another kind cannot fill the memory; the line is that in which the part begins that was read last."""
    with pytest.raises(UsageError, match=f"^line {line} or one after it is too long for a CSV file: "):
        survey(chunks)


@pytest.mark.parametrize(
    ("chunks", "encoding", "lines"),
    [
        ([], "utf-8-sig", 0),
        ([b""], "utf-8-sig", 0),
        ([b"a"], "utf-8-sig", 1),
        ([b"a\n"], "utf-8-sig", 1),
        ([b"a\nb", b"c\n", b"\n", b"d"], "utf-8-sig", 4),
        ([LONGEST, b"\n", LONGEST + b"\n" + LONGEST, b"\n"], "utf-8-sig", 3),
        ([b"\xff\xfea\0\n\0"], "utf-16", 2),
        ([b"\xfe\xff\0a"], "utf-16", 1),
        ([b"a\0b\0cdef"], "utf-8-sig", 1),
        ([b"a\0b\0c\0ef"], "utf-16-le", 1),
        ([b"\0a\0bcdef"], "utf-8-sig", 1),
        ([b"\0a\0b\0cde"], "utf-16-be", 1),
        ([b"ab\x01\x01\x01\x01\x01\x01"], "utf-8-sig", 1),
    ],
)
def test_surveys_of_files(chunks: list[bytes], encoding: str, lines: int):
    """The last line may have no end; more zeros than every second byte of a half make UTF-16."""
    found = survey(chunks)
    assert (found.encoding, found.lines) == (encoding, lines)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["sep=;\n"], []),
        (["\n", "email\n"], [CsvRow(line=2, cells=["email"])]),
        (['"sep=|"\r\n', "a,b|c\n"], [CsvRow(line=2, cells=["a,b", "c"])]),
        (["sep=,\n", "a;b;c,d\n"], [CsvRow(line=2, cells=["a;b;c", "d"])]),
        (["X: sep=;\n"], [CsvRow(line=1, cells=["X: sep=", ""])]),
        (
            ["a" * 100_000 + "\n", "b" * 100_001 + "\n"],
            [
                CsvRow(line=1, cells=["a" * 100_000]),
                CsvRow(line=2, error="has a cell that is too long; is a quotation mark missing?"),
            ],
        ),
    ],
)
def test_rows_of_odd_files(lines: list[str], expected: list[CsvRow]):
    """Each has its line, whatever is before it."""
    assert list(read_rows(lines)) == expected


def test_a_row_that_cannot_be_read_does_not_end_a_file():
    """It has its line and the reason, which depends on the version of Python."""
    first, bad, last = read_rows(["email\n", "a\rb\n", "c\n"])
    assert (bad.line, bad.cells) == (2, ())
    assert re.fullmatch(r"cannot be read: new-line character seen .*; is a quotation mark missing\?", bad.error)
    assert [first, last] == [CsvRow(line=1, cells=["email"]), CsvRow(line=3, cells=["c"])]


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


@pytest.mark.parametrize(
    ("columns", "service"),
    [
        ("Address, State, Topics, Frequency, Basis", "pipeline"),
        ("LEID, EUID", "Mailchimp"),
        ("MEMBER_RATING, OPTIN_TIME", "Mailchimp"),
        ("email_disabled", "Substack"),
        ("subscribed_to_emails", "Ghost"),
        ("uuid, attributes, status", "listmonk"),
        ("creation_date, type", "Buttondown"),
        ("creation_date, subscriber_type", "Buttondown"),
        ("Subscription Tier", "beehiiv"),
        ("subscription_premium_tier_names", "beehiiv"),
        ("Premium tier names", "beehiiv"),
        ("Subscribed, Opens, Clicks", "MailerLite"),
        ("opens_count", "MailerLite"),
        ("opted_in_at", "MailerLite"),
        ("Subscriber, Subscribed", "MailerLite"),
        ("first_name, created_at, status", "Kit"),
        ("first_name, created_at, state", "Kit"),
    ],
)
def test_a_service_is_recognised_by_all_of_a_few_columns(columns: str, service: str):
    """Each of them is needed, and others do not matter."""
    names = columns.split(", ")
    assert recognise(["email", "Ort", *names]).name == service
    for name in names:
        assert recognise(["email", *(each for each in names if each != name)]).name == "CSV"


def test_an_unknown_header_is_shown():
    """Its first 200 characters, beside what is missing."""
    with pytest.raises(UsageError) as refusal:
        recognise(["x" * 150, "y" * 150])
    assert str(refusal.value) == (
        f"there is no column of addresses; call it “email”. The columns are: {'x' * 150}, {'y' * 48}."
    )
    assert recognise(["Ada", "ada@quay.example", "bea@quay.example"]) == ImportFormat(
        name="CSV", positions={"email": 1}, width=3, has_header=False
    )
    assert recognise(["Email", "e-mail"]) == ImportFormat(name="CSV", positions={"email": 0}, width=2)


OWN = "state,topics,frequency,basis"


@pytest.mark.parametrize(
    ("columns", "cells", "expected"),
    [
        ("First Name,Surname", "Una,Ott", {"preferences": Preferences(name="Una Ott")}),
        ("given_name,family name", "Una,Ott", {"preferences": Preferences(name="Una Ott")}),
        ("last_name", "Ott", {"preferences": Preferences(name="Ott")}),
        ("Full Name,first name", "Una Ott,U", {"preferences": Preferences(name="Una Ott")}),
        ("name,full name", ",Una", {"preferences": Preferences(name="Una")}),
        (
            "topics,frequency",
            '"links,posts",monthly',
            {"preferences": Preferences(topics=("posts", "links"), frequency="monthly")},
        ),
        ("created_at,confirmed_at", "2024-03-01,2024-03-02", {"agreed_on": date(2024, 3, 2)}),
        ("subscribed_at", "2024-03-01", {"agreed_on": date(2024, 3, 1), "confirmed_at": None}),
        ("name", "Una", {"agreed_on": None, "signed_up_at": None, "ended_at": None, "paused_until": None}),
        ("unsubscribed_at", "2024-03-01", {"state": "left", "ended_at": datetime(2024, 3, 1, tzinfo=UTC)}),
        ("bounced_at", "2024-03-01", {"state": "bounced", "ended_at": datetime(2024, 3, 1, tzinfo=UTC)}),
        ("clean time,unsub time", "2024-03-01,2024-03-02", {"state": "bounced"}),
        ("bounced_at,unsubscribed,subscribed", "No,0,True", {"state": "active"}),
        ("email_disabled", "TRUE", {"state": "left"}),
        ("subscribed", "No", {"state": "left"}),
        ("subscribed", "", {"state": "active"}),
        ("status,unsubscribed_at", "Active,2024-03-01", {"state": "active"}),
        ("status", "In-active", {"state": "unconfirmed"}),
        ("status,Subscription Tier", "Inactive,", {"state": "left"}),
        ("status,Subscription Tier", "paid,", {"state": "active"}),
        ("ip_address,basis", "x" * 46 + ",consent", {"ip_address": "x" * 45, "basis": "consent"}),
        ("basis,language", "asked,de", {"basis": None, "language": ""}),
        ("name", "'=1", {"preferences": Preferences(name="'=1")}),
        (f"{OWN},name", ",,,,'=1", {"preferences": Preferences(name="=1")}),
        (f"{OWN},language", f"paused,,,consent,{'x' * 36}", {"state": "active", "language": "x" * 35}),
        (f"{OWN},paused_until", "paused,,,,2024-03-01", {"paused_until": datetime(2024, 3, 1, tzinfo=UTC)}),
        ("name,status", ' ,active," "', {"state": "active", "preferences": Preferences()}),
        ("name,status", "", {"state": "active", "preferences": Preferences()}),
    ],
)
def test_columns_of_a_person(columns: str, cells: str, expected: dict[str, object]):
    """By their usual names; of two that mean the same, the first that says something."""
    [person] = people(f"address,{columns}\nuna@quay.example{',' * bool(cells)}{cells}\n")
    assert {name: getattr(person, name) for name in expected} == expected


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
        ("nobody,active", "^'nobody' is not an email address: "),
        (",active", "^no address$"),
        ("a@quay.example,sleeping", "^unknown state 'sleeping'$"),
        (f"a@quay.example,{'z' * 41}", f"^unknown state '{'z' * 40}'$"),
        ("a@quay.example,paused", "^unknown state 'paused'$"),
        ("a@quay.example,active,more", "^3 cells, but 2 columns; is a quotation mark missing[?]$"),
    ],
)
def test_bad_rows_have_a_reason(row: str, reason: str):
    """What is not understood is not guessed."""
    with pytest.raises(UsageError, match=reason):
        people(f"email,status\n{row}\n")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-01", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01T10:20", datetime(2024, 3, 1, 10, 20, tzinfo=UTC)),
        ("2024-03-01 10:20:30", datetime(2024, 3, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-03-01 10:20:30 UTC", datetime(2024, 3, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-03-01T10:20:30.123Z", datetime(2024, 3, 1, 10, 20, 30, tzinfo=UTC)),
        ("2024-03-01T10:20:30,5-05:45", datetime(2024, 3, 1, 16, 5, 30, tzinfo=UTC)),
        ("2024-03-01T10:20+0545", datetime(2024, 3, 1, 4, 35, tzinfo=UTC)),
        ("100000000", datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
    ],
)
def test_dates_of_exports(text: str, instant: datetime):
    """In UTC, whatever zone they name; a number counts seconds since 1970."""
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "99999999",
        "10000000000",
        "2024-13-01",
        "01/02/2024",
        "2024-01-01T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
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


EARLIER, LATER = NOW.replace(hour=11), NOW.replace(hour=13)
STATEMENT = ImportStatement(basis="consent", collected_on=date(2025, 5, 1), note="fair in May")
BY_OPERATOR = replace(HERE, form="")
UNCONFIRMED = replace(HERE, state="unconfirmed", confirmed_at=None, form="newsletter")


@pytest.mark.parametrize(
    ("person", "known", "suppression", "expected"),
    [
        ({"state": "unconfirmed"}, None, None, ImportDecision(result="no basis", reason="not confirmed there")),
        ({}, None, "operator", ImportDecision(result="suppressed", reason="suppressed here (operator)")),
        ({}, replace(HERE, state="left"), None, ImportDecision(result="suppressed", reason="unsubscribed here")),
        ({}, replace(HERE, state="suppressed"), None, ImportDecision(result="suppressed", reason="unsubscribed here")),
        (
            {"preferences": Preferences()},
            HERE,
            None,
            ImportDecision(result="duplicate", reason="is a subscriber already"),
        ),
        (
            {"state": "unconfirmed"},
            replace(HERE, preferences=Preferences(name="U")),
            None,
            ImportDecision(result="duplicate", reason="is a subscriber already"),
        ),
        (
            {},
            replace(HERE, preferences=Preferences(topics=("links",))),
            None,
            ImportDecision(
                result="updated",
                reason="name added",
                subscriber=replace(HERE, preferences=Preferences(name="Una", topics=("links",)), changed_at=LATER),
                event="changed",
                details={"topics": "links", "frequency": "every"},
            ),
        ),
        (
            {"state": "left"},
            None,
            None,
            ImportDecision(result="suppressed", reason="unsubscribed there", suppress="imported"),
        ),
        (
            {"state": "complained"},
            None,
            None,
            ImportDecision(result="suppressed", reason="complained there", suppress="complained"),
        ),
        (
            {"state": "blocked"},
            None,
            "bounced",
            ImportDecision(result="suppressed", reason="blocked there; gets no mail from here already"),
        ),
        (
            {"state": "left"},
            replace(HERE, state="left"),
            None,
            ImportDecision(result="suppressed", reason="unsubscribed there; gets no mail from here already"),
        ),
        (
            {"state": "left"},
            replace(HERE, state="suppressed"),
            None,
            ImportDecision(result="suppressed", reason="unsubscribed there; gets no mail from here already"),
        ),
        (
            {"state": "left", "ended_at": EARLIER},
            HERE,
            None,
            ImportDecision(result="duplicate", reason="unsubscribed there, but signed up here later"),
        ),
        *(
            (
                {"state": "bounced", "ended_at": ended_at},
                known,
                None,
                ImportDecision(
                    result="suppressed",
                    reason="mail to this address bounced there",
                    subscriber=replace(known, state="suppressed", changed_at=LATER),
                    event="suppressed",
                    details={"reason": "bounced"},
                    suppress="bounced",
                ),
            )
            for ended_at, known in ((NOW, HERE), (EARLIER, BY_OPERATOR), (None, HERE), (EARLIER, UNCONFIRMED))
        ),
    ],
)
def test_people_who_are_not_imported(
    person: dict[str, object], known: Subscriber | None, suppression: str | None, expected: ImportDecision
):
    """Each with its reason; who left another service is suppressed here unless they signed up here since."""
    assert decide(replace(PERSON, **person), known, suppression, STATEMENT, LATER) == expected


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (ImportStatement(collected_on=date(2025, 5, 1)), "no lawful basis; state it with --basis"),
        (ImportStatement(basis="consent"), "no date of consent; state it with --collected"),
        (
            ImportStatement(basis="soft_opt_in_charity", collected_on=date(2025, 5, 1)),
            "the soft opt-in of charities covers addresses collected since 2026-02-05, not on 2025-05-01",
        ),
    ],
)
def test_a_person_without_a_basis(statement: ImportStatement, reason: str):
    """The reason says what to state."""
    person = replace(PERSON, signed_up_at=None)
    assert decide(person, None, None, statement, NOW) == ImportDecision(result="no basis", reason=reason)


def test_what_an_import_stores():
    """The person as the file says, the basis and date of the file or else the operator's, and all evidence."""
    details = {"basis": "consent", "collected_on": "2025-05-01", "topics": "posts episodes links", "frequency": "every"}
    plain = replace(PERSON, signed_up_at=None, paused_until=LATER)
    una = Subscriber(
        id=0,
        address="una@quay.example",
        state="active",
        preferences=Preferences(name="Una"),
        basis="consent",
        created_at=LATER,
        changed_at=LATER,
        confirmed_at=LATER,
    )
    assert decide(plain, None, None, STATEMENT, LATER) == ImportDecision(
        result="imported", subscriber=una, event="imported", details=details | {"note": "fair in May"}
    )
    whole = replace(
        PERSON,
        confirmed_at=NOW.replace(day=13),
        ip_address="192.0.2.7",
        language="de",
        basis="soft_opt_in_sale",
        paused_until=LATER,
    )
    assert decide(whole, UNCONFIRMED, None, replace(STATEMENT, note=""), NOW) == ImportDecision(
        result="updated",
        reason="had not confirmed here",
        subscriber=replace(
            UNCONFIRMED,
            state="active",
            preferences=Preferences(name="Una"),
            basis="soft_opt_in_sale",
            confirmed_at=NOW,
            paused_until=LATER,
        ),
        event="imported",
        details=details
        | {"basis": "soft_opt_in_sale", "collected_on": "2026-02-13", "ip_address_there": "192.0.2.7"}
        | {"signed_up_there_at": NOW.isoformat(), "confirmed_there_at": NOW.replace(day=13).isoformat()},
    )
    stored = decide(whole, None, None, STATEMENT, NOW).subscriber
    assert stored is not None
    assert stored.language == "de"


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3_000).map(lambda number: number * 1_024), max_size=3_000))
def test_an_address_set_is_a_set(hashes: list[int]):
    """Also when hashes share a slot, and when it grows."""
    addresses, seen = AddressSet(), set[int]()
    for hashed in hashes:
        hashed = hashed or 1
        assert addresses.add(hashed) == (hashed not in seen)
        seen.add(hashed)
