"""The command line's grammar: what it says of a command that is none."""

from __future__ import annotations

import pytest

from pipeline.cli import build_parser


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["stauts"], "there is no command “stauts”: did you mean “pipeline status”?"),
        (["feeds", "lst"], "there is no command “lst”: did you mean “pipeline feeds list”?"),
        (["zzz"], "there is no command “zzz”: `pipeline --help` lists them."),
    ],
)
def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(
    typed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, not the list of all there are."""
    with pytest.raises(SystemExit) as refused:
        build_parser().parse_args(typed)
    assert refused.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: {said}")
