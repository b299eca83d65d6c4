"""SpamAssassin finds nothing suspicious, by its local rules."""

from __future__ import annotations

from functools import cache

import pytest

from tests.mail.editions import ALL_MAILS, mail
from tests.mail.external_validators import SpamScore, spam_scores

pytestmark = [pytest.mark.requires("spamassassin"), pytest.mark.xdist_group("spamassassin")]
MAX_POINTS = 0.5
NEVER = {"MPART_ALT_DIFF", "MIME_HTML_ONLY", "HTML_FONT_LOW_CONTRAST"}


@cache
def scores() -> dict[str, SpamScore]:
    """Run SpamAssassin once."""
    return spam_scores({f"{theme} {edition}": mail(theme, edition).eml for theme, edition in ALL_MAILS})


@pytest.mark.parametrize(("theme", "edition"), ALL_MAILS)
def test_is_not_spam(theme: str, edition: str) -> None:
    """At most half a point, and none of the rules that careless newsletters break."""
    score = scores()[f"{theme} {edition}"]
    assert score.points <= MAX_POINTS, score
    assert not NEVER & score.rules
    assert not any(rule.startswith("HTML_IMAGE_ONLY_") for rule in score.rules)
