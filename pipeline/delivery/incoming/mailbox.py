"""Read messages from a Maildir, where a mail server stores those that come back.

A message that was handled is moved to ``cur`` with the flag S (seen); one that was not stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.model.errors import MailboxError

MAX_MESSAGE_BYTES = 1 << 20
"""What follows in a larger message is not read: a report is at its beginning."""
_INFO = ":2,"
_SEEN = "S"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirMailbox:
    """A Maildir (https://cr.yp.to/proto/maildir.html)."""

    path: Path

    @property
    def name(self) -> str:
        """The mailbox in words."""
        return str(self.path)

    @contextmanager
    def open(self) -> Iterator[OpenMaildir]:
        """Open the folder; MailboxError if it is not a Maildir."""
        if not all((self.path / part).is_dir() for part in ("new", "cur")):
            raise MailboxError(
                f"{self.path} is not a Maildir, which has the folders new and cur: check [bounces] maildir."
            )
        yield OpenMaildir(self.path)


@dataclass(frozen=True, slots=True)
class OpenMaildir:
    """The messages of a Maildir."""

    path: Path

    def unseen(self) -> Iterator[tuple[str, bytes | None]]:
        """Yield the name and content of each message that was not handled, the oldest first by its name.

        The content is None if it cannot be read; a message that another process took meanwhile is left out.
        """
        try:
            files = [path for part in ("new", "cur") for path in (self.path / part).iterdir()]
        except OSError as error:
            raise MailboxError(f"{self.path} cannot be read ({error.strerror}): check its permissions.") from error
        for path in sorted(files, key=lambda path: path.name):
            if path.name.startswith(".") or _SEEN in _flags(path.name):
                continue
            try:
                content = read_message(path)
            except FileNotFoundError:
                continue
            except OSError:
                content = None
            yield str(path.relative_to(self.path)), content

    def set_seen(self, name: str) -> None:
        """Move a message to ``cur`` with the flag S. MailboxError if that is not allowed."""
        path = self.path / name
        unique, flags = path.name.partition(_INFO)[0], _flags(path.name)
        target = self.path / "cur" / f"{unique}{_INFO}{''.join(sorted({*flags, _SEEN}))}"
        try:
            os.replace(path, target)
        except FileNotFoundError:
            return  # somebody has moved it
        except OSError as error:
            raise MailboxError(
                f"{path} cannot be moved to cur ({error.strerror}): check the permissions of its folder."
            ) from error


def read_message(path: Path) -> bytes:
    """Return the beginning of a message; OSError if it cannot be read."""
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as file:
        return file.read(MAX_MESSAGE_BYTES)


def _flags(name: str) -> str:
    """Return the flags in the name of a message.

    >>> _flags("1771.M5P7.host:2,RS"), _flags("1771.M5P7.host")
    ('RS', '')
    """
    return name.partition(_INFO)[2]
