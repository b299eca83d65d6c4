"""What every store promises of editions: one winner, one number each, one edition for an entry, seals for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest
from store_factories import DAY, NOW, blog_post, keep

from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.edition import EditionRecord, EditorLink, Overrides, SealedEdition
from pipeline.model.errors import ConflictError
from pipeline.store import Store

W07, W08 = "2026-W07", "2026-W08"


def seal(
    week: str = W07, number: int = 1, *entry_ids: int, html: bytes = b"<p>Bread</p>", **more: object
) -> SealedEdition:
    """Seal something."""
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
    values = {"edition": edition, "stories": tuple((each,) for each in entry_ids), "sealed_at": NOW, "sealed_by": "ann"}
    return SealedEdition(**(values | more))


def weeks_of(store: Store, *entry_ids: int) -> list[tuple[str, str, str]]:
    """Where entries are: placed, sealed, released from."""
    found = {each.entry_id: each for each in store.entries.by_id(entry_ids)}
    return [(found[each].assigned_week, found[each].edition_week, found[each].released_from) for each in entry_ids]


def test_a_week_nobody_has_moved_is_a_draft(store: Store) -> None:
    """It has no number yet, and would get the first."""
    assert store.editions.get(W07) == EditionRecord(week=W07)
    assert store.editions.all() == {}
    assert store.editions.sealed(W07) is None
    assert store.editions.number_for(W07) == 1


def test_what_was_sealed_comes_back_as_it_was(store: Store) -> None:
    """Every byte, every story, every wish, who and when."""
    first, second = keep(store, blog_post(1), blog_post(2))
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


def test_a_new_seal_leaves_the_old_one_alone(store: Store) -> None:
    """Approved again, the edition has other bytes and the same number; the first seal is still there."""
    [first] = keep(store, blog_post(1))
    standing = store.editions.approve(EditionRecord(week=W07), seal(W07, 1, first))
    again = store.editions.approve(standing, seal(W07, 1, first, html=b"<p>Soup</p>"))
    assert (again.number, again.revision) == (1, 2)
    sealed = store.editions.sealed(W07)
    assert sealed is not None
    assert sealed.edition.html == b"<p>Soup</p>"
    with store._database.read() as connection:
        rows = connection.exec_driver_sql("SELECT version, html FROM sealed_edition ORDER BY version").fetchall()
    assert [(version, bytes(html)) for version, html in rows] == [(1, b"<p>Bread</p>"), (2, b"<p>Soup</p>")]


def test_numbers_are_counted_up_and_never_given_again(store: Store) -> None:
    """A skipped edition keeps its number; the next one gets the next."""
    one, two = keep(store, blog_post(1), blog_post(2))
    standing = store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one))
    skipped = store.editions.release(standing, "skipped", (), now=NOW, actor="ann")
    assert (skipped.state, skipped.number) == ("skipped", 1)
    assert store.editions.number_for(W08) == 2
    with pytest.raises(ConflictError, match=r"No\. 1 went to another edition"):
        store.editions.approve(EditionRecord(week=W08), seal(W08, 1, two))
    assert store.editions.approve(EditionRecord(week=W08), seal(W08, 2, two)).number == 2


def test_an_entry_is_in_one_sealed_edition(store: Store) -> None:
    """A second edition that wants it is turned away whole: neither its seal nor its number is kept."""
    one, two = keep(store, blog_post(1), blog_post(2))
    store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one))
    with pytest.raises(ConflictError, match="went into another edition"):
        store.editions.approve(EditionRecord(week=W08), seal(W08, 2, one, two))
    assert store.editions.sealed(W08) is None
    assert store.editions.get(W08) == EditionRecord(week=W08)
    assert weeks_of(store, one, two) == [(W07, W07, ""), ("", "", "")]


def test_a_half_may_be_told_but_a_told_one_is_no_half(store: Store) -> None:
    """What came too late for its story is bound to it, until an editor puts it into an edition of its own."""
    one, half = keep(store, blog_post(1), blog_post(2))
    store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one))
    store.editions.link_counterparts({half: W07, one: W08})
    assert [(each.edition_week, each.late_counterpart) for each in store.entries.by_id([one, half])] == [
        (W07, False),
        (W07, True),
    ]
    store.editions.approve(EditionRecord(week=W08), seal(W08, 2, half))
    assert [(each.edition_week, each.late_counterpart) for each in store.entries.by_id([one, half])] == [
        (W07, False),
        (W08, False),
    ]


def test_nothing_is_bound_to_what_is_not_sealed(store: Store) -> None:
    """A draft tells nothing."""
    [half] = keep(store, blog_post(1))
    store.editions.link_counterparts({half: W07})
    assert weeks_of(store, half) == [("", "", "")]


def test_approval_gives_up_what_it_does_not_tell(store: Store) -> None:
    """A placed entry that is not told rolls on; one the editor decided against stays where it was."""
    told, withdrawn, unwanted, crowded = keep(store, *(blog_post(number) for number in range(4)))
    store.weeks.close(W07, [told, withdrawn, unwanted], now=NOW, carried_over=[crowded])
    store.editions.approve(EditionRecord(week=W07), seal(W07, 1, told), excluded=[unwanted])
    assert weeks_of(store, told, withdrawn, unwanted) == [(W07, W07, ""), ("", "", W07), (W07, "", "")]
    assert weeks_of(store, crowded) == [("", "", W07)]


def test_a_held_edition_gives_up_its_entries_and_gets_back_what_is_free(store: Store) -> None:
    """All of them back: approved as it was. One of them sealed by another: a draft again, with the others."""
    one, two = keep(store, blog_post(1), blog_post(2))
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
    assert weeks_of(store, one, two) == [(W08, W08, ""), (W07, "", "")]


def test_a_draft_lets_go_of_what_is_taken_back(store: Store) -> None:
    """Only a seal keeps an entry from coming back to the week that had it."""
    [one] = keep(store, blog_post(1))
    held = store.editions.release(EditionRecord(week=W07), "held", [one], now=NOW, actor="ann")
    store.weeks.close(W08, [one], now=NOW)
    assert weeks_of(store, one) == [(W08, "", W07)]
    assert store.editions.resume(held, now=NOW, actor="ann").state == "draft"
    assert weeks_of(store, one) == [(W07, "", "")]


MOVES: dict[str, Callable[[Store, EditionRecord], EditionRecord]] = {
    "approve": lambda store, seen: store.editions.approve(seen, seal(W07, 1)),
    "hold": lambda store, seen: store.editions.release(seen, "held", (), now=NOW, actor="ann"),
    "resume": lambda store, seen: store.editions.resume(seen, now=NOW, actor="ann"),
    "send": lambda store, seen: store.editions.change_state(seen, "sent", now=NOW, actor="ann"),
}


@pytest.mark.parametrize("second", MOVES)
@pytest.mark.parametrize("first", MOVES)
def test_of_two_who_saw_the_same_the_second_is_told(store: Store, first: str, second: str) -> None:
    """Whatever the two wanted, the first has it, and the second changes nothing."""
    seen = store.editions.get(W07)
    there = MOVES[first](store, seen)
    with pytest.raises(ConflictError, match="changed by another process"):
        MOVES[second](store, seen)
    assert store.editions.get(W07) == there


@pytest.mark.parametrize("weeks", [["2026-W07"], ["2026-W07", "2026-W08", "2026-W09"]])
def test_of_many_at_once_one_wins_and_numbers_have_no_gap(store_url: str, weeks: list[str]) -> None:
    """Six stores approve the same weeks at once: one seal each; the numbers are 1, 2, 3 without a gap."""
    with ExitStack() as stack, ThreadPoolExecutor(6) as pool:
        stores = [stack.enter_context(Store.open(store_url)) for _ in range(6)]

        def approve(store: Store, week: str) -> bool:
            try:
                store.editions.approve(EditionRecord(week=week), seal(week, store.editions.number_for(week)))
            except ConflictError as told:
                return "another edition" in str(told) and approve(store, week)
            return True

        races = {week: [pool.submit(approve, store, week) for store in stores] for week in weeks}
        assert [sum(runner.result() for runner in race) for race in races.values()] == [1] * len(weeks)
        assert sorted(each.number or 0 for each in stores[0].editions.all().values()) == [
            number + 1 for number in range(len(weeks))
        ]


def test_a_failed_move_leaves_nothing(store: Store) -> None:
    """A move that breaks in the middle is as if it had never begun."""
    [one] = keep(store, blog_post(1))
    with pytest.raises(Exception, match=r"(?i)foreign|integrity"):
        store.editions.approve(EditionRecord(week=W07), seal(W07, 1, one, one + 999))
    assert store.editions.all() == {}
    assert weeks_of(store, one) == [("", "", "")]


def test_a_move_is_seen_as_a_change(store: Store) -> None:
    """Whoever watches the store learns of it."""
    before = store.revision()
    store.editions.change_state(replace(EditionRecord(week=W07)), "sent", now=NOW, actor="ann")
    assert store.revision() != before


def test_a_look_is_kept_for_the_very_bytes(store: Store) -> None:
    """What the network said is found by the hash it is about, the newest alone; of other bytes nothing is known."""
    dead = CheckResult(name="dead-link", level="error", message="Mend it.", where="Bread", fix_target="story blog 1")
    first = LinkCheck(content_hash="a", checked_at=NOW, results=(dead, replace(dead, level="warning")))
    store.link_checks.save(first)
    assert store.link_checks.get("a") == first
    assert store.link_checks.get("b") is None
    again = LinkCheck(content_hash="a", checked_at=NOW + DAY, results=())
    store.link_checks.save(again)
    assert store.link_checks.get("a") == again


def test_while_one_is_alone_others_wait(store: Store, store_url: str) -> None:
    """Whoever changes a file alone is not disturbed: another one's write comes after it, and is not lost."""
    look = LinkCheck(content_hash="a", checked_at=NOW, results=())
    with Store.open(store_url) as other, ThreadPoolExecutor() as pool:
        with store.editions.lock():
            writing = pool.submit(other.link_checks.save, look)
            with pytest.raises(TimeoutError):
                writing.result(timeout=0.2)
        writing.result(timeout=10)
        assert store.link_checks.get("a") == look
