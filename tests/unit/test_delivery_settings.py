"""Settings of [delivery] and [web], and the mailer they configure."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.app import App
from pipeline.app.delivery import build_backend, build_mailer, build_smtp, web_url
from pipeline.config import parse_config
from pipeline.delivery.outbox import Outbox
from pipeline.delivery.smtp import Smtp
from pipeline.model.errors import ConfigError

PUBLICATION = {
    "name": "Harbour & Hearth",
    "url": "https://harbourandhearth.example/",
    "sender": "Harbour & Hearth <letter@harbourandhearth.example>",
}
SERVER = {"smtp_host": "smtp.harbourandhearth.example"}
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
