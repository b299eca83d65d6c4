"""Time zone data: whether it is there, and of these years. Governments change it several times a year.

In: the zone's name, the folders zoneinfo looks in, the moment. Out: Signs. Reads the first line of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.model.health import Sign

YEARS_GOOD = 2
_RELEASE = re.compile(r"# version (\d{4}\w?)")


def zone(name: str, folders: Iterable[str], now: datetime) -> Iterator[Sign]:
    """Look whether the publication's zone is known, and from which year's release."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        mend = "install the Python package tzdata beside the program"
        yield Sign(group="time", name=name, level="trouble", finding="is not in the time zone data", mend=mend)
        return
    release = _release(folders)
    year = int(release[:4]) if release else now.year
    old = now.year - year >= YEARS_GOOD
    finding = f"time zone data of release {release}" if release else "time zone data of an unnamed release"
    yield Sign(
        group="time",
        name=name,
        level="warning" if old else "well",
        finding=f"{finding}, which is old" if old else finding,
        mend="upgrade the system's tzdata, or the Python package of that name" if old else "",
    )


def _release(folders: Iterable[str]) -> str:
    """Name the release of the data that is used: the system's where there is any, else the package's."""
    for folder in map(Path, folders):
        if (file := folder / "tzdata.zi").is_file():
            with file.open(encoding="ascii", errors="replace") as opened:
                found = _RELEASE.match(opened.readline())
            return found[1] if found else ""
        if folder.is_dir():
            return ""
    try:
        return version("tzdata")
    except PackageNotFoundError:
        return ""
