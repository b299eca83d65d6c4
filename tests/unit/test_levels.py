"""Levels: which story leads, which are shown in full and which are briefs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pipeline.digest.compose.levels import assign_levels
from pipeline.model.digest import Section, Story, StoryKind
from pipeline.model.edition import Overrides
from pipeline.model.entry import Picture, TimedText
from tests.factories import MONDAY, entry

WEEK = timedelta(days=7)
CLOSES_AT = MONDAY + WEEK


def story(title: str, kind: StoryKind = "post", **more: Any) -> Story:
    """Return a story of the last instant before the week opens, which counts nothing."""
    values = {"published_at": MONDAY, "url": "https://h.example/", "entries": (entry(title),)}
    return Story(**({"kind": kind, "title": title} | values | more))


def levels(*sections: tuple[Story, ...], **overrides: Any) -> list[list[tuple[str, str]]]:
    """Return title and level of the stories of each section."""
    given = [Section(kind="posts", heading=str(number), stories=stories) for number, stories in enumerate(sections)]
    found = assign_levels(given, Overrides(**overrides), MONDAY, CLOSES_AT)
    return [[(story.title, story.level) for story in section.stories] for section in found]


PICTURE = Picture(url="https://h.example/loaf.jpg")
RICHER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"note_md": "Try it."}, {"kind": "read-or-listen", "picture": PICTURE}),
    ({"note_md": "Try it."}, {}),
    ({"kind": "read-or-listen"}, {"picture": PICTURE}),
    ({"picture": PICTURE}, {"duration_seconds": 1200}),
    ({"duration_seconds": 1200}, {"chapters": (TimedText(text="Flour"),)}),
    ({"chapters": (TimedText(text="Flour"),)}, {}),
    ({"transcript_opening": "Come in."}, {}),
    ({"duration_seconds": 1200}, {"transcript_opening": "Come in.", "chapters": (TimedText(text="Flour"),)}),
    ({"excerpt_md": "salt " * 21}, {"duration_seconds": 1200}),
    ({"duration_seconds": 1200}, {"excerpt_md": "salt " * 19}),
    ({"excerpt_md": "salt " * 40, "chapters": (TimedText(text="Flour"),)}, {"excerpt_md": "salt " * 400}),
    ({"excerpt_md": "salt " * 40}, {"excerpt_md": "salt " * 39}),
    ({"duration_seconds": 1800}, {"duration_seconds": 1700}),
    ({"duration_seconds": 1800, "chapters": (TimedText(text="Flour"),)}, {"duration_seconds": 7200}),
    ({"reading_minutes": 5}, {"duration_seconds": 1200}),
    ({"duration_seconds": 1200}, {"reading_minutes": 3}),
    ({"reading_minutes": 8, "chapters": (TimedText(text="Flour"),)}, {"reading_minutes": 80}),
    ({"reading_minutes": 8}, {"reading_minutes": 7}),
    ({"published_at": MONDAY + 0.6 * WEEK}, {"duration_seconds": 1200}),
    ({"duration_seconds": 1200}, {"published_at": MONDAY + 0.4 * WEEK}),
    ({"published_at": CLOSES_AT, "chapters": (TimedText(text="Flour"),)}, {"published_at": CLOSES_AT + WEEK}),
    ({"chapters": (TimedText(text="Flour"),), "published_at": MONDAY - 5 * WEEK}, {}),
    ({"published_at": MONDAY + WEEK / 99}, {"published_at": None}),
    ({"chapters": (TimedText(text="Flour"),), "published_at": None}, {}),
]


@pytest.mark.parametrize(("richer", "poorer"), RICHER)
def test_the_richest_story_leads(richer: dict[str, Any], poorer: dict[str, Any]) -> None:
    """A note counts most, then sound besides a text, a picture, much text or a long read, and how new it is."""
    one, other = story("Rich", **richer), story("Poor", **poorer)
    for stories in ((one, other), (other, one)):
        assert levels(stories) == [[("Rich", "lead")], [("Poor", "story")]]


def test_of_equal_stories_the_first_leads() -> None:
    """Alone in a section of its own, before all others; an empty section is left out."""
    assert levels((story("A"), story("B")), (story("C"),)) == [
        [("A", "lead")],
        [("B", "story")],
        [("C", "story")],
    ]
    assert levels((story("A"),), (story("C"),)) == [[("A", "lead")], [("C", "story")]]


def test_links_are_briefs() -> None:
    """They never lead, and do not count among the stories in full."""
    assert levels((story("Link", "link", note_md="Look."),)) == [[("Link", "brief")]]
    assert levels((story("Link", "link", note_md="Look."), story("A"))) == [[("A", "lead")], [("Link", "brief")]]


def test_six_stories_are_shown_in_full() -> None:
    """The lead and five others, before the briefs of their section."""
    stories = [story(f"{number}", excerpt_md="salt " * number) for number in range(1, 9)]
    assert levels(tuple(stories)) == [
        [("8", "lead")],
        [*((f"{number}", "story") for number in range(3, 8)), ("1", "brief"), ("2", "brief")],
    ]


def test_what_the_editor_decides() -> None:
    """The lead, then the first of the order; which are shown in full, and which never are."""
    stories = tuple(story(f"{number}", excerpt_md="salt " * number) for number in range(1, 9))

    def name(number: int) -> str:
        return f"blog blog:{number}"

    assert levels(stories, lead=name(2))[0] == [("2", "lead")]
    assert levels(stories, order=(name(3), name(1)))[0] == [("3", "lead")]
    assert levels(stories, brief=(name(8),))[0] == [("7", "lead")]
    assert levels(stories, brief=(name(8),), lead=name(8))[0] == [("8", "lead")]
    briefs = {title for title, level in levels(stories, full=(name(1),))[1] if level == "brief"}
    assert briefs == {"2", "3"}
    briefs = {title for title, level in levels(stories, brief=(name(7),))[1] if level == "brief"}
    assert briefs == {"7", "1"} or briefs == {"8", "1"}
    everything = levels(stories, full=tuple(name(number) for number in range(1, 8)))[1]
    assert {level for _, level in everything} == {"story"}
    early = levels(stories, order=(name(1), name(2)))[1]
    assert dict(early)["2"] == "story"


def test_everything_else_of_a_story_stays() -> None:
    """Only its level changes."""
    one = story("A", picture=PICTURE)
    (section,) = assign_levels([Section(kind="posts", heading="H", stories=(one,))], Overrides(), MONDAY, CLOSES_AT)
    assert (section.heading, section.stories) == ("H", (replace(one, level="lead"),))
    assert assign_levels([], Overrides(), MONDAY, CLOSES_AT) == ()
