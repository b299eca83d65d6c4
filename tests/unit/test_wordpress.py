"""Shortcodes and share buttons of WordPress are removed, and nothing else."""

from __future__ import annotations

import pytest

from pipeline.ingest.body import clean_body
from pipeline.text.wordpress import find_shortcode, strip_plugin_markup, strip_shortcodes

BASE = "https://harbourandhearth.example/bread/"
GONE = (
    '[gallery ids="1,2"]',
    "[gallery]",
    "[gallery ids=”1,2″ link=”none”]",
    "[embed]https://video.example/1[/embed]",
    '[audio src="https://audio.example/1.mp3"]',
    "[youtube https://video.example/watch?v=1&amp;w=640]",
    '[video width="640" mp4="https://video.example/1.mp4"][/video]',
    '[contact-form-7 id="12" title="Write to us"]',
    '[et_pb_text admin_label="Text"]',
    "[/vc_row]",
    "[ssp_player]",
    '[unheard-of id="7" /]',
)
KEPT = ("[sic]", "[1]", "[video]", "[Ed.: see below]", "[…]", "[a, b]", "[x = 3]", "[[gallery]]", "[audio, 3 minutes]")


@pytest.mark.parametrize("code", GONE)
def test_shortcodes_are_removed_with_their_paragraph(code: str):
    """Those of WordPress and its plugins, single or in pairs, with straight or curly quotes."""
    assert clean_body(f"<p>Salt first.</p>\n<p>{code}</p>", BASE) == "<p>Salt first.</p>"


@pytest.mark.parametrize("words", KEPT)
def test_other_brackets_stay(words: str):
    """Remarks, numbers and words that only resemble a shortcode belong to the author."""
    assert strip_shortcodes(f"Salt {words} first.") == f"Salt {words} first."


def test_text_between_two_shortcodes_stays():
    """A caption loses its brackets, not its image or its words."""
    body = clean_body('<p>[caption id="a" width="300"]<img src="/b.jpg" alt="A loaf"> A loaf[/caption]</p>', BASE)
    assert body == '<p><img src="https://harbourandhearth.example/b.jpg" alt="A loaf"> A loaf</p>'


def test_shortcodes_in_code_stay():
    """A post about WordPress may quote one."""
    html = '<p>Write <code>[gallery ids="1"]</code>.</p>'
    assert strip_plugin_markup(html) == html


def test_share_buttons_are_removed_with_heading_and_list():
    """Jetpack's "Share this:" is removed completely, and a list before it stays."""
    share = "".join(
        f'<li><a href="https://harbourandhearth.example/bread/?share={name}&amp;nb=1">{name}</a></li>'
        for name in ("facebook", "x", "email")
    )
    html = (
        f"<ul><li>Salt</li></ul><div class='sharedaddy'><h3>Share this:</h3><ul>{share}<li class='end'></li></ul></div>"
    )
    assert clean_body(html, BASE) == "<ul><li>Salt</li></ul>"


def test_share_links_are_removed_without_a_heading():
    """Some feeds have only the list; its other links stay."""
    html = (
        '<ul><li><a href="/bread/?share=facebook">Facebook</a></li><li><a href="/salt/?share=list">Salt</a></li></ul>'
    )
    assert clean_body(html, BASE) == (
        '<ul><li><a href="https://harbourandhearth.example/salt/?share=list">Salt</a></li></ul>'
    )


def test_unknown_shortcodes_are_found():
    """The check finds a shortcode that is not known; a remark is none."""
    assert find_shortcode("Bake it [/fancybox] now") == "[/fancybox]"
    assert not any(find_shortcode(words) for words in KEPT if words != "[[gallery]]")


def test_many_brackets_take_linear_time():
    """No match is longer than a few hundred characters, whatever a feed repeats."""
    for piece in ("[gallery ", "[a b='", "[embed]", "<pre>[", "<code>"):
        text = piece * (30_000 // len(piece))
        assert strip_shortcodes(text) == text
    heading = "<p>Share this:</p><ul>" * 1_000
    link = '<a href="https://h.example/?share=x">x'
    assert strip_plugin_markup(f"{heading}{link * 500}</a>").startswith("<ul>")
