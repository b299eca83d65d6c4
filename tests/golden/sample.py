"""Digests written by hand: an ordinary week, a rich one, a bare one, and one in which everything is awkward.

They need no config, store or feed. Their images are those of ``fixtures/``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from pipeline.digest.compose.levels import assign_levels
from pipeline.model.block import Block
from pipeline.model.digest import Digest, Publication, RelatedEntry, Section, Story
from pipeline.model.edition import Overrides
from pipeline.model.entry import Enclosure, Entry, Picture, TimedText

SITE = "https://harbourandhearth.example"
UPLOADS = f"{SITE}/wp-content/uploads"
SHOW = "https://podcasts.harbourtable.example"
LISTEN = (
    ("Apple Podcasts", "https://podcasts.example/apple/the-harbour-table"),
    ("Amazon Music", "https://podcasts.example/amazon/the-harbour-table"),
    ("RSS", f"{SHOW}/feed.xml"),
)
OPENS_AT = datetime(2026, 2, 9, tzinfo=UTC)
CLOSES_AT = datetime(2026, 2, 16, tzinfo=UTC)

PUBLICATION = Publication(
    name="Harbour & Hearth",
    url=f"{SITE}/",
    timezone="Europe/London",
    language="en-GB",
    sender="Harbour & Hearth <letter@harbourandhearth.example>",
    editor="editor@harbourandhearth.example",
    postal_address="Harbour & Hearth\n3 Net Loft Lane, Penhallow Quay, TR99 9ZZ",
    tagline="Bread, boats and slow living from a small harbour town",
    reason="You get this letter because you ticked “send me the weekly newsletter” on our site.",
)


def with_levels(digest: Digest, lead: str = "") -> Digest:
    """Return a digest whose stories have the levels that composing gives them."""
    sections = assign_levels(digest.sections, Overrides(lead=lead), digest.opens_at, digest.closes_at)
    return replace(digest, sections=sections)


def entry(guid: str, *, feed_id: str = "blog", audio: bool = False, picture: Picture | None = None) -> Entry:
    """Return an entry that is only referred to."""
    return Entry(
        feed_id=feed_id,
        guid=guid,
        url=f"{SITE}/{guid}/",
        title=guid,
        published_at=OPENS_AT,
        enclosure=Enclosure(url=f"{SHOW}/audio/{guid}.mp3", media_type="audio/mpeg") if audio else None,
        picture=picture,
    )


LAMP = Picture(
    url=f"{UPLOADS}/2026/02/lamp-on-the-table.jpg",
    alt="A lamp on a kitchen table, and a letter",
    width=1072,
    height=600,
)
COVER = Picture(url=f"{SHOW}/artwork/ep14.jpg", alt="Artwork of episode 14", width=400, height=400)
LOAF = Picture(url=f"{UPLOADS}/2025/12/loaf-on-a-board.jpg", alt="A round loaf on a board", width=1072, height=600)

POST = Story(
    kind="post",
    title="A slow loaf for the shortest month",
    url=f"{SITE}/a-slow-loaf-for-the-shortest-month/",
    entries=(entry("a-slow-loaf-for-the-shortest-month"),),
    excerpt_md=(
        "February is a poor month for hurrying. The flour is cold, the kitchen is cold, and the starter sulks at the "
        "back of the shelf. So this loaf takes *two days* and asks almost nothing of you: mix it on Friday, forget it "
        "until Saturday, bake it when the [tide table](https://tides.example.org/penhallow) says nobody is coming home."
    ),
    author="Morwenna Pryce",
    picture=LOAF,
    reading_minutes=6,
)
GUEST_POST = Story(
    kind="post",
    title="Five things a boatbuilder keeps by the door",
    url=f"{SITE}/five-things-a-boatbuilder-keeps-by-the-door/",
    entries=(entry("five-things-a-boatbuilder-keeps-by-the-door"),),
    excerpt_md=(
        "A yard is cold from October to May, and you only walk back to the house once. What hangs by my door:\n\n"
        "1. A wool cap that has been wet a hundred times\n"
        "2. Yesterday’s bread, in paper\n"
        "3. A pencil, because the good one is always lost\n"
        "4. …"
    ),
    guest="Jory Tamblyn",
    reading_minutes=4,
)
BOTH = Story(
    kind="read-or-listen",
    title="The woman who sets a table for strangers",
    url=f"{SITE}/podcast-the-woman-who-sets-a-table-for-strangers/",
    entries=(entry("read", picture=LAMP), entry("listen", feed_id="podcast", audio=True, picture=COVER)),
    excerpt_md=(
        "Every Sunday Elowen Hart lays eleven places and knows the names of four. She has done it for nine winters, "
        "through a flood and a broken stove.\n\n"
        "> You don’t need a bigger table. You need to stop clearing it.\n\n"
        "We talk about soup, silence and how to leave a door open."
    ),
    author="Morwenna Pryce",
    guest="Elowen Hart",
    picture=COVER,
    reading_minutes=5,
    duration_seconds=2520,
    season=1,
    episode=14,
    listen_url=f"{SHOW}/episodes/14",
    listen_links=LISTEN,
    transcript_url=f"{SHOW}/episodes/14/transcript.vtt",
)
EPISODE = Story(
    kind="episode",
    title="A minute of harbour bells",
    url=f"{SHOW}/episodes/bells",
    entries=(entry("bells", feed_id="podcast", audio=True),),
    excerpt_md="No talk this time: the bells of three boats, recorded at the turn of the tide.",
    listen_url=f"{SHOW}/episodes/bells",
)


def link(title: str, host: str, note: str) -> Story:
    """Return a useful link."""
    url = f"https://{host}/{title.split()[0].lower()}"
    return Story(
        kind="link", title=title, url=url, entries=(entry(title, feed_id="links"),), excerpt_md=note, link_domain=host
    )


LINKS = (
    link(
        "The museum that lends out its oldest tools",
        "toolshed.example.org",
        "Planes, adzes and a cooper’s croze, on loan for a week at a time; the waiting list is shorter than you think.",
    ),
    link(
        "How to read a shipping forecast",
        "weatherglass.example.com",
        "Four words do most of the work. After this you will hear the rest of them, too, and know when to stay in.",
    ),
    link(
        "A free pattern for a fisherman’s cuff",
        "woolbook.example.net",
        "Knitted flat, so a beginner can finish a pair in two evenings, and it uses up the odd ball at the bottom.",
    ),
)

SAMPLE = Digest(
    week="2026-W07",
    number=7,
    opens_at=OPENS_AT,
    closes_at=CLOSES_AT,
    publication=PUBLICATION,
    subject="A slow loaf, and a table set for strangers",
    preheader="Elowen Hart on leaving the door open, a boatbuilder’s five things, and tools you can borrow for a week.",
    introduction_md=(
        "Good morning from a wet quay. The boats stayed in all week, so the town did what it does best in February: it "
        "cooked for whoever came through the door.\n\n"
        "This letter is about waiting: a loaf that takes two days, a guest who lays eleven places, and what makes a "
        "cold morning bearable. Put the kettle on first."
    ),
    sections=(
        Section(kind="posts", heading="From the blog", stories=(POST, GUEST_POST)),
        Section(kind="episodes", heading="From the podcast", stories=(BOTH, EPISODE)),
        Section(kind="links", heading="Useful links", stories=LINKS),
    ),
    decisions=(),
)

RICH = replace(
    SAMPLE,
    publication=replace(
        PUBLICATION,
        accent="#8a1f4d",
        signature="Morwenna Pryce",
        portrait_url=f"{UPLOADS}/2025/11/site-icon-64x64.png",
        portrait_width=64,
        portrait_height=64,
        feedback_links=True,
        call_to_action_md=(
            "Do you know somebody who would like this letter? **Forward it**, or send them "
            f"[the page where it begins]({SITE}/letter/)."
        ),
    ),
    previous_url=f"{SITE}/archive/2026-W06",
    sections=(
        Section(
            kind="posts",
            heading="From the blog",
            stories=(
                replace(
                    POST,
                    note_md="I have baked this one *four times* since Christmas. Do not skip the second night.",
                    related=(
                        RelatedEntry(
                            title="What the tide does to a timetable",
                            url=f"{SITE}/what-the-tide-does/",
                            published_at=datetime(2024, 3, 4, tzinfo=UTC),
                        ),
                        RelatedEntry(
                            title="Rye, for people who say they do not like rye",
                            url=f"{SITE}/rye/",
                            published_at=datetime(2023, 11, 20, tzinfo=UTC),
                        ),
                    ),
                ),
                GUEST_POST,
            ),
        ),
        Section(
            kind="episodes",
            heading="From the podcast",
            stories=(
                replace(
                    BOTH,
                    chapters=(
                        TimedText(text="Eleven plates, four names", start_seconds=95),
                        TimedText(text="The winter of the flood", start_seconds=830),
                        TimedText(text="Soup for nobody you know", start_seconds=1985),
                    ),
                    guest_url="https://elowenhart.example/",
                ),
                replace(
                    EPISODE,
                    title="The ferryman’s last timetable",
                    transcript_opening="The first crossing is always empty. "
                    "You take it anyway: somebody may be waiting.",
                    picture=Picture(url=f"{SHOW}/artwork/ep13.jpg", alt="Artwork of episode 13", width=400, height=400),
                    season=2,
                    episode=13,
                    duration_seconds=4320,
                    guest="Ronan Teague",
                    listen_links=LISTEN,
                ),
            ),
        ),
        Section(
            kind="links", heading="Useful links", stories=(replace(LINKS[0], note_md="Ask for the adze."), *LINKS[1:])
        ),
    ),
    archive=(
        Section(
            kind="archive",
            heading="This week a year ago",
            stories=(
                replace(
                    GUEST_POST,
                    title="A soup for eleven, or for two and a freezer",
                    url=f"{SITE}/a-soup-for-eleven/",
                    excerpt_md="Barley, the end of a ham, what the garden has left. It waits longer than any guest.",
                    published_at=datetime(2025, 2, 12, tzinfo=UTC),
                ),
            ),
        ),
    ),
    blocks=(
        Block(
            kind="sponsor",
            label="Tin & Twine",
            position="after-lead",
            text_md=(
                "Tin & Twine packs a week of breakfasts for small boats: oats, a lemon, and [a kettle that does not "
                "slide](https://tinandtwine.example/kettle)."
            ),
        ),
    ),
)
"""A week with every part that a newsletter can have."""

BARE = Digest(
    week="2026-W08",
    opens_at=CLOSES_AT,
    closes_at=datetime(2026, 2, 23, tzinfo=UTC),
    publication=Publication(
        name="Harbour & Hearth",
        url=SITE,
        timezone="Europe/London",
        language="en",
        sender="letter@harbourandhearth.example",
        editor="editor@harbourandhearth.example",
        postal_address="",
    ),
    subject="A minute of harbour bells",
    preheader="",
    sections=(Section(kind="episodes", heading="", stories=(replace(EPISODE, excerpt_md=""),)),),
    decisions=(),
)

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung" * 3
LONG_URL = f"https://example.org/{'a-very-long-path-without-an-end/' * 8}?q={'x' * 200}#fragment"
HOSTILE = '<script>alert("1")</script> & "quotes" \r\nBcc: all@example.org {{ page }} --> <!-- 👩🏽‍🌾'


def numbered(n: int) -> Story:
    """Return one of very many links."""
    link = LINKS[n % len(LINKS)]
    return replace(link, title=f"{n} {link.title} {'🌊' * (n % 4)}", url=f"{link.url}?n={n}")


STRESS = replace(
    SAMPLE,
    publication=replace(
        PUBLICATION,
        name="Ħarbour & Hearth 🏠",
        sender='"Ħarbour, Hearth & Co." <letter@harbourandhearth.example>',
        signature=HOSTILE,
        portrait_url='https://example.org/"><script>alert(1)</script>',
        feedback_links=True,
    ),
    blocks=(
        Block(kind="sponsor", label=HOSTILE, text_md=f"{HOSTILE} [{LONG}]({LONG_URL})", position="after-fourth-story"),
        Block(kind="notice", label=LONG, text_md=f"{LONG}\n\n- one\n- two", position="after-lead"),
    ),
    subject=f"{HOSTILE} – ein sehr langer Betreff, der in keine Zeile passt, und noch länger",
    preheader=HOSTILE,
    introduction_md=(
        f"# A heading <img src=x onerror=alert(1)>\n\n{LONG}\n\n[{LONG}]({LONG_URL}) and <{LONG_URL}>\n\n"
        "[click](javascript:alert(1)) [data](data:text/html;base64,AAAA) "
        "[note](#note) [mail](mailto:editor@example.org)\n\n"
        f"```\n{'code ' * 60}\n{'x' * 300}\n```\n\n"
        f"| {' | '.join(f'column {n}' for n in range(12))} |\n"
        f"|{' --- |' * 12}\n| {' | '.join(['wide ' * 3] * 12)} |\n\n"
        f"![huge](https://example.org/huge.jpg)\n\n> {'a quote ' * 30}\n\n"
        "7. seven\n8. eight\n   - nested\n     - deeper"
    ),
    sections=(
        Section(
            kind="posts",
            heading="مقالات",
            stories=(
                replace(
                    POST,
                    title="خبز بطيء لأقصر الشهور",
                    author="مورينا",
                    excerpt_md="في فبراير لا شيء يستعجل. الخبز يحتاج يومين (2 days).",
                ),
                replace(POST, title=HOSTILE, author=HOSTILE, picture=replace(LOAF, alt=HOSTILE, width=9000, height=30)),
                replace(POST, title=LONG, picture=Picture(url=f"{UPLOADS}/tall.jpg", width=600, height=2400)),
                replace(POST, title="No page", url="", picture=None, excerpt_md=HOSTILE),
                replace(POST, url='https://example.org/"><script>alert(1)</script>', excerpt_md=f"`{'y' * 200}`"),
                replace(POST, title="", url="javascript:alert(1)", picture=Picture(url="data:image/png;base64,AAAA")),
            ),
        ),
        Section(
            kind="episodes",
            heading=LONG,
            stories=(
                replace(BOTH, title=LONG, guest=LONG, explicit=True, season=3, duration_seconds=7260),
                replace(
                    BOTH,
                    picture=replace(LAMP, width=None, height=None),
                    listen_links=((LONG, LONG_URL), ("Bad", "javascript:1")),
                ),
                replace(EPISODE, picture=Picture(url=f"{SHOW}/cover.jpg"), guest="عمر", episode=0, duration_seconds=20),
            ),
        ),
        Section(
            kind="links",
            heading="Forty links",
            stories=(*map(numbered, range(39)), replace(LINKS[0], title=LONG, url=LONG_URL)),
        ),
    ),
)

SAMPLE, RICH = (with_levels(digest, f"blog {POST.entries[0].guid}") for digest in (SAMPLE, RICH))
BARE, STRESS = with_levels(BARE), with_levels(STRESS)
