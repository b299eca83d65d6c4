"""Decoding: byte order marks, then UTF-8, then the declared encoding."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.parse.decode import decode
from tests.growth import assert_linear

TEXT = "<t>Crème – brûlée €</t>"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_wide_encodings_are_recognised(encoding: str) -> None:
    """With a byte order mark or without."""
    assert decode(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_big_endian_marks(mark: bytes) -> None:
    """The other byte order has its mark, too."""
    name = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    assert decode(mark + TEXT.encode(name)) == TEXT


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1251", "nonsense", "utf-16", "zlib"])
def test_valid_utf8_wins(declared: str) -> None:
    """Valid UTF-8 is never a coincidence, whatever is declared."""
    body = f'<?xml version="1.0" encoding="{declared}"?>{TEXT}'
    assert decode(body.encode(), f"text/xml; charset={declared}") == body


@pytest.mark.parametrize(
    ("declared", "used", "text"),
    [
        ("iso-8859-1", "windows-1252", "“Crème” – 5 €"),
        ("windows-1251", "windows-1251", "Хлеб и соль"),
        ("koi8-r", "koi8-r", "Хлеб и соль"),
        ("gb2312", "gb18030", "面包和盐镕"),
        ("Shift_JIS", "cp932", "塩とパン①"),
        ("euc-kr", "cp949", "빵과 소금 똠"),
        ("big5", "big5", "麵包和鹽"),
        ("iso-2022-jp", "iso-2022-jp", "塩とパン"),
    ],
)
def test_declared_encodings(declared: str, used: str, text: str) -> None:
    """The header or the XML declaration names an encoding; its usual superset is used."""
    body = text.encode(used)
    assert decode(b"<t>" + body, f"text/xml; charset='{declared}'") == f"<t>{text}"
    assert decode(f'<?xml version="1.0" encoding="{declared}"?>'.encode() + body).endswith(text)


def test_header_comes_before_the_xml_declaration() -> None:
    """RFC 7303."""
    body = '<?xml version="1.0" encoding="windows-1252"?>Хлеб'.encode("windows-1251")
    assert decode(body, "application/xml; charset=windows-1251").endswith("Хлеб")


def test_stray_bytes_are_decoded_alone() -> None:
    """A byte of windows-1252 in UTF-8 becomes its character; all others stay."""
    assert decode("Crème ".encode() + b"na\xefve " + "brûlée".encode()) == "Crème naïve brûlée"


@pytest.mark.parametrize("declared", ["utf-16", "UTF-16LE", "utf32", "zlib", "idna", "nonsense", "utf-8"])
def test_impossible_declarations_are_ignored(declared: str) -> None:
    """A wide encoding has zero bytes; what is declared in vain leaves the bytes of windows-1252."""
    assert decode(b"<t>cr\xe8me </t>", f"text/xml; charset={declared}") == "<t>crème </t>"


@pytest.mark.parametrize("declared", ["windows-1252", "windows-1251", "hz-gb-2312", "iso-2022-jp"])
def test_utf8_with_the_marks_of_other_encodings(declared: str) -> None:
    """Text in UTF-8 may have "~{" or an escape character in it."""
    body = "<t>Crème ~{ brûlée ~}</t>"
    assert decode(body.encode(), f"text/xml; charset={declared}") == body


def test_a_document_with_thousands_of_bad_bytes() -> None:
    """They are dropped if there are more characters of UTF-8; else all of it is windows-1252."""
    assert decode("é".encode() * 10_002 + b"\xe9a" * 10_001) == "é" * 10_002 + "a" * 10_001
    assert decode("é".encode() * 10_000 + b"\xe9a" * 10_001) == "Ã©" * 10_000 + "éa" * 10_001
    assert decode("é".encode() + b"\xe9a" * 10_000) == "é" + "éa" * 10_000


@pytest.mark.parametrize(
    ("body", "declared", "text"),
    [
        (b"<t>~{<:Ky~}", "HZ-GB-2312", "<t>己所"),
        (b"<?xml version='1.0' encoding='HZ-GB-2312'?>~{<:Ky~}", "", "己所"),
        (b"<?xml version='1.0' encoding='ISO-2022-JP'?>\x1b$B1v\x1b(B", "", "塩"),
        (b"\x1b$B1v\x1b(B", "ISO-2022-JP", "塩"),
        (b"\x81\xe9", "iso-8859-1", "é"),
        (b"\x81\xe9", "Windows-1252", "é"),
        (b"\x81\xe9", "", "é"),
        (codecs.BOM_UTF8 + b"\x81\xe9", "koi8-r", "│И"),
        (b"<?xml version='1.0' encoding = \" koi8-r\" ?>\xe9", "", "И"),
        (b"<?xml version='1.0' encoding='koi8-r'?>\xe9", "nonsense", "И"),
        (b" " * 990 + b"<?xml encoding='koi8-r'?>\xe9", "", "И"),
        (b" " * 1010 + b"<?xml encoding='koi8-r'?>\xe9", "", "é"),
        ("<t>é".encode("utf-16-le") + b"<", "", "<t>é\ufffd"),
        (codecs.BOM_UTF16_LE + "<t>é".encode("utf-16-le") + b"<", "", "<t>é\ufffd"),
        (b"<t>\xe9 \x00 \xe9</t>", "", "<t>é  é</t>"),
        (b"a\x00b\xef\xbb\xbfc", "", "abc"),
        (b"~{ hz", "utf-8", "~{ hz"),
    ],
)
def test_more_declarations(body: bytes, declared: str, text: str) -> None:
    """Encodings of seven bits in any letters, bytes that an encoding does not have, and where a declaration counts."""
    assert decode(body, f"text/xml; CharSet = {declared}" if declared else "").endswith(text)


def test_illegal_characters_are_dropped() -> None:
    """Characters that XML 1.0 forbids are gone; tabs and line ends stay."""
    assert decode(b"a\x00b\x0bc\td\r\n\xef\xbf\xbe\xef\xbf\xbfe") == "abc\td\r\ne"


@pytest.mark.parametrize("piece", [b"\xe9a", b"\xff", b"\xe2\x82"], ids=["mixed", "ff", "cut"])
def test_invalid_bytes_take_linear_time(piece: bytes) -> None:
    """They are counted before they are decoded one by one."""
    assert_linear(lambda length: decode(piece * (length // len(piece))), 10_000)


@given(st.binary(max_size=300), st.sampled_from(["", "text/xml; charset=utf-16", "x; charset=big5", "charset=idna"]))
def test_nothing_raises(body: bytes, content_type: str) -> None:
    """Any bytes become text that can be encoded again."""
    decode(body, content_type).encode("utf-8")
