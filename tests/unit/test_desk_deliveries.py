"""The desk's pages of deliveries, on a real store with a scripted server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from pipeline.jobs.deliveries.clicks import WINDOW, record_click, settle_clicks
from pipeline.jobs.deliveries.numbers import EditionNumbers
from pipeline.model.counted_link import CountedLink, make_tag
from pipeline.model.delivery import Dispatch
from pipeline.model.delivery_event import DeliveryEvent
from pipeline.model.subscriber import Preferences, Visitor
from pipeline.web.desk.deliveries.pages import PLOT_HEIGHT, bar_plot
from pipeline.web.desk.deliveries.service import ACTIVITY_INTERVAL, PAGE_ROWS
from pipeline.web.pages import create_desk_app
from tests.asgi_client import AsgiClient
from tests.deliveries import KEY, LATER, REFUSED, STOP, UNCERTAIN, DeliveryHarness
from tests.fake_desk import FakeDesk
from tests.publication import W07, PublicationHarness, shared_theme
from tests.sending_desk import SendingDesk

WEEK = f"/week/{W07}"
LIST = f"{WEEK}/deliveries"


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[DeliveryHarness]:
    """An approved edition and three subscribers."""
    publication = PublicationHarness(tmp_path, shared_theme())
    with publication.store:
        yield DeliveryHarness(publication)


@pytest.fixture
def desk(harness: DeliveryHarness) -> SendingDesk:
    """Its desk."""
    return SendingDesk.of(harness)


@pytest.fixture
def client(desk: SendingDesk) -> AsgiClient:
    """A browser at its pages."""
    return AsgiClient(create_desk_app(desk.services(), long_poll_seconds=0.05))


def visible_text(html: str) -> str:
    """Return the visible text of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def read(client: AsgiClient, path: str = WEEK) -> str:
    """Return the visible text at a path."""
    return visible_text(client.get(path).text)


def press(client: AsgiClient, path: str = LIST, **fields: str) -> str:
    """Send a form with its token, and return the text of the page that follows."""
    response = client.post(path, fields, page=WEEK)
    if response.status_code == 303:
        response = client.get(response.headers["location"].partition("#")[0])
    return visible_text(response.text)


def send(harness: DeliveryHarness, **scripts: list[object]) -> None:
    """Send the edition; the server answers by the scripts."""
    harness.backend.scripts = scripts  # type: ignore[assignment]
    harness.dispatcher.start(W07, harness.clock())
    harness.run()


def test_before_it_is_sent_the_page_counts_who_gets_what(client: AsgiClient, harness: DeliveryHarness) -> None:
    """And the button says how many; the list says why others get nothing."""
    harness.subscribe("q", preferences=Preferences(topics=("episodes",)))
    harness.subscribe("r", state="left")
    page = read(client)
    assert "3 subscribers get this edition, 2 get nothing. Who gets what?" in page
    assert "1 not interested in its topics 1 unsubscribed" in page
    assert "Send to 3 subscribers" in page
    recipients = read(client, f"{WEEK}/recipients")
    assert "The whole edition 3 Nothing: not interested in its topics 1 Nothing: unsubscribed 1" in recipients
    assert "r@quay.example Nothing: unsubscribed q@quay.example Nothing: not interested in its topics" in recipients
    assert "p2@quay.example The whole edition" in recipients
    found = read(client, f"{WEEK}/recipients?search=P1&state=active")
    assert "p1@quay.example" in found
    assert "p2@quay.example" not in found
    assert "Nobody is found." in read(client, f"{WEEK}/recipients?search=p1&state=left")


def test_the_confirmation_names_the_limits(client: AsgiClient, desk: SendingDesk) -> None:
    """Only those that the number of recipients meets."""
    desk.limits = replace(desk.limits, first_batch=2, first_batch_wait=timedelta(minutes=1))
    assert "The first 2 are sent, then nothing for 1 minute." in read(client)
    desk.limits = replace(desk.limits, first_batch=3)
    assert "The first" not in read(client)


def test_an_edition_for_nobody_has_no_button(client: AsgiClient, harness: DeliveryHarness) -> None:
    """The page says why nobody gets it."""
    for person in harness.store.subscribers.page(harness.clock()):
        harness.store.subscribers.save(replace(person, state="left"))
    page = read(client)
    assert "0 subscribers get this edition, 3 get nothing" in page
    assert "Send to" not in page


def test_an_edition_for_the_outbox_counts_nobody(client: AsgiClient, desk: SendingDesk) -> None:
    """As before: one button sends it."""
    desk.delivers = False
    page = read(client)
    assert "get this edition" not in page
    assert "Send Issue 1 now" in page
    assert client.get(f"{WEEK}/recipients").status_code == 404
    assert client.get(LIST).status_code == 404
    assert "No edition was sent to subscribers yet." in read(client, "/deliveries")


def test_while_it_is_sent_the_page_follows_and_pauses(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Progress, rate, end; then paused, resumed, and no button that sends it again."""
    harness.backend.scripts = {"p1": [LATER], "p2": [REFUSED]}
    page = press(client, f"{WEEK}/actions", do="send")
    assert "It goes to 3 subscribers." in page
    assert "Sending 0 of 3" in page
    assert "0 sent 3 waiting It begins within some seconds." in page
    harness.run()
    harness.clock.wait(60)
    page = client.get(WEEK).text
    assert '<progress class="delivery__bar" aria-label="Deliveries with an outcome" max="3" value="2">' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "1 sent 1 failed 1 waiting 2 a minute, done about" in visible_text(page)
    assert "Not sent: 1 refused by the recipient’s server." in visible_text(page)
    assert "Send Issue 1 now" not in page
    page = press(client, do="pause", correction="0")
    assert "Paused by ann. Nothing is lost" in page
    assert "http-equiv" not in client.get(WEEK).text
    assert "is not being sent: its dispatch is paused" in press(client, do="pause", correction="0")
    assert "Resumed where it was left. " in press(client, do="resume", correction="0")
    harness.clock.wait(600)
    assert "Nothing sends it now: pipeline run does that by itself" in read(client)


def test_a_cancel_says_first_how_many_get_nothing(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Those that have it keep it, and the edition counts as sent."""
    send(harness, p1=[LATER])
    assert "1 subscriber will not get it. This cannot be undone" in read(client)
    page = press(client, do="cancel", correction="0")
    assert "Cancelled. 1 subscriber will not get this edition." in page
    assert "Not sent: 1 cancelled." in page
    assert harness.states() == {"sent": 2, "failed": 1}


def test_why_the_server_stopped_everything_is_shown(client: AsgiClient, harness: DeliveryHarness) -> None:
    """In its words, and nobody has failed."""
    send(harness, p0=[STOP])
    page = read(client)
    assert "Paused by scripted: scripted: 535 authentication failed" in page
    assert "Resume" in page


def test_failed_and_uncertain_deliveries_are_settled_one_by_one(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Accepted as sent or sent again, with what the server said."""
    send(harness, p0=[UNCERTAIN], p1=[REFUSED], p2=[UNCERTAIN])
    page = read(client, LIST)
    assert "2 uncertain" in page
    assert "550 no such user" in page
    numbers = {name: str(delivery.id) for name, delivery in harness.deliveries().items()}
    assert "1 delivery counts as sent." in press(client, do="accept", delivery=numbers["p0"])
    assert "sent again, perhaps for the second time" in press(client, do="repeat", delivery=numbers["p2"])
    assert "1 delivery is sent again." in press(client, do="retry", delivery=numbers["p1"])
    assert harness.states() == {"sent": 1, "queued": 2}
    assert "Nothing was left to do" in press(client, do="accept", delivery=numbers["p0"])
    assert "There are none." in read(client, LIST)


def test_all_are_settled_at_once(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Without a number all of them are meant."""
    send(harness, p0=[UNCERTAIN], p1=[REFUSED], p2=[UNCERTAIN])
    assert "2 deliveries count as sent." in press(client, do="accept")
    assert "1 delivery is sent again." in press(client, do="retry")
    assert harness.states() == {"sent": 2, "queued": 1}


def test_an_erased_person_is_not_mistaken_for_everybody(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Nor is the delivery of another week, or a number that is none."""
    send(harness, p0=[UNCERTAIN], p1=[UNCERTAIN])
    one = harness.deliveries()["p0"]
    assert one.subscriber_id
    harness.store.subscribers.delete(one.subscriber_id)
    assert "the person was erased" in press(client, do="accept", delivery=str(one.id))
    assert harness.states() == {"sent": 1, "uncertain": 2}
    assert "Erased" in read(client, LIST)


@pytest.mark.parametrize("delivery", ["x", "-1", "9" * 40, ""])
def test_a_number_that_is_none_settles_nothing(client: AsgiClient, harness: DeliveryHarness, delivery: str) -> None:
    """A field that is there has to name a delivery."""
    send(harness, p0=[UNCERTAIN])
    press(client, do="accept", delivery=delivery)
    assert harness.states() == {"sent": 2, "uncertain": 1}


def test_unknown_actions_and_foreign_forms_change_nothing(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Neither without the token of the page."""
    send(harness, p0=[UNCERTAIN])
    assert client.post(LIST, {"do": "explode"}, page=WEEK).status_code == 400
    assert client.post(LIST, {"csrf": "guess", "do": "accept"}).status_code == 403
    assert harness.states() == {"sent": 2, "uncertain": 1}


def test_a_long_list_is_read_in_pages(client: AsgiClient, harness: DeliveryHarness) -> None:
    """By state; an unknown one is the usual list."""
    for number in range(3, PAGE_ROWS + 1):
        harness.subscribe(f"p{number}")
    send(harness, p0=[REFUSED])
    first = client.get(f"{LIST}?state=all").text
    assert f"p{PAGE_ROWS}@" not in first
    more = re.search(r'href="([^"#]+)#list">More', first)
    assert more
    assert f"p{PAGE_ROWS}@" in client.get(unescape(more[1])).text
    assert "p0@" not in client.get(f"{LIST}?state=sent").text
    assert "p0@" in client.get(f"{LIST}?state=odd&after=x").text


def test_afterwards_numbers_are_shown_without_spying(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Delivered only if somebody reports it; an event that comes twice counts once."""
    send(harness)
    assert "3 Sent" not in read(client)
    assert "Sent 3 Bounced 0 Complained 0 Left 0" in read(client)
    one = harness.deliveries()["p0"]
    for kind in ("delivered", "bounced", "bounced"):
        event = DeliveryEvent(kind=kind, at=harness.clock(), delivery_id=one.id, key=kind)
        harness.store.delivery_events.add(event, one, one.subscriber_id, one.address, harness.clock())
    assert "Sent 3 Delivered 1 Bounced 1 Complained 0 Left 0" in read(client)
    table = read(client, "/deliveries")
    assert "Issue 1 Mon 16 Feb 3 1 1 0 0" in table
    assert "open" not in table.replace("opened", "")


def test_bars_stand_on_each_other_and_stay_inside(harness: DeliveryHarness) -> None:
    """The oldest edition first; of nothing there is no plot."""
    now = harness.clock()

    def edition(sent: int, **events: int) -> EditionNumbers:
        dispatch = Dispatch(week="2026-W07", frozen_at=now, changed_at=now, counts={"sent": sent})
        return EditionNumbers(dispatch=dispatch, events=events)  # type: ignore[arg-type]

    newest_first = [edition(9), edition(4, bounced=3, complained=1), edition(4, bounced=2)]
    assert bar_plot([], ["sent"]) is None
    assert bar_plot([edition(9)], ["bounced"]) is None
    plot = bar_plot(newest_first, ["bounced", "complained"])
    assert plot
    assert (plot.highest, plot.width) == (4, 60)
    assert [(bar.name, bar.x, bar.y, bar.height) for bar in plot.bars] == [
        ("bounced", 0, PLOT_HEIGHT / 2, PLOT_HEIGHT / 2),
        ("bounced", 20, PLOT_HEIGHT / 4, PLOT_HEIGHT * 3 / 4),
        ("complained", 20, 0, PLOT_HEIGHT / 4),
    ]


def test_open_pages_follow_a_send_but_not_each_message(desk: SendingDesk, harness: DeliveryHarness) -> None:
    """The number of sent messages is read again after a while."""
    deliveries = desk.services().deliveries
    before = deliveries.activity
    send(harness)
    assert deliveries.activity == before
    harness.clock.wait(ACTIVITY_INTERVAL.total_seconds())
    assert deliveries.activity != before


def test_a_desk_without_deliveries_shows_the_week_as_before() -> None:
    """With nobody, and the outbox."""
    page = AsgiClient(create_desk_app(FakeDesk().services(), long_poll_seconds=0)).get(WEEK).text
    assert 'id="delivery"' not in page


def test_a_dispatch_is_named_by_its_correction(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Its buttons change it alone."""
    send(harness)
    harness.store.dispatches.start((str(W07), 1), now=harness.clock(), actor="ann")
    harness.store.dispatches.freeze((str(W07), 1), {"whole": [("posts episodes links", "every")]}, harness.clock())
    assert "Sending: correction 1" in read(client)
    press(client, do="pause", correction="1")
    states = [dispatch.state for dispatch in harness.store.dispatches.of_week(KEY[0])]
    assert states == ["finished", "paused"]


def test_links_are_counted_without_rates(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Each link that was followed with its number, the others as a sum; nothing where nobody counts."""
    store, week = harness.store, str(W07)
    send(harness)
    assert "Clicks" not in read(client, LIST)
    urls = ["https://quay.example/salt", "https://quay.example/oats", "https://quay.example/rye"]
    sealed = store.editions.sealed(week)
    assert sealed
    manifest = json.loads(sealed.edition.manifest)
    links = [CountedLink(tag=make_tag(week, url), url=url) for url in urls]
    manifest |= {"counted_links": [asdict(link) for link in links]}
    manifest["stories"][0] |= {"title": "Salt & <sea>", "url": urls[0]}
    edition = replace(sealed.edition, manifest=json.dumps(manifest).encode())
    record = store.editions.get(week)
    store.editions.approve(record, replace(sealed, edition=edition), state=record.state)
    for number, link in ((2, links[0]), (1, links[1])):
        for browser in range(number):
            record_click(store, week, link, Visitor(ip_address="192.0.2.1", user_agent=str(browser)), harness.clock())
    settle_clicks(store, harness.clock() + WINDOW)
    page = read(client, LIST)
    assert "3 clicks from 3 copies sent." in page
    assert f"Link Clicks Salt & <sea> {urls[0]} 2 {urls[1]} 1 1 link has no clicks." in page
    assert "%" not in page
    for number, delivery in enumerate(store.deliveries.iterate(week)):
        event = DeliveryEvent(
            kind="delivered", severity="", address=delivery.address, at=harness.clock(), key=str(number)
        )
        store.delivery_events.add(event, delivery, delivery.subscriber_id, delivery.address, harness.clock())
    assert "3 clicks from 3 copies delivered." in read(client, LIST)


CORRECTIONS = f"{WEEK}/corrections"


def test_a_correction_is_made_seen_and_sent_after_a_question(client: AsgiClient, harness: DeliveryHarness) -> None:
    """What is sent is what was on the screen; then the page of the week shows it beside the edition."""
    assert client.get(CORRECTIONS).status_code == 404
    send(harness, p2=[REFUSED])
    assert "Correct this edition" in read(client)
    assert "What was wrong?" in read(client, CORRECTIONS)
    page = press(client, CORRECTIONS, do="make", note="It is on *Friday*.")
    assert "Made. Look at it: exactly this is sent, once you say so." in page
    assert "As it will be sent Correction: Harbour & Hearth: Bread It is on Friday." in page
    assert "Write an introduction" not in page
    assert "Send to 2 subscribers" in page
    assert "Correction 1 is not sent" in read(client)
    html = client.get(CORRECTIONS).text
    frame = re.search(r'data-src="([^"]+)"', html)
    assert frame
    assert "It is on <em>Friday</em>." in client.get(unescape(frame[1])).text
    seen = re.search(r'name="hash" value="([^"]+)"', html)
    assert seen
    harness.correct("It is on Saturday.")
    stale = press(client, CORRECTIONS, do="send", hash=seen[1])
    assert "has changed since you saw it" in stale
    newest = harness.store.corrections.newest(str(W07))
    assert newest
    page = press(client, CORRECTIONS, do="send", hash=newest.content_hash)
    assert "It goes to 2 subscribers." in page
    assert "Sending: correction 1 0 of 2" in page
    assert "What was wrong?" not in read(client, CORRECTIONS)
    harness.backend.accepted.clear()
    harness.run(key=(str(W07), 1))
    assert harness.backend.counts == {"p0": 1, "p1": 1}
    page = read(client)
    assert "Correction 1 Sent 2 Bounced 0 Complained 0 All deliveries" in page.replace(
        "1 failed or uncertain", "All deliveries"
    )
    assert re.search(r"Correction 1 \S+ \d+ \S+ 2 0 0 –", read(client, "/deliveries"))
    assert "Corrections (1)" in page
    assert "It is on Saturday." in read(client, CORRECTIONS)
    assert "Sent Correction 1" in read(client, f"{LIST}?state=all")


def test_a_refused_correction_keeps_its_note(client: AsgiClient, harness: DeliveryHarness) -> None:
    """Errors can be ignored by name; a draft is discarded with a button."""
    send(harness)
    page = press(client, CORRECTIONS, do="make", note="Dear {{ name }}, it is Friday.")
    assert "merge-tag (correction)" in page
    assert "Dear {{ name }}, it is Friday." in page
    assert "Ignore " in page
    assert harness.store.corrections.all() == []
    press(client, CORRECTIONS, do="make", note="Dear {{ name }}, it is Friday.", override="merge-tag")
    assert len(harness.store.corrections.all()) == 1
    assert "Discarded. Nothing was sent." in press(client, CORRECTIONS, do="discard")
    assert "has no draft of a correction" in press(client, CORRECTIONS, do="discard")
    for fields in ({"do": "publish"}, {"do": "send"}):
        assert client.post(CORRECTIONS, fields, page=WEEK).status_code == 400


def test_a_delivery_of_a_correction_is_settled_by_itself(client: AsgiClient, harness: DeliveryHarness) -> None:
    """The one of the edition to the same person stays as it is."""
    send(harness, p0=[UNCERTAIN])
    harness.correct()
    harness.backend.scripts = {"p0": [UNCERTAIN]}
    harness.dispatcher.start_correction(W07, harness.clock())
    harness.run(key=(str(W07), 1))
    assert "1 delivery counts as sent." in press(client, do="accept", delivery=str(harness.deliveries(1)["p0"].id))
    assert harness.deliveries()["p0"].state == "uncertain"


def test_the_outbox_gets_a_correction_at_once(client: AsgiClient, desk: SendingDesk) -> None:
    """There is nobody to count."""
    desk.delivers = False
    desk.real.publication.send(W07)
    press(client, CORRECTIONS, do="make", note="It is on Friday.")
    html = client.get(CORRECTIONS).text
    seen = re.search(r'name="hash" value="([^"]+)"', html)
    assert seen
    assert "Send ▾" not in visible_text(html)
    page = press(client, CORRECTIONS, do="send", hash=seen[1])
    assert "Correction 1 written to the outbox; not delivered to anyone: outbox/" in page
