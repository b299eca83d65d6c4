"""Text functions at their edges: one row for each branch and limit."""

from __future__ import annotations

import pytest

from pipeline.text.dates import parse_duration
from pipeline.text.html import (
    add_paragraphs,
    count_html_words,
    join_broken_lists,
    nesting_depth,
    plain_text,
    reading_minutes,
    remove_empty_elements,
    sanitise,
    sanitise_without_attributes,
    sanitised_to_text,
)
from pipeline.text.html_images import (
    IMAGE,
    best_source,
    fitness,
    is_image_file,
    is_significant_class,
    pixels,
    replace_image,
    show_noscript_images,
    size_in_url,
    use_picture_sources,
)
from pipeline.text.html_lists import join_ordered_lists
from pipeline.text.html_repair import drop_hidden, drop_players, flatten_scripts, link_embeds, repair_markup
from pipeline.text.html_to_markdown import to_markdown
from pipeline.text.mailto import mailto_url, readable_parts
from pipeline.text.markdown import excerpt, to_html, to_inline_html, to_plain, to_text
from pipeline.text.text_keys import page_path, word_runs
from pipeline.text.titles import parse_title, strip_episode_number
from pipeline.text.urls import clean_url, domain, is_loopback, media_key, replace_feed_scheme, url_key, with_scheme
from pipeline.text.word_diff import diff_words
from pipeline.text.wrap import labelled, wrap_parts
from tests.rows import Rows, differences, shortened


def replaced(html: str) -> str:
    """Return HTML whose images are replaced by what is shown of them."""
    return IMAGE.sub(replace_image, html)


def parts(title: str) -> tuple[object, ...]:
    """Return the parts of a title, sets in order."""
    found = parse_title(title)
    sets = (found.variants, found.numbers, found.parts)
    return (found.text, *map(sorted, sets), found.episode_number, sorted(found.tags), found.truncated)


IMAGES: Rows = [
    (fitness, ("a.jpg", 99), 0),
    (fitness, ("a.jpg", 100), 100),
    (fitness, ("a.jpg", None), 500),
    (fitness, ("a.jpg", 1200), 1200),
    (fitness, ("a.jpg", 1201), 1199),
    (fitness, ("a.jpg", 2000), 720),
    (fitness, ("a.jpg", 2400), 600),
    (fitness, ("a.jpg", 2401), 600),
    (fitness, ("a.svg", 640), 1),
    (fitness, ("a.svg", 99), 0),
    (fitness, ("a.SVGZ?x=1", None), 1),
    (fitness, ("https://pixel.wp.com/a.gif", 500), 0),
    (fitness, ("/spacer.gif", 500), 0),
    (fitness, ("https://h.example/icons/a.png", None), 0),
    (is_significant_class, ("emoji",), True),
    (is_significant_class, ("a wp-smiley b",), True),
    (is_significant_class, ("math-inline",), True),
    (is_significant_class, ("photo",), False),
    (is_significant_class, ("avatar",), True),
    (is_significant_class, ("avatar-80",), True),
    (is_significant_class, ("myavatar",), False),
    (is_significant_class, ("badge x",), True),
    (is_significant_class, ("icons",), False),
    (is_image_file, ("a.JPG",), True),
    (is_image_file, ("a.jpeg?x=1",), True),
    (is_image_file, ("a.svg",), True),
    (is_image_file, ("a.png/",), False),
    (is_image_file, ("a.txt",), False),
    (is_image_file, ("?a.png",), False),
    (is_image_file, ("a.avif",), True),
    (size_in_url, ("a-300x200.jpg",), (300, 200)),
    (size_in_url, ("a-300x200.jpg?x",), (300, 200)),
    (size_in_url, ("a-3x2.jpg",), (None, None)),
    (size_in_url, ("/s72/a.jpg",), (72, None)),
    (size_in_url, ("/w640-h480/a",), (640, None)),
    (size_in_url, ("a?w=300",), (300, None)),
    (size_in_url, ("a?a=1&width=40&b",), (40, None)),
    (size_in_url, ("a?size=12345&",), (12345, None)),
    (size_in_url, ("a?size=123456",), (None, None)),
    (size_in_url, ("a.jpg",), (None, None)),
    (size_in_url, ("a-300x200.jpeg2000",), (None, None)),
    (pixels, ("640",), 640),
    (pixels, (" 640px ",), 640),
    (pixels, ("100%",), None),
    (pixels, ("0",), None),
    (pixels, ("",), None),
    (pixels, ("0px",), None),
    (pixels, ("12345678",), 123456),
    (pixels, ("-1",), None),
    (pixels, ("1.5",), None),
    (pixels, ("px",), None),
    (best_source, ("a.jpg", "https://h.example/"), "https://h.example/a.jpg"),
    (best_source, ("a.jpg 1x, b.jpg 2x", "https://h.example/"), "https://h.example/b.jpg"),
    (best_source, ("a.jpg 400w,b.jpg 800w", "https://h.example/"), "https://h.example/b.jpg 800w"),
    (best_source, ("a.jpg 1201w, b.jpg 900w", "https://h.example/"), "https://h.example/a.jpg 1201w"),
    (best_source, ("a.jpg 2400w, b.jpg 601w, c.jpg 599w", "https://h.example/"), "https://h.example/b.jpg 601w"),
    (best_source, ("", "https://h.example/"), ""),
    (best_source, ("  , ", "https://h.example/"), ""),
    (best_source, ("a.jpg 100w", "https://h.example/"), "https://h.example/a.jpg 100w"),
    (best_source, ("a,b.jpg 300w, c.jpg 200w", "https://h.example/"), "https://h.example/a,b.jpg 300w"),
    (best_source, ("javascript:x 900w", "https://h.example/"), ""),
    (replaced, ("""<img class="emoji" alt="&quot;a&quot; 'b' &lt;" src="x">""",), "\"a\" 'b' &lt;"),
    (replaced, ('<img src="https://h.example/a.jpg" alt="A">',), '<img src="https://h.example/a.jpg" alt="A">'),
    (replaced, ('<img alt="A">',), ""),
    (replaced, ('<img src="https://h.example/icons/a.png" alt="A">',), ""),
    (replaced, ('<img src="a.jpg" width="2" height="300">',), ""),
    (replaced, ('<img src="a.jpg" width="3" height="300">',), '<img src="a.jpg" width="3" height="300">'),
    (replaced, ('<img src="a.jpg" class="emoji" alt=" 😀 &amp; ">',), "😀 &amp;"),
    (replaced, ('<img src="a.jpg" alt="😀">',), "😀"),
    (replaced, ('<img src="a.jpg" alt="😀" width="100">',), '<img src="a.jpg" alt="😀" width="100">'),
    (replaced, ('<img src="a.jpg" alt="😀" width="99">',), "😀"),
    (replaced, ('<img src="a.jpg" alt="😀 a">',), '<img src="a.jpg" alt="😀 a">'),
    (replaced, ('<img src="a.jpg" class="emoji" alt="x" width="401">',), ""),
    (replaced, ('<img src="a.jpg" class="emoji" alt="x" width="400">',), "x"),
    (replaced, ('<img src="a.jpg" style="height: 1em" alt="x">',), "x"),
    (replaced, ('<img src="a.jpg" style="height: 1em" alt="">',), '<img src="a.jpg" alt="">'),
    (replaced, ('<img src="a.jpg" style="display:none" alt="x">',), ""),
    (replaced, ('<img src="a.jpg" class="avatar" alt="x">',), ""),
    (
        replaced,
        ('<img src="p.gif" data-src="b.jpg" alt="x" title="T &amp; U">',),
        '<img src="b.jpg" alt="x" title="T &amp; U">',
    ),
    (
        replaced,
        ('<img src="p.gif" data-original="b.jpg" width="640px" height="480" data-lazy-src="">',),
        '<img src="b.jpg" alt="" width="640" height="480">',
    ),
    (
        replaced,
        ('<img src="a.jpg" srcset="b.jpg 900w" width="300" height="200">',),
        '<img src="b.jpg" alt="" width="900" height="600">',
    ),
    (
        replaced,
        ('<img src="a.jpg" srcset="b.jpg 200w" width="300" height="200">',),
        '<img src="a.jpg" alt="" width="300" height="200">',
    ),
    (replaced, ('<img src="a.jpg" srcset="b.jpg" width="900">',), '<img src="a.jpg" alt="" width="900">'),
    (replaced, ('<img src="a.jpg" data-srcset="b.jpg 900w">',), '<img src="b.jpg" alt="" width="900">'),
    (replaced, ('<img data-lazy-srcset="b.jpg 900w" alt="">',), '<img src="b.jpg" alt="" width="900">'),
    (replaced, ('<img srcset="b.jpg 900w" height="10">',), '<img src="b.jpg" alt="" width="900">'),
    (
        replaced,
        ('<img src="a.jpg" srcset="https://h.example/icons/b.png 900w" width="300">',),
        '<img src="a.jpg" alt="" width="300">',
    ),
    (replaced, ('<img src="/latex.php?x" alt="a&lt;b">',), "a&lt;b"),
    (replaced, ('<img class="x" src="a.jpg" title="">',), '<img src="a.jpg" alt="">'),
    (show_noscript_images, ('<p>a</p><noscript><img src="a.jpg"></noscript>b',), '<p>a</p><img src="a.jpg">b'),
    (show_noscript_images, ('<img src="a.jpg"><noscript><img src="a.jpg"></noscript>',), '<img src="a.jpg">'),
    (
        show_noscript_images,
        ('<NOSCRIPT>x<img src=b.jpg><img src="c.jpg"/></NOSCRIPT>',),
        '<img src=b.jpg><img src="c.jpg"/>',
    ),
    (show_noscript_images, ('<noscript><img alt="x"></noscript>',), ""),
    (show_noscript_images, ("a<noscript>x",), "a"),
    (
        use_picture_sources,
        ('<PICTURE><source srcset="a.webp" type="image/webp"><img src="b.jpg"></PICTURE>',),
        '<PICTURE><source srcset="a.webp" type="image/webp"><img src="b.jpg"></PICTURE>',
    ),
    (
        use_picture_sources,
        ('<picture><source srcset="a.jpg"><img srcset="b.jpg"></picture>',),
        '<picture><source srcset="a.jpg"><img srcset="b.jpg"></picture>',
    ),
    (
        use_picture_sources,
        ('<picture><source src="a.jpg"><img src="b"></picture>',),
        '<picture><source src="a.jpg"><img src="b"></picture>',
    ),
]


def test_images() -> None:
    """Images of HTML: how well they suit a story, their sizes, and what stands for them."""
    assert differences(IMAGES) == []


MARKDOWN: Rows = [
    (to_html, ("# A *b*",), "<p><strong>A <em>b</em></strong></p>"),
    (to_html, ("a  \nb",), "<p>a<br>\nb</p>"),
    (to_html, ("a<br>b",), "<p>a&lt;br&gt;b</p>"),
    (to_html, ("[x](/rel)",), "<p>x</p>"),
    (to_html, ("[x](mailto:a@h.example)",), '<p><a href="mailto:a@h.example">x</a></p>'),
    (to_html, ("[x](HTTPS://h.example)",), '<p><a href="HTTPS://h.example">x</a></p>'),
    (to_html, ("![alt & <](i.jpg)",), "<p>alt &amp; &lt;</p>"),
    (to_html, ("~~s~~",), "<p><s>s</s></p>"),
    (to_html, ("3. a\n4. b",), '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
    (
        to_html,
        ("|a|b|\n|-|-|\n|1|2|",),
        "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>",
    ),
    (to_html, ("`c` \n\n    d",), "<p><code>c</code></p>\n<pre><code>d\n</code></pre>"),
    (to_html, ("> q",), "<blockquote>\n<p>q</p>\n</blockquote>"),
    (to_html, ("- \n",), ""),
    (to_html, ("[![ ](i.jpg)](/x)",), ""),
    (to_html, ("---",), "<hr>"),
    (to_html, ("<b>x</b>",), "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
    (to_inline_html, ("a\n\nb",), "a b"),
    (to_inline_html, ("> a\n> - b\n\n---\nc",), "a b c"),
    (to_inline_html, ("|a|\n|-|\n|b|",), "a b"),
    (to_text, ("> a\n>\n> b",), "> a\n>\n> b"),
    (to_text, ("- a\n- b\n\n  c",), "- a\n- b\n  c"),
    (to_text, ("7. a\n8. b",), "7. a\n8. b"),
    (to_text, ("10) a",), "10. a"),
    (to_text, ("```\nx\n y\n```",), "    x\n     y"),
    (to_text, ("    x",), "    x"),
    (to_text, ("---",), "* * *"),
    (to_text, ("|a|b|\n|-|-|\n|1||",), "a | b\n1 |"),
    (to_text, ("# T",), "T"),
    (to_text, ("a\\\nb",), "a\nb"),
    (to_text, ("[x](https://h.example)",), "x\n\nx: https://h.example"),
    (to_text, ("[h.example](https://h.example)",), "h.example"),
    (to_text, ("[https://h.example/](https://h.example)",), "https://h.example/"),
    (to_text, ("[x](mailto:a@h.example?subject=b)",), "x\n\nx: a@h.example?subject=b"),
    (to_text, ("[x](/r)",), "x"),
    (
        to_text,
        ("[a b](https://h.example/) and [c](https://h.example/c)",),
        "a b and c\n\na b: https://h.example/\nc: https://h.example/c",
    ),
    (to_text, ("~~no~~ yes ~~x~~.",), "yes."),
    (to_text, ("![alt](i.jpg)",), "alt"),
    (to_text, ("- > a",), "- > a"),
    (
        to_text,
        ("a [x y](https://h.example/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz)",),
        "a x y\n\nx y:\nhttps://h.example/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    ),
    (to_text, ("one two three [four](https://h.example/)", 12), "one two\nthree four\n\nfour:\nhttps://h.example/"),
    (to_text, ("> one two three", 9), "> one two\n> three"),
    (to_text, ("- one two three", 9), "- one two\n  three"),
    (to_plain, ("a  b",), "a b"),
    (to_plain, ("*a* b",), "a b"),
    (to_plain, ("a\\\nb",), "a b"),
    (to_plain, ("a\nb",), "a b"),
    (to_plain, ("~~a~~ b",), "b"),
    (to_plain, ("`c`",), "c"),
    (to_plain, ("![x](y)",), "x"),
    (to_plain, ("- a\n\n# b",), "a b"),
    (to_plain, ("a_b",), "a_b"),
    (excerpt, ("One two. Three four. Five.", 4), "One two. Three four."),
    (excerpt, ("One two. Three four. Five.", 5), "One two. Three four. Five."),
    (excerpt, ("One two. Three four. Five.", 1), "One…"),
    (excerpt, ("# T\n\nOne two.", 2), "One two."),
    (excerpt, ("One:\n\n- a\n- b c\n- d", 3), "One:\n\n- a\n- …"),
    (excerpt, ("One.\n\n- a\n- b c", 2), "One."),
    (excerpt, ("- a\n- b", 1), "- a\n- …"),
    (excerpt, ("3. a\n4. b c d", 2), "3. a\n4. …"),
    (excerpt, ("> One two. Three.\n\nFour.", 2), "> One two."),
    (excerpt, ("> One two. Three.\n\nFour.", 4), "> One two. Three.\n\nFour."),
    (excerpt, ("One:\n\n```\nx\n```", 9), "One…"),
    (excerpt, ("![a](b) One.", 2), "One."),
    (excerpt, ("One *two. Three* four. Five six.", 3), "One two. Three…"),
    (excerpt, ("One two three four", 2), "One two…"),
    (excerpt, ("a/b/c/d", 2), "a/b/…"),
    (excerpt, ("One:\n\n> two three", 1), "One…"),
    (excerpt, ("", 3), ""),
    (excerpt, ("One:\n\nTwo three four.", 2), "One…"),
    (excerpt, ("[x](y) a\\\n![i](j)\\\nb", 9), "[x](y) a\\\nb"),
]


def test_markdown() -> None:
    """Markdown to HTML, to wrapped text, to a line and to an excerpt."""
    assert differences(MARKDOWN) == []


HTML_TO_MARKDOWN: Rows = [
    (to_markdown, ("<p>a<br>b</p>",), "a\\\nb"),
    (to_markdown, ("<p>a<br><br>b</p>",), "a\n\nb"),
    (to_markdown, ("<p><br>a<br></p>",), "a"),
    (to_markdown, ("<p>a <b>b</b> <i>c</i> <s>d</s></p>",), "a **b** *c* ~~d~~"),
    (to_markdown, ("<p>x<b>“y”</b></p>",), "x“y”"),
    (to_markdown, ("<p><b>y!</b>x</p>",), "y!x"),
    (to_markdown, ("<b>a<b>b</b></b>",), "**ab**"),
    (to_markdown, ("<b><p>a</p><p>b</p></b>",), "**a**\n\n**b**"),
    (to_markdown, ("<code>a<b>b</b></code>",), "`ab`"),
    (to_markdown, ("<pre>a `b`\n</pre>",), "```\na `b`\n```"),
    (to_markdown, ("<pre>```</pre>",), "````\n```\n````"),
    (to_markdown, ("<pre> </pre>",), ""),
    (to_markdown, ("<dl><dt>T:</dt><dd>D</dd><dt> </dt><dd>E</dd></dl>",), "**T:** D\n\nE"),
    (to_markdown, ("<sup>12</sup><sup>a</sup>",), "¹²a"),
    (to_markdown, ('<sup><a href="https://h.example/">3</a></sup>',), "[³](https://h.example/)"),
    (to_markdown, ('<a href="https://h.example/a b(c)" title="t">x</a>',), "[x](https://h.example/a%20b%28c%29)"),
    (
        to_markdown,
        ('<img src="https://h.example/a b.jpg" alt="a  [b]">',),
        "![a \\[b\\]](https://h.example/a%20b.jpg)",
    ),
    (to_markdown, ('<img alt="x">',), "x"),
    (to_markdown, ('<h2>a <img src="i.jpg" alt="b"></h2>',), "## a b"),
    (
        to_markdown,
        ('<figure><img src="i.jpg"><img src="j.jpg" alt="k"><figcaption>c "d"</figcaption></figure>',),
        '![](i.jpg "c \\"d\\"")\n![k](j.jpg "c \\"d\\"")',
    ),
    (to_markdown, ('<figure><img src="i.jpg"></figure>',), "![](i.jpg)"),
    (to_markdown, ("<figure>x<figcaption>c</figcaption></figure>",), "x\n\nc"),
    (to_markdown, ("<h1>a<br>b</h1>",), "# a b"),
    (to_markdown, ("<p>a&nbsp;<b>b</b>&nbsp;c</p>",), "a **b** c"),
    (to_markdown, ("<p>1\xa0kg a\xa0b a \xa0 b oui\xa0?</p>",), "1\xa0kg a b a b oui\xa0?"),
    (to_markdown, ("<table><tr><td>a</td><td>b</td></tr></table>",), "| a | b |\n| --- | --- |"),
    (to_markdown, ("<ul><li>a<ul><li>b</li></ul></li></ul>",), "- a\n  - b"),
    (to_markdown, ("<p>a</p>\n\n\n<p>b</p>",), "a\n\nb"),
    (to_markdown, ("<p>*a* _b_ [c] # | ~ & `</p>",), "\\*a\\* \\_b\\_ \\[c\\] \\# \\| \\~ \\& \\`"),
    (to_markdown, ("<kbd><i>x</i></kbd>",), "`x`"),
    (to_markdown, ("<em> </em>",), ""),
    (to_markdown, ("a<em> b </em>c",), "a *b* c"),
]


def test_html_to_markdown() -> None:
    """HTML to Markdown."""
    assert differences(HTML_TO_MARKDOWN) == []


LISTS: Rows = [
    (join_ordered_lists, ("<ol><li>a</li></ol><ol><li>b</li></ol>",), "<ol><li>a</li><li>b</li></ol>"),
    (
        join_ordered_lists,
        ("<ol><li>a</li><li>b</li></ol><ol><li>c</li></ol>",),
        "<ol><li>a</li><li>b</li><li>c</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li><li>b</li></ol><ol><li>c</li><li>d</li></ol>",),
        "<ol><li>a</li><li>b</li></ol><ol><li>c</li><li>d</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><h2>x</h2><ol><li>b</li></ol>",),
        "<ol><li>a</li></ol><h2>x</h2><ol><li>b</li></ol>",
    ),
    (join_ordered_lists, ("<ol><li>a</li></ol>x<ol><li>b</li></ol>",), "<ol><li>a</li></ol>x<ol><li>b</li></ol>"),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><p>1</p><p>2</p><p>3</p><ol><li>b</li></ol>",),
        "<ol><li>a<p>1</p><p>2</p><p>3</p></li><li>b</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><p>1</p><p>2</p><p>3</p><p>4</p><ol><li>b</li></ol>",),
        "<ol><li>a</li></ol><p>1</p><p>2</p><p>3</p><p>4</p><ol><li>b</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li><li>b</li></ol><p>1</p><ol start='3'><li>c</li></ol>",),
        "<ol><li>a</li><li>b<p>1</p></li><li>c</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li><li>b</li></ol><p>1</p><ol start='4'><li>c</li></ol>",),
        '<ol><li>a</li><li>b</li></ol><p>1</p><ol start="4"><li>c</li></ol>',
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li><li>b</li></ol><p>1</p><ol><li>c</li></ol>",),
        "<ol><li>a</li><li>b</li></ol><p>1</p><ol><li>c</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><p> </p><p><img src='x'></p><ol><li>b</li></ol>",),
        '<ol><li>a<p><img src="x"></p></li><li>b</li></ol>',
    ),
    (
        join_ordered_lists,
        ("<ol start='5'><li>a</li></ol><p>1</p><ol start='6'><li>b</li></ol><ol start='7'><li>c</li></ol>",),
        '<ol start="5"><li>a<p>1</p></li><li>b</li><li>c</li></ol>',
    ),
    (
        join_ordered_lists,
        ("x &lt; <ol><li>a</li></ol><ol></ol><ol><li>b</li></ol>",),
        "x &lt; <ol><li>a</li></ol><ol></ol><ol><li>b</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<blockquote><ol><li>a</li></ol><ol><li>b</li></ol></blockquote>",),
        "<blockquote><ol><li>a</li><li>b</li></ol></blockquote>",
    ),
    (join_ordered_lists, ("<ol><li>a</li></ol><ol><li>b</li></ol>tail",), "<ol><li>a</li><li>b</li></ol>tail"),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><ol><li>b</li></ol><p>1</p><ol><li>c</li></ol>",),
        "<ol><li>a</li><li>b<p>1</p></li><li>c</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><ol start='123456'><li>b</li></ol>",),
        "<ol><li>a</li><li>b</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><p>1</p>x<ol><li>b</li></ol>",),
        "<ol><li>a</li></ol><p>1</p>x<ol><li>b</li></ol>",
    ),
    (
        join_ordered_lists,
        ("<ol><li>a</li></ol><ol><li>b</li></ol>t<ol><li>c</li></ol>",),
        "<ol><li>a</li><li>b</li></ol>t<ol><li>c</li></ol>",
    ),
]


def test_lists() -> None:
    """Numbered lists that are joined, and those that are not."""
    assert differences(LISTS) == []


LINES: Rows = [
    (word_runs, ("a b c d", 100), (("a", "b", "c"), ("b", "c", "d"))),
    (word_runs, ("a b", 100), ()),
    (word_runs, ("<b a b c", 100), ()),
    (word_runs, ("Salt &amp; fat <i>now</i>", 100), (("salt", "and", "fat"), ("and", "fat", "now"))),
    (word_runs, ("one two three four", 13), (("one", "two", "three"),)),
    (page_path, ("a.example",), ""),
    (page_path, ("a.example/",), "a.example/"),
    (page_path, ("a.example/b?c/d",), "a.example/b"),
    (page_path, ("a.example?c/d",), ""),
    (mailto_url, (), "mailto:"),
    (mailto_url, ("ü@h.example",), "mailto:%C3%BC@h.example"),
    (readable_parts, ("MAILTO:a%40h.example?body=x&body=y",), ("a@h.example", "x", "y")),
    (readable_parts, ("mailto:",), ()),
    (readable_parts, ("https://h.example/?body=x",), ("https://h.example/?body=x",)),
    (readable_parts, ("mailto:?subject=x",), ()),
    (wrap_parts, ("a · b · c", 9), "a · b · c"),
    (wrap_parts, ("a · b · c", 8), "a · b\nc"),
    (wrap_parts, (" · a ·  · b", 72), "a · b"),
    (wrap_parts, ("long word · x", 5), "long\nword\nx"),
    (wrap_parts, ("a|b", 72, "|"), "a|b"),
    (labelled, ("L", "https://h.example", 20), "L: https://h.example"),
    (labelled, ("L", "https://h.example", 19), "L:\nhttps://h.example"),
    (labelled, ("", "u", 1), "u"),
    (labelled, ("L l", "https://h.example", 3), "L\nl:\nhttps://h.example"),
    (labelled, ("L", "u", 72, " : "), "L : u"),
    (labelled, ("L", "u", 3, " : "), "L :\nu"),
    (
        diff_words,
        ("a b c d e f X g h i j k l", "a b c d e f Y g h i j k l"),
        [("… c d e f X g h i j …", "… c d e f Y g h i j …")],
    ),
    (diff_words, ("a b", "a b c"), [("a b", "a b c")]),
    (diff_words, ("", "a"), [("", "a")]),
    (diff_words, ("a", ""), [("a", "")]),
    (
        diff_words,
        ("X a b c d e f g h i Y", "Z a b c d e f g h i W"),
        [("X a b c d …", "Z a b c d …"), ("… f g h i Y", "… f g h i W")],
    ),
    (diff_words, ("X a b c d Y", "Z a b c d W"), [("X a b c d Y", "Z a b c d W")]),
]


def test_lines() -> None:
    """Keys, addresses and lines of text."""
    assert differences(LINES) == []


TITLES: Rows = [
    (strip_episode_number, ("7. Salt", 7), "Salt"),
    (strip_episode_number, ("07 - Salt", 7), "Salt"),
    (strip_episode_number, ("#7 Salt", 7), "Salt"),
    (strip_episode_number, ("7 Salt", 7), "7 Salt"),
    (strip_episode_number, ("8. Salt", 7), "8. Salt"),
    (strip_episode_number, ("Ep. 9: Salt", 7), "Ep. 9: Salt"),
    (strip_episode_number, ("S1E7 Salt", 7), "S1E7 Salt"),
    (strip_episode_number, ("7.", 7), "7."),
    (strip_episode_number, ("Folge 7 – Salt", 7), "Salt"),
    (strip_episode_number, ("第7回 塩", 7), "塩"),
    (strip_episode_number, ("S2E7: Salt", 7, 2), "Salt"),
    (strip_episode_number, ("2.7 – 7", 7, 2), "7"),
    (strip_episode_number, ("3.7 – Salt", 7, 2), "3.7 – Salt"),
    (strip_episode_number, ("Salt", None), "Salt"),
    (parts, ("Salt",), ("salt", ["salt"], [], [], "", [], False)),
    (
        parts,
        ("7: Salt (Part 2)",),
        ("salt part 2", ["part 2", "salt", "salt part 2"], ["2"], ["2"], "7", [], False),
    ),
    (parts, ("007 - Salt",), ("salt", ["salt"], [], [], "7", [], False)),
    (parts, ("S1E2: Salt",), ("salt", ["salt"], [], [], "", [], False)),
    (parts, ("Salt with Ada",), ("salt ada", ["ada", "salt", "salt ada"], [], [], "", [], False)),
    (parts, ("Salt (Bonus)",), ("salt", ["salt"], [], [], "", ["bonus"], False)),
    (parts, ("Bonus!",), ("bonus", ["bonus"], [], [], "", ["bonus"], False)),
    (parts, ("Trailer - Salt",), ("salt", ["salt"], [], [], "", ["trailer"], False)),
    (
        parts,
        ("Bonus Trailer: Salt",),
        ("bonus trailer salt", ["bonus trailer", "bonus trailer salt", "salt"], [], [], "", [], False),
    ),
    (parts, ("Best of: Salt",), ("salt", ["salt"], [], [], "", ["rerun"], False)),
    (parts, ("Salt | Podcast",), ("salt", ["salt"], [], [], "", ["podcast"], False)),
    (parts, ("Salt…",), ("salt", ["salt"], [], [], "", [], True)),
    (parts, ("Salt... | Show",), ("salt show", ["salt", "salt show", "show"], [], [], "", [], True)),
    (parts, ("Salt, part iii",), ("salt part 3", ["salt part 3"], ["3"], ["3"], "", [], False)),
    (parts, ("World War II",), ("world war 2", ["world war 2"], ["2"], ["2"], "", [], False)),
    (parts, ("iv",), ("iv", ["iv"], [], [], "", [], False)),
    (parts, ("Salt (12)",), ("salt", ["salt"], [], [], "", [], False)),
    (parts, ("Day 3 2026",), ("day 3 2026", ["day 3 2026"], ["2026", "3"], ["2026", "3"], "", [], False)),
    (
        parts,
        ("a | b | c | d | e | f | g",),
        (
            "a b c d e f g",
            [
                "a",
                "a b",
                "a b c",
                "a b c d",
                "a b c d e",
                "a b c d e f",
                "a b c d e f g",
                "b",
                "b c",
                "b c d",
                "b c d e",
                "b c d e f",
                "c",
                "c d",
                "c d e",
                "c d e f",
                "d",
                "d e",
                "d e f",
                "e",
                "e f",
                "f",
            ],
            [],
            [],
            "",
            [],
            False,
        ),
    ),
    (parts, ("[Transcript] Salt",), ("salt", ["salt"], [], [], "", ["transcript"], False)),
    (parts, ("Re-run: Salt: Fat",), ("salt fat", ["fat", "salt", "salt fat"], [], [], "", ["rerun"], False)),
    (
        parts,
        ("Salt feat. Ada & Bo",),
        ("salt ada and bo", ["ada and bo", "salt", "salt ada and bo"], [], [], "", [], False),
    ),
    (parts, ("Teil zwei",), ("teil 2", ["teil 2"], ["2"], ["2"], "", [], False)),
    (parts, ("Part one",), ("part 1", ["part 1"], ["1"], ["1"], "", [], False)),
]


def test_titles() -> None:
    """Titles and their numbers, tags, guests and parts."""
    assert differences(TITLES) == []


URLS: Rows = [
    (clean_url, ("https://h.example",), "https://h.example"),
    (clean_url, ("HTTP://H.Example/A?b=1#c",), "http://h.example/A?b=1#c"),
    (clean_url, ("https://u:p@h.example:443/x",), "https://h.example/x"),
    (clean_url, ("https://h.example:8080/x",), "https://h.example:8080/x"),
    (clean_url, ("https://h.example/?utm_source=a&b=1&&fbclid=2",), "https://h.example/?b=1"),
    (clean_url, ("https://h.example/?utm_source=a",), "https://h.example/"),
    (clean_url, ("https://h.example/a?ref=rss&ref=x",), "https://h.example/a?ref=x"),
    (clean_url, ("https://h.example/#utm_source=x",), "https://h.example/"),
    (clean_url, ("https://h.example/#rss",), "https://h.example/"),
    (clean_url, ("https://h.example/%zz %41",), "https://h.example/%25zz%20%41"),
    (clean_url, ("//h.example/x",), ""),
    (clean_url, ("https://[::1]/x",), "https://[::1]/x"),
    (clean_url, ("https://[::1",), ""),
    (clean_url, ("https://h.example:99999/",), ""),
    (clean_url, ("https://h.example:x/",), ""),
    (clean_url, ("ftp://h.example/",), ""),
    (clean_url, ("https://küste.example/ü",), "https://xn--kste-0ra.example/%C3%BC"),
    (clean_url, ("https://😀.example/",), "https://xn--e28h.example/"),
    (clean_url, ("https://-h.example/",), ""),
    (clean_url, ("https://h..example/",), ""),
    (clean_url, ("https://h_x.example/",), "https://h_x.example/"),
    (clean_url, ("https://www.google.com/url?q=https://o.example/%3Futm_source%3D1&sa=x",), "https://o.example/"),
    (clean_url, ("https://www.google.com/url?q=/x",), "https://www.google.com/url?q=/x"),
    (clean_url, ("https://www.google.com/url?a=1&amp;url=http://o.example/",), "http://o.example/"),
    (clean_url, ("\u200bhttps://h.example/\n a",), "https://h.example/%20a"),
    (clean_url, ("https:\\\\h.example\\x",), "https://h.example/x"),
    (clean_url, ("https://h.example/a|b",), "https://h.example/a|b"),
    (clean_url, ("https://h.example/?a=b c&amp;utm_x=1",), "https://h.example/?a=b%20c"),
    (clean_url, ("",), ""),
    (clean_url, (" ",), ""),
    (clean_url, ("x", "https://o.example/a/b"), "https://o.example/a/x"),
    (clean_url, ("/x", "https://o.example/a/b"), "https://o.example/x"),
    (clean_url, ("?q", "https://o.example/a/b"), "https://o.example/a/b?q"),
    (clean_url, ("//h.example", "https://o.example/a/b"), "https://h.example"),
    (clean_url, ("#f", "https://o.example/a/b"), "https://o.example/a/b#f"),
    (clean_url, ("mailto:a", "https://o.example/a/b"), ""),
    (clean_url, ("https://[x", "https://o.example/a/b"), ""),
    (clean_url, ("x", "ftp://o.example/"), ""),
    (clean_url, ("/x", "ftp://o.example/"), ""),
    (clean_url, ("?q", "ftp://o.example/"), ""),
    (clean_url, ("//h.example", "ftp://o.example/"), ""),
    (clean_url, ("#f", "ftp://o.example/"), ""),
    (clean_url, ("mailto:a", "ftp://o.example/"), ""),
    (clean_url, ("https://[x", "ftp://o.example/"), ""),
    (clean_url, ("x", ""), ""),
    (clean_url, ("/x", ""), ""),
    (clean_url, ("?q", ""), ""),
    (clean_url, ("//h.example", ""), ""),
    (clean_url, ("#f", ""), ""),
    (clean_url, ("mailto:a", ""), ""),
    (clean_url, ("https://[x", ""), ""),
    (url_key, ("https://www.h.example/a/",), "h.example/a"),
    (url_key, ("http://h.example:8080/a",), "h.example:8080/a"),
    (url_key, ("https://h.example/?b=2&a=1",), "h.example?a=1&b=2"),
    (url_key, ("https://h.example/%7Ea%2fb%c3%a9",), "h.example/~a%2Fb%C3%A9"),
    (url_key, ("https://h.example./",), "h.example"),
    (url_key, ("https://h.example",), "h.example"),
    (url_key, ("x",), ""),
    (url_key, ("https://h.example/a?utm_x=1",), "h.example/a"),
    (url_key, ("https://h.example:80/",), "h.example"),
    (media_key, ("https://dts.podtrac.com/redirect.mp3/media.h.example/a.mp3?x=1",), "media.h.example/a.mp3"),
    (media_key, ("https://chtbl.com/track/1/https%3A%2F%2Fh.example%2Fa.mp3",), "h.example/a.mp3"),
    (media_key, ("https://op3.dev/e/h.example/a.mp3",), "h.example/a.mp3"),
    (media_key, ("https://h.example/a.mp3?x",), "h.example/a.mp3"),
    (media_key, ("https://pdst.fm/e/chrt.fm/track/X/www.H.example/a.mp3",), "h.example/a.mp3"),
    (media_key, ("https://podtrac.com/x.mp3",), "podtrac.com/x.mp3"),
    (with_scheme, ("h.example",), "https://h.example"),
    (with_scheme, ("localhost:1",), "https://localhost:1"),
    (with_scheme, (" http://x",), "http://x"),
    (with_scheme, ("javascript:x",), "javascript:x"),
    (with_scheme, ("a:1",), "https://a:1"),
    (with_scheme, ("a:b",), "a:b"),
    (domain, ("https://www.H.example/x",), "h.example"),
    (domain, ("x",), ""),
    (domain, ("https://h.example:1/",), "h.example"),
    (is_loopback, ("LOCALHOST",), True),
    (is_loopback, ("127.1.2.3",), True),
    (is_loopback, ("::1",), True),
    (is_loopback, ("10.0.0.1",), False),
    (is_loopback, ("localhost.x",), False),
    (replace_feed_scheme, ("feed://h.example",), "http://h.example"),
    (replace_feed_scheme, ("feed:https://h.example",), "https://h.example"),
    (replace_feed_scheme, ("itpcs://h.example",), "http://h.example"),
    (replace_feed_scheme, ("podcast:h.example",), "http://h.example"),
    (replace_feed_scheme, ("https://x",), "https://x"),
    (replace_feed_scheme, ("feed: x",), "feed: x"),
]


def test_urls() -> None:
    """Clean addresses and the keys that compare them."""
    assert differences(URLS) == []


REPAIR: Rows = [
    (repair_markup, ("&lt;p&gt;a&lt;/p&gt;",), "<p>a</p>"),
    (repair_markup, ("a &lt;b&gt; c",), "a &lt;b&gt; c"),
    (repair_markup, ("a&lt;br /&gt;b",), "a<br />b"),
    (repair_markup, ("<div>&lt;p&gt;x</div>",), "<p>x"),
    (repair_markup, ("<p>x</p>&lt;p&gt;y",), "<p>x</p>&lt;p&gt;y"),
    (repair_markup, ("Set<Label> x",), "Set&lt;Label> x"),
    (repair_markup, ("a<b",), "a&lt;b"),
    (repair_markup, ("a<b></b>",), "a<b></b>"),
    (repair_markup, ("&lt;a href=&quot;x&quot;&gt;y",), '<a href="x">y'),
    (flatten_scripts, ("x<sup>2</sup>",), "x²"),
    (flatten_scripts, ("x<SUP>n+1</SUP>",), "xⁿ⁺¹"),
    (flatten_scripts, ("x<sup>abc</sup>",), "xabc"),
    (flatten_scripts, ("x<sup>a b</sup>",), "xa b"),
    (flatten_scripts, ("TM<sup>tm</sup>",), "TM™"),
    (flatten_scripts, ("1<sup>o</sup>",), "1º"),
    (flatten_scripts, ("x<sup>y</sup>",), "x^y"),
    (flatten_scripts, ("x<sup>2x</sup>",), "x^(2x)"),
    (flatten_scripts, ("x<sup>1234567890ab</sup>",), "x^(1234567890ab)"),
    (flatten_scripts, ("x<sup>1234567890abc</sup>",), "x1234567890abc"),
    (flatten_scripts, ("H<sub>2</sub>O",), "H₂O"),
    (flatten_scripts, ("x<sub>i</sub>",), "xi"),
    (flatten_scripts, ("x<sub>2i</sub>",), "x2i"),
    (flatten_scripts, ("x<sup><em>2</em></sup>",), "x²"),
    (flatten_scripts, ("a<sup>[1]</sup>",), "a"),
    (flatten_scripts, ("a<sup>[1234]</sup>",), "a^([1234])"),
    (flatten_scripts, ('a<a href="x#y">[2]</a>',), "a"),
    (flatten_scripts, ('a<a href="x#y">word</a>',), 'a<a href="x#y">word</a>'),
    (flatten_scripts, ("x<sup>&lt;</sup>",), "x^(&lt;)"),
    (flatten_scripts, ("x<sup></sup>",), "x<sup></sup>"),
    (flatten_scripts, ("x<sup>ª</sup>",), "xª"),
    (flatten_scripts, ("x<sup> 2 </sup>",), "x²"),
    (drop_hidden, ("<p hidden>a</p>b",), "b"),
    (drop_hidden, ('<p hidden="until-found">a</p>',), '<p hidden="until-found">a</p>'),
    (drop_hidden, ('<p style="Visibility : hidden">a</p>b',), "b"),
    (drop_hidden, ('<p class="x sr-only">a</p>b',), "b"),
    (drop_hidden, ('<p class="xsr-only">a</p>b',), '<p class="xsr-only">a</p>b'),
    (drop_hidden, ('<img hidden src="a">',), '<img hidden src="a">'),
    (drop_hidden, ("a &lt;<p hidden>x</p> c",), "a &lt; c"),
    (drop_hidden, ('<p class="screen-reader-text">x<img src="y"></p>',), ""),
    (drop_hidden, ("plain",), "plain"),
    (link_embeds, ('<iframe src="https://o.example/"></iframe>',), '<iframe src="https://o.example/"></iframe>'),
    (
        link_embeds,
        ('<video src="/a%20b.mp4?x"></video>',),
        '<p><a href="/a%20b.mp4?x">a b.mp4</a></p><video src="/a%20b.mp4?x"></video>',
    ),
    (
        link_embeds,
        ('<video><source src="c.webm"></video>',),
        '<p><a href="c.webm">c.webm</a></p><video><source src="c.webm"></video>',
    ),
    (
        link_embeds,
        ('<audio data-src="d.mp3"></audio>',),
        '<p><a href="d.mp3">d.mp3</a></p><audio data-src="d.mp3"></audio>',
    ),
    (link_embeds, ('<audio src="blob:x"></audio>',), '<audio src="blob:x"></audio>'),
    (link_embeds, ('<audio src="/x/"></audio>',), '<audio src="/x/"></audio>'),
    (
        drop_players,
        (
            '<video src="https://h.example/a.mp4"></video><video src="https://h.example/b.mp4">',
            ["https://h.example/b.mp4?y"],
        ),
        '<video src="https://h.example/a.mp4"></video><video src="">',
    ),
]


def test_repair() -> None:
    """Markup that is repaired."""
    assert differences(REPAIR) == []


HTML: Rows = [
    (add_paragraphs, ("a",), "a"),
    (add_paragraphs, ("a\nb",), "<p>a<br>b</p>"),
    (add_paragraphs, ("a\n\nb",), "<p>a</p><p>b</p>"),
    (add_paragraphs, ("a <b>x</b>\nb",), "<p>a <b>x</b> b</p>"),
    (add_paragraphs, ("<p>a</p>\nb",), "<p>a</p>\nb"),
    (add_paragraphs, (" a \n \n b \n",), "<p>a</p><p>b</p>"),
    (nesting_depth, ("<a><b></b><c></c></a>",), 2),
    (nesting_depth, ("<br><br>",), 0),
    (nesting_depth, ("</a></a><b>",), 1),
    (nesting_depth, ("<a/><b>",), 1),
    (nesting_depth, ("<p title='>'><q>",), 2),
    (sanitise, ("", "https://b.example/"), ""),
    (sanitise, ("  ", "https://b.example/"), ""),
    (sanitise, ("<p>x</p><p> </p>", "https://b.example/"), "<p>x</p>"),
    (sanitise, ("<div>x</div>", "https://b.example/"), "x"),
    (sanitise, ("<script>x</script>y", "https://b.example/"), "y"),
    (sanitise, ("<a href='mailto:a@b.example'>x</a>", "https://b.example/"), '<a href="mailto:a@b.example">x</a>'),
    (sanitise, ('<a href="javascript:x">y</a>', "https://b.example/"), "<a>y</a>"),
    (
        sanitise,
        ("<img src=' a.jpg ' width='40px' height='50%'>", "https://b.example/"),
        '<img src="https://b.example/a.jpg" width="40">',
    ),
    (sanitise, ("<p class='emoji'>x</p>", "https://b.example/"), "<p>x</p>"),
    (
        sanitise,
        ("<ol start='3' type='a'><li value='2'>x</li></ol>", "https://b.example/"),
        '<ol start="3" type="a"><li value="2">x</li></ol>',
    ),
    (sanitise, ("<td colspan='2' style='x'>y</td>", "https://b.example/"), "y"),
    (
        sanitise,
        ("<a href=' HTTPS://h.example/?utm_x=1 '>x</a>", "https://b.example/"),
        '<a href="https://h.example/">x</a>',
    ),
    (sanitise_without_attributes, ("<p class='x'>a<img src='e' class='emoji' alt=':)'></p>",), "<p>a:)</p>"),
    (sanitise_without_attributes, ("<p>x<sup>2</sup></p>",), "<p>x²</p>"),
    (sanitise_without_attributes, ("a < b",), "a &lt; b"),
    (plain_text, ("a\n\nb &amp; c",), "a\n\nb & c"),
    (plain_text, ("<p>a</p>b",), "a\n\nb"),
    (plain_text, ("x<sup>2</sup>",), "x²"),
    (plain_text, ("<p hidden>x</p>y",), "y"),
    (plain_text, ("<b>a</b><i>b</i>",), "ab"),
    (plain_text, ("a<br>b",), "a\n\nb"),
    (sanitised_to_text, ("<p>a <s>b</s> c</p>",), "a c"),
    (sanitised_to_text, ("<del>x</del>y",), "y"),
    (sanitised_to_text, ("<dl><dt>T :</dt><dd>D</dd></dl>",), "T : D"),
    (sanitised_to_text, ("a<b>b</b>",), "ab"),
    (sanitised_to_text, ("<p>a</p><p>b</p>",), "a\n\nb"),
    (sanitised_to_text, ("<strike>x",), ""),
    (count_html_words, ("a &amp; b",), 2),
    (count_html_words, ("<p>a</p>b",), 2),
    (count_html_words, ("- - a",), 1),
    (count_html_words, ("塩と油",), 1),
    (reading_minutes, ("—",), 0),
    (reading_minutes, ("",), 0),
    (remove_empty_elements, ("<p><em><b><i> </i></b></em></p>",), "<p></p>"),
    (remove_empty_elements, ("<p>&nbsp;<br></p>x",), "x"),
    (remove_empty_elements, ("<h2></h2><p>a</p>",), "<p>a</p>"),
]


def test_html() -> None:
    """HTML that is sanitised, and its text."""
    assert differences(HTML) == []


DURATIONS: Rows = [
    (parse_duration, ("1",), 1),
    (parse_duration, ("0",), None),
    (parse_duration, ("0.9",), None),
    (parse_duration, ("1.9",), 1),
    (parse_duration, ("360000",), 360000),
    (parse_duration, ("360001",), None),
    (parse_duration, ("1,234",), 1234),
    (parse_duration, ("1.234",), 1234),
    (parse_duration, ("12.345",), 12345),
    (parse_duration, ("123.456",), 123),
    (parse_duration, ("1'234",), 1234),
    (parse_duration, ("12:34",), 754),
    (parse_duration, ("1:02:03",), 3723),
    (parse_duration, ("100:00:00",), 360000),
    (parse_duration, ("1:2",), 62),
    (parse_duration, ("90:00",), 5400),
    (parse_duration, ("1:99",), 159),
    (parse_duration, ("1:02:03.5",), 3723),
    (parse_duration, ("1000:00:00",), None),
    (parse_duration, ("1 h",), 3600),
    (parse_duration, ("1h30",), None),
    (parse_duration, ("1h 30m",), 5400),
    (parse_duration, ("1 hr, 5 min and 3 secs",), 3903),
    (parse_duration, ("2 hours",), 7200),
    (parse_duration, ("1,5 h",), 5400),
    (parse_duration, ("30 min.",), 1800),
    (parse_duration, ("30′",), 1800),
    (parse_duration, ("30″",), 30),
    (parse_duration, ("45 s",), 45),
    (parse_duration, ("10m0,6s",), 600),
    (parse_duration, ("PT1H2M3S",), 3723),
    (parse_duration, ("1 Std. 5 Minuten",), 3900),
    (parse_duration, ("",), None),
    (parse_duration, ("h",), None),
    (parse_duration, ("12 apples",), None),
    (parse_duration, ("0:00",), None),
    (parse_duration, (" 5 ",), 5),
    (parse_duration, ("1234567890",), None),
]


def test_durations() -> None:
    """Running times."""
    assert differences(DURATIONS) == []


def words(count: int, letter: str = "w") -> str:
    """Return a number of different words."""
    return " ".join(f"{letter}{number}" for number in range(count))


@pytest.mark.parametrize(
    ("html", "minutes"),
    [("w", 1), ("w " * 357, 2), ("w " * 595, 2), ("w " * 596, 3), ("塩" * 750, 2), ("塩" * 751, 2), ("塩" * 1251, 3),
     ("—", 0)],
    ids=shortened,
)  # fmt: skip
def test_reading_times(html: str, minutes: int) -> None:
    """By words, or by characters of Chinese and Japanese, to the nearest minute."""
    assert reading_minutes(html) == minutes


def test_words_of_a_long_text() -> None:
    """Of more than a hundred, dashes count."""
    assert count_html_words("- " * 60 + "a " * 40) == 40
    assert count_html_words("- " * 60 + "a " * 41) == 101


@pytest.mark.parametrize(("start", "rest"), [("https://h.example/", 4078), ("https://h.example/é", 4072)])
def test_the_longest_address(start: str, rest: int) -> None:
    """It has 4,096 characters, once it is quoted."""
    assert len(clean_url(start + "a" * rest)) == 4096
    assert clean_url(start + "a" * (rest + 1)) == ""


def test_the_deepest_html() -> None:
    """Of two hundred elements within each other; deeper HTML is its text, in Markdown from a hundred."""
    deep, deeper = ("<ul><li>" * half + "x &amp; <b>y" for half in (99, 100))
    assert sanitise(deep, "").startswith("<ul>")
    assert sanitise(deeper, "").startswith("<p> ")
    assert "x &amp;" in sanitise_without_attributes(deeper)
    assert plain_text(deeper) == "x &\n\ny"
    assert join_broken_lists(deeper + "<ol></ol><ol>") == deeper + "<ol></ol><ol>"
    assert to_markdown("<div>" * 99 + "<b>x</b>" + "</div>" * 99) == "**x**"
    assert to_markdown("<div>" * 101 + "<b>x</b> &lt; *y*" + "</div>" * 101) == "x \\< \\*y\\*"
    assert to_markdown("<b>x</b> " * 5_001) == " ".join("x" * 5_001)


def test_changes_of_long_texts() -> None:
    """A phrase of more than thirty words is cut in the middle; of more than 4,000, the changes are one."""
    whole, cut = (diff_words(f"x {words(count)}", f"y {words(count, 'v')}") for count in (29, 30))
    assert whole == [(f"x {words(29)}", f"y {words(29, 'v')}")]
    assert cut[0][0].split()[13:18] == ["w12", "w13", "…", "w15", "w16"]
    assert len(cut[0][0].split()) == 31
    for count, changes in ((990, 2), (991, 1)):
        middle, end = words(10, "m"), "b c d e f"
        old, new = (f"a {words(1000, p)} {middle} {words(count, r)} {end}" for p, r in ("pr", "qs"))
        assert len(diff_words(old, new)) == changes
        assert diff_words(old, new)[-1][0].endswith("b c d e …")


def test_the_subject_of_a_mail() -> None:
    """It is cut after 120 characters."""
    url = mailto_url("a+b@h.example", subject="s" * 121, body="b c")
    assert url == f"mailto:a+b@h.example?subject={'s' * 120}&body=b%20c"


def test_separators_of_lines() -> None:
    """Any width and any separator."""
    assert to_text("[x](https://h.example)", colon=" : ") == "x\n\nx : https://h.example"
    assert wrap_parts("a|b", separator="|") == "a|b"
    assert labelled("L", "u", colon=" : ") == "L : u"
