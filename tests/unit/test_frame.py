"""What surrounds the stories: the signature, standing blocks, and the links to answer an edition."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pipeline.digest.checks import preflight
from pipeline.digest.compose.compose import DigestInputs, compose
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import Theme, load_theme
from pipeline.digest.selection.assignment import WeekAssignment
from pipeline.digest.selection.select import select
from pipeline.model.block import Block, BlockKind, BlockPosition
from pipeline.model.check import PreflightContext
from pipeline.model.digest import Digest, RenderedDigest
from pipeline.model.week import Week, WeekCalendar
from tests.golden.sample import BARE, LINKS, POST, SAMPLE, UPLOADS, with_levels
from tests.golden.update import THEME_NAMES, THEMES

CALENDAR = WeekCalendar.parse("mon 00:00", UTC)
SPONSOR = Block(kind="sponsor", text_md="Rope for **every** boat: [see the coils](https://rope.example/coils).")
LONG_WEEK = with_levels(
    replace(
        SAMPLE,
        sections=(
            replace(
                SAMPLE.sections[1],
                heading="Notes",
                stories=tuple(replace(POST, title=f"Story {n}", level="story") for n in range(1, 9)),
            ),
        ),
    )
)


@cache
def theme_of(name: str) -> Theme:
    return load_theme([THEMES], name)


def shown(digest: Digest, theme: str = "classic") -> RenderedDigest:
    return render(digest, theme_of(theme))


def with_block(digest: Digest = SAMPLE, **changes: Any) -> Digest:
    return replace(digest, blocks=(replace(SPONSOR, **changes),))


def with_publication(digest: Digest = SAMPLE, **changes: Any) -> Digest:
    return replace(digest, publication=replace(digest.publication, **changes))


def before(digest: Digest, words: str) -> list[str]:
    """Return the titles of ``digest`` that are before some words, in the HTML and in the text alike."""
    rendered = shown(digest)
    titles = [story.title for story in digest.stories]
    parts = [part.partition(words)[0] for part in (rendered.html.partition("</style></head>")[0], rendered.text)]
    found = [
        [title for title in titles if title in re.sub(r"(?s)In this edition.*?(</ul>|\n\n)", "", part)]
        for part in parts
    ]
    assert found[0] == found[1]
    return found[1]


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("label", ["", "Tarred & Twisted"])
def test_a_sponsor_is_named_as_one_in_both_parts(theme: str, label: str) -> None:
    """Whatever its label: the word comes before its text, and the block stands there once."""
    rendered = shown(with_block(label=label), theme)
    for part in (rendered.html, rendered.text):
        kept = part[part.index("</head>") if "</head>" in part else 0 :]
        assert kept.upper().index("SPONSOR") < kept.index("Rope for")
        assert kept.count("Rope for") == 1
    assert "https://rope.example/coils" in rendered.text


def test_a_sponsor_is_named_in_the_language_of_the_newsletter() -> None:
    """In German the law calls it “Anzeige”."""
    rendered = shown(with_publication(with_block(), language="de"))
    assert "ANZEIGE" in rendered.text
    assert "Anzeige" in rendered.html


@pytest.mark.parametrize("kind", ["notice", "house", "sign-off"])
def test_other_blocks_have_their_own_label_or_none(kind: BlockKind) -> None:
    """Only a sponsor's is added."""
    assert "sponsor" not in shown(with_block(kind=kind)).text.lower()
    assert "FROM OUR SHOP\nRope for" in shown(with_block(kind=kind, label="From our shop")).text


POSITIONS: list[tuple[Digest, BlockPosition, int]] = [
    (SAMPLE, "after-lead", 1),
    (SAMPLE, "after-fourth-story", 4),
    (SAMPLE, "end", len(SAMPLE.stories)),
    (LONG_WEEK, "after-lead", 1),
    (LONG_WEEK, "after-fourth-story", 4),
    (LONG_WEEK, "end", 8),
    (BARE, "after-lead", 1),
    (BARE, "after-fourth-story", 1),
    (BARE, "end", 1),
]


@pytest.mark.parametrize(("digest", "position", "stories"), POSITIONS)
def test_blocks_follow_the_story_they_are_placed_after(digest: Digest, position: BlockPosition, stories: int) -> None:
    """With fewer than four stories in full, the block after the fourth follows the last one."""
    assert len(before(with_block(digest, position=position), "Rope for")) == stories


@pytest.mark.parametrize("position", ["after-lead", "after-fourth-story", "end"])
def test_without_stories_a_block_is_at_the_end(position: BlockPosition) -> None:
    """An edition that has only useful links shows its blocks after them."""
    links = replace(SAMPLE, sections=(replace(SAMPLE.sections[-1], stories=LINKS),))
    assert len(before(with_block(links, position=position), "Rope for")) == len(LINKS)


def test_blocks_keep_their_order() -> None:
    """Several at one position stand in the order of config.toml."""
    texts = ("First of all.", "Second of all.", "Third of all.")
    blocks = tuple(Block(kind="notice", text_md=text, position="after-lead") for text in texts)
    for part in (shown(replace(BARE, blocks=blocks)).html, shown(replace(BARE, blocks=blocks)).text):
        assert sorted(map(part.index, texts)) == list(map(part.index, texts))


@pytest.mark.parametrize(
    ("first_day", "last_day", "is_shown"),
    [
        (None, None, True),
        (date(2026, 2, 16), None, True),
        (None, date(2026, 2, 16), True),
        (date(2026, 2, 16), date(2026, 2, 16), True),
        (date(2026, 2, 17), None, False),
        (None, date(2026, 2, 15), False),
    ],
)
def test_a_block_is_shown_on_its_days(first_day: date | None, last_day: date | None, is_shown: bool) -> None:
    """Both days count; what is compared is the day on which the week closes."""
    assert composed_blocks(replace(SPONSOR, first_day=first_day, last_day=last_day)) == is_shown


@pytest.mark.parametrize(("zone", "day"), [("Asia/Tokyo", 16), ("America/New_York", 15), ("UTC", 16)])
def test_days_are_those_of_the_publication(zone: str, day: int) -> None:
    """A week that closes at midnight UTC closes on another day elsewhere."""
    on_that_day = replace(SPONSOR, first_day=date(2026, 2, day), last_day=date(2026, 2, day))
    assert composed_blocks(on_that_day, timezone=zone) == 1


def composed_blocks(*blocks: Block, timezone: str = "UTC") -> int:
    """Return how many of the blocks an edition of the week that closes on Monday 16 February has."""
    inputs = DigestInputs(
        week=Week(2026, 7),
        opens_at=SAMPLE.opens_at,
        closes_at=SAMPLE.closes_at,
        publication=replace(SAMPLE.publication, timezone=timezone),
        feeds=(),
        selection=select(Week(2026, 7), [], WeekAssignment(calendar=CALENDAR, closed_weeks={})),
        blocks=blocks,
    )
    return len(compose(inputs)[0].blocks)


def test_each_block_is_shown_once() -> None:
    """Two tables with the same text and overlapping days print it once, where the first says."""
    assert composed_blocks(SPONSOR, replace(SPONSOR, position="after-lead")) == 1


def test_the_signature_is_below_the_introduction() -> None:
    """In both parts, with the portrait at its size, which has no alt text: the name is beside it.

    There is none without an introduction or a name.
    """
    signed = with_publication(
        signature="Tamsin Vale", portrait_url=f"{UPLOADS}/tamsin.jpg", portrait_width=300, portrait_height=150
    )
    rendered = shown(signed)
    assert rendered.text.index("kettle on first.") < rendered.text.index("\nTamsin Vale\n")
    (image,) = re.findall(r"<img [^>]*tamsin.jpg[^>]*>", rendered.html)
    assert all(attribute in image for attribute in ('alt=""', 'width="48"', 'height="24"'))
    assert "Tamsin" not in shown(replace(signed, introduction_md=" \n")).html
    assert "tamsin.jpg" not in shown(with_publication(signed, signature=" ")).html
    assert "tamsin.jpg" not in shown(with_publication(signed, portrait_url="javascript:tamsin.jpg")).html


def mailto_links(digest: Digest) -> list[tuple[str, str, dict[str, list[str]]]]:
    """Return (label, address, fields) of each mailto link of the HTML."""
    links = re.findall(r'<a [^>]*href="(mailto:[^"]*)"[^>]*>([^<]*)</a>', shown(digest).html)
    urls = [(label, urlsplit(unescape(url))) for url, label in links]
    return [(label, unquote(url.path), parse_qs(url.query)) for label, url in urls]


def test_feedback_links_open_messages() -> None:
    """To the sender with the edition in the subject; to others with the publication's URL and nothing personal."""
    address = "letter@harbourandhearth.example"
    assert mailto_links(with_publication(feedback_links=True)) == [
        ("Yes", address, {"subject": ["Yes: Harbour & Hearth, Issue 7"]}),
        ("No", address, {"subject": ["No: Harbour & Hearth, Issue 7"]}),
        ("Reply", address, {"subject": [f"Re: {SAMPLE.subject}"]}),
        ("Pass it on", "", {"subject": [SAMPLE.subject], "body": ["https://harbourandhearth.example/"]}),
    ]
    assert mailto_links(with_publication(feedback_links=False)) == []
    assert shown(with_publication(feedback_links=False)).text == shown(SAMPLE).text


@pytest.mark.parametrize("url", ["", "https://letters.example/archive/2026-W06", "javascript:alert(1)"])
def test_the_edition_before_is_linked_at_the_end(url: str) -> None:
    """In both parts of the mail, if it has a page and the publication has such links."""
    mail = shown(replace(with_publication(feedback_links=True), previous_url=url))
    linked = url.startswith("https:")
    assert (f'href="{url}"' in mail.html and "Previous\N{NO-BREAK SPACE}edition" in unescape(mail.html)) == linked
    assert (f"Previous edition: {url}" in mail.text) == linked
    assert "Previous" not in shown(replace(with_publication(feedback_links=False), previous_url=url)).text


def test_an_edition_without_a_number_is_named_by_its_date() -> None:
    """It gets its number when it is sealed."""
    first = mailto_links(with_publication(replace(SAMPLE, number=None), feedback_links=True))[0]
    assert first[2] == {"subject": ["Yes: Harbour & Hearth, 16 February 2026"]}


@pytest.mark.parametrize(
    "subject", ["Salt & smoke? 100 % #1\r\nBcc: all@quay.example", "塩" * 300, 'īABCDE "<b>'], ids=ascii
)
def test_subjects_are_encoded_and_cut(subject: str) -> None:
    """No character of a subject ends the URL or adds a header, and a long one stays within 2,000 characters."""
    digest = replace(with_publication(feedback_links=True), subject=subject)
    links = mailto_links(digest)
    assert [sorted(fields) for _, _, fields in links] == [["subject"]] * 3 + [["body", "subject"]]
    assert all("\n" not in fields["subject"][0] and len(fields["subject"][0]) <= 120 for _, _, fields in links)
    found = preflight(digest, shown(digest), to_eml(shown(digest), digest), PreflightContext())
    assert [one for one in found if one.level == "error"] == []


def test_the_checks_find_what_is_wrong_in_a_block() -> None:
    """A note to oneself and a meaningless link, each with the block that has it; a good one has no finding."""

    def findings(**changes: Any) -> set[tuple[str, str, str]]:
        digest = with_publication(with_block(**changes), feedback_links=True, signature="Tamsin Vale")
        found = preflight(digest, shown(digest), to_eml(shown(digest), digest), PreflightContext())
        return {(one.name, one.where, one.fix_target) for one in found}

    bad = findings(text_md="TODO ask them [here](https://rope.example/).", label="Rope & Sons") - findings()
    where = ("[[blocks]] “Rope & Sons”", "setting blocks.text")
    assert bad == {("todo-note", *where), ("link-text", *where)}
    unnamed = findings(text_md="TODO ask the rope people again about the price.") - findings()
    assert {one[1] for one in unnamed} == {"[[blocks]] “TODO ask the rope people…”"}
