"""Find what the entries of a feed repeat, such as bylines, sponsors and invitations, and remove it from their texts.

Texts count as the same if they only differ in whole numbers, dates written in numbers, or addresses of one site.
"""

from __future__ import annotations

import html as entities
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from pipeline.text.html import remove_empty_elements
from pipeline.text.passage_faults import Rank, find_fault
from pipeline.text.passages import Passage, split_passages
from pipeline.text.sentences import sentence_ends

REPEATED = 3
"""What this many entries of a feed have in common is about none of them."""
LEARNT_CHARS = 8_000
"""Only this much of a text is compared."""
_SENTENCE_PASSAGES = 3
"""Number of paragraphs whose sentences are compared one by one."""
_SENTENCE_CHARS = 1_500
_PREFIX_CHARS = 120
_START_WORDS = 8
_TAG = re.compile(r"<[^<>]*>")
_EMPTY_LINK = re.compile(r"<a(?: [^<>]*)?>\s*+</a>")
_ENTITY_OR_CHAR = re.compile(r"&#?\w{1,31};|.", re.DOTALL)
_ADDRESS = re.compile(r"(?:https?://|(?<![\w.])(?=www\.))([^\s/?#<>]{1,100})[^\s<>]*+")
_NUMBER = re.compile(r"\d[\d.,]*+")
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}\.?")
_EDGES = " .,;:!?…()[]\"'“”|·•–—-"
_STOPS = frozenset(".!?…")
_SEPARATOR = re.compile(r"\s?[|•·—–:\])]\s|\s-\s")
_REFERS = re.compile(
    r"\s*(?:he|she|they|it|its|his|her|their|this|that|these|those|but|and|er|sie|es|dies\w*|il|elle|ils|elles|él|ella)\b",
    re.IGNORECASE,
)
"""A sentence that begins with one of these words makes no sense without the one before."""
_REFERS_TO_PERSON = re.compile(r"(?:he|she|his|her|they|er|elle|él|ella)\b", re.IGNORECASE)
_CONTINUES = re.compile(r"\s*[\"'“„«¿¡(\[]*[A-ZÀ-ÞΑ-ΩА-Я\d\u3040-\u9fff\u0600-\u06ff]")


@lru_cache(maxsize=512)
def furniture_keys(html: str, summaries: tuple[str, ...] = ()) -> frozenset[str]:
    """Return the keys of everything in an entry that its feed may repeat: lines, sentences, beginnings of lines.

    >>> sorted(furniture_keys("<p>Salt | Read it at www.salt.example/1</p>"))
    ['salt', 'salt | read it at www.salt.example']
    """
    passages = split_passages(html, LEARNT_CHARS)
    paragraphs = [passage.text for passage in passages if passage.kind == "text"][:_SENTENCE_PASSAGES]
    keys = {_start_key(passage.text) for passage in passages}
    keys.update(map(_key, dict.fromkeys([*summaries, *(passage.text for passage in passages)])))
    for text in dict.fromkeys([*summaries, *paragraphs]):
        keys.update(_key(text[start:end]) for start, end in _parts(text))
    return frozenset(key for key in keys if any(map(str.isalpha, key)))


def repeated_keys(entries: Iterable[Collection[str]]) -> frozenset[str]:
    """Return the keys that ``REPEATED`` entries have; entries with the same keys count once.

    >>> sorted(repeated_keys([{"by", "one"}, {"by", "two"}, {"by", "six"}, {"by", "six"}]))
    ['by']
    """
    counts = Counter(key for keys in dict.fromkeys(map(frozenset, entries)) for key in keys)
    return frozenset(key for key, count in counts.items() if count >= REPEATED)


def remove_furniture(html: str, furniture: Collection[str]) -> str:
    """Return sanitised HTML without the passages, sentences and beginnings of lines that are repeated.

    >>> remove_furniture("<p>The weekly</p><p>Salt. <a href='/x'>See you!</a></p>", {"the weekly", "see you"})
    '<p>Salt.</p>'
    """
    if not furniture:
        return html
    kept: list[str] = []
    position = texts = 0
    has_text = False
    passages = split_passages(html, LEARNT_CHARS)
    for index, passage in enumerate(passages):
        kept.append(html[position : passage.start])
        position = passage.end
        markup = html[passage.start : passage.end]
        rank = find_fault(passage).rank
        if rank >= Rank.DOUBTFUL:  # never shown, and may announce what follows, as a label does
            kept.append(markup)
            continue
        is_repeated = _key(passage.text) in furniture or (has_text and _start_key(passage.text) in furniture)
        if is_repeated:
            if any(_introduces(passage, one, furniture) for one in passages[index + 1 : index + 2]):
                kept.append(markup)
            continue
        has_text = has_text or rank == Rank.GOOD
        if passage.kind == "text" and texts < _SENTENCE_PASSAGES:
            texts += 1
            markup = _without_parts(markup, passage, furniture)
        kept.append(markup)
    if position == 0:
        return html
    clean = "".join([*kept, html[position:]])
    return html if clean == html else remove_empty_elements(_EMPTY_LINK.sub("", clean)).strip()


def remove_from_text(text: str, furniture: Collection[str]) -> str:
    """Return plain text without the sentences and beginnings that are repeated.

    >>> remove_from_text("Salt first. Learn more at ads.example.", {"learn more at ads.example"})
    'Salt first.'
    """
    return " ".join(_cut(text, _repeated_spans(text, furniture), list(range(len(text) + 1)), text).split())


def _introduces(passage: Passage, following: Passage, furniture: Collection[str]) -> bool:
    """Check whether a passage names whom the next one, which is about this entry alone, is about."""
    is_known = _key(following.text) in furniture or _start_key(following.text) in furniture
    return passage.kind == "text" and not is_known and _REFERS_TO_PERSON.match(following.text) is not None


def _without_parts(markup: str, passage: Passage, furniture: Collection[str]) -> str:
    if not any(_key(passage.text[start:end]) in furniture for start, end in _parts(passage.text)):
        return markup
    text, offsets = _text_with_offsets(markup)
    return _cut(markup, _repeated_spans(text, furniture), offsets, text)


def _cut(markup: str, spans: Iterable[tuple[int, int]], offsets: list[int], text: str) -> str:
    """Return ``markup`` without the given spans of its text; tags stay."""
    kept, position = [], 0
    for start, end in spans:
        kept += [markup[position : offsets[start]], *_TAG.findall(markup[offsets[start] : offsets[end]])]
        position = offsets[end]
    return "".join([*kept, markup[position:]])


def _repeated_spans(text: str, furniture: Collection[str]) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in sorted((*_parts(text), (0, len(text))), key=lambda span: (span[0], -span[1])):
        is_sentence = text[start:end].rstrip()[-1:] in _STOPS
        if start >= position and _key(text[start:end]) in furniture and not (is_sentence and _REFERS.match(text, end)):
            yield start, end
            position = end


def _parts(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the sentences of a text are, and its beginnings that end at a separator."""
    start = 0
    for end in sentence_ends(text[:_SENTENCE_CHARS]):
        yield start, end
        start = end
    if start and text[start:].strip() and len(text) <= _SENTENCE_CHARS:
        yield start, len(text)
    for separator in _SEPARATOR.finditer(text[:_PREFIX_CHARS]):
        if _CONTINUES.match(text, separator.end()):
            yield 0, separator.end()


def _text_with_offsets(html: str) -> tuple[str, list[int]]:
    """Return the text of HTML, and where each of its characters begins in the HTML, with the end of the last."""
    chars: list[str] = []
    offsets: list[int] = []
    position = 0
    for tag in (*_TAG.finditer(html), None):
        for match in _ENTITY_OR_CHAR.finditer(html, position, tag.start() if tag else len(html)):
            decoded = entities.unescape(match[0])
            chars += decoded
            offsets += [match.start()] * len(decoded)
        position = tag.end() if tag else len(html)
    return "".join(chars), [*offsets, len(html)]


def _start_key(text: str) -> str:
    """Return what is compared of the beginning of a long text, or "" of a short one.

    Texts that begin alike may still be about different things, so only those after the first text are removed for it.
    """
    words = text.split(None, _START_WORDS)
    return "^" + _key(" ".join(words[:_START_WORDS])) if len(words) > _START_WORDS else ""


def _key(text: str) -> str:
    """Return what is compared of a text: everything but addresses and whole numbers, which differ between entries.

    >>> _key("No. 12 of 3 May 2026: see https://salt.example/12/ash for 2.5 kg")
    'no. 0 of 0 may 0: see salt.example for 2.5 kg'
    """
    key = text.casefold()
    if "://" in key or "www." in key:
        key = _ADDRESS.sub(r"\1", key)
    return " ".join(_NUMBER.sub(_folded, key).split()).strip(_EDGES)


def _folded(number: re.Match[str]) -> str:
    text = number[0].rstrip(".,")
    return number[0] if not text.isdecimal() and not _DATE.fullmatch(text) else "0" + number[0][len(text) :]
