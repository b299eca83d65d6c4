"""An export says everything, moves to any kind of store, and comes in whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from published_store import LATER, published
from store_factories import NOW, blog_post, keep

from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.model.errors import CorruptBackupError, RefusedError
from pipeline.store import Store
from pipeline.store.export import column_types
from pipeline.store.schema import metadata
from tests.publication import PublicationHarness, shared_theme


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Store]:
    """A store in which something of everything lies."""
    (tmp_path / "full").mkdir()
    house = published(PublicationHarness(tmp_path / "full", shared_theme()))
    house.store.media.save_episode_details(
        "https://a.example/1.json", ("Salt", "Ünd"), now=NOW + timedelta(microseconds=1)
    )
    yield house.store
    house.store.close()


def test_every_table_and_every_kind_of_column_takes_part() -> None:
    """What joins the tables joins the export; only the database's own bookkeeping stays, and what signs its links."""
    assert set(metadata.tables) - set(column_types()) == {"commit_counter", "pipeline_migration", "signing_key"}


def test_an_export_moves_to_any_store_and_says_the_same_there(full: Store, store: Store) -> None:
    """Out, in and out again: equal lines, from SQLite to each kind of database and back."""
    lines = list(export_lines(full))
    counts = import_lines(store, lines)
    assert counts == json.loads(lines[-1])["end"]
    assert list(export_lines(store)) == lines
    assert store.maintenance.integrity_errors() == []


def test_life_goes_on_after_an_import(full: Store, store: Store) -> None:
    """The next entry gets the next number, words are found, the sealed edition is the same bytes."""
    import_lines(store, export_lines(full))
    known = store.entries.identities("blog")
    new = keep(store, *(blog_post(number) for number in (70, 71)), now=LATER)
    assert min(new) > max(each.entry_id for each in known)
    words = store.word_index.search(["bread", "grusse"], first_seen_by=NOW, max_matches=50)[0]
    assert words["bread"] == full.word_index.search(["bread"], first_seen_by=NOW, max_matches=50)[0]["bread"]
    assert store.editions.sealed("2026-W07") == full.editions.sealed("2026-W07")
    assert store.editions.all() == full.editions.all()


def test_an_export_is_of_one_moment(full: Store) -> None:
    """What is written while the lines are drawn is not in it."""
    lines = list(export_lines(full))
    drawn = export_lines(full)
    first = [next(drawn), next(drawn), next(drawn)]
    keep(full, blog_post(99), now=LATER)
    assert [*first, *drawn] == lines


def spoilt(lines: list[str], what: str) -> list[str]:
    """Spoil an export in one way."""
    row = next(number for number, line in enumerate(lines) if line.startswith('{"entry"'))
    values = json.loads(lines[row])["entry"]

    def with_row(**other: object) -> list[str]:
        return [*lines[:row], json.dumps({"entry": values | other}) + "\n", *lines[row + 1 :]]

    spoil: dict[str, Callable[[], list[str]]] = {
        "nothing": list,
        "no end": lambda: lines[:-1],
        "a torn line": lambda: [*lines[:-5], lines[-5][: len(lines[-5]) // 2]],
        "a row less": lambda: [*lines[: row + 1], *lines[row + 2 :]],
        "a row twice": lambda: [*lines[: row + 1], *lines[row:]],
        "no head": lambda: lines[1:],
        "another schema": lambda: [lines[0].replace('"schema":', '"schema":9'), *lines[1:]],
        "another table": lambda: [*lines[:row], '{"nowhere":{}}\n', *lines[row:]],
        "another column": lambda: with_row(nowhere=1),
        "a wrong type": lambda: with_row(archived="no"),
        "no instant": lambda: with_row(published_at="2026-02-09T00:00:00"),
        "a lost reference": lambda: with_row(feed_id="nowhere"),
        "a number for a text": lambda: with_row(title=7),
        "an array": lambda: [*lines[:row], "[]\n", *lines[row:]],
    }
    return spoil[what]()


SAID = {
    "nothing": "ends with line 0",
    "no end": "has no end",
    "a torn line": r"line \d+ of the export is not JSON",
    "a row less": "the export says that it holds|contradict",
    "a row twice": "contradict each other",
    "no head": "line 1 is not the head",
    "another schema": "with the same version of the program",
    "another table": "a table 'nowhere' that this version does not know",
    "another column": "a row of entry has other columns",
    "a wrong type": "a row of entry has 'no' where boolean is expected",
    "no instant": "where instant is expected",
    "a lost reference": "contradict each other or the other tables",
    "a number for a text": "where text is expected",
    "an array": r"line \d+ of the export is no row",
}


def test_a_broken_export_leaves_nothing(full: Store, store: Store) -> None:
    """The sentence says what is wrong, and the store is as empty as before."""
    lines, empty = list(export_lines(full)), list(export_lines(store))
    for what, sentence in SAID.items():
        with pytest.raises(CorruptBackupError, match=sentence):
            import_lines(store, spoilt(lines, what))
        assert list(export_lines(store)) == empty, what
    import_lines(store, lines)
    assert list(export_lines(store)) == lines


def test_a_store_that_holds_something_is_not_imported_into(full: Store, store: Store) -> None:
    """Two publications never mix."""
    keep(store, blog_post(1))
    before = list(export_lines(store))
    with pytest.raises(RefusedError, match="the store is not empty"):
        import_lines(store, export_lines(full))
    assert list(export_lines(store)) == before
