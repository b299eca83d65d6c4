"""The page behind a page: what documents announce, and what is counted."""

from __future__ import annotations

import json

import pytest

from pipeline.ingest.pagination import next_page_url, numbered_page_url, page_hash

URL = "https://h.example/feed/"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom">{head}<entry><link rel="next" href="/no"/></entry>{tail}</feed>'
ANNOUNCED = {
    "archived feed (RFC 5005, 4)": (ATOM.format(head='<link rel="prev-archive" href="/2025"/>', tail=""), "/2025"),
    "paged feed (RFC 5005, 3)": (ATOM.format(head='<link href="/feed/?p=2" rel="next"/>', tail=""), "/feed/?p=2"),
    "archive before page": (
        ATOM.format(head='<link rel="next" href="/n"/><link rel="prev-archive" href="/a"/>', tail=""),
        "/a",
    ),
    "first of two": (ATOM.format(head='<link rel="next" href="/1"/><link rel="next" href="/2"/>', tail=""), "/1"),
    "RSS with atom:link": (
        "<rss><channel><atom:link rel='next' href='?a=1&amp;b=2'/><item><title>x</title></item></channel></rss>",
        "/feed/?a=1&b=2",
    ),
    "after the entries": (ATOM.format(head="", tail='<link rel="next" href="/late"/>'), "/late"),
    "JSON Feed": (
        json.dumps({"version": "https://jsonfeed.org/version/1.1", "next_url": "/feed.json?p=2"}),
        "/feed.json?p=2",
    ),
}
SILENT = {
    "an entry's own link": ATOM.format(head="", tail=""),
    "the feed itself": ATOM.format(head='<link rel="self" href="/feed/"/>', tail=""),
    "a script": ATOM.format(head='<link rel="next" href="javascript:alert(1)"/>', tail=""),
    "no href": ATOM.format(head='<link rel="next"/>', tail=""),
    "JSON that is broken": '{"next_url": ',
    "JSON with a number": '{"next_url": 7}',
    "nothing": "",
}


@pytest.mark.parametrize("case", ANNOUNCED)
def test_what_a_document_announces_is_followed(case: str):
    """Absolute, whatever the dialect; an archive document goes before a page."""
    body, path = ANNOUNCED[case]
    assert next_page_url(body.encode(), "", URL) == f"https://h.example{path}"


@pytest.mark.parametrize("case", SILENT)
def test_what_is_no_older_page_is_not_followed(case: str):
    """Entries' links, other relations and what is no address say nothing about older pages."""
    assert next_page_url(SILENT[case].encode(), "", URL) == ""


def test_a_hostile_document_costs_no_time():
    """Half a million unfinished tags are given up at once (a slow pattern would take minutes)."""
    assert next_page_url(b"<link rel='next' " * 500_000, "", URL) == ""
    assert next_page_url(b"<item>" * 500_000, "", URL) == ""


def test_pages_are_counted_as_wordpress_does():
    """One parameter, whatever was asked before; what else the address says stays."""
    assert numbered_page_url("https://h.example/feed/", 2) == "https://h.example/feed/?paged=2"
    assert numbered_page_url("https://h.example/?feed=rss2&paged=9#x", 3) == "https://h.example/?feed=rss2&paged=3"


def test_a_page_is_known_again_by_its_entries():
    """The same entries in another order are the same page, others are not."""
    assert page_hash(["a", "b"]) == page_hash(["b", "a"])
    assert page_hash(["a", "b"]) != page_hash(["ab"])
