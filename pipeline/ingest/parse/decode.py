"""Bytes into text, before any parser sees them.

In: a body and its Content-Type header. Out: a string without illegal characters. Touches nothing.

A parser that guesses turns a whole UTF-8 feed into mojibake over one bad byte, so nobody after this room guesses.
"""

from __future__ import annotations

import codecs
import re

# Longest first: the UTF-32 mark begins with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A document begins with "<" or "{": where its zero bytes lie betrays the width (XML 1.0, appendix F).
_WIDTHS = (
    (re.compile(rb"[<{\s]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\s]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[<{\s]\0[^\0]", re.DOTALL), "utf-16-le"),
    (re.compile(rb"\0[<{\s]", re.DOTALL), "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_PROLOG = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']\s*([A-Za-z0-9_.:-]+)")
# What people write, and the larger set they mean (WHATWG Encoding, "names and labels").
_MEANT = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030", "iso-8859-1": "windows-1252",
    "latin1": "windows-1252", "latin-1": "windows-1252", "us-ascii": "windows-1252", "ascii": "windows-1252",
    "iso8859-1": "windows-1252", "iso_8859-1": "windows-1252", "iso-8859-9": "windows-1254", "iso-8859-11": "cp874",
    "tis-620": "cp874", "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932",
    "windows-31j": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "big5": "big5hkscs", "utf8": "utf-8",
}  # fmt: skip
_TEXT_CODECS = re.compile(
    r"utf-?(?:8|16|32)(?:-?[lb]e)?|windows-?\d+|cp\d+|iso[-_]?8859[-_]\d+|iso-2022-[a-z0-9-]+|"
    r"gb\w+|hz-gb-2312|big5\w*|euc[-_]\w+|koi8-[rtu]|mac\w+|shift_\w+|johab|ptcp154|tis-?620",
    re.IGNORECASE,
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})
_ODD = (b"\xef\xbb\xbf", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""The mark and two non-characters."""
_MANY_BAD_BYTES = 10_000


def decode(body: bytes, content_type: str = "") -> str:
    """Return ``body`` as text: a mark or zero bytes decide, then valid UTF-8, the header's charset, the XML prolog.

    Where none fits, UTF-8 with stray bytes read as windows-1252, one by one. Characters that XML 1.0 forbids are
    dropped; nothing raises.

    >>> decode(b'<?xml version="1.0" encoding="iso-8859-1"?><t>caf\\xc3\\xa9</t>')[-11:]
    '<t>café</t>'
    >>> decode(b"<t>caf\\xc3\\xa9 and caf\\xe9</t>")
    '<t>café and café</t>'
    """
    if (usual := _usual(body, content_type)) is not None:
        return usual
    text = _marked(body)
    if text is None:
        text = _declared(body, content_type)
    return drop_illegal(text)


def drop_illegal(text: str) -> str:
    """Drop what no XML, no database and no UTF-8 can hold: controls, half characters, non-characters.

    >>> legal("a\\x00b\\ud800c")
    'abc'
    """
    return _ILLEGAL.sub("", text)


def _usual(body: bytes, content_type: str) -> str | None:
    """Decode what is valid UTF-8 and holds nothing to drop or to doubt; looking for bytes is quick."""
    may_be_hz = b"hz" in body[:1024].lower() or "hz" in content_type.lower()
    may_be_odd = not body.isascii() and any(odd in body for odd in _ODD)
    if may_be_hz or may_be_odd or len(body.translate(None, _CONTROLS)) != len(body):
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _marked(body: bytes) -> str | None:
    for mark, name in _MARKS:
        if body.startswith(mark) and name != "utf-8":
            return body[len(mark) :].decode(name, "replace")
    start = body[:4]
    return next((body.decode(name, "replace") for zeros, name in _WIDTHS if zeros.match(start)), None)


def _declared(body: bytes, content_type: str) -> str:
    body = body.removeprefix(codecs.BOM_UTF8)
    header = _CHARSET.search(content_type)
    prolog = _PROLOG.search(body[:1024])
    names = [header[1] if header else "", prolog[1].decode("ascii") if prolog else ""]
    escapes = b"\x1b" in body or b"~{" in body  # ISO-2022 and HZ are valid UTF-8 to the eye, so they must speak first
    seven_bit = [name for name in names if escapes and name.lower().startswith(("iso-2022", "hz"))]
    for name in (*seven_bit, "utf-8", *names):
        if (text := _strictly(body, name)) is not None:
            return text
    return _mostly_utf8(body)


def _strictly(body: bytes, name: str) -> str | None:
    meant = _MEANT.get(name.lower(), name)
    if not _TEXT_CODECS.fullmatch(meant) or meant.lower().startswith(("utf-16", "utf-32", "utf16", "utf32")):
        return None  # without zero bytes a wide encoding is a lie, and a codec such as zlib is no text
    try:
        return body.decode(meant)
    except (UnicodeError, LookupError):
        return _windows(body) if meant == "windows-1252" and name != "utf-8" else None


def _mostly_utf8(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if bad <= _MANY_BAD_BYTES:
        return body.decode("utf-8", _STRAY)
    good = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    return text.replace("\ufffd", "") if good > bad else _windows(body)


def _windows(body: bytes) -> str:
    return body.decode("windows-1252", "ignore")


def _stray(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _windows(error.object[error.start : error.end]), error.end


_STRAY = "pipeline.stray-windows-1252"
codecs.register_error(_STRAY, _stray)
