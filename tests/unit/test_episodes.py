"""What a newsletter tells of an episode: chapters, transcript, guest, where to hear it, and the cover of its show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.digest.compose.compose import DigestInputs, compose
from pipeline.digest.compose.episodes import quotable_words
from pipeline.digest.render.story_view import story_view
from pipeline.digest.render.translator import ENGLISH
from pipeline.digest.selection.select import Selection
from pipeline.ingest.chapters import MAX_CHAPTERS, MAX_QUOTABLE, read_chapters, read_transcript
from pipeline.model.digest import Digest, Publication, Story
from pipeline.model.edition import Overrides
from pipeline.model.entry import Enclosure, Entry, Person, Picture, TimedText, Transcript
from pipeline.model.feed import Feed
from pipeline.model.week import Week, WeekCalendar
from pipeline.text.quotable import is_quotable
from tests.factories import MONDAY, entry, episode, stored


def test_specific_chapters_are_kept():
    """Hidden, framing, repeated and untitled chapters are left out, and at most eight are kept."""
    many = ", ".join(f'{{"title": "C{n}"}}' for n in range(20))
    hidden = '{"title": "Hidden", "toc": false}, {"title": "Intro"}, {"title": 7}, "x", {"title": "C0"}'
    found = read_chapters(f'{{"chapters": [{hidden}, {many}]}}'.encode())
    assert [chapter.text for chapter in found] == [f"C{n}" for n in range(MAX_CHAPTERS)]


def test_chapters_are_in_the_order_they_are_heard():
    """Times may be numbers, numbers as text or clock times; the order comes before the limit, unreadable times last."""
    starts = ('"0:40"', "12.5", '"7"', "null", "true", '"soon"', '"1e999"', *map(str, range(600, 100, -50)))
    chapters = ", ".join(f'{{"startTime": {start}, "title": "At {start.strip(chr(34))}"}}' for start in starts)
    found = read_chapters(f'{{"chapters": [{chapters}]}}'.encode())
    assert [chapter.text for chapter in found] == [
        f"At {start}" for start in ("7", "12.5", "0:40", *range(150, 400, 50))
    ]
    assert [chapter.start_seconds for chapter in found] == [7, 12, 40, *range(150, 400, 50)]
    assert read_chapters(b'{"chapters": [{"startTime": -4, "title": "A"}, {"startTime": 1e300, "title": "B"}]}') == (
        TimedText(text="A"),
        TimedText(text="B"),
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"chapters": 7}' * 2, b"[" * 100_000])
def test_invalid_chapters_are_ignored(body: bytes):
    """Any other document has no chapters."""
    assert read_chapters(body) == ()


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
    "WebVTT with tags": (
        b"WEBVTT\n\n00:01.000 --> 00:02.000\n<c.loud>Hello</c> <00:00:01.500><lang en>you</lang>."
        b"&nbsp;&lt;i&gt;Again&lt;/i&gt;.",
        "text/vtt",
    ),
    "SubRip with styles": (
        b"1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<font color='red'>Hello</font>&#32;<b>you</b>. Again.",
        "text/srt",
    ),
    "plain": (b"Hello you. Again.", "text/plain"),
    "HTML": (b"<p>Hello you.</p><p>Again.</p>", "text/html"),
    "sounds": (b"WEBVTT\n\n00:01.000 --> 00:02.000\n[Music] Hello you. (laughs)\nAgain.", "text/vtt"),
}


@pytest.mark.parametrize("case", OPENINGS)
def test_transcript_opening_is_only_speech(case: str):
    """Times, numbers, speaker names, notes and noises are left out."""
    body, kind = OPENINGS[case]
    (opening,) = read_transcript(body, kind)
    assert opening.text == "Hello you. Again."
    assert opening.start_seconds == (1 if b"-->" in body else None)


PUBLICATION = Publication(name="Harbour & Hearth", url="https://hearth.example/", timezone="UTC", language="en",
                          sender="H <h@hearth.example>", editor="e@hearth.example", postal_address="")  # fmt: skip
FEEDS = (
    Feed(id="blog", url="https://blog.example/feed", kind="blog"),
    Feed(id="podcast", url="https://pod.example/feed", kind="podcast"),
)
COVER = Picture(url="https://pod.example/cover.jpg", alt="The Harbour Table")


def digest_of(*stories: tuple[Entry, ...], **more: object) -> Digest:
    """Return a digest with the stories in this order."""
    numbers = iter(range(1, 99))
    selection = Selection(
        stories=tuple(tuple(stored(one, next(numbers)) for one in story) for story in stories),
        decisions=(),
        overrides=Overrides(order=tuple(f"{story[0].feed_id} {story[0].guid}" for story in stories)),
    )
    opens_at, closes_at = WeekCalendar.parse("mon 00:00", MONDAY.tzinfo).bounds(Week(2026, 7))
    values = {"publication": PUBLICATION, "feeds": FEEDS, "selection": selection, **more}
    return compose(DigestInputs(week=Week(2026, 7), opens_at=opens_at, closes_at=closes_at, **values))[0]  # type: ignore[arg-type]


def story_of(*entries: Entry, **more: object) -> Story:
    (story,) = digest_of(entries, **more).stories
    return story


def test_a_chapter_has_its_minutes():
    """From the chapters file to the reader; the transcript still offers its sentences, but no opening."""
    details = {
        "https://pod.example/c.json": read_chapters(b'{"chapters": [{"startTime": 3725, "title": "Driftwood"}]}'),
        "https://pod.example/t.vtt": (TimedText(text="The door."), TimedText(text="Come in.", start_seconds=4)),
    }
    heard = episode(
        chapters_url="https://pod.example/c.json", transcripts=(Transcript(url="https://pod.example/t.vtt"),)
    )
    story = story_of(heard, episode_details=details)
    assert story.chapters == (TimedText(text="Driftwood", start_seconds=3725),)
    assert story.transcript_opening == ""
    assert story.quotable == details["https://pod.example/t.vtt"]
    assert story_view(story, ENGLISH, MONDAY.tzinfo).contents == ("1:02:05 Driftwood",)
    assert story_of(replace(heard, chapters_url=""), episode_details=details).transcript_opening == "The door."


GUESTS = {
    "named in the title": ("Ada Finch", [Person(name="ada finch", role="Guest", url="https://ada.example/")], True),
    "another one": ("Ada Finch", [Person(name="Bo Lund", role="guest", url="https://bo.example/")], False),
    "the host": ("Ada Finch", [Person(name="Ada Finch", role="host", url="https://ada.example/")], False),
    "without a page": ("Ada Finch", [Person(name="Ada Finch", role="guest")], False),
    "nobody": ("", [Person(name="", role="guest", url="https://ada.example/")], False),
}


@pytest.mark.parametrize("case", GUESTS)
def test_a_guest_is_linked_to_the_page_that_the_episode_names(case: str):
    """By podcast:person, if it is the guest that the title names; also in the text part."""
    name, persons, linked = GUESTS[case]
    digest = digest_of((episode(guest=name, persons=tuple(persons)),))
    assert digest.stories[0].guest_url == ("https://ada.example/" if linked else "")
    view = story_view(digest.stories[0], ENGLISH, MONDAY.tzinfo)
    linked_names = [(part.name, part.url) for part in view.byline_parts if part.url]
    assert linked_names == [("Ada Finch", "https://ada.example/")] * linked


AUDIO = Enclosure(url="https://audio.example/9.mp3?from=feed", media_type="audio/mpeg")
PAGES = {
    "its own": (episode(enclosure=AUDIO), None, "https://podcast.example/bread"),
    "its own beside a post's": (episode(enclosure=AUDIO), entry(), "https://podcast.example/bread"),
    "its post's": (episode(enclosure=AUDIO, url=""), entry(), "https://blog.example/bread"),
    "its post's, as its link is the file": (episode(enclosure=AUDIO, url=AUDIO.url), entry(), "https://blog.example/bread"),
    "its post's, as its link is a file": (
        episode(enclosure=AUDIO, url="https://cdn.example/a/9.M4A?x=1"), entry(), "https://blog.example/bread",
    ),
    "none": (episode(enclosure=AUDIO, url=""), None, AUDIO.url),
}  # fmt: skip


@pytest.mark.parametrize("case", PAGES)
def test_an_episode_opens_a_page(case: str):
    """The media file is opened only if there is no page; one button is enough for one page."""
    heard, post, page = PAGES[case]
    story = story_of(*filter(None, (post, heard)))
    assert story.listen_url == page
    urls = [link.url for link in story_view(story, ENGLISH, MONDAY.tzinfo).buttons]
    assert urls == list(dict.fromkeys(filter(None, (page, post and post.url))))


def test_a_button_says_where_it_leads():
    """If that is another site than the publication's; its subdomains are its own."""
    labels = {}
    for url in ("https://www.pod.example/9", "https://cast.hearth.example/9", "https://hearth.example/9"):
        story = story_of(episode(url=url, duration_seconds=2520))
        labels[url] = story_view(story, ENGLISH, MONDAY.tzinfo).buttons[0].label
    assert list(labels.values()) == ["Listen at pod.example", *["Listen to the episode (42 min)"] * 2]
    film = Enclosure(url="https://pod.example/9.mp4", media_type="video/mp4")
    assert (
        story_view(story_of(episode(url="https://pod.example/9", enclosure=film)), ENGLISH, MONDAY.tzinfo)
        .buttons[0]
        .label
        == "Watch at pod.example"
    )


def pictures(*stories: tuple[Entry, ...], **more: object) -> list[str]:
    found = [story.picture for story in digest_of(*stories, **more).stories]
    return [picture.url.rpartition("/")[2] if picture else "" for picture in found]


OWN = Picture(url="https://pod.example/own.jpg")
POSTS = Picture(url="https://blog.example/post.jpg")


def test_a_cover_is_shown_once():
    """At the first story of its show, whether the feed or each episode declares it; an episode's own picture stays."""
    covers = {"podcast": COVER}
    plain, declared, own = episode("A"), episode("B", picture=COVER), episode("C", picture=OWN)
    assert pictures((plain,), (declared,), (own,), covers=covers) == ["cover.jpg", "", "own.jpg"]
    assert pictures((own,), (declared,), (plain,), covers=covers) == ["own.jpg", "", ""]
    assert pictures((declared,), (replace(declared, guid="d", title="D"),)) == ["cover.jpg", ""]
    assert pictures((plain,), (replace(declared, guid="d", title="D"),)) == ["", "cover.jpg"]


def test_a_posts_picture_replaces_a_cover_that_was_shown():
    """Two shows have a cover each; without an episode nothing changes."""
    both = (entry("B", picture=POSTS), episode("B", picture=COVER))
    assert pictures((episode("A", picture=COVER),), both) == ["cover.jpg", "post.jpg"]
    assert pictures((episode("A", picture=COVER),), (episode("B", feed="show", picture=COVER),)) == ["cover.jpg"] * 2
    assert pictures((entry("A", picture=POSTS),), (entry("B", picture=POSTS),)) == ["post.jpg"] * 2


QUOTABLE = {
    "You do not need a bigger table, you need to stop clearing it.": True,
    "A village that feeds its strangers never runs out of soup.": True,
    "Salt keeps.": False,  # too short
    "Salt " + "and more salt " * 12 + "keeps.": False,  # too long
    "And a village that feeds its strangers never runs out of soup.": False,
    "She feeds the strangers in the village with soup every winter.": False,
    "Das ist der Grund, warum niemand im Dorf jemals danach fragt.": False,
    "the village that feeds its strangers never runs out of soup.": False,  # its beginning is missing
    "A village that feeds its strangers never runs out of soup": False,  # its end is missing
    "Do you think that the village will ever run out of soup?": False,
    "Welcome to the harbour table, where strangers sit down to eat.": False,
    "Our sponsor makes the spoons that the whole village eats with.": False,
    "Please leave a review, because the village likes to read it.": False,
    "The village, um, feeds its strangers and never runs out of soup.": False,
    "The village, you know, feeds its strangers and never runs out.": False,
}


@pytest.mark.parametrize("sentence", QUOTABLE)
def test_a_quotable_sentence_stands_alone(sentence: str):
    """It has 8 to 30 words, a beginning and an end, refers to no sentence before it and is about something."""
    assert is_quotable(sentence) is QUOTABLE[sentence]


CUES = (
    ("00:00:01.000", "<v Mira>Welcome to the harbour table,"),
    ("00:00:04.000", "where strangers sit down. It is"),
    ("00:01:09.500", "late. A village that feeds its strangers"),
    ("00:01:13.000", "never runs out of soup. Driftwood burns green because of"),
    ("01:02:03.000", "the copper in the old nails. So we keep it."),
    ("01:02:09.000", "MIRA: Nobody who carries water up a hill wastes a cup of it."),
)
TRANSCRIPT = "WEBVTT\n\n" + "\n\n".join(f"{at} --> 09:00:00.000\n{words}" for at, words in CUES)


def test_quotable_sentences_are_word_for_word_in_the_transcript():
    """Each begins with the cue it begins in; the opening comes first, without what does not stand alone."""
    opening, *sentences = read_transcript(TRANSCRIPT.encode(), "text/vtt")
    assert opening.text.startswith("Welcome to the harbour table, where strangers sit down.")
    assert {(one.text, one.start_seconds) for one in sentences} == {
        ("A village that feeds its strangers never runs out of soup.", 69),
        ("Driftwood burns green because of the copper in the old nails.", 73),
        ("Nobody who carries water up a hill wastes a cup of it.", 3729),
    }
    words = " ".join(line for _, line in CUES)
    assert all(one.text in words for one in sentences)


def test_a_long_transcript_keeps_a_few_sentences():
    """Those that say most, whatever its length; the same one once."""
    many = " ".join(f"Village number {n} feeds its strangers with soup every winter." for n in range(500))
    assert len(read_transcript(f"{many} {many}".encode(), "text/plain")) == 1 + MAX_QUOTABLE


def test_the_rarest_sentences_are_offered_in_the_order_they_are_heard():
    """By how rare their words are in the archive; three at most, and how the episode begins."""
    lines = [TimedText(text=f"Word {name} of the week.", start_seconds=at)
             for name, at in (("begin", 1), ("common", 10), ("kiln", 40), ("gannet", 20), ("oakum", 30))]  # fmt: skip
    url = "https://pod.example/t.vtt"
    story = story_of(
        episode(transcripts=(Transcript(url=url),)),
        episode_details={url: tuple(lines)},
        rarity={"common": 0.1, "kiln": 5.0, "gannet": 4.0, "oakum": 3.0, "week": 0.5},
    )
    assert [one.text.split()[1] for one in story.quotable] == ["begin", "gannet", "oakum", "kiln"]
    assert quotable_words([lines]) >= {"gannet", "common"}
    assert "begin" not in quotable_words([lines])
