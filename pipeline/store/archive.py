"""The archive: read page by page behind the feeds, looked through for what is alike.

In: a connection, plain values. Out: records, entry ids. Begins and ends no transaction. Looking for words costs what is
rare: a word that many entries have is given up early, however many they are, and is not looked up again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, select, text

from pipeline.model.archive import ArchivePosition
from pipeline.store.dialects import insert
from pipeline.store.schema import archive_position, entry, episode_detail

# One statement for all words: what a word costs is little, and a hundred statements are not.
_HAVING = {
    "sqlite": text("""
SELECT asked.value AS word, (SELECT group_concat(found.id) FROM (SELECT rowid AS id FROM entry_words
WHERE entry_words MATCH '"' || asked.value || '"' AND rowid <= :last LIMIT :most + 1) AS found) AS ids
FROM json_each(:words) AS asked"""),
    # OFFSET 0: each word is made a query once, not once for each entry. The order leads to the index: a mere LIMIT lets
    # the planner hope to meet a few matches soon, however rare they are, and read everything.
    "postgresql": text("""
SELECT asked.word, (SELECT string_agg(CAST(found.id AS text), ',' ORDER BY found.id) FROM (SELECT entry_id AS id
FROM entry_words WHERE words @@ asked.query AND entry_id <= :last ORDER BY -entry_id LIMIT :most + 1) AS found) AS ids
FROM (SELECT word, phraseto_tsquery('pipeline_words', pipeline_plain(word)) AS query
FROM json_array_elements_text(CAST(:words AS json)) AS each(word) OFFSET 0) AS asked"""),
}


def positions(connection: Connection) -> dict[str, ArchivePosition]:
    """Read how far each feed's archive was read, by feed id."""
    rows = connection.execute(select(archive_position)).mappings()
    return {row["feed_id"]: ArchivePosition(**{**row, "page_hashes": tuple(row["page_hashes"])}) for row in rows}


def save_position(connection: Connection, position: ArchivePosition) -> None:
    """Write how far a feed's archive was read; at its end, make it quick to look through."""
    values = {name: getattr(position, name) for name in archive_position.c.keys()}  # noqa: SIM118 - a collection of columns
    _put(connection, archive_position, values | {"page_hashes": list(position.page_hashes)})
    if position.done:
        optimize_search_index(connection)


def talks(connection: Connection, urls: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Read what chapters and transcripts at these addresses said; what was never read is left out."""
    rows = connection.execute(select(episode_detail).where(episode_detail.c.url.in_(urls)))
    return {row.url: tuple(row.lines) for row in rows}


def save_talk(connection: Connection, url: str, lines: Sequence[str], now: datetime) -> None:
    """Keep what a chapters file or a transcript says."""
    _put(connection, episode_detail, {"url": url, "lines": list(lines), "fetched_at": now})


def optimize_search_index(connection: Connection) -> None:
    """Merge the pieces in which words were indexed into one, as far as that is done soon.

    SQLite looks for each word in every piece, and an archive that came page by page is in a dozen. Four megabytes are
    written at most, and the rest the next time; PostgreSQL sees to it by itself.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO entry_words (entry_words, rank) VALUES ('merge', -1000)")


def newest_seen_by(connection: Connection, moment: datetime | None) -> int:
    """Find the newest entry that was there at a moment (None: of all); 0 when there is none."""
    newest = select(entry.c.entry_id).order_by(entry.c.entry_id.desc()).limit(1)
    # Ids grow with time, so this steps back over what came since, and no further.
    return connection.scalar(newest if moment is None else newest.where(entry.c.first_seen_at <= moment)) or 0


class WordIndex:
    """Which entries have which words, in this or another form; words as ``\\w+``.

    Remembers which words are common, and as of which entry: entries become more and lose no word of the index, so a
    word that was common once stays so.
    """

    def __init__(self) -> None:
        self._common: dict[tuple[str, int], int] = {}

    def having(
        self, connection: Connection, words: Collection[str], *, last: int, most: int
    ) -> dict[str, tuple[int, ...]]:
        """Find the entries, up to id ``last``, that have each word.

        A word that more than ``most`` entries have says little about any of them and is left out.
        """
        asked = [word for word in words if self._common.get((word, most), last + 1) > last]
        rows = connection.execute(
            _HAVING[connection.dialect.name], {"words": json.dumps(asked), "last": last, "most": most}
        )
        found = {row.word: tuple(map(int, row.ids.split(","))) for row in rows if row.ids}
        self._common |= {(word, most): last for word, ids in found.items() if len(ids) > most}
        return {word: ids for word, ids in found.items() if len(ids) <= most}


def _put(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    statement = insert(connection.dialect.name, table).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=row))
