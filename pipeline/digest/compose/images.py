"""Measured image sizes, which count for more than the sizes that a feed's HTML asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.model.digest import Digest, Section, Story
from pipeline.model.entry import Picture, StoredEntry

ImageSizes = Mapping[str, Picture]
"""URL of an image to its measured size."""


def image_urls(stories: Iterable[Sequence[StoredEntry]], own_urls: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the URLs of the publication's own images and of every picture of the stories' entries, each once."""
    pictures = (stored.entry.picture for story in stories for stored in story)
    urls = (*own_urls, *(picture.url for picture in pictures if picture))
    return tuple(dict.fromkeys(filter(None, urls)))


def with_image_sizes(digest: Digest, sizes: ImageSizes) -> Digest:
    """Return a digest whose logo, portrait and pictures have their measured sizes, where these are known."""

    def measured(section: Section) -> Section:
        return replace(section, stories=tuple(_measured_story(story, sizes) for story in section.stories))

    publication = digest.publication
    if logo := sizes.get(publication.logo_url):
        publication = replace(publication, logo_width=logo.width, logo_height=logo.height)
    if portrait := sizes.get(publication.portrait_url):
        publication = replace(publication, portrait_width=portrait.width, portrait_height=portrait.height)
    return replace(
        digest,
        publication=publication,
        sections=tuple(map(measured, digest.sections)),
        archive=tuple(map(measured, digest.archive)),
    )


def _measured_story(story: Story, sizes: ImageSizes) -> Story:
    return replace(story, picture=_measured(story.picture, sizes), feed_icon=_measured(story.feed_icon, sizes))


def _measured(picture: Picture | None, sizes: ImageSizes) -> Picture | None:
    size = sizes.get(picture.url) if picture else None
    if picture is None or size is None or size.width is None:
        return picture
    return replace(size, alt=picture.alt)
