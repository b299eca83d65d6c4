"""Rejoin numbered lists that an editor split into several.

Word processors and block editors turn one list into several: "1. Mix", "1. Bake", "1. Eat", with empty paragraphs or
explanations between them, so that the numbers shown are 1, 1, 1.
"""

from __future__ import annotations

from html import escape
from typing import Any

from lxml import html as lxml_html

MAX_BETWEEN = 3
"""Maximum number of non-empty blocks between two lists that are joined."""

_ALLOWED_BETWEEN = frozenset({"p", "ul", "blockquote", "figure", "img", "pre", "br"})

Element = Any  # lxml has no types


def join_ordered_lists(html: str) -> str:
    """Join consecutive parts of one ``<ol>`` in sanitised HTML; blocks in between move into the ``<li>`` before.

    Two lists are one if nothing is between them and either has a single ``<li>``, if the second continues the count
    with ``start``, or if both have a single ``<li>`` and start at 1. A heading between them always separates. The
    caller sanitises the result again.

    >>> join_ordered_lists('<ol><li>Mix</li></ol><p>Well.</p><ol start="2"><li>Bake</li></ol>')
    '<ol><li>Mix<p>Well.</p></li><li>Bake</li></ol>'
    """
    root = lxml_html.fragment_fromstring(html, create_parent="div")
    for parent in [root, *root.iter("li", "blockquote", "td", "div")]:
        _join_children(parent)
    text = root.text or ""
    return escape(text, quote=False) + "".join(lxml_html.tostring(child, encoding="unicode") for child in root)


def _join_children(parent: Element) -> None:
    current: Element | None = None
    single = False
    between: list[Element] = []
    for child in list(parent):
        if child.tag == "ol":
            if current is not None and _is_continued(current, child, between, single=single):
                single = single and len(child) == 1
                _append(current, child, between)
                current = None if _loose_text(current) else current
            else:
                current, single = (child, len(child) == 1) if len(child) and not _loose_text(child) else (None, False)
            between = []
        elif child.tag in _ALLOWED_BETWEEN and not _loose_text(child):
            between.append(child)
        else:
            current = None


def _is_continued(first: Element, second: Element, between: list[Element], *, single: bool) -> bool:
    filled = [block for block in between if not _is_empty(block)]
    if len(filled) > MAX_BETWEEN or not len(second):
        return False
    if _start(second) > 1:
        return _start(second) == _start(first) + len(first)
    return len(second) == 1 and single if filled else len(second) == 1 or len(first) == 1 or single


def _append(first: Element, second: Element, between: list[Element]) -> None:
    last = first[-1]
    for block in between:
        block.tail = None
        if _is_empty(block):
            block.getparent().remove(block)
        else:
            last.append(block)
    first.extend(list(second))
    first.tail = second.tail
    second.getparent().remove(second)


def _start(element: Element) -> int:
    text = element.get("start", "1")
    return int(text) if text.isdecimal() and len(text) < 6 else 1


def _is_empty(block: Element) -> bool:
    return not "".join(block.itertext()).strip() and next(block.iter("img"), None) is None


def _loose_text(element: Element) -> bool:
    return bool((element.tail or "").strip())
