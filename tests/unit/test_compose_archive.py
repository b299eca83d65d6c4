"""What is about the same, what a week may point back to, how many links an edition takes, what pages and talks say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.digest.compose.archive import ArchiveFilter, choose_filler, choose_year_ago
from pipeline.digest.compose.related import Similarity, candidates, key_terms, rank_related
from pipeline.digest.selection.link_limit import limit_links
from pipeline.digest.selection.select import Selection
from pipeline.ingest.chapters import MAX_CHAPTERS, chapter_titles, transcript_opening
from pipeline.ingest.webpage import read_metadata
from pipeline.model.digest import Decision
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import StoredEntry
from tests.factories import MONDAY, entry, episode, stored

OLD = MONDAY - timedelta(days=200)
POTTER = stored(entry("What the potter kept", OLD), 1)
TWIN = stored(episode("Episode 3: What the potter kept", OLD), 2)
HENS = stored(entry("Hens in winter", OLD), 3)
EVERYBODY = tuple(range(50))
HAVING = {"kiln": (1, 2), "potter": (1, 2), "village": EVERYBODY, "alone": (9,)}
WEIGHTS = {"kiln": 3.0, "potter": 2.0, "village": 3.0, "alone": 1.0}
LIKENESS = Similarity.from_terms(WEIGHTS, HAVING, 60)


def test_the_house_words_of_an_archive_say_nothing():
    """A word that more than every twelfth entry has is not compared; in a small archive four may share one."""
    assert set(LIKENESS.entry_ids) == {"kiln", "potter", "alone"}
    assert set(Similarity.from_terms(WEIGHTS, {"kiln": (1, 2, 3, 4), "village": (1, 2, 3, 4, 5)}, 6).entry_ids) == {
        "kiln"
    }


def test_a_storys_own_entries_are_no_candidates():
    """Nothing is related to itself; what shares most comes first."""
    assert candidates(LIKENESS, excluded={9}) == (2, 1)
    assert candidates(LIKENESS, excluded={1, 2, 9}) == ()


def test_what_cannot_be_near_enough_is_not_looked_at():
    """One word alone, or too little of the story's weight even at best: such entries are not read from the store."""
    assert candidates(Similarity.from_terms(WEIGHTS, {**HAVING, "lamp": (5,)}, 60), excluded=()) == (2, 1)
    assert candidates(Similarity.from_terms(WEIGHTS | {"alone": 90.0}, HAVING, 60), excluded=()) == ()


def test_a_post_and_its_episode_are_pointed_to_once():
    """Of two entries that tell one story, the nearer is shown."""
    assert rank_related(LIKENESS, [TWIN, POTTER], max_entries=3) == (TWIN,)


def test_one_word_in_common_is_an_accident():
    """Two at least; and what shares too little of the story's weight is not related either."""
    assert rank_related(LIKENESS, [HENS, stored(entry("Alone"), 9)], max_entries=3) == ()
    heavy = Similarity.from_terms(WEIGHTS | {"alone": 90.0}, HAVING, 60)
    assert rank_related(heavy, [POTTER], max_entries=3) == ()


def test_words_that_everybody_uses_do_not_tell():
    """Neither idle words nor numbers nor tags; a title's words weigh more than the text's."""
    found = key_terms([replace(entry("The potter and the kiln"), body_html="<p>We fired 1200 <b>pots</b> once.</p>")])
    assert {"the", "and", "1200", "once", "we"}.isdisjoint(found)
    assert found["kiln"] > found["pots"] > 0
    assert list(found)[:2] == ["kiln", "potter"]


SHELF = ArchiveFilter(
    opens_at=MONDAY, week="2026-W07", closed_at=MONDAY + timedelta(days=7), feed_ids=["blog", "podcast"]
)
ON_THE_SHELF = {
    "backlog": (stored(entry("a", OLD), backlog=True), True),
    "told before": (stored(entry("a", OLD), week="2025-W30"), True),
    "told later": (stored(entry("a", OLD), week="2026-W08"), False),
    "floating news": (stored(entry("a", OLD)), False),
    "of this week": (stored(entry("a", MONDAY), backlog=True), False),
    "seen too late": (stored(entry("a", OLD), backlog=True, first_seen_at=MONDAY + timedelta(days=8)), False),
    "undated": (stored(entry("a", OLD, dated_by="first_seen"), backlog=True), False),
    "a link": (stored(entry("a", OLD, feed="links"), backlog=True), False),
    "without a page": (stored(entry("a", OLD, url=""), backlog=True), False),
}


@pytest.mark.parametrize("case", ON_THE_SHELF)
def test_only_what_was_over_and_known_is_shown_again(case: str):
    """Archive, or told in an earlier week, dated, with a page, and there when the week was settled."""
    each, held = ON_THE_SHELF[case]
    assert SHELF.allows(each) is held


def test_what_the_editor_leaves_out_is_not_shown_again():
    """By its feed and guid, or its address, like any entry."""
    old = stored(entry("a", OLD), backlog=True)
    assert not replace(SHELF, excluded=(f"blog {old.entry.guid}",)).allows(old)
    assert not replace(SHELF, excluded=(f"blog {old.entry.url}",)).allows(old)
    assert replace(SHELF, excluded=("podcast a",)).allows(old)


def test_of_a_year_ago_the_post_is_shown_before_the_episode():
    """One piece at most."""
    post = stored(entry("Read", OLD), 1, backlog=True)
    heard = stored(episode("Hear", OLD - timedelta(days=1)), 2, backlog=True)
    assert choose_year_ago([heard, post], SHELF) == (post,)
    assert choose_year_ago([HENS], SHELF) == ()


def test_a_thin_week_is_not_filled_with_the_same_twice():
    """Each title once, none that is told already, and no more than there is room for."""
    again = stored(entry("hens in winter!", OLD), 7)
    assert choose_filler([POTTER, HENS, again], [POTTER], 3) == (HENS,)
    assert choose_filler([POTTER, HENS], [], 0) == ()


def selection(links: int, overrides: Overrides | None = None) -> Selection:
    kept = [stored(entry(f"L{n}", MONDAY, feed="links"), n) for n in range(links)]
    post = stored(entry("Post"), 100)

    def decided(each: StoredEntry) -> Decision:
        return Decision(feed_id=each.entry.feed_id, guid=each.entry.guid, title=each.entry.title, included=True,
                        reason="dated", published_at=MONDAY, entry_id=each.entry_id)  # fmt: skip

    groups = ((post,), *((each,) for each in kept))
    decisions = tuple(decided(group[0]) for group in groups)
    return Selection(stories=groups, decisions=decisions, overrides=overrides or Overrides())


def titles(found: Selection) -> list[str]:
    return [group[0].entry.title for group in found.stories]


def test_links_beyond_the_most_roll_on():
    """The first stay, the others are out with the reason and marked to be given up; posts are no links."""
    found = limit_links(selection(4), ["links"], max_links=2)
    assert titles(found) == ["Post", "L0", "L1"]
    assert found.carried_over == {2, 3}
    assert [each.included for each in found.decisions] == [True, True, True, False, False]
    assert "rolls on to the next" in found.decisions[-1].reason


def test_what_the_editor_wants_stays_and_counts():
    """Put back, ordered or written down: the room for the others is what is left."""
    wanted = Overrides(put_back=("links links:l3",), links=(EditorLink(url="https://own.example/"),))
    assert titles(limit_links(selection(4, wanted), ["links"], max_links=3)) == ["Post", "L0", "L3"]
    assert titles(limit_links(selection(4, wanted), ["links"], max_links=1)) == ["Post", "L3"]


def test_few_links_are_left_as_they_are():
    """Nothing is done where nothing is to be done."""
    few = selection(2)
    assert limit_links(few, ["links"], max_links=2) is few


def test_chapters_are_those_a_listener_sees():
    """Hidden ones, framing ones, repeated ones and what is no title are left out; at most eight are told."""
    many = ", ".join(f'{{"title": "C{n}"}}' for n in range(20))
    hidden = '{"title": "Hidden", "toc": false}, {"title": "Intro"}, {"title": 7}, "x", {"title": "C0"}'
    assert chapter_titles(f'{{"chapters": [{hidden}, {many}]}}'.encode()) == tuple(f"C{n}" for n in range(MAX_CHAPTERS))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"chapters": 7}' * 2, b"[" * 100_000])
def test_no_chapters_are_no_trouble(body: bytes):
    """Whatever else is at the address, there are none."""
    assert chapter_titles(body) == ()


OPENINGS = {
    "SubRip": (
        b"1\r\n00:00:01,000 --> 00:00:02,000\r\n<i>Hello</i> you.\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nAgain.",
        "text/srt",
    ),
    "WebVTT with notes": (
        b"WEBVTT\nKind: captions\n\nNOTE nobody says this\n\nSTYLE\n::cue {}\n\n"
        b"id\n00:01.000 --> 00:02.000 align:start\n<v Ada>Hello you.\nAgain.",
        "text/vtt",
    ),
    "plain": (b"Hello you. Again.", "text/plain"),
    "HTML": (b"<p>Hello you.</p><p>Again.</p>", "text/html"),
    "sounds": (b"WEBVTT\n\n00:01.000 --> 00:02.000\n[Music] Hello you. (laughs)\nAgain.", "text/vtt"),
}


@pytest.mark.parametrize("case", OPENINGS)
def test_a_transcript_opens_with_what_is_said(case: str):
    """Times, numbers, speakers' names, notes and noises are not said."""
    body, kind = OPENINGS[case]
    assert transcript_opening(body, kind) == ("Hello you. Again.",)


def test_a_page_without_words_about_itself_has_none():
    """Neither scripts nor comments are believed, and a hostile page costs no time."""
    page = b"<!-- <title>no</title> --><script>'<title>no</title>'</script><p>Hi</p>"
    assert read_metadata(page, "text/html", "https://h.example/x").title == ""
    assert read_metadata(b"<meta " * 200_000, "text/html", "https://h.example/x").url == "https://h.example/x"


def test_what_waits_in_quarantine_is_not_shown_again() -> None:
    """It may be what was told already, under another name; once accepted it is an older piece like any other."""
    shelf = ArchiveFilter(opens_at=MONDAY, week="2026-W07", closed_at=None, feed_ids=["blog"])
    old = replace(POTTER, archived=True)
    assert shelf.allows(old)
    assert not shelf.allows(replace(old, quarantined_at=MONDAY))
