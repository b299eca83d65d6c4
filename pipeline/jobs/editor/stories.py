"""The stories of a week for the editor: as they are shown, as they were published, and what could be shown instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from pipeline.digest.compose.compose import compose
from pipeline.digest.editor.apply import EDITOR_FEED_ID, apply_edit, is_named
from pipeline.digest.render.story_view import shown_markdown
from pipeline.digest.render.translator import ENGLISH
from pipeline.digest.render.wording import section_heading
from pipeline.ingest.pictures import body_pictures
from pipeline.jobs.digests.context import DigestContext
from pipeline.jobs.digests.inputs import load_inputs
from pipeline.jobs.digests.selection import select_entries
from pipeline.model.digest import Decision, Section, Story
from pipeline.model.edition import Overrides, StoryEdit, matches_any
from pipeline.model.entry import Entry, Picture
from pipeline.model.week import Week
from pipeline.store import Store
from pipeline.text.html_images import fitness, is_svg
from pipeline.text.markdown import to_plain
from pipeline.text.urls import clean_url

MAX_PICTURES = 12
"""How many pictures of a story are offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableStory:
    """A story that an editor can change, whether or not it is left out."""

    published: Story
    """Without what the editor wrote; at the level at which it is shown if it is not left out."""
    shown: Story
    """With it."""
    edit: StoryEdit
    decisions: tuple[Decision, ...]
    """On its entries, in their order; none on a link of the editor's own."""
    pictures: tuple[Picture, ...]
    """Those of its entries and in their texts, the published one first."""
    note_md: str = ""
    left_out: bool = False
    """Whether the editor leaves all of it out."""

    @property
    def references(self) -> tuple[str, ...]:
        """The references of its entries; the first one names the story."""
        return tuple(reference_of(entry) for entry in self.published.entries)

    @property
    def published_text_md(self) -> str:
        """The published text as far as it is shown."""
        return shown_markdown(self.published)

    @property
    def text_md(self) -> str:
        """The text that is shown."""
        return shown_markdown(self.shown)

    @property
    def text(self) -> str:
        """The text that is shown, as plain text."""
        return to_plain(self.text_md)

    @property
    def feed_ids(self) -> tuple[str, ...]:
        """The feeds of its entries."""
        return tuple(entry.feed_id for entry in self.published.entries)

    @property
    def is_own_link(self) -> bool:
        """Whether it is a link of the editor's file alone."""
        return self.feed_ids == (EDITOR_FEED_ID,)

    @property
    def pairing(self) -> str:
        """Why its entries are one story, as the end of a sentence; empty if it has one entry, or nothing is known."""
        return next((one.pairing for one in self.decisions if one.pairing), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorySection:
    """Stories under one heading, in the order in which they are shown."""

    heading: str
    stories: tuple[EditableStory, ...]


def editable_stories(store: Store, context: DigestContext, week: Week, *, now: datetime) -> tuple[StorySection, ...]:
    """Return a week's stories by section; those that the editor left out where they would be.

    Raise EditorFileError if the editor's file is invalid.
    """
    overrides = select_entries(store, context, week, now=now).overrides

    def read_unedited(week: Week, entries: object) -> Overrides:
        return replace(overrides, leave_out=(), stories={})

    selection = select_entries(store, replace(context, read_overrides=read_unedited), week, now=now)
    if not selection.stories and not overrides.links:
        return ()
    digest, _ = compose(load_inputs(store, context, week, selection))
    decisions = {f"{one.feed_id} {one.guid}": one for one in selection.decisions}
    return tuple(
        StorySection(
            heading=_heading(section),
            stories=tuple(_editable(story, overrides, decisions) for story in section.stories),
        )
        for section in digest.sections
    )


def _heading(section: Section) -> str:
    is_lead = section.stories[0].level == "lead"
    return "Lead" if is_lead else section.heading or section_heading(section.kind, ENGLISH)


def reference_of(entry: Entry) -> str:
    """Return the reference that names an entry in the editor's file."""
    return f"{entry.feed_id} {entry.guid}"


def _editable(story: Story, overrides: Overrides, decisions: Mapping[str, Decision]) -> EditableStory:
    edits = (edit for reference, edit in overrides.stories.items() if is_named((reference,), story))
    edit = next(edits, StoryEdit())
    return EditableStory(
        published=story,
        shown=apply_edit(story, edit),
        edit=edit,
        decisions=tuple(decisions[key] for entry in story.entries if (key := reference_of(entry)) in decisions),
        pictures=tuple(_pictures(story, edit)),
        note_md=story.note_md,
        left_out=all(matches_any(overrides.leave_out, entry) for entry in story.entries),
    )


def _pictures(story: Story, edit: StoryEdit) -> Iterator[Picture]:
    """Yield the pictures to choose from, each once: the published one, the editor's own, then those in the texts."""
    own = [Picture(url=edit.picture_url, alt=edit.alt)] if edit.picture_url else []
    images = [one for entry in story.entries for one in (entry.picture, *body_pictures(entry.body_html)) if one]
    fit = [
        one for one in images if fitness(one.url, one.width) and not is_svg(one.url) and one.url == clean_url(one.url)
    ]
    unique = {one.url: one for one in (*([story.picture] if story.picture else []), *own, *fit)}
    yield from islice(unique.values(), MAX_PICTURES)
