"""The programs that are compared: how each is configured and started, and its entries counted.

In: a folder of its own and the feeds' addresses. Out: a command to measure, and the number of entries in its store.
Peers live in an environment of their own; none of them is a dependency of the program.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"
TIMEOUT_SECONDS = 10
"""For a silent server, the same for all; the baselines and rss2email have one for the whole document only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One program under measurement."""

    name: str
    prepare: Callable[[Path, Sequence[str]], None]
    """Configures the feeds; not measured."""
    command: Callable[[Path], list[str]]
    stored: Callable[[Path], int | None]
    """Counts the entries in its store; None if it stores nothing."""
    is_peer: bool = True


def contenders(peers: Path) -> dict[str, Contender]:
    """Return all programs by name; ``peers`` is the environment in which the others are installed."""
    python, r2e = str(peers / "bin" / "python"), str(peers / "bin" / "r2e")

    def script(name: str) -> Callable[[Path], list[str]]:
        return lambda folder: [python, str(SCRIPTS / f"{name}.py"), str(folder), str(TIMEOUT_SECONDS)]

    everybody = (
        Contender(name="ours", prepare=_our_config, command=_our_command, stored=_in_our_store, is_peer=False),
        Contender(name="reader", prepare=_reader_feeds(python), command=script("with_reader"), stored=_in_reader),
        Contender(name="rss2email", prepare=_r2e_config, command=_r2e_command(r2e), stored=_in_rss2email),
        Contender(name="httpx", prepare=_address_list, command=script("with_httpx"), stored=lambda folder: None),
        Contender(name="httpx+feedparser", prepare=_address_list, command=script("with_feedparser"), stored=_counted),
    )
    return {each.name: each for each in everybody}


def _address_list(folder: Path, urls: Sequence[str]) -> None:
    (folder / "urls.txt").write_text("\n".join(urls))


def _our_config(folder: Path, urls: Sequence[str]) -> None:
    lines = [
        '[publication]\nname = "Bench"\nurl = "https://bench.example/"\nsender = "Bench <bench@bench.example>"',
        f"[fetch]\nallow_private_networks = true\ntimeout_seconds = {TIMEOUT_SECONDS}",
    ]
    lines += [f'[[feeds]]\nid = "f{number}"\nurl = "{url}"\nkind = "blog"' for number, url in enumerate(urls)]
    (folder / "config.toml").write_text("\n".join(lines))


def _our_command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "pipeline", "--config", str(folder / "config.toml"), "--quiet", "fetch"]


def _in_our_store(folder: Path) -> int:
    return _count(folder / "pipeline.db", "SELECT count(*) FROM entry JOIN content USING (entry_id)")


def _reader_feeds(python: str) -> Callable[[Path, Sequence[str]], None]:
    def prepare(folder: Path, urls: Sequence[str]) -> None:
        _address_list(folder, urls)
        subprocess.run([python, str(SCRIPTS / "with_reader.py"), str(folder), "0"], check=True)

    return prepare


def _in_reader(folder: Path) -> int:
    return _count(folder / "reader.db", "SELECT count(*) FROM entries")


def _r2e_config(folder: Path, urls: Sequence[str]) -> None:
    lines = [
        "[DEFAULT]\nfrom = bench@bench.example\nto = bench@bench.example\nemail-protocol = maildir",
        f"maildir-path = {folder}\nmaildir-mailbox = mail\nfeed-timeout = {TIMEOUT_SECONDS}",
    ]
    lines += [f"[feed.f{number}]\nurl = {url}" for number, url in enumerate(urls)]
    (folder / "r2e.cfg").write_text("\n".join(lines))
    states = [{"name": f"f{number}", "etag": None, "modified": None, "seen": {}} for number in range(len(urls))]
    (folder / "r2e.json").write_text(json.dumps({"version": 2, "feeds": states}))
    for name in ("cur", "new", "tmp"):
        (folder / "mail" / name).mkdir(parents=True)


def _r2e_command(r2e: str) -> Callable[[Path], list[str]]:
    return lambda folder: [r2e, "-c", str(folder / "r2e.cfg"), "-d", str(folder / "r2e.json"), "run"]


def _in_rss2email(folder: Path) -> int:
    feeds = json.loads((folder / "r2e.json").read_text())["feeds"]
    return sum(len(feed["seen"]) for feed in feeds)


def _counted(folder: Path) -> int:
    return int((folder / "entries.txt").read_text())


def _count(database: Path, question: str) -> int:
    with sqlite3.connect(database) as connection:
        return int(connection.execute(question).fetchone()[0])
