"""Views of images, and what every view is made of: safe addresses and texts on one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.model.digest import Story
from pipeline.model.entry import Picture
from pipeline.text.html_images import MIN_PIXELS, is_svg
from pipeline.text.picture_references import is_reference, path_of

FULL_WIDTH = 536
THUMBNAIL_WIDTH = 160
COVER_WIDTH = 120
ICON_WIDTH = 18
MAX_ICON_BYTES = 100_000
MIN_IMAGE_HEIGHT = 48
"""An image of less height is a rule or a button and is not shown, nor is one narrower than ``MIN_PIXELS``."""
MAX_HEIGHT_RATIO = 2.2
"""An image is not shown that is taller than this many times its width: an infographic, a screenshot of a page …"""
MAX_WIDTH_RATIO = 6
"""… or wider than this many times its height: a banner. A picture of a phone, held upright, is 2.2 times as tall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageView:
    """An image at its displayed size in CSS pixels; a height of 0 is unknown."""

    url: str
    alt: str
    width: int
    height: int = 0
    beside: bool = False
    """Small and beside the title, instead of as wide as the text."""


def safe_url(url: str) -> str:
    """Return a URL if it is http(s) and needs no escaping, else ""; a last check, as entries should have no others."""
    return url if url.lower().startswith(("https://", "http://")) and not re.search(r'[\s"<>]', url) else ""


def one_line(text: str) -> str:
    """Return text on one line, with single spaces.

    >>> one_line(" To \\n read ")
    'To read'
    """
    return " ".join(text.split())


def fit_image(width: int | None, height: int | None, max_side: int = FULL_WIDTH) -> tuple[int, int]:
    """Return the size of an image scaled down to fit a square of ``max_side`` CSS pixels; 0 is unknown.

    >>> fit_image(1072, 600), fit_image(300, 200), fit_image(600, 1200), fit_image(None, None)
    ((536, 300), (300, 200), (268, 536), (536, 0))
    """
    if not width or width < 0:
        return max_side, 0
    if not height or height < 0:
        return min(width, max_side), 0
    scale = min(1.0, max_side / width, max_side / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def image_view(story: Story, title: str) -> ImageView | None:
    """Return the view of a story's picture; ``title`` is the alt text of one that has none."""
    picture = story.picture
    address = _address(picture.url) if picture else ""
    if picture is None or not address:
        return None
    if 0 < (picture.width or 0) < MIN_PIXELS or 0 < (picture.height or 0) < MIN_IMAGE_HEIGHT:
        return None
    if _is_strip(picture):
        return None
    alt = one_line(picture.alt) or title
    if _is_cover(story, picture):
        side = min(COVER_WIDTH, picture.width or COVER_WIDTH)
        return ImageView(url=address, alt=alt, width=side, height=side, beside=True)
    beside = story.level != "lead"
    width, height = fit_image(picture.width, picture.height, THUMBNAIL_WIDTH if beside else FULL_WIDTH)
    return ImageView(url=address, alt=alt, width=width, height=height, beside=beside)


def _address(url: str) -> str:
    """Return what the ``src`` of a picture is; for an uploaded one its path from the folder of the edition."""
    return path_of(url) if is_reference(url) else safe_url(url)


def _is_strip(picture: Picture) -> bool:
    """Check whether an image is so tall or so wide that nothing can be seen of it where there is room for it."""
    if not picture.width or not picture.height:
        return False
    return picture.height > MAX_HEIGHT_RATIO * picture.width or picture.width > MAX_WIDTH_RATIO * picture.height


def _is_cover(story: Story, picture: Picture) -> bool:
    """Return whether an image is episode art, which is square (Apple's rule); a post's image never is."""
    if story.kind == "post":
        return False
    if picture.width and picture.height:
        return 0.8 * picture.height < picture.width < 1.2 * picture.height
    return story.post is None or story.post.picture is None or story.post.picture.url != picture.url


def icon_view(story: Story) -> ImageView | None:
    """Return the icon of a story's feed; None if it is known not to be square or to be a large file."""
    icon = story.feed_icon
    if icon is None or not safe_url(icon.url) or is_svg(icon.url) or (icon.length_bytes or 0) > MAX_ICON_BYTES:
        return None
    if icon.width and icon.height and not 0.8 * icon.height < icon.width < 1.25 * icon.height:
        return None
    return ImageView(url=icon.url, alt="", width=ICON_WIDTH, height=ICON_WIDTH)
