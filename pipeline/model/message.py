"""What a mail holds besides its digest: the places that are filled in for each reader, and what fills them.

In: plain values. Out: plain values. Touches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

UNSUBSCRIBE = "zzUnsubscribezz"
PREFERENCES = "zzPreferenceszz"
BROWSER_VIEW = "zzBrowserzz"
PLACEHOLDERS = (UNSUBSCRIBE, PREFERENCES, BROWSER_VIEW)
"""Letters only, so that neither HTML, quoted-printable nor a mail service's own syntax changes them."""


def placeholder_url(home_url: str, placeholder: str) -> str:
    """Write a place as an address: the publication's home page with the place as its fragment.

    Whoever opens a draft from disk gets a link that leads home and does nothing; whoever sends it replaces the whole
    address with the reader's own. Path and query are left out: the address must fit on one line of quoted-printable.

    >>> place_url("https://example.org/news/?a=1", UNSUBSCRIBE)
    'https://example.org/#zzUnsubscribezz'
    """
    parts = urlsplit(home_url)
    return f"{parts.scheme}://{parts.netloc}/#{placeholder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets a mail, and the addresses that are theirs alone. All are complete, as written on the wire."""

    address: str
    unsubscribe_url: str
    """``https://``; a POST to it unsubscribes at once (RFC 8058)."""
    unsubscribe_address: str
    """Where an empty mail unsubscribes, too, e.g. ``leave+token@example.org``."""
    preferences_url: str
    browser_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """The list a mail belongs to."""

    home_url: str
    """The publication's home page, which the places lead to until they are filled in."""
    id: str
    """A dotted name for List-Id (RFC 2919), e.g. ``weekly.example.org``."""
    feedback_id: str
    """Feedback-ID, e.g. ``2026-W07:weekly:harbour``: what complaints are counted by."""
