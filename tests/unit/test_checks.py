"""Preflight: a good newsletter passes every check, and each problem is reported."""

from __future__ import annotations

import re
from dataclasses import replace
from inspect import getsource
from pathlib import Path

import pytest

from pipeline.digest.checks import CHECKS, manifest_results, preflight
from pipeline.digest.checks.inputs import prepare_inputs
from pipeline.digest.edition.seal import seal
from pipeline.digest.render.mime import to_eml
from pipeline.digest.render.render import render
from pipeline.digest.render.theme import load_theme
from pipeline.model.check import (
    CHECK_NAMES,
    FIX_TARGETS,
    CheckResult,
    blocking_results,
    check_lines,
)
from pipeline.model.digest import Section
from tests.golden.problems import (
    GUEST,
    LOAF,
    PROBLEMS,
    THEMES,
    TITLE,
    found,
    line,
    rendered,
    report,
    results,
    same_picture_twice,
    with_loaf,
)
from tests.golden.sample import BARE, PUBLICATION, SAMPLE

ROOT = Path(__file__).parents[2]


def test_a_good_newsletter_passes() -> None:
    """The sample has no problem at all."""
    assert found() == ()


@pytest.mark.parametrize("theme", ["classic", "journal"])
def test_a_logo_is_readable_without_images(theme: str) -> None:
    """In the dark its alt text has the colours of its own background."""
    logo = replace(SAMPLE, publication=replace(PUBLICATION, logo_url="https://harbourandhearth.example/logo.png"))
    shown = render(logo, load_theme([THEMES], theme))

    def contrast_messages(html: str) -> set[str]:
        checks = preflight(logo, replace(shown, html=html), to_eml(shown, logo))
        return {check.message for check in checks if check.name == "contrast"}

    assert contrast_messages(shown.html) == set()
    assert any(
        PUBLICATION.name in message
        for message in contrast_messages(re.sub(r"(\.logo \{[^}]*) color: #\w+ !important;", r"\1", shown.html))
    )


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_problem_is_reported(case: str) -> None:
    """With the name and level of its check, at its location, in a complete sentence."""
    _, name, level, where = PROBLEMS[case]
    matching = [result for result in results(case) if result.name == name and result.level == level]
    assert where in {result.where for result in matching}
    assert all(result.message.endswith(".") for result in matching)


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_problem_names_what_to_edit(case: str) -> None:
    """One of FIX_TARGETS and, for stories, feeds and settings, which one."""
    for result in results(case):
        target, _, which = result.fix_target.partition(" ")
        assert target in FIX_TARGETS
        assert bool(which) == (target in ("story", "feed", "setting"))
    targets = {result.fix_target for result in results(case) if result.where == TITLE}
    assert targets <= {f"story {LOAF.entries[0].feed_id} {LOAF.entries[0].guid}"}


@pytest.mark.parametrize("case", PROBLEMS)
def test_the_editor_reads_the_same_of_each_problem(case: str) -> None:
    """What is found, where it is and what to do about it are golden, word for word."""
    golden = (ROOT / "tests/golden/checks.txt").read_text("utf-8").strip().split("\n\n")
    assert len(golden) == len(PROBLEMS)
    assert report(case).split("\n") == golden[list(PROBLEMS).index(case)].split("\n"), "read make golden's diff"


@pytest.mark.parametrize("case", PROBLEMS)
def test_each_check_finds_its_problem_alone(case: str) -> None:
    """It needs no other check for that, and says the same."""
    broken, name, *_ = PROBLEMS[case]
    (check,) = (each for each in CHECKS if f'.result("{name}",' in getsource(each))
    golden = (ROOT / "tests/golden/checks.txt").read_text("utf-8").split("\n\n")[list(PROBLEMS).index(case)]
    lines = [line(result) for result in check(prepare_inputs(*broken()))]
    assert any(f" {name}, " in each for each in lines)
    assert set(lines) <= set(golden.strip("\n").split("\n"))


def test_every_check_is_tested() -> None:
    """Each name that a check may report has a case here."""
    sources = [getsource(check) for check in CHECKS]
    names = {name for source in sources for name in re.findall(r'\.result\("([\w-]+)"', source)}
    assert names == {name for _, name, _, _ in PROBLEMS.values()}


def test_every_check_is_documented() -> None:
    """docs/checks.md has a row for each name, and no other."""
    rows = re.findall(r"(?m)^\| (`[^|]*`) \|", (ROOT / "docs/checks.md").read_text())
    assert set(CHECK_NAMES) == {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}


def test_harmless_text_is_not_reported() -> None:
    """Spanish "todo", a single brace and a guest named Tk are fine."""
    spanish = replace(SAMPLE, publication=replace(PUBLICATION, language="es"), introduction_md="TODO el pan del mundo.")
    assert "todo-note" not in {check.name for check in found(spanish)}
    assert found(with_loaf(excerpt_md="A {brace} costs 100%, says Tk; a list, [1], of *todos*.")) == ()


@pytest.mark.parametrize(
    "harmless",
    [
        {"title": "Using the <b> element, and &nbsp; too"},
        {"title": "C++ — and more…"},
        {"title": '“Salt”: „Brot“ «pain» 6" :('},
        {"title": "1) Flour"},
        {"excerpt_md": "Use `<b>bold</b>` and `&nbsp;` in templates."},
        {"excerpt_md": "iPads in the bakery. Ida has two."},
        {"excerpt_md": "no capitals here. ida never uses them."},
        {"excerpt_md": "“One paragraph.\n\n“And another.”"},
        {"excerpt_md": "- flour\n- water\n- and"},
        {"excerpt_md": "Ida shares this loaf with everybody. She clicks here and there."},
        {"excerpt_md": "Ida says «хлеб» and ψωμί where we say bread, and so do her guests."},
        {"excerpt_md": "See [ours](https://harbourandhearth.example/?utm_source=letter)."},
    ],
)
def test_harmless_leftovers_are_not_reported(harmless: dict[str, str]) -> None:
    """A text may speak of tags, be in lower case, quote other languages and link to the own site with parameters."""
    names = {"raw-markup", "dangling-mark", "half-sentence", "furniture", "mixed-languages", "tracking-link"}
    assert not names & {check.name for check in found(with_loaf(**harmless))}


def test_briefs_show_no_picture() -> None:
    """So one that two stories share is not repeated if one of them is a brief."""
    once = same_picture_twice()
    brief = replace(once.sections[1], stories=(replace(once.sections[1].stories[0], level="brief"),))
    shown = replace(once, sections=(once.sections[0], brief, *once.sections[2:]))
    assert "repeated-picture" not in {check.name for check in found(shown)}


def test_like_results_are_one_line() -> None:
    """Results with the same check, level and message, whatever they quote, in the order of the first."""
    tag, other = (
        CheckResult(name="raw-markup", level="warning", message="Correct it.", where=where, quote=quote)
        for where, quote in (("Bread", "</b>"), ("Salt", "&nbsp;"))
    )
    between = replace(tag, name="furniture", where="", quote="")
    lines = check_lines([tag, between, other])
    assert [line.results for line in lines] == [(tag, other), (between,)]
    assert [line.locations for line in lines] == [("Bread (“</b>”)", "Salt (“&nbsp;”)"), ()]


def test_results_are_ordered_and_unique() -> None:
    """Errors come before warnings, warnings before hints, without duplicates."""
    checks = found(replace(BARE, subject="TK"))
    assert [check.level for check in checks] == sorted(
        (check.level for check in checks), key=["error", "warning"].index
    )
    assert len(checks) == len(set(checks))


def test_checks_are_deterministic() -> None:
    """The same digest gives the same results in the same order."""
    awkward = replace(SAMPLE, subject="TK {{ a }}", preheader="", introduction_md="[here](https://bit.ly/1)")
    assert found(awkward) == found(awkward)


def test_a_manifest_holds_the_results() -> None:
    """They are read back as they were sealed."""
    checks = found(BARE)
    edition = seal(BARE, rendered(BARE), b"", left_out=(), checks=checks)
    assert manifest_results(edition.manifest) == checks != ()


def test_only_errors_that_are_not_overridden_block() -> None:
    """Warnings never stop approval; an error does until its name is given."""
    checks = found(replace(SAMPLE, subject="TK", preheader=""))
    assert {check.name for check in blocking_results(checks)} == {"todo-note"}
    assert blocking_results(checks, ["todo-note"]) == ()


def test_older_stories_are_checked_too() -> None:
    """A story shown again is checked like a new one."""
    again = replace(GUEST, excerpt_md="TODO: shorten")
    archive = (Section(kind="archive", heading="From the archive", stories=(again,)),)
    assert "todo-note" in {check.name for check in found(replace(SAMPLE, archive=archive))}
