"""The moves of an edition: which there are, and what is said of those there are not."""

from typing import get_args

import pytest

from pipeline.model.digest import EditionState
from pipeline.model.edition import TRANSITIONS, EditionRecord, Transition, refusal

PICTURE = """
draft    approve hold skip
approved approve hold skip send hand-over
held     resume skip
sending  send
sent
skipped
"""
"""From each state, what may be done: the drawing of the decision record, in words."""
MAY = {
    words.split()[0]: {move.replace("-", " ") for move in words.split()[1:]} for words in PICTURE.strip().splitlines()
}


@pytest.mark.parametrize("state", get_args(EditionState))
@pytest.mark.parametrize("move", get_args(Transition))
def test_only_these_moves_are_made(move: Transition, state: EditionState) -> None:
    """A move is made from exactly the states the picture shows; every other is refused in a sentence with a way out."""
    reason = refusal(move, EditionRecord(week="2026-W07", state=state))
    assert (reason == "") == (move in MAY[state])
    assert reason == "" or (reason.startswith("2026-W07 ") and reason.endswith("."))
    assert (state in TRANSITIONS[move]) == (move in MAY[state])


@pytest.mark.parametrize(
    ("move", "state", "way_out"),
    [
        ("send", "draft", "pipeline approve 2026-W07"),
        ("send", "held", "pipeline resume 2026-W07"),
        ("approve", "sending", "pipeline send 2026-W07"),
        ("hold", "sent", "the next edition"),
        ("resume", "skipped", "carried over to the next digest"),
        ("resume", "approved", "nothing to resume"),
    ],
)
def test_a_refusal_says_what_to_do(move: Transition, state: EditionState, way_out: str) -> None:
    """Whoever is refused reads what leads on."""
    assert way_out in refusal(move, EditionRecord(week="2026-W07", state=state))
