"""The placeholders of a message that are filled in per recipient, and what fills them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

UNSUBSCRIBE = "zzUnsubscribezz"
PREFERENCES = "zzPreferenceszz"
BROWSER_VIEW = "zzBrowserzz"
PLACEHOLDERS = (UNSUBSCRIBE, PREFERENCES, BROWSER_VIEW)
"""Letters only, so that neither HTML, quoted-printable nor a mail service's own syntax changes them."""


def placeholder_url(home_url: str, placeholder: str) -> str:
    """Return a placeholder as a URL: the publication's home page with the placeholder as its fragment.

    In a draft opened from disk the link leads to the home page and does nothing; sending replaces the whole URL with
    the recipient's own. Path and query are dropped: the URL must fit on one line of quoted-printable.

    >>> placeholder_url("https://example.org/news/?a=1", UNSUBSCRIBE)
    'https://example.org/#zzUnsubscribezz'
    """
    parts = urlsplit(home_url)
    return f"{parts.scheme}://{parts.netloc}/#{placeholder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A recipient of a message and their own links, complete and encoded."""

    address: str
    unsubscribe_url: str
    """``https://``; a POST to it unsubscribes at once (RFC 8058)."""
    unsubscribe_mailto: str
    """``mailto:``; a message to its address, with its subject if it has one, unsubscribes as well."""
    preferences_url: str
    browser_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListIdentity:
    """The identity of the list in message headers."""

    home_url: str
    """The publication's home page, which the placeholders lead to until they are filled in."""
    id: str
    """A dotted name for List-Id (RFC 2919), e.g. ``weekly.example.org``."""
    feedback_id: str
    """Feedback-ID, by which complaints are counted, e.g. ``2026-W07:weekly:harbour``."""
