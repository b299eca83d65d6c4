"""Clean plain text: titles, boilerplate, excerpts, word counts."""

from __future__ import annotations

import html as entities
import re

MAX_TITLE_CHARS = 1000

_TAGS = re.compile(
    r"<!--.*?-->|<!\[CDATA\[|\]\]>|<(script|style)\b.*?</\1\s*>|</?(?:a|abbr|acronym|applet|audio|b|base|big|blink|"
    r"blockquote|body|br|button|center|cite|code|dd|del|details|div|dl|dt|em|embed|figcaption|figure|font|form|frame|"
    r"frameset|h[1-6]|head|hr|html|i|iframe|img|input|ins|kbd|label|li|link|mark|meta|nobr|object|ol|option|p|param|pre|"
    r"q|s|samp|script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|textarea|"
    r"tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr)(?:[\s/][^<>]*)?>",
    re.IGNORECASE | re.DOTALL,
)
# Controls, soft hyphens, zero-width marks, direction overrides, lone surrogates, non-characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200b\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# Joiners connect emoji and Indic or Persian letters; next to ASCII or at an edge they are noise.
_IDLE_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_CONTROL_BLANK = re.compile(r"[\x0b\x0c\x1c-\x1f]")
"""Invisible characters that ``str.split`` treats as whitespace."""

_THE_POST = r"The post|Der Beitrag|L[’']article|La entrada|El artículo|O post|L[’']articolo|Het bericht"
_APPEARED_ON = (
    r"appeared first on|erschien zuerst auf|est apparu en premier sur|(?:se publicó|apareció) primero en"
    r"|apareceu primeiro em|proviene da|verscheen eerst op"
)
_MORE = r"continue reading|read (?:more|on|the (?:rest|full \w+))|keep reading|weiterlesen|lire la suite|leer más"
_END = r"(?:\s*+</a>)?(?:\s*+</p>)?\s*+$"
_KEYWORD_CHARS = 500
"""Boilerplate contains one of its keywords within this distance from the end."""
# Keywords (lower case) and pattern: the patterns are slow, so they only run if a keyword is found.
_BOILERPLATE = tuple(
    (keywords, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for keywords, pattern in (
        (
            ("first on", "zuerst auf", "premier sur", "primero en", "primeiro em", "proviene da", "eerst op"),
            rf"(?:<p>\s*+)?\b(?:{_THE_POST})\s(?:(?!</p>).){{1,600}}?(?:{_APPEARED_ON})(?:(?!</p>).){{0,300}}?{_END}",
        ),
        (
            ("continue r", "read more", "read on", "read the ", "keep r", "weiterlesen", "lire la suite", "leer más"),
            rf"(?:^|(?<=[.!?…\]>»)\n]))\s*+(?:<p>\s*+)?(?:<a [^>]*>\s*+)?(?:…|\.{{3}})?\[?\s*+(?:{_MORE})\b"
            rf"[^.!?<\n]{{0,200}}{_END}",
        ),
        (
            ("…", "...", "&hellip;", "&#8230;"),
            rf"\s{{0,9}}(?:\[\s*(?:…|\.{{3}}|&hellip;|&#8230;)\s*\]|\(\s*(?:…|\.{{3}})\s*\))\s*+(?={_END})",
        ),
    )
)

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'“‘])(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Sr|Jr|Rev|Hon|Capt|Col|Gen|Lt|Sgt|Gov|Sen|Rep|Messrs|Mme|Mlle|vs|etc|cf|"
    r"approx|ca|c|No|Nos|vol|Vol|pp?|ed|eds|Ed|Fig|figs?|est|inc|Inc|Ltd|Co|Corp|al|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|"
    r"Dec|Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun|tbsp|tsp|oz|lbs?|min|mins|hrs?|Ave|Rd|Blvd|Mt|Ft|Nr|bzw|ggf|usw|z|d|u|"
    r"e\.g|i\.e|a\.m|p\.m|U\.S|U\.K|E\.U|Ph\.D|[A-Z](?:\.[A-Z])*)\.$"
)


def clean_title(raw: str, *, markup: bool = True) -> str:
    """Return ``raw`` as one line without tags, entities (even escaped twice) and invisible characters.

    With ``markup=False`` tags and entities are kept as text. With markup, the result has at most ``MAX_TITLE_CHARS``.

    >>> clean_title("Fish&amp;nbsp;&amp;amp;  chips: <b>why</b> so\\xadgood\\u202e")
    'Fish & chips: why sogood'
    """
    text = " ".join(raw.split())
    has_markup = markup and ("<" in raw or "&" in raw or "]]>" in raw)
    if has_markup or not (raw.isprintable() or (text.isprintable() and not _CONTROL_BLANK.search(raw))):
        text = _without_markup(raw[: 20 * MAX_TITLE_CHARS]) if markup else raw
        text = " ".join(_IDLE_JOINER.sub("", _INVISIBLE.sub("", text)).split())
    return text[:MAX_TITLE_CHARS].rstrip() if markup else text


def strip_boilerplate(text: str) -> str:
    """Return text or sanitised HTML without what blog software appends.

    Removes "The post … appeared first on …", "[…]", "Continue reading" and "Read more".

    >>> strip_boilerplate("Salt first. Then heat […] The post Salt appeared first on Harbour & Hearth.")
    'Salt first. Then heat'
    """
    if not text:
        return text
    start, end = text[:-2000], text[-2000:]  # boilerplate is never longer, and this bounds the search
    lower = end[-_KEYWORD_CHARS:].lower()
    for keywords, pattern in _BOILERPLATE:
        for words in keywords:  # any() takes twice as long, and this runs three times an entry
            if words in lower:
                end = pattern.sub("", end)
                break
        end = end.rstrip()
    return start + end


def excerpt_text(text: str, max_words: int = 60) -> str:
    """Return the beginning of ``text``, at most ``max_words`` words, ending at a sentence.

    Ends at a word with "…" if no sentence ends early enough.

    >>> excerpt_text("Ask Dr. Marsh. She knows, e.g. about salt. And then some more words.", 9)
    'Ask Dr. Marsh. She knows, e.g. about salt.'
    >>> excerpt_text("One endless sentence without any stop", 3)
    'One endless sentence…'
    """
    words = strip_boilerplate(text).split(None, max_words)
    if len(words) <= max_words:
        return " ".join(words)
    start = " ".join(words[:max_words])
    ends = (match.end() for match in _SENTENCE_END.finditer(start))
    sentence_ends = [end for end in ends if not _ABBREVIATION.search(start[max(0, end - 12) : end])]
    return start[: sentence_ends[-1]] if sentence_ends else start.rstrip(" ,;:–—-") + "…"


def count_words(text: str) -> int:
    """Return the number of words; a Chinese or Japanese character counts half.

    >>> count_words("Salt, fat & acid"), count_words("塩と油と酸")
    (3, 2)
    """
    cjk = len(_CJK.findall(text)) if has_cjk(text) else 0
    rest = _CJK.sub(" ", text) if cjk else text
    return cjk // 2 + len(re.findall(r"\w+(?:[’'.,-]\w+)*", rest))


def has_cjk(text: str) -> bool:
    """Check whether a text contains Chinese or Japanese characters."""
    return not text.isascii() and _CJK.search(text) is not None


def _without_markup(text: str) -> str:
    for _ in range(3):
        stripped = entities.unescape(_TAGS.sub("", text))
        if stripped == text:
            break
        text = stripped
    return _TAGS.sub("", text)
