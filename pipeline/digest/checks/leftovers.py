"""Checks of what feeds leave in a story: markup, open brackets, half sentences, announcements, another language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.inputs import CheckInputs, story_location
from pipeline.model.check import CheckResult
from pipeline.text.leftovers import (
    find_dangling_mark,
    find_half_sentence,
    find_open_bracket,
    find_raw_markup,
)
from pipeline.text.scripts import foreign_language, main_script
from pipeline.text.sentences import split_sentences

_LIST_LINE = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s")
_FURNITURE = re.compile(
    r"\W{0,3}(?:"
    r"share (?:this|on|via)\b"
    r"|(?:please )?(?:like and )?subscribe (?:to (?:our|my|the|this)|now|here|on|via|for|today)\b"
    r"|subscribe\W*$|click (?:here|below|on|the)\b|(?:this [a-z]+ is )?sponsored by\b"
    r"|view ?full ?size\b|view in browser\b"
    r"|play in new window\b|download(?: (?:mp3|audio|episode|this episode|file))?\W*$|advertisement\W*$"
    r"|(?:continue|keep) reading\b|read more\W*$|filed under\b|posted (?:in|by) [A-Z]|follow (?:us|me) on\b"
    r"|leave a (?:comment|reply)\b|sign up (?:for|to) (?:our|my|the)\b|\d+ comments?\W*$"
    r"|submitted by\b|table of contents\b"
    r"|full transcript\b|(?:this|the) post (?:contains|may contain) affiliate\b|see \S{1,60} for privacy\b"
    r"|learn more about your ad\b|(?:show ?notes|permalink)\W*$"
    r"|teilen (?:auf|mit|via)\b|anzeige\W*$|weiterlesen\b|hier klicken\b|klicken sie hier\b"
    r"|partager (?:sur|cet)\b|cliquez ici\b|lire la suite\b|compartir en\b|haz clic aquí\b|leer más\W*$|condividi su\b"
    r"|clicca qui\b|leggi tutto\b|deel dit\b|klik hier\b|lees verder\b)",
    re.IGNORECASE,
)
_APPEARED_ON = re.compile(
    r"\b(?:appeared first on|erschien zuerst auf|est apparu en premier sur|apareció primero en|apareceu primeiro em"
    r"|proviene da|verscheen eerst op)\b"
)


def raw_markup(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no tag, character reference or BBCode is shown as text."""
    for location, text in inputs.shown_texts():
        if markup := find_raw_markup(text):
            message = "Correct the text where it was published, or make the story a brief with a note: markup is shown."
            yield location.result("raw-markup", "warning", message, quote=markup)


def dangling_mark(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no bracket or quotation mark stays open, and that no separator is left over."""
    for story in inputs.digest.all_stories:
        text = inputs.shown_text(story)
        if words := find_dangling_mark(story.title) or find_open_bracket(story.title):
            message = "Correct the title where it was published: it was cut, or a part of it is missing."
            yield story_location(story).result("dangling-mark", "warning", message, quote=words)
        elif words := (text if find_dangling_mark(text) == text else "") or find_open_bracket(text):
            message = "Correct the text where it was published, or write a note: something stands alone or stays open."
            yield story_location(story).result("dangling-mark", "warning", message, quote=words)


def half_sentence(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the text of a story begins and ends where a sentence does; lists and what we cut ends with "…"."""
    for story in inputs.digest.all_stories:
        text = inputs.shown_text(story)
        if not _LIST_LINE.match(story.excerpt_md.strip()) and (words := find_half_sentence(text)):
            message = "Write a note, or make the story a brief with one: its text begins or ends amid a sentence."
            yield story_location(story).result("half-sentence", "warning", message, quote=words)


def furniture(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no invitation, button or credit of a site is shown in place of the story."""
    for story in inputs.digest.all_stories:
        for sentence in (story.title, *split_sentences(inputs.shown_text(story))):
            if _FURNITURE.match(sentence) or _APPEARED_ON.search(sentence):
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
