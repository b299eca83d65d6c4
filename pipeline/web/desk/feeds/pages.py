"""The page of feeds: list, find, add, remove and restore them, and fetch them now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.model.errors import PipelineError
from pipeline.web.desk.cache import EditionCache
from pipeline.web.desk.feeds.ports import FoundFeed
from pipeline.web.desk.pictures.remote import picture_response
from pipeline.web.forms import Form, form_endpoint
from pipeline.web.templating import PageTemplates


@dataclass(frozen=True, slots=True)
class FeedPages:
    """Handlers of the feeds. Those that use the network hold no lock."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the routes of these pages."""
        token = self.templates.csrf_token
        return [
            Route("/feeds", self.show, methods=["GET"]),
            Route("/feeds/icon", self.icon, methods=["GET"]),
            Route("/feeds", form_endpoint(self.submit, token), methods=["POST"]),
            Route("/fetch", form_endpoint(self.start_fetch, token), methods=["POST"]),
        ]

    def show(self, request: Request) -> Response:
        """Show the list of feeds."""
        return self._page(request)

    def icon(self, request: Request) -> Response:
        """Return the icon of a feed."""
        return picture_response(self.cache.desk.feeds.icon(request.query_params.get("feed", "")))

    def submit(self, request: Request, form: Form) -> Response:
        """Find the feeds at an address, or add, remove, restore or accept one."""
        feeds, url = self.cache.desk.feeds, form["url"].strip()
        change = {"remove": feeds.remove, "restore": feeds.restore, "accept": feeds.accept}.get(form["do"])
        try:
            if form["do"] == "add":
                return self.templates.redirect(self._path(), feeds.add(url))
            if change:
                return self.templates.redirect(self._path(), change(form["feed"]))
            return self._page(request, url=url, results=feeds.find(url))
        except PipelineError as error:
            return self._page(request, url=url, error=str(error), status=409)

    def start_fetch(self, request: Request, form: Form) -> Response:
        """Start to fetch one feed or all of them; the page that the button was on shows the progress."""
        self.cache.desk.feeds.start_fetch(form["feed"])
        return self.templates.redirect("/feeds#fetching" if form["from"] == "feeds" else "/")

    def _path(self) -> str:
        """Return the path of the list of feeds: until there are weeks it is part of the first steps."""
        with self.cache.lock:
            return "/feeds" if self.cache.desk.editions.weeks() else "/"

    def _page(
        self, request: Request, *, url: str = "", results: Sequence[FoundFeed] = (), error: str = "", status: int = 200
    ) -> Response:
        feeds = self.cache.desk.feeds
        return self.templates.render(
            "feeds" if self._path() == "/feeds" else "onboarding",
            request,
            status=status,
            page_version=self.cache.page_version(),
            feeds=list(feeds.rows()),
            removed=list(feeds.removed()),
            results=results,
            url=url,
            error=error,
            progress=feeds.fetch_progress(),
        )
