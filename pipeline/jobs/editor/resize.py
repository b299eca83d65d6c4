"""Turn an uploaded file into a picture that a newsletter can show. Only this module imports Pillow.

The result is a JPEG or a PNG in sRGB, upright, at most ``MAX_PICTURE_WIDTH`` pixels wide, without any metadata: where a
photo was taken is nobody's business. Of an animation the first frame is kept: Outlook on Windows shows no other.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

from pipeline.model.errors import RefusedError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PICTURE_WIDTH = 1200
"""In pixels: twice the width of the newsletter, for screens of high density."""
MAX_PICTURE_HEIGHT = 2400
MAX_PICTURE_BYTES = 250_000
"""A JPEG is compressed, then made smaller, until it has no more; preflight calls a larger one heavy."""
MAX_UPLOADED_PIXELS = 80_000_000
"""A file that unpacks to more is refused before it is unpacked."""
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_QUALITIES = (85, 75, 65)
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")
_OTHER_FORMAT = "save it as JPEG or PNG, then upload that."


def resize_picture(content: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """Return the bytes of a picture, the end of its name (``jpg`` or ``png``), and its width and height in pixels.

    Raise RefusedError, with what to do, for a file that is not a whole picture of a format that is accepted.
    """
    from PIL import Image, UnidentifiedImageError

    _refuse_by_first_bytes(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=_FORMATS) as image:
                if image.width * image.height > MAX_UPLOADED_PIXELS:
                    raise RefusedError(
                        f"This picture has {image.width} × {image.height} pixels, more than can be opened: make it "
                        "smaller, then upload it again."
                    )
                image.draft("RGB", (2 * MAX_PICTURE_WIDTH, 2 * MAX_PICTURE_HEIGHT))  # saves memory; only for JPEG
                return _encoded(_prepared(image))
    except RefusedError:
        raise
    except UnidentifiedImageError as error:
        raise RefusedError(f"This file is no picture that newsletters can show: {_OTHER_FORMAT}") from error
    except Exception as error:  # the bytes may be anything, and Pillow's decoders raise many kinds of errors
        message = "This picture is damaged or incomplete: open it on your computer, save it again, then upload that."
        raise RefusedError(message) from error


def _refuse_by_first_bytes(content: bytes) -> None:
    if not content:
        raise RefusedError("This file is empty: choose another picture.")
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise RefusedError(f"This is an SVG or a web page, which mail programs do not show: {_OTHER_FORMAT}")
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        raise RefusedError(f"This is a HEIC or AVIF picture, which mail programs do not show: {_OTHER_FORMAT}")


def _prepared(image: Image) -> Image:
    """Return a picture upright, in sRGB and no larger than needed; RGBA if any of it is transparent, else RGB."""
    from PIL import ImageOps

    image.seek(0)
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    if profile and upright.mode in ("RGB", "RGBA", "CMYK", "L"):
        upright = _in_srgb(upright, profile)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    picture = upright.convert("RGBA" if has_alpha else "RGB")
    if has_alpha and picture.getchannel("A").getextrema()[0] == 255:
        picture = picture.convert("RGB")
    picture.thumbnail((MAX_PICTURE_WIDTH, MAX_PICTURE_HEIGHT))
    return picture


def _in_srgb(image: Image, profile: bytes) -> Image:
    """Return an image converted from its colour profile; unchanged if the profile does not fit."""
    from PIL import ImageCms

    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image
    return converted or image


def _encoded(picture: Image) -> tuple[bytes, str, tuple[int, int]]:
    """Return the smaller of PNG and JPEG that keeps the transparency, within ``MAX_PICTURE_BYTES`` if that works."""
    bare = picture.copy()
    bare.info = {}
    if picture.mode == "RGBA":
        content = _saved(bare, "PNG", optimize=True)
        if len(content) > MAX_PICTURE_BYTES:
            content = _saved(bare.quantize(256), "PNG", optimize=True)
        return content, "png", picture.size
    drawn = bare.getcolors(256)  # a drawing, which JPEG would blur
    if drawn and len(content := _saved(bare, "PNG", optimize=True)) <= MAX_PICTURE_BYTES:
        return content, "png", picture.size
    while True:
        for quality in _QUALITIES:
            content = _saved(bare, "JPEG", quality=quality, progressive=True, optimize=True)
            if len(content) <= MAX_PICTURE_BYTES:
                return content, "jpg", bare.size
        bare.thumbnail((bare.width * 3 // 4, bare.height * 3 // 4))


def _saved(picture: Image, format_name: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, format_name, **options)
    return file.getvalue()
