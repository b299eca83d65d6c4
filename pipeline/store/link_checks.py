"""Looks: what the network said about the links and pictures of editions, each named by the hash of its bytes.

In: a connection, a hash. Out: Looks. Begins and ends no transaction.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, select

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.store.dialects import insert
from pipeline.store.schema import link_check


def newest(connection: Connection, content_hash: str) -> LinkCheck | None:
    """Read what was found when these bytes were looked over last; None when they never were."""
    row = connection.execute(select(link_check).where(link_check.c.content_hash == content_hash)).mappings().first()
    if row is None:
        return None
    checks = tuple(CheckResult(**each) for each in row["results"])
    return LinkCheck(content_hash=content_hash, checked_at=row["checked_at"], results=checks)


def save(connection: Connection, seen: LinkCheck) -> None:
    """Keep a look in the place of the one before."""
    found = {"checked_at": seen.checked_at, "results": [asdict(each) for each in seen.results]}
    statement = insert(connection.dialect.name, link_check).values(content_hash=seen.content_hash, **found)
    connection.execute(statement.on_conflict_do_update(index_elements=["content_hash"], set_=found))
