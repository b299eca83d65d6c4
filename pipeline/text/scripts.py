"""Recognise in which script, and where that is certain in which language, a text is written."""

from __future__ import annotations

import re
from collections import Counter

_SCRIPTS = {
    "Latin": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u052f",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "Devanagari": "\u0900-\u097f",
    "Bengali": "\u0980-\u09ff",
    "Tamil": "\u0b80-\u0bff",
    "Thai": "\u0e00-\u0e7f",
    "Japanese or Chinese": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",
    "Korean": "\u1100-\u11ff\uac00-\ud7a3",
}
_SCRIPT_CHARS = {name: re.compile(f"[{chars}]") for name, chars in _SCRIPTS.items()}
_SCRIPT_OF = {
    **dict.fromkeys(("be", "bg", "kk", "ky", "mk", "mn", "ru", "tg", "uk"), "Cyrillic"),
    **dict.fromkeys(("ar", "ckb", "fa", "ps", "ug", "ur"), "Arabic"),
    **dict.fromkeys(("hi", "mr", "ne"), "Devanagari"),
    **dict.fromkeys(("ja", "zh", "yue"), "Japanese or Chinese"),
    "bn": "Bengali",
    "el": "Greek",
    "he": "Hebrew",
    "yi": "Hebrew",
    "ko": "Korean",
    "ta": "Tamil",
    "th": "Thai",
}
_WRITTEN_IN_SEVERAL = frozenset({"sr", "az", "uz", "bs", "sh", "pa", "ku"})
_DENSE = ("Japanese or Chinese", "Korean")
"""Scripts of which a character is worth several Latin ones."""
_DENSITY = 3
_MIN_CHARS = 30
_MOSTLY = 0.7
_MIN_WORDS = 25
_CERTAIN_SHARE = 0.24
_FOREIGN_SHARE = 0.06
_STOP_WORDS = {
    "en": "the and of to is that it was for with as this are be from have not which but they you we what there",
    "de": "der die das und ist nicht ein eine mit auf für von dem den des sich auch es wir ich sind wird bei wie",
    "fr": "le la les des et est une dans que qui pour pas sur avec ce sont au du nous vous plus cette ou mais",
    "es": "el la los las que y una por con para es del se lo como más pero sus al este ha son muy",
    "it": "il lo gli che di una per con non del della è sono come più anche nel alla questo ma dei ha",
    "pt": "o os as que uma para com não por mais do da dos das em no na é como foi mas ao são",
    "nl": "de het een van en dat niet zijn met voor ook maar er aan bij naar wordt deze wij je ik werd",
}
_LANGUAGE_NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
}
_STOP_WORD_SETS = {code: frozenset(words.split()) for code, words in _STOP_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")


def foreign_language(text: str, language: str) -> str:
    """Return the script or language of a text that is certainly not in ``language`` (BCP 47), or "".

    Seven languages in Latin script are recognised by their commonest words, in a text of 25 words or more.

    >>> [foreign_language(text, "en-GB") for text in ("Соль приходила по морю, никто не знал откуда.", "Salt (соль)")]
    ['Cyrillic', '']
    """
    code = language.split("-")[0].lower()
    script = main_script(text)
    expected = _SCRIPT_OF.get(code, "Latin")
    if code in _WRITTEN_IN_SEVERAL or not script:
        return ""
    if script != expected:
        return script
    return _LANGUAGE_NAMES.get(_foreign_by_words(text, code), "") if script == "Latin" else ""


def main_script(text: str) -> str:
    """Return the script of at least 70 % of a text, or "" if there is none or the text is short.

    >>> main_script("Salt came by sea, and nobody knew from where"), main_script("Salt")
    ('Latin', '')
    """
    weights = Counter(
        {name: len(_SCRIPT_CHARS[name].findall(text)) * (_DENSITY if name in _DENSE else 1) for name in _SCRIPTS}
    )
    total = weights.total()
    name, weight = weights.most_common(1)[0]
    return name if total >= _MIN_CHARS and weight >= _MOSTLY * total else ""


def _foreign_by_words(text: str, code: str) -> str:
    """Return the language of seven that a text is in, if it is certainly another one than ``code``."""
    words = _WORD.findall(text.casefold())
    if len(words) < _MIN_WORDS or code not in _STOP_WORD_SETS:
        return ""
    shares = {name: sum(word in known for word in words) / len(words) for name, known in _STOP_WORD_SETS.items()}
    best = max(shares, key=shares.__getitem__)
    return best if best != code and shares[best] >= _CERTAIN_SHARE and shares[code] <= _FOREIGN_SHARE else ""
