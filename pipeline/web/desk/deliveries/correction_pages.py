"""The page of corrections: one is made, shown, tested and sent here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.model.correction import MAX_NOTE_CHARS
from pipeline.model.errors import ChecksFailedError, PipelineError
from pipeline.model.week import Week
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.week import WeekContext, parse_view_options, requested_week, sidebar
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates

ACTIONS = ("make", "send", "test", "discard")


@dataclass(frozen=True, slots=True)
class CorrectionPages:
    """Handlers of the page of corrections."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the page."""
        submit = form_endpoint(self.submit, self.templates.csrf_token)
        return [
            Route("/week/{week}/corrections", self.show, methods=["GET"]),
            Route("/week/{week}/corrections", submit, methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the corrections of an edition, the draft in its frame, and the form for the note."""
        return self._page(request)

    def submit(self, request: Request, form: Form) -> Response:
        """Make, test, send or discard a correction; if it is refused, show why and keep the note."""
        week, desk, action = Week.parse(requested_week(request)), self.cache.desk.corrections, form["do"]
        if action not in ACTIONS or (action == "send" and not form["hash"]):
            raise HTTPException(400, "Use the buttons on the page.")
        try:
            if action == "make":
                done = desk.make(week, form["note"], form.get_all("override"))  # slow, so without the lock
                return self.templates.redirect(f"/week/{week}/corrections", done)
            with self.cache.lock:
                if action == "send":
                    return self.templates.redirect(f"/week/{week}", desk.send(week, form["hash"]), "delivery")
                done = desk.test(week, form["address"]) if action == "test" else desk.discard(week)
        except PipelineError as error:
            note = form["note"] if action == "make" else None
            return self._page(request, error=error, note=note, status=409)
        return self.templates.redirect(f"/week/{week}/corrections", done)

    def _page(
        self, request: Request, *, error: PipelineError | None = None, note: str | None = None, status: int = 200
    ) -> Response:
        week, desk = requested_week(request), self.cache.desk
        with self.cache.lock:
            context: dict[str, Any] = WeekContext(self.cache).navigation(week)
            corrections = desk.corrections.of_week(week)
            if context["record"].state != "sent" and not corrections:
                raise HTTPException(404, f"{week} is not sent: change it before you send it.")
            draft = next((one for one in corrections if one.state == "draft"), None)
            edition = desk.corrections.edition(draft) if draft else None
            if edition:
                self.cache.show(edition)
                context |= sidebar(edition)
            context |= {
                "options": parse_view_options(request.query_params),
                "sent": [one for one in corrections if one.is_out],
                "is_open": any(one.state == "sending" for one in corrections),
                "draft": draft,
                "edition": edition,
                "delivers": desk.corrections.delivers(),
                "recipients": desk.deliveries.got(week),
                "note": draft.text_md if note is None and draft else note or "",
                "max_chars": MAX_NOTE_CHARS,
                "error": str(error or ""),
                "blocking": error.names if isinstance(error, ChecksFailedError) else (),
            }
        return self.templates.render("corrections", request, status=status, **context)
