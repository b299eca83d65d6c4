"""The pages for subscribers, without a server: what each shows, does and refuses."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import sleep

import altcha
import httpx
import pytest
from sqlalchemy import event
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.audience.tokens import Purpose
from pipeline.web.public.access import client_address
from pipeline.web.public.mail_thread import MAX_PAUSES, MailThread
from pipeline.web.public.server import create_public_app
from pipeline.web.public.writer import Writer
from tests.subscriber_pages import ADA, NOW, Pages, form_fields, heading, open_pages, write_publication

PURPOSES: tuple[Purpose, ...] = ("confirm", "preferences", "unsubscribe", "guide")
JSON = {"accept": "application/json"}


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with open_pages(write_publication(tmp_path)) as pages:
        yield pages


def contents(pages: Pages) -> list[object]:
    """Return all that is stored about people and limits."""
    store = pages.audience.context.store
    people = list(store.subscribers.iterate(pages.now))
    return [
        *people,
        *(event for person in people for event in store.subscription_events.of_subscriber(person.id)),
        *(mail for person in people for mail in store.person_mails.of_subscriber(person.id)),
    ]


@contextmanager
def recorded_statements(pages: Pages) -> Iterator[list[str]]:
    """Record the SQL that is executed within the block."""
    seen: list[str] = []

    def record(connection: object, cursor: object, statement: str, *arguments: object) -> None:
        seen.append(statement)

    engine = pages.audience.context.store._database.engine
    event.listen(engine, "before_cursor_execute", record)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", record)


def problem(text: str) -> str:
    match = re.search(r'<p class="problem"[^>]*>(.*?)</p>', text)
    return match[1] if match else ""


# The sign-up form


def test_the_box_is_never_ticked_beforehand(pages: Pages) -> None:
    """Neither on a form's page nor in its code to embed; the wording beside it is that of config.toml."""
    for path in ("/subscribe", "/subscribe/tides", "/subscribe/newsletter/embed", "/subscribe/tides/embed"):
        html = pages.get(path).text
        box = re.search(r'<input type="checkbox" name="consent"[^>]*>', html)
        assert box
        assert "checked" not in box[0]
    assert "Yes, mail me the guide and the newsletter." in pages.get("/subscribe/tides").text


def test_a_sign_up_is_stored_with_its_receipt(pages: Pages) -> None:
    """Wording, form, page, address and browser of the visitor are recorded, and the mail is queued at once."""
    response = pages.sign_up(form="tides", name="Ada", topics=["episodes"], frequency="monthly")
    assert (response.status_code, heading(response)) == (200, "Almost done: check your email")
    subscriber, store = pages.subscriber(), pages.audience.context.store
    (event,) = store.subscription_events.of_subscriber(subscriber.id)
    assert (subscriber.state, subscriber.requested and subscriber.requested.topics) == ("unconfirmed", ("episodes",))
    assert event.wording
    assert event.wording.text == "Yes, mail me the guide and the newsletter. I can stop it at any time."
    assert (event.form, event.visitor.page) == ("tides", "https://news.kueste.example/subscribe/tides")
    assert [mail.kind for mail in store.person_mails.of_subscriber(subscriber.id)] == ["confirmation"]
    assert pages.wakes == [pages.now]


@pytest.mark.parametrize("before", ["unknown", "unconfirmed", "active", "left", "suppressed"])
def test_the_answer_does_not_tell_whether_an_address_is_known(pages: Pages, before: str) -> None:
    """The page after the form is the same, byte for byte, and so are the headers."""
    if before in ("active", "left"):
        pages.active()
    if before == "left":
        pages.post(pages.link("unsubscribe"))
    if before == "unconfirmed":
        pages.sign_up()
    if before == "suppressed":
        pages.audience.subscriptions.suppress(ADA, "complained", actor="operator", now=pages.now)
    known, unknown = pages.sign_up(), pages.sign_up("grace@hopper.example")
    assert (known.status_code, known.content, known.headers) == (200, unknown.content, unknown.headers)


def test_known_and_unknown_addresses_take_the_same_statements(pages: Pages) -> None:
    """So the time of an answer reveals nothing either."""
    pages.active()
    pages.sign_up("left@byron.example")
    assert pages.post(pages.link("unsubscribe", "left@byron.example")).status_code == 200
    pages.audience.subscriptions.suppress("gone@byron.example", "bounced", actor="operator", now=pages.now)
    with recorded_statements(pages) as seen:
        statements = {}
        for address in (ADA, "left@byron.example", "gone@byron.example", "new@byron.example", "new2@byron.example"):
            seen.clear()
            assert pages.sign_up(address).status_code == 200
            statements[address] = list(seen)
    assert len(set(map(tuple, statements.values()))) == 1
    assert len(statements[ADA]) > 5


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"consent": ""}, "Please tick the box: we may only write to you if you agree."),
        ({"address": "ada"}, "Check the email address: it is incomplete or has a typing error."),
        ({"address": "ada@mailinator.com"}, "Use another address: this mailbox is thrown away after a short time."),
        ({"started": ""}, ""),
        ({"started": "1.forged"}, "That was very fast. Please press the button once more."),
    ],
)
def test_a_form_that_is_not_right_is_shown_again(pages: Pages, fields: dict[str, str], expected: str) -> None:
    """With what is wrong, and all that was filled in; nothing is stored."""
    response = pages.sign_up(**({"address": ADA, "name": "Ada <b>"} | fields))  # type: ignore[arg-type]
    assert problem(response.text) == expected
    assert response.status_code == (422 if expected else 200)
    if expected:
        again = form_fields(response.text)
        assert (again["name"], again["address"]) == ("Ada <b>", fields.get("address", ADA))
        assert contents(pages) == []


def test_a_form_filled_in_within_a_moment_is_asked_for_again(pages: Pages) -> None:
    """The second time it is accepted: people whose browser fills forms in are not turned away."""
    shown = form_fields(pages.get("/subscribe").text) | {"address": ADA, "consent": "yes"}
    first = pages.post("/subscribe", shown)
    assert (first.status_code, problem(first.text)) == (422, "That was very fast. Please press the button once more.")
    again = form_fields(first.text)
    assert again["consent"] == ["yes"]  # as the person ticked it
    pages.now += timedelta(seconds=3)
    assert pages.post("/subscribe", again).status_code == 200
    assert pages.events() == ["requested"]


def test_a_program_that_fills_in_every_field_believes_it_has_succeeded(pages: Pages) -> None:
    """The answer is that of a sign-up; nothing is stored."""
    response = pages.sign_up(website="https://spam.example")
    assert (response.status_code, response.content) == (200, pages.sign_up("x@byron.example").content)
    assert [person.address for person in pages.audience.context.store.subscribers.iterate(NOW)] == ["x@byron.example"]


def test_a_network_may_sign_up_only_so_often(tmp_path: Path) -> None:
    """Then 429 with Retry-After, as a page and as JSON; another network is not concerned."""
    with open_pages(write_publication(tmp_path, signup="max_per_network = 2")) as pages:
        answers = [pages.sign_up(f"a{n}@byron.example") for n in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "3600"
        assert "too many sign-ups from your network" in problem(answers[2].text)
        refused = pages.post("/subscribe", {"address": ADA, "consent": "yes"}, **JSON)
        assert (refused.status_code, refused.json()["reason"]) == (429, "network")
        other = pages.post("/subscribe", {"address": ADA, "consent": "yes"}, x_forwarded_for="203.0.113.9")
        assert other.status_code == 200


def test_a_puzzle_is_solved_once(tmp_path: Path) -> None:
    """Without a solution, with that of another form or a used one, the form comes back with a new puzzle."""
    with open_pages(write_publication(tmp_path, signup='challenge = "always"')) as pages:

        def solve(form: str) -> str:
            described = pages.get(f"/subscribe/{form}", **JSON).json()["challenge"]
            challenge = altcha.Challenge.from_dict(described)
            solution = altcha.solve_challenge(challenge)
            assert solution
            return altcha.Payload(challenge, solution).to_base64()

        payload = solve("newsletter")
        tries = [("", 422), ("e30=", 422), (solve("tides"), 422), (payload, 200), (payload, 422)]
        answers = [
            pages.post("/subscribe", {"address": f"a{n}@byron.example", "consent": "yes", "altcha": tried}, **JSON)
            for n, (tried, _) in enumerate(tries)
        ]
        assert [answer.status_code for answer in answers] == [422, 422, 422, 202, 422]
        assert answers[0].json()["challenge"]["parameters"]["algorithm"] == "PBKDF2/SHA-256"
        page = pages.get("/subscribe").text
        assert 'src="/static/challenge.js"' in page
        assert "data-challenge=" in page
        late = solve("newsletter")
        pages.now += timedelta(hours=1)
        assert pages.post("/subscribe", {"address": ADA, "consent": "yes", "altcha": late}, **JSON).status_code == 422


def test_many_sign_ups_turn_the_puzzle_on(tmp_path: Path) -> None:
    """Above [signup] max_per_form; the operator is alerted."""
    with open_pages(write_publication(tmp_path, signup="max_per_form = 2")) as pages:
        for n in range(3):
            assert pages.sign_up(f"a{n}@byron.example").status_code == 200
        response = pages.sign_up()
        assert (response.status_code, "short calculation" in problem(response.text)) == (422, True)
        assert [alert.key for alert in pages.audience.context.store.alerts.list_open()] == ["signup/newsletter"]
        assert pages.sign_up(form="tides").status_code == 200


def test_a_script_of_a_listed_website_may_sign_up(pages: Pages) -> None:
    """JSON in, JSON out; the browser lets only the websites of [public] embed_on read it."""
    body = {"address": ADA, "consent": True, "name": "Ada", "topics": ["posts"], "page": "https://kelp.example/join"}
    headers = {"content-type": "application/json", "origin": "https://kelp.example"}
    response = pages.client.request("POST", "/subscribe", headers=headers, content=json.dumps(body).encode())
    assert (response.status_code, response.json()["status"]) == (202, "accepted")
    assert response.headers["access-control-allow-origin"] == "https://kelp.example"
    (event,) = pages.audience.context.store.subscription_events.of_subscriber(pages.subscriber().id)
    assert event.visitor.page == "https://kelp.example/join"
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    for origin, expected in (("https://kelp.example", 200), ("https://elsewhere.example", 400)):
        asked = pages.client.request("OPTIONS", "/subscribe/tides", headers=preflight | {"origin": origin})
        assert asked.status_code == expected
    foreign = pages.get("/subscribe", origin="https://elsewhere.example", accept="application/json")
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize("body", [b"[]", b"{", b'"text"', b"[" * 50_000, b"\xff", b"1"])
def test_what_is_no_json_object_is_refused(pages: Pages, body: bytes) -> None:
    """400, or 413 where it is large."""
    headers = {"content-type": "application/json"}
    response = pages.client.request("POST", "/subscribe", headers=headers, content=body)
    assert response.status_code in (400, 413)
    assert response.json()["status"] == "refused"


def test_an_embedded_form_is_plain_and_posts_to_us(pages: Pages) -> None:
    """It has no script, no style and no secret; where it stands is taken from the Referer."""
    html = pages.get("/subscribe/tides/embed").text
    assert re.findall(r"<form[^>]*action=\"([^\"]*)\"", html) == ["https://news.kueste.example/subscribe/tides"]
    assert not re.search(r"<script|style=|started|csrf", html)
    fields = form_fields(html) | {"address": ADA, "consent": "yes"}
    referer = {"referer": "https://blog.example/about", "origin": "https://blog.example"}
    assert pages.post("/subscribe/tides", fields, **referer).status_code == 200
    (event,) = pages.audience.context.store.subscription_events.of_subscriber(pages.subscriber().id)
    assert event.visitor.page == "https://blog.example/about"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [("de-DE,de;q=0.9", "de"), ("de;q=0.9, en;q=0.1", "en-GB"), ("tlh", "en-GB"), ("", "en-GB"), ("ar", "ar")],
)
def test_pages_are_in_a_language_of_the_visitor(pages: Pages, accept: str, expected: str) -> None:
    """In the publication's own if they read that; their mails are in the same."""
    response = pages.get("/subscribe", accept_language=accept)
    assert f'<html lang="{expected}" dir="{"rtl" if expected == "ar" else "ltr"}">' in response.text
    fields = form_fields(response.text) | {"address": ADA, "consent": "yes"}
    pages.now += timedelta(seconds=30)
    assert pages.post("/subscribe", fields).status_code == 200
    assert pages.subscriber().language == ("" if expected == "en-GB" else expected)


# Links


@pytest.mark.parametrize("purpose", PURPOSES)
def test_get_and_head_change_nothing(pages: Pages, purpose: Purpose) -> None:
    """However often, and whatever the state of the subscription."""
    pages.sign_up()
    before = contents(pages)
    for method in ("GET", "HEAD", "GET", "HEAD"):
        pages.client.request(method, pages.link(purpose))
    assert contents(pages) == before
    pages.post(pages.link("confirm"), {"pressed": "key"})
    before = contents(pages)
    for method in ("GET", "HEAD", "GET", "HEAD"):
        pages.client.request(method, pages.link(purpose))
    assert contents(pages) == before


def test_confirming_takes_a_person(pages: Pages) -> None:
    """A form sent as it is found changes nothing; the page then asks for the code of the mail."""
    pages.sign_up()
    link = pages.link("confirm")
    sent = form_fields(pages.get(link).text)
    assert sent == {"code": "", "pressed": ""}
    for fields in (sent, sent | {"pressed": "true"}, sent | {"code": "000000"}, sent | {"code": "x"}, {}):
        response = pages.post(link, fields)
        assert (response.status_code, heading(response)) == (422, "Confirm your subscription")
        assert "unscripted" not in response.text  # the field is shown even where the script runs
    assert pages.events() == ["requested"]
    code = pages.code(link)
    response = pages.post(link, {"code": f"{code[:3]} {code[3:]}"})
    assert (response.status_code, heading(response)) == (200, "You are subscribed")
    assert pages.events() == ["requested", "confirmed"]


def test_codes_cannot_be_tried_one_after_the_other(pages: Pages) -> None:
    """After ten wrong ones not even the right one is accepted; the button still is."""
    pages.sign_up()
    link = pages.link("confirm")
    for _ in range(10):
        pages.post(link, {"code": "1"})
    response = pages.post(link, {"code": pages.code(link)})
    assert problem(response.text) == "Too many tries. Try again later."
    assert pages.subscriber().state == "unconfirmed"
    assert heading(pages.post(link, {"pressed": "pointer"})) == "You are subscribed"


def test_confirming_twice_is_the_same_as_once(pages: Pages) -> None:
    """Every visit shows success, also when the link is late; the guide is queued once."""
    pages.sign_up(form="tides")
    link = pages.link("confirm")
    first, second = (pages.post(link, {"pressed": "pointer"}) for _ in range(2))
    assert heading(first) == heading(second) == heading(pages.get(link)) == "You are subscribed"
    assert "How to read a tide table" in first.text
    store, person = pages.audience.context.store, pages.subscriber()
    assert [mail.kind for mail in store.person_mails.of_subscriber(person.id)] == ["confirmation", "guide"]
    confirmed = next(event for event in store.subscription_events.of_subscriber(person.id) if event.kind == "confirmed")
    assert confirmed.details["method"] == "pointer"
    pages.now += timedelta(days=8)
    assert heading(pages.get(link)) == "You are subscribed"


@pytest.mark.parametrize("purpose", [*PURPOSES, "address"])
def test_forged_links_are_refused_with_help(pages: Pages, purpose: Purpose) -> None:
    """Shortened, changed, of another purpose or of another person: 404, and nothing happens."""
    pages.active()
    pages.active("grace@hopper.example")
    token = pages.link("confirm" if purpose != "confirm" else "guide").rpartition("/")[2]
    other = pages.link("unsubscribe" if purpose != "unsubscribe" else "guide", "grace@hopper.example").rpartition("/")[
        2
    ]
    before = contents(pages)
    for forged in (
        token,
        token[:-1],
        token[:10] + "0" * 22,
        other,
        "x",
        "é" * 32,
        token.swapcase(),
        "0" * 9 + "1" * 23,
    ):
        for method in ("GET", "POST"):
            response = pages.client.request(method, f"/{purpose}/{forged}")
            assert response.status_code in (404, 410) or (purpose == "unsubscribe" and response.status_code == 200)
            assert heading(response) in ("This link does not work", "This subscription no longer exists")
    assert contents(pages) == before


def test_late_links_say_what_to_do(pages: Pages) -> None:
    """A late sign-up: sign up again. Late preferences: a button mails a new link, once a day."""
    pages.sign_up("late@byron.example", "tides")
    pages.active()
    confirm, preferences = pages.link("confirm", "late@byron.example"), pages.link("preferences")
    pages.now += timedelta(days=61)
    response = pages.post(confirm, {"pressed": "pointer"})
    assert (response.status_code, 'href="/subscribe/tides"' in response.text) == (410, True)
    response = pages.get(preferences)
    assert (response.status_code, heading(response)) == (410, "This link has expired")
    store, person = pages.audience.context.store, pages.subscriber()
    before = len(store.person_mails.of_subscriber(person.id))
    for _ in range(2):
        assert heading(pages.post(preferences, {"do": "mail"})) == "A new link is on its way"
    mails = store.person_mails.of_subscriber(person.id)
    assert [mail.kind for mail in mails[before:]] == ["already"]


def test_links_of_the_erased_say_that_nothing_is_held(pages: Pages) -> None:
    """410; unsubscribing is answered with success, since it is so."""
    pages.active()
    links = [pages.link(purpose) for purpose in PURPOSES]
    pages.audience.subscriptions.erase(ADA, actor="operator", now=pages.now)
    for link in links:
        for response in (pages.get(link), pages.post(link)):
            assert heading(response) == "This subscription no longer exists"
            assert response.status_code == (200 if link.startswith("/unsubscribe") else 410)


def test_a_suppressed_address_is_not_confirmed(pages: Pages) -> None:
    """The page says whom to write to."""
    pages.sign_up()
    link = pages.link("confirm")
    pages.audience.subscriptions.suppress(ADA, "complained", actor="operator", now=pages.now)
    response = pages.post(link, {"pressed": "pointer"})
    assert (response.status_code, "post@kelp.example" in response.text) == (409, True)
    assert pages.subscriber().state == "suppressed"


# Leaving


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "empty", "page"])
def test_one_post_unsubscribes(pages: Pages, kind: str) -> None:
    """RFC 8058: urlencoded or multipart, without a cookie, without a redirect; the button of the page does the same."""
    pages.active()
    link = pages.link("unsubscribe")
    multipart = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    kinds = {
        "urlencoded": ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        "multipart": ("multipart/form-data; boundary=b", multipart),
        "empty": ("", b""),
        "page": ("application/x-www-form-urlencoded", b""),
    }
    content_type, body = kinds[kind]
    headers = {"content-type": content_type} if content_type else {}
    for _ in range(2):
        response = pages.client.request("POST", link, headers=headers, content=body)
        assert (response.status_code, heading(response)) == (200, "You are unsubscribed")
        assert "set-cookie" not in response.headers
    assert pages.subscriber().state == "left"
    assert pages.events().count("left") == 1
    assert heading(pages.get(link)) == "You are unsubscribed"


def test_leaving_can_be_undone_by_a_person(pages: Pages) -> None:
    """By a click that the script saw, or the box where it does not run; a form sent untouched changes nothing."""
    pages.active()
    link = pages.link("unsubscribe")
    page = pages.post(link).text
    untouched = form_fields(page) | {"do": "undo"}
    for _ in range(2):
        assert pages.post(link, untouched).status_code == 422
    assert pages.subscriber().state == "left"
    for fields in ({"person": "yes"}, {"pressed": "key"}):
        response = pages.post(link, untouched | fields)
        assert heading(response) == "Welcome back"
        assert pages.subscriber().state == "active"
        pages.post(link)


def test_the_reason_for_leaving_is_kept_once(pages: Pages) -> None:
    """It is optional, and sent twice it is there once."""
    pages.active()
    link = pages.link("unsubscribe")
    pages.post(link)
    before = contents(pages)
    pages.post(link, {"do": "why", "reason": "", "words": " "})
    assert contents(pages) == before
    for _ in range(2):
        response = pages.post(link, {"do": "why", "reason": "too many mails", "words": "Twice a day!"})
        assert "Thank you. That helps us." in response.text
    history = pages.audience.context.store.subscription_events.of_subscriber(pages.subscriber().id)
    assert [event.details["why"] for event in history if "why" in event.details] == ["too many mails; Twice a day!"]


# Preferences


def test_preferences_sent_untouched_change_nothing(pages: Pages) -> None:
    """Also while paused: the day that is shown is the pause that there is."""
    pages.active()
    link = pages.link("preferences")
    for touched in ({}, {"pause": "2026-04-01"}, {"name": "Ada", "topics": ["links"], "frequency": "monthly"}):
        assert pages.post(link, form_fields(pages.get(link).text) | touched).status_code == 200
        before = contents(pages)
        for _ in range(2):
            assert pages.post(link, form_fields(pages.get(link).text)).status_code == 200
        assert contents(pages) == before


def test_preferences_are_changed_in_one_form(pages: Pages) -> None:
    """Topics, frequency, name and a pause, which ends when the day is emptied."""
    pages.active()
    link = pages.link("preferences")
    fields = form_fields(pages.get(link).text)
    changed = {"topics": ["posts"], "frequency": "monthly", "name": " Ada  B ", "pause": "2026-03-30"}
    response = pages.post(link, fields | changed)
    subscriber = pages.subscriber()
    assert (subscriber.preferences.topics, subscriber.preferences.frequency) == (("posts",), "monthly")
    assert subscriber.preferences.name == "Ada B"
    assert subscriber.paused_until
    assert subscriber.paused_until.isoformat() == "2026-03-29T23:00:00+00:00"  # midnight in London, in summer time
    assert "You get nothing until 30 March 2026." in response.text
    assert "a…@byron.example" in response.text
    assert ADA not in response.text
    pages.post(link, form_fields(response.text) | {"pause": ""})
    assert pages.subscriber().paused_until is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"topics": []}, "Choose at least one, or unsubscribe."),
        ({"pause": "2026-03-02"}, "Choose a day within the next two years."),
        ({"pause": "2036-03-02"}, "Choose a day within the next two years."),
        ({"pause": "tomorrow"}, "Choose a day within the next two years."),
        ({"address": "ada"}, "Check the email address: it is incomplete or has a typing error."),
    ],
)
def test_wrong_preferences_change_nothing(pages: Pages, fields: dict[str, object], expected: str) -> None:
    """What was filled in stays in the form."""
    pages.active()
    link, before = pages.link("preferences"), contents(pages)
    sent = form_fields(pages.get(link).text) | {"name": "Ada"} | fields
    response = pages.post(link, sent)
    assert (response.status_code, problem(response.text)) == (422, expected)
    assert form_fields(response.text)["name"] == "Ada"
    assert contents(pages) == before


def test_an_address_changes_once_the_new_one_is_confirmed(pages: Pages) -> None:
    """By a click or the code, at the new address; repeated it shows success."""
    pages.active()
    link = pages.link("preferences")
    fields = form_fields(pages.get(link).text) | {"address": "countess@byron.example"}
    assert "We have sent a link to the new address." in pages.post(link, fields).text
    assert pages.subscriber().address == ADA
    new = pages.link("address")
    assert pages.post(new, form_fields(pages.get(new).text)).status_code == 422
    assert pages.subscriber().address == ADA
    assert heading(pages.post(new, {"code": pages.code(new)})) == "Your address is changed"
    assert pages.subscriber("countess@byron.example").state == "active"
    assert heading(pages.get(new)) == heading(pages.post(new, {"pressed": "key"})) == "Your address is changed"


def test_an_address_of_somebody_else_is_not_taken(pages: Pages) -> None:
    """The page before says the same as ever; behind the link it is refused."""
    pages.active()
    pages.active("grace@hopper.example")
    link = pages.link("preferences")
    fields = form_fields(pages.get(link).text) | {"address": "grace@hopper.example"}
    assert "We have sent a link to the new address." in pages.post(link, fields).text
    response = pages.post(pages.link("address"), {"pressed": "pointer"})
    assert (response.status_code, heading(response)) == (409, "The address was not changed")


def test_a_person_names_few_new_addresses_a_day(pages: Pages) -> None:
    """Each of them gets a mail, so the form is no way to send many."""
    pages.active()
    link = pages.link("preferences")
    fields = form_fields(pages.get(link).text)
    statuses = [pages.post(link, fields | {"address": f"a{n}@byron.example"}).status_code for n in range(7)]
    assert statuses == [200] * 5 + [429] * 2


# The guide, errors, headers


def test_the_guide_is_a_file_or_the_url_of_config(pages: Pages) -> None:
    """A file is downloaded; a redirect leads to the URL of config.toml whatever the request says."""
    pages.active(form="tides")
    link = pages.link("guide")
    response = pages.get(link)
    assert (response.status_code, response.content) == (200, b"%PDF-1.7 high and low water")
    assert response.headers["content-type"] == "application/pdf"
    assert "tides.pdf" in response.headers["content-disposition"]
    pages.active("grace@hopper.example", "recipes")
    for query in ("", "?form=tides", "?url=https://elsewhere.example", "?form=//elsewhere.example"):
        response = pages.get(pages.link("guide", "grace@hopper.example") + query)
        assert (response.status_code, response.headers["location"]) == (302, "https://kelp.example/recipes.pdf")


def test_a_missing_guide_is_explained(pages: Pages) -> None:
    """Confirming works all the same where the file has gone."""
    pages.active(form="tides")
    (pages.audience.context.folder / "tides.pdf").unlink()
    response = pages.get(pages.link("guide"))
    assert (response.status_code, heading(response)) == (503, "The guide cannot be opened")


@pytest.mark.parametrize("path", ["/nothing", "/subscribe/nothing", "/subscribe/nothing/embed", "/confirm/", "/desk"])
def test_other_pages_do_not_exist(pages: Pages, path: str) -> None:
    """404 with the way to the sign-up page."""
    response = pages.get(path)
    assert (response.status_code, heading(response)) == (404, "There is no page here")


def test_a_long_form_is_refused(pages: Pages) -> None:
    """413, whatever the Content-Length says."""
    response = pages.post("/subscribe", {"name": "x" * 300_000})
    assert (response.status_code, heading(response)) == (413, "This form cannot be read")


def test_a_broken_form_is_refused(pages: Pages) -> None:
    """400 for a multipart body without its boundary, or with a file."""
    with_file = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    for content_type, body in (("multipart/form-data", b"x"), ("multipart/form-data; boundary=b", with_file)):
        response = pages.client.request("POST", "/subscribe", headers={"content-type": content_type}, content=body)
        assert (response.status_code, heading(response)) == (400, "This form cannot be read")


def test_a_bug_shows_a_page_without_details(pages: Pages) -> None:
    """503, with the headers of every page."""

    def fail(request: Request) -> Response:
        raise ZeroDivisionError(ADA)

    async def get() -> httpx.Response:
        with Writer() as writer:
            app = create_public_app(pages.live, lambda: NOW, writer, extra_routes=[Route("/bug", fail)])
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get("/bug")

    response = asyncio.run(get())
    assert (response.status_code, heading(response)) == (503, "Something went wrong on our side")
    assert ADA not in response.text
    assert response.headers["cache-control"] == "no-store"


def test_pages_of_people_are_private(pages: Pages) -> None:
    """Not indexed, not cached, not framed, without cookies, and no link reveals where a visitor came from."""
    pages.active()
    for link in [pages.link(purpose) for purpose in ("confirm", "preferences", "unsubscribe")]:
        for response in (pages.get(link), pages.post(link)):
            headers = response.headers
            assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
            assert headers["x-robots-tag"] == "noindex, nofollow"
            assert '<meta name="robots" content="noindex, nofollow">' in response.text
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert "set-cookie" not in headers
    assert "noindex" not in pages.get("/subscribe").text


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "news.kueste.example.evil.example", "", "127.0.0.1.evil.example"]
)
def test_other_hosts_are_refused(pages: Pages, host: str) -> None:
    """421; the host of [public] url and this machine are ours, with any port."""
    assert pages.get("/subscribe", host=host).status_code == 421
    for ours in ("news.kueste.example", "NEWS.kueste.example:443", "127.0.0.1:8027", "localhost"):
        assert pages.get("/subscribe", host=ours).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.1, 10.1.2.3", "203.0.113.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "unknown, 10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("", "203.0.113.1", ""),
    ],
)
def test_the_client_is_whom_our_last_proxy_saw(peer: str, forwarded_for: str, expected: str) -> None:
    """What a client wrote into X-Forwarded-For itself is not believed."""
    assert client_address(peer, forwarded_for, ["127.0.0.1", "::1", "10.0.0.0/8"]) == expected


def test_settings_are_reloaded_when_the_file_changes(pages: Pages) -> None:
    """A new wording is a new version, and receipts before keep theirs."""
    pages.sign_up()
    config = pages.audience.app.config.path
    config.write_text(config.read_text().replace("Yes, mail me the newsletter", "Please send me the newsletter"))
    assert "Please send me the newsletter" in pages.get("/subscribe").text
    pages.sign_up()
    events = pages.audience.context.store.subscription_events.of_subscriber(pages.subscriber().id)
    assert [event.wording and event.wording.version for event in events] == [1, 2]


def test_a_config_that_cannot_be_used_is_left_out(pages: Pages) -> None:
    """The pages go on with the one before."""
    config = pages.audience.app.config.path
    config.write_text("nonsense = ")
    assert pages.sign_up().status_code == 200


# The thread that sends mails


def test_mails_give_way_to_visitors_but_do_not_stop(pages: Pages) -> None:
    """While visitors wait for their answers a mail waits a little, and then is sent all the same."""
    pages.sign_up(ADA)
    asked: list[int] = []

    def is_busy() -> bool:
        asked.append(len(outbox(pages)))
        return True

    with MailThread(pages.live, lambda: pages.now, is_busy):
        for _ in range(600):
            if outbox(pages):
                break
            sleep(0.05)
    assert len(outbox(pages)) == 1
    assert asked[:MAX_PAUSES] == [0] * MAX_PAUSES


def outbox(pages: Pages) -> list[Path]:
    """Return the mails in the outbox."""
    return list((pages.audience.app.folder / "outbox").glob("*.eml"))
