"""Uploaded pictures over the demo publication: at the desk, in the message, on the public pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pipeline.jobs.editor.pictures import PictureFolder
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import StoryEdit
from pipeline.web.desk.message_details import story_references
from pipeline.web.desk.ports import ActionOptions, Desk
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.demo import write_fetched_store
from tests.mail_server import MailServer
from tests.subscriber_pages import open_pages, write_publication

pytestmark = pytest.mark.loopback
NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
WEEK = "2026-W07"


@pytest.fixture
def desk(publication: Path) -> Iterator[Desk]:
    write_fetched_store(publication, NOW)
    with LivePublication(publication / "config.toml", lambda: NOW) as opened:
        yield create_desk(opened)


def picture(colour: str = "red") -> bytes:
    file = BytesIO()
    Image.new("RGB", (1600, 900), colour).save(file, "PNG")
    return file.getvalue()


def current(desk: Desk) -> Edition:
    edition = desk.editions.edition(WEEK)
    assert isinstance(edition, Edition)
    return edition


def write(desk: Desk, introduction: str) -> None:
    desk.editor.save(
        WEEK, lambda overrides: replace(overrides, introduction_md=introduction), desk.editor.version(WEEK)
    )


def test_a_picture_is_uploaded_approved_and_sent(desk: Desk, publication: Path) -> None:
    """The message that leaves has the picture as a part that its HTML shows; what is sealed has it for ever."""
    reference = desk.editor.add_picture(picture())
    write(desk, f"Good morning.\n\n![A red wall]({reference})")
    sealed_hash = current(desk).content_hash
    desk.editions.perform(WEEK, "approve", ActionOptions(content_hash=sealed_hash))
    (publication / "editions" / reference).unlink()
    edition = current(desk)
    assert edition.content_hash == sealed_hash
    desk.editions.perform(WEEK, "send", ActionOptions())
    (file,) = (publication / "outbox").rglob("*.eml")
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert message.get_content_type() == "multipart/alternative"
    text, related = message.iter_parts()
    html, image = related.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == ("text/plain", "multipart/related")
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in html.get_content()
    assert image.get_content_disposition() == "inline"
    assert sha256(image.get_payload(decode=True)).hexdigest()[:24] == reference.partition("/")[2][:24]


def test_a_test_copy_over_smtp_shows_the_picture(publication: Path) -> None:
    """The server receives a message whose HTML shows a part of it, byte for byte."""
    write_fetched_store(publication, NOW)
    config = publication / "config.toml"
    with MailServer() as server, LivePublication(config, lambda: NOW) as opened:
        text = config.read_text()
        for old, new in (
            ('smtp_host = ""', 'smtp_host = "127.0.0.1"'),
            ("smtp_port = 0", f"smtp_port = {server.port}"),
            ('smtp_security = "starttls"', 'smtp_security = "none"'),
        ):
            assert old in text
            text = text.replace(old, new, 1)
        config.write_text(text)
        desk = create_desk(opened)
        reference = desk.editor.add_picture(picture())
        write(desk, f"Good morning.\n\n![A red wall]({reference})")
        desk.editions.perform(WEEK, "test", ActionOptions(test_address="you@quay.example"))
        (received,) = server.messages
    message = message_from_bytes(received, policy=policy.SMTP)
    parts = {part["Content-ID"]: part.get_payload(decode=True) for part in message.walk() if part["Content-ID"]}
    (html,) = (part.get_content() for part in message.walk() if part.get_content_type() == "text/html")
    ((content_id, content),) = parts.items()
    assert f'src="cid:{content_id.strip("<>")}"' in html
    assert content == (publication / "editions" / reference).read_bytes()


def test_the_picture_of_a_story_is_an_uploaded_one(desk: Desk) -> None:
    """A reference in the editor's file is shown with the story, at its size, and embedded once."""
    (lead, *_), *_ = story_references(current(desk))[0]
    reference = desk.editor.add_picture(picture("green"))
    edit = {lead: StoryEdit(picture_url=reference, alt="A green wall")}
    desk.editor.save(WEEK, lambda overrides: replace(overrides, stories=edit), desk.editor.version(WEEK))
    edition = current(desk)
    assert f'src="../{reference}" alt="A green wall" width="536" height="30' in edition.html.decode()
    assert edition.eml.count(b"Content-ID:") == 1


def test_the_preview_shows_the_picture(desk: Desk) -> None:
    """The frame of the desk loads it from the desk itself, under the policy of pictures."""
    reference = desk.editor.add_picture(picture())
    write(desk, f"![A red wall]({reference})")
    client = AsgiClient(create_desk_app(desk, long_poll_seconds=0))
    frame = client.get(f"/week/{WEEK}/mail").text
    name = reference.rpartition("/")[2]
    assert f'src="/image?url=..%2Fpictures%2F{name}"' in frame
    response = client.get(f"/image?url=../pictures/{name}")
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
    assert client.get("/image?url=../config.toml").status_code == 404


def test_a_missing_picture_is_named(desk: Desk, publication: Path) -> None:
    """A draft whose picture was deleted cannot be built; the page says which, and what to do."""
    reference = desk.editor.add_picture(picture())
    write(desk, f"![A red wall]({reference})")
    (publication / "editions" / reference).unlink()
    failure = desk.editions.draft(WEEK)
    assert isinstance(failure, BuildFailure)
    assert reference in failure.message
    assert "upload it again" in failure.message


def test_the_public_pages_show_the_picture(tmp_path: Path) -> None:
    """By its name, for ever, to other sites as well; nothing else of the folder."""
    config = write_publication(tmp_path)
    content = picture()
    with open_pages(config) as pages:
        reference = PictureFolder(folder=config.parent / "editions").add(content)
        (config.parent / "editions" / "2026-W07.md").write_text("secret")
        response = pages.client.get(f"/{reference}")
        assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert Image.open(BytesIO(response.content)).size == (1200, 675)
        for other in ("/pictures/..%2f2026-W07.md", "/pictures/2026-W07.md", f"/{reference}x"):
            assert pages.client.get(other).status_code == 404
