"""Languages: the catalogs that translate the mail's words.

In: a language tag. Out: a Voice that speaks it. Reads ``locale/`` beside this file, once for each language.

A catalog is ``locale/<language>/LC_MESSAGES/mail.po``, written by people, and ``mail.mo``, compiled from it by
``make locale``. A tag with a region falls back on its language (``de-AT`` on ``de``), an unknown one on English.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from pipeline.digest.words import Voice

CATALOGS = Path(__file__).parent / "locale"


@cache
def voice_of(language: str) -> Voice:
    """Find the Voice for a BCP 47 tag."""
    parts = language.split("-")
    wider = ["_".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return Voice(language=language, catalog=gettext.translation("mail", CATALOGS, languages=wider, fallback=True))
