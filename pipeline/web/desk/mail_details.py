"""A sealed mail taken apart for reading: its headers, its inbox line, its weight.

In: an Edition. Out: plain records for the pages. Pure; nothing is decoded that a mail client would not decode.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from pipeline.digest.render.translator import ENGLISH
from pipeline.digest.render.wording import section_heading
from pipeline.model.digest import Edition

KILOBYTE = 1000
GMAIL_CLIP_KB = 102
SIZE_LIMITS_KB = ((30, "fine"), (60, "heavy"), (90, "too heavy"), (GMAIL_CLIP_KB, "cut off by Gmail"))
"""The weight of the HTML part, in KB of 1,000 bytes: up to each limit, and what it is from there on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDetails:
    """What the pages say about a mail besides showing it."""

    sender_name: str
    sender_address: str
    headers: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, int], ...]
    """(media type, bytes once decoded) of each part, in order."""
    stories: tuple[tuple[str, tuple[StoryLink, ...]], ...]
    """(heading, its stories), as the manifest has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLink:
    """One story in the list beside the mail."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlSize:
    """The HTML part on the scales. ``share`` is per mille of what Gmail shows before it cuts a mail off."""

    kilobytes: float
    share: int
    verdict: str


def read_mail_details(edition: Edition) -> MailDetails:
    """Take an edition's mail and manifest apart (RFC 5322; header values decoded and unfolded)."""
    mail = message_from_bytes(edition.eml, policy=policy.default)
    manifest = json.loads(edition.manifest or b"{}")
    name, address = parseaddr(str(mail.get("From", "")))
    return MailDetails(
        sender_name=name or address,
        sender_address=address,
        headers=tuple((header, str(value)) for header, value in mail.items()),
        parts=tuple(_parts(mail)),
        stories=_sections(manifest.get("stories", [])),
    )


def story_references(edition: Edition) -> list[list[list[str]]]:
    """Give the references of an edition's entries: story by story, section by section."""
    sections: dict[str, list[list[str]]] = {}
    for story in json.loads(edition.manifest or b"{}").get("stories", []):
        entries = [f"{each['feed_id']} {each['guid']}" for each in story.get("entries", [])]
        sections.setdefault(story.get("heading") or story["section"], []).append(entries)
    return [[story for story in section if story] for section in sections.values()]


def archive_titles(edition: Edition) -> dict[str, str]:
    """Give the older pieces an edition points back to: reference to title, each once."""
    manifest = json.loads(edition.manifest or b"{}")
    related = [each for story in manifest.get("stories", []) for each in story.get("related", [])]
    older = [each for each in (*related, *manifest.get("archive", [])) if "guid" in each]
    return {f"{each['feed_id']} {each['guid']}": each["title"] for each in older}


def measure_html(html: bytes) -> HtmlSize:
    """Weigh the HTML part against what mail clients stand.

    >>> weigh(b"x" * 20_000)
    Weight(kilobytes=20.0, share=196, verdict='light')
    >>> weigh(b"x" * 103_000).verdict
    'cut off by Gmail'
    """
    kilobytes = len(html) / KILOBYTE
    passed = [verdict for limit, verdict in SIZE_LIMITS_KB if kilobytes > limit]
    share = min(1000, round(1000 * kilobytes / GMAIL_CLIP_KB))
    return HtmlSize(kilobytes=round(kilobytes, 1), share=share, verdict=passed[-1] if passed else "light")


def _parts(mail: EmailMessage) -> list[tuple[str, int]]:
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    return [(leaf.get_content_type(), len(leaf.get_payload(decode=True) or b"")) for leaf in leaves]


def _sections(stories: list[dict[str, Any]]) -> tuple[tuple[str, tuple[StoryLink, ...]], ...]:
    sections: dict[str, list[StoryLink]] = {}
    for story in stories:
        sections.setdefault(story.get("heading") or section_heading(story["section"], ENGLISH), []).append(
            StoryLink(title=story["title"], url=story["url"])
        )
    return tuple((heading, tuple(found)) for heading, found in sections.items())
