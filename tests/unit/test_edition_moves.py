"""The moves of an edition: which there are, and what is said of those there are not."""

from typing import get_args

import pytest

from pipeline.model.digest import State
from pipeline.model.edition import ALLOWED, Move, Standing, why_not

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


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("move", get_args(Move))
def test_only_these_moves_are_made(move: Move, state: State) -> None:
    """A move is made from exactly the states the picture shows; every other is refused in a sentence with a way out."""
    refusal = why_not(move, Standing(week="2026-W07", state=state))
    assert (refusal == "") == (move in MAY[state])
    assert refusal == "" or (refusal.startswith("2026-W07 ") and refusal.endswith("."))
    assert (state in ALLOWED[move]) == (move in MAY[state])


@pytest.mark.parametrize(
    ("move", "state", "way_out"),
    [
        ("send", "draft", "pipeline approve 2026-W07"),
        ("send", "held", "pipeline resume 2026-W07"),
        ("approve", "sending", "pipeline send 2026-W07"),
        ("hold", "sent", "the next edition"),
        ("resume", "skipped", "rolled on into the next digest"),
        ("resume", "approved", "nothing to resume"),
    ],
)
def test_a_refusal_says_what_to_do(move: Move, state: State, way_out: str) -> None:
    """Whoever is refused reads what leads on."""
    assert way_out in why_not(move, Standing(week="2026-W07", state=state))
