"""From a rendered digest to an Edition: the bytes, and the manifest that says what is in them.

In: a Digest, its rendering, its mail. Out: an Edition. The same input gives the same bytes. Touches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from pipeline.model.check import CheckResult
from pipeline.model.digest import Decision, Digest, Edition, RelatedEntry, RenderedDigest, Story
from pipeline.model.entry import Entry

_TOLD = ("edition", "number", "subject", "preheader", "sha256")


def seal(
    digest: Digest,
    rendered: RenderedDigest,
    eml: bytes,
    *,
    left_out: Sequence[Decision],
    checks: Sequence[CheckResult] = (),
    fingerprints: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Edition:
    """Freeze a digest's parts and write the manifest over them.

    ``fingerprints``: of the entries' contents, by feed and guid, so that it can be told later what was edited.
    """
    parts = {"digest.html": rendered.html.encode(), "digest.txt": rendered.text.encode(), "digest.eml": eml}
    manifest = _content(digest, rendered, fingerprints) | {
        "left_out": [_decision(each) for each in left_out],
        "checks": [asdict(each) for each in checks],
        "sha256": {name: sha256(part).hexdigest() for name, part in parts.items()},
    }
    manifest["content_hash"] = content_hash(manifest)
    return Edition(
        week=digest.week,
        state="draft",
        number=digest.number,
        subject=rendered.subject,
        preheader=rendered.preheader,
        html=parts["digest.html"],
        text=parts["digest.txt"],
        eml=eml,
        manifest=_json(manifest),
        content_hash=manifest["content_hash"],
    )


def content_hash(manifest: Mapping[str, Any]) -> str:
    """Hash all a reader gets of an edition, and nothing else: neither its state nor why something was left out.

    SHA-256 as hexadecimal. A draft and the seal made of it have the same.
    """
    stories = [[(each["feed_id"], each["guid"]) for each in story["entries"]] for story in manifest["stories"]]
    told = json.dumps([[manifest[key] for key in _TOLD], stories], ensure_ascii=False, sort_keys=True)
    return sha256(told.encode()).hexdigest()


def mark_approved(edition: Edition, *, overridden: Sequence[str] = ()) -> Edition:
    """Make of a draft what is kept once it is approved: the same bytes, and a manifest that says so.

    ``overridden``: the names of the errors it was approved in spite of.
    """
    manifest = json.loads(edition.manifest) | {"state": "approved", "overridden": sorted(set(overridden))}
    return replace(edition, state="approved", manifest=_json(manifest))


def _json(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"


def _content(digest: Digest, rendered: RenderedDigest, marks: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    return {
        "edition": digest.week,
        "number": digest.number,
        "state": "draft",
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "opens_at": _instant(digest.opens_at),
        "closes_at": _instant(digest.closes_at),
        "introduction_md": digest.introduction_md,
        "stories": [
            _story(section.kind, section.heading, story, marks)
            for section in digest.sections
            for story in section.stories
        ],
        "archive": [
            {"heading": section.heading, "title": story.title, "url": story.url, **_name(story.entries[0])}
            for section in digest.archive
            for story in section.stories
        ],
        "included": [_decision(each) for each in digest.decisions if each.included],
    }


def _story(kind: str, heading: str, story: Story, marks: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    return {
        "section": kind,
        "heading": heading,
        "kind": story.kind,
        "title": story.title,
        "url": story.url,
        "entries": [_entry(entry, marks.get((entry.feed_id, entry.guid), "")) for entry in story.entries],
        "related": [{"title": each.title, "url": each.url, **_name(each)} for each in story.related],
    }


def _name(older: Entry | RelatedEntry) -> dict[str, str]:
    """Give what an older piece is called by, for an editor who wants it out."""
    return {"feed_id": older.feed_id, "guid": older.guid}


def _entry(entry: Entry, mark: str) -> dict[str, Any]:
    return {
        "feed_id": entry.feed_id,
        "guid": entry.guid,
        "url": entry.url,
        "title": entry.title,
        "published_at": _instant(entry.published_at),
        "enclosure_url": entry.enclosure.url if entry.enclosure else None,
        "fingerprint": mark,
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
