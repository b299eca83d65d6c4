"""The right text of a story: the publisher's own summary if it is a real one, else the first real paragraph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.digest.compose.excerpts import ExcerptCache, opening_of
from pipeline.text.html import sanitise
from pipeline.text.markdown import to_plain
from pipeline.text.opening import MAX_WORDS, find_opening, is_beginning
from pipeline.text.passage_faults import Rank, find_fault
from pipeline.text.passages import Passage, split_passages
from tests.factories import entry

STORY = "The ferry waits for nobody, and nobody minds."
FAULTS = {
    "By Ada Marsh": "a byline",
    "By: Ada Marsh": "a byline",
    "Von Ida Brandt und Bo Lund": "a byline",
    "Text: Ida Brandt": "a byline",
    "By Bo Lund in Marsdal, 2026-02-09.": "a byline",
    "Ada Marsh": "half a sentence",
    "9 February 2026": "a date",
    "Posted on 07-15-2021": "a date",
    "Published: 9 Feb 2026": "a date",
    "Harbour notes": "the title again",
    "Episode 12: Harbour notes": "the title again",
    "Sponsored by Kettle & Co.": "a sponsor",
    "Werbung: Tee aus dem Norden.": "a sponsor",
    "Affiliate disclosure: I earn a little.": "a sponsor",
    "Visit Kettle!": "an invitation",
    "Thanks to Kettle & Co for sponsoring this episode!": "a sponsor",
    "This post contains affiliate links.": "a sponsor",
    "Get 10% off with the code TIDE.": "a sponsor",
    "Play in new window | Download": "a notice",
    "View fullsize": "a notice",
    "Weiterlesen und kommentieren": "a notice",
    "Tar came by sea appeared first on Pier Notes.": "a notice",
    "Leave a reply below and tell us.": "an invitation",
    "Back Me on Kettle": "half a sentence",
    "Names — oar grass, pier cress (Dan.), sea kale, scurvy leaf, tar weed": "a list",
    "Full transcript and show notes at tides.example": "a notice",
    "submitted by /u/oar [link] [comments]": "a notice",
    "Photo by Ida Brandt": "a byline",
    "Update 3 May: the ferry is back.": "a notice",
    "This post first appeared on another site.": "a notice",
    "This is the third part of a series.": "a notice",
    "Subscribe to the show and tell a friend.": "an invitation",
    "Follow us on all the usual networks.": "an invitation",
    "Visit our shop for more.": "an invitation",
    "https://tides.example/12": "an address",
    "1 | Tides 2 | Ropes 3 | Nets 4 | Oars": "a table of contents",
    "and then the rope broke.": "half a sentence",
    "What you will need:": "half a sentence",
    "- flour and salt": "a list",
    "Guest: Ida Brandt": "a label",
    "The long rope …": "half a sentence",
    "***": "no words",
}


@pytest.mark.parametrize(("text", "name"), FAULTS.items())
def test_faults_of_passages(text: str, name: str) -> None:
    """What is not the text of a story is recognised, and skipped for the paragraph after it."""
    assert find_fault(Passage("text", 0, 0, text), title="Harbour notes").name == name
    opening = find_opening(sanitise(f"<p>{text.replace('&', '&amp;')}</p><p>{STORY}</p>", ""), title="Harbour notes")
    assert opening.html == f"<p>{STORY}</p>"
    assert opening.reason == f"its second paragraph, after {name}"


@pytest.mark.parametrize(
    "text",
    [
        STORY,
        "By noon the harbour was full of smoke.",
        "By Monday the ferry had left.",
        "Sponsors are hard to find for a pier without a view.",
        "Werbung nervt, aber diese Plakate liebt die ganze Stadt.",
        "Visit the pier in winter and you will meet nobody.",
        "Listen: the rope is singing in the wind again tonight.",
        "In 2026 the tide came twice.",
        "Harbour notes are what pilots leave each other under the lamp.",
        "Von Mai bis Oktober fährt die Fähre jeden Tag.",
        "A wall of peas that nobody planted and everybody eats from",
        "塩と油と酸と熱。",
        "“Come in,” she said.",
        "tl;dr: the rope broke.",
        "Beacon — it was red, it was new, it was loud, it was ours, and it was lit.",
    ],
)
def test_prose_has_no_fault(text: str) -> None:
    """A sentence is not taken for a notice because of a word that notices begin with."""
    assert find_fault(Passage("text", 0, 0, text), title="Harbour notes").name == ""


@pytest.mark.parametrize(
    ("title", "text", "is_title"),
    [
        ("Harbour notes", "Harbour notes.", True),
        ("Harbour notes", "Harbour notes x.", True),
        ("Harbour notes", "Harbour notes xy.", False),
        ("Harbour notes", f"Harbour notes {'x' * 12}", True),  # twelve letters in the title
        ("Harbour notes", f"Harbour notes {'x' * 13}", False),
        ("Harbour's notes", f"Harbour’s notes {'x' * 30}", True),
        ("Harbour's notes", f"Harbour’s notes {'x' * 31}", False),
        ("Harbour notes", "HARBOUR, notes", True),
        ("Harbour notes", "arbour", False),  # half of it
        ("Harbour notes", "Harbour", True),
        ("Harbour notes", "…", False),
        ("…", "…", False),
        ("", "", False),
        ("Salt", "", False),
    ],
)
def test_the_title_again(title: str, text: str, is_title: bool) -> None:
    """With a few letters more, or most of it; a sentence is more than the title, unless it is nothing else."""
    assert (find_fault(Passage("text", 0, 0, text), title=title).name == "the title again") is is_title


def words(count: int) -> str:
    return " ".join(["Salt", *["and"] * (count - 1)])


@pytest.mark.parametrize(
    ("kind", "text", "after_picture", "name"),
    [
        ("text", words(8), False, ""),
        ("text", words(7), False, "half a sentence"),
        ("text", words(12), True, "a caption"),
        ("text", words(13), True, ""),
        ("text", f"Guest: {words(14)}", False, "a label"),
        ("text", f"Guest: {words(15)}", False, ""),
        ("text", f"{words(9)},", False, "half a sentence"),
        ("text", f"Salt. {words(9)},", False, ""),
        ("text", f"{words(7)}…", False, "half a sentence"),
        ("text", f"{words(8)}…", False, ""),
        ("text", f"Salt. {words(5)}…", False, ""),
        ("text", words(9).upper(), False, "a notice"),
        ("text", words(8).upper(), False, ""),
        ("text", "塩と油", False, ""),
        ("heading", f"{words(11)}.", False, "a heading"),
        ("heading", f"{words(12)}.", False, ""),
        ("text", f"{words(6)}. https://a.example/", False, "an address"),
        ("text", f"{words(7)}. www.a.example", False, ""),
        ("quote", f"{words(9)}.", False, "a quotation"),
        ("list", f"{words(9)}.", False, "a list"),
        ("rule", "", False, "a rule"),
        ("picture", "", False, "a picture"),
        ("table", f"{words(9)}.", False, "a table"),
        ("code", f"{words(9)}.", False, "a code"),
        ("text", "On 9 February 2026 at 10:00 the last of", False, ""),
        ("text", "1 | Tides 2 | Ropes 3 | Nets of the old harbour", False, "a label"),
    ],
)
def test_forms_of_passages(kind: str, text: str, after_picture: bool, name: str) -> None:
    """How many words make a sentence, a caption, a label, a heading or an address."""
    assert find_fault(Passage(kind, 0, 0, text), after_picture=after_picture).name == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "linked", "name"),
    [("list", 10, "a list"), ("list", 11, "a list of links"), ("text", 16, "half a sentence"), ("text", 17, "a link")],
)
def test_passages_of_links(kind: str, linked: int, name: str) -> None:
    """More than half of a list, or four fifths of a line."""
    text = "Salt came by the old sea x"
    assert len(text.replace(" ", "")) == 20
    assert find_fault(Passage(kind, 0, 0, text, linked)).name == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "author", "is_byline"),
    [
        ("Ada Marsh", "Ada Marsh", True),
        ("ADA MARSH", "Ada Marsh", True),
        ("Ada Marsh of the harbour and its boats", "Ada Marsh", True),
        ("Ada Marsh of the harbour and its old boats", "Ada Marsh", False),
        ("Ada Marsh came by sea.", "Ada Marsh", False),
        ("Ada Marsh, 9 Feb.", "Ada Marsh", True),
        ("Bo Lund", "Ada Marsh", False),
        ("By Bo Lund in Marsdal, 1926.", "", True),
        ("By Bo Lund in Marsdal, 26.", "", False),
    ],
)
def test_bylines(text: str, author: str, is_byline: bool) -> None:
    """The author and at most six words more, no sentence unless it has a date."""
    assert (find_fault(Passage("text", 0, 0, text), author=author).name == "a byline") is is_byline


@pytest.mark.parametrize(
    ("body", "summaries", "shown"),
    [
        (
            f"<p>{STORY}</p>",
            ["A town and its ferry, over one long summer of repairs, told by its pilots."],
            "A town and",
        ),
        (f"<p>{STORY}</p>", ["Six drafts"], STORY),  # no sentence
        (f"<p>{STORY}</p>", ["By Ada Marsh", "How a town waits."], "How a town waits. The ferry"),  # the subtitle
        (f"<p>By Ada</p><p>{STORY}</p>", ["By Ada The ferry waits for nobody, and …"], STORY),  # the body again
        (f"<h2>Tides</h2><p>{STORY}</p><p>Sponsored by Kettle.</p><p>More.</p>", [], STORY),
        (f"<p>{STORY}</p><p>Sponsors:</p><ul><li>Kettle &amp; Co</li></ul>", [], STORY),
        (f"<p>{STORY}</p><h2>Links</h2><ul><li><a href='https://a.example/'>One</a></li></ul>", [], STORY),
        ("<ul><li>flour</li><li>salt</li></ul><p>See?</p>", [], "flour salt"),  # the list is the story
        ("<h3>We looked at all the ferries of the coast, and we found that one is enough.</h3>", [], "We looked"),
        (f"<table><tr><td>Type: Boat<br>Price: 3</td></tr><tr><td><p>{STORY}</p></td></tr></table>", [], STORY),
        ("<table><tr><th>a</th></tr><tr><td>1<br>2</td></tr></table>", [], ""),
        (f"<p><img src='https://a.example/1.jpg'></p><p>The slipway</p><p>{STORY}</p>", [], STORY),
        (
            "<p>submitted by <a href='https://a.example/'>/u/oar</a><br><a href='https://a.example/1'>[link]</a></p>",
            [],
            "",
        ),
        ("<p>The rope</p>", [], "The rope"),
        ("<p>Parts:<br>https://a.example/1<br>Plans:<br>https://a.example/2</p>", [], ""),
        ("<p>Ada finds a rope, a lamp, two keys to the old pier and much more…</p><p>So.</p>", [], "Ada finds"),
        ("", [], ""),
        (
            "<p>The rope broke at noon, and with it the day.</p><p><b>Why it broke</b></p><p>It was blue.</p>",
            [],
            "The rope broke at noon, and with it the day. It was blue.",
        ),
        (
            "<p>It is a rope that I use to tie all of our boats to the pier on Mondays:</p><p>Knots hold.</p>",
            [],
            "It is a",
        ),
        (
            "<p>Our town had no ferry and no rope to mend it with.</p>",
            ["It was a good one to have."],
            "It was a good one to have. Our",
        ),
        (f"<p>{STORY}</p><ol><li>Rope:</li></ol><p>It is blue.</p>", [], STORY),  # a heading, written as a list
        (f"<p>{STORY}</p><p>1. Rope:<br>It is blue.</p>", [], STORY),
        ("<p>Subscribe here…</p>", [], ""),  # a button, and nothing else
        ("<p>Subscribe here, if you want to hear about tar.</p>", [], "Subscribe here, if"),
        (
            "<p>All of the ropes that we ever mended at the pier</p><p>by hand are blue. Tar is not.</p>",
            [],
            "All of the ropes that we ever mended at the pier by hand are blue. Tar",
        ),
    ],
)
def test_the_right_text_is_chosen(body: str, summaries: list[str], shown: str) -> None:
    """The summary comes first if it is a sentence that the body does not begin with."""
    html = sanitise(body, "https://a.example/")
    text = to_plain(ExcerptCache().get([entry("Harbour notes", body_html=html)], 60)) if not summaries else ""
    found = find_opening(html, title="Harbour notes", summaries=tuple(summaries)).html
    plain = " ".join(passage.text for passage in split_passages(found))
    assert plain.startswith(shown) if shown else plain == ""
    assert summaries or text.startswith(shown)


def test_the_better_entry_of_a_story_gives_its_text() -> None:
    """A post that only announces its episode leaves the text to the episode."""
    post = entry("Tides", body_html="<p>Listen to the episode now.</p><p>Subscribe to the show!</p>")
    audio = entry("Tides", feed="podcast", body_html=f"<p>{STORY}</p>")
    assert opening_of([post, audio]).entry_index == 1
    assert opening_of([audio, post]).entry_index == 0
    assert ExcerptCache().get([post, audio], 30) == STORY


def test_a_note_without_a_body_is_shown_as_it_is() -> None:
    """What an editor writes about a link is not judged."""
    link = entry("Tides", body_html="", excerpt_text="Sponsored by nobody")
    assert ExcerptCache().get([link], 30) == "Sponsored by nobody"


def test_openings_are_short() -> None:
    """However long a body is, only its beginning is converted, up to the next heading."""
    paragraph = f"<p>{STORY * 5}</p>"
    assert len(find_opening(paragraph * 100).html.split()) < 2 * MAX_WORDS
    assert find_opening(f"{paragraph}<h2>Next</h2><p>More of it.</p>").html == paragraph


@pytest.mark.parametrize(
    ("summary", "expected"), [("Salt came by sea, and rope by land. More.", True), ("Rope came by land.", False)]
)
def test_a_summary_may_repeat_the_body(summary: str, expected: bool) -> None:
    """Titles, bylines and pictures before the text do not hide that."""
    html = "<h1>Salt</h1><p>By Ada</p><p>Salt <em>came</em> by sea, and rope by land. And so on.</p>"
    assert is_beginning(summary, html) == expected


@given(st.lists(st.sampled_from([*FAULTS, STORY, "<ul><li>oar</li></ul>", "<h2>Oars</h2>", "<hr>", "x<br>y"])))
def test_a_sentence_is_always_found(parts: list[str]) -> None:
    """Whatever stands around it, a body with a sentence of its own begins with one; no shown text is a bad one."""
    html = sanitise("".join(f"<p>{part}</p>" if not part.startswith("<") else part for part in parts), "")
    opening = find_opening(html, title="Harbour notes")
    assert (opening.html != "") == (opening.rank < Rank.BAD)
    if STORY in parts:
        before = html[: html.index(STORY)]
        assert opening.rank == Rank.GOOD or before.endswith(":</p><p>")
