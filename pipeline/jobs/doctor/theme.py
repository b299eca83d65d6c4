"""Templates: whether the theme compiles that editions are made with.

In: a way to compile a theme. Out: Signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipeline.model.errors import TemplateError
from pipeline.model.health import Sign


def theme(name: str, compile_all: Callable[[], int]) -> Iterator[Sign]:
    """Compile a theme with all its parts, and say which template is in the way."""
    try:
        count = compile_all()
    except TemplateError as trouble:
        where = f"{trouble.file}, line {trouble.line}" if trouble.line else trouble.file
        mend = f"mend {where}, or choose another theme in [digest] theme" if where else "choose another theme"
        finding = str(trouble).rstrip(".")
        yield Sign(group="templates", name=name, level="trouble", finding=finding, mend=mend)
    else:
        yield Sign(group="templates", name=name, level="well", finding=f"compiles, all {count} templates")
