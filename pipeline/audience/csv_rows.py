"""Reading CSV files of any usual encoding and dialect, and writing cells that no spreadsheet takes for formulas."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.model.errors import UsageError

DELIMITERS = ",;\t|"
MAX_LINE_BYTES = 1_000_000
MAX_CELL_CHARS = 100_000
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""Beginnings of cells that spreadsheets take for formulas, also in full width, with the apostrophes that hide them."""
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSurvey:
    """The encoding of a text file and the number of its lines."""

    encoding: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRow:
    """A row of a CSV file."""

    line: int
    """The number of its first line, from 1."""
    cells: Sequence[str] = field(default=())
    error: str = ""
    """Why it cannot be read; empty if it can."""


def survey(chunks: Iterable[bytes]) -> TextSurvey:
    """Return the encoding of a file: UTF-16, UTF-8 with or without a byte order mark, else Windows-1252.

    UsageError if a line is longer than ``MAX_LINE_BYTES``: then it is no list of people, and would fill the memory.

    >>> survey([b"name;email\\nZo\\xeb;zoe@quay.example\\n"])
    TextSurvey(encoding='cp1252', lines=2)
    """
    encoding, decoder = "", codecs.getincrementaldecoder("utf-8")()
    lines = unfinished = 0
    for chunk in chunks:
        encoding = encoding or _from_beginning(chunk)
        first, *others = chunk.split(b"\n")
        longest = max(unfinished + len(first), *map(len, others)) if others else unfinished + len(first)
        if longest > MAX_LINE_BYTES:
            raise UsageError(
                f"line {lines + 1:,} or one after it is too long for a CSV file: is it another kind of file?"
            )
        unfinished = len(others[-1]) if others else longest
        lines += len(others)
        if encoding == "utf-8":
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                encoding = "cp1252"
    if encoding == "utf-8" and decoder.getstate()[0]:
        encoding = "cp1252"
    return TextSurvey(
        encoding="utf-8-sig" if encoding == "utf-8" else encoding or "utf-8-sig", lines=lines + bool(unfinished)
    )


def _from_beginning(chunk: bytes) -> str:
    """Return UTF-16 if a file begins like that, else UTF-8, which is to be verified."""
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = chunk[:1_000]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    return "utf-16-be" if head[::2].count(0) > len(head) // 4 else "utf-8"


def read_rows(lines: Iterable[str]) -> Iterator[CsvRow]:
    """Yield the rows that are not empty, the header first; ``lines`` keep their ends.

    The delimiter is the one that divides the first line into most cells, or that a line ``sep=;`` before it names.
    """
    iterator = iter(lines)
    first, skipped = next(iterator, ""), 0
    if named := _SEPARATOR_LINE.fullmatch(first.rstrip("\r\n")):
        delimiter, first, skipped = named[1], next(iterator, ""), 1
    else:
        delimiter = max(DELIMITERS, key=lambda candidate: _count_cells(first, candidate))
    parser = csv.reader(_chain(first, iterator), delimiter=delimiter)
    while True:
        line = parser.line_num + skipped + 1
        try:
            cells = next(parser)
        except StopIteration:
            return
        except csv.Error as error:
            yield CsvRow(line=line, error=f"cannot be read: {error}; is a quotation mark missing?")
            continue
        if any(len(cell) > MAX_CELL_CHARS for cell in cells):
            yield CsvRow(line=line, error="has a cell that is too long; is a quotation mark missing?")
        elif any(cell.strip() for cell in cells):
            yield CsvRow(line=line, cells=cells)


def _chain(first: str, others: Iterator[str]) -> Iterator[str]:
    yield first
    yield from others


def _count_cells(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe is put before what begins like one.

    >>> safe_cell("=1+1"), safe_cell("'=1+1"), safe_cell("'t Hooft")
    ("'=1+1", "''=1+1", "'t Hooft")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def original_cell(text: str) -> str:
    """Return the text that ``safe_cell`` made safe.

    >>> original_cell("'=1+1"), original_cell("''=1+1"), original_cell("'t Hooft")
    ('=1+1', "'=1+1", "'t Hooft")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
