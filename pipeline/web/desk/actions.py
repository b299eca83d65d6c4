"""The buttons that act on an edition: approve, hold, resume, skip, send, test copy, check links."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.model.errors import ChecksFailedError, PipelineError
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.ports import ACTIONS, ActionOptions
from pipeline.web.desk.week import ViewOptions, WeekContext, requested_week
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates


@dataclass(frozen=True, slots=True)
class ActionPages:
    """Handlers of the action buttons. They answer to POST alone."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the buttons."""
        token = self.templates.csrf_token
        return [
            Route("/week/{week}/actions", form_endpoint(self.perform, token), methods=["POST"]),
            Route("/week/{week}/link-check", form_endpoint(self.check_links, token), methods=["POST"]),
        ]

    def check_links(self, request: Request, form: Form) -> Response:
        """Start a check of links and images; the page shows its end."""
        week = requested_week(request)
        self.cache.desk.link_checks.start(week)
        return self.templates.redirect(f"/week/{week}#link-check")

    def perform(self, request: Request, form: Form) -> Response:
        """Run an action and redirect to the week; if it is refused, show why and what has changed since the page."""
        week, action = requested_week(request), next((action for action in ACTIONS if action == form["do"]), None)
        options = ActionOptions(
            content_hash=form["hash"], overridden=tuple(form.get_all("override")), test_address=form["address"]
        )
        if action is None or (action == "approve" and not options.content_hash):
            raise HTTPException(400, "Use the buttons on the page.")
        desk = self.cache.desk
        try:
            if action == "approve":
                desk.link_checks.ensure_checked(week, options.overridden)  # slow, so without the lock
            with self.cache.lock:
                message = desk.editions.perform(week, action, options)
        except PipelineError as error:
            context = WeekContext(self.cache).build(
                week, ViewOptions(), error=str(error), seen_fingerprint=form["hash"]
            )
            context["checks_failed"] = isinstance(error, ChecksFailedError)
            return self.templates.render("week", request, status=409, **context)
        return self.templates.redirect(f"/week/{week}", message)
