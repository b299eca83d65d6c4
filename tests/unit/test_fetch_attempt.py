"""A request on its way through redirects: which addresses receive the feed's secrets, and which one it has moved to."""

from __future__ import annotations

import httpx
import pytest

from pipeline.ingest.http.request import FetchAttempt
from pipeline.model.errors import FetchError
from pipeline.model.fetch import FetchLimits, FetchRequest


def redirected(*locations: str, url: str = "https://blog.example/feed", status: int = 302) -> FetchAttempt:
    """Return a request with a secret header after redirects to these locations."""
    attempt = FetchAttempt(FetchRequest(key="blog", url=url, headers=(("X-Api-Key", "secret"),)), FetchLimits())
    attempt.start()
    for location in locations:
        attempt.redirect(httpx.Response(status, headers={"location": location}))
    return attempt


@pytest.mark.parametrize(
    ("origin", "target", "is_sent"),
    [
        ("https://blog.example/feed", "https://blog.example/feed/", True),
        ("https://blog.example/feed", "https://blog.example:443/feed/", True),
        ("http://blog.example/feed", "http://blog.example/feed/", True),
        ("http://blog.example:8080/feed", "http://blog.example:8080/feed/", True),
        ("http://blog.example/feed", "https://blog.example/feed", True),
        ("https://blog.example/feed", "http://blog.example/feed", False),
        ("https://blog.example:8443/feed", "http://blog.example:8443/feed", False),
        ("https://blog.example/feed", "https://blog.example:8443/feed", False),
        ("https://blog.example/feed", "https://www.blog.example/feed", False),
        ("https://blog.example/feed", "https://other.example/feed", False),
        ("http://blog.example:8080/feed", "https://blog.example:8080/feed", False),
        ("http://blog.example:8080/feed", "https://blog.example/feed", False),
    ],
)
@pytest.mark.parametrize("credentials", ["", "ann:pa55@"], ids=["header", "password in the URL"])
def test_secrets_are_sent_only_to_the_configured_site(
    origin: str, target: str, is_sent: bool, credentials: str
) -> None:
    """They follow a redirect within scheme, host and port, or from http up to https; never down to http."""
    request = redirected(target, url=origin.replace("://", f"://{credentials}")).build_request()
    assert ("x-api-key" in request.headers) is is_sent
    assert ("authorization" in request.headers) is (is_sent and bool(credentials))


def test_secrets_return_with_the_configured_site() -> None:
    """A detour over another host does not receive them, and does not keep them from their own."""
    detour = redirected("https://login.example/", "https://blog.example/feed?ok=1")
    assert "x-api-key" in detour.build_request().headers
    assert "x-api-key" not in redirected("https://login.example/").build_request().headers


@pytest.mark.parametrize("locations", [["https://blog.example/feed"], ["/a", "/b", "/a"]], ids=["itself", "a circle"])
def test_a_url_is_visited_once(locations: list[str]) -> None:
    """The first repetition ends the request."""
    with pytest.raises(FetchError, match="redirects without end"):
        redirected(*locations)
