"""Load the catalogs that translate the newsletter's own words.

A catalog is ``locale/<language>/LC_MESSAGES/mail.po``, written by people, and ``mail.mo``, compiled from it by
``make locale``. A tag with a region falls back on its language (``de-AT`` on ``de``), an unknown one on English.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from pipeline.digest.render.translator import Translator

CATALOGS = Path(__file__).parent / "locale"


@cache
def translator_for(language: str) -> Translator:
    """Return the translator for a BCP 47 tag, in any case; a catalog is read once per process."""
    parts = [part.upper() if index else part.lower() for index, part in enumerate(language.split("-"))]
    catalog = NullTranslations()
    for length in range(1, len(parts) + 1):
        region = _read_catalog("_".join(parts[:length]))
        if region is not None:
            region.add_fallback(catalog)
            catalog = region
    return Translator(language=language, catalog=catalog)


def _read_catalog(locale: str) -> GNUTranslations | None:
    """Read a compiled catalog (GNU gettext .mo), or return None if there is none for the locale."""
    file = CATALOGS / locale / "LC_MESSAGES" / "mail.mo"
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return GNUTranslations(opened)
