"""Chooses the picture of an entry: the fittest of those that its feed declares, attaches or has in the text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pipeline.model.entry import Enclosure, Picture, RawEntry
from pipeline.text.html_images import IMAGE, fitness, image_attributes, is_image_file, is_svg, pixels, size_in_url
from pipeline.text.plain_text import clean_title, excerpt_text
from pipeline.text.urls import clean_url

MAX_ALT_WORDS = 40
_MAX_CANDIDATES = 100
_SCALED = re.compile(r"-\d{2,5}x\d{2,5}(?=\.\w{3,4}$)|-scaled(?=\.\w{3,4}$)")


def choose_picture(raw: RawEntry, base_url: str, body_html: str) -> Picture | None:
    """Return the picture of an entry, None if no picture fits.

    ``body_html`` is sanitised. The entry's own picture comes first (itunes:image, ``image`` of JSON Feed); else the
    widest, where the width is known; the first of several that are equal. Its alt text and size come from wherever the
    same file has them.
    """
    own = [Picture(url=raw.picture_url)] if raw.picture_url else []
    attached = [Picture(url=one.url) for one in raw.enclosures if _is_image(one)]
    declared = [_complete(picture, base_url) for picture in (*own, *raw.pictures, *attached)[:_MAX_CANDIDATES]]
    candidates = [picture for picture in (*declared, *body_pictures(body_html)) if picture.url]
    own_url = declared[0].url if own else ""
    return fittest(candidates, own_url=own_url)


def fittest(candidates: Sequence[Picture], *, own_url: str = "", excluded: Collection[str] = ()) -> Picture | None:
    """Return the fittest picture, ``own_url`` before all others that fit; None if none fits or all are ``excluded``."""

    def rank(picture: Picture) -> tuple[bool, int]:
        fit = fitness(picture.url, picture.width)
        return picture.url == own_url and fit > 0 and not is_svg(picture.url), fit

    allowed = [picture for picture in candidates if picture.url not in excluded]
    best = max(allowed, key=rank, default=None) if len(allowed) != 1 else allowed[0]
    if best is None or rank(best)[1] == 0:
        return None
    same = [picture for picture in candidates if picture.url == best.url]
    sized = next((picture for picture in same if picture.width and picture.height), best)
    named = (picture.alt for picture in (*same, *candidates) if picture.alt and _file(picture.url) == _file(best.url))
    alt = clean_title(next(named, ""))
    alt = excerpt_text(alt, MAX_ALT_WORDS) if len(alt) > 4 * MAX_ALT_WORDS else alt
    return replace(best, alt=alt, width=sized.width, height=sized.height)


def body_pictures(body_html: str) -> Iterator[Picture]:
    """Yield the images of a sanitised body, alt texts as written."""
    for image in islice(IMAGE.finditer(body_html), _MAX_CANDIDATES):
        attributes = image_attributes(image)
        url, alt = attributes.get("src", ""), attributes.get("alt") or attributes.get("title", "")
        width, height = pixels(attributes.get("width", "")), pixels(attributes.get("height", ""))
        width, height = (width, height) if width else size_in_url(url)
        yield Picture(url=url, alt=alt, width=width, height=height)


def _complete(picture: Picture, base_url: str) -> Picture:
    """Return a picture with an absolute URL, and with the size that its URL names if none is declared."""
    url = clean_url(picture.url, base_url)
    width, height = (picture.width, picture.height) if picture.width else size_in_url(url)
    return replace(picture, url=url, width=width, height=height)


def _is_image(enclosure: Enclosure) -> bool:
    media_type = enclosure.media_type.strip().lower()
    is_vague = media_type in ("", "application/octet-stream")
    return media_type.startswith("image") or (is_vague and is_image_file(enclosure.url))


def _file(url: str) -> str:
    """Return the name of an image's file without its size: the same for all sizes of an image.

    >>> _file("https://h.example/a/loaf-300x200.jpg?x=1")
    'loaf.jpg'
    """
    return _SCALED.sub("", url.partition("?")[0].rpartition("/")[2])
