"""The proof's banner: the editor's information and buttons, above the newsletter and never part of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.digest.render.theme import load_templates, render_template
from pipeline.model.check import LEVELS, CheckLine, CheckResult, check_lines
from pipeline.model.digest import SkimLine
from pipeline.model.variant import Variant

if TYPE_CHECKING:
    from jinja2 import Template

_BODY = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerButton:
    """A link shown as a button."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofBanner:
    """The content of a banner."""

    week: str
    number: int | None
    plan: str
    """A sentence about what happens if nobody does anything."""
    checks: tuple[CheckResult, ...]
    """The results of preflight, the most severe first."""
    buttons: tuple[BannerButton, ...]
    preheader: str = ""
    skim: tuple[SkimLine, ...] = ()
    """The titles and first words of the stories."""
    variants: tuple[Variant, ...] = ()
    """The variants of the edition, which are attached."""
    hint: str
    """A sentence about how to approve without the buttons."""

    @property
    def lines(self) -> tuple[CheckLine, ...]:
        """The results, those that say the same of several stories together."""
        return check_lines(self.checks)

    @property
    def summary(self) -> str:
        """A sentence that counts the check results.

        >>> result = CheckResult(name="contrast", level="error", message="Darken the accent.")
        >>> ProofBanner(week="", number=1, plan="", checks=(result, result), buttons=(), hint="").summary
        '2 errors. Errors stop approval.'
        """
        count = Counter(result.level for result in self.checks)
        counts = [f"{count[level]} {level}{'s' * (count[level] > 1)}" for level in LEVELS if count[level]]
        if not counts:
            return "The checks found no problems."
        ending = "Errors stop approval." if count["error"] else "None of them stops approval."
        return f"{', '.join(counts)}. {ending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerTemplates:
    """The compiled templates of a banner."""

    html: Template
    text: Template

    def prepend(self, html: str, text: str, banner: ProofBanner) -> tuple[str, str]:
        """Return both parts of a message with the banner above them; below it each part is unchanged.

        Raise TemplateError if a template uses an unknown name.
        """
        above = render_template(self.text, banner=banner).rstrip()
        return prepend_html(html, render_template(self.html, banner=banner)), f"{above}\n\n{text}"


def load_banner_templates(folders: Sequence[Path]) -> BannerTemplates:
    """Return the compiled templates of ``templates/proof/``; raise TemplateError if one is missing or broken."""
    html, text = load_templates(folders, "proof/banner.html.j2", "proof/banner.txt.j2")
    return BannerTemplates(html=html, text=text)


def prepend_html(html: str, banner: str) -> str:
    """Return a page with a banner at the beginning of its body.

    >>> prepend_html('<html><body class="page"><p>Bread</p></body></html>', "<p>Proof</p>")
    '<html><body class="page"><p>Proof</p><p>Bread</p></body></html>'
    """
    body = _BODY.search(html)
    start = body.end() if body else 0
    return html[:start] + banner + html[start:]
