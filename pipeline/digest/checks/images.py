"""Checks of images: alt texts, formats, and no more pixels than a screen shows. ``reachability`` checks their files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from io import BytesIO

from pipeline.digest.checks.inputs import THEME, CheckInputs, Location, story_location
from pipeline.model.check import CheckResult
from pipeline.text.html_images import is_svg

MAX_IMAGE_WIDTH = 1200
"""In pixels: about twice the displayed width."""
_WITHOUT_ALT = re.compile(r"!\[\s*\]\(")
_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|svg|heic|bmp|avif)"
    r"|(?:img|dsc[nf]?|pxl|dji|gopr|screenshot|unnamed|untitled|image)[-_ ]?\d*(?:[-_ ]\d+)*",
    re.IGNORECASE,
)


def image_alt(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that every image has an alt text that is not a file name."""
    locations: dict[str, Location] = {}
    for story in inputs.digest.all_stories:
        if picture := story.picture:
            locations.setdefault(picture.url, story_location(story))
            if not picture.alt.strip():
                message = "Describe the image for people who cannot see it (“alt text”): now the title is read out."
                yield story_location(story).result("image-alt", "hint", message)
    for location, text, by_editor in inputs.texts():
        if by_editor and _WITHOUT_ALT.search(text):
            message = "Describe the picture between the brackets, ![like this](…), for those who cannot see it."
            yield location.result("image-alt", "warning", message)
    for image in inputs.html.images:
        if image.alt is None:
            message = f"Fix the theme: the image {image.url} has no alt attribute."
            yield THEME.result("image-alt", "error", message)
        elif _FILE_NAME.fullmatch(image.alt.strip()):
            alt = image.alt.strip()
            message = (
                f"Describe the image in the edition or where it was published: its alt text is a file name, “{alt}”."
            )
            yield locations.get(image.url, THEME).result("image-alt", "warning", message)


def image_size(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no image is wider than ``MAX_IMAGE_WIDTH``."""
    for story in inputs.digest.all_stories:
        width = story.picture.width if story.picture else None
        if width and width > MAX_IMAGE_WIDTH:
            message = f"Publish a smaller image: this one is {width} pixels wide, {MAX_IMAGE_WIDTH} are enough."
            yield story_location(story).result("image-size", "warning", message)


def image_format(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no picture is an SVG image."""
    for story in inputs.digest.all_stories:
        if story.picture and is_svg(story.picture.url):
            message = "Publish the image as JPEG, PNG or WebP: this one is SVG, which mail programs do not show."
            yield story_location(story).result("image-format", "warning", message)


def repeated_picture(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that no picture is shown with two stories."""
    shown = Counter(image.url for image in inputs.html.images if image.alt)  # icons of feeds say nothing
    for story in inputs.digest.all_stories:
        if story.level != "brief" and story.picture and shown[story.picture.url] > 1:
            message = (
                "Publish a picture for each story, or show all but one of these as briefs: their picture is the same."
            )
            yield story_location(story).result("repeated-picture", "warning", message)


def read_image_size(prefix: bytes) -> tuple[int, int] | None:
    """Return the displayed width and height in pixels of an image file, given its first bytes.

    Return None if the bytes are too few, damaged or not a raster image. imagesize is imported when first used.

    >>> read_image_size(b"GIF89a" + bytes([44, 1, 200, 0]))
    (300, 200)
    """
    import imagesize

    if prefix.lstrip()[:1] == b"<":  # SVG: no mail program shows it, and untrusted XML is not parsed here
        return None
    try:
        width, height = imagesize.get(BytesIO(prefix))
    except Exception:  # the bytes may be anything, and the library documents no exceptions
        return None
    return (width, height) if width > 0 and height > 0 else None
