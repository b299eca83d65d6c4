"""People in every store: subscribers, their history, suppressed addresses, the queue of mails, limits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.model.errors import RefusedError
from pipeline.model.subscriber import PersonMailQueue, Preferences, Subscriber, SubscriptionEvent, Visitor
from pipeline.store import Store
from pipeline.store.person_mails import CLAIM_TTL
from tests.people import NOW

HOUR = timedelta(hours=1)
NEW = Subscriber(id=0, address="Ada@quay.example", state="unconfirmed", form="tides", created_at=NOW, changed_at=NOW)


def add(store: Store, name: str = "ada", **changes: object) -> Subscriber:
    """Add a subscriber and return it."""
    address = f"{name}@quay.example"
    return store.subscribers.add_or_lock(replace(NEW, **{"address": address} | changes), address)


def test_a_subscriber_is_read_back_equal(store: Store) -> None:
    """With every field, by number and by address."""
    preferences = Preferences(name="Ada \x00Byron", topics=("posts", "links"), frequency="monthly")
    full = replace(
        NEW,
        state="active",
        preferences=replace(preferences, name="Ada Byron"),
        language="de",
        basis="consent",
        confirmed_at=NOW + HOUR,
        paused_until=NOW + 2 * HOUR,
        requested=replace(preferences, name="Ada Byron"),
        new_address="new@quay.example",
    )
    added = store.subscribers.add_or_lock(
        replace(full, preferences=preferences, requested=preferences), "ada@quay.example"
    )
    stored = store.subscribers.find("ada@quay.example")
    assert added == stored == replace(full, id=stored.id)
    assert store.subscribers.get(stored.id, lock=True) == stored
    assert store.subscribers.get(stored.id + 1) is None


def test_concurrent_sign_ups_of_an_address_are_one_subscriber(store: Store) -> None:
    """One of them adds the row, and the others get it."""
    with ThreadPoolExecutor(4) as pool:
        added = list(pool.map(lambda _: store.subscribers.add_or_lock(NEW, "ada@quay.example"), range(4)))
    assert added == [*store.subscribers.iterate(NOW)] * 4


def test_people_leave_the_revision_of_editions_as_it_is(store: Store) -> None:
    """A sign-up must not make the desk build the draft again."""
    before = store.revision()
    person = add(store)
    with store.audience_transaction():
        store.subscribers.save(replace(person, state="left"))
    assert store.revision() == before


def test_a_transaction_of_people_is_whole_or_nothing(store: Store) -> None:
    """An error takes back what was written before it."""
    with pytest.raises(InterruptedError):
        fail_after_adding(store)
    assert store.subscribers.find("ada@quay.example") is None


def fail_after_adding(store: Store) -> None:
    """Add a subscriber and fail, in one transaction."""
    with store.audience_transaction():
        add(store)
        raise InterruptedError


def test_a_changed_address_belongs_to_nobody_else(store: Store) -> None:
    """The old one is free again."""
    ada, _ = add(store), add(store, "bea")
    with pytest.raises(RefusedError, match="subscribed already"):
        store.subscribers.change_address(replace(ada, address="Bea@quay.example"), "bea@quay.example")
    store.subscribers.change_address(replace(ada, address="ada@pier.example"), "ada@pier.example")
    assert store.subscribers.find("ada@quay.example") is None
    assert store.subscribers.find("ada@pier.example") == replace(ada, address="ada@pier.example")


def test_a_deleted_subscriber_leaves_nothing(store: Store) -> None:
    """Neither history nor mails nor guides; others keep theirs."""
    people = [add(store, name) for name in ("ada", "bea")]
    for person in people:
        store.subscription_events.add(person.id, SubscriptionEvent(at=NOW, kind="requested", actor="subscriber"))
        store.person_mails.add("confirmation", person.id, form="tides", now=NOW, due_at=NOW)
        store.person_mails.give_guide(person.id, "tides", "v1", NOW)
    store.subscribers.delete(people[0].id)
    assert store.subscribers.get(people[0].id) is None
    assert store.subscription_events.of_subscriber(people[0].id) == []
    assert store.person_mails.guides_of(people[0].id) == []
    assert [mail.subscriber.id for mail in store.person_mails.claim_due(NOW)] == [people[1].id]
    assert len(store.subscription_events.of_subscriber(people[1].id)) == 1


def test_unconfirmed_subscribers_are_deleted_when_they_are_old(store: Store) -> None:
    """Not those of the limit itself, and nobody in another state."""
    add(store, "old")
    add(store, "fresh", changed_at=NOW + HOUR)
    add(store, "left", state="left")
    assert store.subscribers.delete_unconfirmed(requested_before=NOW) == 0
    assert store.subscribers.delete_unconfirmed(requested_before=NOW + HOUR) == 1
    assert {person.address for person in store.subscribers.iterate(NOW)} == {"fresh@quay.example", "left@quay.example"}


def test_subscribers_are_counted_and_listed_by_state(store: Store) -> None:
    """An active one whose pause has not ended counts as paused."""
    for name, state in (
        ("ada", "active"),
        ("bea", "active"),
        ("cai", "left"),
        ("dot", "suppressed"),
        ("eve", "unconfirmed"),
    ):
        add(store, name, state=state, paused_until=NOW + HOUR if name == "bea" else None)
    add(store, "fay", state="active", paused_until=NOW)
    assert store.subscribers.counts(NOW) == {"unconfirmed": 1, "active": 2, "paused": 1, "left": 1, "suppressed": 1}
    assert [person.address[:3] for person in store.subscribers.page(NOW, states=["active", "paused"])] == [
        "fay",
        "bea",
        "ada",
    ]
    assert [person.address[:3] for person in store.subscribers.iterate(NOW, states=["paused"])] == ["bea"]
    assert store.subscribers.counts(NOW + HOUR)["paused"] == 0


def test_a_page_goes_on_where_the_last_one_ended(store: Store) -> None:
    """The newest first."""
    people = [add(store, f"p{number}") for number in range(5)]
    first = store.subscribers.page(NOW, limit=3)
    rest = store.subscribers.page(NOW, limit=3, before_id=first[-1].id)
    assert [person.id for person in (*first, *rest)] == [person.id for person in reversed(people)]


@pytest.mark.parametrize(
    ("search", "names"), [("BYRON", ["ada"]), ("bea@", ["bea"]), ("50%", []), ("_", []), ("quay", ["bea", "ada"])]
)
def test_a_search_finds_parts_of_address_and_name(store: Store, search: str, names: list[str]) -> None:
    """Whatever the case; wildcards of SQL are ordinary characters."""
    add(store, "ada", preferences=Preferences(name="Ada Byron"))
    add(store, "bea")
    assert [person.address[:3] for person in store.subscribers.page(NOW, search=search)] == names


def test_all_subscribers_are_read_in_batches(store: Store) -> None:
    """As many as there are, in the order they were added."""
    people = [(replace(NEW, address=f"p{number}@quay.example"), f"p{number}@quay.example") for number in range(2_001)]
    store.subscribers.add_all(people)
    assert [person.address for person in store.subscribers.iterate(NOW)] == [key for _, key in people]
    assert store.subscribers.find_all(["p7@quay.example", "nobody@quay.example"]).keys() == {"p7@quay.example"}


def test_preferences_of_active_subscribers_are_counted(store: Store) -> None:
    """Those who are paused or have left do not count."""
    monthly = Preferences(topics=("episodes",), frequency="monthly")
    add(store, "ada", state="active")
    add(store, "bea", state="active", preferences=monthly)
    add(store, "cai", state="active", preferences=monthly, paused_until=NOW + HOUR)
    add(store, "dot", state="left")
    assert store.subscribers.wanted(NOW) == {
        (("posts", "episodes", "links"), "every"): 1,
        (("episodes",), "monthly"): 1,
    }


def test_a_signing_key_is_made_once(store: Store) -> None:
    """Each purpose has its own."""
    assert store.subscribers.signing_key("confirm", "first") == "first"
    assert store.subscribers.signing_key("confirm", "second") == "first"
    assert store.subscribers.signing_key("unsubscribe", "second") == "second"


def test_a_history_is_read_in_its_order_with_the_wording_of_its_time(store: Store) -> None:
    """A new text is the next version, the same one is not."""
    person = add(store)
    events = store.subscription_events
    first = events.current_wording("tides", "en", "Yes, please.", NOW)
    assert events.current_wording("tides", "en", "Yes, please.", NOW + HOUR) == first
    visitor = Visitor(ip_address="203.0.113.7", user_agent="Browser\x00", page="https://harbour.example/")
    requested = SubscriptionEvent(
        at=NOW,
        kind="requested",
        actor="subscriber",
        form="tides",
        wording=first,
        visitor=visitor,
        details={"topics": "posts"},
    )
    events.add(person.id, requested)
    second = events.current_wording("tides", "en", "Yes, and the guide.", NOW + HOUR)
    events.add(person.id, replace(requested, kind="confirmed", wording=None, at=NOW - HOUR))
    assert (first.version, second.version, second.first_used_at) == (1, 2, NOW + HOUR)
    assert events.current_wording("tides", "de", "Ja.", NOW).version == 1
    assert events.current_wording("tides", "en", "Yes, please.", NOW).version == 3
    clean = replace(requested, visitor=replace(visitor, user_agent="Browser"))
    assert events.of_subscriber(person.id) == [clean, replace(clean, kind="confirmed", wording=None, at=NOW - HOUR)]


def test_concurrent_processes_number_wordings_without_gaps(store: Store) -> None:
    """The same new text is one version in all of them."""
    wording = store.subscription_events.current_wording
    with ThreadPoolExecutor(4) as pool:
        for version in (1, 2):
            used = pool.map(
                lambda _, text: wording("tides", "en", text, NOW).version, range(4), [f"Text {version}"] * 4
            )
            assert list(used) == [version] * 4


def test_events_are_counted_by_day_and_by_form(store: Store) -> None:
    """In UTC, from an instant on."""
    person = add(store)
    for kind, at in (
        ("confirmed", NOW),
        ("confirmed", NOW + HOUR),
        ("left", NOW + 24 * HOUR),
        ("confirmed", NOW - 48 * HOUR),
    ):
        store.subscription_events.add(person.id, SubscriptionEvent(at=at, kind=kind, actor="subscriber", form="tides"))
    counts = store.subscription_events.count_by_day(["confirmed", "left"], since=NOW)
    assert counts == [("2026-02-16", "confirmed", 2), ("2026-02-17", "left", 1)]
    assert store.subscription_events.count_by_form("confirmed") == {"tides": 3}


def test_the_log_is_read_back_in_its_order(store: Store) -> None:
    """Who did what to people's data, and when."""
    store.subscription_events.log("export", actor="eve", at=NOW, file="all.csv")
    store.subscription_events.log("erase", actor="eve", at=NOW - HOUR)
    assert store.subscription_events.logged() == [
        (NOW, "eve", "export", {"file": "all.csv"}),
        (NOW - HOUR, "eve", "erase", {}),
    ]


def test_a_suppressed_address_is_found_until_it_is_lifted(store: Store) -> None:
    """The newest reason counts."""
    store.suppressions.add("aa", "erased", actor="eve", now=NOW)
    store.suppressions.add("aa", "bounced", actor="eve", now=NOW)
    store.suppressions.add("bb", "erased", actor="eve", now=NOW)
    assert store.suppressions.find("aa") == "bounced"
    assert store.suppressions.find_all(["aa", "cc"]) == {"aa": "bounced"}
    assert store.suppressions.find("bb") == "erased"
    store.suppressions.lift("aa")
    assert store.suppressions.find("aa") is None


def test_a_mail_is_claimed_once(store: Store) -> None:
    """Of concurrent processes one gets it; it is due again if that one dies."""
    person = add(store)
    store.person_mails.add("confirmation", person.id, form="tides", now=NOW, due_at=NOW)
    assert store.person_mails.claim_due(NOW - HOUR) == []
    with ThreadPoolExecutor(4) as pool:
        (mail,) = [mail for mails in pool.map(lambda _: store.person_mails.claim_due(NOW), range(4)) for mail in mails]
    assert (mail.kind, mail.subscriber, mail.form, mail.attempts) == ("confirmation", person, "tides", 1)
    assert store.person_mails.claim_due(NOW + CLAIM_TTL - HOUR / 60) == []
    (again,) = store.person_mails.claim_due(NOW + CLAIM_TTL)
    assert again.attempts == 2
    store.person_mails.mark_sent(mail, NOW)
    assert store.person_mails.next_due_at() == NOW, "the claim of the first process no longer counts"
    store.person_mails.mark_sent(again, NOW)
    assert store.person_mails.next_due_at() is None
    assert store.person_mails.claim_due(NOW + 100 * HOUR) == []


def test_a_mail_that_failed_is_due_again_later(store: Store) -> None:
    """Until it is given up; the newest failure is remembered, and forgotten once the mail is sent."""
    person = add(store)
    store.person_mails.add("guide", person.id, form="tides", now=NOW, due_at=NOW)
    store.person_mails.add("best-of", person.id, form="tides", now=NOW, due_at=NOW + 99 * HOUR)
    (mail,) = store.person_mails.claim_due(NOW)
    store.person_mails.retry(mail, due_at=NOW + HOUR, error="no server\x00", now=NOW)
    queue = PersonMailQueue(waiting=0, failed=1, failed_at=NOW, error="no server")
    assert store.person_mails.queue(NOW) == queue
    assert store.person_mails.claim_due(NOW) == []
    (mail,) = store.person_mails.claim_due(NOW + HOUR)
    assert store.person_mails.queue(NOW + HOUR) == replace(queue, waiting=1, waiting_since=NOW + HOUR)
    store.person_mails.retry(mail, due_at=None, error="refused", now=NOW + HOUR)
    assert store.person_mails.claim_due(NOW + 98 * HOUR) == []
    assert store.person_mails.queue(NOW) == PersonMailQueue(failed_at=NOW + HOUR, error="refused")
    (mail,) = store.person_mails.claim_due(NOW + 99 * HOUR)
    store.person_mails.retry(mail, due_at=NOW + 100 * HOUR, error="no answer", now=NOW + 99 * HOUR)
    (mail,) = store.person_mails.claim_due(NOW + 100 * HOUR)
    store.person_mails.mark_sent(mail, NOW + 100 * HOUR)
    assert store.person_mails.queue(NOW).error == "refused"


def test_the_oldest_mails_are_claimed_first(store: Store) -> None:
    """As many as asked for; none for nobody."""
    for number, hours in enumerate((3, 1, 2)):
        store.person_mails.add("guide", add(store, f"p{number}").id, form="", now=NOW, due_at=NOW + hours * HOUR)
    store.person_mails.add(None, add(store, "nobody").id, form="", now=NOW, due_at=NOW)
    claimed = store.person_mails.claim_due(NOW + 3 * HOUR, limit=2)
    assert [mail.subscriber.address[:2] for mail in claimed] == ["p1", "p2"]


def test_mails_that_are_due_together_keep_their_order(store: Store) -> None:
    """A person gets the confirmation before the guide, wherever their rows lie in the table."""
    for number in range(20):
        person = add(store, f"p{number}")
        store.person_mails.add("confirmation", person.id, form="tides", now=NOW, due_at=NOW)
        store.person_mails.add("guide", person.id, form="tides", now=NOW, due_at=NOW)
    for mail in reversed(store.person_mails.claim_due(NOW)):
        store.person_mails.retry(mail, due_at=NOW + HOUR, error="refused", now=NOW)
    claimed = store.person_mails.claim_due(NOW + HOUR)
    assert [mail.id for mail in claimed] == sorted(mail.id for mail in claimed)
    assert [mail.kind for mail in claimed] == ["confirmation", "guide"] * 20


def test_a_guide_is_given_once_in_each_version(store: Store) -> None:
    """To each person."""
    ada, bea = add(store), add(store, "bea")
    given = [
        store.person_mails.give_guide(who, "tides", version, NOW)
        for who, version in ((ada.id, "v1"), (ada.id, "v1"), (ada.id, "v2"), (bea.id, "v1"))
    ]
    assert given == [True, False, True, True]
    assert store.person_mails.guides_of(bea.id) == [("tides", "v1", NOW)]


def test_a_counter_starts_again_after_its_time(store: Store) -> None:
    """Each key has its own; one that would start again counts as none."""
    count = store.signup_limits.count
    assert [count("a", within=HOUR, now=NOW + minutes * HOUR / 60) for minutes in (0, 59, 60, 61)] == [1, 2, 1, 2]
    assert count("b", within=HOUR, now=NOW) == 1
    assert store.signup_limits.current("a", NOW + HOUR) == 2
    assert store.signup_limits.current("a", NOW + 2 * HOUR) == 0
    store.signup_limits.prune(NOW + HOUR)
    assert store.signup_limits.current("b", NOW) == 0
    assert store.signup_limits.current("a", NOW + HOUR) == 2


def test_concurrent_sign_ups_are_all_counted(store: Store) -> None:
    """No two get the same number."""
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: store.signup_limits.count("a", within=HOUR, now=NOW), range(12)))
    assert sorted(counts) == list(range(1, 13))


def test_people_move_with_an_export(store: Store, tmp_path: Path) -> None:
    """With the keys of their links, so that links in old mails keep working and suppressions stay known."""
    person = add(store, state="active", requested=Preferences(topics=("links",)))
    store.subscribers.signing_key("unsubscribe", "secret")
    wording = store.subscription_events.current_wording("tides", "en", "Yes.", NOW)
    event = SubscriptionEvent(at=NOW, kind="requested", actor="subscriber", form="tides", wording=wording)
    store.subscription_events.add(person.id, event)
    with Store.open(f"sqlite:///{tmp_path / 'moved.db'}") as moved:
        moved.maintenance.import_rows(store.maintenance.export_rows())
        assert moved.subscribers.get(person.id) == person
        assert moved.subscription_events.of_subscriber(person.id) == [event]
        assert moved.subscribers.signing_key("unsubscribe", "another") == "secret"
