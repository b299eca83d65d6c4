"""The doctor's examinations, one by one: what they find, and what they say how to mend it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from pipeline.jobs.doctor import DoctorCheck, run_checks
from pipeline.jobs.doctor.activity import check_feeds
from pipeline.jobs.doctor.clock import check_clock, check_time_zone, compare_clock
from pipeline.jobs.doctor.setup import check_mail_server, check_notify_command, check_secrets, check_theme
from pipeline.jobs.doctor.storage import check_database, check_disk, check_free_space, file_system_type
from pipeline.jobs.monitoring.feed_health import feed_health_results
from pipeline.model.errors import DeliveryFailedError, StoreError, TemplateError
from pipeline.model.feed import FeedState
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.model.health import HealthResult, worst_level
from pipeline.store import Store

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
LOCAL = "22 1 8:1 / / rw - ext4 /dev/sda1 rw"


def levels(signs: Iterable[HealthResult]) -> list[str]:
    return [sign.level for sign in signs]


def found(signs: Iterable[HealthResult], words: str) -> HealthResult:
    """Give the one sign whose finding holds the words; whatever is not well says how to mend it."""
    (sign,) = [each for each in signs if words in each.message]
    assert sign.level == "well" or sign.fix
    return sign


def test_no_examination_stops_the_others() -> None:
    """What the program knows how to say is said; a bug is called one; the rest goes on."""

    def refused() -> Iterator[HealthResult]:
        yield HealthResult(category="store", name="a", level="well", message="begun")
        raise StoreError("pipeline.db is damaged; put back a copy of it")

    def broken() -> Iterator[HealthResult]:
        raise ZeroDivisionError("division by zero")

    last = HealthResult(category="mail", name="b", level="well", message="reached")
    looks = [("store", refused), ("disk", broken), ("mail", lambda: [last])]
    signs = list(run_checks(DoctorCheck(category=group, run=look) for group, look in looks))
    assert levels(signs) == ["well", "trouble", "trouble", "well"]
    assert (signs[1].message, signs[1].fix) == ("pipeline.db is damaged", "put back a copy of it")
    assert "ZeroDivisionError" in signs[2].message
    assert (signs[3], worst_level(signs)) == (last, "trouble")


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
    """In a comment too, with its line, and without repeating it."""
    (sign,) = check_secrets(f'name = "x"\n{line}\n', "config.toml")
    assert f"line 2 holds {words}" in sign.message
    assert sign.level != "well"
    assert not {"hunter2", "abc"} & set((sign.message + sign.fix).replace('"', " ").split())


def test_the_demo_config_holds_no_secret() -> None:
    """Names of variables, empty values and comments about secrets are none."""
    text = (Path(__file__).parents[2] / "config.toml").read_text()
    assert levels(check_secrets(text, "config.toml")) == ["well"]


def test_time_zone_data_must_be_there_and_of_these_years(tmp_path: Path) -> None:
    """The release stands in the first line of tzdata.zi."""
    (tmp_path / "tzdata.zi").write_text("# version 2025b\nR d 1916 o - Jun 14 23s 1 S\n")
    here = [str(tmp_path)]
    assert levels(check_time_zone("Europe/London", here, NOW)) == ["well"]
    old = found(check_time_zone("Europe/London", here, NOW + timedelta(days=800)), "release 2025b, which is old")
    assert old.level == "warning"
    assert levels(check_time_zone("Europe/Lyndon", here, NOW)) == ["trouble"]
    assert levels(check_time_zone("Europe/London", ["/nowhere"], NOW)) == ["well"]


@pytest.mark.parametrize(
    ("off", "level"),
    [(timedelta(seconds=90), "well"), (timedelta(minutes=3), "trouble"), (-timedelta(hours=1), "trouble")],
)
def test_a_clock_that_is_wrong_by_minutes_is_found(off: timedelta, level: str) -> None:
    """Links expire and weeks close by it."""
    sign = compare_clock("a.example", format_datetime(NOW, usegmt=True), NOW + off)
    assert (sign.level, "a.example" in sign.message) == (level, True)


class Servers:
    """Answers each address with its Date, or with nothing."""

    def __init__(self, dates: dict[str, str]) -> None:
        self.dates = dates

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        for each in requests:
            yield FetchOutcome(key=each.key, url=each.url, kind="ok", server_date=self.dates.get(each.url, ""))

    def __call__(self) -> AbstractAsyncContextManager[Servers]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Servers]:
            yield self

        return opened()


def test_the_clock_is_held_against_the_first_server_that_tells_the_time() -> None:
    """One that is away, or says nothing, is no reason not to know."""
    urls = ["https://away.example/", "https://b.example/feed"]
    (sign,) = check_clock(Servers({urls[1]: format_datetime(NOW, usegmt=True)}), urls, NOW)
    assert (sign.level, sign.message) == ("well", "agrees with b.example")
    (sign,) = check_clock(Servers({}), urls, NOW)
    assert sign.level == "warning"
    (sign,) = check_clock(Servers({urls[0]: "soon"}), urls, NOW)
    assert "'soon' for a date" in sign.message


@pytest.mark.parametrize(
    ("free_bytes", "files", "level"),
    [
        (5 * 10**9, 10**6, "well"),
        (5 * 10**9, None, "well"),
        (5 * 10**8, 10**6, "warning"),
        (10**7, 10**6, "trouble"),
        (5 * 10**9, 12, "trouble"),
    ],
)
def test_a_disk_that_fills_up_is_told_before_it_is_full(free_bytes: int, files: int | None, level: str) -> None:
    """Of bytes, and of files: a disk may have room for the one and none for the other."""
    sign = check_free_space("store", Path("/srv/news"), free_bytes, files)
    assert (sign.level, bool(sign.fix)) == (level, level != "well")


def test_folders_are_tried_and_left_as_they_were(tmp_path: Path) -> None:
    """One that is not there yet is judged by the folder it will be made in."""
    signs = list(check_disk({"store": tmp_path, "outbox": tmp_path / "new" / "outbox"}))
    assert found(signs, "is made when it is needed").name == "outbox"
    assert list(tmp_path.iterdir()) == []
    assert len(signs) == 3


def test_a_folder_that_cannot_be_written_is_trouble() -> None:
    """Whoever runs the program, root too: /proc takes no files."""
    if not Path("/proc/self").is_dir():
        pytest.skip("there is no /proc here")
    assert found(check_disk({"outbox": Path("/proc/self")}), "cannot be written").level == "trouble"


def test_a_whole_store_is_well(tmp_path: Path) -> None:
    """Its schema is named; one that is not there yet is no trouble, and is not made."""
    file = tmp_path / "pipeline.db"

    def open_store() -> Store:
        return Store.open(f"sqlite:///{file}")

    assert found(check_database(open_store, file, LOCAL), "is not there yet").level == "well"
    assert not file.exists()
    with open_store() as store:
        assert levels(check_database(lambda: store, file, LOCAL)) == ["well"]
        file.chmod(0o666)
        assert found(check_database(lambda: store, file, LOCAL), "written by others").level == "warning"


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    """Bytes that were overwritten in the middle of the file."""
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
        signs = list(
            run_checks([DoctorCheck(category="store", run=lambda: check_database(lambda: store, file, LOCAL))])
        )
    assert worst_level(signs) == "trouble"
    assert any("damaged" in sign.message for sign in signs)


def test_a_network_disk_is_no_place_for_a_database(tmp_path: Path) -> None:
    """Locks do not hold there; the longest mount point counts, not one that only begins alike."""
    file = tmp_path / "pipeline.db"
    mounts = f"{LOCAL}\n30 22 0:9 / {tmp_path} rw - nfs4 nas:/x rw\n31 22 0:9 / {tmp_path}/pipe rw - xfs /dev/b rw"
    assert file_system_type(str(file), mounts) == "nfs4"
    with Store.open(f"sqlite:///{file}") as store:
        assert found(check_database(lambda: store, file, mounts), "network disk (nfs4)").level == "trouble"


def test_a_theme_that_does_not_compile_names_file_and_line() -> None:
    """Where a designer has to look."""

    def load() -> int:
        raise TemplateError("unexpected end of template.", file="classic/digest.html.j2", line=7)

    (sign,) = check_theme("classic", load)
    assert (sign.level, sign.fix.startswith("mend classic/digest.html.j2, line 7")) == ("trouble", True)
    assert levels(check_theme("classic", lambda: 12)) == ["well"]


class Server:
    """A mail server that agrees, or refuses."""

    def __init__(self, trouble: str = "") -> None:
        self.trouble = trouble

    def greet(self) -> list[str]:
        if self.trouble:
            raise DeliveryFailedError(self.trouble)
        return ["TLSv1.3", "logged in as letter"]


def test_the_mail_server_is_greeted() -> None:
    """What was agreed on is said; so is what it refused; no server is only worth a word."""
    assert found(check_mail_server("smtp.example", Server()), "TLSv1.3, logged in as letter").level == "well"
    assert (
        found(check_mail_server("smtp.example", Server("does not accept the login.")), "does not accept").level
        == "trouble"
    )
    assert found(check_mail_server("", None), "not configured").level == "warning"


@pytest.mark.parametrize(
    ("state", "level", "words"),
    [
        ({}, "warning", "has not been read yet"),
        ({"checked_at": NOW, "read_at": NOW, "outcome": "ok"}, "well", "read Mon 16 Feb 2026 09:00"),
        (
            {"checked_at": NOW, "failures": 1, "outcome": "timeout", "detail": "is slow: wait"},
            "warning",
            "(once), is slow",
        ),
        (
            {"checked_at": NOW, "failures": 4, "failing_since": NOW, "outcome": "timeout", "detail": "is slow: wait"},
            "trouble",
            "fails since Mon 16 Feb 2026 09:00 (4 times in a row), is slow",
        ),
        ({"checked_at": NOW, "gone_at": NOW, "outcome": "gone"}, "trouble", "gone since 2026-02-16"),
        ({"checked_at": NOW, "outcome": "moved", "detail": "moved: write it down"}, "warning", "moved"),
    ],
)
def test_a_feed_says_how_it_is_doing(state: dict[str, object], level: str, words: str) -> None:
    """Since when it fails, how often, and what to do; once may be the network's mood."""
    sign = found(feed_health_results(FeedState(feed_id="blog", **state), (), UTC), words)  # type: ignore[arg-type]
    assert sign.level == level


def test_what_is_held_back_needs_somebody() -> None:
    """With the command that lets it in."""
    remark = "holds back 8 entries that turned new at once: `pipeline feeds accept blog`"
    state = FeedState(feed_id="blog", checked_at=NOW, read_at=NOW, outcome="ok")
    sign = found(feed_health_results(state, [remark], UTC), "holds back 8 entries")
    assert (sign.level, sign.fix) == ("trouble", "`pipeline feeds accept blog`")


def test_no_feed_at_all_is_worth_a_word() -> None:
    """Nothing to read is never what somebody meant."""
    assert "pipeline feeds add" in found(check_feeds([], UTC), "no feed").fix


def test_the_program_that_tells_notices_must_be_there_and_executable(tmp_path: Path) -> None:
    """By its path from config.toml's folder, or by its name; it is not run, and none need be named."""
    tell = tmp_path / "bin" / "tell"
    tell.parent.mkdir()
    tell.write_text("#!/bin/sh\ntouch ran\n")
    assert levels(check_notify_command([], tmp_path)) == []
    assert found(check_notify_command(["bin/tell", "--urgent"], tmp_path), "may not be run").fix.endswith(
        "chmod +x bin/tell"
    )
    tell.chmod(0o755)
    assert (
        levels(check_notify_command(["bin/tell"], tmp_path))
        == levels(check_notify_command(["sh"], tmp_path))
        == ["well"]
    )
    assert levels(check_notify_command(["no-such-program-anywhere"], tmp_path)) == ["trouble"]
    assert not list(tmp_path.rglob("ran"))
