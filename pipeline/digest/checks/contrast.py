"""Check of colours: every text can be read, in light and in dark.

In: a Proof. Out: Checks. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.digest.checks.cascade import Scheme, painted
from pipeline.digest.checks.proof import THEME, Proof
from pipeline.digest.palette import contrast
from pipeline.model.check import Check

LEAST = 4.5
"""WCAG 2.2, 1.4.3."""
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_WORDS_QUOTED = 40


def contrast_ratio(proof: Proof) -> Iterator[Check]:
    """Text differs from its background by 4.5 : 1 or more; each pair of colours is named once."""
    for scheme in _SCHEMES:
        seen: set[tuple[str, str]] = set()
        for words, colour, background in painted(proof.mail, scheme):
            if (colour, background) in seen:
                continue
            seen.add((colour, background))
            if (ratio := contrast(colour, background)) < LEAST:
                quoted = words if len(words) <= _WORDS_QUOTED else f"{words[:_WORDS_QUOTED]}…"
                message = (
                    f"Make “{quoted}” easier to read in the {scheme} scheme: {colour} on {background} has a contrast "
                    f"of {ratio:.1f} : 1, and {LEAST} is the least."
                )
                yield THEME.check("contrast", "error", message)
