"""Moving and restoring a store keeps people's data right: people who left, were suppressed or erased stay so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.audience.csv_rows import CsvRow
from pipeline.audience.import_formats import ImportFormat
from pipeline.audience.import_rules import ImportStatement
from pipeline.jobs.audience.carry_over import CarriedOver, carry_over
from pipeline.jobs.audience.import_subscribers import SubscriberImport
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.jobs.maintenance.backup import back_up, restore
from pipeline.jobs.maintenance.export import export_lines, import_lines
from pipeline.jobs.maintenance.prune import prune
from pipeline.model.subscriber import Preferences
from pipeline.store import Store
from tests.people import NOW, audience, sign_up

LATER = NOW + timedelta(days=3)
NAMES = ("stays", "leaves", "bounces", "erased", "moves")


def jobs(store: Store, **changes: object) -> Subscriptions:
    context = audience(store, **changes)
    for purpose, key in context.keys.items():
        store.subscribers.signing_key(purpose, key)
    return Subscriptions(context)


def add(people: Subscriptions, name: str, now=NOW) -> None:
    people.add(
        f"{name}@quay.example", Preferences(), basis="consent", collected_on=date(2026, 1, 1), now=now, actor="ann"
    )


def states(store: Store) -> dict[str, str]:
    return {one.address.partition("@")[0]: one.state for one in store.subscribers.iterate(NOW)}


@pytest.fixture
def backup(job_store_url: str) -> Iterator[Store]:
    """A store with people."""
    with Store.open(job_store_url) as store:
        for name in NAMES:
            add(jobs(store), name)
        yield store


@pytest.fixture
def current(backup: Store, tmp_path: Path) -> Iterator[Store]:
    """A later state of it."""
    with Store.open(f"sqlite:///{tmp_path / 'current.db'}") as store:
        import_lines(store, export_lines(backup))
        people = jobs(store)
        people.leave(people.find("leaves@quay.example"), LATER)
        people.suppress("bounces@quay.example", "bounced", actor="ann", now=LATER)
        people.suppress("stranger@quay.example", "operator", actor="ann", now=LATER)
        people.erase("erased@quay.example", actor="ann", now=LATER)
        moved = people.find("moves@quay.example")
        people.request_address(moved, "moved@quay.example", LATER)
        people.leave(people.confirm_address(people.find("moves@quay.example"), LATER), LATER)
        add(people, "new", LATER)
        add(people, "shortly", LATER)
        people.leave(people.find("shortly@quay.example"), LATER)
        yield store


def test_people_who_left_since_a_backup_stay_away(backup: Store, current: Store):
    """Left, suppressed, erased: also under a former address, and people who came and left since."""
    assert carry_over(backup, current) == CarriedOver(left=3, suppressed=2, erased=1)
    expected = {"stays": "active", "leaves": "left", "bounces": "suppressed", "moves": "left", "shortly": "left"}
    assert states(backup) == expected
    people = jobs(backup)
    reasons = [
        people.context.suppression(f"{name}@quay.example") for name in ("bounces", "stranger", "erased", "stays")
    ]
    assert reasons == ["bounced", "operator", "erased", None]
    history = backup.subscription_events.of_subscriber(people.find("leaves@quay.example").id)
    assert [(event.kind, event.at) for event in history] == [("added", NOW), ("left", LATER)]
    assert [action for _, _, action, _ in backup.subscription_events.logged()].count("erase") == 1
    row_format = ImportFormat(name="CSV", positions={"email": 0}, width=1)
    importer = SubscriberImport(
        context=people.context,
        statement=ImportStatement(basis="consent", collected_on=NOW.date()),
        actor="ann",
        now=LATER,
    )
    names = ("leaves", "bounces", "erased", "stranger", "moves", "shortly")
    rows = [CsvRow(line=2, cells=[f"{name}@quay.example"]) for name in names]
    assert {line.result for line in importer.run(rows, row_format, "old.csv")} == {"suppressed"}


def test_carrying_over_twice_is_the_same_as_once(backup: Store, current: Store):
    """Nothing is left to do the second time."""
    carry_over(backup, current)
    before = list(backup.maintenance.export_rows())
    carry_over(backup, current)
    tables = ("subscriber", "suppression")
    assert [row for row in backup.maintenance.export_rows() if row[0] in tables] == [
        row for row in before if row[0] in tables
    ]


def test_an_older_store_takes_nobody_back(backup: Store, current: Store):
    """Restoring a newer backup over an older store: people who came back meanwhile stay."""
    people = jobs(current)
    people.come_back(people.find("leaves@quay.example"), LATER + timedelta(days=1))
    older = jobs(backup)
    older.leave(older.find("leaves@quay.example"), NOW + timedelta(days=1))
    older.suppress("leaves@quay.example", "operator", actor="ann", now=NOW + timedelta(days=1))
    assert carry_over(current, backup) == CarriedOver()
    assert states(current)["leaves"] == "active"
    assert people.context.suppression("leaves@quay.example") is None


def test_another_publication_changes_nobody(backup: Store, tmp_path: Path):
    """Its key is another one, and so are its hashes."""
    with Store.open(f"sqlite:///{tmp_path / 'other.db'}") as other:
        context = audience(other)
        people = jobs(other, keys={purpose: f"other {key}" for purpose, key in context.keys.items()})
        people.suppress("stays@quay.example", "operator", actor="ann", now=LATER)
        assert carry_over(backup, other) == CarriedOver()
    assert carry_over(backup, None) == CarriedOver()


def test_a_backup_from_before_the_first_subscriber(backup: Store, tmp_path: Path):
    """It gets the keys, so that links in mails keep working, and the suppressions."""
    people = jobs(backup)
    people.suppress("bounces@quay.example", "bounced", actor="ann", now=LATER)
    with Store.open(f"sqlite:///{tmp_path / 'empty.db'}") as empty:
        assert carry_over(empty, backup) == CarriedOver(suppressed=1)
        assert empty.subscribers.signing_keys() == backup.subscribers.signing_keys()
        assert audience(empty).suppression("bounces@quay.example") == "bounced"
        assert states(empty) == {"bounces": "suppressed"}


def test_an_export_moves_people_with_their_keys(backup: Store, tmp_path: Path):
    """Subscriptions, histories with their wordings, suppressions and keys: links in sent mails keep working."""
    people = jobs(backup)
    person = sign_up(people.context, "ida@harbour.example")
    people.suppress("bounces@quay.example", "bounced", actor="ann", now=NOW)
    token = people.context.token("confirm", person, NOW)
    with Store.open(f"sqlite:///{tmp_path / 'moved.db'}") as moved:
        import_lines(moved, export_lines(backup))
        keys = moved.subscribers.signing_keys()
        assert keys == backup.subscribers.signing_keys()
        context = audience(moved, keys=keys)
        assert context.subscriber_of("confirm", token, NOW) == person
        assert context.suppression("bounces@quay.example") == "bounced"
        assert moved.subscription_events.of_subscriber(person.id) == backup.subscription_events.of_subscriber(person.id)
        assert list(moved.maintenance.export_rows()) == list(backup.maintenance.export_rows())


def test_backup_restore_and_prune_keep_people(tmp_path: Path):
    """All of them, with their histories."""
    with Store.open(f"sqlite:///{tmp_path / 'pipeline.db'}") as store:
        sign_up(jobs(store).context, "ida@harbour.example")
        before = list(store.maintenance.export_rows())
        prune(store, timedelta(days=1), now=LATER)
        assert list(store.maintenance.export_rows()) == before
        back_up(store, tmp_path / "copy.db")
    restore(tmp_path / "copy.db", tmp_path / "pipeline.db", now=LATER, overwrite=True)
    with Store.open(f"sqlite:///{tmp_path / 'pipeline.db'}") as store:
        assert list(store.maintenance.export_rows()) == before
