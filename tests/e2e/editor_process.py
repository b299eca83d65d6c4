"""An editor in a process of their own, who saves a subject for each line of stdin and prints the result."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.model.errors import ConflictError
from pipeline.web.desk.publication import LivePublication
from pipeline.web.desk.services import create_desk

NOW = datetime(2026, 2, 17, 9, tzinfo=UTC)
WEEK = "2026-W07"


def main() -> None:
    """Handle lines until stdin is closed."""
    with LivePublication(Path(sys.argv[1]) / "config.toml", lambda: NOW) as publication:
        editor = create_desk(publication).editor
        editor.state(WEEK)
        print("ready", flush=True)
        for line in sys.stdin:
            version, _, subject = line.strip().partition("=")
            try:
                editor.save(WEEK, lambda old, subject=subject: replace(old, subject=subject), version)  # type: ignore[misc]
            except ConflictError:
                print("conflict", flush=True)
            else:
                print("saved", flush=True)


if __name__ == "__main__":
    main()
