"""The editions, and the mails to one person, that are validated in every theme.

``demo`` is built by the program from the fixtures, ``hostile`` from a hostile feed; the others are written by hand in
``tests/golden/sample.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.app import App
from pipeline.app.digests import build_digest_context
from pipeline.app.feeds import build_refresher
from pipeline.digest.edition.counted_links import with_counted_links
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import Theme, load_theme
from pipeline.jobs.digests.build import current_edition
from pipeline.model.counted_link import counted_url, make_tag
from pipeline.model.digest import Digest
from pipeline.model.week import Week
from tests.golden.person_mails import CONTENTS, LOG_IN, log_in_mail, log_in_message, message, person_mail
from tests.golden.sample import BARE, PUBLICATION, SAMPLE, STRESS
from tests.mail.hostile_feed import write_publication

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
THEMES = sorted({path.parent.name for name in ("digest.html.j2", "theme.toml") for path in TEMPLATES.glob(f"*/{name}")})
DIGESTS: dict[str, Digest] = {
    "sample": SAMPLE,
    "stress": STRESS,
    "bare": BARE,
    "rtl": replace(SAMPLE, publication=replace(PUBLICATION, language="ar")),
}
EDITIONS = ("demo", "hostile", *DIGESTS)
COUNTED = "counted"
"""The sample with counted links."""
COUNTING_URL = "https://news.harbour.example"
CANARY_URL = counted_url(COUNTING_URL, SAMPLE.week, make_tag(SAMPLE.week, ""))
"""Not in Outlook, and not in the plain text, like the other counted links."""
MAILS = [*((theme, edition) for theme in THEMES for edition in EDITIONS), ("classic", COUNTED)]
PERSON_MAILS = [(theme, name) for theme in THEMES for name in CONTENTS]
ALL_MAILS = MAILS + PERSON_MAILS + [(theme, LOG_IN) for theme in THEMES]
NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMail:
    """The three parts of an edition or a mail, as they are sent."""

    html: str
    text: str
    eml: bytes


@cache
def mail(theme: str, edition: str) -> RenderedMail:
    """Return an edition, or a mail to one person, in a theme."""
    if edition in CONTENTS:
        made = person_mail(theme, edition)
        return RenderedMail(html=made.html, text=made.text, eml=message(theme, edition))
    if edition == LOG_IN:
        made = log_in_mail(theme)
        return RenderedMail(html=made.html, text=made.text, eml=log_in_message(theme))
    compiled = load_theme([TEMPLATES], theme)
    if edition == COUNTED:
        rendered = render(SAMPLE, compiled)
        counted, _ = with_counted_links(rendered.html, SAMPLE.week, COUNTING_URL, PUBLICATION.url)
        rendered = replace(rendered, html=counted)
        return RenderedMail(html=counted, text=rendered.text, eml=to_eml(rendered, SAMPLE))
    if edition in DIGESTS:
        rendered = render(DIGESTS[edition], compiled)
        return RenderedMail(html=rendered.html, text=rendered.text, eml=to_eml(rendered, DIGESTS[edition]))
    prepare = write_demo if edition == "demo" else write_publication
    # In a thread of its own: where a browser is open, this one has an event loop already.
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(_published, prepare, compiled).result()


def write_demo(folder: Path) -> Path:
    """Write the demo publication into a folder."""
    (folder / "fixtures").symlink_to(ROOT / "fixtures")
    config = folder / "config.toml"
    config.write_text((ROOT / "config.toml").read_text())
    return config


def _published(prepare: Callable[[Path], Path], theme: Theme) -> RenderedMail:
    """Fetch and build a week as the command line does."""
    with TemporaryDirectory() as folder, App.load(prepare(Path(folder))) as app:
        build_refresher(app).refresh(app.feeds, now=NOW)
        edition = current_edition(app.store(), replace(build_digest_context(app), theme=theme), Week(2026, 7), now=NOW)
        return RenderedMail(html=edition.html.decode(), text=edition.text.decode(), eml=edition.eml)
