"""Plain words: titles cleaned, boilerplate cut, excerpts that end at a sentence.

In: text, or a scrap of HTML. Out: text. Touches nothing.
"""

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
# Joiners hold emoji and Indic or Persian letters together; beside ASCII or at an edge they hold nothing.
_IDLE_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_CONTROL_BLANK = re.compile(r"[\x0b\x0c\x1c-\x1f]")
"""Invisible, and blanks to ``str.split``."""

_THE_POST = r"The post|Der Beitrag|L[’']article|La entrada|El artículo|O post|L[’']articolo|Het bericht"
_APPEARED = (
    r"appeared first on|erschien zuerst auf|est apparu en premier sur|(?:se publicó|apareció) primero en"
    r"|apareceu primeiro em|proviene da|verscheen eerst op"
)
_MORE = r"continue reading|read (?:more|on|the (?:rest|full \w+))|keep reading|weiterlesen|lire la suite|leer más"
_END = r"(?:\s*+</a>)?(?:\s*+</p>)?\s*+$"
_TELLING_CHARS = 500
"""Boilerplate tells itself apart so near the end."""
# Each with words of which it has one, in small letters: looking for those is quick, the patterns are slow.
_BOILERPLATE = tuple(
    (telling, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for telling, pattern in (
        (
            ("first on", "zuerst auf", "premier sur", "primero en", "primeiro em", "proviene da", "eerst op"),
            rf"(?:<p>\s*+)?\b(?:{_THE_POST})\s(?:(?!</p>).){{1,600}}?(?:{_APPEARED})(?:(?!</p>).){{0,300}}?{_END}",
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

_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SENTENCE_END = re.compile(r"[.!?…。！？]+[\"'”’»)\]]*(?=\s|$)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'“‘])(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Sr|Jr|Rev|Hon|Capt|Col|Gen|Lt|Sgt|Gov|Sen|Rep|Messrs|Mme|Mlle|vs|etc|cf|"
    r"approx|ca|c|No|Nos|vol|Vol|pp?|ed|eds|Ed|Fig|figs?|est|inc|Inc|Ltd|Co|Corp|al|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|"
    r"Dec|Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun|tbsp|tsp|oz|lbs?|min|mins|hrs?|Ave|Rd|Blvd|Mt|Ft|Nr|bzw|ggf|usw|z|d|u|"
    r"e\.g|i\.e|a\.m|p\.m|U\.S|U\.K|E\.U|Ph\.D|[A-Z](?:\.[A-Z])*)\.$"
)


def clean_title(raw: str, *, markup: bool = True) -> str:
    """Return ``raw`` as one clean line: tags, entities (even escaped twice), odd blanks, invisible characters gone.

    ``markup=False`` leaves alone what looks like a tag or an entity. At most ``MAX_TITLE_CHARS`` with markup.

    >>> clean_title("Fish&amp;nbsp;&amp;amp;  chips: <b>why</b> so\\xadgood\\u202e")
    'Fish & chips: why sogood'
    """
    text = " ".join(raw.split())
    marked_up = markup and ("<" in raw or "&" in raw or "]]>" in raw)
    if marked_up or not (raw.isprintable() or (text.isprintable() and not _CONTROL_BLANK.search(raw))):
        text = _without_markup(raw[: 20 * MAX_TITLE_CHARS]) if markup else raw
        text = " ".join(_IDLE_JOINER.sub("", _INVISIBLE.sub("", text)).split())
    return text[:MAX_TITLE_CHARS].rstrip() if markup else text


def strip_boilerplate(text: str) -> str:
    """Cut what blog software adds at the end: "The post … appeared first on …", "[…]", "Continue reading", "Read more".

    Works on plain text and on sanitised HTML.

    >>> strip_boilerplate("Salt first. Then heat […] The post Salt appeared first on Harbour & Hearth.")
    'Salt first. Then heat'
    """
    if not text:
        return text
    start, end = text[:-2000], text[-2000:]  # it is never longer, and the search never slower
    lower = end[-_TELLING_CHARS:].lower()
    for telling, pattern in _BOILERPLATE:
        for words in telling:  # any() takes twice as long, and three texts of each entry come here
            if words in lower:
                end = pattern.sub("", end)
                break
        end = end.rstrip()
    return start + end


def excerpt_text(text: str, max_words: int = 60) -> str:
    """Return the beginning of ``text``, at most ``max_words`` words, ending at a sentence.

    Where no sentence ends early enough, it ends at a word, with "…".

    >>> excerpt_text("Ask Dr. Marsh. She knows, e.g. about salt. And then some more words.", 9)
    'Ask Dr. Marsh. She knows, e.g. about salt.'
    >>> excerpt_text("One endless sentence without any stop", 3)
    'One endless sentence…'
    """
    words = strip_boilerplate(text).split(None, max_words)
    if len(words) <= max_words:
        return " ".join(words)
    start = " ".join(words[:max_words])
    ends = [end for end in (found.end() for found in _SENTENCE_END.finditer(start)) if not _abbreviates(start[:end])]
    return start[: ends[-1]] if ends else start.rstrip(" ,;:–—-") + "…"


def count_words(text: str) -> int:
    """Return the number of words; a character of Chinese or Japanese counts half.

    >>> count_words("Salt, fat & acid"), count_words("塩と油と酸")
    (3, 2)
    """
    dense = len(_DENSE.findall(text)) if has_cjk(text) else 0
    rest = _DENSE.sub(" ", text) if dense else text
    return dense // 2 + len(re.findall(r"\w+(?:[’'.,-]\w+)*", rest))


def has_cjk(text: str) -> bool:
    """Tell whether a text has characters that are words by themselves, or nearly: Chinese or Japanese."""
    return not text.isascii() and _DENSE.search(text) is not None


def _without_markup(text: str) -> str:
    for _ in range(3):
        plainer = entities.unescape(_TAGS.sub("", text))
        if plainer == text:
            break
        text = plainer
    return _TAGS.sub("", text)


def _abbreviates(start: str) -> bool:
    return _ABBREVIATION.search(start[-12:]) is not None
