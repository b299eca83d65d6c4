"""The editor's actions on stories, and how their result is applied to a digest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.digest.editor.actions import ACTIONS, add_to_note, set_note
from pipeline.digest.editor.apply import EDITOR_FEED_ID, apply_links, apply_notes, apply_order, is_named, position_in
from pipeline.model.digest import Section, Story
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import Entry
from tests.factories import MONDAY, entry, episode

WEEK = (
    (("blog 1",), ("blog 2", "podcast 2"), ("blog 3",)),
    (("links 1",), (f"{EDITOR_FEED_ID} https://a.example/",), ("links 2",)),
)


@pytest.mark.parametrize(
    ("action", "reference", "before", "after"),
    [
        ("leave_out", "b", Overrides(leave_out=("a", "b")), Overrides(leave_out=("a", "b"))),
        (
            "leave_out",
            "b",
            Overrides(leave_out=("a",), put_back=("b", "c"), order=("b", "d"), lead="b"),
            Overrides(leave_out=("a", "b"), put_back=("c",), order=("b", "d"), lead="b"),
        ),
        ("leave_out", "b", Overrides(lead="a"), Overrides(leave_out=("b",), lead="a")),
        ("put_back", "b", Overrides(leave_out=("a", "b", "c")), Overrides(leave_out=("a", "c"))),
        ("put_back", "b", Overrides(put_back=("a", "b")), Overrides(put_back=("a", "b"))),
        ("put_back", "b", Overrides(leave_out=("a",)), Overrides(leave_out=("a",), put_back=("b",))),
        (
            "leave_out",
            "b",
            Overrides(brief=("a", "b"), full=("b", "c")),
            Overrides(leave_out=("b",), brief=("a", "b"), full=("b", "c")),
        ),
        ("lead", "b", Overrides(lead="a", order=("c",)), Overrides(lead="b", order=("c",))),
        ("lead", "b", Overrides(brief=("a", "b"), full=("b",)), Overrides(lead="b", brief=("a",), full=("b",))),
        (
            "brief",
            "b",
            Overrides(brief=("b", "a"), full=("b", "c"), lead="a"),
            Overrides(lead="a", brief=("b", "a"), full=("c",)),
        ),
        ("brief", "b", Overrides(brief=("a",), lead="b"), Overrides(brief=("a", "b"))),
        ("brief", "b", Overrides(lead="a"), Overrides(lead="a", brief=("b",))),
        (
            "full",
            "b",
            Overrides(brief=("a", "b"), full=("c",), lead="b"),
            Overrides(lead="b", brief=("a",), full=("c", "b")),
        ),
        ("full", "b", Overrides(full=("b", "c")), Overrides(full=("b", "c"))),
    ],
)
def test_an_action_changes_the_overrides(action: str, reference: str, before: Overrides, after: Overrides) -> None:
    """Each reference is named once, and in one place; the others stay."""
    assert ACTIONS[action](before, reference, ()) == after


@pytest.mark.parametrize(
    ("action", "reference", "order"),
    [
        ("move_up", "podcast 2", "blog 2, blog 1, blog 3, links 1, editor https://a.example/, links 2"),
        ("move_up", "blog 1", "blog 1, blog 2, blog 3, links 1, editor https://a.example/, links 2"),
        ("move_up", "links 1", "blog 1, blog 2, blog 3, links 1, editor https://a.example/, links 2"),
        ("move_up", "links 2", "blog 1, blog 2, blog 3, links 1, links 2, editor https://a.example/"),
        ("move_up", "editor https://a.example/", "blog 1, blog 2, blog 3, editor https://a.example/, links 1, links 2"),
        ("move_down", "blog 2", "blog 1, blog 3, blog 2, links 1, editor https://a.example/, links 2"),
        ("move_down", "blog 3", "blog 1, blog 2, blog 3, links 1, editor https://a.example/, links 2"),
        ("move_down", "unknown", "blog 1, blog 2, blog 3, links 1, editor https://a.example/, links 2"),
    ],
)
def test_stories_move_within_their_section(action: str, reference: str, order: str) -> None:
    """The order is complete, with the editor's own links; a lead would undo the move."""
    moved = ACTIONS[action](Overrides(lead="blog 3", subject="S"), reference, WEEK)
    assert moved == Overrides(order=tuple(order.split(", ")), subject="S")


def test_an_empty_note_removes_the_note() -> None:
    """The other notes stay."""
    overrides = Overrides(notes={"blog 1": "Bread.", "blog 2": "Soup."})
    assert set_note(overrides, "blog 1", " ").notes == {"blog 2": "Soup."}
    assert set_note(overrides, "blog 1", "Salt.\n").notes == {"blog 1": "Salt.", "blog 2": "Soup."}


def post(title: str, *entries: Entry) -> Story:
    return Story(kind="post", title=title, url=f"https://blog.example/{title}", entries=entries or (entry(title),))


def link(title: str, url: str) -> Story:
    return Story(kind="link", title=title, url=url, entries=(entry(title, feed="links", url=url),), excerpt_md="Old.")


def test_a_paragraph_is_added_to_a_note_once() -> None:
    """After an empty line; a quotation that is there is not added again."""
    noted = add_to_note(Overrides(notes={"a": "Rye."}), "b", "> Salt.")
    assert noted.notes == {"a": "Rye.", "b": "> Salt."}
    assert add_to_note(noted, "b", "> Salt.") == noted
    assert add_to_note(noted, "b", "> Sea.").notes["b"] == "> Salt.\n\n> Sea."
    assert add_to_note(Overrides(notes={"b": "One.\n\n\n\nTwo."}), "b", "Two").notes["b"] == "One.\n\nTwo.\n\nTwo"


def test_notes_are_applied_to_their_stories() -> None:
    """By a reference to any of the entries."""
    stories = [post("Bread", entry("Bread"), episode("Bread")), post("Soup"), post("Salt")]
    overrides = Overrides(notes={"podcast podcast:bread": "*Warm.*", "blog blog:salt": "Fine."})
    assert [story.note_md for story in apply_notes(stories, overrides)] == ["*Warm.*", "", "Fine."]


def test_the_links_of_the_editor_come_first() -> None:
    """A link that is a story already keeps what the editor has not written; a new one is named after its domain."""
    stories = [link("Kiln", "https://a.example/kiln"), post("Bread"), link("Boats", "https://b.example/boats")]
    own = (
        EditorLink(url="https://www.c.example/new", note_md="Look."),
        EditorLink(url="http://b.example/boats/", title="Ships"),
        EditorLink(url="https://d.example/x", title="Named"),
    )
    applied = apply_links(stories, Overrides(links=own), MONDAY)
    assert [story.title for story in applied] == ["Bread", "c.example", "Ships", "Named", "Kiln"]
    assert [story.excerpt_md for story in applied[1:]] == ["Look.", "Old.", "", "Old."]
    (new,) = applied[1].entries
    assert applied[1] == Story(
        kind="link",
        title="c.example",
        url="https://www.c.example/new",
        entries=(new,),
        excerpt_md="Look.",
        published_at=MONDAY,
        link_domain="c.example",
    )
    assert new == Entry(
        feed_id="editor",
        guid="https://www.c.example/new",
        url="https://www.c.example/new",
        title="c.example",
        published_at=MONDAY,
    )
    (noted,) = apply_links(
        stories[:1], Overrides(links=(EditorLink(url="https://a.example/kiln", note_md="N."),)), MONDAY
    )
    assert (noted.title, noted.excerpt_md) == ("Kiln", "N.")


def test_sections_follow_their_first_story() -> None:
    """In the editor's order; stories that are not named keep theirs."""
    sections = (
        Section(kind="posts", heading="Read", stories=tuple(map(post, ("Bread", "Soup", "Salt")))),
        Section(kind="episodes", heading="Listen", stories=(post("Kiln"), post("Frost", entry("x"), episode("Frost")))),
    )
    overrides = Overrides(order=("podcast podcast:frost", "blog blog:salt"))
    ordered = apply_order(sections, overrides)
    assert [[story.title for story in section.stories] for section in ordered] == [
        ["Frost", "Kiln"],
        ["Salt", "Bread", "Soup"],
    ]
    assert apply_order(sections, Overrides()) == sections


@pytest.mark.parametrize(
    ("references", "position"),
    [
        ((), 0),
        (("blog x", "clay x"), 2),
        (("blog x", "podcast podcast:kiln", "blog blog:kiln"), 1),
        (("blog https://blog.example/kiln", "blog blog:kiln"), 0),
    ],
)
def test_a_story_has_the_place_of_its_first_reference(references: tuple[str, ...], position: int) -> None:
    """By any of its entries; behind all references if none names it."""
    story = post("Kiln", entry("Kiln"), episode("Kiln"))
    assert position_in(references, story) == position
    assert is_named(references, story) == (position < len(references))


def test_the_first_note_counts() -> None:
    """A story keeps its own if the editor's is empty or about another."""
    noted = replace(post("Bread"), note_md="Own.")
    for notes, note in (
        ({"blog blog:bread": "One.", "blog https://blog.example/bread": "Two."}, "One."),
        ({"blog blog:bread": ""}, "Own."),
        ({"blog blog:soup": "One."}, "Own."),
    ):
        assert [story.note_md for story in apply_notes([noted], Overrides(notes=notes))] == [note]


def test_without_links_of_the_editor_others_follow() -> None:
    """Links come behind all other stories; a link to the page of a post is a story of its own."""
    kiln, bread = link("Kiln", "https://a.example/kiln"), post("Bread")
    assert apply_links([kiln, bread], Overrides(), MONDAY) == [bread, kiln]
    own = Overrides(links=(EditorLink(url=bread.url, title="Mine"),))
    assert [story.title for story in apply_links([kiln, bread], own, MONDAY)] == ["Bread", "Mine", "Kiln"]


def test_actions_have_names() -> None:
    """As the forms of the desk send them."""
    assert " ".join(ACTIONS) == "leave_out put_back lead brief full move_up move_down split"
