"""What a mail holds besides its digest: the places that are filled in for each reader.

In: plain values. Out: plain values. Touches nothing.
"""

from __future__ import annotations

from urllib.parse import urlsplit

UNSUBSCRIBE = "zzUnsubscribezz"
PREFERENCES = "zzPreferenceszz"
BROWSER = "zzBrowserzz"
PLACES = (UNSUBSCRIBE, PREFERENCES, BROWSER)
"""Letters only, so that neither HTML, quoted-printable nor a mail service's own syntax changes them."""


def place_url(home: str, place: str) -> str:
    """Write a place as an address: the publication's home page with the place as its fragment.

    Whoever opens a draft from disk gets a link that leads home and does nothing; whoever sends it replaces the whole
    address with the reader's own. Path and query are left out: the address must fit on one line of quoted-printable.

    >>> place_url("https://example.org/news/?a=1", UNSUBSCRIBE)
    'https://example.org/#zzUnsubscribezz'
    """
    parts = urlsplit(home)
    return f"{parts.scheme}://{parts.netloc}/#{place}"
