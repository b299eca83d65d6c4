"""Doctor checks of clock, storage, set-up and feeds: what they find and how to fix it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.doctor import claim_storage, owner_checks
from pipeline.jobs.doctor import DoctorCheck, run_checks
from pipeline.jobs.doctor.activity import check_feeds
from pipeline.jobs.doctor.clock import check_clock, check_time_zone, compare_clock
from pipeline.jobs.doctor.setup import (
    check_desk,
    check_link_counts,
    check_mail_server,
    check_notify_command,
    check_secrets,
    check_theme,
)
from pipeline.jobs.doctor.storage import check_database, check_disk, check_free_space, file_system_type
from pipeline.jobs.monitoring.feed_health import feed_warnings, fetch_result
from pipeline.model.editor import Editor
from pipeline.model.errors import DeliveryFailedError, StoreError, TemplateError
from pipeline.model.feed import FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.health import HealthResult, worst_level
from pipeline.store import Store

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
LOCAL = "22 1 8:1 / / rw - ext4 /dev/sda1 rw"


def levels(results: Iterable[HealthResult]) -> list[str]:
    return [result.level for result in results]


def find(results: Iterable[HealthResult], text: str) -> HealthResult:
    """Return the one result whose message contains the text; a warning or an error must have a fix."""
    (result,) = [result for result in results if text in result.message]
    assert result.level == "ok" or result.fix
    return result


def test_a_failed_check_does_not_stop_the_others() -> None:
    """A PipelineError becomes a result with its message, a bug becomes one with its type; the other checks run."""

    def refused() -> Iterator[HealthResult]:
        yield HealthResult(category="store", name="a", level="ok", message="started")
        raise StoreError("pipeline.db is damaged; restore a backup")

    def broken() -> Iterator[HealthResult]:
        raise ZeroDivisionError("division by zero")

    last = HealthResult(category="mail", name="b", level="ok", message="reached")
    checks = [("store", refused), ("disk", broken), ("mail", lambda: [last])]
    results = list(run_checks(DoctorCheck(category=category, run=run) for category, run in checks))
    assert levels(results) == ["ok", "error", "error", "ok"]
    assert results[1].message == "pipeline.db is damaged; restore a backup"
    assert "ZeroDivisionError" in results[2].message
    assert (results[3], worst_level(results)) == (last, "error")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('smtp_password = "hunter2"', "a secret: smtp_password"),
        ("# token = 'abc'", "a secret: token"),
        ('password_env = "hunter2"', "a secret: password_env"),
        ('url = "https://ann:hunter2@feeds.example/"', "an address with a password"),
        ('url = "https://feeds.example/private?token=abc"', "an address with a key"),
    ],
)
def test_a_secret_in_config_toml_is_found(line: str, words: str) -> None:
    """In comments too. The result names the line and does not repeat the secret."""
    (result,) = check_secrets(f'name = "x"\n{line}\n', "config.toml")
    assert f"line 2 contains {words}" in result.message
    assert result.level != "ok"
    assert not {"hunter2", "abc"} & set((result.message + result.fix).replace('"', " ").split())


def test_the_demo_config_contains_no_secret() -> None:
    """Names of variables, empty values and comments about secrets do not count."""
    text = (Path(__file__).parents[2] / "config.toml").read_text()
    assert levels(check_secrets(text, "config.toml")) == ["ok"]


def test_time_zone_data_must_be_present_and_recent(tmp_path: Path) -> None:
    """The first line of tzdata.zi names the release."""
    (tmp_path / "tzdata.zi").write_text("# version 2025b\nR d 1916 o - Jun 14 23s 1 S\n")
    folders = [str(tmp_path)]
    assert levels(check_time_zone("Europe/London", folders, NOW)) == ["ok"]
    old = find(check_time_zone("Europe/London", folders, NOW + timedelta(days=800)), "release 2025b is old")
    assert old.level == "warning"
    assert levels(check_time_zone("Europe/Lyndon", folders, NOW)) == ["error"]
    assert levels(check_time_zone("Europe/London", ["/nowhere"], NOW)) == ["ok"]


@pytest.mark.parametrize(
    ("difference", "level"),
    [(timedelta(seconds=90), "ok"), (timedelta(minutes=3), "error"), (-timedelta(hours=1), "error")],
)
def test_a_clock_that_is_wrong_by_minutes_is_an_error(difference: timedelta, level: str) -> None:
    """Weeks close and links expire by the clock."""
    result = compare_clock("a.example", format_datetime(NOW, usegmt=True), NOW + difference)
    assert (result.level, "a.example" in result.message) == (level, True)


class Servers:
    """Servers that answer each URL with a Date header, or without one."""

    def __init__(self, dates: dict[str, str]) -> None:
        self.dates = dates

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        for request in requests:
            date = self.dates.get(request.url, "")
            yield FetchOutcome(key=request.key, url=request.url, kind="ok", server_date=date)

    def __call__(self) -> AbstractAsyncContextManager[Servers]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Servers]:
            yield self

        return opened()


def test_the_clock_is_compared_with_the_first_server_that_sends_a_date() -> None:
    """A server without a Date header is skipped; without any, the result is a warning."""
    urls = ["https://away.example/", "https://b.example/feed"]
    (result,) = check_clock(Servers({urls[1]: format_datetime(NOW, usegmt=True)}), urls, NOW)
    assert (result.level, result.message) == ("ok", "agrees with b.example")
    (result,) = check_clock(Servers({}), urls, NOW)
    assert result.level == "warning"
    (result,) = check_clock(Servers({urls[0]: "soon"}), urls, NOW)
    assert "'soon' as its date" in result.message


@pytest.mark.parametrize(
    ("free_bytes", "files", "level"),
    [
        (5 * 10**9, 10**6, "ok"),
        (5 * 10**9, None, "ok"),
        (5 * 10**8, 10**6, "warning"),
        (10**7, 10**6, "error"),
        (5 * 10**9, 12, "error"),
    ],
)
def test_a_full_disk_is_an_error_and_a_nearly_full_one_a_warning(
    free_bytes: int, files: int | None, level: str
) -> None:
    """Both free bytes and free inodes count."""
    result = check_free_space("store", Path("/srv/news"), free_bytes, files)
    assert (result.level, bool(result.fix)) == (level, level != "ok")


def test_checking_a_folder_leaves_no_file(tmp_path: Path) -> None:
    """A missing folder is checked by the one it will be created in."""
    results = list(check_disk({"store": tmp_path, "outbox": tmp_path / "new" / "outbox"}))
    assert find(results, "is created when it is needed").name == "outbox"
    assert list(tmp_path.iterdir()) == []
    assert len(results) == 3


def test_a_folder_that_is_not_writable_is_an_error() -> None:
    """Nobody can create files in /proc, not even root."""
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no /proc here")
    assert find(check_disk({"outbox": Path("/proc/self")}), "is not writable").level == "error"


def test_an_intact_store_is_ok(tmp_path: Path) -> None:
    """The check of a store that does not exist yet is ok and does not create it."""
    file = tmp_path / "pipeline.db"

    def open_store() -> Store:
        return Store.open(f"sqlite:///{file}")

    assert find(check_database(open_store, file, LOCAL), "does not exist yet").level == "ok"
    assert not file.exists()
    with open_store() as store:
        assert levels(check_database(lambda: store, file, LOCAL)) == ["ok"]
        file.chmod(0o666)
        assert find(check_database(lambda: store, file, LOCAL), "writable for others").level == "warning"


def test_a_damaged_store_is_an_error(tmp_path: Path) -> None:
    """Pages in the middle of the file are overwritten."""
    file = tmp_path / "pipeline.db"
    Store.open(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE filler (words TEXT)")
        database.executemany("INSERT INTO filler VALUES (?)", [("x" * 500,)] * 200)
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    with file.open("r+b") as opened:
        opened.seek(len(whole) - 3 * 4096)
        opened.write(os.urandom(4096))
    with Store.open(f"sqlite:///{file}") as store:
        results = list(
            run_checks([DoctorCheck(category="store", run=lambda: check_database(lambda: store, file, LOCAL))])
        )
    assert worst_level(results) == "error"
    assert any("damaged" in result.message for result in results)


def test_a_database_on_a_network_disk_is_an_error(tmp_path: Path) -> None:
    """The longest matching mount point decides."""
    file = tmp_path / "pipeline.db"
    mounts = f"{LOCAL}\n30 22 0:9 / {tmp_path} rw - nfs4 nas:/x rw\n31 22 0:9 / {tmp_path}/pipe rw - xfs /dev/b rw"
    assert file_system_type(str(file), mounts) == "nfs4"
    with Store.open(f"sqlite:///{file}") as store:
        assert find(check_database(lambda: store, file, mounts), "network disk (nfs4)").level == "error"


def test_a_theme_that_does_not_compile_names_file_and_line() -> None:
    """The fix names where to look."""

    def load() -> int:
        raise TemplateError("unexpected end of template.", file="classic/digest.html.j2", line=7)

    (result,) = check_theme("classic", load)
    assert (result.level, result.fix.startswith("fix classic/digest.html.j2, line 7")) == ("error", True)
    assert levels(check_theme("classic", lambda: 12)) == ["ok"]


class Server:
    """A mail server that accepts the log-in or refuses it."""

    def __init__(self, error: str = "") -> None:
        self.error = error

    def verify(self) -> list[str]:
        if self.error:
            raise DeliveryFailedError(self.error)
        return ["TLSv1.3", "logged in as letter"]


@pytest.mark.parametrize(
    ("url", "editors", "levels"),
    [
        ("", [], []),
        ("http://127.0.0.1:8026", [], []),
        ("https://desk.example", [], ["warning"]),
        ("http://0.0.0.0:8026", [], ["warning", "warning"]),
        ("http://desk.example", [True], ["warning", "ok"]),
        ("https://desk.example", [False], ["warning", "ok"]),
        ("https://desk.example", [False, True], ["ok"]),
    ],
)
def test_a_desk_that_others_reach_has_editors(url: str, editors: list[bool], levels: list[str]) -> None:
    """It is warned of one without editors, one that is not encrypted, and editors of whom nobody may approve."""
    named = [
        Editor(name=str(number), address=f"{number}@x.example", may_approve=may_approve)
        for number, may_approve in enumerate(editors)
    ]
    results = list(check_desk(url, named, sends_links=False))
    assert [result.level for result in results] == levels
    assert all(result.fix for result in results if result.level == "warning")
    assert all("pipeline desk-link" in result.message for result in results if result.level == "ok")


def test_the_mail_server_is_verified() -> None:
    """The result names what was negotiated, or the refusal; no server at all is a warning."""
    assert find(check_mail_server("smtp.example", Server()), "TLSv1.3, logged in as letter").level == "ok"
    assert (
        find(check_mail_server("smtp.example", Server("does not accept the login.")), "does not accept").level
        == "error"
    )
    assert find(check_mail_server("", None), "is not set").level == "warning"


@pytest.mark.parametrize(
    ("url", "level"), [("https://news.cove.example", "ok"), ("http://news.cove.example", "warning")]
)
def test_counted_links_are_mentioned(url: str, level: str) -> None:
    """Where clicks are counted, people must be told; an unencrypted address is a warning."""
    (result,) = check_link_counts(url)
    assert (result.name, result.level) == ("count_links", level)
    assert "docs/delivery.md" in result.message if level == "ok" else "https" in result.fix


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [
        ({}, "warning", "has not been fetched yet"),
        ({"checked_at": NOW, "read_at": NOW, "outcome": "ok"}, "ok", "fetched Mon 16 Feb 2026 09:00"),
        (
            {"checked_at": NOW, "failures": 1, "outcome": "timeout", "detail": "is slow", "advice": "wait"},
            "warning",
            "(once), is slow",
        ),
        (
            {
                "checked_at": NOW,
                "failures": 4,
                "failing_since": NOW,
                "outcome": "timeout",
                "detail": "is slow",
                "advice": "wait",
            },
            "error",
            "fails since Mon 16 Feb 2026 09:00 (4 times in a row), is slow",
        ),
        ({"checked_at": NOW, "gone_at": NOW, "outcome": "gone"}, "error", "gone since Mon 16 Feb 2026 09:00"),
        ({"checked_at": NOW, "outcome": "moved", "detail": "moved", "advice": "write it down"}, "warning", "moved"),
    ],
)
def test_the_last_fetch_of_a_feed_is_reported(state: dict[str, object], level: str, words: str) -> None:
    """The result says since when a feed fails, how often, and what to do; a single failure is a warning."""
    result = find([fetch_result(FeedState(feed_id="blog", **state), UTC)], words)  # type: ignore[arg-type]
    assert result.level == level


def test_a_quarantine_is_an_error() -> None:
    """The fix is the command that releases the entries."""
    state = FeedState(feed_id="blog", checked_at=NOW, read_at=NOW, outcome="ok")
    result = find(feed_warnings(state, 8), "holds 8 entries in quarantine")
    assert (result.level, result.fix) == ("error", "`pipeline feeds accept blog` releases them")


def test_no_feed_at_all_is_a_warning() -> None:
    """The fix is the command that adds one."""
    assert "pipeline feeds add" in find(check_feeds([], {}, UTC), "no feed").fix


def test_the_notify_command_must_be_executable(tmp_path: Path) -> None:
    """It is found relative to config.toml's folder or in $PATH, and not run; no command is fine."""
    tell = tmp_path / "bin" / "tell"
    tell.parent.mkdir()
    tell.write_text("#!/bin/sh\ntouch ran\n")
    assert levels(check_notify_command([], tmp_path)) == []
    assert find(check_notify_command(["bin/tell", "--urgent"], tmp_path), "is not executable").fix.endswith(
        "chmod +x bin/tell"
    )
    tell.chmod(0o755)
    assert (
        levels(check_notify_command(["bin/tell"], tmp_path)) == levels(check_notify_command(["sh"], tmp_path)) == ["ok"]
    )
    assert levels(check_notify_command(["no-such-program-anywhere"], tmp_path)) == ["error"]
    assert not list(tmp_path.rglob("ran"))


@pytest.mark.parametrize("shared", ["[store] url", "[delivery] outbox"])
def test_a_second_publication_on_one_database_or_outbox_is_found(tmp_path: Path, shared: str) -> None:
    """By the one that came second; a publication that is renamed, or moved, stays the same."""
    settings = {
        "[store] url": f'[store]\nurl = "sqlite:///{tmp_path}/shared.db"',
        "[delivery] outbox": f'[delivery]\noutbox = "{tmp_path}/shared"',
    }

    def start(folder: str, name: str, url: str) -> list[str]:
        """Start a publication, and return which of its settings are another's."""
        config = tmp_path / folder / "config.toml"
        config.parent.mkdir(exist_ok=True)
        config.write_text(
            f'[publication]\nname = "{name}"\nurl = "{url}"\nsender = "a@quay.example"\n{settings[shared]}\n'
        )
        with App.load(config) as app:
            claim_storage(app)
            return [f"{result.name} {result.message}" for result in owner_checks(app)]

    first, second = ("Harbour", "https://harbour.example/"), ("Quay", "https://quay.example/")
    assert start("one", *first) == []
    assert start("two", *second) == [
        f"{shared} is the one of another publication, Harbour (https://harbour.example/), set in "
        f"{tmp_path}/one/config.toml"
    ]
    assert start("one", "The Harbour", "https://new.example/") == []
    assert start("moved", "The Harbour", "https://new.example/") == []
    assert "The Harbour" in start("two", *second)[0]
