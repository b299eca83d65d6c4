"""Languages: the catalogs that translate the mail's words.

In: a language tag. Out: a Voice that speaks it. Reads ``locale/`` beside this file, once for each language.

A catalog is ``locale/<language>/LC_MESSAGES/mail.po``, written by people, and ``mail.mo``, compiled from it by
``make locale``. A tag with a region falls back on its language (``de-AT`` on ``de``), an unknown one on English.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from pipeline.digest.render.wording import Translator

CATALOGS = Path(__file__).parent / "locale"


@cache
def translator_for(language: str) -> Translator:
    """Find the Voice for a BCP 47 tag, in any case."""
    parts = [part.upper() if place else part.lower() for place, part in enumerate(language.split("-"))]
    catalog = NullTranslations()
    for length in range(1, len(parts) + 1):
        file = CATALOGS / "_".join(parts[:length]) / "LC_MESSAGES" / "mail.mo"
        if file.is_file():
            wider = catalog
            with file.open("rb") as opened:
                catalog = GNUTranslations(opened)
            catalog.add_fallback(wider)
    return Translator(language=language, catalog=catalog)
