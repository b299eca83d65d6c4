"""Uploaded pictures, in the folder ``pictures`` beside the editor's files.

To use it: ``reference = PictureFolder(folder=app.editions_folder).add(uploaded_bytes)``. Write
``![Alt text](reference)`` in an introduction or a note, or the reference as the ``picture`` of a story.

The name of a file follows from its content, so the same picture is stored once, two editors cannot overwrite each
other's, and a sealed edition, whose HTML has the name, always means the same bytes. A file is never changed or removed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipeline.jobs.editor.resize import resize_picture
from pipeline.jobs.maintenance.atomic_file import as_write_error
from pipeline.model.errors import EditorFileError
from pipeline.text.picture_references import FOLDER, is_reference

MAX_UPLOAD_BYTES = 40_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFolder:
    """The uploaded pictures of a publication; ``folder`` is that of its editions."""

    folder: Path

    def add(self, content: bytes) -> str:
        """Check, resize and store an uploaded file, and return its reference, such as ``pictures/…-1200x800.jpg``.

        Raise RefusedError, with what to do, for anything but a whole JPEG, PNG, GIF or WebP; WriteError if it cannot be
        stored.
        """
        picture, suffix, (width, height) = resize_picture(content)
        reference = f"{FOLDER}/{sha256(picture).hexdigest()[:24]}-{width}x{height}.{suffix}"
        path = self.folder / reference
        try:
            if not path.exists():
                self._write(path, picture)
        except OSError as error:
            raise as_write_error(path, error) from error
        return reference

    def read(self, reference: str) -> bytes | None:
        """Return the bytes of a picture; None if the text is no reference or there is no such picture."""
        if not is_reference(reference):
            return None
        try:
            return (self.folder / reference).read_bytes()
        except OSError:
            return None

    def read_all(self, references: Iterable[str]) -> Mapping[str, bytes]:
        """Return the bytes of pictures by reference; raise EditorFileError if one is missing."""
        contents = {}
        for reference in references:
            content = self.read(reference)
            if content is None:
                raise EditorFileError(
                    f"The picture {reference} is not in {self.folder}: upload it again, or remove it from the text.",
                    file=str(self.folder / reference),
                )
            contents[reference] = content
        return contents

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file that appears complete or not at all, readable as the editions are."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".new", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
