"""Everything that is stored about a person: to show, to hand to the person, and as a consent receipt."""

from __future__ import annotations

from datetime import datetime

from pipeline.audience.addresses import address_key, normalise_address
from pipeline.audience.person_data import GivenGuide, LogLine, PersonData
from pipeline.audience.receipt import receipt, receipt_html, receipt_text
from pipeline.jobs.audience.context import AudienceContext
from pipeline.model.errors import UsageError


def load_person(context: AudienceContext, address: str) -> PersonData:
    """Return all that is stored about the person with an address; UsageError if that is nothing."""
    address, store = normalise_address(address), context.store
    hashed, subscriber = context.address_hash(address), store.subscribers.find(address_key(address))
    suppression = store.suppressions.get(hashed)
    if subscriber is None and suppression is None:
        raise UsageError(f"{address} is not a subscriber, and nothing is stored about it.")
    log = tuple(
        LogLine(at=at, actor=actor, action=action, details=details)
        for at, actor, action, details in store.subscription_events.logged(address_hash=hashed)
    )
    if subscriber is None:
        return PersonData(address=address, suppression=suppression, log=log)
    guides = store.person_mails.guides_of(subscriber.id)
    return PersonData(
        address=subscriber.address,
        subscriber=subscriber,
        suppression=suppression,
        history=tuple(store.subscription_events.of_subscriber(subscriber.id)),
        guides=tuple(GivenGuide(form=form, version=version, given_at=at) for form, version, at in guides),
        mails=tuple(store.person_mails.of_subscriber(subscriber.id)),
        editions=tuple(store.deliveries.of_subscriber(subscriber.id)),
        returned=tuple(store.delivery_events.of_subscriber(subscriber.id)),
        log=log,
    )


def export_person(context: AudienceContext, address: str, *, actor: str, now: datetime) -> PersonData:
    """Return all that is stored about a person, and log that it was handed out (GDPR, article 15)."""
    data = load_person(context, address)
    hashed = context.address_hash(data.address)
    context.store.subscription_events.log("export-person", actor=actor, at=now, address_hash=hashed)
    return data


def receipt_document(context: AudienceContext, address: str, *, as_html: bool, now: datetime) -> str:
    """Return the consent receipt of a subscriber, as HTML or plain text; UsageError if there is no subscriber."""
    data = load_person(context, address)
    if data.subscriber is None:
        raise UsageError(f"{data.address} is not a subscriber: only its suppression is stored.")
    sections = receipt(data, context.publication, now)
    return receipt_html(sections) if as_html else receipt_text(sections)
