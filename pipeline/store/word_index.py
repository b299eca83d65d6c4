"""The full-text index of titles and excerpts.

A search costs what the rare words find: a frequent word is abandoned early, however many entries have it, and is not
searched for again.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, text

from pipeline.store.database import Database
from pipeline.store.schema import entry

# One statement for all words: a word costs little, a hundred statements do not.
_SEARCH = {
    "sqlite": text("""
SELECT query.value AS word, (SELECT group_concat(hit.id) FROM (SELECT rowid AS id FROM entry_words
WHERE entry_words MATCH '"' || query.value || '"' AND rowid <= :last LIMIT :max + 1) AS hit) AS ids
FROM json_each(:words) AS query"""),
    # OFFSET 0: each word becomes a query once, not once for each entry. The order leads to the index: with a mere LIMIT
    # the planner expects a few matches soon, however rare they are, and reads everything.
    "postgresql": text("""
SELECT query.word, (SELECT string_agg(CAST(hit.id AS text), ',' ORDER BY hit.id) FROM (SELECT entry_id AS id
FROM entry_words WHERE words @@ query.query AND entry_id <= :last ORDER BY -entry_id LIMIT :max + 1) AS hit) AS ids
FROM (SELECT word, phraseto_tsquery('pipeline_words', pipeline_plain(word)) AS query
FROM json_array_elements_text(CAST(:words AS json)) AS item(word) OFFSET 0) AS query"""),
}


class WordIndex:
    """Finds the entries that have a word (``\\w+``), in this or another form of it.

    Remembers which words are frequent, and up to which entry id they were when searched for: the index only grows, so
    a word that was once frequent stays frequent.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._frequent: dict[tuple[str, int], int] = {}

    def search(
        self, words: Collection[str], *, first_seen_by: datetime | None, max_matches: int
    ) -> tuple[dict[str, tuple[int, ...]], int]:
        """Return the ids of entries by word, and an upper bound of the number of entries.

        Only entries first seen by ``first_seen_by`` count (None: all); a word that more than ``max_matches`` of them
        have says little about any and is left out.
        """
        with self._database.read() as connection:
            last = _newest_id(connection, first_seen_by)
            rare = [word for word in words if self._frequent.get((word, max_matches), last + 1) > last]
            rows = connection.execute(
                _SEARCH[connection.dialect.name], {"words": json.dumps(rare), "last": last, "max": max_matches}
            )
            matches = {row.word: tuple(map(int, row.ids.split(","))) for row in rows if row.ids}
        self._frequent |= {(word, max_matches): last for word, ids in matches.items() if len(ids) > max_matches}
        return {word: ids for word, ids in matches.items() if len(ids) <= max_matches}, last


def optimize_word_index(connection: Connection) -> None:
    """Merge segments of SQLite's index, writing four megabytes at most; PostgreSQL does so by itself.

    SQLite searches every segment for every word, and an archive that was read page by page is spread over a dozen.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO entry_words (entry_words, rank) VALUES ('merge', -1000)")


def _newest_id(connection: Connection, first_seen_by: datetime | None) -> int:
    newest = select(entry.c.entry_id).order_by(entry.c.entry_id.desc()).limit(1)
    if first_seen_by is not None:
        # Ids grow with time, so this steps back over the entries stored since, and no further.
        newest = newest.where(entry.c.first_seen_at <= first_seen_by)
    return connection.scalar(newest) or 0
