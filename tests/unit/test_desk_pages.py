"""The preview's pages, asked over HTTP and read as text."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from html import unescape
from urllib.parse import quote

import pytest

from pipeline.model.check import FIX_TARGETS, CheckResult
from pipeline.model.digest import BuildFailure, Edition
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import ConfigError
from pipeline.web.desk.fix_links import entry_anchor, fix_link
from pipeline.web.desk.updates import NewEntry
from pipeline.web.preview import create_desk_app
from tests.asgi_client import AsgiClient
from tests.fake_desk import HTML, IMAGE, PIXEL, PREHEADER, REMOTE_IMAGE, SUBJECT, TEXT, FakeDesk, edition

WEEK = "/week/2026-W07"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def words(html: str) -> str:
    """Reduce a page to the words on it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_weeks_are_listed_with_their_counts(client: AsgiClient) -> None:
    """The first page lists weeks newest first: their days, what is in them, whether they still run."""
    page = words(client.get("/").text)
    assert "16–22 February 2026 2026-W08 1 post 1 episode In progress" in page
    assert "9–15 February 2026 2026-W07 1 post 1 episode 3 links Draft" in page
    assert page.index("2026-W08") < page.index("2026-W07") < page.index("2026-W06")


def test_without_weeks_the_first_step_is_named(client: AsgiClient, desk: FakeDesk) -> None:
    """An empty store is greeted with what fills it: a search for feeds, and the button that reads them."""
    desk.summaries = ()
    page = client.get("/").text
    assert 'name="url"' in page
    assert 'action="/fetch"' in page


@pytest.mark.parametrize("view", ["mail", "inbox", "text", "headers", "source", "decisions"])
def test_every_view_has_an_address(client: AsgiClient, view: str) -> None:
    """A view is an address: the page says which it shows, and links to it lead to the same place without script."""
    page = client.get(WEEK, params={"view": view}).text
    assert re.search(rf'href="\?view={view}&amp;[^"]*" aria-current="page"', page)
    assert f'class="view view--{view}"' in page


def test_the_inbox_line_is_the_sealed_one(client: AsgiClient) -> None:
    """The inbox view shows sender, subject and preheader of the mail, three times, and their lengths."""
    page = words(client.get(WEEK, params={"view": "inbox"}).text)
    assert page.count(SUBJECT) >= 3
    assert page.count(PREHEADER) == 3
    assert f"{len(SUBJECT)} characters a good length" in page
    assert f"{len(PREHEADER)} characters a good length" in page


def test_headers_are_those_of_the_mail_itself(client: AsgiClient) -> None:
    """The headers view reads digest.eml, so what is not in it is not shown."""
    page = words(client.get(WEEK, params={"view": "headers"}).text)
    assert "List-Id Harbour & Hearth <weekly.harbourandhearth.example>" in page
    assert "text/plain" in page
    assert "List-Unsubscribe" not in page


def test_the_ledger_says_why(client: AsgiClient) -> None:
    """Every entry considered stands in the ledger with its reason, in or out."""
    page = words(client.get(WEEK, params={"view": "decisions"}).text)
    inside, outside = page.split("Left out 2", 1)
    assert "A kettle on the quay published in this week blog Tue 10 Feb" in inside
    assert "Rope, and how to trust it published after the week closed" in outside


def test_stories_and_weight_stand_beside_the_mail(client: AsgiClient) -> None:
    """The side column lists the manifest's stories under their headings, and weighs the HTML part."""
    page = words(client.get(WEEK).text)
    assert "Useful links Tide tables for the whole coast How to read a chart" in page
    assert f"{len(HTML) / 1000:.1f} KB light" in page


@pytest.mark.parametrize(("part", "content"), [("html", HTML), ("txt", TEXT)])
def test_parts_are_the_very_bytes(client: AsgiClient, part: str, content: str) -> None:
    """A part's address gives the edition's bytes, untouched."""
    assert client.get(f"{WEEK}/digest.{part}").content == content.encode()


def test_the_mail_file_is_handed_over_to_be_kept(client: AsgiClient, desk: FakeDesk) -> None:
    """digest.eml comes as an attachment named after its week."""
    answer = client.get(f"{WEEK}/digest.eml")
    sealed = desk.editions["2026-W07"]
    assert not isinstance(sealed, BuildFailure)
    assert answer.content == sealed.eml
    assert answer.headers["content-disposition"] == 'attachment; filename="2026-W07.eml"'


def test_pictures_off_is_the_policy_of_the_frame(client: AsgiClient) -> None:
    """Nothing is loaded from elsewhere unless asked for; without pictures the frame's policy refuses every one."""
    near = client.get(f"{WEEK}/mail").headers["content-security-policy"]
    shown = client.get(f"{WEEK}/mail?images=all").headers["content-security-policy"]
    hidden = client.get(f"{WEEK}/mail?images=none").headers["content-security-policy"]
    assert "img-src 'self' data:;" in near
    assert "img-src 'self' https: http: data:;" in shown
    assert "img-src 'none';" in hidden


def test_pictures_at_hand_are_read_from_the_desk(client: AsgiClient, desk: FakeDesk) -> None:
    """A picture the desk has is read from the preview; another keeps its address, and the bytes keep both."""
    desk.change("2026-W07", edition("2026-W07", html=f'{HTML}<img src="{REMOTE_IMAGE}">'))
    framed = client.get(f"{WEEK}/mail").text
    assert f'src="/image?url={quote(IMAGE, safe="")}"' in framed
    assert f'src="{REMOTE_IMAGE}"' in framed
    assert IMAGE in client.get(f"{WEEK}/digest.html").text


def test_a_picture_at_hand_is_served(client: AsgiClient) -> None:
    """The desk's picture comes with its own media type; the preview never fetches another for anybody."""
    answer = client.get("/image", params={"url": IMAGE})
    assert (answer.content, answer.headers["content-type"]) == (PIXEL, "image/png")
    assert client.get("/image", params={"url": REMOTE_IMAGE}).status_code == 404


def test_only_pictures_are_served_as_pictures(client: AsgiClient, desk: FakeDesk) -> None:
    """What the desk has at hand under another media type, a page say, is no picture."""
    desk.images[IMAGE] = ("text/html", b"<script>alert(1)</script>")
    assert client.get("/image", params={"url": IMAGE}).status_code == 404


def test_an_empty_week_is_said(client: AsgiClient) -> None:
    """A week without entries is a page that says so, not an error."""
    answer = client.get("/week/2026-W06")
    assert answer.status_code == 200
    assert "the newest week with entries is 2026-W07" in answer.text


def test_a_broken_template_is_named_with_its_place(client: AsgiClient, desk: FakeDesk) -> None:
    """A trouble stands where the mail would, with file and line; the mail's own address is missing meanwhile."""
    desk.change("2026-W07", BuildFailure(message="unexpected '}'", file="templates/classic/digest.html.j2", line=12))
    page = words(client.get(WEEK).text)
    assert "unexpected '}'" in page
    assert "templates/classic/digest.html.j2, line 12" in page
    assert client.get(f"{WEEK}/mail").status_code == 404


def test_an_error_of_the_house_is_a_page(client: AsgiClient, desk: FakeDesk) -> None:
    """What the desk raises is a sentence on a page, not a traceback."""

    def raise_error() -> tuple[()]:
        raise ConfigError("config.toml: [[feeds]] is missing; add one.")

    desk.weeks = raise_error  # type: ignore[method-assign]
    answer = client.get("/")
    assert answer.status_code == 500
    assert "[[feeds]] is missing; add one." in answer.text


@pytest.mark.parametrize("name", ["2026-W99", "2020-W05", "..%2F..%2Fconfig.toml", "%2e%2e", "<script>", "2026-W07%00"])
def test_a_week_that_is_none_is_not_found(client: AsgiClient, name: str) -> None:
    """Only weeks are shown; other names are not found and not repeated as markup."""
    answer = client.get(f"/week/{name}")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../page.html.j2",
        "/static/%2e%2e/page.html.j2",
        "/static/..%2f..%2f..%2fpyproject.toml",
        "/static//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_static_folder(client: AsgiClient, path: str) -> None:
    """Path tricks end in not found."""
    assert client.get(path).status_code == 404


def test_words_of_an_entry_stay_words(client: AsgiClient, desk: FakeDesk) -> None:
    """Markup in a subject, a story or a reason is shown as it is written."""
    nasty = '"><script>alert(1)</script>'
    sealed = edition("2026-W07", subject=nasty)
    desk.change("2026-W07", replace(sealed, text=nasty.encode(), preheader=nasty))
    for view in ("mail", "inbox", "text", "headers", "source", "decisions"):
        assert "<script>alert" not in client.get(WEEK, params={"view": view}).text


def test_a_story_leads_to_the_web_and_nowhere_else(client: AsgiClient, desk: FakeDesk) -> None:
    """A story whose address is a script is listed without a link."""
    sealed = desk.editions["2026-W07"]
    assert not isinstance(sealed, BuildFailure)
    desk.change(
        "2026-W07", replace(sealed, manifest=sealed.manifest.replace(b"https://tides.example/", b"javascript:0"))
    )
    page = client.get(WEEK).text
    assert "Tide tables for the whole coast" in page
    assert "javascript:" not in page


def test_news_is_told_at_once(client: AsgiClient, desk: FakeDesk) -> None:
    """A page that saw another mark gets the new one without waiting, and an unchanged one when patience ends."""
    first = client.get("/updates").json()["version"]
    assert client.get("/updates", params={"seen": first}).json() == {"version": first, "changes": {}}
    desk.revision += "+"
    told = client.get("/updates", params={"seen": first}).json()
    assert told["version"] != first
    assert told["changes"] == {"store": "Something has changed."}


def test_what_came_in_is_named(client: AsgiClient, desk: FakeDesk) -> None:
    """Entries that were fetched while somebody looked are counted and named, with the feeds they came from."""
    first = client.get("/updates").json()["version"]
    desk.entries = [NewEntry(feed_id="blog", title="Bread"), NewEntry(feed_id="podcast", title="<b>Salt</b>")]
    told = client.get("/updates", params={"seen": first}).json()
    assert told["changes"] == {"entries": "2 new entries from podcast and blog: “<b>Salt</b>”, “Bread”."}


@pytest.mark.parametrize(
    "seen", ["", "nonsense", "a-b-c-d-e-f-x", "a-b-c-d-e-f-0", f"a-b-c-d-e-f-{'9' * 5000}", "-" * 9]
)
def test_a_mark_nobody_wrote_is_no_news(client: AsgiClient, seen: str) -> None:
    """Whatever is sent in the place of a mark, the answer is the mark."""
    assert client.get("/updates", params={"seen": seen}).status_code == 200


def test_one_edition_is_composed_once(client: AsgiClient, desk: FakeDesk) -> None:
    """Page, frame and parts show the same edition, composed once until something changes."""
    for address in (WEEK, f"{WEEK}/mail", f"{WEEK}/digest.html"):
        client.get(address)
    assert desk.build_count == 1
    desk.revision += "+"
    client.get(WEEK)
    assert desk.build_count == 2


def checked(*checks: CheckResult) -> Edition:
    """An edition whose manifest carries these checks."""
    manifest = json.dumps({"stories": [], "checks": [asdict(each) for each in checks]})
    return replace(edition("2026-W07"), manifest=manifest.encode())


def test_checks_stand_beside_the_mail(client: AsgiClient, desk: FakeDesk) -> None:
    """Each check with its level, name, place and sentence; hostile words in it stay words."""
    assert "Checks No problems found." in words(client.get(WEEK).text)
    found = CheckResult(name="link-text", level="error", message="Say <b>where</b>.", where="<script>x</script>")
    desk.change("2026-W07", checked(found))
    page = client.get(WEEK).text
    assert "Checks 1 error Error link text <script>x</script> Say <b>where</b>." in words(page)
    assert "<script>x" not in page


ENTRY = "blog A kettle on the quay"
WAYS = {
    "subject": (f"{WEEK}/edit", "subject"),
    "preheader": (f"{WEEK}/edit", "preheader"),
    "introduction": (f"{WEEK}/edit", "introduction"),
    "links": (f"{WEEK}/edit", "links"),
    f"story {ENTRY}": (f"{WEEK}?view=decisions", entry_anchor(ENTRY)),
    "stories": (f"{WEEK}?view=decisions", ""),
    "feed blog": ("/feeds", "feed-blog"),
    "theme": (f"{WEEK}?view=source", ""),
    "changes": (f"{WEEK}?view=changes", ""),
    "network": (WEEK, "link-check"),
}


@pytest.mark.parametrize("mend", WAYS)
def test_a_check_leads_to_where_it_is_mended(client: AsgiClient, desk: FakeDesk, mend: str) -> None:
    """The link beside a check leads to a page of the desk, and to a place on it that is there."""
    desk.change("2026-W07", checked(CheckResult(name="some", level="hint", message="Mend it.", fix_target=mend)))
    page, place = WAYS[mend]
    link = f"{page}#{place}" if place else page
    assert f'href="{link}"' in unescape(client.get(WEEK).text)
    target = client.get(page)
    assert target.status_code == 200
    assert not place or f'id="{place}"' in target.text


def test_every_place_has_a_way() -> None:
    """Whatever place a check can name is told in words, and but for config.toml and a fault of ours by a link."""
    assert {each.split()[0] for each in WAYS} == set(FIX_TARGETS) - {"program", "setting"}
    assert fix_link("program", "2026-W07").text
    assert "tagline" in fix_link("setting publication.tagline", "2026-W07").text


def test_what_is_out_is_not_mended(client: AsgiClient, desk: FakeDesk) -> None:
    """Of an edition that was sent, a check leads to no form that would refuse."""
    desk.change(
        "2026-W07", checked(CheckResult(name="subject", level="hint", message="Mend it.", fix_target="subject"))
    )
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="sent", number=1)
    assert f"{WEEK}/edit" not in client.get(WEEK).text


def test_a_section_without_a_name_is_called_as_in_the_mail(client: AsgiClient, desk: FakeDesk) -> None:
    """The side list names no internal kind of section."""
    desk.change("2026-W07", edition("2026-W07", headings=""))
    page = client.get(WEEK).text
    assert "From the blog" in page
    assert ">posts<" not in page
