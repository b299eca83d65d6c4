"""Links to log in: asked for by an address, valid for a quarter of an hour, and usable once.

Neither the answer nor its time reveals whether an address is an editor's: the same is read and written for every
address, and the link is sent later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from pipeline.audience.addresses import address_key, normalise_address
from pipeline.jobs.access.sessions import Sessions
from pipeline.jobs.access.tokens import editor_id, signed_log_in, verify_log_in
from pipeline.model.editor import Editor, LogInToken
from pipeline.model.errors import InvalidTokenError, TooManyRequestsError, UsageError
from pipeline.store import Store

LINK_TTL = timedelta(minutes=15)
"""How long a link works."""
LIMIT_INTERVAL = timedelta(minutes=15)
MAX_PER_NETWORK = 20
"""How many links may be asked for from a network within ``LIMIT_INTERVAL``."""
MAX_PER_ADDRESS = 3
"""How many links are sent to an editor within ``LIMIT_INTERVAL``, from any client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Makes links to log in, and starts sessions with them."""

    store: Store
    editors: Sequence[Editor]
    sessions: Sessions
    signing_key: str

    def request(self, address: str, network: str, *, now: datetime) -> Editor | None:
        """Return the editor to whom a link is to be sent; None for an address that gets none.

        UsageError if it is no address at all; TooManyRequestsError if too many links were asked for from the network,
        whatever the addresses.
        """
        limits, key = self.store.signup_limits, address_key(normalise_address(address))
        if limits.count(f"log-in network {network}", within=LIMIT_INTERVAL, now=now) > MAX_PER_NETWORK:
            raise TooManyRequestsError("Too many links were asked for from your network. Try again in 15 minutes.")
        hashed = sha256(key.encode()).hexdigest()
        count = limits.count(f"log-in address {hashed}", within=LIMIT_INTERVAL, now=now)
        editor = next((editor for editor in self.editors if editor.key == key), None)
        return editor if count <= MAX_PER_ADDRESS else None

    def create_token(self, editor: Editor, *, now: datetime) -> str:
        """Return the signed token of a new link."""
        token = LogInToken(editor_id=editor_id(editor), nonce=token_urlsafe(16), expires_at=now + LINK_TTL)
        return signed_log_in(token, self.signing_key)

    def verify(self, token: str, *, now: datetime) -> Editor:
        """Return the editor whom a link logs in. Changes nothing, however often scanners follow it.

        Raise InvalidTokenError if it was altered, has expired or was used, or if its editor was removed since.
        """
        claims = verify_log_in(token, self.signing_key)
        editor = next((editor for editor in self.editors if editor_id(editor) == claims.editor_id), None)
        if editor is None:
            raise InvalidTokenError("This link was made for somebody who is no editor any more.", kind="removed")
        if self.store.signup_limits.current(_use_key(claims), now):
            raise InvalidTokenError("This link was used, and works once.", kind="used")
        if now >= claims.expires_at:
            raise InvalidTokenError("This link is too old: it worked for 15 minutes.", kind="expired")
        return editor

    def use(self, token: str, *, now: datetime, browser: str) -> str:
        """Use up a link and return the secret of the session that it starts; raise as ``verify``.

        Of several processes that use one link at the same time, one succeeds.
        """
        editor, claims = self.verify(token, now=now), verify_log_in(token, self.signing_key)
        with self.store.audience_transaction():
            if self.store.signup_limits.count(_use_key(claims), within=2 * LINK_TTL, now=now) > 1:
                raise InvalidTokenError("This link was used, and works once.", kind="used")
            return self.sessions.start(editor, "link", now=now, browser=browser)


def find_editor(editors: Sequence[Editor], wanted: str) -> Editor:
    """Return the editor with a name or an address; the only one if ``wanted`` is empty. Raise UsageError if not one."""
    names = ", ".join(editor.name for editor in editors)
    if not wanted:
        if len(editors) > 1:
            raise UsageError(f"there are {len(editors)} editors: name one of {names}.")
        return editors[0]
    key = wanted.strip().casefold()
    for editor in editors:
        if key in (editor.name.casefold(), editor.key):
            return editor
    raise UsageError(f"there is no editor {wanted!r} in config.toml; there are {names}.")


def _use_key(claims: LogInToken) -> str:
    return f"log-in used {claims.nonce}"
