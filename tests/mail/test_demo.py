"""The demo edition: its size and its length."""

from __future__ import annotations

import re

import pytest

from tests.mail.editions import THEMES, mail
from tests.mail.validators import ParsedMarkup

pytestmark = pytest.mark.parametrize("theme", THEMES)
MAX_BYTES = 30_000
ABOUT_WORDS = range(280, 501)
"""About 420 words, which take three minutes to read."""


def test_demo_is_small(theme: str) -> None:
    """At most 30 KB of HTML."""
    assert len(mail(theme, "demo").html.encode()) <= MAX_BYTES


def test_demo_is_short(theme: str) -> None:
    """About 420 words, not counting the preheader's filler."""
    words = re.findall(r"\w+(?:[’'.-]\w+)*", ParsedMarkup(mail(theme, "demo").html).text)
    assert len(words) in ABOUT_WORDS
