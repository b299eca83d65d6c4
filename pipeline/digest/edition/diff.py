"""Differences between two manifests of one week, such as a sealed edition's and a fresh draft's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipeline.digest.edition.variants import FILES, FOLDER

_FILES = {"digest.html": "the HTML", "digest.txt": "the plain text", "digest.eml": "the message file"}
_FIELDS = ("title", "url", "published_at", "enclosure_url")

Manifest = dict[str, Any]


def manifest_changes(sealed: bytes, fresh: bytes) -> tuple[str, ...]:
    """Return a phrase for each change, for the editor; nothing where subscribers would get the same bytes.

    >>> before = b'{"subject": "Bread", "preheader": "", "stories": [], "sha256": {"digest.html": "a"}}'
    >>> after = before.replace(b'"a"', b'"b"')
    >>> manifest_changes(before, before), manifest_changes(before, after.replace(b"Bread", b"Soup"))
    ((), ('the subject, “Bread”, would be “Soup”',))
    >>> manifest_changes(before, after)
    ('the HTML would differ: the template, config.toml or an image changed',)
    """
    changed = changed_files(sealed, fresh)
    if not changed:
        return ()
    old, new = json.loads(sealed), json.loads(fresh)
    changes = (*_text_changes(old, new), *_entry_changes(old, new), *_variant_changes(old, new))
    files = dict.fromkeys(_FILES.get(file) or f"the variant “{file.split('/')[1]}”" for file in changed)
    return changes or (f"{_listed([*files])} would differ: the template, config.toml or an image changed",)


def changed_files(sealed: bytes, fresh: bytes) -> tuple[str, ...]:
    """Return the names of the files whose SHA-256 differs."""
    old, new = (_hashes(json.loads(manifest)) for manifest in (sealed, fresh))
    return tuple(file for file in dict.fromkeys((*old, *new)) if old.get(file) != new.get(file))


def _hashes(manifest: Manifest) -> dict[str, str]:
    """Return the SHA-256 of each file, by its path in the folder of the edition."""
    of_variants = {
        f"{FOLDER}/{variant['variant']}/{file}": sha256
        for variant in manifest.get("variants", ())
        for file, sha256 in zip(FILES, (variant["sha256"][part] for part in ("html", "text", "eml")), strict=True)
    }
    return {file: manifest["sha256"].get(file) for file in _FILES} | of_variants


def _text_changes(old: Manifest, new: Manifest) -> Iterator[str]:
    for key in ("subject", "preheader"):
        if old[key] != new[key]:
            yield f"the {key}, “{old[key]}”, would be “{new[key]}”"
    if old.get("introduction_md", "") != new.get("introduction_md", ""):
        yield "the introduction was rewritten"
    if old.get("blocks", []) != new.get("blocks", []):
        yield "the standing blocks changed"


def _entry_changes(old: Manifest, new: Manifest) -> Iterator[str]:
    before, after = _entries(old), _entries(new)
    yield from (f"“{entry['title']}” would be left out" for key, entry in before.items() if key not in after)
    yield from (f"“{entry['title']}” would be added" for key, entry in after.items() if key not in before)
    common = [key for key in before if key in after]
    for key in common:
        fields = [field for field in _FIELDS if before[key][field] != after[key][field]]
        if not fields and before[key].get("fingerprint") != after[key].get("fingerprint"):
            fields = ["text"]
        if fields:
            yield f"“{before[key]['title']}” was edited in its feed: {_listed(fields)}"
    if common != [key for key in after if key in before]:
        yield "the order of the stories changed"


def _variant_changes(old: Manifest, new: Manifest) -> Iterator[str]:
    before, after = ([variant["variant"] for variant in manifest.get("variants", ())] for manifest in (old, new))
    yield from (f"the variant “{name}” would be left out" for name in before if name not in after)
    yield from (f"the variant “{name}” would be added" for name in after if name not in before)


def _entries(manifest: Manifest) -> dict[tuple[str, str], Manifest]:
    return {(entry["feed_id"], entry["guid"]): entry for story in manifest["stories"] for entry in story["entries"]}


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
