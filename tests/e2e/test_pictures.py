"""Pictures of a digest: feeds as publishers write them, read by `pipeline fetch` and shown by `pipeline digest`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli_runner import CliRunner, item, rss
from tests.http_server import HttpServer

pytestmark = pytest.mark.loopback
PROSE = "<p>The harbour was quiet, and the bread was good.</p>"
NAMESPACE = ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
SMILE = '<img src="https://s.w.org/images/core/emoji/16.0.1/72x72/1f642.png" alt="🙂" class="wp-smiley">'
POWER = '<img src="https://s0.wp.com/latex.php?latex=y%5E3" alt="y^3" class="latex" width="20" height="14">'
POSTS = {
    "Emoji before a picture": f"<p>Warm {SMILE} bread.</p><p><img src='https://h.example/crumb.jpg' width='900'></p>",
    "Emoji alone": f"<p>Quiet {SMILE} days.</p>",
    "Formula": f"<p>It grows with {POWER} alone.</p>",
    "Script": '<p><img src="https://h.example/gray.gif" data-src="https://h.example/pier.jpg" alt="Pier"></p>',
    "Without script": '<p><img src="data:,"><noscript><img src="https://h.example/boat.jpg" alt="Boat"></noscript></p>',
    "Source set": '<img srcset="https://h.example/tide-300.jpg 300w, https://h.example/tide-960.jpg 960w" alt="Tide">',
    "Avatar": '<img src="https://secure.gravatar.com/avatar/4"><img src="https://h.example/net.jpg" width="700">',
}
MEDIA = {
    "Three sizes": "".join(
        f'<media:content url="https://h.example/oar-{width}.jpg" width="{width}" medium="image"/>'
        for width in (120, 1000, 480)
    ),
    "Thumbnail": '<media:thumbnail url="https://h.example/s72-c/mast.jpg" width="72" height="72"/>',
}
PICTURES = {
    "Emoji before a picture": "crumb.jpg", "Script": "pier.jpg", "Without script": "boat.jpg",
    "Source set": "tide-960.jpg", "Avatar": "net.jpg", "Three sizes": "oar-1000.jpg",
}  # fmt: skip


def test_each_story_has_its_fittest_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Emoji and formulas are words of their sentence; placeholders, avatars and small thumbnails appear nowhere."""
    items = [
        item(title, more=f"<content:encoded><![CDATA[{html}{PROSE}]]></content:encoded>")
        for title, html in POSTS.items()
    ]
    items += [item(title, more=elements) for title, elements in MEDIA.items()]
    document = rss(*items).replace(b'version="2.0"', f'version="2.0"{NAMESPACE}'.encode())
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        program.serve("/blog", document)
        program.run_ok("fetch")
        folder = tmp_path / "editions" / "2026-W07"
        folder.mkdir(parents=True)
        references = [f"blog {title.lower().replace(' ', '-')}" for title in (*POSTS, *MEDIA)]
        folder.with_suffix(".md").write_text(f"+++\nfull = {json.dumps(references)}\n+++\n", encoding="utf-8")
        program.run_ok("digest", "--week", "2026-W07", "--offline")
    html = (folder / "digest.html").read_text(encoding="utf-8")
    text = (folder / "digest.txt").read_text(encoding="utf-8")
    assert set(re.findall(r'src="[^"]*/([^"/]+\.(?:jpg|gif|png))"', html)) == set(PICTURES.values())
    assert "gravatar" not in html
    assert "s.w.org" not in html
    for words in ("Warm 🙂 bread.", "Quiet 🙂 days.", "It grows with y^3 alone."):
        assert words in html
        assert words in text
    assert 'alt="Boat"' in html
    assert not [int(width) for width in re.findall(r'oar-1000\.jpg"[^>]*\swidth="(\d+)"', html) if int(width) > 1000]


def test_an_image_that_the_feed_repeats_never_leads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a weekly blog, only one entry is in the digest: earlier ones show that its banner is on every post."""
    banner = '<p><img src="https://h.example/subscribe.jpg" width="1200" height="300" alt="Subscribe"></p>'

    def post(day: str, name: str) -> str:
        own = f'<p><img src="https://h.example/{name}.jpg" width="640" height="480" alt="{name}"></p>' if name else ""
        html = f"<content:encoded><![CDATA[{banner}{own}{PROSE}]]></content:encoded>"
        return item(f"Post {day} {name}", date=f"{day} 09:00:00 GMT", more=html)

    earlier = [post("Tue, 27 Jan 2026", "reed"), post("Tue, 03 Feb 2026", "sail")]
    current = [post("Tue, 10 Feb 2026", "rope"), post("Wed, 11 Feb 2026", "")]
    document = rss(*current, *earlier).replace(b'version="2.0"', f'version="2.0"{NAMESPACE}'.encode())
    with HttpServer() as server:
        program = CliRunner(tmp_path, server, capsys)
        program.serve("/blog", document)
        program.run_ok("fetch")
        program.run_ok("digest", "--week", "2026-W07", "--offline")
    html = (tmp_path / "editions" / "2026-W07" / "digest.html").read_text(encoding="utf-8")
    assert re.findall(r'src="https://h\.example/([^"]+)"', html) == ["rope.jpg"]
