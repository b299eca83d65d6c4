"""Checks of words: the inbox line, the introduction, what was left over, what was not filled in.

In: a Proof. Out: Checks. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.inputs import INTRODUCTION, PREHEADER, SUBJECT, THEME, CheckInputs
from pipeline.model.check import CheckLevel, CheckResult
from pipeline.text.markdown import to_plain
from pipeline.text.similarity import normalised_words
from pipeline.text.wordpress import find_shortcode

SUBJECT_LENGTHS = (10, 78)
BEST_SUBJECT_LENGTHS = (30, 60)
BEST_PREHEADER_LENGTHS = (80, 130)
_LEFTOVER = re.compile(r"\b(?:TK(?:TK)*|TBC|TBD|FIXME)\b|(?i:\blorem ipsum\b)")
_TODO = re.compile(r"\bTODO\b")
_TODO_MEANS_ALL = {"es", "gl", "it", "pt"}
_TOKEN = re.compile(
    r"\{\{[^{}]{1,80}\}\}|\{%[^{}]{1,80}%\}|\*\|[^|]{1,80}\|\*|<%[^%]{1,80}%>|%%\w{1,40}%%|\[\[\w{1,40}\]\]|%recipient\.\w+%"
)
"""How Jinja, Mailchimp, ERB, ActiveCampaign, Sendy and Mailgun write what they fill in."""


def subject(proof: CheckInputs) -> Iterator[CheckResult]:
    """A subject is 10 to 78 characters long, best 30 to 60: phones show no more."""
    length, (least, most) = len(proof.rendered.subject), SUBJECT_LENGTHS
    if not length:
        yield SUBJECT.result("subject", "error", "Write a subject: there is none.")
    elif not least <= length <= most:
        message = f"Make the subject {least} to {most} characters long: it has {length}."
        yield SUBJECT.result("subject-length", "warning", message)
    elif not BEST_SUBJECT_LENGTHS[0] <= length <= BEST_SUBJECT_LENGTHS[1]:
        message = f"A subject of 30 to 60 characters reads best on a phone: this one has {length}."
        yield SUBJECT.result("subject-length", "hint", message)


def preheader(proof: CheckInputs) -> Iterator[CheckResult]:
    """A preheader is written, and says what neither the subject nor the first sentence says."""
    text = proof.rendered.preheader
    if not text:
        message = "Write a preheader, the line after the subject: inboxes show the first words of the mail instead."
        yield PREHEADER.result("preheader", "warning", message)
    elif (told := _told_twice(proof)) is not None:
        message = f"Write a preheader that does not repeat {told}: the inbox shows one after the other."
        yield PREHEADER.result("preheader", "warning", message)
    elif not BEST_PREHEADER_LENGTHS[0] <= len(text) <= BEST_PREHEADER_LENGTHS[1]:
        message = f"A preheader of 80 to 130 characters fills the inbox line: this one has {len(text)}."
        yield PREHEADER.result("preheader", "hint", message)


def _told_twice(proof: CheckInputs) -> str | None:
    said = normalised_words(proof.rendered.preheader)
    if said == normalised_words(proof.rendered.subject):
        return "the subject"
    opening = normalised_words(to_plain(proof.digest.introduction_md))[: len(said)]
    return "the first sentence" if len(said) > 2 and said == opening else None


def introduction(proof: CheckInputs) -> Iterator[CheckResult]:
    """The editor says a few words first."""
    if not proof.digest.introduction_md.strip():
        message = "Write an introduction of 60 to 120 words: readers open a letter for the one who writes it."
        yield INTRODUCTION.result("introduction", "warning", message)


def todo_note(proof: CheckInputs) -> Iterator[CheckResult]:
    """Notes to oneself are gone; in words that came with a feed they are for the editor to judge."""
    spanish = proof.digest.publication.language.split("-")[0] in _TODO_MEANS_ALL
    for spot, text, own in proof.texts:
        found = _LEFTOVER.search(text) or (None if spanish else _TODO.search(text))
        if found:
            message = f"Write what “{found[0]}” stands for, or take it out."
            yield spot.result("leftover", _grave(own), message)


def merge_tag(proof: CheckInputs) -> Iterator[CheckResult]:
    """Nothing waits to be filled in: a mail service would fill it, or the reader would see it."""
    seen: set[str] = set()
    for spot, text, own in proof.texts:
        for found in dict.fromkeys(_TOKEN.findall(text)):
            seen.add(found)
            message = f"Write out “{found}”: mail services take it for a place to fill in."
            yield spot.result("token", _grave(own), message)
    text = " ".join(proof.rendered.text.split())  # a token that was wrapped is a token
    everywhere = " ".join([proof.parsed_html.text, text, *(link.url for link in proof.parsed_html.links)])
    for found in dict.fromkeys(_TOKEN.findall(everywhere)):
        if found not in seen:
            message = f"Mend the theme: it leaves “{found}” unfilled."
            yield THEME.result("token", "error", message)


def shortcode(proof: CheckInputs) -> Iterator[CheckResult]:
    """No shortcode of a blog's software is left in the words: readers would see it as it is written."""
    for spot, text, _ in proof.texts:
        if "[" in text and (found := find_shortcode(to_plain(text))):
            message = (
                f"Take “{found}” out of the words: it looks like a shortcode, which only the blog itself can fill."
            )
            yield spot.result("shortcode", "warning", message)


def _grave(own: bool) -> CheckLevel:
    return "error" if own else "warning"
