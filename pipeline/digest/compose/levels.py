"""Levels of stories: which one is the lead, which are shown in full, and which are briefs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.digest.editor.apply import is_named, position_in
from pipeline.model.digest import Section, Story, StoryLevel
from pipeline.model.edition import Overrides
from pipeline.text.markdown import to_plain
from pipeline.text.plain_text import count_words

MAX_FULL_STORIES = 6
"""The lead and the stories in full: subscribers read no more than that."""
_LONG_READ_MINUTES = 8
_LONG_EXCERPT_WORDS = 40
_LONG_EPISODE_SECONDS = 30 * 60


def assign_levels(
    sections: Sequence[Section], overrides: Overrides, opens_at: datetime, closes_at: datetime
) -> tuple[Section, ...]:
    """Return the sections with the level of each story: the lead first, alone in a section, then the others.

    The lead is the one that the editor names, else the first of the editor's order, else the richest and newest. The
    richest of the others are shown in full, before the briefs of their section. Links are always briefs.
    """
    stories = [story for section in sections for story in section.stories if story.kind != "link"]

    def rank(story: Story) -> tuple[int, float]:
        return position_in(overrides.order, story), -_richness(story, opens_at, closes_at)

    def unfit_to_lead(story: Story) -> tuple[bool, bool, tuple[int, float]]:
        return not is_named((overrides.lead,), story), is_named(overrides.brief, story), rank(story)

    lead = min(stories, key=unfit_to_lead, default=None)
    others = [story for story in stories if story is not lead]
    full = [story for story in others if is_named(overrides.full, story)]
    optional = [story for story in others if not is_named((*overrides.full, *overrides.brief), story)]
    full += sorted(optional, key=rank)[: max(0, MAX_FULL_STORIES - 1 - len(full))]
    levels: dict[int, StoryLevel] = {id(story): "story" for story in full}

    def with_levels(section: Section) -> Section:
        levelled = [
            replace(story, level=levels.get(id(story), "brief")) for story in section.stories if story is not lead
        ]
        return replace(section, stories=tuple(sorted(levelled, key=lambda story: story.level == "brief")))

    first = [
        replace(section, stories=(replace(lead, level="lead"),))
        for section in sections
        if lead and any(story is lead for story in section.stories)
    ]
    return (*first, *(section for section in map(with_levels, sections) if section.stories))


def _richness(story: Story, opens_at: datetime, closes_at: datetime) -> float:
    """Return how much a story has to show: a note of the editor, a picture, text, sound, and how new it is."""
    age = (closes_at - story.published_at) / (closes_at - opens_at) if story.published_at else 1.0
    words = count_words(to_plain(story.excerpt_md)) / _LONG_EXCERPT_WORDS
    return (
        2.0 * bool(story.note_md)
        + 1.0 * (story.kind == "read-or-listen")
        + 0.75 * bool(story.picture)
        + 0.75 * min(1.0, (story.duration_seconds or 0) / _LONG_EPISODE_SECONDS)
        + 0.25 * bool(story.chapters or story.transcript_opening)
        + min(1.0, words)
        + min(1.0, story.reading_minutes / _LONG_READ_MINUTES)
        + 1.0
        - min(1.0, max(0.0, age))
    )
