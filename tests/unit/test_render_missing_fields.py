"""Any mixture of missing fields leaves no gap, in every theme and language."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.block import BLOCK_KINDS, BLOCK_POSITIONS, Block
from pipeline.model.digest import Digest, Publication, RelatedEntry, Section, Story
from pipeline.model.entry import Picture, TimedText
from tests.golden.sample import BARE, LISTEN, SITE, entry
from tests.golden.update import THEME_NAMES, THEMES

LOADED = {name: load_theme([THEMES], name) for name in THEME_NAMES}
TRACKING_PIXEL = Picture(url=f"{SITE}/pixel.gif", width=1, height=1)


def maybe(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def timed(*titles: str) -> tuple[TimedText, ...]:
    return tuple(TimedText(text=title, start_seconds=number or None) for number, title in enumerate(titles))


stories = st.builds(
    Story,
    kind=maybe("post", "episode", "read-or-listen", "link"),
    level=maybe("lead", "story", "brief"),
    feed_title=maybe("", "Harbour Notes"),
    feed_icon=maybe(None, Picture(url=f"{SITE}/icon.png"), Picture(url="data:image/png;base64,AAAA")),
    title=maybe("", " ", "Salt"),
    url=maybe("", f"{SITE}/salt/", "javascript:1"),
    entries=st.just((entry("read"), entry("listen", audio=True))),
    excerpt_md=maybe("", "Salt *first*.", "- one\n- two", "![](x.jpg)", "# Heading"),
    author=maybe("", "Ada"),
    guest=maybe("", "عمر"),
    picture=maybe(
        None, Picture(url=f"{SITE}/a.jpg"), Picture(url=f"{SITE}/a.jpg", width=400, height=400), TRACKING_PIXEL
    ),
    reading_minutes=maybe(0, 1, 7),
    duration_seconds=maybe(None, 0, 59, 3600, 4321),
    season=maybe(None, 2),
    episode=maybe(None, 0, 14),
    listen_url=maybe("", f"{SITE}/14"),
    listen_links=maybe((), LISTEN, (("", f"{SITE}/x"), ("Here", ""))),
    transcript_url=maybe("", f"{SITE}/14.vtt"),
    explicit=st.booleans(),
    published_at=maybe(None, datetime(2025, 2, 12, tzinfo=UTC)),
    link_domain=maybe("", "example.org"),
    note_md=maybe("", "Mind the salt."),
    chapters=maybe((), timed("", " "), timed("One", "Two")),
    guest_url=maybe("", "javascript:x", f"{SITE}/ada"),
    listen_site=maybe("", "pod.example"),
    transcript_opening=maybe("", "It begins."),
    related=maybe((), (RelatedEntry(title="Old", url="", published_at=datetime(2024, 1, 1, tzinfo=UTC)),)),
)
section_stories = st.lists(stories, max_size=3).map(tuple)
sections = st.builds(
    Section, kind=maybe("posts", "episodes", "links"), heading=maybe("", "News"), stories=section_stories
)
archives = st.builds(Section, kind=st.just("archive"), heading=maybe("", "Once"), stories=section_stories)
blocks = st.builds(
    Block,
    kind=maybe(*BLOCK_KINDS),
    text_md=maybe("Rope.", "- rope\n- tar"),
    label=maybe("", "Rope & Sons"),
    position=maybe(*BLOCK_POSITIONS),
)
publications = st.builds(
    Publication,
    name=st.just("Harbour"),
    url=st.just(SITE),
    timezone=st.just("Europe/London"),
    language=maybe("en", "de", "ar"),
    sender=st.just(BARE.publication.sender),
    editor=st.just(BARE.publication.editor),
    postal_address=maybe("", "\n \n", "3 Net Loft Lane"),
    tagline=maybe("", "Bread"),
    logo_url=maybe("", f"{SITE}/logo.png", "nowhere"),
    reason=maybe("", "You asked."),
    call_to_action_md=maybe("", "Forward this."),
    signature=maybe("", "Ada"),
    portrait_url=maybe("", f"{SITE}/ada.jpg"),
    feedback_links=maybe(True, False),
)
digests = st.builds(
    Digest,
    week=st.just("2026-W07"),
    opens_at=st.just(BARE.opens_at),
    closes_at=st.just(BARE.closes_at),
    publication=publications,
    subject=maybe("", "Salt"),
    preheader=maybe("", "And bread."),
    sections=st.lists(sections, max_size=3).map(tuple),
    decisions=st.just(()),
    introduction_md=maybe("", "Good morning."),
    number=maybe(None, 7),
    archive=st.lists(archives, max_size=1).map(tuple),
    blocks=st.lists(blocks, max_size=3).map(tuple),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(digests, maybe(*THEME_NAMES))
def test_no_gaps_whatever_is_missing(digest: Digest, theme: str) -> None:
    """No empty element, no separator with nothing on one side, no "None", no gap in the plain text."""
    mail = render(digest, LOADED[theme])
    words = re.sub(
        r"<(style|title)\b.*?</\1>|<!--.*?-->|</?(?:a|b|em|span|strong)\b[^>]*>", "", mail.html, flags=re.DOTALL
    )
    assert re.findall(r"<(p|h\d|div|ul|ol|li|td|tr|table|a|blockquote)\b[^>]*>\s*</\1>", words) == []
    assert re.findall(r"(?:^|>)\s*·|·\s*(?:$|<|·)|\(\)|\bNone\b", words) == []
    assert re.findall(r"^ *·|· *$|· *·|\(\)|\bNone\b|\n{4}|^[:-] *$", mail.text, re.MULTILINE) == []
    words = re.sub(r"<img [^>]*(?:icon|ada)\.\w+[^>]*>", "", words)  # the name is beside it
    assert re.findall(r'(?:href|src|alt)=""', words) == []
