"""Secrets are removed from everything that is logged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.app import App
from pipeline.config import parse_config
from pipeline.jobs.proof.tokens import sign_token
from pipeline.model.proof import ProofAction, ProofToken
from pipeline.text.redact import redact
from tests.growth import assert_linear

SIGNED = "eyJ3ZWVrIjoiMjAyNi1XMDcifQ.aZ1xYw.V5bKcO0N-4p6aQq3rXo1kM7Zt2s"

TOLD = {
    "https://ann:hunter2@feeds.example/x": "hunter2",
    "postgresql+psycopg://news:hunter2@db.example/news": "hunter2",
    "https://ann:hunter/2@feeds.example/x": "hunter",
    "GET https://a.example/feed?token=abc123&page=2": "abc123",
    "https://a.example/private.xml?key=abc123": "abc123",
    "https://cdn.example/a.mp3?X-Amz-Signature=abc123": "abc123",
    "Authorization: Bearer abc123abc123": "abc123abc123",
    "sent {'Authorization': 'Basic YW5uOmh1bnRlcjI='}": "YW5uOmh1bnRlcjI=",
    'read {"password": "hunter2"}': "hunter2",
    "api_key = hunter2": "hunter2",
    "Set-Cookie: session=abc123; HttpOnly": "abc123",
    f"POST /proof/{SIGNED} HTTP/1.1": SIGNED,
    f"https://desk.example/approve/{SIGNED}?from=mail": SIGNED,
}

PLAIN = [
    "fetch: 3 of 3 feeds fetched, 70 new entries",
    "2026-W07: “The quiet week” in editions/2026-W07",
    "blog answered 404 Not Found: check the address",
    "https://harbourandhearth.example/2026/02/a-long-title-that-goes-on-and-on-for-ever/?page=2",
    "letter@harbourandhearth.example",
    "pipeline.jobs.monitoring.feed_alerts",
    "the environment variable BLOG_TOKEN is not set",
    "[delivery] smtp_password_env: the environment variable MAIL_PASSWORD is not set.",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]


@pytest.mark.parametrize(("words", "secret"), TOLD.items())
def test_credentials_are_hidden(words: str, secret: str) -> None:
    """User info, queries, headers, assignments and signed links; the text around them stays."""
    redacted = redact(words)
    assert secret not in redacted
    assert "…" in redacted
    assert redacted.split("…")[0] == words[: len(redacted.split("…")[0])]


@pytest.mark.parametrize("words", PLAIN)
def test_other_text_stays(words: str) -> None:
    """Text without secrets is not changed."""
    assert redact(words) == words


@given(st.text(st.characters(codec="utf-8"), min_size=4, max_size=40), st.text(max_size=200), st.text(max_size=200))
def test_known_secrets_are_hidden_everywhere(secret: str, before: str, after: str) -> None:
    """Whatever characters a secret contains, every occurrence is hidden."""
    redacted = redact(f"{before}{secret}{after}{secret}", {secret})
    assert "…" in secret or secret not in redacted


@example(choice="open", nth=8, key="7a5c4f037f13f84331df619c947543ff2162dfebd8eea651931dfd344caea541")  # no digit in it
@given(st.sampled_from(get_args(ProofAction)), st.integers(1, 9), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_approval_tokens_are_hidden(choice: ProofAction, nth: int, key: str) -> None:
    """No part of the token of an approval link is left."""
    expires_at = datetime(2026, 2, 20, tzinfo=UTC)
    token = sign_token(
        ProofToken(week="2026-W07", content_hash=key, action=choice, sequence=nth, expires_at=expires_at), key
    )
    assert redact(f"GET /proof/{token} HTTP/1.1") == "GET /proof/… HTTP/1.1"
    assert redact(f"They open https://desk.example/proof/{token}.") == "They open https://desk.example/proof/…."


def test_redacting_takes_linear_time() -> None:
    """Anything a server answers may be logged, so no pattern backtracks."""
    for piece in ("a.", "://", "token", "x=", "a-B1_", "Bearer "):
        assert_linear(lambda length, piece=piece: redact(piece * (length // len(piece))), 1_000)


def test_secrets_of_a_config_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords, tokens and headers of feeds, of the mail server and of the database, from files too."""
    (tmp_path / "blog").write_text("from-a-file\n")
    monkeypatch.setenv("BLOG_PASSWORD_FILE", str(tmp_path / "blog"))
    given = {"PODCAST_TOKEN": "bearer-1", "BLOG_KEY": "header-2", "MAIL_PASSWORD": "smtp-3", "PGPASSWORD": "pg-4444"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOST_TOKEN", raising=False)
    publication = {"name": "x", "url": "https://a.example/", "sender": "x@a.example"}
    access = {"username": "ann", "password_env": "BLOG_PASSWORD", "headers": {"X-Api-Key": "$BLOG_KEY"}}
    feeds = [
        {"id": "blog", "url": "https://a.example/feed", "kind": "blog"} | access,
        {"id": "podcast", "url": "https://b.example/feed", "kind": "podcast", "token_env": "PODCAST_TOKEN"},
        {"id": "lost", "url": "https://c.example/feed", "kind": "links", "token_env": "LOST_TOKEN"},
    ]
    delivery = {"smtp_host": "smtp.a.example", "smtp_username": "ann", "smtp_password_env": "MAIL_PASSWORD"}
    app = App(parse_config({"publication": publication, "feeds": feeds, "delivery": delivery}, Path("config.toml")))
    assert app.secrets == {"from-a-file", *given.values()}
