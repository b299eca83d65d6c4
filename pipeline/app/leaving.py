"""What takes editions and single mails out of the house: the backends and the postman.

In: a house that makes editions. Out: a Backend, a Postman. Reads the environment for the mail server's password.
"""

from __future__ import annotations

import os
from email.utils import parseaddr
from typing import TYPE_CHECKING

from pipeline.app.making import Making
from pipeline.config import mail_password

if TYPE_CHECKING:
    from pipeline.delivery.outbox import Outbox
    from pipeline.delivery.smtp import Smtp
    from pipeline.jobs.send import Backend, Postman


class Leaving(Making):
    """A house that can send what it made."""

    @property
    def backend(self) -> Backend:
        """The way out of the house."""
        return self._outbox

    @property
    def postman(self) -> Postman:
        """Who takes single mails to people: the mail server, or the outbox where none is named."""
        return self.smtp or self._outbox

    @property
    def smtp(self) -> Smtp | None:
        """The mail server; None where none is named, ConfigError where its password is not to be had."""
        from pipeline.delivery.smtp import USUAL_PORTS, Smtp

        said = self.config.delivery
        if not said.smtp_host:
            return None
        sender = parseaddr(self.config.publication.sender)[1]
        domain = sender.rpartition("@")[2]
        return Smtp(
            host=said.smtp_host,
            port=said.smtp_port or USUAL_PORTS[said.smtp_security],
            sender=sender,
            security=said.smtp_security,  # type: ignore[arg-type]  # one of Security: config has checked it
            username=said.smtp_username,
            password=mail_password(said, os.environ),
            helo=domain if domain.isascii() else "localhost",
        )

    @property
    def _outbox(self) -> Outbox:
        from pipeline.delivery.outbox import Outbox

        return Outbox(self.folder / self.config.delivery.outbox)
