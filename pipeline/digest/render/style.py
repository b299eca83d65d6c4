"""Style of a theme besides its templates: colours and fonts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from pipeline.digest.render.palette import DARK, LIGHT, Palette, is_hex_colour, with_accent, with_readable_text
from pipeline.model.errors import TemplateError

FONTS: Mapping[str, str] = {
    "serif": "Georgia, 'Times New Roman', serif",
    "book": "'Iowan Old Style', 'Palatino Linotype', Palatino, Georgia, serif",
    "sans": "'Helvetica Neue', Helvetica, Arial, sans-serif",
    "system": "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
}
"""CSS stacks of installed fonts: few mail programs load web fonts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeStyle:
    """Colours and CSS font stacks."""

    light: Palette = LIGHT
    dark: Palette = DARK
    title_font: str = FONTS["serif"]
    text_font: str = FONTS["system"]
    label_font: str = FONTS["system"]
    """For section headings, bylines and small print."""


DEFAULT_STYLE = ThemeStyle()


def parse_style(settings: Mapping[str, Any], base: ThemeStyle, file: str) -> ThemeStyle:
    """Return the style that a ``theme.toml`` defines; settings it does not have are those of ``base``.

    Raise TemplateError for an unknown key, font or colour.
    """
    _check_keys(settings, "", ("extends", "fonts", "light", "dark"), file)
    fonts = settings.get("fonts", {})
    _check_keys(fonts, "[fonts]", ("title", "text", "label"), file)
    chosen = {f"{use}_font": _parse_font(name, f"[fonts] {use}", file) for use, name in fonts.items()}
    light = _parse_palette(settings.get("light", {}), "[light]", base.light, file)
    dark = _parse_palette(settings.get("dark", {}), "[dark]", base.dark, file)
    return replace(base, light=light, dark=dark, **chosen)


def with_branding(style: ThemeStyle, *, accent: str = "", fonts: str = "") -> ThemeStyle:
    """Return a style with the publication's accent, made readable in both schemes, and its fonts.

    Raise ConfigError if the accent is not of the form ``#rrggbb``.

    >>> with_branding(DEFAULT_STYLE, fonts="sans").title_font == FONTS["sans"]
    True
    """
    if fonts:
        style = replace(style, title_font=FONTS[fonts], text_font=FONTS[fonts], label_font=FONTS[fonts])
    if accent:
        light = with_accent(style.light, accent, min_contrast=4.8)
        style = replace(style, light=light, dark=with_accent(style.dark, accent, min_contrast=7.0))
    return style


def _parse_palette(settings: Any, table: str, default: Palette, file: str) -> Palette:
    _check_keys(settings, table, [field.name for field in fields(Palette)], file)
    for name, colour in settings.items():
        if not isinstance(colour, str) or not is_hex_colour(colour):
            message = f'Write {table} {name} in {file} as six hexadecimal digits such as "#1d5c63", not {colour!r}.'
            raise TemplateError(message, file=file)
    return with_readable_text(replace(default, **settings))


def _parse_font(name: Any, key: str, file: str) -> str:
    if not isinstance(name, str) or name not in FONTS:
        raise TemplateError(f"Choose a font of {', '.join(FONTS)} for {key} in {file}, not {name!r}.", file=file)
    return FONTS[name]


def _check_keys(settings: Any, table: str, known: Sequence[str], file: str) -> None:
    """Raise TemplateError for a key that does not exist; ``table`` is the header, empty for the top of the file."""
    keys = ", ".join(known)
    if not isinstance(settings, Mapping):
        raise TemplateError(f"Replace {settings!r} in {file} by a table {table} with the keys {keys}.", file=file)
    for key in settings:
        if key not in known:
            similar = get_close_matches(key, known, n=1)
            hint = f", or write {similar[0]}" if similar else ""
            where = f"{table} {key}".strip()
            raise TemplateError(f"Remove {where} from {file}{hint}: the keys are {keys}.", file=file)
