"""Collect the mail's words and bring the catalogs of all languages up to date: ``make locale``.

In: the source files that speak to readers, the catalogs of ``pipeline/digest/render/locale``. Out: the same catalogs, with
what is new in them and without what is gone, and a compiled ``.mo`` beside each. With languages as arguments
(``make locale LANGUAGES=nl``), a catalog is begun for each. Both files are committed, so that neither a clone nor a
wheel needs a compiler. A region's catalog (``en_US``) holds only what differs from its language's.
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

DIGEST = Path(__file__).parents[1] / "pipeline" / "digest"
LOCALE = DIGEST / "render" / "locale"
KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
"""Catalogs carry no dates of their own: the history knows better."""


def template() -> Catalog:
    """Collect the words from the sources."""
    found = Catalog(project="newsletter-pipeline", charset="utf-8")
    for source in sorted(DIGEST.rglob("*.py")):
        for _, words, comments, _ in extract_from_file(
            "python", source, keywords=KEYWORDS, comment_tags=["Translators:"]
        ):
            found.add(words, locations=[(source.name, None)], auto_comments=comments, flags=["python-brace-format"])
    return found


def catalogs() -> Iterator[tuple[str, Path]]:
    """Give each language there is, and its catalog's file."""
    for file in sorted(LOCALE.glob("*/LC_MESSAGES/mail.po")):
        yield file.parts[-3], file


def updated(file: Path, language: str) -> Catalog:
    """Read a catalog and bring it up to date with the sources."""
    catalog = read_po(BytesIO(file.read_bytes() if file.exists() else b""), locale=language)
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    if "_" in language:
        for message in [message for message in catalog if message.id and not any(message.string or "")]:
            catalog.delete(message.id)
    catalog.creation_date = catalog.revision_date = LONG_AGO
    catalog.header_comment = (
        f"# The mail's words in {catalog.locale.get_display_name('en') if catalog.locale else language}."
    )
    catalog.project, catalog.version, catalog.fuzzy = "newsletter-pipeline", "1", False
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """Write a catalog for people."""
    written = BytesIO()
    write_po(written, catalog, width=100, sort_by_file=True, no_location=False, include_lineno=False)
    return written.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """Write a catalog for the program."""
    written = BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def main(begin: list[str]) -> None:
    """Write every catalog anew."""
    for language in begin:
        (LOCALE / language / "LC_MESSAGES").mkdir(parents=True, exist_ok=True)
        (LOCALE / language / "LC_MESSAGES" / "mail.po").touch()
    for language, file in catalogs():
        catalog = updated(file, language)
        file.write_bytes(as_po(catalog))
        file.with_suffix(".mo").write_bytes(as_mo(catalog))
        missing = "_" not in language and sum(
            not message.string or not all(message.string) for message in catalog if message.id
        )
        print(f"{file.relative_to(Path.cwd())}: {f'{missing} words missing' if missing else 'complete'}")


if __name__ == "__main__":
    main(sys.argv[1:])
