"""Differences between two editions that a recipient would notice: subject, preheader and the text of both parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from pipeline.model.digest import Edition
from pipeline.text.html import plain_text

DiffKind = Literal["same", "removed", "added", "skipped"]
CONTEXT_LINES = 1
"""How many unchanged lines are shown before and after each change."""
_TITLE = re.compile(r"<title\b.*?(?:</title\s*+>|\Z)", re.IGNORECASE | re.DOTALL)  # repeats the subject
_INVISIBLE = re.compile(r"<(style|title)\b.*?(?:</\1\s*+>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffLine:
    """A line in both texts, only in the older or only in the newer one; or the gap between two changes."""

    kind: DiffKind
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionDiff:
    """All differences between two editions."""

    inbox: tuple[tuple[str, str, str], ...]
    """(name, before, after) of the subject and the preheader, if they differ."""
    text: tuple[DiffLine, ...]
    html: tuple[DiffLine, ...]
    """Differences in the visible text of the HTML part."""
    design: bool
    """True if the HTML differs in markup or styles alone."""

    @property
    def is_empty(self) -> bool:
        """True if a recipient would notice no difference."""
        return not (self.inbox or self.text or self.html or self.design)


def diff_editions(old: Edition, new: Edition) -> EditionDiff:
    """Return the differences between two editions."""
    inbox = (("Subject", old.subject, new.subject), ("Preheader", old.preheader, new.preheader))
    html = tuple(diff_lines(visible_lines(old.html.decode()), visible_lines(new.html.decode())))
    return EditionDiff(
        inbox=tuple((name, before, after) for name, before, after in inbox if before != after),
        text=tuple(diff_lines(old.text.decode().splitlines(), new.text.decode().splitlines())),
        html=html,
        design=not html and _TITLE.sub("", old.html.decode()) != _TITLE.sub("", new.html.decode()),
    )


def diff_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffLine]:
    """Yield the differences between two texts with their context; nothing for equal texts.

    >>> [(line.kind, line.text) for line in diff_lines(["a", "b", "c", "d"], ["a", "b", "c", "e"])]
    [('skipped', ''), ('same', 'c'), ('removed', 'd'), ('added', 'e')]
    """
    for hunk in SequenceMatcher(a=old, b=new, autojunk=False).get_grouped_opcodes(CONTEXT_LINES):
        if hunk[0][1]:
            yield DiffLine(kind="skipped")
        for tag, old_start, old_end, new_start, new_end in hunk:
            if tag == "equal":
                yield from (DiffLine(kind="same", text=line) for line in old[old_start:old_end])
                continue
            yield from (DiffLine(kind="removed", text=line) for line in old[old_start:old_end])
            yield from (DiffLine(kind="added", text=line) for line in new[new_start:new_end])


def visible_lines(html: str) -> list[str]:
    """Return the lines of text that an HTML part shows.

    >>> visible_lines("<style>p{color:red}</style><p>Bread</p><p>Salt</p>")
    ['Bread', 'Salt']
    """
    lines = plain_text(_INVISIBLE.sub(" ", html)).splitlines()
    return [" ".join(line.split()) for line in lines if line.strip()]
