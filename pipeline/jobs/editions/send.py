"""Send an edition: through a backend, to one address as a test, or mark it as sent elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline.delivery.mime import make_test_copy
from pipeline.jobs.digests.build import current_edition, write_sealed
from pipeline.jobs.digests.selection import select_entries
from pipeline.jobs.editions.recovery import Recovery
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.ports import Backend, Mailer
from pipeline.model.digest import Edition
from pipeline.model.edition import RECOVERY_ACTOR, EditionRecord, SealedEdition
from pipeline.model.errors import AlreadyDeliveredError, DeliveryFailedError, DeliveryUncertainError, RefusedError
from pipeline.model.week import Week


def send(workflow: EditionWorkflow, recovery: Recovery, week: Week, *, now: datetime) -> tuple[EditionRecord, Path]:
    """Deliver a week's sealed bytes, mark the edition as sent, and return its record and where it was delivered.

    Editions that ``recovery`` finds to be sent, although the store does not know it, are recorded before. The edition's
    files are written before it is delivered: they prove what was sent if the store is lost.

    Two transactions surround the delivery: ``sending`` means that something may have left, ``sent`` that it has. An
    interrupted send is finished by the next call, and the backend makes sure that no second message results from it.

    If nothing was delivered, the edition is held, its entries are released and DeliveryFailedError is raised. After
    DeliveryUncertainError the edition stays in state ``sending``. After AlreadyDeliveredError it is held and keeps its
    entries, since another edition of the week was sent.
    """
    editions, backend = workflow.store.editions, recovery.backend
    with backend.lock():
        recovery.from_files(workflow.store, now=now)
        record = workflow.require(week, "send")
        sealed = require_sealed(workflow, week)
        if record.state == "approved":
            require_unpublished(workflow, sealed, week, now)
            write_sealed(workflow.store, workflow.context, week, recovery.editions_folder, now=now)
            record = editions.change_state(record, "sending", now=now, actor=workflow.actor)
        try:
            path = deliver_all(backend, sealed.edition)
        except DeliveryFailedError as error:
            editions.release(record, "held", (), now=now, actor=workflow.actor, note=f"sending failed: {error}")
            raise
        except AlreadyDeliveredError as error:
            editions.change_state(record, "held", now=now, actor=RECOVERY_ACTOR, note=str(error).rstrip("."))
            raise
        return editions.change_state(record, "sent", now=now, actor=workflow.actor, note=backend.outcome), path


def deliver_all(backend: Backend, edition: Edition) -> Path:
    """Deliver an edition and its variants, and return where the edition was written.

    DeliveryUncertainError if it was delivered itself, and a variant was not.
    """
    path = backend.deliver(edition.eml)
    for variant in edition.variants:
        try:
            backend.deliver(variant.eml)
        except DeliveryFailedError as error:
            message = f"The edition was sent, but not yet its variant “{variant.name}”: {error}"
            raise DeliveryUncertainError(message) from error
    return path


def mark_sent_elsewhere(workflow: EditionWorkflow, week: Week, *, now: datetime) -> EditionRecord:
    """Mark an approved edition as sent by other means, so that its entries count as published.

    An edition of which only a person knows that it was sent is recorded with the entries of its week.
    """
    record = workflow.require(week, "hand over")
    if record.is_unconfirmed:
        return workflow.confirm_sent(record, now=now)
    require_unpublished(workflow, require_sealed(workflow, week), week, now)
    return workflow.store.editions.change_state(record, "sent", now=now, actor=workflow.actor, note="handed over")


def send_test(workflow: EditionWorkflow, mailer: Mailer, week: Week, address: str, *, now: datetime) -> Path | None:
    """Send a week's current edition to one address, marked as a test; return the file it was written to, if any.

    Nothing is recorded. The links of a draft are the real ones: those that are counted lead on once it is sealed.
    """
    context = replace(workflow.context, counting_url="")
    edition = current_edition(workflow.store, context, week, now=now)
    return mailer.send(make_test_copy(edition.eml, address, now=now), address)


def require_sealed(workflow: EditionWorkflow, week: Week) -> SealedEdition:
    """Return a week's sealed edition; RefusedError if there is none."""
    sealed = workflow.store.editions.sealed(str(week))
    if sealed is None:
        raise RefusedError(f"{week} is not sealed: run `pipeline approve {week}`.")
    return sealed


def require_unpublished(workflow: EditionWorkflow, sealed: SealedEdition, week: Week, now: datetime) -> None:
    """Raise RefusedError if entries of the edition turned out to belong to a story that was already published."""
    selection = select_entries(workflow.store, workflow.context, week, now=now)
    titles = {decision.entry_id: decision.title for decision in selection.decisions}
    for entry_id in sealed.entry_ids:
        other = workflow.store.editions.get(selection.published_elsewhere.get(entry_id, ""))
        if other.state in ("sending", "sent"):
            raise RefusedError(
                f"“{titles[entry_id]}” was already published in Issue {other.number} ({other.week}): "
                f"run `pipeline approve {week}` again to leave it out."
            )
