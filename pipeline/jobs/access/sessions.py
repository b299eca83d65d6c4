"""Sessions of the desk: a browser has a secret in a cookie, the store has a hash of it, so that each can be ended."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from pipeline.model.editor import ActiveSession, Editor, EditorSession, SessionOrigin
from pipeline.store import Store

IDLE_TTL = timedelta(days=14)
"""How long after its last use a session that a link started ends."""
MAX_TTL = timedelta(days=90)
"""How long such a session lasts however often it is used."""
PROOF_TTL = timedelta(days=1)
"""How long a session lasts that a proof's button started."""
RECORD_INTERVAL = timedelta(minutes=5)
"""How often the use of a session is recorded: not with each request, which would be a write each."""
MAX_BROWSER_CHARS = 300


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of the editors in config.toml, and of ``proof_editor``, who gets the proofs."""

    store: Store
    editors: Sequence[Editor]
    proof_editor: Editor
    """The recipient of proofs, as one of ``editors`` if they are named there."""

    def start(self, editor: Editor, origin: SessionOrigin, *, now: datetime, browser: str) -> str:
        """Start a session in a browser and return its secret, for a cookie."""
        secret = token_urlsafe(32)
        session = EditorSession(
            editor_key=editor.key,
            origin=origin,
            started_at=now,
            used_at=now,
            expires_at=now + (PROOF_TTL if origin == "proof" else IDLE_TTL),
            browser=_one_line(browser)[:MAX_BROWSER_CHARS],
        )
        self.store.editor_sessions.add(session, _hash(secret))
        return secret

    def find(self, secret: str, *, now: datetime) -> ActiveSession | None:
        """Return the session with a secret; None if there is none, or its editor may no longer use the desk."""
        session = self.store.editor_sessions.find(_hash(secret), now) if secret else None
        editor = self._editor_of(session) if session else None
        if session is None or editor is None:
            return None
        if now - session.used_at >= RECORD_INTERVAL:
            self.store.editor_sessions.record_use(session.id, used_at=now, expires_at=_expires_at(session, now))
        refusal = "" if editor.may_approve else self._refusal()
        return ActiveSession(id=session.id, editor=editor, csrf_token=_csrf_token(secret), refusal=refusal)

    def of(self, active: ActiveSession, *, now: datetime) -> tuple[EditorSession, ...]:
        """Return the sessions of an editor, the one used last first."""
        return self.store.editor_sessions.of_editor(active.editor.key, now)

    def end(self, active: ActiveSession, session_id: int) -> bool:
        """End one of an editor's sessions; return False if it had ended."""
        return self.store.editor_sessions.end(session_id, active.editor.key)

    def end_others(self, active: ActiveSession) -> int:
        """End all sessions of an editor but the active one; return how many there were."""
        return self.store.editor_sessions.end_others(active.id, active.editor.key)

    def end_of_removed(self) -> None:
        """End the sessions of those who are no editors any more, so that none revives if they return."""
        self.store.editor_sessions.end_all_but_of({editor.key for editor in (*self.editors, self.proof_editor)})

    def _refusal(self) -> str:
        approvers = " or ".join(editor.name for editor in self.editors if editor.may_approve)
        advice = f"Ask {approvers}." if approvers else "The person who runs the program can change that in config.toml."
        return f"You may edit, but not approve or send, nor change feeds, settings and subscribers. {advice}"

    def _editor_of(self, session: EditorSession) -> Editor | None:
        allowed = [*self.editors, *([self.proof_editor] if session.origin == "proof" else [])]
        return next((editor for editor in allowed if editor.key == session.editor_key), None)


def _expires_at(session: EditorSession, now: datetime) -> datetime:
    if session.origin == "proof":
        return session.expires_at
    return min(now + IDLE_TTL, session.started_at + MAX_TTL)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _csrf_token(secret: str) -> str:
    return hmac.digest(secret.encode(), b"csrf", sha256).hex()


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
