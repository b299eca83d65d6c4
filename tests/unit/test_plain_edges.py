"""Plain text, headers and dates at their edges: one row for each branch and limit."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.text.dates import parse_date
from pipeline.text.markdown_ends import is_list, without_cut_end
from pipeline.text.message_headers import (
    Mailbox,
    find_control_character,
    mailbox_header,
    message_headers,
    parse_mailbox,
    subject_header,
)
from pipeline.text.mojibake import find_mojibake, repair_mojibake
from pipeline.text.plain_text import (
    MAX_TITLE_CHARS,
    clean_markup,
    clean_text,
    clean_title,
    count_cjk,
    count_words,
    end_with_ellipsis,
    excerpt_text,
    first_words,
    has_cjk,
    split_boilerplate,
)
from tests.rows import Rows, differences


def read_date(text: str) -> str | None:
    """Return a date as text, to the second."""
    instant = parse_date(text)
    return f"{instant.replace(tzinfo=None)}" if instant else None


PLAIN_TEXT: Rows = [
    (clean_text, (" a\n b ",), "a b"),
    (clean_text, ("a\x00b",), "ab"),
    (clean_text, ("a\xadb",), "ab"),
    (clean_text, ("a\u200db",), "ab"),
    (clean_text, ("é\u200dé",), "é\u200dé"),
    (clean_text, ("a\x0bb",), "ab"),
    (clean_text, ("a\u202eb",), "ab"),
    (clean_title, ("a<b>c</b>",), "ac"),
    (clean_title, ("a <i>b",), "a b"),
    (clean_title, ("a</b> c",), "a c"),
    (clean_title, ("<video> tag",), "<video> tag"),
    (clean_title, ("a<br>b",), "a b"),
    (clean_title, ("a<br/>b",), "a b"),
    (clean_title, ("<p>a</p>",), "a"),
    (clean_title, ("x<!-- y -->z",), "xz"),
    (clean_title, ("<script>x</script>y",), "y"),
    (clean_title, ("<script>x",), "<script>x"),
    (clean_title, ("<![CDATA[a]]>",), "a"),
    (clean_title, ("&amp;amp;amp;lt;",), "&lt;"),
    (clean_title, ("a<b and b>c",), "a<b and b>c"),
    (clean_title, ("<b class=x>",), ""),
    (clean_title, ("<b class='x'>a",), "a"),
    (clean_title, ("<em>a</em><em>b",), "ab"),
    (clean_title, ("a <b>b</b>c",), "a bc"),
    (clean_title, ("Vec<Option>",), "Vec<Option>"),
    (clean_title, ("FÃ¤hre",), "Fähre"),
    (clean_title, ("&amp;lt;b&amp;gt;x&amp;lt;/b&amp;gt;",), "x"),
    (clean_title, ("x <wbr>y",), "x y"),
    (clean_title, ("x<wbr>y",), "x y"),
    (clean_title, ("x <hr> y",), "x <hr> y"),
    (clean_title, ("<img src=a>b",), "b"),
    (clean_title, ("a<B>b</B>",), "ab"),
    (clean_markup, ("a<b>b</b>c",), "abc"),
    (clean_markup, ("a<br>b&amp;c",), "a b&c"),
    (clean_markup, ("<video>",), ""),
    (clean_markup, ("a &lt;b&gt;",), "a <b>"),
    (split_boilerplate, ("",), ("", False)),
    (split_boilerplate, ("Salt […]",), ("Salt…", True)),
    (split_boilerplate, ("Salt. […]",), ("Salt.", True)),
    (split_boilerplate, ("Salt.” [...]",), ("Salt.”", True)),
    (split_boilerplate, ("Salt (…)",), ("Salt…", True)),
    (split_boilerplate, ("Salt…",), ("Salt…", True)),
    (split_boilerplate, ("Salt...</b></p>",), ("Salt...</b></p>", True)),
    (split_boilerplate, ("<p>Salt. <a href='x'>Read more</a></p>",), ("<p>Salt.</p>", True)),
    (split_boilerplate, ("Salt.\nContinue reading Bread",), ("Salt.", True)),
    (split_boilerplate, ("Salt. Weiterlesen",), ("Salt.", True)),
    (split_boilerplate, ("Read more",), ("", True)),
    (split_boilerplate, ("Salt. Der Beitrag Salt erschien zuerst auf H.",), ("Salt.", False)),
    (
        split_boilerplate,
        ("<p>Salt.</p><p>The post <a href='x'>Salt</a> appeared first on <a>H</a>.</p>",),
        ("<p>Salt.</p>", False),
    ),
    (split_boilerplate, ("Read on the moon. It is far.",), ("Read on the moon. It is far.", False)),
    (split_boilerplate, ("Salt. Keep reading…",), ("Salt.", True)),
    (split_boilerplate, ("[&hellip;]",), ("…", True)),
    (split_boilerplate, ("Salt [&#8230;]</p>",), ("Salt…</p>", True)),
    (excerpt_text, ("One two. Three four.", 2), "One two."),
    (excerpt_text, ("One two. Three four.", 3), "One two."),
    (excerpt_text, ("One two three four", 2), "One two…"),
    (excerpt_text, ("One two, three", 2), "One two…"),
    (excerpt_text, ("One and the two", 3), "One…"),
    (excerpt_text, ("塩の道。海の道。", 3), "塩の道。海の道。"),
    (excerpt_text, ("a b", 2), "a b"),
    (excerpt_text, ("a  b\nc", 3), "a b c"),
    (first_words, ("a  b c", 2), "a b"),
    (first_words, ("塩塩塩塩", 1), "塩塩"),
    (first_words, ("塩a塩 b", 2), "塩a塩"),
    (
        first_words,
        ("塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩塩", 1),
        "塩塩",
    ),
    (first_words, ("", 2), ""),
    (end_with_ellipsis, ("a, b and",), "a, b…"),
    (end_with_ellipsis, ("a (",), "a…"),
    (end_with_ellipsis, ("a…",), "a…"),
    (end_with_ellipsis, ("the",), "the…"),
    (end_with_ellipsis, ("塩、酸",), "塩、酸…"),
    (end_with_ellipsis, ("塩の道を、酸",), "塩の道を…"),
    (end_with_ellipsis, ("a – b —",), "a – b…"),
    (end_with_ellipsis, ("x the of",), "x…"),
    (count_words, ("a b-c d'e 1,000",), 4),
    (count_words, ("塩塩塩",), 1),
    (count_words, ("塩 a",), 1),
    (count_words, ("- –",), 0),
    (count_words, ("",), 0),
    (count_cjk, ("塩aか",), 2),
    (count_cjk, ("a",), 0),
    (has_cjk, ("塩",), True),
    (has_cjk, ("é",), False),
]


def test_plain_text() -> None:
    """Titles, boilerplate, excerpts and counts of words."""
    assert differences(PLAIN_TEXT) == []


HEADERS: Rows = [
    (find_control_character, ("a\x1fb",), "U+001F"),
    (find_control_character, ("a\tb\n",), ""),
    (find_control_character, ("\x7f",), "U+007F"),
    (find_control_character, (["a", {"b\x01": 1}],), "U+0001"),
    (find_control_character, ({"a": ["\x02"]},), "U+0002"),
    (find_control_character, (7,), ""),
    (find_control_character, ("\x9f",), "U+009F"),
    (parse_mailbox, ("a@h.example",), Mailbox(name="", address="a@h.example")),
    (parse_mailbox, ("A <a@h.example>",), Mailbox(name="A", address="a@h.example")),
    (parse_mailbox, ('"A, B" <a@h.example>',), Mailbox(name="A, B", address="a@h.example")),
    (parse_mailbox, ('"A \\"B\\"" <a@h.example>',), Mailbox(name='A "B"', address="a@h.example")),
    (parse_mailbox, ('"a b"@h.example',), Mailbox(name="", address='"a b"@h.example')),
    (parse_mailbox, ("a.b+c@h.example",), Mailbox(name="", address="a.b+c@h.example")),
    (parse_mailbox, ("<a@h.example>",), Mailbox(name="", address="a@h.example")),
    (subject_header, ("a",), "Subject: a\r\n"),
    (subject_header, ("a  b",), "Subject: a b\r\n"),
    (subject_header, ("ä",), "Subject: =?utf-8?b?w6Q=?=\r\n"),
    (subject_header, ("=?x",), "Subject: =?utf-8?b?PT94?=\r\n"),
    (
        subject_header,
        ("a bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",),
        "Subject: a\r\n bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n",
    ),
    (subject_header, ("a\x00b",), "Subject: a b\r\n"),
    (subject_header, ("",), "Subject: \r\n"),
    (mailbox_header, ("To", Mailbox(name="", address="a@h.example")), "To: a@h.example\r\n"),
    (mailbox_header, ("To", Mailbox(name="A B", address="a@h.example")), "To: A B <a@h.example>\r\n"),
    (
        mailbox_header,
        ("To", Mailbox(name='A "B" \\', address="a@h.example")),
        'To: "A \\"B\\" \\\\" <a@h.example>\r\n',
    ),
    (mailbox_header, ("To", Mailbox(name="A. B", address="a@h.example")), 'To: "A. B" <a@h.example>\r\n'),
    (mailbox_header, ("To", Mailbox(name="Ä", address="a@h.example")), "To: =?utf-8?b?w4Q=?= <a@h.example>\r\n"),
]


def test_headers() -> None:
    """Headers of a message, and what cannot be in one."""
    assert differences(HEADERS) == []


DAMAGED_TEXT: Rows = [
    (repair_mojibake, ("FÃ¤hre",), "Fähre"),
    (repair_mojibake, ("Voilà",), "Voilà"),
    (repair_mojibake, ("â€œxâ€\x9d",), "“x”"),
    (repair_mojibake, ("Ã",), "Ã"),
    (repair_mojibake, ("É”",), "É”"),
    (repair_mojibake, ("ðŸ§‚",), "🧂"),
    (repair_mojibake, ("Ã©Ã",), "éÃ"),
    (find_mojibake, ("a FÃ¤hre b",), "FÃ¤hre"),
    (find_mojibake, ("a ï»¿b",), "ï»¿b"),
    (find_mojibake, ("�x",), "�x"),
    (find_mojibake, ("Voilà",), ""),
    (find_mojibake, ("aÂ\xa0b",), "aÂ\xa0b"),
    (find_mojibake, ("â€",), "â€"),
    (find_mojibake, ("a",), ""),
    (
        find_mojibake,
        ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxâ€yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxâ€yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
    ),
    (is_list, ("- a",), True),
    (is_list, ("+ a",), True),
    (is_list, ("* a",), True),
    (is_list, ("1. a",), True),
    (is_list, ("12) a",), True),
    (is_list, ("-a",), False),
    (is_list, ("a",), False),
    (is_list, ("  - a",), True),
    (is_list, ("1a. x",), False),
    (without_cut_end, ("a b…",), "a…"),
    (without_cut_end, ("a. b…",), "a…"),
    (without_cut_end, ("a b",), "a b"),
    (without_cut_end, ("# x…",), "# x…"),
    (without_cut_end, ("> a…",), "> a…"),
    (without_cut_end, ("1. a…",), "1. a…"),
    (without_cut_end, ("p\n\nb…",), "p"),
    (without_cut_end, ("a. b. c. d. e. f...",), "a. b. c. d. e…"),
    (without_cut_end, ("*a. b…*",), "a…"),
    (without_cut_end, ("a…",), "a…"),
    (without_cut_end, ("a … b",), "a … b"),
    (without_cut_end, ("x ...!",), "x…"),
]


def test_damaged_text() -> None:
    """Text that was decoded wrongly or cut."""
    assert differences(DAMAGED_TEXT) == []


DATES: Rows = [
    (read_date, ("1 Jan 69",), "2069-01-01 00:00:00"),
    (read_date, ("1 Jan 70",), "1970-01-01 00:00:00"),
    (read_date, ("1 Jan 00",), "2000-01-01 00:00:00"),
    (read_date, ("10 Feb 2026 12 am",), "2026-02-10 00:00:00"),
    (read_date, ("10 Feb 2026 12:30 pm",), "2026-02-10 12:30:00"),
    (read_date, ("10 Feb 2026 0:00",), "2026-02-10 00:00:00"),
    (read_date, ("10 Feb 2026 23:59:60",), "2026-02-10 23:59:59"),
    (read_date, ("10 Feb 2026 24:00",), "2026-02-11 00:00:00"),
    (read_date, ("10 Feb 2026 24:00:01",), None),
    (read_date, ("10 Feb 2026 10:60",), None),
    (read_date, ("10 Feb 2026 10:00 +1400",), "2026-02-09 20:00:00"),
    (read_date, ("10 Feb 2026 10:00 +1401",), "2026-02-10 10:00:00"),
    (read_date, ("10 Feb 2026 10:00 -1400",), "2026-02-11 00:00:00"),
    (read_date, ("10 Feb 2026 10:00 EST",), "2026-02-10 15:00:00"),
    (read_date, ("10 Feb 2026 10:00 XYZ",), None),
    (read_date, ("13/13/2026",), None),
    (read_date, ("12/12/2026",), "2026-12-12 00:00:00"),
    (read_date, ("12/13/2026",), "2026-12-13 00:00:00"),
    (read_date, ("2026-366",), None),
    (read_date, ("2024-366",), "2024-12-31 00:00:00"),
    (read_date, ("2026-000",), None),
    (read_date, ("2026-W53-7",), "2027-01-03 00:00:00"),
    (read_date, ("9999-12-31T23:59 -0100",), None),
    (read_date, ("0001-01-01T00:00 +0100",), None),
    (read_date, ("1234567890",), "2009-02-13 23:31:30"),
    (read_date, ("123456789",), None),
    (read_date, ("1234567890.5",), "2009-02-13 23:31:30"),
    (read_date, ("12345678901",), None),
    (read_date, ("2026-02-10T10:00:00,5Z",), "2026-02-10 10:00:00"),
    (read_date, ("20260210 101112",), "2026-02-10 10:11:12"),
    (read_date, ("2 pm, 10 Feb 2026",), "2026-02-10 14:00:00"),
    (read_date, ("10 Feb 2026 2pm",), "2026-02-10 14:00:00"),
    (read_date, ("Feb 10 2026",), "2026-02-10 00:00:00"),
    (read_date, ("2026 February 10",), "2026-02-10 00:00:00"),
    (read_date, ("mardi 10 mars 2026",), "2026-03-10 00:00:00"),
    (read_date, ("10 mrz 2026",), "2026-03-10 00:00:00"),
    (read_date, ("10 aou 2026",), "2026-08-10 00:00:00"),
    (read_date, ("10. o 2026",), None),
]


def test_dates() -> None:
    """Dates that exist, and those that do not."""
    assert differences(DATES) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A\n B <a@küste.example>", "not a mailbox: 'A\\n B <a@küste.example>'"),
        ("A <a@h.example", "not a mailbox: 'A <a@h.example'"),
        ("a@h", "not an address: 'a@h'"),
        ("a@", "not an address: 'a@'"),
        ("@h.example", "not an address: '@h.example'"),
        ("ä@h.example", "not an address: 'ä@h.example'"),
        ("a@h..example", "not an address: 'a@h..example'"),
        ("a@-h.example", "not an address: 'a@-h.example'"),
        ("a b@h.example", "not an address: 'a b@h.example'"),
        ("A <a@h.example> x", "not a mailbox: 'A <a@h.example> x'"),
        ("a@h.example\x00", "not a mailbox: 'a@h.example\\x00'"),
    ],
)
def test_text_that_is_no_mailbox(text: str, message: str) -> None:
    """The error shows it."""
    with pytest.raises(ValueError, match=r"^not a") as refusal:
        parse_mailbox(text)
    assert str(refusal.value) == message


def test_the_headers_of_a_message() -> None:
    """Each on its line; the domain of the sender is that of the Message-ID."""
    sent_at = datetime(2026, 2, 9, tzinfo=UTC)
    headers = message_headers(
        sender="A <a@h.example>", recipient="b@o.example", subject="S", sent_at=sent_at, message_id="m"
    )
    assert headers.decode().split("\r\n") == [
        "From: A <a@h.example>", "To: b@o.example", "Subject: S", "Date: Mon, 09 Feb 2026 00:00:00 +0000",
        "Message-ID: <m@h.example>", "",
    ]  # fmt: skip


def test_the_longest_title() -> None:
    """It is cut after a thousand characters, and blanks at its end are dropped."""
    assert clean_title("x" * MAX_TITLE_CHARS + "y") == "x" * MAX_TITLE_CHARS
    assert clean_title("x" * (MAX_TITLE_CHARS - 1) + " y") == "x" * (MAX_TITLE_CHARS - 1)


def test_boilerplate_of_a_long_text() -> None:
    """It is looked for at the end only."""
    assert split_boilerplate("x" * 2_100 + " […]") == ("x" * 2_100 + "…", True)
    assert split_boilerplate("Salt. Read more" + " x" * 1_000) == ("Salt. Read more" + " x" * 1_000, False)


def test_words_of_a_header_are_folded() -> None:
    """At 76 characters; a word of 67 characters fits, a longer one is encoded."""
    assert subject_header("a " + "b" * 67) == f"Subject: a\r\n {'b' * 67}\r\n"
    assert subject_header("a " + "b" * 68).startswith("Subject: =?utf-8?q?a_bbb")
    assert max(map(len, subject_header("w " * 60).split("\r\n"))) == 76


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        ("<p>Salt. <a href='x'>Read more</a></p>", "<p>Salt.</p>"),
        ("<p>Salt.<br><a href='x'>Continue reading</a></p>", "<p>Salt.<br></p>"),
        ("<p>Salt. The post <a href='x'>Salt</a> appeared first on <a href='y'>H</a>.</p>", "<p>Salt. </p>"),
        ("<p>Salt.</p><p><a href='x'>Read more</a></p>", "<p>Salt.</p>"),
        ("<p>Salt.</p><p>The post Salt appeared first on H.</p>", "<p>Salt.</p>"),
        ("<p>Salt.</p> The post Salt appeared first on H.", "<p>Salt.</p>"),
    ],
)
def test_paragraphs_stay_closed(end: str, kept: str) -> None:
    """Those that begin before the boilerplate at their end."""
    assert split_boilerplate(end)[0] == kept
