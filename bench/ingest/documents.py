"""Generated feeds, as long as real ones and the same in every run.

In: a feed's number, how often it has published, when it was built. Out: an RSS document. Touches nothing.
Three of four are blogs as WordPress writes them, one is a podcast.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from random import Random

_WORDS = """
    salt harbour bread winter kitchen table marmalade kiln rope garden frost lantern oven tide copper morning letter
    neighbour basket flour butter orange candle window ladder stone river market honey thyme kettle chair visitor
    slow patient early quiet warm bitter plain careful ordinary bright and the of with before after under near while
""".split()  # noqa: SIM905 - nobody reads fifty lines
_FIRST = datetime(2024, 1, 1, 9, tzinfo=UTC)
_BLOG = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    ' xmlns:slash="http://purl.org/rss/1.0/modules/slash/">\n<channel>\n<title>Notebook {number}</title>\n'
    '<atom:link href="https://blog{number}.example/feed/" rel="self" type="application/rss+xml" />\n'
    "<link>https://blog{number}.example/</link>\n<description>Notes from house {number}</description>\n"
    "<lastBuildDate>{built}</lastBuildDate>\n<language>en-GB</language>\n<sy:updatePeriod>hourly</sy:updatePeriod>\n"
    "<sy:updateFrequency>1</sy:updateFrequency>\n<generator>https://wordpress.org/?v=6.7</generator>\n"
)
_SHOW = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:podcast="https://podcastindex.org/namespace/1.0"'
    ' xmlns:atom="http://www.w3.org/2005/Atom">\n<channel>\n<title>Table talk {number}</title>\n'
    "<link>https://show{number}.example/</link>\n<description>Talks at table {number}</description>\n"
    "<lastBuildDate>{built}</lastBuildDate>\n<language>en</language>\n<itunes:author>House {number}</itunes:author>\n"
    '<itunes:explicit>false</itunes:explicit>\n<itunes:image href="https://show{number}.example/cover.jpg"/>\n'
)
_POST = """<item>
<title>{title}</title>
<link>https://blog{number}.example/{item}/{slug}/</link>
<comments>https://blog{number}.example/{item}/{slug}/#comments</comments>
<dc:creator><![CDATA[{author}]]></dc:creator>
<pubDate>{date}</pubDate>
<category><![CDATA[{first}]]></category><category><![CDATA[{second}]]></category>
<guid isPermaLink="false">https://blog{number}.example/?p={item}</guid>
<description><![CDATA[<p>{teaser} [&#8230;]</p>
<p>The post <a href="https://blog{number}.example/{item}/{slug}/">{title}</a>
appeared first on Notebook {number}.</p>]]>
</description>
<content:encoded><![CDATA[{body}]]></content:encoded>
<wfw:commentRss>https://blog{number}.example/{item}/{slug}/feed/</wfw:commentRss>
<slash:comments>{comments}</slash:comments>
</item>
"""
_EPISODE = """<item>
<title>{title}</title>
<link>https://show{number}.example/{item}/{slug}</link>
<guid isPermaLink="false">show{number}-{item}</guid>
<pubDate>{date}</pubDate>
<description><![CDATA[<p>{teaser}</p>]]></description>
<content:encoded><![CDATA[{body}]]></content:encoded>
<enclosure url="https://media.show{number}.example/{item}.mp3" length="{comments}0000000" type="audio/mpeg"/>
<itunes:author>{author}</itunes:author>
<itunes:duration>{minutes}:07</itunes:duration>
<itunes:episode>{item}</itunes:episode>
<itunes:explicit>false</itunes:explicit>
<itunes:summary>{teaser}</itunes:summary>
<podcast:transcript url="https://show{number}.example/{item}.vtt" type="text/vtt"/>
</item>
"""


def is_show(number: int) -> bool:
    """Check whether a feed is a podcast."""
    return number % 4 == 3


def size(number: int) -> int:
    """Return how many items a feed shows: 30 to 100.

    >>> [size(number) for number in range(4)]
    [30, 37, 44, 71]
    """
    return 60 + number * 37 % 41 if is_show(number) else 30 + number * 7 % 21


def document(number: int, published: int = 0, built: int = 0) -> bytes:
    """Return a feed that has published that many items more than its size, and was built that many minutes later.

    The oldest items leave as new ones come, as in a real feed.
    """
    newest = size(number) + published
    head = (_SHOW if is_show(number) else _BLOG).format(number=number, built=_date(timedelta(days=900, minutes=built)))
    items = (_item(number, item) for item in range(newest, published, -1))
    return f"{head}{''.join(items)}</channel>\n</rss>\n".encode()


def _item(number: int, item: int) -> str:
    random = Random(number * 100_003 + item)
    template = _EPISODE if is_show(number) else _POST
    title = " ".join(random.choices(_WORDS, k=5)).capitalize()
    return template.format(
        number=number,
        item=item,
        title=title,
        slug=title.lower().replace(" ", "-"),
        author=f"{random.choice(_WORDS)} {random.choice(_WORDS)}".title(),
        first=random.choice(_WORDS),
        second=random.choice(_WORDS),
        date=_date(timedelta(days=item, minutes=number % 600)),
        teaser=_sentence(random, 30),
        body=_body(random, number, item, 2 if is_show(number) else random.randint(3, 9)),
        comments=random.randint(1, 9),
        minutes=random.randint(20, 90),
    )


def _body(random: Random, number: int, item: int, paragraphs: int) -> str:
    parts = [
        f"<p>{_sentence(random, 50)} {_link(random, number)} {_sentence(random, 12)}</p>" for _ in range(paragraphs)
    ]
    parts.insert(1, f"<ul><li>{_sentence(random, 6)}</li><li><strong>{_sentence(random, 6)}</strong></li></ul>")
    if not is_show(number):
        source = f"https://blog{number}.example/wp-content/uploads/{item}.jpg"
        picture = f'<img decoding="async" width="800" height="450" src="{source}" alt="" srcset="{source} 800w"/>'
        parts.insert(0, f'<figure class="wp-block-image size-large">{picture}</figure>')
        parts.append(
            f'<h2 class="wp-block-heading">{_sentence(random, 4)}</h2><p>{_sentence(random, 40)}&nbsp;&#8211; fin</p>'
        )
    return "\n".join(parts)


def _link(random: Random, number: int) -> str:
    word = random.choice(_WORDS)
    return f'<a href="https://blog{number}.example/about/{word}?utm_source=feed&amp;id=4" class="more">{word}</a>'


def _sentence(random: Random, words: int) -> str:
    return random.choice(_sentences(words))


@cache  # the server must be quicker than who is measured
def _sentences(words: int) -> tuple[str, ...]:
    random = Random(words)
    return tuple(" ".join(random.choices(_WORDS, k=words)).capitalize() + "." for _ in range(400))


def _date(since: timedelta) -> str:
    return format_datetime(_FIRST + since, usegmt=False)
