"""The maildir backend: each copy as a file of a Maildir, for a mail server on this machine or for trying things out.

A Maildir needs no locks (https://cr.yp.to/proto/maildir.html): a message is complete in ``tmp`` before it is renamed
into ``new``, which is the moment of delivery. The file is named after the Message-ID, which is the same whenever a copy
is built again, so no copy is ever written twice: not after a crash, and not after an old backup of the store was
restored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.delivery.message_files import file_name, sync_folder, write_durably
from pipeline.delivery.serial_worker import SerialWorker, serial_workers
from pipeline.model.delivery import Copy, DeliveryResult
from pipeline.model.errors import DeliveryFailedError

if TYPE_CHECKING:
    from pipeline.jobs.ports import CommitFinal

_SENT = DeliveryResult(outcome="sent", reply="written to the Maildir")
_LOST = DeliveryResult(outcome="lost")
_MAX_REPLY_CHARS = 200
_FLAGS = re.compile("[:;!]")
"""Begins the flags that a mail program adds to a name."""


@dataclass(frozen=True, slots=True)
class MaildirBackend:
    """A Maildir that editions are written to."""

    folder: Path

    name = "maildir"
    max_batch = 50

    def open_workers(self, connections: int) -> Sequence[SerialWorker]:
        """Return one for each connection."""
        return serial_workers(self.open, max_batch=self.max_batch, connections=connections)

    def open(self) -> MaildirSender:
        """Return what writes copies; the folders are created for the first ones."""
        return MaildirSender(self.folder)


class MaildirSender:
    """Writes copies into a Maildir."""

    def __init__(self, folder: Path) -> None:
        self._tmp, self._new, self._cur = (folder / name for name in ("tmp", "new", "cur"))
        self._in_cur: set[str] | None = None

    def send(self, copies: Sequence[Copy], commit: CommitFinal) -> Sequence[DeliveryResult]:
        """Write copies and return their results; ``commit`` is called before they are renamed into ``new``.

        A copy that is there already counts as sent and is not written again.
        """
        results = {copy.delivery_id: self._write(copy) for copy in copies}
        written = [copy for copy in copies if results[copy.delivery_id] is None]
        committed = {copy.delivery_id for copy in commit(written)} if written else set()
        for copy in written:
            results[copy.delivery_id] = self._finish(copy) if copy.delivery_id in committed else _LOST
        if committed:
            self._flush(results)
        return [results[copy.delivery_id] or _LOST for copy in copies]

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _write(self, copy: Copy) -> DeliveryResult | None:
        """Write a copy into ``tmp``; return the result if it is known already."""
        try:
            name = file_name(copy.message)
            if not self._is_there(name):
                write_durably(self._tmp / name, copy.message)
        except DeliveryFailedError as error:
            return DeliveryResult(outcome="failed", reason="message", reply=str(error)[:_MAX_REPLY_CHARS])
        except OSError as error:
            return self._stopped(error)
        return None

    def _finish(self, copy: Copy) -> DeliveryResult:
        name = file_name(copy.message)
        try:
            if not self._is_there(name):
                os.rename(self._tmp / name, self._new / name)
        except OSError as error:
            return self._stopped(error)
        return _SENT

    def _flush(self, results: dict[int, DeliveryResult | None]) -> None:
        """Flush the new names to disk; without that a power cut might undo what counts as sent."""
        try:
            sync_folder(self._new)
        except OSError as error:
            reply = f"{self._new} cannot be flushed to disk ({error.strerror})"[-_MAX_REPLY_CHARS:]
            sent = [delivery_id for delivery_id, result in results.items() if result is _SENT]
            results.update(dict.fromkeys(sent, DeliveryResult(outcome="uncertain", reply=reply)))

    def _is_there(self, name: str) -> bool:
        """Check whether a file of a name is in ``new``, or where a mail program has moved it."""
        if self._in_cur is None:
            for folder in (self._tmp, self._new, self._cur):
                folder.mkdir(parents=True, exist_ok=True)
            self._in_cur = {_FLAGS.split(file)[0] for file in os.listdir(self._cur)}
        return name in self._in_cur or (self._new / name).exists()

    def _stopped(self, error: OSError) -> DeliveryResult:
        reply = f"{self._new.parent} cannot be written ({error.strerror}): fix this, then resume."
        return DeliveryResult(outcome="stop", reply=reply[-_MAX_REPLY_CHARS:])
