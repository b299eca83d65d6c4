"""Standing blocks: texts that the publisher writes once and that stand between the stories of many editions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

BlockKind = Literal["notice", "sponsor", "house", "sign-off"]
BLOCK_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
"""An announcement, an advertisement that somebody pays for, one of the publisher's own, and the last words."""
BlockPosition = Literal["after-lead", "after-fourth-story", "end"]
BLOCK_POSITIONS: tuple[BlockPosition, ...] = get_args(BlockPosition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A standing block, the same in each edition that has it."""

    kind: BlockKind
    text_md: str
    """Its text, as Markdown."""
    label: str = ""
    """Printed above it; a sponsor is named as one in any case."""
    position: BlockPosition = "end"
    first_day: date | None = None
    """None if it is shown from the first edition on."""
    last_day: date | None = None
    """Inclusive; None if it has no end."""

    def is_shown_on(self, day: date) -> bool:
        """Return whether an edition of this day has the block.

        The day of an edition is the one on which its week closes.

        >>> block = Block(kind="notice", text_md="We move.", first_day=date(2026, 3, 2), last_day=date(2026, 3, 9))
        >>> [block.is_shown_on(date(2026, 3, day)) for day in (1, 2, 9, 10)]
        [False, True, True, False]
        """
        return (self.first_day or day) <= day <= (self.last_day or day)
