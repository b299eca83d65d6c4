"""The look of a theme besides its templates: colours and fonts.

In: what a theme's ``theme.toml`` says, what the publication asks for. Out: a Look, in which everything can be read.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from pipeline.digest.render.palette import DARK, LIGHT, Palette, is_hex_colour, with_accent, with_readable_text
from pipeline.model.errors import TemplateError

FONTS: Mapping[str, str] = {
    "serif": "Georgia, 'Times New Roman', serif",
    "book": "'Iowan Old Style', 'Palatino Linotype', Palatino, Georgia, serif",
    "sans": "'Helvetica Neue', Helvetica, Arial, sans-serif",
    "system": "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
}
"""Stacks of fonts that are on people's machines: no mail program loads others reliably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeStyle:
    """Colours and fonts, as CSS takes them."""

    light: Palette = LIGHT
    dark: Palette = DARK
    title_font: str = FONTS["serif"]
    text_font: str = FONTS["system"]
    label_font: str = FONTS["system"]
    """For headings of sections, bylines, small print."""


DEFAULT_STYLE = ThemeStyle()


def parse_style(settings: Mapping[str, Any], base: ThemeStyle, file: str) -> ThemeStyle:
    """Read a theme's look from its ``theme.toml``; what it leaves out is as in ``before``.

    TemplateError: a key, a font or a colour that does not exist.
    """
    _refuse_unknown(settings, ("extends", "fonts", "light", "dark"), file)
    fonts = settings.get("fonts", {})
    _refuse_unknown(fonts, ("title", "text", "label"), file)
    return ThemeStyle(
        light=_palette(settings.get("light", {}), base.light, file),
        dark=_palette(settings.get("dark", {}), base.dark, file),
        title_font=_font(fonts["title"], file) if "title" in fonts else base.title_font,
        text_font=_font(fonts["text"], file) if "text" in fonts else base.text_font,
        label_font=_font(fonts["label"], file) if "label" in fonts else base.label_font,
    )


def with_branding(style: ThemeStyle, *, accent: str = "", fonts: str = "") -> ThemeStyle:
    """Put on what the publication asks for: an accent, made readable in both schemes, and one family of fonts.

    ConfigError: the accent is not of the form ``#rrggbb``.

    >>> dressed(CLASSIC, fonts="sans").title_font == FONTS["sans"]
    True
    """
    if fonts:
        style = replace(style, title_font=FONTS[fonts], text_font=FONTS[fonts], label_font=FONTS[fonts])
    if not accent:
        return style
    return replace(
        style,
        light=with_accent(style.light, accent, min_contrast=4.8),
        dark=with_accent(style.dark, accent, min_contrast=7.0),
    )


def _palette(said: Mapping[str, Any], default: Palette, file: str) -> Palette:
    _refuse_unknown(said, [each.name for each in fields(Palette)], file)
    for name, colour in said.items():
        if not isinstance(colour, str) or not is_hex_colour(colour):
            raise TemplateError(f'Write the colour {name} in {file} as six hexadecimal digits: "#1d5c63".', file=file)
    return with_readable_text(replace(default, **said))


def _font(name: Any, file: str) -> str:
    if name not in FONTS:
        raise TemplateError(f"Choose a font of {', '.join(FONTS)} in {file}, not {name!r}.", file=file)
    return FONTS[name]


def _refuse_unknown(said: Any, known: Sequence[str], file: str) -> None:
    if not isinstance(said, Mapping):
        raise TemplateError(f"Make a table of {said!r} in {file}, with {', '.join(known)}.", file=file)
    if unknown := sorted(set(said) - set(known)):
        raise TemplateError(f"Take {unknown[0]} out of {file}: there are {', '.join(known)}.", file=file)
