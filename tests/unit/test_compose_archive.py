"""Related and older content, the limit of links, and metadata of pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.digest.compose.archive import ArchiveFilter, choose_filler, choose_year_ago
from pipeline.digest.compose.related import (
    MAX_TERMS,
    KeyTerms,
    OlderStories,
    RankedEntry,
    Similarity,
    candidates,
    distribute_related,
    key_terms,
    rank_related,
)
from pipeline.digest.selection.select import Selection, limit_links
from pipeline.ingest.webpage import read_metadata
from pipeline.model.digest import Decision
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import StoredEntry
from tests.factories import MONDAY, entry, episode, stored

OLD = MONDAY - timedelta(days=200)
POTTER = stored(entry("What the potter kept", OLD), 1)
TWIN = stored(episode("Episode 3: What the potter kept", OLD), 2)
HENS = stored(entry("Hens in winter", OLD), 3)
EVERY_ID = tuple(range(50))
ENTRY_IDS = {"kiln": (1, 2), "potter": (1, 2), "glaze": (1, 2), "village": EVERY_ID, "alone": (9,)}
WEIGHTS = {"kiln": 3.0, "potter": 2.0, "glaze": 1.0, "village": 3.0, "alone": 1.0}


def similarity(
    weights: dict[str, float] = WEIGHTS,
    ids: dict[str, tuple[int, ...]] = ENTRY_IDS,
    title: str = "Potter",
    total: int = 60,
) -> Similarity:
    """Return the similarity of a story that has these terms, and some of them in its title."""
    terms = KeyTerms(weights=weights, prominent=key_terms([entry(title)]).prominent)
    return Similarity.from_terms(terms, ids, total)


SIMILARITY = similarity()


def test_common_words_are_ignored():
    """A word in more than a twelfth of all entries is not compared; in a small archive four may share one."""
    assert set(SIMILARITY.entry_ids) == {"kiln", "potter", "glaz", "alon"}
    small = {"kiln": (1, 2, 3, 4), "village": (1, 2, 3, 4, 5)}
    assert set(similarity(ids=small, total=6).entry_ids) == {"kiln"}


def test_forms_of_a_word_are_one_term():
    """The index finds each form for the other; counted twice, one shared word would look like two."""
    forms = similarity({"jar": 1.0, "jars": 2.0}, {"jar": (1,), "jars": (1,)})
    assert list(forms.entry_ids) == ["jar"]


def test_a_storys_own_entries_are_not_candidates():
    """Nothing is related to itself; the entry that shares most comes first."""
    assert candidates(SIMILARITY, excluded={9}) == (2, 1)
    assert candidates(SIMILARITY, excluded={1, 2, 9}) == ()


def test_entries_that_share_too_little_are_not_candidates():
    """An entry that shares few words, or too little weight at best, is not loaded from the store."""
    assert candidates(similarity(ids={**ENTRY_IDS, "lamp": (5,)}), excluded=()) == (2, 1)
    assert candidates(similarity(WEIGHTS | {"alone": 90.0}), excluded=()) == ()


def ranked(of: Similarity, *entries: StoredEntry) -> list[StoredEntry]:
    return [one.stored for one in rank_related(of, entries)]


UNRELATED = {
    "one shared word": (SIMILARITY, stored(entry("Alone"), 9)),
    "too little of the weight": (similarity(WEIGHTS | {"alone": 90.0}), POTTER),
    "shared words in the texts alone": (similarity(title="Hens"), stored(entry("What was kept"), 1)),
}


@pytest.mark.parametrize("case", UNRELATED)
def test_no_related_entry_is_better_than_a_wrong_one(case: str):
    """Three words are needed, enough of the weight, and a title, a category or a guest that names one of them."""
    story, unrelated = UNRELATED[case]
    assert ranked(story, unrelated) == []
    assert ranked(SIMILARITY, POTTER) == [POTTER]


def test_words_count_by_where_they_are():
    """A word in both titles says more than one in a title and a text, and that more than one in both texts."""
    of_title, of_text = stored(entry("Potter, kiln, glaze"), 1), stored(entry("Kept"), 2)
    shares = [rank_related(similarity(title=title), [of_title, of_text]) for title in ("Potter", "Potter, kiln, glaze")]
    assert [[one.stored for one in share] for share in shares] == [[of_title, of_text]] * 2
    assert shares[1][0].share > shares[0][0].share > shares[0][1].share


def test_an_older_story_is_related_to_the_most_similar_story_alone():
    """Each at most once in a digest, a post and its episode counting as one; the others of a story move up."""
    hens = RankedEntry(0.3, HENS)
    fits = {7: [RankedEntry(0.4, POTTER), hens], 8: [RankedEntry(0.5, TWIN), RankedEntry(0.2, HENS)]}
    assert distribute_related(fits, max_entries=2) == {7: (HENS,), 8: (TWIN,)}
    assert distribute_related(fits, [HENS], max_entries=2) == {7: (), 8: (TWIN,)}
    assert distribute_related({7: fits[7]}, max_entries=1) == {7: (POTTER,)}


def test_stop_words_are_not_key_terms():
    """Stop words, numbers, tags and URLs are ignored; words of the title weigh more than those of the text."""
    text = "<p>We fired 1200 <b>pots</b> once: https://shop.example/pots?ref=77x www.clay.example</p>"
    found = key_terms([replace(entry("The potter and the kiln"), body_html=text)])
    assert {"the", "and", "1200", "once", "we", "https", "shop", "77x", "www", "clay"}.isdisjoint(found.weights)
    assert found.weights["kiln"] > found.weights["pots"] > 0
    assert list(found.weights)[:2] == ["kiln", "potter"]
    assert found.prominent == {"kiln", "potter"}


def test_weights_of_key_terms():
    """A title counts three times, categories and guest twice; what is repeated counts less each time."""
    post = replace(
        entry("Kiln potter"), categories=("Glaze",), guest="Ada Finch", body_html="<p>village village kiln</p>"
    )
    weights = key_terms([post]).weights
    assert {term: round(weight, 3) for term, weight in weights.items()} == {
        "kiln": 2.386, "potter": 2.099, "village": 1.693, "ada": 1.693, "finch": 1.693, "glaze": 1.693,
    }  # fmt: skip
    assert list(weights) == ["kiln", "potter", "ada", "finch", "glaze", "village"]
    both = key_terms([post, replace(entry("Kiln"), excerpt_text="village lamp")])
    assert {term: round(both.weights[term], 3) for term in ("kiln", "potter", "lamp")} == {
        "kiln": 2.253, "potter": 1.405, "lamp": 0.5,
    }  # fmt: skip
    assert both.prominent == {"kiln", "potter", "glaz", "ada", "finch"}
    assert len(key_terms([entry(" ".join(f"word{number}x" for number in range(40)))]).weights) == MAX_TERMS
    assert "lamp" not in key_terms([replace(entry("Kiln"), excerpt_text="lamp", body_html="<p>x</p>")]).weights
    assert "lamp" not in key_terms([replace(entry("Kiln"), body_html="<i>" + " " * 4000 + "lamp")]).weights


def test_how_rare_a_term_is():
    """A term that few of all entries have counts more."""
    terms = KeyTerms(weights={"kiln": 2.0, "potter": 1.0, "gone": 9.0}, prominent=frozenset())
    found = Similarity.from_terms(terms, {"kiln": (1, 2), "potter": [3], "other": (1,), "gone": ()}, 60)
    assert {stem: round(weight, 3) for stem, weight in found.weights.items()} == {"kiln": 6.868, "potter": 4.111}
    assert found.entry_ids == {"kiln": {1, 2}, "potter": {3}}
    terms = KeyTerms(weights={"kiln": 1.0}, prominent=frozenset())
    for count, total, known in ((4, 1, True), (5, 59, False), (5, 60, True), (6, 71, False), (6, 72, True)):
        assert bool(Similarity.from_terms(terms, {"kiln": range(count)}, total).weights) is known


def test_candidates_are_few():
    """Those that share most come first, the newest of equals; twelve at most."""
    ids = {term: tuple(range(1, 15)) for term in ("kiln", "potter", "glaze")} | {"village": (3,)}
    found = candidates(similarity(ids=ids, total=600), excluded=())
    assert found == (3, *range(14, 3, -1))
    three = {"kiln": 0.05, "potter": 0.05, "glaze": 0.05, "alone": 0.85}
    ids = {"kiln": (1,), "potter": (1,), "glaze": (1,), "alone": (9,)}
    assert candidates(similarity(three | {"alone": 0.84}, ids), excluded=()) == (1,)
    assert candidates(similarity(three | {"alone": 0.86}, ids), excluded=()) == ()


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("What the potter kept", "what the POTTER kept!", True),
        ("What the potter kept", "Kept by the potter, and sold", True),
        ("Kept by the potter, and sold", "What the potter kept", True),
        ("Potter", "What the potter kept", False),
        ("What the potter kept", "What the potter sold", False),
        ("And so on", "Why not", False),
    ],
)
def test_older_stories_are_known_by_their_titles(first: str, second: str, is_same: bool):
    """Equal ones, or all words of one in the other if they are two or more."""
    known = OlderStories([stored(entry(first, OLD), 1)])
    assert known.add(stored(entry(second, OLD), 2)) is not is_same
    assert known.add(stored(entry("Reeds", OLD), 1)) is False
    assert known.add(stored(entry("Reeds", OLD), 3)) is False


FILTER = ArchiveFilter(
    opens_at=MONDAY, week="2026-W07", closed_at=MONDAY + timedelta(days=7), feed_ids=["blog", "podcast"]
)
FILTERED = {
    "archived": (stored(entry("a", OLD), archived=True), True),
    "published before": (stored(entry("a", OLD), assigned_week="2025-W30"), True),
    "published later": (stored(entry("a", OLD), assigned_week="2026-W08"), False),
    "news": (stored(entry("a", OLD)), False),
    "of this week": (stored(entry("a", MONDAY), archived=True), False),
    "seen too late": (stored(entry("a", OLD), archived=True, first_seen_at=MONDAY + timedelta(days=8)), False),
    "undated": (stored(entry("a", OLD, dated_by="first_seen"), archived=True), False),
    "a link": (stored(entry("a", OLD, feed="links"), archived=True), False),
    "without a page": (stored(entry("a", OLD, url=""), archived=True), False),
}


@pytest.mark.parametrize("case", FILTERED)
def test_archive_filter(case: str):
    """Only archived or published entries of earlier weeks, dated, with a page, and known when the week was closed."""
    entry, allowed = FILTERED[case]
    assert FILTER.allows(entry) is allowed


def test_entries_the_editor_leaves_out_are_not_shown_again():
    """They are named by feed and guid, or by URL, like any entry."""
    old = stored(entry("a", OLD), archived=True)
    assert not replace(FILTER, excluded=(f"blog {old.entry.guid}",)).allows(old)
    assert not replace(FILTER, excluded=(f"blog {old.entry.url}",)).allows(old)
    assert replace(FILTER, excluded=("podcast a",)).allows(old)


def test_of_a_year_ago_a_post_is_preferred():
    """One entry at most."""
    post = stored(entry("Read", OLD), 1, archived=True)
    heard = stored(episode("Hear", OLD - timedelta(days=1)), 2, archived=True)
    assert choose_year_ago([heard, post], FILTER) == (post,)
    assert choose_year_ago([HENS], FILTER) == ()


def test_of_a_year_ago_nothing_is_shown_again():
    """What a story of the digest is related to stays there, and so does its episode."""
    post, other = (
        stored(entry(title, OLD), number, archived=True) for number, title in enumerate(("Bread", "Reeds"), 1)
    )
    twin = stored(episode("Episode 9: Bread", OLD, episode=9), 3)
    assert choose_year_ago([post, other], FILTER, [twin]) == (other,)
    assert choose_year_ago([post], FILTER, [post]) == ()


def test_filler_has_no_duplicates():
    """Each title once, none that is already shown, and no more than the maximum."""
    again = stored(entry("hens in winter!", OLD), 7)
    assert choose_filler([POTTER, HENS, again], [POTTER], 3) == (HENS,)
    assert choose_filler([POTTER, HENS], [], 0) == ()


def selection(links: int, overrides: Overrides | None = None) -> Selection:
    links_stored = [stored(entry(f"L{n}", MONDAY, feed="links"), n) for n in range(links)]
    post = stored(entry("Post"), 100)

    def decision(one: StoredEntry) -> Decision:
        return Decision(feed_id=one.entry.feed_id, guid=one.entry.guid, title=one.entry.title, included=True,
                        reason="dated", published_at=MONDAY, entry_id=one.entry_id)  # fmt: skip

    stories = ((post,), *((link,) for link in links_stored))
    decisions = tuple(decision(story[0]) for story in stories)
    return Selection(stories=stories, decisions=decisions, overrides=overrides or Overrides())


def titles(found: Selection) -> list[str]:
    return [story[0].entry.title for story in found.stories]


def test_links_beyond_the_limit_carry_over():
    """The oldest are kept, the others left out with the reason; posts do not count as links."""
    found = limit_links(selection(4), ["links"], max_links=2)
    assert titles(found) == ["Post", "L0", "L1"]
    assert found.carried_over == {2, 3}
    assert [decision.included for decision in found.decisions] == [True, True, True, False, False]
    assert found.decisions[-1].reason.endswith("; an edition has at most 2 links: it carries over to the next")


def test_links_of_the_editor_are_kept_and_count():
    """Links that are put back, ordered or written in the file leave fewer places for the others."""
    overrides = Overrides(put_back=("links links:l3",), links=(EditorLink(url="https://own.example/"),))
    assert titles(limit_links(selection(4, overrides), ["links"], max_links=3)) == ["Post", "L0", "L3"]
    assert titles(limit_links(selection(4, overrides), ["links"], max_links=1)) == ["Post", "L3"]


def test_few_links_are_unchanged():
    """Below the limit the selection is returned as it is."""
    few = selection(2)
    assert limit_links(few, ["links"], max_links=2) is few


@pytest.mark.parametrize(
    ("page", "title", "description", "url"),
    [
        ("<title>Salt &amp; fat</title><meta name=description content='By sea.'>", "Salt & fat", "By sea.", ""),
        (
            "<title>T</title><META Property='OG:Title' CONTENT='Open'><meta name='twitter:title' content='Tweet'>",
            "Open", "", "",
        ),
        ("<title>T</title><meta name='twitter:title' content='Tweet'>", "Tweet", "", ""),
        ("<title>T</title><meta property='og:title' content=' '>", "T", "", ""),
        ("<title>One</title><title>Two</title>", "One", "", ""),
        (
            "<meta name='twitter:description' content='C.'><meta name='description' content='B.'>"
            "<meta property='og:description' content='<b>A</b>.'>",
            "", "A.", "",
        ),
        ("<meta name='twitter:description' content='C.'><meta name='description' content='B.'>", "", "B.", ""),
        (f"<meta name=description content='{'Salt. ' * 40}'>", "", " ".join(["Salt."] * 30), ""),
        ("<meta name='description'>", "", "", ""),
        ("<link rel='CANONICAL' href='/salt'>", "", "", "https://h.example/salt"),
        ("<link rel=canonical href='https://www.h.example/salt'>", "", "", "https://www.h.example/salt"),
        ("<link rel=canonical href='https://other.example/salt'>", "", "", ""),
        ("<link rel=canonical>", "", "", ""),
        ("<link rel=stylesheet href='/a.css'>", "", "", ""),
        ("<!-- <title>No</title> --><script>'<title>No</title>'</script><title>Yes</title>", "Yes", "", ""),
    ],
)  # fmt: skip
def test_metadata_of_a_page(page: str, title: str, description: str, url: str):
    """For other sites before the page's own; an address on another site is not believed."""
    found = read_metadata(page.encode(), "text/html; charset=utf-8", "https://h.example/x?utm_source=y")
    assert (found.title, found.description, found.url) == (title, description, url or "https://h.example/x")


def test_a_page_without_metadata():
    """Scripts and comments are ignored, and a hostile page costs no time."""
    page = b"<!-- <title>no</title> --><script>'<title>no</title>'</script><p>Hi</p>"
    assert read_metadata(page, "text/html", "https://h.example/x").title == ""
    assert read_metadata(b"<meta " * 200_000, "text/html", "https://h.example/x").url == "https://h.example/x"


def test_quarantined_entries_are_not_shown_again() -> None:
    """They may be known entries under another name; once released they count as archive."""
    archive_filter = ArchiveFilter(opens_at=MONDAY, week="2026-W07", closed_at=None, feed_ids=["blog"])
    old = replace(POTTER, archived=True)
    assert archive_filter.allows(old)
    assert not archive_filter.allows(replace(old, quarantined_at=MONDAY))
