"""The handle of an open store: its repositories, its revision and its connections."""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select

from pipeline.store.alerts import AlertRepository
from pipeline.store.archive import ArchiveRepository
from pipeline.store.caches import ExcerptRepository, LinkCheckRepository, MediaRepository
from pipeline.store.clicks import ClickRepository
from pipeline.store.corrections import CorrectionRepository
from pipeline.store.database import Database, map_errors
from pipeline.store.deliveries import DeliveryRepository
from pipeline.store.delivery_events import DeliveryEventRepository
from pipeline.store.dialects import make_engine
from pipeline.store.dispatches import DispatchRepository
from pipeline.store.editions import EditionRepository
from pipeline.store.editor_sessions import EditorSessionRepository
from pipeline.store.entries import EntryRepository
from pipeline.store.entry_revisions import EntryRevisionRepository
from pipeline.store.feeds import FeedRepository
from pipeline.store.maintenance import Maintenance
from pipeline.store.metrics import StoreMetrics
from pipeline.store.migrate import migrate
from pipeline.store.person_mails import PersonMailRepository
from pipeline.store.proofs import ProofRepository
from pipeline.store.runs import RunRepository
from pipeline.store.schema import commit_counter
from pipeline.store.signup_limits import SignupLimitRepository
from pipeline.store.subscribers import SubscriberRepository
from pipeline.store.subscription_events import SubscriptionEventRepository
from pipeline.store.suppressions import SuppressionRepository
from pipeline.store.weeks import WeekRepository
from pipeline.store.word_index import WordIndex


class Store:
    """A database that is open and migrated. Every method of a repository is one transaction and may raise StoreError;
    ``transaction`` joins several.

    What a method wrote survives a crash once the method has returned.
    """

    def __init__(self, engine: Engine) -> None:
        database = self._database = Database(engine)
        self.feeds = FeedRepository(database)
        self.entries = EntryRepository(database)
        self.entry_revisions = EntryRevisionRepository(database)
        self.archive = ArchiveRepository(database)
        self.media = MediaRepository(database)
        self.word_index = WordIndex(database)
        self.weeks = WeekRepository(database)
        self.editions = EditionRepository(database)
        self.corrections = CorrectionRepository(database)
        self.excerpts = ExcerptRepository(database)
        self.link_checks = LinkCheckRepository(database)
        self.proofs = ProofRepository(database)
        self.runs = RunRepository(database)
        self.alerts = AlertRepository(database)
        self.subscribers = SubscriberRepository(database)
        self.subscription_events = SubscriptionEventRepository(database)
        self.suppressions = SuppressionRepository(database)
        self.person_mails = PersonMailRepository(database)
        self.dispatches = DispatchRepository(database)
        self.deliveries = DeliveryRepository(database)
        self.delivery_events = DeliveryEventRepository(database)
        self.clicks = ClickRepository(database)
        self.editor_sessions = EditorSessionRepository(database)
        self.signup_limits = SignupLimitRepository(database)
        self.metrics = StoreMetrics(database)
        self.maintenance = Maintenance(database)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open ``sqlite:///pipeline.db`` or ``postgresql+psycopg://…``; create or migrate it where needed.

        Raise StoreTooNewError if a newer version wrote it, StoreError if it belongs to another program or cannot be
        opened; the database is then left untouched.
        """
        store = cls(make_engine(url))
        try:
            with map_errors(store._database.name):
                migrate(store._database.engine)
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Close all connections."""
        self._database.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Return a context in which all that this thread does with the store is one transaction."""
        return self._database.transaction()

    def snapshot(self) -> AbstractContextManager[None]:
        """Return a context in which all that this thread reads is one state of the database; it cannot write there."""
        return self._database.snapshot()

    def audience_transaction(self, *, savepoint: bool = True) -> AbstractContextManager[None]:
        """Return such a context for people's data alone, which leaves ``revision`` as it is.

        Lock the subscribers that change: on PostgreSQL other transactions run meanwhile. Within another such context it
        can be rolled back by itself, unless it has no ``savepoint``.
        """
        return self._database.transaction(counted=False, savepoint=savepoint)

    def revision(self) -> str:
        """Return a value that changes with every transaction that writes, in whatever process."""
        with self._database.read() as connection:
            return str(connection.scalar(select(commit_counter.c.commits)))
