"""config.toml: whether it keeps a secret it should not. Its text is read; what it means was validated before.

In: the text of the file. Out: Signs. Pure.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.model.errors import PipelineError, TemplateError
from pipeline.model.health import HealthResult, health_result_of

_LITERAL = re.compile(
    r"""^[\s#]*["']?([\w.-]*(?:passw|secret|token|api[_-]?key|credential)[\w.-]*)["']?\s*=\s*(["'])([^"']+)\2""", re.I
)
_VARIABLE = re.compile(r"\$?[A-Z][A-Z0-9_]{0,99}")
_USERINFO = re.compile(r"://[^/\s\"'@]*:[^/\s\"'@]+@")
_QUERY = re.compile(r"[?&](?:token|key|auth|secret|sig|signature|password|access_token|api_key)=[^&\s\"']+", re.I)


def check_secrets(text: str, file: str) -> Iterator[HealthResult]:
    """Look for secrets, in comments too: a copy of the file is soon in other hands.

    >>> [sign.level for sign in settings('password_env = "BLOG_PASSWORD"', "config.toml")]
    ['well']
    >>> [sign.finding for sign in settings('# smtp_password = "hunter2"', "config.toml")]
    ['line 1 holds a secret: smtp_password']
    """
    found = [sign for number, line in enumerate(text.splitlines(), 1) for sign in _in_line(line, number, file)]
    yield from found
    if not found:
        yield HealthResult(category="config", name=file, level="well", message="is valid, and holds no secret")


def _in_line(line: str, number: int, file: str) -> Iterator[HealthResult]:
    where = f"line {number} holds"
    for name, _, value in _LITERAL.findall(line):
        if not _VARIABLE.fullmatch(value):
            named = f"{name.removesuffix('_env')}_env"
            mend = f"take it out, change that secret, and give it in the environment: {named} names the variable"
            yield HealthResult(
                category="config", name=file, level="trouble", message=f"{where} a secret: {name}", fix=mend
            )
    if _USERINFO.search(line):
        mend = "take it out, change it, and give it in the environment (username and password_env)"
        yield HealthResult(
            category="config", name=file, level="trouble", message=f"{where} an address with a password", fix=mend
        )
    if _QUERY.search(line):
        mend = "if its publisher offers a header instead, use headers or token_env; else let nobody else read this file"
        yield HealthResult(
            category="config", name=file, level="warning", message=f"{where} an address with a key", fix=mend
        )


def check_theme(name: str, compile_theme: Callable[[], int]) -> Iterator[HealthResult]:
    """Compile a theme with all its parts, and say which template is in the way."""
    try:
        count = compile_theme()
    except TemplateError as trouble:
        where = f"{trouble.file}, line {trouble.line}" if trouble.line else trouble.file
        mend = f"mend {where}, or choose another theme in [digest] theme" if where else "choose another theme"
        finding = str(trouble).rstrip(".")
        yield HealthResult(category="templates", name=name, level="trouble", message=finding, fix=mend)
    else:
        yield HealthResult(category="templates", name=name, level="well", message=f"compiles, all {count} templates")


def check_notify_command(command: Sequence[str], folder: Path) -> Iterator[HealthResult]:
    """Look for the program, where one is named: by its path from ``folder``, or by its name in $PATH."""
    if not command:
        return
    program = command[0]
    place = str(folder / program) if "/" in program else program
    if shutil.which(place):
        yield HealthResult(category="notices", name=program, level="well", message="can be run")
        return
    finding = "is not there, or may not be run, so notices that it should tell are not told"
    mend = f"give its whole path in [notify] command, and make it executable: chmod +x {program}"
    yield HealthResult(category="notices", name=program, level="trouble", message=finding, fix=mend)


class MailServer(Protocol):
    """What this check needs of ``delivery.smtp.Smtp``."""

    def verify(self) -> list[str]:
        """Connect, log in and leave; give what was agreed on."""
        ...


def check_mail_server(host: str, server: MailServer | None) -> Iterator[HealthResult]:
    """Greet the mail server, where one is configured."""
    if server is None:
        finding = "is not configured: proofs and tests go into the outbox, as files"
        mend = "give [delivery] smtp_host, to get proofs by mail"
        yield HealthResult(category="mail", name="smtp_host", level="warning", message=finding, fix=mend)
        return
    try:
        agreed = server.verify()
    except PipelineError as trouble:
        mend = "compare the smtp_… settings under [delivery] with what your mail provider says of them"
        yield health_result_of(str(trouble), category="mail", name=host, level="trouble", fix=mend)
    else:
        yield HealthResult(category="mail", name=host, level="well", message=f"takes mail: {', '.join(agreed)}")
