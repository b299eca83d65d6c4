"""HTML from feeds: what was meant as markup or as text, and what keeps its meaning in a newsletter."""

from __future__ import annotations

import pytest

from pipeline.ingest.body import extract_body
from pipeline.ingest.parse.parser import parse_feed
from pipeline.text.html import plain_text, sanitise
from pipeline.text.html_repair import drop_hidden, flatten_scripts, link_embeds, repair_markup
from pipeline.text.markdown import excerpt, to_html, to_markdown, to_text
from pipeline.text.mojibake import find_mojibake, repair_mojibake
from pipeline.text.plain_text import clean_title
from tests.growth import assert_linear

BASE64 = "R0lGODlhAQABAIAAAP" * 40


def _excerpt(html: str) -> tuple[str, str, str]:
    """Return the excerpt of an entry as HTML, as text and as stored with the entry."""
    body = extract_body(html, "", "https://h.example/")
    md = excerpt(to_markdown(body.html))
    return to_html(md), to_text(md), body.excerpt_text


@pytest.mark.parametrize(
    ("html", "meant"),
    [
        ("&lt;div class=&quot;post&quot;&gt;&lt;p&gt;Salt &amp;amp; fat.&lt;/p&gt;&lt;/div&gt;", "Salt & fat."),
        ("<div>&lt;p&gt;Salt.&lt;/p&gt;</div>", "Salt."),
        ("Guest: Ada&lt;br /&gt;Host: Bo", "Guest: Ada Host: Bo"),
        ("The Set<Label> of labels", "The Set<Label> of labels"),
        ("Where p<q and q>r", "Where p<q and q>r"),
        ("The &lt;br&gt; element", "The <br> element"),
        ("<p>Write &lt;p&gt;Salt&lt;/p&gt;.</p><p>Then wait.</p>", "Write <p>Salt</p>. Then wait."),
        (BASE64, ""),
        (f"<p>Salt.</p><p>data:image/gif;base64,{BASE64}</p>", "Salt."),
    ],
)
def test_markup_and_text_are_told_apart(html: str, meant: str) -> None:
    """A subscriber sees neither tags that were meant as markup, nor text without what looks like one."""
    assert _excerpt(html)[2] == meant


def test_content_that_is_a_file_is_ignored() -> None:
    """The content of an Atom entry may be an image; its summary is then its text."""
    content = f'<summary>A loaf.</summary><content type="image/gif">{BASE64}</content>'
    document = (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>urn:h:1</id><title>Loaf</title>{content}</entry></feed>'
    )
    entry = parse_feed(document.encode()).entries[0]
    assert (entry.content_html, entry.summary_html) == ("", "A loaf.")


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>10<sup>-9</sup> m</p>", "10⁻⁹ m"),
        ("<p>10<sup>&minus;9</sup> m</p>", "10⁻⁹ m"),
        ("<p>3<sup><em>n</em></sup> and 3<sup>n+1</sup></p>", "3ⁿ and 3ⁿ⁺¹"),
        ("<p>3<sup>k</sup> and 3<sup>0.5</sup></p>", "3^k and 3^(0.5)"),
        ("<p>3<sup>x/12345678xx</sup></p>", "3^(x/12345678xx)"),
        ("<p>3<sup>x/123456789xx</sup> and 3<sup>x / y</sup></p>", "3x/123456789xx and 3x / y"),
        ("<p>1<sup>o</sup> 2<sup>ª</sup> 3<sup>R</sup> 4<sup>sm</sup></p>", "1º 2ª 3® 4℠"),
        ("<p>a<sub>1+k</sub> and a<sub>12</sub></p>", "a1+k and a₁₂"),
        ("<p>the 2<sup>nd</sup> of Oven<sup>TM</sup></p>", "the 2nd of Oven™"),
        ("<p>H<sub>2</sub>O and x<sub>i</sub></p>", "H₂O and xi"),
        ('<p>Salt.<sup><a href="#fn2">2</a></sup> Fat.<a href="#fn3"><sup>[3]</sup></a></p>', "Salt. Fat."),
        ('<p>Salt.<sup>[4]</sup> See <a href="#more">more</a>.</p>', "Salt. See more."),
    ],
)
def test_raised_and_lowered_text_keeps_its_meaning(html: str, shown: str) -> None:
    """10⁻⁹ never becomes 10-9, in HTML or in text."""
    as_html, as_text, stored = _excerpt(html)
    assert (plain_text(as_html), stored) == (shown, shown)
    assert as_text.startswith(shown)


def test_struck_out_text() -> None:
    """It is struck out in HTML and left out of text."""
    html, text, stored = _excerpt(
        "<p>Bring <s>two</s> <ins>three</ins> loaves, not <strike>five</strike>, on <del>Monday</del>.</p>"
    )
    assert html == "<p>Bring <s>two</s> three loaves, not <s>five</s>, on <s>Monday</s>.</p>"
    assert text == stored == "Bring three loaves, not, on."


def test_definitions() -> None:
    """A definition list is terms and what they mean."""
    html, text, stored = _excerpt("<dl><dt>Rye</dt><dd>Dark and sour.</dd>\n<dt>Oats:</dt>\n<dd>Soft.</dd></dl>")
    assert html == "<p><strong>Rye:</strong> Dark and sour.</p>\n<p><strong>Oats:</strong> Soft.</p>"
    assert text == "Rye: Dark and sour.\n\nOats: Soft."
    assert stored == "Rye: Dark and sour. Oats: Soft."


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<p>Salt.</p><p style="DISPLAY:none">Secret</p>', "<p>Salt.</p>"),
        ('<p>Salt.<span class="screen-reader-text">Opens a window</span></p>', "<p>Salt.</p>"),
        ("<p>Salt.</p><div hidden><p>Secret</p></div>", "<p>Salt.</p>"),
        ('<p><img src="https://h.example/a.jpg"><br>Salt.</p>', "<p>Salt.</p>"),
        ('<p>Salt.<br><img src="https://h.example/a.jpg"></p>', "<p>Salt.</p>"),
        ("<p>She said<em>“Salt”</em>and left.</p>", "<p>She said“Salt”and left.</p>"),
        ("<p><em>“Salt.<br><br>Fat.”</em></p>", "<p><em>“Salt.</em></p>\n<p><em>Fat.”</em></p>"),
        ('<p>Look:</p><figure><img src="https://h.example/a.jpg"></figure><p>Nice.</p>', "<p>Look…</p>\n<p>Nice.</p>"),
        (
            '<p>Watch:</p><iframe src="https://www.youtube-nocookie.com/embed/A1b2C3d4E5f" title="Oven"></iframe>',
            '<p>Watch:</p>\n<p><a href="https://www.youtube.com/watch?v=A1b2C3d4E5f">Oven</a></p>',
        ),
        (
            '<p>Listen:</p><figure><audio controls src="/talks/sea%20air.mp3?_=1"></audio></figure>',
            '<p>Listen:</p>\n<p><a href="https://h.example/talks/sea%20air.mp3?_=1">sea air.mp3</a></p>',
        ),
        (
            "<video poster='/a.jpg' title='The harbour'>\n<source type='video/webm' src='//cdn.example/h.webm'>"
            "<source src='/h.mp4'>Your browser shows no films.</video><p>Salt.</p>",
            '<p><a href="https://cdn.example/h.webm">The harbour</a></p>\n<p>Salt.</p>',
        ),
        ('<video src="blob:https://h.example/1"></video><audio></audio><p>Salt.</p>', "<p>Salt.</p>"),
    ],
)
def test_nothing_is_lost_or_left(html: str, shown: str) -> None:
    """Hidden text, marks of Markdown and breaks beside pictures do not appear; a film or sound becomes a link."""
    assert _excerpt(html)[0] == shown


def test_hidden_elements_between_others() -> None:
    """What stands before and after them stays as it is written."""
    html = (
        'Salt &lt; fat <b>one</b>, <i hidden>two</i><i hidden="until-found">3</i> <s style="visibility:hidden">4</s>.'
    )
    assert drop_hidden(html) == 'Salt &lt; fat <b>one</b>, <i hidden="until-found">3</i> .'
    assert drop_hidden("<p>not hidden at all</p>") == "<p>not hidden at all</p>"
    assert drop_hidden('<p class="sr-only-not">a</p>') == '<p class="sr-only-not">a</p>'
    assert drop_hidden('<img hidden src="a.png"><p hidden>b</p>c') == '<img hidden src="a.png">c'


def test_the_player_of_an_episode_leaves_no_link() -> None:
    """Its button leads there; other sounds in the text stay."""
    html = '<audio src="https://h.example/1.mp3?_=1"></audio><p>Salt.</p><audio><source src="/2.mp3"></audio>'
    body = extract_body(html, "", "https://h.example/", ["https://h.example/1.mp3"]).html
    assert body == '<p>Salt.</p><p><a href="https://h.example/2.mp3">2.mp3</a></p>'


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("BrÃ¶tchen fÃ¼r alle", "Brötchen für alle"),
        ("Â«PÃ¢tÃ©Â» â€” itâ€™s here â€¦", "«Pâté» — it’s here …"),
        ("Ð¥Ð»ÐµÐ±", "Хлеб"),
        ("“CAFÉ” and MAÇÃ, Ã la carte", "“CAFÉ” and MAÇÃ, Ã la carte"),
        ("Brötchen – à la carte «É»", "Brötchen – à la carte «É»"),
    ],
)
def test_wrong_encoding_is_repaired(text: str, repaired: str) -> None:
    """Text that was decoded wrongly is decoded again; what may be meant stays."""
    assert (repair_mojibake(text), clean_title(text)) == (repaired, repaired)
    assert find_mojibake("Brötchen à la carte") == ""


@pytest.mark.parametrize(
    "part",
    [
        "<sup>",
        "<sup>1",
        "<sup><a>",
        "<s>",
        "<iframe src=",
        "<audio>",
        "<video src=x><source ",
        "<picture><source srcset=x>",
        "&lt;p&gt;",
        "<div hidden>",
        "<p>",
        "A" * 59 + " ",
        "x<y ",
        "Ã",
        "<dt>",
    ],
)
def test_repairs_take_linear_time(part: str) -> None:
    """Whatever is repeated."""

    def repair(length: int) -> None:
        html = part * (length // len(part))
        for function in (repair_markup, flatten_scripts, link_embeds, repair_mojibake, drop_hidden, plain_text):
            function(html)
        sanitise(html, "https://h.example/")

    assert_linear(repair, 1_000)
