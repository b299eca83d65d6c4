"""The fast path for simple Atom entries: the same result as feedparser, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import lists, sampled_from

from pipeline.ingest.parse import atom_fast, rss_feedparser
from pipeline.ingest.parse.addresses import resolve_bases
from pipeline.ingest.parse.decode import decode
from pipeline.ingest.parse.xml_document import XmlDocument, is_feed, parse_xml
from pipeline.model.entry import RawEntry

POST = "<id>urn:salt</id><title>Salt</title><link href='https://h.example/a?x=1&amp;y=2'/>"
TEXTS = [
    "Salt", "  blank around  ", "", "R&amp;amp;D", "x &amp; y", "&lt;p&gt;Take &lt;b&gt;salt&lt;/b&gt;&lt;/p&gt;",
    "<![CDATA[<p>fat &amp; acid</p>]]>", "Fähre – „Föhr“", "cafÃ©", "a@h.example", "<b>bold</b>", "a<!-- c -->b",
]  # fmt: skip
TYPES = [
    "", " type='html'", " type='text'", " type='text/html'", " type='xhtml'", " type='HTML'", " type=''",
    " type='image/png'", " xml:lang='de'", " src='https://h.example/x'", " type='html' mode='escaped'",
]  # fmt: skip
LINKS = [
    "href='https://h.example/1'", "href='https://h.example/2' rel='self'", "href='/relative'", "",
    "href='https://h.example/1.mp3' rel='enclosure'", "href='/1.mp3' rel='enclosure'",
    "href='https://h.example/2.mp3' rel='enclosure' type='audio/mpeg' length='12' title='Two' hreflang='de'",
    "href='https://h.example/3.mp3' rel='enclosure' length='long'", "href='https://h.example/4.mp3' rel='ENCLOSURE'",
    "href='https://h.example/3' rel='alternate' type='text/html'", "href='https://h.example/ü.mp3' rel='enclosure'",
    "href='https://h.example/5.mp3' rel='enclosure' type=''",
    "href='https://h.example/6' rel='http://r.example/alternate'",
]  # fmt: skip
ELEMENTS = [
    *(f"<{name}{kind}>{text}</{name}>" for name in ("title", "summary", "content") for kind in TYPES for text in TEXTS),
    *(f"<link {link}/>" for link in LINKS),
    *(f"<id>{text}</id>" for text in ("urn:1", "https://h.example/1", "/relative", "", " urn:2 ")),
    *(f"<{name}>{date}</{name}>" for name in ("published", "updated", "created", "modified")
      for date in ("2026-02-01T10:00:00Z", "2026-02-01", "soon", "")),
    *(f"<author><name>{text}</name>{more}</author>" for text in TEXTS
      for more in ("", "<uri>https://h.example/b</uri>", "<email>b@h.example</email>", "<x>y</x>")),
    "<author/>", "<author>Bo</author>", "<author>Bo<name>Ada</name></author>",
    "<category>fat</category>", "<category/>",
    *(f"<category term='{term}'{more}/>" for term in ("salt", "fat", "")
      for more in ("", " label='Label'", " scheme='https://h.example/s'", " label=''")),
    "<thr:total xmlns:thr='http://purl.org/syndication/thread/1.0'>3</thr:total>", "<rights>Ours</rights>",
    "<contributor><name>C</name></contributor>", "<!-- a comment -->", "<source><title>Other</title></source>",
    "<thumbnail xmlns='http://search.yahoo.com/mrss/' url='https://h.example/1.jpg'/>", "words",
]  # fmt: skip
SIMPLE = [
    POST,
    f"{POST}<published>2026-02-09T06:00:00+01:00</published><updated>2026-02-10T06:00:00Z</updated>",
    f"{POST}<summary>Salt &amp; fat</summary><content type='html'>&lt;p&gt;All of it&lt;/p&gt;</content>",
    f"{POST}<content type='text'>a &lt; b</content>",
    f"{POST}<author><name>Ada Marsh</name><uri>/ada</uri></author><author><name>Bo</name></author>",
    f"{POST}<category term='salt' label='Salt'/><category term='salt' label='Salt'/><category term='fat'/>",
    f"{POST}<link rel='enclosure' type='audio/mpeg' length='12' href='https://h.example/1.mp3'/>",
    "<title type='html'>Salt &lt;i&gt;&amp;amp;&lt;/i&gt; fat 🧂</title><id>https://h.example/only</id>",
]


def feed(*entries: str) -> XmlDocument:
    """Return a document with these entries; every second one has a base."""
    bases = ("", " xml:base='https://b.example/c/' xml:lang='de'")
    inside = "".join(f"<entry{bases[index % 2]}>{entry}</entry>" for index, entry in enumerate(entries))
    own = "<title>Harbour</title><author><name>The Editor</name></author>"
    text = f"<feed xmlns='http://www.w3.org/2005/Atom'>{own}{inside}</feed>"
    return resolve_bases(parse_xml(text), "https://h.example/feed")


def parse_both_ways(document: XmlDocument) -> Iterator[tuple[RawEntry | None, RawEntry]]:
    """Yield each entry as parsed by the fast path and by feedparser."""
    parsed = rss_feedparser._feedparser(document.to_bytes())
    if len(parsed.entries) == len(document.elements):
        for element, entry in zip(document.elements, parsed.entries, strict=True):
            simple = atom_fast.parse_simple_entry(element, document.bases)
            yield simple, rss_feedparser._entry(entry, element, document.bases, is_atom=True)


@pytest.mark.parametrize("entry", SIMPLE)
def test_usual_entries_are_simple(entry: str) -> None:
    """They equal those of feedparser, field by field, below an xml:base as well."""
    for simple, parsed in parse_both_ways(feed(entry, entry)):
        assert simple == parsed


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(lists(lists(sampled_from(ELEMENTS), max_size=8), min_size=1, max_size=6))
def test_any_entry_equals_that_of_feedparser_or_is_left_to_it(entries: list[list[str]]) -> None:
    """Whatever elements it has, in any order and number."""
    for simple, parsed in parse_both_ways(feed(*map("".join, entries))):
        assert simple in (None, parsed)


def test_only_atom_1_is_supported() -> None:
    """Other formats are left to feedparser or to the fast path for RSS."""
    for root in ("<rss version='2.0'/>", "<feed/>", "<feed xmlns='http://purl.org/atom/ns#' version='0.3'/>"):
        assert not atom_fast.supports(parse_xml(root).root)


@pytest.mark.corpus
def test_simple_entries_of_the_corpus_equal_those_of_feedparser(corpus: Path) -> None:
    """Half of all entries are simple, and each gives the same result."""
    count = 0
    for file in sorted(each for each in corpus.rglob("*") if each.is_file() and each.suffix != ".tsv"):
        text = decode(file.read_bytes())
        document = parse_xml(text) if is_feed(text) else None
        if document and document.is_complete and document.root is not None and atom_fast.supports(document.root):
            for simple, parsed in parse_both_ways(resolve_bases(document, "https://h.example/feed")):
                assert simple in (None, parsed), file.name
                count += simple is not None
    assert count > 200
