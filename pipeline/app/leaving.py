"""What takes editions out of the house: the backends.

In: a house that makes editions. Out: a Backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.app.making import Making

if TYPE_CHECKING:
    from pipeline.jobs.send import Backend


class Leaving(Making):
    """A house that can send what it made."""

    @property
    def backend(self) -> Backend:
        """The way out of the house."""
        from pipeline.delivery.outbox import Outbox

        return Outbox(self.folder / self.config.delivery.outbox)
