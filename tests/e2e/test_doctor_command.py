"""`pipeline doctor` runs all checks, ends with an exit code, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.doctor import doctor_checks
from pipeline.jobs.doctor import run_checks
from pipeline.jobs.doctor.clock import check_clock
from pipeline.model.health import HealthResult
from tests.cli_runner import CliRunner
from tests.http_server import CannedResponse, HttpServer
from tests.mail_server import MailServer

pytestmark = pytest.mark.loopback
CATEGORIES = ["config", "time", "disk", "store", "templates", "feeds", "runs"]


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A publication whose feeds were never fetched."""
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def run_doctor(program: CliRunner) -> tuple[int, list[dict[str, str]]]:
    code, out, err = program.run("doctor", "--offline", "--json")
    assert err == ""
    return code, json.loads(out)["results"]


def test_checking_changes_nothing(program: CliRunner) -> None:
    """No database and no folder is created."""
    before = sorted(program.config.parent.rglob("*"))
    code, results = run_doctor(program)
    assert code == 0
    assert list(dict.fromkeys(result["category"] for result in results)) == CATEGORIES
    assert sorted(program.config.parent.rglob("*")) == before


def test_a_healthy_publication_is_ok(program: CliRunner) -> None:
    """Each result is a line with a symbol; with --quiet nothing is printed."""
    program.run("tick")
    code, out, _ = program.run("doctor", "--offline")
    assert (code, out.splitlines()[-1]) == (0, "All is well.")
    assert "Store\n  ✓ pipeline.db: is intact, schema " in out
    assert "Runs\n  ✓ " in out
    assert program.run("doctor", "--offline", "--quiet") == (0, "", "")


def test_errors_are_exit_3_with_their_fixes(program: CliRunner) -> None:
    """A feed that failed three times and a file that is no database are errors; the other checks still run."""
    program.server.respond("/blog", CannedResponse(status=404, body=b"no"))
    for _ in range(3):
        program.run("fetch", "--force")
    code, out, _ = program.run("doctor", "--offline", "--quiet")
    assert code == 3
    assert out.startswith("Feeds\n  ✗ blog: fails since ")
    assert "\n    → check the address\n" in out
    for file in program.config.parent.glob("pipeline.db*"):
        file.unlink()
    (program.config.parent / "pipeline.db").write_text("no database at all, but long enough to look into " * 100)
    code, results = run_doctor(program)
    assert code == 3
    assert {result["category"] for result in results if result["level"] == "error"} == {"store", "feeds", "runs"}
    assert next(result for result in results if result["category"] == "templates")["level"] == "ok"


def test_an_invalid_config_is_exit_2(program: CliRunner) -> None:
    """The result names the file, the key and what is allowed."""
    program.write_config(more="\n[digset]\ntheme = 1\n")
    code, results = run_doctor(program)
    assert code == 2
    assert [(result["category"], result["level"]) for result in results] == [("config", "error")]
    assert results[0]["message"].endswith("config.toml: line 13: digset is not a section: did you mean digest?")


@pytest.mark.parametrize("file", ["digest.txt.j2", "parts/story.html.j2"])
def test_a_theme_that_does_not_compile_is_found(program: CliRunner, file: str) -> None:
    """In the publication's own folder, which comes first; in parts that only a story uses, too."""
    own = program.config.parent / "templates" / "classic" / file
    own.parent.mkdir(parents=True)
    own.write_text("{% if x %}")
    code, results = run_doctor(program)
    (result,) = [result for result in results if result["category"] == "templates"]
    assert (code, result["level"], file in result["fix"]) == (3, "error", True)


def test_the_clock_is_compared_with_a_real_server(program: CliRunner) -> None:
    """The Date header of a web server is fetched like a feed."""
    now = datetime.now(UTC)
    with App.load(program.config) as app:
        (right,) = check_clock(app.link_fetcher, [program.server.url("/blog")], now)
        (wrong,) = check_clock(app.link_fetcher, [program.server.url("/blog")], now - timedelta(hours=1))
    assert (right.level, wrong.level, "60 min behind" in wrong.message) == ("ok", "error", True)


def mail_results(program: CliRunner, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> list[HealthResult]:
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    program.write_config(
        more=f"""
[delivery]
smtp_host = "127.0.0.1"
smtp_port = {server.port}
smtp_security = "none"
smtp_username = "ann"
smtp_password_env = "MAIL_PASSWORD"
"""
    )
    with App.load(program.config) as app:
        checks = doctor_checks(app, now=program.now, offline=False)
        return list(run_checks(check for check in checks if check.category == "mail"))


def test_the_mail_server_is_verified_without_a_mail(program: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check logs in and sends nothing; a refused password is not repeated."""
    with MailServer() as server:
        (accepted,) = mail_results(program, server, monkeypatch)
        assert not [command for command in server.commands if command.upper().startswith("MAIL")]
    assert (accepted.level, "logged in as ann" in accepted.message) == ("ok", True)
    with MailServer(answers={"AUTH": "535 no hunter2"}) as server:
        (refused,) = mail_results(program, server, monkeypatch)
    assert (refused.level, "hunter2" in refused.message + refused.fix) == ("error", False)
    assert "smtp_password_env" in refused.message


def test_a_dkim_key_is_made_and_its_record_printed(program: CliRunner) -> None:
    """Once: the same command prints the record of the key again; what it proposes for config.toml works."""
    code, out, err = program.run("doctor", "--make-dkim-key")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    record = next(line.strip() for line in lines if line.startswith("  v=DKIM1; k=rsa; p="))
    assert lines[0] == "Wrote dkim.pem: keep it secret, and back it up."
    config = program.config.read_text()
    settings = "\n".join(line.strip() for line in lines if line.startswith("  dkim_"))
    assert "[delivery]" not in config
    program.config.write_text(f"{config}\n[delivery]\n{settings}\n")
    code, out, _ = program.run("doctor", "--make-dkim-key")
    assert (code, record in out, "There is dkim.pem" in out) == (0, True, True)
    _, results = run_doctor(program)
    assert [result["level"] for result in results if result["name"] == "DKIM dkim_key"] == ["ok"]
