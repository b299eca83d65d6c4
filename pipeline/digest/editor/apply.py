"""What the editor asks of a week's stories: their order, a few words under them, links of their own.

In: stories as the program made them, Overrides. Out: stories. Pure. Which entries are in at all, ``select`` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.model.digest import Section, Story
from pipeline.model.edition import EditorLink, Overrides, matches
from pipeline.model.entry import Entry
from pipeline.text.urls import domain, url_key

EDITOR_FEED_ID = "editor"
"""In the place of a feed's id: a link that stands in no feed but in the editor's file."""
_UNASKED = 1_000_000


def apply_notes(stories: Sequence[Story], overrides: Overrides) -> list[Story]:
    """Put the editor's words under the stories they are about."""
    return [replace(story, note_md=note) if (note := _note(story, overrides)) else story for story in stories]


def apply_links(stories: Sequence[Story], overrides: Overrides, at: datetime) -> list[Story]:
    """Add the editor's own links, and tell in the editor's words what was in already; theirs come first."""
    own = {url_key(link.url): link for link in overrides.links}
    told = {url_key(story.url): story for story in stories if story.kind == "link"}
    rest = [story for story in stories if not (story.kind == "link" and url_key(story.url) in own)]
    first = [_reworded(told[key], link) if key in told else _link(link, at) for key, link in own.items()]
    return [*(story for story in rest if story.kind != "link"), *first, *(each for each in rest if each.kind == "link")]


def apply_order(sections: Sequence[Section], overrides: Overrides) -> tuple[Section, ...]:
    """Bring stories, and with them their sections, into the order asked for; the others follow as they were."""
    inside = [
        replace(section, stories=tuple(sorted(section.stories, key=lambda each: _place(each, overrides))))
        for section in sections
    ]
    return tuple(sorted(inside, key=lambda section: _place(section.stories[0], overrides)))


def _note(story: Story, overrides: Overrides) -> str:
    named = (
        note for reference, note in overrides.notes.items() if any(matches(reference, each) for each in story.entries)
    )
    return next(named, "")


def _place(story: Story, overrides: Overrides) -> int:
    asked = (overrides.lead, *overrides.order)
    found = (place for place, each in enumerate(asked) if each and any(matches(each, entry) for entry in story.entries))
    return next(found, _UNASKED)


def _reworded(story: Story, link: EditorLink) -> Story:
    return replace(story, title=link.title or story.title, excerpt_md=link.note_md or story.excerpt_md)


def _link(link: EditorLink, at: datetime) -> Story:
    title = link.title or domain(link.url)
    entry = Entry(feed_id=EDITOR_FEED_ID, guid=link.url, url=link.url, title=title, published_at=at)
    return Story(
        kind="link",
        title=title,
        url=link.url,
        entries=(entry,),
        excerpt_md=link.note_md,
        published_at=at,
        link_domain=domain(link.url),
    )
