"""Prose, headlines and names at their edges: one row for each branch and limit."""

from __future__ import annotations

from pipeline.text.headlines import clean_headline, cut_headline, later_clauses, shorten_headline, without_name
from pipeline.text.leftovers import (
    find_dangling_mark,
    find_half_sentence,
    find_open_bracket,
    find_raw_markup,
    without_code,
)
from pipeline.text.no_break import keep_together, keep_together_in_html
from pipeline.text.passage_faults import find_fault, goes_on
from pipeline.text.passages import Passage, PassageKind, split_passages
from pipeline.text.quotable import density, is_quotable, quotation, without_speaker
from pipeline.text.scripts import foreign_language, main_script
from pipeline.text.title_parts import author_name, split_guest, split_title
from pipeline.text.wordpress import find_shortcode, strip_plugin_markup, strip_shortcodes
from tests.rows import Rows, differences


def fault(
    kind: PassageKind, text: str, title: str = "", author: str = "", after_picture: bool = False, links: int = 0
) -> tuple[int, str]:
    """Return the rank and the name of what is wrong with a passage."""
    found = find_fault(Passage(kind, 0, 0, text, links), title=title, author=author, after_picture=after_picture)
    return int(found.rank), found.name


def passages(html: str) -> list[tuple[object, ...]]:
    """Return the passages of HTML."""
    return [(each.kind, each.text, each.start, each.end, each.link_chars) for each in split_passages(html)]


def clauses(headline: str) -> list[str]:
    """Return what is left of a headline after each of its clauses."""
    return list(later_clauses(headline))


def parts(title: str) -> tuple[str, str, str]:
    """Return the label, the guest and the rest of a title."""
    found = split_title(title)
    return found.label, found.guest, found.title


def test_numbers_of_episodes_in_headlines() -> None:
    """A bare one is no part of the headline of an episode, unless it may be a year."""
    assert clean_headline("12 – Salt", is_episode=True) == "Salt"
    assert clean_headline("1984 – Salt", is_episode=True) == "1984 – Salt"


FAULTS: Rows = [
    (fault, ("picture", "x"), (3, "a picture")),
    (fault, ("table", "x"), (3, "a table")),
    (fault, ("code", "x"), (3, "a code")),
    (fault, ("rule", ""), (3, "a rule")),
    (fault, ("heading", "Salt and fat"), (3, "a heading")),
    (fault, ("heading", "a b c d e f g h i j k l."), (1, "half a sentence")),
    (fault, ("heading", "A b c d e f g h i j k"), (3, "a heading")),
    (fault, ("list", "a b"), (1, "a list")),
    (fault, ("list", "a b", "", "", False, 2), (2, "a list of links")),
    (fault, ("list", "a b", "", "", False, 1), (1, "a list")),
    (fault, ("quote", "A b."), (1, "a quotation")),
    (fault, ("text", "https://h.example/ a b"), (3, "an address")),
    (fault, ("text", "https://h.example/ a b c d e f g"), (1, "half a sentence")),
    (fault, ("text", "www.h.example"), (3, "an address")),
    (fault, ("text", "1 | 2 | 3 | 4"), (3, "a date")),
    (fault, ("text", "12345678 9999"), (3, "a date")),
    (fault, ("text", "*** !!!"), (3, "no words")),
    (fault, ("text", "A B C D E F G H I."), (2, "a notice")),
    (fault, ("text", "A B C D E F G H."), (0, "")),
    (fault, ("text", "salt came."), (1, "half a sentence")),
    (fault, ("text", "Salt came…"), (1, "half a sentence")),
    (fault, ("text", "Salt. Came…"), (0, "")),
    (fault, ("text", "salt came by sea and nobody"), (1, "half a sentence")),
    (fault, ("text", "Salt came by sea and nobody knew why"), (0, "")),
    (fault, ("text", "Salt came by sea and nobody knew why,"), (1, "half a sentence")),
    (fault, ("text", "Salt came by sea and nobody knew why:"), (1, "half a sentence")),
    (fault, ("text", "Salt came by sea and nobody knew why. More:"), (0, "")),
    (fault, ("text", "Salt came by"), (1, "half a sentence")),
    (fault, ("text", "Salt came by", "", "", True), (1, "a caption")),
    (fault, ("text", "A b c d e f g h i j k l m", "", "", True), (0, "")),
    (fault, ("text", "Salt came by", "", "", False, 9), (2, "a link")),
    (fault, ("text", "- Salt came by sea and nobody knew"), (1, "a list")),
    (fault, ("text", "1) Salt"), (1, "a list")),
    (fault, ("text", "Salt: a, b, c, d, e, f"), (1, "a list")),
    (fault, ("text", "Salt: a b c d e"), (1, "a label")),
    (fault, ("text", "Salt | w w w w w w w w w w w w w w w "), (0, "")),
    (fault, ("text", "塩の道"), (0, "")),
    (fault, ("text", "Salt came"), (1, "half a sentence")),
    (fault, ("text", "By Ada Marsh"), (3, "a byline")),
    (fault, ("text", "by ada marsh"), (1, "half a sentence")),
    (fault, ("text", "Ada Marsh", "", "Ada Marsh"), (3, "a byline")),
    (fault, ("text", "Ada Marsh came by sea on a good day.", "", "Ada Marsh"), (0, "")),
    (fault, ("text", "Ada Marsh, 3 May.", "", "Ada Marsh"), (3, "a byline")),
    (fault, ("text", "Words: Ada Marsh"), (3, "a byline")),
    (fault, ("text", "3 May 2026"), (3, "a date")),
    (fault, ("text", "Posted on 3 May 2026"), (3, "a date")),
    (fault, ("text", "3.5.2026 | 12:30"), (3, "a date")),
    (fault, ("text", "Sponsored by Salt"), (3, "a sponsor")),
    (fault, ("text", "Sponsor"), (3, "a sponsor")),
    (fault, ("text", "Get 20% off"), (3, "a sponsor")),
    (fault, ("text", "Photo: Ada"), (3, "a byline")),
    (fault, ("text", "5 min read"), (3, "a notice")),
    (fault, ("text", "Update: salt came."), (3, "a notice")),
    (fault, ("text", "Part 2 of 3"), (3, "a notice")),
    (fault, ("text", "Subscribe"), (3, "an invitation")),
    (fault, ("text", "Subscribe to our letter and get salt by sea every single week."), (2, "an invitation")),
    (fault, ("text", "Listen here!"), (3, "an invitation")),
    (fault, ("text", "Join us now for salt and more of it"), (2, "an invitation")),
    (fault, ("text", "- Salt:"), (3, "a heading")),
    (fault, ("text", "Salt", "Salt"), (3, "the title again")),
    (fault, ("text", "Salt.", "Salt"), (3, "the title again")),
    (fault, ("text", "Salt and fat, and acid", "Salt and fat"), (3, "the title again")),
    (
        fault,
        ("text", "Salt and fat, and acid and much more than anybody would have thought", "Salt and fat"),
        (0, ""),
    ),
    (fault, ("text", "Salt", "Salt and fat"), (1, "half a sentence")),
    (fault, ("text", "Salt and", "Salt and fat"), (3, "the title again")),
    (fault, ("text", "!!", "??"), (3, "no words")),
    (fault, ("text", "Salt came by sea.", "Salt came by sea in the night"), (3, "the title again")),
    (goes_on, ("a b c d e f g h", "i"), True),
    (goes_on, ("a b c d e f g", "i"), False),
    (goes_on, ("a b c d e f g h,", "i"), True),
    (goes_on, ("a b c d e f g h.", "i"), False),
    (goes_on, ("a b c d e f g h", "I"), False),
    (goes_on, ("- a b c d e f g h", "i"), False),
    (goes_on, ("a b c d e f g h", ""), False),
]


def test_faults() -> None:
    """What keeps a passage from being the text of a story."""
    assert differences(FAULTS) == []


PASSAGES: Rows = [
    (
        passages,
        ("a<p>b <a href='x'>c d</a></p>e",),
        [("text", "a", 0, 1, 0), ("text", "b c d", 4, 25, 2), ("text", "e", 29, 30, 0)],
    ),
    (
        passages,
        ("<p>a<br>b<br/> <br>c</p>",),
        [("text", "a", 3, 8, 0), ("text", "b", 8, 14, 0), ("text", "c", 19, 20, 0)],
    ),
    (
        passages,
        ("<figure><img></figure><hr><pre>x</pre>",),
        [("picture", "", 0, 22, 0), ("rule", "", 22, 26, 0), ("code", "x", 26, 38, 0)],
    ),
    (
        passages,
        ("<table><tr><td>a</td><td><p>b</p></td></tr></table>",),
        [("text", "a", 15, 16, 0), ("text", "b", 28, 29, 0)],
    ),
    (
        passages,
        ("<ul><li>a<ul><li>b</li></ul></li></ul><blockquote>q</blockquote>",),
        [("list", "a b", 0, 38, 0), ("quote", "q", 38, 64, 0)],
    ),
    (passages, ("<h2></h2><p> </p><p>x &amp; y</p>",), [("text", "x & y", 20, 29, 0)]),
    (passages, ("<dl><dt>a</dt><dd>b</dd></dl>",), [("list", "a b", 0, 29, 0)]),
    (passages, ("<p>a",), [("text", "a", 3, 4, 0)]),
    (passages, ("<img src='x'>a",), [("text", "a", 0, 14, 0)]),
]


def test_passages() -> None:
    """Passages of HTML: kind, text, beginning, end, and how much of them is links."""
    assert differences(PASSAGES) == []


HEADLINES: Rows = [
    (clean_headline, ("Ep. 5: Salt", ["The Long Table"]), "Salt"),
    (clean_headline, ("Salt (Podcast)", ["The Long Table"]), "Salt"),
    (clean_headline, ("12 – Salt", ["The Long Table"]), "12 – Salt"),
    (clean_headline, ("Salt – 9 Feb 2026", ["The Long Table"]), "Salt"),
    (clean_headline, ("[Video] Salt", ["The Long Table"]), "Salt"),
    (clean_headline, ("Salt.", ["The Long Table"]), "Salt"),
    (clean_headline, ("S.O.S.", ["The Long Table"]), "S.O.S."),
    (clean_headline, ("Salt etc.", ["The Long Table"]), "Salt etc"),
    (clean_headline, ("5", ["The Long Table"]), "5"),
    (clean_headline, ("Podcast", ["The Long Table"]), "Podcast"),
    (clean_headline, ("Salt | The Long Table | Ep 3", ["The Long Table"]), "Salt"),
    (clean_headline, ("Long Table #3: Salt", ["The Long Table"]), "Salt"),
    (clean_headline, ("(Ep 3) Salt", ["The Long Table"]), "Salt"),
    (clean_headline, ("Ep 3 (Salt)", ["The Long Table"]), "Salt"),
    (clean_headline, ("Salt - 1/2/2026", ["The Long Table"]), "Salt"),
    (clean_headline, ("Salt – May 3", ["The Long Table"]), "Salt"),
    (clean_headline, ("a – b – c – d – e – f", ["The Long Table"]), "a – b – c – d – e – f"),
    (clean_headline, ("12 – Salt", []), "12 – Salt"),
    (shorten_headline, ("Salt and fat", 12), "Salt and fat"),
    (shorten_headline, ("Salt and fat: why", 12), "Salt and fat"),
    (shorten_headline, ("Salt and fat? Why so", 13), "Salt and fat?"),
    (shorten_headline, ("Salt and fat (part 2)", 12), "Salt and fat"),
    (shorten_headline, ("Salt: and fat and acid", 14), ""),
    (shorten_headline, ("“Salt: and” fat and acid", 14), ""),
    (shorten_headline, ("Salt and fat and acid", 5), ""),
    (shorten_headline, ("Salt: and fat and acid", 14, 4), "Salt"),
    (cut_headline, ("Salt and fat", 12), "Salt and fat"),
    (cut_headline, ("Salt and fatty", 12), "Salt…"),
    (cut_headline, ("塩と油と酸", 6), "塩と…"),
    (cut_headline, ("one two three four", 100, 2), "one two…"),
    (cut_headline, ("one and the two", 100, 3), "one…"),
    (cut_headline, ("Saltandfatandacid", 8), "Saltand…"),
    (cut_headline, ("one two", 3), "on…"),
    (without_name, ("Salt | Show", "Show"), "Salt"),
    (without_name, ("Show: Salt", "the show"), "Salt"),
    (without_name, ("Salt | Other", "Show"), "Salt | Other"),
    (without_name, ("Show | Ep 3", "Show"), "Show | Ep 3"),
    (without_name, ("Salt", "Salt"), "Salt"),
    (without_name, ("a | Show | b", "Show"), "a | Show | b"),
    (without_name, ("Salt | Show", ""), "Salt | Show"),
    (clauses, ("a: b: c",), ["a: b: c", "b: c", "c"]),
    (clauses, ("a. B",), ["a. B"]),
    (clauses, ("a",), ["a"]),
]


def test_headlines() -> None:
    """Headlines: cleaned, shortened and cut."""
    assert differences(HEADLINES) == []


LEFTOVERS: Rows = [
    (find_raw_markup, ("a</b>",), "</b>"),
    (find_raw_markup, ("a <b class=x>",), "<b class=x>"),
    (find_raw_markup, ("a<br>",), "<br>"),
    (find_raw_markup, ("<p>a",), "<p>"),
    (find_raw_markup, ("a&nbsp;",), "&nbsp;"),
    (find_raw_markup, ("a &amp; b",), "&amp;"),
    (find_raw_markup, ("[/b]",), ""),
    (find_raw_markup, ("a[/b]",), "[/b]"),
    (find_raw_markup, ("[url=x]",), "[url=x]"),
    (find_raw_markup, ("a < b",), ""),
    (find_raw_markup, ("<b>",), ""),
    (without_code, ("`a` b",), " b"),
    (without_code, ("``a`b`` c",), "``a`b`` c"),
    (without_code, ("`a",), "`a"),
    (find_open_bracket, ("(a",), "(a"),
    (find_open_bracket, ("(a)",), ""),
    (find_open_bracket, ("[a b c d",), "[a b c…"),
    (find_open_bracket, ("“a",), "“a"),
    (find_open_bracket, ("“a”",), ""),
    (find_open_bracket, ("a “ b",), ""),
    (find_open_bracket, (":(",), ""),
    (find_open_bracket, ("(a [b)",), ""),
    (find_open_bracket, ("«a",), "«a"),
    (find_open_bracket, ("a)",), ""),
    (find_dangling_mark, ("a –",), "–"),
    (find_dangling_mark, ("a|",), "|"),
    (find_dangling_mark, ("- a",), "-"),
    (find_dangling_mark, ("...",), "..."),
    (find_dangling_mark, ("1.",), "1."),
    (find_dangling_mark, ("a",), ""),
    (find_dangling_mark, ("a -",), "-"),
    (find_dangling_mark, ("a/",), ""),
    (find_dangling_mark, ("| a",), "|"),
    (find_dangling_mark, (": a",), ":"),
    (find_half_sentence, ("Salt is a good;",), "…Salt is a good;"),
    (find_half_sentence, ("Salt is a —",), "…Salt is a —"),
    (find_half_sentence, ("Salt is a -",), "…Salt is a -"),
    (find_half_sentence, ("and so. We",), "and so. We"),
    (find_half_sentence, ("a",), ""),
    (find_half_sentence, ("Salt is good and the",), "…is good and the"),
    (find_half_sentence, ("Salt is good, and,",), "…Salt is good, and,"),
    (find_half_sentence, ("all low",), ""),
    (find_half_sentence, ("iPad a Bc.",), ""),
    (find_half_sentence, (",a b",), ",a b"),
    (find_half_sentence, ("Salt is a good thing,",), "…is a good thing,"),
    (find_half_sentence, ("Salt and –",), ""),
]


def test_leftovers() -> None:
    """What should not be left in a text."""
    assert differences(LEFTOVERS) == []


LANGUAGES: Rows = [
    (main_script, ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",), "Latin"),
    (main_script, ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa",), ""),
    (main_script, ("яяяяяяяяяяяяяяяяяяяяяяяяяяяяяя",), "Cyrillic"),
    (main_script, ("aaaaaaaaaaaaaaaaaaaaaяяяяяяяяя",), "Latin"),
    (main_script, ("aaaaaaaaaaaaaaaaaaaaяяяяяяяяяя",), ""),
    (main_script, ("塩塩塩塩塩塩塩塩塩塩",), "Japanese or Chinese"),
    (main_script, ("塩塩塩塩塩塩塩塩塩",), ""),
    (main_script, ("한한한한한한한한한한",), "Korean"),
    (foreign_language, ("яяяяяяяяяяяяяяяяяяяяяяяяяяяяяя", "en"), "Cyrillic"),
    (foreign_language, ("яяяяяяяяяяяяяяяяяяяяяяяяяяяяяя", "ru"), ""),
    (foreign_language, ("яяяяяяяяяяяяяяяяяяяяяяяяяяяяяя", "SR-Latn"), ""),
    (foreign_language, ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ru"), "Latin"),
    (
        foreign_language,
        ("the and of to is the and of to is the and of to is the and of to is the and of to is ", "de"),
        "English",
    ),
    (foreign_language, ("the and of to is the and of to is the and of to is the and of to is ", "de"), ""),
    (
        foreign_language,
        ("the and of to is the and of to is the and of to is the and of to is the and of to is ", "en"),
        "",
    ),
    (
        foreign_language,
        ("the and of to is the and of to is the and of to is the and of to is the and of to is ", "sv"),
        "",
    ),
    (foreign_language, ("塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩", "en"), "Japanese or Chinese"),
]


def test_languages() -> None:
    """The script and the language of a text."""
    assert differences(LANGUAGES) == []


QUOTATIONS: Rows = [
    (is_quotable, ("Salt keeps bread and fat and acid well.",), True),
    (is_quotable, ("Salt keeps bread and fat and acid well",), False),
    (is_quotable, ("saltSalt keeps bread and fat and acid well.",), False),
    (is_quotable, ("That Salt keeps bread and fat and acid well.",), False),
    (is_quotable, ("Salt keeps bread and fat now.",), False),
    (is_quotable, ("“Salt keeps bread and fat and acid well.”",), True),
    (is_quotable, ("Salt keeps bread and fat and acid well um so.",), False),
    (is_quotable, ("Salt keeps bread and fat and acid well podcast.",), False),
    (is_quotable, ("Salt keeps bread and fat and acid well…",), True),
    (is_quotable, ("Salt keeps bread and fat and acid well?",), False),
    (without_speaker, ("ADA: x",), "x"),
    (without_speaker, ("Ada Marsh: x y",), "x y"),
    (without_speaker, ("ada: x",), "ada: x"),
    (without_speaker, ("A B C D: x",), "A B C D: x"),
    (quotation, ("a  *b*",), "> a \\*b\\*"),
    (density, ("salty waters",), 1.0),
    (density, ("it it",), 0.0),
    (density, ("",), 0.0),
    (density, ("water water",), 0.5),
]


def test_quotations() -> None:
    """Sentences that can stand alone."""
    assert differences(QUOTATIONS) == []


NAMES: Rows = [
    (author_name, ("Ada",), "Ada"),
    (author_name, ("admin",), ""),
    (author_name, ("(Ada)",), "Ada"),
    (author_name, ("<Ada>",), "Ada"),
    (author_name, ("ada@h.example",), ""),
    (author_name, ("Ada <ada@h.example>",), "Ada"),
    (author_name, ("ada (Ada Marsh)",), "Ada Marsh"),
    (author_name, ("Ada (x) (y)",), "Ada (x) (y)"),
    (author_name, (", Ada;",), "Ada"),
    (split_guest, ("Salt (with Ada Marsh)",), ("Ada Marsh", "Salt")),
    (split_guest, ("Salt with Ada Marsh",), ("", "Salt with Ada Marsh")),
    (split_guest, ("Salt w/ Ada Marsh",), ("Ada Marsh", "Salt")),
    (split_guest, ("with Ada Marsh",), ("", "with Ada Marsh")),
    (split_guest, ("Salt (feat. Ada)",), ("", "Salt (feat. Ada)")),
    (parts, ("Podcast – Ada,Bo,Cy – Salt",), ("Podcast", "Ada,Bo,Cy", "Salt")),
    (parts, ("Podcast – Ada,bo,Cy – Salt",), ("Podcast", "", "Ada,bo,Cy – Salt")),
    (parts, ("Podcast: Ada Marsh: Salt",), ("Podcast", "Ada Marsh", "Salt")),
    (parts, ("Podcast | Ada Marsh | Salt",), ("Podcast", "Ada Marsh", "Salt")),
    (parts, ("Podcast – Ada – Salt",), ("Podcast", "", "Ada – Salt")),
    (parts, ("Guest Blog – Ada – Salt",), ("Guest Blog", "Ada", "Salt")),
    (parts, ("Podcast – Salt and more – fat",), ("Podcast", "", "Salt and more – fat")),
    (parts, ("Podcast – Ada Marsh –",), ("Podcast", "", "Ada Marsh –")),
    (parts, ("Podcast – Ada Marsh – 12",), ("Podcast", "Ada Marsh", "12")),
    (parts, ("Blog – Salt",), ("", "", "Blog – Salt")),
    (parts, ("Podcast – Ada Marsh, baker – Salt",), ("Podcast", "Ada Marsh, baker", "Salt")),
    (parts, ("Podcast – The Best – Salt",), ("Podcast", "", "The Best – Salt")),
    (parts, ("Podcast – Ada Marsh: Salt",), ("Podcast", "", "Ada Marsh: Salt")),
]


def test_names() -> None:
    """Names of authors and guests, and labels."""
    assert differences(NAMES) == []


LINES_THAT_DO_NOT_END: Rows = [
    (keep_together, ("5 min",), "5\xa0min"),
    (keep_together, ("5 minx",), "5 minx"),
    (keep_together, ("5 %",), "5\xa0%"),
    (keep_together, ("a · b",), "a\xa0· b"),
    (keep_together, ("N-23",), "N‑23"),
    (keep_together, ("N-23x",), "N-23x"),
    (keep_together, ("xN-23",), "xN-23"),
    (keep_together, ("5 KG",), "5\xa0KG"),
    (keep_together_in_html, ("<p>5 km</p>",), "<p>5\xa0km</p>"),
    (keep_together_in_html, ("5 km<b>5 km</b>",), "5 km<b>5\xa0km</b>"),
]


def test_lines_that_do_not_end() -> None:
    """No-break spaces and hyphens."""
    assert differences(LINES_THAT_DO_NOT_END) == []


SHORTCODES: Rows = [
    (find_shortcode, ("[gallery]",), "[gallery]"),
    (find_shortcode, ("[my_x 1]",), "[my_x 1]"),
    (find_shortcode, ("[a]",), ""),
    (find_shortcode, ("[/foo]",), "[/foo]"),
    (find_shortcode, ("[x y=1]",), "[x y=1]"),
    (strip_shortcodes, ("a[gallery ids='1']b",), "ab"),
    (strip_shortcodes, ("<pre>[gallery]</pre>[gallery]",), "<pre>[gallery]</pre>"),
    (strip_shortcodes, ("[[gallery]]",), "[[gallery]]"),
    (strip_shortcodes, ("[embed]x[/embed]",), ""),
    (strip_shortcodes, ("[audio src=x]",), ""),
    (strip_shortcodes, ('[a b="c"]x',), '[a b="c"]x'),
    (strip_shortcodes, ("[video]",), "[video]"),
    (strip_plugin_markup, ("<p>[gallery]</p><p>a</p>",), "<p>a</p>"),
    (
        strip_plugin_markup,
        ('<p>a</p><p>Share this:</p><ul><li><a href="https://h.example/?share=facebook">x</a></li></ul>',),
        "<p>a</p>",
    ),
    (strip_plugin_markup, ("<p>Share this:</p>",), "<p>Share this:</p>"),
    (strip_plugin_markup, ("<p>a</p>",), "<p>a</p>"),
]


def test_shortcodes() -> None:
    """What WordPress leaves."""
    assert differences(SHORTCODES) == []
