"""A store older than what was sent: nothing is published twice or lost, and no number is used twice."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from pipeline.jobs.digests.build import write_sealed
from pipeline.jobs.editions.recovery import RecoveryResult
from pipeline.jobs.maintenance.atomic_file import atomic_file
from pipeline.jobs.maintenance.backup import back_up, restore
from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.model.edition import Overrides
from pipeline.model.entry import Entry
from pipeline.model.errors import RefusedError
from pipeline.model.feed import FeedState
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.store.schema import metadata
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, W06, W07, W08, W09, PublicationHarness, shared_theme, temporary_folder

DAY = timedelta(days=1)


def posts(*weeks: Week) -> list[Entry]:
    """Return two posts of each week: the document of the feed once all of them are out."""
    return [
        entry(f"{title} {week}", CLOCK.bounds(week)[0] + nth * DAY)
        for week in weeks
        for nth, title in enumerate(("Kelp", "Samphire"), 1)
    ]


@dataclass
class Machine:
    """A publication, and what survives of it."""

    folder: Path
    harness: PublicationHarness
    lines: tuple[str, ...] = ()

    @classmethod
    def start(cls, folder: Path) -> Machine:
        """Publish W06, then fetch half of W07."""
        shutil.copytree(started_publication(), folder)
        return cls(folder, PublicationHarness(folder, shared_theme()).set_time(MONDAY + 1.5 * DAY))

    def publish(self, week: Week) -> None:
        """Publish a week as the command line does, with its files."""
        harness = self.harness.set_time_after_closing(week)
        harness.publish(week)
        write_sealed(harness.store, harness.context, week, self.folder / "editions", now=harness.now)

    def copy(self) -> None:
        """Make a backup and an export."""
        back_up(self.harness.store, self.folder / "b.db")
        self.lines = tuple(export_lines(self.harness.store))

    def lose(self, *what: str) -> None:
        """Close the store and lose parts of the publication."""
        self.harness.store.close()
        for name in what:
            path = self.folder / name
            if path.suffix == ".db":
                path.write_bytes(b"\x07" * 9_000)
            else:
                shutil.rmtree(path)

    def put_back(self, way: str, url: str = "") -> RecoveryResult:
        """Restore the backup, or import the export into a new store."""
        now, results = self.harness.now, list[RecoveryResult]()
        if way == "restore":
            restore(
                self.folder / "b.db",
                self.folder / "pipeline.db",
                now=now,
                overwrite=True,
                settle=lambda new, old: results.append(self.harness.recovery.after_restore(new, old, now=now)),
            )
        else:
            url = url or f"sqlite:///{self.folder / 'moved.db'}"
            with Store.open(url) as store:
                results.append(self.import_into(store))
        self.harness = PublicationHarness(self.folder, shared_theme(), url).set_time(now)
        return results[0]

    def import_into(self, store: Store) -> RecoveryResult:
        """Import the export as the command line does."""
        results, recovery, now = list[RecoveryResult](), self.harness.recovery, self.harness.now
        import_lines(
            store,
            self.lines,
            settle=lambda imported: results.append(recovery.after_restore(imported, None, now=now)),
        )
        return results[0]

    def published(self) -> Counter[str]:
        """Return how often each title was delivered or handed over, by the sealed editions and all messages."""
        editions = self.harness.store.editions
        sent = [week for week, record in editions.all().items() if record.state == "sent"]
        numbers = [editions.get(week).number for week in sent]
        assert len(numbers) == len(set(numbers)), "a number was used twice"
        manifests = [json.loads(editions.sealed(week).edition.manifest) for week in sent]  # type: ignore[union-attr]
        return Counter(each["title"] for manifest in manifests for each in manifest["stories"])


@cache
def started_publication() -> Path:
    """Return the folder of a publication that has published W06 and fetched half of W07, to be copied."""
    folder = Path(temporary_folder().name) / "started"
    folder.mkdir()
    harness = PublicationHarness(folder, shared_theme()).set_time(CLOCK.bounds(W06)[0])
    harness.fetch()
    harness.set_time(CLOCK.bounds(W06)[1] - DAY / 2).fetch(*posts(W06))
    Machine(folder, harness).publish(W06)
    harness.set_time(MONDAY + 1.5 * DAY).fetch(*posts(W06, W07)[:3])
    harness.store.close()
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])])
def import_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty store to import into; empty for a file in the publication's folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


EVERYTHING = {f"{title} {week}": 1 for week in (W06, W07, W08, W09) for title in ("Kelp", "Samphire")}


def finish(machine: Machine, *weeks: Week) -> None:
    """Fetch and publish the remaining weeks."""
    known = [W06, W07]
    for week in weeks:
        known.append(week)
        machine.harness.set_time(CLOCK.bounds(week)[1] - DAY / 2).fetch(*posts(*known))
        machine.publish(week)


@pytest.mark.parametrize("sealed_before", [False, True], ids=["draft", "approved"])
@pytest.mark.parametrize("lost", [(), ("pipeline.db",), ("pipeline.db", "outbox"), ("outbox", "editions")], ids=str)
def test_restore_carries_over_what_was_sent(tmp_path: Path, lost: tuple[str, ...], sealed_before: bool) -> None:
    """The store that it replaces, the receipts, or the written editions: any of them is enough."""
    machine = Machine.start(tmp_path / "a")
    machine.harness.set_time(CLOCK.bounds(W07)[1] - DAY / 2).fetch(*posts(W06, W07)[: 4 if sealed_before else 3])
    if sealed_before:
        machine.harness.set_time_after_closing(W07).digest(W07)
        machine.harness.approve(W07)
    machine.copy()
    machine.harness.fetch(*posts(W06, W07))
    if sealed_before:
        machine.harness.send(W07)
        write_sealed(machine.harness.store, machine.harness.context, W07, tmp_path / "a" / "editions", now=MONDAY)
    else:
        machine.publish(W07)
    machine.lose(*lost)
    assert machine.put_back("restore") == RecoveryResult(sent=("2026-W07",))
    finish(machine, W08, W09)
    assert machine.published() == EVERYTHING


@pytest.mark.parametrize("lost", [(), ("outbox",), ("editions",), ("outbox", "editions")], ids=str)
def test_import_learns_of_what_was_sent(tmp_path: Path, import_url: str, lost: tuple[str, ...]) -> None:
    """Into each kind of store; what no file tells is held, and a person says that it was sent."""
    machine = Machine.start(tmp_path / "a")
    machine.copy()
    machine.harness.fetch(*posts(W06, W07))
    machine.publish(W07)
    machine.lose(*lost)
    result = machine.put_back("import", import_url)
    unknown = "editions" in lost
    assert ("2026-W07" in result.unconfirmed, "2026-W07" in result.sent) == (unknown, not unknown)
    for week in result.unconfirmed:
        machine.harness.fetch(*posts(W06, W07))
        machine.harness.hand_over(Week.parse(week))
    finish(machine, W08, W09)
    assert machine.published() == EVERYTHING
    machine.harness.store.close()


class PowerCutError(Exception):
    """What ends a process before a statement."""


@contextmanager
def power_cut(statements: int) -> Iterator[None]:
    """Raise PowerCutError before the statement after so many."""
    left = iter(range(statements))

    def count(*_arguments: object) -> None:
        if next(left, None) is None:
            raise PowerCutError

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def test_an_import_ends_with_its_holds_or_not_at_all(tmp_path: Path, import_url: str) -> None:
    """Ended before any of its statements, it leaves an empty store; otherwise what may have been sent is held."""
    machine = Machine.start(tmp_path / "a")
    with Store.open(import_url or f"sqlite:///{tmp_path / 'new.db'}") as store:
        empty = list(export_lines(store))
        machine.copy()
        machine.harness.set_time_after_closing(W07)
        machine.lose("outbox", "editions")
        for statements in count():
            try:
                with power_cut(statements):
                    result = machine.import_into(store)
                break
            except PowerCutError:
                assert list(export_lines(store)) == empty, f"after {statements} statements"
        assert statements > len(metadata.tables)
        assert result.unconfirmed == ("2026-W07",)
        assert store.editions.get("2026-W07").is_unconfirmed


def test_what_nobody_can_know_is_held_until_somebody_says_it(tmp_path: Path) -> None:
    """Not a draft of another week is written: it would take the entries. Each answer publishes everything once."""
    for answer in ("hand_over", "resume"):
        machine = Machine.start(tmp_path / answer)
        machine.copy()
        machine.harness.set_time(CLOCK.bounds(W08)[1] - DAY / 2).fetch(*posts(W06, W07, W08))
        machine.lose("pipeline.db", "outbox", "editions")
        machine.harness.set_time_after_closing(W07)
        assert machine.put_back("restore").unconfirmed == ("2026-W07",)
        harness = machine.harness
        harness.set_time(CLOCK.bounds(W08)[1] - DAY / 2).fetch(*posts(W06, W07, W08))
        harness.set_time_after_closing(W08)
        for act in (harness.digest, harness.approve):
            with pytest.raises(RefusedError, match=r"2026-W07 may have been sent already .* --handed-over"):
                act(W08)
        with pytest.raises(RefusedError, match="may have been sent already"):
            harness.send(W07)
        getattr(harness, answer)(W07)
        if answer == "resume":
            machine.publish(W07)
        machine.publish(W08)
        assert machine.published() == {title: 1 for title in EVERYTHING if "W09" not in title}
        harness.store.close()


def test_a_store_that_was_copied_back_by_hand_learns_from_the_outbox(tmp_path: Path) -> None:
    """After pg_restore, for example, the next send records the edition first, and does not release its entries."""
    machine = Machine.start(tmp_path / "a")
    machine.copy()
    machine.harness.fetch(*posts(W06, W07))
    machine.publish(W07)
    machine.lose()
    shutil.copyfile(tmp_path / "a" / "b.db", tmp_path / "a" / "pipeline.db")
    machine.harness = PublicationHarness(tmp_path / "a", shared_theme()).set_time_after_closing(W08)
    machine.harness.fetch(*posts(W06, W07, W08))
    machine.harness.digest(W08)
    machine.harness.approve(W08)  # with what W07 published, under its number
    with pytest.raises(RefusedError, match="2026-W08 is a draft"):
        machine.harness.send(W08)
    assert machine.harness.store.editions.get("2026-W07").state == "sent"
    machine.publish(W08)
    assert machine.published() == {title: 1 for title in EVERYTHING if "W09" not in title}


@pytest.mark.parametrize("place", ["receipt", "new", "cur"])
def test_another_message_of_the_same_name_keeps_the_entries(tmp_path: Path, place: str) -> None:
    """It proves that an edition of the week left: the week is held, and its entries go nowhere else."""
    machine = Machine.start(tmp_path / "a")
    harness = machine.harness.set_time_after_closing(W07)
    harness.digest(W07)
    harness.approve(W07)
    sealed = harness.store.editions.sealed("2026-W07")
    assert sealed is not None
    other = sealed.edition.eml + b"Another edition.\r\n"
    with harness.outbox.lock():
        receipt = harness.outbox.deliver(other)
    maildir = receipt.parent / "Maildir"
    if place != "receipt":
        receipt.unlink()
    if place == "cur":
        name = receipt.name.removesuffix(".eml")
        (maildir / "new" / name).rename(maildir / "cur" / f"{name}:2,S")
    with pytest.raises(RefusedError, match="may have been sent already"):
        harness.send(W07)
    assert harness.store.editions.get("2026-W07").is_unconfirmed
    harness.hand_over(W07)
    finish(machine, W08, W09)
    assert machine.published() == dict.fromkeys(EVERYTHING, 1)


def test_every_kept_store_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Three restores in one second keep three stores, and a log that was left without its store."""
    machine = Machine.start(tmp_path / "a")
    machine.copy()
    machine.lose()
    target, kept = tmp_path / "a" / "pipeline.db", []
    for nth in range(3):
        with Store.open(f"sqlite:///{target}") as store:
            store.feeds.save(FeedState(feed_id=f"only in {nth}"))
        kept.append(restore(tmp_path / "a" / "b.db", target, now=machine.harness.now, overwrite=True))
    target.unlink()
    target.with_name("pipeline.db-wal").write_bytes(b"a log")
    assert restore(tmp_path / "a" / "b.db", target, now=machine.harness.now) is None
    for nth, path in enumerate(kept):
        with Store.open(f"sqlite:///{path}") as store:
            assert {name for name in store.feeds.states() if name.startswith("only")} == {f"only in {nth}"}
    assert [path.read_bytes() for path in target.parent.glob("*.old-wal")] == [b"a log"]


def test_backups_of_one_file_at_once_are_all_whole(tmp_path: Path) -> None:
    """One file is begun in the middle of another; with overwriting the last one stays, without it the first."""
    machine = Machine.start(tmp_path / "a")
    file = tmp_path / "b.db"
    with atomic_file(file, overwrite=True) as first:
        with atomic_file(file, overwrite=True) as second:
            assert first != second
            machine.harness.store.maintenance.back_up(second)
        machine.harness.store.maintenance.back_up(first)
    Store.open(f"sqlite:///{file}").close()
    file.unlink()
    slower = atomic_file(file, overwrite=False)
    slower.__enter__().write_text("too late")
    back_up(machine.harness.store, file)
    with pytest.raises(RefusedError, match="already exists"):
        slower.__exit__(None, None, None)
    Store.open(f"sqlite:///{file}").close()
    (leftover := tmp_path / ".b.db.killed.new").write_text("half a copy")
    back_up(machine.harness.store, file, overwrite=True)
    assert not leftover.exists()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".new"] == []
    machine.harness.store.close()


@pytest.mark.parametrize("lost", [(), ("pipeline.db",), ("pipeline.db", "outbox")], ids=str)
@pytest.mark.parametrize("sealed_before", [False, True], ids=["draft", "approved"])
def test_what_the_editor_left_out_stays_out(tmp_path: Path, lost: tuple[str, ...], sealed_before: bool) -> None:
    """It is not in the next digest, wherever it is recorded that the edition was sent."""
    machine = Machine.start(tmp_path / "a")
    left_out = entry("Samphire 2026-W07")
    machine.harness.overrides["2026-W07"] = Overrides(leave_out=(f"{left_out.feed_id} {left_out.guid}",))
    machine.harness.set_time(CLOCK.bounds(W07)[1] - DAY / 2).fetch(*posts(W06, W07))
    machine.harness.set_time_after_closing(W07).digest(W07)
    if sealed_before:
        machine.harness.approve(W07)
    machine.copy()
    if not sealed_before:
        machine.harness.approve(W07)
    machine.harness.send(W07)
    write_sealed(machine.harness.store, machine.harness.context, W07, tmp_path / "a" / "editions", now=MONDAY)
    machine.lose(*lost)
    assert machine.put_back("restore") == RecoveryResult(sent=("2026-W07",))
    finish(machine, W08)
    assert machine.published() == {title: 1 for title in EVERYTHING if "W09" not in title and title != left_out.title}
