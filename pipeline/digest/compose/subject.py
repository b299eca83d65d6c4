"""Subject and preheader: what an inbox shows before a message is opened."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.digest import Story
from pipeline.text import markdown
from pipeline.text.sentences import last_sentence

SHORT_TITLE_LENGTH = 30
"""A shorter title of the lead story may be followed by the next one's."""
MAX_SUBJECT_LENGTH = 60
"""Of a subject with two titles; a single title is never cut."""
MAX_PREHEADER_LENGTH = 130


def compose_subject(stories: Sequence[Story], fallback: str) -> str:
    """Return the title of the lead story, and that of the next one where both fit into ``MAX_SUBJECT_LENGTH``."""
    titles = [story.title for story in stories if story.kind != "link" and story.title]
    titles = titles or [story.title for story in stories if story.title] or [fallback]
    if len(titles) > 1 and len(titles[0]) < SHORT_TITLE_LENGTH:
        both = f"{titles[0]} · {titles[1]}"
        if len(both) <= MAX_SUBJECT_LENGTH:
            return both
    return titles[0]


def compose_preheader(stories: Sequence[Story], translator: Translator = ENGLISH) -> str:
    """Return a list of the other stories, at most ``MAX_PREHEADER_LENGTH`` characters long.

    Without other stories it is the last sentence of the lead story's excerpt, or "".
    """
    links = sum(story.kind == "link" for story in stories)
    others = [_teaser(story, translator) for story in stories if story.kind != "link"][1:]
    if links:
        others.append(translator.ngettext("a useful link", "{n} useful links", links))
    while others:
        # Translators: between the other stories of the week.
        line = translator.gettext("Also this week: {things}.", things=translator.gettext("; ").join(others))
        if len(line) <= MAX_PREHEADER_LENGTH:
            return line
        others.pop(-2 if links and len(others) > 1 else -1)
    text = markdown.to_plain(stories[0].excerpt_md) if stories else ""
    sentence = last_sentence(text)
    return sentence[:MAX_PREHEADER_LENGTH] if sentence != text else ""


def _teaser(story: Story, translator: Translator) -> str:
    if story.kind in ("episode", "read-or-listen") and story.guest:
        return translator.gettext("{title}, with {guest}", title=story.title, guest=translator.isolate(story.guest))
    return story.title
