"""Replace the links of a message by counted ones, and add the canary.

A program that scans messages follows every link, a person none that cannot be seen. So a client that has followed the
canary is a scanner, and its other clicks do not count.
"""

from __future__ import annotations

import re
from html import escape, unescape

from pipeline.model.counted_link import CountedLink, counted_url, make_tag
from pipeline.model.message import PLACEHOLDERS

# A link, or the button that Outlook shows instead of one.
_LINK = re.compile(r'(<(?:a|v:roundrect)\s(?:[^<>]*?\s)?href=")(https?://[^"<>]*)"', re.IGNORECASE)
_BODY = re.compile(r"<body\b[^<>]*>")
_OWN_PATHS = ("/archive", "/preferences", "/subscribe", "/unsubscribe")
# First in the body, where a scanner that stops early still finds it. Each client ignores something else, so it is
# hidden in several ways; Outlook does not see it at all.
_CANARY = (
    '<!--[if !mso]><!--><a href="{}" aria-hidden="true" tabindex="-1" style="display:none;max-height:0;overflow:hidden;'
    'font-size:0;line-height:0"></a><!--<![endif]-->'
)


def with_counted_links(html: str, week: str, public_url: str, home_url: str) -> tuple[str, tuple[CountedLink, ...]]:
    """Return the HTML of a message with counted links, and these, the canary last; it leads to the home page.

    Links to pages for subscribers, placeholders and everything but links stay as they are.

    >>> html = '<body><a href="https://a.example/?x=1&amp;y=2">Bread</a>'
    >>> counted, links = with_counted_links(html, "2026-W07", "https://news.example", "https://a.example/")
    >>> counted.rpartition("<!--<![endif]-->")[2]
    '<a href="https://news.example/to/2026-W07/f49425dacdc0b2b9">Bread</a>'
    >>> [(link.url, link.is_canary) for link in links]
    [('https://a.example/?x=1&y=2', False), ('https://a.example/', True)]
    """
    own = tuple(public_url + path for path in _OWN_PATHS)
    links: dict[str, CountedLink] = {}

    def count(match: re.Match[str]) -> str:
        url = unescape(match[2])
        if url.startswith(own) or any(placeholder in url for placeholder in PLACEHOLDERS):
            return match[0]
        tag = make_tag(week, url)
        links[tag] = CountedLink(tag=tag, url=url)
        return f'{match[1]}{escape(counted_url(public_url, week, tag))}"'

    html = _LINK.sub(count, html)
    canary = CountedLink(tag=make_tag(week, ""), url=home_url, is_canary=True)
    element = _CANARY.format(escape(counted_url(public_url, week, canary.tag)))
    return _BODY.sub(lambda body: body[0] + element, html, count=1), (*links.values(), canary)
