"""Access control and security headers of the pages."""

from __future__ import annotations

import pytest

from pipeline.web.pages import create_desk_app
from tests.asgi_client import BASE_URL, AsgiClient
from tests.fake_desk import FakeDesk


@pytest.fixture
def client() -> AsgiClient:
    return AsgiClient(create_desk_app(FakeDesk().services(), long_poll_seconds=0))


@pytest.mark.parametrize(
    "host",
    [
        "harbourandhearth.example",
        "127.0.0.1.nip.example",
        "localhost.example:8025",
        "0.0.0.0:8025",
        "[::]:1",
        "[::1",
        "",
    ],
)
def test_a_foreign_host_is_refused(client: AsgiClient, host: str) -> None:
    """A Host that is no name of this machine is refused: that is how DNS rebinding works."""
    for path in ("/", "/updates", "/week/2026-W07/mail", "/static/desk.js"):
        assert client.get(path, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8025", "localhost:8025", "LOCALHOST:8025", "localhost", "[::1]:8025"])
def test_names_of_this_machine_are_accepted(client: AsgiClient, host: str) -> None:
    """All names of this machine are accepted, with any port."""
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:9999", None])
def test_changes_need_our_origin(client: AsgiClient, method: str, origin: str | None) -> None:
    """Any method but GET and HEAD needs our own Origin; a missing one is refused."""
    headers = {"origin": origin} if origin else {}
    assert client.request(method, "/", headers=headers).status_code == 403


def test_our_origin_reaches_the_pages(client: AsgiClient) -> None:
    """A POST with our Origin reaches the page, which answers that it has no POST."""
    assert client.request("POST", "/", headers={"origin": BASE_URL}).status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/week/2026-W07", "/week/2026-W07/mail", "/week/2026-W07/digest.html", "/static/desk.css", "/nowhere"]
)
def test_every_response_has_security_headers(client: AsgiClient, path: str) -> None:
    """Every response, errors too, is not stored or sniffed, sends no referrer elsewhere and allows no inline script."""
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src 'unsafe" not in headers["content-security-policy"]


def test_a_mail_has_no_scripts(client: AsgiClient) -> None:
    """The mail's policy has no script source and a sandbox without scripts, framed or opened by itself."""
    for path in ("/week/2026-W07/mail", "/week/2026-W07/digest.html", "/week/2026-W07/digest.txt"):
        policy = client.get(path).headers["content-security-policy"]
        assert "script-src" not in policy
        assert "sandbox allow-same-origin" in policy
        assert "allow-scripts" not in policy
