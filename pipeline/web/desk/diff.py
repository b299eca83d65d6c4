"""What a reader would notice between two editions: the inbox line, and the words of both parts.

In: two Editions. Out: Changes, line by line. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pipeline.model.digest import Edition
from pipeline.text.html import plain_text

Side = Literal["same", "gone", "new", "skipped"]
CONTEXT_LINES = 1
"""So many unchanged lines are shown around each change."""
_TITLE = re.compile(r"<title\b.*?</title\s*>", re.IGNORECASE | re.DOTALL)  # the subject again
_UNREAD = re.compile(r"<(style|title)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """A line of a text: in both, only in the older, only in the newer; or the gap between two changes."""

    side: Side
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionDiff:
    """All that differs."""

    inbox: tuple[tuple[str, str, str], ...]
    """(what, as it was, as it is) of the subject and the preheader."""
    text: tuple[DiffLine, ...]
    html: tuple[DiffLine, ...]
    """The HTML part by the words it shows."""
    design: bool
    """True when the HTML differs, but in no word."""

    @property
    def is_empty(self) -> bool:
        """True when a reader would notice nothing."""
        return not (self.inbox or self.text or self.html or self.design)


def diff_editions(old: Edition, new: Edition) -> EditionDiff:
    """Compare two editions."""
    words = (("Subject", old.subject, new.subject), ("Preheader", old.preheader, new.preheader))
    html = tuple(diff_lines(visible_lines(old.html.decode()), visible_lines(new.html.decode())))
    return EditionDiff(
        inbox=tuple(each for each in words if each[1] != each[2]),
        text=tuple(diff_lines(old.text.decode().splitlines(), new.text.decode().splitlines())),
        html=html,
        design=not html and _TITLE.sub("", old.html.decode()) != _TITLE.sub("", new.html.decode()),
    )


def diff_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    """Compare two texts line by line; nothing when they are the same.

    >>> [(line.side, line.words) for line in lines(["a", "b", "c", "d"], ["a", "b", "c", "e"])]
    [('skipped', ''), ('same', 'c'), ('gone', 'd'), ('new', 'e')]
    """
    for group in SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(CONTEXT_LINES):
        if group[0][1]:
            yield DiffLine(side="skipped")
        for tag, from_old, to_old, from_new, to_new in group:
            if tag == "equal":
                yield from (DiffLine(side="same", words=each) for each in old[from_old:to_old])
                continue
            yield from (DiffLine(side="gone", words=each) for each in old[from_old:to_old])
            yield from (DiffLine(side="new", words=each) for each in new[from_new:to_new])


def visible_lines(html: str) -> list[str]:
    """Give the lines a mail shows, without its design.

    >>> shown_words("<style>p{color:red}</style><p>Bread</p><p>Salt</p>")
    ['Bread', 'Salt']
    """
    said = plain_text(_UNREAD.sub(" ", html)).splitlines()
    return [" ".join(line.split()) for line in said if line.strip()]
