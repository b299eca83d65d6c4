"""Files to import subscribers from: CSV, or ZIP archives of it as mail services offer them for download."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.audience.csv_rows import CsvRow, TextSurvey, read_rows, survey
from pipeline.audience.import_formats import OTHER, ImportFormat, recognise
from pipeline.model.errors import UsageError

CSV_SUFFIXES = (".csv", ".tsv", ".txt")
MAX_FILES = 1_000
"""Maximum number of CSV files in an archive; exports of whole accounts have a few for each post."""
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberFile:
    """A CSV file with a column of addresses."""

    name: str
    format: ImportFormat
    text: TextSurvey
    open: Callable[[], IO[bytes]]

    @contextmanager
    def rows(self) -> Iterator[Iterator[CsvRow]]:
        """Open the file and yield its rows, without the header."""
        with io.TextIOWrapper(self.open(), self.text.encoding, errors="replace", newline="") as lines:
            rows = read_rows(lines)
            if self.format.has_header:
                next(rows)
            yield rows


@contextmanager
def open_files(path: Path) -> Iterator[list[SubscriberFile]]:
    """Yield the files with subscribers in a CSV file or an archive.

    In an archive files of other kinds are left out; if a service is recognised by some of its files, so are the others.
    UsageError if the file cannot be read or has no addresses.
    """
    try:
        if not zipfile.is_zipfile(path):
            yield [_read_file(path.name, lambda: path.open("rb"))]
            return
        with zipfile.ZipFile(path) as archive:
            yield _files_in(archive, path)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        # RuntimeError: the archive is encrypted; NotImplementedError: compressed in a way that Python does not know
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path} cannot be read ({reason}): name a CSV file, or a ZIP archive of CSV files."
        ) from error


def _files_in(archive: zipfile.ZipFile, path: Path) -> list[SubscriberFile]:
    names = [name for name in archive.namelist() if _is_csv(PurePosixPath(name))]
    if len(names) > MAX_FILES:
        raise UsageError(f"{path} has {len(names):,} CSV files: name an archive with subscribers only.")
    files = list(_with_addresses(archive, names))
    if recognised := [file for file in files if file.format.name != OTHER]:
        return recognised
    if not files:
        raise UsageError(f"{path} has no CSV file with a column of addresses.")
    return files


def _with_addresses(archive: zipfile.ZipFile, names: Iterable[str]) -> Iterator[SubscriberFile]:
    for name in names:
        try:
            yield _read_file(name, lambda name=name: archive.open(name))  # type: ignore[misc]
        except UsageError:
            continue


def _is_csv(name: PurePosixPath) -> bool:
    return name.suffix.lower() in CSV_SUFFIXES and name.parts[0] != "__MACOSX"


def _read_file(name: str, open_file: Callable[[], IO[bytes]]) -> SubscriberFile:
    """Return a file whose encoding and format were found out; UsageError if it has no column of addresses."""
    with open_file() as file:
        text = survey(iter(lambda: file.read(_CHUNK_BYTES), b""))
    with io.TextIOWrapper(open_file(), text.encoding, errors="replace", newline="") as lines:
        header = next(read_rows(lines), None)
    if header is None or header.error:
        raise UsageError(f"{name} has no rows: name a CSV file whose first row names the columns.")
    return SubscriberFile(name=name, format=recognise(header.cells), text=text, open=open_file)
