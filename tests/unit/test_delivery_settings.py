"""[delivery] and [web]: what the mail server's settings must be, and how they become a way out."""

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
def test_mail_in_the_open_stays_on_this_machine(host: str) -> None:
    """Without encryption no server but one on this machine is allowed."""
    said = refusal(delivery={"smtp_host": host, "smtp_security": "none"})
    assert "only for a server on this machine" in said


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.53", "::1"])
def test_this_machine_needs_no_encryption(tmp_path: Path, host: str) -> None:
    """A mail program beside ours is talked to as it is."""
    smtp = build_smtp(app(tmp_path, delivery={"smtp_host": host, "smtp_security": "none"}))
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.security) == (host, 25, "none")


@pytest.mark.parametrize("given", [{"smtp_username": "letter"}, {"smtp_password_env": "HARBOUR_PASSWORD"}])
def test_a_login_is_whole_or_not_there(given: dict[str, str]) -> None:
    """A name without a password, or the other way round, is a mistake."""
    assert "give both or neither" in refusal(delivery=SERVER | given)


def test_a_password_in_the_settings_is_refused_and_not_repeated() -> None:
    """Whoever writes it where its variable's name belongs does not find it in the log."""
    said = refusal(delivery=SERVER | {"smtp_username": "letter", "smtp_password_env": "pa55w0rd!"})
    assert "[delivery] smtp_password_env is not allowed" in said
    assert "pa55w0rd" not in said


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_the_usual_port_is_known(tmp_path: Path, security: str, port: int) -> None:
    """Nobody has to look it up; what is said counts."""
    usual = build_smtp(app(tmp_path, delivery=SERVER | {"smtp_security": security}))
    own = build_smtp(app(tmp_path, delivery=SERVER | {"smtp_security": security, "smtp_port": 2525}))
    assert usual is not None
    assert own is not None
    assert (usual.port, own.port) == (port, 2525)


def test_the_postman_is_the_mail_server_or_the_outbox(tmp_path: Path) -> None:
    """Without a mail server single mails become files, as editions do."""
    assert isinstance(build_mailer(app(tmp_path)), Outbox)
    assert isinstance(build_mailer(app(tmp_path, delivery=SERVER)), Smtp)
    assert isinstance(build_backend(app(tmp_path, delivery=SERVER)), Outbox)


def test_the_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the variable, or from the file that NAME_FILE names; where neither is, it is said which."""
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


def test_the_mail_server_is_told_the_publications_name(tmp_path: Path) -> None:
    """EHLO and MAIL FROM are the sender's; the machine's own name goes to nobody."""
    smtp = build_smtp(app(tmp_path, delivery=SERVER))
    assert smtp is not None
    assert (smtp.helo, smtp.sender) == ("harbourandhearth.example", "letter@harbourandhearth.example")


@pytest.mark.parametrize("listen", ["8026", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", ":8026"])
def test_where_to_listen_is_an_address_and_a_port(listen: str) -> None:
    """What could not be listened at is refused at start."""
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
def test_where_the_buttons_lead(tmp_path: Path, web: dict[str, str], pages: str) -> None:
    """To the address that editors have for the pages; to this machine where none is said; nowhere without pages."""
    assert web_url(app(tmp_path, web=web)) == pages
