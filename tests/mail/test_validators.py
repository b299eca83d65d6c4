"""The validators themselves: each reports a message that is broken in one place.

Each case breaks the sample as a careless change of a theme would.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from tests.mail import validators
from tests.mail.clients import as_gmail, as_word, without_style
from tests.mail.editions import THEMES, RenderedMail, mail
from tests.mail.external_validators import AXE, nu_errors, spam_scores
from tests.mail.screen import DESKTOP, PHONE, Screen, axe, open_screen
from tests.mail.test_personalised import copy

if TYPE_CHECKING:
    from playwright.sync_api import Browser

every_theme = pytest.mark.parametrize("theme", [theme for theme in THEMES if theme != "letter"])
"""Themes with images, as several defects are those of an image."""
Defect = tuple[str, str]
"""A regular expression to replace in the HTML, and its replacement."""


def broken(html: str, defect: Defect) -> str:
    """Return HTML with something replaced; fail if there is nothing to replace."""
    done, times = re.subn(defect[0], defect[1], html, flags=re.DOTALL)
    assert times
    return done


WIDE = ("</h1>", '</h1><table width="1000"><tr><td style="min-width: 1000px">wide</td></tr></table>')
PALE = (r"(?<![-\w])color: #[0-9a-f]{6}", "color: #dddddd")
ON_SCREEN: dict[str, tuple[Defect, int, str, Callable[[Screen], object]]] = {
    "a table of a thousand pixels": (WIDE, PHONE, "light", lambda screen: screen.overflow_pixels),
    "pictures at their own size": (
        (r"(<img[^>]*?) style=\"[^\"]*\"", r"\1"), PHONE, "light", lambda screen: screen.overflow_pixels),
    "a frame": (("</h1>", '</h1><iframe src="https://example.org/"></iframe>'), DESKTOP, "light",
        lambda screen: screen.requested_urls),
    "a web font": (("</head>", '<link rel="stylesheet" href="https://example.org/font.css"></head>'), DESKTOP, "light",
        lambda screen: screen.requested_urls),
    "a wider frame": ((r"max-width: 600px", "max-width: 700px"), DESKTOP, "light",
        lambda screen: screen.elements_outside),
    "pale words": (PALE, DESKTOP, "light", lambda screen: screen.low_contrast),
    "a dark scheme of half the colours": (
        (r"(?<![-\w])color: (#[0-9a-f]{6}) !important", r"color: #333333 !important"), DESKTOP, "dark",
        lambda screen: screen.low_contrast),
}  # fmt: skip


@every_theme
@pytest.mark.browser
@pytest.mark.parametrize("case", ON_SCREEN)
def test_broken_on_screen(chromium: Browser, theme: str, case: str) -> None:
    """Too wide, requesting more than images, hard to read: the screen shows it."""
    defect, width, scheme, error = ON_SCREEN[case]
    with open_screen(chromium, broken(mail(theme, "sample").html, defect), width, scheme) as screen:  # type: ignore[arg-type]
        assert error(screen)


IN_CLIENTS: dict[str, tuple[Defect, Callable[[str], str], Callable[[Screen], object]]] = {
    "ink only in style elements": (
        PALE, without_style, lambda screen: screen.low_contrast),
    "width only in style elements": (
        (r"max-width: 600px;?|width=\"600\"", ""), without_style, lambda screen: screen.elements_outside),
    "a rule that Gmail keeps": (("</style>", "td { color: #eeeeee !important }</style>"), as_gmail,
        lambda screen: screen.low_contrast),
    "no ghost table": ((r"<!--\[if mso\]><table.*?<!\[endif\]-->", ""), as_word,
        lambda screen: screen.elements_outside),
    "pictures without a width": (
        (r"(<img[^>]*?) width=\"\d+\"", r"\1"), as_word, lambda screen: screen.missized_pictures),
}  # fmt: skip


@every_theme
@pytest.mark.browser
@pytest.mark.parametrize("case", IN_CLIENTS)
def test_broken_in_clients(chromium: Browser, theme: str, case: str) -> None:
    """A feature that only good programs support is missed in a bad one."""
    defect, client, error = IN_CLIENTS[case]
    with open_screen(chromium, client(broken(mail(theme, "sample").html, defect))) as screen:
        assert error(screen)


@every_theme
@pytest.mark.browser
def test_buttons_lost_in_word(chromium: Browser, theme: str) -> None:
    """A link that only Outlook does not get is missed there."""
    html = mail(theme, "sample").html
    lost = html.replace("</h1>", '</h1><!--[if !mso]><!--><a href="https://example.org/lost">x</a><!--<![endif]-->')
    with open_screen(chromium, as_word(lost)) as screen:
        assert screen.links != set(validators.ParsedMarkup(lost).hrefs)


@every_theme
@pytest.mark.browser
@pytest.mark.npm("axe-core")
@pytest.mark.parametrize(
    ("rule", "defect"),
    [
        ("html-has-lang", (r"<html lang=\"[^\"]*\"", "<html")),
        ("image-alt", (r" alt=\"[^\"]*\"", "")),
        ("link-name", ("</h1>", '</h1><p><a href="https://example.org/"></a></p>')),
        ("color-contrast", PALE),
        ("empty-heading", ("</h1>", "</h1><h2></h2>")),
        ("heading-order", ("</h1>", "</h1><h5>Deep</h5>")),
        ("page-has-heading-one", (r"(</?)h1", r"\1p")),
        ("document-title", (r"<title>.*?</title>", "")),
    ],
)
def test_broken_for_axe(chromium: Browser, theme: str, rule: str, defect: Defect) -> None:
    """axe-core reports it."""
    with open_screen(chromium, broken(mail(theme, "sample").html, defect)) as screen:
        assert rule in {error.split(":")[0] for error in axe(screen, AXE.read_text())}


FOR_NU: dict[str, Defect] = {
    "an unclosed element": ("</h1>", "</h1><div>"),
    "a picture without words": (r" alt=\"[^\"]*\"", ""),
    "a row without a table": ("</h1>", "</h1><tr><td>x</td></tr>"),
    "an unknown element": ("</h1>", "</h1><center2>x</center2>"),
    "an unknown property": ("margin: 0", "colour: red"),
    "an empty title": (r"<title>.*?</title>", "<title></title>"),
}


@pytest.mark.npm("vnu-jar")
@pytest.mark.requires("java")
@pytest.mark.xdist_group("nu")
def test_broken_for_nu() -> None:
    """Each case is an error to the checker: it ran, and the error was not filtered out."""
    html = mail("classic", "sample").html
    found = nu_errors({name: broken(html, defect) for name, defect in FOR_NU.items()})
    assert [name for name, errors in found.items() if not errors] == []


@every_theme
@pytest.mark.parametrize(
    ("error", "defect"),
    [
        ("property position", ("margin: 0", "position: absolute")),
        ("element section", ("</h1>", "</h1><section>x</section>")),
        ("attribute id", ("<body", '<body id="top"')),
        ("at-rule @font-face", ("</style>", "@font-face { font-family: x }</style>")),
        ("at-rule min-width", ("</style>", "@media (min-width: 480px) { p { margin: 0 } }</style>")),
        ("selector :hover", ("</style>", "a:hover { color: #000000 }</style>")),
        ("selector >", ("</style>", "td > a { color: #000000 }</style>")),
        ("colour #fff does not have six digits", ("margin: 0", "color: #fff")),
        ("function calc", ("margin: 0", "width: calc(100% - 2px)")),
        ("a style loads something", ("</style>", "p { background-color: url(x) }</style>")),
        ("a style loads something", ("</style>", "@import 'x';</style>")),
        ("style elements have", ("</style>", f"{'p { margin: 0 }' * 1200}</style>")),
    ],
)
def test_broken_markup(theme: str, error: str, defect: Defect) -> None:
    """Each kind of unreviewed feature is reported."""
    faults = validators.markup_errors(broken(mail(theme, "sample").html, defect))
    assert any(fault.startswith(error) for fault in faults), faults


@every_theme
def test_link_missing_in_the_text(theme: str) -> None:
    """Its URL is reported."""
    made = mail(theme, "sample")
    other = made.html.replace("https://weatherglass.example.com/how", "https://weatherglass.example.com/other")
    assert validators.link_errors(other, made.text) == ["https://weatherglass.example.com/other"]


@every_theme
@pytest.mark.parametrize(
    "defect",
    [
        ("</h1>", "</h1><script>1</script>"),
        ("</h1>", "</h1><form action='https://example.org/'></form>"),
        ("<h1", '<h1 onclick="x()"'),
        (r'href="https://tides[^"]*"', 'href="javascript:alert(1)"'),
        (r'href="https://tides[^"]*"', 'href=" java&#10;script:alert(1)"'),
        (r'href="https://tides[^"]*"', 'href="/tides"'),
        (r'src="https[^"]*"', 'src="data:image/png;base64,AAAA"'),
        ("<title>", '<meta http-equiv="refresh" content="0"><title>'),
    ],
)
def test_broken_safety(theme: str, defect: Defect) -> None:
    """Everything that runs or leads out of the web is reported."""
    assert validators.safety_errors(mail(theme, "sample").html) == []
    assert validators.safety_errors(broken(mail(theme, "sample").html, defect)) != []


@every_theme
@pytest.mark.parametrize(
    ("error", "old", "new"),
    [
        ("is not multipart/alternative", b"multipart/alternative", b"multipart/mixed"),
        ("is not text, then HTML", b"text/plain", b"text/enriched"),
        ("is not UTF-8", b'text/html; charset="utf-8"', b'text/html; charset="us-ascii"'),
        ("differs from what was rendered", b"</body>", b"<p>more</p></body>"),
        ("has a body line over 76 characters", b"=\r\n", b""),
        ("has line ends other than CRLF", b"\r\nSubject", b"\nSubject"),
        ("has bytes beyond ASCII", b"=E2=80=99", "’".encode()),
        ("has defects", b"--\r\n", b"\r\n"),
        ("lacks a header or repeats one", b"\r\nDate: ", b"\r\nX-Date: "),
        ("has an unexpected header", b"\r\nSubject: ", b"\r\nBcc: all@example.org\r\nSubject: "),
        ("Message-ID", b"Message-ID: <", b"Message-ID: =?utf-8?q?=3C?= <"),
    ],
)
def test_broken_format(theme: str, error: str, old: bytes, new: bytes) -> None:
    """Each rule of the message format is checked."""
    made = mail(theme, "sample")
    assert old in made.eml
    faults = validators.format_errors(made.eml.replace(old, new), made.html, made.text)
    assert any(fault.startswith(error) for fault in faults), faults


@every_theme
@pytest.mark.parametrize(
    ("error", "pattern", "new"),
    [
        ("List-Unsubscribe is not one line", rb"<https://[^>]*leave[^>]*>, ", b""),
        ("List-Unsubscribe is not one line", rb", <mailto:[^>]*>", b""),
        ("List-Unsubscribe is not one line", rb"(?m)^(List-Unsubscribe: .{60})", rb"\1\r\n "),
        ("List-Unsubscribe", rb"(?m)^List-Unsubscribe: <", b"List-Unsubscribe: =?utf-8?q?=3C?=<"),
        ("List-Unsubscribe-Post is missing", rb"List-Unsubscribe=One-Click", b"Yes"),
        ("List-Id is missing", rb"(?m)^List-Id:.*?\r\n", b""),
        ("Feedback-ID is missing", rb"(?m)^Feedback-ID:", b"X-Feedback:"),
        ("a placeholder is not filled in", rb"</body>", b"zzPreferenceszz</body>"),
    ],
)
def test_broken_personalised_copy(theme: str, error: str, pattern: bytes, new: bytes) -> None:
    """Each header for unsubscribing is checked, and every placeholder."""
    whole = copy(mail(theme, "sample"), "sample")
    done, times = re.subn(pattern, new, whole)
    assert times
    faults = validators.personalisation_errors(done)
    assert any(fault.startswith(error) for fault in faults), faults


def composed(html: str, text: str | None) -> bytes:
    """Return a message as a careless program would write it."""
    message = EmailMessage()
    message["From"], message["To"] = "letter@harbourandhearth.example", "editor@harbourandhearth.example"
    message["Subject"], message["Message-ID"] = "This week", "<1@harbourandhearth.example>"
    message["Date"] = "Mon, 16 Feb 2026 00:00:00 +0000"
    if text is None:
        message.set_content(html, subtype="html")
    else:
        message.set_content(text)
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


@pytest.mark.requires("spamassassin")
@pytest.mark.xdist_group("spamassassin")
def test_broken_for_spamassassin() -> None:
    """The forbidden rules are matched by messages that deserve it."""
    made: RenderedMail = mail("classic", "sample")
    picture = "<html><body><p>Hello there, dear reader</p><img src='https://example.org/a.png'></body></html>"
    pale = made.html.replace("<h1", '<p><font color="#fefefe">cheap</font></p><h1', 1)
    scores = spam_scores(
        {
            "text of another mail": composed(made.html, "Wundersame Drachen " * 40),
            "no text": composed(made.html, None),
            "a picture": composed(picture, "Hello there, dear reader"),
            "pale": composed(pale, made.text),
        }
    )
    assert "MPART_ALT_DIFF" in scores["text of another mail"].rules
    assert "MIME_HTML_ONLY" in scores["no text"].rules
    assert any(rule.startswith("HTML_IMAGE_ONLY_") for rule in scores["a picture"].rules)
    assert "HTML_FONT_LOW_CONTRAST" in scores["pale"].rules
    assert max(score.points for score in scores.values()) > 0.5
