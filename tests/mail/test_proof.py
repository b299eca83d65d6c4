"""The proof: an edition with the banner above it passes the same validators."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.digest.render.mime import to_proof_eml
from pipeline.digest.render.proof_banner import BannerButton, ProofBanner, load_banner_templates
from pipeline.model.check import CheckResult
from pipeline.model.digest import Edition, SkimLine
from tests.golden.sample import PUBLICATION
from tests.mail.editions import NOW, TEMPLATES, THEMES, RenderedMail, mail
from tests.mail.external_validators import nu_errors, spam_scores
from tests.mail.validators import format_errors, link_errors, markup_errors, safety_errors

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOKEN = "2026-W07." + "40ff5583" * 8 + ".approve.1.1771771545." + "x" * 43
LONG = "https://tides.example/" + "a-very-long-address/" * 12
BANNER = ProofBanner(
    week="2026-W07",
    number=14,
    plan="It will not go out on Fri 20 Feb 2026 07:00, because of its errors: fix them, or `approve` it.",
    checks=(
        CheckResult(
            name="dead-link", level="error", message=f"{LONG} answered 404: fix that link.", where="Tide tables"
        ),
        CheckResult(name="introduction", level="warning", message="Write an introduction of up to 60 words."),
        CheckResult(name="image-alt", level="hint", message="Describe the <b>picture</b>.", where="قهوة على الرصيف"),
    ),
    buttons=tuple(
        BannerButton(label=label, url=f"https://desk.example/proof/{TOKEN}") for label in ("Approve", "Hold", "Desk")
    ),
    preheader="Bread, and a road of salt.",
    skim=(
        SkimLine(title="A <b>slow</b> loaf", text="February is a poor month for hurrying.", level="lead"),
        SkimLine(title="قهوة على الرصيف", level="brief"),
    ),
    hint="On the command line it is `pipeline approve 2026-W07 --hash 40ff5583c089`.",
)
EDITIONS = ("sample", "rtl")
PROOFS = [(theme, edition) for theme in THEMES for edition in EDITIONS]
every_proof = pytest.mark.parametrize(("theme", "edition"), PROOFS)


@cache
def proof(theme: str, edition: str) -> RenderedMail:
    """Return an edition with the banner above it."""
    shown = mail(theme, edition)
    html, text = load_banner_templates([TEMPLATES]).prepend(shown.html, shown.text, BANNER)
    bytes_ = {"html": shown.html.encode(), "text": shown.text.encode(), "eml": shown.eml, "manifest": b"{}"}
    draft = Edition(
        week="2026-W07", state="draft", number=14, subject="Bread", preheader="", content_hash="ab" * 32, **bytes_
    )
    return RenderedMail(html=html, text=text, eml=to_proof_eml(PUBLICATION, draft, text, html, sequence=1, now=NOW))


@every_proof
def test_passes_the_validators(theme: str, edition: str) -> None:
    """Format, markup, links and safety are as good as those of the edition."""
    made = proof(theme, edition)
    assert format_errors(made.eml, made.html, made.text) == []
    assert markup_errors(made.html) == []
    assert link_errors(made.html, made.text) == []
    assert safety_errors(made.html) == []


@cache
def all_nu_errors() -> dict[str, list[str]]:
    """Run the checker once, as Java starts slowly."""
    return nu_errors({f"{theme} {edition}": proof(theme, edition).html for theme, edition in PROOFS})


@every_proof
@pytest.mark.npm("vnu-jar")
@pytest.mark.requires("java")
@pytest.mark.xdist_group("nu")
def test_is_valid_html(theme: str, edition: str) -> None:
    """The Nu HTML Checker finds no error."""
    assert all_nu_errors()[f"{theme} {edition}"] == []


@pytest.mark.requires("spamassassin")
@pytest.mark.xdist_group("spamassassin")
def test_is_not_spam() -> None:
    """Long links and quoted errors do not raise the score."""
    scores = spam_scores({f"{theme} {edition}": proof(theme, edition).eml for theme, edition in PROOFS})
    assert all(score.points <= 0.5 for score in scores.values()), scores


@every_proof
@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 375, 900])
def test_fits_its_screen(chromium: Browser, theme: str, edition: str, width: int) -> None:
    """Nothing is wider than the screen, not even a URL; buttons are large enough for a thumb."""
    context = chromium.new_context(viewport={"width": width, "height": 700})
    page = context.new_page()
    page.route("**/*", lambda route: route.abort())
    page.set_content(proof(theme, edition).html)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes: list[Any] = [
        page.get_by_role("link", name=button.label, exact=True).bounding_box() for button in BANNER.buttons
    ]
    assert all(box["height"] >= 44 for box in boxes)
    context.close()
