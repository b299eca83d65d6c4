"""Merge tags: what mail services would replace in a text, found and escaped.

A text that only mentions ``{{ name }}`` must arrive as written, whichever service sends it. In HTML the characters
become references, which a browser shows unchanged and no template language recognises; in plain text an invisible
character separates them, and in its URLs they are percent-encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WORD_JOINER = "\u2060"
"""Invisible, and no line is broken there."""

_SYNTAXES = (
    r"\{\{[^{}]{0,80}\}\}",  # Buttondown, listmonk, Kit, Brevo, Keila, Mailcoach, Mailjet
    r"\{%[^{}]{0,80}%\}",
    r"\{#[^{}]{0,80}#\}",
    r"\{[{%#]",  # not closed, it is a syntax error there
    r"\{[$!][A-Za-z][\w.:=|-]{0,60}\}",  # MailerLite, AWeber
    r"\{(?:unsubscribe|resubscribe|webview|dnc|preferencecenter|contactfield|ownerfield|pagelink|assetlink)"
    r"[\w.:=|-]{0,60}\}",  # Mautic
    r"\*\|[^|]{1,80}\|\*",  # Mailchimp
    r"<%[^%]{1,80}%>",
    r"<(?:unsubscribe|preferences|webversion|forwardtoafriend|fblike|tweet)\b",  # Campaign Monitor, Sendy
    r"\[(?:unsubscribe|preferences|webversion|currentday\w{0,20}|currentmonth\w{0,20}|currentyear)\]",
    r"\[\w{1,40},\s?fallback=",
    r"\[\[[A-Za-z][^\[\]]{0,80}\]\]",  # GetResponse, Mailjet
    r"\[%[^\[\]]{1,80}%\]",
    r"\$\[[^\[\]]{1,80}\]\$",
    r"%%=?\w[^%]{0,80}%%",  # Sendy, Salesforce
    r"%(?:recipient|unsubscribe_url|mailing_list)[._]?\w{0,40}%",  # Mailgun
    r"%[A-Z][A-Z_]{3,40}%",  # ActiveCampaign
    r"::\w{1,40}::",
    r"#(?:recipient|trigger):\w{1,40}",
    r"@TrackLink\b",
)
_PLACEHOLDER = r"zz[A-Z][a-z]{1,30}zz"
"""Our own, see ``model/message.py``."""
_TAG = re.compile("|".join((_PLACEHOLDER, *_SYNTAXES)))
_DELIMITER = re.compile(r"[{}%*|\[\]<>$#:@]|^z|z$")
_STYLE = re.compile(r"<style\b", re.IGNORECASE)
_URL = re.compile(r"(https?://\S+)", re.IGNORECASE)
_STRAY_PERCENT_SIGN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_IN_URL = re.compile(r"(?P<start>^(?:%..|[:#@]+))(?P<character>.)|[{}*|\[\]<>$]|^z|z$")


def find_merge_tags(text: str) -> list[str]:
    """Return the merge tags in a text, each once.

    >>> find_merge_tags("Hello {{ name }}, or *|FNAME|*: {{ name }}")
    ['{{ name }}', '*|FNAME|*']
    """
    return list(dict.fromkeys(_TAG.findall(text)))


def escape_in_html(html: str) -> str:
    """Return HTML in which no merge tag is left and which is shown unchanged. Style sheets stay as they are.

    >>> escape_in_html('<a href="https://a.example/?n={{x}}">*|FNAME|*</a>')
    '<a href="https://a.example/?n=&#123;&#123;x&#125;&#125;">&#42;&#124;FNAME&#124;&#42;</a>'
    """
    return "".join(
        part if is_style else _TAG.sub(lambda tag: _DELIMITER.sub(_reference, tag[0]), part)
        for is_style, part in _split_styles(html)
    )


def escape_in_text(text: str) -> str:
    r"""Return plain text in which no merge tag is left; it reads the same, and URLs lead to the same pages.

    >>> escape_in_text("Say {{x}}, see https://a.example/?n={{x}}")
    'Say {\u2060{\u2060x}\u2060}\u2060, see https://a.example/?n=%7B%7Bx%7D%7D'
    """
    parts = _URL.split(text)
    parts[::2] = [_TAG.sub(lambda tag: _DELIMITER.sub(_separated, tag[0]), part) for part in parts[::2]]
    parts[1::2] = map(_escape_in_url, parts[1::2])
    return "".join(parts)


def _escape_in_url(url: str) -> str:
    """Return a URL without merge tags that leads to the same page.

    >>> _escape_in_url("https://a.example/%FACEBOOK%20%YEAR%#recipient:x")
    'https://a.example/%FA%43EBOOK%20%25YEAR%25#%72ecipient:x'
    """
    while _TAG.search(url):  # again, where tags overlap or one is inside another
        url = _TAG.sub(lambda tag: _IN_URL.sub(_percent_encoded, tag[0]), _STRAY_PERCENT_SIGN.sub("%25", url))
    return url


def _split_styles(html: str) -> Iterator[tuple[bool, str]]:
    end = 0
    while style := _STYLE.search(html, end):
        yield False, html[end : style.start()]
        end = html.find("</style", style.end())
        end = len(html) if end < 0 else end
        yield True, html[style.start() : end]
    yield False, html[end:]


def _reference(delimiter: re.Match[str]) -> str:
    return f"&#{ord(delimiter[0])};"


def _separated(delimiter: re.Match[str]) -> str:
    return delimiter[0] + WORD_JOINER


def _percent_encoded(match: re.Match[str]) -> str:
    # An encoded character, a colon, "#" and "@" have a meaning in a URL: there the next character is encoded.
    start, character = match["start"] or "", match["character"] or match[0]
    return start + "".join(f"%{byte:02X}" for byte in character.encode())
