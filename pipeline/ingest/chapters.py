"""What an episode is about: its chapters, or the opening of its transcript.

In: a document as it came. Out: lines of plain text, cleaned; none when it says nothing of use. Touches nothing.

Chapters are the JSON chapters of the podcast namespace (version 1.2); transcripts are WebVTT, SubRip, plain text or
HTML.
"""

from __future__ import annotations

import json
import re

from pipeline.ingest.parse.decode import decode
from pipeline.text.html import plain_text
from pipeline.text.plain_text import clean_title, excerpt_text

MAX_CHAPTERS = 8
MAX_OPENING_WORDS = 40
_MAX_CHARACTERS = 200_000
_EMPTY_CHAPTERS = re.compile(
    r"(?:intro(?:duction)?|outro|start|end|ads?|advert(?:isement)?|sponsors?|chapter \d+)", re.IGNORECASE
)
_CUE_TIME = re.compile(r"^\s*(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{3}\s+-->.*$", re.MULTILINE)
_NOT_SAID = re.compile(r"^(?:WEBVTT\b.*|NOTE\b.*|STYLE\b.*|REGION\b.*|\d+|[\w-]+:\s*\S+)\s*$")
_SPEAKER = re.compile(r"<v(?:\.[^ >]*)?\s+[^>]*>|</?[a-z][^>]*>|\{\\[^}]*\}", re.IGNORECASE)
_SOUND = re.compile(r"[\[(](?:[^\])]{0,40})[\])]|[♪♫]")


def chapter_titles(body: bytes, content_type: str = "") -> tuple[str, ...]:
    """Read the titles of JSON chapters: those a reader sees, at most eight, without those that only frame the others.

    >>> chapter_titles(b'{"chapters": [{"startTime": 0, "title": "Intro"}, {"startTime": 9, "title": "Salt"}]}')
    ('Salt',)
    """
    try:
        found = json.loads(decode(body, content_type))
    except (ValueError, RecursionError):
        return ()
    chapters = found.get("chapters") if isinstance(found, dict) else None
    shown = [each for each in chapters or () if isinstance(each, dict) and each.get("toc") is not False]
    titles = (clean_title(each["title"]) for each in shown if isinstance(each.get("title"), str))
    telling = (title for title in titles if title and not _EMPTY_CHAPTERS.fullmatch(title))
    return tuple(dict.fromkeys(telling))[:MAX_CHAPTERS]


def transcript_opening(body: bytes, content_type: str = "") -> tuple[str, ...]:
    """Read how a transcript begins: one line of at most forty words that ends at a sentence, or none.

    >>> opening(b"WEBVTT\\n\\n00:01.000 --> 00:04.000\\n<v Ada>Salt is\\n\\n00:05.000 --> 00:07.000\\n<v Ada>patience.")
    ('Salt is patience.',)
    """
    text = decode(body, content_type)[:_MAX_CHARACTERS]
    if "html" in content_type or text.lstrip()[:1] == "<":
        text = plain_text(text)
    said = _said(text) if _CUE_TIME.search(text) else text
    line = excerpt_text(" ".join(_SOUND.sub(" ", said).split()), MAX_OPENING_WORDS)
    return (line,) if line and not line.startswith("{") else ()


def _said(cues: str) -> str:
    """Keep what is said in WebVTT or SubRip: the lines that follow a time, until an empty one."""
    spoken = []
    for block in re.split(r"\n[ \t]*\n", cues.replace("\r\n", "\n").replace("\r", "\n")):
        _, timed, words = block.partition("-->")
        lines = words.split("\n")[1:] if timed else []
        spoken += [_SPEAKER.sub("", line).strip() for line in lines if not _NOT_SAID.match(line)]
    return " ".join(line for line in spoken if line)
