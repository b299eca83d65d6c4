"""Editors who may log in to the desk, their sessions, and the tokens of links to log in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SessionOrigin = Literal["link", "proof"]
"""What a session was started with: a link to log in, or the button of a proof that opens the desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Editor:
    """A person who may use the desk."""

    name: str
    """Everything they do is recorded under it."""
    address: str
    may_approve: bool
    """Whether they may do more than edit: approve, send, change feeds, settings and subscribers."""

    @property
    def key(self) -> str:
        """The key of the address, by which sessions name the editor."""
        return self.address.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorSession:
    """A session of the desk: one browser in which somebody is logged in."""

    id: int = 0
    """Chosen by the store."""
    editor_key: str
    origin: SessionOrigin
    started_at: datetime
    used_at: datetime
    """When it was last used, to within some minutes."""
    expires_at: datetime
    browser: str
    """The browser's User-Agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveSession:
    """The session that a request belongs to, with the rights that its editor has now."""

    id: int
    editor: Editor
    csrf_token: str
    """Expected in every form that is posted with this session."""
    refusal: str
    """Why the editor may only edit, as sentences; empty if they may approve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInToken:
    """The right of one editor to log in, once, until it expires."""

    editor_id: str
    """Names the editor without an address, see ``jobs.access.tokens.editor_id``."""
    nonce: str
    expires_at: datetime
