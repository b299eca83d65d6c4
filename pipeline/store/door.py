"""The door: the database's exceptions come in, the house's errors go out.

Only what a person can mend is turned into a sentence. A broken constraint or wrong SQL is a bug and passes through.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, OperationalError

from pipeline.model.errors import StoreError

_ADVICE = {
    "not a database": "is not a database; move that file away or name another in [store] url",
    "malformed": "is damaged; put back a copy of it, or move it away and fetch again",
    "unable to open": "cannot be opened; make the folder it lies in, or name another in [store] url",
    "readonly": "is read-only; allow this user to write the file and its folder",
    "locked": "is in use by another process; try again when that has finished",
    "full": "has no room left; free some disk space and run again",
}


@contextmanager
def house_errors(name: str) -> Iterator[None]:
    """Turn what a person can mend about the database called ``name`` into a StoreError."""
    try:
        yield
    except DatabaseError as error:
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise
        raise StoreError(f"{name} {_advice(str(error.orig))}") from error


def _advice(message: str) -> str:
    known = (advice for words, advice in _ADVICE.items() if words in message)
    return next(known, f"cannot be used: {message.strip()}")
