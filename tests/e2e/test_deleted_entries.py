"""What was deleted here stays deleted, whatever the feed says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.store import Store
from tests.cli_runner import NOW, CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
SALT, BREAD = item("Salt"), item("Bread")


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """Two entries were read, and one of them deleted."""
    with HttpServer() as server:
        found = CliRunner(tmp_path, server, capsys)
        found.serve("/blog", rss(SALT, BREAD))
        found.run_ok("fetch")
        with Store.open(f"sqlite:///{tmp_path / 'pipeline.db'}") as store:
            (salt,) = [each.entry_id for each in store.entries.identities("blog") if each.title == "Salt"]
            store.entries.delete([salt], now=NOW)
        yield found


@pytest.mark.parametrize(
    "document",
    [
        rss(SALT, BREAD, more="<ttl>5</ttl>"),
        rss(SALT.replace("a few words", "other words"), BREAD),
        rss(SALT.replace("<guid>salt", "<guid>another-name"), BREAD),
        rss(SALT.replace("<guid>salt", "<guid>new").replace("blog.example/salt", "blog.example/?p=1"), BREAD),
    ],
    ids=["as it was", "edited", "with another guid", "with another guid and address"],
)
def test_a_deleted_entry_stays_deleted(program: CliRunner, document: bytes) -> None:
    """It is neither stored again nor told, and its neighbour is."""
    program.serve("/blog", document)
    assert " new" not in program.run_ok("fetch", "--force").splitlines()[0]
    assert "1 entry" in program.run_ok("feeds", "list")
    assert program.titles() == ["Bread"]


def test_a_deleted_entry_that_left_and_came_back_stays_deleted(program: CliRunner) -> None:
    """Once gone from the document, it is remembered all the same."""
    for document in (rss(BREAD), rss(SALT, BREAD)):
        program.serve("/blog", document)
        program.run_ok("fetch", "--force")
    assert program.titles() == ["Bread"]
