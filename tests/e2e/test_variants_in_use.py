"""Variants on the command line and at the desk, with the demo publication and subscribers of each kind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.demo import write_fetched_store

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
WEEK = "2026-W07"
Run = Callable[..., str]


@pytest.fixture
def run(publication: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the demo publication, whose feeds have been fetched, and return what it prints."""
    write_fetched_store(publication, NOW)

    def command(*words: str) -> str:
        code = main(["--config", str(publication / "config.toml"), *words], clock=lambda: NOW)
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return command


def subscribe(run: Run, name: str, topics: str, frequency: str = "every") -> None:
    """Add an active subscriber."""
    words = ("--basis", "consent", "--collected", "2026-02-01", "--topics", topics, "--frequency", frequency)
    run("subscribers", "add", f"{name}@x.example", *words)


def test_variants_from_the_subscriber_to_the_outbox(run: Run, publication: Path) -> None:
    """Written, checked, approved, rebuilt and sent by the commands that do so for the whole edition."""
    run("digest", "--week", WEEK, "--offline")
    folder = publication / "editions" / WEEK
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    subscribe(run, "ann", "posts,episodes,links")
    subscribe(run, "ben", "posts,episodes,links", "monthly")
    run("digest", "--week", WEEK, "--offline")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole

    for name, topics in (("cem", "links"), ("dot", "links"), ("eve", "posts")):
        subscribe(run, name, topics)
    printed = run("digest", "--week", WEEK, "--offline")
    assert re.search(r"^links, for 2 subscribers: “.+”$", printed, re.MULTILINE)
    for part in ("digest.html", "digest.txt", "digest.eml"):
        assert (folder / part).read_bytes() == whole[part]
        assert (folder / "variants/links" / part).stat().st_size > 0
    assert json.loads(run("digest", "--week", WEEK, "--offline", "--json"))["variants"] == ["links", "posts"]

    run("approve", WEEK, "--offline")
    subscribe(run, "fay", "episodes")
    assert "the bytes are the same" in run("digest", "--week", WEEK, "--rebuild")
    assert "changed" not in run("digest", "--week", WEEK, "--offline")
    run("send", WEEK)
    sent = {path.read_bytes() for path in (publication / "outbox").glob("*.eml")}
    assert sent == {path.read_bytes() for path in folder.rglob("digest.eml")}
    assert len(sent) == 3


def test_the_desk_shows_each_variant(run: Run, publication: Path) -> None:
    """A switch on the week's page; the frame, the text and the files are those of the variant."""
    subscribe(run, "cem", "links")
    with LivePublication(publication / "config.toml", lambda: NOW) as opened:
        desk = create_desk(opened)
        client = AsgiClient(create_desk_app(desk, long_poll_seconds=0.05))
        page = client.get(f"/week/{WEEK}?variant=links").text
        assert re.search(r'variant=links" aria-current="page">Links', page)
        assert re.search(r'<iframe id="mail"[^>]*\bsrc="[^"]*variant=links', page.replace("\n", " "))
        edition = desk.editions.edition(WEEK)
        links = edition.variants[0]  # type: ignore[union-attr]
        assert client.get(f"/week/{WEEK}/digest.html?variant=links").content == links.html
        response = client.get(f"/week/{WEEK}/digest.eml?variant=links")
        assert response.content == links.eml
        assert f'filename="{WEEK}-links.eml"' in response.headers["content-disposition"]
        assert client.get(f"/week/{WEEK}/digest.eml?variant=%0d%0aX").content == edition.eml  # type: ignore[union-attr]
        plain = client.get(f"/week/{WEEK}?view=text&variant=links").text
        assert "The slow kiln" not in re.search(r"<pre.*?</pre>", plain, re.DOTALL)[0]  # type: ignore[index]


def test_a_variant_that_was_not_on_the_screen_is_not_approved(run: Run, publication: Path) -> None:
    """Somebody subscribes while the page is open: it is shown anew, and then it can be approved."""
    with LivePublication(publication / "config.toml", lambda: NOW) as opened:
        client = AsgiClient(create_desk_app(create_desk(opened), long_poll_seconds=0.05))

        def press(page: str) -> int:
            shown = re.search(r'name="hash" value="([^"]+)"', page)
            return client.post(
                f"/week/{WEEK}/actions", {"do": "approve", "hash": shown[1] if shown else ""}
            ).status_code

        page = client.get(f"/week/{WEEK}").text
        assert "Whole edition" not in page
        subscribe(run, "cem", "links")
        assert press(page) == 409
        page = client.get(f"/week/{WEEK}").text
        assert "Whole edition" in page
        assert press(page) == 303
