"""The topics of an episode: its chapter titles, or the opening of its transcript.

Chapters are JSON chapters of the podcast namespace (version 1.2); transcripts are WebVTT, SubRip, plain text or HTML.
"""

from __future__ import annotations

import json
import math
import re
from html import unescape

from pipeline.ingest.parse.decode import decode
from pipeline.model.cpu_budget import check_cpu_budget
from pipeline.text.html import plain_text
from pipeline.text.plain_text import clean_title, excerpt_text

MAX_CHAPTERS = 8
MAX_OPENING_WORDS = 40
_MAX_CHARACTERS = 200_000
_GENERIC_CHAPTERS = re.compile(
    r"(?:intro(?:duction)?|outro|start|end|ads?|advert(?:isement)?|sponsors?|chapter \d+)", re.IGNORECASE
)
_CUE_TIME = re.compile(r"^[ \t]*+(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{3}[ \t]++-->", re.MULTILINE)
_NOT_SPOKEN = re.compile(r"^(?:(?:WEBVTT|NOTE|STYLE|REGION)\b.*+|\d++\s*+|[\w-]++:\s*+\S++\s*+)$")
_CUE_TAG = re.compile(r"</?(?:[a-z][^<>]{0,200}|(?:\d+:)?\d+:\d+[.,]\d+)?>|\{\\[^{}]{0,200}\}", re.IGNORECASE)
_SOUND = re.compile(r"[\[(](?:[^\])]{0,40})[\])]|[♪♫]")


def chapter_titles(body: bytes, content_type: str = "") -> tuple[str, ...]:
    """Return the titles of visible JSON chapters by their time, at most eight, without generic ones such as "Intro".

    >>> chapter_titles(b'{"chapters": [{"startTime": 0, "title": "Intro"}, {"startTime": 9, "title": "Salt"}]}')
    ('Salt',)
    """
    try:
        document = json.loads(decode(body, content_type))
    except (ValueError, RecursionError):
        return ()
    chapters = document.get("chapters") if isinstance(document, dict) else None
    listed = chapters if isinstance(chapters, list) else ()
    visible = [chapter for chapter in listed if isinstance(chapter, dict) and chapter.get("toc") is not False]
    visible.sort(key=lambda chapter: _start_seconds(chapter.get("startTime")))
    titles = (_title(chapter["title"]) for chapter in visible if isinstance(chapter.get("title"), str))
    specific = (title for title in titles if title and not _GENERIC_CHAPTERS.fullmatch(title))
    return tuple(dict.fromkeys(specific))[:MAX_CHAPTERS]


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


def transcript_opening(body: bytes, content_type: str = "") -> tuple[str, ...]:
    """Return the opening of a transcript as one line of at most forty words, or ().

    >>> transcript_opening(b"WEBVTT\\n\\n00:01.000 --> 00:04.000\\n<v A>Salt is\\n\\n00:05.000 --> 00:07.000\\nold.")
    ('Salt is old.',)
    """
    text = decode(body, content_type)[:_MAX_CHARACTERS]
    if "html" in content_type or text.lstrip()[:1] == "<":
        text = plain_text(text)
    check_cpu_budget()
    spoken = _CUE_TAG.sub("", unescape(_spoken_text(text) if _CUE_TIME.search(text) else text))
    line = excerpt_text(" ".join(_SOUND.sub(" ", spoken).split()), MAX_OPENING_WORDS)
    return (line,) if line and not line.startswith("{") else ()


def _spoken_text(cues: str) -> str:
    """Return the spoken words of WebVTT or SubRip: the lines from a time to the next empty line."""
    spoken = []
    for block in re.split(r"\n[ \t]*\n", cues.replace("\r\n", "\n").replace("\r", "\n")):
        _, arrow, cue = block.partition("-->")
        lines = cue.split("\n")[1:] if arrow else []
        spoken += [_CUE_TAG.sub("", line).strip() for line in lines if not _NOT_SPOKEN.match(line)]
    return " ".join(line for line in spoken if line)
