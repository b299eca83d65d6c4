"""Clean plain text: titles, boilerplate, excerpts, word counts."""

from __future__ import annotations

import html as entities
import re

from pipeline.text.leftovers import GOES_ON
from pipeline.text.mojibake import repair_mojibake
from pipeline.text.sentences import sentence_ends
from pipeline.text.site_phrases import APPEARED_ON

MAX_TITLE_CHARS = 1000

# A word in angle brackets is only a tag if its attributes are written as attributes: "a<b and b>c" has none.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<attributes>(?:\s+[\w:-]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))?)*+)"
    r"\s*(?P<empty>/?)>"
)
_FORMATTING = frozenset(
    re.findall(
        r"\w+",
        "a abbr acronym b bdi bdo big blink blockquote center cite code dd del dfn div dl dt em font h1 h2 h3 h4 h5 h6 "
        "i ins kbd label li mark nobr ol p pre q s samp section small span strike strong sub sup td th time tr tt u ul "
        "var",
    )
)
"""Elements that format text. Any other tag in a title is taken for what the title is about."""
_BREAKS = frozenset({"br", "hr", "img", "p", "div", "li", "wbr"})
_NOT_TEXT = (
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<(?:script|style)\b[^<>]*>", re.IGNORECASE), re.compile(r"</(?:script|style)\s?>", re.IGNORECASE)),
)
"""Beginnings and ends of what is never shown."""
_CDATA = "<![CDATA["
# Controls, soft hyphens, zero-width marks, direction overrides, lone surrogates, non-characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u180e\u200b\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
# Joiners connect emoji and Indic or Persian letters; next to ASCII or at an edge they are noise.
_IDLE_JOINER = re.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_CONTROL_BLANK = re.compile(r"[\x0b\x0c\x1c-\x1f]")
"""Invisible characters that ``str.split`` treats as whitespace."""

_THE_POST = r"The post|Der Beitrag|L[’']article|La entrada|El artículo|O post|L[’']articolo|Het bericht"
_APPEARED_ON = rf"{APPEARED_ON.pattern}|se publicó primero en|sembra essere il primo su"
"""After the words above; the last two are also part of other sentences."""
_GO_ON = (
    "weiterlesen", "lire la suite", "leer más", "seguir leyendo", "continuar leyendo", "continuar lendo", "leia mais",
    "continua a leggere", "leggi tutto", "lees verder", "lees meer", "läs mer", "les mer", "læs mere", "lue lisää",
    "czytaj dalej", "číst dál", "читать далее", "читать дальше", "devamını oku", "続きを読む", "继续阅读", "阅读全文",
)  # fmt: skip
"""How a link to the rest of a text begins, besides English."""
_MORE = rf"continue reading|read (?:more|on|the (?:rest|full \w+))|keep reading|{'|'.join(_GO_ON)}"
_END = r"(?:\s*+</a>)?(?:\s*+</p>)?\s*+$"
_KEYWORD_CHARS = 500
"""Boilerplate contains one of its keywords within this distance from the end."""
# Keywords (lower case), pattern, and whether it says that the text goes on elsewhere. The patterns are slow, so they
# only run if a keyword is found.
_BOILERPLATE = tuple(
    (keywords, re.compile(pattern, re.IGNORECASE | re.DOTALL), goes_on)
    for keywords, pattern, goes_on in (
        (
            ("first on", "zuerst auf", "premier sur", "primero en", "primeiro em", "viene da", "primo su", "erst op"),
            rf"(?:<p>\s*+)?\b(?:{_THE_POST})\s(?>(?:(?!</p>).){{1,600}}?(?:{_APPEARED_ON}))(?:(?!</p>).){{0,300}}+{_END}",
            False,
        ),
        (
            ("continue r", "read more", "read on", "read the ", "keep r", *_GO_ON),
            rf"(?<!\s)(?:(?:^|(?<=[.!?…\]>»)]))\s*+|[^\S\n]*+\n\s*+)(?:<p>\s*+)?(?:<a [^<>]*>\s*+)?"
            rf"(?:…|\.{{3}})?\[?\s*+(?:{_MORE})\b[^.!?<\n]{{0,200}}+{_END}",
            True,
        ),
    )
)

_CJK = re.compile(r"[\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CJK_OR_WORD = re.compile(rf"{_CJK.pattern}|[^\s{_CJK.pattern[1:]}++|\s++")
_CJK_PAUSE = re.compile("[、，；：](?=[^、，；：]*$)")
_CUT = re.compile(rf"\s{{0,9}}(?:\[\s?(?:…|\.{{3}}|&hellip;|&#8230;)\s?\]|\(\s?(?:…|\.{{3}})\s?\))(?={_END})")
"""What feeds put where they cut a text."""
_UNFINISHED = re.compile(r"(?:…|\.{3}|&hellip;|&#8230;)(?:\s*+</\w+>)*+\s*+$")
_STOPS = frozenset(".!?…؟۔।。！？")


def clean_text(raw: str) -> str:
    """Return plain text as one line without invisible characters. Tags and entities are text.

    >>> clean_text("Fish &amp;\\n <em>chips</em>\\u202e")
    'Fish &amp; <em>chips</em>'
    """
    text = " ".join(raw.split())
    if not (raw.isprintable() or (text.isprintable() and not _CONTROL_BLANK.search(raw))):
        text = " ".join(_IDLE_JOINER.sub("", _INVISIBLE.sub("", raw)).split())
    return text


def clean_markup(html: str) -> str:
    """Return HTML as one line of text, without tags and with character references decoded.

    >>> clean_markup("What &lt;em&gt; is <em>for</em>")
    'What <em> is for'
    """
    return clean_title(entities.unescape(_TAG.sub(_blank_of, html[: 20 * MAX_TITLE_CHARS])))


def clean_title(raw: str) -> str:
    """Return a text that may be markup as one line of at most ``MAX_TITLE_CHARS``, without tags that format it.

    Character references are decoded even if they were escaped twice. A formatting tag is removed if it has a
    counterpart or an attribute, or touches a word outside of it; any other tag is taken for what the title is about.

    >>> clean_title("Fish&amp;nbsp;&amp;amp;  chips: <b>why</b> so\\xadgood\\u202e")
    'Fish & chips: why sogood'
    >>> clean_title("Using the &lt;video&gt; element in Vec<Option>")
    'Using the <video> element in Vec<Option>'
    """
    text = raw
    if "<" in raw or "&" in raw:
        text = raw[: 20 * MAX_TITLE_CHARS]
        if _CDATA in text:
            text = text.replace(_CDATA, "").replace("]]>", "")
        for _ in range(3):
            text = _strip_formatting(before := text)
            text = entities.unescape(text)
            if text == before:
                break
        text = _strip_formatting(text)
    return repair_mojibake(clean_text(text)[:MAX_TITLE_CHARS].rstrip())


def strip_boilerplate(text: str) -> str:
    """Return the text of ``split_boilerplate``.

    >>> strip_boilerplate("Salt first. Then heat […] The post Salt appeared first on Harbour & Hearth.")
    'Salt first. Then heat…'
    """
    return split_boilerplate(text)[0]


def split_boilerplate(text: str) -> tuple[str, bool]:
    """Return text or sanitised HTML without what blog software appends, and whether its end says that it goes on.

    Removes "The post … appeared first on …", "Continue reading" and "Read more". "[…]" becomes "…", or nothing after
    a sentence.

    >>> split_boilerplate("<p>Salt first.</p><p><a href='/salt'>Continue reading</a></p>")
    ('<p>Salt first.</p>', True)
    >>> split_boilerplate("<p>Salt first.</p> The post Salt appeared first on Harbour & Hearth.")
    ('<p>Salt first.</p>', False)
    """
    if not text:
        return text, False
    start, end = text[:-2000], text[-2000:]  # boilerplate is never longer, and this bounds the search
    lower = end[-_KEYWORD_CHARS:].lower()
    is_cut = False
    for keywords, pattern, goes_on in _BOILERPLATE:
        for words in keywords:  # any() takes twice as long, and this runs three times an entry
            if words in lower:
                shorter = pattern.sub(_end_of_paragraph, end)
                is_cut = is_cut or (goes_on and shorter != end)
                end = shorter
                break
        end = end.rstrip()
    if cut := _CUT.search(end):
        end = (
            end[: cut.start()] + ("" if end[: cut.start()].rstrip("\"'”’»)")[-1:] in _STOPS else "…") + end[cut.end() :]
        )
    return start + end, is_cut or bool(cut) or _UNFINISHED.search(end) is not None


def _end_of_paragraph(boilerplate: re.Match[str]) -> str:
    """Return what boilerplate leaves: the end of a paragraph that begins before it."""
    return "</p>" if boilerplate[0].count("</p>") > boilerplate[0].count("<p>") else ""


def excerpt_text(text: str, max_words: int = 60) -> str:
    """Return the beginning of ``text``, at most ``max_words`` words, ending at a sentence.

    Ends at a word with "…" if no sentence ends early enough.

    >>> excerpt_text("Ask Dr. Marsh. She knows, e.g. about salt. And then some more words.", 9)
    'Ask Dr. Marsh. She knows, e.g. about salt.'
    >>> excerpt_text("One endless sentence without any stop", 3)
    'One endless sentence…'
    """
    text = strip_boilerplate(text)
    start = first_words(text, max_words)
    if len(start) == len(first_words(text, 4 * max_words)):
        return start
    whole = first_words(text, 4 * max_words)  # shows whether a quotation or an ordinal goes on
    ends = [end for end in sentence_ends(whole) if end <= len(start)]
    return start[: ends[-1]] if ends else end_with_ellipsis(start)


def first_words(text: str, max_words: int) -> str:
    """Return the first words of a text with single blanks; in Chinese and Japanese two characters count as a word.

    >>> first_words("one  endless sentence", 2), first_words("塩と油、と酸", 2), first_words("塩とPythonの本", 3)
    ('one endless', '塩と油、と', '塩とPythonの本')
    """
    if not has_cjk(text[: 20 * max_words]):
        return " ".join(text.split(None, max_words)[:max_words])
    end, halves = 0, 0
    for part in _CJK_OR_WORD.finditer(text, 0, 40 * max_words):
        halves += 1 if _CJK.match(part[0]) else 2 * count_words(part[0])
        if halves > 2 * max_words:
            break
        end = part.end()
    return " ".join(text[: end or 2 * max_words].split()[:max_words])


def end_with_ellipsis(text: str) -> str:
    """Return a text that goes on elsewhere, ending in "…" in place of a comma, a dash, or words such as "in the".

    Chinese and Japanese have no blanks to end at, so they end at their last comma if it is in the second half.

    >>> end_with_ellipsis("Salt, fat, and the"), end_with_ellipsis("塩の道を歩いて、海に")
    ('Salt, fat…', '塩の道を歩いて…')
    """
    pause = _CJK_PAUSE.search(text)
    if pause and 2 * pause.start() > len(text):
        text = text[: pause.start()]
    words = text.split(" ")
    while len(words) > 1 and words[-1].casefold() in GOES_ON:
        words.pop()
    return " ".join(words).rstrip(" ,;:–—-….、，；：・。「『（(《“‘") + "…"


def count_words(text: str) -> int:
    """Return the number of words; a Chinese or Japanese character counts half.

    >>> count_words("Salt, fat & acid"), count_words("塩と油と酸")
    (3, 2)
    """
    cjk = count_cjk(text)
    rest = _CJK.sub(" ", text) if cjk else text
    return cjk // 2 + len(re.findall(r"\w+(?:[’'.,-]\w+)*", rest))


def count_cjk(text: str) -> int:
    """Return the number of Chinese and Japanese characters."""
    return 0 if text.isascii() else len(_CJK.findall(text))


def has_cjk(text: str) -> bool:
    """Check whether a text contains Chinese or Japanese characters."""
    return not text.isascii() and _CJK.search(text) is not None


def _strip_formatting(text: str) -> str:
    """Return text without tags that format it."""
    if "<" not in text:
        return text
    for beginning, end in _NOT_TEXT:
        text = _drop_between(text, beginning, end)
    removed: set[int] = set()
    opened: dict[str, list[int]] = {}
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        before, after = text[tag.start() - 1 : tag.start()], text[tag.end() : tag.end() + 1]
        if name in _BREAKS and (tag["empty"] or tag["attributes"] or _is_word(before) or _is_word(after)):
            removed.add(tag.start())
        if name not in _FORMATTING:
            continue
        if not tag["end"]:
            opened.setdefault(name, []).append(tag.start())
            if "=" in tag["attributes"] or (_is_word(after) and not _is_word(before)):
                removed.add(tag.start())
        elif opened.get(name):
            removed |= {opened[name].pop(), tag.start()}
        elif before.strip() and not _is_word(after):
            removed.add(tag.start())
    return _TAG.sub(lambda tag: _blank_of(tag) if tag.start() in removed else tag[0], text)


def _drop_between(text: str, beginning: re.Pattern[str], end: re.Pattern[str]) -> str:
    kept, position = [], 0
    while (first := beginning.search(text, position)) and (last := end.search(text, first.end())):
        kept.append(text[position : first.start()])
        position = last.end()
    return "".join([*kept, text[position:]])


def _is_word(char: str) -> bool:
    return char.isalnum() or (char != "" and char in ".,:;!?…")


def _blank_of(tag: re.Match[str]) -> str:
    """Return what a removed tag leaves: a blank if it breaks the line."""
    return " " if tag["name"].lower() in _BREAKS else ""
