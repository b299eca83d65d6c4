"""Editions in every store: one winner, one number, one edition for an entry, and seals that never change."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest
from store_factories import DAY, NOW, blog_post, insert

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, EditorLink, Overrides, SealedEdition
from pipeline.model.errors import ConflictError
from pipeline.store import Store

W07, W08 = "2026-W07", "2026-W08"


def seal(
    week: str = W07, number: int = 1, *entry_ids: int, html: bytes = b"<p>Bread</p>", **more: object
) -> SealedEdition:
    """Return a sealed edition."""
    edition = Edition(
        week=week,
        state="approved",
        number=number,
        subject="Bread",
        preheader="And soup.",
        html=html,
        text=b"Bread",
        eml=b"\xff Bread\r\n",
        manifest=b"{}",
        content_hash=f"hash of {html.decode()}",
    )
    values = {
        "edition": edition,
        "stories": tuple((entry_id,) for entry_id in entry_ids),
        "sealed_at": NOW,
        "sealed_by": "ann",
    }
    return SealedEdition(**(values | more))


def weeks_of(store: Store, *entry_ids: int) -> list[tuple[str, str, str]]:
    """Return the assigned week, the edition and the releasing week of each entry."""
    by_id = {stored.entry_id: stored for stored in store.entries.by_id(entry_ids)}
    return [
        (by_id[entry_id].assigned_week, by_id[entry_id].edition_week, by_id[entry_id].released_from)
        for entry_id in entry_ids
    ]


def test_an_unchanged_week_is_a_draft(store: Store) -> None:
    """It has no number yet, and would get the first one."""
    assert store.editions.get(W07) == EditionRecord(week=W07)
    assert store.editions.all() == {}
    assert store.editions.sealed(W07) is None
    assert store.editions.number_for(W07) == 1


def test_a_sealed_edition_is_read_back_equal(store: Store) -> None:
    """Every byte, story and override, and who sealed it when."""
    first, second = insert(store, blog_post(1), blog_post(2))
    wishes = Overrides(
        leave_out=("blog 9",),
        order=("blog 2", "blog 1"),
        introduction_md="Hello",
        notes={"blog 1": "Read this."},
        links=(EditorLink(url="https://tides.example/", title="Tides", note_md="*Now*"),),
    )
    sealed = seal(W07, 1, first, second, stories=((first, second),), overrides=wishes)
    standing = store.editions.approve(store.editions.get(W07), sealed)
    assert store.editions.sealed(W07) == sealed
    assert (standing.state, standing.number, standing.content_hash) == ("approved", 1, sealed.edition.content_hash)
    assert (standing.sealed_at, standing.sealed_by, standing.changed_by) == (NOW, "ann", "ann")
    assert store.editions.all() == {W07: standing}


def test_sealing_again_keeps_the_old_seal(store: Store) -> None:
    """Approved again, the edition has other bytes and the same number; the first seal is still stored."""
    [first] = insert(store, blog_post(1))
    standing = store.editions.approve(EditionRecord(week=W07), seal(W07, 1, first))
    again = store.editions.approve(standing, seal(W07, 1, first, html=b"<p>Soup</p>"))
    assert (again.number, again.revision) == (1, 2)
    sealed = store.editions.sealed(W07)
    assert sealed is not None
    assert sealed.edition.html == b"<p>Soup</p>"
    with store._database.read() as connection:
        rows = connection.exec_driver_sql("SELECT version, html FROM sealed_edition ORDER BY version").fetchall()
    assert [(version, bytes(html)) for version, html in rows] == [(1, b"<p>Bread</p>"), (2, b"<p>Soup</p>")]


def test_numbers_are_never_reused(store: Store) -> None:
    """A skipped edition keeps its number; the next one gets the next."""
    one, two = insert(store, blog_post(1), blog_post(2))
    standing = store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one))
    skipped = store.editions.release(standing, "skipped", (), now=NOW, actor="ann")
    assert (skipped.state, skipped.number) == ("skipped", 1)
    assert store.editions.number_for(W08) == 2
    with pytest.raises(ConflictError, match=r"Issue 1 went to another edition"):
        store.editions.approve(EditionRecord(week=W08), seal(W08, 1, two))
    assert store.editions.approve(EditionRecord(week=W08), seal(W08, 2, two)).number == 2


def test_an_entry_is_in_one_sealed_edition(store: Store) -> None:
    """A second edition with the entry raises ConflictError; neither its seal nor its number is stored."""
    one, two = insert(store, blog_post(1), blog_post(2))
    store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one))
    with pytest.raises(ConflictError, match="went into another edition"):
        store.editions.approve(EditionRecord(week=W08), seal(W08, 2, one, two))
    assert store.editions.sealed(W08) is None
    assert store.editions.get(W08) == EditionRecord(week=W08)
    assert weeks_of(store, one, two) == [(W07, W07, ""), ("", "", "")]


def test_a_late_counterpart_may_be_reserved(store: Store) -> None:
    """It is linked to the edition with its story until an editor puts it into its own edition; not the reverse."""
    one, late = insert(store, blog_post(1), blog_post(2))
    store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one))
    store.editions.link_counterparts({late: W07, one: W08})
    assert [(stored.edition_week, stored.late_counterpart) for stored in store.entries.by_id([one, late])] == [
        (W07, False),
        (W07, True),
    ]
    store.editions.approve(EditionRecord(week=W08), seal(W08, 2, late))
    assert [(stored.edition_week, stored.late_counterpart) for stored in store.entries.by_id([one, late])] == [
        (W07, False),
        (W08, False),
    ]


def test_nothing_is_linked_to_a_draft(store: Store) -> None:
    """A draft publishes nothing."""
    [late] = insert(store, blog_post(1))
    store.editions.link_counterparts({late: W07})
    assert weeks_of(store, late) == [("", "", "")]


def test_approval_releases_entries_it_does_not_carry(store: Store) -> None:
    """An assigned entry that is not in it is carried over; one the editor excluded stays."""
    carried, released, excluded, crowded = insert(store, *(blog_post(number) for number in range(4)))
    store.weeks.close(W07, [carried, released, excluded], now=NOW, carried_over=[crowded])
    store.editions.approve(EditionRecord(week=W07), seal(W07, 1, carried), excluded=[excluded])
    assert weeks_of(store, carried, released, excluded) == [(W07, W07, ""), ("", "", W07), (W07, "", "")]
    assert weeks_of(store, crowded) == [("", "", W07)]


def test_subjects_are_those_of_the_newest_seals(store: Store) -> None:
    """Each week that was ever sealed has one, whatever became of the edition."""
    assert store.editions.subjects() == {}
    first, second = seal(W07, 1), seal(W07, 1)
    changed = replace(second, edition=replace(second.edition, subject="Another"))
    record = store.editions.approve(EditionRecord(week=W07), first)
    assert store.editions.subjects() == {W07: first.edition.subject}
    store.editions.approve(record, changed)
    assert store.editions.subjects() == {W07: "Another"}


def test_resume_reclaims_what_is_free(store: Store) -> None:
    """All entries came back: approved as it was. One was sealed by another edition: a draft again, with the others."""
    one, two = insert(store, blog_post(1), blog_post(2))
    approved = store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one, two))
    held = store.editions.release(approved, "held", (), now=NOW + DAY, actor="bob", note="wait")
    assert (held.state, held.changed_by, held.note, held.number) == ("held", "bob", "wait", 1)
    assert weeks_of(store, one, two) == [("", "", W07), ("", "", W07)]
    resumed = store.editions.resume(held, now=NOW + DAY, actor="bob")
    assert (resumed.state, weeks_of(store, one, two)) == ("approved", [(W07, W07, ""), (W07, W07, "")])
    held = store.editions.release(resumed, "held", (), now=NOW + DAY, actor="bob")
    store.weeks.close(W08, [one, two], now=NOW + DAY)
    store.editions.approve(EditionRecord(week=W08), seal(W08, 2, one))
    resumed = store.editions.resume(held, now=NOW + DAY, actor="bob")
    assert resumed.state == "draft"
    assert weeks_of(store, one, two) == [(W08, W08, W07), (W07, "", "")]


def test_resume_reclaims_from_drafts(store: Store) -> None:
    """Only a seal keeps an entry from being reclaimed by its week."""
    [one] = insert(store, blog_post(1))
    held = store.editions.release(EditionRecord(week=W07), "held", [one], now=NOW, actor="ann")
    store.weeks.close(W08, [one], now=NOW)
    assert weeks_of(store, one) == [(W08, "", W07)]
    assert store.editions.resume(held, now=NOW, actor="ann").state == "draft"
    assert weeks_of(store, one) == [(W07, "", "")]


TRANSITIONS: dict[str, Callable[[Store, EditionRecord], EditionRecord]] = {
    "approve": lambda store, expected: store.editions.approve(expected, seal(W07, 1)),
    "hold": lambda store, expected: store.editions.release(expected, "held", (), now=NOW, actor="ann"),
    "resume": lambda store, expected: store.editions.resume(expected, now=NOW, actor="ann"),
    "send": lambda store, expected: store.editions.change_state(expected, "sent", now=NOW, actor="ann"),
}


@pytest.mark.parametrize("second", TRANSITIONS)
@pytest.mark.parametrize("first", TRANSITIONS)
def test_of_two_transitions_the_second_conflicts(store: Store, first: str, second: str) -> None:
    """Whatever the two are, the second changes nothing."""
    expected = store.editions.get(W07)
    there = TRANSITIONS[first](store, expected)
    with pytest.raises(ConflictError, match="changed by another process"):
        TRANSITIONS[second](store, expected)
    assert store.editions.get(W07) == there


@pytest.mark.parametrize("weeks", [["2026-W07"], ["2026-W07", "2026-W08", "2026-W09"]])
def test_concurrent_approvals_have_one_winner(store_url: str, weeks: list[str]) -> None:
    """Six stores approve the same weeks at once: one seal each; the numbers are 1, 2, 3 without a gap."""
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(6)]

        def approve(store: Store, week: str) -> bool:
            try:
                store.editions.approve(EditionRecord(week=week), seal(week, store.editions.number_for(week)))
            except ConflictError as error:
                return "another edition" in str(error) and approve(store, week)
            return True

        races = {week: [pool.submit(approve, store, week) for store in stores] for week in weeks}
        assert [sum(runner.result() for runner in race) for race in races.values()] == [1] * len(weeks)
        assert sorted(record.number or 0 for record in stores[0].editions.all().values()) == [
            number + 1 for number in range(len(weeks))
        ]


def test_a_failed_transition_writes_nothing(store: Store) -> None:
    """A transition that fails in the middle is rolled back."""
    [one] = insert(store, blog_post(1))
    with pytest.raises(Exception, match=r"(?i)foreign|integrity"):
        store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one, one + 999))
    assert store.editions.all() == {}
    assert weeks_of(store, one) == [("", "", "")]


def test_a_transition_changes_the_revision(store: Store) -> None:
    """Other processes see that the store was written."""
    before = store.revision()
    store.editions.change_state(replace(EditionRecord(week=W07)), "sent", now=NOW, actor="ann")
    assert store.revision() != before


def test_link_checks_are_stored_by_content_hash(store: Store) -> None:
    """The newest one of these bytes is returned; for other bytes there is none."""
    dead = CheckResult(name="dead-link", level="error", message="Mend it.", where="Bread", fix_target="story blog 1")
    first = LinkCheck(content_hash="a", checked_at=NOW, results=(dead, replace(dead, level="warning")))
    store.link_checks.save(first)
    assert store.link_checks.get("a") == first
    assert store.link_checks.get("b") is None
    again = LinkCheck(content_hash="a", checked_at=NOW + DAY, results=())
    store.link_checks.save(again)
    assert store.link_checks.get("a") == again


def test_other_writers_wait_for_the_lock(store: Store, store_url: str) -> None:
    """Another process's write comes after the locked block and is not lost."""
    check = LinkCheck(content_hash="a", checked_at=NOW, results=())
    with Store.open(store_url) as other, ThreadPoolExecutor() as pool:
        with store.editions.lock():
            writing = pool.submit(other.link_checks.save, check)
            with pytest.raises(TimeoutError):
                writing.result(timeout=0.2)
        writing.result(timeout=60)
        assert store.link_checks.get("a") == check
