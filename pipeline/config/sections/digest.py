"""Settings of [digest]."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import WEEK_CLOSES, choice, integer, string


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """How a week's digest is made."""

    week_closes: str = setting("When a week closes, in the publication's time zone.", WEEK_CLOSES, "mon 00:00")
    theme: str = setting(
        "Theme of the newsletter: a folder in `templates/` beside config.toml, or one that comes with the program.",
        string("the name of a folder in templates/", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*"),
        "classic",
    )
    min_entries: int = setting("A week with fewer posts and episodes is thin.", integer(0, 50), 2)
    thin_week: str = setting(
        "What to do in a thin week: add related entries of the archive, or skip it and carry its entries over.",
        choice("archive", "skip"),
        "archive",
    )
    min_links: int = setting("The checks warn of fewer useful links than this; 0: never.", integer(0, 40), 3)
    max_links: int = setting(
        "Maximum number of useful links in an edition; the others are carried over.", integer(0, 40), 7
    )
    quiet_minutes: int = setting(
        "How long an entry must be unchanged, since it was first seen or last changed, before it gets into a digest.",
        integer(0, 10_080, "minutes"),
        0,
    )
    approval: str = setting(
        "Whether `[schedule] send` sends an edition only after approval (`required`), or also without it unless it is "
        "held (`unless-held`): then its checks must find no errors, and the editor must have had the proof for an "
        "hour, which requires `[delivery] smtp_host`.",
        choice("required", "unless-held"),
        "required",
    )
