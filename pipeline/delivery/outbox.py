"""The outbox backend: messages as files in a folder, and in a Maildir beside them for mail programs.

A file is named after the Message-ID, so that a message that is delivered again after a crash is recognised and not
duplicated. A Maildir needs no locks (https://cr.yp.to/proto/maildir.html): a message is complete in ``tmp`` before it
is renamed into ``new``, which is the moment of delivery. The ``.eml`` file is renamed after that, as the receipt.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from pipeline.delivery.message_files import file_name, sync_folder, write_durably
from pipeline.model.errors import AlreadyDeliveredError, DeliveryFailedError, DeliveryUncertainError
from pipeline.model.health import Owner


class Outbox:
    """A folder of messages."""

    name = "outbox"
    outcome = "written to the outbox; not delivered to anyone"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._maildir = folder / "Maildir"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from delivering; the lock of a process that dies is released."""
        try:
            for folder in ("tmp", "new", "cur"):
                (self._maildir / folder).mkdir(parents=True, exist_ok=True)
            file = (self.folder / ".lock").open("wb")
        except OSError as error:
            raise self._failed(error) from error
        with file:
            if os.name == "posix":
                import fcntl

                fcntl.flock(file.fileno(), fcntl.LOCK_EX)
            yield

    def deliver(self, message: bytes) -> Path:
        """Write a message into the Maildir and beside it, and return the path of the file beside it.

        DeliveryFailedError: nothing was delivered, and the caller may try again. DeliveryUncertainError: the message
        may be in the Maildir, and trying again completes the delivery. AlreadyDeliveredError: another message of that
        name was delivered; it is never overwritten.
        """
        name = file_name(message)
        receipt = self.folder / f"{name}.eml"
        flagged = (self._maildir / "cur").glob(f"{name}[:;!]*")  # mail programs move it there and add flags
        paths = (receipt, self._maildir / "new" / name, self._maildir / "cur" / name, *flagged)
        earlier = next((path for path in paths if path.exists()), None)
        if earlier and earlier.read_bytes() != message:
            raise AlreadyDeliveredError(
                f"{earlier} is another message of that name, so that one was sent: if it was not, move it away."
            )
        if earlier == receipt:
            return receipt
        in_maildir = earlier is not None  # a crash may have left it without its receipt
        try:
            write_durably(self.folder / f".{name}.new", message)
            if not in_maildir:
                write_durably(self._maildir / "tmp" / name, message)
                os.rename(self._maildir / "tmp" / name, self._maildir / "new" / name)
        except OSError as error:
            raise (self._uncertain(error) if in_maildir else self._failed(error)) from error
        try:
            sync_folder(self._maildir / "new")
            os.rename(self.folder / f".{name}.new", receipt)
            sync_folder(self.folder)
        except OSError as error:
            raise self._uncertain(error) from error
        return receipt

    def delivered(self) -> dict[str, Path]:
        """Return the delivered messages by name: their receipts, or the files in the Maildir without one."""
        maildir = [*(self._maildir / "new").glob("*"), *(self._maildir / "cur").glob("*")]
        in_maildir = {re.split("[:;!]", path.name)[0]: path for path in maildir}
        return in_maildir | {path.name.removesuffix(".eml"): path for path in self.folder.glob("[!.]*.eml")}

    def owner(self) -> Owner | None:
        """Return the publication that uses the folder, or None if none has claimed it."""
        try:
            return Owner(**json.loads((self.folder / ".owner.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def claim(self, publication: Owner) -> None:
        """Record the publication that uses the folder, unless another one does or it cannot be written."""
        current = self.owner()
        if current != publication and (current is None or current.is_same(publication)):
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                write_durably(self.folder / ".owner.json", json.dumps(asdict(publication)).encode())

    def send(self, message: bytes, address: str) -> Path | None:
        """Deliver a message for one person and return the path of its file; the address is in its header."""
        with self.lock():
            return self.deliver(message)

    def _failed(self, error: OSError) -> DeliveryFailedError:
        return DeliveryFailedError(f"{self.folder} cannot be written ({error.strerror}): fix this, then send again.")

    def _uncertain(self, error: OSError) -> DeliveryUncertainError:
        return DeliveryUncertainError(
            f"The message may be sent, but {self.folder} cannot be written ({error.strerror}): send again."
        )
