"""Checks of pictures: words in their place, and no more pixels than a screen shows.

In: a Proof. Out: Checks. Pure: how many bytes they have is ``checks.reached``'s question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.digest.checks.proof import THEME, Proof, Spot, spot
from pipeline.model.check import Check

MOST_PIXELS = 1200
"""Across: twice what is shown, and a little."""
_FILE_NAME = re.compile(
    r"\S+\.(?:jpe?g|png|gif|webp|svg|heic|bmp|avif)"
    r"|(?:img|dsc[nf]?|pxl|dji|gopr|screenshot|unnamed|untitled|image)[-_ ]?\d*(?:[-_ ]\d+)*",
    re.IGNORECASE,
)


def picture_alt(proof: Proof) -> Iterator[Check]:
    """Every picture has words for whoever does not see it, and they are no file name."""
    for story in proof.stories:
        if story.picture and not story.picture.alt.strip():
            message = "Describe the picture where it was published (“alt text”): the title stands in for it now."
            yield spot(story).check("picture-alt", "hint", message)
    for picture in proof.mail.pictures:
        if picture.alt is None:
            message = f"Mend the theme: the picture {picture.url} has no alt attribute."
            yield THEME.check("picture-alt", "error", message)
        elif _FILE_NAME.fullmatch(picture.alt.strip()):
            message = f"Describe the picture where it was published: its alt text is “{picture.alt}”, a file's name."
            yield _owner(proof, picture.url).check("picture-alt", "warning", message)


def picture_size(proof: Proof) -> Iterator[Check]:
    """No picture is wider than a good screen shows it."""
    for story in proof.stories:
        picture = story.picture
        if picture and picture.width and picture.width > MOST_PIXELS:
            message = f"Publish a smaller picture: this one is {picture.width} pixels wide, {MOST_PIXELS} are enough."
            yield spot(story).check("picture-size", "warning", message)


def _owner(proof: Proof, url: str) -> Spot:
    owners = (spot(story) for story in proof.stories if story.picture and story.picture.url == url)
    return next(owners, THEME)
