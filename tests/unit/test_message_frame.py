"""The copy of a mail's HTML that is shown in a frame."""

from __future__ import annotations

import re

import pytest

from pipeline.web.desk.message_frame import force_dark, frame_html, resolve_color_scheme
from tests.fake_desk import HTML


def test_a_light_frame_changes_nothing_but_its_head() -> None:
    """In the light scheme only the head of a mail is changed."""
    body = HTML[HTML.index("<body") :]
    assert frame_html(HTML).endswith(body)


def test_links_open_a_new_tab() -> None:
    """The base element sends links to a new tab."""
    assert '<base target="_blank">' in frame_html(HTML)


def test_a_mail_without_a_head_gets_the_additions() -> None:
    """HTML without a head gets the frame's additions at its start."""
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
def test_dark_needs_a_declared_dark_scheme(declared: str, scheme: str) -> None:
    """A mail that declares no dark scheme keeps a light canvas, as in mail clients."""
    assert f"color-scheme:{scheme}!important" in frame_html(f"<head>{declared}</head>", scheme="dark")


def test_compound_media_queries_keep_their_other_parts() -> None:
    """Only the query for the scheme is resolved; width and medium are left to the browser."""
    css = "<style>@media only screen and (PREFERS-COLOR-SCHEME:DARK) and (max-width:480px){a{color:#fff}}</style>"
    assert "@media only screen and (min-width:0) and (max-width:480px)" in resolve_color_scheme(css, "dark")
    assert "@media only screen and (max-width:0) and (max-width:480px)" in resolve_color_scheme(css, "light")


def test_forced_dark_ignores_the_mails_own_dark_design() -> None:
    """Clients that recolour a mail ignore its dark styles."""
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
    """Fragments, text, light text and dark backgrounds keep their colours."""
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
def test_forced_dark_darkens_every_light_background(light: str) -> None:
    """Attributes, shorthands, borders and style sheets are darkened."""
    found = re.search(r"#([0-9a-f]{6})", force_dark(light))
    assert found is not None
    assert max(bytes.fromhex(found[1])) < 0x60
