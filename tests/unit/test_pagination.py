"""Older pages of a feed: linked or numbered."""

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
    "capital letters and blanks": (ATOM.format(head='<LINK REL=" Next " HREF="/upper"/>', tail=""), "/upper"),
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
    "no relation": ATOM.format(head='<link href="/x"/>', tail=""),
    "no href": ATOM.format(head='<link rel="next"/>', tail=""),
    "JSON that is broken": '{"next_url": ',
    "JSON with a number": '{"next_url": 7}',
    "nothing": "",
}


@pytest.mark.parametrize("case", ANNOUNCED)
def test_linked_page_is_found(case: str):
    """Absolute, in every format; prev-archive comes before next."""
    body, path = ANNOUNCED[case]
    assert next_page_url(body.encode(), "", URL) == f"https://h.example{path}"


@pytest.mark.parametrize("case", SILENT)
def test_other_links_are_ignored(case: str):
    """Entries' links, other relations and invalid URLs are not older pages."""
    assert next_page_url(SILENT[case].encode(), "", URL) == ""


def test_hostile_document_is_fast():
    """Half a million unfinished tags are searched in linear time."""
    assert next_page_url(b"<link rel='next' " * 500_000, "", URL) == ""
    assert next_page_url(b"<item>" * 500_000, "", URL) == ""


def test_pages_are_numbered_as_in_wordpress():
    """The parameter is set or replaced; the rest of the URL stays."""
    assert numbered_page_url("https://h.example/feed/", 2) == "https://h.example/feed/?paged=2"
    assert numbered_page_url("https://h.example/feed/?cat=&q=a%20b", 2) == "https://h.example/feed/?cat=&q=a+b&paged=2"
    assert numbered_page_url("https://h.example/?feed=rss2&paged=9#x", 3) == "https://h.example/?feed=rss2&paged=3"


def test_page_hash_identifies_a_page():
    """The same entries in another order are the same page."""
    assert page_hash(["a", "b"]) == page_hash(["b", "a"])
    assert page_hash(["a", "b"]) != page_hash(["ab"])
