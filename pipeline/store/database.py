"""Transactions on the database, and its errors as ``StoreError``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sqlalchemy import Connection, Engine, update
from sqlalchemy.exc import DatabaseError, OperationalError

from pipeline.model.errors import StoreError
from pipeline.store.dialects import for_snapshots, for_writing
from pipeline.store.schema import commit_counter

_COUNT_COMMIT = update(commit_counter).values(commits=commit_counter.c.commits + 1)
_ADVICE = {
    "not a database": "is not a database; move that file away or name another in [store] url",
    "malformed": "is damaged; restore a backup, or move it away and fetch again",
    "unable to open": "cannot be opened; create the folder it lies in, or name another in [store] url",
    "readonly": "is read-only; allow this user to write the file and its folder",
    "locked": "is in use by another process; try again when that has finished",
    "disk I/O": "cannot be read or written; check whether its disk is full or failing, then run again",
    "full": "has no room left; free some disk space and run again",
    # PostgreSQL and its client library in English; a message in another language is passed on as it is.
    "No space left": "has no room left; free some disk space on its server and run again",
    "lock timeout": "is in use by another process; try again when that has finished",
    "permission denied": "does not allow this user to create tables; make the user the owner of the database",
    "read-only transaction": "is read-only; name the primary server in [store] url, not its replica",
    "no password supplied": "asks for a password; set $PGPASSWORD or the file that $PGPASSFILE names",
    "authentication failed": "does not know this user or this password; check $PGPASSWORD and $PGPASSFILE",
    'FATAL:  role "': "does not know this user; create it with createuser, or name another in [store] url",
    'FATAL:  database "': "does not exist on its server; create it with createdb, or name another in [store] url",
    "resolve host": "is on a host whose name cannot be resolved; check the name in [store] url",
    "Connection refused": "cannot be reached; start its server, or check host and port in [store] url",
    "No such file": "cannot be reached; start its server, or check the host in [store] url",
    "timeout expired": "does not answer; check whether its server is up and reachable",
    "too many clients": "has no connection left; raise max_connections on its server",
}


class Database:
    """An engine, and the three kinds of transaction the repositories use. All may raise StoreError.

    Within ``transaction`` or ``snapshot`` they are parts of it, in the thread that opened it.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.name = engine.url.render_as_string(hide_password=True)
        self._autocommit = engine.execution_options(begin="")
        self._snapshots = for_snapshots(engine)
        self._writer = for_writing(engine)
        self._surrounding = threading.local()
        # SQLite has one writer at a time and lets others sleep and try again: ours take turns instead.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction, for a query or a few."""
        with self._shared() or self._connect(self.engine) as connection:
            yield connection

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Open a connection without a transaction, for a single query."""
        with self._shared() or self._connect(self._autocommit) as connection:
            yield connection

    @contextmanager
    def write(self, *, counted: bool = True) -> Iterator[Connection]:
        """Open a transaction that is committed at the end and rolled back on an exception; one at a time.

        One that is not ``counted`` changes nothing that editions are made of, and on PostgreSQL waits for no other: it
        has to lock the rows that it changes.
        """
        if shared := self._shared():
            if self._surrounding.is_snapshot:
                raise RuntimeError("Nothing can be written within a snapshot.")
            with shared as connection:
                yield connection
            return
        with map_errors(self.name), self._turn, self._writer.begin() as connection:
            if counted:
                # First of all: on PostgreSQL this row lock makes other writers wait, as SQLite does by itself.
                connection.execute(_COUNT_COMMIT)
            yield connection

    @contextmanager
    def transaction(self, *, counted: bool = True, savepoint: bool = True) -> Iterator[None]:
        """Make all transactions within, of this thread, parts of one: committed at the end or rolled back together.

        One within another can be rolled back by itself, unless it has no ``savepoint``.
        """
        outer = getattr(self._surrounding, "connection", None)
        with (
            self.write(counted=counted) as connection,
            connection.begin_nested() if outer and savepoint else nullcontext(),
        ):
            self._surrounding.connection, self._surrounding.is_snapshot = connection, False
            try:
                yield
            finally:
                self._surrounding.connection = outer

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Make all reads within, of this thread, see one state of the database; nothing can be written meanwhile.

        Within a transaction they are parts of it.
        """
        if self._shared():
            yield
            return
        with self._connect(self._snapshots) as connection:
            self._surrounding.connection, self._surrounding.is_snapshot = connection, True
            try:
                yield
            finally:
                self._surrounding.connection = None

    def _shared(self) -> AbstractContextManager[Connection] | None:
        """Return the connection of the surrounding transaction, which stays open; None outside of one."""
        connection = getattr(self._surrounding, "connection", None)
        return nullcontext(connection) if connection else None

    @contextmanager
    def _connect(self, engine: Engine) -> Iterator[Connection]:
        with map_errors(self.name), engine.connect() as connection:
            yield connection


@contextmanager
def map_errors(name: str) -> Iterator[None]:
    """Raise errors of the database called ``name`` as StoreError where a person can fix them.

    A violated constraint or wrong SQL is a bug and passes through.
    """
    try:
        yield
    except DatabaseError as error:
        message = str(error.orig)
        is_fixable = isinstance(error, OperationalError) or type(error) is DatabaseError
        if not is_fixable and "permission denied" not in message and "read-only transaction" not in message:
            raise
        advice = next(
            (advice for words, advice in _ADVICE.items() if words in message),
            f"cannot be used: {' '.join(message.split())}",
        )
        raise StoreError(f"{name} {advice}") from error
