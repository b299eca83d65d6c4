"""The repository of the desk's sessions. They count for no revision: pages need not be made anew when one is used."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping, delete, select, update

from pipeline.model.editor import EditorSession
from pipeline.store.database import Database
from pipeline.store.rows import storable
from pipeline.store.schema import editor_session


@dataclass(frozen=True, slots=True)
class EditorSessionRepository:
    """Sessions by the hash of their secret, and by editor."""

    database: Database

    def add(self, session: EditorSession, secret_hash: str) -> None:
        """Add a session, and delete all that have expired before it started."""
        row = {
            "secret_hash": secret_hash,
            "editor": session.editor_key,
            "origin": session.origin,
            "started_at": session.started_at,
            "used_at": session.used_at,
            "expires_at": session.expires_at,
            "browser": storable(session.browser),
        }
        with self.database.write(counted=False) as connection:
            connection.execute(delete(editor_session).where(editor_session.c.expires_at <= session.started_at))
            connection.execute(editor_session.insert().values(row))

    def find(self, secret_hash: str, now: datetime) -> EditorSession | None:
        """Return the session with a secret; None if there is none, or if it has expired."""
        query = select(editor_session).where(
            editor_session.c.secret_hash == secret_hash, editor_session.c.expires_at > now
        )
        with self.database.read() as connection:
            row = connection.execute(query).mappings().first()
        return _read(row) if row else None

    def record_use(self, session_id: int, *, used_at: datetime, expires_at: datetime) -> None:
        """Record that a session was used, and when it expires now."""
        values = {"used_at": used_at, "expires_at": expires_at}
        with self.database.write(counted=False) as connection:
            connection.execute(update(editor_session).where(editor_session.c.session_id == session_id).values(values))

    def of_editor(self, editor_key: str, now: datetime) -> tuple[EditorSession, ...]:
        """Return the sessions of an editor, the one used last first."""
        query = select(editor_session).where(editor_session.c.editor == editor_key, editor_session.c.expires_at > now)
        newest_first = query.order_by(editor_session.c.used_at.desc(), editor_session.c.session_id.desc())
        with self.database.read() as connection:
            return tuple(map(_read, connection.execute(newest_first).mappings()))

    def end(self, session_id: int, editor_key: str) -> bool:
        """End a session of an editor; return False if they have no such session."""
        statement = delete(editor_session).where(
            editor_session.c.session_id == session_id, editor_session.c.editor == editor_key
        )
        with self.database.write(counted=False) as connection:
            return connection.execute(statement.returning(editor_session.c.session_id)).first() is not None

    def end_others(self, session_id: int, editor_key: str) -> int:
        """End all sessions of an editor but one; return how many there were."""
        statement = delete(editor_session).where(
            editor_session.c.session_id != session_id, editor_session.c.editor == editor_key
        )
        with self.database.write(counted=False) as connection:
            return len(connection.execute(statement.returning(editor_session.c.session_id)).all())

    def end_all_but_of(self, editor_keys: Collection[str]) -> None:
        """End the sessions of everybody who is not one of these editors."""
        others = editor_session.c.editor.not_in(sorted(editor_keys))
        with self.database.read() as connection:
            if connection.execute(select(editor_session.c.session_id).where(others).limit(1)).first() is None:
                return
        with self.database.write(counted=False) as connection:
            connection.execute(delete(editor_session).where(others))


def _read(row: RowMapping) -> EditorSession:
    return EditorSession(
        id=row["session_id"],
        editor_key=row["editor"],
        origin=row["origin"],
        started_at=row["started_at"],
        used_at=row["used_at"],
        expires_at=row["expires_at"],
        browser=row["browser"],
    )
