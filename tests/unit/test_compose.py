"""From chosen entries to stories, sections, subject and preheader."""

from datetime import UTC, timedelta

import pytest

from pipeline.digest.compose.archive import ArchiveContent, related_entries
from pipeline.digest.compose.compose import compose
from pipeline.digest.compose.inputs import DigestInputs
from pipeline.digest.compose.subject import compose_preheader, compose_subject
from pipeline.digest.selection.select import WeekAssignment, select
from pipeline.model.digest import Publication, Story
from pipeline.model.entry import Enclosure, Picture, Transcript
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekCalendar
from tests.factories import MONDAY, entry, episode, stored

HOUSE = Publication(
    name="Harbour & Hearth",
    url="https://example.org/",
    timezone="UTC",
    language="en",
    sender="H <h@example.org>",
    editor="e@example.org",
    postal_address="",
)
FEEDS = (
    Feed(id="blog", url="https://blog.example/feed", kind="blog"),
    Feed(id="podcast", url="https://pod.example/feed", kind="podcast", listen=(("Apple", "https://apple.example/"),)),
    Feed(id="links", url="https://links.example/feed", kind="links", section="Worth a look"),
)
WEEK = Week(2026, 7)
CLOCK = WeekCalendar.parse("mon 00:00", UTC)
HOUR = timedelta(hours=1)
MINUTES_3 = f"<pre>{'salt ' * 714}</pre>"
"""So long it takes to read; an excerpt leaves it out."""


def inputs_of(selection, **more):
    opens_at, closes_at = CLOCK.bounds(WEEK)
    bounds = {"week": WEEK, "opens_at": opens_at, "closes_at": closes_at}
    return DigestInputs(publication=HOUSE, feeds=FEEDS, selection=selection, **bounds, **more)


def digest_of(*entries):
    kept = [stored(each, number) for number, each in enumerate(entries, 1)]
    selection = select(WEEK, kept, WeekAssignment(calendar=CLOCK, closed_weeks={}))
    return compose(inputs_of(selection))[0]


def only_story(*entries):
    (story,) = digest_of(*entries).stories
    return story


def story(title, kind="post", **more):
    return Story(kind=kind, title=title, url="https://example.org/", entries=(entry(title),), **more)


def test_sections_come_posts_first_then_episodes_then_links():
    """Whatever the order of dates; a section nobody fills is not there."""
    found = digest_of(entry("Link", feed="links"), episode("Talk", MONDAY + HOUR), entry("Post", MONDAY + 2 * HOUR))
    assert [(each.kind, each.heading) for each in found.sections] == [
        ("posts", ""),
        ("episodes", ""),
        ("links", "Worth a look"),
    ]
    assert [each.kind for each in digest_of(entry()).sections] == ["posts"]


def test_inside_a_section_stories_come_by_date():
    """The oldest first, as the week went."""
    found = digest_of(entry("Second", MONDAY + HOUR), entry("First", MONDAY))
    assert [each.title for each in found.stories] == ["First", "Second"]


def test_a_post_and_its_episode_are_told_together():
    """The post's title, page and words; the episode's page, number, length and transcript; the feed's other places."""
    told = only_story(
        entry("Salt", MONDAY, body_html="<p>Salt came by sea.</p>" + MINUTES_3, guest="Ada Finch"),
        episode(
            "Salt",
            MONDAY + HOUR,
            duration_seconds=2520,
            episode=14,
            season=2,
            transcripts=(Transcript(url="https://podcast.example/salt.vtt"),),
        ),
    )
    assert told.kind == "read-or-listen"
    assert (told.url, told.listen_url) == ("https://blog.example/salt", "https://podcast.example/salt")
    assert (told.reading_minutes, told.duration_seconds, told.season, told.episode) == (3, 2520, 2, 14)
    assert told.excerpt_md == "Salt came by sea."
    assert told.guest == "Ada Finch"
    assert told.listen_links == (("Apple", "https://apple.example/"),)
    assert told.transcript_url == "https://podcast.example/salt.vtt"


def test_a_post_that_carries_its_episodes_file_is_still_the_part_to_read():
    """WordPress adds an enclosure to a post that links a file; the podcast's entry is the one to hear."""
    audio = Enclosure(url="https://audio.example/salt.mp3", media_type="audio/mpeg")
    told = only_story(entry("Salt", enclosure=audio), episode("Salt", MONDAY + HOUR, enclosure=audio))
    assert told.kind == "read-or-listen"
    assert [each.feed_id for each in (told.post, told.audio)] == ["blog", "podcast"]


def test_an_older_piece_is_told_in_the_plain_words_kept_of_it():
    """Its body is not converted again, only counted; what means something in Markdown is said as it is."""
    old = stored(entry("Salt", MONDAY - timedelta(days=364), body_html=MINUTES_3, excerpt_text="Salt *and* rope."))
    week = select(WEEK, [stored(entry("New"), 2)], WeekAssignment(calendar=CLOCK, closed_weeks={}))
    older = ArchiveContent(year_ago=(old,))
    made, _ = compose(inputs_of(week, archive=older))
    ((again,),) = (section.stories for section in made.archive)
    assert again.excerpt_md == r"Salt \*and\* rope."
    assert again.reading_minutes == 3
    assert again not in made.stories


def test_the_cover_goes_with_an_episode_the_picture_with_a_post():
    """A story to hear shows its cover; where it has none, the post's picture."""
    cover, photo = Picture(url="https://example.org/cover.jpg"), Picture(url="https://example.org/photo.jpg")
    assert only_story(entry("Salt", picture=photo), episode("Salt", picture=cover)).picture == cover
    assert only_story(entry("Salt", picture=photo), episode("Salt")).picture == photo
    assert only_story(entry("Salt", picture=photo)).picture == photo


def test_an_episode_without_a_page_leads_to_its_file():
    """Better the file than no link; with a page the button never leads to the file."""
    audio = Enclosure(url="https://audio.example/a.mp3", media_type="audio/mpeg")
    assert only_story(episode("Salt", url="", enclosure=audio)).listen_url == "https://audio.example/a.mp3"
    assert only_story(episode("Salt", enclosure=audio)).listen_url == "https://podcast.example/salt"


def test_a_link_has_its_domain_and_no_picture_or_minutes():
    """Useful links are words: where they lead, why they matter."""
    told = only_story(
        entry(
            "Tides",
            feed="links",
            url="https://www.tides.example/a",
            picture=Picture(url="https://x.example/p.png"),
            body_html="<p>For those who row.</p>" + MINUTES_3,
        )
    )
    assert (told.kind, told.link_domain, told.picture, told.reading_minutes) == ("link", "tides.example", None, 0)
    assert told.excerpt_md == "For those who row."


def test_an_episodes_number_is_said_once():
    """The number in front of its title goes where the byline says it, and stays where it is part of the title."""
    assert only_story(episode("17. Your Letters, Answered", episode=17)).title == "Your Letters, Answered"
    assert only_story(episode("17. Your Letters, Answered")).title == "17. Your Letters, Answered"


def test_an_older_piece_is_called_as_its_story_was():
    """Its title stands without its number there, too."""
    (piece,) = related_entries([stored(episode("#11 – Sheep, mostly", episode=11))])
    assert piece.title == "Sheep, mostly"


def test_nothing_is_made_up_where_nothing_is_said():
    """An entry of a title alone becomes a story of a title alone."""
    told = only_story(entry("Bare"))
    empty = (told.excerpt_md, told.author, told.guest, told.picture, told.listen_url, told.listen_links)
    assert empty == ("", "", "", None, "", ())


@pytest.mark.parametrize(
    ("stories", "subject"),
    [
        ([story("Set the table for the people you have"), story("Salt")], "Set the table for the people you have"),
        ([story("Salt"), story("Bread on a stone")], "Salt · Bread on a stone"),
        ([story("Salt"), story("A title so very long that it leaves no room at all for another")], "Salt"),
        ([story("Tides", "link"), story("Salt")], "Salt"),
        ([story("Tides", "link")], "Tides"),
        ([story("")], "Harbour & Hearth"),
    ],
)
def test_the_subject_is_the_lead_storys_title(stories, subject):
    """With the next one where the first is short and both fit; links lead only when there is nothing else."""
    assert compose_subject(stories, "Harbour & Hearth") == subject


@pytest.mark.parametrize(
    ("stories", "preheader"),
    [
        (
            [story("Lead"), story("Salt", "episode", guest="Ada Finch"), story("a", "link"), story("b", "link")],
            "Also this week: Salt, with Ada Finch; 2 useful links.",
        ),
        (
            [story("Lead"), story("x" * 60), story("y" * 60), story("a", "link")],
            f"Also this week: {'x' * 60}; a useful link.",
        ),
        ([story("Lead", excerpt_md="First things first. And then the *end*.")], "And then the end."),
        ([story("Lead", excerpt_md="Only one.")], ""),
        ([], ""),
    ],
)
def test_the_preheader_says_what_else_is_inside(stories, preheader):
    """At most 130 characters, never the subject again nor the first sentence."""
    assert compose_preheader(stories) == preheader
    assert len(preheader) <= 130
