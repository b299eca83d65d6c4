"""A deleted entry stays deleted, whatever its feed contains."""

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
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    """Two entries were fetched, and one of them deleted."""
    with HttpServer() as server:
        runner = CliRunner(tmp_path, server, capsys)
        runner.serve("/blog", rss(SALT, BREAD))
        runner.run_ok("fetch")
        with Store.open(f"sqlite:///{tmp_path / 'pipeline.db'}") as store:
            (salt,) = [entry.entry_id for entry in store.entries.identities("blog") if entry.title == "Salt"]
            store.entries.delete([salt], now=NOW)
        yield runner


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
def test_a_deleted_entry_stays_deleted(cli: CliRunner, document: bytes) -> None:
    """It is neither stored again nor published, and the other entry is."""
    cli.serve("/blog", document)
    assert " new" not in cli.run_ok("fetch", "--force").splitlines()[0]
    assert "1 entry" in cli.run_ok("feeds", "list")
    assert cli.titles() == ["Bread"]


def test_a_deleted_entry_that_reappears_stays_deleted(cli: CliRunner) -> None:
    """It left the document and came back."""
    for document in (rss(BREAD), rss(SALT, BREAD)):
        cli.serve("/blog", document)
        cli.run_ok("fetch", "--force")
    assert cli.titles() == ["Bread"]
