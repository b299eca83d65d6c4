"""Image sizes: measured once by their first bytes, and written into the HTML."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import pytest

from pipeline.digest.compose.images import with_image_sizes
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.jobs.digests.enrich import IMAGE_PREFIX_BYTES, fetch_episode_details, fetch_image_sizes
from pipeline.model.entry import Picture
from pipeline.model.fetch import FetchOutcome, FetchRequest
from pipeline.store import Store
from tests.empty_store import empty_store
from tests.factories import MONDAY, entry, episode, stored
from tests.golden.sample import LAMP, PUBLICATION, RICH, SAMPLE
from tests.golden.update import THEMES

LOGO = "https://example.org/logo.gif"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


class FakeFetcher:
    """Answers with images and records the requests."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies
        self.requests: list[FetchRequest] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        for each in requests:
            self.requests.append(each)
            body = self.bodies.get(each.url)
            kind = "ok" if body is not None else "not_found"
            yield FetchOutcome(key=each.key, url=each.url, kind=kind, body=body or b"", length_bytes=90_000)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(empty_store(tmp_path))


def post(url: str) -> list[list[object]]:
    return [[stored(entry(picture=Picture(url=url)))]]


def test_each_image_is_measured_once(store: Store) -> None:
    """Its first bytes are fetched once; an image that could not be fetched is tried again an hour later."""
    wanted = [*post("https://example.org/a.gif"), *post("https://example.org/lost.gif")]
    network = FakeFetcher({"https://example.org/a.gif": gif(300, 200), LOGO: gif(400, 100)})
    assert fetch_image_sizes(store, wanted, lambda: network, own_images=[LOGO], now=MONDAY) == 2
    assert {each.first_bytes for each in network.requests} == {IMAGE_PREFIX_BYTES}
    for minutes in (0, 59, 60, 61, 179, 180):
        now = MONDAY + timedelta(minutes=minutes)
        assert fetch_image_sizes(store, wanted, lambda: network, own_images=[LOGO], now=now) == 0
    assert [each.url for each in network.requests[3:]] == ["https://example.org/lost.gif"] * 2
    sizes = store.media.image_sizes(["https://example.org/a.gif"])["https://example.org/a.gif"]
    assert (sizes.width, sizes.height, sizes.length_bytes) == (300, 200, 90_000)


def test_an_image_without_a_size_is_not_fetched_again(store: Store) -> None:
    """An SVG has no size in pixels: that is stored, too."""
    url = "https://example.org/a.svg"
    network = FakeFetcher({url: b"<svg/>"})
    assert fetch_image_sizes(store, post(url), lambda: network, now=MONDAY) == 1
    assert fetch_image_sizes(store, post(url), lambda: network, now=MONDAY) == 0
    assert store.media.image_sizes([url])[url].width is None


def test_an_image_that_does_not_end_holds_one_digest(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """What arrived before the time was up is stored; the rest is tried again after an hour, and logged once."""

    class SlowFetcher(FakeFetcher):
        """Never gives the outcome of the second request."""

        async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
            async for outcome in super().fetch_all(requests, now=now):
                if len(self.requests) > 1:
                    await asyncio.sleep(60)
                yield outcome

    images = {"https://example.org/a.gif": gif(300, 200), LOGO: gif(400, 100)}
    wanted, network = post("https://example.org/a.gif"), SlowFetcher(images)
    assert fetch_image_sizes(store, wanted, lambda: network, own_images=[LOGO], now=MONDAY, max_seconds=0.05) == 1
    soon, later = FakeFetcher(images), FakeFetcher(images)
    assert fetch_image_sizes(store, wanted, lambda: soon, own_images=[LOGO], now=MONDAY + timedelta(minutes=1)) == 0
    assert soon.requests == []
    (record,) = caplog.records
    assert "the digest goes without 1 document that could not be fetched in time" in record.getMessage()
    assert fetch_image_sizes(store, wanted, lambda: later, own_images=[LOGO], now=MONDAY + timedelta(hours=1)) == 1


def test_episode_details_that_fail_are_left_alone_for_a_day_at_most(store: Store) -> None:
    """The interval doubles with each failure; what arrives in the end is stored."""
    url = "https://example.org/chapters.json"
    wanted, network = [[stored(episode(chapters_url=url))]], FakeFetcher({})
    for hours in range(24 * 7):
        fetch_episode_details(store, wanted, lambda: network, now=MONDAY + timedelta(hours=hours))
    assert len(network.requests) == 11  # after 0, 1, 3, 7, 15 and 31 hours, then daily
    network.bodies[url] = b'{"chapters": [{"startTime": 0, "title": "Salt"}]}'
    assert fetch_episode_details(store, wanted, lambda: network, now=MONDAY + timedelta(days=9)) == 1


def test_measured_sizes_are_in_the_html() -> None:
    """They take precedence over sizes from a feed's HTML, and limit the logo's."""
    digest = replace(SAMPLE, publication=replace(PUBLICATION, logo_url=LOGO))
    pictures = [story.picture.url for story in digest.stories if story.picture]
    sizes = {LOGO: Picture(url=LOGO, width=120, height=30)} | {
        url: Picture(url=url, width=320, height=180) for url in pictures if "loaf" in url
    }
    html = render(with_image_sizes(digest, sizes), load_theme([THEMES], "classic")).html
    for size in ('height="30"', 'width="120"', 'height="180"', 'width="320"'):
        assert size in html


def test_without_measured_sizes_the_digest_is_unchanged() -> None:
    """Neither missing sizes nor unknown ones change it."""
    assert with_image_sizes(SAMPLE, {}) == SAMPLE
    assert with_image_sizes(SAMPLE, {LAMP.url: Picture(url=LAMP.url)}) == SAMPLE


def test_each_image_has_its_own_size() -> None:
    """The logo, the portrait and the pictures of new and older stories, whose descriptions stay."""
    publication = replace(RICH.publication, logo_url=LOGO)
    portrait = publication.portrait_url
    older = replace(RICH.archive[0].stories[0], picture=Picture(url=LAMP.url, alt="A lamp", width=9))
    digest = replace(RICH, publication=publication, archive=(replace(RICH.archive[0], stories=(older,)),))
    sizes = {url: Picture(url=url, width=number, height=2 * number) for number, url in ((3, LOGO), (4, portrait))}
    measured = with_image_sizes(digest, sizes | {LAMP.url: Picture(url=LAMP.url, width=5, height=6)})
    assert (measured.publication.logo_width, measured.publication.logo_height) == (3, 6)
    assert (measured.publication.portrait_width, measured.publication.portrait_height) == (4, 8)
    assert measured.archive[0].stories[0].picture == Picture(url=LAMP.url, alt="A lamp", width=5, height=6)
    assert measured.sections == digest.sections


def test_an_image_that_turns_out_to_be_a_thumbnail_is_not_shown() -> None:
    """Its feed does not say that it is 72 pixels wide; one of 320 is shown."""
    url = next(story.picture.url for story in SAMPLE.stories if story.picture and "loaf" in story.picture.url)
    shown = []
    for size in (72, 320):
        measured = with_image_sizes(SAMPLE, {url: Picture(url=url, width=size, height=size)})
        shown.append(url in render(measured, load_theme([THEMES], "classic")).html)
    assert shown == [False, True]
