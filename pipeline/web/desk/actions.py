"""The buttons that move an edition on: approve, hold, resume, skip, send, a test mail.

In: forms. Out: the move, made through the desk, and the week's page with what came of it; or the page again, with the
reason why not, and what has changed since it was looked at. Nothing here is answered to a GET.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.model.errors import ChecksFailedError, PipelineError
from pipeline.web.desk.ports import ACTIONS, ActionOptions, EditionCache
from pipeline.web.desk.view_options import ViewOptions
from pipeline.web.desk.week import WeekContext, requested_week
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates


@dataclass(frozen=True, slots=True)
class ActionPages:
    """The handlers of an edition's life."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/week/{week}/move", form_endpoint(self.perform, self.templates.csrf_token), methods=["POST"]),
            Route("/week/{week}/look", form_endpoint(self.check_links, self.templates.csrf_token), methods=["POST"]),
        ]

    def check_links(self, request: Request, form: Form) -> Response:
        """Begin to ask for links and pictures; the page shows when it is done."""
        week = requested_week(request)
        self.cache.desk.start_link_check(week)
        return self.templates.redirect(f"/week/{week}#look")

    def perform(self, request: Request, form: Form) -> Response:
        """Make a move and show the week; refused, show why, and the difference to what was on the screen."""
        week, action = requested_week(request), next((each for each in ACTIONS if each == form["do"]), None)
        wish = ActionOptions(
            content_hash=form["hash"], overridden=tuple(form.get_all("override")), test_address=form["address"]
        )
        if action is None or (action == "approve" and not wish.content_hash):
            raise HTTPException(400, "Use the buttons on the page itself.")
        try:
            if action == "approve":
                self.cache.desk.ensure_links_checked(
                    week, wish.overridden
                )  # which takes its time: others go on meanwhile
            with self.cache.lock:
                note = self.cache.desk.perform(week, action, wish)
        except PipelineError as trouble:
            shown = WeekContext(self.cache).build(
                week, ViewOptions(), refusal=str(trouble), seen_fingerprint=form["hash"]
            )
            shown["stopped"] = isinstance(trouble, ChecksFailedError)
            return self.templates.render("week", request, status=409, **shown)
        return self.templates.redirect(f"/week/{week}", note)
