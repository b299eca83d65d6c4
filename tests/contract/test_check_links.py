"""The links and pictures of a mail, asked for on a real server: what is dead, moved, heavy, guarded or unsafe."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pipeline.digest.checks.images import read_image_size
from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.ingest.http.replay import ReplayTransport
from pipeline.jobs.editions.check_links import check_links, check_results, fast_limits, is_fresh
from pipeline.model.check import CheckLevel, CheckResult, LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.fetch import FetchLimits
from pipeline.model.message import UNSUBSCRIBE, placeholder_url
from tests.contract.loopback_fetch import NOW, limits, to_loopback
from tests.http_server import CannedResponse, HttpServer, redirect

pytestmark = pytest.mark.loopback
ROOT = Path(__file__).parents[2]
PAGE = CannedResponse(body=b"<p>Bread</p>", headers={"Content-Type": "text/html"})


def image(width: int, height: int, more: int = 0) -> CannedResponse:
    """A PNG as far as its size, and so many bytes more."""
    body = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02" + bytes(more)
    return CannedResponse(body=body, headers={"Content-Type": "image/png"})


@pytest.fixture
def server() -> Iterator[HttpServer]:
    with HttpServer() as running:
        yield running


def edition(*bodies: str, manifest: bytes = b"") -> Edition:
    """An edition whose HTML is these lines."""
    html = f"<html><body>{''.join(bodies)}</body></html>".encode()
    return Edition(
        week="2026-W07", state="draft", number=None, subject="", preheader="", html=html, text=b"", eml=b"",
        manifest=manifest,
    )  # fmt: skip


def link(url: str, words: str = "Bread") -> str:
    return f'<a href="{url}">{words}</a>'


def opened(within: FetchLimits | None = None) -> Callable[[], HttpFetcher]:
    return partial(HttpFetcher, fast_limits(within or limits()), resolve=to_loopback)


def look(*bodies: str, seconds: float = 10.0) -> tuple[CheckResult, ...]:
    """Check what lines of HTML lead to."""
    return check_links(edition(*bodies), opened(), now=NOW, max_seconds=seconds)


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
    """A page that answers is silent; a dead one is an error, a doubtful one is not; a moved one is named."""
    server.respond("/elsewhere", PAGE)
    server.respond("/page", answer)
    checks = look(link(server.url("/page"), "The loaf"))
    assert [(each.name, each.level, each.where) for each in checks] == ([(name, level, "The loaf")] if name else [])


def test_a_page_is_asked_for_without_its_body(server: HttpServer) -> None:
    """HEAD, once, however often the page is linked; what follows the number sign is not sent."""
    server.respond("/page", PAGE)
    url = server.url("/page")
    assert look(link(url), link(f"{url}#more"), link(url, "More bread")) == ()
    assert [seen.method for seen in server.requests_for("/page")] == ["HEAD"]


@pytest.mark.parametrize("status", [403, 405, 501])
def test_a_server_that_knows_no_head_is_asked_again(server: HttpServer, status: int) -> None:
    """After 403, 405 or 501 the page is asked for by GET, and that answer counts."""
    server.respond("/page", CannedResponse(status=status, body=b""), PAGE)
    assert look(link(server.url("/page"))) == ()
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
def test_pictures(server: HttpServer, answer: CannedResponse, name: str, level: str) -> None:
    """A picture is there, is one, has 250 KB at most and is no wider than 1,200 pixels."""
    server.respond("/loaf.png", answer)
    checks = look(f'<img src="{server.url("/loaf.png")}" alt="A loaf">')
    assert [(each.name, each.level, each.where) for each in checks] == ([(name, level, "A loaf")] if name else [])


def test_private_addresses_are_not_asked(server: HttpServer) -> None:
    """The rules are those of fetching: a link to this machine is an error, and nobody knocks there."""
    server.respond("/page", PAGE)
    (found,) = check_links(edition(link(server.url("/page"))), opened(FetchLimits()), now=NOW)
    assert (found.name, found.level) == ("dead-link", "error")
    assert not server.requests


def test_mailboxes_and_places_are_not_asked(server: HttpServer) -> None:
    """What is no page, or is another page for each reader, is nobody's to open."""
    assert look(link("mailto:a@example.org"), link(placeholder_url(server.url("/"), UNSUBSCRIBE))) == ()
    assert not server.requests


def test_ten_seconds_in_all(server: HttpServer) -> None:
    """When time is over, what is known is said, and what is not is counted."""
    server.respond("/gone", CannedResponse(status=404, body=b""))
    server.respond("/slow", CannedResponse(delay_seconds=5))
    started = time.monotonic()
    gone, left = look(link(server.url("/gone")), link(server.url("/slow")), seconds=0.5)
    assert time.monotonic() - started < 3
    assert (gone.level, left.level) == ("error", "hint")
    assert "last link yourself" in left.message


def test_a_hundred_at_most(server: HttpServer) -> None:
    """The first hundred addresses are asked, the others counted."""
    found = look(*(link(server.url(f"/{number}")) for number in range(103)))
    assert len(server.requests) == 100
    assert "last 3 links" in found[-1].message


def test_no_connection_is_said_once() -> None:
    """Without the internet there are not forty dead links, but one sentence."""
    (found,) = look(link("http://127.0.0.1:9/a"), link("http://127.0.0.1:9/b"))
    assert (found.name, found.level) == ("dead-link", "warning")
    assert "internet connection" in found.message


def test_what_was_sealed_and_what_was_answered_are_told_together(server: HttpServer) -> None:
    """Without a look the checks sealed with the edition are all there is, and nobody is asked; with one, both."""
    manifest = b'{"checks": [{"name": "todo-note", "level": "error", "message": "Fix it.", "where": "subject"}]}'
    sealed = edition(link(server.url("/page")), manifest=manifest)
    known = (CheckResult(name="todo-note", level="error", message="Fix it.", where="subject"),)
    assert check_results(sealed) == known
    assert not server.requests
    server.respond("/page", redirect("/elsewhere", 301))
    server.respond("/elsewhere", PAGE)
    look = LinkCheck(content_hash="", checked_at=NOW, results=check_links(sealed, opened(), now=NOW))
    assert [each.name for each in check_results(sealed, look)] == ["todo-note", "moved-link"]


def test_a_dead_link_leads_to_where_it_is_mended(server: HttpServer) -> None:
    """A story's page and picture to that story, a link above all stories to the introduction, a logo to the theme."""
    above, story, within = (server.url(path) for path in ("/above", "/story", "/within"))
    entry = {"feed_id": "blog", "guid": "7", "url": story}
    manifest = json.dumps({"stories": [{"url": story, "entries": [entry]}]}).encode()
    found = check_links(edition(*map(link, (above, story, within)), manifest=manifest), opened(), now=NOW)
    picture = f'<a href="{story}"><img src="{server.url("/loaf.png")}" alt="A loaf"></a>'
    logo = f'<img src="{server.url("/logo.png")}" alt="The house">'
    home = link(server.url("/"), "Home") + link(placeholder_url(server.url("/"), UNSUBSCRIBE))
    (masthead,) = check_links(edition(home, manifest=manifest), opened(), now=NOW)
    assert (masthead.where, masthead.fix_target) == ("Home", "theme")
    pictures = check_links(edition(logo, picture, link(story), manifest=manifest), opened(), now=NOW)[:2]
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
def test_when_nobody_is_asked_again(minutes: int, level: CheckLevel, overridden: tuple[str, ...], enough: bool) -> None:
    """What was said within the hour counts, unless it stops an approval: then it is asked once more."""
    check = CheckResult(name="dead-link", level=level, message="Fix it.")
    look = LinkCheck(content_hash="1", checked_at=NOW - timedelta(minutes=minutes), results=(check,))
    assert is_fresh(look, overridden, now=NOW) is enough
    assert not is_fresh(None, overridden, now=NOW)


def test_fixtures_answer_a_look() -> None:
    """The demo is checked without a network: a page of the fixtures is there, any other is not."""
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
