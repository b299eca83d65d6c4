"""The moves of an edition's life, and what to say once they are made.

In: a publisher, a way out, a week, a move. Out: a sentence. Refused and delivery errors pass through, in the words of
the command line.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import parseaddr

from pipeline.jobs.editions.send import send, send_test
from pipeline.jobs.editions.workflow import EditionWorkflow
from pipeline.jobs.ports import Backend, Mailer
from pipeline.model.errors import UsageError
from pipeline.model.week import Week
from pipeline.web.desk.ports import Action, ActionOptions


def perform_action(
    workflow: EditionWorkflow,
    backend: Backend,
    mailer: Mailer,
    week: Week,
    action: Action,
    options: ActionOptions,
    *,
    now: datetime,
) -> str:
    """Make a move and say what came of it."""
    match action:
        case "approve":
            standing = workflow.approve(week, now=now, content_hash=options.content_hash, overridden=options.overridden)
            return f"Approved as No. {standing.number}: these are the bytes that will be sent."
        case "hold":
            workflow.hold(week, now=now)
            return "Held. Its entries roll on into the next digest that is made."
        case "resume":
            approved = workflow.resume(week, now=now).state == "approved"
            return "Approved again, as it was." if approved else "A draft again, with the entries that are still free."
        case "skip":
            workflow.skip(week, now=now)
            return "Skipped. Its entries roll on into the next digest that is made."
        case "send":
            standing, path = send(workflow, backend, week, now=now)
            return f"Sent: No. {standing.number} lies in {path.parent.name}/{path.name}."
        case "test":
            address = _address(options.test_address)
            copy = send_test(workflow, mailer, week, address, now=now)
            return f"A copy for {address} {f'lies in {copy.parent.name}/{copy.name}' if copy else 'was sent'}."


def _address(words: str) -> str:
    address = parseaddr(words)[1]
    if "@" not in address.strip("@") or " " in address:
        raise UsageError("Write an address such as you@example.org: that is where the test mail goes.")
    return address
