"""Identity within a feed: matching rules, kinds of changes, and quarantine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.dedupe import decide, fingerprint
from pipeline.ingest.identity import enclosure_key
from pipeline.model.entry import Enclosure, Entry, EntryIdentity, Picture
from pipeline.model.update import EntryChange, FeedChanges
from pipeline.text.urls import url_key

MONDAY = datetime(2026, 2, 9, 9, 0, tzinfo=UTC)
AUDIO = Enclosure(url="https://cdn.harbourtable.example/14.mp3", media_type="audio/mpeg", length_bytes=1000)


def post(number: int = 1, **fields: Any) -> Entry:
    """Return a post that has nothing in common with other numbers."""
    given: dict[str, Any] = {
        "feed_id": "blog",
        "guid": f"https://harbourandhearth.example/?p={number}",
        "url": f"https://harbourandhearth.example/post-{number}/",
        "title": f"Supper number {number}",
        "published_at": MONDAY + timedelta(days=number),
    }
    return Entry(**(given | fields))


def episode(number: int = 1, **fields: Any) -> Entry:
    """Return an episode with an opaque guid and no page of its own."""
    given: dict[str, Any] = {
        "guid": f"uuid-{number}",
        "url": "https://podcasts.harbourtable.example/",
        "title": f"Episode about {number}",
        "enclosure": replace(AUDIO, url=f"https://cdn.harbourtable.example/{number}.mp3"),
        "duration_seconds": 2400,
    }
    return post(number, **(given | fields))


def stored(entry: Entry, entry_id: int = 1, **fields: Any) -> EntryIdentity:
    """Return the identity of a stored entry."""
    given: dict[str, Any] = {
        "entry_id": entry_id,
        "guid": entry.guid,
        "url_key": url_key(entry.url),
        "enclosure_key": enclosure_key(entry),
        "fingerprint": fingerprint(entry),
        "title": entry.title,
        "published_at": entry.published_at,
        "dated_by": entry.dated_by,
        "duration_seconds": entry.duration_seconds,
        "vanished": False,
        "media_type": entry.enclosure.media_type if entry.enclosure else "",
    }
    return EntryIdentity(**(given | fields))


def only(verdict: FeedChanges) -> EntryChange:
    (change,) = verdict.entries
    return change


def kinds(verdict: FeedChanges) -> list[str]:
    return [change.kind for change in verdict.entries]


# ── The kinds of change ──────────────────────────────────────────────────────────────────────────────────────────


def test_first_document_is_all_new() -> None:
    """Without stored entries every entry is new, and none is quarantined."""
    verdict = decide([post(1), post(2)], [])
    assert kinds(verdict) == ["new", "new"]
    assert (verdict.vanished, verdict.reappeared, verdict.quarantine_reason) == ((), (), "")


def test_same_entry_again_is_the_same() -> None:
    """An unchanged entry is the same, with the id of the stored one."""
    assert (only(decide([post()], [stored(post(), 7)])).kind, 7) == ("same", 7)
    assert only(decide([post()], [stored(post(), 7)])).entry_id == 7


def test_edited_entry_is_changed() -> None:
    """Another title with the same guid is an update of the stored entry."""
    change = only(decide([post(title="Supper, corrected")], [stored(post(), 7)]))
    assert (change.kind, change.entry_id, change.entry.title) == ("changed", 7, "Supper, corrected")


@pytest.mark.parametrize(
    "edit",
    [
        {"updated_at": MONDAY},
        {"published_at": MONDAY + timedelta(days=3)},
        {"url": "http://www.harbourandhearth.example/post-1?utm_source=rss#top"},
        {"body_html": "<p>Warm the pot. 12 comments</p>"},
    ],
)
def test_dates_counters_and_spellings_are_no_change(edit: dict[str, Any]) -> None:
    """Dates, comment counts and other spellings of the URL do not change an entry."""
    before = post(body_html="<p>Warm the pot. 3 comments</p>")
    assert only(decide([replace(before, **edit)], [stored(before)])).kind == "same"


@pytest.mark.parametrize(
    "edit",
    [
        {"title": "Another title"},
        {"author": "Wyn Carey"},
        {"body_html": "<p>Other words</p>"},
        {"categories": ("bread",)},
        {"picture": Picture(url="https://harbourandhearth.example/a.jpg")},
        {"enclosure": AUDIO},
        {"guest": "Ada Marsh"},
        {"explicit": True},
        {"url": "https://harbourandhearth.example/elsewhere/"},
    ],
)
def test_content_is_a_change(edit: dict[str, Any]) -> None:
    """Every visible change changes the fingerprint."""
    assert fingerprint(post(**edit)) != fingerprint(post())


def test_inserted_advertising_is_no_change() -> None:
    """A file whose length differs at every download keeps the fingerprint."""
    longer = episode(duration_seconds=2431, enclosure=replace(episode().enclosure or AUDIO, length_bytes=99))
    assert fingerprint(longer) == fingerprint(episode())


# ── The ladder ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "guid",
    ["http://harbourandhearth.example/?p=1", "https://www.harbourandhearth.example/?p=1&utm_medium=feed#more"],
)
def test_guid_in_another_spelling_is_the_same_entry(guid: str) -> None:
    """Scheme, www, fragment and tracking parameters of a permalink guid do not matter."""
    change = only(decide([post(guid=guid)], [stored(post(), 7)]))
    assert (change.kind, change.entry_id, change.entry.guid) == ("same", 7, post().guid)


def test_same_page_under_another_guid_is_repaired() -> None:
    """An entry whose guid changed is matched by its URL and takes the new guid."""
    change = only(decide([post(guid="new-guid", title="Supper, renamed")], [stored(post(), 7)]))
    assert (change.kind, change.entry_id, change.entry.guid) == ("repaired", 7, "new-guid")


def test_same_media_file_is_repaired() -> None:
    """An episode whose guid, page and title changed is matched by its file, with any prefix and query."""
    url = "https://dts.podtrac.com/redirect.mp3/cdn.harbourtable.example/1.mp3?source=feed"
    moved = episode(guid="other", url="https://new.example/e/1", title="Renamed", enclosure=Enclosure(url=url))
    change = only(decide([moved], [stored(episode(), 7)]))
    assert (change.kind, change.entry_id) == ("repaired", 7)


def moved_episode(**fields: Any) -> Entry:
    """Return episode 1 after a move to another host: guid, page and file are new."""
    given: dict[str, Any] = {
        "guid": "moved",
        "url": "https://newhost.example/e/1",
        "enclosure": replace(AUDIO, url="https://newhost.example/files/1.mp3"),
    }
    return episode(**(given | fields))


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        ({}, "repaired"),
        ({"title": "EPISODE – about 1"}, "repaired"),
        ({"duration_seconds": 2400 + 600}, "repaired"),
        ({"duration_seconds": None}, "repaired"),
        ({"published_at": MONDAY + timedelta(days=1, hours=9)}, "repaired"),
        ({"title": "Episode about 2"}, "new"),
        ({"duration_seconds": 2400 + 601}, "new"),
        ({"published_at": MONDAY + timedelta(days=2)}, "new"),
        ({"enclosure": replace(AUDIO, url="https://newhost.example/1.mp4", media_type="video/mp4")}, "new"),
        ({"enclosure": None}, "new"),
    ],
)
def test_repair_needs_title_day_length_and_medium(edit: dict[str, Any], kind: str) -> None:
    """After a move an episode is matched by title, day, duration within ten minutes and media type together."""
    assert only(decide([moved_episode(**edit)], [stored(episode())])).kind == kind


def test_no_repair_while_the_old_one_is_there() -> None:
    """Two entries with one title, day and duration in one document are different: a daily show repeats its title."""
    verdict = decide([episode(), moved_episode()], [stored(episode(), 7)])
    assert [(change.kind, change.entry_id) for change in verdict.entries] == [("same", 7), ("new", None)]


def test_daily_show_gets_its_next_episode() -> None:
    """A feed with three episodes of one title gives one new entry a day."""
    days = [episode(number, title="Morning Bulletin") for number in range(1, 5)]
    known = [stored(entry, number) for number, entry in enumerate(days[:3], 1)]
    verdict = decide(days[1:], known)
    assert (kinds(verdict), verdict.vanished) == (["same", "same", "new"], (1,))


def test_daily_show_with_one_entry_gets_its_next_episode() -> None:
    """A feed that only contains today's episode does not overwrite yesterday's."""
    yesterday, today = (episode(n, title="Morning Bulletin", url="https://bulletin.example/today") for n in (1, 2))
    assert only(decide([today], [stored(yesterday)])).kind == "new"


def test_daily_show_whose_guids_all_change_is_repaired_day_by_day() -> None:
    """If all guids of a daily show change at once, each episode is matched by its day."""
    days = [episode(number, title="Morning Bulletin") for number in range(1, 5)]
    known = [stored(entry, number) for number, entry in enumerate(days, 1)]
    fresh = [
        replace(entry, guid=f"new-{entry.guid}", enclosure=replace(AUDIO, url=f"https://newhost.example/{entry.guid}"))
        for entry in reversed(days)
    ]
    verdict = decide(fresh, known)
    assert [(change.kind, change.entry_id) for change in verdict.entries] == [("repaired", n) for n in (4, 3, 2, 1)]
    assert verdict.quarantine_reason == ""


def test_twice_a_day_show_is_repaired_by_the_hour() -> None:
    """Of two stored entries with one title and day, the one nearest in time is matched."""
    morning, evening = (
        episode(1, title="Bulletin", guid=name, published_at=MONDAY + timedelta(hours=hour), enclosure=None)
        for name, hour in (("am", 0), ("pm", 10))
    )
    fresh = [replace(evening, guid="x"), replace(morning, guid="y", published_at=MONDAY + timedelta(hours=1))]
    verdict = decide(fresh, [stored(morning, 1), stored(evening, 2)])
    assert [change.entry_id for change in verdict.entries] == [2, 1]


def test_site_on_a_new_domain_is_repaired_by_its_paths() -> None:
    """After a move to another domain with new dates, title and path identify a post."""
    known = [stored(post(number), number) for number in range(1, 6)]
    fresh = [
        post(
            number,
            guid=f"https://newharbour.example/?p={number + 900}",
            url=f"https://newharbour.example/post-{number}/",
            published_at=MONDAY + timedelta(days=60),
        )
        for number in range(1, 6)
    ]
    verdict = decide(fresh, known)
    assert [(change.kind, change.entry_id) for change in verdict.entries] == [("repaired", n) for n in range(1, 6)]
    assert verdict.quarantine_reason == ""


def test_shared_home_page_identifies_no_entry() -> None:
    """If every entry links to the home page, the URL does not match a new episode with an old one."""
    known = [stored(episode(number), number) for number in (1, 2)]
    verdict = decide([episode(2), episode(3)], known)
    assert kinds(verdict) == ["same", "new"]


def test_rerun_of_an_old_file_is_a_new_entry() -> None:
    """A file that comes again a year later under another title is a new entry."""
    rerun = episode(guid="rerun", title="From the archive: supper", published_at=MONDAY + timedelta(days=365))
    assert only(decide([rerun], [stored(episode(), vanished=True)])).kind == "new"


HALF_DAY, DAY = timedelta(hours=12), timedelta(days=1)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        ({"published_at": DAY, "title": "Today"}, "repaired"),
        ({"published_at": DAY + timedelta(seconds=1), "title": "Today"}, "new"),
        ({"published_at": -DAY - timedelta(seconds=1), "title": "Today"}, "new"),
        ({"published_at": 9 * DAY}, "repaired"),
        ({"published_at": 9 * DAY, "title": "Today", "dated_by": "first_seen"}, "repaired"),
    ],
)
def test_page_with_another_title_on_another_day_is_another_entry(edit: dict[str, Any], kind: str) -> None:
    """A page that always shows today's edition; date and title contradict only together, and if there is a date."""
    edit = edit | {"published_at": post().published_at + edit["published_at"]}
    assert only(decide([post(guid="new-guid", **edit)], [stored(post(), 7)])).kind == kind


@pytest.mark.parametrize(
    ("hours", "file", "kind"),
    [
        (12, "2.mp3", "repaired"),
        (15.5, "2.mp3", "new"),
        (-12.1, "2.mp3", "new"),
        (12.1, "1.mp3", "repaired"),
        (12.1, "", "repaired"),
    ],
)
def test_page_with_another_file_is_another_entry_after_half_a_day(hours: float, file: str, kind: str) -> None:
    """A show that has one page for all: title and address are the same, and file and date are not."""
    known = episode(url="https://podcasts.harbourtable.example/now")
    at = known.published_at + timedelta(hours=hours)
    enclosure = replace(AUDIO, url=f"https://cdn.harbourtable.example/{file}") if file else None
    again = replace(known, guid="new-guid", published_at=at, enclosure=enclosure)
    assert only(decide([again], [stored(known, 7)])).kind == kind


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        ({}, "repaired"),
        ({"title": "SUPPER – number 1"}, "repaired"),
        ({"title": "Lunch"}, "new"),
        ({"title": ""}, "new"),
        ({"url": "https://newharbour.example/post-2/"}, "new"),
        ({"url": "https://newharbour.example/"}, "new"),
        ({"enclosure": AUDIO}, "new"),
    ],
)
def test_move_to_another_domain_needs_title_and_path(edit: dict[str, Any], kind: str) -> None:
    """Whatever the date; a home page has no path."""
    given: dict[str, Any] = {
        "guid": "moved",
        "url": "https://newharbour.example/post-1/",
        "published_at": MONDAY + timedelta(days=60),
    }
    assert only(decide([post(**(given | edit))], [stored(post(), 7)])).kind == kind


def test_key_of_several_entries_identifies_none() -> None:
    """Two with one page on either side: neither is matched by it."""
    pages = [post(number, url="https://harbourandhearth.example/now") for number in (1, 2)]
    fresh = post(3, url="https://harbourandhearth.example/now")
    assert only(decide([fresh], [stored(page, number) for number, page in enumerate(pages)])).kind == "new"
    assert kinds(decide([fresh, replace(fresh, guid="4", title="Four")], [stored(pages[0], 7)])) == ["new", "new"]


TEXT = "Warm the pot, then the cups, then the room; pour slowly, and talk about the boats that came in. " * 2


def copied(**fields: Any) -> Entry:
    """Return post 1 with a text, under another guid and address and with another date."""
    given: dict[str, Any] = {
        "guid": "copy",
        "url": "https://harbourandhearth.example/again/",
        "body_html": TEXT,
        "published_at": MONDAY + timedelta(days=30),
    }
    return post(1, **(given | fields))


def test_copy_of_an_entry_that_left_the_document_is_repaired() -> None:
    """The same content under another guid, address and date; not while the original is in the document."""
    original = post(1, body_html=TEXT)
    change = only(decide([copied()], [stored(original, 7)]))
    assert (change.kind, change.entry_id, change.entry.published_at) == ("repaired", 7, original.published_at)
    assert kinds(decide([original, copied()], [stored(original, 7)])) == ["same", "new"]
    assert only(decide([copied()], [stored(original, 7)], complete=False)).kind == "new"


def test_copy_at_the_same_address_is_left_out() -> None:
    """While its original is in the document, a copy that differs in the query is no second entry."""
    original = post(1, body_html=TEXT)
    again = copied(url="https://harbourandhearth.example/post-1/?v=2")
    assert kinds(decide([original, again], [stored(original, 7)])) == ["same"]


@pytest.mark.parametrize(("text", "kind"), [("x" * 99, "new"), ("x" * 100, "repaired")])
def test_short_text_identifies_no_copy(text: str, kind: str) -> None:
    """A hundred characters of body or excerpt do."""
    known = [stored(post(1, body_html=text), 7)]
    assert only(decide([copied(body_html=text)], known)).kind == kind
    excerpts = [stored(post(1, excerpt_text=text), 7)]
    assert only(decide([copied(body_html="", excerpt_text=text)], excerpts)).kind == kind


def test_copy_of_one_of_two_equal_entries_is_new() -> None:
    """Nobody can tell which of them it is."""
    known = [stored(post(1, guid=f"same {n}", url="https://a.example/x", body_html=TEXT), n) for n in (1, 2)]
    assert only(decide([copied()], known)).kind == "new"


def test_repeated_guid_with_another_link_is_another_entry() -> None:
    """In a feed known to repeat a guid."""
    both = [post(number, guid=f"same|https://harbourandhearth.example/post-{number}/") for number in (1, 2)]
    verdict = decide([post(3, guid="same")], [stored(entry, n) for n, entry in enumerate(both, 1)])
    assert (only(verdict).kind, only(verdict).entry.guid) == ("new", "same|https://harbourandhearth.example/post-3/")


def test_repeated_guid_with_the_known_link_is_the_same_entry() -> None:
    """In a feed known to repeat a guid."""
    known = post(1, guid="same|https://harbourandhearth.example/post-1/")
    assert only(decide([post(1, guid="same")], [stored(known, 7)])).entry_id == 7


def test_first_entry_of_a_repeated_guid_keeps_it() -> None:
    """In a feed known to repeat a guid, the page tells which of them an entry is."""
    first, second = post(1, guid="same"), post(2, guid="same|https://harbourandhearth.example/post-2/")
    known = [stored(first, 7), stored(second, 8)]
    for fresh, entry_id, guid in ((first, 7, "same"), (replace(second, guid="same"), 8, second.guid)):
        change = only(decide([fresh], known))
        assert (change.kind, change.entry_id, change.entry.guid) == ("same", entry_id, guid)


def test_duplicate_in_one_document_is_one_entry() -> None:
    """One page and title under two guids is one entry; a stored guid is preferred."""
    verdict = decide([post(1, guid="doubled"), post(1)], [stored(post(1), 7)])
    assert (only(verdict).kind, only(verdict).entry_id) == ("same", 7)


def test_duplicate_keeps_the_earlier_date() -> None:
    """Whichever comes first in the document, and at every later fetch."""
    first, again = post(1, guid="3018"), post(1, guid="3025", published_at=MONDAY + timedelta(days=11))
    assert {only(decide(pair, [])).entry.published_at for pair in ([first, again], [again, first])} == {
        first.published_at
    }
    kept = only(decide([again, first], [])).entry
    assert only(decide([again, first], [stored(kept, 7)])).kind == "same"
    assert (
        only(decide([replace(again, author="Ada"), first], [stored(kept, 7)])).entry.published_at == first.published_at
    )


def test_duplicate_with_a_date_dates_the_one_without() -> None:
    """Any date is better than the time of the first fetch."""
    undated = post(1, guid="3025", dated_by="first_seen", published_at=MONDAY)
    assert only(decide([undated, post(1)], [])).entry.dated_by == "published"


def test_later_duplicate_does_not_change_the_date() -> None:
    """A stored entry keeps its date when an older copy appears."""
    older = post(1, guid="3018", published_at=MONDAY - timedelta(days=9))
    assert only(decide([post(1), older], [stored(post(1), 7)])).kind == "same"


def test_repaired_entry_keeps_its_first_date() -> None:
    """If the first of two copies leaves the document, the later one is not news."""
    first, again = post(1, guid="3018"), post(1, guid="3025", published_at=MONDAY + timedelta(days=11))
    change = only(decide([again], [stored(first, 7)]))
    assert (change.kind, change.entry_id, change.entry.published_at) == ("repaired", 7, first.published_at)


def test_partial_entry_changes_nothing() -> None:
    """The last entry of a truncated document is new or the same; the others are compared as usual."""
    edited = [post(1, title="Edited"), post(2, title="Edi")]
    known = [stored(post(1), 1), stored(post(2), 2)]
    assert kinds(decide(edited, known, complete=False)) == ["changed", "same"]
    assert kinds(decide(edited, known)) == ["changed", "changed"]
    assert kinds(decide(edited, known[:1], complete=False)) == ["changed", "new"]


def test_nothing_vanishes_from_a_partial_document() -> None:
    """Nor is anything repaired: the old guid may be in the missing part."""
    known = [stored(post(1), 1), stored(post(2), 2)]
    renamed = post(2, guid="other", url="https://harbourandhearth.example/other/")
    verdict = decide([renamed], known, complete=False)
    assert (kinds(verdict), verdict.vanished) == (["new"], ())
    assert kinds(decide([renamed], known)) == ["repaired"]


# ── Dates ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_missing_date_keeps_the_first_stored_one() -> None:
    """An entry without a date keeps the time of its first fetch, even if its content changed."""
    first = post(dated_by="first_seen")
    later = replace(first, published_at=MONDAY + timedelta(days=30), title="Edited")
    change = only(decide([later], [stored(first)]))
    assert (change.kind, change.entry.published_at) == ("changed", first.published_at)


def test_date_of_an_edit_does_not_move_an_entry() -> None:
    """An entry with only an updated date keeps its first one."""
    first = post(dated_by="updated")
    change = only(decide([replace(first, title="Edited", published_at=MONDAY + timedelta(days=30))], [stored(first)]))
    assert change.entry.published_at == first.published_at


def test_first_real_date_is_a_change() -> None:
    """A date where there was none is a change, whatever the content."""
    known = stored(post(dated_by="first_seen", published_at=MONDAY + timedelta(days=9)))
    change = only(decide([post()], [known]))
    assert (change.kind, change.entry.published_at) == ("changed", post().published_at)


def test_earlier_date_is_a_correction() -> None:
    """A date corrected from far in the future is taken over."""
    known = stored(post(published_at=MONDAY + timedelta(days=365)))
    assert only(decide([post()], [known])).kind == "changed"


def test_repaired_entry_takes_an_earlier_date() -> None:
    """A later one with another guid is that of the repair; an earlier one is a correction."""
    earlier = post(guid="new-guid", published_at=MONDAY)
    change = only(decide([earlier], [stored(post(), 7)]))
    assert (change.kind, change.entry.published_at) == ("repaired", MONDAY)


# ── What comes and goes ──────────────────────────────────────────────────────────────────────────────────────────


def test_vanished_and_reappeared_entries_are_reported_once() -> None:
    """Leaving the document is reported once, and so is coming back."""
    known = [stored(post(1), 1), stored(post(2), 2, vanished=True), stored(post(3), 3, vanished=True)]
    verdict = decide([post(2)], known)
    assert (verdict.vanished, verdict.reappeared) == ((1,), (2,))


@pytest.mark.parametrize(
    ("document", "withdrawn"),
    [
        ([5, 4, 2], (3,)),  # a gap: somebody took it out
        ([6, 5, 4], ()),  # the end moved on: it scrolled off
        ([1, 6, 5, 4], ()),  # … and one that is pinned to the top proves nothing
        ([4, 5, 6], ()),  # the oldest first: nobody can tell
        ([], ()),
    ],
)
def test_withdrawn_entries_are_newer_than_the_last_one(document: list[int], withdrawn: Any) -> None:
    """A feed contains its newest entries: one older than all that are left has only scrolled off."""
    known = [stored(post(number), number) for number in (3, 4, 5)]
    assert decide([post(number) for number in document], known).withdrawn == withdrawn


@pytest.mark.parametrize("edit", [{}, {"title": "Edited"}, {"guid": "other"}])
def test_deleted_entry_stays_deleted(edit: dict[str, Any]) -> None:
    """A tombstone matches its entry, edited or with another guid, and never vanishes or reappears."""
    tomb = stored(post(), 7, deleted=True, vanished=True)
    verdict = decide([post(**edit)], [tomb])
    assert (only(verdict).kind, only(verdict).entry_id) == ("same", 7)
    assert (verdict.vanished, verdict.reappeared) == ((), ())


# ── Suspicion ────────────────────────────────────────────────────────────────────────────────────────────────────


def unmatched(count: int, **fields: Any) -> list[Entry]:
    """Return entries that no rule matches."""
    return [post(n, guid=f"x{n}", url=f"https://b.example/x{n}", title=f"Stranger {n}", **fields) for n in range(count)]


def test_entirely_new_document_is_quarantined() -> None:
    """Entries that are all new, though dated before the stored ones, are not news."""
    known = [stored(post(number), number) for number in range(10)]
    assert decide(unmatched(10), known).quarantine_reason.startswith("10 of 10 entries turned new at once")


def test_import_within_one_hour_is_quarantined() -> None:
    """A whole document dated within one hour is an import if the feed used to take weeks."""
    known = [stored(post(number), number) for number in range(10)]
    assert decide(unmatched(10, published_at=MONDAY + timedelta(days=90)), known).quarantine_reason


def test_archive_in_the_document_is_quarantined() -> None:
    """A feed that suddenly contains its archive has no news in it."""
    known = [stored(post(number), number) for number in range(100, 105)]
    assert decide([post(number) for number in range(80, 105)], known).quarantine_reason


def test_pause_is_not_quarantined() -> None:
    """After weeks without a fetch, a document of new entries at the usual pace is news."""
    known = [stored(post(number), number) for number in range(10)]
    assert decide([post(number) for number in range(20, 30)], known).quarantine_reason == ""


def test_busy_day_is_not_quarantined() -> None:
    """Many new entries dated after the stored ones, beside some known ones, are news."""
    known = [stored(post(number), number) for number in range(10)]
    burst = [post(number, published_at=MONDAY + timedelta(days=20)) for number in range(20, 28)]
    assert decide([post(8), post(9), *burst], known).quarantine_reason == ""


def test_young_feed_is_not_quarantined() -> None:
    """A feed with few stored entries may be entirely new."""
    assert decide(unmatched(4), [stored(post(1), 1), stored(post(2), 2)]).quarantine_reason == ""


@pytest.mark.parametrize(
    ("known", "fresh", "old", "quarantined"),
    [(3, 3, 0, True), (2, 3, 0, False), (9, 2, 0, False), (3, 4, 3, True), (3, 3, 3, False), (3, 4, 4, False)],
)
def test_quarantine_begins_with_most_of_three_entries(known: int, fresh: int, old: int, quarantined: bool) -> None:
    """Three stored, three new, and more than half of the document new: at each bound."""
    stored_ones = [stored(post(number), number) for number in range(100, 100 + max(known, old))]
    document = [*unmatched(fresh), *(post(number) for number in range(100, 100 + old))]
    assert bool(decide(document, stored_ones[: max(known, old)]).quarantine_reason) is quarantined


def test_undated_entries_that_are_all_new_are_quarantined() -> None:
    """They cannot show that they are news; beside known entries they are taken for it."""
    known = [stored(post(number), number) for number in range(4)]
    undated = [
        replace(one, published_at=MONDAY + timedelta(days=20 + 9 * number), dated_by="first_seen")
        for number, one in enumerate(unmatched(6))
    ]
    assert decide(undated, known).quarantine_reason
    assert decide([post(0), *undated], known).quarantine_reason == ""
    dated = [replace(one, dated_by="published") for one in undated]
    assert decide(dated, known).quarantine_reason == ""
    renamed = [replace(one, title=post(number).title) for number, one in enumerate(dated[:4])]
    assert decide(renamed, known).quarantine_reason


def test_entries_that_were_not_parsed_are_counted() -> None:
    """They are unchanged: they are no changes, and have not vanished."""
    known = [stored(post(number), number) for number in range(3)]
    verdict = decide([known[0], known[1], post(2, title="Edited")], known)
    assert (kinds(verdict), verdict.untouched, verdict.vanished) == (["changed"], 2, ())


# ── Always ───────────────────────────────────────────────────────────────────────────────────────────────────────

few_entries = st.lists(
    st.builds(
        lambda guid, page, title, day, audio, dated: post(
            guid=f"g{guid}",
            url=f"https://harbourandhearth.example/{page}",
            title=title,
            published_at=MONDAY + timedelta(days=day),
            dated_by="published" if dated else "first_seen",
            enclosure=replace(AUDIO, url=f"https://cdn.harbourtable.example/{audio}.mp3") if audio else None,
        ),
        guid=st.integers(0, 9),
        page=st.sampled_from(["", "a", "b", "c", "d"]),
        title=st.sampled_from(["", "Bulletin", "Supper", "Soup"]),
        day=st.integers(0, 3),
        audio=st.integers(0, 3),
        dated=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda entry: entry.guid,
)


@settings(max_examples=40)
@given(entries=few_entries, before=few_entries)
def test_stored_entries_match_at_most_once(entries: list[Entry], before: list[Entry]) -> None:
    """For any feed, no guid is repeated and no entry is lost."""
    known = [stored(entry, number) for number, entry in enumerate(before)]
    verdict = decide(entries, known)
    owners = [change.entry_id for change in verdict.entries if change.entry_id is not None]
    guids = [change.entry.guid for change in verdict.entries]
    assert len(owners) == len(set(owners))
    assert len(guids) == len(set(guids))
    assert {*owners, *verdict.vanished} == {item.entry_id for item in known}


@settings(max_examples=40)
@given(entries=few_entries)
def test_second_fetch_changes_nothing(entries: list[Entry]) -> None:
    """A document fetched again is the same throughout."""
    first = decide(entries, [])
    again = decide(entries, [stored(change.entry, n) for n, change in enumerate(first.entries)])
    assert {change.kind for change in again.entries} <= {"same"}
    assert again.vanished == again.reappeared == ()
