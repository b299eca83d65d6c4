"""Wrap plain text, without breaking words or addresses."""

from __future__ import annotations

from pipeline.text.no_break import NoBreakWrapper


def wrap(text: str, width: int = 72) -> str:
    """Return one paragraph wrapped; words and addresses are never broken, nor a number and its unit.

    >>> wrap("Salt, flour and https://example.org/water", width=16)
    'Salt, flour and\\nhttps://example.org/water'
    """
    return NoBreakWrapper(width).fill(text)


def wrap_parts(text: str, width: int = 72, separator: str = " · ") -> str:
    """Return a line of separated parts wrapped between its parts; at the end of a line there is no separator.

    >>> print(wrap_parts("Episode 14 · 42 min · with Ada", width=20))
    Episode 14 · 42 min
    with Ada
    """
    lines: list[str] = []
    for part in filter(None, map(str.strip, text.split(separator))):
        if lines and len(lines[-1]) + len(separator) + len(part) <= width:
            lines[-1] += separator + part
        else:
            lines.append(part)
    return "\n".join(wrap(line, width) for line in lines)


def labelled(label: str, url: str, width: int = 72, colon: str = ": ") -> str:
    """Return ``Label: URL`` on one line, or the URL on a second line if both do not fit.

    >>> labelled("Listen", "https://example.org/14")
    'Listen: https://example.org/14'
    """
    line = f"{label}{colon}{url}" if label else url
    return line if len(line) <= width else f"{wrap(label + colon.rstrip(), width)}\n{url}" if label else url
