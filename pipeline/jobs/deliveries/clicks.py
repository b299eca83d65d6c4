"""Count clicks on the links of editions: how many, never whose.

A click counts when it has waited for ``WINDOW`` and its client has not followed the canary meanwhile, or before. Until
then the client is known by a hash of its network and browser, keyed with a secret that is replaced every day.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from pipeline.audience.addresses import network_of
from pipeline.model.counted_link import CountedLink
from pipeline.model.schedule import Every
from pipeline.model.subscriber import Visitor
from pipeline.scheduler.engine import Done, Task
from pipeline.store import Store
from pipeline.text.format import pluralize

WINDOW = timedelta(minutes=10)
"""A scanner follows all links of a message within this time."""


def record_click(store: Store, week: str, link: CountedLink, visitor: Visitor, now: datetime) -> None:
    """Record that a client followed a link of an edition; another click of it on the same link counts as one."""
    client = client_hash(visitor, store.clicks.key(now, token_urlsafe(32)))
    store.clicks.record(client, week, link, now, window=WINDOW)


def client_hash(visitor: Visitor, key: str) -> str:
    """Return the hash of a client. Scanners share networks, so it is that of the network, not of the IP address.

    >>> clients = Visitor(ip_address="192.0.2.4", user_agent="a"), Visitor(ip_address="192.0.2.99", user_agent="a")
    >>> len({client_hash(client, "key") for client in clients}), len({client_hash(clients[0], key) for key in "ab"})
    (1, 2)
    """
    client = f"{network_of(visitor.ip_address)} {visitor.user_agent}"
    return hmac.new(key.encode(), client.encode("utf-8", "replace"), sha256).hexdigest()[:32]


def settle_clicks(store: Store, now: datetime) -> int:
    """Count the clicks that have waited long enough, leave out those of scanners; return how many were counted."""
    return store.clicks.settle(now, window=WINDOW)


def clicks_task(store: Store) -> Task:
    """Return the task that counts clicks."""

    def run(period: str, now: datetime) -> Done:
        counted = settle_clicks(store, now)
        return Done(message=f"{pluralize(counted, 'click')} counted" if counted else "")

    return Task(id="clicks", schedule=Every(WINDOW), run=run)
