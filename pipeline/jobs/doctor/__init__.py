"""Doctor checks: one function each, which yields what it found and how to fix it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.model.errors import PipelineError
from pipeline.model.health import HealthResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """A check with its arguments filled in."""

    category: str
    """The heading of its results, for example ``store`` or ``disk``."""
    run: Callable[[], Iterable[HealthResult]]


def run_checks(checks: Iterable[DoctorCheck]) -> Iterator[HealthResult]:
    """Run checks in order and yield their results. A check that fails yields an error and does not stop the others."""
    for check in checks:
        try:
            yield from check.run()
        except PipelineError as error:
            message = str(error).rstrip(".")
            yield HealthResult(category=check.category, name=check.category, level="error", message=message)
        except Exception as error:
            message = f"could not be checked ({type(error).__name__}: {error})"
            fix = "report this bug of the program"
            yield HealthResult(category=check.category, name=check.category, level="error", message=message, fix=fix)
