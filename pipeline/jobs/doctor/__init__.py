"""The doctor: looks at everything a publication stands on, and says how to mend what is not well.

In: examinations, each a group of its own. Out: Signs, as each is found. One that fails is a sign itself and never stops
the others. Kinds do not know each other: one file each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.model.errors import PipelineError
from pipeline.model.health import HealthResult, health_result_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """One thing to look at."""

    category: str
    """What its signs are called together: ``store``, ``disk`` …"""
    run: Callable[[], Iterable[HealthResult]]


def run_checks(checks: Iterable[DoctorCheck]) -> Iterator[HealthResult]:
    """Look at everything, one after the other."""
    for each in checks:
        try:
            yield from each.run()
        except PipelineError as trouble:
            yield health_result_of(str(trouble), category=each.category, name=each.category, level="trouble")
        except Exception as bug:
            finding = f"could not be looked at ({type(bug).__name__}: {bug})"
            mend = "this is a bug of the program: report it"
            yield HealthResult(category=each.category, name=each.category, level="trouble", message=finding, fix=mend)
