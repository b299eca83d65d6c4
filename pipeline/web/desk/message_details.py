"""Headers, parts, stories and size of an edition's message, as the desk's pages show them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any

from pipeline.digest.edition.seal import skim_of
from pipeline.digest.edition.variants import manifest_of_variant
from pipeline.digest.render.translator import ENGLISH
from pipeline.digest.render.wording import section_heading
from pipeline.model.digest import Edition, SkimLine
from pipeline.model.variant import WHOLE

GMAIL_CLIP_KB = 102
SIZE_LIMITS_KB = ((30, "fine"), (60, "heavy"), (90, "too heavy"), (GMAIL_CLIP_KB, "clipped by Gmail"))
"""(limit, verdict above it) for the size of the HTML part, in KB of 1,000 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDetails:
    """Headers, parts and stories of a message."""

    sender_name: str
    sender_address: str
    headers: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, int], ...]
    """(media type, size in bytes once decoded) of each part, in order."""
    stories: tuple[tuple[str, tuple[StoryLink, ...]], ...]
    """(heading, stories) of each section in the manifest."""
    skim: tuple[SkimLine, ...]
    """The titles and first words of the stories, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLink:
    """One story in the sidebar."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlSize:
    """Size of the HTML part. ``share`` is per mille of what Gmail shows before it clips a message."""

    kilobytes: float
    share: int
    verdict: str


def read_message_details(edition: Edition, variant: str = WHOLE.name) -> MessageDetails:
    """Parse the message and manifest of an edition's variant (RFC 5322; header values are decoded and unfolded)."""
    message = message_from_bytes(edition.as_variant(variant).eml, policy=policy.default)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    sender = message["From"].addresses[0]
    sections: dict[str, list[StoryLink]] = {}
    manifest = manifest_of_variant(edition.manifest, variant)
    for story in manifest.get("stories", []):
        heading = story.get("heading") or section_heading(story["section"], ENGLISH)
        sections.setdefault(heading, []).append(StoryLink(title=story["title"], url=story["url"]))
    return MessageDetails(
        sender_name=sender.display_name or sender.addr_spec,
        sender_address=sender.addr_spec,
        headers=tuple((header, str(value)) for header, value in message.items()),
        parts=tuple((leaf.get_content_type(), len(leaf.get_payload(decode=True) or b"")) for leaf in leaves),
        stories=tuple((heading, tuple(stories)) for heading, stories in sections.items()),
        skim=skim_of(manifest),
    )


def story_references(edition: Edition) -> list[list[list[str]]]:
    """Return the references of an edition's entries: a list of sections, of stories, of entries."""
    sections: dict[str, list[list[str]]] = {}
    for story in _manifest(edition).get("stories", []):
        references = [f"{entry['feed_id']} {entry['guid']}" for entry in story.get("entries", [])]
        sections.setdefault(story.get("heading") or story["section"], []).append(references)
    return [[story for story in section if story] for section in sections.values()]


def suggestions(edition: Edition) -> dict[str, Any]:
    """Return what the editor could take by field: of subject and preheader the best first, quotes by story."""
    by_field: dict[str, Any] = _manifest(edition).get("suggestions", {})
    return by_field


def story_levels(edition: Edition) -> dict[str, str]:
    """Return the level of an edition's stories, by the references of their entries; links have none to change."""
    return {
        f"{entry['feed_id']} {entry['guid']}": story.get("level", "")
        for story in _manifest(edition).get("stories", [])
        for entry in story.get("entries", [])
        if story.get("kind") != "link"
    }


def archive_titles(edition: Edition) -> dict[str, str]:
    """Return the titles of the archive entries that an edition links to, by reference."""
    manifest = _manifest(edition)
    related = [entry for story in manifest.get("stories", []) for entry in story.get("related", [])]
    entries = [entry for entry in (*related, *manifest.get("archive", [])) if "guid" in entry]
    return {f"{entry['feed_id']} {entry['guid']}": entry["title"] for entry in entries}


def measure_html(html: bytes) -> HtmlSize:
    """Return the size of an HTML part and how mail clients cope with it.

    >>> measure_html(b"x" * 20_000)
    HtmlSize(kilobytes=20.0, share=196, verdict='light')
    >>> measure_html(b"x" * 103_000).verdict
    'clipped by Gmail'
    """
    kilobytes = len(html) / 1000
    exceeded = [verdict for limit, verdict in SIZE_LIMITS_KB if kilobytes > limit]
    share = min(1000, round(1000 * kilobytes / GMAIL_CLIP_KB))
    return HtmlSize(kilobytes=round(kilobytes, 1), share=share, verdict=exceeded[-1] if exceeded else "light")


def _manifest(edition: Edition) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(edition.manifest or b"{}")
    return manifest
