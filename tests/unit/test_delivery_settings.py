"""Settings of [delivery] and [web], and the mailer they configure."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.delivery import (
    build_backend,
    build_delivery_backend,
    build_mailer,
    build_signer,
    build_smtp,
    web_url,
)
from pipeline.config import parse_config
from pipeline.delivery.dkim import make_private_key
from pipeline.delivery.maildir import MaildirBackend
from pipeline.delivery.outbox import Outbox
from pipeline.delivery.smtp.client import Smtp
from pipeline.delivery.smtp.sender import SmtpBackend
from pipeline.model.errors import ConfigError

PUBLICATION = {
    "name": "Harbour & Hearth",
    "url": "https://harbourandhearth.example/",
    "sender": "Harbour & Hearth <letter@harbourandhearth.example>",
}
SERVER = {"smtp_host": "smtp.harbourandhearth.example"}
NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
LOGIN = {"smtp_username": "letter", "smtp_password_env": "HARBOUR_PASSWORD"}


def app(folder: Path, **sections: object) -> App:
    return App(parse_config({"publication": PUBLICATION} | sections, folder / "config.toml"))


def refusal(**sections: object) -> str:
    with pytest.raises(ConfigError) as refused:
        app(Path(), **sections)
    return str(refused.value)


@pytest.mark.parametrize("host", ["smtp.example.org", "127.example.org", "192.168.0.1", "8.8.8.8"])
def test_unencrypted_smtp_is_local_only(host: str) -> None:
    """Without encryption only a server on this machine is allowed."""
    error = refusal(delivery={"smtp_host": host, "smtp_security": "none"})
    assert "only for a server on this machine" in error


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.53", "::1"])
def test_a_local_server_needs_no_encryption(tmp_path: Path, host: str) -> None:
    """A mail server on the same machine may be used unencrypted."""
    smtp = build_smtp(app(tmp_path, delivery={"smtp_host": host, "smtp_security": "none"}))
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.security) == (host, 25, "none")


@pytest.mark.parametrize("given", [{"smtp_username": "letter"}, {"smtp_password_env": "HARBOUR_PASSWORD"}])
def test_a_login_needs_user_name_and_password(given: dict[str, str]) -> None:
    """A user name without a password, or the reverse, is an error."""
    assert "give both or neither" in refusal(delivery=SERVER | given)


def test_a_password_in_the_file_is_refused() -> None:
    """A password instead of the name of its variable is refused and not part of the error."""
    error = refusal(delivery=SERVER | {"smtp_username": "letter", "smtp_password_env": "pa55w0rd!"})
    assert "[delivery] smtp_password_env is not allowed" in error
    assert "pa55w0rd" not in error


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_the_port_depends_on_the_encryption(tmp_path: Path, security: str, port: int) -> None:
    """Each encryption has its usual port; a configured one has priority."""
    usual = build_smtp(app(tmp_path, delivery=SERVER | {"smtp_security": security}))
    own = build_smtp(app(tmp_path, delivery=SERVER | {"smtp_security": security, "smtp_port": 2525}))
    assert usual is not None
    assert own is not None
    assert (usual.port, own.port) == (port, 2525)


@pytest.mark.parametrize(("given", "limits"), [({}, (60, 120)), ({"smtp_deadline_seconds": 10}, (10, 10))])
def test_the_mail_server_has_a_deadline(tmp_path: Path, given: dict[str, object], limits: tuple[float, float]) -> None:
    """The tasks of the daemon wait for no message longer than that; a single reply has at most a minute."""
    smtp = build_smtp(app(tmp_path, delivery=SERVER | given))
    assert smtp is not None
    assert (smtp.timeout_seconds, smtp.deadline_seconds) == limits


def test_the_mailer_is_smtp_or_the_outbox(tmp_path: Path) -> None:
    """Without a mail server single mails become files, as editions do."""
    assert isinstance(build_mailer(app(tmp_path)), Outbox)
    assert isinstance(build_mailer(app(tmp_path, delivery=SERVER)), Smtp)
    assert isinstance(build_backend(app(tmp_path, delivery=SERVER)), Outbox)


def test_editions_go_through_the_configured_backend(tmp_path: Path) -> None:
    """By SMTP the reply to a message is waited for ten minutes, and one TLS context serves all connections."""
    public = {"url": "https://news.harbourandhearth.example"}

    def build(**delivery: object) -> object:
        return build_delivery_backend(app(tmp_path, public=public, delivery=delivery), lambda: NOW)

    assert build() is None
    assert build(backend="maildir", maildir="people") == MaildirBackend(tmp_path / "people")
    smtp = build(backend="smtp", messages_per_connection=7, **SERVER)
    assert isinstance(smtp, SmtpBackend)
    assert (smtp.smtp.final_timeout_seconds, smtp.messages_per_connection) == (600.0, 7)
    assert smtp.smtp.create_ssl_context() is smtp.smtp.create_ssl_context()


def test_messages_are_signed_with_the_configured_keys(tmp_path: Path) -> None:
    """By the sender's domain or another; without keys they stay as they are."""
    message = b"From: letter@harbourandhearth.example\r\n\r\nx\r\n"
    assert build_signer(app(tmp_path))(message) is message
    (tmp_path / "rsa.pem").write_bytes(make_private_key())
    (tmp_path / "ed.pem").write_bytes(make_private_key("ed25519"))
    rsa = {"dkim_key": "rsa.pem", "dkim_selector": "s1"}
    signed = build_signer(app(tmp_path, delivery=rsa))(message)
    assert signed.startswith(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=harbourandhearth.example; s=s1;")
    both = rsa | {"dkim_ed25519_key": "ed.pem", "dkim_ed25519_selector": "s2", "dkim_domain": "mail.example"}
    signed = build_signer(app(tmp_path, delivery=both))(message)
    assert [part[:30] for part in signed.split(b"DKIM-Signature: v=1; ")[1:]] == [
        b"a=rsa-sha256; c=relaxed/simple",
        b"a=ed25519-sha256; c=relaxed/si",
    ]
    assert signed.count(b"d=mail.example;") == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"\[delivery\] dkim_key: rsa.pem cannot be read \(No such file or directory\): make it with"),
        (b"not a key", r"\[delivery\] dkim_key: rsa.pem cannot be used: it contains no private key"),
        (make_private_key("ed25519"), r"\[delivery\] dkim_key: rsa.pem cannot be used: .* of the other kind"),
    ],
    ids=["missing", "no key", "of another kind"],
)
def test_a_key_that_cannot_be_used_is_an_error(tmp_path: Path, content: bytes | None, words: str) -> None:
    """Before anything is sent; the message names the setting and the file."""
    if content is not None:
        (tmp_path / "rsa.pem").write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        build_signer(app(tmp_path, delivery={"dkim_key": "rsa.pem", "dkim_selector": "s1"}))


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        ({"dkim_key": "a.pem"}, "has one of dkim_key and dkim_selector"),
        ({"dkim_selector": "s1"}, "has one of dkim_key and dkim_selector"),
        ({"dkim_ed25519_key": "a.pem", "dkim_ed25519_selector": "s1"}, "set dkim_key too"),
        (
            {"dkim_key": "a", "dkim_selector": "s", "dkim_ed25519_key": "b", "dkim_ed25519_selector": "s"},
            "each key has a selector of its own",
        ),
        ({"dkim_selector": "s 1", "dkim_key": "a.pem"}, "dkim_selector"),
        ({"dkim_domain": "example.org; d=other.example"}, "dkim_domain"),
    ],
)
def test_dkim_settings_belong_together(delivery: dict[str, str], words: str) -> None:
    """A key needs a selector, an Ed25519 key one of RSA, and none of them can add to a header."""
    assert words in refusal(delivery=delivery)


def test_the_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from the variable or the file that NAME_FILE names; an error says which is missing."""
    house = app(tmp_path, delivery=SERVER | LOGIN)
    with pytest.raises(ConfigError, match="the environment variable HARBOUR_PASSWORD is not set"):
        build_mailer(house)
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("HARBOUR_PASSWORD_FILE", str(tmp_path / "secret"))
    smtp = build_smtp(house)
    assert smtp is not None
    assert smtp.password == "from a file"
    monkeypatch.setenv("HARBOUR_PASSWORD", "from the variable")
    smtp = build_smtp(house)
    assert smtp is not None
    assert smtp.password == "from the variable"
    assert "from" not in repr(smtp)


def test_the_mail_server_gets_the_name_of_the_publication(tmp_path: Path) -> None:
    """EHLO and MAIL FROM contain the sender's domain, never the name of this machine."""
    smtp = build_smtp(app(tmp_path, delivery=SERVER))
    assert smtp is not None
    assert (smtp.helo, smtp.sender) == ("harbourandhearth.example", "letter@harbourandhearth.example")


@pytest.mark.parametrize("listen", ["8026", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", ":8026"])
def test_listen_is_an_address_and_a_port(listen: str) -> None:
    """Addresses that cannot be listened on are refused at start."""
    assert 'give an address and a port such as "127.0.0.1:8026", or ""' in refusal(web={"listen": listen})


@pytest.mark.parametrize(
    ("web", "pages"),
    [
        ({}, "http://127.0.0.1:8026"),
        ({"listen": "0.0.0.0:80"}, "http://127.0.0.1:80"),
        ({"listen": "[::]:80"}, "http://[::1]:80"),
        ({"url": "https://desk.example.org/"}, "https://desk.example.org"),
        ({"listen": ""}, ""),
    ],
)
def test_the_url_of_the_pages(tmp_path: Path, web: dict[str, str], pages: str) -> None:
    """The buttons of a proof lead to the configured URL, else to this machine; without pages there are none."""
    assert web_url(app(tmp_path, web=web)) == pages
