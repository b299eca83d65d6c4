"""Seal a rendered digest: an Edition holds its bytes and the manifest that describes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from pipeline.model.check import CheckResult
from pipeline.model.correction import CorrectionNote
from pipeline.model.counted_link import CountedLink
from pipeline.model.digest import Decision, Digest, Edition, RelatedEntry, RenderedDigest, SkimLine, Story
from pipeline.model.entry import Entry
from pipeline.model.variant import Variant
from pipeline.text.quotable import quotation

_HASHED_KEYS = ("edition", "number", "subject", "preheader", "sha256")


def seal(
    digest: Digest,
    rendered: RenderedDigest,
    eml: bytes,
    *,
    left_out: Sequence[Decision],
    checks: Sequence[CheckResult] = (),
    fingerprints: Mapping[tuple[str, str], str] = MappingProxyType({}),
    variants: Sequence[tuple[Variant, Digest]] = (),
    links: Sequence[CountedLink] = (),
) -> Edition:
    """Return a draft edition; the same arguments give the same bytes.

    ``fingerprints`` maps (feed id, guid) to the fingerprint of an entry's content, so that a later edit is found.
    """
    files = {"digest.html": rendered.html.encode(), "digest.txt": rendered.text.encode(), "digest.eml": eml}
    manifest = _content(digest, rendered, fingerprints) | {
        "left_out": [_decision(decision) for decision in left_out],
        "checks": [asdict(result) for result in checks],
        "sha256": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    if variants:
        manifest["variants"] = [_variant(variant, of_variant) for variant, of_variant in variants]
    if links:
        manifest["counted_links"] = [asdict(link) for link in links]
    if digest.correction:
        manifest["correction"] = _correction(digest.correction)
    manifest["content_hash"] = content_hash(manifest)
    return Edition(
        week=digest.week,
        state="draft",
        number=digest.number,
        subject=rendered.subject,
        preheader=rendered.preheader,
        html=files["digest.html"],
        text=files["digest.txt"],
        eml=files["digest.eml"],
        manifest=_to_json(manifest),
        content_hash=manifest["content_hash"],
        variants=tuple(variant for variant, _ in variants),
    )


def content_hash(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of everything a subscriber gets, whatever variant.

    State, checks and left-out entries do not count: a draft and the edition approved from it have the same hash.
    """
    stories = [[(entry["feed_id"], entry["guid"]) for entry in story["entries"]] for story in manifest["stories"]]
    variants = [[variant["variant"], variant["sha256"]] for variant in manifest.get("variants", ())]
    parts = [[manifest[key] for key in _HASHED_KEYS], stories, *([variants] if variants else [])]
    content = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return sha256(content.encode()).hexdigest()


def manifest_skim(manifest: bytes) -> tuple[SkimLine, ...]:
    """Return what a manifest says of each story for somebody who skims; only titles if it is of an older version.

    >>> manifest_skim(b'{"skim": [{"title": "Salt", "text": "It came by sea.", "level": "lead"}]}')
    (SkimLine(title='Salt', text='It came by sea.', level='lead'),)
    """
    return skim_of(json.loads(manifest or b"{}"))


def skim_of(manifest: Mapping[str, Any]) -> tuple[SkimLine, ...]:
    """Return the same of a manifest, or of its part about a variant, that was read already."""
    titles = [{"title": story["title"]} for story in manifest.get("stories", ())]
    return tuple(SkimLine(**line) for line in manifest.get("skim", titles))


def mark_approved(edition: Edition, *, overridden: Sequence[str] = ()) -> Edition:
    """Return the edition with the state ``approved``, in its manifest too; all other bytes stay the same.

    ``overridden`` names the checks whose errors were ignored.
    """
    manifest = json.loads(edition.manifest) | {"state": "approved", "overridden": sorted(set(overridden))}
    return replace(edition, state="approved", manifest=_to_json(manifest))


def _correction(note: CorrectionNote) -> dict[str, Any]:
    return {
        "number": note.number,
        "text_md": note.text_md,
        "made_at": _timestamp(note.made_at),
        "corrects": note.corrects,
        "messages": dict(note.messages),
    }


def read_correction(manifest: bytes) -> CorrectionNote | None:
    """Return the note of a correction from its manifest; None if it is that of an edition."""
    values = json.loads(manifest).get("correction")
    return CorrectionNote(**values | {"made_at": datetime.fromisoformat(values["made_at"])}) if values else None


def _to_json(manifest: Mapping[str, Any]) -> bytes:
    return json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"


def _content(digest: Digest, rendered: RenderedDigest, fingerprints: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    return {
        "edition": digest.week,
        "number": digest.number,
        "state": "draft",
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "opens_at": _timestamp(digest.opens_at),
        "closes_at": _timestamp(digest.closes_at),
        "suggestions": {
            "subject": digest.subject_suggestions,
            "preheader": digest.preheader_suggestions,
            "quotes": [_quotes(story) for story in digest.stories if story.quotable and story.audio],
        },
        "introduction_md": digest.introduction_md,
        "skim": [asdict(line) for line in rendered.skim],
        "blocks": [
            {"kind": block.kind, "label": block.label, "position": block.position, "text_md": block.text_md}
            for block in digest.blocks
        ],
        "stories": [
            _story(section.kind, section.heading, story, fingerprints)
            for section in digest.sections
            for story in section.stories
        ],
        "archive": [
            {"heading": section.heading, "title": story.title, "url": story.url, **_identity(story.entries[0])}
            for section in digest.archive
            for story in section.stories
        ],
        "included": [_decision(decision) for decision in digest.decisions if decision.included],
    }


def _variant(variant: Variant, digest: Digest) -> dict[str, Any]:
    files = {"html": variant.html, "text": variant.text, "eml": variant.eml}
    return {
        "variant": variant.name,
        "topics": variant.key.topics,
        "frequency": variant.key.frequency,
        "shown": variant.shown,
        "subject": variant.subject,
        "preheader": variant.preheader,
        "subscribers": variant.subscribers,
        "stories": [
            {
                "section": section.kind,
                "heading": section.heading,
                "title": story.title,
                "url": story.url,
                "entries": [_identity(entry) for entry in story.entries],
            }
            for section in digest.sections
            for story in section.stories
        ],
        "sha256": {name: sha256(content).hexdigest() for name, content in files.items()},
    }


def _quotes(story: Story) -> dict[str, Any]:
    """Return what the editor may quote from the transcript of a story, as notes in Markdown."""
    return {
        **_identity(story.entries[0]),
        "title": story.title,
        "sentences": [{"text": one.text, "note_md": quotation(one.text)} for one in story.quotable],
    }


def _story(kind: str, heading: str, story: Story, fingerprints: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    return {
        "section": kind,
        "heading": heading,
        "kind": story.kind,
        "level": story.level,
        "title": story.title,
        "url": story.url,
        "entries": [_entry(entry, fingerprints.get((entry.feed_id, entry.guid), "")) for entry in story.entries],
        "related": [{"title": related.title, "url": related.url, **_identity(related)} for related in story.related],
    }


def _entry(entry: Entry, fingerprint: str) -> dict[str, Any]:
    return {
        **_identity(entry),
        "url": entry.url,
        "title": entry.title,
        "published_at": _timestamp(entry.published_at),
        "enclosure_url": entry.enclosure.url if entry.enclosure else None,
        "fingerprint": fingerprint,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {**_identity(decision), "title": decision.title, "reason": decision.reason}


def _identity(entry: Entry | RelatedEntry | Decision) -> dict[str, str]:
    return {"feed_id": entry.feed_id, "guid": entry.guid}


def _timestamp(instant: datetime) -> str:
    """Return an instant in UTC as RFC 3339 writes it."""
    return instant.isoformat().replace("+00:00", "Z")
