"""Shorten titles to headlines, as a subject or a list on one line has room for: the words that say what it is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice
from unicodedata import east_asian_width

from pipeline.text.dates import MAX_DATE_CHARS, parse_date
from pipeline.text.plain_text import end_with_ellipsis
from pipeline.text.sentences import quotations, sentence_ends
from pipeline.text.similarity import normalised_words, title_key

_EPISODE = (
    r"episode|ep|eps|folge|épisode|episodio|episódio|capítulo|puntata|aflevering|afl|avsnitt|odcinek|bölüm|выпуск|эпизод"
    r"|الحلقة|قسط"
)
_EPISODE_NUMBER = re.compile(
    rf"(?:season|staffel|saison|series|temporada|stagione|sezon|сезон|s|t)\W{{0,2}}\d{{1,3}}\W{{0,3}}(?:{_EPISODE}|e)\W{{0,3}}\d{{1,5}}"
    rf"|(?:{_EPISODE})\W{{0,3}}\d{{1,5}}|#\W?\d{{1,5}}|第\s?\d{{1,5}}\s?[回話集期]",
    re.IGNORECASE,
)
"""The number of an episode that says what it counts."""
_BARE_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,3})?")
_MAYBE_YEAR = re.compile(r"1[0-9]\d\d|20\d\d")
_SERIAL_IN_FRONT = re.compile(r"(?:[st]\d{1,3}\W{0,2}e|ep[. ]{1,2}#?|ep#?)\d{1,5}\b[ .)]{0,3}", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:the |our |new |latest |full |audio |video )?"
    r"(?:podcast|podkast|pódcast|podcasten|подкаст|ポッドキャスト|播客|بودكاست|پوڈکاسٹ)"
    r"(?:[ -](?:episode|ep|folge|post))?(?: #?\d{1,5})?"
    r"|(?:new |latest |full )?(?:episode|blog[ -]?post|blog|post|video)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r" ?[|｜•·–—―~] ?| -{1,3} ?|(?<=\d)- |[:：] |：")
"""Between the parts of a title, whose blanks are single."""
_BRACKET_IN_FRONT = re.compile(r"[(\[（【]([^()\[\]（）【】]{1,60})[)\]）】] ?")
_BRACKET_BEHIND = re.compile(r" ?[(\[（【]([^()\[\]（）【】]{1,60})[)\]）】]$")
_CLAUSE_END = re.compile(r" ?[:;|｜·–—―] | -{1,3} |[?!.](?= )|[：；。？！]")
_NAMES_WITHOUT = frozenset({"the", "podcast", "show", "with", "episode", "ep", "folge"})
_MAX_PARTS = 4
"""So many parts are removed from either end of a title at most."""
_PERHAPS_WIDE = re.compile("[\u1100-\U0010ffff]")
MIN_WIDTH = 10
"""A narrower beginning of a headline says too little."""


def display_width(text: str) -> int:
    """Return the width of a text in columns: a Chinese, Japanese or Korean character takes two, as on a screen.

    >>> display_width("Salt"), display_width("塩と油")
    (4, 6)
    """
    return len(text) + sum(east_asian_width(char) in "WF" for char in _PERHAPS_WIDE.findall(text))


def clean_headline(title: str, names: Collection[str] = (), *, is_episode: bool = False) -> str:
    """Return a title without numbers of episodes, dates, labels and ``names`` of shows at its ends, on one line.

    A bare number is only removed from the title of an episode, and nothing that would leave no words.

    >>> clean_headline("The Long Table #12: Salt and smoke | 9 Feb 2026", ["The Long Table"])
    'Salt and smoke'
    >>> clean_headline("S2E3 Why we knead (Podcast)"), clean_headline("1984 – a year"), clean_headline("Ep. 866 - Tar.")
    ('Why we knead', '1984 – a year', 'Tar')
    """
    headline = " ".join(title.split())
    keys = {key for name in names if (key := _name_key(name))}
    for _ in range(_MAX_PARTS):
        rest = next((rest for rest in _without_one_part(headline, keys, is_episode) if normalised_words(rest)), "")
        if not rest:
            break
        headline = rest.strip(" -–—:|,")
    last = headline.rpartition(" ")[2]
    return headline[:-1] if last[-1:] == "." and len(last) > 3 and "." not in last[:-1] else headline


def shorten_headline(headline: str, max_width: int, min_width: int = MIN_WIDTH) -> str:
    """Return a headline, or else its first clauses, at most ``max_width`` wide; empty if none are ``min_width``.

    >>> shorten_headline("Tar and feathers: how a town of eleven houses lost its only boat (part 2)", 40)
    'Tar and feathers'
    """
    if display_width(headline) <= max_width:
        return headline
    bare = _BRACKET_BEHIND.sub("", headline)
    ends = [end.end() if end[0] in "?!？！" else end.start() for end in _clause_ends(bare)]
    clauses = (bare[:end].rstrip() for end in (len(bare), *reversed(ends)))
    return next((clause for clause in clauses if min_width <= display_width(clause) <= max_width), "")


def later_clauses(headline: str) -> Iterator[str]:
    """Yield a headline, and what is left of it after each clause.

    >>> list(later_clauses("Ovens: bricks – and clay"))
    ['Ovens: bricks – and clay', 'bricks – and clay', 'and clay']
    """
    yield headline
    yield from (headline[end.end() :].lstrip() for end in _clause_ends(headline)[:_MAX_PARTS])


def cut_headline(headline: str, max_width: int, max_words: int = 100) -> str:
    """Return a headline that fits, or its first whole words and "…"; a text without blanks is cut anywhere.

    Words such as "in the", after which more must follow, do not stand before the "…".

    >>> cut_headline("Tar and feathers in the harbour", 20), cut_headline("塩と油と酸と熱", 9)
    ('Tar and feathers…', '塩と油と…')
    """
    words = headline.split(None, max_words)
    if len(words) > max_words:
        headline = " ".join(words[:max_words])
        if display_width(headline) < max_width:
            return end_with_ellipsis(headline)
    if display_width(headline) <= max_width:
        return headline
    start = 0
    for end in range(1, max_width + 1):
        if display_width(headline[:end]) > max_width - 1:
            break
        start = end
    kept = headline[:start] if headline[start : start + 1].isspace() else headline[:start].rpartition(" ")[0]
    if display_width(kept) < max_width // 2:
        kept = headline[:start]
    return end_with_ellipsis(kept)


def _clause_ends(headline: str) -> list[re.Match[str]]:
    """Return the first ends of clauses that are not within a quotation or brackets, nor after an abbreviation."""
    spans = quotations(headline)
    sentences = {end - 1 for end in sentence_ends(headline)}
    ends = [end for end in islice(_CLAUSE_END.finditer(headline), 20) if end[0] != "." or end.start() in sentences]
    return [end for end in ends if not any(first < end.start() <= last for first, last in spans[:20])]


def without_name(title: str, name: str) -> str:
    """Return a title without the name of its blog or show at one of its ends, set off by a separator.

    >>> without_name("The Long Table – Salt and smoke", "The Long Table"), without_name("Salt | The Long Table", "Salt")
    ('Salt and smoke', 'The Long Table')
    >>> without_name("The Long Table – Episode 3", "The Long Table")
    'The Long Table – Episode 3'
    """
    key = title_key(name).removeprefix("the ")
    separators = list(_SEPARATOR.finditer(title)) if key else []
    for part, rest in [
        *((title[: one.start()], title[one.end() :]) for one in separators[:1]),
        *((title[one.end() :], title[: one.start()]) for one in separators[-1:]),
    ]:
        if title_key(part).removeprefix("the ") == key and not _says_nothing(rest, ()):
            return rest.strip()
    return title


def _without_one_part(title: str, names: Collection[str], is_episode: bool) -> Iterator[str]:
    """Yield what a title is without a part at its beginning or its end that does not say what it is about."""
    for bracket in (_BRACKET_IN_FRONT.match(title), _BRACKET_BEHIND.search(title)):
        if bracket and _says_nothing(bracket[1], names):
            yield title[: bracket.start()] + title[bracket.end() :]
        elif bracket and bracket.start() and _says_nothing(title[: bracket.start()], names):
            yield bracket[1]
    if serial := _SERIAL_IN_FRONT.match(title):
        yield title[serial.end() :]
    separators = list(_SEPARATOR.finditer(title))
    for separator in separators[:_MAX_PARTS]:
        front = title[: separator.start()].strip(" .,")
        is_number = is_episode and _BARE_NUMBER.fullmatch(front) and not _MAYBE_YEAR.fullmatch(front)
        if is_number or _says_nothing(front, names):
            yield title[separator.end() :]
    for separator in separators[: -_MAX_PARTS - 1 : -1]:
        if _says_nothing(title[separator.end() :], names):
            yield title[: separator.start()]


def _says_nothing(part: str, names: Collection[str]) -> bool:
    """Check whether a part of a title is only a number of an episode, a date, a label or a name of a show."""
    part = part.strip(" .,:")
    if not part or _EPISODE_NUMBER.fullmatch(part) or _LABEL.fullmatch(part):
        return True
    key = _name_key(part)
    is_number_of_show = part[-1].isdecimal() and any(key.startswith(f"{name} ") for name in names)
    return key in names or is_number_of_show or _is_date(part)


def _is_date(text: str) -> bool:
    if len(text) > MAX_DATE_CHARS or not any(char.isdecimal() for char in text):
        return False
    has_month = any(char.isalpha() for char in text)
    return parse_date(text) is not None or (has_month and parse_date(f"{text} 2000") is not None) or _is_numeric(text)


def _is_numeric(text: str) -> bool:
    """Check whether a text is a date in numbers whose order of day and month is unknown."""
    return re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})", text) is not None


def _name_key(name: str) -> str:
    """Return the words of a name of a show without those that differ, and without an episode's number behind it."""
    words = list(normalised_words(name[:200]))
    if len(words) > 1 and words[-1].isdecimal():
        words.pop()
    return " ".join([word for word in words if word not in _NAMES_WITHOUT])
