"""What takes editions and single mails out of the house: the backends and the postman.

In: a house that makes editions. Out: a Backend, a Postman, a Proofreader. Reads the environment for the mail server's
password.
"""

from __future__ import annotations

import os
from email.utils import parseaddr
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from pipeline.app.making import Making
from pipeline.config import mail_password

if TYPE_CHECKING:
    from pipeline.delivery.outbox import Outbox
    from pipeline.delivery.smtp import Smtp
    from pipeline.jobs.proof import Proofreader
    from pipeline.jobs.send import Backend, Postman
    from pipeline.model.proof import Plan

LAST_ANSWER_SECONDS = 60.0
"""For the house's own mails, one at a time: the beat waits meanwhile, and a mail more or less harms no reader."""


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
            final_seconds=LAST_ANSWER_SECONDS,
            helo=domain if domain.isascii() else "localhost",
        )

    @property
    def pages(self) -> str:
        """The address under which editors reach the daemon's pages, without a slash at its end; empty without pages."""
        said = self.config.web
        near = said.listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
        here = near and f"http://{near}"
        return (said.url or here).rstrip("/")

    @property
    def unless_held(self) -> bool:
        """Whether editions go out unapproved: only where a mail server lets the editor see them first."""
        return self.config.digest.approval == "unless-held" and bool(self.config.delivery.smtp_host)

    @property
    def plan(self) -> Plan:
        """What becomes of an edition by itself."""
        from pipeline.model.proof import Plan

        said = self.config.schedule
        return Plan(
            clock=self.clock,
            send=said.send,
            unless_held=self.unless_held,
            late_limit=said.late_limit,
        )

    @property
    def proof_key(self) -> str:
        """What signs the buttons of proofs: made once, and kept in the store."""
        from pipeline.jobs.passes import PURPOSE

        return self.store.proofs.key(PURPOSE, token_urlsafe(32))

    @property
    def proofreader(self) -> Proofreader:
        """What sends proofs to the editor."""
        from pipeline.digest.banner import load_banner
        from pipeline.jobs.proof import Proofreader

        here_only = "The buttons work on the computer that runs the program; [web] url makes them work elsewhere."
        return Proofreader(
            store=self.store,
            press=self.press,
            postman=self.postman,
            banner=load_banner(self.template_folders),
            plan=self.plan,
            key=self.proof_key,
            pages=self.pages,
            hint=here_only if self.pages and not self.config.web.url else "",
            prober=self.prober,
        )

    @property
    def _outbox(self) -> Outbox:
        from pipeline.delivery.outbox import Outbox

        return Outbox(self.folder / self.config.delivery.outbox)
