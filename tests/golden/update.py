"""Write the golden mails anew: ``python -m tests.golden.update``, then read the difference before committing it."""

from __future__ import annotations

from pathlib import Path

from pipeline.digest.mime import to_eml
from pipeline.digest.render import load_theme, render
from pipeline.model.digest import Digest
from tests.golden.sample import BARE, SAMPLE, STRESS

HERE = Path(__file__).parent
THEMES = HERE.parent.parent / "templates"
DIGESTS = {"sample": SAMPLE, "stress": STRESS, "bare": BARE}


def mail(digest: Digest, theme: str = "classic") -> dict[str, bytes]:
    """Make the three files of a digest, by their ending."""
    rendered = render(digest, load_theme([THEMES], theme))
    return {"html": rendered.html.encode(), "txt": rendered.text.encode(), "eml": to_eml(rendered, digest)}


def main() -> None:
    """Write every golden file."""
    for name, digest in DIGESTS.items():
        for ending, content in mail(digest).items():
            (HERE / f"{name}.{ending}").write_bytes(content)


if __name__ == "__main__":
    main()
