"""The command line's grammar. Imports next to nothing but argparse, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.model.feed import FEED_KINDS

WEEK_HELP = "an ISO week (2026-W07), a date in it (2026-02-12), `last` or `current`"


def build_parser(config: str | None = None) -> argparse.ArgumentParser:
    """Build the parser; ``config`` is the file to use when --config is not given."""
    parser: argparse.ArgumentParser = _Parser(
        prog="pipeline",
        description="Turns a blog feed, a podcast feed and a few links into one weekly newsletter.",
        epilog="Exit codes: 0 done; 1 a bug; 2 usage or configuration; 3 done, but some feeds failed; 4 refused.",
    )
    parser.add_argument("--version", action="store_true", help="say which version this is")
    _globals(parser, config or "config.toml")
    parser.set_defaults(command="help", json=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for add in (_init, _fetch, _digest, _check, _preview, _editions, _run, _tick, _feeds, _links, _backfill, _status):
        add(commands)
    _care(commands)
    return parser


_Commands = argparse._SubParsersAction  # the type argparse gives no public name


class _Parser(argparse.ArgumentParser):
    """Names the command that was meant, as argparse does by itself from Python 3.14 on."""

    def _check_value(self, action: argparse.Action, value: str) -> None:
        if not isinstance(action, _Commands) or value in action.choices:
            return super()._check_value(action, value)
        from difflib import get_close_matches

        near = get_close_matches(value, action.choices, n=1)
        hint = f"did you mean “{self.prog} {near[0]}”?" if near else f"`{self.prog} --help` lists them."
        raise argparse.ArgumentError(None, f"there is no command “{value}”: {hint}")


def _globals(parser: argparse.ArgumentParser, config: str | None = None) -> None:
    """Accept the global options before and after the command; after it they only count when given."""
    absent = argparse.SUPPRESS if config is None else None
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=absent or Path(config or ""),
        help="the publication's config file (default: $PIPELINE_CONFIG, or ./config.toml)",
    )
    quiet_default = absent or False
    parser.add_argument("--verbose", action="store_true", default=quiet_default, help="say more; show tracebacks")
    parser.add_argument("--quiet", action="store_true", default=quiet_default, help="say only what went wrong")


def _command(commands: _Commands[argparse.ArgumentParser], name: str, doc: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name.split()[-1], help=doc, description=doc[0].upper() + doc[1:] + ".")
    _globals(parser)
    parser.set_defaults(command=name)
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def _init(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "init", "write a commented config.toml and an empty editions/ to start from")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="where (default: here)")
    parser.add_argument("--demo", action="store_true", help="write the demo publication, which works offline")


def _fetch(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "fetch", "read what is new in the feeds that are due")
    parser.add_argument("feeds", nargs="*", metavar="FEED", help="only these, by id (default: all)")
    parser.add_argument("--force", action="store_true", help="all feeds, due or not")
    _json(parser)


def _digest(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "digest", "bring feeds up to date and write the newsletter of a week")
    parser.add_argument(
        "--week",
        nargs="?",
        const="last",
        default="last",
        metavar="WEEK",
        help=f"which week: {WEEK_HELP} (default: the newest week that has closed)",
    )
    parser.add_argument("--offline", action="store_true", help="use what is stored; fetch nothing")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where to write (default: editions/ beside config.toml)"
    )
    parser.add_argument("--explain", action="store_true", help="print every entry, in or out, and why")
    parser.add_argument(
        "--rebuild", action="store_true", help="make a sealed week again, write nothing, and say whether it is the same"
    )
    parser.add_argument("--open", action="store_true", help="show the mail in the browser")
    _json(parser)


def _check(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "check", "look a newsletter over before anyone gets it")
    parser.add_argument("week", nargs="?", default="last", metavar="WEEK", help=f"{WEEK_HELP} (default: last)")
    parser.add_argument("--offline", action="store_true", help="ask for no links and pictures")
    _json(parser)


def _preview(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "preview", "look at the newsletter, write its words and approve it, in the browser")
    parser.add_argument("week", nargs="?", metavar="WEEK", help=f"{WEEK_HELP} (default: the newest with entries)")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen on; beyond this machine a token is part of the page's address (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=_port, default=8025, metavar="N", help="port to listen on (default: 8025)")
    parser.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=True, help="open the browser (default: yes)"
    )


def _port(words: str) -> int:
    port = int(words)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port: give a number from 0 to 65535")
    return port


def _editions(commands: _Commands[argparse.ArgumentParser]) -> None:
    """The life of an edition, one command a move."""
    approve = _edition(commands, "approve", "seal the edition of a week: what you have seen is what will be sent")
    approve.add_argument(
        "--hash", default="", metavar="HASH", help="only if its content_hash (in manifest.json) begins like this"
    )
    approve.add_argument(
        "--override",
        action="append",
        default=[],
        metavar="NAME",
        help="in spite of the errors of this name that `pipeline check` found (may be given again)",
    )
    approve.add_argument(
        "--offline", action="store_true", help="ask for no links and pictures; what the last look found still counts"
    )
    proof = _command(commands, "proof", "send the editor the draft of a week, with what was found and buttons above it")
    proof.add_argument("week", metavar="WEEK", help=WEEK_HELP)
    _edition(commands, "hold", "keep an edition from being sent; its entries roll on meanwhile")
    _edition(commands, "resume", "take a held edition up again, with the entries no other edition has by now")
    _edition(commands, "skip", "let a week have no edition; its entries roll on into the next digest")
    send = _edition(commands, "send", "send an approved edition, into the outbox; or finish what was interrupted")
    instead = send.add_mutually_exclusive_group()
    instead.add_argument("--test", metavar="ADDRESS", help="only a copy, to this address; the draft's, if not approved")
    instead.add_argument("--handed-over", action="store_true", help="send nothing: it was published by another service")


def _edition(commands: _Commands[argparse.ArgumentParser], name: str, doc: str) -> argparse.ArgumentParser:
    parser = _command(commands, name, doc)
    parser.add_argument("week", metavar="WEEK", help=WEEK_HELP)
    parser.add_argument("--by", default="", metavar="NAME", help="who decides (default: your login name)")
    return parser


def _run(commands: _Commands[argparse.ArgumentParser]) -> None:
    _log(_command(commands, "run", "stay and do what [schedule] says: the daemon"))


def _tick(commands: _Commands[argparse.ArgumentParser]) -> None:
    _log(_command(commands, "tick", "do what is due now and exit: for cron"))


def _log(parser: argparse.ArgumentParser) -> None:
    words = "how the log is written: human, json (JSON Lines), or auto, which is human on a terminal (default: auto)"
    parser.add_argument("--log", choices=("auto", "human", "json"), default="auto", metavar="FORM", help=words)


def _feeds(commands: _Commands[argparse.ArgumentParser]) -> None:
    words = "what is read: list, check, add, remove, accept, import, export"
    parser = commands.add_parser("feeds", help=words, description="What is read.")
    _globals(parser)
    parser.set_defaults(command="feeds list")
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    _json(_command(inner, "feeds list", "list the feeds and how they are doing"))
    check = _command(inner, "feeds check", "read an address as a feed and say what is odd about it")
    check.add_argument("url", metavar="URL", help="a feed, or a home page whose feeds to find")
    _json(check)
    _feeds_add(_command(inner, "feeds add", "find the feed behind an address and write it into config.toml"))
    remove = _command(inner, "feeds remove", "take a feed out of config.toml; its entries stay stored")
    remove.add_argument("feed", metavar="ID", help="which one: its id")
    accept = _command(
        inner, "feeds accept", "take in the entries of a feed that are held back: all had turned new at once"
    )
    accept.add_argument("feed", metavar="FEED", help="which one: its id")
    imports = _command(
        inner, "feeds import", "write the feeds of an OPML file into config.toml, those there are left out"
    )
    imports.add_argument(
        "file", type=Path, metavar="FILE", help="what another reader exported; a folder becomes a section"
    )
    imports.add_argument("--check", action="store_true", help="read each feed first; leave out what cannot be read")
    export = _command(inner, "feeds export", "write the feeds as OPML, which other readers import")
    export.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a new file (default: the terminal)")


def _feeds_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="a feed, or a home page whose feed to find")
    parser.add_argument("--id", default="", metavar="ID", help="its short name, for ever (default: a free one)")
    parser.add_argument("--kind", choices=FEED_KINDS, metavar="KIND", help="blog, podcast or links (default: as found)")
    parser.add_argument("--section", default="", metavar="WORDS", help="its heading in the digest")


def _links(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("links", help="useful links: list, add, remove", description="Useful links.")
    _globals(parser)
    parser.set_defaults(command="links list")
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    _json(_command(inner, "links list", "list the links that wait for an edition, and those that were told"))
    add = _command(inner, "links add", "keep a link for one of the next editions; its title is read from the page")
    add.add_argument("url", metavar="URL", help="the page")
    add.add_argument("--note", default="", metavar="WORDS", help="why it matters (default: what the page says)")
    add.add_argument("--title", default="", metavar="WORDS", help="what to call it (default: what the page says)")
    remove = _command(inner, "links remove", "forget a link that was added by hand and not told yet")
    remove.add_argument("url", metavar="URL", help="the page")


def _backfill(commands: _Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "backfill", "read the archive behind a feed, from where it stopped the last time")
    parser.add_argument("feed", metavar="FEED", help="which one: its id")
    parser.add_argument("--again", action="store_true", help="begin anew instead")


def _status(commands: _Commands[argparse.ArgumentParser]) -> None:
    _json(_command(commands, "status", "how it is doing: trouble, feeds, weeks, what comes next and what ran last"))
    words = "look at everything a publication stands on, and say how to mend what is not well"
    parser = _command(commands, "doctor", words)
    parser.add_argument("--offline", action="store_true", help="ask nobody: leaves out clock, mail server and domain")
    _json(parser)
    _command(commands, "notify", "tell a trial notice in every way of [notify], and say whether it arrived")


def _care(commands: _Commands[argparse.ArgumentParser]) -> None:
    """What keeps the store safe, small and movable."""
    backup = _command(commands, "backup", "copy the store into one file, while everything runs, and check the copy")
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file")
    restore = _command(commands, "restore", "put a backup where the store lies; what was there is kept beside it")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `pipeline backup` wrote")
    restore.add_argument("--force", action="store_true", help="even if the store holds something")
    prune = _command(commands, "prune", "drop the texts that [store] keep_bodies calls old and no edition tells")
    prune.add_argument("--compact", action="store_true", help="give their room back to the disk, too (SQLite)")
    export = _command(commands, "export", "write everything that is stored as JSON Lines")
    export.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a new file (default: the terminal)")
    for parser in (backup, export):
        parser.add_argument("--force", action="store_true", help="even if the file is there")
    imports = _command(commands, "import", "fill an empty store, of any kind, with an export; all of it or nothing")
    imports.add_argument("file", type=Path, metavar="FILE", help="what `pipeline export` wrote")
