"""The desk's pages of subscribers, on a real store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest

from pipeline.jobs.audience.context import AudienceContext
from pipeline.jobs.audience.subscriptions import Subscriptions
from pipeline.model.subscriber import Preferences
from pipeline.store import Store
from pipeline.web.desk.audience.pages import PLOT_HEIGHT, PLOT_WIDTH, plot
from pipeline.web.desk.audience.service import GROWTH_DAYS, PAGE_ROWS
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.empty_store import empty_store
from tests.fake_desk import FakeDesk
from tests.people import NOW, WORDING, audience, queued, sign_up, subscriber

DAY = timedelta(days=1)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[AudienceContext]:
    """A publication with nobody yet."""
    with Store.open(empty_store(tmp_path)) as store:
        yield audience(store, tmp_path)


@pytest.fixture
def desk(people: AudienceContext) -> FakeDesk:
    """Its desk."""
    return FakeDesk(people=people)


@pytest.fixture
def client(desk: FakeDesk) -> AsgiClient:
    """A browser at its pages."""
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def visible_text(html: str) -> str:
    """Return the visible text of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def press(client: AsgiClient, path: str, **fields: str) -> str:
    """Send a form with its token, and return the text of the page that follows."""
    response = client.post(path, fields, page="/subscribers")
    if response.status_code == 303:
        response = client.get(response.headers["location"])
    return visible_text(response.text)


def test_the_numbers_are_those_of_the_store(client: AsgiClient, people: AudienceContext) -> None:
    """Paused ones are subscribers; the share is that of recent sign-ups."""
    subscriptions = Subscriptions(people)
    for name in ("ada", "bea", "cai"):
        subscriptions.confirm(sign_up(people, f"{name}@quay.example"), NOW)
    sign_up(people, "dot@quay.example")
    subscriptions.change(subscriber(people, "bea@quay.example"), Preferences(), NOW + DAY, NOW)
    subscriptions.leave(subscriber(people, "cai@quay.example"), NOW)
    page = visible_text(client.get("/subscribers").text)
    assert "2 subscribers, 1 of them paused" in page
    assert "1 waiting for confirmation 75 % of recent sign-ups confirmed 1 left 0 suppressed" in page
    assert f"“{WORDING}”" in page
    assert "3 confirmed" in page


def test_without_anybody_the_page_says_so(client: AsgiClient) -> None:
    """There is no curve, and no share of nothing."""
    page = client.get("/subscribers").text
    assert "0 subscribers" in visible_text(page)
    assert "Nobody has signed up yet." in page
    assert "<svg viewBox" not in page
    assert "% of recent" not in page


def test_without_public_pages_it_says_how_to_have_them(desk: FakeDesk, people: AudienceContext) -> None:
    """No form is offered that leads nowhere."""
    desk.people = audience(people.store, public_url="")
    page = AsgiClient(create_desk_app(desk.services())).get("/subscribers").text
    assert "[public] url" in page
    assert "<details" not in page


def test_a_form_is_shown_as_text_and_in_a_frame(client: AsgiClient) -> None:
    """What is pasted is what the frame shows; nothing can be sent from there, and no script runs."""
    page = client.get("/subscribers").text
    assert "&lt;form&gt;tides&lt;/form&gt;" in page
    assert 'src="/subscribers/forms/tides"' in page
    frame = client.get("/subscribers/forms/tides")
    assert "<form>tides</form>" in frame.text
    policy = frame.headers["content-security-policy"]
    assert "form-action 'none'" in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert client.get("/subscribers/forms/gone").status_code == 404


def test_growth_is_counted_back_from_today(people: AudienceContext, desk: FakeDesk) -> None:
    """A day's number is that at its end."""
    subscriptions = Subscriptions(people)
    for days, name in ((3, "ada"), (2, "bea"), (2, "cai")):
        subscriptions.confirm(sign_up(people, f"{name}@quay.example", now=NOW - days * DAY), NOW - days * DAY)
    subscriptions.leave(subscriber(people, "ada@quay.example"), NOW - DAY)
    growth = dict(desk.services().subscribers.overview().growth)
    assert len(growth) == GROWTH_DAYS
    today = NOW.date()
    assert [growth[today - days * DAY] for days in (4, 3, 2, 1, 0)] == [0, 1, 3, 2, 2]


def test_a_search_finds_people_and_pages_go_on(client: AsgiClient, people: AudienceContext) -> None:
    """The newest first; a wrong position begins at the newest."""
    for number in range(PAGE_ROWS + 1):
        sign_up(people, f"p{number:02}@quay.example")
    first = client.get("/subscribers").text
    assert "p50@quay.example" in first
    assert "p00@quay.example" not in first
    older = re.search(r'href="(/subscribers\?[^"#]+)[^"]*">Older', first)
    assert older
    assert "p00@quay.example" in client.get(unescape(older[1])).text
    assert "p50@quay.example" in client.get("/subscribers?before=x").text
    found = client.get("/subscribers?search=P07&state=unconfirmed").text
    assert "p07@quay.example" in found
    assert "p08@quay.example" not in found
    assert "Nobody is found." in client.get("/subscribers?search=p07&state=left").text


def test_a_person_is_shown_with_their_whole_history(client: AsgiClient, people: AudienceContext) -> None:
    """Wording, version, address of the browser; text of the person is text."""
    preferences = Preferences(name="<b>Ada</b>", topics=("posts",))
    person = Subscriptions(people).confirm(sign_up(people, "ada@quay.example", preferences=preferences), NOW)
    page = client.get(f"/subscribers/{person.id}").text
    assert "<b>Ada</b>" not in page
    text = visible_text(page)
    assert f"Consented to: “{WORDING}” (version 1)" in text
    assert "from 203.0.113.7, page https://harbour.example/join" in text
    assert text.index("Signed up") < text.index("Confirmed by the link in a mail")
    assert "consent (GDPR, article 6(1)(a))" in text


def test_who_is_not_stored_has_no_page(client: AsgiClient) -> None:
    """Nor has a number that no database knows."""
    assert client.get("/subscribers/7").status_code == 404
    assert client.get(f"/subscribers/{2**80}").status_code == 404


def test_an_invited_person_has_to_confirm(client: AsgiClient, people: AudienceContext) -> None:
    """The history says who entered the address."""
    assert "gets a mail with a link to confirm" in press(
        client, "/subscribers", do="invite", address="ada@quay.example"
    )
    person = subscriber(people, "ada@quay.example")
    assert person.state == "unconfirmed"
    assert [mail.kind for mail in queued(people)] == ["confirmation"]
    (event,) = people.store.subscription_events.of_subscriber(person.id)
    assert event.actor == "eve"
    page = press(client, "/subscribers", do="invite", address="ada@quay.example")
    assert "was asked to confirm within a week" in page


def test_an_editor_invites_nobody_back(client: AsgiClient, people: AudienceContext) -> None:
    """Who has left or is suppressed is named."""
    subscriptions = Subscriptions(people)
    subscriptions.leave(subscriptions.confirm(sign_up(people, "ada@quay.example"), NOW), NOW)
    subscriptions.suppress("bea@quay.example", "bounced", actor="eve", now=NOW)
    for name, reason in (("ada", "has unsubscribed"), ("bea", "is suppressed (bounced)")):
        assert reason in press(client, "/subscribers", do="invite", address=f"{name}@quay.example")


@pytest.mark.parametrize("do", ["invite", "suppress"])
def test_a_wrong_address_is_refused_and_kept_in_the_field(client: AsgiClient, do: str) -> None:
    """With the reason."""
    response = client.post("/subscribers", {"do": do, "address": "ada@quay"}, page="/subscribers")
    assert response.status_code == 409
    assert "is not an email address" in response.text
    assert 'value="ada@quay"' in response.text


def test_a_person_is_suppressed_and_that_is_lifted(client: AsgiClient, people: AudienceContext) -> None:
    """By the buttons of their page."""
    person = Subscriptions(people).confirm(sign_up(people, "ada@quay.example"), NOW)
    path = f"/subscribers/{person.id}"
    assert "gets no more mail" in press(client, path, do="suppress")
    assert people.suppression("ada@quay.example") == "operator"
    assert "may sign up again" in press(client, path, do="lift")
    assert people.suppression("ada@quay.example") is None
    assert subscriber(people, "ada@quay.example").state == "left"


def test_erasing_asks_first(client: AsgiClient, people: AudienceContext) -> None:
    """Without the tick nothing is deleted."""
    person = sign_up(people, "ada@quay.example")
    path = f"/subscribers/{person.id}"
    assert "Tick the box first" in press(client, path, do="erase")
    assert people.store.subscribers.get(person.id) == person
    assert "Everything about this person was deleted" in press(client, path, do="erase", sure="yes")
    assert people.store.subscribers.get(person.id) is None


def test_a_form_from_elsewhere_changes_nothing(client: AsgiClient, people: AudienceContext) -> None:
    """Without the token of the page."""
    person = sign_up(people, "ada@quay.example")
    response = client.post(f"/subscribers/{person.id}", {"csrf": "guess", "do": "erase", "sure": "yes"})
    assert response.status_code == 403
    assert people.store.subscribers.get(person.id) == person


def test_a_curve_stays_inside_its_box() -> None:
    """From the lowest to the highest number; a flat one is drawn, nothing at all is not."""
    days = [date(2026, 2, day) for day in range(1, 4)]
    assert plot([(day, 0) for day in days]) is None
    curve = plot(list(zip(days, (5, 9, 7), strict=True)))
    assert curve
    assert (curve.low, curve.high, curve.first_day, curve.last_day) == (5, 9, days[0], days[2])
    points = [tuple(map(float, point.split(","))) for point in curve.line.split()]
    assert [x for x, _ in points] == [0, PLOT_WIDTH / 2, PLOT_WIDTH]
    assert points[0][1] > points[2][1] > points[1][1] > 0
    assert points[0][1] < PLOT_HEIGHT
    flat = plot([(day, 3) for day in days])
    assert flat
    assert len({point.split(",")[1] for point in flat.line.split()}) == 1


@pytest.mark.parametrize("kind", ["confirmation", "guide", "already", "address"])
def test_a_mail_is_previewed_as_it_would_be_sent(client: AsgiClient, people: AudienceContext, kind: str) -> None:
    """In the frame its HTML, on the page subject and text; in another language and for another form if chosen."""
    (people.folder / "tides.txt").write_text("High at nine.")
    query = "form=tides&language=de&scheme=dark"
    page = client.get(f"/mails/{kind}?{query}")
    html = client.get(f"/mails/{kind}/html?{query}")
    assert (page.status_code, html.status_code) == (200, 200)
    assert f'src="/mails/{kind}/html?form=tides&amp;language=de&amp;width=fit&amp;scheme=dark"' in page.text
    link = "confirm" if kind == "confirmation" else kind if kind in ("guide", "address") else "preferences"
    assert f"https://news.harbour.example/{link}/" in page.text
    assert f"https://news.harbour.example/{link}/" in html.text
    assert '<html lang="de"' in html.text
    assert "prefers-color-scheme" not in html.text
    assert "sandbox" in html.headers["content-security-policy"]
    assert people.store.person_mails.next_due_at() is None
    assert not people.store.subscribers.page(NOW)


def test_a_mail_with_nothing_to_say_is_explained(client: AsgiClient) -> None:
    """No edition was sent yet, and the form has no guide."""
    assert "no edition was sent yet" in visible_text(client.get("/mails/best-of").text)
    assert "the form has no guide" in visible_text(client.get("/mails/guide?form=newsletter").text)


def test_unknown_mails_forms_and_languages(client: AsgiClient) -> None:
    """An unknown kind is not found; an unknown form or language is the usual one."""
    assert client.get("/mails/bill").status_code == 404
    page = client.get("/mails/confirmation?form=../x&language=zz&width=1&scheme=neon")
    assert page.status_code == 200
    assert "html?form=newsletter&amp;language=&amp;width=fit&amp;scheme=light" in page.text
