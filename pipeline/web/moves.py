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

from pipeline.model.errors import PipelineError, Stopped
from pipeline.web.desk import ACTIONS, Memory, Wish
from pipeline.web.forms import Form, posted
from pipeline.web.look import Look
from pipeline.web.sheets import Sheets
from pipeline.web.week import WeekPage, week_of


@dataclass(frozen=True, slots=True)
class Moves:
    """The handlers of an edition's life."""

    memory: Memory
    sheets: Sheets

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        return [
            Route("/week/{week}/move", posted(self.move, self.sheets.token), methods=["POST"]),
            Route("/week/{week}/look", posted(self.look, self.sheets.token), methods=["POST"]),
        ]

    def look(self, request: Request, form: Form) -> Response:
        """Begin to ask for links and pictures; the page shows when it is done."""
        week = week_of(request)
        self.memory.desk.begin_look(week)
        return self.sheets.go(f"/week/{week}#look")

    def move(self, request: Request, form: Form) -> Response:
        """Make a move and show the week; refused, show why, and the difference to what was on the screen."""
        week, action = week_of(request), next((each for each in ACTIONS if each == form["do"]), None)
        wish = Wish(content_hash=form["hash"], overridden=tuple(form.all("override")), address=form["address"])
        if action is None or (action == "approve" and not wish.content_hash):
            raise HTTPException(400, "Use the buttons on the page itself.")
        try:
            if action == "approve":
                self.memory.desk.look_over(week, wish.overridden)  # which takes its time: others go on meanwhile
            with self.memory.alone:
                note = self.memory.desk.act(week, action, wish)
        except PipelineError as trouble:
            shown = WeekPage(self.memory).values(week, Look(), refusal=str(trouble), seen=form["hash"])
            shown["stopped"] = isinstance(trouble, Stopped)
            return self.sheets.page("week", request, status=409, **shown)
        return self.sheets.go(f"/week/{week}", note)
