"""The mail server: greeted, told who we are, and left without a mail.

In: a mail server, or none. Out: Signs. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pipeline.model.errors import PipelineError
from pipeline.model.health import Sign, sign_of


class Greets(Protocol):
    """What this check needs of ``delivery.smtp.Smtp``."""

    def greet(self) -> list[str]:
        """Connect, log in and leave; give what was agreed on."""
        ...


def post(host: str, server: Greets | None) -> Iterator[Sign]:
    """Greet the mail server, where one is configured."""
    if server is None:
        finding = "is not configured: proofs and tests go into the outbox, as files"
        mend = "give [delivery] smtp_host, to get proofs by mail"
        yield Sign(group="mail", name="smtp_host", level="warning", finding=finding, mend=mend)
        return
    try:
        agreed = server.greet()
    except PipelineError as trouble:
        mend = "compare the smtp_… settings under [delivery] with what your mail provider says of them"
        yield sign_of(str(trouble), group="mail", name=host, level="trouble", mend=mend)
    else:
        yield Sign(group="mail", name=host, level="well", finding=f"takes mail: {', '.join(agreed)}")
