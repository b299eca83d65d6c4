"""Judge whether a passage can be the text of a story, or is a byline, a sponsor's, half a sentence and so on."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple

from pipeline.text.dates import parse_date
from pipeline.text.passages import Passage
from pipeline.text.plain_text import has_cjk
from pipeline.text.site_phrases import APPEARED_ON, SITE_BUTTON, SITE_INVITATION


class Rank(IntEnum):
    """How well a passage can be the text of a story."""

    GOOD = 0
    POOR = 1
    """It is of the story, but not prose: shown if there is nothing better."""
    DOUBTFUL = 2
    """It reads like an announcement: shown if there is nothing else."""
    BAD = 3
    """Never shown."""


class Fault(NamedTuple):
    """A reason not to show a passage, with a name for it such as "a byline"."""

    rank: Rank
    name: str


NO_FAULT = Fault(Rank.GOOD, "")
MIN_WORDS = 8
"""A line with fewer words and no full stop is no sentence."""
_LONG_HEADING_WORDS = 12
_CAPTION_WORDS = 12
_MAX_BYLINE_WORDS = 45
_READ_CHARS = 400
"""Only this much of a passage is compared with the usual announcements."""
_MOSTLY = 0.8
_HALF = 0.5
_STOPS = tuple(".!?…؟۔।॥。！？")
_CLOSING = "\"'”’“»«›‹)]*_ "
_URL = re.compile(r"(?:https?://|www\.)[^\s<>]*+")
_URL_WORDS = 6

_SPONSOR = re.compile(
    r"\W{0,3}(?:(?:sponsor(?:s|en|ed|er|ing)?|advertisement|anzeige|werbung|publicité|publicidad|pubblicità|affiliate"
    r"|disclosure|disclaimer|partner)(?=\s?(?:[:|–—-]|\W{0,3}$|by\b|links?\b|posts?\b|content\b|disclosure\b))"
    r"|brought to you by|presented by|unterstützt von"
    r"|(?:this|today['’]s|our)\s(?:episode|post|video|show|podcast|newsletter|week)\b[^.!?]{0,60}"
    r"(?:sponsor|brought to you)"
    r"|(?:many |special |huge |big )?thank(?:s| you) to [^.!?]{1,80} for (?:sponsoring|supporting)"
    r"|(?:this|the) (?:post|article|page|blog|site|recipe)\b[^.!?]{0,30} contains? (?:affiliate|sponsored|paid)"
    r"|(?:some|all) (?:of the )?links? [^.!?]{0,40} affiliate|as an amazon\b|(?:get|save|take|enjoy) \$?\d+ ?%? off\b"
    r"|(?:get|save) \d+ ?%|(?:use|with) (?:the |my |our )?(?:promo|discount|coupon|offer)? ?code\b"
    r"|[^.!?]{0,60}\b(?:promo|discount|coupon) code\b)",
    re.IGNORECASE,
)
_ANNOUNCEMENT = re.compile(
    r"\W{0,3}(?:link\](?: \[|$)|(?:article|comments) url:|all rights reserved|copyright\b|©|\(c\) \d{4}"
    r"|(?:read|listen|watch)(?:ing)? time\b|\d+[ -]min(?:ute)?s?\b[- ](?:read|listen|watch)"
    r"|posted (?:by|on|in)\b|permalink\b|∞ permalink|transcript(?:\s?:| (?:of|at|available))"
    r"|show ?notes\b|download (?:mp3|audio|episode|pdf|this episode)|special thanks\b"
    r"|theme (?:tune|music|song)\b|music (?:by|from)\b|produced by\b|hosted (?:on|by)\b|edited by\b"
    r"|(?:photo|image|picture|illustration)s?(?: credits?| attribution| courtesy| by)?\s?(?::| by\b| via\b)"
    r"|credits?\s?:"
    r"|(?:content|trigger) (?:warning|note)|\[?(?:content|warning)\s?:|episode link\b|as heard on\b|theme:|tags?\s?:"
    r"|categories\s?:|update[ds]?\b[^.!?]{0,20}:|edit(?:ed)?\s?:|correction\s?:|editor['’]s note\b|note\s?:"
    r"|(?:an? (?:earlier )?version of )?(?:this|the) (?:post|article|story|essay|piece|episode|talk|column)\b"
    r"[^.!?]{0,40}\b(?:(?:first|originally|previously|also|already) (?:appeared|published|posted|ran|aired|released)"
    r"|(?:appeared|published|posted) (?:first|originally|previously))"
    r"|(?:first|originally|previously) (?:published|posted|appeared|aired)"
    r"|this is (?:a (?:cross-?post|guest post|repost|re-?run)|another (?:post|article|episode) in"
    r"|(?:the \w+|part \w+) (?:post|article|part|episode|instalment|installment|entry)?\s?(?:in|of) "
    r"(?:a|our|my|the|this)\b)"
    r"|part (?:\d+|one|two|three|four|five) (?:of|in)\b"
    r"|(?:don['’]t|do not) (?:miss|forget to (?:subscribe|follow|like|share))"
    r"|(?:all|the) (?:materials|views|opinions) (?:in|on|expressed)\b|link zur episode|warning\s?:|remember\s?:)",
    re.IGNORECASE,
)
_INVITATION = re.compile(
    r"\W{0,3}(?:prefer to (?:listen|read|watch)|(?:listen|watch|tune in)\b (?:to (?:the|this)|on|live|now|here|via)"
    r"|(?:subscribe|abonniere|abonnez|suscríbete|iscriviti|follow (?:me|us|the|along|on|[@#\w])|join (?:us|our|the)\b"
    r"|support (?:me|us|the|this|our|my)\b"
    r"|visit (?:\S{1,40}!|https?|www|our|us|my|the (?:site|website|shop))|check out\b|click\b"
    r"|sign up|pre-?order|buy (?:the|my|our|tickets)|order (?:the|my|our|now)|become a (?:member|patron|supporter)"
    r"|if you (?:like|enjoy|love|liked|enjoyed) (?:this|the|our|what)|(?:you can )?(?:find|reach|contact|email|follow) "
    r"(?:me|us|him|her|them|[A-Z]\w+) (?:on|at|via|@)|get (?:the|your|my) (?:book|tickets|newsletter)"
    r"|(?:see also|related|previously|also read|read (?:more|next|also)|further reading|more from)\b|last chance\b"
    r"|try \w+ (?:for )?free|leave a (?:comment|review|rating)|rate (?:us|the|and)|comments?\b\W|join the\b"
    r"|send (?:us|me|your)|have (?:a|any) (?:question|feedback|comment)s?|questions\?))",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"\W{0,3}(?i:by:?|von|par|por|di|door|av|af|[ée]crit par|geschrieben von|written by|words by|texte? (?:by|von)"
    r"|(?:words|text[eo]?|autor(?:in|e)?|author|reporting|interview|photographs?|photos?|fotos?|illustrations?|audio)"
    r"\s?:|(?:reporting|interview|photographs?|photos?|fotos?|illustrations?) (?:by|von|par|di|de))"
    r"\s\W?[A-ZÀ-ÞΑ-ΩА-Я]"
)
_DATE_WORDS = re.compile(
    r"\b(?:posted|published|updated|last|recorded|released|first|date|datum|am|on|at|um|le|il|el|the|uhr)\b|[|·•:,]",
    re.IGNORECASE,
)
_ENUMERATION = re.compile(r"[^.!?:—|]{1,40}\s?[:—–|]\s[^.!?,;]{1,60}(?:[,;]\s[^!?,;]{1,40}){4}")
"""A label and then a list of five things or more."""
_LABEL = re.compile(r"[^.!?:—|]{1,40}\s?(?::|—|–|\|)\s")
_CONTENTS = re.compile(r"\d\s?\||\|\s?\d|\.{4}|…{2}")
_MIN_CONTENTS = 4
_BULLET = re.compile(r"(?:[-–—•*·▪►→]\s|\d{1,2}[.)]\s)")


def find_fault(passage: Passage, *, title: str = "", author: str = "", after_picture: bool = False) -> Fault:
    """Return what keeps a passage from being the text of a story with this title and author.

    >>> find_fault(Passage("text", 0, 0, "By Ada Marsh")).name, find_fault(Passage("text", 0, 0, "Salt came.")).name
    ('a byline', '')
    """
    kind, text = passage.kind, passage.text
    if kind in ("picture", "table", "code", "rule"):
        return Fault(Rank.BAD, "a rule" if kind == "rule" else f"a {kind}")
    words = text.split()
    if _repeats(text, title):
        return Fault(Rank.BAD, "the title again")
    if _is_byline(text, words, author):
        return Fault(Rank.BAD, "a byline")
    if len(words) <= MIN_WORDS + 2 and _is_date(text):
        return Fault(Rank.BAD, "a date")
    start = text[:_READ_CHARS]
    if _SPONSOR.match(start):
        return Fault(Rank.BAD, "a sponsor")
    if _ANNOUNCEMENT.match(start) or SITE_BUTTON.match(start) or APPEARED_ON.search(start):
        return Fault(Rank.BAD, "a notice")
    is_point = kind == "list" or _BULLET.match(text)
    is_written_as_list = is_point and text.endswith(":") and len(words) < MIN_WORDS
    if is_written_as_list or (kind == "heading" and len(words) < _LONG_HEADING_WORDS):
        return Fault(Rank.BAD, "a heading")
    if _INVITATION.match(start) or SITE_INVITATION.match(start):
        is_button = len(words) < MIN_WORDS and not _ends_with_stop(text.rstrip("….!"))
        return Fault(Rank.BAD if is_button else Rank.DOUBTFUL, "an invitation")
    return _fault_of_form(passage, words, after_picture=after_picture)


def goes_on(text: str, following: str) -> bool:
    """Check whether a text ends amid a sentence that the following one continues.

    >>> [goes_on("All of the salt that we ever bought came", text) for text in ("by sea.", "Fat did not.")]
    [True, False]
    """
    return (
        len(text.split()) >= MIN_WORDS
        and following[:1].islower()
        and (text[-1].isalnum() or text.endswith(","))
        and not _BULLET.match(text)
    )


def _fault_of_form(passage: Passage, words: list[str], *, after_picture: bool) -> Fault:
    """Return what is wrong with the form of a passage, whatever it says."""
    kind, text = passage.kind, passage.text
    linked = passage.link_chars / max(1, len(text.replace(" ", "")))
    if kind == "list":
        return Fault(Rank.DOUBTFUL, "a list of links") if linked > _HALF else Fault(Rank.POOR, "a list")
    if ("://" in text or "www." in text) and len(_URL.sub(" ", text).split()) <= _URL_WORDS:
        return Fault(Rank.BAD, "an address")
    if kind == "quote":
        return Fault(Rank.POOR, "a quotation")
    if len(_CONTENTS.findall(text[:_READ_CHARS])) >= _MIN_CONTENTS:
        return Fault(Rank.BAD, "a table of contents")
    if not any(map(str.isalpha, text)):
        return Fault(Rank.BAD, "no words")
    if len(words) > MIN_WORDS and text.isupper():
        return Fault(Rank.DOUBTFUL, "a notice")
    if not _ends_with_stop(text):
        return _fault_of_line(text, words, is_link=linked > _MOSTLY, after_picture=after_picture)
    if text[0].islower() and words[0].isalpha():
        return Fault(Rank.POOR, "half a sentence")
    if len(words) < MIN_WORDS and text.endswith(("…", "...")) and _has_no_stop(text.rstrip("….")):
        return Fault(Rank.POOR, "half a sentence")
    return NO_FAULT


def _fault_of_line(text: str, words: list[str], *, is_link: bool, after_picture: bool) -> Fault:
    """Return what is wrong with a text that does not end with a full stop."""
    if len(words) <= _CAPTION_WORDS and (is_link or after_picture):
        return Fault(Rank.DOUBTFUL, "a link") if is_link else Fault(Rank.POOR, "a caption")
    if _BULLET.match(text) or _ENUMERATION.match(text):
        return Fault(Rank.POOR, "a list")
    if _LABEL.match(text) and len(words) < 2 * MIN_WORDS:
        return Fault(Rank.POOR, "a label")
    is_short = len(words) < MIN_WORDS and not has_cjk(text)
    is_announcement = text[-1] in "|,;" or (text[-1] == ":" and len(words) < 2 * MIN_WORDS)
    if text[0].islower() or is_short or (is_announcement and _has_no_stop(text)):
        return Fault(Rank.POOR, "half a sentence")
    return NO_FAULT


def _repeats(text: str, title: str) -> bool:
    """Check whether a passage says the title again, and little more than that."""
    if not len(title) <= 4 * len(text) <= 8 * len(title) + 240 or not title:
        return False
    own, known = _alphanumerics(text), _alphanumerics(title)
    if not own or not known:
        return False
    allowed = 1 if _ends_with_stop(text) else 12 if len(known) <= 12 else 30
    return (known in own and len(own) - len(known) <= allowed) or (own in known and 2 * len(own) > len(known))


def _is_byline(text: str, words: list[str], author: str) -> bool:
    if 0 < len(author) <= len(text) and len(words) <= len(author.split()) + 6 and author.casefold() in text.casefold():
        return not _ends_with_stop(text) or any(map(str.isdigit, text))
    if len(words) > _MAX_BYLINE_WORDS or not _BYLINE.match(text):
        return False
    return not _ends_with_stop(text) or (len(words) <= _CAPTION_WORDS and sum(map(str.isdigit, text)) >= 4)


def _is_date(text: str) -> bool:
    if not any(map(str.isdigit, text)):
        return False
    bare = " ".join(_DATE_WORDS.sub(" ", text).split())
    return parse_date(text) is not None or parse_date(bare) is not None or not any(map(str.isalpha, bare))


def _ends_with_stop(text: str) -> bool:
    return text.rstrip(_CLOSING).endswith(_STOPS)


def _has_no_stop(text: str) -> bool:
    return not any(stop in text for stop in _STOPS)


def _alphanumerics(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
