"""Palettes: the colours of a newsletter in light and in dark, with the contrast that WCAG 2.2 asks for (4.5 : 1)."""

from __future__ import annotations

import re
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass, replace

from pipeline.model.errors import ConfigError

ACCENT = "#1d5c63"
TINT = 0.3
"""The share of the accent in its tint; the rest is the card's colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours as ``#rrggbb``; mail programs understand no shorter or newer form."""

    page: str
    card: str
    """Behind stories, and the text of a button."""
    text: str
    muted: str
    rule: str
    """Lines, and the background of an image that is not loaded."""
    accent: str
    """Links on the card, and buttons."""

    @property
    def tint(self) -> str:
        """A light tint of the accent, for the rule below the heading of a section."""
        accent, card = _channels(self.accent), _channels(self.card)
        mixed = (round(255 * (TINT * a + (1 - TINT) * c)) for a, c in zip(accent, card, strict=True))
        return "#" + "".join(f"{channel:02x}" for channel in mixed)


LIGHT = Palette(page="#f4f1ea", card="#ffffff", text="#26241f", muted="#5f594e", rule="#e4ded2", accent=ACCENT)
DARK = Palette(page="#151412", card="#201f1c", text="#ece8df", muted="#b3aca0", rule="#3a3731", accent="#7cc4cc")


def with_accent(palette: Palette, accent: str, *, min_contrast: float = 4.5) -> Palette:
    """Return a palette with another accent, darkened or lightened until it is readable on the card.

    Raise ConfigError if the accent is not of the form ``#rrggbb``.

    >>> with_accent(LIGHT, "#ffcc00", min_contrast=4.8).accent
    '#8a6e00'
    """
    if not is_hex_colour(accent):
        raise ConfigError(f'Write the accent as six hexadecimal digits, like "{ACCENT}", not "{accent}".')
    accent = adjust_contrast(accent.lower(), on=palette.card, min_contrast=min_contrast)
    return replace(palette, accent=accent)


def with_readable_text(palette: Palette) -> Palette:
    """Return a palette whose text, muted text and accent are readable wherever they are used.

    >>> with_readable_text(replace(LIGHT, muted="#aaaaaa")).muted
    '#626262'
    """
    text, muted = palette.text, palette.muted
    for background in (palette.card, palette.page):
        text, muted = adjust_contrast(text, on=background), adjust_contrast(muted, on=background)
    muted = adjust_contrast(muted, on=palette.rule)
    return replace(palette, text=text, muted=muted, accent=adjust_contrast(palette.accent, on=palette.card))


def is_hex_colour(colour: str) -> bool:
    """Return whether a colour is of the form ``#rrggbb``."""
    return bool(re.fullmatch(r"#[0-9a-fA-F]{6}", colour))


def adjust_contrast(colour: str, *, on: str, min_contrast: float = 4.5) -> str:
    """Return a colour with its lightness changed until it contrasts with a background; the hue stays.

    >>> adjust_contrast("#1d5c63", on="#ffffff")
    '#1d5c63'
    """
    hue, lightness, saturation = rgb_to_hls(*_channels(colour))
    step = -0.01 if _luminance(on) > 0.18 else 0.01
    while contrast(colour, on) < min_contrast and 0 < lightness + step < 1:
        lightness += step
        colour = "#" + "".join(f"{round(channel * 255):02x}" for channel in hls_to_rgb(hue, lightness, saturation))
    return colour


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21 (WCAG 2.2).

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
