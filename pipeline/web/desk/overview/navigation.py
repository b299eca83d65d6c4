"""The navigation at the top of every page: the publication's name, and the sections of the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.web.desk.ports import OverviewService


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSection:
    """A section of the desk, with a page of its own."""

    label: str
    path: str
    """Path of its page."""
    prefixes: tuple[str, ...] = ()
    """What the paths of its other pages begin with, besides ``path`` and a slash."""
    is_shown: Callable[[OverviewService], bool] = lambda overview: True

    def contains(self, path: str) -> bool:
        """Return whether a page belongs to this section.

        >>> weeks = DeskSection(label="Weeks", path="/", prefixes=("/week/",))
        >>> [weeks.contains(path) for path in ("/", "/week/2026-W07/edit", "/feeds")]
        [True, True, False]
        """
        own = () if self.path == "/" else (f"{self.path}/",)
        return path == self.path or path.startswith((*own, *self.prefixes))


SECTIONS = (
    DeskSection(label="Weeks", path="/", prefixes=("/week/",)),
    DeskSection(label="Feeds", path="/feeds"),
    DeskSection(label="Links", path="/links"),
    DeskSection(
        label="Subscribers",
        path="/subscribers",
        prefixes=("/mails/",),
        is_shown=lambda overview: overview.has_audience(),
    ),
    DeskSection(label="Sent", path="/deliveries", is_shown=lambda overview: overview.has_audience()),
    DeskSection(label="Status", path="/status"),
    DeskSection(label="Settings", path="/settings"),
)
"""All sections, in the order of the page. A new one is one line here, with the path of a route that exists; its page
extends ``layout.html.j2``. ``is_shown`` hides what a publication has no use for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationLink:
    """A section as one page shows it."""

    label: str
    path: str
    current: str = ""
    """Value of ``aria-current``: ``page`` on the section's own page, ``true`` on the others in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Navigation:
    """The navigation of one page."""

    publication: str
    """The publication's name."""
    links: tuple[NavigationLink, ...]


def build_navigation(overview: OverviewService, path: str) -> Navigation:
    """Return the navigation of the page at a path."""
    return Navigation(
        publication=overview.publication_name(),
        links=tuple(
            NavigationLink(label=section.label, path=section.path, current=_current(section, path))
            for section in SECTIONS
            if section.is_shown(overview)
        ),
    )


def _current(section: DeskSection, path: str) -> str:
    if path == section.path:
        return "page"
    return "true" if section.contains(path) else ""
