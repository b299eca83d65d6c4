"""Decodes a document's bytes to text without illegal characters, before any parser sees them.

Parsers that guess the charset turn a whole UTF-8 feed into mojibake over one bad byte; text leaves them nothing to
guess.
"""

from __future__ import annotations

import codecs
import re

# Longest first: the UTF-32 byte order mark begins with the UTF-16 one.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A document begins with "<" or "{": the position of its zero bytes gives the code unit width (XML 1.0, appendix F).
_WIDTHS = (
    (re.compile(rb"[<{\s]\0\0\0", re.DOTALL), "utf-32-le"),
    (re.compile(rb"\0\0\0[<{\s]", re.DOTALL), "utf-32-be"),
    (re.compile(rb"[<{\s]\0[^\0]", re.DOTALL), "utf-16-le"),
    (re.compile(rb"\0[<{\s]", re.DOTALL), "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*+=\s*+[\"']?\s*+([\w.:-]+)", re.IGNORECASE)
_PROLOG = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']\s*([A-Za-z0-9_.:-]+)")
# Labels and the superset they stand for (WHATWG Encoding, "names and labels").
_ALIASES = {
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
_SURROGATES = re.compile(r"(?:&#(?:[xX]0*[dD][89a-fA-F][0-9a-fA-F]{2}|5[567][0-9]{3})(?![0-9a-fA-F]);?)+")
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})
_ILLEGAL_UTF8 = (b"\xef\xbb\xbf", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""The byte order mark and two non-characters."""
_MAX_BAD_BYTES = 10_000


def decode(body: bytes, content_type: str = "") -> str:
    """Return ``body`` as text. Never raise.

    In order of preference: a byte order mark or zero bytes, valid UTF-8, the header's charset, the XML declaration, and
    UTF-8 with each invalid byte read as windows-1252. Characters that XML 1.0 forbids are dropped.

    >>> decode(b'<?xml version="1.0" encoding="iso-8859-1"?><t>caf\\xc3\\xa9</t>')[-11:]
    '<t>café</t>'
    >>> decode(b"<t>caf\\xc3\\xa9 and caf\\xe9</t>")
    '<t>café and café</t>'
    """
    if (text := _decode_clean_utf8(body, content_type)) is not None:
        return text
    text = _decode_wide(body)
    return drop_illegal(_decode_declared(body, content_type) if text is None else text)


def drop_illegal(text: str) -> str:
    """Return ``text`` without the characters that XML forbids: controls, lone surrogates and non-characters.

    >>> drop_illegal("a\\x00b\\ud800c")
    'abc'
    """
    return _ILLEGAL.sub("", text)


def resolve_surrogates(text: str) -> str:
    """Return ``text`` in which two numeric references to surrogates are one character; one alone is nothing.

    >>> resolve_surrogates("a&#55358;&#56770;b&#xD83E;")
    'a🧂b'
    """
    return _SURROGATES.sub(_resolve_run, text)


def _resolve_run(references: re.Match[str]) -> str:
    numbers = re.findall(r"#(\w+)", references[0])
    units = "".join(chr(int(number[1:], 16) if number[0] in "xX" else int(number)) for number in numbers)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _decode_clean_utf8(body: bytes, content_type: str) -> str | None:
    """Return valid UTF-8 without illegal characters as text: the usual case, recognised by fast searches for bytes."""
    may_be_hz = b"hz" in body[:1024].lower() or "hz" in content_type.lower()
    may_be_illegal = not body.isascii() and any(sequence in body for sequence in _ILLEGAL_UTF8)
    if may_be_hz or may_be_illegal or len(body.translate(None, _CONTROLS)) != len(body):
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decode_wide(body: bytes) -> str | None:
    """Return UTF-16 or UTF-32 as text, or None if it is neither."""
    for byte_order_mark, name in _BYTE_ORDER_MARKS:
        if body.startswith(byte_order_mark) and name != "utf-8":
            return body[len(byte_order_mark) :].decode(name, "replace")
    start = body[:4]
    return next((body.decode(name, "replace") for zeros, name in _WIDTHS if zeros.match(start)), None)


def _decode_declared(body: bytes, content_type: str) -> str:
    body = body.removeprefix(codecs.BOM_UTF8)
    header = _CHARSET.search(content_type)
    prolog = _PROLOG.search(body[:1024])
    names = [header[1] if header else "", prolog[1].decode("ascii") if prolog else ""]
    escapes = b"\x1b" in body or b"~{" in body  # ISO-2022 and HZ are valid UTF-8, too, so they are tried first
    seven_bit = [name for name in names if escapes and name.lower().startswith(("iso-2022", "hz"))]
    for name in (*seven_bit, "utf-8", *names):
        if (text := _decode_strictly(body, name)) is not None:
            return text
    return _decode_mostly_utf8(body)


def _decode_strictly(body: bytes, name: str) -> str | None:
    codec = _ALIASES.get(name.lower(), name)
    if not _TEXT_CODECS.fullmatch(codec) or codec.lower().startswith(("utf-16", "utf16")):
        return None  # UTF-16 would have zero bytes, as UTF-32, which never fits; a codec such as zlib yields no text
    try:
        return body.decode(codec)
    except (UnicodeError, LookupError):
        return _decode_windows_1252(body) if codec == "windows-1252" and name != "utf-8" else None


def _decode_mostly_utf8(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if bad <= _MAX_BAD_BYTES:
        return body.decode("utf-8", _STRAY)
    good = sum(1 for character in text if character > "\x7f" and character != "\ufffd")
    return text.replace("\ufffd", "") if good > bad else _decode_windows_1252(body)


def _decode_windows_1252(body: bytes) -> str:
    return body.decode("windows-1252", "ignore")


def _decode_stray_bytes(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _decode_windows_1252(error.object[error.start : error.end]), error.end


_STRAY = "pipeline.stray-windows-1252"
codecs.register_error(_STRAY, _decode_stray_bytes)
