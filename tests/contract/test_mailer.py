"""The house's own mails, one at a time: what is waited for, what counts as out, and what a name must be."""

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
from pipeline.delivery.smtp import Smtp
from pipeline.model.errors import ConfigError, DeliveryFailedError, DeliveryInterrupted
from pipeline.store import Store
from tests.mail_server import SILENCE, MailServer

SENDER, EDITOR = "letter@harbourandhearth.example", "editor@harbourandhearth.example"
MAIL = b"From: letter@harbourandhearth.example\r\nSubject: Bread\r\n\r\nBread\r\n"
NOW = datetime(2026, 2, 16, 6, tzinfo=UTC)


def postman(**more: Any) -> Smtp:
    said: dict[str, Any] = {"host": "localhost", "port": 25, "security": "none", "sender": SENDER}
    return Smtp(**(said | more))


@pytest.fixture
def stopping() -> Iterator[None]:
    """SIGTERM interrupts, as it does in the daemon."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


def stop_once(heard: list[Any]) -> None:
    """Send SIGTERM to this process as soon as something was heard."""

    def wait() -> None:
        until = time.monotonic() + 10
        while not heard and time.monotonic() < until:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGTERM)

    main = threading.main_thread().ident or 0
    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.loopback
@pytest.mark.usefixtures("stopping")
@pytest.mark.parametrize("step", [".", "QUIT"])
def test_a_signal_after_the_dot_counts_as_posted(step: str) -> None:
    """The server has the whole mail and is silent, or slow in its good-bye: who is stopped now is told."""
    with MailServer(answers={step: SILENCE}) as server:
        stop_once(server.messages)
        with pytest.raises(DeliveryInterrupted):
            postman(port=server.port).send(MAIL, EDITOR)
    assert len(server.messages) == 1


@pytest.mark.loopback
@pytest.mark.usefixtures("stopping")
def test_a_signal_before_the_dot_has_sent_nothing() -> None:
    """Stopped while the recipient is being looked at: no mail, and no more than a KeyboardInterrupt."""
    with MailServer(answers={"RCPT": SILENCE}) as server:
        stop_once(server.commands)
        with pytest.raises(KeyboardInterrupt) as stopped:
            postman(port=server.port).send(MAIL, EDITOR)
    assert (stopped.type, server.messages) == (KeyboardInterrupt, [])


@pytest.mark.loopback
def test_a_slow_good_bye_is_not_waited_for() -> None:
    """The mail is taken: the rest is politeness."""
    with MailServer(answers={"QUIT": SILENCE}) as server:
        began = time.monotonic()
        postman(port=server.port, timeout_seconds=0.3, final_timeout_seconds=60.0).send(MAIL, EDITOR)
    assert time.monotonic() - began < 30


@pytest.mark.loopback
def test_a_name_that_no_machine_can_have_is_a_sentence() -> None:
    """Two dots in a row cannot even be looked up; nothing has left."""
    with pytest.raises(DeliveryFailedError, match=r"smtp\.\.example\.org cannot be reached on port 25"):
        postman(host="smtp..example.org").send(MAIL, EDITOR)


def settings(**delivery: str) -> App:
    publication = {"name": "Harbour & Hearth", "url": "https://harbourandhearth.example/", "sender": SENDER}
    return App(parse_config({"publication": publication, "delivery": delivery}, Path("config.toml")))


@pytest.mark.parametrize("host", ["smtp..example.org", ".example.org", "a..b", "x" * 64, "smtp.example.org:587", "-:x"])
def test_config_refuses_what_is_no_name(host: str) -> None:
    """At the start, and not when the first proof is due."""
    with pytest.raises(ConfigError, match=r"smtp_host = .* is not allowed"):
        settings(smtp_host=host)


@pytest.mark.parametrize("host", ["smtp.example.org", "smtp.example.org.", "mail_1", "192.0.2.7", "2001:db8::7", "::1"])
def test_config_takes_names_and_addresses(host: str) -> None:
    """Of machines, with a dot at the end, too. After the dot their answer is waited for a minute, for a beat waits."""
    smtp = build_smtp(settings(smtp_host=host))
    assert smtp is not None
    assert (smtp.host, smtp.final_timeout_seconds) == (host, 60.0)


def test_a_claim_that_ran_out_gives_nothing_back(store: Store) -> None:
    """A slow process fails after another has claimed and posted the same proof: that one stays posted."""
    slow = store.proofs.claim("2026-W07", "aa", b"{}", now=NOW)
    later = NOW.replace(hour=7)
    quick = store.proofs.claim("2026-W07", "aa", b"{}", now=later)
    assert slow is not None
    assert quick is not None
    store.proofs.mark_sent(quick, now=later)
    store.proofs.release(slow)
    assert [each.sent_at for each in store.proofs.of_week("2026-W07")] == [later]
    assert store.proofs.claim("2026-W07", "aa", b"{}", now=later.replace(hour=9)) is None
