"""The outbox: mails as files, for the editor to look at or for another program to send.

In: whole messages (RFC 5322). Out: ``NON_EMPTY.eml`` in a folder, and the same message in a Maildir beside it, for mail
programs. Touches that folder alone. The name comes from the Message-ID, so whatever is delivered again after a crash is
found to be there, and no second mail comes of it.

A Maildir is written without locks (https://cr.yp.to/proto/maildir.html): the message is complete in ``tmp`` before its
name appears in ``new``. That is the moment it is out; the ``.eml`` is renamed after it and serves as the receipt.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesHeaderParser
from pathlib import Path

from pipeline.model.errors import DeliveryFailedError, DeliveryUncertainError


class Outbox:
    """A folder of mails. ``name`` is what config and status call this way out."""

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._maildir = folder / "Maildir"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out of the folder until done; a process that dies lets go of it."""
        try:
            for folder in ("tmp", "new", "cur"):
                (self._maildir / folder).mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("wb")
        except OSError as trouble:
            raise self._failed(trouble) from trouble
        with lock:
            _lock(lock.fileno())
            yield

    def deliver(self, message: bytes) -> Path:
        """Put a message into the Maildir and beside it; gives the path of the file beside it.

        DeliveryFailed: nothing has left, and it may be tried again. DeliveryUncertain: something may have, and trying
        again finishes it. Another message of the same name is never overwritten.
        """
        name = file_name(message)
        receipt = self.folder / f"{name}.eml"
        if receipt.exists():
            return self._delivered_before(receipt, message)
        out = self._in_maildir(name)
        try:
            _write(self.folder / f".{name}.new", message)
            if not out:
                _write(self._maildir / "tmp" / name, message)
                os.rename(self._maildir / "tmp" / name, self._maildir / "new" / name)
        except OSError as trouble:
            raise (self._uncertain(trouble) if out else self._failed(trouble)) from trouble
        try:
            _sync(self._maildir / "new")
            os.rename(self.folder / f".{name}.new", receipt)
            _sync(self.folder)
        except OSError as trouble:
            raise self._uncertain(trouble) from trouble
        return receipt

    def send(self, message: bytes, address: str) -> Path | None:
        """Put a mail for one person here; gives the path of its file. The address stands in the mail itself."""
        with self.lock():
            return self.deliver(message)

    def _in_maildir(self, name: str) -> bool:
        """Look for a message that a crash kept from its receipt; once read it lies in ``cur``, flags in its name."""
        return (self._maildir / "new" / name).exists() or any((self._maildir / "cur").glob(f"{name}*"))

    def _delivered_before(self, receipt: Path, message: bytes) -> Path:
        if receipt.read_bytes() != message:
            raise DeliveryFailedError(f"{receipt} is another mail of the same name: move it away, then send again.")
        return receipt

    def _failed(self, trouble: OSError) -> DeliveryFailedError:
        return DeliveryFailedError(f"{self.folder} cannot be written ({trouble.strerror}): mend that, then send again.")

    def _uncertain(self, trouble: OSError) -> DeliveryUncertainError:
        return DeliveryUncertainError(
            f"The mail may be out, but {self.folder} is in trouble ({trouble.strerror}): send again."
        )


def file_name(message: bytes) -> str:
    """Make a file's name of a message's Message-ID.

    >>> name_of(b"Subject: x\\r\\nMessage-ID: <2026-W07.1@h.example>\\r\\n\\r\\nHello")
    '2026-W07.1@h.example'
    """
    said = str(BytesHeaderParser().parsebytes(message)["Message-ID"] or "")
    name = re.sub(r"[^A-Za-z0-9.@_+-]", "_", said.strip().strip("<>")).lstrip(".")
    if not name:
        raise DeliveryFailedError("The mail has no Message-ID, so nobody could tell whether it was sent: report this.")
    return name[:200]


def _write(path: Path, message: bytes) -> None:
    """Write a file and see it onto the disk."""
    with path.open("wb") as file:
        file.write(message)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """See a renamed file's name onto the disk, where a folder can be opened for that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _lock(handle: int) -> None:
    if os.name == "posix":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
