"""Bytes into text: marks, then UTF-8, then what is declared."""

from __future__ import annotations

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.parse.decode import decode

TEXT = "<t>Crème – brûlée €</t>"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_marks_and_zero_bytes_tell_the_width(encoding: str) -> None:
    """With a byte order mark or without, wide encodings are recognised."""
    assert decode(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_big_endian_marks(mark: bytes) -> None:
    """The other byte order has its mark too."""
    name = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    assert decode(mark + TEXT.encode(name)) == TEXT


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1251", "nonsense", "utf-16", "zlib"])
def test_valid_utf8_wins(declared: str) -> None:
    """UTF-8 is never valid by accident, whatever header and prolog say."""
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
    """Header or prolog name an encoding; the larger set that people mean is used."""
    body = text.encode(used)
    assert decode(b"<t>" + body, f"text/xml; charset='{declared}'") == f"<t>{text}"
    assert decode(f'<?xml version="1.0" encoding="{declared}"?>'.encode() + body).endswith(text)


def test_the_header_wins_over_the_prolog() -> None:
    """As RFC 7303 has it."""
    body = '<?xml version="1.0" encoding="windows-1252"?>Хлеб'.encode("windows-1251")
    assert decode(body, "application/xml; charset=windows-1251").endswith("Хлеб")


def test_a_stray_byte_is_read_alone() -> None:
    """One byte of windows-1252 in UTF-8 becomes its character; all others stay what they are."""
    assert decode("Crème ".encode() + b"na\xefve " + "brûlée".encode()) == "Crème naïve brûlée"


def test_illegal_characters_are_dropped() -> None:
    """What XML 1.0 forbids is gone; tabs and line ends stay."""
    assert decode(b"a\x00b\x0bc\td\r\n\xef\xbf\xbe\xef\xbf\xbfe") == "abc\td\r\ne"


@pytest.mark.parametrize(
    "body", [b"\xe9a" * 500_000, b"\xff" * 500_000, b"\xe2\x82" * 500_000], ids=["mixed", "ff", "cut"]
)
def test_a_megabyte_of_nonsense_is_quick(body: bytes) -> None:
    """Bad bytes are counted before they are looked at one by one."""
    before = time.process_time()
    decode(body)
    assert time.process_time() - before < 2


@given(st.binary(max_size=300), st.sampled_from(["", "text/xml; charset=utf-16", "x; charset=big5", "charset=idna"]))
def test_nothing_raises(body: bytes, content_type: str) -> None:
    """Any bytes become text that can be encoded again."""
    decode(body, content_type).encode("utf-8")
