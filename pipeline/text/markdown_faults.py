"""Faults in the Markdown that an editor writes, of which no subscriber would see what was meant: sentences with advice.

The faults follow from how ``markdown_pictures`` converts the text: raw HTML is shown as it is typed, a link that is not
absolute becomes plain text, a picture without an address its description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.text.markdown import parse_inline_tokens
from pipeline.text.picture_references import is_reference

_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9-]*(?:\s[^<>]*)?/?>|<!--")
_REFUSED_LINK = re.compile(r"\[[^\[\]]*\]\(\s*<?((?:javascript|vbscript|data|file):[^)\s]*)", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_LINK_URL = re.compile(r"https?://[^\s/]|mailto:[^\s@]+@", re.IGNORECASE)
_MAX_QUOTED_CHARS = 40


def markdown_faults(md: str) -> Iterator[str]:
    """Yield a sentence for each part of a text that is not sent as it was meant.

    >>> list(markdown_faults("See [us](/about) and <b>this</b>."))
    ['Write “<b>” in Markdown: HTML would be shown as it is typed.', 'Write the whole address of the link to “/about”, \
beginning with https://.']
    """
    tokens = list(parse_inline_tokens(md))
    words = "".join(token.content for token in tokens if token.type == "text")
    for tag in list(dict.fromkeys(_TAG.findall(words)))[:1]:
        yield f"Write “{_short(tag)}” in Markdown: HTML would be shown as it is typed."
    for url in dict.fromkeys(_REFUSED_LINK.findall(words)):
        yield f"Remove the link to “{_short(url)}”: a link leads to a page or a mailbox."
    for token in tokens:
        if token.type == "link_open" and not _LINK_URL.match(url := str(token.attrs.get("href", ""))):
            if not url or url.startswith(("http:", "https:")):
                yield "Write the address of the link after https://, or remove the link."
            else:
                yield f"Write the whole address of the link to “{_short(url)}”, beginning with https://."
        if token.type == "image" and not (_WEB_URL.match(url := str(token.attrs.get("src", ""))) or is_reference(url)):
            yield f"Upload the picture “{_short(url or token.content)}”, or write its whole address, with https://."


def _short(text: str) -> str:
    return text if len(text) <= _MAX_QUOTED_CHARS else f"{text[: _MAX_QUOTED_CHARS - 1]}…"
