"""``pipeline completion``, and what a shell completes when Tab is pressed."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.cli.arguments import Commands

if TYPE_CHECKING:
    from pipeline.model.schedule import Clock

SHELLS = ("bash", "zsh", "fish")


def add_commands(commands: Commands) -> None:
    """Add completion."""
    summary = "print a script that lets a shell complete commands, options, feeds and weeks"
    parser = commands.add("completion", completion, summary)
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def completion(options: Namespace, clock: Clock) -> int:
    """Print the script for a shell."""
    from argcomplete.shell_integration import shellcode  # imported here to keep --help fast

    print(shellcode(["pipeline"], shell=options.shell))
    return 0


def answer_shell(parser: ArgumentParser) -> None:
    """Write the completions of what was typed so far, which the shell puts into the environment, and exit."""
    from argcomplete import autocomplete

    autocomplete(parser, always_complete_options=False, default_completer=complete_argument)  # type: ignore[arg-type]


def complete_argument(*, action: Action, parsed_args: Namespace, prefix: str, **context: object) -> Iterator[str]:
    """Yield what an argument can be: ids of feeds, addresses of editors, weeks, or files."""
    from argcomplete.completers import FilesCompleter

    from pipeline.config import load_config
    from pipeline.model.errors import PipelineError

    if action.metavar in ("FILE", "DIR"):
        yield from FilesCompleter()(prefix, action=action, parsed_args=parsed_args, **context)
    elif action.metavar == "FEED":
        with suppress(PipelineError):  # an invalid config.toml has no feeds to complete
            yield from (feed.id for feed in load_config(parsed_args.config).feeds)
    elif action.metavar == "EDITOR":
        with suppress(PipelineError):
            yield from (editor.address for editor in load_config(parsed_args.config).editors)
    elif action.metavar == "WEEK":
        yield from ("last", "current")
        yield from (folder.name for folder in (parsed_args.config.parent / "editions").glob("????-W??"))
