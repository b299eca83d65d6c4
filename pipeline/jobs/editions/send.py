"""An edition leaves the house: sent through a backend, handed over to another service, or tried on oneself.

In: a publisher, a backend, a week, the moment. Out: where the edition stands, and where the mail lies.

A send is two transactions with the delivery between them: ``sending`` says that something may be out, ``sent`` that it
is. Whoever dies in between is finished by the next ``send``; the backend sees to it that no second mail comes of it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipeline.delivery.mime import make_test_copy
from pipeline.jobs.digests.build import current_edition
from pipeline.jobs.digests.selection import select_entries
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.ports import Backend, Mailer
from pipeline.model.edition import EditionRecord, SealedEdition
from pipeline.model.errors import DeliveryFailedError, RefusedError
from pipeline.model.week import Week


def send(workflow: EditionWorkflow, backend: Backend, week: Week, *, now: datetime) -> tuple[EditionRecord, Path]:
    """Deliver a week's sealed bytes and mark the edition as sent; finish what was begun and interrupted.

    DeliveryFailed: the edition is held, and its entries are free. DeliveryUncertain: it stays where it is, ``sending``.
    """
    with backend.lock():
        seen = workflow.require(week, "send")
        sealed = _sealed(workflow, week)
        if seen.state == "approved":
            _refuse_to_repeat(workflow, sealed, week, now)
            seen = workflow.store.editions.change_state(seen, "sending", now=now, actor=workflow.actor)
        try:
            path = backend.deliver(sealed.edition.eml)
        except DeliveryFailedError as trouble:
            _hold(workflow, seen, trouble, now)
            raise
        remark = f"by {backend.name}"
        return workflow.store.editions.change_state(seen, "sent", now=now, actor=workflow.actor, note=remark), path


def mark_sent_elsewhere(workflow: EditionWorkflow, week: Week, *, now: datetime) -> EditionRecord:
    """Mark an approved edition as published by other means; its entries count as carried."""
    seen = workflow.require(week, "hand over")
    _refuse_to_repeat(workflow, _sealed(workflow, week), week, now)
    return workflow.store.editions.change_state(seen, "sent", now=now, actor=workflow.actor, note="handed over")


def send_test(workflow: EditionWorkflow, mailer: Mailer, week: Week, address: str, *, now: datetime) -> Path | None:
    """Send the sealed bytes, or those of the draft, to one address, marked as a test; gives their file, if any.

    Nothing else changes.
    """
    message = make_test_copy(current_edition(workflow.store, workflow.context, week, now=now).eml, address, now=now)
    return mailer.send(message, address)


def _sealed(publisher: EditionWorkflow, week: Week) -> SealedEdition:
    sealed = publisher.store.editions.sealed(str(week))
    if sealed is None:
        raise RefusedError(f"{week} is not sealed: run `pipeline approve {week}`.")
    return sealed


def _refuse_to_repeat(publisher: EditionWorkflow, sealed: SealedEdition, week: Week, now: datetime) -> None:
    """Stop where a story has meanwhile turned out to be one that another edition carried."""
    selection = select_entries(publisher.store, publisher.context, week, now=now)
    titles = {each.entry_id: each.title for each in selection.decisions}
    for entry_id in sealed.entry_ids:
        other = publisher.store.editions.get(selection.published_elsewhere.get(entry_id, ""))
        if other.state in ("sending", "sent"):
            raise RefusedError(
                f"“{titles[entry_id]}” turned out to be a story that No. {other.number} ({other.week}) has told: "
                f"run `pipeline approve {week}` again, which leaves it out."
            )


def _hold(publisher: EditionWorkflow, seen: EditionRecord, trouble: DeliveryFailedError, now: datetime) -> None:
    remark = f"sending failed: {trouble}"
    publisher.store.editions.release(seen, "held", (), now=now, actor=publisher.actor, note=remark)
