"""How large a picture is, read from its first bytes.

In: the beginning of a PNG, GIF, JPEG or WebP file. Out: width and height in pixels, or None. Pure; trusts nothing.
"""

from __future__ import annotations

import struct

_JPEG_SIZE = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""The markers after which a JPEG says its size (ITU T.81, table B.1: SOF0 to SOF15)."""


def read_image_size(start: bytes) -> tuple[int, int] | None:
    """Read width and height; None where the bytes are no picture, or end too early.

    >>> pixels(b"GIF89a" + bytes([44, 1, 200, 0]))
    (300, 200)
    """
    try:
        if start.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", start, 16)
        if start[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack_from("<HH", start, 6)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            return _webp(start)
        return _jpeg(start) if start.startswith(b"\xff\xd8") else None
    except struct.error:
        return None


def _jpeg(start: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(start) and start[at] == 0xFF:
        if start[at + 1] in _JPEG_SIZE:
            height, width = struct.unpack_from(">HH", start, at + 5)
            return width, height
        at += 2 + struct.unpack_from(">H", start, at + 2)[0]
    return None


def _webp(start: bytes) -> tuple[int, int] | None:
    """RFC 9649, 2: three kinds, three ways to say it."""
    if start[12:16] == b"VP8X":
        wide, wider, high, higher = struct.unpack_from("<HBHB", start, 24)
        return (wider << 16 | wide) + 1, (higher << 16 | high) + 1
    if start[12:16] == b"VP8L":
        packed = struct.unpack_from("<I", start, 21)[0]
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if start[12:16] == b"VP8 ":
        width, height = struct.unpack_from("<HH", start, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
