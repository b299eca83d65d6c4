"""Apply the editor's order, texts, notes and links to composed stories; ``selection`` applies the choice of entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.model.digest import Section, Story
from pipeline.model.edition import EditorLink, Overrides, StoryEdit, matches_any
from pipeline.model.entry import Entry, Picture
from pipeline.text.picture_references import reference_size
from pipeline.text.urls import domain, url_key

EDITOR_FEED_ID = "editor"
"""The feed id of links that are in the editor's file only."""


def apply_notes(stories: Sequence[Story], overrides: Overrides) -> list[Story]:
    """Return the stories with the editor's notes."""
    with_notes = []
    for story in stories:
        notes = (note for reference, note in overrides.notes.items() if is_named((reference,), story))
        note = next(notes, "")
        with_notes.append(replace(story, note_md=note) if note else story)
    return with_notes


def apply_edits(sections: Sequence[Section], overrides: Overrides) -> list[Section]:
    """Return the sections with the editor's own texts and pictures of stories."""

    def edited(story: Story) -> Story:
        edits = (edit for reference, edit in overrides.stories.items() if is_named((reference,), story))
        edit = next(edits, None)
        return apply_edit(story, edit) if edit else story

    return [replace(section, stories=tuple(map(edited, section.stories))) for section in sections]


def apply_edit(story: Story, edit: StoryEdit) -> Story:
    """Return a story with the editor's own text and picture where there are any.

    >>> story = Story(kind="post", title="Bread", url="", entries=(), picture=Picture(url="https://h.example/loaf.jpg"))
    >>> edited = apply_edit(story, StoryEdit(title="Bread, slowly", alt="A loaf", button="Bake it"))
    >>> edited.title, edited.picture.alt, edited.button_label
    ('Bread, slowly', 'A loaf', 'Bake it')
    """
    picture = story.picture
    if edit.picture_url is not None and edit.picture_url != (picture.url if picture else ""):
        known = {entry.picture.url: entry.picture for entry in story.entries if entry.picture}
        picture = known.get(edit.picture_url, _own_picture(edit.picture_url)) if edit.picture_url else None
    if picture and edit.alt:
        picture = replace(picture, alt=edit.alt)
    return replace(
        story,
        title=edit.title or story.title,
        excerpt_md=story.excerpt_md if edit.text_md is None else edit.text_md,
        has_own_text=edit.text_md is not None,
        picture=picture,
        button_label=edit.button,
    )


def _own_picture(url: str) -> Picture:
    """Return a picture that the editor chose, with its size if it was uploaded."""
    width, height = reference_size(url) or (None, None)
    return Picture(url=url, width=width, height=height)


def apply_links(stories: Sequence[Story], overrides: Overrides, at: datetime) -> list[Story]:
    """Return the stories with the editor's links before all other links.

    A link that is already a story gets the editor's title and text. ``at`` dates the new ones.
    """
    own = {url_key(link.url): link for link in overrides.links}
    links = {url_key(story.url): story for story in stories if story.kind == "link"}
    first = []
    for key, link in own.items():
        if story := links.pop(key, None):
            first.append(replace(story, title=link.title or story.title, excerpt_md=link.note_md or story.excerpt_md))
        else:
            first.append(_link_story(link, at))
    others = [story for story in stories if story.kind == "link" and url_key(story.url) not in own]
    return [*(story for story in stories if story.kind != "link"), *first, *others]


def apply_order(sections: Sequence[Section], overrides: Overrides) -> tuple[Section, ...]:
    """Return sections and their stories in the editor's order; the others follow in their own order."""

    def position(story: Story) -> int:
        return position_in(overrides.order, story)

    ordered = [replace(section, stories=tuple(sorted(section.stories, key=position))) for section in sections]
    return tuple(sorted(ordered, key=lambda section: position(section.stories[0])))


def position_in(references: Sequence[str], story: Story) -> int:
    """Return the index of the first reference that names an entry of a story; their number if none does."""
    positions = (index for index, reference in enumerate(references) if is_named((reference,), story))
    return next(positions, len(references))


def is_named(references: Sequence[str], story: Story) -> bool:
    """Return whether a reference names an entry of a story."""
    return any(matches_any(references, entry) for entry in story.entries)


def _link_story(link: EditorLink, at: datetime) -> Story:
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
