"""`pipeline doctor`: every group is looked at, the exit code says what came of it, and nothing is changed."""

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
GROUPS = ["config", "time", "disk", "store", "templates", "feeds", "runs"]


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """A publication nobody has read yet."""
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def examined(program: CliRunner) -> tuple[int, list[dict[str, str]]]:
    code, out, err = program.run("doctor", "--offline", "--json")
    assert err == ""
    return code, json.loads(out)["signs"]


def test_a_look_makes_and_changes_nothing(program: CliRunner) -> None:
    """No database, no folder; what is missing is said to be missing."""
    before = sorted(program.config.parent.rglob("*"))
    code, signs = examined(program)
    assert code == 0
    assert list(dict.fromkeys(sign["group"] for sign in signs)) == GROUPS
    assert sorted(program.config.parent.rglob("*")) == before


def test_when_all_is_well_it_says_so(program: CliRunner) -> None:
    """A mark and what was found for each thing; with --quiet nothing at all."""
    program.run("tick")
    code, out, _ = program.run("doctor", "--offline")
    assert (code, out.splitlines()[-1]) == (0, "All is well.")
    assert "Store\n  ✓ pipeline.db: is whole, schema " in out
    assert "Runs\n  ✓ " in out
    assert program.run("doctor", "--offline", "--quiet") == (0, "", "")


def test_what_needs_mending_is_exit_3_with_the_way_to_mend_it(program: CliRunner) -> None:
    """A feed that failed three times, a database that is none: each is named, and the rest is looked at as well."""
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
    code, signs = examined(program)
    assert code == 3
    assert {sign["group"] for sign in signs if sign["level"] == "trouble"} == {"store", "feeds", "runs"}
    assert next(sign for sign in signs if sign["group"] == "templates")["level"] == "well"


def test_a_config_that_cannot_be_used_is_exit_2(program: CliRunner) -> None:
    """With the file, the key and what is allowed, as a sign like the others."""
    program.write_config(more="\n[digset]\ntheme = 1\n")
    code, signs = examined(program)
    assert code == 2
    assert [(sign["group"], sign["level"]) for sign in signs] == [("config", "trouble")]
    assert signs[0]["finding"].endswith("config.toml: digset is not a section")
    assert signs[0]["mend"] == "did you mean digest?"


@pytest.mark.parametrize("file", ["digest.txt.j2", "parts/story.html.j2"])
def test_a_theme_that_does_not_compile_is_found(program: CliRunner, file: str) -> None:
    """In the publisher's own folder, which comes first; a part too, that only a story would bring to light."""
    own = program.config.parent / "templates" / "classic" / file
    own.parent.mkdir(parents=True)
    own.write_text("{% if x %}")
    code, signs = examined(program)
    (sign,) = [sign for sign in signs if sign["group"] == "templates"]
    assert (code, sign["level"], file in sign["mend"]) == (3, "trouble", True)


def test_the_clock_is_held_against_a_real_servers_date(program: CliRunner) -> None:
    """What a web server says of the time, by the way that feeds are fetched."""
    now = datetime.now(UTC)
    with App.load(program.config) as app:
        (right,) = check_clock(app.link_fetcher, [program.server.url("/blog")], now)
        (wrong,) = check_clock(app.link_fetcher, [program.server.url("/blog")], now - timedelta(hours=1))
    assert (right.level, wrong.level, "60 min behind" in wrong.message) == ("well", "trouble", True)


def mail_signs(program: CliRunner, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> list[HealthResult]:
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
        looks = doctor_checks(app, now=program.now, offline=False)
        return list(run_checks(each for each in looks if each.category == "mail"))


def test_the_mail_server_is_greeted_and_sent_nothing(program: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """It logs in as a send would; no mail is begun, and a password that is refused is not repeated."""
    with MailServer() as server:
        (well,) = mail_signs(program, server, monkeypatch)
        assert not [each for each in server.commands if each.upper().startswith("MAIL")]
    assert (well.level, "logged in as ann" in well.message) == ("well", True)
    with MailServer(answers={"AUTH": "535 no hunter2"}) as server:
        (refused,) = mail_signs(program, server, monkeypatch)
    assert (refused.level, "hunter2" in refused.message + refused.fix) == ("trouble", False)
    assert "smtp_password_env" in refused.fix
