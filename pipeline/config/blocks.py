"""The section ``[[blocks]]`` of config.toml, and the types of its settings: dates and Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipeline.config.types import SettingType, choice, setting, string
from pipeline.model.block import BLOCK_KINDS, BLOCK_POSITIONS


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        raise TypeError
    return value if isinstance(value, date) else date.fromisoformat(value) if value else None


def _markdown(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return value.strip()


DATE = SettingType('a date such as 2026-03-02, or ""', _date)
MARKDOWN = SettingType("Markdown that is not empty; several lines stand between ''' and '''", _markdown)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSettings:
    """A standing block: a text that several editions have; repeat the table for each."""

    text: str = setting("Its text, as Markdown.", MARKDOWN)
    kind: str = setting("What it is; the word “Sponsor” is always printed above a sponsor's.", choice(*BLOCK_KINDS))
    label: str = setting("Words above the text, such as the sponsor's name.", string(), "")
    position: str = setting(
        "Where it stands: with fewer than four full stories, `after-fourth-story` is after the last one.",
        choice(*BLOCK_POSITIONS),
        "end",
    )
    first_day: date | None = setting(
        "The first day on which it is shown: the day the week of the edition closes counts.", DATE, "", key="from"
    )
    last_day: date | None = setting("The last day, inclusive.", DATE, "", key="until")
