"""The command line: every command runs a function and is listed in the help; a mistyped one is corrected."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli import GROUPS, build_parser, editions, feeds, main
from pipeline.cli.arguments import parse_week
from pipeline.model.errors import UsageError
from pipeline.model.week import WeekCalendar

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
WEEK_COMMANDS = [
    "digest",
    "preview",
    "check",
    "proof",
    "approve",
    "hold",
    "resume",
    "skip",
    "send",
    "correct",
    "deliveries",
]


def test_a_command_is_a_function() -> None:
    """Parsing a command line selects the function that does it, for commands in a group too."""
    parse = build_parser().parse_args
    assert parse(["hold", "2026-W07"]).run is editions.hold
    assert parse(["feeds"]).run is feeds.list_feeds
    assert parse(["feeds", "accept", "blog"]).run is feeds.accept


def test_the_help_lists_every_command_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a command the help is printed, with the commands in groups, and the exit code is 2."""
    names = [name for group in GROUPS.values() for name in group]
    assert len(set(names)) == len(names)
    (commands,) = [action.choices for action in build_parser()._actions if isinstance(action.choices, dict)]
    assert set(names) == set(commands)
    assert main([]) == 2
    printed = capsys.readouterr().out
    assert all(f"\n  {name} " in printed for name in names)
    for name in names:
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0


def test_the_help_lists_the_commands_of_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    """`pipeline feeds --help` names what can follow."""
    with pytest.raises(SystemExit):
        main(["feeds", "--help"])
    printed = capsys.readouterr().out
    assert "usage: pipeline feeds [OPTION]... COMMAND ..." in printed
    assert "\n  accept " in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stauts"], "there is no command “stauts”: did you mean “pipeline status”?"),
        (["feeds", "lst"], "there is no command “lst”: did you mean “pipeline feeds list”?"),
        (["digest", "--ofline"], "there is no argument “--ofline”: did you mean --offline?"),
        (["approve", "W07", "--overide=x"], "there is no argument “--overide=x”: did you mean --override?"),
        (["feeds", "list", "extra"], "there is no argument “extra”: `pipeline feeds list --help` lists what there is."),
        (["zzz"], "there is no command “zzz”: `pipeline --help` lists them."),
    ],
)
def test_a_mistyped_command_or_option_is_corrected(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error suggests what was probably meant and does not list everything."""
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: {message}")


@pytest.mark.parametrize("command", WEEK_COMMANDS)
def test_every_command_takes_a_week_in_the_same_ways(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is an argument or follows --week, before or after other options, but not twice; --week alone is `last`."""
    parse = build_parser().parse_args
    for arguments in (["2025-W45"], ["--week", "2025-W45"], ["--week=2025-W45", "--quiet"], ["--quiet", "2025-W45"]):
        assert parse([command, *arguments]).week == "2025-W45"
    assert parse([command, "--week"]).week == "last"
    with pytest.raises(SystemExit):
        parse([command, "2025-W45", "--week", "2025-W46"])
    assert "not allowed with argument" in capsys.readouterr().err


def test_the_commands_of_weeks_are_all_listed() -> None:
    """Another command that takes a week belongs into the test above."""
    found = [name for names in GROUPS.values() for name in names if hasattr(_parse(name, "--week"), "week")]
    assert sorted(found) == sorted(WEEK_COMMANDS)


def _parse(*arguments: str) -> object:
    try:
        return build_parser().parse_args(arguments)
    except SystemExit:
        return None


@pytest.mark.parametrize("command", ["approve", "send", "proof"])
def test_a_missing_week_is_explained(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What acts on an edition does not guess which; the error has the spellings."""
    assert _parse(command) is None
    assert f"pipeline {command}: error: name the week: an ISO week (2026-W07" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("2026-W09", "2026-W09"),
        ("2026w9", "2026-W09"),
        (" 2026-w09 ", "2026-W09"),
        ("W09", "2026-W09"),
        ("w10", "2026-W10"),
        ("W11", "2025-W11"),
        ("W53", "2020-W53"),
        ("2026-02-26", "2026-W09"),
        ("20260226", "2026-W09"),
        ("last", "2026-W09"),
        ("LAST", "2026-W09"),
        ("current", "2026-W10"),
        ("this", "2026-W10"),
    ],
)
def test_a_week_is_found_in_every_spelling(text: str, week: str) -> None:
    """On a Wednesday of 2026-W10, a number without its year is the newest week of that number that has opened."""
    assert str(parse_week(text, WeekCalendar.parse("mon 00:00", UTC), NOW)) == week


@pytest.mark.parametrize(
    "text", ["", "9", "W0", "W54", "2025-W53", "2026-W00", "0001-W01", "9999-W52", "0001-01-01", "9999-12-31", "soon"]
)
def test_what_is_no_week_is_refused(text: str) -> None:
    """The error has the spellings, also at the ends of the calendar, where dates overflow."""
    with pytest.raises(
        UsageError, match="is not a week: use 2026-W07, W07, a date such as 2026-02-12, last or current"
    ):
        parse_week(text, WeekCalendar.parse("mon 00:00", UTC), NOW)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`pipeline --version` prints one line and succeeds."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("pipeline 0.")


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "complete "), ("zsh", "compdef "), ("fish", "complete --command ")]
)
def test_each_shell_has_a_completion_script(shell: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script registers itself for `pipeline`."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert words in script
    assert "pipeline" in script


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("pipeline sen", {"send"}),
        ("pipeline feeds ex", {"export"}),
        ("pipeline fetch ", {"harbour", "quay"}),
        ("pipeline feeds remove q", {"quay"}),
        ("pipeline approve ", {"last", "current", "2025-W45"}),
        ("pipeline digest --week 2", {"2025-W45"}),
        ("pipeline approve --over", {"--override"}),
        ("pipeline restore b", {"backup.db"}),
        ("pipeline --config nowhere.toml fetch ", set()),
    ],
)
def test_a_shell_completes_what_is_typed(typed: str, expected: set[str], tmp_path: Path) -> None:
    """Commands, options, ids of feeds, weeks that were written, and files; nothing if config.toml cannot be read."""
    table = '[[feeds]]\nid = "{}"\nurl = "https://{}.example/"\nkind = "blog"\n'
    publication = '[publication]\nname = "N"\nurl = "https://n.example/"\nsender = "n@n.example"\n'
    text = publication + "".join(table.format(name, name) for name in ("harbour", "quay"))
    (tmp_path / "config.toml").write_text(text)
    (tmp_path / "backup.db").touch()
    (tmp_path / "editions" / "2025-W45").mkdir(parents=True)
    answers = tmp_path / "answers"
    environment = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(answers)}
    environment |= {"COMP_LINE": typed, "COMP_POINT": str(len(typed)), "COMP_TYPE": "9"}
    command = [sys.executable, "-m", "pipeline"]
    subprocess.run(command, cwd=tmp_path, env=os.environ | environment, check=True, timeout=60)
    assert {answer.strip() for answer in answers.read_text().split("\n") if answer} == expected
