"""Names inside titles: "Podcast – Guest – Title" taken apart.

In: a clean title. Out: its parts. Touches nothing, and leaves an ordinary title with dashes alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LABEL = (
    r"(?:the\s+)?(?:podcast|guest\s+(?:blog(?:ger)?|post|article|author)|interview|bonus\s+episode|webinar)"
    r"(?:\s+(?:episode|ep\.?|post|interview))?(?:\s*#?\d+)?"
)
_DASH = r"\s*[–—―]\s*|\s+-+\s*|-+\s+"
_START = re.compile(rf"(?P<label>{_LABEL})(?P<separator>{_DASH}|\s*:\s+|\s*\|\s*)(?P<rest>\S.*)", re.IGNORECASE)
_SPACED_DASH = r"\s+[-–—―]+\s*|\s*[–—―]+\s+|[–—―]|-+\s+"
_NEXT = {"dash": re.compile(_SPACED_DASH), ":": re.compile(rf"\s*:\s+|{_SPACED_DASH}"), "|": re.compile(r"\s*\|\s*")}
_PARTICLE = re.compile(r"and|with|of|the|d[aeio]|del+a?|de[rn]|van|von|zu|l[ae]|[ae]l|bin|ibn|dos|[ye&+,]")
_NO_NAME = re.compile(
    r"an?|the|how|wh(?:y|at|en|ere|o|ich)|is|are|do(?:es)?|can|should|my|our|your|their|th(?:is|at|ese|ose)|in|on|at|to"
    r"|from|with|for|new|best|top|more|less|no|not|part|season|chapter|one|two|three|making|taking|getting|being|live"
    r"|all|every|after|before"
)
_SERIAL = re.compile(r"(?:part|episode|ep\.?|chapter|teil|no\.?|#)\s*\w{1,4}(?:\s+of\s+\w+)?", re.IGNORECASE)

_WITH_GUEST = re.compile(
    r"\s*(?:[(\[](?:with|feat\.?|ft\.?|featuring|w/)\s+(?P<inside>[^()\[\]]{3,120})[)\]]|\s(?:w/|feat\.|ft\.)\s+(?P<bare>\S.{2,120}))",
    re.IGNORECASE,
)
_GENERIC_AUTHORS = frozenset(
    {"admin", "administrator", "siteadmin", "site admin", "wordpress", "wp-admin", "webmaster", "root"}
)
"""What blog software calls whoever set it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleParts:
    """A title taken apart; ``label`` and ``guest`` are empty when there is none."""

    label: str = ""
    guest: str = ""
    title: str


def split_title(title: str) -> TitleParts:
    """Split "Label – Guest – Title", with any dash, colon or bar between the parts.

    Only a known label at the very start opens a split, and the middle part must look like a name.

    >>> split_title("Podcast – Ada Marsh – Salt, smoke and patience")
    TitleParts(label='Podcast', guest='Ada Marsh', title='Salt, smoke and patience')
    >>> split_title("Bread – a love story")
    TitleParts(label='', guest='', title='Bread – a love story')
    """
    found = _START.fullmatch(title)
    if not found:
        return TitleParts(title=title)
    label = found["label"].strip()
    guest, rest = _guest(found["rest"], found["separator"].strip(), is_guest_post="guest" in label.lower())
    return TitleParts(label=label, guest=guest, title=rest)


def split_guest(title: str) -> tuple[str, str]:
    """Take the guest off an episode's title, as (guest, title); the guest is empty where nobody is named so.

    For episodes alone: in a title to read, "(with Crisp Sage)" is a dish.

    >>> split_guest("#12 – The Rye Question (with Ida Brandt)"), split_guest("Salt w/ Bo Lund")
    (('Ida Brandt', '#12 – The Rye Question'), ('Bo Lund', 'Salt'))
    >>> split_guest("Soup (with beans)")
    ('', 'Soup (with beans)')
    """
    found = _WITH_GUEST.search(title)
    guest = (found["inside"] or found["bare"] or "").strip() if found else ""
    rest = f"{title[: found.start()]}{title[found.end() :]}".strip() if found else ""
    return (guest, rest) if rest and _is_name(guest, fewest=2) else ("", title)


def is_generic_author(author: str) -> bool:
    """Tell an account that no person is called after.

    >>> is_nobody("Admin"), is_nobody("Ada Marsh")
    (True, False)
    """
    return author.casefold() in _GENERIC_AUTHORS


def _guest(rest: str, separator: str, *, is_guest_post: bool) -> tuple[str, str]:
    """Take a leading name off ``rest``; the second separator must be of the first one's kind."""
    kind = separator if separator in (":", "|") else "dash"
    name, *tail = _NEXT[kind].split(rest, maxsplit=1)
    if not tail or not tail[0].strip() or _SERIAL.fullmatch(tail[0].strip()):
        return "", rest
    fewest = 1 if is_guest_post else 2
    return (name.strip(), tail[0].strip()) if _is_name(name, fewest) else ("", rest)


def _is_name(text: str, fewest: int) -> bool:
    """Tell whether ``text`` could name people: few words, all capitalised but for particles.

    >>> _is_name("Dr. Ada van der Marsh & Bo Lund", 2), _is_name("How to rest", 2), _is_name("Top 10 Ovens", 2)
    (True, False, False)
    """
    who = text.split(",", 1)[0] if text.count(",") == 1 else text  # "Ada Marsh, baker": the name is before the comma
    words = who.replace(",", " , ").split()
    if not words or _NO_NAME.fullmatch(words[0].lower()) or re.search(r"[\d?!:]", who):
        return False
    names = [word for word in words if not _PARTICLE.fullmatch(word.lower())]
    capitalised = all(word.lstrip("\"'“‘(")[:1].isupper() or not word[0].isascii() for word in names)
    return capitalised and fewest <= len(names) and len(words) <= 9
