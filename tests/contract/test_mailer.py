"""Proofs and other messages to the editor: signals, timeouts, host names and claims."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.app import App
from pipeline.app.delivery import build_smtp
from pipeline.config import parse_config
from pipeline.delivery.smtp.client import Smtp
from pipeline.model.errors import ConfigError, DeliveryFailedError, DeliveryInterrupted
from pipeline.store import Store
from tests.mail_server import SILENCE, MailServer

SENDER, EDITOR = "letter@harbourandhearth.example", "editor@harbourandhearth.example"
MAIL = b"From: letter@harbourandhearth.example\r\nSubject: Bread\r\n\r\nBread\r\n"
NOW = datetime(2026, 2, 16, 6, tzinfo=UTC)


def smtp(**overrides: Any) -> Smtp:
    options: dict[str, Any] = {"host": "localhost", "port": 25, "security": "none", "sender": SENDER}
    return Smtp(**(options | overrides))


@pytest.fixture
def stopping() -> Iterator[None]:
    """SIGTERM interrupts, as it does in the daemon."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


def stop_when_received(received: list[Any]) -> None:
    """Send SIGTERM to this process as soon as the server has received something."""

    def wait() -> None:
        until = time.monotonic() + 60
        while not received and time.monotonic() < until:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGTERM)

    main = threading.main_thread().ident or 0
    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.loopback
@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("step", [".", "QUIT"])
def test_a_signal_after_the_final_dot_means_that_the_message_was_sent(step: str) -> None:
    """A process stopped while the server delays its reply to the dot or to QUIT raises DeliveryInterrupted."""
    with MailServer(answers={step: SILENCE}) as server:
        stop_when_received(server.messages)
        with pytest.raises(DeliveryInterrupted):
            smtp(port=server.port).send(MAIL, EDITOR)
    assert len(server.messages) == 1


@pytest.mark.loopback
@pytest.mark.usefixtures("stopping")
def test_a_signal_before_the_final_dot_means_that_nothing_was_sent() -> None:
    """A process stopped at RCPT raises KeyboardInterrupt, and no message has been sent."""
    with MailServer(answers={"RCPT": SILENCE}) as server:
        stop_when_received(server.commands)
        with pytest.raises(KeyboardInterrupt) as stopped:
            smtp(port=server.port).send(MAIL, EDITOR)
    assert (stopped.type, server.messages) == (KeyboardInterrupt, [])


@pytest.mark.loopback
def test_a_slow_reply_to_quit_is_not_awaited() -> None:
    """The server has accepted the message by then."""
    with MailServer(answers={"QUIT": SILENCE}) as server:
        began = time.monotonic()
        smtp(port=server.port, timeout_seconds=0.3, final_timeout_seconds=60.0).send(MAIL, EDITOR)
    assert time.monotonic() - began < 30


@pytest.mark.loopback
def test_an_impossible_host_name_is_reported() -> None:
    """A name with two dots in a row raises DeliveryFailedError, not a codec error."""
    with pytest.raises(DeliveryFailedError, match=r"smtp\.\.example\.org cannot be reached on port 25"):
        smtp(host="smtp..example.org").send(MAIL, EDITOR)


def build_app(**delivery: str) -> App:
    publication = {"name": "Harbour & Hearth", "url": "https://harbourandhearth.example/", "sender": SENDER}
    return App(parse_config({"publication": publication, "delivery": delivery}, Path("config.toml")))


@pytest.mark.parametrize("host", ["smtp..example.org", ".example.org", "a..b", "x" * 64, "smtp.example.org:587", "-:x"])
def test_config_refuses_invalid_host_names(host: str) -> None:
    """They are refused at start, not when the first proof is due."""
    with pytest.raises(ConfigError, match=r"smtp_host = .* is not allowed"):
        build_app(smtp_host=host)


@pytest.mark.parametrize("host", ["smtp.example.org", "smtp.example.org.", "mail_1", "192.0.2.7", "2001:db8::7", "::1"])
def test_config_accepts_host_names_and_addresses(host: str) -> None:
    """A final dot is allowed. The reply to the message is awaited for a minute only, since the tick waits."""
    smtp = build_smtp(build_app(smtp_host=host))
    assert smtp is not None
    assert (smtp.host, smtp.final_timeout_seconds) == (host, 60.0)


def test_an_expired_claim_cannot_be_released(store: Store) -> None:
    """A slow process fails after another has claimed and sent the same proof: the proof stays marked as sent."""
    slow = store.proofs.claim("2026-W07", "aa", b"{}", now=NOW)
    later = NOW.replace(hour=7)
    quick = store.proofs.claim("2026-W07", "aa", b"{}", now=later)
    assert slow is not None
    assert quick is not None
    store.proofs.mark_sent(quick, now=later)
    store.proofs.release(slow)
    assert [each.sent_at for each in store.proofs.of_week("2026-W07")] == [later]
    assert store.proofs.claim("2026-W07", "aa", b"{}", now=later.replace(hour=9)) is None
