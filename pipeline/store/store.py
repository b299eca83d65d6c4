"""The handle of an open store: its repositories, its revision and its connections."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select

from pipeline.model.archive import ArchivePosition
from pipeline.model.entry import Entry, EntryIdentity, Picture, StoredEntry
from pipeline.model.feed import FeedState, FeedStats
from pipeline.model.update import EntryChange, FeedChanges, FeedUpdate, UpdateCounts
from pipeline.store import archive, entries, feeds
from pipeline.store import entry_updates as changes
from pipeline.store import media as pictures
from pipeline.store import weeks as planning
from pipeline.store.alerts import AlertRepository
from pipeline.store.archive import ArchiveRepository
from pipeline.store.database import Database, map_errors
from pipeline.store.dialects import make_engine
from pipeline.store.editions import EditionRepository
from pipeline.store.entries import EntryRepository
from pipeline.store.entry_revisions import EntryRevisionRepository
from pipeline.store.excerpts import ExcerptRepository
from pipeline.store.feeds import FeedRepository
from pipeline.store.link_checks import LinkCheckRepository
from pipeline.store.maintenance import Maintenance
from pipeline.store.media import MediaRepository
from pipeline.store.metrics import StoreMetrics
from pipeline.store.migrate import migrate
from pipeline.store.proofs import ProofRepository
from pipeline.store.runs import RunRepository
from pipeline.store.schema import commit_counter
from pipeline.store.weeks import WeekRepository
from pipeline.store.word_index import WordIndex


class Store:
    """A database that is open and migrated. Every method of a repository is one transaction and may raise StoreError.

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
        self.excerpts = ExcerptRepository(database)
        self.link_checks = LinkCheckRepository(database)
        self.proofs = ProofRepository(database)
        self.runs = RunRepository(database)
        self.alerts = AlertRepository(database)
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

    def revision(self) -> str:
        """Return a value that changes with every transaction that writes, in whatever process."""
        with self._database.read() as connection:
            return str(connection.scalar(select(commit_counter.c.commits)))

    def integrity_errors(self) -> list[str]:
        """Name what is wrong with the database, a line each; costs reading all of it."""
        return self.maintenance.integrity_errors()

    # Feeds and their entries, written

    def feed_states(self) -> dict[str, FeedState]:
        """Give what is remembered of each feed, by feed id."""
        with self._asking() as connection:
            return feeds.states(connection)

    def save_state(self, state: FeedState) -> None:
        """Remember a feed's state: of one that was asked and had nothing to apply."""
        self.save_states([state])

    def save_states(self, states: Iterable[FeedState]) -> None:
        """Remember many feeds' states in one transaction."""
        with self._writing() as connection:
            feeds.save(connection, list(states))

    def item_hashes(self, feed_id: str) -> dict[int, str]:
        """Give the entries that were in a feed's last document, and the mark that each was read under."""
        with self._asking() as connection:
            return entries.marks(connection, feed_id)

    def match_candidates(self, feed_id: str, found: Collection[Entry]) -> list[EntryIdentity]:
        """Give of a feed's entries those that were in its last document, those with a name of one found, the newest."""
        with self._asking() as connection:
            return entries.known_among(connection, feed_id, found)

    def identities(self, feed_id: str) -> list[EntryIdentity]:
        """Give what deduplication needs of all entries of a feed, however many that are."""
        with self._reading() as connection:
            return entries.known(connection, feed_id)

    def apply(
        self,
        state: FeedState,
        decided: Sequence[EntryChange],
        vanished: Sequence[int],
        *,
        now: datetime,
        backlog: bool,
        reappeared: Sequence[int] = (),
        quarantined: bool = False,
        withdrawn: Sequence[int] = (),
    ) -> UpdateCounts:
        """Write a freshly read feed, as ``apply_updates`` does."""
        update = FeedUpdate(
            state=state,
            changes=FeedChanges(
                entries=decided,
                vanished=vanished,
                reappeared=reappeared,
                withdrawn=withdrawn,
                quarantine_reason="turned new at once" if quarantined else "",
            ),
            archived=backlog,
        )
        return self.apply_updates([update], now=now)[0]

    def apply_updates(self, updates: Sequence[FeedUpdate], *, now: datetime) -> list[UpdateCounts]:
        """Write freshly read feeds in one transaction: their states, what changed, what left or came back.

        An entry dated by ``first_seen`` keeps the date it was stored with. Gives one answer for each update.
        """
        with self._writing() as connection:
            return changes.apply(connection, updates, now)

    def quarantined_entries(self, feed_id: str) -> list[StoredEntry]:
        """Give a feed's entries that wait to be accepted, the oldest first."""
        with self._reading() as connection:
            return entries.in_quarantine(connection, feed_id)

    def release_quarantine(self, *, new: Sequence[int], archived: Sequence[int], now: datetime) -> None:
        """Let entries out of quarantine, some as news and some as backlog; for every digest they come in now."""
        with self._writing() as connection:
            changes.accept(connection, new, now, backlog=False)
            changes.accept(connection, archived, now, backlog=True)

    def delete_entries(self, entry_ids: Sequence[int], *, now: datetime) -> None:
        """Delete entries for good: they are in no answer any more, and nothing a feed says brings them back."""
        with self._writing() as connection:
            changes.delete(connection, entry_ids, now)

    def feed_counts(self) -> dict[str, FeedStats]:
        """Count what is kept of each feed."""
        with self._reading() as connection:
            return feeds.counts(connection)

    # Entries, asked for

    def entries_between(self, start: datetime, end: datetime, feed_ids: Collection[str]) -> list[StoredEntry]:
        """Give the entries published in ``[start, end)``, the oldest first."""
        with self._reading() as connection:
            return entries.between(connection, start, end, feed_ids)

    def late_unassigned(self, feed_ids: Collection[str], before: datetime) -> list[StoredEntry]:
        """Give the entries published before an instant that no closed week took, the backlog aside."""
        with self._reading() as connection:
            return entries.unplaced_late(connection, feed_ids, before)

    def entries_of_week(self, week: str) -> list[StoredEntry]:
        """Give the entries a settled week took, the oldest first."""
        with self._reading() as connection:
            return entries.of_week(connection, week)

    def entries_by_id(self, entry_ids: Collection[int]) -> list[StoredEntry]:
        """Give these entries, the oldest first; an unknown id is left out."""
        with self._reading() as connection:
            return entries.by_id(connection, entry_ids)

    def newest_entry_id(self) -> int:
        """Give the number of the entry that came in last; 0 when none ever did."""
        with self._reading() as connection:
            return entries.newest_id(connection)

    def newest_entry_at(self, feed_ids: Collection[str], before: datetime | None = None) -> datetime | None:
        """Tell when the newest entry (before an instant) was published; None when there is none."""
        with self._reading() as connection:
            return entries.newest_at(connection, feed_ids, before)

    def newest_entry_at_by_feed(self, feed_ids: Collection[str], before: datetime) -> dict[str, datetime | None]:
        """Tell when each feed's newest entry before an instant was published; None where there is none."""
        with self._reading() as connection:
            return entries.newest_of_each(connection, feed_ids, before)

    def published_urls(self, weeks: Collection[str]) -> dict[str, str]:
        """Give the pages that settled weeks took, by ``text.urls.url_key``, and which week did."""
        with self._reading() as connection:
            return entries.pages_told(connection, weeks)

    def published_dates(self, feed_ids: Collection[str], since: datetime) -> list[datetime]:
        """Tell when entries were published, from an instant on, in order."""
        with self._reading() as connection:
            return entries.published_dates(connection, feed_ids, since)

    # The archive behind the feeds

    def archive_positions(self) -> dict[str, ArchivePosition]:
        """Tell how far each feed's archive was read, by feed id."""
        with self._reading() as connection:
            return archive.positions(connection)

    def save_archive_page(self, position: ArchivePosition, decided: Sequence[EntryChange], *, now: datetime) -> int:
        """Write one page of a feed's archive: its new entries, as backlog, and how far that is; count the new ones."""
        with self._writing() as connection:
            new = [change for change in decided if change.kind == "new"]
            inserted = changes.insert_new(connection, new, now)
            archive.save_position(connection, position)
            return inserted

    def search_words(
        self, words: Collection[str], *, first_seen_by: datetime | None, max_matches: int
    ) -> tuple[dict[str, tuple[int, ...]], int]:
        """Find the entries that have each word, and how many there are at all (nearly: gaps are counted).

        Entries first seen after ``seen_by`` do not exist here; a word that more than ``most`` have is left out.
        """
        with self._reading() as connection:
            last = archive.newest_seen_by(connection, first_seen_by)
            return self._words.having(connection, words, last=last, most=max_matches), last

    def episode_details(self, urls: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Give what chapters and transcripts at these addresses said, as far as they were read."""
        with self._reading() as connection:
            return archive.talks(connection, urls)

    def save_episode_details(self, url: str, lines: Sequence[str], *, now: datetime) -> None:
        """Keep what a chapters file or a transcript says."""
        with self._writing() as connection:
            archive.save_talk(connection, url, lines, now)

    def image_sizes(self, urls: Collection[str]) -> dict[str, Picture]:
        """Give what is known of the pictures at these addresses, by address."""
        with self._reading() as connection:
            return pictures.sizes(connection, urls)

    def save_image_size(self, seen: Picture, *, now: datetime) -> None:
        """Keep how large a picture is."""
        with self._writing() as connection:
            pictures.save_size(connection, seen, now)

    # Weeks and runs

    def close_week(
        self, week: str, entry_ids: Collection[int], *, now: datetime, carried_over: Collection[int] = ()
    ) -> bool:
        """Record once which entries a closed week took; False, and nothing written, when it was settled before.

        An entry that an earlier week took stays there. ``carried_over``: entries it had no room for; they go into the
        next digest, though they may be backlog.
        """
        with self._writing() as connection:
            return planning.settle(connection, week, entry_ids, now, carried_over)

    def closed_weeks(self) -> dict[str, datetime]:
        """Tell which weeks are settled, and since when."""
        with self._reading() as connection:
            return planning.settled(connection)
