"""The command line: arguments -> one job -> print.

``parser`` says what there is, ``commands`` does it, ``words`` says how it looks. Errors become one sentence and an
exit code: 0 done; 1 a bug; 2 usage or configuration; 3 done, but some feeds failed; 4 refused, with the reason.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.cli.parser import build_parser

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock

__all__ = ["build_parser", "main"]


def main(argv: Sequence[str] | None = None, *, clock: Clock = lambda: datetime.now(UTC)) -> int:
    """Run one command and give its exit code; the clock is read here and nowhere below."""
    gc.set_threshold(50_000, 20, 50)  # nearly all garbage goes without the collector, whose looks cost a tenth of a run
    atexit.register(gc.freeze)  # a process that ends need not look through all it holds: a twentieth of a run
    options = build_parser(os.environ.get("PIPELINE_CONFIG")).parse_args(argv)
    try:
        return _run(options, clock)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130


def _run(options: Namespace, clock: Clock) -> int:
    from pipeline.cli.commands import load_command
    from pipeline.model.errors import PipelineError

    verbose = bool(options.verbose)
    try:
        code = load_command(options.command)(options, clock)
        sys.stdout.flush()
        return code
    except PipelineError as trouble:
        if verbose:
            raise
        print(f"pipeline: {trouble}", file=sys.stderr)
        return trouble.exit_code
    except Exception as bug:
        if verbose or isinstance(bug, BrokenPipeError):
            raise
        named = f"{type(bug).__name__}: {bug}"
        print(f"pipeline: this is a bug ({named}); run it again with --verbose and report it.", file=sys.stderr)
        return 1
