"""Transitions of an edition: which are allowed, and how the others are refused."""

from typing import get_args

import pytest

from pipeline.model.digest import EditionState
from pipeline.model.edition import TRANSITIONS, EditionRecord, Transition, refusal

ALLOWED = """
draft    approve hold skip
approved approve hold skip send hand-over
held     resume skip
sending  send
sent
skipped  resume
"""
"""The transitions allowed from each state."""
TRANSITIONS_FROM = {
    words.split()[0]: {transition.replace("-", " ") for transition in words.split()[1:]}
    for words in ALLOWED.strip().splitlines()
}


@pytest.mark.parametrize("state", get_args(EditionState))
@pytest.mark.parametrize("transition", get_args(Transition))
def test_only_these_transitions_are_allowed(transition: Transition, state: EditionState) -> None:
    """Every other transition is refused with a sentence that says what to do."""
    reason = refusal(transition, EditionRecord(week="2026-W07", state=state))
    assert (reason == "") == (transition in TRANSITIONS_FROM[state])
    assert reason == "" or (reason.startswith("2026-W07 ") and reason.endswith("."))
    assert (state in TRANSITIONS[transition]) == (transition in TRANSITIONS_FROM[state])


@pytest.mark.parametrize(
    ("transition", "state", "advice"),
    [
        ("send", "draft", "pipeline approve 2026-W07"),
        ("send", "held", "pipeline resume 2026-W07"),
        ("approve", "sending", "pipeline send 2026-W07"),
        ("hold", "sent", "pipeline correct 2026-W07"),
        ("approve", "skipped", "pipeline resume 2026-W07"),
        ("resume", "approved", "nothing to resume"),
    ],
)
def test_a_refusal_says_what_to_do(transition: Transition, state: EditionState, advice: str) -> None:
    """The sentence names the command to run, or the reason why nothing can be done."""
    assert advice in refusal(transition, EditionRecord(week="2026-W07", state=state))
