"""The variants of an edition in its manifest, and their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any

from pipeline.model.digest import Edition, StoryKind
from pipeline.model.subscriber import TOPICS, Topic
from pipeline.model.variant import WHOLE, Variant, VariantKey

FOLDER = "variants"
"""In the folder of an edition; it has a folder for each variant."""
FILES = ("digest.html", "digest.txt", "digest.eml")
TOPICS_OF: dict[StoryKind, tuple[Topic, ...]] = {
    "post": ("posts",),
    "episode": ("episodes",),
    "read-or-listen": ("posts", "episodes"),
    "link": ("links",),
}
"""A post with its episode is for everybody who wants either of both."""


def shown_topics(edition: Edition) -> dict[VariantKey, tuple[Topic, ...]]:
    """Return the variants of an edition, the whole included, and the topics of which each has a story.

    >>> manifest = b'{"stories": [{"kind": "link"}, {"kind": "post"}]}'
    >>> edition = Edition(week="", state="draft", number=1, subject="", preheader="", html=b"", text=b"", eml=b"",
    ...     manifest=manifest)
    >>> [(key.name, topics) for key, topics in shown_topics(edition).items()]
    [('whole', ('posts', 'links'))]
    """
    kinds = [story["kind"] for story in json.loads(edition.manifest)["stories"]]
    return {WHOLE: topics_of(kinds)} | {variant.key: variant.shown for variant in edition.variants}


def topics_of(kinds: Iterable[StoryKind]) -> tuple[Topic, ...]:
    """Return the topics of stories of these kinds, in the order of ``TOPICS``."""
    shown = {topic for kind in kinds for topic in TOPICS_OF[kind]}
    return tuple(topic for topic in TOPICS if topic in shown)


def manifest_of_variant(manifest: bytes, name: str) -> dict[str, Any]:
    """Return the part of a manifest about a variant, or all of it if there is no such variant."""
    whole: dict[str, Any] = json.loads(manifest or b"{}")
    return next((variant for variant in whole.get("variants", ()) if variant["variant"] == name), whole)


def variant_stories(manifest: bytes) -> frozenset[tuple[str, str]]:
    """Return the feed id and the GUID of all entries in the stories of a manifest's variants."""
    return frozenset(
        (entry["feed_id"], entry["guid"])
        for variant in json.loads(manifest).get("variants", ())
        for story in variant["stories"]
        for entry in story["entries"]
    )


def read_variants(manifest: bytes, read_file: Callable[[str], bytes]) -> tuple[Variant, ...]:
    """Return the variants of a manifest, with the bytes of their files, named as ``files_of`` names them.

    Raise ValueError if a file is not the one that was sealed.
    """
    return tuple(_read_variant(values, read_file) for values in json.loads(manifest).get("variants", ()))


def files_of(variant: Variant) -> dict[str, bytes]:
    """Return the files of a variant, by their paths in the folder of the edition."""
    return {
        f"{FOLDER}/{variant.name}/{name}": content
        for name, content in zip(FILES, (variant.html, variant.text, variant.eml), strict=True)
    }


def _read_variant(values: dict[str, Any], read_file: Callable[[str], bytes]) -> Variant:
    html, text, eml = (read_file(f"{FOLDER}/{values['variant']}/{name}") for name in FILES)
    hashes = {name: sha256(part).hexdigest() for name, part in (("html", html), ("text", text), ("eml", eml))}
    if hashes != values["sha256"]:
        raise ValueError(f"the files of the variant {values['variant']} are of another edition")
    return Variant(
        key=VariantKey(topics=tuple(values["topics"]), frequency=values["frequency"]),
        shown=tuple(values["shown"]),
        subject=values["subject"],
        preheader=values["preheader"],
        subscribers=values["subscribers"],
        html=html,
        text=text,
        eml=eml,
    )
