"""The editor's own texts of stories, and stories that the editor splits and joins, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.digest.editor.actions import edit_story, join, split
from pipeline.model.edition import EditorLink, Overrides, StoryEdit
from pipeline.model.entry import Picture
from tests.factories import MONDAY, entry, episode
from tests.publication import W07, W08, PublicationHarness, small_theme

DAY = timedelta(days=1)
STORIES = """{% set lead = [digest.lead] if digest.lead else [] %}
{% for section in [{"stories": lead}] + digest.sections|list %}{% for story in section.stories %}
<h2>{{ story.title }}</h2>{{ story.excerpt_html|safe }}<em>{{ story.excerpt_text }}</em>
{% if story.image %}<img src="{{ story.image.url }}" alt="{{ story.image.alt }}">{% endif %}
{% for button in story.buttons %}<b>{{ button.label }}</b>{% endfor %}
{% endfor %}{% endfor %}<p>{{ digest.unsubscribe_link.url }}</p>"""
LONG = "word " * 200
LOAF = Picture(url="https://img.example/loaf.jpg", alt="A loaf", width=800, height=600)
POST = entry("Podcast: The last ferry", MONDAY + DAY, guid="p", body_html=f"<p>{LONG}</p>", picture=LOAF)
EPISODE = episode("14. The Last Ferry", MONDAY + DAY, guid="e")
SOUP = entry("Soup", MONDAY + 2 * DAY, guid="s", body_html="<p>Peas, and a bone.</p>")
SOUP_TALK = episode("We talk about peas", MONDAY + 2 * DAY, guid="t")


@pytest.fixture
def harness(tmp_path: Path, job_store_url: str) -> Iterator[PublicationHarness]:
    """Two feeds with a paired story and two that only an editor would pair; the clock is after the closing of W07."""
    harness = PublicationHarness(tmp_path, small_theme(tmp_path, STORIES), job_store_url).set_time(MONDAY - 10 * DAY)
    harness.fetch()
    harness.fetch(feed="podcast")
    harness.set_time(MONDAY + 3 * DAY).fetch(POST, SOUP)
    harness.fetch(EPISODE, SOUP_TALK, feed="podcast")
    yield harness.set_time_after_closing(W07)
    harness.store.close()


def stories_of(harness: PublicationHarness, overrides: Overrides) -> list[list[str]]:
    """Return the titles of the entries of each story."""
    harness.overrides[str(W07)] = overrides
    manifest = json.loads(harness.digest(W07).edition.manifest)
    return sorted(sorted(entry["title"] for entry in story["entries"]) for story in manifest["stories"])


def test_what_the_editor_wrote_is_shown_in_place_of_what_was_published(harness: PublicationHarness) -> None:
    """Title, the whole text however long, picture, alternative text and the label of the first button."""
    text = f"Written *here*. {'more ' * 90}end."
    edit = StoryEdit(
        title="The ferry", text_md=text, picture_url="https://img.example/quay.jpg", alt="A quay", button="Go"
    )
    harness.overrides[str(W07)] = edit_story(Overrides(), "podcast e", edit)
    html = harness.digest(W07).edition.html.decode()
    assert "<h2>The ferry</h2>" in html
    assert "Written <em>here</em>." in html
    assert "end." in html
    assert '<img src="https://img.example/quay.jpg" alt="A quay">' in html
    assert "<b>Go</b>" in html
    assert LOAF.url not in html
    assert "word word" not in html


def test_a_field_that_is_not_set_is_as_published(harness: PublicationHarness) -> None:
    """An alternative text alone keeps the picture; an empty text and picture leave both out."""
    harness.overrides[str(W07)] = edit_story(Overrides(), "blog p", StoryEdit(alt="Bread on a quay"))
    html = harness.digest(W07).edition.html.decode()
    assert f'<img src="{LOAF.url}" alt="Bread on a quay">' in html
    assert "word word" in html
    harness.overrides[str(W07)] = edit_story(Overrides(), "blog p", StoryEdit(text_md="", picture_url=""))
    html = harness.digest(W07).edition.html.decode()
    assert "word word" not in html
    assert LOAF.url not in html


def test_the_text_is_sealed_with_the_edition(harness: PublicationHarness) -> None:
    """Approved with its overrides, which come back from the database as they were; a later edit is a change."""
    overrides = Overrides(
        stories={"blog p": StoryEdit(title="The ferry", text_md="", picture_url="")},
        split=("podcast e",),
        join=(("blog s", "podcast t"),),
        links=(EditorLink(url="https://a.example/"),),
    )
    harness.overrides[str(W07)] = overrides
    harness.digest(W07)
    harness.approve(W07)
    sealed = harness.store.editions.sealed(str(W07))
    assert sealed is not None
    assert sealed.overrides == overrides
    assert "The ferry" in sealed.edition.html.decode()
    harness.overrides[str(W07)] = replace(overrides, stories={})
    assert harness.digest(W07).edition.changes


def test_halves_of_a_story_are_split(harness: PublicationHarness) -> None:
    """Either half may be named; the reason says what would have been."""
    whole = ["14. The Last Ferry", "Podcast: The last ferry"]
    assert whole in stories_of(harness, Overrides())
    for half in ("blog p", "podcast e"):
        assert [[whole[0]], [whole[1]]] == [
            one for one in stories_of(harness, split(Overrides(), half, ())) if one[0] in whole
        ]
    assert "not paired with “14. The Last Ferry”, as the editor decided" in harness.reason(W07, whole[1])


def test_stories_are_joined(harness: PublicationHarness) -> None:
    """Two that nothing else connects are one, until the editor splits them; an entry of another week is not fetched."""
    pair = ["Soup", "We talk about peas"]
    assert pair not in stories_of(harness, Overrides())
    joined = join(Overrides(), "blog s", "podcast t")
    assert pair in stories_of(harness, joined)
    assert "paired: the editor joined them" in harness.reason(W07, "Soup")
    assert pair not in stories_of(harness, split(joined, "podcast t", ()))
    assert ["Soup"] in stories_of(harness, Overrides(join=(("blog s", "podcast unknown"),)))


def test_a_half_that_was_split_is_published_in_its_own_week(harness: PublicationHarness) -> None:
    """It is no story that was published with its post: nothing is lost, and nothing published twice."""
    later = episode("15. Rope and tar", MONDAY + 8 * DAY, guid="late")
    harness.set_time(MONDAY + 3 * DAY).fetch(POST, SOUP, entry("Podcast: Rope and tar", MONDAY + 4 * DAY, guid="r"))
    harness.set_time_after_closing(W07, 30).fetch(EPISODE, SOUP_TALK, later, feed="podcast")
    harness.overrides[str(W07)] = split(Overrides(), "podcast late", ())
    assert "15. Rope and tar" not in harness.titles(W07)
    harness.publish(W07)
    harness.set_time_after_closing(W08)
    assert harness.sealed_titles(W07).count("Podcast: Rope and tar") == 1
    assert harness.titles(W08) == ["15. Rope and tar"]
    harness.publish(W08)
    assert harness.sealed_titles(W08) == ["15. Rope and tar"]
