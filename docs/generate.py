"""Write docs/cli.md and docs/config.md from the code.

In: the parser that reads a command line, and the schema that checks config.toml. Out: two files beside this one; with
``--check`` nothing is written, what is stale or undocumented is named on stderr, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pipeline.cli import build_parser
from pipeline.config import reference
from pipeline.config.schema import REPEATED_SECTIONS, SECTIONS, SettingReference

HERE = Path(__file__).parent
NOTE = "<!-- Written by `make docs` from the code: change it there. -->"

CLI_HEAD = rf"""{NOTE}

# The command line

Every command reads `./config.toml`, or the file that `--config FILE` or `$PIPELINE_CONFIG` names.
`WEEK` is written in the same ways everywhere, as an argument or after `--week`: `2026-W07`; `W07`, the newest week of
that number that has opened; a date in it such as `2026-02-12`; `last`, the newest that has closed; `current`, the one
that is open.

Tab completes commands, options, feeds and weeks, with a line in the start-up file of your shell:

| shell | file | line |
|---|---|---|
| bash | `~/.bashrc` | `eval "$(pipeline completion bash)"` |
| zsh | `~/.zshrc`, after `compinit` | `eval "$(pipeline completion zsh)"` |
| fish | `~/.config/fish/config.fish` | `pipeline completion fish \| source` |

These options may stand before a command or after it:"""

CLI_TAIL = """
## Exit codes

| code | means |
|---|---|
| 0 | done |
| 1 | a bug: run it again with `--verbose` and report what it says |
| 2 | the command line, config.toml, a theme or the database cannot be used as it stands |
| 3 | done, but some feeds failed, or rows of an import; they are named on stderr |
| 4 | refused, with the reason: for example, the week has no entries, or an address has no feed to add |
"""

CONFIG_HEAD = f"""{NOTE}

# config.toml

One file describes a publication; `pipeline init` writes one to start from, and the
[config.toml](../config.toml) of the demo shows every setting. A key that does not exist, a value of the wrong type and
an impossible value are refused at start, with the file, the key, what was found and what is allowed. Relative paths
start at the folder of config.toml. Secrets are never written here.
"""


def cli_reference(parser: argparse.ArgumentParser) -> str:
    """Write every command with its arguments, as Markdown."""
    parts = [CLI_HEAD, *_rows(_arguments(parser))]
    for command in _commands(parser):
        own = [each for each in _arguments(command) if not _is_global(each, parser)]
        required = [group for group in command._mutually_exclusive_groups if group.required]
        needed = [argument for group in required for argument in group._group_actions if not argument.option_strings]
        usage = " ".join([command.prog, *(_name(each) if each in needed else _called(each) for each in own)])
        parts += ["", f"## `{usage}`", "", _first_line(command.description), *_rows(own)]
    return "\n".join(parts).rstrip() + "\n" + CLI_TAIL


def config_reference(settings: Iterator[SettingReference]) -> str:
    """Write every setting, section by section, as Markdown."""
    parts = [CONFIG_HEAD]
    for section, group in groupby(settings, key=lambda each: each.section):
        title = f"[[{section}]]" if section in REPEATED_SECTIONS else f"[{section}]"
        parts += [f"## `{title}`\n", _first_line(SECTIONS[section].__doc__), ""]
        parts += ["| setting | default | allowed | what it is for |", "|---|---|---|---|"]
        parts += [f"| `{each.key}` | {_default(each)} | {_cell(each.allowed)} | {_cell(each.doc)} |" for each in group]
        parts.append("")
    return "\n".join(parts)


def undocumented(parser: argparse.ArgumentParser, settings: Iterator[SettingReference]) -> Iterator[str]:
    """Name every command, argument and setting that nobody described."""
    for command in (parser, *_commands(parser)):
        if not command.description:
            yield f"command {command.prog}"
        yield from (f"{command.prog} {_name(each)}" for each in _arguments(command) if not each.help)
    yield from (f"[{each.section}] {each.key}" for each in settings if not each.doc)


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give every command below a parser, the inner ones of a group too."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from _commands(command)


def _arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    hidden = (argparse._HelpAction, argparse._SubParsersAction)
    return [each for each in parser._actions if not isinstance(each, hidden)]


def _is_global(action: argparse.Action, parser: argparse.ArgumentParser) -> bool:
    return bool(action.option_strings) and action.dest in {each.dest for each in _arguments(parser)}


def _called(action: argparse.Action) -> str:
    """Write an argument as a usage line shows it: ``[FEED …]``, ``[--force]``, ``URL``."""
    name = _name(action)
    if action.option_strings:
        return f"[{name}]"
    return {"?": f"[{name}]", "*": f"[{name} …]", "+": f"{name} …"}.get(str(action.nargs), name)


def _name(action: argparse.Action) -> str:
    """Write an argument as it is typed: ``--week [WEEK]``."""
    metavar = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return metavar
    flags = "/".join(action.option_strings)
    if action.nargs == 0 or isinstance(action, argparse.BooleanOptionalAction):
        return flags
    return f"{flags} [{metavar}]" if action.nargs == "?" else f"{flags} {metavar}"


def _rows(arguments: list[argparse.Action]) -> Iterator[str]:
    if arguments:
        yield from ("", "| argument | means |", "|---|---|")
    for each in arguments:
        yield f"| `{_name(each)}` | {_cell(each.help or '')} |"


def _default(setting: SettingReference) -> str:
    return "required" if setting.default == "required" else f"`{setting.default}`"


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


def _first_line(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0]


def main(argv: list[str]) -> int:
    """Write both files, or with ``--check`` name what is wrong with them."""
    missing = list(undocumented(build_parser(), reference()))
    pages = {"cli.md": cli_reference(build_parser()), "config.md": config_reference(reference())}
    stale = [name for name, text in pages.items() if not (HERE / name).exists() or (HERE / name).read_text() != text]
    for name in missing:
        print(f"undocumented: {name}", file=sys.stderr)
    if "--check" not in argv:
        for name in stale:
            (HERE / name).write_text(pages[name])
        return 1 if missing else 0
    for name in stale:
        print(f"docs/{name} is not what the code says: run `make docs`", file=sys.stderr)
    return 1 if missing or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
