"""What has changed between two manifests of one week: the sealed one and that of a fresh draft.

In: two manifests as bytes. Out: a phrase for each change, for an editor. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_PARTS = {"digest.html": "the HTML", "digest.txt": "the plain text", "digest.eml": "the mail"}
_FIELDS = ("title", "url", "published_at", "enclosure_url")

Manifest = dict[str, Any]


def manifest_changes(sealed: bytes, fresh: bytes) -> tuple[str, ...]:
    """Say what is different, entry by entry and part by part; nothing where a reader would get the same bytes.

    >>> before = b'{"subject": "Bread", "preheader": "", "stories": [], "sha256": {"digest.html": "a"}}'
    >>> after = before.replace(b'"a"', b'"b"')
    >>> differences(before, before), differences(before, after.replace(b"Bread", b"Soup"))
    ((), ('the subject, “Bread”, would be “Soup”',))
    >>> differences(before, after)
    ('the HTML would differ: the template, config.toml or a picture changed',)
    """
    old, new = json.loads(sealed), json.loads(fresh)
    parts = [name for part, name in _PARTS.items() if old["sha256"].get(part) != new["sha256"].get(part)]
    if not parts:
        return ()
    told = (*_words(old, new), *_entries(old, new))
    return told or (f"{_listed(parts)} would differ: the template, config.toml or a picture changed",)


def changed_files(sealed: bytes, fresh: bytes) -> tuple[str, ...]:
    """Name the files whose bytes differ."""
    old, new = (json.loads(each)["sha256"] for each in (sealed, fresh))
    return tuple(part for part in _PARTS if old.get(part) != new.get(part))


def _words(old: Manifest, new: Manifest) -> Iterator[str]:
    for key in ("subject", "preheader"):
        if old[key] != new[key]:
            yield f"the {key}, “{old[key]}”, would be “{new[key]}”"
    if old.get("introduction_md", "") != new.get("introduction_md", ""):
        yield "the introduction was rewritten"


def _entries(old: Manifest, new: Manifest) -> Iterator[str]:
    before, after = _by_name(old), _by_name(new)
    yield from (f"“{entry['title']}” would be left out" for name, entry in before.items() if name not in after)
    yield from (f"“{entry['title']}” would come in" for name, entry in after.items() if name not in before)
    for name in (name for name in before if name in after):
        if what := _edited(before[name], after[name]):
            yield f"“{before[name]['title']}” was edited at its source: {_listed(what)}"
    common = [name for name in before if name in after]
    if common != [name for name in after if name in before]:
        yield "the stories are in another order"


def _by_name(manifest: Manifest) -> dict[tuple[str, str], Manifest]:
    return {(each["feed_id"], each["guid"]): each for story in manifest["stories"] for each in story["entries"]}


def _edited(old: Manifest, new: Manifest) -> list[str]:
    fields = [field for field in _FIELDS if old[field] != new[field]]
    return fields or (["text"] if old.get("fingerprint") != new.get("fingerprint") else [])


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
