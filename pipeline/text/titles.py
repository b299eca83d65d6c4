"""Take a headline apart for comparison: what is the title, what is decoration around it.

In: a clean title. Out: a Headline. Touches nothing. The titles people read come from ``names.py``; this module
only makes titles of different feeds comparable, in the languages whose words it knows.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pipeline.text.similarity import normalised_words

_NUMBER_WORDS = {
    word: str(number)
    for number, names in enumerate(
        ("one i eins un uno een", "two ii zwei deux dos due twee", "three iii drei trois tres tre", "four iv vier"),
        start=1,
    )
    for word in names.split()
}
_MARKS = {
    "trailer": r"(?:teaser[ -])?trailer|teaser|preview|bande[ -]annonce|introducing",
    "bonus": r"bonus(?:[ -]?(?:episode|folge|track|content|aflevering))?|bonusfolge|extra",
    "rerun": r"re-?runs?|repeat|encore|best of(?: the year)?|from the archives?|wiederholung|rediffusion|replay|repris|"
    r"herhaling|replica|повтор",
    "transcript": r"(?:full )?transcript(?:ion)?|transkript|transcripción|trascrizione",
    "podcast": r"(?:the )?(?:new )?(?:podcast|podkast|pódcast|podd|подкаст|ポッドキャスト)(?: episode| trailer)?|"
    r"(?:show ?)?notes|listen(?: now)?|interview|new episode",
}
RECORDING_TAGS = frozenset({"trailer", "bonus"})
"""Marks that make another recording of the same title."""
_MARK = {mark: re.compile(rf"(?:{pattern})", re.IGNORECASE) for mark, pattern in _MARKS.items()}
_EPISODE = r"(?:episode|ep|folge|épisode|episodio|puntata|aflevering|afl|avsnitt|выпуск|эпизод|odcinek|no|nr)"
_SERIAL = re.compile(
    rf"^\W*(?:(?:season|staffel|saison|series)\s*\d+\W+{_EPISODE}\W*\d+"
    rf"|[st]\d+\W*e\d+|{_EPISODE}\.?\s*#?\s*\d+|#\s*\d+|\d+(?=\s*[.:)\]|–—-]\s*\D)|第\d+[回話])\s*[.:)\]|,–—-]*\s*",
    re.IGNORECASE,
)
_SERIAL_BEHIND = re.compile(rf"\s*[(\[]\s*(?:{_EPISODE}\.?\s*)?#?\s*\d+\s*[)\]]\s*$", re.IGNORECASE)
_BRACKETS = re.compile(r"\s*[(\[（【]([^()\[\]（）【】]*)[)\]）】]\s*")
_SEPARATOR = re.compile(r"\s+[-–—―|·•]+\s+|\s*[–—―|]\s*|\s*[:：]\s+")
_WITH = re.compile(r",?\s+(?:with|mit|avec|con|met|med|feat\.?|ft\.?|featuring)\s+(?=\S)", re.IGNORECASE)
_PART_WORD = re.compile(r"part|teil|parte|partie|deel|del|chapter|day")
_PART = re.compile(rf"\b(?:{_PART_WORD.pattern}) (\d+)\b|(?:^|(?<=\s))(\d+ \d+|\d+)$")
_MOST_SEGMENTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTitle:
    """A headline taken apart."""

    text: str
    """All that is title, as words: without numbers of episodes, marks and labels."""
    variants: frozenset[str]
    """What may be the title when a subtitle, a guest or a show's name is left away; holds ``whole``."""
    numbers: frozenset[str]
    """Numbers within the title (parts, days, years), written as figures."""
    parts: frozenset[str]
    """Which part of a series it says it is."""
    episode_number: str
    """The episode's number in front of it, without noughts; empty when it counts within a season."""
    tags: frozenset[str]
    """trailer, bonus, rerun, transcript, podcast."""
    truncated: bool
    """True when the title ends in an ellipsis: the host cut it."""


def parse_title(title: str) -> ParsedTitle:
    """Take a title apart.

    >>> headline("S2E3 | Bonus: Salt, smoke and patience (with Ada Marsh)").whole
    'salt smoke and patience ada marsh'
    >>> sorted(headline("#7 – Ada Marsh – Salt, part two").cores)
    ['ada marsh', 'ada marsh salt part 2', 'salt part 2']
    >>> sorted(headline("Trailer: The Island Kitchen").marks)
    ['trailer']
    """
    bare = _without_serial(unicodedata.normalize("NFC", title.strip()))
    found, segments = _marks_and_rest(_segments(bare))
    wordings = [_figures(segment) for segment in segments]
    joined = " ".join(filter(None, wordings))
    return ParsedTitle(
        text=joined,
        variants=_runs(wordings[:_MOST_SEGMENTS]) | {joined},
        numbers=frozenset(word for word in joined.split() if word.isdecimal()),
        parts=frozenset(part for wording in wordings for part in _parts(wording)),
        episode_number=_serial(title),
        tags=frozenset(found),
        truncated=bool(re.search(r"(?:…|\.\.\.)\s*(?:\||$)", bare)),
    )


def strip_episode_number(title: str, episode: int | None, season: int | None = None) -> str:
    """Leave an episode's number out of its title where it stands in front: it is said elsewhere.

    >>> without_number("17. Your Letters, Answered", 17), without_number("S2E3 | Salt", 3, 2)
    ('Your Letters, Answered', 'Salt')
    >>> without_number("5 ways to bake", 5), without_number("12 – Salt", 13)
    ('5 ways to bake', '12 – Salt')
    """
    found = _SERIAL.match(title)
    if not found or episode is None:
        return title
    numbers, rest = [int(number) for number in re.findall(r"\d+", found[0])], title[found.end() :]
    return rest if normalised_words(rest) and numbers in ([episode], [season, episode]) else title


def _runs(wordings: list[str]) -> frozenset[str]:
    """Give every run of neighbouring segments as one wording."""
    starts = range(len(wordings))
    return frozenset(" ".join(wordings[start:end]) for start in starts for end in range(start + 1, len(wordings) + 1))


def _without_serial(title: str) -> str:
    """Remove the episode's number in front, or in brackets behind, unless nothing else would remain."""
    for pattern in (_SERIAL, _SERIAL_BEHIND):
        rest = pattern.sub("", title, count=1)
        title = rest if normalised_words(rest) else title
    return title


def _serial(title: str) -> str:
    numbers = re.findall(r"\d+", found[0]) if (found := _SERIAL.match(title)) else []
    return numbers[0].lstrip("0") if len(numbers) == 1 else ""


def _segments(title: str) -> list[str]:
    opened = _BRACKETS.sub(r" | \1 | ", title)
    return [part.strip() for part in _SEPARATOR.split(_WITH.sub(" | ", opened)) if part and normalised_words(part)]


def _marks_and_rest(segments: list[str]) -> tuple[set[str], list[str]]:
    """Take out the segments that only say what kind of thing this is."""
    found: set[str] = set()
    rest = []
    for segment in segments:
        text = _without_serial(segment.strip(" .!"))
        marks = {mark for mark, pattern in _MARK.items() if pattern.fullmatch(text)}
        found |= marks | {mark for mark in RECORDING_TAGS if marks and mark in text.casefold()}
        if not marks:
            rest.append(text)
    return found, rest or segments


def _parts(wording: str) -> list[str]:
    return [found[1] or found[2] for found in _PART.finditer(wording)]


def _figures(segment: str) -> str:
    """Give a segment's words, with the number of a part in figures."""
    parts = list(normalised_words(segment))
    for place, word in enumerate(parts):
        after_part = place > 0 and _PART_WORD.fullmatch(parts[place - 1])
        roman_end = place == len(parts) - 1 and place > 0 and set(word) <= set("iv")
        if word in _NUMBER_WORDS and (after_part or roman_end):
            parts[place] = _NUMBER_WORDS[word]
    return " ".join(parts)
