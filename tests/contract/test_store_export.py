"""An export contains everything, can be imported into any kind of store, and is imported whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from published_store import LATER, publish_week
from store_factories import NOW, blog_post, insert

from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.model.entry import TimedText
from pipeline.model.errors import CorruptBackupError, RefusedError
from pipeline.store import Store
from pipeline.store.export import column_types
from pipeline.store.schema import metadata
from tests.publication import PublicationHarness, shared_theme


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Store]:
    """A store with rows in every table."""
    (tmp_path / "full").mkdir()
    publication = publish_week(PublicationHarness(tmp_path / "full", shared_theme()))
    publication.store.media.save_episode_details(
        "https://a.example/1.json",
        (TimedText(text="Salt"), TimedText(text="Ünd", start_seconds=7)),
        now=NOW + timedelta(microseconds=1),
    )
    yield publication.store
    publication.store.close()


def test_every_table_is_exported() -> None:
    """A new table is exported, too; the database's own tables, signing keys, clients of clicks and sessions are not."""
    assert set(metadata.tables) - set(column_types()) == {
        "commit_counter",
        "owner",
        "pipeline_migration",
        "signing_key",
        "click_key",
        "pending_click",
        "scanner",
        "editor_session",
    }


def test_an_export_is_the_same_from_any_store(full: Store, store: Store) -> None:
    """Exported, imported and exported again: equal lines, from SQLite to each database and back."""
    lines = list(export_lines(full))
    counts = import_lines(store, lines)
    assert counts == json.loads(lines[-1])["end"]
    assert list(export_lines(store)) == lines
    assert store.maintenance.integrity_errors() == []


def test_an_imported_store_can_be_written(full: Store, store: Store) -> None:
    """The next entry gets the next id, the full-text index works, and the sealed edition is the same bytes."""
    import_lines(store, export_lines(full))
    known = store.entries.identities("blog")
    new = insert(store, *(blog_post(number) for number in (70, 71)), now=LATER)
    assert min(new) > max(identity.entry_id for identity in known)
    words = store.word_index.search(["bread", "grusse"], first_seen_by=NOW, max_matches=50)[0]
    assert words["bread"] == full.word_index.search(["bread"], first_seen_by=NOW, max_matches=50)[0]["bread"]
    assert store.editions.sealed("2026-W07") == full.editions.sealed("2026-W07")
    assert store.editions.all() == full.editions.all()


def test_an_export_is_of_one_moment(full: Store) -> None:
    """Rows written while it is read are not in it."""
    lines = list(export_lines(full))
    drawn = export_lines(full)
    first = [next(drawn), next(drawn), next(drawn)]
    insert(full, blog_post(99), now=LATER)
    assert [*first, *drawn] == lines


def damaged(lines: list[str], damage: str) -> list[str]:
    """Damage an export in one way."""
    row = next(number for number, line in enumerate(lines) if line.startswith('{"entry"'))
    values = json.loads(lines[row])["entry"]

    def with_row(**other: object) -> list[str]:
        return [*lines[:row], json.dumps({"entry": values | other}) + "\n", *lines[row + 1 :]]

    spoil: dict[str, Callable[[], list[str]]] = {
        "nothing": list,
        "no end": lambda: lines[:-1],
        "a torn line": lambda: [*lines[:-5], lines[-5][: len(lines[-5]) // 2]],
        "a row less": lambda: [*lines[: row + 1], *lines[row + 2 :]],
        "another count": lambda: [*lines[:-1], lines[-1].replace('"entry":', '"entry":1')],
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
    return spoil[damage]()


MESSAGES = {
    "nothing": "ends with line 0",
    "no end": "has no end",
    "a torn line": r"line \d+ of the export is not JSON",
    "a row less": "the export announces|contradict",
    "another count": "the export announces",
    "a row twice": "contradict each other",
    "no head": "line 1 is not the header",
    "another schema": "with the same version of the program",
    "another table": "a table 'nowhere' that this version does not know",
    "another column": "a row of entry has other columns",
    "a wrong type": "a row of entry has 'no' where boolean is expected",
    "no instant": "where instant is expected",
    "a lost reference": "contradict each other or the other tables",
    "a number for a text": "where text is expected",
    "an array": r"line \d+ of the export is not a row",
}


def test_a_damaged_export_imports_nothing(full: Store, store: Store) -> None:
    """The error says what is wrong, and the store stays empty."""
    lines, empty = list(export_lines(full)), list(export_lines(store))
    for damage, sentence in MESSAGES.items():
        with pytest.raises(CorruptBackupError, match=sentence):
            import_lines(store, damaged(lines, damage))
        assert list(export_lines(store)) == empty, damage
    import_lines(store, lines)
    assert list(export_lines(store)) == lines


def test_import_refuses_a_store_with_data(full: Store, store: Store) -> None:
    """Two publications never mix."""
    insert(store, blog_post(1))
    before = list(export_lines(store))
    with pytest.raises(RefusedError, match="the store is not empty"):
        import_lines(store, export_lines(full))
    assert list(export_lines(store)) == before
