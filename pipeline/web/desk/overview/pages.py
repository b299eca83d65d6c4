"""The page of the status: what ``pipeline status`` prints, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from pipeline.web.desk.cache import EditionCache
from pipeline.web.templating import PageTemplates

TASK_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "fetch": "Read the feeds",
        "first-fetch": "Read new feeds",
        "draft": "Write the draft",
        "proof": "Send the proof",
        "send": "Send the edition",
        "late-feeds": "See whether a feed is late",
        "bounces": "Read what came back",
        "clicks": "Count clicks",
        "prune": "Delete what is not needed any more",
    }
)
"""What editors call the tasks; the others are shown by their ids."""


@dataclass(frozen=True, slots=True)
class StatusPages:
    """Handler of the status."""

    cache: EditionCache
    templates: PageTemplates

    def routes(self) -> list[BaseRoute]:
        """Return the route of this page."""
        return [Route("/status", self.show, methods=["GET"])]

    def show(self, request: Request) -> Response:
        """Show problems, editions, feeds, the next runs of the tasks and the last ones."""
        with self.cache.lock:
            version, status = self.cache.page_version(), self.cache.desk.overview.status()
            zone = self.cache.desk.overview.zone()
        return self.templates.render(
            "status", request, page_version=version, report=status, zone=zone, task_titles=TASK_TITLES
        )
