"""The guard in front of the local pages."""

from __future__ import annotations

import pytest

from pipeline.web.preview import create_desk_app
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
    """A name that only resolves to this machine reads nothing: that is how DNS rebinding works."""
    for path in ("/", "/updates", "/week/2026-W07/mail", "/static/desk.js"):
        assert client.get(path, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8025", "localhost:8025", "LOCALHOST:8025", "localhost", "[::1]:8025"])
def test_this_machine_is_welcome(client: AsgiClient, host: str) -> None:
    """All names of this machine are answered, with any port."""
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:9999", None])
def test_changes_come_from_our_own_pages(client: AsgiClient, method: str, origin: str | None) -> None:
    """Anything but reading needs our own origin; a missing one will not do."""
    headers = {"origin": origin} if origin else {}
    assert client.request(method, "/", headers=headers).status_code == 403


def test_our_own_origin_gets_as_far_as_the_pages(client: AsgiClient) -> None:
    """With our own origin the guard lets go, and the page answers that it takes no POST."""
    assert client.request("POST", "/", headers={"origin": BASE_URL}).status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/week/2026-W07", "/week/2026-W07/mail", "/week/2026-W07/digest.html", "/static/desk.css", "/nowhere"]
)
def test_every_answer_is_careful(client: AsgiClient, path: str) -> None:
    """Every answer, errors too, is not kept, sniffed or told to others; its policy has no inline script."""
    headers = client.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src 'unsafe" not in headers["content-security-policy"]


def test_a_mail_may_run_nothing(client: AsgiClient) -> None:
    """The mail's policy has no script source and a sandbox that allows none, framed or opened by itself."""
    for path in ("/week/2026-W07/mail", "/week/2026-W07/digest.html", "/week/2026-W07/digest.txt"):
        policy = client.get(path).headers["content-security-policy"]
        assert "script-src" not in policy
        assert "sandbox allow-same-origin" in policy
        assert "allow-scripts" not in policy
