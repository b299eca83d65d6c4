"""Check of the contrast between texts and their backgrounds, computed by a very small CSS cascade.

The cascade knows inline styles, ``bgcolor``, and rules of style elements whose selectors are tags and classes, nested
or not; of media queries only the dark scheme. Newsletters can rely on nothing more. Rules that it does not know
(``[data-ogsc]``, ``:hover``) are not applied.
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

MIN_CONTRAST = 4.5
"""WCAG 2.2, 1.4.3."""
Scheme = Literal["light", "dark"]
_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
_MAX_QUOTED_CHARS = 40
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BLOCK = re.compile(
    r"(?P<media>@media[^{}@]*+)\{(?P<inner>(?:[^{}]*+\{[^{}]*+\})*+)[^{}]*+\}"
    r"|(?<![^{}@;])(?P<selectors>[^{}@;]++)\{(?P<body>[^{}]*+)\}"
)
_COMPOUND = re.compile(r"(?P<tag>[a-z][a-z0-9]*)?(?P<classes>(?:\.[\w-]+)*)")
_PROPERTIES = {"color", "background-color", "background", "display", "visibility"}
_NAMED_COLOURS = {"white": "#ffffff", "black": "#000000"}
# The defaults of mail programs; those of the dark scheme are Chromium's and Safari's for pages that support it.
_INITIAL: dict[Scheme, dict[str, str]] = {
    "light": {"color": "#000000", "background": "#ffffff", "link": "#0000ee"},
    "dark": {"color": "#ffffff", "background": "#121212", "link": "#9e9eff"},
}

ColouredText = tuple[str, str, str]
"""A text, its colour and its background, both ``#rrggbb``."""


def contrast_ratio(inputs: CheckInputs) -> Iterator[CheckResult]:
    """Check that every text contrasts with its background, in light and in dark; report each pair of colours once."""
    for scheme in _SCHEMES:
        seen: set[tuple[str, str]] = set()
        for text, colour, background in computed_colours(inputs.html, scheme):
            if (colour, background) in seen:
                continue
            seen.add((colour, background))
            if (ratio := contrast(colour, background)) < MIN_CONTRAST:
                quoted = text if len(text) <= _MAX_QUOTED_CHARS else f"{text[:_MAX_QUOTED_CHARS]}…"
                message = (
                    f"Make “{quoted}” easier to read in the {scheme} scheme: {colour} on {background} has a contrast "
                    f"of {ratio:.1f} : 1, and {MIN_CONTRAST} is the minimum."
                )
                yield THEME.result("contrast", "error", message)


@dataclass(frozen=True, slots=True)
class _Compound:
    """A compound selector, or the identity of an element: a tag and classes."""

    tag: str
    classes: frozenset[str]


_Declarations = tuple[tuple[str, str, bool], ...]
"""(property, value, whether it is important)."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A selector and its declarations."""

    selector: tuple[_Compound, ...]
    declarations: _Declarations
    order: tuple[int, int, int]
    """Sorts rules as CSS does: by specificity, then by their position."""


@dataclass(frozen=True, slots=True)
class _Colours:
    """The colours that an element inherits."""

    text: str
    background: str


def computed_colours(html: ParsedHtml, scheme: Scheme) -> Iterator[ColouredText]:
    """Yield every displayed text, and the alt text of every image, with its colours."""
    initial = _INITIAL[scheme]
    rules = list(_parse_rules(html.css, scheme))
    inherited = _Colours(initial["color"], initial["background"])
    yield from _element_colours(html.root.find("body"), [_identity(html.root)], inherited, rules, initial["link"])


def _element_colours(
    element: Any, ancestors: list[_Compound], inherited: _Colours, rules: list[_Rule], link_colour: str
) -> Iterator[ColouredText]:
    path = [*ancestors, _identity(element)]
    values = _cascaded(element, path, rules)
    if values.get("display") == "none" or values.get("visibility") == "hidden":
        return
    background = _parse_colour(values.get("background-color") or values.get("background", ""))
    default = link_colour if element.tag == "a" and element.get("href") else inherited.text
    colours = _Colours(_parse_colour(values.get("color", "")) or default, background or inherited.background)
    yield from _coloured(element.get("alt") if element.tag == "img" else element.text, colours)
    for child in element:
        if isinstance(child.tag, str) and child.tag not in ("style", "script"):
            yield from _element_colours(child, path, colours, rules, link_colour)
        yield from _coloured(child.tail, colours)


def _coloured(text: str | None, colours: _Colours) -> Iterator[ColouredText]:
    if text and (text := " ".join(text.split())):
        yield text, colours.text, colours.background


def _cascaded(element: Any, path: list[_Compound], rules: list[_Rule]) -> dict[str, str]:
    """Return the values that apply to an element: rules, its own style over them, ``!important`` over both."""
    values = {"background-color": element.get("bgcolor")} if element.get("bgcolor") else {}
    matching = sorted((rule for rule in rules if _selects(rule.selector, path)), key=lambda rule: rule.order)
    ordered = [rule.declarations for rule in matching]
    ordered.append(_parse_declarations(element.get("style") or ""))
    for important in (False, True):
        for declarations in ordered:
            values.update({name: value for name, value, is_important in declarations if is_important is important})
    return values


def _identity(element: Any) -> _Compound:
    return _Compound(element.tag, frozenset((element.get("class") or "").split()))


def _selects(selector: tuple[_Compound, ...], path: list[_Compound]) -> bool:
    """Return whether a selector selects the last element of a path from the root."""
    *outer, last = selector
    if not _matches(last, path[-1]):
        return False
    ancestors = iter(reversed(path[:-1]))
    return all(any(_matches(compound, ancestor) for ancestor in ancestors) for compound in reversed(outer))


def _matches(compound: _Compound, element: _Compound) -> bool:
    return compound.tag in ("", element.tag) and compound.classes <= element.classes


def _parse_rules(css: str, scheme: Scheme, position: int = 0) -> Iterator[_Rule]:
    for block in _BLOCK.finditer(_COMMENT.sub("", css)):
        position += 1
        if block["media"] is not None:
            if scheme == "dark" and re.search(r"prefers-color-scheme:\s*dark", block["media"]):
                yield from _parse_rules(block["inner"], scheme, 1000 * position)
            continue
        declarations = _parse_declarations(block["body"])
        for text in block["selectors"].split(",") if declarations else ():
            if selector := _parse_selector(text):
                classes = sum(len(compound.classes) for compound in selector)
                tags = sum(bool(compound.tag) for compound in selector)
                yield _Rule(selector, declarations, (classes, tags, position))


def _parse_selector(selector: str) -> tuple[_Compound, ...]:
    """Return a selector's compounds; empty if it has more than tags and classes."""
    compounds = []
    for text in selector.split():
        compound = _COMPOUND.fullmatch(text)
        if not compound:
            return ()
        compounds.append(_Compound(compound["tag"] or "", frozenset(compound["classes"].split(".")[1:])))
    return tuple(compounds)


def _parse_declarations(body: str) -> _Declarations:
    """Return the declarations that matter for colours."""
    pairs = (declaration.partition(":") for declaration in body.split(";"))
    return tuple(
        (name.strip().lower(), value.replace("!important", "").strip().lower(), "!important" in value)
        for name, _, value in pairs
        if name.strip().lower() in _PROPERTIES
    )


def _parse_colour(value: str) -> str:
    """Return a CSS colour as ``#rrggbb``; empty if it is not one, or transparent.

    >>> _parse_colour("#FFF"), _parse_colour("rgb(32, 31, 28)"), _parse_colour("transparent")
    ('#ffffff', '#201f1c', '')
    """
    value = value.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", value):
        return value
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        return "#" + "".join(2 * digit for digit in value[1:])
    if channels := re.fullmatch(r"rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*\)", value):
        return "#" + "".join(f"{min(int(channel), 255):02x}" for channel in channels.groups())
    return _NAMED_COLOURS.get(value, "")
