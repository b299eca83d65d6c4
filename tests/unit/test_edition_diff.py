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
