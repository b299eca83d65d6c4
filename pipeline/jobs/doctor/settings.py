"""config.toml: whether it keeps a secret it should not. Its text is read; what it means was validated before.

In: the text of the file. Out: Signs. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.model.health import Sign

_LITERAL = re.compile(
    r"""^[\s#]*["']?([\w.-]*(?:passw|secret|token|api[_-]?key|credential)[\w.-]*)["']?\s*=\s*(["'])([^"']+)\2""", re.I
)
_VARIABLE = re.compile(r"\$?[A-Z][A-Z0-9_]{0,99}")
_USERINFO = re.compile(r"://[^/\s\"'@]*:[^/\s\"'@]+@")
_QUERY = re.compile(r"[?&](?:token|key|auth|secret|sig|signature|password|access_token|api_key)=[^&\s\"']+", re.I)


def settings(text: str, file: str) -> Iterator[Sign]:
    """Look for secrets, in comments too: a copy of the file is soon in other hands.

    >>> [sign.level for sign in settings('password_env = "BLOG_PASSWORD"', "config.toml")]
    ['well']
    >>> [sign.finding for sign in settings('# smtp_password = "hunter2"', "config.toml")]
    ['line 1 holds a secret: smtp_password']
    """
    found = [sign for number, line in enumerate(text.splitlines(), 1) for sign in _in_line(line, number, file)]
    yield from found
    if not found:
        yield Sign(group="config", name=file, level="well", finding="is valid, and holds no secret")


def _in_line(line: str, number: int, file: str) -> Iterator[Sign]:
    where = f"line {number} holds"
    for name, _, value in _LITERAL.findall(line):
        if not _VARIABLE.fullmatch(value):
            named = f"{name.removesuffix('_env')}_env"
            mend = f"take it out, change that secret, and give it in the environment: {named} names the variable"
            yield Sign(group="config", name=file, level="trouble", finding=f"{where} a secret: {name}", mend=mend)
    if _USERINFO.search(line):
        mend = "take it out, change it, and give it in the environment (username and password_env)"
        yield Sign(group="config", name=file, level="trouble", finding=f"{where} an address with a password", mend=mend)
    if _QUERY.search(line):
        mend = "if its publisher offers a header instead, use headers or token_env; else let nobody else read this file"
        yield Sign(group="config", name=file, level="warning", finding=f"{where} an address with a key", mend=mend)
