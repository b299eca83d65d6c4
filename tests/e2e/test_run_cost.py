"""The cost of a run grows with what is new: the modules, queries and writes that a process reports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import copy_demo

# Run one command, then say which modules were loaded and which statements were sent.
WATCHED = """
import json, sys
from sqlalchemy import Engine, event
sent = []
event.listen(Engine, "before_cursor_execute", lambda *args: sent.append(args[2].split(None, 2)[:2]))
from pipeline.cli import main
code = main(sys.argv[1:])
print(json.dumps({"code": code, "modules": sorted(sys.modules), "sent": [" ".join(words) for words in sent]}))
"""
NEW_POST = (
    "<item><title>Rhubarb</title><link>https://harbourandhearth.example/rhubarb/</link>"
    "<guid>https://harbourandhearth.example/?p=9999</guid><pubDate>Mon, 13 Apr 2026 06:00:00 +0000</pubDate></item>"
)
pytestmark = pytest.mark.xdist_group("cost of a run")  # the feeds are read once for all
PARSERS = {"feedparser", "lxml.etree", "nh3", "trafilatura", "markdownify", "bs4"}


def run(publication: Path, *words: str) -> dict[str, list[str]]:
    """Run a command of the program in a process of its own, and return what it reports."""
    command = [sys.executable, "-c", WATCHED, "--quiet", *words]
    printed = subprocess.run(command, cwd=publication, capture_output=True, text=True, check=True, timeout=60).stdout
    found: dict[str, list[str]] = json.loads(printed.splitlines()[-1])
    assert found["code"] == 0
    return found


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo publication, its feeds read once; to be copied."""
    folder = copy_demo(tmp_path_factory.mktemp("publication"))
    run(folder, "fetch")
    return folder


@pytest.fixture
def fetched(read_once: Path, tmp_path: Path) -> Path:
    """The demo publication, its feeds read once."""
    return shutil.copytree(read_once, tmp_path / "publication")


def test_a_run_of_304s_loads_no_parser(fetched: Path) -> None:
    """Where nothing was sent there is nothing to read, and nothing to read it with; nor a dialect nobody speaks."""
    loaded = set(run(fetched, "fetch")["modules"])
    assert loaded & PARSERS == set()
    assert "sqlalchemy.dialects.postgresql" not in loaded


def test_a_run_of_304s_is_one_transaction(fetched: Path) -> None:
    """However many feeds: their states are read at once and written at once, and no entry is looked at."""
    sent = run(fetched, "fetch")["sent"]
    assert sent.count("BEGIN IMMEDIATE") == 1
    assert [words for words in sent if words.startswith(("UPDATE entry", "INSERT INTO", "DELETE"))] == ["INSERT INTO"]


def test_another_build_date_alone_is_read_without_feedparser(fetched: Path) -> None:
    """A document whose items are all known is looked at, not parsed, and writes no entry."""
    feed = fetched / "fixtures" / "harbourandhearth.example" / "feed" / "index.xml"
    feed.write_text(re.sub(r"<lastBuildDate>.*?<", "<lastBuildDate>Mon, 13 Apr 2026 06:00:00 +0000<", feed.read_text()))
    printed = run(fetched, "fetch")
    assert "feedparser" not in printed["modules"]
    assert "UPDATE entry" not in printed["sent"]


def test_one_new_post_is_one_entry_written(fetched: Path) -> None:
    """The others are neither parsed again nor rewritten."""
    feed = fetched / "fixtures" / "harbourandhearth.example" / "feed" / "index.xml"
    feed.write_text(feed.read_text().replace("<item>", f"{NEW_POST}<item>", 1))
    printed = run(fetched, "fetch")
    assert printed["sent"].count("INSERT INTO") in (
        3,
        4,
    )  # the entry, its content, the states: all at once if they come so
    assert "feedparser" not in printed["modules"]
