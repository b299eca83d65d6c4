"""Compare titles of different feeds: separate the title proper from numbers, labels and guests."""

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
_TAG_PATTERNS = {
    "trailer": r"(?:teaser[ -])?trailer|teaser|preview|bande[ -]annonce|introducing",
    "bonus": r"bonus(?:[ -]?(?:episode|folge|track|content|aflevering))?|bonusfolge|extra",
    "rerun": r"re-?runs?|repeat|encore|best of(?: the year)?|from the archives?|wiederholung|rediffusion|replay|repris|"
    r"herhaling|replica|повтор",
    "transcript": r"(?:full )?transcript(?:ion)?|transkript|transcripción|trascrizione",
    "podcast": r"(?:the )?(?:new )?(?:podcast|podkast|pódcast|podd|подкаст|ポッドキャスト)(?: episode| trailer)?|"
    r"(?:show ?)?notes|listen(?: now)?|interview|new episode",
}
RECORDING_TAGS = frozenset({"trailer", "bonus"})
"""Tags of another recording than the one with the same title but without the tag."""
_TAGS = {tag: re.compile(rf"(?:{pattern})", re.IGNORECASE) for tag, pattern in _TAG_PATTERNS.items()}
_BLANKS = r"(?:(?<!\s)\s++)?"
"""Whitespace from its beginning, or none: a search that fails behind it does not scan it again from the middle."""
_EPISODE = r"(?:episode|ep|folge|épisode|episodio|puntata|aflevering|afl|avsnitt|выпуск|эпизод|odcinek|no|nr)"
_SERIAL = re.compile(
    rf"^\W*(?:(?:season|staffel|saison|series)\s*\d+\W+{_EPISODE}\W*\d+"
    rf"|[st]\d+\W*e\d+|{_EPISODE}\.?\s*+#?\s*+\d+|#\s*+\d+|\d+(?=\s*[.:)\]|–—-]\s*\D)|第\d+[回話])\s*[.:)\]|,–—-]*\s*",
    re.IGNORECASE,
)
_EXPLICIT_SERIAL = re.compile(
    r"\W{0,3}(?:s\d+\W{0,2}e\d+|(?:episode|ep|folge|épisode|episodio|puntata|aflevering|avsnitt)\.?\s{0,2}#?\d+)"
    r"\s{0,3}[.:)\]|,–—-]",
    re.IGNORECASE,
)
"""A number that says what it counts, and is set off from the title."""
_WITHIN_SEASON = re.compile(r"\W{0,3}(\d{1,4})\.\d{1,4}\s{0,3}[:|–—-]\s{1,3}")
"""A number in front that counts within a season, as in "2.14 – "."""
_SERIAL_BEHIND = re.compile(rf"{_BLANKS}[(\[]\s*+(?:{_EPISODE}\.?\s*+)?#?\s*+\d++\s*+[)\]]\s*+$", re.IGNORECASE)
_BRACKETS = re.compile(rf"{_BLANKS}[(\[（【]([^()\[\]（）【】]*+)[)\]）】]\s*+")
_SEPARATOR = re.compile(rf"(?<!\s)\s++[-–—―|·•]++\s++|{_BLANKS}[–—―|]\s*+|{_BLANKS}[:：]\s++")
_WITH = re.compile(r",?(?<!\s)\s++(?:with|mit|avec|con|met|med|feat\.?|ft\.?|featuring)\s++(?=\S)", re.IGNORECASE)
_PART_WORD = re.compile(r"part|teil|parte|partie|deel|del|chapter|day")
_PART = re.compile(rf"\b(?:{_PART_WORD.pattern}) (\d+)\b|(?:^|(?<=\s))(\d+ \d+|\d+)$")
_MAX_SEGMENTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedTitle:
    """A title taken apart for comparison."""

    text: str
    """The title proper as normalised words, without episode numbers, tags and labels."""
    variants: frozenset[str]
    """Possible titles without subtitle, guest or show name; includes ``text``."""
    numbers: frozenset[str]
    """Numbers within the title (parts, days, years), as digits."""
    parts: frozenset[str]
    """Which part of a series it is, as digits."""
    episode_number: str
    """The episode number in front, without leading zeros; empty if counted within a season."""
    tags: frozenset[str]
    """Any of trailer, bonus, rerun, transcript, podcast."""
    truncated: bool
    """Whether the title ends in an ellipsis because the host cut it."""


def parse_title(title: str) -> ParsedTitle:
    """Return the parts of a title.

    >>> parse_title("S2E3 | Bonus: Salt, smoke and patience (with Ada Marsh)").text
    'salt smoke and patience ada marsh'
    >>> sorted(parse_title("#7 – Ada Marsh – Salt, part two").variants)
    ['ada marsh', 'ada marsh salt part 2', 'salt part 2']
    >>> sorted(parse_title("Trailer: The Island Kitchen").tags)
    ['trailer']
    """
    bare = _without_serial(unicodedata.normalize("NFC", title.strip()))
    tags, segments = _split_tags(_segments(bare))
    segments_text = [_normalise_numbers(segment) for segment in segments]
    joined = " ".join(filter(None, segments_text))
    return ParsedTitle(
        text=joined,
        variants=_runs(segments_text[:_MAX_SEGMENTS]) | {joined},
        numbers=frozenset(word for word in joined.split() if word.isdecimal()),
        parts=frozenset(match[1] or match[2] for segment in segments_text for match in _PART.finditer(segment)),
        episode_number=_serial(title),
        tags=frozenset(tags),
        truncated=bool(re.search(r"(?:…|\.\.\.)\s*(?:\||$)", bare)),
    )


def strip_episode_number(title: str, episode: int | None, season: int | None = None) -> str:
    """Return an episode's title without its number in front.

    A bare number is only removed if it is the episode's; "Ep. 7 -" and "S1E7 -" are never part of a title.

    >>> strip_episode_number("17. Your Letters, Answered", 17), strip_episode_number("S2E3 | Salt", 3, 2)
    ('Your Letters, Answered', 'Salt')
    >>> strip_episode_number("5 ways to bake", 5), strip_episode_number("12 – Salt", 13)
    ('5 ways to bake', '12 – Salt')
    >>> strip_episode_number("2.14- Salt", 16, 2), strip_episode_number("2.14- Salt", 16)
    ('Salt', '2.14- Salt')
    >>> strip_episode_number("Ep. 866 - Salt", None), strip_episode_number("No 10 Downing Street", None)
    ('Salt', 'No 10 Downing Street')
    """
    match = _WITHIN_SEASON.match(title)
    if match and int(match[1]) == season:
        return title[match.end() :] if normalised_words(title[match.end() :]) else title
    match = _SERIAL.match(title)
    if not match:
        return title
    numbers, rest = [int(number) for number in re.findall(r"\d+", match[0])], title[match.end() :]
    is_own = numbers in ([episode], [season, episode]) or (episode is None and _EXPLICIT_SERIAL.match(title))
    return rest if is_own and normalised_words(rest) else title


def _runs(segments_text: list[str]) -> frozenset[str]:
    """Return every run of consecutive segments, joined."""
    starts = range(len(segments_text))
    return frozenset(
        " ".join(segments_text[start:end]) for start in starts for end in range(start + 1, len(segments_text) + 1)
    )


def _without_serial(title: str) -> str:
    """Remove the episode number in front, or in brackets at the end, unless nothing else would remain."""
    for pattern in (_SERIAL, _SERIAL_BEHIND):
        rest = pattern.sub("", title, count=1)
        title = rest if normalised_words(rest) else title
    return title


def _serial(title: str) -> str:
    numbers = re.findall(r"\d+", match[0]) if (match := _SERIAL.match(title)) else []
    return numbers[0].lstrip("0") if len(numbers) == 1 else ""


def _segments(title: str) -> list[str]:
    opened = _BRACKETS.sub(r" | \1 | ", title)
    return [part.strip() for part in _SEPARATOR.split(_WITH.sub(" | ", opened)) if part and normalised_words(part)]


def _split_tags(segments: list[str]) -> tuple[set[str], list[str]]:
    """Split segments into tags and the remaining segments; keep all if nothing would remain."""
    tags: set[str] = set()
    rest = []
    for segment in segments:
        text = _without_serial(segment.strip(" .!"))
        own = {tag for tag, pattern in _TAGS.items() if pattern.fullmatch(text)}
        tags |= own | {tag for tag in RECORDING_TAGS if own and tag in text.casefold()}
        if not own:
            rest.append(text)
    return tags, rest or segments


def _normalise_numbers(segment: str) -> str:
    """Return the words of a segment, with part numbers as digits."""
    parts = list(normalised_words(segment))
    for index, word in enumerate(parts):
        after_part = index > 0 and _PART_WORD.fullmatch(parts[index - 1])
        roman_end = index == len(parts) - 1 and index > 0 and set(word) <= set("iv")
        if word in _NUMBER_WORDS and (after_part or roman_end):
            parts[index] = _NUMBER_WORDS[word]
    return " ".join(parts)
