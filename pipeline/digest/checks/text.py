"""Checks of texts: subject, preheader, introduction, and leftovers that should not be published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from pipeline.digest.checks.inputs import (
    INTRODUCTION,
    PREHEADER,
    SUBJECT,
    THEME,
    CheckInputs,
    Location,
    story_location,
)
from pipeline.model.check import CheckLevel, CheckResult
from pipeline.model.message import PLACEHOLDERS
from pipeline.text.headlines import display_width
from pipeline.text.markdown import to_plain
from pipeline.text.merge_tags import WORD_JOINER, find_merge_tags
from pipeline.text.mojibake import find_mojibake
from pipeline.text.plain_text import count_words
from pipeline.text.similarity import normalised_words, shared_clause
from pipeline.text.wordpress import find_shortcode

SUBJECT_LENGTHS = (10, 78)
BEST_SUBJECT_LENGTHS = (30, 60)
BEST_PREHEADER_LENGTHS = (80, 130)
MAX_INTRODUCTION_WORDS = 60
"""Below a longer one, the headline of the lead is not on the first screen of a phone."""
_TODO_NOTE = re.compile(r"\b(?:TK(?:TK)*|TBC|TBD|FIXME)\b|(?i:\blorem ipsum\b)")
_TODO = re.compile(r"\bTODO\b")
_LANGUAGES_WITH_TODO = {"es", "gl", "it", "pt"}
"""Languages in which "todo" is an ordinary word."""


def subject(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the subject has 10 to 78 characters, or better 30 to 60, as phones show no more.

    A Chinese, Japanese or Korean character counts twice, as it is twice as wide.
    """
    length, (shortest, longest) = display_width(inputs.rendered.subject), SUBJECT_LENGTHS
    if not length:
        yield SUBJECT.result("subject", "error", "Write a subject: there is none.")
    elif not shortest <= length <= longest:
        message = f"Make the subject {shortest} to {longest} characters long: it has {length}."
        yield SUBJECT.result("subject-length", "warning", message)
    elif not BEST_SUBJECT_LENGTHS[0] <= length <= BEST_SUBJECT_LENGTHS[1]:
        message = f"A subject of 30 to 60 characters reads best on a phone: this one has {length}."
        yield SUBJECT.result("subject-length", "hint", message)


def preheader(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that there is a preheader, and that it repeats neither the subject nor the first sentence."""
    text, length = inputs.rendered.preheader, display_width(inputs.rendered.preheader)
    if not text:
        message = "Write a preheader, the line after the subject: inboxes show the first words of the HTML instead."
        yield PREHEADER.result("preheader", "warning", message)
    elif repeated := _repeated_by_preheader(inputs):
        message = f"Write a preheader that does not repeat {repeated}: the inbox shows both."
        yield PREHEADER.result("preheader", "warning", message)
    elif not BEST_PREHEADER_LENGTHS[0] <= length <= BEST_PREHEADER_LENGTHS[1]:
        message = f"A preheader of 80 to 130 characters fills the inbox line: this one has {length}."
        yield PREHEADER.result("preheader", "hint", message)


def _repeated_by_preheader(inputs: CheckInputs) -> str:
    words = normalised_words(inputs.rendered.preheader)
    if words == normalised_words(inputs.rendered.subject):
        return "the subject"
    if shared := shared_clause(inputs.rendered.subject, inputs.rendered.preheader):
        return f"“{shared}” of the subject"
    opening = normalised_words(to_plain(inputs.digest.introduction_md))[: len(words)]
    return "the first sentence" if len(words) > 2 and words == opening else ""


def introduction(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the editor wrote an introduction, and not one that hides the lead on a phone.

    A correction begins with its note in any case.
    """
    if inputs.digest.correction:
        return
    words, most = count_words(to_plain(inputs.digest.introduction_md)), MAX_INTRODUCTION_WORDS
    if not words:
        message = f"Write an introduction of up to {most} words: a personal note makes people open the newsletter."
        yield INTRODUCTION.result("introduction", "warning", message)
    elif words > most:
        message = f"Shorten the introduction to {most} words: it has {words}, and phones show the lead below it."
        yield INTRODUCTION.result("introduction", "hint", message)


def no_text(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that the lead and stories in full show more than a title; some themes show no images."""
    images = {image.url for image in inputs.html.images}
    for story in inputs.digest.all_stories:
        has_image = story.picture is not None and story.picture.url in images
        has_text = inputs.shown_text(story) or story.note_md.strip() or story.chapters or story.transcript_opening
        if story.level != "brief" and not (has_image or has_text):
            message = "Write a note, or make the story a brief: only its title is shown."
            yield story_location(story).result("no-text", "warning", message)


def todo_note(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no note such as TK or TODO is left; in a feed's text it is only a warning."""
    todo_is_a_word = inputs.digest.publication.language.split("-")[0] in _LANGUAGES_WITH_TODO
    for location, text, by_editor in inputs.texts():
        note = _TODO_NOTE.search(text) or (None if todo_is_a_word else _TODO.search(text))
        if note:
            message = f"Replace “{note[0]}” by what it stands for, or remove it."
            yield location.result("todo-note", _level(by_editor), message)


def merge_tag(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no text resembles a placeholder: it is escaped, so neither we nor a mail service fill it in."""
    publication = inputs.digest.publication
    everything = [publication.url, *publication.image_urls]
    for location, text, by_editor in (*inputs.texts(), *_other_texts(inputs)):
        unescaped = text.replace("\\", "")
        everything.append(unescaped)
        for tag in find_merge_tags(unescaped):
            if tag.startswith("[") and tag not in to_plain(text):
                continue  # a link in Markdown
            message = f"“{tag}”: mail services take it for a placeholder, so it is escaped and arrives as written."
            yield location.result(
                "merge-tag", _level(by_editor), ("Rewrite " if by_editor else "Rewrite or keep ") + message
            )
    content = " ".join(" ".join(everything).split())
    text = inputs.rendered.text.replace(WORD_JOINER, "")
    links = (unquote(link.url) if link.url.startswith("mailto:") else link.url for link in inputs.html.links)
    shown = " ".join([inputs.html.text, text, *links])
    for tag in find_merge_tags(" ".join(shown.split())):  # joins tags that were wrapped
        if tag not in content and tag not in PLACEHOLDERS:
            message = f"Fix the theme: it does not fill in “{tag}”."
            yield THEME.result("merge-tag", "error", message)


def _other_texts(inputs: CheckInputs) -> Iterator[tuple[Location, str, bool]]:
    """Yield what else a story prints, besides ``CheckInputs.texts``."""
    for story in inputs.digest.all_stories:
        parts = [story.author, story.guest, story.url, story.listen_url, story.transcript_url, story.transcript_opening]
        parts += [part for link in story.listen_links for part in link]
        parts += [part for related in story.related for part in (related.title, related.url)]
        parts += [
            *(chapter.text for chapter in story.chapters),
            *((story.picture.url, story.picture.alt) if story.picture else ()),
        ]
        yield story_location(story), "\n".join(parts), False


def shortcode(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no WordPress shortcode is left in the text."""
    for location, text, _ in inputs.texts():
        if "[" in text and (code := find_shortcode(to_plain(text))):
            message = "Remove what looks like a shortcode, which only the blog's own software replaces."
            yield location.result("shortcode", "warning", message, quote=code)


def wrong_encoding(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no text was decoded with the wrong character encoding."""
    for location, text in inputs.shown_texts():
        if word := find_mojibake(text):
            message = "Correct it in the edition or where it was published: the feed encoded it wrongly."
            yield location.result("wrong-encoding", "warning", message, quote=word)


def _level(by_editor: bool) -> CheckLevel:
    return "error" if by_editor else "warning"
