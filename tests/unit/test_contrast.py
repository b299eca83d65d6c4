"""The contrast of texts: the colours that a mail program computes, and how little of them is enough."""

from __future__ import annotations

import pytest

from pipeline.digest.checks.contrast import computed_colours, contrast_ratio
from pipeline.digest.checks.html import parse_html
from pipeline.digest.checks.inputs import prepare_inputs
from pipeline.model.check import PreflightContext
from pipeline.model.digest import RenderedDigest
from tests.golden.sample import BARE

COLOURS = """<style>.a { color: #111111 } p.a { color: #222222 } div .a { color: #333333 }
@media (prefers-color-scheme: dark) { .a { color: #eeeeee !important } body { background: #000000 } }
@media (max-width: 480px) { .a { color: #ff0000 !important } } .a:hover, div > .a { color: #00ff00 }</style>"""


@pytest.mark.parametrize(
    ("body", "light", "dark"),
    [
        ("<b>x</b>", ("#000000", "#ffffff"), ("#ffffff", "#000000")),
        ('<b class="a">x</b>', ("#111111", "#ffffff"), ("#eeeeee", "#000000")),
        ('<p class="a">x</p>', ("#222222", "#ffffff"), ("#eeeeee", "#000000")),
        ('<div><p class="a">x</p></div>', ("#333333", "#ffffff"), ("#eeeeee", "#000000")),
        ('<p class="a" style="color: #444">x</p>', ("#444444", "#ffffff"), ("#eeeeee", "#000000")),
        ('<p style="color: #444444 !important" class="a">x</p>', ("#444444", "#ffffff"), ("#444444", "#000000")),
        ('<td bgcolor="#555555">x</td>', ("#000000", "#555555"), ("#ffffff", "#555555")),
        ('<b><img class="a" alt="x" style="background: #555555"></b>', ("#111111", "#555555"), ("#eeeeee", "#555555")),
        ('<a href="https://a.example/">x</a>', ("#0000ee", "#ffffff"), ("#9e9eff", "#000000")),
        ('<b style="background-color: rgb(1, 2, 3)">x</b>', ("#000000", "#010203"), ("#ffffff", "#010203")),
    ],
)
def test_colours_cascade(body: str, light: tuple[str, str], dark: tuple[str, str]) -> None:
    """Importance, the element's own style, specificity and order decide, as in a mail program."""
    mail = parse_html(f"<html><head>{COLOURS}</head><body><table><tr><td>{body}</td></tr></table></body></html>")
    for scheme, expected in (("light", light), ("dark", dark)):
        assert list(computed_colours(mail, scheme)) == [("x", *expected)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("css", "body", "colour", "background"),
    [
        ("p { color: #FFF } p { color: #abc }", "<p>x</p>", "#aabbcc", "#ffffff"),
        (".a { color: #111111 } p { color: #222222 }", '<p class="a">x</p>', "#111111", "#ffffff"),
        (".a.b { color: #111111 } .b { color: #222222 }", '<p class="b a">x</p>', "#111111", "#ffffff"),
        (".a.b { color: #111111 }", '<p class="b">x</p>', "#000000", "#ffffff"),
        ("b, p.a { color: #111111 }", '<p class="a">x</p>', "#111111", "#ffffff"),
        ("div p { color: #111111 } p { color: #222222 }", "<div><b><p>x</p></b></div>", "#111111", "#ffffff"),
        ("div b p { color: #111111 }", "<b><div><p>x</p></div></b>", "#000000", "#ffffff"),
        ("body p { color: #111111 }", "<p>x</p>", "#111111", "#ffffff"),
        ("html p { color: #111111 }", "<p>x</p>", "#111111", "#ffffff"),
        ("p { color: #111111 !important }", '<p style="color: #222222">x</p>', "#111111", "#ffffff"),
        ("p { color: #111111 !important }", '<p style="color: #222222 !important">x</p>', "#222222", "#ffffff"),
        ("p { color: #111111 !important } p { color: #222222 }", "<p>x</p>", "#111111", "#ffffff"),
        ("/* p { color: #111111 } */ p { COLOR: Black }", "<p>x</p>", "#000000", "#ffffff"),
        ("p { color: #111111 } /* left open p { color: #222222 }", "<p>x</p>", "#111111", "#ffffff"),
        ("p[data-x] { color: #111111 } p { font-size: 9px }", '<p data-x="1">x</p>', "#000000", "#ffffff"),
        ("div { color: #111111; background: #222222 }", "<div><p>x</p></div>", "#111111", "#222222"),
        ("b { background: none; color: inherit }", '<i style="color: #111111"><b>x</b></i>', "#111111", "#ffffff"),
        ("td { background-color: #222222 }", '<td bgcolor="#111111">x</td>', "#000000", "#222222"),
        ("p { background-color: #111111; background: #222222 }", "<p>x</p>", "#000000", "#111111"),
        ("", '<p style="color: rgb(300, 0 ,9)">x</p>', "#ff0009", "#ffffff"),
        ("", '<p style="color: rgb(1 2 3)">x</p>', "#010203", "#ffffff"),
        ("", '<p style="color: white; background: black">x</p>', "#ffffff", "#000000"),
        ("", '<p style="color: #12345">x</p>', "#000000", "#ffffff"),
        ("", '<a name="top">x</a>', "#000000", "#ffffff"),
        ("", '<a href="https://a.example/" style="color: #111111">x</a>', "#111111", "#ffffff"),
        ("", '<a href="https://a.example/"><b>x</b></a>', "#0000ee", "#ffffff"),
        ("", '<div style="color: #111111"><b style="color: #222222"></b>x</div>', "#111111", "#ffffff"),
        ("@media screen { p { color: #111111 } } p { color: #222222 }", "<p>x</p>", "#222222", "#ffffff"),
    ],
)  # fmt: skip
def test_rules_of_the_cascade(css: str, body: str, colour: str, background: str) -> None:
    """The more specific rule, then the later one; descendants inherit; what is no colour, or not known, is ignored."""
    mail = parse_html(f"<html><head><style>{css}</style></head><body><table><tr>{body}</tr></table></body></html>")
    assert [found for found in computed_colours(mail, "light") if found[0] == "x"] == [("x", colour, background)]


@pytest.mark.parametrize(
    ("css", "colour"),
    [
        ("@media (prefers-color-scheme:dark) { p { color: #111111 } } p { color: #222222 }", "#111111"),
        ("@media (prefers-color-scheme: dark) { p { color: #111111 } p { color: #333333 } }", "#333333"),
        ("p { color: #222222 } @media (prefers-color-scheme: light) { p { color: #111111 } }", "#222222"),
        (
            "@media (prefers-color-scheme: dark) { p { color: #111111 } }"
            "@media screen and (prefers-color-scheme: dark) { p { color: #333333 } }",
            "#333333",
        ),
    ],
)
def test_the_dark_scheme_comes_last(css: str, colour: str) -> None:
    """Its rules come after all others, in their order."""
    mail = parse_html(f"<html><head><style>{css}</style></head><body><p>x</p></body></html>")
    assert list(computed_colours(mail, "dark")) == [("x", colour, "#121212")]


def test_what_is_displayed() -> None:
    """Texts before, in and after elements, on one line, and alt texts; comments, styles and scripts are not."""
    body = (
        'a  b<b>c</b>d<img src="x.png" alt=" e "><img src="x.png" alt=""><!-- f -->g<style>h</style>i'
        '<script>j</script>k<p style="display: NONE">l</p>m<p style="visibility: hidden">n <b>o</b></p>'
    )
    shown = [text for text, *_ in computed_colours(parse_html(f"<body>{body}</body>"), "light")]
    assert shown == ["a b", "c", "d", "e", "g", "i", "k", "m"]


@pytest.mark.parametrize(("length", "quoted"), [(40, "x" * 40), (41, "x" * 40 + "…")])
def test_each_pair_of_colours_is_reported_once(length: int, quoted: str) -> None:
    """In each scheme, with the beginning of its first text."""
    body = f'<p style="color: #777777; background: #fff">{"x" * length}</p>' * 2
    other = '<p style="color: #777777; background: #eee">y</p><p style="color: #767676; background: #fff">z</p>'
    html = f"<html><body>{body}{other}</body></html>"
    inputs = prepare_inputs(BARE, RenderedDigest(subject="", preheader="", html=html, text=""), b"", PreflightContext())
    found = [(each.message, each.level, each.where) for each in contrast_ratio(inputs)]
    assert found == [
        (
            f"Make “{text}” easier to read in the {scheme} scheme: #777777 on {background} has a contrast of "
            f"{ratio} : 1, and 4.5 is the minimum.",
            "error",
            "theme",
        )
        for scheme in ("light", "dark")
        for text, background, ratio in ((quoted, "#ffffff", "4.5"), ("y", "#eeeeee", "3.9"))
    ]
