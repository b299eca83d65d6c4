"""[digest]: how an edition is made."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.declare import setting
from pipeline.config.types import WEEK_CLOSES, choice, integer, string


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """How the week's digest is made."""

    week_closes: str = setting("When a week closes, in the publication's time zone.", WEEK_CLOSES, "mon 00:00")
    theme: str = setting(
        "The look of the mail: a folder in `templates/`, beside config.toml or of the program.",
        string("the name of a folder in templates/", pattern=r"[A-Za-z0-9][A-Za-z0-9_-]*"),
        "classic",
    )
    min_entries: int = setting("A week with fewer posts and episodes is thin.", integer(0, 50), 2)
    thin_week: str = setting(
        "What becomes of a thin week: filled up with pieces from the archive, or it waits for the next one.",
        choice("archive", "wait"),
        "archive",
    )
    min_links: int = setting("With fewer useful links, or none, the checks say so; 0: never.", integer(0, 40), 3)
    max_links: int = setting("The most useful links in one edition; the others roll on to the next.", integer(0, 40), 7)
    quiet_minutes: int = setting(
        "How long news waits for its author's second thoughts, since it was first seen or last changed.",
        integer(0, 10_080, "minutes"),
        0,
    )
    approval: str = setting(
        "Whether an edition goes out at `[schedule] send` only if somebody approved it (`required`), or unless "
        "somebody holds it, if its checks find no errors and the editor has had its proof for an hour; for that, "
        "`[delivery] smtp_host` has to be given.",
        choice("required", "unless-held"),
        "required",
    )
