"""Variants in an edition: how they are sealed, listed in the manifest, read back and compared."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from pipeline.digest.edition.diff import changed_files, manifest_changes
from pipeline.digest.edition.seal import content_hash, manifest_skim, seal
from pipeline.digest.edition.variants import (
    files_of,
    manifest_of_variant,
    read_variants,
    shown_topics,
    topics_of,
    variant_stories,
)
from pipeline.model.digest import Digest, Edition, Publication, RenderedDigest, Section, SkimLine, Story, StoryKind
from pipeline.model.entry import TimedText
from pipeline.model.subscriber import Topic
from pipeline.model.variant import WHOLE, Variant, VariantKey
from tests.factories import MONDAY, entry, episode

POST, TALK = entry("Bread"), episode("Kiln")
STORIES = (
    Story(kind="post", title="Bread", url="https://blog.example/bread", entries=(POST,)),
    Story(kind="episode", title="Kiln", url="https://podcast.example/kiln", entries=(TALK,)),
)
DIGEST = Digest(
    week="2026-W07",
    opens_at=MONDAY,
    closes_at=MONDAY + timedelta(days=7),
    publication=Publication(
        name="Quay",
        url="https://quay.example/",
        timezone="UTC",
        language="en",
        sender="news@quay.example",
        editor="Ida",
        postal_address="",
    ),
    subject="",
    preheader="",
    sections=(Section(kind="posts", heading="To read", stories=STORIES),),
    decisions=(),
)
OF_EPISODES = replace(DIGEST, sections=(Section(kind="episodes", heading="To hear", stories=STORIES[1:]),))
EPISODES = Variant(
    key=VariantKey(topics=("episodes",)),
    shown=("episodes",),
    subject="Kiln",
    preheader="to hear",
    html=b"<p>kiln</p>",
    text=b"kiln",
    eml=b"Subject: Kiln",
    subscribers=3,
)
MONTHLY_LINKS = replace(
    EPISODES, key=VariantKey(topics=("posts", "links"), frequency="monthly"), shown=("links",), subscribers=0
)
RENDERED = RenderedDigest(subject="Bread", preheader="and a kiln", html="<p>all</p>", text="all")


def sealed(*variants: Variant, rendered: RenderedDigest = RENDERED) -> Edition:
    """Return an edition with variants, each of them of the episodes."""
    return seal(DIGEST, rendered, b"eml", left_out=(), variants=[(variant, OF_EPISODES) for variant in variants])


@pytest.fixture
def edition() -> Edition:
    """An edition with two variants, sealed for each test: what runs at import is no part of a test."""
    return sealed(EPISODES, MONTHLY_LINKS)


@pytest.fixture
def files() -> dict[str, bytes]:
    return files_of(EPISODES) | files_of(MONTHLY_LINKS)


def test_the_manifest_lists_variants(edition: Edition) -> None:
    """Who gets each, what is in it, and the hashes of its files."""
    manifest = json.loads(edition.manifest)
    assert manifest["variants"][0] == {
        "variant": "episodes",
        "topics": ["episodes"],
        "frequency": "every",
        "shown": ["episodes"],
        "subject": "Kiln",
        "preheader": "to hear",
        "subscribers": 3,
        "stories": [
            {
                "section": "episodes",
                "heading": "To hear",
                "title": "Kiln",
                "url": "https://podcast.example/kiln",
                "entries": [{"feed_id": "podcast", "guid": "podcast:kiln"}],
            }
        ],
        "sha256": {
            "html": sha256(b"<p>kiln</p>").hexdigest(),
            "text": sha256(b"kiln").hexdigest(),
            "eml": sha256(b"Subject: Kiln").hexdigest(),
        },
    }
    assert [variant["variant"] for variant in manifest["variants"]] == ["episodes", "monthly-posts-links"]
    assert "variants" not in json.loads(sealed().manifest)
    assert sealed().variants == ()


def test_variants_are_read_as_they_were_sealed(edition: Edition, files: dict[str, bytes]) -> None:
    """Their files are in a folder each, and what is in the manifest comes back."""
    assert list(files) == [
        f"variants/{name}/digest.{kind}"
        for name in ("episodes", "monthly-posts-links")
        for kind in ("html", "txt", "eml")
    ]
    assert read_variants(edition.manifest, files.__getitem__) == edition.variants == (EPISODES, MONTHLY_LINKS)
    assert read_variants(sealed().manifest, files.__getitem__) == ()


@pytest.mark.parametrize("file", files_of(EPISODES))
def test_a_file_of_another_edition_is_refused(file: str, edition: Edition, files: dict[str, bytes]) -> None:
    """A variant is sent as it was sealed, or not at all."""
    with pytest.raises(ValueError, match=r"^the files of the variant episodes are of another edition$"):
        read_variants(edition.manifest, (files | {file: b"other"}).__getitem__)


def test_what_a_variant_shows(edition: Edition) -> None:
    """Its part of the manifest and its stories; without such a variant, those of the whole."""
    manifest = json.loads(edition.manifest)
    assert manifest_of_variant(edition.manifest, "episodes") == manifest["variants"][0]
    assert manifest_of_variant(edition.manifest, "monthly-posts-links") == manifest["variants"][1]
    assert manifest_of_variant(edition.manifest, "posts") == manifest
    assert manifest_of_variant(sealed().manifest, "episodes") == json.loads(sealed().manifest)
    assert manifest_of_variant(b"", "episodes") == {}
    assert variant_stories(edition.manifest) == {("podcast", "podcast:kiln")}
    assert variant_stories(sealed().manifest) == frozenset()
    assert shown_topics(edition) == {
        WHOLE: ("posts", "episodes"),
        EPISODES.key: ("episodes",),
        MONTHLY_LINKS.key: ("links",),
    }
    assert topics_of(["link", "read-or-listen"]) == ("posts", "episodes", "links")
    assert topics_of([]) == ()


@pytest.mark.parametrize(
    ("kinds", "topics"),
    [
        (["post"], ("posts",)),
        (["episode"], ("episodes",)),
        (["link"], ("links",)),
        (["read-or-listen"], ("posts", "episodes")),
        (["link", "episode", "link", "post"], ("posts", "episodes", "links")),
    ],
)
def test_topics_of_stories(kinds: list[StoryKind], topics: tuple[Topic, ...]) -> None:
    """Each once, in their usual order."""
    assert topics_of(kinds) == topics


def test_an_edition_becomes_a_variant(edition: Edition) -> None:
    """What that subscriber gets, in place of the whole; the rest of the edition stays."""
    assert edition.as_variant("episodes") == replace(
        edition, subject="Kiln", preheader="to hear", html=b"<p>kiln</p>", text=b"kiln", eml=b"Subject: Kiln"
    )
    assert edition.as_variant("posts") is edition


@pytest.mark.parametrize("part", ["html", "text", "eml"])
def test_a_changed_variant_is_named(part: str, edition: Edition) -> None:
    """The hash of the edition changes with its bytes, and the editor reads which one would differ."""
    changed = sealed(replace(EPISODES, **{part: b"new"}), MONTHLY_LINKS)
    assert changed.content_hash != edition.content_hash == content_hash(json.loads(edition.manifest))
    name = {"html": "html", "text": "txt", "eml": "eml"}[part]
    assert changed_files(edition.manifest, changed.manifest) == (f"variants/episodes/digest.{name}",)
    assert manifest_changes(edition.manifest, changed.manifest) == (
        "the variant “episodes” would differ: the template, config.toml or an image changed",
    )


def test_variants_come_and_go(edition: Edition) -> None:
    """A phrase for each; a variant that has several new files is named once."""
    only = sealed(EPISODES)
    assert manifest_changes(edition.manifest, only.manifest) == ("the variant “monthly-posts-links” would be left out",)
    assert manifest_changes(only.manifest, edition.manifest) == ("the variant “monthly-posts-links” would be added",)
    assert only.content_hash != edition.content_hash
    both = sealed(replace(EPISODES, html=b"new", text=b"new"), replace(MONTHLY_LINKS, eml=b"new"))
    other = replace(RENDERED, html="<p>new</p>")
    assert manifest_changes(edition.manifest, both.manifest) == (
        "the variant “episodes” and the variant “monthly-posts-links” would differ: the template, config.toml or an "
        "image changed",
    )
    both = sealed(replace(EPISODES, text=b"new"), MONTHLY_LINKS, rendered=other)
    assert manifest_changes(edition.manifest, both.manifest) == (
        "the HTML and the variant “episodes” would differ: the template, config.toml or an image changed",
    )


@pytest.mark.parametrize(
    ("manifest", "lines"),
    [
        ({}, ()),
        ({"stories": [{"title": "Bread"}]}, (SkimLine(title="Bread"),)),
        ({"stories": [{"title": "Bread"}], "skim": [{"title": "Salt"}]}, (SkimLine(title="Salt"),)),
    ],
)
def test_the_stories_for_somebody_who_skims(manifest: dict[str, Any], lines: tuple[SkimLine, ...]) -> None:
    """Older manifests have titles alone; without a manifest there is nothing."""
    assert manifest_skim(json.dumps(manifest).encode()) == lines
    assert manifest_skim(b"") == ()


def test_suggested_quotes_of_a_talk() -> None:
    """Sentences of its transcript, as the editor may quote them; a post has none."""
    said = (TimedText(text="Salt came by sea."),)
    talk = replace(STORIES[1], quotable=said)
    digest = replace(DIGEST, sections=(Section(kind="posts", heading="", stories=(STORIES[0], talk)),))
    assert json.loads(seal(digest, RENDERED, b"", left_out=()).manifest)["suggestions"]["quotes"] == [
        {
            "feed_id": "podcast",
            "guid": "podcast:kiln",
            "title": "Kiln",
            "sentences": [{"text": "Salt came by sea.", "note_md": "> Salt came by sea."}],
        }
    ]
