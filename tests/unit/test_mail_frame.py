"""The copy of a mail that is shown in a frame."""

from __future__ import annotations

import re

import pytest

from pipeline.web.desk.mail_frame import force_dark, frame_html, resolve_color_scheme
from tests.fake_desk import HTML


def test_a_light_frame_changes_nothing_but_its_head() -> None:
    """Without a dark part in its styles, the body of a mail is framed as it is."""
    body = HTML[HTML.index("<body") :]
    assert frame_html(HTML).endswith(body)


def test_every_link_opens_beside_the_preview() -> None:
    """The frame's base sends links to a tab of their own."""
    assert '<base target="_blank">' in frame_html(HTML)


def test_a_mail_without_a_head_is_framed_all_the_same() -> None:
    """A scrap of HTML gets the frame's additions in front."""
    assert frame_html("<p>Hi</p>").endswith("</style><p>Hi</p>")


@pytest.mark.parametrize(
    ("declared", "scheme"),
    [
        ('<meta name="color-scheme" content="light dark">', "dark"),
        ("<style>:root{color-scheme:light dark}</style>", "dark"),
        ('<meta name="color-scheme" content="light only">', "light"),
        ("", "light"),
    ],
)
def test_dark_is_dark_only_where_it_was_authored(declared: str, scheme: str) -> None:
    """A mail that does not declare a dark scheme keeps a light canvas, as clients show it."""
    assert f"color-scheme:{scheme}!important" in frame_html(f"<head>{declared}</head>", scheme="dark")


def test_compound_media_queries_keep_their_other_parts() -> None:
    """Only the question for the scheme is answered; width and medium are still the browser's."""
    css = "<style>@media only screen and (PREFERS-COLOR-SCHEME:DARK) and (max-width:480px){a{color:#fff}}</style>"
    assert "@media only screen and (min-width:0) and (max-width:480px)" in resolve_color_scheme(css, "dark")
    assert "@media only screen and (max-width:0) and (max-width:480px)" in resolve_color_scheme(css, "light")


def test_forced_dark_ignores_the_authored_one() -> None:
    """Clients that recolour a mail do not read its dark styles."""
    assert "(prefers-color-scheme" not in frame_html(HTML, scheme="forced")
    assert "(max-width:0)" in frame_html(HTML, scheme="forced")


@pytest.mark.parametrize(
    "untouched",
    [
        '<a href="#fff000">x</a>',
        "<p>color: #000000 in words</p>",
        '<td style="color:red" id="x" data-x="#000000">',
        '<td style="color:#ffffff">',
        '<td bgcolor="#000000">',
        "<!--[if mso]> words <![endif]-->",
    ],
)
def test_forced_dark_leaves_the_rest_alone(untouched: str) -> None:
    """Fragments, words, light words and dark grounds keep their colours."""
    assert force_dark(untouched) == untouched


@pytest.mark.parametrize(
    "light",
    [
        '<td bgcolor="#FFFFFF">',
        '<td style="background:#fff">',
        '<td style="background-color: #f4f1ea">',
        '<td style="border-top:1px solid #e5e0d5">',
        "<style>.a{background:#ffffff}</style>",
    ],
)
def test_forced_dark_darkens_every_kind_of_light_ground(light: str) -> None:
    """Attributes, shorthands, borders and style sheets: no light colour is left."""
    found = re.search(r"#([0-9a-f]{6})", force_dark(light))
    assert found is not None
    assert max(bytes.fromhex(found[1])) < 0x60
