"""All settings by section; validation, docs/config.md and ``pipeline init`` are based on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.config.blocks import BlockSettings
from pipeline.config.bounces import BouncesSettings
from pipeline.config.delivery import DeliverySettings
from pipeline.config.editors import EditorSettings
from pipeline.config.public import FormSettings, PublicSettings, SignupSettings
from pipeline.config.sections import (
    DigestSettings,
    FeedSettings,
    FetchSettings,
    NotifySettings,
    PublicationSettings,
    ScheduleSettings,
    StoreSettings,
    WebSettings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A validated config.toml."""

    path: Path
    publication: PublicationSettings
    feeds: tuple[FeedSettings, ...]
    blocks: tuple[BlockSettings, ...]
    fetch: FetchSettings
    digest: DigestSettings
    delivery: DeliverySettings
    bounces: BouncesSettings
    web: WebSettings
    editors: tuple[EditorSettings, ...]
    public: PublicSettings
    signup: SignupSettings
    forms: tuple[FormSettings, ...]
    store: StoreSettings
    schedule: ScheduleSettings
    notify: NotifySettings


SECTIONS: dict[str, type] = {
    "publication": PublicationSettings,
    "feeds": FeedSettings,
    "blocks": BlockSettings,
    "fetch": FetchSettings,
    "digest": DigestSettings,
    "delivery": DeliverySettings,
    "bounces": BouncesSettings,
    "web": WebSettings,
    "editors": EditorSettings,
    "public": PublicSettings,
    "signup": SignupSettings,
    "forms": FormSettings,
    "store": StoreSettings,
    "schedule": ScheduleSettings,
    "notify": NotifySettings,
}


REPEATED_SECTIONS = ("feeds", "blocks", "editors", "forms")
"""Sections that are written as ``[[feeds]]``, once for each of their tables."""


def settings_of(section: type) -> dict[str, Field[Any]]:
    """Return the fields of a section by key."""
    return {declared.metadata["key"] or declared.name: declared for declared in fields(section)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingReference:
    """One line of the reference in docs/config.md."""

    section: str
    key: str
    allowed: str
    default: str
    """TOML syntax; ``required`` if there is none."""
    doc: str


def reference() -> Iterator[SettingReference]:
    """Yield every setting in the order of the sections."""
    for name, section in SECTIONS.items():
        for key, declared in settings_of(section).items():
            metadata = declared.metadata
            yield SettingReference(
                section=name,
                key=key,
                allowed=metadata["type"].description,
                default="required" if declared.default is MISSING else _to_toml(metadata["default"]),
                doc=metadata["doc"],
            )


def _to_toml(value: Any) -> str:
    """Return a default in TOML syntax.

    >>> _to_toml(True), _to_toml("mon 00:00"), _to_toml(16_000_000), _to_toml({}), _to_toml([])
    ('true', '"mon 00:00"', '16_000_000', '{}', '[]')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_.10g}" if isinstance(value, float) else f"{value:_}"
    return f'"{value}"' if isinstance(value, str) else str(value)
