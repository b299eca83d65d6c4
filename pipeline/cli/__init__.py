"""The command line: parse arguments, call one job, print the result.

The imports are few, so that ``--help`` answers at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pipeline.cli import (
    completion,
    daemon,
    deliveries,
    desk_link,
    digest,
    editions,
    feeds,
    fetch,
    links,
    maintenance,
    status,
)
from pipeline.cli.arguments import CommandParser, Commands, add_global_options
from pipeline.cli.people import bounces, subscribers
from pipeline.model.errors import PipelineError

DESCRIPTION = "Turns a blog feed, a podcast feed and a few links into one weekly newsletter."
EXIT_CODES = (
    "Exit codes: 0 done; 1 a bug; 2 usage or configuration; 3 done, but some feeds or recipients failed; 4 refused."
)
GROUPS = {
    "Read": ("init", "fetch", "backfill", "feeds", "links"),
    "Write": ("digest", "preview", "check", "proof"),
    "Publish": ("approve", "hold", "resume", "skip", "send", "correct", "deliveries"),
    "People": ("subscribers", "bounces"),
    "Run": ("run", "tick", "desk-link"),
    "Operate": ("status", "doctor", "notify", "backup", "restore", "prune", "export", "import", "completion"),
}
"""The order of the commands in the help."""


def main(argv: Sequence[str] | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> int:
    """Run one command and return its exit code.

    0: done; 1: a bug; 2: usage or configuration; 3: done, but some feeds or recipients failed; 4: refused.
    """
    # Nearly all garbage is freed by reference counting; the collector would cost a tenth of a run, and another
    # twentieth at exit.
    gc.set_threshold(50_000, 20, 50)
    atexit.register(gc.freeze)
    parser = build_parser(os.environ.get("PIPELINE_CONFIG"))
    if "_ARGCOMPLETE" in os.environ:
        completion.answer_shell(parser)
    options = parser.parse_args(argv)
    try:
        return _run(options, clock)
    except BrokenPipeError:
        # Whatever reads our output has closed it: discard what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130


def _run(options: Namespace, clock: Callable[[], datetime]) -> int:
    try:
        code: int = options.run(options, clock)
        sys.stdout.flush()
        return code
    except PipelineError as error:
        if options.verbose:
            _print_traceback()
        print(f"pipeline: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        raise
    except Exception as error:
        if options.verbose:
            _print_traceback()
        description = f"{type(error).__name__}: {error}"
        print(f"pipeline: this is a bug ({description}); run it again with --verbose and report it.", file=sys.stderr)
        return 1


def _print_traceback() -> None:
    import traceback  # slow to import, and rarely needed

    traceback.print_exc()


def build_parser(config: str | None = None) -> CommandParser:
    """Build the parser; ``config`` is the file to use without --config."""
    parser = CommandParser(prog="pipeline", description=DESCRIPTION, epilog=EXIT_CODES)
    parser.add_argument("--version", action="store_true", help="print the version")
    add_global_options(parser, config or "config.toml")

    def print_help(options: Namespace, clock: Callable[[], datetime]) -> int:
        if options.version:
            from pipeline import __version__

            print(f"pipeline {__version__}")
            return 0
        parser.print_help()
        return 2

    parser.set_defaults(run=print_help, json=False)
    commands = Commands(parser)
    publishing = (digest, editions, deliveries, subscribers, bounces)
    for module in (fetch, feeds, links, *publishing, daemon, desk_link, status, maintenance, completion):
        module.add_commands(commands)
    commands.describe(GROUPS)
    return parser
