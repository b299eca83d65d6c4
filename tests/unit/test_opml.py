"""OPML: every version and spelling is read, hostile documents do no harm, written documents can be read."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.opml import MAX_BYTES, MAX_OUTLINES, Outline, read_opml, write_opml
from pipeline.model.errors import UsageError
from pipeline.model.feed import FEED_KINDS
from tests.measure_cost import scaled_seconds


def opml(body: str, version: str = "2.0") -> bytes:
    return f'<?xml version="1.0"?><opml version="{version}"><head/><body>{body}</body></opml>'.encode()


def test_nested_outlines_know_their_folder():
    """OPML 1.0 and 2.0, xmlUrl in any case, nested folders; a folder that is a feed is not a folder."""
    body = """<outline text="Sea"><outline title="Boats" text="Boats  and
    ropes" xmlURL="https://b.example/"/><outline text="Far"><outline xmlurl="https://f.example/" text="F"/></outline>
    </outline><outline text="Own" xmlUrl="https://o.example/"><outline text="In" xmlUrl="https://i.example/"/></outline>"""
    for version in ("1.0", "1.1", "2.0"):
        assert read_opml(opml(body, version)) == (
            Outline(url="https://b.example/", name="Boats and ropes", title="Boats", folder="Sea"),
            Outline(url="https://f.example/", name="F", folder="Far"),
            Outline(url="https://o.example/", name="Own"),
            Outline(url="https://i.example/", name="In"),
        )


@pytest.mark.parametrize(
    ("outline", "kind"),
    [
        ('type="rss"', None),
        ('type="podcast"', "podcast"),
        ('type="rss" category="/Podcasts"', "podcast"),
        ('type="rss" category="sea,/podcast/food"', "podcast"),
        ('type="link" category="links"', "links"),
        ('category="blog"', "blog"),
        ('category="podcasting"', None),
    ],
)
def test_kind_from_the_outline(outline: str, kind: str | None):
    """Its type or one of its categories; partial words do not count."""
    (found,) = read_opml(opml(f'<outline xmlUrl="https://a.example/" {outline}/>'))
    assert found.kind == kind


def test_kind_from_the_folder():
    """Most podcast players export a folder of podcasts."""
    body = '<outline text="podcasts"><outline xmlUrl="https://a.example/"/></outline>'
    assert read_opml(opml(body))[0].kind == "podcast"


def test_other_outlines_are_skipped():
    """Text, links, comments, instructions and empty URLs are not feeds."""
    body = '<!-- x --><?y z?><outline text="t"/><outline type="link" url="https://a.example/"/><outline xmlUrl=""/>'
    assert read_opml(opml(body)) == ()


def test_broken_document_is_read_as_far_as_possible():
    """A bare ampersand and a missing end are common; a namespace does not matter."""
    broken = b'<opml xmlns="urn:x"><body><outline text="A & B" xmlUrl="https://a.example/?x=1&y=2"/><outline xmlUrl='
    assert read_opml(broken)[0].url.startswith("https://a.example/?x=1")


@pytest.mark.parametrize("body", [b"", b"   ", b"{}", b"<html></html>", b"<rss version='2.0'/>", b"\x00\xff", b"<"])
def test_other_documents_are_refused(body: bytes):
    """The error says where to get an OPML file."""
    with pytest.raises(UsageError, match="is not OPML: export one from your feed reader"):
        read_opml(body)


def test_hostile_documents_do_no_harm(tmp_path):
    """No file is read, no URL opened, no entity expanded, no nesting too deep: each ends within a second."""
    secret = tmp_path / "secret"
    secret.write_text('<outline xmlUrl="https://hunter2.example/"/>')
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    hostile = [
        f'<!DOCTYPE o [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        '<opml><body><outline text="&x;" xmlUrl="https://a.example/&x;"/>&x;</body></opml>',
        f'<!DOCTYPE o [<!ENTITY e0 "aaaaaaaaaa">{entities}]>'
        '<opml><body><outline text="&e9;" xmlUrl="https://a.example/"/></body></opml>',
        '<!DOCTYPE o SYSTEM "http://a.example/x.dtd"><opml><body><outline xmlUrl="https://a.example/"/></body></opml>',
        "<opml><body>" + "<outline>" * 100_000,
        '<opml><body><outline xmlUrl="https://a.example/" ' + "".join(f'a{n}="" ' for n in range(20_000)) + "/>",
    ]
    for document in hostile:
        found: list[object] = []

        def read(document: str = document, found: list[object] = found) -> None:
            with suppress(UsageError):
                found.extend(read_opml(document.encode()))

        assert scaled_seconds(read) < 1
        assert "hunter2" not in str(found)
        assert len(str(found)) < 10_000


def test_unreasonably_large_lists_are_refused():
    """By number of feeds, by size, and by the length of a tag."""
    with pytest.raises(UsageError, match="lists 2,001 feeds"):
        read_opml(opml('<outline xmlUrl="https://a.example/"/>' * (MAX_OUTLINES + 1)))
    for endless in (b" " * (MAX_BYTES + 1), opml(f"<outline {'a' * 10_000}")):
        with pytest.raises(UsageError, match="too large for a list of feeds"):
            read_opml(endless)


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=12)


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            Outline, url=WORDS.filter(bool), name=WORDS, title=WORDS, kind=st.sampled_from(FEED_KINDS), folder=WORDS
        )
    )
)
def test_written_documents_can_be_read(outlines: list[Outline]):
    """For any text in names and folders."""
    assert list(read_opml(write_opml("N & Co", outlines))) == outlines


def test_unescaped_ampersands_are_kept():
    """Neither in an address nor in a name is anything lost, whatever entity the text resembles."""
    body = opml(
        '<outline text="Nets &amp; Oars & more" xmlUrl="https://a.example/f?a=1&copy=2&lang=de&reg=x"/>'
        '<outline text="Caf&eacute; <3" xmlUrl="https://a.example/f?a=1&amp;b=2"/>'
    )
    first, second = read_opml(body)
    assert (first.url, first.name) == ("https://a.example/f?a=1&copy=2&lang=de&reg=x", "Nets & Oars & more")
    assert (second.url, second.name) == ("https://a.example/f?a=1&b=2", "Café <3")
    assert [first.is_damaged, second.is_damaged] == [False, False]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("feed://a.example/f", "http://a.example/f"),
        ("feed:https://a.example/f", "https://a.example/f"),
        ("feed://https://a.example/f", "https://a.example/f"),
        ("pcast://a.example/f", "http://a.example/f"),
        ("ITPC://a.example/f", "http://a.example/f"),
        ("https://feed.example/f", "https://feed.example/f"),
    ],
)
def test_schemes_of_feed_readers(written: str, read: str):
    """They are read as http or https."""
    assert read_opml(opml(f'<outline xmlUrl="{written}"/>'))[0].url == read


def test_unreadable_addresses_are_named():
    """What the parser of a broken document loses is returned as damaged, but not what is in a comment."""
    body = opml(
        '<!-- <outline xmlUrl="https://no.example/"/> --><outline text="A & B" xmlUrl="https://a.example/"/>'
        "<outline text='C' xmlUrl=https://c.example/f />"
    )
    assert [(outline.url, outline.is_damaged) for outline in read_opml(body)] == [
        ("https://a.example/", False),
        ("https://c.example/f", True),
    ]
