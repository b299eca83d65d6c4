"""The picture of an entry: the fittest, not the first; and images that are text, hidden or loaded later."""

from __future__ import annotations

import pytest

from pipeline.ingest.normalise import normalise
from pipeline.ingest.parse.parser import parse_feed
from pipeline.ingest.parse.rss_feedparser import parse_entries
from pipeline.ingest.parse.xml_document import parse_xml
from pipeline.model.entry import Entry
from pipeline.model.feed import Feed
from pipeline.text.html import sanitise
from tests.invariants import FEED, NOW

LOAF = '<img src="https://h.example/loaf.jpg" alt="A loaf" width="800" height="600">'
NAMESPACES = 'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'


def read(html: str, more: str = "", feed: Feed = FEED) -> Entry:
    """Return the entry of an RSS feed with one item."""
    item = f"<title>Bread</title><guid>1</guid><link>https://h.example/1/</link>{more}"
    text = f'<rss version="2.0" {NAMESPACES}><channel><title>H</title><item>{item}<description><![CDATA[{html}]]>'
    document = f"{text}</description></item></channel></rss>".encode()
    return normalise(parse_feed(document, url=feed.url), feed, url=feed.url, now=NOW)[0]


def image(name: str, attributes: str = "") -> str:
    return f'<p><img src="https://h.example/{name}" {attributes}></p>'


def media(name: str, width: int | str = "", kind: str = "content") -> str:
    size = f'width="{width}"' if width else ""
    return f'<media:{kind} url="https://h.example/{name}" {size} type="image/jpeg"/>'


@pytest.mark.parametrize(
    ("html", "more", "chosen"),
    [
        (LOAF, "", "loaf.jpg"),
        (image("small.jpg", 'width="300"') + LOAF, "", "loaf.jpg"),
        (image("icon.png", 'width="16" height="16"') + LOAF, "", "loaf.jpg"),
        (image("me.jpg", 'class="avatar photo" width="400"') + LOAF, "", "loaf.jpg"),
        (image("user_avatars/9.jpg") + image("plain.jpg"), "", "plain.jpg"),
        (image("x.jpg", 'style="display: none"') + image("y.jpg"), "", "y.jpg"),
        (image("first.jpg") + image("second.jpg"), "", "first.jpg"),
        (image("thumb-150x150.jpg") + image("plain.jpg"), "", "plain.jpg"),
        (image("huge.jpg", 'width="5000"') + image("right.jpg", 'width="1200px"'), "", "right.jpg"),
        (image("drawing.svg", 'width="900"') + image("photo.jpg", 'width="200"'), "", "photo.jpg"),
        (image("drawing.svg"), "", "drawing.svg"),
        (image("icon.png", 'width="16" height="16"'), "", ""),
        (image("placeholder.png"), "", ""),
        ("", media("a.jpg", 320) + media("b.jpg", 960), "b.jpg"),
        ("", media("t.jpg", 90, "thumbnail") + media("u.jpg", 480, "thumbnail"), "u.jpg"),
        (LOAF, media("t.jpg", 75, "thumbnail"), "loaf.jpg"),
        (LOAF, media("large.jpg", 1000), "large.jpg"),
        ("", '<enclosure url="https://h.example/photo.JPG?x=1"/>', "photo.JPG?x=1"),
        ("", '<enclosure url="https://h.example/photo.png" type="application/octet-stream"/>', "photo.png"),
        (LOAF, '<itunes:image href="https://h.example/cover.png"/>', "cover.png"),
        (LOAF, '<itunes:image href="https://secure.gravatar.com/avatar/7?s=400"/>', "loaf.jpg"),
    ],
)  # fmt: skip
def test_the_fittest_picture_is_chosen(html: str, more: str, chosen: str) -> None:
    """The widest whose width is known, up to what a mail shows; never an icon, an avatar or a placeholder."""
    picture = read(html + "<p>Mix well.</p>", more).picture
    assert (picture.url.rpartition("h.example/")[2] if picture else "") == chosen


def test_alt_and_size_come_from_wherever_they_are_known() -> None:
    """The same file in the text has them, and another size of it has at least the alt text."""
    same = read(LOAF, media("loaf.jpg")).picture
    assert same is not None
    assert (same.alt, same.width, same.height) == ("A loaf", 800, 600)
    scaled = read(image("loaf-300x200.jpg", 'alt="A loaf"'), media("loaf.jpg", 1000)).picture
    assert scaled is not None
    assert (scaled.alt, scaled.width) == ("A loaf", 1000)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="/grey.gif" data-lazy-src="/loaf.jpg">', '<img src="https://h.example/loaf.jpg" alt="">'),
        ('<img src="data:image/gif,AA" data-original="/loaf.jpg">', '<img src="https://h.example/loaf.jpg" alt="">'),
        (
            '<img data-srcset="/l-300.jpg 300w, /l-1100.jpg 1100w,/l-9000.jpg 9000w" alt="Loaf">',
            '<img src="https://h.example/l-1100.jpg" alt="Loaf" width="1100">',
        ),
        (
            '<img src="/l-300.jpg" srcset="/l-300.jpg 300w, /l-900.jpg 900w" width="300" height="200" alt="Loaf">',
            '<img src="https://h.example/l-900.jpg" alt="Loaf" width="900" height="600">',
        ),
        ('<img srcset="/a.jpg, /b.jpg 2x" alt="B">', '<img src="https://h.example/b.jpg" alt="B">'),
        (
            '<img src="/blank.gif"><NOSCRIPT><img src="/loaf.jpg" alt="A &quot;loaf&quot;"></NOSCRIPT>',
            '<img src="https://h.example/loaf.jpg" alt="A &quot;loaf&quot;">',
        ),
        (
            '<img data-src="/loaf.jpg"><noscript><img src="/loaf.jpg" alt="Loaf"></noscript>',
            '<img src="https://h.example/loaf.jpg" alt="">',
        ),
        ("Salt<noscript>Please allow scripts <b>now</b></noscript>.", "Salt."),
        ("<noscript><img src='/t.gif' height=1 width=1></noscript>Salt", "Salt"),
        ("Salt <noscript>", "Salt"),
        ('<img src="javascript:x()" srcset="javascript:y() 900w" data-src="data:text/html,x">', ""),
    ],
)  # fmt: skip
def test_images_that_a_script_would_load(html: str, expected: str) -> None:
    """Their true source is found; nothing of a placeholder or of other noscript content is left."""
    assert sanitise(html, "https://h.example/") == expected


@pytest.mark.parametrize(
    ("sources", "tag", "expected"),
    [
        ('<source srcset="/b-1000.jpg 1000w, /b-500.jpg 500w">', '<img src="/a.jpg">', "b-1000.jpg"),
        ('<source data-srcset="/b.jpg 900w" media="(min-width: 40em)">', '<img src="/a.gif" width="200">', "b.jpg"),
        ('<source type="image/webp" srcset="/b.webp 1000w">', '<img src="/a.jpg">', "a.jpg"),
        ('<source type="image/avif" srcset="/b.avif 1000w">', '<img alt="A loaf">', "b.avif"),
        ('<source srcset="/b.jpg 900w">', '<img src="/a.jpg" srcset="/c.jpg 800w">', "c.jpg"),
        ("<source srcset='/b.jpg?x=\"1\" 900w'>", "<img src='/a.jpg'>", "b.jpg?x=%221%22"),
    ],
)
def test_a_picture_element_has_more_sources(sources: str, tag: str, expected: str) -> None:
    """The fittest counts; new formats only where there is no other."""
    entry = read(f"<p>Bread.</p><picture class='x'>{sources}{tag}</picture>")
    assert entry.picture
    assert entry.picture.url == f"https://h.example/{expected}"
    assert entry.body_html.count("<img") == 1


def test_the_description_of_an_image_is_its_alt_text() -> None:
    """In Media RSS; that of a group of images describes something else, and a long one is shortened."""
    image = media("loaf.jpg", 900).replace("/>", "><media:description>A loaf &amp;amp; salt</media:description>")
    group = "<media:group><media:description>All about it</media:description>{}</media:content></media:group>"
    for more in (f"{image}</media:content>", group.format(image)):
        entry = read("<p>Bread.</p>", more)
        assert entry.picture
        assert entry.picture.alt == "A loaf & salt"
    long = read("<p>Bread.</p>", image.replace("A loaf", "Flour. " * 100) + "</media:content>")
    assert long.picture
    assert long.picture.alt.count("Flour") == 40
    item = f"<item><title>Bread</title>{image}</media:content></item>"
    document = parse_xml(f"<rss version='2.0' {NAMESPACES}><channel><title>H</title>{item}</channel></rss>")
    first, second = (parse_entries(document, url=FEED.url).entries for _ in range(2))
    assert [picture.alt for entry in first for picture in entry.pictures] == ["A loaf &amp; salt"]
    assert first == second


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ('<img src="https://s.w.org/images/core/emoji/14.0.0/svg/1f35e.svg" alt="🍞">', "🍞"),
        ('<img class="emoji" src="/x/bread.png" alt=":bread:" width="20" height="20">', ":bread:"),
        ('<img class="wp-smiley" src="/wp-includes/images/smilies/icon_smile.gif" alt=";-) ">', ";-)"),
        ('<img src="/e/1f35e.png" alt="🍞" width="18">', "🍞"),
        ('<img src="/m.svg" class="mwe-math-fallback-image-inline" alt="a &lt; b" style="height: 2.1ex">', "a &lt; b"),
        ('<img src="https://latex.codecogs.com/png.latex?x" alt="x_1">', "x_1"),
    ],
)
def test_emoji_and_formulas_stay_in_their_sentence(tag: str, text: str) -> None:
    """Their text takes the image's place, in a body and in a summary; they are no pictures."""
    assert sanitise(f"<p>Salt {tag} and heat.</p>", "https://h.example/") == f"<p>Salt {text} and heat.</p>"
    entry = read(f"<p>Salt {tag} and heat.</p>")
    assert entry.picture is None
    assert entry.excerpt_text == f"Salt {text.replace('&lt;', '<')} and heat."


def test_a_photo_described_by_an_emoji_is_a_picture() -> None:
    """Its declared size says so."""
    picture = read(image("party.jpg", 'alt="🎉" width="1000" height="700"')).picture
    assert picture is not None
    assert picture.alt == "🎉"
