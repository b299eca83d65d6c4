"""Checks of pictures: words in their place, and no more pixels than a screen shows.

In: a Proof. Out: Checks. Pure: how many bytes they have is ``checks.reached``'s question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.inputs import THEME, CheckInputs, Location, story_location
from pipeline.model.check import CheckResult

MAX_IMAGE_WIDTH = 1200
"""Across: twice what is shown, and a little."""
_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|svg|heic|bmp|avif)"
    r"|(?:img|dsc[nf]?|pxl|dji|gopr|screenshot|unnamed|untitled|image)[-_ ]?\d*(?:[-_ ]\d+)*",
    re.IGNORECASE,
)


def image_alt(proof: CheckInputs) -> Iterator[CheckResult]:
    """Every picture has words for whoever does not see it, and they are no file name."""
    for story in proof.stories:
        if story.picture and not story.picture.alt.strip():
            message = "Describe the picture where it was published (“alt text”): the title stands in for it now."
            yield story_location(story).result("picture-alt", "hint", message)
    for picture in proof.parsed_html.images:
        if picture.alt is None:
            message = f"Mend the theme: the picture {picture.url} has no alt attribute."
            yield THEME.result("picture-alt", "error", message)
        elif _FILE_NAME.fullmatch(picture.alt.strip()):
            message = f"Describe the picture where it was published: its alt text is “{picture.alt}”, a file's name."
            yield _owner(proof, picture.url).result("picture-alt", "warning", message)


def image_size(proof: CheckInputs) -> Iterator[CheckResult]:
    """No picture is wider than a good screen shows it."""
    for story in proof.stories:
        picture = story.picture
        if picture and picture.width and picture.width > MAX_IMAGE_WIDTH:
            message = (
                f"Publish a smaller picture: this one is {picture.width} pixels wide, {MAX_IMAGE_WIDTH} are enough."
            )
            yield story_location(story).result("picture-size", "warning", message)


def _owner(proof: CheckInputs, url: str) -> Location:
    owners = (story_location(story) for story in proof.stories if story.picture and story.picture.url == url)
    return next(owners, THEME)
