"""Write each subscriber's copy of a sealed edition: their links, their address, a signature."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.audience.tokens import delivery_token
from pipeline.delivery.personalise import PersonalMessage
from pipeline.digest.edition.seal import read_correction
from pipeline.jobs.audience.context import AudienceContext
from pipeline.model.delivery import Copy, Delivery
from pipeline.model.digest import Edition
from pipeline.model.message import ListIdentity, Recipient
from pipeline.model.subscriber import Subscriber
from pipeline.model.variant import WHOLE
from pipeline.text.message_headers import parse_mailbox

AddSignature = Callable[[bytes], bytes]
"""Adds a DKIM signature to a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyWriter:
    """Writes the copies of one edition."""

    context: AudienceContext
    week: str
    correction: int = 0
    """0 for the edition itself, or the number of the correction."""
    messages: Mapping[str, PersonalMessage]
    """Each variant by name, cut at its placeholders."""
    bounce_address: str
    """Where bounces go, such as ``bounces@example.org``; empty if they go to the sender."""
    add_signature: AddSignature

    @classmethod
    def of_edition(
        cls, context: AudienceContext, week: str, edition: Edition, *, bounce_address: str, add_signature: AddSignature
    ) -> CopyWriter:
        """Return the writer of a sealed edition or correction.

        DeliveryFailedError if its messages cannot be personalised.
        """
        identity = list_identity(context, week)
        messages = {WHOLE.name: edition.eml} | {variant.name: variant.eml for variant in edition.variants}
        correction = read_correction(edition.manifest)
        earlier = {name: bytes.fromhex(seal) for name, seal in correction.messages.items()} if correction else {}
        return cls(
            context=context,
            week=week,
            correction=correction.number if correction else 0,
            messages={
                name: PersonalMessage.compile(message, identity, seal_of_earlier=earlier.get(name, b""))
                for name, message in messages.items()
            },
            bounce_address=bounce_address,
            add_signature=add_signature,
        )

    def write(self, delivery: Delivery, subscriber: Subscriber, now: datetime) -> Copy:
        """Return a subscriber's copy; DeliveryFailedError if nothing can be sent to that address."""
        return Copy(
            delivery_id=delivery.id,
            attempt=delivery.attempts,
            address=subscriber.address,
            sender=self._envelope_sender(delivery.id),
            message=self.add_signature(self.messages[delivery.variant].fill(self.recipient(subscriber, now))),
        )

    def recipient(self, subscriber: Subscriber, now: datetime) -> Recipient:
        """Return a subscriber's address and links."""
        token = self.context.token("unsubscribe", subscriber, now)
        local, _, domain = self._return_address.partition("@")
        address = f"{local}+u{token}@{domain}" if self.bounce_address else self._return_address
        return Recipient(
            address=subscriber.address,
            unsubscribe_url=f"{self.context.public_url}/unsubscribe/{token}",
            unsubscribe_mailto=f"mailto:{address}?subject=unsubscribe%20{token}",
            preferences_url=self.context.link("preferences", subscriber, now),
            browser_url=f"{self.context.public_url}{archive_path(self.week, self.correction)}",
        )

    @property
    def _return_address(self) -> str:
        return self.bounce_address or parse_mailbox(self.context.publication.sender).address

    def _envelope_sender(self, delivery_id: int) -> str:
        """Return the address that a bounce of a delivery goes to, which names it (VERP)."""
        if not self.bounce_address:
            return self._return_address
        local, _, domain = self.bounce_address.partition("@")
        return f"{local}+d{delivery_token(delivery_id, self.context.keys['delivery'])}@{domain}"


def archive_path(week: str, correction: int = 0) -> str:
    """Return the path of the public page of an edition or a correction.

    >>> archive_path("2026-W07"), archive_path("2026-W07", 1)
    ('/archive/2026-W07', '/archive/2026-W07/corrections/1')
    """
    return f"/archive/{week}" + (f"/corrections/{correction}" if correction else "")


def list_identity(context: AudienceContext, week: str) -> ListIdentity:
    """Return the identity of the newsletter in headers: the same for all its editions but the Feedback-ID."""
    name = re.sub(r"[^a-z0-9]+", "-", context.publication.name.lower()).strip("-")[:60] or "newsletter"
    domain = parse_mailbox(context.publication.sender).domain
    return ListIdentity(
        home_url=context.publication.url, id=f"{name}.{domain}", feedback_id=f"{week}:newsletter:{domain}"
    )
