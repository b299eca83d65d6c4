"""The desk's service of the publication as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from pipeline.app.audience import public_url
from pipeline.app.deliveries import send_limits
from pipeline.app.delivery import send_policy, sends_unapproved
from pipeline.app.tasks import build_tasks, next_runs
from pipeline.jobs.monitoring.status import Status
from pipeline.jobs.monitoring.status_report import build_status_report
from pipeline.model.week import Week
from pipeline.web.desk.publication import LivePublication


@dataclass(frozen=True, slots=True)
class PublicationOverview:
    """``OverviewService`` of a publication."""

    publication: LivePublication

    def publication_name(self) -> str:
        """Return the name of the publication."""
        return self.publication.current_app().publication.name

    def has_audience(self) -> bool:
        """Return whether there are pages to subscribe at, or a subscriber."""
        app = self.publication.current_app()
        if public_url(app):
            return True
        return bool(app.store().subscribers.page(self.publication.clock(), limit=1))

    def zone(self) -> tzinfo:
        """Return the time zone of the publication."""
        return self.publication.current_app().calendar.zone

    def is_scheduled(self) -> bool:
        """Return whether editions are sent automatically, at the times of [schedule] send."""
        return self.publication.current_app().config.schedule.send is not None

    def sends_unapproved(self) -> bool:
        """Return whether an edition is sent without approval unless somebody holds it."""
        return sends_unapproved(self.publication.current_app())

    def send_time(self, week: str) -> datetime | None:
        """Return when an edition is sent automatically: now if it is due, None if never."""
        app, now, parsed = self.publication.current_app(), self.publication.clock(), Week.parse(week)
        at = send_policy(app).send_time(parsed, max(now, app.calendar.bounds(parsed)[1]))
        return at.astimezone(app.calendar.zone) if at else None

    def status(self) -> Status:
        """Return what ``pipeline status`` prints."""
        app, now = self.publication.current_app(), self.publication.clock()
        return build_status_report(
            app.store(),
            app.feeds,
            app.calendar,
            self.publication.digest_context,
            build_tasks(app),
            next_runs(app, now),
            now=now,
            limits=send_limits(app),
        )
