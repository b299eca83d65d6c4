"""The copy of an edition's HTML that the desk shows in a frame.

It differs from the sealed HTML only in what mail clients change themselves:

* links open in a new tab (``<base target>``);
* ``prefers-color-scheme`` is resolved here and ``color-scheme`` set to match, so that the dark design can be shown in
  every browser, whatever the system's setting;
* the forced dark scheme darkens light backgrounds and lightens dark text colour by colour, as Gmail on Android and
  Outlook do with messages that declare no dark scheme;
* images that need no network (the demo's) are loaded from the desk.

Without images their addresses are removed: the content security policy would block each with an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from colorsys import hls_to_rgb, rgb_to_hls
from html import escape, unescape
from urllib.parse import quote

_ATTRIBUTES = r"(?:[^<>\"]|\"[^\"]*\")"
_STYLE = r"<style\b.*?(?:</style\s*+>|\Z)"
_STYLES = re.compile(rf"{_STYLE}|<source\b{_ATTRIBUTES}*+>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(rf"{_STYLE}|<[a-z]{_ATTRIBUTES}*+>", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_DECLARES_DARK = re.compile(r"color-scheme[\"']?\s*+(?::|content\s*+=)[^:;=}>]*\bdark\b", re.IGNORECASE)
_IMAGE = re.compile(rf"(<img\b{_ATTRIBUTES}*?\ssrc\s*+=\s*+)\"([^\"]*)\"", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^<>]*>", re.IGNORECASE)
_COLOUR = re.compile(
    r"(?<![a-z-])(?P<property>[a-z-]*(?:color|background)|border[a-z-]*)(?P<gap>\s*+[:=]\s*+[\"']?[^:;=<>{}\"']*?)"
    r"#(?P<hex>[0-9a-f]{6}|[0-9a-f]{3})\b",
    re.IGNORECASE,
)


def frame_html(
    html: str,
    *,
    scheme: str = "light",
    is_local: Callable[[str], bool] = lambda url: False,
    shows_images: bool = True,
) -> str:
    """Return the copy of an edition's HTML for the frame.

    ``scheme`` is ``light``, ``dark`` (its own dark design, if it has one) or ``forced`` (as some clients recolour
    it). ``is_local`` returns whether the desk itself can serve an image.

    >>> frame_html("<html><head></head><body>Hi</body></html>")
    '<html><head><base target="_blank"><style>:root{color-scheme:light!important}</style></head><body>Hi</body></html>'
    """

    def local_image(match: re.Match[str]) -> str:
        if not shows_images:
            return f'{match[1]}""'
        url = unescape(match[2])
        return f'{match[1]}"/image?url={escape(quote(url, safe=""))}"' if is_local(url) else match[0]

    is_dark = scheme == "forced" or (scheme == "dark" and _DECLARES_DARK.search(html) is not None)
    framed = resolve_color_scheme(_IMAGE.sub(local_image, html), "dark" if scheme == "dark" else "light")
    if scheme == "forced":
        framed = force_dark(framed)
    root_scheme = "dark" if is_dark else "light"
    preamble = f'<base target="_blank"><style>:root{{color-scheme:{root_scheme}!important}}</style>'
    head = _HEAD.search(framed)
    return framed[: head.end()] + preamble + framed[head.end() :] if head else preamble + framed


def resolve_color_scheme(html: str, scheme: str) -> str:
    """Replace the ``prefers-color-scheme`` queries of the style sheets by a condition that is always true or false.

    The other parts of a compound query keep their meaning.

    >>> resolve_color_scheme("<style>@media (prefers-color-scheme: dark) and (min-width:9px){}</style>", "dark")
    '<style>@media (min-width:0) and (min-width:9px){}</style>'
    >>> resolve_color_scheme("<style>@media (prefers-color-scheme:dark){}</style>", "light")
    '<style>@media (max-width:0){}</style>'
    >>> resolve_color_scheme("<p>Words about (prefers-color-scheme: dark)</p>", "dark")
    '<p>Words about (prefers-color-scheme: dark)</p>'
    """

    def condition(match: re.Match[str]) -> str:
        return "(min-width:0)" if match[1].lower() == scheme else "(max-width:0)"

    return _STYLES.sub(lambda styles: _SCHEME.sub(condition, styles[0]), html)


def force_dark(html: str) -> str:
    """Darken light backgrounds and lighten dark text in attributes and style sheets; text content is not changed.

    >>> force_dark('<td bgcolor="#ffffff" style="color:#222222;background:#135e4b">Paint it #ffffff</td>')
    '<td bgcolor="#191919" style="color:#dadada;background:#135e4b">Paint it #ffffff</td>'
    """

    def darken(match: re.Match[str]) -> str:
        colour = _dark_colour(match["hex"], is_text=match["property"].lower() == "color")
        return f"{match['property']}{match['gap']}#{colour}"

    return _TAGS.sub(lambda tag: _COLOUR.sub(darken, tag[0]), html)


def _dark_colour(digits: str, *, is_text: bool) -> str:
    """Return a colour for a dark page in the same hue: text at least 60 % light, anything else at most 40 %.

    Chroma never grows: a warm light grey becomes a warm dark grey and not brown.

    >>> _dark_colour("fff", is_text=False), _dark_colour("135e4b", is_text=False), _dark_colour("135e4b", is_text=True)
    ('191919', '135e4b', 'a8eddc')
    >>> _dark_colour("f4f1ea", is_text=False)
    '28251e'
    """
    digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    hue, lightness, saturation = rgb_to_hls(*(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)))
    if is_text != (lightness < 0.5):
        return digits
    mirrored = 0.95 - 0.7 * lightness if is_text else 0.7 - 0.6 * lightness
    chroma_ratio = (1 - abs(2 * lightness - 1)) / (1 - abs(2 * mirrored - 1))
    channels = hls_to_rgb(hue, mirrored, saturation * min(1, chroma_ratio))
    return "".join(f"{round(channel * 255):02x}" for channel in channels)
