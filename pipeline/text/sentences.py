"""Find where sentences end, in any language, for every text that is shortened."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CJK = r"[\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_STOP = re.compile(
    rf"(?<![.!?…؟۔।॥])[.!?…؟۔।॥]++[\"'”’“»«›‹)\]*_~]*+(?=\s|$|(?<=[!?]){_CJK})|(?:[。！？｡]++[」』”’）*_~]*+)++"
)
_CJK_STOPS = frozenset("。！？｡")
_SAYS = re.compile(r"と(?:$|[^きこころもあ])|って|なんて|、|，")
"""What goes on with a sentence after a quotation in Japanese, or in Chinese."""
_CLOSED_BY = {"“": "”", "„": "“", "«": "»", "»": "«", "「": "」", "『": "』", "(": ")", "[": "]", "（": "）"}
_BRACKET = re.compile(r"[“”„«»「」『』()\[\]（）\"]")
_BEFORE_WORD = re.compile(r".*[\s(\[\"“„‘’«*_]", re.DOTALL)
_ABBREVIATIONS = frozenset(
    re.findall(
        r"[^\s.]+",
        "Mr Mrs Ms Mx Dr Prof St Ste Sr Jr Rev "
        "Hon Capt Col Gen Lt Sgt Gov Sen Rep Messrs vs etc cf approx ca no nos vol "
        "pp ed eds fig figs est inc ltd co corp al tbsp tsp oz lb lbs mins hr hrs "
        "ave rd blvd mt ft ep "
        "Jan Feb Febr Mar Apr Jun Jul Aug Sep Sept Oct Okt Nov Dec Dez Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun "
        "Nr bzw ggf usw str bd hr fr dipl ing jh mio mrd inkl evtl vgl std abs zzgl exkl geb gest sog tel "
        "bspw "
        "Mme Mlle MM "
        "av env janv févr sept déc tél Sra Srta Ud Uds pág núm EE UU sig dott pag bijv dhr mevr enz blz nro",
    )
)
_FOLDED = frozenset(word.casefold() for word in _ABBREVIATIONS)
_CONTEXT_CHARS = 40


def sentence_ends(text: str) -> Iterator[int]:
    """Yield each position after the end of a sentence, closing quotation marks included.

    A stop does not end a sentence after an abbreviation, an initial or an ordinal, within a quotation or brackets, or
    before lower case.

    >>> text = "Am 19. Mai, z. B. bei Dr. Marsh. “Come. Eat.” So it began"
    >>> [text[:end] for end in sentence_ends(text)]
    ['Am 19. Mai, z. B. bei Dr. Marsh.', 'Am 19. Mai, z. B. bei Dr. Marsh. “Come. Eat.”']
    """
    spans = iter(quotations(text))
    start, end = next(spans, (len(text), len(text)))
    for stop in _STOP.finditer(text):
        while end < stop.end() - 1:
            start, end = next(spans, (len(text), len(text)))
        inside = start < stop.start() and stop.end() <= end
        if not inside and _ends(text, stop):
            yield stop.end()


def split_sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, the last one even if it has no end.

    >>> list(split_sentences("Ask Dr. Marsh. She knows. Or"))
    ['Ask Dr. Marsh.', 'She knows.', 'Or']
    """
    start = 0
    for end in (*sentence_ends(text), len(text)):
        if sentence := text[start:end].strip():
            yield sentence
        start = end


def quotations(text: str) -> list[tuple[int, int]]:
    """Return the outermost quotations and brackets as (position of the first, of the last character), in order."""
    spans: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        char, position = match[0], match.start()
        for depth in range(len(opened) - 1, max(-1, len(opened) - 4), -1):
            if char == opened[depth][0]:
                first = opened[depth][1]
                del opened[depth:]
                while spans and spans[-1][0] > first:
                    spans.pop()
                spans.append((first, position))
                break
        else:
            if closing := _CLOSED_BY.get(char, char if char == '"' else ""):
                opened.append((closing, position))
    return spans


def _ends(text: str, stop: re.Match[str]) -> bool:
    """Check whether a full stop, or another character that may end a sentence, ends one."""
    if stop[0][0] in _CJK_STOPS:
        return stop[0][-1] not in "」』）" or not _SAYS.match(text, stop.end())
    following = text[stop.end() : stop.end() + _CONTEXT_CHARS].lstrip(" \n\t\"'“„«‘(*_[")
    if following[:1].islower() and not (stop[0][0] in "!?" and stop[0][-1] in '"”’»“'):  # “Why?” she asked
        return False
    before = text[max(0, stop.start() - _CONTEXT_CHARS) : stop.start()]
    word = before[match.end() :] if (match := _BEFORE_WORD.match(before)) else before
    if not word.isalnum() and not any(map(str.isalnum, before)):
        return False
    if not stop[0].startswith(".") or stop[0].startswith(".."):
        return True
    return not (
        word.casefold() in _FOLDED
        or (word.isdecimal() and len(word) < 3 and following != "")
        or all(len(part) < 2 and part.isalpha() for part in word.split("."))
        or word in ("Ph.D", "M.Sc", "B.Sc")
    )
