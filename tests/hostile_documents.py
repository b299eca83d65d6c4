"""Documents made to overload a parser, about a megabyte each, with one harmless entry where the shape allows it."""

from __future__ import annotations

from collections.abc import Iterator

_MEGA = 1_000_000
_ITEM = b"<item><guid>ok-1</guid><title>Harmless</title></item>"


def _feed(*parts: bytes, head: bytes = b"") -> bytes:
    return head + b"<rss version='2.0'><channel><title>x</title>%b%b</channel></rss>" % (b"".join(parts), _ITEM)


def _item(field: bytes) -> bytes:
    return b"<item><guid>1</guid>%b</item>" % field


def _html(html: bytes) -> bytes:
    return _item(b"<description><![CDATA[%b]]></description>" % html)


def _repeated(piece: bytes, size: int = _MEGA) -> bytes:
    return piece * (size // len(piece))


def _laughs() -> bytes:
    steps = b"".join(b"<!ENTITY a%d '%b'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 30))
    return _feed(_item(b"<title>&a29;</title>"), head=b"<!DOCTYPE rss [<!ENTITY a0 'ha'>%b]>" % steps)


def _quadratic() -> bytes:
    head = b"<!DOCTYPE rss [<!ENTITY a '%b'>]>" % (b"x" * 100_000)
    return _feed(_item(b"<title>%b</title>" % (b"&a;" * 10_000)), head=head)


def _with_bases(entry: bytes) -> bytes:
    """Return 5,000 copies of the inside of an Atom entry, each below an xml:base of its own."""
    entries = (b"<entry xml:base='/%d/'><id>urn:%d</id>%b</entry>" % (n, n, entry) for n in range(5_000))
    return b"<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title>%b</feed>" % b"".join(entries)


def documents() -> dict[str, bytes]:
    """Return the documents by name."""
    return {name.replace("_", "-"): body for name, body in _documents()}


def _documents() -> Iterator[tuple[str, bytes]]:
    yield "billion_laughs", _laughs()
    yield "quadratic_blowup", _quadratic()
    yield "deep_xml", _feed(_repeated(b"<a>"))
    yield "deep_and_closed", _feed(b"<a>" * 100_000 + b"</a>" * 100_000)
    yield "deep_html", _feed(_html(_repeated(b"<div>")))
    yield "deep_lists", _feed(_html(_repeated(b"<ol><li>")))
    yield "deep_inline", _feed(_html(_repeated(b"<b><i>")))
    yield "open_items", b"<rss><channel>" + _repeated(b"<item>")
    yield "small_items", _feed(_repeated(b"<item><guid>x</guid></item>"))
    yield "attributes", _feed(_item(b"<title %b>x</title>" % b" ".join(b"a%d='1'" % n for n in range(100_000))))
    yield "a_million_attributes", _feed(_item(b"<title %b>x</title>" % b" ".join(b"a%d=''" % n for n in range(_MEGA))))
    yield "categories", _feed(_item(_repeated(b"<category>c</category>")))
    yield "prefixes", _feed(b"".join(b"<p%d:a xmlns:p%d='urn:%d'/>" % (n, n, n) for n in range(30_000)))
    yield "undeclared_prefixes", _feed(b"".join(b"<p%d:a/>" % n for n in range(100_000)))
    yield "huge_guid", _feed(b"<item><guid>%b</guid></item>" % (b"g" * 200_000))
    yield "huge_cdata", _feed(_html(b"word " * 800_000))
    yield "huge_title", _feed(_item(b"<title>%b</title>" % _repeated(b"Word ")))
    yield "blank_title", _feed(_item(b"<title>%b.</title>" % _repeated(b" ")))
    yield "dashes_in_title", _feed(_item(b"<title>Podcast %b</title>" % _repeated(b" - ")))
    yield "escaped_title", _feed(_item(b"<title>%b</title>" % _repeated(b"&amp;amp;")))
    yield "huge_link", _feed(_item(b"<link>https://h.example/%b</link>" % _repeated(b"a/../")))
    yield "huge_query", _feed(_item(b"<link>https://h.example/?%b</link>" % _repeated(b"utm_x=1&amp;")))
    yield "huge_date", _feed(_item(b"<pubDate>%b</pubDate>" % _repeated(b"1 Jan ")))
    yield "huge_duration", _feed(_item(b"<itunes:duration>%b</itunes:duration>" % _repeated(b"9:")))
    yield (
        "keywords",
        _feed(_item(b"<itunes:keywords>%b</itunes:keywords>" % b",".join(b"%d" % n for n in range(150_000)))),
    )
    yield "keywords_and_more", _feed(_item(b"<x/><tags>%b</tags>" % b",".join(b"%d" % n for n in range(150_000))))
    yield "keywords_cut", _feed(_item(b"</x><keywords>%b" % b",".join(b"%d" % n for n in range(150_000))))[:-60]
    yield "numbers", _feed(_html(_repeated(b"12,") + b" views"))
    yield "huge_author", _feed(_item(b"<author>%b</author>" % _repeated(b"a@b.c (")))
    yield "ampersands", _feed(_item(b"<title>%b</title>" % _repeated(b"&")))
    yield "angles", _feed(_item(b"<title>%b</title>" % _repeated(b"<")))
    yield "open_cdata", _feed(_repeated(b"<![CDATA["))
    yield "open_comments", _feed(_repeated(b"<!--"))
    yield "open_instructions", _repeated(b"<?x ") + _feed()
    yield "open_doctype", _repeated(b"<!DOCTYPE x [") + _feed()
    yield "entities", b"<!DOCTYPE rss [%b]>" % _repeated(b"<!ENTITY a 'b'>") + _feed()
    yield "references", _feed(_item(b"<title>%b</title>" % _repeated(b"&#65;&bogus;")))
    yield "lists", _feed(_html(_repeated(b"<ol><li>x</li></ol>")))
    yield "links", _feed(_html(_repeated(b"<a href='https://h.example/x'>x</a>")))
    yield "pictures", _feed(_html(_repeated(b"<img src='/x.jpg' width='1'>")))
    yield "paragraphs", _feed(_html(_repeated(b"x\n\n")))
    yield "boilerplate", _feed(_html(_repeated(b"<p>The post x appeared first on y.</p>")))
    yield "ellipses", _feed(_html(_repeated(b"[...] ")))
    yield "data_picture", _feed(_html(b"<img src='data:image/png;base64,%b'>" % _repeated(b"AAAA")))
    yield "zeros", bytes(_MEGA)
    yield "escapes", b"\x1b$B" * 300_000
    yield "bad_bytes", _feed(_item(b"<title>%b</title>" % _repeated(b"\xff")))
    yield "wide", _feed(_html(_repeated(b"word "))).decode().encode("utf-32")
    yield (
        "bases",
        _feed(*(b"<item xml:base='/%d/'><guid>%d</guid><link>a</link></item>" % (n, n) for n in range(5_000))),
    )
    yield "atom_bases", _with_bases(b"<link href='a'/><content type='html'>&lt;a href='b'>c&lt;/a> and more</content>")
    yield "atom_links", _with_bases(b"<link href='a'/>" * 5)
    yield "json_deep", b'{"version": "https://jsonfeed.org/version/1.1", "items": %b' % _repeated(b"[")
    yield "json_number", b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": %b}]}' % _repeated(b"9")
    yield "json_items", b'{"version": "https://jsonfeed.org/version/1.1", "items": [%b 1]}' % _repeated(b'{"id": "x"},')
    yield "page_of_links", b"<html>" + _repeated(b"<link rel=alternate type='application/rss+xml' href=x>")
    yield "page_unclosed", b"<html>" + _repeated(b"<link ")
