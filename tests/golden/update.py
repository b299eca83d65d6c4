"""Write the golden files: ``python -m tests.golden.update``, then read the difference before committing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.digest import Digest
from tests.golden import problems
from tests.golden.locales import ARABIC, GERMAN
from tests.golden.sample import BARE, RICH, SAMPLE, STRESS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
THEMES = ROOT / "templates"
THEME_NAMES = ("classic", "journal", "letter")
DIGESTS = {"sample": SAMPLE, "rich": RICH, "german": GERMAN, "arabic": ARABIC, "stress": STRESS, "bare": BARE}
CHECKS = HERE / "checks.txt"
EXTREMES = ("sample", "stress", "bare")
"""Digests whose message file is golden, too."""


def mail(digest: Digest, theme: str = "classic") -> dict[str, bytes]:
    """Return the three files of a digest, by their suffix."""
    rendered = render(digest, load_theme([THEMES], theme))
    return {"html": rendered.html.encode(), "txt": rendered.text.encode(), "eml": to_eml(rendered, digest)}


def golden() -> Iterator[tuple[str, str, str, str]]:
    """Yield each golden file as (file name, digest, theme, suffix). The text is the same in every theme."""
    for name in DIGESTS:
        for theme in THEME_NAMES:
            yield f"{theme}-{name}.html", name, theme, "html"
        yield f"{name}.txt", name, "classic", "txt"
        if name in EXTREMES:
            yield f"{name}.eml", name, "classic", "eml"


def main() -> None:
    """Write every golden file."""
    for file, name, theme, ending in golden():
        (HERE / file).write_bytes(mail(DIGESTS[name], theme)[ending])
    CHECKS.write_text("\n\n".join(map(problems.report, problems.PROBLEMS)) + "\n", "utf-8")


if __name__ == "__main__":
    main()
