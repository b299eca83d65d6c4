"""Checks of what feeds leave in a story: markup, open brackets, half sentences, announcements, another language."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.digest.checks.inputs import CheckInputs, story_location
from pipeline.model.check import CheckResult
from pipeline.text.leftovers import (
    find_dangling_mark,
    find_half_sentence,
    find_open_bracket,
    find_raw_markup,
)
from pipeline.text.markdown_ends import is_list
from pipeline.text.scripts import foreign_language, main_script
from pipeline.text.sentences import split_sentences
from pipeline.text.site_phrases import has_site_phrase


def raw_markup(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no tag, character reference or BBCode is shown as text."""
    for location, text in inputs.shown_texts():
        if markup := find_raw_markup(text):
            message = "Correct the text in the edition or where it was published: markup is shown."
            yield location.result("raw-markup", "warning", message, quote=markup)


def dangling_mark(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no bracket or quotation mark stays open, and that no separator is left over."""
    for story in inputs.digest.all_stories:
        text = inputs.shown_text(story)
        if words := find_dangling_mark(story.title) or find_open_bracket(story.title):
            message = "Correct the title in the edition or where it was published: a part of it is missing."
            yield story_location(story).result("dangling-mark", "warning", message, quote=words)
        elif words := (text if find_dangling_mark(text) == text else "") or find_open_bracket(text):
            message = "Correct the text in the edition or where it was published: something stands alone or stays open."
            yield story_location(story).result("dangling-mark", "warning", message, quote=words)


def half_sentence(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the text of a story begins and ends where a sentence does; lists and what we cut ends with "…"."""
    for story in inputs.digest.all_stories:
        text = inputs.shown_text(story)
        if not is_list(story.excerpt_md) and (words := find_half_sentence(text)):
            message = "Write a note, or make the story a brief with one: its text begins or ends amid a sentence."
            yield story_location(story).result("half-sentence", "warning", message, quote=words)


def furniture(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no invitation, button or credit of a site is shown in place of the story."""
    for story in inputs.digest.all_stories:
        for sentence in (story.title, *split_sentences(inputs.shown_text(story))):
            if has_site_phrase(sentence):
                message = "Write a note or make the story a brief with one: its text has a part of the site's page."
                yield story_location(story).result("furniture", "warning", message, quote=_shortened(sentence))
                break


def mixed_languages(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that every story is in the script and, where that is certain, the language of the publication."""
    language = inputs.digest.publication.language
    for story in inputs.digest.all_stories:
        text = inputs.shown_text(story)
        if other := foreign_language(text if main_script(text) else f"{story.title} {text}", language):
            message = "Say in a note what it is about, or leave it out: it is written in another language."
            yield story_location(story).result("mixed-languages", "warning", message, quote=other)


def _shortened(sentence: str) -> str:
    words = sentence.split()
    return " ".join(words[:6]) + "…" * (len(words) > 6)
