"""The proof's banner: what the editor is told and asked, above the mail and never in it.

In: the two templates of ``templates/proof/``, what they show, and the parts of a draft. Out: the parts of the proof:
the banner, and below it the draft's own bytes. Reads those templates, nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.digest.render.theme import load_templates, render_template
from pipeline.model.check import LEVELS, CheckResult

if TYPE_CHECKING:
    from jinja2 import Template

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerButton:
    """A link that looks like one."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofBanner:
    """What the banner says."""

    week: str
    number: int | None
    plan: str
    """What will happen if nobody does anything, as a sentence."""
    checks: tuple[CheckResult, ...]
    """What preflight found, the gravest first."""
    buttons: tuple[BannerButton, ...]
    hint: str
    """How else it can be approved, as a sentence."""

    @property
    def summary(self) -> str:
        """Count what was found.

        >>> wrong = Check(name="contrast", level="error", message="Darken the accent.")
        >>> Note(week="", number=1, plan="", checks=(wrong, wrong), buttons=(), hint="").tally
        '2 errors. Errors stop approval.'
        """
        count = Counter(check.level for check in self.checks)
        told = [f"{count[level]} {level}{'s' * (count[level] > 1)}" for level in LEVELS if count[level]]
        if not told:
            return "The checks found nothing to mend."
        return f"{', '.join(told)}." + (" Errors stop approval." if count["error"] else " None of them stops approval.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerTemplates:
    """Both templates, compiled."""

    html: Template
    text: Template

    def prepend(self, html: str, text: str, banner: ProofBanner) -> tuple[str, str]:
        """Put the banner above both parts of a mail; what follows it is the part as it was, character by character.

        TemplateError when a template asks for something that does not exist.
        """
        told = render_template(self.text, note=banner).rstrip()
        return prepend_html(html, render_template(self.html, note=banner)), f"{told}\n\n{text}"


def load_banner_templates(folders: Sequence[Path]) -> BannerTemplates:
    """Compile the templates; TemplateError when one is missing or broken."""
    html, text = load_templates(folders, "proof/banner.html.j2", "proof/banner.txt.j2")
    return BannerTemplates(html=html, text=text)


def prepend_html(html: str, banner: str) -> str:
    """Put a banner at the top of a page's body, whatever its attributes.

    >>> above_html('<html><body class="page"><p>Bread</p></body></html>', "<p>Proof</p>")
    '<html><body class="page"><p>Proof</p><p>Bread</p></body></html>'
    """
    body = _BODY.search(html)
    at = body.end() if body else 0
    return html[:at] + banner + html[at:]
