"""The demo edition: what an ordinary week of the program weighs, and how long it is."""

from __future__ import annotations

import re

import pytest

from tests.mail.editions import THEMES, mail
from tests.mail.validators import ParsedMarkup

pytestmark = pytest.mark.parametrize("theme", THEMES)
MOST_BYTES = 30_000
ABOUT_WORDS = range(340, 501)
"""420, more or less: a letter of three minutes."""


def test_demo_is_light(theme: str) -> None:
    """At most 30 KB of HTML."""
    assert len(mail(theme, "demo").html.encode()) <= MOST_BYTES


def test_demo_is_short(theme: str) -> None:
    """About 420 words are read, the inbox line's filler not counted."""
    words = re.findall(r"\w+(?:[’'.-]\w+)*", ParsedMarkup(mail(theme, "demo").html).text)
    assert len(words) in ABOUT_WORDS
