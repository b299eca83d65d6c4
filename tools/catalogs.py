"""Bring the catalogs of all languages up to date with the messages in the sources: ``make locale``.

Messages that are gone are removed, and a ``.mo`` file is compiled beside each ``.po`` file. With languages as arguments
(``make locale LANGUAGES=nl``) a catalog is created for each. Both files are committed, so that neither a clone nor a
wheel needs a compiler. A region's catalog (such as ``de_AT``) would hold only what differs from its language's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
SOURCES = {
    "python": (ROOT / "pipeline" / "digest", ROOT / "pipeline" / "web" / "public"),
    "jinja2.ext:babel_extract": (ROOT / "templates" / "public",),
}
"""Folders with messages, by the extractor of babel that reads them."""
SUFFIXES = {"python": "*.py", "jinja2.ext:babel_extract": "*.html.j2"}
LOCALE = ROOT / "pipeline" / "digest" / "render" / "locale"
KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
FIXED_DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in every catalog; the history of the repository has the real ones."""


def template() -> Catalog:
    """Return a catalog of all messages in the sources, without translations."""
    messages = Catalog(project="newsletter-pipeline", charset="utf-8")
    for extractor, source in _sources():
        for _, message, comments, _ in extract_from_file(
            extractor, source, keywords=KEYWORDS, comment_tags=["Translators:"]
        ):
            messages.add(
                message, locations=[(source.name, None)], auto_comments=comments, flags=["python-brace-format"]
            )
    return messages


def _sources() -> Iterator[tuple[str, Path]]:
    """Yield each file that may have messages, and the extractor that reads it."""
    for extractor, folders in SOURCES.items():
        for folder in folders:
            yield from ((extractor, file) for file in sorted(folder.rglob(SUFFIXES[extractor])))


def catalogs() -> Iterator[tuple[str, Path]]:
    """Yield each language and the file of its catalog."""
    for file in sorted(LOCALE.glob("*/LC_MESSAGES/mail.po")):
        yield file.parts[-3], file


def updated(file: Path, language: str) -> Catalog:
    """Return a catalog brought up to date with the sources."""
    catalog = read_po(BytesIO(file.read_bytes() if file.exists() else b""), locale=language)
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    if "_" in language:
        for message in [message for message in catalog if message.id and not any(message.string or "")]:
            catalog.delete(message.id)
    catalog.creation_date = catalog.revision_date = FIXED_DATE
    name = catalog.locale.get_display_name("en") if catalog.locale else language
    catalog.header_comment = f"# The newsletter's own words in {name}."
    catalog.project, catalog.version, catalog.fuzzy = "newsletter-pipeline", "1", False
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """Return a catalog as a .po file."""
    content = BytesIO()
    write_po(content, catalog, width=100, sort_by_file=True, no_location=False, include_lineno=False)
    return content.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """Return a catalog as a compiled .mo file."""
    content = BytesIO()
    write_mo(content, catalog)
    return content.getvalue()


def main(new_languages: list[str]) -> None:
    """Write every catalog, and print how many translations are missing."""
    for language in new_languages:
        (LOCALE / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
        (LOCALE / language / "LC_MESSAGES" / "mail.po").touch()
    for language, file in catalogs():
        catalog = updated(file, language)
        file.write_bytes(as_po(catalog))
        file.with_suffix(".mo").write_bytes(as_mo(catalog))
        missing = "_" not in language and sum(
            not message.string or not all(message.string) for message in catalog if message.id
        )
        print(f"{file.relative_to(Path.cwd())}: {f'{missing} messages missing' if missing else 'complete'}")


if __name__ == "__main__":
    main(sys.argv[1:])
