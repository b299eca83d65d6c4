"""An edition leaves the house: sent through a backend, handed over to another service, or tried on oneself.

In: a publisher, a backend, a week, the moment. Out: where the edition stands, and where the mail lies.

A send is two transactions with the delivery between them: ``sending`` says that something may be out, ``sent`` that it
is. Whoever dies in between is finished by the next ``send``; the backend sees to it that no second mail comes of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pipeline.delivery.envelope import addressed_to
from pipeline.jobs.editions import Publisher
from pipeline.jobs.gather import choose
from pipeline.jobs.weekly import show
from pipeline.model.edition import Sealed, Standing
from pipeline.model.errors import DeliveryFailed, Refused
from pipeline.model.week import Week


class Backend(Protocol):
    """A way out."""

    name: str

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes from delivering until done."""
        ...

    def deliver(self, message: bytes) -> Path:
        """Deliver a message once, however often it is asked to; DeliveryFailed when nothing has left."""
        ...


class Postman(Protocol):
    """Takes single mails to people: proofs, test copies, notices."""

    name: str

    def post(self, message: bytes, address: str) -> Path | None:
        """Bring a mail (RFC 5322) to one address; gives its file, where it became one.

        DeliveryFailed when nothing has left, DeliveryUncertain when nobody knows; both say what to do.
        """
        ...


def send(publisher: Publisher, backend: Backend, week: Week, *, now: datetime) -> tuple[Standing, Path]:
    """Deliver a week's sealed bytes and mark the edition as sent; finish what was begun and interrupted.

    DeliveryFailed: the edition is held, and its entries are free. DeliveryUncertain: it stays where it is, ``sending``.
    """
    with backend.alone():
        seen = publisher.standing(week, "send")
        sealed = _sealed(publisher, week)
        if seen.state == "approved":
            _refuse_to_repeat(publisher, sealed, week, now)
            seen = publisher.store.editions.move(seen, "sending", now=now, by=publisher.by)
        try:
            path = backend.deliver(sealed.edition.eml)
        except DeliveryFailed as trouble:
            _hold(publisher, seen, trouble, now)
            raise
        remark = f"by {backend.name}"
        return publisher.store.editions.move(seen, "sent", now=now, by=publisher.by, remark=remark), path


def hand_over(publisher: Publisher, week: Week, *, now: datetime) -> Standing:
    """Mark an approved edition as published by other means; its entries count as carried."""
    seen = publisher.standing(week, "hand over")
    _refuse_to_repeat(publisher, _sealed(publisher, week), week, now)
    return publisher.store.editions.move(seen, "sent", now=now, by=publisher.by, remark="handed over")


def send_test(publisher: Publisher, postman: Postman, week: Week, address: str, *, now: datetime) -> Path | None:
    """Send the sealed bytes, or those of the draft, to one address, marked as a test; gives their file, if any.

    Nothing else changes.
    """
    message = addressed_to(show(publisher.store, publisher.press, week, now=now).eml, address, now=now)
    return postman.post(message, address)


def _sealed(publisher: Publisher, week: Week) -> Sealed:
    sealed = publisher.store.editions.sealed(str(week))
    if sealed is None:
        raise Refused(f"{week} is not sealed: run `pipeline approve {week}`.")
    return sealed


def _refuse_to_repeat(publisher: Publisher, sealed: Sealed, week: Week, now: datetime) -> None:
    """Stop where a story has meanwhile turned out to be one that another edition carried."""
    selection = choose(publisher.store, publisher.press, week, now=now)
    titles = {each.entry_id: each.title for each in selection.decisions}
    for entry_id in sealed.entry_ids:
        other = publisher.store.editions.standing(selection.told.get(entry_id, ""))
        if other.state in ("sending", "sent"):
            raise Refused(
                f"“{titles[entry_id]}” turned out to be a story that No. {other.number} ({other.week}) has told: "
                f"run `pipeline approve {week}` again, which leaves it out."
            )


def _hold(publisher: Publisher, seen: Standing, trouble: DeliveryFailed, now: datetime) -> None:
    remark = f"sending failed: {trouble}"
    publisher.store.editions.give_up(seen, "held", (), now=now, by=publisher.by, remark=remark)
