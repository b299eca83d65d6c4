"""Split titles such as "Podcast – Guest – Title" into label, guest and title."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LABEL = (
    r"(?:the\s+)?(?:podcast|guest\s+(?:blog(?:ger)?|post|article|author)|interview|bonus\s+episode|webinar)"
    r"(?:\s+(?:episode|ep\.?|post|interview))?(?:\s*#?\d+)?"
)
_DASH = r"\s*+[–—―]\s*+|\s++-++\s*+|-++\s++"
_START = re.compile(rf"(?P<label>{_LABEL})(?P<separator>{_DASH}|\s*+:\s++|\s*+\|\s*+)(?P<rest>\S.*)", re.IGNORECASE)
_BLANKS = r"(?:(?<!\s)\s++)?"
_SPACED_DASH = r"(?<!\s)\s++[-–—―]++\s*+|(?<![–—―])[–—―]++\s++|[–—―]|(?<!-)-++\s++"
_NEXT = {
    "dash": re.compile(_SPACED_DASH),
    ":": re.compile(rf"{_BLANKS}:\s++|{_SPACED_DASH}"),
    "|": re.compile(rf"{_BLANKS}\|\s*+"),
}
_PARTICLE = re.compile(r"and|with|of|the|d[aeio]|del+a?|de[rn]|van|von|zu|l[ae]|[ae]l|bin|ibn|dos|[ye&+,]")
_NO_NAME = re.compile(
    r"an?|the|how|wh(?:y|at|en|ere|o|ich)|is|are|do(?:es)?|can|should|my|our|your|their|th(?:is|at|ese|ose)|in|on|at|to"
    r"|from|with|for|new|best|top|more|less|no|not|part|season|chapter|one|two|three|making|taking|getting|being|live"
    r"|all|every|after|before"
)
_NO_LAST_NAME = re.compile(
    r"specials?|editions?|episodes?|series|show|podcast|updates?|news|round-?up|recap|reviews?|live|previews?|awards?"
    r"|festival|conference|extra|bonus|takeover|sessions?|highlights?"
)
_SERIAL = re.compile(r"(?:part|episode|ep\.?|chapter|teil|no\.?|#)\s*\w{1,4}(?:\s+of\s+\w+)?", re.IGNORECASE)

_WITH_GUEST = re.compile(
    rf"{_BLANKS}[(\[](?:with|feat\.?|ft\.?|featuring|w/)\s++(?P<inside>[^()\[\]]{{3,120}})[)\]]"
    r"|(?<!\s)\s++(?:w/|feat\.|ft\.)\s++(?P<bare>\S.{2,120})",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"@?[a-z0-9._-]+|@\w+|[A-Za-z]+[0-9_][A-Za-z0-9_]*")
"""One word in lower case, or with digits or an underscore."""
_GENERIC_AUTHORS = frozenset(
    {"admin", "administrator", "siteadmin", "site admin", "wordpress", "wp-admin", "webmaster", "root"}
    | {
        "editor",
        "editors",
        "author",
        "user",
        "guest",
        "staff",
        "blogger",
        "unknown",
        "anonymous",
        "webadmin",
        "wpadmin",
    }
)
"""Account names that blog software assigns to whoever installed it."""


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
_ACCOUNT_AND_NAME = re.compile(r"([^()]{1,200}) \(([^()]{1,200})\)")
"""What RSS asks for an address and a name, with an account in place of the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleParts:
    """The parts of a title; ``label`` and ``guest`` are empty if absent."""

    label: str = ""
    guest: str = ""
    title: str


def split_title(title: str) -> TitleParts:
    """Return the parts of "Label – Guest – Title", separated by dashes, colons or bars.

    A title is only split after a known label at its very start, and only if the middle part could be a name.

    >>> split_title("Podcast – Ada Marsh – Salt, smoke and patience")
    TitleParts(label='Podcast', guest='Ada Marsh', title='Salt, smoke and patience')
    >>> split_title("Bread – a love story")
    TitleParts(label='', guest='', title='Bread – a love story')
    """
    match = _START.fullmatch(title)
    if not match:
        return TitleParts(title=title)
    label = match["label"].strip()
    guest, rest = _guest(match["rest"], match["separator"].strip(), is_guest_post="guest" in label.lower())
    return TitleParts(label=label, guest=guest, title=rest)


def split_guest(title: str) -> tuple[str, str]:
    """Return (guest, title) of an episode title; the guest is empty if none is named.

    For episodes only: in the title of a post, "(with Crisp Sage)" may be a dish.

    >>> split_guest("#12 – The Rye Question (with Ida Brandt)"), split_guest("Salt w/ Bo Lund")
    (('Ida Brandt', '#12 – The Rye Question'), ('Bo Lund', 'Salt'))
    >>> split_guest("Soup (with beans)")
    ('', 'Soup (with beans)')
    """
    match = _WITH_GUEST.search(title)
    guest = (match["inside"] or match["bare"] or "").strip() if match else ""
    rest = f"{title[: match.start()]}{title[match.end() :]}".strip() if match else ""
    return (guest, rest) if rest and _is_name(guest, min_words=2) else ("", title)


def author_name(text: str) -> str:
    """Return the author's name, without addresses; accounts such as "admin" give "".

    >>> author_name("ada@example.org (Ada Marsh)"), author_name("Ada (words) and Bo (pictures)"), author_name("admin")
    ('Ada Marsh', 'Ada (words) and Bo (pictures)', '')
    >>> author_name("Ada (Ada Marsh)"), author_name("amarsh (hidden)"), author_name("Ada Marsh (baker)")
    ('Ada Marsh', '', 'Ada Marsh (baker)')
    """
    name = _EMAIL.sub("", text).replace("()", "").replace("<>", "").strip(" ,;:")
    if name[:1] + name[-1:] in ("()", "<>") and not set("()<>") & set(name[1:-1]):
        name = name[1:-1].strip()
    if (account := _ACCOUNT_AND_NAME.fullmatch(name)) and (
        is_generic_author(account[1]) or account[1].casefold() in account[2].casefold().split()
    ):
        name = account[2]
    return "" if is_generic_author(name) else name[:200]


def is_generic_author(author: str) -> bool:
    """Check whether an author is an account name such as "admin" or "amarsh42" rather than a person.

    >>> [is_generic_author(author) for author in ("Admin", "amarsh42", "ada_marsh", "Ada Marsh", "bell hooks", "Cher")]
    [True, True, True, False, False, False]
    """
    return author.casefold() in _GENERIC_AUTHORS or _ACCOUNT.fullmatch(author) is not None


def _guest(rest: str, separator: str, *, is_guest_post: bool) -> tuple[str, str]:
    """Return (guest, rest) if ``rest`` starts with a name and a separator of the same kind, else ("", rest)."""
    kind = separator if separator in (":", "|") else "dash"
    name, *tail = _NEXT[kind].split(rest, maxsplit=1)
    if not tail or not tail[0].strip() or _SERIAL.fullmatch(tail[0].strip()):
        return "", rest
    min_words = 1 if is_guest_post else 2
    return (name.strip(), tail[0].strip()) if _is_name(name, min_words) else ("", rest)


def _is_name(text: str, min_words: int) -> bool:
    """Check whether ``text`` could name people: at most nine words, all capitalised except particles.

    >>> _is_name("Dr. Ada van der Marsh & Bo Lund", 2), _is_name("How to rest", 2), _is_name("Top 10 Ovens", 2)
    (True, False, False)
    """
    name = text.split(",", 1)[0] if text.count(",") == 1 else text  # "Ada Marsh, baker": the name is before the comma
    words = name.replace(",", " , ").split()
    if not words or _NO_NAME.fullmatch(words[0].lower()) or re.search(r"[\d?!:]", name):
        return False
    if _NO_LAST_NAME.fullmatch(words[-1].lower()):
        return False
    names = [word for word in words if not _PARTICLE.fullmatch(word.lower())]
    capitalised = all(word.lstrip("\"'“‘(")[:1].isupper() or not word[0].isascii() for word in names)
    return capitalised and min_words <= len(names) and len(words) <= 9
