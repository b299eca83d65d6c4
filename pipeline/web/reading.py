"""What is read: the feeds there are, the one behind an address, and reading them all now.

In: forms. Out: feeds written into config.toml, a fetch that has begun; pages that say what was found. Whatever asks the
network leaves the desk free for others meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.model.errors import PipelineError
from pipeline.web.desk import FoundFeed, Memory
from pipeline.web.forms import Form, posted
from pipeline.web.sheets import Sheets


@dataclass(frozen=True, slots=True)
class Reading:
    """The handlers of the feeds."""

    memory: Memory
    sheets: Sheets

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        token = self.sheets.token
        return [
            Route("/feeds", self.feeds, methods=["GET"]),
            Route("/feeds", posted(self.changed, token), methods=["POST"]),
            Route("/fetch", posted(self.fetch, token), methods=["POST"]),
        ]

    def feeds(self, request: Request) -> Response:
        """List the feeds."""
        return self._page(request)

    def changed(self, request: Request, form: Form) -> Response:
        """Look at an address, add the feed there, or take one out."""
        url = form["url"].strip()
        try:
            if form["do"] == "add":
                return self.sheets.go(self._home(), self.memory.desk.add_feed(url))
            if form["do"] == "remove":
                return self.sheets.go(self._home(), self.memory.desk.remove_feed(form["feed"]))
            return self._page(request, asked=url, found=self.memory.desk.find_feeds(url))
        except PipelineError as trouble:
            return self._page(request, asked=url, error=str(trouble), status=409)

    def fetch(self, request: Request, form: Form) -> Response:
        """Begin to read the feeds; the page shows how it comes along."""
        self.memory.desk.fetch()
        return self.sheets.go("/")

    def _home(self) -> str:
        with self.memory.alone:
            return "/feeds" if self.memory.desk.weeks() else "/"

    def _page(
        self, request: Request, *, asked: str = "", found: Sequence[FoundFeed] = (), error: str = "", status: int = 200
    ) -> Response:
        desk, mark = self.memory.desk, self.memory.mark()
        name = "feeds" if self._home() == "/feeds" else "start"
        shown = {
            "feeds": list(desk.feeds()),
            "found": found,
            "asked": asked,
            "error": error,
            "fetching": desk.fetching(),
        }
        return self.sheets.page(name, request, status=status, mark=mark, **shown)
