"""Uploaded pictures: what is accepted, what is removed from them, and how a message shows them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pipeline.delivery.mail_api.content import read_content
from pipeline.delivery.service_tags import SERVICES, html_for_service
from pipeline.jobs.editor.pictures import PictureFolder
from pipeline.jobs.editor.resize import MAX_PICTURE_BYTES, resize_picture
from pipeline.model.errors import DeliveryFailedError, EditorFileError, RefusedError
from pipeline.text.markdown_pictures import to_html_with_pictures
from pipeline.text.picture_references import find_references, is_reference, with_content_ids, with_public_urls

REFERENCE = "pictures/0123456789abcdef01234567-1200x800.jpg"


def encoded(image: Image.Image, name: str = "JPEG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def gradient(width: int, height: int) -> Image.Image:
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


def photo(width: int, height: int) -> Image.Image:
    grain = Image.effect_noise((width // 20, height // 20), 90).resize((width, height))
    slope = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", [grain, slope, slope.rotate(180)])


def test_a_photo_is_upright_small_and_without_the_place_it_was_taken() -> None:
    """A photo held upright is turned, made 1200 pixels wide at most, and has neither EXIF nor GPS data."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif.get_ifd(0x8825)[1] = "N"
    content, suffix, size = resize_picture(encoded(photo(4000, 3000), exif=exif))
    with Image.open(BytesIO(content)) as picture:
        assert (suffix, size, picture.size, dict(picture.getexif())) == ("jpg", (1200, 1600), (1200, 1600), {})
    assert len(content) <= MAX_PICTURE_BYTES


def test_a_transparent_picture_stays_transparent() -> None:
    """What has transparent parts becomes a PNG; an opaque WebP of many colours a JPEG."""
    content, suffix, _ = resize_picture(encoded(Image.new("RGBA", (300, 200), (9, 9, 9, 99)), "WEBP"))
    with Image.open(BytesIO(content)) as picture:
        assert (suffix, picture.mode) == ("png", "RGBA")
    assert resize_picture(encoded(photo(400, 300), "WEBP"))[1] == "jpg"


def test_of_an_animation_the_first_frame_is_kept() -> None:
    """A GIF becomes a still picture of its first frame."""
    frames = [Image.new("RGB", (200, 100), colour) for colour in ("red", "blue")]
    content, suffix, size = resize_picture(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    with Image.open(BytesIO(content)) as picture:
        assert (suffix, size, picture.convert("RGB").getpixel((5, 5))) == ("png", (200, 100), (255, 0, 0))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b'\xef\xbb\xbf <?xml version="1.0"?><svg onload="alert(1)"/>', "SVG"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "HEIC"),
        (b"%PDF-1.7 not a picture", "no picture"),
        (encoded(gradient(900, 600))[:2000], "damaged or incomplete"),
        (encoded(gradient(90, 60), "PNG")[:90], "damaged or incomplete"),
        (encoded(gradient(90, 60), "BMP"), "no picture"),
    ],
    ids=["empty", "svg", "heic", "pdf", "truncated jpeg", "truncated png", "bmp"],
)
def test_anything_else_is_refused_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    """A file that is not a whole picture is refused in a sentence, and nothing is stored."""
    with pytest.raises(RefusedError, match=words):
        PictureFolder(folder=tmp_path).add(content)
    assert list(tmp_path.rglob("*")) == []


def test_a_picture_that_unpacks_to_too_much_is_refused() -> None:
    """A small file of 100 million pixels is refused by its header."""
    with pytest.raises(RefusedError, match="more than can be opened"):
        resize_picture(encoded(Image.new("1", (10_000, 10_000)), "PNG"))


def test_the_same_picture_is_stored_once_and_found_by_its_reference(tmp_path: Path) -> None:
    """The reference follows from the content; no other name is read."""
    folder = PictureFolder(folder=tmp_path)
    content = encoded(gradient(800, 600))
    reference = folder.add(content)
    assert folder.add(content) == reference
    assert is_reference(reference)
    assert reference.endswith("-800x600.png")
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == [reference.rpartition("/")[2]]
    assert folder.read_all([reference])[reference].startswith(b"\x89PNG")
    assert folder.read("pictures/../secret-1x1.jpg") is None
    with pytest.raises(EditorFileError, match="upload it again"):
        folder.read_all([REFERENCE])


def test_markdown_shows_uploaded_pictures_and_those_with_an_address() -> None:
    """An uploaded picture has its size; of any other address only the alternative text is left."""
    html = to_html_with_pictures(
        f'A\n\n![A "loaf"]({REFERENCE})\n\n![x](javascript:alert(1)) ![y](/z.png) &#xE0F1;7&#xE0F1;'
    )
    assert '<img class="wide" src="../' + REFERENCE + '" alt="A &quot;loaf&quot;" width="536" height="357"' in html
    assert html.count("<img") == 1
    assert to_html_with_pictures("![<script>](https://a.example/?a=1&b=2)").startswith(
        '<p><img class="wide" src="https://a.example/?a=1&amp;b=2" alt="&lt;script&gt;"'
    )


def test_references_become_content_ids_or_public_urls() -> None:
    """Only the source of an image is replaced."""
    html = f'<p>../{REFERENCE}</p><img src="../{REFERENCE}">'
    replaced, found = with_content_ids(html)
    assert found == (REFERENCE,)
    assert re.search(r'src="cid:[^"/]+@pictures"', replaced)
    assert with_public_urls(html, "https://h.example").endswith(f'<img src="https://h.example/{REFERENCE}">')
    assert find_references([f"![a]({REFERENCE}) ![b]({REFERENCE}.exe)", REFERENCE]) == (REFERENCE,)


def test_a_picture_full_of_detail_is_made_smaller_until_it_fits() -> None:
    """Noise, which JPEG cannot compress, has fewer pixels instead of more bytes."""
    noise = Image.merge("RGB", [Image.effect_noise((2000, 2000), 90 + band) for band in range(3)])
    content, suffix, (width, height) = resize_picture(encoded(noise, "PNG"))
    assert (suffix, width == height, len(content) <= MAX_PICTURE_BYTES) == ("jpg", True, True)


def test_services_that_cannot_embed_pictures_refuse_them() -> None:
    """An edition with embedded pictures is neither copied for a mail service nor sent in fields without them."""
    html = f'<a href="https://h.example/#zzUnsubscribezz">Leave</a><img src="../{REFERENCE}">'
    with pytest.raises(RefusedError, match="public"):
        html_for_service(html, SERVICES["kit"])
    with pytest.raises(DeliveryFailedError, match="public"):
        read_content(b"From: a@h.example\r\n\r\n--=_x\r\nContent-ID: <x@pictures>\r\n")
