"""Find and repair text that was encoded as UTF-8 and decoded as Windows-1252, such as "FÃ¤hre"."""

from __future__ import annotations

import re

_WINDOWS = {bytes([byte]).decode("cp1252", "replace"): byte for byte in range(0x80, 0xA0)}
_WINDOWS.pop("\ufffd", None)
_ALPHABETIC = "".join(char for char in _WINDOWS if char.isalpha()) + "\x80-\xbf€ˆ˜™†‡‰"
_PUNCTUATION = "‘’“”–—…‚„‹›•"
_ANY = f"[{_ALPHABETIC}{_PUNCTUATION}]"
_SEQUENCE = re.compile(f"[\xc2-\xdf]{_ANY}|[\xe0-\xef]{_ANY}{{2}}|[\xf0-\xf4]{_ANY}{{3}}")
_CERTAIN = re.compile(
    f"[\xc2-\xc5\xc8-\xd9][\x80-\xa9\xab-\xb9\xbc-\xbf]|\xe2€{_ANY}|[\xe3-\xef\xf0]{_ANY}{{2}}|Ã[{_ALPHABETIC}]"
)
"""A sequence that no language uses; "É”" and "À »" may be meant."""
_LEFT = re.compile("Ã[\x80-\xbf\u2010-\u2122 ]|â€|ï¿½|ï»¿|\ufffd|Â[\xa0-\xbf]")


def repair_mojibake(text: str) -> str:
    """Return text with sequences of wrongly decoded characters decoded correctly, if that is possible.

    >>> repair_mojibake("Die FÃ¤hre – und â€œSalzâ€\x9d")
    'Die Fähre – und “Salz”'
    >>> repair_mojibake("“CAFÉ” – SÃO PAULO")
    '“CAFÉ” – SÃO PAULO'
    """
    if text.isascii() or not _CERTAIN.search(text):
        return text
    return _SEQUENCE.sub(_decode, text)


def find_mojibake(text: str) -> str:
    """Return the first word of a text that was decoded wrongly, or "" if there is none.

    >>> find_mojibake("Voil\xc3 , salt"), find_mojibake("Voilà, salt")
    ('VoilÃ', '')
    """
    match = None if text.isascii() else _LEFT.search(text)
    if not match:
        return ""
    start = text.rfind(" ", 0, match.start()) + 1
    return text[start : match.end() + 30].split(" ")[0]


def _decode(match: re.Match[str]) -> str:
    try:
        return bytes(_WINDOWS.get(char, ord(char)) for char in match[0]).decode("utf-8")
    except ValueError:
        return match[0]
