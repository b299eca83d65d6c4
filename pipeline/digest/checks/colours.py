"""The colours a mail program gives each piece of text: a very small CSS cascade.

In: a read mail and a scheme. Out: (words, colour, background) of every text that is shown, and of the
words that stand for a picture. Pure.

Understood are inline styles, ``bgcolor``, and rules of style elements whose selectors are tags and classes, one inside
the other; of the media queries only the one for the dark scheme. That is all a mail can count on. Rules it does not
understand (``[data-ogsc]``, ``:hover``) are not applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.digest.checks.html import ParsedHtml
from pipeline.digest.checks.inputs import THEME, CheckInputs
from pipeline.digest.render.palette import contrast
from pipeline.model.check import CheckResult

Scheme = Literal["light", "dark"]
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BLOCK = re.compile(
    r"(?P<media>@media[^{]*)\{(?P<inner>(?:[^{}]*\{[^{}]*\})*)[^{}]*\}"
    r"|(?P<names>[^{}@;]+)\{(?P<body>[^{}]*)\}"
)
_COMPOUND = re.compile(r"(?P<tag>[a-z][a-z0-9]*)?(?P<classes>(?:\.[\w-]+)*)")
_WANTED = {"color", "background-color", "background", "display", "visibility"}
_NAMED = {"white": "#ffffff", "black": "#000000"}
# What programs start from; in the dark as Chromium and Safari do where a mail says it has a dark scheme.
_INITIAL: dict[Scheme, dict[str, str]] = {
    "light": {"color": "#000000", "background": "#ffffff", "link": "#0000ee"},
    "dark": {"color": "#ffffff", "background": "#121212", "link": "#9e9eff"},
}


@dataclass(frozen=True, slots=True)
class _Compound:
    """One step of a selector: a tag, classes, or both."""

    tag: str
    classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One selector and what it sets. ``weight`` orders rules as CSS does: importance, specificity, order."""

    path: tuple[_Compound, ...]
    values: tuple[tuple[str, str, bool], ...]
    weight: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Ink:
    """The colours that reach an element from above."""

    color: str
    background: str


ColouredText = tuple[str, str, str]


def computed_colours(parsed: ParsedHtml, scheme: Scheme) -> Iterator[ColouredText]:
    """Give the words, the colour and the background, both ``#rrggbb``, of each text that is shown."""
    initial = _INITIAL[scheme]
    rules = list(_rules(parsed.style, scheme))
    start = _Ink(initial["color"], initial["background"])
    body = parsed.root.find("body")
    yield from _paint(body, [_identity(parsed.root)], start, rules, initial["link"])


def _paint(element: Any, above: list[_Compound], ink: _Ink, rules: list[_Rule], link: str) -> Iterator[ColouredText]:
    line = [*above, _identity(element)]
    values = _values(element, line, rules)
    if values.get("display") == "none" or values.get("visibility") == "hidden":
        return
    ink = _dip(ink, values, link if element.tag == "a" and element.get("href") else "")
    yield from _said(element.get("alt") if element.tag == "img" else element.text, ink)
    for child in element:
        if isinstance(child.tag, str) and child.tag not in ("style", "script"):
            yield from _paint(child, line, ink, rules, link)
        yield from _said(child.tail, ink)


def _said(text: str | None, ink: _Ink) -> Iterator[ColouredText]:
    if text and (words := " ".join(text.split())):
        yield words, ink.color, ink.background


def _dip(ink: _Ink, values: dict[str, str], link: str) -> _Ink:
    background = _colour(values.get("background-color") or values.get("background", ""))
    return _Ink(_colour(values.get("color", "")) or link or ink.color, background or ink.background)


def _values(element: Any, line: list[_Compound], rules: list[_Rule]) -> dict[str, str]:
    """Cascade what applies to an element: rules, its own style over them, ``!important`` over that."""
    found = {"background-color": element.get("bgcolor")} if element.get("bgcolor") else {}
    matching = sorted((rule for rule in rules if _matches(rule.path, line)), key=lambda rule: rule.weight)
    own = _declared(element.get("style") or "")
    for important in (False, True):
        for rule in matching:
            found |= {name: value for name, value, strong in rule.values if strong is important}
        found |= {name: value for name, value, strong in own if strong is important}
    return found


def _identity(element: Any) -> _Compound:
    return _Compound(element.tag, frozenset((element.get("class") or "").split()))


def _matches(path: tuple[_Compound, ...], line: list[_Compound]) -> bool:
    """Tell whether a selector picks the last element of a line of descent."""
    *steps, last = path
    if not _fits(last, line[-1]):
        return False
    ancestors = iter(reversed(line[:-1]))
    return all(any(_fits(step, each) for each in ancestors) for step in reversed(steps))


def _fits(step: _Compound, element: _Compound) -> bool:
    return step.tag in ("", element.tag) and step.classes <= element.classes


def _rules(css: str, scheme: Scheme, order: int = 0) -> Iterator[_Rule]:
    for found in _BLOCK.finditer(_COMMENT.sub("", css)):
        order += 1
        if found["media"] is not None:
            if scheme == "dark" and re.search(r"prefers-color-scheme:\s*dark", found["media"]):
                yield from _rules(found["inner"], scheme, 1000 * order)
            continue
        values = _declared(found["body"])
        paths = (_path(each) for each in found["names"].split(",")) if values else ()
        yield from (_Rule(path, values, _weigh(path, order)) for path in paths if path)


def _weigh(path: tuple[_Compound, ...], order: int) -> tuple[int, int, int]:
    return sum(len(step.classes) for step in path), sum(bool(step.tag) for step in path), order


def _path(selector: str) -> tuple[_Compound, ...]:
    """Read a selector; empty when it holds more than tags and classes."""
    steps = [_COMPOUND.fullmatch(each) for each in selector.split()]
    if not steps or None in steps:
        return ()
    return tuple(_Compound(step["tag"] or "", frozenset(step["classes"].split(".")[1:])) for step in steps if step)


def _declared(body: str) -> tuple[tuple[str, str, bool], ...]:
    """Read declarations that decide about colour: (property, value, whether it is important)."""
    pairs = (each.partition(":") for each in body.split(";"))
    return tuple(
        (name.strip().lower(), value.replace("!important", "").strip().lower(), "!important" in value)
        for name, _, value in pairs
        if name.strip().lower() in _WANTED
    )


def _colour(value: str) -> str:
    """Read a colour as ``#rrggbb``; empty when it is none, or none that can be seen.

    >>> _colour("#FFF"), _colour("rgb(32, 31, 28)"), _colour("transparent")
    ('#ffffff', '#201f1c', '')
    """
    value = value.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", value):
        return value
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        return "#" + "".join(2 * digit for digit in value[1:])
    if channels := re.fullmatch(r"rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*\)", value):
        return "#" + "".join(f"{min(int(channel), 255):02x}" for channel in channels.groups())
    return _NAMED.get(value, "")


MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_WORDS_QUOTED = 40


def contrast_ratio(proof: CheckInputs) -> Iterator[CheckResult]:
    """Text differs from its background by 4.5 : 1 or more; each pair of colours is named once."""
    for scheme in _SCHEMES:
        seen: set[tuple[str, str]] = set()
        for words, colour, background in computed_colours(proof.parsed_html, scheme):
            if (colour, background) in seen:
                continue
            seen.add((colour, background))
            if (ratio := contrast(colour, background)) < MIN_CONTRAST:
                quoted = words if len(words) <= _WORDS_QUOTED else f"{words[:_WORDS_QUOTED]}…"
                message = (
                    f"Make “{quoted}” easier to read in the {scheme} scheme: {colour} on {background} has a contrast "
                    f"of {ratio:.1f} : 1, and {MIN_CONTRAST} is the least."
                )
                yield THEME.result("contrast", "error", message)
