"""What a beat did, as a line of the log with its fields: the same for the daemon and for cron.

In: a Beat, or what came of one feed. Out: a log record. Only what they say about themselves is passed on.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from pipeline.model.errors import FeedsFailedError
from pipeline.scheduler.engine import TaskResult

if TYPE_CHECKING:
    from pipeline.jobs.feeds.refresh import FeedReport

log = logging.getLogger(__name__)
_WEEK = re.compile(r"\d{4}-W\d\d\b")


def log_result(done: TaskResult) -> None:
    """Log what was done: task, period, outcome, seconds and, where the line begins with one, the week it is about.

    Of what failed: when it is tried again, and which feeds. A task that has nothing to say writes no line: a crontab
    line would mail it.
    """
    if not done.message:
        return
    fields: dict[str, object] = {
        "task": done.task_id,
        "period": done.period,
        "outcome": done.status,
        "seconds": round(done.duration_seconds, 3),
    }
    fields |= {"week": found[0]} if (found := _WEEK.match(done.message)) else {}
    fields |= {"again_at": done.retry_at} if done.retry_at else {}
    fields |= {"feeds": done.error.feeds} if isinstance(done.error, FeedsFailedError) and done.error.feeds else {}
    log.log(logging.WARNING if done.error else logging.INFO, "%s: %s", done.task_id, done.message, extra=fields)


def log_feed(report: FeedReport) -> None:
    """Log what came of one feed that was asked, for who wants to know more (``--verbose``)."""
    if report.outcome != "waiting":
        counts = {"new": report.applied.new, "changed": report.applied.changed}
        fields = {"feed": report.feed_id, "outcome": report.outcome} | counts
        log.debug("%s %s", report.feed_id, report.message, extra=fields)
