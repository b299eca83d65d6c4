"""Differences between two manifests, as phrases for the editor."""

import json
from typing import Any

import pytest

from pipeline.digest.edition.diff import changed_files, manifest_changes

BREAD = {
    "feed_id": "blog",
    "guid": "1",
    "url": "https://h.example/bread",
    "title": "Bread",
    "published_at": "2026-02-10T09:00:00Z",
    "enclosure_url": None,
    "fingerprint": "a",
}
SOUP = BREAD | {"guid": "2", "title": "Soup"}
MANIFEST: dict[str, Any] = {
    "subject": "Bread · Soup",
    "preheader": "And more.",
    "introduction_md": "Hello.",
    "stories": [{"entries": [BREAD]}, {"entries": [SOUP]}],
    "sha256": {"digest.html": "1", "digest.txt": "1", "digest.eml": "1"},
}
PARTS = ("html", "text", "eml")
REWRITTEN = {"sha256": {"digest.html": "2", "digest.txt": "2", "digest.eml": "2"}}


def changes(**changed: Any) -> tuple[str, ...]:
    fresh = MANIFEST | REWRITTEN | changed
    return manifest_changes(json.dumps(MANIFEST).encode(), json.dumps(fresh).encode())


@pytest.mark.parametrize(
    ("changed", "phrase"),
    [
        ({"subject": "Salt"}, "the subject, “Bread · Soup”, would be “Salt”"),
        ({"preheader": "Less."}, "the preheader, “And more.”, would be “Less.”"),
        ({"introduction_md": "Bye."}, "the introduction was rewritten"),
        ({"blocks": [{"kind": "notice", "text_md": "Salt"}]}, "the standing blocks changed"),
        ({"stories": [{"entries": [SOUP]}]}, "“Bread” would be left out"),
        ({"stories": [*MANIFEST["stories"], {"entries": [BREAD | {"guid": "3"}]}]}, "“Bread” would be added"),
        ({"stories": [{"entries": [BREAD | {"fingerprint": "b"}]}, {"entries": [SOUP]}]}, "in its feed: text"),
        ({"stories": [{"entries": [BREAD | {"url": "x", "title": "y"}]}, {"entries": [SOUP]}]}, "title and url"),
        ({"stories": list(reversed(MANIFEST["stories"]))}, "the order of the stories changed"),
        (
            {},
            "the HTML, the plain text and the message file would differ: the template, config.toml or an image changed",
        ),
    ],
)
def test_each_change_is_a_phrase(changed: dict[str, Any], phrase: str) -> None:
    """Texts, entries and their fields are named, or else the files that differ."""
    (change,) = changes(**changed)
    assert phrase in change


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"title": "Salt"}, "title"),
        ({"url": "https://h.example/salt"}, "url"),
        ({"published_at": "2026-02-11T09:00:00Z"}, "published_at"),
        ({"enclosure_url": "https://h.example/a.mp3", "fingerprint": "b"}, "enclosure_url"),
        ({"title": "Salt", "url": "x", "published_at": "y"}, "title, url and published_at"),
    ],
)
def test_edited_fields_are_named(edit: dict[str, Any], words: str) -> None:
    """An entry keeps the title that the editor knows; its text counts as edited only if no field was."""
    stories = [{"entries": [BREAD | edit]}, {"entries": [SOUP]}]
    assert changes(stories=stories) == (f"“Bread” was edited in its feed: {words}",)


def test_an_older_manifest_may_lack_a_key() -> None:
    """One without an introduction is like one whose introduction is empty."""
    without = {key: value for key, value in MANIFEST.items() if key != "introduction_md"}
    empty = MANIFEST | REWRITTEN | {"introduction_md": ""}
    for sealed, fresh in ((without, empty), (MANIFEST | {"introduction_md": ""}, without | REWRITTEN)):
        (change,) = manifest_changes(json.dumps(sealed).encode(), json.dumps(fresh).encode())
        assert change.startswith("the HTML, the plain text")


def test_several_changes_are_several_phrases() -> None:
    """Texts first, then entries that go, come or differ, then their order."""
    other = SOUP | {"guid": "3", "title": "Salt"}
    kept = BREAD | {"guid": "4", "title": "Kiln"}
    old = MANIFEST | {"stories": [{"entries": [BREAD, SOUP, kept]}]}
    new = MANIFEST | REWRITTEN | {"subject": "S", "stories": [{"entries": [kept, BREAD | {"url": "z"}, other]}]}
    assert manifest_changes(json.dumps(old).encode(), json.dumps(new).encode()) == (
        "the subject, “Bread · Soup”, would be “S”",
        "“Soup” would be left out",
        "“Salt” would be added",
        "“Bread” was edited in its feed: url",
        "the order of the stories changed",
    )


def test_equal_bytes_are_no_change() -> None:
    """An edit that no subscriber would see is ignored, whatever else the manifests hold."""
    fresh = MANIFEST | {"stories": [{"entries": [BREAD | {"fingerprint": "b"}]}, {"entries": [SOUP]}], "checks": ["x"]}
    assert manifest_changes(json.dumps(MANIFEST).encode(), json.dumps(fresh).encode()) == ()


def test_the_files_that_differ_are_named() -> None:
    """Each by its file name."""
    fresh = MANIFEST | {"sha256": {"digest.html": "1", "digest.txt": "2", "digest.eml": "2"}}
    assert changed_files(json.dumps(MANIFEST).encode(), json.dumps(fresh).encode()) == ("digest.txt", "digest.eml")


@pytest.mark.parametrize(
    ("old", "new", "phrases"),
    [
        ({"blocks": []}, {}, ()),
        ({}, {"blocks": []}, ()),
        ({}, {"blocks": ["x"]}, ("the standing blocks changed",)),
        ({"blocks": ["x"]}, {}, ("the standing blocks changed",)),
        ({}, {"introduction_md": ""}, ("the introduction was rewritten",)),
        (
            {"subject": "A", "preheader": "B", "introduction_md": "C", "blocks": ["D"]},
            {"subject": "a", "preheader": "b", "introduction_md": "c", "blocks": ["d"]},
            (
                "the subject, “A”, would be “a”",
                "the preheader, “B”, would be “b”",
                "the introduction was rewritten",
                "the standing blocks changed",
            ),
        ),
        (
            {"stories": [{"entries": [BREAD]}]},
            {"stories": [{"entries": [BREAD | {"feed_id": "podcast"}]}]},
            ("“Bread” would be left out", "“Bread” would be added"),
        ),
        (
            {"stories": [{"entries": [BREAD, SOUP]}]},
            {"stories": [{"entries": [SOUP | {"guid": "0"}, BREAD, SOUP | {"guid": "5"}, SOUP]}]},
            ("“Soup” would be added", "“Soup” would be added"),
        ),
        (
            {"stories": [{"entries": [{**BREAD, "fingerprint": None}, SOUP]}]},
            {"stories": [{"entries": [{key: BREAD[key] for key in BREAD if key != "fingerprint"}, SOUP]}]},
            (),
        ),
        (
            {"stories": [{"entries": [{key: BREAD[key] for key in BREAD if key != "fingerprint"}]}]},
            {"stories": [{"entries": [BREAD]}]},
            ("“Bread” was edited in its feed: text",),
        ),
        (
            {"stories": [{"entries": [BREAD]}], "variants": []},
            {"subject": "S", "stories": [], "variants": [{"variant": "links", "sha256": dict.fromkeys(PARTS, "1")}]},
            (
                "the subject, “Bread · Soup”, would be “S”",
                "“Bread” would be left out",
                "the variant “links” would be added",
            ),
        ),
        (
            {"variants": [{"variant": "posts", "sha256": dict.fromkeys(PARTS, "1")}]},
            {"variants": [{"variant": "links", "sha256": dict.fromkeys(PARTS, "1")}]},
            ("the variant “posts” would be left out", "the variant “links” would be added"),
        ),
    ],
)
def test_changes_are_phrases_in_this_order(old: dict[str, Any], new: dict[str, Any], phrases: tuple[str, ...]) -> None:
    """Texts, entries, variants; a key that is missing is as good as an empty one."""
    before, after = (json.dumps(MANIFEST | each).encode() for each in (old, REWRITTEN | new))
    files = "the HTML, the plain text and the message file would differ: the template, config.toml or an image changed"
    assert manifest_changes(before, after) == (phrases or (files,))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["digest.html"], "the HTML"),
        (["digest.txt"], "the plain text"),
        (["digest.eml"], "the message file"),
        (["digest.html", "digest.eml"], "the HTML and the message file"),
    ],
)
def test_files_that_differ_are_listed(files: list[str], words: str) -> None:
    """In words, and only those."""
    fresh = MANIFEST | {"sha256": MANIFEST["sha256"] | dict.fromkeys(files, "2")}
    before, after = json.dumps(MANIFEST).encode(), json.dumps(fresh).encode()
    assert changed_files(before, after) == changed_files(after, before) == tuple(files)
    assert manifest_changes(before, after) == (f"{words} would differ: the template, config.toml or an image changed",)


def test_files_of_variants_follow_in_their_order() -> None:
    """Those of the whole first, then of the older manifest's variants, then of those that are new."""
    posts, links = ({"variant": name, "sha256": dict.fromkeys(PARTS, name)} for name in ("posts", "links"))
    before, after = (
        json.dumps(MANIFEST | each).encode() for each in ({"variants": [posts]}, {"sha256": {}, "variants": [links]})
    )
    names = ("digest.html", "digest.txt", "digest.eml")
    of_variants = [f"variants/{variant}/{name}" for variant in ("posts", "links") for name in names]
    assert changed_files(before, after) == (*names, *of_variants)
    other = json.dumps(MANIFEST | {"variants": [posts | {"sha256": posts["sha256"] | {"text": "2"}}]}).encode()
    assert changed_files(before, other) == ("variants/posts/digest.txt",)
