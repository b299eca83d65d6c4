"""Headers of the messages that `pipeline digest` and `pipeline proof` write for a publication with an umlaut."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
TITLE = "Über Nacht gebacken, früh gegessen: was die Möwen übrig ließen, und für wen die Bänke draußen sind"


def test_international_domain_and_long_subject(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The domain is written in ASCII in each header, also in the mail to the editor; the subject is the title."""
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        program.serve("/blog", rss(item(TITLE, link="https://blog.example/1")))
        config = program.config.read_text(encoding="utf-8")
        mailboxes = 'sender = "Küsten, Köche <brot@küste.example>"\neditor = "Chefin <chefin@küste.example>"'
        program.config.write_text(config.replace('sender = "Harbour & Hearth <letter@blog.example>"', mailboxes))
        program.run_ok("fetch")
        digest_file = tmp_path / "editions" / "2026-W07" / "digest.eml"
        program.run_ok("digest", "--week", "2026-W07", "--offline")
        program.now += timedelta(days=7)
        program.run_ok("proof", "2026-W07")
        proof_file = next((tmp_path / "outbox").glob("*.eml"))
    for file, prefix in ((digest_file, ""), (proof_file, "[Proof] ")):
        message = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert message["From"].addresses[0].addr_spec == "brot@xn--kste-0ra.example"
        assert message["From"].addresses[0].display_name == "Küsten, Köche"
        assert message["To"].addresses[0].addr_spec == "chefin@xn--kste-0ra.example"
        assert message["Message-ID"].endswith("@xn--kste-0ra.example>")
        assert message["Subject"].isprintable()
        assert (prefix + TITLE).startswith(message["Subject"])
