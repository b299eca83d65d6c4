"""The command line: every command runs a function and is listed in the help; a mistyped one is corrected."""

from __future__ import annotations

import pytest

from pipeline.cli import GROUPS, build_parser, editions, feeds, main


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
        (["zzz"], "there is no command “zzz”: `pipeline --help` lists them."),
    ],
)
def test_a_mistyped_command_is_corrected(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error suggests the command that was probably meant and does not list them all."""
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: {message}")
