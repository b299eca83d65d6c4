"""What WordPress leaves in a text: taken out when a feed is read, and nothing else with it."""

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
def test_a_shortcode_goes_from_the_body_and_takes_its_paragraph_along(code: str):
    """Core's, a plugin's, alone or in a pair, with straight quotes or curly ones."""
    assert clean_body(f"<p>Salt first.</p>\n<p>{code}</p>", BASE) == "<p>Salt first.</p>"


@pytest.mark.parametrize("words", KEPT)
def test_what_a_person_puts_into_brackets_stays(words: str):
    """Remarks, numbers and words that only resemble a shortcode are the author's."""
    assert strip_shortcodes(f"Salt {words} first.") == f"Salt {words} first."


def test_the_words_between_two_shortcodes_stay():
    """A caption loses its brackets, not its picture or its words."""
    found = clean_body('<p>[caption id="a" width="300"]<img src="/b.jpg" alt="A loaf"> A loaf[/caption]</p>', BASE)
    assert found == '<p><img src="https://harbourandhearth.example/b.jpg" alt="A loaf"> A loaf</p>'


def test_code_that_shows_a_shortcode_shows_it():
    """A post about WordPress may quote one."""
    html = '<p>Write <code>[gallery ids="1"]</code>.</p>'
    assert strip_plugin_markup(html) == html


def test_buttons_to_share_go_with_their_heading_and_list():
    """Jetpack's "Share this:" leaves nothing behind, and a list before it stays."""
    share = "".join(
        f'<li><a href="https://harbourandhearth.example/bread/?share={name}&amp;nb=1">{name}</a></li>'
        for name in ("facebook", "x", "email")
    )
    html = (
        f"<ul><li>Salt</li></ul><div class='sharedaddy'><h3>Share this:</h3><ul>{share}<li class='end'></li></ul></div>"
    )
    assert clean_body(html, BASE) == "<ul><li>Salt</li></ul>"


def test_a_bullet_that_shares_goes_without_a_heading_too():
    """The list alone, as some feeds have it; other links of the list stay."""
    html = (
        '<ul><li><a href="/bread/?share=facebook">Facebook</a></li><li><a href="/salt/?share=list">Salt</a></li></ul>'
    )
    assert clean_body(html, BASE) == (
        '<ul><li><a href="https://harbourandhearth.example/salt/?share=list">Salt</a></li></ul>'
    )


def test_what_remains_is_found():
    """A shortcode that nobody knows is still seen by the check; a remark is not."""
    assert find_shortcode("Bake it [/fancybox] now") == "[/fancybox]"
    assert not any(find_shortcode(words) for words in KEPT if words != "[[gallery]]")


def test_endless_brackets_cost_little():
    """Whatever a feed repeats, reading it stays linear: no match is longer than a few hundred characters."""
    for piece in ("[gallery ", "[a b='", "[embed]", "<pre>[", "<code>"):
        text = piece * (30_000 // len(piece))
        assert strip_shortcodes(text) == text
    heading = "<p>Share this:</p><ul>" * 1_000
    link = '<a href="https://h.example/?share=x">x'
    assert strip_plugin_markup(f"{heading}{link * 500}</a>").startswith("<ul>")
