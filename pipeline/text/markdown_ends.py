"""How a text in Markdown begins and ends: whether with a list, and without what a feed cut."""

from __future__ import annotations

import re

from pipeline.text.html_to_markdown import escape_markdown
from pipeline.text.markdown import to_plain
from pipeline.text.plain_text import end_with_ellipsis
from pipeline.text.sentences import sentence_ends

_CUT_END = re.compile(r"(?<!\S)\S{0,100}?(?:…|\.{3})[\W_]{0,5}$")
"""The ellipsis at the end of a text, with the word that it cut."""
_LAST_SENTENCES = 4
"""How many are tried: only the last ones can have been cut, or be within a link that was."""
_NOT_PROSE = re.compile(r"[-*+] |[>#|]|\d+[.)] ")


def is_list(md: str) -> bool:
    """Check whether a text begins with a list.

    >>> is_list("- salt\\n- fat"), is_list("Salt\\n\\n- fat")
    (True, False)
    """
    return re.match(r"\s{0,9}(?:[-*+]|\d{1,9}[.)])\s", md) is not None


def without_cut_end(md: str) -> str:
    """Return Markdown that a feed cut and ended in "…", up to its last whole sentence, else its last whole word.

    The paragraph that was cut leaves if none of its sentences is whole but others come before it. Lists and quotes stay
    as they are.

    >>> without_cut_end("Salt came first. And then, in the spr..."), without_cut_end("Salt came by se…")
    ('Salt came first.', 'Salt came by…')
    """
    head, _, last = md.rstrip().rpartition("\n\n")
    text = to_plain(last)
    if not _CUT_END.search(text) or _NOT_PROSE.match(last):
        return md
    for end in list(sentence_ends(last))[: -_LAST_SENTENCES - 1 : -1]:
        whole = to_plain(last[:end])
        if text.startswith(whole) and not _CUT_END.search(whole):  # not within a link or emphasis
            return f"{head}\n\n{last[:end]}".strip()
    if head:
        return head
    return escape_markdown(end_with_ellipsis(_CUT_END.sub("", text))) if " " in text else md
