"""Counted links: what is replaced in a message, what is sealed with it, and what stays as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest

from pipeline.config import parse_config
from pipeline.digest.edition.counted_links import with_counted_links
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.editions.send import send_test
from pipeline.model.counted_link import CountedLink, counted_url, make_tag
from pipeline.model.errors import ConfigError
from pipeline.model.message import PLACEHOLDERS
from pipeline.store import Store
from tests.deliveries import DeliveryHarness
from tests.mail.editions import COUNTED, mail
from tests.mail.validators import ParsedMarkup
from tests.publication import W07, PublicationHarness, shared_theme

NEWS = "https://news.cove.example"
HOME = "https://cove.example/"
WEEK = "2026-W07"
GOLDEN = Path(__file__).parents[1] / "golden"


def counted(html: str, public_url: str = NEWS) -> tuple[str, dict[str, str]]:
    """Return the HTML with counted links, without the canary, and where each link leads, by its URL."""
    changed, links = with_counted_links(html, WEEK, public_url, HOME)
    return changed, {counted_url(public_url, WEEK, link.tag): link.url for link in links if not link.is_canary}


@pytest.mark.parametrize(
    ("element", "url"),
    [
        ('<a href="https://cove.example/salt/">Salt</a>', "https://cove.example/salt/"),
        ('<a class="b" href="http://cove.example/?a=1&amp;b=2"><img src="https://x.example/1.png"></a>',
         "http://cove.example/?a=1&b=2"),
        ('<A\nHREF="HTTPS://cove.example/">Up</A>', "HTTPS://cove.example/"),
        ('<!--[if mso]><v:roundrect xmlns:v="urn:v" href="https://cove.example/x"></v:roundrect><![endif]-->',
         "https://cove.example/x"),
        ('<a href="https://h.example/&#123;&#123;x&#125;&#125;">x</a>', "https://h.example/{{x}}"),
    ],
)  # fmt: skip
def test_links_are_replaced(element: str, url: str) -> None:
    """Only the address: it leads to the real one, decoded as a browser does."""
    html, links = counted(element)
    assert links == {counted_url(NEWS, WEEK, make_tag(WEEK, url)): url}
    assert html == element.replace(element[element.lower().index('href="') + 6 :].split('"')[0], next(iter(links)))


@pytest.mark.parametrize(
    "element",
    [
        *(f'<a href="{HOME}#{placeholder}">mine</a>' for placeholder in PLACEHOLDERS),
        '<a href="mailto:post@cove.example?subject=https://cove.example/">Reply</a>',
        '<img src="https://cove.example/a.png" alt="href=&quot;https://cove.example/&quot;">',
        '<link href="https://cove.example/style.css">',
        '<a data-href="https://cove.example/">x</a>',
        '<p>href="https://cove.example/"</p>',
        *(f'<a href="{NEWS}/{path}">own</a>' for path in ("archive/2026-W06", "subscribe", "unsubscribe/x")),
    ],
)
def test_everything_else_stays(element: str) -> None:
    """Personal links, our own pages, mailboxes, images, and what only looks like a link."""
    assert counted(element) == (element, {})


def test_a_link_is_the_same_wherever_it_stands() -> None:
    """The same address has one tag, in another edition another one; nothing else is part of it."""
    link = '<a href="https://cove.example/salt/">Salt</a>'
    html, links = counted(f"<body>{link}<p>{link}</p>")
    assert len(links) == 1
    assert html.count(next(iter(links))) == 2
    assert make_tag("2026-W08", "https://cove.example/salt/") not in next(iter(links))
    assert next(iter(links)) in counted(link)[0]


def test_the_canary_is_the_first_link_and_no_text() -> None:
    """It is hidden from eyes, from screen readers and from the keyboard, and Outlook has none."""
    html, links = with_counted_links('<body class="page"><p>x</p></body>', WEEK, NEWS, HOME)
    (canary,) = links
    assert canary == CountedLink(tag=make_tag(WEEK, ""), url=HOME, is_canary=True)
    (element,) = [values for tag, values in ParsedMarkup(html).elements if tag == "a"]
    assert element["href"] == counted_url(NEWS, WEEK, canary.tag)
    assert (element["aria-hidden"], element["tabindex"]) == ("true", "-1")
    assert "display:none" in element["style"]
    assert html.startswith('<body class="page"><!--[if !mso]><!--><a ')
    assert ParsedMarkup(html).text.split() == ["x"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*-*.html")), ids=lambda path: path.stem)
def test_a_theme_keeps_everything_but_addresses(path: Path) -> None:
    """With the real addresses and without the canary it is the sealed HTML again, in about the same size."""
    original = path.read_text()
    html, links = with_counted_links(original, WEEK, NEWS, HOME)
    back = html
    for link in links:
        back = back.replace(f'"{counted_url(NEWS, WEEK, link.tag)}"', f'"{link.url}"')
    start, end = back.index("<!--[if !mso]><!--><a href"), back.index("<!--<![endif]-->") + len("<!--<![endif]-->")
    assert unescape(back[:start] + back[end:]) == unescape(original)
    assert len(html) < len(original) * 1.1 + 400


def test_a_normal_week_stays_small() -> None:
    """Counted links leave the HTML of a normal week below 40 KB."""
    assert len(mail("classic", COUNTED).html.encode()) < 40_000


@pytest.fixture
def publication(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication that counts clicks, with an approved edition."""
    publication = PublicationHarness(tmp_path, shared_theme())
    publication.context = replace(publication.context, counting_url=NEWS)
    with publication.store:
        DeliveryHarness(publication)
        yield publication


def html_part(message: bytes) -> str:
    """Return the HTML of a message."""
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    part = parsed.get_body(("html",))
    assert part
    return str(part.get_content())


def test_only_the_message_of_an_edition_has_counted_links(publication: PublicationHarness) -> None:
    """HTML and text, which the desk and the archive show, and the manifest keep the real addresses."""
    sealed = publication.store.editions.sealed(str(W07))
    assert sealed
    manifest = json.loads(sealed.edition.manifest)
    (story,), (link, canary) = manifest["stories"], manifest["counted_links"]
    assert link == {"tag": make_tag(str(W07), story["url"]), "url": story["url"], "is_canary": False}
    assert canary["is_canary"]
    sent = html_part(sealed.edition.eml)
    assert all(f'"{counted_url(NEWS, str(W07), one["tag"])}"' in sent for one in (link, canary))
    assert f'"{story["url"]}"' not in sent
    assert f'"{story["url"]}"' in sealed.edition.html.decode()
    assert NEWS not in sealed.edition.html.decode() + sealed.edition.text.decode()
    assert publication.workflow.rebuild(W07).changed_files == ()


def test_the_links_are_stored_when_the_edition_is_sealed(publication: PublicationHarness) -> None:
    """Approved again with another story, it keeps those of messages that are out."""
    store = publication.store
    (url,) = store.clicks.counts(str(W07))
    assert store.clicks.find(str(W07), make_tag(str(W07), url)) == CountedLink(tag=make_tag(str(W07), url), url=url)
    assert store.clicks.find(str(W07), make_tag(str(W07), "")) is not None
    assert store.clicks.find("2026-W08", make_tag(str(W07), url)) is None
    assert store.clicks.find(str(W07), "0" * 16) is None


def test_a_store_that_was_lost_knows_the_links_again(publication: PublicationHarness, tmp_path: Path) -> None:
    """From the files of the edition that was sent: its messages are out."""
    publication.send(W07)
    (url,) = publication.store.clicks.counts(str(W07))
    with Store.open(f"sqlite:///{tmp_path / 'new.db'}") as store:
        assert store.clicks.counts(str(W07)) == {}
        publication.recovery.from_files(store, now=publication.now)
        assert store.editions.get(str(W07)).state == "sent"
        assert store.clicks.counts(str(W07)) == {url: 0}


def test_a_draft_is_tested_with_real_addresses(publication: PublicationHarness) -> None:
    """Its counted links would lead nowhere yet."""
    sent: list[bytes] = []

    class Mailer:
        outcome = "sent"

        def send(self, message: bytes, address: str) -> None:
            sent.append(message)

    publication.store.editions.change_state(
        publication.store.editions.get(str(W07)), "draft", now=publication.now, actor="ann"
    )
    counting = build_draft(publication.store, publication.context, W07, now=publication.now).edition
    assert NEWS in html_part(counting.eml)
    send_test(publication.workflow, Mailer(), W07, "bo@cove.example", now=publication.now)
    assert NEWS not in html_part(sent[0])


def test_without_counting_nothing_changes(tmp_path: Path) -> None:
    """No key in the manifest, no link in the store, the HTML part as it is."""
    publication = PublicationHarness(tmp_path, shared_theme())
    with publication.store:
        DeliveryHarness(publication)
        sealed = publication.store.editions.sealed(str(W07))
        assert sealed
        assert "counted_links" not in json.loads(sealed.edition.manifest)
        assert publication.store.clicks.counts(str(W07)) == {}
        assert html_part(sealed.edition.eml).replace("\r\n", "\n") == sealed.edition.html.decode()


@pytest.mark.parametrize(
    ("backend", "public", "is_allowed"),
    [
        ("maildir", {"url": "https://news.cove.example"}, True),
        ("outbox", {"url": "https://news.cove.example"}, False),
        ("maildir", {}, False),
        ("maildir", {"url": "https://news.cove.example", "listen": ""}, False),
    ],
)
def test_counting_needs_pages_and_subscribers(backend: str, public: dict[str, str], is_allowed: bool) -> None:
    """Otherwise config.toml is refused, and says what to do."""
    settings = {
        "publication": {"name": "Cove", "url": HOME, "sender": "Cove <post@cove.example>"},
        "delivery": {"backend": backend, "count_links": True},
        "public": public,
    }
    if is_allowed:
        assert parse_config(settings, Path("config.toml")).delivery.count_links
        return
    with pytest.raises(ConfigError, match=r"count_links = true needs .*Set them, or write false"):
        parse_config(settings, Path("config.toml"))
