"""Storage in SQLAlchemy Core: a ``Store`` handle with one repository for each subject.

Other packages need only ``from pipeline.store import Store``. SQLAlchemy is imported with the first ``Store``, not with
this package: a command that stores nothing should not pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.store.store import Store

__all__ = ["Store"]


def __getattr__(name: str) -> object:
    if name != "Store":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pipeline.store.store import Store

    return Store
