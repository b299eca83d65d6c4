"""Furniture: what three entries of a feed have in common is removed, and never the whole text of an entry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.jobs.digests.furniture import learn_furniture, with_own_picture, with_own_text
from pipeline.model.entry import Entry, Picture
from pipeline.text.furniture import furniture_keys, remove_from_text, remove_furniture, repeated_keys
from tests.factories import entry, episode

STORIES = (
    "Peas climb the radio mast.",
    "An envelope came from Porto.",
    "The dahlias went black.",
    "Rope sings at night.",
)


def feed(*frames: str, stories: tuple[str, ...] = STORIES) -> list[Entry]:
    """Return entries with a story each, in the frames in turn; ``{}`` stands for the story, ``{n}`` for its number."""
    return [
        entry(f"Title {n}", body_html=frames[n % len(frames)].replace("{}", story).replace("{n}", str(n + 3)))
        for n, story in enumerate(stories)
    ]


@pytest.mark.parametrize(
    ("frame", "left"),
    [
        ("<p>Good morning from the pier. {}</p>", "<p>{}</p>"),
        ("<p>{} Good night from the pier.</p>", "<p>{}</p>"),
        ("<p>The pier, weekly</p><p>{}</p>", "<p>{}</p>"),
        ("<p>PIER NEWS – {}</p>", "<p>{}</p>"),
        ("<p>No. {n} of the pier letters was written by hand.</p><p>{}</p>", "<p>{}</p>"),
        ("<p>We keep all pictures of it at https://pier.example/{n} in our cellar.</p><p>{}</p>", "<p>{}</p>"),
        ("<p>{}<br>Ida keeps bees on the pier.</p>", "<p>{}</p>"),
        ("<p>{}</p><ul><li>bees</li><li>ropes</li></ul>", "<p>{}</p>"),
        ("<p>Good &amp; early: <em>from the pier</em>. {}</p>", "<p>{}</p>"),
        ("<p>{}</p><p>Costs {n}.50 at the pier this week.</p>", None),  # a price is not furniture
        (
            "<p>Ida Brandt mends ropes for a living.</p><p>She did {n}.5 of them. {}</p>",
            None,
        ),  # “she” would refer to nobody
        ("<p>Ida Brandt mends ropes.</p><p>She lives by the pier.</p><p>{}</p>", "<p>{}</p>"),
        ("<p>We thank the pier. It {n}</p>", None),  # its other half would make no sense
    ],
)
def test_what_is_repeated_is_removed(frame: str, left: str | None) -> None:
    """Lines, sentences and beginnings, also if they differ in whole numbers or the path of an address."""
    entries = feed(frame)
    furniture = learn_furniture(entries)
    for number, one in enumerate(entries):
        expected = one.body_html if left is None else left.replace("{}", STORIES[number])
        assert (
            with_own_text(one, furniture)
            .body_html.replace("<br></p>", "</p>")
            .replace(" </p>", "</p>")
            .replace("<p> ", "<p>")
            == expected
        )


def test_what_two_entries_repeat_stays() -> None:
    """Two may be a coincidence."""
    entries = feed("<p>The pier, weekly</p><p>{}</p>", "<p>{}</p>")
    furniture = learn_furniture(entries)
    assert [with_own_text(one, furniture) for one in entries] == entries


@pytest.mark.parametrize(
    "body", ["<p>News in five minutes.</p>", "<p>News.</p><p>By Ada</p>", "<ul><li>News</li></ul>"]
)
def test_a_text_that_is_all_repeated_stays(body: str) -> None:
    """A daily show may say the same every day."""
    entries = [entry(str(n), body_html=body) for n in range(5)] + feed(body.replace("</p>", " {n}</p>"))
    furniture = learn_furniture(entries)
    assert with_own_text(entries[0], furniture) == entries[0]


def test_summaries_lose_their_furniture() -> None:
    """The publisher's summary is one line, so whole sentences go."""
    entries = [
        replace(
            one,
            summaries=(f"{story} Learn more at the pier.", "Ada: Learn more at the pier."),
        )
        for one, story in zip(feed("<p>{}</p>"), STORIES, strict=True)
    ]
    clean = with_own_text(entries[0], learn_furniture(entries))
    assert clean.summaries == (STORIES[0], "")


def test_a_label_in_front_leaves_whatever_follows() -> None:
    """A sentence goes only if the next one does without it, but no text refers to a label."""
    (one, *_) = entries = feed("<p>Pier letter {n}: This was said today. {}</p>", "<p>Pier letter {n}: {}</p>")
    assert with_own_text(one, learn_furniture(entries)).body_html == f"<p>This was said today. {STORIES[0]}</p>"


def test_pictures_that_are_repeated_are_no_story_pictures() -> None:
    """A portrait below every post goes; the cover of an episode stays."""
    portrait = Picture(url="https://pier.example/ada.jpg", width=600, height=600)
    frame = f'<p>{{}}</p><img src="https://pier.example/{{n}}.jpg" width="800" height="600"><img src="{portrait.url}">'
    posts = [replace(one, picture=portrait) for one in feed(frame)]
    furniture = learn_furniture(posts)
    picture = with_own_picture(posts[0], furniture).picture
    assert picture is not None
    assert picture.url == "https://pier.example/3.jpg"
    show = episode("Tides", picture=portrait)
    assert with_own_picture(show, furniture) == show


fragments = st.lists(
    st.sampled_from(
        [
            *STORIES,
            "Good morning. ",
            "By Ada",
            "<br>",
            "</p><p>",
            "<em>Tides</em> | ",
            "&amp; ",
            "a ",
            "<a href='/x'>y</a>",
        ]
    ),
    max_size=8,
).map(lambda parts: f"<p>{''.join(parts)}</p>")


@given(st.lists(fragments, min_size=1, max_size=6))
def test_removing_is_safe(bodies: list[str]) -> None:
    """Whatever is repeated: the order of entries does not matter, and nothing but furniture goes."""
    keys = [furniture_keys(body) for body in bodies]
    furniture = repeated_keys(keys)
    assert furniture == repeated_keys(reversed(keys))
    for body in bodies:
        clean = remove_furniture(body, furniture)
        assert remove_furniture(body, frozenset()) == body
        assert len(clean) <= len(body)
        assert clean.count("<em>") == clean.count("</em>")


@given(st.text(max_size=60), st.text(max_size=20))
def test_plain_text_keeps_what_is_not_repeated(text: str, other: str) -> None:
    """Without furniture only blanks change."""
    assert remove_from_text(text, frozenset()) == " ".join(text.split())
    assert len(remove_from_text(text, furniture_keys("", other))) <= len(text)
