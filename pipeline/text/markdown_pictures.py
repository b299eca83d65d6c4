"""Convert Markdown to HTML with its pictures: of introductions and notes, which editors write."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import nh3

from pipeline.text.markdown import new_parser, render_safe, to_html
from pipeline.text.picture_references import path_of, reference_size

_MAX_WIDTH = 536
"""In CSS pixels, as wide as the text."""
_STAND_IN = "\ue0f1"
"""A private character around the number of a picture, so that it survives the sanitising of the rest."""
_NUMBERED = re.compile(rf"{_STAND_IN}([0-9]{{1,4}}){_STAND_IN}")
_WEB_URL = re.compile(r"https?://", re.IGNORECASE)


def to_html_with_pictures(md: str) -> str:
    """Return safe HTML as ``to_html`` does, with the pictures that are uploaded or have an address (http, https).

    For the ``src`` of an uploaded picture see ``picture_references``.

    >>> to_html_with_pictures("![A loaf](https://a.example/loaf.jpg)").partition(" style=")[0]
    '<p><img class="wide" src="https://a.example/loaf.jpg" alt="A loaf" width="536"'
    """
    if "![" not in md:
        return to_html(md)
    images: list[str] = []

    def render_image(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
        alt = " ".join(tokens[index].content.split())
        image = _image(str(tokens[index].attrs["src"]), alt)
        if not image:
            return nh3.clean_text(alt)
        images.append(image)
        return f"{_STAND_IN}{len(images) - 1}{_STAND_IN}"

    html = render_safe(md.replace(_STAND_IN, ""), new_parser(render_image))
    return _NUMBERED.sub(lambda number: "".join(images[int(number[1]) :][:1]), html)


def _image(url: str, alt: str) -> str:
    """Return an image as wide as the text or as its pixels; empty for a relative address or another scheme."""
    size = reference_size(url)
    if not size and not _WEB_URL.match(url):
        return ""
    width = min(size[0], _MAX_WIDTH) if size else _MAX_WIDTH
    height = f' height="{max(1, round(size[1] * width / size[0]))}"' if size else ""
    address = escape(path_of(url) if size else url)
    style = f'style="display: block; width: 100%; max-width: {width}px; height: auto"'
    return f'<img class="wide" src="{address}" alt="{escape(alt)}" width="{width}"{height} {style}>'
