"""A publication with pages for subscribers, and a client that reads and sends their forms as a browser does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx

from pipeline.audience.addresses import address_key
from pipeline.audience.tokens import Purpose, confirmation_code
from pipeline.model.subscriber import Subscriber
from pipeline.web.public.audience import Audience, LiveAudience
from pipeline.web.public.server import create_public_app
from pipeline.web.public.writer import Writer
from tests.asgi_client import FORM_HEADERS, AsgiClient
from tests.empty_store import empty_store

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PUBLIC_URL = "https://news.kueste.example"
ADA = "ada@byron.example"
CONFIG = """
[publication]
name = "Kelp & Co"
url = "https://kelp.example/"
timezone = "Europe/London"
language = "en-GB"
sender = "Kelp & Co <post@kelp.example>"
postal_address = "Kelp & Co, 1 Slipway, Porthcurno"

[[feeds]]
id = "blog"
url = "https://kelp.example/feed/"
kind = "blog"

[public]
url = "{url}"
listen = "127.0.0.1:{port}"
embed_on = ["https://kelp.example"]
{public}

[signup]
wording = "Yes, mail me the newsletter of Kelp & Co. I can stop it at any time."
check_mx = false
{signup}

[[forms]]
id = "tides"
title = "How to read a tide table"
wording = "Yes, mail me the guide and the newsletter. I can stop it at any time."
guide = "tides.pdf"
guide_title = "How to read a tide table"

[[forms]]
id = "recipes"
guide = "https://kelp.example/recipes.pdf"

[store]
url = "{store}"

[delivery]
{delivery}
"""


def write_publication(
    folder: Path,
    *,
    url: str = PUBLIC_URL,
    port: int = 0,
    public: str = "",
    signup: str = "",
    store: str = "sqlite:///pipeline.db",
    delivery: str = "",
) -> Path:
    """Write the config.toml of a publication with three sign-up forms, and its guide; return the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    if store.startswith("sqlite"):
        empty_store(folder)
    (folder / "tides.pdf").write_bytes(b"%PDF-1.7 high and low water")
    config = folder / "config.toml"
    config.write_text(CONFIG.format(url=url, port=port, public=public, signup=signup, store=store, delivery=delivery))
    return config


@dataclass
class Pages:
    """The application of one publication, with a clock that stands still until it is set."""

    live: LiveAudience
    client: AsgiClient
    writer: Writer
    now: datetime = NOW
    wakes: list[datetime] = field(default_factory=list)

    @property
    def audience(self) -> Audience:
        """What the pages are made of."""
        return self.live.current()

    def flush(self) -> None:
        """Wait until all changes are made that the pages have begun."""
        self.writer.run(self.audience.context.store, lambda: None)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, fields: Mapping[str, object] | None = None, **headers: str) -> httpx.Response:
        """Send a form."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = urlencode(fields or {}, doseq=True).encode()
        return self.client.request("POST", path, headers=FORM_HEADERS | named, content=content)

    def sign_up(self, address: str = ADA, form: str = "newsletter", **fields: object) -> httpx.Response:
        """Fill in the form and send it after half a minute, as a person does."""
        shown = form_fields(self.get(f"/subscribe/{form}").text)
        self.now += timedelta(seconds=30)
        return self.post(f"/subscribe/{form}", shown | {"address": address, "consent": "yes"} | fields)

    def subscriber(self, address: str = ADA) -> Subscriber:
        """Return a subscriber as stored."""
        subscriber = self.audience.context.store.subscribers.find(address_key(address))
        assert subscriber
        return subscriber

    def link(self, purpose: Purpose, address: str = ADA) -> str:
        """Return the path of a person's own link."""
        return f"/{purpose}/{self.audience.context.token(purpose, self.subscriber(address), self.now)}"

    def code(self, path: str) -> str:
        """Return the six digits of the mail with a link."""
        purpose, token = path.strip("/").split("/")
        return confirmation_code(token, self.audience.context.keys[purpose])

    def active(self, address: str = ADA, form: str = "newsletter") -> Subscriber:
        """Sign up and confirm; return the subscriber."""
        assert self.sign_up(address, form).status_code == 200
        assert self.post(self.link("confirm", address), {"pressed": "pointer"}).status_code == 200
        return self.subscriber(address)

    def events(self, address: str = ADA) -> list[str]:
        """Return the kinds of events in a person's history."""
        subscriber = self.subscriber(address)
        return [event.kind for event in self.audience.context.store.subscription_events.of_subscriber(subscriber.id)]


@contextmanager
def open_pages(config: Path) -> Iterator[Pages]:
    """Open the pages of a publication without a server."""
    with LiveAudience(config) as live, Writer() as writer:
        pages = Pages(live, None, writer)  # type: ignore[arg-type]  # set below: it needs the clock of the pages
        app = create_public_app(live, lambda: pages.now, writer, lambda: pages.wakes.append(pages.now))
        pages.client = AsgiClient(app)
        yield pages


def form_fields(html: str, number: int = 0) -> dict[str, object]:
    """Return the fields of a form of a page as a browser would send it without a touch."""
    form = re.findall(r"<form.*?</form>", html, re.DOTALL)[number]
    fields: dict[str, object] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        kind, name = attributes.get("type", "text"), attributes["name"]
        if kind == "checkbox":
            if " checked" in tag:
                fields[name] = [*fields.get(name, []), attributes["value"]]  # type: ignore[misc]
        elif kind == "radio":
            if " checked" in tag:
                fields[name] = attributes["value"]
        else:
            fields[name] = attributes.get("value", "")
    return fields


def heading(response: httpx.Response) -> str:
    """Return the heading of a page."""
    match = re.search(r"<h1[^>]*>(.*?)</h1>", response.text, re.DOTALL)
    assert match, response.text
    return unescape(match[1])
