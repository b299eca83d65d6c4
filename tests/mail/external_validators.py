"""Validators that are other programs: SpamAssassin and the Nu HTML Checker."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.conftest import NPM

VNU = NPM / "vnu-jar/build/dist/vnu.jar"
AXE = NPM / "axe-core/axe.min.js"
NU_IGNORED = ".*(xmlns:|mso-|supported-color-schemes).*"
"""Attributes that mail programs need and the checker rejects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpamScore:
    """The points that SpamAssassin gives a message, and the rules behind them."""

    points: float
    rules: frozenset[str]


def spam_scores(mails: Mapping[str, bytes]) -> dict[str, SpamScore]:
    """Return the scores of messages by SpamAssassin, all in one run, by its local rules.

    It answers in any order it likes, so each mail carries its number.
    """
    command = ["spamassassin", "--local", "--test-mode", "--mbox", "--nocreate-prefs", "--prefspath=/dev/null"]
    mbox = b"".join(_in_mbox(number, mail) for number, mail in enumerate(mails.values()))
    with TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, input=mbox, capture_output=True, check=True, env=environment)
    names, scores = list(mails), {}
    for answer in re.split(rb"(?m)^From validator@", done.stdout)[1:]:
        number = re.search(rb"(?m)^X-Number: (\d+)", answer)
        assert number is not None
        scores[names[int(number[1])]] = _score(answer)
    assert set(scores) == set(mails), done.stderr.decode()
    return scores


def _in_mbox(number: int, mail: bytes) -> bytes:
    lines = re.sub(rb"(?m)^From ", b">From ", mail.replace(b"\r\n", b"\n"))
    return b"From validator@example.org Mon Feb 16 09:00:00 2026\nX-Number: %d\n" % number + lines + b"\n"


def _score(answer: bytes) -> SpamScore:
    status = re.search(rb"(?m)^X-Spam-Status: (.*(?:\n[ \t].*)*)", answer)
    assert status is not None
    words = re.sub(r"\s+", "", status[1].decode())
    points, rules = re.search(r"score=(-?[\d.]+)", words), re.search(r"tests=([A-Z0-9_,]*)", words)
    assert points is not None
    assert rules is not None
    return SpamScore(points=float(points[1]), rules=frozenset(rules[1].split(",")))


def nu_errors(pages: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the errors that the Nu HTML Checker finds in each HTML part, all in one run."""
    with TemporaryDirectory() as folder:
        for number, html in enumerate(pages.values()):
            (Path(folder) / f"{number}.html").write_text(html, encoding="utf-8")
        files = [f"{folder}/{number}.html" for number in range(len(pages))]
        options = ["--format", "json", "--filterpattern", NU_IGNORED, "--exit-zero-always", "--errors-only"]
        done = subprocess.run(["java", "-jar", str(VNU), *options, *files], capture_output=True, check=True, text=True)
    errors: dict[str, list[str]] = {name: [] for name in pages}
    names = list(pages)
    for message in json.loads(done.stderr)["messages"]:
        if message["type"] in ("error", "non-document-error"):
            errors[names[int(Path(message["url"]).stem)]].append(message["message"])
    return errors
