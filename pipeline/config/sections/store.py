"""Settings of [store]."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.config.declare import setting
from pipeline.config.types import RETENTION, STORE_URL


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Where entries are stored, and for how long."""

    url: str = setting("The database; a relative path is relative to config.toml.", STORE_URL, "sqlite:///pipeline.db")
    keep_bodies: timedelta | None = setting(
        "How long to keep the text of entries that no edition contains: the daemon and `pipeline prune` delete older "
        "text. For ever if empty. Entries stay known, and sealed editions are not changed.",
        RETENTION,
        "",
    )
