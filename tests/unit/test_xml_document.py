"""XML documents before they are interpreted: where the feed begins, repairs, what was cut off, and limits."""

from __future__ import annotations

import pytest

from pipeline.ingest.parse.decode import resolve_surrogates
from pipeline.ingest.parse.result import MAX_ENTRIES
from pipeline.ingest.parse.xml_document import (
    MAX_ATTRIBUTES,
    MAX_CHILDREN,
    MAX_KEYWORDS,
    MAX_PREFIXES,
    MAX_RECOVERED_TAGS,
    MAX_TEXT,
    XmlDocument,
    drop_oversized_tags,
    is_feed,
    parse_xml,
    parse_xml_strict,
    strip_prolog,
)
from pipeline.ingest.parse.xml_split import keep_newest, split_elements
from tests.rows import shortened

ONE = "<item><guid>1</guid><title>Salt</title></item>"
ATTRIBUTES = "".join(f' a{number}="1"' for number in range(MAX_ATTRIBUTES))
CUT = (
    "An element has more than 500 children, 100 attributes, 5,000 characters of keywords or 300,000 of other text; "
    "some were cut."
)


def feed(inside: str) -> str:
    """Return a feed with an entry after ``inside``."""
    return f"<rss><channel>{inside}{ONE}</channel></rss>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<rss>", True),
        ("<RSS version='2.0'>", True),
        ("<feed\n>", True),
        ("<channel/>", True),
        ("<rdf:RDF >", True),
        ("<atom:feed>", True),
        ("<RDF>", True),
        ("<rssx>", False),
        ("<a:channel>", False),
        ("<opml>", False),
        ("", False),
        ("\n <?xml version='1.0'?><!-- <html> --><!DOCTYPE rss [<!ENTITY a '>'> ]> <rss>", True),
        ("<?xml version='1.0'?>junk<rss>", True),
        ("<rss><html>", True),
        ("<html><rss>", False),
        ("junk <HTML lang='en'><rss>", False),
        ("<htmlx><rss>", True),
        ("x" * (20_000 - 4) + "<rss>", False),  # the ">" is the 20,001st character
        ("x" * (20_000 - 5) + "<rss>", True),
        (" " * 30_000 + "<rss>", True),
    ],
    ids=shortened,
)
def test_which_text_is_a_feed(text: str, expected: bool) -> None:
    """One whose first element, but for junk before it, is a feed's; after 20,000 characters nobody looks."""
    assert is_feed(text) is expected


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        (" <?xml version='1.0'?> <rss/>", "<rss/>"),
        ("Warning <b>: <rss/> after", "<rss/> after"),
        ("<!-- <rss> --><feed/>", "<feed/>"),
        ("<?xml version='1.0'?> words", "words"),
        ("<rss>&#xD83E;&#xDDC2;&#xD83E;</rss>", "<rss>🧂</rss>"),
    ],
)
def test_the_prolog_is_dropped(text: str, stripped: str) -> None:
    """All that comes before the root element; a text without one keeps its words."""
    assert strip_prolog(text) == stripped


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("&#xD83E;&#xDDC2;", "🧂"),
        ("&#Xd83e;&#xddc2;", "🧂"),
        ("&#55358;&#xDDC2;", "🧂"),
        ("&#x00D83E&#0;&#x00DDC2;", "&#0;"),
        ("&#xD83E&#56770", "🧂"),
        ("&#xDDC2;&#xD83E;", ""),
        ("&#55296;&#56320;&#56319;&#57343;", "𐀀\U0010ffff"),
        ("&#xD7FF;&#xE000;&#x1F9C2;&#xD83EA;", "&#xD7FF;&#xE000;&#x1F9C2;&#xD83EA;"),
        ("&#55295;&#57344;", "\ud7ff\ue000"),
        ("&#54999;&#58000;&#553580;", "&#54999;&#58000;&#553580;"),
        ("a&#xD83E;b&#xDDC2;c", "abc"),
    ],
)
def test_references_to_surrogates(written: str, read: str) -> None:
    """Two make a character, in any notation; one alone, or two in the wrong order, are nothing."""
    assert resolve_surrogates(written) == read


@pytest.mark.parametrize(
    ("written", "repaired"),
    [
        *((f"&#{code};", text) for code, text in [
            ("0", ""), ("8", ""), ("9", "&#9;"), ("10", "&#10;"), ("11", ""), ("12", ""), ("13", "&#13;"), ("14", ""),
            ("31", ""), ("32", "&#32;"), ("60", "&#60;"), ("126", "&#126;"), ("127", "&#127;"), ("128", "\x80"),
            ("x41", "&#65;"), ("x7f", "&#127;"), ("x80", "\x80"), ("xD7FF", "\ud7ff"), ("xE000", "\ue000"),
            ("65533", "\ufffd"), ("65534", ""), ("65535", ""), ("x10000", "𐀀"), ("x10FFFF", "\U0010ffff"),
            ("x110000", ""), ("99999999", ""), ("xFFFFFFF", ""), ("999999999", "&amp;#999999999;"), ("xg", "&amp;#xg;"),
            ("", "&amp;#;")]),
        ("&eacute;&euro;&amp;&lt;&gt;&quot;&apos;", "é€&amp;&lt;&gt;&quot;&apos;"),
        ("&LT;", "&lt;"),
        ("&firm;&two;&nosuch;&recursive;", "H &gt; Co2&amp;nosuch;&amp;recursive;"),
        ("R&D &&& <<< < 3 </ 4", "R&amp;D &amp;&amp;&amp; &lt;&lt;&lt; &lt; 3 &lt;/ 4"),
        ("<![CDATA[a & b <<]]><!-- c & < --><?d & <?>", "<![CDATA[a & b <<]]><!-- c & < --><?d & <?>"),
        ("<b>x</b><br/>", "<b>x</b><br/>"),
    ],
)  # fmt: skip
def test_repairs_of_a_text(written: str, repaired: str) -> None:
    """Characters that XML forbids are gone, names become characters, stray marks are escaped, CDATA stays."""
    declared = "<!ENTITY firm 'H > Co'> <!ENTITY two  \"2\" ><!ENTITY recursive '&two;'>"
    text = f"<?xml version='1.0'?><!DOCTYPE rss [{declared}]>{feed(f'<title>{written} &</title>')}"
    assert parse_xml(text).text == feed(f"<title>{repaired} &amp;</title>")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (feed("<title>a & b</title>"), "xmlParseEntityRef: no name"),
        (feed("") + "<p>", "Extra content at the end of the document"),
        (feed("<x></y>"), "Opening and ending tag mismatch: x line 1 and y"),
        (feed("<x></y>").replace("</rss>", "</RSS >"), "Opening and ending tag mismatch: x line 1 and y"),
    ],
)
def test_a_repaired_document(text: str, reason: str) -> None:
    """It has a warning that says what is broken, and no entry is missing."""
    document = parse_xml(text)
    assert (document.is_complete, len(document.elements), document.damage) == (True, 1, "")
    assert document.warnings == (f"The XML is broken: {reason}.",)


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        ("<item><guid>2</guid><title>Half a ti", "<item><guid>2</guid></item>"),
        ("<item><a:id>2</a:id ><title>T</title><pubDate>Mon, 1", "<item><a:id>2</a:id><title>T</title></item>"),
        ("<item><guid>2</guid><enclosure url='x'/><pubDate>", '<item><guid>2</guid><enclosure url="x"/></item>'),
        ("<item><title>Half</title><guid>2", ""),
        ("<item><title>Half</title><pubDate>Mon, 1", ""),
        ("<item", ""),
        ("<item/><tit", "<item/>"),
        ("<item><guid>2</guid></item><!-- <item> --><x>", "<item><guid>2</guid></item>"),
        ("<![CDATA[<item>]]>", ""),
    ],
)
def test_a_document_that_was_cut_off(end: str, kept: str) -> None:
    """Its last, partial field is left out; and so is its last entry, unless it has its whole guid."""
    text = f"<rss xmlns:a='u'><channel>{ONE}{end}"
    document = parse_xml(text)
    assert document.text == f'<rss xmlns:a="u"><channel>{ONE}{kept}</channel></rss>'
    assert document.is_complete
    assert document.damage.startswith("XML is broken: ")
    assert document.warnings == (f"The {document.damage}.",)


def test_a_document_without_an_entry_that_was_cut_off() -> None:
    """What there is of it stays."""
    assert parse_xml("<rss><channel><title>Half").text == "<rss><channel><title>Half</title></channel></rss>"


@pytest.mark.parametrize("text", ["", "plain", "<rss xmlns : a = 'u' x=y><channel><a:b/></channel></rss>"])
def test_a_document_without_a_tree(text: str) -> None:
    """It is kept as it is, with the reason."""
    document = parse_xml(text)
    assert (document.root is None or not document.elements, document.elements, document.is_complete) == (
        True,
        (),
        False,
    )
    assert document.damage.startswith("XML is broken: ")
    assert document.warnings == (f"The {document.damage}.",)
    assert document.to_bytes() == document.with_only([]) == document.text.encode()


def test_a_long_reason_is_shortened() -> None:
    """To 120 characters, in one line, without a place."""
    document = parse_xml(feed(f"<{'x' * 300}></y>"))
    assert document.warnings == (f"The XML is broken: Opening and ending tag mismatch: {'x' * 87}.",)


@pytest.mark.parametrize(("junk", "complete"), [(8, True), (12, False)])
def test_a_tolerant_tree_is_used_if_most_of_the_text_is_in_it(junk: int, complete: bool) -> None:
    """At least 90 % of the characters; from less of them no entry can be removed."""
    text = feed("<x></y>" + "p" * 800)
    skipped = "\x01" * (len(text) * junk // 100)  # by the tolerant parser
    document = parse_xml(text.replace("<x>", f"{skipped}<x>"))
    assert document.is_complete is complete
    assert bool(document.damage) is not complete


@pytest.mark.parametrize(
    ("count", "tags"), [(MAX_RECOVERED_TAGS - 6, MAX_RECOVERED_TAGS), (MAX_RECOVERED_TAGS, MAX_RECOVERED_TAGS)]
)
def test_tags_of_a_text_that_is_not_understood(count: int, tags: int) -> None:
    """Their number is limited; tags in comments and CDATA do not count."""
    inside = "<!-- <a> --><![CDATA[<b>]]>" + "<c>" * count + "<item x=y>"
    document = parse_xml(f"<rss><channel>{inside}<item/></d></channel></rss>")
    assert not document.is_complete
    assert document.text.replace("<!-- <a> --><![CDATA[<b>]]>", "").count("<") == tags


@pytest.mark.parametrize(
    ("element", "cut"),
    [
        (f"<x{ATTRIBUTES}/>", None),
        (f'<x{ATTRIBUTES} b="1" c="1"/>', f"<x{ATTRIBUTES}/>"),
        (f"<x>{'<b/>' * MAX_CHILDREN}</x>", None),
        (f"<x>{'<b/>' * MAX_CHILDREN}<c/><d/></x>", f"<x>{'<b/>' * MAX_CHILDREN}</x>"),
        (f"<title>{'x' * MAX_TEXT}</title>", None),
        (f"<title>{'x' * MAX_TEXT}y</title>", f"<title>{'x' * MAX_TEXT}</title>"),
        (f"<a:keywords>{'x' * MAX_KEYWORDS}</a:keywords>", None),
        (f"<a:keywords>{'x' * MAX_KEYWORDS}y</a:keywords>", f"<a:keywords>{'x' * MAX_KEYWORDS}</a:keywords>"),
        (f"<tags>{'x' * MAX_KEYWORDS}y</tags>", f"<tags>{'x' * MAX_KEYWORDS}</tags>"),
        (f"<other>{'x' * MAX_KEYWORDS}y</other>", None),
    ],
    ids=["attributes", "too many attributes", "children", "too many children", "text", "a text too long", "keywords",
         "keywords too long", "tags too long", "another text"],
)  # fmt: skip
def test_limits_of_an_element(element: str, cut: str | None) -> None:
    """What is beyond them is cut off, with a warning."""
    text = feed(element).replace("<rss>", '<rss xmlns:a="u">')
    document = parse_xml(text)
    assert document.text == (text if cut is None else text.replace(element, cut))
    assert document.warnings == (() if cut is None else (CUT,))
    assert (document.is_complete, document.omitted, len(document.elements)) == (True, 0, 1)


def test_entries_are_no_children_that_count() -> None:
    """A channel may have thousands of them."""
    document = parse_xml(feed(ONE * (MAX_CHILDREN + 1) + "<x/>" * MAX_CHILDREN))
    assert (document.warnings, len(document.elements)) == ((), MAX_CHILDREN + 2)


def test_keywords_of_a_damaged_document() -> None:
    """They are cut before the tolerant parser sees them."""
    words, inside = "x" * MAX_KEYWORDS, "<{0}keywords><![CDATA[{1}]]></{0}keywords></y>"
    document = parse_xml(feed(inside.format("", words + "yz")))
    assert f"{words}]" in document.text
    assert "xy" not in document.text


@pytest.mark.parametrize("length", [99_000, 100_000, 250_000])
def test_oversized_tags(length: int) -> None:
    """They lose their attributes, wherever they are; a long text does not matter."""
    tag, empty = f"<b a='{'x' * length}'>", f"<c-d.e:f a='{'x' * length}'/>"
    text = f"<rss>{'y' * 70_000}<a>{tag}{empty}{'z' * 150_000}</a>"
    kept = length < 100_000
    assert drop_oversized_tags(text) == (text if kept else text.replace(tag, "<b>").replace(empty, "<c-d.e:f/>"))


@pytest.mark.parametrize("count", [MAX_PREFIXES, MAX_PREFIXES + 1])
def test_prefixes_are_declared_unless_there_are_too_many(count: int) -> None:
    """Nobody uses that many."""
    document = parse_xml(feed("".join(f"<p{n}:x/>" for n in range(count))))
    assert document.text.count("xmlns:p") == (count if count <= MAX_PREFIXES else 0)


@pytest.mark.parametrize(
    ("prefix", "namespace"),
    [
        ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ("podcast", "https://podcastindex.org/namespace/1.0"),
        ("content", "http://purl.org/rss/1.0/modules/content/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
        ("sy", "http://purl.org/rss/1.0/modules/syndication/"),
        ("media", "http://search.yahoo.com/mrss/"),
        ("atom", "http://www.w3.org/2005/Atom"),
        ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
        ("my-own", "urn:undeclared:my-own"),
    ],
)
def test_a_missing_prefix(prefix: str, namespace: str) -> None:
    """It is declared with what it usually stands for; a word with a colon in a text is no prefix."""
    document = parse_xml(feed(f"<title>see notes: here, a:b</title><{prefix}:x/>"))
    assert document.root.nsmap == {prefix: namespace}
    assert document.text.startswith(f'<rss xmlns:{prefix}="{namespace}"><channel>')


def test_blanks_in_a_namespace_are_dropped() -> None:
    """Some write the address on two lines; blanks elsewhere stay."""
    text = feed("<a:b c=' d e '/>").replace("<rss>", "<rss xmlns:a='http://h.example/\n  a' xmlns=\" u v\" x=' y z'>")
    assert parse_xml(text).root.nsmap == {"a": "http://h.example/a", None: "uv"}
    assert parse_xml(text).root.get("x") == " y z"


def test_a_strict_parse() -> None:
    """A text that is not well-formed has none."""
    document = parse_xml_strict(feed(""))
    assert isinstance(document, XmlDocument)
    assert (document.text, document.is_complete, document.warnings, document.damage) == (feed(""), True, (), "")
    assert parse_xml_strict(feed("&")) is None


def test_some_entries_of_a_document() -> None:
    """The others are removed with the text after them; the document stays as it is."""
    document = parse_xml(feed("<item>é</item>between<item>3</item>"))
    first, second, third = document.elements
    assert document.with_only([second, first]).decode() == feed("").replace(ONE, "<item>é</item>between<item>3</item>")
    assert document.with_only([third]).decode() == feed("")
    assert document.to_bytes().decode() == document.text


@pytest.mark.parametrize("count", [MAX_ENTRIES, MAX_ENTRIES + 1])
def test_the_newest_entries_of_a_text(count: int) -> None:
    """The oldest is left out, wherever it is, whichever elements have the dates."""
    dates = [
        "<pubDate>{}</pubDate>", "<date>\n{}</date>", "<updated a='b'><![CDATA[{}]]></updated>", "<issued>{}</issued>",
        "<published>{}</published>", "<a:created>{}</a:created>", "<modified>{}</modified>",
    ]  # fmt: skip
    days = [f"20{number % 90 + 10}-01-01" for number in range(count)]
    days[7] = "1999-01-01"
    items = [f"<item>{n}<x>1990</x>{dates[n % len(dates)].format(day)}</item>" for n, day in enumerate(days)]
    text = f"<rss xmlns:a='u'>{'-'.join(items)}</rss>"
    kept, omitted = keep_newest(text)
    assert omitted == count - MAX_ENTRIES
    assert kept == (text.replace(items[7], "") if omitted else text)
    document = parse_xml(text)
    assert (document.omitted, [each.text for each in document.elements]) == (
        omitted, [f"{number}" for number in range(count) if not (omitted and number == 7)],
    )  # fmt: skip


def test_a_text_with_too_many_entries_that_cannot_be_split() -> None:
    """It is left as it is here, and cut once it is parsed."""
    text = f"<rss>{'<item><x/></item>' * MAX_ENTRIES}<item><item/></item></rss>"
    assert keep_newest(text) == (text, 0)


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("<rss><item>1</item></rss>", ("<item>1</item>",)),
        ("<feed><entry>1</entry><x></x><entry b='c'>2</entry></feed>", ("<entry>1</entry>", "<entry b='c'>2</entry>")),
        ("<feed><entry>1</entry><item/></feed>", ("<entry>1</entry>",)),
        ("<feed><entry>1</entry><item></item></feed>", ("<item></item>",)),
        ("<rss><items/><item\t>1</item></rss>", ("<item\t>1</item>",)),
        ("<rss><item>1</items></rss>", None),
        ("<rss><item>1</item >", None),
        ("<rss><item>1</item></item>", None),
        ("<rss><item>1<item>2</item></item>", None),
        ("<rss></item><item><item></item>", None),
        ("<rss>", None),
    ],
)
def test_splitting(text: str, elements: tuple[str, ...] | None) -> None:
    """Entries that follow each other, each with its end."""
    split = split_elements(text)
    assert (split and split.elements) == elements
    assert split is None or split.with_only(range(len(split.elements))) == text
