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
from pipeline.web.desk.ports import EditionCache, FoundFeed
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates


@dataclass(frozen=True, slots=True)
class FeedPages:
    """The handlers of the feeds."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Give the addresses and who answers them."""
        token = self.templates.csrf_token
        return [
            Route("/feeds", self.show, methods=["GET"]),
            Route("/feeds", form_endpoint(self.submit, token), methods=["POST"]),
            Route("/fetch", form_endpoint(self.start_fetch, token), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """List the feeds."""
        return self._page(request)

    def submit(self, request: Request, form: Form) -> Response:
        """Look at an address, add the feed there, or take one out."""
        url = form["url"].strip()
        try:
            if form["do"] == "add":
                return self.templates.redirect(self._home(), self.cache.desk.add_feed(url))
            if form["do"] == "remove":
                return self.templates.redirect(self._home(), self.cache.desk.remove_feed(form["feed"]))
            return self._page(request, asked=url, found=self.cache.desk.find_feeds(url))
        except PipelineError as trouble:
            return self._page(request, asked=url, error=str(trouble), status=409)

    def start_fetch(self, request: Request, form: Form) -> Response:
        """Begin to read the feeds; the page shows how it comes along."""
        self.cache.desk.start_fetch()
        return self.templates.redirect("/")

    def _home(self) -> str:
        with self.cache.lock:
            return "/feeds" if self.cache.desk.weeks() else "/"

    def _page(
        self, request: Request, *, asked: str = "", found: Sequence[FoundFeed] = (), error: str = "", status: int = 200
    ) -> Response:
        desk, mark = self.cache.desk, self.cache.page_version()
        name = "feeds" if self._home() == "/feeds" else "start"
        shown = {
            "feeds": list(desk.feeds()),
            "found": found,
            "asked": asked,
            "error": error,
            "fetching": desk.fetch_progress(),
        }
        return self.templates.render(name, request, status=status, mark=mark, **shown)
