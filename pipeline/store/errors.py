"""The door: the database's exceptions come in, the house's errors go out.

Only what a person can mend is turned into a sentence. A broken constraint or wrong SQL is a bug and passes through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from pipeline.model.errors import StoreError

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens a way to read or to write: what the store hands to those who keep one kind of thing."""

_ADVICE = {
    "not a database": "is not a database; move that file away or name another in [store] url",
    "malformed": "is damaged; put back a copy of it, or move it away and fetch again",
    "unable to open": "cannot be opened; make the folder it lies in, or name another in [store] url",
    "readonly": "is read-only; allow this user to write the file and its folder",
    "locked": "is in use by another process; try again when that has finished",
    "disk I/O": "cannot be read or written; look whether its disk is full or failing, then run again",
    "full": "has no room left; free some disk space and run again",
    # PostgreSQL, as it and its client library say it in English; in other languages its own words are passed on.
    "No space left": "has no room left; free some disk space on its server and run again",
    "lock timeout": "is in use by another process; try again when that has finished",
    "permission denied": "does not let this user make tables; make the user the owner of the database",
    "read-only transaction": "is read-only; name the main server in [store] url, not its replica",
    "no password supplied": "asks for a password; give it by $PGPASSWORD or in the file that $PGPASSFILE names",
    "authentication failed": "does not know this user or this password; look at $PGPASSWORD and $PGPASSFILE",
    'FATAL:  role "': "does not know this user; make it with createuser, or name another in [store] url",
    'FATAL:  database "': "does not exist on its server; make it with createdb, or name another in [store] url",
    "resolve host": "is on a host that nobody knows; look at the name in [store] url",
    "Connection refused": "cannot be reached; start its server, or look at host and port in [store] url",
    "No such file": "cannot be reached; start its server, or look at the host in [store] url",
    "timeout expired": "does not answer; look whether its server is up and reachable",
    "too many clients": "has no connection left; raise max_connections on its server",
}


@contextmanager
def map_errors(name: str) -> Iterator[None]:
    """Turn what a person can mend about the database called ``name`` into a StoreError."""
    try:
        yield
    except DatabaseError as error:
        if not _can_be_mended(error):
            raise
        raise StoreError(f"{name} {_advice(str(error.orig))}") from error


def _can_be_mended(error: DatabaseError) -> bool:
    if isinstance(error, OperationalError) or type(error) is DatabaseError:
        return True
    return "permission denied" in str(error.orig) or "read-only transaction" in str(error.orig)


def _advice(message: str) -> str:
    known = (advice for words, advice in _ADVICE.items() if words in message)
    return next(known, f"cannot be used: {' '.join(message.split())}")
