"""A publication with people for tests: an audience context on a store, and sign-ups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.audience.addresses import address_key, normalise_address
from pipeline.audience.tokens import PURPOSES
from pipeline.jobs.audience.context import AudienceContext, SignupRules
from pipeline.jobs.audience.sign_up import SignUp, SignUpRequest
from pipeline.model.digest import Publication
from pipeline.model.subscriber import PersonMail, SignupForm, Subscriber, Visitor
from pipeline.store import Store

NOW = datetime(2026, 2, 16, 9, 30, tzinfo=UTC)
WORDING = "Yes, send me the weekly letter from the harbour."
NEWSLETTER = SignupForm(id="newsletter", title="The harbour by mail", wording=WORDING)
GUIDE = SignupForm(id="tides", title="A guide to tides", wording=f"{WORDING} And the guide.", guide="tides.txt")
RULES = SignupRules(
    keep_unconfirmed=timedelta(days=7),
    max_per_network=1_000,
    max_per_form=1_000,
    min_seconds=0,
    challenge="never",
    allow_disposable=False,
    allow_role=True,
    best_of_after=None,
)


def audience(store: Store, folder: Path = Path(), **changes: Any) -> AudienceContext:
    """Return a context with two forms; ``changes`` replace its fields."""
    values: dict[str, Any] = {
        "store": store,
        "publication": Publication(
            name="Harbour & Hearth",
            url="https://harbour.example/",
            timezone="Europe/London",
            language="en-GB",
            sender="Harbour <post@harbour.example>",
            editor="editor@harbour.example",
            postal_address="3 Net Loft Lane",
        ),
        "forms": {form.id: form for form in (NEWSLETTER, GUIDE)},
        "rules": RULES,
        "public_url": "https://news.harbour.example",
        "folder": folder,
        "keys": {purpose: f"key of {purpose}" for purpose in (*PURPOSES, "suppression", "challenge", "delivery")},
    }
    return AudienceContext(**values | changes)


def sign_up(context: AudienceContext, address: str, *, now: datetime = NOW, **more: Any) -> Subscriber:
    """Sign up with an address, and return the subscriber."""
    visitor = Visitor(ip_address="203.0.113.7", user_agent="Test/1", page="https://harbour.example/join")
    values = {"form": "newsletter", "address": address, "has_consented": True, "visitor": visitor}
    request, signs_up = SignUpRequest(**values | more), SignUp(context)
    signs_up.store(request, signs_up.check(request), now)
    return subscriber(context, address)


def subscriber(context: AudienceContext, address: str) -> Subscriber:
    """Return the subscriber with an address, who must be stored."""
    stored = context.store.subscribers.find(address_key(normalise_address(address)))
    assert stored is not None
    return stored


def queued(context: AudienceContext, now: datetime = NOW) -> list[PersonMail]:
    """Return the mails that are due, and take them off the queue."""
    mails = context.store.person_mails.claim_due(now)
    for mail in mails:
        context.store.person_mails.mark_sent(mail, now)
    return mails
