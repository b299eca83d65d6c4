"""An editor in a process of their own: saves a subject each time somebody says a version, and says what came of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.model.errors import ConflictError
from pipeline.web.desk.services import PublicationDesk

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
WEEK = "2026-W07"


def main() -> None:
    """Read lines ``version=subject`` until there are no more."""
    with PublicationDesk(Path(sys.argv[1]) / "config.toml", lambda: NOW) as desk:
        desk.editor_state(WEEK)
        print("ready", flush=True)
        for line in sys.stdin:
            version, _, subject = line.strip().partition("=")
            try:
                desk.save(WEEK, lambda asked, subject=subject: replace(asked, subject=subject), version)  # type: ignore[misc]
            except ConflictError:
                print("overtaken", flush=True)
            else:
                print("saved", flush=True)


if __name__ == "__main__":
    main()
