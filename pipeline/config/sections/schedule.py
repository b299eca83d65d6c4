"""Settings of [schedule]."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pipeline.config.declare import setting
from pipeline.config.types import LATE_LIMIT, OPTIONAL_SCHEDULE, SCHEDULE, SEND_TIME
from pipeline.model.schedule import At, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings:
    """When `pipeline run` and `pipeline tick` run their tasks, in the publication's time zone."""

    fetch: Schedule = setting("How often to fetch feeds.", SCHEDULE, "every 30 minutes")
    draft: Schedule = setting("When to make the digest of the newest closed week.", SCHEDULE, "mon 06:00")
    late_feeds: Schedule | None = setting(
        "When to check for late feeds; a day before the draft if empty.", OPTIONAL_SCHEDULE, ""
    )
    send: At | None = setting(
        "When to send the edition of the newest closed week, if `[digest] approval` allows it. If empty, send it with "
        "`pipeline send`.",
        SEND_TIME,
        "",
    )
    late_limit: timedelta = setting(
        "How late an edition may still be sent automatically, after a late approval or downtime. After that the editor "
        "is asked.",
        LATE_LIMIT,
        "12 hours",
    )
