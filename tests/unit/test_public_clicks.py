"""Counted links on the pages for subscribers: they lead on in any case, and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import func, select
from starlette.applications import Starlette

from pipeline.jobs.deliveries.clicks import WINDOW, settle_clicks
from pipeline.model.counted_link import CountedLink, make_tag
from pipeline.model.digest import Edition
from pipeline.model.edition import SealedEdition
from pipeline.store.schema import pending_click, scanner
from pipeline.web.public.clicks import MAX_WAITING, ClickPages
from tests.asgi_client import AsgiClient
from tests.subscriber_pages import NOW, Pages, open_pages, write_publication

WEEK = "2026-W07"
URLS = (
    "https://kelp.example/salt/?a=1&b=2#top",
    "https://kelp.example/a b|é\r\nSet-Cookie: x=1",
    "http://dulse.example/",
)
LINKS = [CountedLink(tag=make_tag(WEEK, url), url=url) for url in URLS]
CANARY = CountedLink(tag=make_tag(WEEK, ""), url="https://kelp.example/", is_canary=True)
SALT = f"/to/{WEEK}/{LINKS[0].tag}"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:148.0) Gecko/20100101 Firefox/148.0"
ON = 'backend = "maildir"\ncount_links = true'


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    """The pages of a publication that counts clicks, with an edition."""
    with open_pages(write_publication(tmp_path, delivery=ON)) as opened:
        edition = Edition(
            week=WEEK, state="approved", number=1, subject="", preheader="", html=b"", text=b"", eml=b"",
            manifest=json.dumps({"counted_links": [asdict(link) for link in (*LINKS, CANARY)]}).encode(),
        )  # fmt: skip
        sealed = SealedEdition(edition=edition, stories=(), sealed_at=NOW, sealed_by="ann")
        editions = opened.audience.context.store.editions
        editions.approve(editions.get(WEEK), sealed)
        yield opened


def rows(pages: Pages) -> list[int]:
    """Return how many clicks wait, and how many scanners are known."""
    pages.flush()
    with pages.audience.context.store.clicks.database.read() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) or 0 for table in (pending_click, scanner)]


@pytest.mark.parametrize(
    ("link", "location"),
    [*zip(LINKS, (URLS[0], "https://kelp.example/a%20b%7C%C3%A9%0D%0ASet-Cookie:%20x=1", URLS[2]), strict=True)],
)
def test_a_link_leads_on(pages: Pages, link: CountedLink, location: str) -> None:
    """The address is not told where the person came from, no search engine keeps it, and nobody gets a cookie."""
    response = pages.get(f"/to/{WEEK}/{link.tag}", user_agent=BROWSER)
    assert (response.status_code, response.headers["location"], response.content) == (302, location, b"")
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-robots-tag"] == "noindex, nofollow"
    assert response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in response.headers
    assert rows(pages) == [1, 0]
    store = pages.audience.context.store
    settle_clicks(store, pages.now + WINDOW)
    assert {url: clicks for url, clicks in store.clicks.counts(WEEK).items() if clicks} == {link.url: 1}


@pytest.mark.parametrize(
    "path",
    [
        *(f"/to/{WEEK}/{tag}" for tag in ("0" * 16, LINKS[0].tag.upper(), f"{LINKS[0].tag}0", "x", "%00")),
        f"/to/2026-W08/{LINKS[0].tag}",
        f"/to/W07/{LINKS[0].tag}",
        f"/to/{WEEK}/{make_tag(WEEK, 'https://evil.example/')}?url=https://evil.example/",
        f"/to/{WEEK}",
        "/to/https://evil.example/",
    ],
)
def test_no_other_link_leads_anywhere(pages: Pages, path: str) -> None:
    """Only what an edition was sealed with."""
    response = pages.get(path, user_agent=BROWSER)
    assert response.status_code == 404
    assert "location" not in response.headers
    assert rows(pages) == [0, 0]


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {"user-agent": BROWSER}),
        ("GET", {"user-agent": BROWSER, "sec-purpose": "prefetch"}),
        ("GET", {"user-agent": BROWSER, "purpose": "prefetch"}),
        ("GET", {"user-agent": ""}),
        *(
            ("GET", {"user-agent": name})
            for name in ("Twitterbot/1.0", "facebookexternalhit/1.1", "WhatsApp/2.23", "Mozilla/5.0 (Googlebot/2.1)")
        ),
    ],
)
def test_programs_are_led_on_and_not_counted(pages: Pages, method: str, headers: dict[str, str]) -> None:
    """Those that ask for headers only, prefetch, or say what they are."""
    response = pages.client.request(method, SALT, headers=headers)
    assert (response.status_code, response.headers["location"]) == (302, URLS[0])
    assert rows(pages) == [0, 0]
    assert pages.client.request(method, f"/to/{WEEK}/{CANARY.tag}", headers=headers).headers["location"] == CANARY.url
    assert rows(pages) == [0, 1]


def test_a_phone_is_no_program(pages: Pages) -> None:
    """One has "bot" in its name."""
    pages.get(SALT, user_agent="Mozilla/5.0 (Linux; Android 13; CUBOT X90) Chrome/140.0 Mobile Safari/537.36")
    assert rows(pages) == [1, 0]


def test_a_post_is_refused(pages: Pages) -> None:
    """A link is followed, nothing is sent to it."""
    assert pages.post(SALT, user_agent=BROWSER).status_code == 405


def test_links_lead_on_for_ever(pages: Pages) -> None:
    """Also when counting was turned off since, of an edition that is held."""
    config = pages.audience.app.config.path
    config.write_text(config.read_text().replace("count_links = true", ""))
    editions = pages.audience.context.store.editions
    editions.change_state(editions.get(WEEK), "held", now=NOW, actor="ann")
    assert not pages.audience.app.config.delivery.count_links
    for link in (*LINKS, CANARY):
        assert pages.get(f"/to/{WEEK}/{link.tag}", user_agent=BROWSER).status_code == 302
    assert rows(pages) == [0, 0]


def test_a_link_leads_on_while_the_store_is_written(pages: Pages) -> None:
    """Another process may write for as long as it likes; the click is counted afterwards."""
    with closing(sqlite3.connect(pages.audience.app.folder / "pipeline.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert pages.get(SALT, user_agent=BROWSER).status_code == 302
        other.execute("ROLLBACK")
    assert rows(pages) == [1, 0]


def test_a_link_leads_on_while_many_changes_wait(pages: Pages) -> None:
    """Clicks that nobody has time to record are lost, and no sign-up waits for them."""

    class BusyWriter:
        waiting = MAX_WAITING

    handlers = ClickPages(live=pages.live, clock=lambda: NOW, writer=BusyWriter())  # type: ignore[arg-type]
    client = AsgiClient(Starlette(routes=handlers.routes()))
    assert client.get(SALT, headers={"user-agent": BROWSER}).headers["location"] == URLS[0]


def test_a_click_that_cannot_be_recorded_is_logged(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    """The writer goes on."""

    def fail() -> None:
        raise KeyError("lost")

    store = pages.audience.context.store
    pages.writer.submit(store, fail)
    pages.writer.submit(store, lambda: store.clicks.key(NOW, "kept"))
    pages.flush()
    assert "a change was lost" in caplog.text
    assert store.clicks.key(NOW, "other") == "kept"
