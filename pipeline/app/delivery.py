"""What takes editions and single mails out of the house: the backends and the postman.

In: a house that makes editions. Out: a Backend, a Postman, a Proofreader. Reads the environment for the mail server's
password.
"""

from __future__ import annotations

import os
from email.utils import parseaddr
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from pipeline.app.digests import Making
from pipeline.config import smtp_password

if TYPE_CHECKING:
    from pipeline.delivery.outbox import Outbox
    from pipeline.delivery.smtp import Smtp
    from pipeline.jobs.ports import Backend, Mailer
    from pipeline.jobs.proof.send import ProofSender
    from pipeline.model.proof import SendPolicy

FINAL_REPLY_TIMEOUT_SECONDS = 60.0
"""For the house's own mails, one at a time: the beat waits meanwhile, and a mail more or less harms no reader."""


class Leaving(Making):
    """A house that can send what it made."""

    @property
    def backend(self) -> Backend:
        """The way out of the house."""
        return self._outbox

    @property
    def mailer(self) -> Mailer:
        """Who takes single mails to people: the mail server, or the outbox where none is named."""
        return self.smtp or self._outbox

    @property
    def smtp(self) -> Smtp | None:
        """The mail server; None where none is named, ConfigError where its password is not to be had."""
        from pipeline.delivery.smtp import DEFAULT_PORTS, Smtp

        said = self.config.delivery
        if not said.smtp_host:
            return None
        sender = parseaddr(self.config.publication.sender)[1]
        domain = sender.rpartition("@")[2]
        return Smtp(
            host=said.smtp_host,
            port=said.smtp_port or DEFAULT_PORTS[said.smtp_security],
            sender=sender,
            security=said.smtp_security,  # type: ignore[arg-type]  # one of Security: config has checked it
            username=said.smtp_username,
            password=smtp_password(said, os.environ),
            final_timeout_seconds=FINAL_REPLY_TIMEOUT_SECONDS,
            helo=domain if domain.isascii() else "localhost",
        )

    @property
    def web_url(self) -> str:
        """The address under which editors reach the daemon's pages, without a slash at its end; empty without pages."""
        said = self.config.web
        near = said.listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
        here = near and f"http://{near}"
        return (said.url or here).rstrip("/")

    @property
    def sends_unapproved(self) -> bool:
        """Whether editions go out unapproved: only where a mail server lets the editor see them first."""
        return self.config.digest.approval == "unless-held" and bool(self.config.delivery.smtp_host)

    @property
    def send_policy(self) -> SendPolicy:
        """What becomes of an edition by itself."""
        from pipeline.model.proof import SendPolicy

        said = self.config.schedule
        return SendPolicy(
            calendar=self.calendar,
            schedule=said.send,
            sends_unapproved=self.sends_unapproved,
            late_limit=said.late_limit,
        )

    @property
    def proof_key(self) -> str:
        """What signs the buttons of proofs: made once, and kept in the store."""
        from pipeline.jobs.proof.tokens import PROOF_PURPOSE

        return self.store.proofs.signing_key(PROOF_PURPOSE, token_urlsafe(32))

    @property
    def proof_sender(self) -> ProofSender:
        """What sends proofs to the editor."""
        from pipeline.digest.render.proof_banner import load_banner_templates
        from pipeline.jobs.proof.send import ProofSender

        here_only = "The buttons work on the computer that runs the program; [web] url makes them work elsewhere."
        return ProofSender(
            store=self.store,
            context=self.digest_context,
            mailer=self.mailer,
            banner=load_banner_templates(self.template_folders),
            send_policy=self.send_policy,
            signing_key=self.proof_key,
            web_url=self.web_url,
            hint=here_only if self.web_url and not self.config.web.url else "",
            open_link_fetcher=self.link_fetcher,
        )

    @property
    def _outbox(self) -> Outbox:
        from pipeline.delivery.outbox import Outbox

        return Outbox(self.folder / self.config.delivery.outbox)
