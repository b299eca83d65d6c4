"""The repository of link-check results, by the hash of the edition's bytes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import select

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.store.database import Database
from pipeline.store.dialects import upsert
from pipeline.store.schema import link_check


@dataclass(frozen=True, slots=True)
class LinkCheckRepository:
    """The newest link check of each edition's bytes.

    Approving these bytes relies on it; edited ones have another hash, so they are checked again.
    """

    database: Database

    def get(self, content_hash: str) -> LinkCheck | None:
        """Return the newest link check of these bytes, or None if their links were never checked."""
        statement = select(link_check).where(link_check.c.content_hash == content_hash)
        with self.database.read() as connection:
            row = connection.execute(statement).mappings().first()
        if row is None:
            return None
        results = tuple(CheckResult(**result) for result in row["results"])
        return LinkCheck(content_hash=content_hash, checked_at=row["checked_at"], results=results)

    def save(self, check: LinkCheck) -> None:
        """Write a link check in place of the previous one of the same bytes."""
        row = {
            "content_hash": check.content_hash,
            "checked_at": check.checked_at,
            "results": [asdict(result) for result in check.results],
        }
        with self.database.write() as connection:
            upsert(connection, link_check, row)
