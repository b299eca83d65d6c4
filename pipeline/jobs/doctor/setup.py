"""Doctor checks of the set-up: secrets in config.toml, desk, theme, alert command, mail server, counted links."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from pipeline.model.editor import Editor
from pipeline.model.errors import PipelineError, TemplateError
from pipeline.model.health import HealthLevel, HealthResult
from pipeline.text.format import pluralize
from pipeline.text.urls import is_loopback

_LITERAL = re.compile(
    r"""^[\s#]*+["']?(?=[\w.-]*?(?:passw|secret|token|api[_-]?key|credential))([\w.-]++)["']?\s*+=\s*+(["'])([^"']+)\2""",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"\$?[A-Z][A-Z0-9_]{0,99}")
_USERINFO = re.compile(r"://[^/\s\"'@]*:[^/\s\"'@]+@")
_QUERY = re.compile(r"[?&](?:token|key|auth|secret|sig|signature|password|access_token|api_key)=[^&\s\"']+", re.I)


def check_secrets(text: str, file: str) -> Iterator[HealthResult]:
    """Check that config.toml contains no secret, not even in a comment. ``text`` is its content, ``file`` its name.

    >>> [result.level for result in check_secrets('password_env = "BLOG_PASSWORD"', "config.toml")]
    ['ok']
    >>> [result.message for result in check_secrets('# smtp_password = "hunter2"', "config.toml")]
    ['line 1 contains a secret: smtp_password']
    """
    lines = enumerate(text.splitlines(), 1)
    results = [result for number, line in lines for result in _check_line(line, number, file)]
    yield from results or [_result("config", file, "ok", "is valid and contains no secret")]


def _check_line(line: str, number: int, file: str) -> Iterator[HealthResult]:
    for name, _, value in _LITERAL.findall(line):
        if not _VARIABLE.fullmatch(value):
            setting = f"{name.removesuffix('_env')}_env"
            fix = f"remove it, change the secret, and put it into an environment variable that {setting} names"
            yield _result("config", file, "error", f"line {number} contains a secret: {name}", fix)
    if _USERINFO.search(line):
        fix = "remove it, change it, and put it into the environment (username and password_env)"
        yield _result("config", file, "error", f"line {number} contains an address with a password", fix)
    if _QUERY.search(line):
        fix = "if the publisher accepts a header instead, use headers or token_env; otherwise keep this file private"
        yield _result("config", file, "warning", f"line {number} contains an address with a key", fix)


def check_theme(name: str, compile_theme: Callable[[], int]) -> Iterator[HealthResult]:
    """Check that a theme compiles. ``compile_theme`` returns the number of its templates or raises TemplateError."""
    try:
        count = compile_theme()
    except TemplateError as error:
        location = f"{error.file}, line {error.line}" if error.line else error.file
        fix = f"fix {location}, or choose another theme in [digest] theme" if location else "choose another theme"
        yield _result("templates", name, "error", str(error).rstrip("."), fix)
    else:
        yield _result("templates", name, "ok", f"compiles, all {count} templates")


def check_notify_command(command: Sequence[str], folder: Path) -> Iterator[HealthResult]:
    """Check that the program of [notify] command exists: a path relative to ``folder``, or a name in $PATH."""
    if not command:
        return
    program = command[0]
    if shutil.which(str(folder / program) if "/" in program else program):
        yield _result("alerts", program, "ok", "is executable")
        return
    message = "does not exist or is not executable, so no alert is sent by it"
    fix = f"write its whole path into [notify] command, and make it executable: chmod +x {program}"
    yield _result("alerts", program, "error", message, fix)


class MailServer(Protocol):
    """A connection to the mail server. ``delivery.smtp.client.Smtp`` implements it."""

    def verify(self) -> list[str]:
        """Connect, log in and quit without sending; return what was negotiated."""
        ...


def check_mail_server(host: str, server: MailServer | None) -> Iterator[HealthResult]:
    """Check that the mail server accepts a connection and the log-in. Sends nothing."""
    if server is None:
        message = "is not set: proofs and test mails are written to the outbox folder"
        yield _result("mail", "smtp_host", "warning", message, "set [delivery] smtp_host to get proofs by mail")
        return
    try:
        negotiated = server.verify()
    except PipelineError as error:
        fix = "compare the smtp_… settings in [delivery] with what your mail provider says"
        yield _result("mail", host, "error", str(error).rstrip("."), fix)
    else:
        yield _result("mail", host, "ok", f"accepts mail: {', '.join(negotiated)}")


def check_link_counts(public_url: str) -> Iterator[HealthResult]:
    """Check the address that counted links lead through. It is in every message."""
    message = "counts clicks on the links of editions, never whose: your privacy policy must say so (docs/delivery.md)"
    if public_url.startswith("https://"):
        yield _result("mail", "count_links", "ok", message)
        return
    fix = "set [public] url to an https address, which mailbox providers expect of links"
    yield _result("mail", "count_links", "warning", f"leads subscribers through {public_url}, not encrypted", fix)


def check_desk(url: str, editors: Sequence[Editor], *, sends_links: bool) -> Iterator[HealthResult]:
    """Check that those who reach the desk at a URL can log in, and that nobody reads along; yield nothing without URL.

    ``sends_links``: whether links to log in are sent by mail.
    """
    if not url:
        return
    is_remote = not is_loopback(urlsplit(url).hostname or "")
    if is_remote and not editors:
        message = f"at {url} opens from a proof only, for a day: nobody is named who could log in"
        yield _result("desk", "the desk", "warning", message, "name its editors in [[editors]] (docs/desk.md)")
    if is_remote and url.startswith("http:"):
        message = f"at {url} is not encrypted: anyone who can read the traffic can log in as well"
        yield _result("desk", "the desk", "warning", message, "put a proxy with https before it, and set [web] url")
    if editors and not any(editor.may_approve for editor in editors):
        fix = "set may_approve = true for one of them, or approve on the command line"
        yield _result("desk", "[[editors]]", "warning", "name nobody who may approve an edition", fix)
    if editors:
        how = "get a link by mail" if sends_links else "need a link of `pipeline desk-link`, since no smtp_host is set"
        yield _result("desk", "[[editors]]", "ok", f"name {pluralize(len(editors), 'editor')}, who {how} to log in")


def _result(category: str, name: str, level: HealthLevel, message: str, fix: str = "") -> HealthResult:
    return HealthResult(category=category, name=name, level=level, message=message, fix=fix)
