"""Counted links: they lead through the pages for subscribers, and are the same for every recipient."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

COUNTED_PATH = "/to"
"""Below it are the counted links of all editions: ``/to/2026-W07/3f2a9c1b7d20e845``."""
_TAG_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLink:
    """A link of an edition, by its tag."""

    tag: str
    url: str
    """The address it leads to."""
    is_canary: bool = False
    """Whether it is the invisible one, which only programs follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkClicks:
    """How often a link of an edition was followed."""

    url: str
    clicks: int
    title: str = ""
    """The title of the story that it belongs to, if it has one."""


def make_tag(week: str, url: str) -> str:
    """Return the tag of an address in the editions of a week: lower-case letters and digits.

    It depends on nothing else, so a variant, an edition that is sealed again and a rebuilt one have the same links.

    >>> make_tag("2026-W07", "https://a.example/")
    'fdb24270b34e4d1e'
    """
    return sha256(f"{week} {url}".encode()).hexdigest()[:_TAG_CHARS]


def counted_url(public_url: str, week: str, tag: str) -> str:
    """Return the URL that counts a click and leads on."""
    return f"{public_url}{COUNTED_PATH}/{week}/{tag}"
