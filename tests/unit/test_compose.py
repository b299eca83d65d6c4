"""Composing: stories, sections, subject and preheader from selected entries."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from pipeline.digest.compose.archive import ArchiveContent, related_entries
from pipeline.digest.compose.compose import DigestInputs, compose, describe_texts
from pipeline.digest.compose.levels import assign_levels
from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.select import Selection, select
from pipeline.model.block import Block
from pipeline.model.digest import Publication, Section, Story
from pipeline.model.edition import EditorLink, Overrides
from pipeline.model.entry import Enclosure, Picture, Transcript
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekCalendar
from tests.factories import MONDAY, entry, episode, stored

PUBLICATION = Publication(
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
CALENDAR = WeekCalendar.parse("mon 00:00", UTC)
HOUR = timedelta(hours=1)
MINUTES_3 = f"<pre>{'salt ' * 714}</pre>"
"""A text of three minutes that excerpts leave out."""


def inputs_of(selection, **more):
    opens_at, closes_at = CALENDAR.bounds(WEEK)
    bounds = {"week": WEEK, "opens_at": opens_at, "closes_at": closes_at}
    return DigestInputs(publication=PUBLICATION, feeds=FEEDS, selection=selection, **bounds, **more)


def digest_of(*entries):
    kept = [stored(one, number) for number, one in enumerate(entries, 1)]
    selection = select(WEEK, kept, WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    return compose(inputs_of(selection))[0]


def only_story(*entries):
    (story,) = digest_of(*entries).stories
    return story


def story(title, kind="post", **more):
    return Story(kind=kind, title=title, url="https://example.org/", entries=(entry(title),), **more)


def test_sections_are_posts_then_episodes_then_links():
    """Whatever the order of dates; an empty section is left out."""
    found = digest_of(entry("Link", feed="links"), episode("Talk", MONDAY + HOUR), entry("Post", MONDAY + 2 * HOUR))
    assert [(section.kind, section.heading) for section in found.sections] == [
        ("posts", ""),
        ("episodes", ""),
        ("links", "Worth a look"),
    ]
    assert [section.kind for section in digest_of(entry()).sections] == ["posts"]


def test_stories_of_a_section_are_ordered_by_date():
    """The newest of equal stories is the lead; of the others the oldest comes first."""
    found = digest_of(entry("Second", MONDAY + HOUR), entry("First", MONDAY), entry("Newest", MONDAY + 2 * HOUR))
    assert [story.title for story in found.stories] == ["Newest", "First", "Second"]


def test_a_post_and_its_episode_become_one_story():
    """Title, page and text are the post's; listen page, number, duration and transcript the episode's."""
    composed = only_story(
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
    assert composed.kind == "read-or-listen"
    assert (composed.url, composed.listen_url) == ("https://blog.example/salt", "https://podcast.example/salt")
    assert (composed.reading_minutes, composed.duration_seconds, composed.season, composed.episode) == (3, 2520, 2, 14)
    assert composed.excerpt_md == "Salt came by sea."
    assert composed.guest == "Ada Finch"
    assert composed.listen_links == (("Apple", "https://apple.example/"),)
    assert composed.transcript_url == "https://podcast.example/salt.vtt"


def test_a_post_with_the_episodes_file_is_still_the_post():
    """WordPress adds an enclosure to a post that links a file; the podcast feed's entry is the episode."""
    audio = Enclosure(url="https://audio.example/salt.mp3", media_type="audio/mpeg")
    composed = only_story(entry("Salt", enclosure=audio), episode("Salt", MONDAY + HOUR, enclosure=audio))
    assert composed.kind == "read-or-listen"
    assert [one.feed_id for one in (composed.post, composed.audio)] == ["blog", "podcast"]


def test_an_older_story_has_the_right_text_too():
    """It is found as in any other story, and not the flat beginning that is stored."""
    body = f"<ul><li>Ropes</li></ul><p>Salt *came* by sea and by mule.</p>{MINUTES_3}"
    old = stored(entry("Salt", MONDAY - timedelta(days=364), body_html=body, excerpt_text="Ropes Salt"))
    week = select(WEEK, [stored(entry("New"), 2)], WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    digest, excerpts = compose(inputs_of(week, archive=ArchiveContent(year_ago=(old,))))
    ((again,),) = (section.stories for section in digest.archive)
    assert again.excerpt_md == r"Salt \*came\* by sea and by mule."
    assert again.reading_minutes == 3
    assert again not in digest.stories
    cached, new = compose(inputs_of(week, archive=ArchiveContent(year_ago=(old,)), excerpts=excerpts))
    assert (cached, new) == (digest, {})


@pytest.mark.parametrize(
    ("richer", "poorer"),
    [
        ({"excerpt_md": "salt " * 30}, {"excerpt_md": f"[salt](https://salt.example/?{'a-' * 40}b) and rope"}),
        ({"kind": "episode", "duration_seconds": 3000}, {"kind": "episode", "duration_seconds": 90}),
        ({"kind": "episode", "duration_seconds": 1800}, {"kind": "episode"}),
    ],
)
def test_the_richest_story_leads(richer: dict[str, Any], poorer: dict[str, Any]):
    """Words of addresses do not count, and a trailer of 90 seconds is less than an episode."""
    section = Section(kind="posts", heading="", stories=(story("Salt", **poorer), story("Rope", **richer)))
    levelled = assign_levels((section,), Overrides(), *CALENDAR.bounds(WEEK))
    assert [(one.title, one.level) for part in levelled for one in part.stories] == [
        ("Rope", "lead"),
        ("Salt", "story"),
    ]


@pytest.mark.parametrize(
    ("entries", "titles", "shown"),
    [
        ((entry("Salt"), episode("Rope")), {"blog": "Notes", "podcast": "Casts"}, "Notes"),
        ((entry("Salt"), episode("Rope")), {"blog": "Harbour & Hearth", "podcast": "Casts"}, ""),
        ((entry("Salt"), entry("Rope")), {"blog": "Notes"}, ""),
        ((episode("Salt"), entry("A tide table", feed="links")), {"podcast": "Casts", "links": "Links"}, ""),
    ],
)
def test_the_lead_names_its_feed_if_others_are_of_another(entries: Any, titles: dict[str, str], shown: str):
    """No heading says where it is from; the publication itself and a feed alone need not be named."""
    kept = [stored(one, number) for number, one in enumerate(entries, 1)]
    selection = select(WEEK, kept, WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    lead, *others = compose(inputs_of(selection, feed_titles=titles))[0].stories
    assert (lead.level, lead.feed_title, *(one.feed_title for one in others)) == ("lead", shown, "")


def test_a_story_need_not_name_its_feed():
    """The title of the feed leaves the titles of its stories, old ones too; the entry keeps its own."""
    old = stored(entry("Blogs of Salt: Rope", MONDAY - timedelta(days=364)))
    week = select(WEEK, [stored(entry("Blogs of Salt | Oars"), 2)], WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    titles = {"blog": "Blogs of Salt"}
    digest, _ = compose(inputs_of(week, archive=ArchiveContent(year_ago=(old,)), feed_titles=titles))
    assert [one.title for one in digest.all_stories] == ["Oars", "Rope"]
    assert digest.stories[0].entries[0].title == "Blogs of Salt | Oars"


@pytest.mark.parametrize("kind", ["alone", "with its episode", "archive"])
@pytest.mark.parametrize(("is_cut", "minutes"), [(False, 3), (True, 0)])
def test_a_text_that_its_feed_cut_has_no_reading_time(kind: str, is_cut: bool, minutes: int):
    """Its beginning does not say how long the whole of it takes."""
    post = entry("Salt", MONDAY, body_html=MINUTES_3, is_cut=is_cut)
    if kind == "archive":
        old = replace(stored(post), entry=replace(post, published_at=MONDAY - timedelta(days=364)))
        week = select(WEEK, [stored(entry("New"), 2)], WeekAssignment(calendar=CALENDAR, closed_weeks={}))
        digest, _ = compose(inputs_of(week, archive=ArchiveContent(year_ago=(old,))))
        composed = digest.archive[0].stories[0]
    else:
        composed = only_story(post, *([episode("Salt", MONDAY + HOUR)] if kind == "with its episode" else []))
    assert composed.reading_minutes == minutes


def test_an_episode_shows_its_cover_a_post_its_picture():
    """A pair shows the cover, or the post's picture if there is none."""
    cover, photo = Picture(url="https://example.org/cover.jpg"), Picture(url="https://example.org/photo.jpg")
    assert only_story(entry("Salt", picture=photo), episode("Salt", picture=cover)).picture == cover
    assert only_story(entry("Salt", picture=photo), episode("Salt")).picture == photo
    assert only_story(entry("Salt", picture=photo)).picture == photo


def test_an_episode_without_a_page_links_to_its_file():
    """With a page the button never links to the file."""
    audio = Enclosure(url="https://audio.example/a.mp3", media_type="audio/mpeg")
    assert only_story(episode("Salt", url="", enclosure=audio)).listen_url == "https://audio.example/a.mp3"
    assert only_story(episode("Salt", enclosure=audio)).listen_url == "https://podcast.example/salt"


def test_a_link_has_a_domain_but_no_picture_or_minutes():
    """Only title, text and domain of a useful link are shown."""
    composed = only_story(
        entry(
            "Tides",
            feed="links",
            url="https://www.tides.example/a",
            picture=Picture(url="https://x.example/p.png"),
            body_html="<p>For those who row.</p>" + MINUTES_3,
        )
    )
    assert (composed.kind, composed.link_domain, composed.picture, composed.reading_minutes) == (
        "link",
        "tides.example",
        None,
        0,
    )
    assert composed.excerpt_md == "For those who row."


def test_an_episode_number_is_removed_from_the_title():
    """Only if the feed gives the number separately; the byline shows it."""
    assert only_story(episode("17. Your Letters, Answered", episode=17)).title == "Your Letters, Answered"
    assert only_story(episode("17. Your Letters, Answered")).title == "17. Your Letters, Answered"


def test_a_related_entry_has_the_title_of_its_story():
    """The episode number is removed there, too."""
    (related,) = related_entries([stored(episode("#11 – Sheep, mostly", episode=11))])
    assert related.title == "Sheep, mostly"


def test_where_an_older_entry_comes_from():
    """A related entry keeps its feed, guid, date and page, by which the editor can leave it out."""
    old = stored(entry("Salt", MONDAY - timedelta(days=364)))
    (related,) = related_entries([old])
    assert (related.feed_id, related.guid, related.url) == ("blog", old.entry.guid, old.entry.url)
    assert (related.title, related.published_at) == ("Salt", old.entry.published_at)


COVER, PHOTO = Picture(url="https://example.org/cover.jpg"), Picture(url="https://example.org/photo.jpg")
FILM = Enclosure(url="https://example.org/a.mp4", media_type="video/mp4")
STORY_FIELDS = [
    ([episode("Salt")], {"kind": "episode", "transcript_url": "", "explicit": False, "season": None, "episode": None}),
    ([episode("Salt", transcripts=(Transcript(url="https://a.example/1"), Transcript(url="https://a.example/2")))],
     {"transcript_url": "https://a.example/1"}),
    ([episode("Salt", explicit=True)], {"explicit": True}),
    ([episode("Salt", guest="Ada", author="Bo")], {"guest": "Ada", "author": "Bo"}),
    ([entry("Salt", author="Bo"), episode("Salt", guest="Ada", author="Cy")], {"guest": "Ada", "author": "Bo"}),
    ([entry("Salt", guest="Bo"), episode("Salt", guest="Ada")], {"guest": "Bo"}),
    ([entry("Salt", MONDAY + HOUR), episode("Salt")], {"published_at": MONDAY, "listen_site": "podcast.example"}),
    ([entry("Salt", url="https://www.blog.example/1")], {"kind": "post", "link_domain": "", "duration_seconds": None}),
    ([entry("Salt", feed="unknown")], {"kind": "post", "listen_links": ()}),
    ([episode("Salt", feed="unknown")], {"kind": "episode", "listen_links": ()}),
    ([episode("Salt", url="", enclosure=FILM)], {"url": FILM.url, "listen_url": FILM.url}),
    ([entry("Salt", url=""), episode("Salt")], {"url": "https://podcast.example/salt"}),
    ([entry("Salt", url="")], {"url": "", "listen_url": "", "listen_site": ""}),
    ([entry("Salt", picture=PHOTO), episode("Salt", picture=COVER)], {"picture": COVER, "kind": "read-or-listen"}),
    ([entry("Salt"), episode("Salt", picture=COVER)], {"picture": COVER}),
    ([entry("Salt"), episode("7. Salt", episode=7, season=1)], {"title": "Salt", "episode": 7, "season": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("entries", "fields"), STORY_FIELDS)
def test_fields_of_a_story(entries, fields):
    """From the post where it has them, else from the episode; what neither has is empty."""
    composed = only_story(*entries)
    assert {name: getattr(composed, name) for name in fields} == fields


def test_several_feeds_in_a_section_are_named():
    """By the title of the episode's or post's own feed; a section of one feed does not repeat it, links never do."""
    feeds = (*FEEDS, Feed(id="other", url="https://other.example/feed", kind="blog"))
    titles = {"blog": "Hearth", "other": "Harbour", "podcast": "The Table", "links": "Links"}
    entries = [entry("A", MONDAY), entry("B", MONDAY + HOUR, feed="other"), entry("C", MONDAY, feed="gone"),
               episode("D", MONDAY), entry("E", feed="links")]  # fmt: skip
    kept = [stored(one, number) for number, one in enumerate(entries, 1)]
    chosen = select(WEEK, kept, WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    links = (EditorLink(url="https://tides.example/", title="Own"),)
    chosen = replace(chosen, overrides=replace(chosen.overrides, links=links))
    digest, _ = compose(replace(inputs_of(chosen, feed_titles=titles), feeds=feeds))
    assert {story.title: story.feed_title for story in digest.stories} == {
        "A": "Hearth", "B": "Harbour", "C": "", "D": "", "E": "", "Own": "",
    }  # fmt: skip
    assert [(section.heading, len(section.stories)) for section in digest.sections if section.kind == "links"] == [
        ("Worth a look", 2)
    ]


def test_what_the_text_of_a_story_is():
    """By the entry that it is taken from; an entry without a text of its own is not named."""
    text = "<p>Salt came by sea, and everybody in the town had some of it for the winter.</p>"
    post, heard = stored(entry("Salt"), 7), stored(episode("Salt", body_html=text), 8)
    (described,) = describe_texts([[post, heard]], FEEDS).items()
    assert described[0] == 8
    assert described[1]
    assert describe_texts([[stored(entry("Salt", body_html=text), 7), heard]], FEEDS).keys() == {7}
    assert describe_texts([[stored(entry("Salt", excerpt_text="Salt."), 7)]], FEEDS) == {}
    assert describe_texts([], FEEDS) == {}


def test_blocks_of_the_day_on_which_the_week_closes():
    """In the time zone of the publication; the first of equal texts, in the order of config.toml."""
    day = CALENDAR.bounds(WEEK)[1].date()
    block = Block(kind="notice", text_md="We move.", label="1")
    blocks = (block, replace(block, label="2"), replace(block, text_md="Tins", last_day=day - timedelta(days=1)),
              replace(block, text_md="Oats", first_day=day))  # fmt: skip
    nothing = Selection(stories=(), decisions=(), overrides=Overrides())
    for timezone, shown in (("UTC", ["We move.", "Oats"]), ("America/New_York", ["We move.", "Tins"])):
        inputs = replace(inputs_of(nothing, blocks=blocks), publication=replace(PUBLICATION, timezone=timezone))
        found = compose(inputs)[0].blocks
        assert [one.text_md for one in found] == shown
        assert found[0].label == "1"


def test_what_the_editor_wrote_is_in_the_digest():
    """Subject, preheader and introduction, and the number of the edition; without them, what was composed."""
    week = select(WEEK, [stored(entry("Salt"))], WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    written = replace(week.overrides, subject="Mine", preheader="Also mine", introduction_md="Hello.")
    digest = compose(inputs_of(replace(week, overrides=written), number=7))[0]
    assert (digest.subject, digest.preheader, digest.introduction_md) == ("Mine", "Also mine", "Hello.")
    assert (digest.number, digest.week, digest.decisions) == (7, "2026-W07", week.decisions)
    assert (digest.opens_at, digest.closes_at) == CALENDAR.bounds(WEEK)
    composed = compose(inputs_of(week))[0]
    assert (composed.subject, composed.number) == ("Harbour & Hearth: Salt", None)
    assert composed.preheader == composed.preheader_suggestions[0] == "This week: a post"
    assert composed.subject_suggestions[0] == composed.subject


def test_older_sections():
    """An entry from a year ago has a heading of its own; what only fills a thin week has none."""
    old = stored(entry("Old", MONDAY - timedelta(days=364), author="Ada"), 5)
    filler = stored(episode("Older", MONDAY - timedelta(days=500), duration_seconds=60), 6)
    nothing = Selection(stories=(), decisions=(), overrides=Overrides())
    digest, _ = compose(inputs_of(nothing, archive=ArchiveContent(year_ago=(old,), filler=(filler,))))
    assert [(section.kind, section.heading) for section in digest.archive] == [
        ("archive", "This week a year ago"),
        ("archive", ""),
    ]
    first, second = digest.all_stories
    assert (first.level, first.author, first.kind) == ("brief", "Ada", "post")
    assert (second.level, second.duration_seconds, second.reading_minutes) == ("brief", 60, 0)


def test_an_entry_with_only_a_title():
    """The story has only a title as well."""
    composed = only_story(entry("Bare"))
    empty = (
        composed.excerpt_md,
        composed.author,
        composed.guest,
        composed.picture,
        composed.listen_url,
        composed.listen_links,
    )
    assert empty == ("", "", "", None, "", ())


@pytest.mark.parametrize("feed_count", [1, 2])
def test_stories_of_several_feeds_have_the_names_and_icons_of_their_feeds(feed_count):
    """As the feeds state them; stories of one feed have neither."""
    posts = [
        stored(entry("Salt"), 1),
        stored(entry("Rope", MONDAY + HOUR, feed="loft" if feed_count == 2 else "blog"), 2),
    ]
    selection = select(WEEK, posts, WeekAssignment(calendar=CALENDAR, closed_weeks={}))
    feeds = (*FEEDS, Feed(id="loft", url="https://loft.example/feed", kind="blog"))
    icons = {feed: Picture(url=f"https://{feed}.example/icon.png") for feed in ("blog", "loft")}
    sizes = {icons["loft"].url: Picture(url=icons["loft"].url, width=64, height=64)}
    inputs = inputs_of(
        selection, feed_titles={"blog": "Salt & Fat", "loft": "The Loft"}, icons=icons, image_sizes=sizes
    )
    shown = {(one.feed_title, one.feed_icon) for one in compose(replace(inputs, feeds=feeds))[0].stories}
    named = {("Salt & Fat", icons["blog"]), ("The Loft", sizes[icons["loft"].url])}
    assert shown == (named if feed_count == 2 else {("", None)})
