"""[delivery], [store] and [schedule]: where things are kept, how they leave, and when."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.kinds import SCHEDULE, STORE_URL, text
from pipeline.config.setting import setting
from pipeline.model.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How editions leave the house."""

    outbox: str = setting(
        "Where `pipeline send` puts mails, as files and as a Maildir; it starts at config.toml's folder.",
        text("the name of a folder", empty=False),
        "outbox",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where entries are kept."""

    url: str = setting(
        "The database; a relative path starts at config.toml's folder.", STORE_URL, "sqlite:///pipeline.db"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """When `pipeline run` and `pipeline tick` do what, in the publication's time zone."""

    fetch: Schedule = setting("How often feeds are looked at.", SCHEDULE, "every 30 minutes")
    draft: Schedule = setting("When the digest of the newest closed week is made.", SCHEDULE, "mon 06:00")
