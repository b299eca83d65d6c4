"""What an inbox shows of a mail before it is opened: its subject and its preheader.

In: the stories in the order they are told. Out: lines of the lengths that inboxes show. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.digest import Story
from pipeline.text import markdown

SUBJECT_LENGTH_LIMITS = (30, 60)
MAX_PREHEADER_LENGTH = 130


def compose_subject(stories: Sequence[Story], fallback: str) -> str:
    """Name the mail after its lead story, and the next one where both fit into 60 characters."""
    titles = [story.title for story in stories if story.kind != "link" and story.title]
    titles = titles or [story.title for story in stories if story.title] or [fallback]
    if len(titles) > 1 and len(titles[0]) < SUBJECT_LENGTH_LIMITS[0]:
        both = f"{titles[0]} · {titles[1]}"
        if len(both) <= SUBJECT_LENGTH_LIMITS[1]:
            return both
    return titles[0]


def compose_preheader(stories: Sequence[Story], translator: Translator = ENGLISH) -> str:
    """Say what else is inside, in at most 130 characters: not the subject again, not the first sentence."""
    links = sum(story.kind == "link" for story in stories)
    others = [_teaser(story, translator) for story in stories if story.kind != "link"][1:]
    if links:
        others.append(translator.ngettext("a useful link", "{n} useful links", links))
    while others:
        # Translators: between the things of which there is more this week.
        line = translator.gettext("Also this week: {things}.", things=translator.gettext("; ").join(others))
        if len(line) <= MAX_PREHEADER_LENGTH:
            return line
        others.pop(-2 if links and len(others) > 1 else -1)
    return _closing_line(stories)


def _teaser(story: Story, voice: Translator) -> str:
    if story.kind in ("episode", "read-or-listen") and story.guest:
        return voice.gettext("{title}, with {guest}", title=story.title, guest=voice.isolate(story.guest))
    return story.title


def _closing_line(stories: Sequence[Story]) -> str:
    """A lone story: the last sentence of its excerpt says more than its title again."""
    sentences = markdown.to_plain(stories[0].excerpt_md).split(". ") if stories else []
    return sentences[-1][:MAX_PREHEADER_LENGTH] if len(sentences) > 1 else ""
