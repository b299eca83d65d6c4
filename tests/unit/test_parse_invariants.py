"""What reading promises of every document: over feeds made of any fields, and of documents spoilt by chance."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pipeline.model.entry import Enclosure, Entry, Transcript
from tests.invariants import NOW, document_difference, parser_difference, read_entries, violation
from tests.mutations import MUTATIONS, mutated

QUIRKS = Path(__file__).parents[2] / "fixtures" / "quirks"
GOOD = Entry(feed_id="blog", guid="1", url="https://h.example/1", title="Salt", published_at=NOW)

# What a field of an item may say: words, markup, addresses of every kind, dates, numbers, nothing.
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60)
_LINKS = st.sampled_from(
    [
        "https://h.example/a",
        "../b?utm_source=x#c",
        "javascript:alert(1)",
        "data:text/html,x",
        "//h.example:99999/",
        "x y",
    ]
)
_MARKUP = st.builds("<p>{}<a href='{}'>x</a><img src='{}' onerror=x><ol><li>".format, _WORDS, _LINKS, _LINKS)
_DATES = st.sampled_from(
    ["Tue, 10 Feb 2026 08:30:00 +0000", "2026-02-10T08:30:00Z", "soon", "0000-00-00", "9999-12-31"]
)
_VALUES = st.one_of(_WORDS, _LINKS, _MARKUP, _DATES)
_NAMES = st.sampled_from(
    ["title", "link", "guid", "description", "pubDate", "author", "category", "enclosure", "comments"]
    + ["{http://purl.org/rss/1.0/modules/content/}encoded", "{http://purl.org/dc/elements/1.1/}creator"]
    + [f"{{http://www.itunes.com/dtds/podcast-1.0.dtd}}{name}" for name in ("duration", "episode", "explicit", "image")]
    + [f"{{https://podcastindex.org/namespace/1.0}}{name}" for name in ("person", "transcript", "chapters", "season")]
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["url", "href", "type", "length", "isPermaLink", "role"]), _VALUES, max_size=3
)
_ITEMS = st.lists(st.lists(st.tuples(_NAMES, _VALUES, _ATTRIBUTES), max_size=8), max_size=5)


def document(items: list[list[tuple[str, str, dict[str, str]]]]) -> bytes:
    """Write items as an RSS feed, well-formed whatever is in them."""
    rss = etree.Element("rss", version="2.0")
    channel = etree.SubElement(rss, "channel")
    for fields in items:
        item = etree.SubElement(channel, "item")
        for name, value, attributes in fields:
            field = etree.SubElement(item, name, {key: _legal(each) for key, each in attributes.items()})
            field.text = _legal(value)
    etree.SubElement(channel, "title").text = "Harbour & Hearth"
    return bytes(etree.tostring(rss, encoding="utf-8"))


def _legal(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


@settings(max_examples=50)
@given(_ITEMS)
def test_any_fields_keep_the_promises_and_read_the_same_both_ways(items: list) -> None:
    """Whatever items say: safe entries, one for each, and the same ones where the end of the document is damaged."""
    body = document(items)
    assert violation(read_entries(body)) == ""
    assert parser_difference(body.decode()) == ""


@pytest.mark.parametrize("mutation", dict.fromkeys(MUTATIONS), ids=lambda mutation: mutation.__name__.strip("_"))
def test_each_way_of_spoiling_spoils(mutation: object) -> None:
    """A mutation that changed nothing would test nothing."""
    body = (QUIRKS / "podcast-tags.xml").read_bytes()
    results = {mutation(random.Random(seed), body, [body]) for seed in range(20)}
    assert len(results - {body}) > 3


@pytest.mark.parametrize("seed", range(10))
def test_spoilt_documents_keep_the_promises(seed: int) -> None:
    """Fifty documents of the fuzzer's, the same at every run; ``python -m tests.fuzz_ingest`` goes on."""
    chance = random.Random(seed)
    bodies = [path.read_bytes() for path in sorted(QUIRKS.glob("*.xml"))]
    for _ in range(5):
        body = mutated(chance, chance.choice(bodies), bodies)
        assert violation(read_entries(body)) == "", body
        assert document_difference(body) == "", body


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (replace(GOOD, url="javascript:x"), "unsafe address"),
        (replace(GOOD, enclosure=Enclosure(url="file:///etc/hostname")), "unsafe address"),
        (replace(GOOD, transcripts=(Transcript(url="https://h.example/a b"),)), "unsafe address"),
        (replace(GOOD, guid=""), "a guid of 0 characters"),
        (replace(GOOD, published_at=NOW.replace(year=2027)), "the date 2027"),
        (replace(GOOD, title="a\0b"), "no database takes"),
        (replace(GOOD, body_html="<p>x</p><script>x</script>"), "<script> in a body"),
        (replace(GOOD, body_html="<p onclick=x>"), "the attribute onclick"),
        (replace(GOOD, body_html="<a title='a href=' href='data:x'>"), "the address 'data:x'"),
    ],
)
def test_each_broken_promise_is_seen(entry: Entry, words: str) -> None:
    """The fuzzer would notice."""
    assert words in violation([entry])
    assert "two entries" in violation([GOOD, GOOD])
    assert violation([GOOD]) == ""


def test_a_mail_address_that_looks_like_an_attribute_harms_nobody() -> None:
    """Found by fuzzing: what stands inside an attribute's quotes is no attribute."""
    entry = replace(GOOD, body_html='<a href="mailto:crew@harbo;a href=">write</a>')
    assert violation([entry]) == ""


def test_a_reference_to_half_a_character_reads_the_same_both_ways() -> None:
    """In a CDATA, where XML allows it: it is left out, however the document is read."""
    body = (
        b"<rss version='2.0'><channel><item><guid>1</guid><description><![CDATA[<a hr&#xD800;ef='/x'>x</a>&#57343;]]>"
    )
    body += b"</description></item></channel></rss>"
    assert document_difference(body) == ""
    assert "&#" not in read_entries(body)[0].body_html
