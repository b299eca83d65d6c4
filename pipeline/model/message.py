"""The placeholders of a message that are filled in per recipient, and what fills them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

UNSUBSCRIBE = "zzUnsubscribezz"
PREFERENCES = "zzPreferenceszz"
BROWSER_VIEW = "zzBrowserzz"
PLACEHOLDERS = (UNSUBSCRIBE, PREFERENCES, BROWSER_VIEW)
"""Letters only, so that neither HTML, quoted-printable nor a mail service's own syntax changes them."""

_SEPARATORS = ("·", "|", "•")


def placeholder_url(home_url: str, placeholder: str) -> str:
    """Return a placeholder as a URL: the publication's home page with the placeholder as its fragment.

    In a draft opened from disk the link leads to the home page and does nothing; sending replaces the whole URL with
    the recipient's own. Path and query are dropped: the URL must fit on one line of quoted-printable.

    >>> placeholder_url("https://example.org/news/?a=1", UNSUBSCRIBE)
    'https://example.org/#zzUnsubscribezz'
    """
    parts = urlsplit(home_url)
    return f"{parts.scheme}://{parts.netloc}/#{placeholder}"


def without_personal_links(html: str, placeholders: Sequence[str] = PLACEHOLDERS) -> str:
    """Return an edition's HTML for everybody: without the links that belong to one recipient, or some of them.

    The separator beside a link goes with it. No placeholder remains, whatever the home page was when the edition was
    sealed, and even if a theme uses one elsewhere than in a link.

    >>> page = '<p>Issue 7 · <a class="quiet" href="https://a.example/#zzBrowserzz">Read in your browser</a></p>'
    >>> without_personal_links(page)
    '<p>Issue 7</p>'
    """
    for placeholder in placeholders:
        kept, *rest = html.split(f'#{placeholder}"')
        for after in rest:
            start, end = kept.rfind("<a"), after.find("</a>")
            if start < 0 or end < 0 or ">" in kept[start:]:
                kept += f'#"{after}'
                continue
            before, after = kept[:start], after[end + len("</a>") :]
            if before.rstrip().endswith(_SEPARATORS):
                before = before.rstrip()[:-1].rstrip()
            elif after.lstrip().startswith(_SEPARATORS):
                after = after.lstrip()[1:].lstrip()
            kept = before + after
        html = kept.replace(placeholder, "")
    return html


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
