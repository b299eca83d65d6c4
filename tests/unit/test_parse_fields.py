"""Every field that is read from an XML feed: where it is written, in which order of preference, and its default."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from pipeline.ingest.parse.extensions import (
    MAX_PERSONS,
    MAX_SOUNDBITES,
    channel_extensions,
    element_guid,
    entry_extensions,
    image_descriptions,
)
from pipeline.ingest.parse.parser import parse_feed
from pipeline.model.entry import Enclosure, ParsedFeed, Person, Picture, RawEntry, Soundbite, Transcript
from pipeline.model.feed import Channel
from tests.rows import shortened

URL = "https://h.example/feed"
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:dcterms="http://purl.org/dc/terms/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:wfw="http://wellformedweb.org/CommentAPI/"'
)
MEDIA = "<media:thumbnail url='t.jpg'/>"
"""An element that the fast path does not know."""
ITEM = {
    "title": "<title>Salt</title>",
    "link": "<link>https://h.example/1</link>",
    "guid": "<guid isPermaLink='true'>https://h.example/2</guid>",
    "pubDate": "<pubDate>Tue, 10 Feb 2026 08:30:00 GMT</pubDate>",
    "description": "<description>&lt;p&gt;Short.&lt;/p&gt;</description>",
    "content": "<content:encoded>&lt;p&gt;Much longer.&lt;/p&gt;</content:encoded>",
    "creator": "<dc:creator>Ada</dc:creator>",
    "category": "<category>Bread</category><category domain='d'>Salt</category>",
    "enclosure": "<enclosure url='https://h.example/1.mp3' type='audio/mpeg' length='12'/>",
    "duration": "<itunes:duration>42:00</itunes:duration>",
    "subtitle": "<itunes:subtitle>Less</itunes:subtitle>",
    "season": "<itunes:season>2</itunes:season>",
    "episode": "<itunes:episode>7</itunes:episode>",
    "type": "<itunes:episodeType>Bonus</itunes:episodeType>",
    "explicit": "<itunes:explicit>yes</itunes:explicit>",
    "image": "<itunes:image href='https://h.example/1.jpg'/>",
    "transcript": "<podcast:transcript url='1.vtt' type='text/vtt' language='de'/>",
    "chapters": "<podcast:chapters url='1.json'/>",
    "person": "<podcast:person role=' Guest ' href='/bo' img='/bo.jpg'>Bo</podcast:person>",
    "soundbite": "<podcast:soundbite startTime='1.5' duration='30'>Hear</podcast:soundbite>",
}
ENTRY = RawEntry(
    guid="https://h.example/2",
    link="https://h.example/1",
    title="Salt",
    summary_html="<p>Short.</p>",
    subtitle="Less",
    content_html="<p>Much longer.</p>",
    published_at=datetime(2026, 2, 10, 8, 30, tzinfo=UTC),
    author="Ada",
    categories=("Bread", "Salt"),
    enclosures=(Enclosure(url="https://h.example/1.mp3", media_type="audio/mpeg", length_bytes=12),),
    picture_url="https://h.example/1.jpg",
    duration="42:00",
    season="2",
    episode="7",
    episode_type="bonus",
    explicit=True,
    transcripts=(Transcript(url="1.vtt", media_type="text/vtt", language="de"),),
    chapters_url="1.json",
    persons=(Person(name="Bo", role="guest", url="/bo", picture_url="/bo.jpg"),),
    soundbites=(Soundbite(start_seconds=1.5, duration_seconds=30.0, title="Hear"),),
)


def rss(*items: str, head: str = "<title>H</title>", attributes: str = 'version="2.0"') -> ParsedFeed:
    """Parse an RSS feed with these items."""
    inside = "".join(f"<item>{item}</item>" for item in items)
    return parse_feed(f"<rss {attributes} {NAMESPACES}><channel>{head}{inside}</channel></rss>".encode(), url=URL)


def one(parsed: ParsedFeed) -> RawEntry:
    """Return the only entry, without the thumbnail of MEDIA."""
    (entry,) = parsed.entries
    return replace(entry, pictures=tuple(each for each in entry.pictures if each.url != "t.jpg"))


@pytest.mark.parametrize("more", ["", MEDIA], ids=["simple", "other"])
@pytest.mark.parametrize(
    ("elements", "changes"),
    [
        ({}, {}),
        ({"title": ""}, {"title": ""}),
        ({"link": ""}, {"link": "https://h.example/2"}),
        ({"link": "<link>/1?a=2&amp;amp;b=3</link>"}, {"link": "/1?a=2&b=3"}),
        ({"guid": ""}, {"guid": ""}),
        ({"guid": "<guid isPermaLink='false'>2</guid>"}, {"guid": "2"}),
        ({"guid": "<guid isPermaLink='FALSE'>https://h.example/3</guid>", "link": ""},
         {"guid": "https://h.example/3", "link": ""}),
        ({"guid": "<guid>https://h.example/3</guid>", "link": ""},
         {"guid": "https://h.example/3", "link": "https://h.example/3"}),
        ({"guid": "<guid>urn:3</guid>", "link": ""}, {"guid": "urn:3", "link": ""}),
        ({"pubDate": ""}, {"published_at": None}),
        ({"pubDate": "<pubDate>soon</pubDate>"}, {"published_at": None, "unreadable_date": "soon"}),
        ({"description": ""}, {"summary_html": "<p>Much longer.</p>"}),
        ({"content": ""}, {"content_html": ""}),
        ({"content": "", "description": ""}, {"content_html": "", "summary_html": ""}),
        ({"content": "<content:encoded>&lt;i&gt;1&lt;/i&gt;</content:encoded>"
                     "<content:encoded>&lt;i&gt;long&lt;/i&gt;</content:encoded>"
                     "<content:encoded>&lt;i&gt;2&lt;/i&gt;</content:encoded>"}, {"content_html": "<i>long</i>"}),
        ({"creator": ""}, {"author": ""}),
        ({"creator": "<author>Cy</author>"}, {"author": "Cy"}),
        ({"creator": "<itunes:author>Cy</itunes:author>"}, {"author": "Cy"}),
        ({"creator": "<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator><dc:creator>Ada</dc:creator>"},
         {"author": "Ada, Bo"}),
        ({"category": ""}, {"categories": ()}),
        ({"category": "<category>a</category><category/><category>a</category><category>b</category>"},
         {"categories": ("a", "b")}),
        ({"category": "<itunes:keywords>salt, fat,, salt ,acid</itunes:keywords>"},
         {"categories": ("salt", "fat", "acid")}),
        ({"enclosure": ""}, {"enclosures": ()}),
        ({"enclosure": "<enclosure url='https://h.example/2.mp3'/>"},
         {"enclosures": (Enclosure(url="https://h.example/2.mp3"),)}),
        ({"enclosure": "<enclosure url=''/><enclosure type='audio/mpeg' length='3'/>"}, {"enclosures": ()}),
        *(
            ({"enclosure": f"<enclosure url='https://h.example/2.mp3' type='' length='{written}'/>"},
             {"enclosures": (Enclosure(url="https://h.example/2.mp3", length_bytes=size),)})
            for written, size in [("0", None), ("1", 1), (" 12 ", 12), ("-1", None), ("1.5", None), ("", None),
                                  ("9" * 14, int("9" * 14)), ("9" * 15, None), ("long", None)]
        ),
        ({"duration": ""}, {"duration": ""}),
        ({"subtitle": ""}, {"subtitle": ""}),
        ({"season": ""}, {"season": ""}),
        ({"season": "<podcast:season>3</podcast:season>"}, {"season": "3"}),
        ({"season": "<itunes:season>2</itunes:season><podcast:season>3</podcast:season>"}, {"season": "2"}),
        ({"episode": ""}, {"episode": ""}),
        ({"episode": "<podcast:episode>8</podcast:episode>"}, {"episode": "8"}),
        ({"episode": "<podcast:episode>8</podcast:episode><itunes:episode>7</itunes:episode>"}, {"episode": "7"}),
        ({"type": ""}, {"episode_type": ""}),
        ({"explicit": ""}, {"explicit": None}),
        ({"image": ""}, {"picture_url": ""}),
        ({"transcript": "", "chapters": "", "person": "", "soundbite": ""},
         {"transcripts": (), "chapters_url": "", "persons": (), "soundbites": ()}),
    ],
)  # fmt: skip
def test_an_item_of_rss(elements: dict[str, str], changes: dict[str, Any], more: str) -> None:
    """Each element, and what takes its place where it is absent, on the fast path and off it."""
    item = "".join((ITEM | elements).values()) + more
    assert one(rss(item)) == replace(ENTRY, **changes)


@pytest.mark.parametrize("where", ["channel", "item"])
@pytest.mark.parametrize(
    ("base", "wanted"), [("https://o.example/a/", "https://o.example/a/"), ("b/", "https://h.example/b/")]
)
def test_the_base_of_an_item(where: str, base: str, wanted: str) -> None:
    """An xml:base of the item or of the channel, for its addresses and for those in its texts."""
    name = f"xml:base='{base}'"
    text = f"<description>x</description><content:encoded {name if where == 'text' else ''}>y</content:encoded>"
    item = f"<item {name if where == 'item' else ''}><title>Salt</title>{text}</item>"
    head = f"<rss version='2.0' {NAMESPACES}><channel {name if where == 'channel' else ''}><title>H</title>"
    (entry,) = parse_feed(f"{head}{item}</channel></rss>".encode(), url=URL).entries
    assert (entry.base_url, entry.content_base_url) == (wanted, wanted)


@pytest.mark.parametrize("name", ["content:encoded", "description"])
def test_the_base_of_a_text(name: str) -> None:
    """The one of the text that is the usual body counts for the HTML; the entry has none."""
    item = f"<title>Salt</title><description>x</description><{name} xml:base='/b/'>y</{name}>"
    (entry,) = rss(item.replace("<description>x</description>", "") if name == "description" else item).entries
    assert (entry.base_url, entry.content_base_url) == ("", "https://h.example/b/")


@pytest.mark.parametrize(
    ("element", "changes"),
    [
        ("<dcterms:created>2026-02-11T08:30:00Z</dcterms:created>",
         {"published_at": datetime(2026, 2, 11, 8, 30, tzinfo=UTC)}),
        ("<atom:updated>2026-02-12T08:30:00Z</atom:updated>", {"updated_at": datetime(2026, 2, 12, 8, 30, tzinfo=UTC)}),
        ("<dcterms:modified>late</dcterms:modified>", {"unreadable_date": "late"}),
        ("<dcterms:created>early</dcterms:created>", {"unreadable_date": "early"}),
        ("<author>ada@h.example (Ada Marsh)</author>", {"author": "ada@h.example (Ada Marsh)"}),
        ("<atom:link rel='enclosure' href='/1.mp3' type='audio/mpeg' length='7'/>",
         {"enclosures": (Enclosure(url="/1.mp3", media_type="audio/mpeg", length_bytes=7),)}),
        ("<atom:link rel='enclosure' type='audio/mpeg'/>", {}),
        ("<atom:link rel='related' href='/1.mp3' type='audio/mpeg'/>", {}),
        ("<enclosure url='/1.mp3'/><media:content url='/2.mp3' medium='audio' fileSize='9'/>",
         {"enclosures": (Enclosure(url="/1.mp3"), Enclosure(url="/2.mp3", length_bytes=9))}),
        ("<media:content url='/2.mp4' medium='video'/>", {"enclosures": (Enclosure(url="/2.mp4"),)}),
        ("<media:content url='/2' type='audio/ogg'/>", {"enclosures": (Enclosure(url="/2", media_type="audio/ogg"),)}),
        ("<media:content url='/2' type='video/ogg'/>", {"enclosures": (Enclosure(url="/2", media_type="video/ogg"),)}),
        ("<media:content url='/2' type='text/audio'/>", {}),
        ("<media:content type='audio/ogg'/>", {}),
        ("<media:content url='/2' medium='document'/>", {}),
        ("<media:content url='/2' medium='image'/>", {"pictures": (Picture(url="/2"),)}),
        ("<media:content url='/2' type='image/webp' medium='document'/>", {"pictures": (Picture(url="/2"),)}),
        ("<media:content url='/2.png' type='text/html' medium='image'/>", {}),
        ("<media:content url='/2.png'/>", {"pictures": (Picture(url="/2.png"),)}),
        ("<media:content url='/2.txt'/>", {}),
        ("<media:content url='/2' medium='image' width='30' height='20'>"
         "</media:content><media:thumbnail url='/3' width='5' height='x'/><media:thumbnail width='9' height='9'/>",
         {"pictures": (Picture(url="/2", width=30, height=20), Picture(url="/3", width=5))}),
        ("<media:group><media:content url='/2' medium='image'/><media:content url='/4' medium='image'/></media:group>",
         {"pictures": (Picture(url="/2"), Picture(url="/4"))}),
    ],
)  # fmt: skip
def test_what_only_feedparser_reads(element: str, changes: dict[str, Any]) -> None:
    """Other dates, names with an address, Atom links, and Media RSS."""
    assert one(rss(f"<title>Salt</title>{MEDIA}{element}")) == replace(RawEntry(title="Salt"), **changes)


@pytest.mark.parametrize(
    ("texts", "summary", "content"),
    [
        ("{}", "A &amp; B", ""),
        ("{}<description>Own</description>", "Own", ""),
        ("<description>Own</description>{}", "Own", ""),
        ("<description>A &amp;amp; B</description>{}", "A &amp; B", "A &amp; B"),
        ("<description>Own</description>{}<content:encoded>All</content:encoded>", "Own", "All"),
        ("{}<description>Own</description><content:encoded>All</content:encoded>", "Own", "All"),
        ("{}<content:encoded>All</content:encoded>", "All", ""),
    ],
)
def test_captions_are_no_text_of_an_entry(texts: str, summary: str, content: str) -> None:
    """Neither a summary nor a content, however long they are, unless the entry has nothing else."""
    picture = (
        "<media:content url='/2' medium='image'><media:description>A &amp;amp; B</media:description></media:content>"
    )
    (entry,) = rss(f"<title>Salt</title>{texts.format(picture)}").entries
    assert (entry.summary_html, entry.content_html) == (summary, content)
    assert entry.pictures == (Picture(url="/2", alt="A &amp; B"),)


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("<atom:content type='text'>a &lt; b</atom:content>", "a &lt; b"),
        ("<atom:content type='text/plain'>\"a\" &amp; b</atom:content>", '"a" &amp; b'),
        ("<atom:content type='html'>&lt;b&gt;a&lt;/b&gt;</atom:content>", "<b>a</b>"),
        *((f"<atom:content type='{kind}'>aGVsbG8=</atom:content>", "")
          for kind in ("image/png", "audio/mpeg", "video/mp4", "application/octet-stream", "application/pdf")),
    ],
)  # fmt: skip
def test_the_type_of_a_content(content: str, html: str) -> None:
    """Plain text is escaped, the base64 of a file is left out."""
    (entry,) = rss(f"<title>Salt</title>{MEDIA}{content}").entries
    assert entry.content_html == html


ATOM = {
    "id": "<id>urn:1</id>",
    "title": "<title>Salt &amp;amp; fat</title>",
    "link": "<link href='/1'/>",
    "published": "<published>2026-02-10T08:30:00Z</published>",
    "updated": "<updated>2026-02-11T08:30:00Z</updated>",
    "summary": "<summary>S &lt; T</summary>",
    "content": "<content type='html'>&lt;p&gt;All&lt;/p&gt;</content>",
    "author": "<author><name>Ada</name><uri>/ada</uri></author><author><name>Bo</name></author>",
    "category": "<category term='a' label='A'/><category term='b' scheme='s'/>",
    "enclosure": "<link rel='enclosure' href='https://h.example/1.mp3' type='AUDIO/mpeg' length='12'/>",
}
ATOM_ENTRY = RawEntry(
    guid="urn:1",
    link="/1",
    title="Salt &amp; fat",
    title_type="text",
    summary_html="S &lt; T",
    content_html="<p>All</p>",
    published_at=datetime(2026, 2, 10, 8, 30, tzinfo=UTC),
    updated_at=datetime(2026, 2, 11, 8, 30, tzinfo=UTC),
    author="Ada, Bo",
    categories=("A", "b"),
    enclosures=(Enclosure(url="https://h.example/1.mp3", media_type="audio/mpeg", length_bytes=12),),
)


@pytest.mark.parametrize("more", ["", MEDIA], ids=["simple", "other"])
@pytest.mark.parametrize(
    ("elements", "changes"),
    [
        ({}, {}),
        ({"id": ""}, {"guid": ""}),
        ({"title": ""}, {"title": "", "title_type": ""}),
        ({"title": "<title type='html'>Salt &lt;b&gt;</title>"}, {"title": "Salt <b>", "title_type": "html"}),
        ({"title": "<title type='text/HTML'>Salt</title>"}, {"title": "Salt", "title_type": "html"}),
        ({"title": "<title type='text/plain'>Salt</title>"}, {"title": "Salt", "title_type": "text"}),
        ({"link": ""}, {"link": ""}),
        ({"link": "<link href='/2' type='text/html'/>"}, {"link": "/2"}),
        ({"published": ""}, {"published_at": None}),
        ({"updated": ""}, {"updated_at": None}),
        ({"published": "<published>soon</published>"}, {"published_at": None, "unreadable_date": "soon"}),
        ({"updated": "<updated>soon</updated>"}, {"updated_at": None, "unreadable_date": "soon"}),
        ({"published": "<published>soon</published>", "updated": "<updated>late</updated>"},
         {"published_at": None, "updated_at": None, "unreadable_date": "soon"}),
        ({"summary": ""}, {"summary_html": "<p>All</p>"}),
        ({"content": ""}, {"content_html": ""}),
        ({"content": "", "summary": ""}, {"content_html": "", "summary_html": ""}),
        ({"content": "<content type='html'>1</content><content>lo &lt; ng</content><content>2</content>"},
         {"content_html": "lo &lt; ng"}),
        ({"author": ""}, {"author": ""}),
        ({"author": "<author><name>Ada</name></author><author><name>Ada</name></author>"}, {"author": "Ada"}),
        ({"category": ""}, {"categories": ()}),
        ({"category": "<category term='a'/><category/><category term='a'/><category term='' label='B'/>"},
         {"categories": ("a", "B")}),
        ({"enclosure": ""}, {"enclosures": ()}),
        ({"enclosure": "<link rel='Enclosure' href='https://h.example/2.mp3'/>"},
         {"enclosures": (Enclosure(url="https://h.example/2.mp3", media_type="text/html"),)}),
        *(
            ({"enclosure": f"<link rel='enclosure' href='https://h.example/2.mp3' type='a/b' length='{written}'/>"},
             {"enclosures": (Enclosure(url="https://h.example/2.mp3", media_type="a/b", length_bytes=size),)})
            for written, size in [("0", None), ("1", 1), (" 12 ", 12), ("-1", None), ("", None),
                                  ("9" * 14, int("9" * 14)), ("9" * 15, None), ("long", None)]
        ),
    ],
)  # fmt: skip
def test_an_entry_of_atom(elements: dict[str, str], changes: dict[str, Any], more: str) -> None:
    """Each element, and what takes its place where it is absent, on the fast path and off it."""
    inside = "".join((ATOM | elements).values()) + more
    namespaces = "xmlns='http://www.w3.org/2005/Atom' xmlns:media='http://search.yahoo.com/mrss/'"
    text = f"<feed {namespaces}><title>H</title><entry>{inside}</entry></feed>"
    assert one(parse_feed(text.encode(), url=URL)) == replace(ATOM_ENTRY, **changes)


CHANNEL = {
    "title": "<title>H &amp;amp; H</title>",
    "link": "<link>/home</link>",
    "description": "<description>Bread &lt;b&gt;and&lt;/b&gt; salt.</description>",
    "language": "<language>en-GB</language>",
    "author": "<itunes:author>Ada</itunes:author>",
    "image": "<image><url>/l.png</url></image>",
    "generator": "<generator>G &amp;amp; H</generator>",
    "self": "<atom:link rel='self' href='/feed.xml'/>",
    "moved": "<itunes:new-feed-url>/new.xml</itunes:new-feed-url>",
    "funding": "<podcast:funding url='https://h.example/pay?utm_source=x'> Pay </podcast:funding>",
    "ttl": "<ttl>90</ttl>",
    "hours": "<skipHours><hour>23</hour><hour>7</hour></skipHours>",
    "days": "<skipDays><day>sunday</day><day>MONDAY</day></skipDays>",
}
RSS_CHANNEL = Channel(
    title="H & H",
    url="https://h.example/home",
    description="Bread and salt.",
    language="en-GB",
    author="Ada",
    picture_url="https://h.example/l.png",
    generator="G & H",
    self_url="https://h.example/feed.xml",
    new_feed_url="https://h.example/new.xml",
    funding_url="https://h.example/pay",
    funding_label="Pay",
    ttl_minutes=90,
    skip_hours=(7, 23),
    skip_days=("Monday", "Sunday"),
)


@pytest.mark.parametrize(
    ("elements", "changes"),
    [
        ({}, {}),
        ({"title": ""}, {"title": ""}),
        ({"link": ""}, {"url": ""}),
        ({"link": "<link>https://o.example/</link>"},
         {"url": "https://o.example/", "picture_url": "https://o.example/l.png"}),
        ({"description": ""}, {"description": ""}),
        ({"description": f"<description>{'x' * 2001}</description>"}, {"description": "x" * 2000}),
        ({"language": ""}, {"language": ""}),
        ({"language": f"<language>{'x' * 36}</language>"}, {"language": "x" * 35}),
        ({"author": ""}, {"author": ""}),
        ({"author": f"<itunes:author>{'x' * 201}</itunes:author>"}, {"author": "x" * 200}),
        ({"author": "<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator>"}, {"author": "Ada, Bo"}),
        ({"image": ""}, {"picture_url": ""}),
        ({"image": "<itunes:image href='/i.png'/>"}, {"picture_url": "https://h.example/i.png"}),
        ({"generator": ""}, {"generator": ""}),
        ({"generator": f"<generator>{'x' * 201}</generator>"}, {"generator": "x" * 200}),
        ({"self": ""}, {"self_url": ""}),
        ({"self": "<atom:link rel='hub' href='/1'/><atom:link rel='self' href='/2'/><atom:link rel='self' href='/3'/>"},
         {"self_url": "https://h.example/2"}),
        ({"moved": ""}, {"new_feed_url": ""}),
        ({"funding": ""}, {"funding_url": "", "funding_label": ""}),
        ({"funding": "<podcast:funding>A</podcast:funding><podcast:funding url='https://h.example/b'/>"},
         {"funding_url": "https://h.example/b", "funding_label": ""}),
        ({"ttl": ""}, {"ttl_minutes": None}),
        ({"hours": ""}, {"skip_hours": ()}),
        ({"days": ""}, {"skip_days": ()}),
    ],
    ids=shortened,
)  # fmt: skip
def test_a_channel_of_rss(elements: dict[str, str], changes: dict[str, Any]) -> None:
    """Each element of it, its addresses absolute, its texts plain and of a limited length."""
    head = "".join((CHANNEL | elements).values())
    assert rss("<title>Salt</title>", head=head).channel == replace(RSS_CHANNEL, **changes)


@pytest.mark.parametrize(
    ("inside", "changes"),
    [
        *((f"<ttl>{written}</ttl>", {"ttl_minutes": minutes}) for written, minutes in [
            ("0", None), ("1", 1), (" 60 ", 60), ("525600", 525_600), ("525601", None), ("-5", None), ("", None),
            ("9" * 5000, None), ("1 hour", None)]),
        *((f"<sy:updatePeriod>{period}</sy:updatePeriod>", {"ttl_minutes": minutes}) for period, minutes in [
            ("hourly", 60), ("Daily", 1440), ("weekly", 10_080), ("monthly", 43_200), ("yearly", 525_600),
            ("never", None)]),
        *((f"<sy:updatePeriod>{period}</sy:updatePeriod><sy:updateFrequency>{frequency}</sy:updateFrequency>",
           {"ttl_minutes": minutes}) for period, frequency, minutes in [
            ("", "2", None), ("hourly", "2", 30), ("hourly", "0", 60), ("hourly", "1", 60), ("hourly", "-2", 60),
            ("hourly", "100", 1), ("yearly", "9999", 52), ("yearly", "10000", 525_600), ("yearly", "9" * 5000, 525_600),
            ("daily", "many", 1440)]),
        ("<ttl>5</ttl><ttl>6</ttl><sy:updatePeriod>daily</sy:updatePeriod>", {"ttl_minutes": 5}),
        ("<skipHours><hour>24</hour><hour>0</hour><hour>25</hour><hour>-1</hour><hour>x</hour><day>3</day></skipHours>",
         {"skip_hours": (0,)}),
        ("<skipHours><hour>9</hour></skipHours><skipHours><hour>8</hour></skipHours>", {"skip_hours": (8, 9)}),
        ("<skipHours>7</skipHours><hour>8</hour>", {}),
        ("<skipDays><day>Friday</day><day>Fri</day><hour>Monday</hour></skipDays>", {"skip_days": ("Friday",)}),
        ("<skipDays>" + "".join(f"<day>{day}</day>" for day in
         ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")) + "</skipDays>",
         {"skip_days": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")}),
        ("<itunes:new-feed-url> /new </itunes:new-feed-url><itunes:new-feed-url>/2</itunes:new-feed-url>",
         {"new_feed_url": "/new"}),
    ],
    ids=shortened,
)  # fmt: skip
@pytest.mark.parametrize("channel", [True, False], ids=["in a channel", "beside it"])
def test_extensions_of_a_channel(inside: str, changes: dict[str, Any], channel: bool) -> None:
    """How often to fetch, when not to, and where the feed moved; RSS 1.0 has them beside the channel."""
    text = f"<channel><title>H</title>{inside}</channel>" if channel else f"<channel/>{inside}<item><ttl>9</ttl></item>"
    root = etree.fromstring(f"<rss {NAMESPACES}>{text}</rss>")
    assert channel_extensions(root) == replace(Channel(), **changes)


@pytest.mark.parametrize(
    ("inside", "changes"),
    [
        *((f"<itunes:explicit>{text}</itunes:explicit>", {"explicit": explicit}) for text, explicit in [
            ("yes", True), ("TRUE", True), ("Explicit", True), ("1", True), ("No", False), ("false", False),
            ("clean", False), ("0", False), ("maybe", None), ("", None)]),
        ("<itunes:explicit/><itunes:explicit>no</itunes:explicit><itunes:explicit>yes</itunes:explicit>",
         {"explicit": False}),
        ("<itunes:season>2</itunes:season><podcast:season>3</podcast:season>", {"season": "3"}),
        ("<itunes:episode>2</itunes:episode><podcast:episode> 3<x/> </podcast:episode>", {"episode": "3"}),
        ("<itunes:season>2</itunes:season><itunes:episode>4</itunes:episode>", {"season": "2", "episode": "4"}),
        ("<podcast:transcript/><podcast:transcript url='1'/><podcast:transcript url='2' type='t' language='l'/>",
         {"transcripts": (Transcript(url="1"), Transcript(url="2", media_type="t", language="l"))}),
        ("<podcast:chapters url='1'/><podcast:chapters url='2'/>", {"chapters_url": "1"}),
        ("<podcast:chapters/>", {}),
        ("<podcast:person/><podcast:person>Ada</podcast:person><podcast:person role=''>Bo</podcast:person>"
         "<podcast:person role=' GUEST ' href='h' img='i'>Cy</podcast:person>",
         {"persons": (Person(name="Ada"), Person(name="Bo"),
                      Person(name="Cy", role="guest", url="h", picture_url="i"))}),
        ("<podcast:person>Ada</podcast:person>" * (MAX_PERSONS + 1), {"persons": (Person(name="Ada"),) * MAX_PERSONS}),
        ("<podcast:soundbite startTime='1' duration='2'/>" * (MAX_SOUNDBITES + 1),
         {"soundbites": (Soundbite(start_seconds=1, duration_seconds=2),) * MAX_SOUNDBITES}),
        ("<podcast:soundbite startTime='0' duration='0.5'>a</podcast:soundbite>",
         {"soundbites": (Soundbite(start_seconds=0, duration_seconds=0.5, title="a"),)}),
        *((f"<podcast:soundbite {times}>a</podcast:soundbite>", {}) for times in (
            "startTime='1'", "duration='1'", "startTime='1' duration='0'", "startTime='x' duration='1'",
            "startTime='1' duration='1234567'", "startTime='-1' duration='1'", "startTime='1' duration='1.'")),
        ("<season>2</season><explicit>yes</explicit><person>Ada</person>", {}),
    ],
    ids=shortened,
)  # fmt: skip
def test_extensions_of_an_entry(inside: str, changes: dict[str, Any]) -> None:
    """Each element of the podcast namespaces, as often as it may be there."""
    element = etree.fromstring(f"<item {NAMESPACES}>{inside}</item>")
    found = entry_extensions(element)
    assert found == replace(type(found)(), **changes)


@pytest.mark.parametrize(
    ("inside", "guid"),
    [
        ("", ""),
        ("<guid> a </guid><id>b</id>", "a"),
        ("<guid> </guid><id>b</id>", "b"),
        ("<id>b</id><guid>a</guid>", "b"),
        ("<atom:id>c</atom:id>", "c"),
        ("<x><guid>a</guid></x>", ""),
    ],
)
def test_the_guid_of_an_element(inside: str, guid: str) -> None:
    """The first that is not empty, of any namespace."""
    assert element_guid(etree.fromstring(f"<item {NAMESPACES}>{inside}</item>")) == guid


def test_descriptions_of_images() -> None:
    """Of each image or thumbnail that has an address and a description of its own."""
    inside = (
        "<media:group><media:content url='1'><media:description> One </media:description></media:content></media:group>"
        "<media:thumbnail url='2'><media:description>Two</media:description></media:thumbnail>"
        "<media:content url='3'><media:description/></media:content><media:content url='4'/>"
        "<media:content><media:description>Five</media:description></media:content>"
        "<media:description>Six</media:description>"
    )
    element = etree.fromstring(f"<item {NAMESPACES}>{inside}</item>")
    assert list(image_descriptions(element)) == [("1", "One"), ("2", "Two")]


@pytest.mark.parametrize("namespace", ["HTTP://WWW.ITUNES.COM/DTDS/podcast-1.0.dtd", "https://itunes.com/x"])
def test_spellings_of_a_namespace(namespace: str) -> None:
    """Its address is recognised in any spelling."""
    element = etree.fromstring(f"<item xmlns:i='{namespace}'><i:season>2</i:season></item>")
    assert entry_extensions(element).season == "2"
