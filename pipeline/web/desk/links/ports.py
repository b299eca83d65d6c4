"""Ports of the page of links: the service behind it, and its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One row in the list of links."""

    url: str
    title: str
    note: str = ""
    origin: str = ""
    """Where it is from and since when, as in ``added on Tue 10 Feb 2026``."""
    week: str = ""
    """The week whose editor's file has it, while that edition is not sealed."""
    used_in: str = ""
    """The edition that has it, as in ``edition 12 (2026-W07)``."""
    removable: bool = False
    """Whether it was added by hand and can be removed."""


class LinksService(Protocol):
    """The useful links of a publication."""

    def all(self) -> Sequence[LinkRow]:
        """Return all links; those that wait are in the order in which they go out."""
        ...

    def max_links(self) -> int:
        """Return how many links an edition has at most."""
        ...

    def public_url(self) -> str:
        """Return the address of the desk in the settings; empty if there is none."""
        ...

    def add(self, url: str, *, title: str = "", note: str = "") -> str:
        """Add a link and return a sentence that names it; title and note are read from its page where empty.

        Raise UsageError, RefusedError or FeedError.
        """
        ...

    def remove(self, url: str) -> str:
        """Remove a link that was added by hand and return a sentence that names it. Raise RefusedError."""
        ...

    def removed(self) -> Sequence[LinkRow]:
        """Return the links that were removed last and can be restored, the last one first."""
        ...

    def restore(self, url: str) -> str:
        """Put a removed link back, with its title, note and date, and return a sentence. Raise RefusedError."""
        ...
