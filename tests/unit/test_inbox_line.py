"""The inbox line: headlines, and a subject and preheader that are composed together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.digest.compose.inbox_line import InboxLine, compose_inbox_line
from pipeline.digest.render.translations import translator_for
from pipeline.model.digest import Story
from pipeline.text.headlines import clean_headline, cut_headline, display_width, shorten_headline, without_name
from pipeline.text.similarity import shared_clause
from tests.factories import entry
from tests.golden.locales import ARABIC
from tests.golden.sample import PUBLICATION, SAMPLE

LEAD = "Set the table for the people you have"
SENTENCE = "Every winter the ferry stops for eleven weeks and the island has to feed itself."


def story(title: str, kind: str = "post", **more: object) -> Story:
    return Story(kind=kind, title=title, url="https://h.example/", entries=(entry(title),), **more)  # type: ignore[arg-type]


def line(*stories: Story, language: str = "en", **more: str) -> InboxLine:
    return compose_inbox_line(stories, PUBLICATION, translator_for(language), **more)


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("Ep. 31 - Tar and feathers", "Tar and feathers"), ("EP31: Tar and feathers", "Tar and feathers"),
        ("#31: Tar and feathers", "Tar and feathers"), ("S2E5 Tar and feathers", "Tar and feathers"),
        ("Season 2, Episode 5 – Tar and feathers", "Tar and feathers"), ("Folge 31 | Teer", "Teer"),
        ("31 - Tar and feathers", "Tar and feathers"), ("271: Tar", "Tar"),
        ("The Tar Pit #31 (Feathers)", "Feathers"), ("2.05- Tar and feathers", "Tar and feathers"),
        ("1984: a year of tar", "1984: a year of tar"), ("5 ways to boil tar", "5 ways to boil tar"),
        ("Tar and feathers (Ep. 31)", "Tar and feathers"), ("Tar and feathers | Episode 31", "Tar and feathers"),
        ("[Podcast] Tar and feathers", "Tar and feathers"), ("New Episode: Tar", "Tar"), ("Podcast: Tar", "Tar"),
        ("The Tar Pit #31: Feathers", "Feathers"), ("Feathers - The Tar Pit Podcast", "Feathers"),
        ("The Tar Pit", "The Tar Pit"), ("Podcast – Ep. 31 – The Tar Pit – Feathers", "Feathers"),
        ("9 February 2026: Tar", "Tar"), ("2026-02-09 Tar", "2026-02-09 Tar"), ("Tar – Feb 9, 2026", "Tar"),
        ("Notes from the quay (09/02/2026)", "Notes from the quay"), ("9. Februar 2026 | Teer", "Teer"),
        ("Tar and feathers.", "Tar and feathers"), ("Tar…", "Tar…"), ("Meet me at 5 p.m.", "Meet me at 5 p.m."),
        ("第31回 港町の朝ごはん", "第31回 港町の朝ごはん"), ("第31回：港町の朝ごはん", "港町の朝ごはん"),
        ("2026年2月9日 | 港町の朝", "港町の朝"), ("Episode 31", "Episode 31"), ("", ""), (" #31 ", "#31"),
        ("Season's end: a list", "Season's end: a list"), ("A – B – C", "A – B – C"),
    ],
)  # fmt: skip
def test_headlines_say_what_a_title_is_about(title: str, headline: str) -> None:
    """Numbers, dates, labels and names of shows leave both ends of a title, unless nothing would be left."""
    assert clean_headline(title, ["The Tar Pit"], is_episode=True) == headline


def test_a_number_in_front_of_a_post_is_its_own() -> None:
    """Only episodes are numbered without a word that says so."""
    assert clean_headline("31 - Tar") == "31 - Tar"


@pytest.mark.parametrize(
    ("headline", "width", "shorter"),
    [
        ("Tar: how a town lost its boat", 60, "Tar: how a town lost its boat"),
        ("Tar and feathers: how a town lost its boat", 20, "Tar and feathers"),
        ("Harbour: “Where did it go? Nobody will say” (part 2)", 45, "Harbour: “Where did it go? Nobody will say”"),
        ("Harbour news: “Where did it go? Nobody will say”", 36, "Harbour news"),
        ("Where did the boat go? Nobody in town will say", 30, "Where did the boat go?"),
        ("How a town of eleven houses lost its boat (part 2)", 45, "How a town of eleven houses lost its boat"),
        ("How a town of eleven houses lost its only boat", 20, ""),
        ("Oars against sails: the tar vs. rope trials of the harbour", 40, "Oars against sails"),
        ("港町の朝ごはん：塩と油と酸と熱のこと", 20, "港町の朝ごはん"),
    ],
)
def test_headlines_are_shortened_at_a_clause(headline: str, width: int, shorter: str) -> None:
    """A headline that is too wide keeps its first clauses; half a clause is never kept."""
    assert shorten_headline(headline, width) == shorter


@pytest.mark.parametrize(
    ("headline", "width", "cut"),
    [
        ("Tar and feathers", 16, "Tar and feathers"),
        ("Tar and feathers", 15, "Tar…"),
        ("Tar and feathers in", 17, "Tar and feathers…"),
        ("Tar and, feathers", 9, "Tar and…"),
        ("Tarandfeathers", 8, "Tarandf…"),
        ("A featherweight", 8, "A feath…"),
        ("塩と油と酸と熱", 9, "塩と油と…"),
        ("塩と油と酸と熱", 2, "…"),
        ("Tar", 1, "…"),
    ],
)
def test_where_a_headline_is_cut(headline: str, width: int, cut: str) -> None:
    """After a whole word, unless more than half of the width would be lost."""
    assert cut_headline(headline, width) == cut


@given(st.text(max_size=200), st.integers(8, 60))
@settings(deadline=None)
def test_a_cut_headline_fits(text: str, width: int) -> None:
    """It is never wider, and unless it is whole it ends in an ellipsis."""
    cut = cut_headline(text, width)
    assert display_width(cut) <= width
    assert cut == text or (cut[-1] == "…" and text.startswith(cut[:-1]))


@pytest.mark.parametrize(
    ("headline", "width", "words", "cut"),
    [
        ("Why the ferry never waits for the post of the island", 50, 7, "Why the ferry never waits…"),
        ("Tar for all of the boats", 16, 100, "Tar for all…"),
        ("Tar for all of the boats", 60, 6, "Tar for all of the boats"),
        ("Of the", 60, 1, "Of…"),
    ],
)
def test_a_cut_headline_ends_where_it_may(headline: str, width: int, words: int, cut: str) -> None:
    """No preposition or article that needs another word stands before the ellipsis."""
    assert cut_headline(headline, width, words) == cut


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("The Tar Pit - Feathers at last", "Feathers at last"), ("Feathers at last | Tar Pit", "Feathers at last"),
        ("The Tar Pit – Episode 31", "The Tar Pit – Episode 31"), ("The Tar Pit", "The Tar Pit"),
        ("The Tar Pit #31 – Feathers", "The Tar Pit #31 – Feathers"), ("Who dug the Tar Pit?", "Who dug the Tar Pit?"),
        ("Tar Pit Podcast: Feathers", "Tar Pit Podcast: Feathers"), ("", ""),
    ],
)  # fmt: skip
def test_a_title_need_not_name_its_feed(title: str, bare: str) -> None:
    """Its name leaves either end of a title, whole, if the rest is more than a number."""
    assert without_name(title, "The Tar Pit") == bare
    assert without_name(title, "") == title


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("Salt roads: a walk", "Also: A WALK · Bread", "a walk"),
        ("Set the table for two", "Why we set the table for two or more", "set the table for two"),
        ("We set a table for all the others", "Why we set a table for all I like", "we set a table for all"),
        ("Salt and smoke", "Smoke and salt", ""), ("Bread", "Bread and salt", ""), ("", "", ""), ("A · B", "A", ""),
        ("港町の朝ごはん", "今週は、港町の朝ごはん。", "港町の朝ごはん"), ("塩の道", "塩と油の道", ""),
    ],
)  # fmt: skip
def test_shared_clauses(one: str, other: str, shared: str) -> None:
    """A clause of both, one of three words that the other contains, or six words in a row."""
    assert shared_clause(one, other) == shared
    assert bool(shared_clause(other, one)) == bool(shared)


@pytest.mark.parametrize(
    ("stories", "subject"),
    [
        ([story(LEAD), story("Salt")], LEAD),
        ([story("31 - Tar and a boat that nobody wanted", "read-or-listen")], "Tar and a boat that nobody wanted"),
        ([story("31 - Tar and a boat that nobody wanted")], "31 - Tar and a boat that nobody wanted"),
        ([story("Tar", "read-or-listen", guest="Ada Finch"), story("Bread")], "Tar, with Ada Finch · Bread"),
        ([story("Tar", guest="Ada Finch"), story("Bread")], "Tar · Bread"),
        ([story("Tar!", "episode", guest="Ada Finch"), story("Bread")], "Tar! · Bread"),
        ([story("Why ADA FINCH boils tar", "episode", guest="Ada Finch")], "Why ADA FINCH boils tar"),
        ([story("How Penhallow lost its only boat: a story of tar, feathers and eleven houses by the sea")],
         "How Penhallow lost its only boat"),
        ([story("How the town of Penhallow lost the only boat that anybody had ever made it (part 2)")],
         "How the town of Penhallow lost the only boat that anybody had ever made it"),
        ([story("Lost: how the town of Penhallow waited eleven winters for its only ferry")],
         "Lost: how the town of Penhallow waited eleven winters for its only ferry"),
        ([story("Salt"), story("Bread on a stone")], "Salt · Bread on a stone"),
        ([story("Tar", "episode", guest="Ada Finch"), story("Bread")], "Tar, with Ada Finch · Bread"),
        ([story("A boat", "episode", guest="Ada Finch of Penhallow")], "A boat, with Ada Finch of Penhallow"),
        ([story("Ep. 31 - Tar and a boat that nobody wanted", "episode")], "Tar and a boat that nobody wanted"),
        ([story("Tides of the western coast", "link"), story(LEAD)], LEAD),
        ([story("Tides of the western coast", "link")], "Tides of the western coast"),
        ([story("x " * 40), story(LEAD)], LEAD),
        ([story("🌊")], "Harbour & Hearth: 🌊"),
        ([story("")], "Harbour & Hearth"),
        ([], "Harbour & Hearth"),
        ([story("Bread")], "Harbour & Hearth: Bread"),
        ([story("A town of eleven houses and its boat: " + "how it was lost and found and lost again " * 3)],
         "A town of eleven houses and its boat"),
    ],
)  # fmt: skip
def test_the_subject_is_the_lead_storys_headline(stories: list[Story], subject: str) -> None:
    """A short one is followed by its guest or the next; links lead only if there is nothing else."""
    assert line(*stories).subject == subject


@pytest.mark.parametrize(
    ("stories", "preheader"),
    [
        (
            [story(LEAD), story("Salt roads that nobody walked since the war", "episode", guest="Ada Finch"),
             story("a", "link"), story("b", "link")],
            "Also: Salt roads that nobody walked since the war, with Ada Finch · 2 useful links",
        ),
        ([story(LEAD), story(f"{'x ' * 60}."), story(f"{'y ' * 40}end"), story("a", "link")],
         f"Also: {'y ' * 40}end · a useful link"),
        ([story(LEAD, excerpt_md=f"{SENTENCE}\n\n- salt\n- *tar*"), story("Salt")], f"{SENTENCE} Also: Salt"),
        ([story(LEAD, excerpt_md=SENTENCE)], SENTENCE),
        ([story(LEAD), story("Salt", excerpt_md=SENTENCE)], f"Also: Salt – {SENTENCE}"),
        ([story(LEAD, excerpt_md=f"In this post: {LEAD}.", reading_minutes=3)],
         f"This week: a post · 3 minutes to read – {PUBLICATION.tagline}"),
        ([story(LEAD, "episode", duration_seconds=2520)], f"This week: an episode · 42 min – {PUBLICATION.tagline}"),
        ([story("A link that leads", "link")], f"This week: a useful link – {PUBLICATION.tagline}"),
        ([story(LEAD, excerpt_md=f"{SENTENCE[:-1]}, and {'we all know how to sail ' * 9}.")], f"{SENTENCE[:-1]}…"),
        ([story("Boats: a town and quay"), story("Boats: tar for all of its eleven houses, this winter and the next")],
         "Also: tar for all of its eleven houses, this winter and the next"),
        ([story("AB (1)"), story("Bread on a stone oven"), story("Ropes that sing in the wind at night"),
          story("Ropes that sing in the wind at night"), story("The lamp that the pilots leave on")],
         "Also: Ropes that sing in the wind at night · The lamp that the pilots leave on"),
        ([story(LEAD), story("The lamp of the pilots"), story("Mending the lamp of the pilots: a day on the tower"),
          story("Smoke over the slipway and no fire")],
         "Also: The lamp of the pilots · a day on the tower · Smoke over the slipway and no fire"),
    ],
)  # fmt: skip
def test_the_preheader_says_what_else_there_is(stories: list[Story], preheader: str) -> None:
    """Other stories, whole sentences of the lead, or both; never a clause of the subject."""
    assert line(*stories).preheader == preheader


def test_names_of_shows_leave_titles() -> None:
    """The title of any feed, with or without a number, and the name of the publication."""
    special = [story("Ada Finch on her boat of eleven planks | The Tar Pit Summer Special Ep. 4", "episode")]
    assert compose_inbox_line(special, PUBLICATION, show_names=["The Tar Pit"]).subject == (
        "Ada Finch on her boat of eleven planks"
    )
    stories = [story("The Tar Pit #4: How a town lost its only boat"), story("Harbour & Hearth | Salt and rye")]
    composed = compose_inbox_line(stories, PUBLICATION, show_names=["The Tar Pit Podcast"])
    assert composed.subject == "How a town lost its only boat · Salt and rye"


def test_an_empty_newsletter_has_an_inbox_line() -> None:
    """Neither part is empty, and they differ, even without stories."""
    composed = line()
    assert composed.preheader.strip()
    assert composed.preheader != composed.subject


def test_what_the_editor_wrote_is_kept() -> None:
    """The other part, and the sentence that the introduction begins with, are not repeated."""
    stories = [story(LEAD, excerpt_md=SENTENCE), story("Salt roads that nobody has walked since the war")]
    assert line(*stories, subject=stories[1].title).preheader == f"{SENTENCE} Also: {LEAD}"
    assert line(*stories, preheader=f"{LEAD}, we say.").subject == stories[1].title
    assert line(*stories, subject="Mine", preheader="Mine").preheader == "Mine"
    assert SENTENCE not in line(*stories, introduction_md=f"*{SENTENCE}* Then").preheader


QUIET = "Nobody minds the quiet that comes with it."
COME_IN = "Come in and sit down, whoever you are."
SUGGESTIONS = {
    "sentences of the lead, then of the next": (
        [
            story(LEAD, excerpt_md=f"{SENTENCE} {QUIET}"),
            story("Salt and smoke", "episode", excerpt_md=COME_IN),
            *(story(title, "link") for title in "ab"),
        ],
        (LEAD, "Salt and smoke", QUIET[:-1]),
        (
            f"{SENTENCE} Also: Salt and smoke · 2 useful links",
            f"{QUIET} Also: Salt and smoke · 2 useful links",
            f"Also: Salt and smoke – {COME_IN}",
        ),
    ),
    "what there is, and how long it takes": (
        [story(LEAD, reading_minutes=3), story(f"{LEAD}!", "read-or-listen", reading_minutes=2, duration_seconds=3700)],
        (LEAD,),
        (
            f"This week: a post · an episode · 5 minutes to read, 61 to hear – {PUBLICATION.tagline}",
            "This week: a post · an episode · 5 minutes to read, 61 to hear",
        ),
    ),
    "later clauses of the lead": (
        [story("How Penhallow lost its only boat: a story of tar, feathers and eleven houses"), story("Salt")],
        ("How Penhallow lost its only boat", "a story of tar, feathers and eleven houses", "Salt"),
        (
            "Also: a story of tar, feathers and eleven houses · Salt",
            "Also: Salt · a story of tar, feathers and eleven houses",
            f"This week: 2 posts – {PUBLICATION.tagline}",
        ),
    ),
    "titles that begin alike come last": (
        [
            *(story(f"A year in the harbour of {place}") for place in ("Penhallow", "Tregwen")),
            story("Tar for all eleven houses"),
        ],
        ("A year in the harbour of Penhallow", "Tar for all eleven houses", "A year in the harbour of Tregwen"),
        (
            f"This week: 3 posts – {PUBLICATION.tagline}",
            "Also: Tar for all eleven houses",
            "This week: 3 posts",
        ),
    ),
    "many alike": (
        [story(f"{number} roads of the north that few have walked") for number in ["Six", "Ten", "Two", "One"]],
        tuple(f"{number} roads of the north that few have walked" for number in ["Six", "Ten", "Two"]),
        (f"This week: 4 posts – {PUBLICATION.tagline}", "This week: 4 posts"),
    ),
    "a short episode and links": (
        [story("A minute of bells", "episode", duration_seconds=59), *(story(f"Tides {n}", "link") for n in range(3))],
        ("A minute of bells",),
        (
            f"This week: an episode · 3 useful links – {PUBLICATION.tagline}",
            "Also: 3 useful links",
            "This week: an episode · 3 useful links",
        ),
    ),
}


@pytest.mark.parametrize("case", SUGGESTIONS)
def test_what_is_suggested(case: str) -> None:
    """The best first: other stories, whole sentences, then what the newsletter contains."""
    stories, subjects, preheaders = SUGGESTIONS[case]
    composed = line(*stories)
    assert composed.subjects == subjects
    assert composed.preheaders == preheaders


@pytest.mark.parametrize(
    ("language", "stories", "preheader"),
    [
        ("de", [story(LEAD, "episode", duration_seconds=5400)], "Diese Woche: eine Folge · 1\xa0Std. 30\xa0Min."),
        ("de", [story(LEAD, reading_minutes=3)], "Diese Woche: ein Beitrag · 3 Minuten zu lesen"),
        ("de", [story(LEAD), story(LEAD)], "Diese Woche: 2 Beiträge"),
        ("de", [story(LEAD, "link"), story(LEAD, "link")], "Diese Woche: 2 nützliche Links"),
    ],
)
def test_what_there_is_in_another_language(language: str, stories: list[Story], preheader: str) -> None:
    """Counts and durations are worded in the language of the publication."""
    publication = replace(PUBLICATION, tagline="")
    assert compose_inbox_line(stories, publication, translator_for(language)).preheader == preheader


@pytest.mark.parametrize(
    ("tagline", "name", "preheader"),
    [("Bread, boats", "Hearth", "Bread, boats"), (" ", "Hearth", "Hearth"), ("", "Salt roads", "Read in your browser")],
)
def test_the_last_resort_of_a_preheader(tagline: str, name: str, preheader: str) -> None:
    """The tagline, the name or the words of the link to the browser, whichever the subject does not have."""
    publication = replace(PUBLICATION, tagline=tagline, name=name)
    assert compose_inbox_line([], publication, subject="Salt roads").preheader == preheader


@pytest.mark.parametrize(
    ("excerpt_md", "sentence"),
    [
        (f"> {QUIET}\n\n{SENTENCE}", SENTENCE),
        (f"1) {QUIET}\n\n* {QUIET}\n\n# {QUIET}\n\n| {QUIET}\n\n{SENTENCE}", SENTENCE),
        (f"it begins in small letters and ends like this. {SENTENCE}", SENTENCE),
        (f"Every winter it ends in three dots... {SENTENCE}", SENTENCE),
        (f"See https://tides.example/ for all the tables. {SENTENCE}", SENTENCE),
        (f"“{COME_IN}” {SENTENCE}", f"“{COME_IN}” {SENTENCE}"),
        (f"The island is quiet. {SENTENCE}", SENTENCE),
    ],
)  # fmt: skip
def test_whole_sentences_are_taken(excerpt_md: str, sentence: str) -> None:
    """Of paragraphs, with a beginning and an end, of 25 columns or more, and without an address."""
    found = line(story(LEAD, excerpt_md=excerpt_md)).preheaders
    assert sentence in found


def test_there_are_three_suggestions_each() -> None:
    """They differ, none repeats the other part, and the first is used."""
    stories = [*SAMPLE.stories]
    composed = line(*stories)
    assert (len(composed.subjects), len(composed.preheaders)) == (3, 3)
    assert (composed.subjects[0], composed.preheaders[0]) == (composed.subject, composed.preheader)
    assert len({*composed.subjects, *composed.preheaders}) == 6
    assert not any(shared_clause(composed.subject, text) for text in composed.preheaders)


def test_foreign_titles_are_isolated() -> None:
    """Latin titles in an Arabic list keep their punctuation on their own side (UAX #9)."""
    titles = ["Salt roads?", "Tar (part 2)!", "رغيف على مهل لأقصر الشهور وأبردها"]
    composed = compose_inbox_line([story(title) for title in titles[::-1]], ARABIC.publication, translator_for("ar"))
    assert "\u2068Tar (part 2)!\u2069 · \u2068Salt roads?\u2069" in composed.preheader


def test_japanese_is_measured_in_columns() -> None:
    """A character takes two columns, so lines are half as long."""
    titles = "港町の朝ごはんと、塩と油と酸と熱のはなし 見知らぬ人に食卓をひらく人"
    titles += " 船大工が戸口に掛けている五つのもの 灯台守のいちばん長い夜"
    composed = line(*map(story, titles.split()), language="ja")
    assert 30 <= display_width(composed.subject) <= 60
    assert 80 <= display_width(composed.preheader) <= 130


WORDS = st.sampled_from(
    ["salt", "Tar", "the", "Ep.31", "#4", ":", "–", "|", "·", "?", "!", "…", "(part", "塩", "港町の朝。", "رغيف",
     "مهل؟", "2026", "Ada", "https://a.example/", "*b*", "שלום", "。", "、"]
)  # fmt: skip
TITLES = st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=300)
STORIES = st.lists(
    st.builds(
        story,
        TITLES,
        st.sampled_from(["post", "episode", "read-or-listen", "link"]),
        guest=st.sampled_from(["", "Ada Finch", "عمر"]),
        excerpt_md=st.lists(WORDS, max_size=60).map(" ".join),
    ),
    max_size=6,
)


@given(STORIES, TITLES, st.sampled_from(["en", "ar", "de", "fr", "he", "ja"]))
@settings(deadline=None)
def test_an_inbox_line_of_anything(stories: list[Story], introduction: str, language: str) -> None:
    """It is never empty, too wide or the same twice, on one line, and what is opened in it is closed."""
    publication = replace(PUBLICATION, tagline="")
    composed = compose_inbox_line(stories, publication, translator_for(language), introduction_md=introduction)
    assert composed.subject.strip()
    assert composed.preheader.strip()
    assert display_width(composed.subject) <= 78
    assert display_width(composed.preheader) <= 130
    assert shared_clause(composed.subject, composed.preheader) == ""
    for text in (*composed.subjects, *composed.preheaders):
        assert len(text.splitlines()) == 1
        assert text.count("\u2068") == text.count("\u2069")
