"""Checks of what the network answers: pages that are gone or have moved, pictures that weigh too much.

In: an HTML part, and later what came of asking for its addresses. Out: whom to ask, and Checks. Pure: it asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.digest.checks.html import parse_html
from pipeline.digest.checks.image_size import read_image_size
from pipeline.digest.checks.images import MAX_IMAGE_WIDTH
from pipeline.digest.checks.inputs import Location
from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.model.check import CheckLevel, CheckResult
from pipeline.model.fetch import FetchOutcome, OutcomeKind
from pipeline.model.message import PLACEHOLDERS
from pipeline.text.urls import url_key

MAX_URLS = 100
MAX_IMAGE_BYTES = 250_000
HEAD_REFUSED_STATUSES = frozenset({403, 405, 501})
"""The statuses of servers that answer GET only."""

_GONE: frozenset[OutcomeKind] = frozenset({"not_found", "gone", "unsafe_address", "invalid_url"})
_GUARDED: frozenset[OutcomeKind] = frozenset({"blocked", "rate_limited"})
_NO_CONNECTION: frozenset[OutcomeKind] = frozenset({"unreachable", "timeout"})
_FINE: frozenset[OutcomeKind] = frozenset({"ok", "moved", "too_large"})

_NETWORK = Location("", "network")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedUrl:
    """Something a mail leads to or shows."""

    url: str
    location: Location
    """The words that are linked, or the picture's."""
    is_image: bool = False


def collect_urls(html: str, manifest: bytes = b"") -> tuple[CheckedUrl, ...]:
    """List what a mail leads to and shows, each page once; mailboxes and what is filled in for each reader not.

    The manifest tells which of them are stories; what stands before all stories is the introduction's.

    >>> addresses('<p><a href="https://a.example/x#top">Bread</a> <a href="mailto:b@c.example">B</a></p>')
    (Address(url='https://a.example/x', spot=Spot(name='Bread', mend='stories'), picture=False),)
    """
    mail, owners = parse_html(html), _owners(manifest)
    home = {url_key(link.url): "theme" for link in mail.links if any(place in link.url for place in PLACEHOLDERS)}
    links, above = [], "introduction" if owners else "stories"
    for link in mail.links:
        if mend := owners.get(url_key(link.url)):
            above = "stories"
        if _asked(link.url):
            mend = mend or home.get(url_key(link.url), above)
            links.append(CheckedUrl(url=link.url.partition("#")[0], location=Location(link.text, mend)))
    shown = [
        CheckedUrl(
            url=each.url, location=Location(each.alt or "", owners.get(url_key(each.link), "theme")), is_image=True
        )
        for each in mail.images
        if _asked(each.url)
    ]
    return tuple({each.url: each for each in (*shown, *links)}.values())


def _owners(manifest: bytes) -> dict[str, str]:
    """Tell by ``url_key`` where a story's pages are mended."""
    stories = json.loads(manifest or b"{}").get("stories", ())
    return {
        url_key(url): "links" if entry["feed_id"] == EDITOR_FEED_ID else f"story {entry['feed_id']} {entry['guid']}"
        for story in stories
        for entry in story["entries"]
        for url in (story["url"], entry["url"])
    }


def judge_outcomes(
    outcomes: Sequence[tuple[CheckedUrl, FetchOutcome]], unchecked: Iterable[CheckedUrl] = ()
) -> Iterator[CheckResult]:
    """Judge what came of asking; addresses there was no time for are counted."""
    if len(outcomes) > 1 and all(outcome.kind in _NO_CONNECTION for _, outcome in outcomes):
        message = f"Check the connection to the internet: none of {len(outcomes)} addresses could be reached."
        yield _NETWORK.result("dead-link", "warning", message)
        return
    for address, outcome in outcomes:
        yield from _picture(address, outcome) if address.is_image else _page(address, outcome)
    if left := len(tuple(unchecked)):
        message = f"Open the last {left} links yourself, or check again: there was no time to ask for them."
        yield _NETWORK.result("dead-link", "hint", message)


def _asked(url: str) -> bool:
    return url.lower().startswith(("https://", "http://")) and not any(place in url for place in PLACEHOLDERS)


def _page(address: CheckedUrl, outcome: FetchOutcome) -> Iterator[CheckResult]:
    if outcome.kind not in _FINE:
        yield _dead("dead-link", address, outcome)
    elif url_key(outcome.final_url) != url_key(address.url):
        level: CheckLevel = "warning" if outcome.moved_to else "hint"
        message = f"Link to {outcome.final_url} itself: {address.url} only leads there."
        yield address.location.result("moved-link", level, message)


def _picture(address: CheckedUrl, outcome: FetchOutcome) -> Iterator[CheckResult]:
    if outcome.kind not in _FINE:
        yield _dead("dead-picture", address, outcome)
    elif outcome.kind == "too_large":
        message = f"Publish a lighter picture: {address.url} has over {MAX_IMAGE_BYTES // 1000} KB."
        yield address.location.result("picture-size", "warning", message)
    elif not outcome.content_type.startswith("image/"):
        message = f"Mend the picture: {address.url} is none, but {outcome.content_type or 'nothing that says what'}."
        yield address.location.result("dead-picture", "error", message)
    elif (size := read_image_size(outcome.body)) and size[0] > MAX_IMAGE_WIDTH:
        message = f"Publish a smaller picture: this one is {size[0]} pixels wide, {MAX_IMAGE_WIDTH} are enough."
        yield address.location.result("picture-size", "warning", message)


def _dead(name: str, address: CheckedUrl, outcome: FetchOutcome) -> CheckResult:
    if outcome.kind in _GONE:
        message = f"Mend it or take it out: {address.url} {outcome.detail}."
        return address.location.result(name, "error", message)
    level: CheckLevel = "hint" if outcome.kind in _GUARDED else "warning"
    message = f"Open it and see: {address.url} {outcome.detail}."
    return address.location.result(name, level, message)
