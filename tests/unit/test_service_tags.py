"""An edition with the tags of a mail service in place of the placeholders."""

from __future__ import annotations

import pytest

from pipeline.delivery.service_tags import SERVICES, html_for_service, service_tags, text_for_service
from pipeline.model.errors import RefusedError, UsageError
from pipeline.model.message import PLACEHOLDERS
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.fake_desk import FakeDesk, edition

HTML = """<p>Issue 7 · <a href="https://h.example/#zzBrowserzz">Read in your browser</a></p>
<p>Bread &amp; salt: 5 % &#123;&#123; name }}</p>
<p><a href="https://h.example/#zzUnsubscribezz">Unsubscribe</a> ·
<a href="https://h.example/#zzPreferenceszz">Preferences</a></p>
"""
TEXT = """Read in your browser: https://h.example/#zzBrowserzz

Bread & salt
Unsubscribe: https://h.example/#zzUnsubscribezz
Preferences: https://h.example/#zzPreferenceszz
"""
PREPARED = {name: service for name, service in SERVICES.items() if service.unsubscribe}


@pytest.mark.parametrize("name", PREPARED)
def test_every_service_gets_its_own_tags_and_none_of_ours(name: str) -> None:
    """The links to unsubscribe and to change preferences hold a tag; no placeholder is left, and the texts stay."""
    service = SERVICES[name]
    html, text = html_for_service(HTML, service), text_for_service(TEXT, service)
    for content in (html, text):
        assert not [placeholder for placeholder in PLACEHOLDERS if placeholder in content]
        assert "h.example" not in content
    assert f'<a href="{service.unsubscribe}">Unsubscribe</a>' in html
    assert f'<a href="{service.preferences or service.unsubscribe}">Preferences</a>' in html
    assert f"Unsubscribe: {service.unsubscribe}\n" in text
    assert "Bread &amp; salt: 5 % &#123;&#123; name }}" in html
    assert ("browser" in html, "browser" in text) == (bool(service.browser_view),) * 2


def test_mailchimp_and_brevo_get_the_names_of_their_manuals() -> None:
    """The three links of two services, as their help pages write them."""
    assert html_for_service(HTML, SERVICES["mailchimp"]).count("*|") == 3
    brevo = html_for_service(HTML, SERVICES["brevo"])
    assert all(f'href="{{{{ {tag} }}}}"' in brevo for tag in ("mirror", "unsubscribe", "update_profile"))


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in PREPARED])
def test_a_service_without_a_known_tag_is_refused(name: str) -> None:
    """The refusal names the service and gives the reason."""
    with pytest.raises(RefusedError, match=f"cannot be prepared for {SERVICES[name].title}"):
        html_for_service(HTML, SERVICES[name])


def test_an_edition_without_an_unsubscribe_link_is_refused() -> None:
    """A theme that has lost the link gives no edition that cannot be unsubscribed from."""
    with pytest.raises(RefusedError, match="has no unsubscribe link, which Brevo requires"):
        html_for_service("<p>Bread</p>", SERVICES["brevo"])


def test_an_unknown_service_is_named_with_the_known_ones() -> None:
    """The sentence lists what may be chosen."""
    with pytest.raises(UsageError, match="known are mailchimp, buttondown"):
        service_tags("pigeon")


def test_the_desk_offers_each_service_as_a_download() -> None:
    """HTML with a name of its own; a service that makes the text itself, an unknown one and a refused one say so."""
    desk = FakeDesk(editions={"2026-W07": edition("2026-W07", html=HTML)})
    client = AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0))
    page = client.get("/week/2026-W07?view=files").text
    assert 'href="/week/2026-W07/for/brevo.html"' in page
    assert "for/ghost" not in page
    got = client.get("/week/2026-W07/for/brevo.html")
    assert got.headers["content-disposition"] == 'attachment; filename="2026-W07-brevo.html"'
    assert "{{ unsubscribe }}" in got.text
    statuses = {
        name: client.get(f"/week/2026-W07/for/{name}").status_code
        for name in ("brevo.txt", "brevo.eml", "pigeon.html", "ghost.html", "listmonk.html")
    }
    assert statuses == {
        "brevo.txt": 404,
        "brevo.eml": 404,
        "pigeon.html": 404,
        "ghost.html": 409,
        "listmonk.html": 200,
    }
