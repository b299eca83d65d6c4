"""Every setting there is, section by section.

The one source of validation, of the reference in docs/ and of ``pipeline init``. Touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from pathlib import Path

from pipeline.config.declare import Setting, settings_of, to_toml
from pipeline.config.sections.delivery import DeliverySettings, ScheduleSettings, StoreSettings, WebSettings
from pipeline.config.sections.digest import DigestSettings
from pipeline.config.sections.feeds import FeedSettings, FetchSettings
from pipeline.config.sections.notify import NotifySettings
from pipeline.config.sections.publication import PublicationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One validated config.toml."""

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


def reference() -> Iterator[Setting]:
    """List every setting in the order of the sections."""
    for name, section in SECTIONS.items():
        for key, each in settings_of(section).items():
            yield Setting(
                section=name,
                key=key,
                allowed=each.metadata["kind"].words,
                default="required" if each.default is MISSING else to_toml(each.metadata["default"]),
                doc=each.metadata["doc"],
            )
