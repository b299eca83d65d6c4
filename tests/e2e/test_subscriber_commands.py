"""``pipeline subscribers``: people are listed, shown, added, suppressed and erased from the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.audience import build_audience_context, build_sign_up
from pipeline.jobs.audience.sign_up import SignUpRequest
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.subscriber import Preferences, Visitor
from tests.cli_runner import CliRunner
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
PUBLIC = (
    '[public]\nurl = "https://news.example"\n[signup]\ncheck_mx = false\nguide = "https://blog.example/tides.pdf"\n'
)
VISITOR = Visitor(ip_address="203.0.113.9", user_agent="Browser <7>", page="https://blog.example/join?a=1&b=2")


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        runner.write_config(more=PUBLIC)
        yield runner


def sign_up(program: CliRunner, address: str, *, confirm: bool = True) -> None:
    """Sign somebody up with the form, who confirms an hour later from another network."""
    with App.load(program.config) as app:
        context = build_audience_context(app)
        preferences = Preferences(name="Ida", topics=("links",))
        request = SignUpRequest(
            form="newsletter", address=address, has_consented=True, preferences=preferences, visitor=VISITOR
        )
        build_sign_up(app, context).store(request, address, program.now)
        if confirm:
            jobs = Subscriptions(context)
            at_home = Visitor(ip_address="2001:db8::7", user_agent="Phone")
            jobs.confirm(jobs.find(address), program.now + timedelta(hours=1), at_home, seconds_since_mail="3500")


def listed(program: CliRunner, *options: str) -> list[tuple[str, str]]:
    rows = json.loads(program.run_ok("subscribers", "list", "--json", *options))
    return [(row["address"], row["state"]) for row in rows]


def test_the_list_as_json_is_a_contract(program: CliRunner):
    """Address, state, topics and since when; nobody is an empty list."""
    assert json.loads(program.run_ok("subscribers", "list", "--json")) == []
    sign_up(program, "ida@harbour.example")
    assert json.loads(program.run_ok("subscribers", "list", "--json")) == [
        {"address": "ida@harbour.example", "state": "active", "topics": ["links"], "since": "2026-02-12T13:00:00Z"}
    ]


def test_the_list_is_filtered_by_state_and_text(program: CliRunner):
    """States may be repeated; a text is looked for in address and name."""
    sign_up(program, "ida@harbour.example")
    sign_up(program, "new@harbour.example", confirm=False)
    program.run_ok("subscribers", "add", "old@quay.example", "--basis", "consent", "--name", "Otto 100%")
    program.run_ok("subscribers", "suppress", "old@quay.example", "--reason", "complained")
    assert listed(program, "--state", "active") == [("ida@harbour.example", "active")]
    states = ("--state", "unconfirmed", "--state", "suppressed")
    assert [state for _, state in listed(program, *states)] == ["unconfirmed", "suppressed"]
    assert [address for address, _ in listed(program, "--search", "HARBOUR")] == [
        "ida@harbour.example",
        "new@harbour.example",
    ]
    assert listed(program, "--search", "100%") == [("old@quay.example", "suppressed")]
    assert listed(program, "--search", "1_0") == []
    assert "old@quay.example" in program.run_ok("subscribers")


def test_a_receipt_proves_both_steps(program: CliRunner):
    """It has wording and version, form, page, times, addresses and browsers, the guide's version, later changes."""
    sign_up(program, "ida@harbour.example")
    program.write_config(more=PUBLIC + 'wording = "Send me everything."\n')
    program.run_ok("subscribers", "suppress", "ida@harbour.example")
    text = program.run_ok("subscribers", "show", "IDA@harbour.example", "--receipt")
    for fact in (
        "Controller: Harbour & Hearth",
        "Wording, version 1:\n    Send me the newsletter by email. I can unsubscribe at any time.",
        "Form: newsletter",
        "Page: https://blog.example/join?a=1&b=2",
        "Time: 2026-02-12 12:00:00 UTC\n",
        "IP address: 203.0.113.9\nUser agent: Browser <7>\n",
        "Time: 2026-02-12 13:00:00 UTC\n",
        "IP address: 2001:db8::7\nUser agent: Phone\n",
        "Guide version: ",
        "Suppressed\n----------\n",
    ):
        assert fact in text
    assert "everything" not in text


def test_a_receipt_is_written_as_html(program: CliRunner, tmp_path: Path):
    """What a browser said about itself is text in it; an existing file is kept without --force."""
    sign_up(program, "ida@harbour.example")
    file = tmp_path / "receipt.html"
    program.run_ok("subscribers", "show", "ida@harbour.example", "--receipt", str(file))
    document = file.read_text(encoding="utf-8")
    assert document.startswith("<!doctype html>")
    assert "<dd>Browser &lt;7&gt;</dd>" in document
    code, _, err = program.run("subscribers", "show", "ida@harbour.example", "--receipt", str(file))
    assert (code, "already exists" in err) == (4, True)
    program.run_ok("subscribers", "show", "ida@harbour.example", "--receipt", str(file), "--force")


def test_a_history_is_shown(program: CliRunner):
    """A line for each event, and everything as JSON."""
    sign_up(program, "ida@harbour.example")
    shown = program.run_ok("subscribers", "show", "ida@harbour.example")
    assert "2026-02-12 12:00:00 UTC  Signed up: form newsletter; page https://blog.example/join" in shown
    data = json.loads(program.run_ok("subscribers", "show", "ida@harbour.example", "--json"))
    assert [event["kind"] for event in data["history"]] == ["requested", "confirmed", "guide"]
    assert data["history"][0]["wording"]["version"] == 1
    assert [mail["kind"] for mail in data["mails"]] == ["confirmation", "guide"]
    assert data["subscription"]["state"] == "active"


def test_somebody_added_with_a_basis_is_active(program: CliRunner):
    """Basis, date and note are in the history; adding the person again changes nothing."""
    words = ("--basis", "soft_opt_in_sale", "--collected", "2025-12-01", "--note", "at the fair")
    preferences = ("--topics", "posts,links", "--frequency", "monthly", "--name", "Uwe")
    program.run_ok("subscribers", "add", "uwe@quay.example", *words, *preferences)
    program.run_ok("subscribers", "add", "UWE@quay.example", "--basis", "consent")
    data = json.loads(program.run_ok("subscribers", "show", "uwe@quay.example", "--json"))
    assert [event["details"] for event in data["history"]] == [
        {
            "basis": "soft_opt_in_sale",
            "collected_on": "2025-12-01",
            "topics": "posts links",
            "frequency": "monthly",
            "note": "at the fair",
        }
    ]
    assert (data["subscription"]["topics"], data["subscription"]["frequency"]) == (["posts", "links"], "monthly")


def test_somebody_added_without_a_basis_is_asked(program: CliRunner):
    """A mail with a link is queued, once a week; what was chosen applies when they confirm."""
    assert "will get a mail" in program.run_ok("subscribers", "add", "eli@quay.example", "--topics", "episodes")
    assert "within a week" in program.run_ok("subscribers", "add", "eli@quay.example")
    data = json.loads(program.run_ok("subscribers", "show", "eli@quay.example", "--json"))
    assert ([mail["kind"] for mail in data["mails"]], data["subscription"]["state"]) == (
        ["confirmation"],
        "unconfirmed",
    )
    with App.load(program.config) as app:
        jobs = Subscriptions(build_audience_context(app))
        jobs.confirm(jobs.find("eli@quay.example"), program.now)
        assert jobs.find("eli@quay.example").preferences.topics == ("episodes",)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("add", "no address"), 2, "is not an email address"),
        (("add", "a@quay.example", "--basis", "soft_opt_in_charity", "--collected", "2026-01-31"), 2, "2026-02-05"),
        (("add", "a@quay.example", "--basis", "consent", "--collected", "2026-02-13"), 2, "in the future"),
        (("add", "a@quay.example", "--topics", "cats"), 2, "there is no topic 'cats'"),
        (("add", "a@quay.example", "--form", "cats"), 2, "there is no sign-up form 'cats'"),
        (("show", "a@quay.example"), 2, "nothing is stored"),
        (("suppress", "a@quay.example", "--lift"), 2, "is not suppressed"),
        (("erase", "a@quay.example"), 2, "is not a subscriber"),
    ],
)
def test_what_cannot_be_done_is_explained(program: CliRunner, words: tuple[str, ...], code: int, reason: str):
    """Nothing is stored, and the exit code says whether it was a wrong argument."""
    result, _, err = program.run("subscribers", *words)
    assert (result, reason in err) == (code, True), err
    assert listed(program) == []


def test_a_confirmation_needs_public_pages(program: CliRunner):
    """Without them the link in the mail would lead nowhere."""
    program.write_config()
    code, _, err = program.run("subscribers", "add", "a@quay.example")
    assert (code, "[public] url" in err) == (4, True)


@pytest.mark.parametrize("basis", [(), ("--basis", "consent")])
def test_the_operator_revives_nobody(program: CliRunner, basis: tuple[str, ...]):
    """Somebody who left, was suppressed or erased is not added again, with a basis or without."""
    for name in ("left", "gone", "erased"):
        sign_up(program, f"{name}@quay.example")
    with App.load(program.config) as app:
        jobs = Subscriptions(build_audience_context(app))
        jobs.leave(jobs.find("left@quay.example"), program.now)
    program.run_ok("subscribers", "suppress", "gone@quay.example")
    program.run_ok("subscribers", "erase", "erased@quay.example", "--yes")
    for name in ("left", "gone", "erased"):
        code, _, err = program.run("subscribers", "add", f"{name}@quay.example", *basis)
        assert (code, "only the person" in err) == (4, True)
    assert dict(listed(program)) == {"left@quay.example": "left", "gone@quay.example": "suppressed"}


def test_a_suppression_is_lifted(program: CliRunner):
    """The person may sign up again; until then they get nothing."""
    sign_up(program, "ida@harbour.example")
    program.run_ok("subscribers", "suppress", "ida@harbour.example", "--reason", "bounced")
    program.run_ok("subscribers", "suppress", "ida@harbour.example", "--lift")
    assert listed(program) == [("ida@harbour.example", "left")]


def test_erasing_asks_for_the_address(program: CliRunner, monkeypatch: pytest.MonkeyPatch):
    """Another answer deletes nothing; afterwards a hash is left, and lines of the log that name nobody."""
    sign_up(program, "ida@harbour.example")
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    code, _, err = program.run("subscribers", "erase", "ida@harbour.example")
    assert (code, "nothing was deleted" in err) == (4, True)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert program.run("subscribers", "erase", "ida@harbour.example")[0] == 4
    monkeypatch.setattr("sys.stdin", io.StringIO("Ida@harbour.example\n"))
    assert program.run("subscribers", "erase", "ida@harbour.example")[0] == 0
    assert listed(program) == []
    data = json.loads(program.run_ok("subscribers", "show", "ida@harbour.example", "--json"))
    assert (data["subscription"], data["history"], data["suppression"]["reason"]) == (None, [], "erased")
    assert [line["action"] for line in data["log"]] == ["erase"]
    content = program.run_ok("export")
    assert "ida@" not in content
    assert "203.0.113.9" not in content


def test_a_file_is_imported(program: CliRunner, tmp_path: Path):
    """Counts on stdout, rows that failed on stderr with exit code 3, a line for each row in the report."""
    (tmp_path / "list.csv").write_text("email;name\nann@quay.example;=cmd\nnobody;\n", encoding="cp1252")
    words = ("subscribers", "import", str(tmp_path / "list.csv"), "--collected", "2025-05-01", "--note", "from paper")
    code, out, err = program.run(*words, "--dry-run")
    assert (code, listed(program)) == (3, [])
    assert "dry run" in out
    assert "line 2: no basis" in err
    code, out, err = program.run(*words, "--basis", "consent", "--report", str(tmp_path / "report.csv"))
    assert (code, listed(program)) == (3, [("ann@quay.example", "active")])
    assert out.split() == ["list.csv:", "imported", "1", "bad", "1"]
    assert err.startswith("pipeline: list.csv, line 3: bad: 'nobody' is not an email address")
    report = (tmp_path / "report.csv").read_text(encoding="utf-8-sig").splitlines()
    assert report[:2] == ["file,line,address,result,reason", "list.csv,2,ann@quay.example,imported,"]
    assert len(report) == 3
    assert program.run(*words, "--report", str(tmp_path / "report.csv"))[0] == 4


def test_many_failed_rows_are_named_in_part(program: CliRunner, tmp_path: Path):
    """The first twenty, and how to see all of them."""
    (tmp_path / "list.csv").write_text("email\n" + "nobody\n" * 25)
    code, _, err = program.run("subscribers", "import", str(tmp_path / "list.csv"))
    assert (code, len(err.splitlines())) == (3, 21)
    assert "5 rows more; --report" in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("none.csv",), "cannot be read"),
        (("config.toml",), "no column of addresses"),
        (("list.csv", "--collected", "2027-01-01"), "in the future"),
    ],
)
def test_files_that_cannot_be_imported(program: CliRunner, tmp_path: Path, words: tuple[str, ...], reason: str):
    """What is wrong, with exit code 2."""
    (tmp_path / "list.csv").write_text("email\n")
    code, _, err = program.run("subscribers", "import", str(tmp_path / words[0]), *words[1:])
    assert (code, reason in err) == (2, True), err


def test_everybody_is_exported(program: CliRunner, tmp_path: Path):
    """To stdout or into a new file, whose formulas are text; the log knows."""
    program.run_ok("subscribers", "add", "ann@quay.example", "--basis", "consent", "--name", "=1+1")
    assert "ann@quay.example,'=1+1,active,posts episodes links,every" in program.run_ok("subscribers", "export")
    file = str(tmp_path / "all.csv")
    assert program.run_ok("subscribers", "export", file) == f"{file}: 1 subscriber\n"
    assert program.run("subscribers", "export", file)[0] == 4
    program.run_ok("subscribers", "export", file, "--force")
    with App.load(program.config) as app:
        assert [action for _, _, action, _ in app.store().subscription_events.logged()] == ["add", *["export"] * 3]


def test_a_person_is_exported(program: CliRunner):
    """All that is stored about them, which is logged, too."""
    sign_up(program, "ida@harbour.example")
    data = json.loads(program.run_ok("subscribers", "export", "ida@harbour.example"))
    assert data == json.loads(program.run_ok("subscribers", "show", "ida@harbour.example", "--json")) | {"log": []}
    data = json.loads(program.run_ok("subscribers", "show", "ida@harbour.example", "--json"))
    assert [line["action"] for line in data["log"]] == ["export-person"]


def test_a_restored_backup_revives_nobody(program: CliRunner, tmp_path: Path):
    """People who left, were suppressed or erased after it was made stay so, and the summary counts them."""
    for name in ("stays", "leaves", "bounces", "erased"):
        sign_up(program, f"{name}@quay.example")
    program.run_ok("backup", str(tmp_path / "copy.db"))
    program.now += timedelta(days=1)
    with App.load(program.config) as app:
        jobs = Subscriptions(build_audience_context(app))
        jobs.leave(jobs.find("leaves@quay.example"), program.now)
    program.run_ok("subscribers", "suppress", "bounces@quay.example", "--reason", "bounced")
    program.run_ok("subscribers", "erase", "erased@quay.example", "--yes")
    code, out, _ = program.run("restore", str(tmp_path / "copy.db"), "--force")
    assert code == 0
    assert "1 person unsubscribed, 1 person suppressed, 1 person erased" in out
    expected = {"stays@quay.example": "active", "leaves@quay.example": "left", "bounces@quay.example": "suppressed"}
    assert dict(listed(program)) == expected
    assert program.run("subscribers", "add", "erased@quay.example", "--basis", "consent")[0] == 4
