"""All settings by section; validation, docs/config.md and ``pipeline init`` are based on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.declare import SettingReference, describe_setting, settings_of
from pipeline.config.sections.delivery import DeliverySettings
from pipeline.config.sections.digest import DigestSettings
from pipeline.config.sections.feeds import FeedSettings
from pipeline.config.sections.fetch import FetchSettings
from pipeline.config.sections.notify import NotifySettings
from pipeline.config.sections.publication import PublicationSettings
from pipeline.config.sections.schedule import ScheduleSettings
from pipeline.config.sections.store import StoreSettings
from pipeline.config.sections.web import WebSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A validated config.toml."""

    path: Path
    publication: PublicationSettings
    feeds: tuple[FeedSettings, ...]
    fetch: FetchSettings
    digest: DigestSettings
    delivery: DeliverySettings
    web: WebSettings
    store: StoreSettings
    schedule: ScheduleSettings
    notify: NotifySettings


SECTIONS: dict[str, type] = {
    "publication": PublicationSettings,
    "feeds": FeedSettings,
    "fetch": FetchSettings,
    "digest": DigestSettings,
    "delivery": DeliverySettings,
    "web": WebSettings,
    "store": StoreSettings,
    "schedule": ScheduleSettings,
    "notify": NotifySettings,
}


def reference() -> Iterator[SettingReference]:
    """Yield every setting in the order of the sections."""
    for name, section in SECTIONS.items():
        for declared in settings_of(section).values():
            yield describe_setting(name, declared)
