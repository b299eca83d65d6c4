"""HTTP answered from a folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pipeline.ingest.http.fetcher import HttpFetcher
from pipeline.ingest.http.replay import ReplayTransport
from pipeline.model.fetch import FetchLimits, FetchRequest

NOW = datetime(2026, 2, 9, tzinfo=UTC)
HOST = "https://harbourandhearth.example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder ``web`` for one host, and a secret next to it."""
    files = {
        "web/harbourandhearth.example/feed/index.xml": "<rss/>",
        "web/harbourandhearth.example/feed/index@paged=2.xml": "<rss>2</rss>",
        "web/harbourandhearth.example/index.html": "<html>home</html>",
        "web/harbourandhearth.example/a/b.xml": "<b/>",
        "web/harbourandhearth.example/a/b@x=%2F1.xml": "<b>1</b>",
        "web/harbourandhearth.example/data/index.json": "{}",
        "web/harbourandhearth.example/a b/é.png": "png",
        "secret.xml": "secret",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "web"


def ask(folder: Path, url: str, **headers: str) -> httpx.Response:
    async def run() -> httpx.Response:
        async with ReplayTransport(folder) as transport:
            return await transport.handle_async_request(httpx.Request("GET", url, headers=headers))

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/feed/", b"<rss/>", "application/xml"),
        ("/feed", b"<rss/>", "application/xml"),
        ("/feed/?paged=2", b"<rss>2</rss>", "application/xml"),
        ("/", b"<html>home</html>", "text/html; charset=utf-8"),
        ("", b"<html>home</html>", "text/html; charset=utf-8"),
        ("/a/b.xml", b"<b/>", "application/xml"),
        ("/a/b.xml?x=/1", b"<b>1</b>", "application/xml"),
        ("/data/", b"{}", "application/json"),
        ("/a%20b/%C3%A9.png", b"png", "image/png"),
    ],
)
def test_url_is_a_file(folder: Path, path: str, body: bytes, content_type: str) -> None:
    """Host and path name a file, a folder its index, and the query is part of the file's name."""
    response = ask(folder, HOST + path)
    assert (response.status_code, response.content) == (200, body)
    assert response.headers["content-type"] == content_type


@pytest.mark.parametrize("path", ["/nothing", "/feed/?paged=3", "/a/", "/a/b.xml/", "/%00"])
def test_missing_file_is_a_404(folder: Path, path: str) -> None:
    """Archive pages end with a 404."""
    assert ask(folder, HOST + path).status_code == 404


def test_another_host_is_another_folder(folder: Path) -> None:
    """A host without a folder has no files."""
    assert ask(folder, "https://other.example/feed/").status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/../../secret.xml",
        f"{HOST}/%2e%2e/%2e%2e/secret.xml",
        f"{HOST}/feed/..%2f..%2f..%2fsecret.xml",
        "https://../secret.xml",
        f"{HOST}/link.xml",
        f"{HOST}/out/secret.xml",
        f"{HOST}/feed/?/../../../../secret",
    ],
)
def test_nothing_outside_the_folder_is_read(folder: Path, url: str) -> None:
    """Neither dots nor symbolic links lead out of it."""
    (folder / "harbourandhearth.example" / "link.xml").symlink_to(folder.parent / "secret.xml")
    (folder / "harbourandhearth.example" / "out").symlink_to(folder.parent)
    assert ask(folder, url).status_code == 404


def test_validators_follow_the_content(folder: Path) -> None:
    """A matching If-None-Match is a 304 until the file changes."""
    first = ask(folder, f"{HOST}/feed/")
    etag = first.headers["etag"]
    again = ask(folder, f"{HOST}/feed/", **{"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    (folder / "harbourandhearth.example/feed/index.xml").write_text("<rss>new</rss>")
    changed = ask(folder, f"{HOST}/feed/", **{"If-None-Match": etag})
    assert (changed.status_code, changed.headers["last-modified"]) == (200, first.headers["last-modified"])


def test_fetcher_needs_no_network(folder: Path) -> None:
    """Hosts are neither resolved nor checked nor limited; ``localhost`` is a folder like any other."""
    (folder / "localhost").mkdir()
    (folder / "localhost/feed.xml").write_text("<rss/>")

    async def nobody(host: str, port: int) -> list[str]:
        raise AssertionError("resolved a name")

    async def run() -> list[str]:
        limits = FetchLimits(host_gap_seconds=60)
        async with HttpFetcher(limits, transport=ReplayTransport(folder), resolve=nobody) as fetcher:
            urls = ["http://localhost/feed.xml", f"{HOST}/feed/", f"{HOST}/a/b.xml", f"{HOST}/none"]
            requests = [FetchRequest(key=url, url=url) for url in urls]
            outcomes = {outcome.url: outcome.kind async for outcome in fetcher.fetch_all(requests, now=NOW)}
            return [outcomes[url] for url in urls]

    assert asyncio.run(run()) == ["ok", "ok", "ok", "not_found"]
