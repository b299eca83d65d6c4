"""The episode of a story: its chapters, transcript and guest, the page to hear it, and the cover of its show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.model.digest import Section, Story
from pipeline.model.entry import Entry, Picture, TimedText
from pipeline.text.similarity import normalised_words, title_key
from pipeline.text.urls import MEDIA_FILE, domain, url_key

MAX_QUOTES = 3
"""Sentences of a transcript that the editor is offered, besides its opening."""


def with_episode_details(
    story: Story, details: Mapping[str, Sequence[TimedText]], rarity: Mapping[str, float]
) -> Story:
    """Return a story with the chapters of its episode, or the opening of its transcript, and sentences to quote.

    ``details`` are by the URL of the document; of a transcript, the opening comes before the sentences. Those with the
    rarest words are offered, in the order in which they are heard; ``rarity`` is by word.
    """
    if not (audio := story.audio):
        return story
    chapters = tuple(details.get(audio.chapters_url, ()))
    transcript = next((details[one.url] for one in audio.transcripts if details.get(one.url)), ())
    opening = transcript[0].text if transcript and not chapters else ""
    ranked = sorted(transcript[1:], key=lambda one: -_rarity(one.text, rarity))[:MAX_QUOTES]
    sentences = sorted(ranked, key=lambda one: one.start_seconds or 0)
    return replace(story, chapters=chapters, transcript_opening=opening, quotable=(*transcript[:1], *sentences))


def quotable_words(details: Iterable[Sequence[TimedText]]) -> frozenset[str]:
    """Return the words whose rarity decides which sentences are offered."""
    return frozenset(
        word for lines in details for line in lines[1:] for word in normalised_words(line.text) if len(word) > 3
    )


def _rarity(sentence: str, rarity: Mapping[str, float]) -> float:
    """Return how rare the words of a sentence are, relative to its length; unknown words do not count."""
    words = normalised_words(sentence)
    return sum(rarity.get(word, 0.0) for word in set(words)) / math.sqrt(max(1, len(words)))


def listen_page(audio: Entry, post: Entry | None) -> str:
    """Return the page to hear an episode: its own, else its post's; its media file only if neither has a page."""
    pages = (entry.url for entry in (audio, post) if entry and not _is_media_file(entry))
    return next(filter(None, pages), audio.url or (audio.enclosure.url if audio.enclosure else ""))


def site_of(url: str, home_url: str) -> str:
    """Return the domain of a URL that leads to another site than the publication's, else "".

    >>> [site_of(url, "https://hearth.example/") for url in ("https://www.pod.example/9", "https://cast.hearth.example")]
    ['pod.example', '']
    """
    site, home = domain(url), domain(home_url)
    return "" if site == home or site.endswith(f".{home}") else site


def guest_page(story: Story) -> str:
    """Return the page of a story's guest, as its episode names it (podcast:person)."""
    guests = (person for person in (story.audio.persons if story.audio else ()) if person.role.casefold() == "guest")
    name = title_key(story.guest)
    return next((one.url for one in guests if one.url and name and title_key(one.name) == name), "")


def show_covers_once(sections: Iterable[Section], covers: Mapping[str, Picture]) -> tuple[Section, ...]:
    """Return sections that show the cover of each show once, at its first story that is not a brief.

    ``covers`` are by feed id. A picture that an earlier story of the show has is its cover, too: a story shows its
    post's picture instead, or none. A picture of an episode's own stays.
    """
    shown: dict[str, set[str]] = {}
    return tuple(
        replace(
            section,
            stories=tuple(
                story if story.level == "brief" else replace(story, picture=_picture(story, covers, shown))
                for story in section.stories
            ),
        )
        for section in sections
    )


def _picture(story: Story, covers: Mapping[str, Picture], shown: dict[str, set[str]]) -> Picture | None:
    """Return a story's own picture, or its show's cover; ``shown`` are the pictures shown so far, by feed id."""
    audio, picture = story.audio, story.picture
    if audio is None:
        return picture
    cover, is_first = covers.get(audio.feed_id), audio.feed_id not in shown
    pictures = shown.setdefault(audio.feed_id, set())
    if picture is None:
        picture = cover if is_first else None
    elif url_key(picture.url) in pictures or (cover and not is_first and url_key(picture.url) == url_key(cover.url)):
        of_post = story.post.picture if story.post else None
        picture = of_post if of_post and url_key(of_post.url) not in pictures else None
    if picture:
        pictures.add(url_key(picture.url))
    return picture


def _is_media_file(entry: Entry) -> bool:
    """Return whether the page of an entry is a file to play instead."""
    is_enclosure = entry.enclosure is not None and url_key(entry.url) == url_key(entry.enclosure.url)
    return is_enclosure or bool(MEDIA_FILE.search(entry.url.partition("?")[0]))
