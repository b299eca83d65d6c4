"""Links and images of an edition, checked on a real server: dead, moved, too large, refused or unsafe ones."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from pipeline.digest.checks.images import read_image_size
from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.ingest.http.replay import ReplayTransport
from pipeline.jobs.editions.check_links import check_links, check_results, fast_limits, is_fresh
from pipeline.model.check import CheckLevel, CheckResult, LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.fetch import FetchLimits, FetchOutcome, FetchRequest
from pipeline.model.message import UNSUBSCRIBE, placeholder_url
from tests.contract.loopback_fetch import NOW, limits, to_loopback
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback
ROOT = Path(__file__).parents[2]
PAGE = CannedResponse(body=b"<p>Bread</p>", headers={"Content-Type": "text/html"})


def image(width: int, height: int, more: int = 0) -> CannedResponse:
    """Return a PNG header followed by some bytes."""
    body = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02" + bytes(more)
    return CannedResponse(body=body, headers={"Content-Type": "image/png"})


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def edition(*bodies: str, manifest: bytes = b"") -> Edition:
    """Return an edition whose HTML has these lines."""
    html = f"<html><body>{''.join(bodies)}</body></html>".encode()
    return Edition(
        week="2026-W07", state="draft", number=None, subject="", preheader="", html=html, text=b"", eml=b"",
        manifest=manifest,
    )  # fmt: skip


def link(url: str, words: str = "Bread") -> str:
    return f'<a href="{url}">{words}</a>'


def open_fetcher(within: FetchLimits | None = None) -> Callable[[], HttpFetcher]:
    patient = replace(fast_limits(within or limits()), timeout_seconds=60.0, deadline_seconds=60.0)
    return partial(HttpFetcher, patient, resolve=to_loopback)


def check(*bodies: str) -> tuple[CheckResult, ...]:
    """Return the results for some lines of HTML, however long that takes."""
    return check_links(edition(*bodies), open_fetcher(), now=NOW, max_seconds=600.0)


@pytest.mark.parametrize(
    ("answer", "name", "level"),
    [
        (PAGE, "", ""),
        (CannedResponse(status=404, body=b""), "dead-link", "error"),
        (CannedResponse(status=410, body=b""), "dead-link", "error"),
        (CannedResponse(status=500, body=b""), "dead-link", "warning"),
        (CannedResponse(status=401, body=b""), "dead-link", "hint"),
        (CannedResponse(status=403, body=b""), "dead-link", "hint"),
        (CannedResponse(status=429, body=b""), "dead-link", "hint"),
        (redirect("/elsewhere", 301), "moved-link", "warning"),
        (redirect("/elsewhere", 302), "moved-link", "hint"),
        (redirect("/page"), "dead-link", "warning"),
        (CannedResponse(body=bytes(2_000_000)), "", ""),
    ],
)
def test_pages(server: HttpServer, answer: CannedResponse, name: str, level: str) -> None:
    """A working page gives no result, a dead one an error, a doubtful one a warning; a moved one is named."""
    server.respond("/elsewhere", PAGE)
    server.respond("/page", answer)
    checks = check(link(server.url("/page"), "The loaf"))
    assert [(each.name, each.level, each.where) for each in checks] == ([(name, level, "The loaf")] if name else [])


def test_a_page_is_requested_once_by_head(server: HttpServer) -> None:
    """However often it is linked; the fragment is not sent."""
    server.respond("/page", PAGE)
    url = server.url("/page")
    assert check(link(url), link(f"{url}#more"), link(url, "More bread")) == ()
    assert [seen.method for seen in server.requests_for("/page")] == ["HEAD"]


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_refused_head_is_followed_by_get(server: HttpServer, status: int) -> None:
    """After 403, 405 or 501 the page is requested by GET, and that response counts."""
    server.respond("/page", CannedResponse(status=status, body=b""), PAGE)
    assert check(link(server.url("/page"))) == ()
    assert [seen.method for seen in server.requests_for("/page")] == ["HEAD", "GET"]


@pytest.mark.parametrize(
    ("answer", "name", "level"),
    [
        (image(1072, 600), "", ""),
        (image(1201, 600), "image-size", "warning"),
        (image(100, 100, more=250_000), "image-size", "warning"),
        (CannedResponse(status=404, body=b""), "broken-image", "error"),
        (PAGE, "broken-image", "error"),
    ],
)
def test_images(server: HttpServer, answer: CannedResponse, name: str, level: str) -> None:
    """An image exists, is an image, has 250 KB at most and is no wider than 1,200 pixels."""
    server.respond("/loaf.png", answer)
    checks = check(f'<img src="{server.url("/loaf.png")}" alt="A loaf">')
    assert [(each.name, each.level, each.where) for each in checks] == ([(name, level, "A loaf")] if name else [])


def test_private_addresses_are_not_requested(server: HttpServer) -> None:
    """As when fetching feeds: a link to this machine is an error, and no request is sent."""
    server.respond("/page", PAGE)
    (found,) = check_links(edition(link(server.url("/page"))), open_fetcher(FetchLimits()), now=NOW)
    assert (found.name, found.level) == ("dead-link", "error")
    assert not server.requests


def test_mail_addresses_and_placeholders_are_not_requested(server: HttpServer) -> None:
    """They are no pages, or pages of one recipient."""
    assert check(link("mailto:a@example.org"), link(placeholder_url(server.url("/"), UNSUBSCRIBE))) == ()
    assert not server.requests


class StallingFetcher:
    """Says that the first page is gone, and never anything about the others."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def fetch_all(self, requests: Iterable[FetchRequest], *, now: datetime) -> AsyncIterator[FetchOutcome]:
        first = next(iter(requests))
        yield FetchOutcome(key=first.key, url=first.url, kind="not_found", status=404)
        await asyncio.Event().wait()


def test_a_check_is_limited_in_time() -> None:
    """After the limit, known results are returned, and the others are counted."""
    html = edition(link("https://a.example/gone"), link("https://a.example/slow"))
    gone, left = check_links(html, StallingFetcher, now=NOW, max_seconds=0.0)
    assert (gone.level, left.level) == ("error", "hint")
    assert "last link yourself" in left.message


def test_a_hundred_urls_at_most_are_checked(server: HttpServer) -> None:
    """The first hundred are requested, and the others are counted."""
    found = check(*(link(server.url(f"/{number}")) for number in range(103)))
    assert len(server.requests) == 100
    assert "last 3 links" in found[-1].message


def test_a_missing_connection_is_one_result() -> None:
    """Without the internet there is one result instead of forty dead links."""
    (found,) = check(link("http://127.0.0.1:9/a"), link("http://127.0.0.1:9/b"))
    assert (found.name, found.level) == ("dead-link", "warning")
    assert "internet connection" in found.message


def test_sealed_results_and_link_results_are_combined(server: HttpServer) -> None:
    """Without a link check the results sealed with the edition are all there is."""
    manifest = b'{"checks": [{"name": "todo-note", "level": "error", "message": "Fix it.", "where": "subject"}]}'
    sealed = edition(link(server.url("/page")), manifest=manifest)
    known = (CheckResult(name="todo-note", level="error", message="Fix it.", where="subject"),)
    assert check_results(sealed) == known
    assert not server.requests
    server.respond("/page", redirect("/elsewhere", 301))
    server.respond("/elsewhere", PAGE)
    check = LinkCheck(content_hash="", checked_at=NOW, results=check_links(sealed, open_fetcher(), now=NOW))
    assert [each.name for each in check_results(sealed, check)] == ["todo-note", "moved-link"]


def test_a_dead_link_names_where_to_fix_it(server: HttpServer) -> None:
    """A story's page or image names the story, a link above all stories the introduction, a logo the theme."""
    above, story, within = (server.url(path) for path in ("/above", "/story", "/within"))
    entry = {"feed_id": "blog", "guid": "7", "url": story}
    manifest = json.dumps({"stories": [{"url": story, "entries": [entry]}]}).encode()
    found = check_links(edition(*map(link, (above, story, within)), manifest=manifest), open_fetcher(), now=NOW)
    picture = f'<a href="{story}"><img src="{server.url("/loaf.png")}" alt="A loaf"></a>'
    logo = f'<img src="{server.url("/logo.png")}" alt="The house">'
    home = link(server.url("/"), "Home") + link(placeholder_url(server.url("/"), UNSUBSCRIBE))
    (masthead,) = check_links(edition(home, manifest=manifest), open_fetcher(), now=NOW)
    assert (masthead.where, masthead.fix_target) == ("Home", "theme")
    pictures = check_links(edition(logo, picture, link(story), manifest=manifest), open_fetcher(), now=NOW)[:2]
    assert [(each.where, each.fix_target) for each in pictures] == [("The house", "theme"), ("A loaf", "story blog 7")]
    assert [(each.name, each.fix_target) for each in found] == [
        ("dead-link", "introduction"),
        ("dead-link", "story blog 7"),
        ("dead-link", "stories"),
    ]


@pytest.mark.parametrize(
    ("minutes", "level", "overridden", "enough"),
    [
        (59, "warning", (), True),
        (61, "warning", (), False),
        (1, "error", (), False),
        (1, "error", ("dead-link",), True),
    ],
)
def test_when_saved_results_are_fresh(
    minutes: int, level: CheckLevel, overridden: tuple[str, ...], enough: bool
) -> None:
    """Results of the last hour count unless one of them blocks approval."""
    check = CheckResult(name="dead-link", level=level, message="Fix it.")
    check = LinkCheck(content_hash="1", checked_at=NOW - timedelta(minutes=minutes), results=(check,))
    assert is_fresh(check, overridden, now=NOW) is enough
    assert not is_fresh(None, overridden, now=NOW)


def test_fixtures_are_used_instead_of_the_network() -> None:
    """The demo is checked offline: a page of the fixtures exists, any other does not."""
    replay = partial(HttpFetcher, FetchLimits(), transport=ReplayTransport(ROOT / "fixtures"))
    home = "https://harbourandhearth.example/"
    checks = check_links(edition(link(home), link(f"{home}nowhere/")), replay, now=NOW)
    assert [each.message for each in checks] == [f"Fix or remove it: {home}nowhere/ answered 404 Not Found."]


JPEG = b"\xff\xd8\xff\xe0\0\x04\0\0\xff\xc2\0\x11\x08\x02\x58\x04\x30" + bytes(12)


@pytest.mark.parametrize(
    ("start", "size"),
    [
        (image(1072, 600).body, (1072, 600)),
        (JPEG, (1072, 600)),
        (b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x2f\x04\0\x57\x02\0", (1072, 600)),
        (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 1071 | 599 << 14), (1072, 600)),
        (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 1072, 600), (1072, 600)),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_pixels_are_read_from_the_first_bytes(start: bytes, size: tuple[int, int] | None) -> None:
    """PNG, JPEG and the three kinds of WebP say how large they are; cut short anywhere, they say nothing."""
    assert read_image_size(start) == size
    assert {read_image_size(start[:length]) for length in range(len(start))} <= {None, size}
