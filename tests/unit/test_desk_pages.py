"""The desk's pages, requested over HTTP and read as text."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from html import unescape
from urllib.parse import quote

import pytest

from pipeline.jobs.monitoring.status import Blocker, EditionStatus, LastRun, ScheduledRun
from pipeline.model.check import FIX_TARGETS, CheckResult, LinkCheck
from pipeline.model.digest import BuildFailure, Edition, EditionState
from pipeline.model.edition import EditionRecord
from pipeline.model.errors import ConfigError
from pipeline.model.health import HealthResult
from pipeline.web.desk.fix_links import entry_anchor, fix_link
from pipeline.web.desk.overview.navigation import SECTIONS
from pipeline.web.desk.updates import NewEntry
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.fake_desk import HTML, IMAGE, PIXEL, PREHEADER, REMOTE_IMAGE, SUBJECT, TEXT, FakeDesk, edition

WEEK = "/week/2026-W07"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def visible_text(html: str) -> str:
    """Return the visible text of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_weeks_are_listed_with_their_counts(client: AsgiClient) -> None:
    """The first page lists the weeks, newest first: their days, their entries, and whether they are in progress."""
    page = visible_text(client.get("/").text)
    assert "16–22 February 2026 2026-W08 · Closes Monday 23 February, 00:00 1 post 1 episode Open" in page
    assert f"9–15 February 2026 {SUBJECT} 2026-W07 · Waits for approval 1 post 1 episode 3 links Draft" in page
    assert page.index("2026-W08") < page.index("2026-W07") < page.index("2026-W06")


def test_without_weeks_the_first_page_searches_for_feeds(client: AsgiClient, desk: FakeDesk) -> None:
    """An empty store shows a search for feeds and the button that fetches them."""
    desk.summaries = ()
    page = client.get("/").text
    assert 'name="url"' in page
    assert 'action="/fetch"' in page


@pytest.mark.parametrize("view", ["mail", "inbox", "text", "headers", "source", "decisions"])
def test_every_view_has_a_url(client: AsgiClient, view: str) -> None:
    """A view is a URL that works without script, and its link is marked as current."""
    page = client.get(WEEK, params={"view": view}).text
    assert re.search(rf'href="\?view={view}&amp;[^"]*" aria-current="page"', page)
    assert f'class="view view--{view}"' in page


def test_the_inbox_view_shows_the_sealed_values(client: AsgiClient) -> None:
    """The inbox view shows subject and preheader of the mail three times, and their lengths."""
    page = visible_text(client.get(WEEK, params={"view": "inbox"}).text)
    assert page.count(SUBJECT) >= 3
    assert page.count(PREHEADER) == 3
    assert f"{len(SUBJECT)} characters a good length" in page
    assert f"{len(PREHEADER)} characters a good length" in page


def test_headers_are_read_from_the_mail(client: AsgiClient) -> None:
    """The headers view parses digest.eml, so a missing header is not shown."""
    page = visible_text(client.get(WEEK, params={"view": "headers"}).text)
    assert "List-Id Harbour & Hearth <weekly.harbourandhearth.example>" in page
    assert "text/plain" in page
    assert "List-Unsubscribe" not in page


def test_every_decision_has_a_reason(client: AsgiClient) -> None:
    """Every entry considered is listed with its reason, included or left out."""
    page = visible_text(client.get(WEEK, params={"view": "decisions"}).text)
    included, left_out = page.split("Not in this edition 2", 1)
    assert "A kettle on the quay As published. blog Tue 10 Feb Open story" in included
    assert "Why it is in: published in this week." in included
    assert "Rope, and how to trust it published after the week closed" in left_out


def test_the_sidebar_shows_stories_and_size(client: AsgiClient) -> None:
    """The sidebar lists the manifest's stories under their headings, and the size of the HTML part."""
    page = visible_text(client.get(WEEK).text)
    assert "Useful links Tide tables for the whole coast How to read a chart" in page
    assert f"{len(HTML) / 1000:.1f} KB light" in page


def test_the_page_shows_what_a_skim_shows(client: AsgiClient, desk: FakeDesk) -> None:
    """Titles with their first words, escaped, and a frame without pictures; of an older edition only titles."""
    assert "A kettle on the quay Who keeps the lights on" in visible_text(client.get(WEEK).text)
    skim = [{"title": "Salt & <b>fat</b>", "text": "It came by sea.", "level": "lead"}]
    desk.change("2026-W07", replace(edition("2026-W07"), manifest=json.dumps({"skim": skim}).encode()))
    page = client.get(WEEK, params={"images": "all"}).text
    assert "what most people see, before pictures are loaded Salt & <b>fat</b> It came by sea." in visible_text(page)
    (address,) = re.findall(r'<iframe class="skim__frame[^>]* src="([^"]*)"', page)
    assert "img-src 'none'" in client.get(unescape(address)).headers["content-security-policy"]


@pytest.mark.parametrize(("part", "content"), [("html", HTML), ("txt", TEXT)])
def test_files_are_the_sealed_bytes(client: AsgiClient, part: str, content: str) -> None:
    """The URL of a file returns the edition's bytes unchanged."""
    assert client.get(f"{WEEK}/digest.{part}").content == content.encode()


def test_the_mail_file_is_a_download(client: AsgiClient, desk: FakeDesk) -> None:
    """digest.eml is an attachment named after its week."""
    response = client.get(f"{WEEK}/digest.eml")
    sealed = desk.editions["2026-W07"]
    assert not isinstance(sealed, BuildFailure)
    assert response.content == sealed.eml
    assert response.headers["content-disposition"] == 'attachment; filename="2026-W07.eml"'


def test_the_frame_policy_controls_images(client: AsgiClient) -> None:
    """By default no image is loaded from elsewhere; without images the frame's policy blocks all."""
    local = client.get(f"{WEEK}/mail").headers["content-security-policy"]
    loaded = client.get(f"{WEEK}/mail?images=all").headers["content-security-policy"]
    blocked = client.get(f"{WEEK}/mail?images=none").headers["content-security-policy"]
    assert "img-src 'self' data:;" in local
    assert "img-src 'self' https: http: data:;" in loaded
    assert "img-src 'none';" in blocked


def test_local_images_are_loaded_from_the_desk(client: AsgiClient, desk: FakeDesk) -> None:
    """The frame loads a local image from the desk; other images and the sealed bytes keep their URLs."""
    desk.change("2026-W07", edition("2026-W07", html=f'{HTML}<img src="{REMOTE_IMAGE}">'))
    framed = client.get(f"{WEEK}/mail").text
    assert f'src="/image?url={quote(IMAGE, safe="")}"' in framed
    assert f'src="{REMOTE_IMAGE}"' in framed
    assert IMAGE in client.get(f"{WEEK}/digest.html").text


def test_a_local_image_is_served(client: AsgiClient) -> None:
    """A local image has its own media type; any other is not found, and never fetched."""
    response = client.get("/image", params={"url": IMAGE})
    assert (response.content, response.headers["content-type"]) == (PIXEL, "image/png")
    assert client.get("/image", params={"url": REMOTE_IMAGE}).status_code == 404


def test_only_images_are_served_as_images(client: AsgiClient, desk: FakeDesk) -> None:
    """A local file of another media type is not found."""
    desk.images[IMAGE] = ("text/html", b"<script>alert(1)</script>")
    assert client.get("/image", params={"url": IMAGE}).status_code == 404


def test_an_empty_week_is_a_page(client: AsgiClient) -> None:
    """A week without entries is a page that says so, not an error."""
    response = client.get("/week/2026-W06")
    assert response.status_code == 200
    assert "the newest week with entries is 2026-W07" in response.text


def test_a_broken_template_is_shown_with_its_line(client: AsgiClient, desk: FakeDesk) -> None:
    """A build failure is shown with file and line in place of the mail, whose own URL is not found."""
    desk.change("2026-W07", BuildFailure(message="unexpected '}'", file="templates/classic/digest.html.j2", line=12))
    page = visible_text(client.get(WEEK).text)
    assert "unexpected '}'" in page
    assert "templates/classic/digest.html.j2, line 12" in page
    assert client.get(f"{WEEK}/mail").status_code == 404


def test_an_error_is_a_page(client: AsgiClient, desk: FakeDesk) -> None:
    """An error of the program is a sentence on a page, not a traceback."""

    def raise_error() -> tuple[()]:
        raise ConfigError("config.toml: [[feeds]] is missing; add one.")

    desk.weeks = raise_error  # type: ignore[method-assign]
    response = client.get("/")
    assert response.status_code == 500
    assert "[[feeds]] is missing; add one." in response.text


@pytest.mark.parametrize("name", ["2026-W99", "2020-W05", "..%2F..%2Fconfig.toml", "%2e%2e", "<script>", "2026-W07%00"])
def test_an_invalid_week_is_not_found(client: AsgiClient, name: str) -> None:
    """Anything but an existing week is not found, and not repeated as markup."""
    response = client.get(f"/week/{name}")
    assert response.status_code == 404
    assert "<script>alert" not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../page.html.j2",
        "/static/%2e%2e/page.html.j2",
        "/static/..%2f..%2f..%2fpyproject.toml",
        "/static//etc/passwd",
    ],
)
def test_paths_cannot_leave_the_static_folder(client: AsgiClient, path: str) -> None:
    """Path traversal is not found."""
    assert client.get(path).status_code == 404


def test_markup_in_an_edition_is_escaped(client: AsgiClient, desk: FakeDesk) -> None:
    """Markup in a subject, a story or a text is shown as text."""
    markup = '"><script>alert(1)</script>'
    sealed = edition("2026-W07", subject=markup)
    desk.change("2026-W07", replace(sealed, text=markup.encode(), preheader=markup))
    for view in ("mail", "inbox", "text", "headers", "source", "decisions"):
        assert "<script>alert" not in client.get(WEEK, params={"view": view}).text


def test_a_story_links_to_the_web_alone(client: AsgiClient, desk: FakeDesk) -> None:
    """A story whose URL is a script is listed without a link."""
    sealed = desk.editions["2026-W07"]
    assert not isinstance(sealed, BuildFailure)
    desk.change(
        "2026-W07", replace(sealed, manifest=sealed.manifest.replace(b"https://tides.example/", b"javascript:0"))
    )
    page = client.get(WEEK).text
    assert "Tide tables for the whole coast" in page
    assert "javascript:" not in page


def test_updates_are_sent_at_once(client: AsgiClient, desk: FakeDesk) -> None:
    """A page with an outdated version gets the new one at once; a current page gets its own after the long poll."""
    first = client.get("/updates").json()["version"]
    assert client.get("/updates", params={"seen": first}).json() == {"version": first, "changes": {}}
    desk.revision += "+"
    update = client.get("/updates", params={"seen": first}).json()
    assert update["version"] != first
    assert update["changes"] == {"store": "Something has changed."}


def test_new_entries_are_named(client: AsgiClient, desk: FakeDesk) -> None:
    """Entries fetched since the page was made are counted and named, with their feeds."""
    first = client.get("/updates").json()["version"]
    desk.entries = [NewEntry(feed_id="blog", title="Bread"), NewEntry(feed_id="podcast", title="<b>Salt</b>")]
    update = client.get("/updates", params={"seen": first}).json()
    assert update["changes"] == {"entries": "2 new entries from podcast and blog: “<b>Salt</b>”, “Bread”."}


@pytest.mark.parametrize(
    "seen", ["", "nonsense", "a-b-c-d-e-f-x", "a-b-c-d-e-f-0", f"a-b-c-d-e-f-{'9' * 5000}", "-" * 9]
)
def test_an_invalid_version_is_accepted(client: AsgiClient, seen: str) -> None:
    """Whatever is sent in place of a version, the current one is returned."""
    assert client.get("/updates", params={"seen": seen}).status_code == 200


def test_an_edition_is_built_once(client: AsgiClient, desk: FakeDesk) -> None:
    """Page, frame and files show the same edition, built once until something changes."""
    for address in (WEEK, f"{WEEK}/mail", f"{WEEK}/digest.html"):
        client.get(address)
    assert desk.build_count == 1
    desk.revision += "+"
    client.get(WEEK)
    assert desk.build_count == 2


def checked(*checks: CheckResult) -> Edition:
    """Return an edition with these results in its manifest."""
    manifest = json.dumps({"stories": [], "checks": [asdict(result) for result in checks]})
    return replace(edition("2026-W07"), manifest=manifest.encode())


def test_the_sidebar_shows_checks(client: AsgiClient, desk: FakeDesk) -> None:
    """Each result is shown, escaped, with its level, title, place and sentence."""
    assert "Checks No problems found." in visible_text(client.get(WEEK).text)
    result = CheckResult(name="link-text", level="error", message="Say <b>where</b>.", where="<script>x</script>")
    desk.change("2026-W07", checked(result))
    page = client.get(WEEK).text
    assert "Checks 1 error Error link text <script>x</script> Say <b>where</b>." in visible_text(page)
    assert "<script>x" not in page


ENTRY = "blog A kettle on the quay"
FIX_URLS = {
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


@pytest.mark.parametrize("mend", FIX_URLS)
def test_a_check_links_to_where_it_is_fixed(client: AsgiClient, desk: FakeDesk, mend: str) -> None:
    """The link beside a check leads to a page of the desk, and to an element that exists there."""
    desk.change("2026-W07", checked(CheckResult(name="some", level="hint", message="Fix it.", fix_target=mend)))
    page, place = FIX_URLS[mend]
    link = f"{page}#{place}" if place else page
    assert f'href="{link}"' in unescape(client.get(WEEK).text)
    target = client.get(page)
    assert target.status_code == 200
    assert not place or f'id="{place}"' in target.text


def test_every_fix_target_has_a_link() -> None:
    """Every fix target has a text, and a link unless it is config.toml or a bug in the program."""
    assert {target.split()[0] for target in FIX_URLS} == set(FIX_TARGETS) - {"program", "setting"}
    assert fix_link("program", "2026-W07").text
    assert "tagline" in fix_link("setting publication.tagline", "2026-W07").text


def test_a_sent_edition_has_no_fix_links(client: AsgiClient, desk: FakeDesk) -> None:
    """A check on an edition that was sent links to no form."""
    desk.change("2026-W07", checked(CheckResult(name="subject", level="hint", message="Fix it.", fix_target="subject")))
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="sent", number=1)
    assert f"{WEEK}/edit" not in client.get(WEEK).text


def test_a_section_without_a_heading_is_named_as_in_the_mail(client: AsgiClient, desk: FakeDesk) -> None:
    """The sidebar shows the translated heading of a section, never its internal kind."""
    desk.change("2026-W07", edition("2026-W07", headings=""))
    page = client.get(WEEK).text
    assert "From the blog" in page
    assert ">posts<" not in page


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", 'href="/" aria-current="page"'),
        (f"{WEEK}?view=text", 'href="/" aria-current="true"'),
        (f"{WEEK}/edit", 'href="/" aria-current="true"'),
        ("/feeds", 'href="/feeds" aria-current="page"'),
        ("/links", 'href="/links" aria-current="page"'),
        ("/mails/confirmation", 'href="/subscribers" aria-current="true"'),
        ("/deliveries", 'href="/deliveries" aria-current="page"'),
    ],
)
def test_every_page_names_the_publication_and_marks_its_section(client: AsgiClient, path: str, current: str) -> None:
    """The name of the publication and all sections are on every page; one section is marked as the current one."""
    page = client.get(path).text
    header = page.partition("<header")[2].partition("</header>")[0]
    assert "Harbour & Hearth Weeks Feeds Links Subscribers Sent Status" in visible_text(f"<header{header}")
    assert header.count("aria-current") == 1
    assert current in header


def test_every_section_has_a_page(client: AsgiClient) -> None:
    """No section of the navigation leads to an error."""
    assert {section.path: client.get(section.path).status_code for section in SECTIONS} == {
        section.path: 200 for section in SECTIONS
    }


def test_without_an_audience_nothing_leads_to_subscribers(client: AsgiClient, desk: FakeDesk) -> None:
    """The sections about subscribers are missing while nobody can subscribe and nobody has."""
    desk.takes_subscribers = False
    assert "Harbour & Hearth Weeks Feeds Links Status Settings Weeks" in visible_text(client.get("/").text)


def test_pages_of_a_week_lead_back_to_it(client: AsgiClient) -> None:
    """The editor's page leads back to the edition; the edition leads to the weeks before and after it."""
    assert f'<a href="{WEEK}">' in client.get(f"{WEEK}/edit").text
    nearby = client.get(WEEK).text.partition('aria-label="Nearby pages"')[2].partition("</nav>")[0]
    assert re.findall(r'href="/week/([^"?]*)', nearby) == ["2026-W06", "2026-W08"]


def button_class(page: str, name: str) -> str:
    """Return the class of the button or link with a name; empty without one."""
    found = re.search(rf'<(?:button|a|summary) class="([^"]*)"[^>]*>{name}<', page)
    return found[1] if found else ""


def test_approval_leads_once_the_newsletter_was_looked_at(client: AsgiClient, desk: FakeDesk) -> None:
    """Before, and after each change, the newsletter itself comes first; after that it may be approved."""
    stories = f"{WEEK}?view=decisions"
    page = client.get(stories).text
    assert (button_class(page, "Look at the newsletter"), button_class(page, "Approve")) == (
        "button",
        "button button--plain",
    )
    assert button_class(client.get(WEEK).text, "Approve") == "button"
    client.get(f"{WEEK}/mail")
    page = client.get(stories).text
    assert (button_class(page, "Look at the newsletter"), button_class(page, "Approve")) == ("", "button")
    desk.change("2026-W07", edition("2026-W07", subject="Another subject"))
    assert button_class(client.get(stories).text, "Approve") == "button button--plain"


def test_the_page_says_when_the_edition_goes_out_and_what_is_missing(client: AsgiClient, desk: FakeDesk) -> None:
    """By hand or at a time, with or without approval; what is missing is named, errors with their number."""
    assert "You send it yourself, once it is approved. Missing: approval." in visible_text(client.get(WEEK).text)
    desk.sends_at = datetime(2026, 2, 13, 7, tzinfo=UTC)
    error = CheckResult(name="dead-link", level="error", message="Fix it.", fix_target="links")
    desk.link_checks["2026-W07"] = LinkCheck(content_hash="", checked_at=desk.sends_at, results=(error,))
    sentence = "Goes out Friday 13 February, 07:00, once it is approved. Missing: approval; 1 error."
    assert sentence in visible_text(client.get(WEEK).text)
    desk.unapproved = True
    assert "07:00, unless you hold it. Missing: 1 error." in visible_text(client.get(WEEK).text)
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="approved", number=1)
    page = visible_text(client.get(WEEK).text)
    assert "Goes out Friday 13 February, 07:00." in page
    assert "Missing" not in page


def test_an_edition_that_was_sent_has_no_outlook(client: AsgiClient, desk: FakeDesk) -> None:
    """Of an edition that is out, nothing is missing and no time is named."""
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="sent", number=1)
    page = visible_text(client.get(WEEK).text)
    assert "Goes out" not in page
    assert "You send it yourself" not in page


@pytest.mark.parametrize("action", ["hold", "skip"])
def test_hold_and_skip_ask_first(client: AsgiClient, action: str) -> None:
    """The button is inside a question that says how many stories carry over, and where."""
    question = client.get(WEEK).text.partition('class="ask"' if action == "hold" else "Skip this week …")[2]
    question = question.partition(f'value="{action}"')[0]
    assert "2 stories carry over to 2026-W08." in visible_text(question)


def test_a_skipped_week_says_where_its_stories_went_and_can_be_undone(client: AsgiClient, desk: FakeDesk) -> None:
    """Who skipped it, how many stories carried over where; the undo is missing once it is too late."""
    desk.editions.clear()
    note = "4 stories carried over to 2026-W08"
    desk.records["2026-W07"] = EditionRecord(week="2026-W07", state="skipped", changed_by="Ana", note=note)
    page = visible_text(client.get(WEEK).text)
    assert f"Skipped by Ana {note}." in page
    assert "Undo: do not skip" in page
    assert "Nothing to publish" not in page
    assert "Last week’s catch" not in page
    desk.resumable = False
    assert "Undo: do not skip" not in client.get(WEEK).text


def test_a_test_copy_is_beside_the_approval(client: AsgiClient) -> None:
    """Sending a test is a button of its own, not one of those under More."""
    page = client.get(WEEK).text
    assert page.index(">Approve<") < page.index(">Send test<") < page.index(">More<")
    assert 'value="test"' in page.partition(">Send test<")[2].partition("</details>")[0]


def test_the_status_says_what_is_wrong_and_what_comes_next(client: AsgiClient, desk: FakeDesk) -> None:
    """Problems with their fix and a link to where it is done, the next runs in local time, and the last ones."""
    at = datetime(2026, 7, 10, 6, tzinfo=UTC)
    gone = HealthResult(
        category="feeds", name="podcast", level="error", message="answered 404", fix="run `pipeline feeds`"
    )
    desk.publication_status = replace(
        desk.publication_status,
        healthy=False,
        summary="1 error.",
        problems=(gone,),
        editions=(EditionStatus(week="2026-W07", state="draft", blockers=(Blocker(message="waits for approval"),)),),
        next_runs=(ScheduledRun(task="send", at=at, in_seconds=5),),
        last_runs=(LastRun(task="late-feeds", period="x", status="failed", message="no network", started_at=at),),
    )
    html = client.get("/status").text
    page = visible_text(html)
    assert "1 error. To do Error podcast answered 404 Run pipeline feeds ." in page
    assert 'href="/feeds#feed-podcast"' in html
    assert "2026-W07 Draft waits for approval" in page
    assert "Send the edition Fri 10 Jul 2026 07:00" in page
    assert "Failed: no network" in page


def test_the_status_is_short_if_all_is_well(client: AsgiClient) -> None:
    """Without problems there is one sentence."""
    page = visible_text(client.get("/status").text)
    assert "Status All is well." in page
    assert "To do" not in page


@pytest.mark.parametrize(
    ("state", "at", "due"),
    [
        ("draft", True, "Approve by Friday 13 February, 07:00"),
        ("approved", True, "Goes out Friday 13 February, 07:00"),
        ("approved", False, "Waits to be sent"),
        ("held", True, "Held by Ana"),
        ("skipped", True, "4 stories carried over to 2026-W08"),
        ("sending", True, "Being sent"),
        ("sent", True, "Sent, Sat 14 Feb"),
    ],
)
def test_the_list_says_of_each_week_what_is_due(
    client: AsgiClient, desk: FakeDesk, state: EditionState, at: bool, due: str
) -> None:
    """With the subject of what is sealed, or of the draft that is due; other drafts are not built for the list."""
    desk.sends_at = datetime(2026, 2, 13, 7, tzinfo=UTC) if at else None
    desk.sealed["2026-W07"] = edition("2026-W07", subject="As it was sealed")
    note, changed_at = "4 stories carried over to 2026-W08", datetime(2026, 2, 14, 9, tzinfo=UTC)
    desk.records["2026-W07"] = EditionRecord(
        week="2026-W07", state=state, changed_by="Ana", note=note, changed_at=changed_at
    )
    page = visible_text(client.get("/").text)
    subject = {"draft": SUBJECT, "held": "", "skipped": ""}.get(state, "As it was sealed")
    assert f"9–15 February 2026 {subject} 2026-W07 · {due}".replace("  ", " ") in page
    assert "Closes Monday 23 February, 00:00" in page
    assert desk.build_count <= 1


def test_checks_are_grouped_and_name_their_story(client: AsgiClient, desk: FakeDesk) -> None:
    """One line for each check with the number of its results; each place leads to its story, by its title."""
    kettle, lights = "story blog A kettle on the quay", "story blog Who keeps the lights on"
    poor = [
        CheckResult(name="image-alt", level="hint", message="Describe it.", where=where, fix_target=target)
        for where, target in (("A kettle on the quay", kettle), ("A lamp", lights))
    ]
    dead = CheckResult(name="dead-link", level="error", message="Correct it.", where="here", fix_target=lights)
    at = datetime(2026, 2, 17, 9, tzinfo=UTC)
    desk.link_checks["2026-W07"] = LinkCheck(content_hash="", checked_at=at, results=(*poor, dead))
    html = client.get(f"{WEEK}?view=text").text
    checks = html.partition('id="checks"')[2].partition("</section>")[0]
    assert visible_text(f"<p{checks}").startswith("Checks 1 error 2 hints Error dead link here Correct it. Go to “Who")
    assert "Hint 2 images without alt text Describe it. Go to “A kettle on the quay” A lamp Go to “Who" in visible_text(
        checks
    )
    for reference in ("blog A kettle on the quay", "blog Who keeps the lights on"):
        assert f'href="{WEEK}?view=decisions#{entry_anchor(reference)}"' in checks
        assert f'id="{entry_anchor(reference)}"' in client.get(f"{WEEK}?view=decisions").text


def test_a_script_that_shows_a_page_again_gets_its_error_as_a_page(client: AsgiClient) -> None:
    """An open page that cannot be shown stays as it is; a message alone would make it reload without end."""
    page = client.get("/nowhere", headers={"Sec-Fetch-Dest": "empty"})
    assert page.status_code == 404
    assert '<div id="error"' in page.text
