"""The desk's services over a publication: they call the jobs that the command line calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.app import App
from pipeline.app.audience import build_audience_context, build_person_mail_writer
from pipeline.app.deliveries import build_dispatcher, delivers, send_limits
from pipeline.app.delivery import build_mailer, build_recovery
from pipeline.delivery.mime import envelope_address
from pipeline.jobs.deliveries.dispatch import Dispatcher
from pipeline.jobs.digests.build import build_draft, current_edition, write_sealed
from pipeline.jobs.digests.context import no_overrides
from pipeline.jobs.digests.selection import explain_decisions
from pipeline.jobs.editions.send import mark_sent_elsewhere, send, send_test
from pipeline.jobs.editions.workflow import CarryOver, EditionWorkflow
from pipeline.jobs.monitoring.status import approved_changes, recent_weeks
from pipeline.model.digest import BuildFailure, Decision, Edition, WeekSummary
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import EditorFileError
from pipeline.model.week import Week
from pipeline.web.desk.audience.service import AudienceDesk
from pipeline.web.desk.background import BackgroundLinkChecks
from pipeline.web.desk.deliveries.corrections import CorrectionDesk
from pipeline.web.desk.deliveries.service import DeliveryDesk
from pipeline.web.desk.feeds.service import PublicationFeeds
from pipeline.web.desk.links.service import PublicationLinks
from pipeline.web.desk.overview.service import PublicationOverview
from pipeline.web.desk.pictures.pages import local_image
from pipeline.web.desk.pictures.remote import RemotePictures
from pipeline.web.desk.ports import Action, ActionOptions, Desk
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.settings.service import PublicationSettingsDesk
from pipeline.web.desk.stories.service import PublicationEditor, parse_week
from pipeline.web.desk.updates import NewEntry, PageVersion
from pipeline.web.public.sign_up import embed_html
from pipeline.web.sessions import current_actor

MAX_WEEKS = 26
MAX_NEW_ENTRIES = 100


def create_desk(publication: LivePublication) -> Desk:
    """Return the services of a publication, valid while it is open."""
    pictures = RemotePictures(open_app=lambda: App.load(publication.path), clock=publication.clock)
    feeds = PublicationFeeds(publication.path, publication.clock, pictures)
    link_checks = BackgroundLinkChecks(publication)
    deliveries = DeliveryDesk(
        open_store=lambda: publication.current_app().store(),
        open_dispatcher=lambda: build_dispatcher(publication.current_app(), current_actor()),
        open_limits=lambda: send_limits(publication.current_app()),
        delivers=lambda: delivers(publication.current_app()),
        clock=publication.clock,
    )
    return Desk(
        editions=PublicationEditions(publication, deliveries),
        link_checks=link_checks,
        editor=PublicationEditor(publication, pictures),
        feeds=feeds,
        links=PublicationLinks(publication.path, publication.clock),
        subscribers=AudienceDesk(
            lambda: build_audience_context(publication.current_app()),
            lambda: build_person_mail_writer(publication.current_app()),
            lambda form_id: embed_html(publication.current_app(), form_id),
            publication.clock,
            actor=current_actor,
        ),
        deliveries=deliveries,
        corrections=CorrectionDesk(
            open_store=lambda: publication.current_app().store(),
            open_dispatcher=lambda: build_dispatcher(publication.current_app(), current_actor()),
            open_mailer=lambda: build_mailer(publication.current_app()),
            delivers=lambda: delivers(publication.current_app()),
            opened=lambda: _opened_dispatcher(publication),
            clock=publication.clock,
        ),
        overview=PublicationOverview(publication),
        settings=PublicationSettingsDesk(publication),
        updates=PublicationUpdates(
            publication, lambda: f"{feeds.activity} {link_checks.activity} {deliveries.activity}"
        ),
    )


@contextmanager
def _opened_dispatcher(publication: LivePublication) -> Iterator[Dispatcher]:
    """Open a publication again, for work that needs no lock, with what checks links."""
    with App.load(publication.path) as app:
        dispatcher = build_dispatcher(app, current_actor())
        yield replace(dispatcher, workflow=replace(dispatcher.workflow, open_link_fetcher=app.link_fetcher))


@dataclass(frozen=True, slots=True)
class PublicationEditions:
    """``EditionsService`` of a publication."""

    publication: LivePublication
    deliveries: DeliveryDesk

    def weeks(self) -> tuple[WeekSummary, ...]:
        """Return the newest weeks that have entries, newest first."""
        app, now = self.publication.current_app(), self.publication.clock()
        changes = approved_changes(app.store(), self.publication.digest_context, now=now)
        return recent_weeks(app.store(), app.feeds, app.calendar, now=now, max_weeks=MAX_WEEKS, changes=changes)

    def edition(self, week: str) -> Edition | BuildFailure:
        """Return a week's sealed edition, or a new draft if it is not sealed."""
        now = self.publication.clock()
        return self.publication.build(
            lambda app, context: current_edition(app.store(), context, parse_week(week), now=now)
        )

    def draft(self, week: str) -> Edition | BuildFailure:
        """Return a new draft of a week, sealed or not."""
        now = self.publication.clock()
        return self.publication.build(
            lambda app, context: build_draft(app.store(), context, parse_week(week), now=now).edition
        )

    def approved_edition(self, week: str) -> Edition | None:
        """Return the edition that was approved last; None if there is none."""
        sealed = self.publication.current_app().store().editions.sealed(str(parse_week(week)))
        return sealed.edition if sealed else None

    def sealed_subjects(self) -> Mapping[str, str]:
        """Return the subjects of the sealed editions, by week."""
        return self.publication.current_app().store().editions.subjects()

    def record(self, week: str) -> EditionRecord:
        """Return the state of a week's edition."""
        return self.publication.current_app().store().editions.get(str(parse_week(week)))

    def unconfirmed(self) -> EditionRecord | None:
        """Return the oldest edition that may have been sent without the store's knowledge; None if there is none."""
        return self.publication.current_app().store().editions.unconfirmed()

    def carry_over(self, week: str) -> CarryOver:
        """Return what would carry over, without overrides if the editor's file is invalid."""
        workflow, now = self._workflow(), self.publication.clock()
        try:
            return workflow.carry_over(parse_week(week), now=now)
        except EditorFileError:  # reported by ``edition``
            context = replace(workflow.context, read_overrides=no_overrides)
            return replace(workflow, context=context).carry_over(parse_week(week), now=now)

    def may_resume(self, week: str) -> bool:
        """Return whether other editions have left something of what a week released, if it did."""
        return self.publication.current_app().store().editions.may_resume(str(parse_week(week)))

    def decisions(self, week: str) -> tuple[Decision, ...]:
        """Return a decision for every entry near a week, without overrides if the editor's file is invalid."""
        app, context, now = self.publication.current_app(), self.publication.digest_context(), self.publication.clock()
        try:
            return explain_decisions(app.store(), context, parse_week(week), now=now, max_entries=0)
        except EditorFileError:  # reported by ``edition``
            context = replace(context, read_overrides=no_overrides)
            return explain_decisions(app.store(), context, parse_week(week), now=now, max_entries=0)

    def perform(self, week: str, action: Action, options: ActionOptions) -> str:
        """Run an action as ``current_actor``, write the edition's files, and return a sentence with its result.

        The files in ``editions/`` prove what was sent if the store is lost.
        """
        app, now = self.publication.current_app(), self.publication.clock()
        if action == "send" and self.deliveries.delivers():
            return self.deliveries.start(parse_week(week))
        workflow = self._workflow()
        result = _perform(app, workflow, parse_week(week), action, options, now)
        if action != "test":
            write_sealed(app.store(), workflow.context, parse_week(week), app.editions_folder, now=now)
        return result

    def _workflow(self) -> EditionWorkflow:
        store = self.publication.current_app().store()
        return EditionWorkflow(store=store, context=self.publication.digest_context(), actor=current_actor())

    def local_image(self, url: str) -> tuple[str, bytes] | None:
        """Return an uploaded picture, or an image from the demo's fixtures; None for any other."""
        return local_image(self.publication.current_app(), url, now=self.publication.clock())


@dataclass(frozen=True, slots=True)
class PublicationUpdates:
    """``UpdatesService`` of a publication. ``activity`` returns a text that differs with background progress."""

    publication: LivePublication
    activity: Callable[[], str]

    def page_version(self) -> PageVersion:
        """Return a value that differs whenever anything a page shows may have changed."""
        return self.publication.page_version(self.activity())

    def new_entries(self, after: int, until: int) -> Sequence[NewEntry]:
        """Return the entries with ids in (after, until], newest first, at most ``MAX_NEW_ENTRIES``."""
        ids = range(max(after, until - MAX_NEW_ENTRIES) + 1, until + 1)
        stored_entries = self.publication.current_app().store().entries.by_id(ids)
        return [NewEntry(feed_id=stored.entry.feed_id, title=stored.entry.title) for stored in reversed(stored_entries)]


def default_week(weeks: Sequence[WeekSummary]) -> str | None:
    """Return the week to open first: the newest closed one, else the open one; None without weeks."""
    return next((week.week for week in (*(week for week in weeks if not week.is_open), *weeks)), None)


def _perform(
    app: App, workflow: EditionWorkflow, week: Week, action: Action, options: ActionOptions, now: datetime
) -> str:
    match action:
        case "approve":
            record = workflow.approve(week, now=now, content_hash=options.content_hash, overridden=options.overridden)
            return f"Approved as Issue {record.number}. Exactly this edition will be sent."
        case "hold":
            return f"Held: {workflow.hold(week, now=now).note or 'there was no story to carry over'}."
        case "resume":
            approved = workflow.resume(week, now=now).state == "approved"
            return "Approved again, unchanged." if approved else "Back to draft, with the entries still available."
        case "skip":
            return f"Skipped: {workflow.skip(week, now=now).note or 'there was no story to carry over'}."
        case "send":
            recovery = build_recovery(app)
            record, path = send(workflow, recovery, week, now=now)
            return f"Issue {record.number} {recovery.backend.outcome}: {path.parent.name}/{path.name}."
        case "hand over":
            record = mark_sent_elsewhere(workflow, week, now=now)
            return f"Recorded as sent, as Issue {record.number}. Its entries count as published."
        case "test":
            address = envelope_address(options.test_address)
            mailer = build_mailer(app)
            copy = send_test(workflow, mailer, week, address, now=now)
            return f"Test copy for {address} {mailer.outcome}{f': {copy.parent.name}/{copy.name}' if copy else ''}."
