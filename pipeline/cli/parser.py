"""The parser of the command line. Its imports are few, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.cli import daemon, digest, editions, feeds, fetch, links, maintenance, status
from pipeline.cli.arguments import CommandParser, Commands, add_global_options

if TYPE_CHECKING:
    from collections.abc import Callable

DESCRIPTION = "Turns a blog feed, a podcast feed and a few links into one weekly newsletter."
EXIT_CODES = (
    "Exit codes: 0 done; 1 a bug; 2 usage or configuration; 3 done, but some feeds or recipients failed; 4 refused."
)
GROUPS = {
    "Read": ("init", "fetch", "backfill", "feeds", "links"),
    "Write": ("digest", "preview", "check", "proof"),
    "Publish": ("approve", "hold", "resume", "skip", "send"),
    "Run": ("run", "tick"),
    "Operate": ("status", "doctor", "notify", "backup", "restore", "prune", "export", "import"),
}
"""The order of the commands in the help."""


def build_parser(config: str | None = None) -> CommandParser:
    """Build the parser; ``config`` is the file to use without --config."""
    parser = CommandParser(prog="pipeline", description=DESCRIPTION, epilog=EXIT_CODES)
    parser.add_argument("--version", action="store_true", help="print the version")
    add_global_options(parser, config or "config.toml")

    def print_help(options: argparse.Namespace, clock: Callable[[], datetime]) -> int:
        if options.version:
            from pipeline import __version__

            print(f"pipeline {__version__}")
            return 0
        parser.print_help()
        return 2

    parser.set_defaults(run=print_help, json=False)
    commands = Commands(parser)
    for module in (fetch, feeds, links, digest, editions, daemon, status, maintenance):
        module.add_commands(commands)
    commands.describe(GROUPS)
    return parser
