"""Adding commands to a parser, and what all commands share: global options, the WEEK argument, the App."""

from __future__ import annotations

import argparse
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from pipeline.app import App
    from pipeline.model.week import Week, WeekCalendar

Command = Callable[[Namespace, Callable[[], datetime]], int]
"""A command: parsed arguments and a clock in, an exit code out. A PipelineError is reported by ``main``."""
SOME_FAILED = 3
"""Exit code: done, but some feeds, channels or checks failed."""
WEEK_HELP = (
    "an ISO week (2026-W07, or W07 for the newest of that number), a date in it (2026-02-12), `last` or `current`"
)


class CommandParser(ArgumentParser):
    """A parser that suggests the command that was probably meant (argparse does so from Python 3.14 on)."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, but report what a command does not know with that command's own options."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            similar = _most_similar(unknown[0].partition("=")[0], self._option_string_actions)
            hint = f": did you mean {similar}?" if similar else f": `{self.prog} --help` lists what there is."
            self.error(f"there is no argument “{' '.join(unknown)}”{hint}")
        return namespace, unknown

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and a message on stderr."""
        unknown = re.match(r"argument COMMAND: invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if unknown:
            near = _most_similar(unknown[1], re.findall(r"[\w-]+", unknown[2]))
            hint = f"did you mean “{self.prog} {near}”?" if near else f"`{self.prog} --help` lists them."
            message = f"there is no command “{unknown[1]}”: {hint}"
        elif message == "one of the arguments WEEK --week is required":
            message = f"name the week: {WEEK_HELP}."
        super().error(message)


def _most_similar(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or ""."""
    from difflib import get_close_matches  # imported here to keep --help fast

    return next(iter(get_close_matches(word, known, n=1)), "")


class Commands:
    """The commands below a parser, which are listed in its description."""

    def __init__(self, parser: ArgumentParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.usage = f"{parser.prog} [OPTION]... COMMAND ..."
        self._parser = parser
        self._subparsers = parser.add_subparsers(prog=parser.prog, metavar="COMMAND", help=argparse.SUPPRESS)
        self.summaries: dict[str, str] = {}
        """A line on each command, by its name."""

    def add(self, name: str, run: Command, summary: str, *, json: bool = False) -> ArgumentParser:
        """Add a command and return its parser, which has the global options and, with ``json``, --json."""
        parser = self._subparsers.add_parser(name, description=f"{summary[0].upper()}{summary[1:]}.")
        parser.set_defaults(run=run)
        add_global_options(parser)
        if json:
            parser.add_argument("--json", action="store_true", help="print JSON")
        self.summaries[name] = summary
        return parser

    def add_group(self, name: str, default: Command, summary: str) -> Commands:
        """Add a command with subcommands; it runs ``default`` if none of them is given."""
        return Commands(self.add(name, default, summary))

    def describe(self, groups: Mapping[str, Sequence[str]] | None = None) -> None:
        """Append the commands to the parser's description, a line each, under the headings of ``groups`` if any."""
        groups = groups or {"Commands": tuple(self.summaries)}
        lines = [self._parser.description or ""]
        for heading, names in groups.items():
            lines += ["", f"{heading}:", *(f"  {name:<11} {self.summaries[name]}" for name in names)]
        self._parser.description = "\n".join(lines)


def add_global_options(parser: ArgumentParser, config: str | None = None) -> None:
    """Accept the global options; only the main parser gets ``config``, and with it the defaults."""
    absent = argparse.SUPPRESS if config is None else None
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=absent or Path(config or ""),
        help="config file of the publication (default: $PIPELINE_CONFIG, or ./config.toml)",
    )
    default = absent or False
    parser.add_argument("--verbose", action="store_true", default=default, help="print more, including tracebacks")
    parser.add_argument("--quiet", action="store_true", default=default, help="print errors only")


def add_week(parser: ArgumentParser, *, default: str = "", default_help: str = "") -> None:
    """Add WEEK, as an argument and as an option: required unless it has a default, or help on what is chosen then."""
    chosen = default_help or default
    parser.set_defaults(week=default)  # before the arguments, which would take over this default
    spellings = parser.add_mutually_exclusive_group(required=not chosen)
    text = f"{WEEK_HELP} (default: {chosen})" if chosen else WEEK_HELP
    spellings.add_argument("week", nargs="?", default=argparse.SUPPRESS, metavar="WEEK", help=text)
    text = "the same as WEEK; `--week` alone is `last`"
    spellings.add_argument("--week", nargs="?", const="last", default=argparse.SUPPRESS, metavar="WEEK", help=text)


def parse_week(text: str, calendar: WeekCalendar, now: datetime) -> Week:
    """Return the week that a WEEK argument names, in any of the spellings of ``WEEK_HELP``; raise UsageError if none.

    >>> from datetime import UTC
    >>> from pipeline.model.week import WeekCalendar
    >>> calendar, now = WeekCalendar.parse("mon 00:00", UTC), datetime(2026, 3, 1, tzinfo=UTC)
    >>> [str(parse_week(text, calendar, now)) for text in ("2026-02-12", "w07", "W52", "last", "this")]
    ['2026-W07', '2026-W07', '2025-W52', '2026-W08', '2026-W09']
    """
    from pipeline.model.errors import UsageError
    from pipeline.model.week import Week

    word, current = text.strip().lower(), calendar.week_of(now)
    if word in ("last", "current", "this"):
        return calendar.newest_closed(now) if word == "last" else current
    try:
        if number := re.fullmatch(r"w(\d{1,2})", word):
            # A year has 52 or 53 weeks, and of eight years one has 53 at least.
            return next(week for back in range(8 * 53) if (week := current.next(-back)).number == int(number[1]))
        return Week.parse(word if "w" in word else str(calendar.week_of_day(date.fromisoformat(word))))
    except (ValueError, OverflowError, StopIteration) as error:
        raise UsageError(
            f"{text!r} is not a week: use 2026-W07, W07, a date such as 2026-02-12, last or current."
        ) from error


def load_app(options: Namespace) -> App:
    """Load the publication that --config names."""
    from pipeline.app import App

    return App.load(options.config)
