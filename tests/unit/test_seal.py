"""Sealing: the manifest tells what is in an edition, and the hash changes with everything a subscriber gets."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from pipeline.digest.edition.seal import content_hash, mark_approved, seal
from pipeline.model.block import Block
from pipeline.model.check import CheckResult
from pipeline.model.digest import (
    Decision,
    Digest,
    Edition,
    Publication,
    RelatedEntry,
    RenderedDigest,
    Section,
    SkimLine,
    Story,
)
from pipeline.model.entry import TimedText
from pipeline.model.variant import Variant, VariantKey
from tests.factories import MONDAY, entry, episode

POST, EPISODE, OLD = entry("Bréad & Salt"), episode("Kiln"), entry("Frost", datetime(2020, 5, 4, 3, 2, 1, tzinfo=UTC))
CHECK = CheckResult(name="subject", level="hint", message="Shorten the subject.", where="subject", fix_target="subject")
RELATED = RelatedEntry(title="Oven", url="https://blog.example/oven", published_at=MONDAY, guid="old:1", feed_id="blog")
BOTH = Story(
    kind="read-or-listen", title="Bread", url="https://a.example/1", entries=(POST, EPISODE), related=(RELATED,)
)
AGAIN = Story(kind="post", title="Frost", url="https://a.example/2", entries=(OLD,))
IN = Decision(
    feed_id="blog", guid="in:1", title="Bread", included=True, reason="dated Mon 9 Feb 2026", published_at=MONDAY
)
OUT = replace(IN, guid="out:1", title="Salt", included=False, reason="dated earlier")
PUBLICATION = Publication(
    name="Quay",
    url="https://a.example/",
    timezone="UTC",
    language="en",
    sender="a@a.example",
    editor="E",
    postal_address="",
)
DIGEST = Digest(
    week="2026-W07",
    opens_at=MONDAY,
    closes_at=MONDAY + timedelta(days=7),
    publication=PUBLICATION,
    subject="",
    preheader="",
    sections=(Section(kind="posts", heading="To read", stories=(BOTH,)),),
    decisions=(IN, OUT),
    introduction_md="Good *morning*.",
    number=12,
    archive=(Section(kind="archive", heading="From the archive", stories=(AGAIN,)),),
)
RENDERED = RenderedDigest(subject="Brød", preheader="and salt", html="<p>é</p>", text="é\n")


def sealed(digest: Digest = DIGEST, rendered: RenderedDigest = RENDERED, eml: bytes = b"eml", **more: Any) -> Edition:
    return seal(digest, rendered, eml, **({"left_out": [OUT]} | more))


def manifest(edition: Edition) -> dict[str, Any]:
    return json.loads(edition.manifest)


def selected(values: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in like}


def test_an_edition_holds_the_rendered_bytes() -> None:
    """Subject, preheader, number and parts are those that were rendered; the manifest is UTF-8 with a final newline."""
    edition = sealed()
    assert (edition.week, edition.state, edition.number) == ("2026-W07", "draft", 12)
    assert (edition.subject, edition.preheader) == ("Brød", "and salt")
    assert (edition.html, edition.text, edition.eml) == ("<p>é</p>".encode(), "é\n".encode(), b"eml")
    assert edition.manifest.startswith(b'{\n  "edition": "2026-W07",\n')
    assert edition.manifest.endswith(b"}\n")
    assert "Brød".encode() in edition.manifest


def test_the_manifest_describes_the_edition() -> None:
    """Its keys are a contract: edition, dates, stories, what was included and left out, checks and hashes."""
    edition = sealed(checks=[CHECK], fingerprints={("blog", POST.guid): "f1"})
    digest = {"digest.html": edition.html, "digest.txt": edition.text, "digest.eml": edition.eml}
    expected = {
        "edition": "2026-W07",
        "number": 12,
        "state": "draft",
        "subject": "Brød",
        "preheader": "and salt",
        "opens_at": "2026-02-09T00:00:00Z",
        "closes_at": "2026-02-16T00:00:00Z",
        "introduction_md": "Good *morning*.",
        "archive": [
            {
                "heading": "From the archive",
                "title": "Frost",
                "url": "https://a.example/2",
                "feed_id": "blog",
                "guid": "blog:frost",
            }
        ],
        "included": [{"feed_id": "blog", "guid": "in:1", "title": "Bread", "reason": "dated Mon 9 Feb 2026"}],
        "left_out": [{"feed_id": "blog", "guid": "out:1", "title": "Salt", "reason": "dated earlier"}],
        "checks": [asdict(CHECK)],
        "sha256": {name: sha256(content).hexdigest() for name, content in digest.items()},
        "content_hash": edition.content_hash,
    }
    assert selected(manifest(edition), expected) == expected


def test_the_manifest_lists_stories_with_their_entries() -> None:
    """Each entry has its fingerprint, if one is known, and the URL of its audio, if there is one."""
    (story,) = manifest(sealed(fingerprints={("blog", POST.guid): "f1"}))["stories"]
    expected = {
        "section": "posts",
        "heading": "To read",
        "kind": "read-or-listen",
        "title": "Bread",
        "url": "https://a.example/1",
        "entries": [
            {
                "feed_id": "blog",
                "guid": POST.guid,
                "url": POST.url,
                "title": "Bréad & Salt",
                "published_at": "2026-02-09T00:00:00Z",
                "enclosure_url": None,
                "fingerprint": "f1",
            },
            {
                "feed_id": "podcast",
                "guid": EPISODE.guid,
                "url": EPISODE.url,
                "title": "Kiln",
                "published_at": "2026-02-09T00:00:00Z",
                "enclosure_url": "https://audio.example/Kiln.mp3",
                "fingerprint": "",
            },
        ],
        "related": [{"title": "Oven", "url": "https://blog.example/oven", "feed_id": "blog", "guid": "old:1"}],
    }
    assert selected(story, expected) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"digest": replace(DIGEST, week="2026-W08")},
        {"digest": replace(DIGEST, number=13)},
        {"digest": replace(DIGEST, sections=())},
        {"rendered": replace(RENDERED, subject="Brod")},
        {"rendered": replace(RENDERED, preheader="")},
        {"rendered": replace(RENDERED, html="<p>e</p>")},
        {"rendered": replace(RENDERED, text="e\n")},
        {"eml": b"another"},
    ],
)
def test_the_hash_changes_with_what_a_subscriber_gets(changed: dict[str, Any]) -> None:
    """Week, number, subject, preheader, each part and the entries count."""
    assert sealed(**changed).content_hash != sealed().content_hash


def test_the_hash_is_the_same_for_what_no_subscriber_gets() -> None:
    """Left-out entries, checks, fingerprints, notes on dates and the state do not count, and it stays what it was."""
    edition = sealed(left_out=[], checks=[CHECK], fingerprints={("blog", POST.guid): "f2"})
    approved = mark_approved(edition)
    assert edition.content_hash == sealed().content_hash == content_hash(manifest(approved))
    content = [["2026-W07", 12, "Brød", "and salt", manifest(edition)["sha256"]]]
    content.append([[["blog", POST.guid], ["podcast", EPISODE.guid]]])
    written = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
    assert edition.content_hash == sha256(written).hexdigest()


def test_an_approved_edition_differs_in_its_state_only() -> None:
    """The manifest names the ignored checks once each, in order."""
    edition = sealed()
    approved = mark_approved(edition, overridden=["subject", "contrast", "subject"])
    assert replace(approved, state="draft", manifest=edition.manifest) == edition
    assert approved.state == "approved"
    assert manifest(approved) == manifest(edition) | {"state": "approved", "overridden": ["contrast", "subject"]}
    assert approved.manifest.endswith(b"\n}\n")


FULL = replace(
    DIGEST,
    subject_suggestions=("Brød", "Salt"),
    preheader_suggestions=("and frost",),
    blocks=(Block(kind="notice", label="Hint", position="before stories", text_md="*New* oven"),),
)
SKIM = (SkimLine(title="Bread", text="Baked.", level="lead"), SkimLine(title="Kiln"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("suggestions", {"subject": ["Brød", "Salt"], "preheader": ["and frost"], "quotes": []}),
        (
            "blocks",
            [{"kind": "notice", "label": "Hint", "position": "before stories", "text_md": "*New* oven"}],
        ),
        (
            "skim",
            [{"title": "Bread", "text": "Baked.", "level": "lead"}, {"title": "Kiln", "text": "", "level": "story"}],
        ),
        ("checks", []),
        ("state", "draft"),
    ],
)
def test_the_manifest_has_what_an_editor_may_use(key: str, value: object) -> None:
    """Suggestions, standing blocks, the lines for those who skim; no check unless one was made."""
    assert manifest(sealed(FULL, replace(RENDERED, skim=SKIM)))[key] == value


def test_keys_of_the_manifest_keep_their_order() -> None:
    """What is read first comes first; the hash of everything is last."""
    assert " ".join(manifest(sealed())) == (
        "edition number state subject preheader opens_at closes_at suggestions introduction_md skim blocks stories "
        "archive included left_out checks sha256 content_hash"
    )
    assert " ".join(manifest(sealed())["stories"][0]) == "section heading kind level title url entries related"
    assert sealed().manifest.decode() == json.dumps(manifest(sealed()), ensure_ascii=False, indent=2) + "\n"


def test_sections_follow_each_other_in_the_manifest() -> None:
    """Each story has the kind and the heading of its own section, and its level; so has each older story."""
    brief = replace(AGAIN, level="brief", entries=(OLD, POST))
    sections = (*DIGEST.sections, Section(kind="links", heading="Elsewhere", stories=(brief, replace(AGAIN, url="u"))))
    older = (
        Section(kind="archive", heading="A", stories=(brief, BOTH)),
        Section(kind="archive", heading="B", stories=(AGAIN,)),
    )
    written = manifest(sealed(replace(DIGEST, sections=sections, archive=older)))
    assert [(story["section"], story["heading"], story["level"], story["url"]) for story in written["stories"]] == [
        ("posts", "To read", "story", "https://a.example/1"),
        ("links", "Elsewhere", "brief", "https://a.example/2"),
        ("links", "Elsewhere", "story", "u"),
    ]
    assert written["stories"][2]["related"] == []
    assert written["stories"][2]["entries"][0]["published_at"] == "2020-05-04T03:02:01Z"
    assert [(story["heading"], story["guid"]) for story in written["archive"]] == [
        ("A", OLD.guid),
        ("A", POST.guid),
        ("B", OLD.guid),
    ]


@pytest.mark.parametrize(
    ("story", "guids"),
    [
        (replace(BOTH, quotable=(TimedText(text="Hot."),)), [POST.guid]),
        (replace(BOTH, quotable=()), []),
        (replace(AGAIN, quotable=(TimedText(text="Hot."),)), []),
    ],
)
def test_only_episodes_are_quoted(story: Story, guids: list[str]) -> None:
    """By their first entry, which names the story; a post has no transcript."""
    digest = replace(DIGEST, sections=(Section(kind="posts", heading="", stories=(story,)),))
    assert [quote["guid"] for quote in manifest(sealed(digest))["suggestions"]["quotes"]] == guids


def test_the_hash_covers_variants_in_their_order() -> None:
    """By name and by the hashes of their files; for a manifest without any it is what it was before there were some."""
    posts = Variant(
        key=VariantKey(topics=("posts",)), shown=("posts",), subject="B", preheader="", html=b"1", text=b"2", eml=b"3"
    )
    links = replace(posts, key=VariantKey(topics=("links",)))
    edition = sealed(variants=[(posts, DIGEST), (links, DIGEST)])
    hashes = {"html": sha256(b"1").hexdigest(), "text": sha256(b"2").hexdigest(), "eml": sha256(b"3").hexdigest()}
    content = [["2026-W07", 12, "Brød", "and salt", manifest(edition)["sha256"]]]
    content += [[[["blog", POST.guid], ["podcast", EPISODE.guid]]], [["posts", hashes], ["links", hashes]]]  # type: ignore[list-item]
    written = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
    assert edition.content_hash == sha256(written).hexdigest()
    assert edition.variants == (posts, links)
    assert content_hash(manifest(edition) | {"variants": []}) == sealed().content_hash


def test_an_approval_ignores_no_check_by_itself() -> None:
    """The key is there all the same."""
    assert manifest(mark_approved(sealed()))["overridden"] == []
