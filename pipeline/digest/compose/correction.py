"""Make the digest of a correction: the same stories with a note above them, and an inbox line that says so."""

from __future__ import annotations

from dataclasses import replace

from pipeline.digest.compose.inbox_line import PREHEADER_WIDTHS
from pipeline.digest.render.translator import ENGLISH, Translator
from pipeline.model.correction import CorrectionNote
from pipeline.model.digest import Digest
from pipeline.text.headlines import cut_headline
from pipeline.text.markdown import to_plain


def corrected(digest: Digest, note: CorrectionNote, translator: Translator = ENGLISH) -> Digest:
    """Return a digest with the note of a correction; ``wording.introduction`` prints it.

    The subject begins with the word for a correction, and the preheader is the beginning of the note.
    """
    return replace(
        digest,
        subject=corrected_subject(digest.subject, translator),
        preheader=corrected_preheader(note.text_md) or digest.preheader,
        subject_suggestions=(),
        preheader_suggestions=(),
        correction=note,
    )


def corrected_subject(subject: str, translator: Translator = ENGLISH) -> str:
    """Return the subject of a correction.

    >>> corrected_subject("Bread, and a harbour")
    'Correction: Bread, and a harbour'
    """
    # Translators: the subject of a correction, before that of the edition it corrects.
    return translator.gettext("Correction: {subject}", subject=subject)


def corrected_preheader(note_md: str) -> str:
    """Return what was wrong, as far as an inbox shows it.

    >>> corrected_preheader("The market is on *Friday*.")
    'The market is on Friday.'
    """
    return cut_headline(to_plain(note_md), PREHEADER_WIDTHS[1])
