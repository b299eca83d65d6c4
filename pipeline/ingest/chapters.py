"""The contents of an episode: its chapters, or the opening and the quotable sentences of its transcript.

Chapters are JSON chapters of the podcast namespace (version 1.2); transcripts are WebVTT, SubRip, plain text or HTML.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from html import unescape

from pipeline.ingest.parse.decode import decode
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.model.entry import TimedText
from pipeline.text.html import plain_text
from pipeline.text.plain_text import clean_title, excerpt_text
from pipeline.text.quotable import density, is_quotable, without_speaker
from pipeline.text.sentences import split_sentences

MAX_CHAPTERS = 8
MAX_QUOTABLE = 12
"""Sentences kept of a transcript; the editor is offered a few of them."""
_MAX_SECONDS = 1_000_000
MAX_OPENING_WORDS = 40
_MAX_CHARACTERS = 200_000
_GENERIC_CHAPTERS = re.compile(
    r"(?:intro(?:duction)?|outro|start|end|ads?|advert(?:isement)?|sponsors?|chapter \d+)", re.IGNORECASE
)
_CUE_TIME = re.compile(r"^[ \t]*+(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{3}[ \t]++-->", re.MULTILINE)
_NOT_SPOKEN = re.compile(r"^(?:(?:WEBVTT|NOTE|STYLE|REGION)\b.*+|\d++\s*+|[\w-]++:\s*+\S++\s*+)$")
_CUE_TAG = re.compile(r"</?(?:[a-z][^<>]{0,200}|(?:\d+:)?\d+:\d+[.,]\d+)?>|\{\\[^{}]{0,200}\}", re.IGNORECASE)
_SOUND = re.compile(r"[\[(](?:[^\])]{0,40})[\])]|[♪♫]")


def read_chapters(body: bytes, content_type: str = "") -> tuple[TimedText, ...]:
    """Return the visible JSON chapters by their time, at most eight, without generic ones such as "Intro".

    >>> read_chapters(b'{"chapters": [{"startTime": 0, "title": "Intro"}, {"startTime": 9, "title": "Salt"}]}')
    (TimedText(text='Salt', start_seconds=9),)
    """
    try:
        document = json.loads(decode(body, content_type))
    except (ValueError, RecursionError):
        return ()
    chapters = document.get("chapters") if isinstance(document, dict) else None
    listed = chapters if isinstance(chapters, list) else ()
    visible = [chapter for chapter in listed if isinstance(chapter, dict) and chapter.get("toc") is not False]
    visible.sort(key=lambda chapter: _start_seconds(chapter.get("startTime")))
    specific: dict[str, TimedText] = {}
    for chapter in visible:
        title = _title(chapter["title"]) if isinstance(chapter.get("title"), str) else ""
        if title and not _GENERIC_CHAPTERS.fullmatch(title):
            start = _start_seconds(chapter.get("startTime"))
            specific.setdefault(title, _timed(title, start))
    return tuple(specific.values())[:MAX_CHAPTERS]


def _timed(text: str, start: float) -> TimedText:
    return TimedText(text=text, start_seconds=int(start) if 0 <= start < _MAX_SECONDS else None)


def _title(text: str) -> str:
    check_cpu_budget()
    return clean_title(text)


def _start_seconds(start: object) -> float:
    """Return when a chapter starts; one without a readable time comes after the others.

    >>> _start_seconds(300.5), _start_seconds("90"), _start_seconds("1:30"), _start_seconds(None)
    (300.5, 90.0, 90.0, inf)
    """
    parts = str(start).strip().split(":")[-3:]
    try:
        seconds = sum(float(part) * 60**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        return math.inf
    return seconds if math.isfinite(seconds) and not isinstance(start, bool) else math.inf


def read_transcript(body: bytes, content_type: str = "") -> tuple[TimedText, ...]:
    """Return the opening of a transcript, of at most forty words, and then its quotable sentences, word for word.

    At most ``MAX_QUOTABLE`` sentences, those that say most first. A transcript without words gives ().

    >>> read_transcript(b"WEBVTT\\n\\n00:01.000 --> 00:04.000\\n<v A>Salt is\\n\\n00:05.000 --> 00:07.000\\nold.")
    (TimedText(text='Salt is old.', start_seconds=1),)
    """
    text = decode(body, content_type)[:_MAX_CHARACTERS]
    if "html" in content_type or text.lstrip()[:1] == "<":
        text = plain_text(text)
    check_cpu_budget()
    is_timed = text.startswith("WEBVTT") or _CUE_TIME.search(text)
    cues = list(_cues(text)) if is_timed else [(math.inf, unescape(text))]
    cues = [(start, _spoken(words)) for start, words in cues]
    speech = " ".join(words for _, words in cues if words)
    opening = excerpt_text(speech, MAX_OPENING_WORDS)
    if not opening or opening.startswith("{"):
        return ()
    return (_timed(opening, next(start for start, words in cues if words)), *_quotable(speech, cues))


def _quotable(speech: str, cues: Sequence[tuple[float, str]]) -> list[TimedText]:
    """Return the sentences of a transcript that can stand alone, with when the cue begins in which they begin."""
    offsets, starts, offset = [], [], 0
    for start, words in cues:
        if words:
            offsets.append(offset)
            starts.append(start)
            offset += len(words) + 1
    sentences: dict[str, TimedText] = {}
    position = 0
    for whole in split_sentences(speech):
        check_cpu_budget()
        position = speech.index(whole, position)
        sentence = without_speaker(whole)
        if is_quotable(sentence):
            start = starts[bisect_right(offsets, position) - 1]
            sentences.setdefault(sentence, _timed(sentence, start))
        position += len(whole)
    return sorted(sentences.values(), key=lambda one: -density(one.text))[:MAX_QUOTABLE]


def _spoken(words: str) -> str:
    """Return the words of a cue on one line, without markup and sounds."""
    return " ".join(_SOUND.sub(" ", _CUE_TAG.sub("", words)).split())


def _cues(text: str) -> Iterator[tuple[float, str]]:
    """Yield the cues of WebVTT or SubRip with when they begin: the lines from a time to the next empty line."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        before, arrow, cue = block.partition("-->")
        lines = cue.split("\n")[1:] if arrow else []
        spoken = [_CUE_TAG.sub("", line).strip() for line in lines if not _NOT_SPOKEN.match(line)]
        if words := " ".join(line for line in spoken if line):
            yield _start_seconds(before.rpartition("\n")[2].replace(",", ".")), unescape(words)
