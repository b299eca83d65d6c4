"""Each command is done by a function of some module, and only that module is loaded for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from pipeline.cli import build_parser
from pipeline.cli.commands import COMMANDS, load_command


def named(parser: argparse.ArgumentParser) -> Iterator[str]:
    """What a parser and those below it call the command that they read."""
    yield parser.get_default("command")
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from named(below)


def test_every_command_that_can_be_typed_is_done_by_a_function() -> None:
    """And no function is there for a command that cannot; --rebuild is a command of its own behind digest."""
    assert set(named(build_parser())) == COMMANDS.keys() - {"digest --rebuild"}
    assert all(callable(load_command(name)) for name in COMMANDS)
