"""Titles and running times are parsed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.dates import parse_duration
from pipeline.text.title_parts import TitleParts, is_generic_author, split_guest, split_title
from pipeline.text.titles import strip_episode_number


@pytest.mark.parametrize(
    ("title", "label", "guest", "rest"),
    [
        ("Podcast – Ada Marsh – Salt and smoke", "Podcast", "Ada Marsh", "Salt and smoke"),
        ("Podcast - Ada Marsh - Salt - and smoke", "Podcast", "Ada Marsh", "Salt - and smoke"),
        ("Podcast—Ada Marsh—Salt", "Podcast", "Ada Marsh", "Salt"),
        ("Podcast- Ada Marsh -Salt", "Podcast", "Ada Marsh", "Salt"),
        ("Podcast | Ada Marsh | Salt", "Podcast", "Ada Marsh", "Salt"),
        ("Podcast: Ada Marsh: Salt", "Podcast", "Ada Marsh", "Salt"),
        ("Guest Blog: Bo Lund – A winter on rye", "Guest Blog", "Bo Lund", "A winter on rye"),
        ("Guest Blog – Cher – On bread", "Guest Blog", "Cher", "On bread"),
        ("Guest Post – Dr. O’Neil and Bo van den Berg – Rye", "Guest Post", "Dr. O’Neil and Bo van den Berg", "Rye"),
        ("Podcast – Ada Marsh, baker – Salt", "Podcast", "Ada Marsh, baker", "Salt"),
        ("Podcast #12 – Ada Marsh – Salt", "Podcast #12", "Ada Marsh", "Salt"),
        ("Podcast – NW London Special – Bread", "Podcast", "", "NW London Special – Bread"),
        ("Podcast – Harbour Festival Live – Ropes", "Podcast", "", "Harbour Festival Live – Ropes"),
        ("Podcast – How to rest – and why", "Podcast", "", "How to rest – and why"),
        ("Podcast – Rye Bread – Part 2", "Podcast", "", "Rye Bread – Part 2"),
        ("Podcast – Why salt: a history", "Podcast", "", "Why salt: a history"),
        ("Podcast – Top 10 Ovens – a list", "Podcast", "", "Top 10 Ovens – a list"),
    ],
)  # fmt: skip
def test_labels_and_guests_are_split_off(title: str, label: str, guest: str, rest: str) -> None:
    """A known label is followed by a name and the title; without a name the title is the rest."""
    assert split_title(title) == TitleParts(label=label, guest=guest, title=rest)


@pytest.mark.parametrize(
    ("title", "guest", "rest"),
    [
        ("#12 – The Rye Question (with Ida Brandt)", "Ida Brandt", "#12 – The Rye Question"),
        ("Salt (feat. Bo Lund) | The Harbour Table", "Bo Lund", "Salt | The Harbour Table"),
        ("Salt [ft. Bo Lund & Ida Brandt]", "Bo Lund & Ida Brandt", "Salt"),
        ("Salt w/ Bo Lund", "Bo Lund", "Salt"),
        ("Soup (with beans)", "", "Soup (with beans)"),
        ("Soup (with Beans)", "", "Soup (with Beans)"),
        ("Baking with Bo Lund", "", "Baking with Bo Lund"),
        ("(with Bo Lund)", "", "(with Bo Lund)"),
    ],
)
def test_guests_in_brackets_are_split_off(title: str, guest: str, rest: str) -> None:
    """A name after with, feat. or w/ is the guest, unless nothing else remains."""
    assert split_guest(title) == (guest, rest)


def test_generic_accounts_are_not_authors() -> None:
    """Admin and similar accounts are no authors, however they are written."""
    assert [author for author in ("Admin", "wordpress", "Webmaster", "Ada Admin", "") if is_generic_author(author)] == [
        "Admin", "wordpress", "Webmaster"]  # fmt: skip


@pytest.mark.parametrize(
    "title",
    [
        "Bread – a love story",
        "Ada Marsh – Salt and smoke",
        "Podcast-friendly kitchens",
        "Podcasts – a guide",
        "Interview with Ada Marsh – part one",
        "The oven: a user’s guide",
        "Podcast",
        "Podcast – ",
        "",
    ],
)
def test_ordinary_titles_are_not_split(title: str) -> None:
    """A dash alone means nothing."""
    assert split_title(title) == TitleParts(title=title)


@given(st.text(max_size=80))
def test_a_title_is_never_empty(title: str) -> None:
    """Splitting always leaves a title."""
    assert bool(split_title(title).title) == bool(title)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3600", 3600), ("1:00:00", 3600), ("60:00", 3600), ("90:00", 5400), ("1h", 3600), ("1 hr 5 min", 3900),
        ("PT1H5M", 3900), ("1:05:03.5", 3903), ("42 minutes", 2520), ("1,5h", 5400),
        ("1,234", 1234), ("12,345", 12345), ("1'234", 1234), ("1.234", 1234), ("612.5", 612), ("612.375", 612),
        ("0", None), ("", None), ("-5", None), ("00:00:00:01", None), ("99999999", None), ("one hour", None),
    ],
)  # fmt: skip
def test_durations_are_parsed(text: str, seconds: int | None) -> None:
    """Seconds, clock times, units and ISO 8601; zero, negative and absurd ones are None."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("title", "stripped"),
    [
        ("Ep. 31 - Tar", "Tar"), ("S2E5 - Tar", "Tar"), ("S02 E05: Tar", "Tar"), ("Episode #31 | Tar", "Tar"),
        ("Folge 31: Teer", "Teer"), ("Episode 31", "Episode 31"), ("Episode 9 of our lives", "Episode 9 of our lives"),
        ("31 - Tar", "31 - Tar"), ("No. 9 – a dream", "No. 9 – a dream"), ("EP.31", "EP.31"),
    ],
)  # fmt: skip
def test_numbers_that_say_what_they_count_leave_titles(title: str, stripped: str) -> None:
    """Without a number in the feed, too; a bare number may belong to the title."""
    assert strip_episode_number(title, None) == stripped
