"""How large a digest's pictures are: which there are, and the digest with what is known of them.

In: a Digest, Pictures as they were seen. Out: addresses; the Digest again. Pure. A size that was seen counts for more
than one that a feed's HTML says, which is the size it wanted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.model.digest import Digest, Publication, Section, Story
from pipeline.model.entry import Picture, StoredEntry

ImageSizes = Mapping[str, Picture]


def image_urls(stories: Iterable[Sequence[StoredEntry]], logo_url: str = "") -> tuple[str, ...]:
    """Return the URLs of the logo and of every picture of the stories' entries, each once."""
    pictures = (stored.entry.picture for story in stories for stored in story)
    urls = (logo_url, *(picture.url for picture in pictures if picture))
    return tuple(dict.fromkeys(filter(None, urls)))


def with_image_sizes(digest: Digest, sizes: ImageSizes) -> Digest:
    """Say of each picture how large it is, where that has been seen."""
    return replace(
        digest,
        publication=_logo(digest.publication, sizes),
        sections=tuple(_section(each, sizes) for each in digest.sections),
        archive=tuple(_section(each, sizes) for each in digest.archive),
    )


def _logo(publication: Publication, seen: ImageSizes) -> Publication:
    logo = seen.get(publication.logo_url)
    return replace(publication, logo_width=logo.width, logo_height=logo.height) if logo else publication


def _section(section: Section, seen: ImageSizes) -> Section:
    return replace(section, stories=tuple(_story(each, seen) for each in section.stories))


def _story(story: Story, seen: ImageSizes) -> Story:
    picture = story.picture
    known = seen.get(picture.url) if picture else None
    if picture is None or known is None or known.width is None:
        return story
    return replace(story, picture=replace(known, alt=picture.alt))
