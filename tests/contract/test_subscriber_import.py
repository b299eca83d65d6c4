"""Importing and exporting subscribers, on every store."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audience.import_rules import ImportStatement
from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.export_subscribers import export_csv
from pipeline.jobs.audience.import_files import open_files
from pipeline.jobs.audience.import_subscribers import ReportLine, SubscriberImport
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.errors import UsageError
from pipeline.model.subscriber import Preferences, Subscriber
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.people import NOW, audience

CONSENT = ImportStatement(basis="consent", collected_on=date(2025, 5, 1), note="from the old list")


@pytest.fixture
def context(job_store_url: str) -> Iterator[AudienceContext]:
    with Store.open(job_store_url) as store:
        yield audience(store)


def run(context: AudienceContext, path: Path, statement: ImportStatement = CONSENT, **other: Any) -> list[ReportLine]:
    """Import a file and return its report."""
    job = SubscriberImport(context=context, statement=statement, actor="ann", now=NOW, **other)
    lines: list[ReportLine] = []
    with open_files(path) as files:
        for file in files:
            with file.rows() as rows:
                lines += job.run(rows, file.format, file.name)
    job.log(path.name, Counter(line.result for line in lines))
    return lines


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def states(context: AudienceContext) -> dict[str, str]:
    return {one.address: one.state for one in context.store.subscribers.iterate(NOW)}


def test_each_row_has_one_report_line(context: AudienceContext, tmp_path: Path):
    """With its line, its address, the result and why."""
    jobs = Subscriptions(context)
    jobs.add("here@quay.example", Preferences(), basis="consent", collected_on=NOW.date(), now=NOW, actor="ann")
    jobs.suppress("never@quay.example", "operator", actor="ann", now=NOW)
    rows = ("new@quay.example,Nia,", "here@quay.example,Hal,", "NEW@quay.example,,", "never@quay.example,,", "nobody,,")
    ended = ("gone@quay.example,,unsubscribed", "wrong@quay.example,,bounced", "late@quay.example,,unconfirmed")
    lines = run(context, write(tmp_path / "a.csv", "\n".join(("email,name,status", *rows, *ended))))
    assert [(line.line, line.address, line.result) for line in lines] == [
        (2, "new@quay.example", "imported"),
        (3, "here@quay.example", "updated"),
        (4, "NEW@quay.example", "duplicate"),
        (5, "never@quay.example", "suppressed"),
        (6, "", "bad"),
        (7, "gone@quay.example", "suppressed"),
        (8, "wrong@quay.example", "suppressed"),
        (9, "late@quay.example", "no basis"),
    ]
    assert states(context) == {"here@quay.example": "active", "new@quay.example": "active"}
    assert jobs.find("here@quay.example").preferences.name == "Hal"
    assert context.suppression("gone@quay.example") == "imported"
    assert context.suppression("wrong@quay.example") == "bounced"
    [event] = context.store.subscription_events.of_subscriber(jobs.find("new@quay.example").id)
    assert (event.kind, event.actor, event.details["note"]) == ("imported", "ann", "from the old list")
    assert (event.details["basis"], event.details["imported_from"]) == ("consent", "CSV, a.csv")
    at, actor, action, details = context.store.subscription_events.logged()[-1]
    assert (at, actor, action, details["imported"]) == (NOW, "ann", "import", "1")


def test_a_dry_run_reports_the_same_and_stores_nothing(context: AudienceContext, tmp_path: Path):
    """Not even a line of the log."""
    rows = [f"p{number % 1_500}@quay.example,{'unsubscribed' if number % 7 == 0 else ''}" for number in range(2_500)]
    path = write(tmp_path / "a.csv", "\n".join(("email,status", *rows)))
    dry = run(context, path, dry_run=True)
    assert states(context) == {}
    assert context.store.suppressions.since(None) == {}
    assert context.store.subscription_events.logged() == []
    assert [line.result for line in dry].count("imported") > 1_000
    assert [line.result for line in run(context, path)][:1_500] == [line.result for line in dry][:1_500]


def test_an_import_that_was_stopped_is_started_again(context: AudienceContext, tmp_path: Path):
    """What was stored is left as it is: the histories have one event each, and a third run changes nothing."""
    addresses = [f"p{number}@quay.example" for number in range(2_300)]
    path = write(
        tmp_path / "a.csv",
        "\n".join(("email,status", *(f"{address}," for address in addresses), "x@y.example,bounced")),
    )
    job = SubscriberImport(context=context, statement=CONSENT, actor="ann", now=NOW)
    with open_files(path) as [file], file.rows() as rows:
        report = job.run(rows, file.format, file.name)
        for _ in range(1_200):
            next(report)
    assert len(states(context)) == 2_000
    lines = run(context, path)
    assert Counter(line.result for line in lines) == {"duplicate": 2_000, "imported": 300, "suppressed": 1}
    before = list(context.store.maintenance.export_rows())
    run(context, path)
    after = list(context.store.maintenance.export_rows())
    assert [row for row in after if row[0] != "audience_log"] == [row for row in before if row[0] != "audience_log"]
    assert sum(table == "subscription_event" for table, _ in after) == 2_300


def test_an_import_revives_nobody(context: AudienceContext, tmp_path: Path):
    """People who left, were suppressed or erased stay so, whatever the file says."""
    jobs = Subscriptions(context)
    for name in ("left", "suppressed", "erased"):
        jobs.add(f"{name}@quay.example", Preferences(), basis="consent", collected_on=NOW.date(), now=NOW, actor="ann")
    jobs.leave(jobs.find("left@quay.example"), NOW)
    jobs.suppress("suppressed@quay.example", "complained", actor="ann", now=NOW)
    jobs.erase("erased@quay.example", actor="ann", now=NOW)
    path = write(tmp_path / "a.csv", "email\nleft@quay.example\nSuppressed@quay.example\nerased@QUAY.example\n")
    assert {line.result for line in run(context, path)} == {"suppressed"}
    assert states(context) == {"left@quay.example": "left", "suppressed@quay.example": "suppressed"}


def test_people_who_left_there_get_no_mail_from_here(context: AudienceContext, tmp_path: Path):
    """Somebody active here is suppressed, unless they signed up here later; in one batch and in several."""
    Subscriptions(context).add(
        "here@quay.example", Preferences(), basis="consent", collected_on=NOW.date(), now=NOW, actor="ann"
    )
    rows = "here@quay.example,unsubscribed\nboth@quay.example,active\nboth@quay.example,unsubscribed\n"
    lines = run(context, write(tmp_path / "a.csv", "email,status\n" + rows))
    assert [line.result for line in lines] == ["suppressed", "imported", "suppressed"]
    assert set(states(context).values()) == {"suppressed"}


def test_the_statement_fills_what_rows_do_not_say(context: AudienceContext, tmp_path: Path):
    """Their own date counts; without a basis or a date nobody is imported."""
    text = "email,created_at\nold@quay.example,2024-01-01\nnew@quay.example,\n"
    path = write(tmp_path / "a.csv", text)
    assert [line.result for line in run(context, path, ImportStatement())] == ["no basis", "no basis"]
    charity = ImportStatement(basis="soft_opt_in_charity", collected_on=date(2026, 2, 6))
    assert [line.result for line in run(context, path, charity)] == ["no basis", "imported"]
    dated = ImportStatement(basis="soft_opt_in_sale")
    assert [line.result for line in run(context, path, dated)] == ["imported", "duplicate"]
    assert Subscriptions(context).find("old@quay.example").basis == "soft_opt_in_sale"


def test_an_archive_of_a_service_is_read(context: AudienceContext, tmp_path: Path):
    """Of its files those with subscribers, each with the state that its columns name."""
    path = tmp_path / "export.zip"
    head = "Email Address,MEMBER_RATING,OPTIN_TIME,LEID,EUID"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("lists/subscribed.csv", f"{head}\na@quay.example,2,,1,x\n")
        archive.writestr("lists/unsubscribed.csv", f"{head},UNSUB_TIME\nb@quay.example,2,,2,y,2024-01-01 00:00:00\n")
        archive.writestr("lists/cleaned.csv", f"{head},CLEAN_TIME\nc@quay.example,2,,3,z,2024-01-01 00:00:00\n")
        archive.writestr("campaigns.csv", "title,email\nSpring,d@quay.example\n")
        archive.writestr("about.html", "<p>e@quay.example</p>")
        archive.writestr("__MACOSX/lists/subscribed.csv", head + "\nf@quay.example,2,,1,x\n")
    assert [(line.address, line.result) for line in run(context, path)] == [
        ("a@quay.example", "imported"),
        ("b@quay.example", "suppressed"),
        ("c@quay.example", "suppressed"),
    ]


def test_files_of_other_kinds_are_refused(tmp_path: Path):
    """With what to name instead."""
    empty, page, broken = tmp_path / "a.csv", tmp_path / "a.html", tmp_path / "a.zip"
    write(empty, "")
    write(page, "<html><p>nobody</p></html>")
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("posts.csv", "title\nSpring\n")
    for path in (empty, page, broken, tmp_path, tmp_path / "none.csv"):
        with pytest.raises(UsageError), open_files(path):
            pass


def test_an_export_is_imported_again(context: AudienceContext, tmp_path: Path):
    """Names, choices, pauses and bases come back, formulas are text, and people who left stay away."""
    jobs = Subscriptions(context)
    names = ('=HYPERLINK("x")', "'=1", "@sum", 'Zoë, "Z"', "'t Hooft")
    for number, name in enumerate(names):
        chosen = Preferences(name=name, topics=("links",), frequency="monthly")
        jobs.add(f"p{number}@quay.example", chosen, basis="consent", collected_on=NOW.date(), now=NOW, actor="ann")
    jobs.change(jobs.find("p0@quay.example"), jobs.find("p0@quay.example").preferences, NOW + timedelta(days=9), NOW)
    jobs.leave(jobs.find("p4@quay.example"), NOW)
    file = io.StringIO(newline="")
    assert export_csv(context, file, actor="ann", now=NOW) == 5
    assert not any(
        cell.startswith(tuple("=+-@\t\r")) for row in csv.reader(io.StringIO(file.getvalue())) for cell in row
    )
    before = {one.address: one for one in context.store.subscribers.iterate(NOW)}
    with Store.open(f"sqlite:///{tmp_path / 'other.db'}") as store:
        other = audience(store)
        run(other, write(tmp_path / "all.csv", file.getvalue()), ImportStatement())
        after = {one.address: one for one in store.subscribers.iterate(NOW)}
        assert set(before) - set(after) == {"p4@quay.example"}
        assert other.suppression("p4@quay.example") == "imported"
    for address, subscriber in after.items():
        assert kept(subscriber) == kept(before[address])


def kept(subscriber: Subscriber) -> tuple[object, ...]:
    return subscriber.preferences, subscriber.basis, subscriber.paused_until, subscriber.state


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a@q.example", "B@q.example", "b@q.example", "x", ""]),
            st.sampled_from(["", "active", "bounced", "?"]),
        )
    )
)
def test_rows_and_report_lines_are_as_many(tmp_path: Path, rows: list[tuple[str, str]]):
    """Whatever the rows, each that is not empty has a line, in order; a dry run says what the import does."""
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("email", "status"), *rows])
    folder = Path(tempfile.mkdtemp(dir=tmp_path))
    with Store.open(empty_store(folder)) as store:
        context = audience(store)
        dry = run(context, path, dry_run=True)
        assert [line.line for line in dry] == [2 + number for number, row in enumerate(rows) if any(row)]
        assert run(context, path) == dry
