"""Log lines about runs and feeds, the same for the daemon and for ``pipeline tick``."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pipeline.model.errors import FeedsFailedError
from pipeline.scheduler.engine import TaskResult

if TYPE_CHECKING:
    from pipeline.jobs.feeds.refresh import FeedReport

log = logging.getLogger(__name__)


def log_result(result: TaskResult) -> None:
    """Log a task result with its fields: task, period, status, seconds; week, retry_at and failed feeds where known.

    A result without a message is not logged, since cron would send the line by mail.
    """
    if not result.message:
        return
    fields: dict[str, object] = {
        "task": result.task_id,
        "period": result.period,
        "status": result.status,
        "seconds": round(result.duration_seconds, 3),
    }
    if result.week:
        fields["week"] = result.week
    if result.retry_at:
        fields["retry_at"] = result.retry_at
    if isinstance(result.error, FeedsFailedError) and result.error.feeds:
        fields["feeds"] = result.error.feeds
    log.log(logging.WARNING if result.error else logging.INFO, "%s: %s", result.task_id, result.message, extra=fields)


def log_feed(report: FeedReport) -> None:
    """Log how the fetch of one feed ended, for ``--verbose``; a feed that was not due is not logged."""
    if report.outcome != "waiting":
        counts = {"new": report.applied.new, "changed": report.applied.changed}
        fields = {"feed": report.feed_id, "outcome": report.outcome} | counts
        log.debug("%s %s", report.feed_id, report.message, extra=fields)
