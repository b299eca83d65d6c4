"""Find what should not be left in a text that people read: markup, open brackets, half sentences."""

from __future__ import annotations

import re

_FORMATTING = (
    r"a|b|i|u|s|em|strong|span|font|small|sup|sub|center|big|mark|del|ins|cite|p|div|li|ul|ol|h[1-6]|blockquote"
)
_REFERENCE = (
    r"&(?:nbsp|quot|apos|lt|gt|shy|hellip|[lr][sda]quo|[mn]dash|bull|middot|copy|euro|#\d{2,6}|#x[0-9a-f]{2,5});"
)
_RAW_MARKUP = re.compile(
    rf"(?<=[^\s(\[“\"'‘«])</(?:{_FORMATTING})>"
    rf"|<(?:{_FORMATTING}|img|iframe|video|audio)\s[^<>=]{{0,80}}=[^<>]{{0,400}}>"
    r"|(?<=[\w.,!?;:…])<(?:br|hr|p|div|li|img)\s?/?>|<(?:br|hr|p|div|li)\s?/?>(?=[\w])"
    rf"|(?<=\S){_REFERENCE}|{_REFERENCE}(?=\w)|&amp;"
    r"|(?<=[^\s(\[])\[/(?:b|i|u|url|img|quote|color|size|caption)\]"
    r"|\[(?:url|img|quote|color|size|caption)=[^\[\]]{0,400}\]",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<!`)(`++)[^`]*+\1(?!`)")
_CLOSED_BY = {
    "(": ")",
    "[": "]",
    "（": "）",
    "【": "】",
    "「": "」",
    "『": "』",
    "“": '”“"',
    "„": '“”"',
    "«": "»",
    "»": "«",
}
_BRACKET = re.compile(r"[“”„«»「」『』()\[\]（）【】\"]")
_AMBIGUOUS_OPENERS = re.compile(r"(?:^|[\s(\[—–-])[“«»]$")
_SMILEY = re.compile(r"[:;=8xX][-^o']?$")
_ONLY_SYMBOLS = re.compile(r"(?:…|\.{2,}|[-–—•*·▪►→|]|\d{1,3}[.)])")
_SEPARATOR_BEHIND = re.compile(r"(?:\s[-–—|/+&:·•]|[,|·•–—：:])$")
_SEPARATOR_IN_FRONT = re.compile(r"(?:[-–—|·•:,;]\s|[,;|·•])")
_CLOSING = "\"'”’“»«›‹)]*_~」』）"
_STOPS = tuple(".!?…؟۔।॥。！？‽")
GOES_ON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at but by for from his her in into is its my of on or our than that the their to was were "
        "which with your und oder aber der die das den dem des ein eine einen im mit von zu für ist et ou le la "
        "les du un une de dans avec pour y o el los las con por para e il lo gli di che van het een en met voor",
    )
)
"""A text never ends with one of these words and no full stop."""


def find_raw_markup(text: str) -> str:
    """Return the first tag, character reference or BBCode that would be seen in plain text, or "".

    A text may speak of a tag or of a reference, so those that stand alone between blanks are not meant.

    >>> [find_raw_markup(text) for text in ("Salt <b>and</b> fat", "Salt&nbsp;and fat", "Why the <b> tag?")]
    ['</b>', '&nbsp;', '']
    """
    match = _RAW_MARKUP.search(text) if "<" in text or "&" in text or "[" in text else None
    return match[0] if match else ""


def without_code(md: str) -> str:
    """Return Markdown without its code spans, in which tags are meant.

    >>> without_code("The `<b>` tag")
    'The  tag'
    """
    return _CODE.sub("", md)


def find_open_bracket(text: str) -> str:
    """Return the first bracket or quotation mark that is opened and never closed, with the words after it, or "".

    >>> [find_open_bracket(text) for text in ("Salt (from the sea and fat", "„Salt“ and “fat” :(", "1) Salt")]
    ['(from the sea…', '', '']
    """
    opened: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        char, position = match[0], match.start()
        for depth in range(len(opened) - 1, max(-1, len(opened) - 4), -1):
            if char in _CLOSED_BY[opened[depth][0]]:
                del opened[depth:]
                break
        else:
            if _opens(text, char, position):
                opened.append((char, position))
    if not opened:
        return ""
    position = opened[0][1]
    words = text[position : position + 60].split()
    return " ".join(words[:3]) + "…" * (len(words) > 3)


def _opens(text: str, char: str, position: int) -> bool:
    before = text[max(0, position - 2) : position]
    if char in "“«»":
        return _AMBIGUOUS_OPENERS.search(before + char) is not None and not text[position + 1 : position + 2].isspace()
    if char == "(":
        return not _SMILEY.search(before)
    return char in _CLOSED_BY


def find_dangling_mark(title: str) -> str:
    """Return a separator with which a title begins or ends, or which is all of a line, or "".

    >>> [find_dangling_mark(title) for title in ("Salt and fat –", "| Salt", "…", "C++")]
    ['–', '|', '…', '']
    """
    text = title.strip()
    match = _ONLY_SYMBOLS.fullmatch(text) or _SEPARATOR_BEHIND.search(text) or _SEPARATOR_IN_FRONT.match(text)
    return match[0].strip() if match else ""


def find_half_sentence(text: str) -> str:
    """Return the words with which a text begins or ends if a sentence cannot begin or end there, or "".

    Text in lower case throughout is meant so, and so is a name such as iPad. A text without a full stop at its end is
    careless, and no half sentence unless its last word or comma needs another.

    >>> find_half_sentence("and so to bed. We slept."), find_half_sentence("Salt is good and the")
    ('and so to bed.…', '…is good and the')
    >>> [find_half_sentence(text) for text in ("Salt is good", "iPads cost less. We bought one.", "all low. always.")]
    ['', '', '']
    """
    words = text.split()
    if len(words) < 2:
        return ""
    first = words[0]
    if first[0] in ",;)]”’" or (first.isalpha() and first.islower() and any(map(_is_capitalised, words))):
        return " ".join(words[:4]) + "…" * (len(words) > 4)
    end = text.rstrip().rstrip(_CLOSING)
    if end.endswith(_STOPS) or len(words) < 4:
        return ""
    last = end.rsplit(None, 1)[-1]
    if end.endswith((",", ";", "–", "—", " -")) or (last.isalpha() and last in GOES_ON):
        return "…" + " ".join(words[-4:])
    return ""


def _is_capitalised(word: str) -> bool:
    return word[0].isupper() and word[1:].islower()
