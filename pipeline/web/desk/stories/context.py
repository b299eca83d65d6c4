"""The values that the Stories view shows of a week whose stories can be changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipeline.jobs.editor.stories import EditableStory, StorySection
from pipeline.model.edition import StoryEdit
from pipeline.model.errors import EditorFileError
from pipeline.web.desk.cache import EditionCache


def stories_context(cache: EditionCache, week: str) -> dict[str, Any]:
    """Return the stories as the editor can change them, the entries of no story, and what can be undone."""
    try:
        sections = cache.stories(week)
    except EditorFileError:  # reported by the edition
        sections = ()
    shown = {one for section in sections for story in section.stories for one in story.references}
    decisions = cache.desk.editions.decisions(week)
    return {
        "story_sections": sections,
        "other_decisions": [one for one in decisions if f"{one.feed_id} {one.guid}" not in shown],
        "joinable": joinable,
        "unedited": StoryEdit(),
        "last_change": cache.desk.editor.last_change(week),
        "typed": {},
    }


def joinable(story: EditableStory, sections: Iterable[StorySection]) -> list[EditableStory]:
    """Return the stories that could be one with another: those of other feeds, but no links."""
    if story.published.kind == "link":
        return []
    others = [other for section in sections for other in section.stories]
    return [
        other
        for other in others
        if other.published.kind != "link" and not other.left_out and not set(other.feed_ids) & set(story.feed_ids)
    ]
