"""The copy of a mail that is shown in a frame: the sealed bytes, with the questions a mail client answers answered.

In: the edition's HTML and a way to look at it. Out: HTML for the frame alone; the edition's bytes are never touched.
Four things differ from the bytes, all of them what a client would do itself:

* links open in a tab of their own (``<base target>``), as they do from a mail client;
* ``prefers-color-scheme`` is answered here, so that a mail shows its own dark design to an editor whose system is
  light, in every browser; ``color-scheme`` follows it;
* forced dark turns light grounds dark and dark words light, one colour at a time, as Gmail on Android and Outlook do
  to mails they take to be light only;
* pictures kept at hand (the demo's) are read from the preview itself.

Pictures off is no change at all: the frame's content security policy refuses them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from colorsys import hls_to_rgb, rgb_to_hls
from html import escape, unescape
from urllib.parse import quote

_STYLES = re.compile(r"<style\b.*?</style\s*>|<source\b[^>]*>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<style\b.*?</style\s*>|<[a-z][^>]*>", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_DECLARED = re.compile(r"color-scheme[\"']?\s*(?::|content\s*=)[^;}>]*\bdark\b", re.IGNORECASE)
_PICTURE = re.compile(r"(<img\b[^>]*?\ssrc\s*=\s*)\"([^\"]*)\"", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_COLOUR = re.compile(
    r"(?P<what>[a-z-]*color|background|border[a-z-]*)(?P<gap>\s*[:=]\s*[\"']?[^;<>{}\"']*?)#(?P<hex>[0-9a-f]{6}|[0-9a-f]{3})\b",
    re.IGNORECASE,
)


def frame_html(html: str, *, scheme: str = "light", is_local: Callable[[str], bool] = lambda url: False) -> str:
    """Make the copy of a mail that stands in the preview's frame.

    ``scheme`` is light, dark (as the mail's author designed it) or forced (as a client does it alone). ``at_hand``
    says which pictures the preview can answer for itself.

    >>> framed("<html><head></head><body>Hi</body></html>")
    '<html><head><base target="_blank"><style>:root{color-scheme:light!important}</style></head><body>Hi</body></html>'
    """
    dark = scheme == "forced" or (scheme == "dark" and _DECLARED.search(html) is not None)
    shown = _PICTURE.sub(lambda found: _nearby(found, is_local), html)
    shown = resolve_color_scheme(shown, "dark" if scheme == "dark" else "light")
    if scheme == "forced":
        shown = force_dark(shown)
    return _at_top_of_head(shown, _preamble("dark" if dark else "light"))


def resolve_color_scheme(html: str, scheme: str) -> str:
    """Answer the style sheets' question for the reader's colour scheme, whatever the browser would say.

    A feature becomes a condition that is always, or never, true, so compound queries keep their other parts.

    >>> answer_scheme("<style>@media (prefers-color-scheme: dark) and (min-width:9px){}</style>", "dark")
    '<style>@media (min-width:0) and (min-width:9px){}</style>'
    >>> answer_scheme("<style>@media (prefers-color-scheme:dark){}</style>", "light")
    '<style>@media (max-width:0){}</style>'
    >>> answer_scheme("<p>Words about (prefers-color-scheme: dark)</p>", "dark")
    '<p>Words about (prefers-color-scheme: dark)</p>'
    """

    def answer(found: re.Match[str]) -> str:
        return "(min-width:0)" if found[1].lower() == scheme else "(max-width:0)"

    return _STYLES.sub(lambda block: _SCHEME.sub(answer, block[0]), html)


def force_dark(html: str) -> str:
    """Turn light grounds dark and dark words light, in attributes and style sheets; words on the page stay.

    >>> force_dark('<td bgcolor="#ffffff" style="color:#222222;background:#135e4b">Paint it #ffffff</td>')
    '<td bgcolor="#191919" style="color:#dadada;background:#135e4b">Paint it #ffffff</td>'
    """
    return _TAGS.sub(lambda tag: _COLOUR.sub(_dimmed, tag[0]), html)


def _dimmed(found: re.Match[str]) -> str:
    return f"{found['what']}{found['gap']}#{_dim(found['hex'], is_words=found['what'].lower() == 'color')}"


def _dim(digits: str, *, is_words: bool) -> str:
    """Give a colour for a dark page, in the same hue: words at least 60 % light, all else at most 40 %.

    It is no more colourful than before: a light grey with a warm touch becomes a dark grey with one, not a brown.

    >>> _dim("fff", is_words=False), _dim("135e4b", is_words=False), _dim("135e4b", is_words=True)
    ('191919', '135e4b', 'a8eddc')
    >>> _dim("f4f1ea", is_words=False)
    '28251e'
    """
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    hue, lightness, saturation = rgb_to_hls(*(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)))
    if is_words != (lightness < 0.5):
        return digits
    mirrored = 0.95 - 0.7 * lightness if is_words else 0.7 - 0.6 * lightness
    room = (1 - abs(2 * lightness - 1)) / (1 - abs(2 * mirrored - 1))
    return "".join(f"{round(part * 255):02x}" for part in hls_to_rgb(hue, mirrored, saturation * min(1, room)))


def _nearby(found: re.Match[str], at_hand: Callable[[str], bool]) -> str:
    url = unescape(found[2])
    return f'{found[1]}"/picture?url={escape(quote(url, safe=""))}"' if at_hand(url) else found[0]


def _preamble(scheme: str) -> str:
    return f'<base target="_blank"><style>:root{{color-scheme:{scheme}!important}}</style>'


def _at_top_of_head(html: str, preamble: str) -> str:
    head = _HEAD.search(html)
    return html[: head.end()] + preamble + html[head.end() :] if head else preamble + html
