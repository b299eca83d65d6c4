"""From a rendered digest to an Edition: the bytes, and the manifest that says what is in them.

In: a Digest, its rendering, its mail. Out: an Edition. The same input gives the same bytes. Touches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from pipeline.model.check import Check
from pipeline.model.digest import Decision, Digest, Edition, RenderedDigest, Story
from pipeline.model.entry import Entry


def seal(
    digest: Digest,
    rendered: RenderedDigest,
    eml: bytes,
    *,
    left_out: Sequence[Decision],
    checks: Sequence[Check] = (),
) -> Edition:
    """Freeze a digest's parts and write the manifest over them."""
    html, text = rendered.html.encode(), rendered.text.encode()
    manifest = {
        "edition": digest.week,
        "number": digest.number,
        "state": "draft",
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "opens_at": _instant(digest.opens_at),
        "closes_at": _instant(digest.closes_at),
        "stories": [
            _story(section.kind, section.heading, story) for section in digest.sections for story in section.stories
        ],
        "included": [_decision(each) for each in digest.decisions if each.included],
        "left_out": [_decision(each) for each in left_out],
        "checks": [asdict(each) for each in checks],
        "sha256": {name: sha256(part).hexdigest() for name, part in _parts(html, text, eml)},
    }
    return Edition(
        week=digest.week,
        state="draft",
        number=digest.number,
        subject=rendered.subject,
        preheader=rendered.preheader,
        html=html,
        text=text,
        eml=eml,
        manifest=json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n",
    )


def _parts(html: bytes, text: bytes, eml: bytes) -> tuple[tuple[str, bytes], ...]:
    return ("digest.html", html), ("digest.txt", text), ("digest.eml", eml)


def _story(kind: str, heading: str, story: Story) -> dict[str, Any]:
    return {
        "section": kind,
        "heading": heading,
        "kind": story.kind,
        "title": story.title,
        "url": story.url,
        "entries": [_entry(entry) for entry in story.entries],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "feed_id": entry.feed_id,
        "guid": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "published_at": _instant(entry.published_at),
        "enclosure_url": entry.enclosure.url if entry.enclosure else None,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "feed_id": decision.feed_id,
        "guid": decision.guid,
        "title": decision.title,
        "reason": decision.reason,
    }


def _instant(at: datetime) -> str:
    """RFC 3339 in UTC."""
    return at.isoformat().replace("+00:00", "Z")
