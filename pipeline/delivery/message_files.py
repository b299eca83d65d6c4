"""Messages as files: names that recognise a message which is written again, and writing that survives a crash."""

from __future__ import annotations

import os
import re
from email.parser import BytesHeaderParser
from pathlib import Path

from pipeline.model.errors import DeliveryFailedError


def file_name(message: bytes) -> str:
    """Return a file name made from a message's Message-ID.

    >>> file_name(b"Subject: x\\r\\nMessage-ID: <2026-W07.1@h.example>\\r\\n\\r\\nHello")
    '2026-W07.1@h.example'
    """
    message_id = str(BytesHeaderParser().parsebytes(message)["Message-ID"] or "")
    name = re.sub(r"[^A-Za-z0-9.@_+-]", "_", message_id.strip().strip("<>")).lstrip(".")
    if not name:
        raise DeliveryFailedError(
            "The message has no Message-ID, so a second copy could not be recognised: report this."
        )
    return name[:200]


def write_durably(path: Path, message: bytes) -> None:
    """Write a file and flush it to disk."""
    with path.open("wb") as file:
        file.write(message)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a renamed file's name to disk, where a folder can be opened for that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
