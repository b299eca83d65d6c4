"""Checks that need the network: dead and moved links, broken and heavy images.

``collect_urls`` lists the URLs to request, ``judge_outcomes`` judges the responses; neither uses the network itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.digest.checks.html import parse_html
from pipeline.digest.checks.images import MAX_IMAGE_WIDTH, read_image_size
from pipeline.digest.checks.inputs import BLOCK_TARGET, Location, urls_in
from pipeline.digest.editor.apply import EDITOR_FEED_ID
from pipeline.model.check import CheckLevel, CheckName, CheckResult
from pipeline.model.fetch import FetchOutcome, OutcomeKind
from pipeline.model.message import PLACEHOLDERS
from pipeline.text.urls import url_key

MAX_URLS = 100
MAX_IMAGE_BYTES = 250_000
HEAD_REFUSED_STATUSES = frozenset({403, 405, 501})
"""HTTP statuses of servers that answer GET but not HEAD."""

_GONE: frozenset[OutcomeKind] = frozenset({"not_found", "gone", "unsafe_address", "invalid_url"})
_RESTRICTED: frozenset[OutcomeKind] = frozenset({"blocked", "rate_limited"})
_NO_CONNECTION: frozenset[OutcomeKind] = frozenset({"unreachable", "timeout"})
_REACHED: frozenset[OutcomeKind] = frozenset({"ok", "moved", "too_large"})

_NETWORK = Location("", "network")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedUrl:
    """A URL that a newsletter links to or shows."""

    url: str
    location: Location
    """Named after the text of the link, or the alt text of the image."""
    is_image: bool = False


def collect_urls(html: str, manifest: bytes = b"") -> tuple[CheckedUrl, ...]:
    """Return the http(s) URLs of an HTML part, each once and without fragment; placeholders are left out.

    The manifest says which of them belong to stories; links before the first story belong to the introduction.

    >>> [(checked.url, checked.location.name) for checked in collect_urls('<a href="https://a.example/x#top">Bread</a>')]
    [('https://a.example/x', 'Bread')]
    """
    parsed, targets = parse_html(html), _targets(manifest)
    default = "introduction" if targets else "stories"
    for link in parsed.links:
        if any(placeholder in link.url for placeholder in PLACEHOLDERS):
            targets.setdefault(url_key(link.url), "theme")
    links = []
    for link in parsed.links:
        target = targets.get(url_key(link.url))
        if target and target != "theme":
            default = "stories"
        if _is_checked(link.url):
            links.append(CheckedUrl(url=link.url.partition("#")[0], location=Location(link.text, target or default)))
    images = [
        CheckedUrl(
            url=image.url,
            location=Location(image.alt or "", targets.get(url_key(image.link_url), "theme")),
            is_image=True,
        )
        for image in parsed.images
        if _is_checked(image.url)
    ]
    return tuple({checked.url: checked for checked in (*images, *links)}.values())


def _targets(manifest: bytes) -> dict[str, str]:
    """Return the ``url_key`` of each page of a story or block, mapped to what to edit (``CheckResult.fix_target``)."""
    content = json.loads(manifest or b"{}")
    blocks = {url_key(url): BLOCK_TARGET for block in content.get("blocks", ()) for url in urls_in(block["text_md"])}
    return blocks | {
        url_key(url): "links" if entry["feed_id"] == EDITOR_FEED_ID else f"story {entry['feed_id']} {entry['guid']}"
        for story in content.get("stories", ())
        for entry in story["entries"]
        for url in (story["url"], entry["url"])
        if url
    }


def _is_checked(url: str) -> bool:
    is_web = url.lower().startswith(("https://", "http://"))
    return is_web and not any(placeholder in url for placeholder in PLACEHOLDERS)


def judge_outcomes(
    outcomes: Sequence[tuple[CheckedUrl, FetchOutcome]], unchecked: Iterable[CheckedUrl] = ()
) -> Iterator[CheckResult]:
    """Yield the problems that the responses show, and one result for all URLs that there was no time to check."""
    if len(outcomes) > 1 and all(outcome.kind in _NO_CONNECTION for _, outcome in outcomes):
        message = f"Check the internet connection: none of {len(outcomes)} URLs could be reached."
        yield _NETWORK.result("dead-link", "warning", message)
        return
    for checked, outcome in outcomes:
        yield from _judge_image(checked, outcome) if checked.is_image else _judge_page(checked, outcome)
    if count := len(tuple(unchecked)):
        links = "link" if count == 1 else f"{count} links"
        message = f"Open the last {links} yourself, or check again: there was not enough time."
        yield _NETWORK.result("dead-link", "hint", message)


def _judge_page(checked: CheckedUrl, outcome: FetchOutcome) -> Iterator[CheckResult]:
    if outcome.kind not in _REACHED:
        yield _unreached("dead-link", checked, outcome)
    elif url_key(outcome.final_url) != url_key(checked.url):
        level: CheckLevel = "warning" if outcome.moved_to else "hint"
        message = f"Link to {outcome.final_url} directly: {checked.url} redirects there."
        yield checked.location.result("moved-link", level, message)


def _judge_image(checked: CheckedUrl, outcome: FetchOutcome) -> Iterator[CheckResult]:
    if outcome.kind not in _REACHED:
        yield _unreached("broken-image", checked, outcome)
    elif outcome.kind == "too_large":
        message = f"Publish a smaller image file: {checked.url} has over {MAX_IMAGE_BYTES // 1000} KB."
        yield checked.location.result("image-size", "warning", message)
    elif not outcome.content_type.startswith("image/"):
        content = outcome.content_type or "something without a content type"
        message = f"Fix the image: {checked.url} is not an image but {content}."
        yield checked.location.result("broken-image", "error", message)
    elif (size := read_image_size(outcome.body)) and size[0] > MAX_IMAGE_WIDTH:
        message = f"Publish a smaller image: this one is {size[0]} pixels wide, {MAX_IMAGE_WIDTH} are enough."
        yield checked.location.result("image-size", "warning", message)


def _unreached(name: CheckName, checked: CheckedUrl, outcome: FetchOutcome) -> CheckResult:
    if outcome.kind in _GONE:
        message = f"Fix or remove it: {checked.url} {outcome.detail}."
        return checked.location.result(name, "error", message)
    level: CheckLevel = "hint" if outcome.kind in _RESTRICTED else "warning"
    return checked.location.result(name, level, f"Open it and see: {checked.url} {outcome.detail}.")
