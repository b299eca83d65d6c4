"""The proof: what the editor gets, when, and that it is the draft itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from pipeline.digest.render.proof_banner import load_banner_templates
from pipeline.jobs.digests.build import build_draft
from pipeline.jobs.proof.send import ProofSchedule, ProofSender, proof_task
from pipeline.jobs.proof.tokens import verify_token
from pipeline.model.check import CheckResult, LinkCheck
from pipeline.model.digest import Edition
from pipeline.model.edition import Overrides
from pipeline.model.errors import (
    DeliveryError,
    DeliveryFailedError,
    DeliveryInterrupted,
    DeliveryUncertainError,
    NothingToPublishError,
    RefusedError,
    TemplateError,
)
from pipeline.model.proof import SendPolicy
from pipeline.model.schedule import At
from tests.factories import MONDAY, entry
from tests.publication import CLOCK, W07, W08, PublicationHarness, shared_theme

ROOT = Path(__file__).parents[2]
FRIDAY = At(weekdays=(4,), time=time(7))
HOUR = timedelta(hours=1)
KEY = "a key of the store's"


class Letterbox:
    """A mailer that keeps what it is given, or fails with ``error``."""

    name = "letterbox"

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.addresses: list[str] = []
        self.error: DeliveryError | DeliveryInterrupted | None = None

    def send(self, message: bytes, address: str) -> Path | None:
        if self.error:
            raise self.error
        self.mails.append(message)
        self.addresses.append(address)
        return None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication whose week has closed, with a draft of two stories."""
    house = PublicationHarness(tmp_path, shared_theme())
    house.fetch(entry("Long ago", MONDAY - timedelta(days=90)))
    house.fetch(entry("Bread", MONDAY + HOUR), entry("Salt & <pepper>", MONDAY + 2 * HOUR))
    house.set_time_after_closing(W07).digest(W07)
    yield house
    house.store.close()


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


def reader(house: PublicationHarness, box: Letterbox, **more: Any) -> ProofSender:
    values: dict[str, Any] = {
        "store": house.store,
        "context": house.context,
        "mailer": box,
        "banner": load_banner_templates([ROOT / "templates"]),
        "send_policy": SendPolicy(calendar=CLOCK, schedule=None),
        "signing_key": KEY,
        "web_url": "https://desk.example",
    }
    return ProofSender(**(values | more))


def the_draft(house: PublicationHarness) -> Edition:
    return build_draft(house.store, house.context, W07, now=house.now).edition


def parts(message: bytes) -> tuple[EmailMessage, str, str]:
    """Take a mail apart: its headers, its text, its HTML."""
    mail = message_from_bytes(message, policy=policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return mail, text.get_content(), html.get_content()


def test_below_the_banner_is_the_draft_itself(house: PublicationHarness, box: Letterbox) -> None:
    """Both parts, once decoded, are the draft's own parts with something put in above, and not a byte besides."""
    reader(house, box).send(W07, now=house.now)
    (mail,) = box.mails
    _, text, html = parts(mail)
    _, draft_text, draft_html = parts(the_draft(house).eml)
    assert text.endswith(draft_text)
    assert text.removesuffix(draft_text).splitlines()[-2:] == ["=" * 72, ""]
    before, _, after = draft_html.partition("<body>")
    assert html.startswith(before + "<body>")
    assert html.endswith(after)
    assert len(html) > len(draft_html)


def test_the_envelope(house: PublicationHarness, box: Letterbox) -> None:
    """To the editor, marked as a proof, from nobody who wants an out-of-office answer; a name of its own."""
    reader(house, box).send(W07, now=house.now)
    mail, _, _ = parts(box.mails[0])
    edition = the_draft(house)
    assert box.addresses == ["editor@harbourandhearth.example"]
    assert (mail["To"], mail["Subject"]) == ("editor@harbourandhearth.example", f"[Proof] {edition.subject}")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<2026-W07.{edition.content_hash[:16]}.1.proof@harbourandhearth.example>"
    assert mail["Message-ID"] != parts(edition.eml)[0]["Message-ID"]


def test_it_is_a_mail_that_any_server_takes(house: PublicationHarness, box: Letterbox) -> None:
    """Seven bits, CRLF alone, lines of 76 characters at most in the bodies."""
    reader(house, box).send(W07, now=house.now)
    (mail,) = box.mails
    assert mail.isascii()
    assert mail.count(b"\n") == mail.count(b"\r\n") == mail.count(b"\r")
    assert max(map(len, mail.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_three_buttons_in_both_parts(house: PublicationHarness, box: Letterbox) -> None:
    """Approve, Hold and Open the desk, each with a pass for this draft, for a week."""
    reader(house, box).send(W07, now=house.now)
    _, text, html = parts(box.mails[0])
    urls = [line.split(": ")[1] for line in text.splitlines() if "https://desk.example/proof/" in line]
    passes = [verify_token(url.removeprefix("https://desk.example/proof/"), KEY) for url in urls]
    assert [each.action for each in passes] == ["approve", "hold", "open"]
    assert all(f'href="{url}"' in html for url in urls)
    for each in passes:
        assert (each.week, each.content_hash) == ("2026-W07", the_draft(house).content_hash)
        assert each.expires_at == house.now + timedelta(days=7)


def test_without_pages_the_command_line_remains(house: PublicationHarness, box: Letterbox) -> None:
    """Where nobody answers a button there is none, and the command says what was seen."""
    reader(house, box, web_url="").send(W07, now=house.now)
    _, text, html = parts(box.mails[0])
    assert "/proof/" not in text + html
    command = f"pipeline approve 2026-W07 --hash {the_draft(house).content_hash[:12]}"
    assert command in " ".join(text.split())
    assert command in html


def test_what_was_found_stands_on_top(house: PublicationHarness, box: Letterbox) -> None:
    """The checks' own sentences, the gravest first, the network's among them; words of feeds are no HTML."""
    dead = CheckResult(
        name="dead-link", level="error", message="Mend <b>that</b> link: `404`.", where="Salt & <pepper>"
    )
    edition = the_draft(house)
    house.store.link_checks.save(LinkCheck(content_hash=edition.content_hash, checked_at=house.now, results=(dead,)))
    reader(house, box).send(W07, now=house.now)
    _, text, html = parts(box.mails[0])
    known = [each["message"] for each in json.loads(edition.manifest)["checks"]]
    top, told = html.partition("Bread")[0], " ".join(text.split())
    assert "1 error" in told
    assert "Errors stop approval." in told
    assert known
    assert all(" ".join(each.split()) in told for each in known)
    assert "Mend &lt;b&gt;that&lt;/b&gt; link: <code" in top
    assert "Salt &amp; &lt;pepper&gt;" in top
    assert text.index("- Error. Mend <b>that</b>") < text.index("- Warning.")


@pytest.mark.parametrize(
    ("plan", "hours", "stopped", "words"),
    [
        (SendPolicy(calendar=CLOCK, schedule=None), 6, False, "It is not sent automatically: approve it, then send it"),
        (
            SendPolicy(calendar=CLOCK, schedule=FRIDAY),
            6,
            False,
            "It will not go out until you approve it; then it goes out on Fri 20",
        ),
        (
            SendPolicy(calendar=CLOCK, schedule=FRIDAY),
            6,
            True,
            "It will not go out until you approve it; then it goes out on Fri 20",
        ),
        (
            SendPolicy(calendar=CLOCK, schedule=FRIDAY, sends_unapproved=True),
            6,
            False,
            "It goes out on Fri 20 Feb 2026 07:00 unless somebody holds it.",
        ),
        (
            SendPolicy(calendar=CLOCK, schedule=FRIDAY, sends_unapproved=True),
            6,
            True,
            "It will not go out on Fri 20 Feb 2026 07:00, because of its errors: fix them",
        ),
        (
            SendPolicy(calendar=CLOCK, schedule=FRIDAY, late_limit=12 * HOUR),
            24 * 4 + 8,
            False,
            "It will not go out until you approve it; then it goes out at once.",
        ),
        (
            SendPolicy(calendar=CLOCK, schedule=FRIDAY, late_limit=12 * HOUR),
            24 * 5,
            False,
            "It is not sent automatically",
        ),
    ],
)
def test_what_happens_without_an_answer(plan: SendPolicy, hours: int, stopped: bool, words: str) -> None:
    """By approval mode, send time, lateness and errors: the sentence is true, and never of another week's mailing."""
    now = CLOCK.bounds(W07)[1] + hours * HOUR
    assert plan.describe(W07, now, blocked=stopped).startswith(words)


def test_once_for_the_same_bytes(house: PublicationHarness, box: Letterbox) -> None:
    """However often it is looked, until the draft changes; and then an hour after the last at the earliest."""
    proofs = reader(house, box)
    for minutes in (0, 30, 60, 90):
        said = proofs.send(W07, now=house.now + minutes * HOUR / 60)
    assert len(box.mails) == 1
    assert "no new proof" in said
    house.overrides["2026-W07"] = Overrides(subject="Another subject")
    proofs.send(W07, now=house.now + HOUR / 2)
    assert len(box.mails) == 1
    proofs.send(W07, now=house.now + HOUR)
    assert [parts(each)[0]["Subject"] for each in box.mails][1:] == ["[Proof] Another subject"]


def test_by_hand_as_often_as_asked(house: PublicationHarness, box: Letterbox) -> None:
    """Each is a mail of its own, so that no mailbox hides it."""
    for _ in range(2):
        reader(house, box).send(W07, now=house.now, resend=True)
    assert len({parts(each)[0]["Message-ID"] for each in box.mails}) == 2


def test_a_proof_that_did_not_get_out_is_due_again(house: PublicationHarness, box: Letterbox) -> None:
    """The mail server was away: nothing is remembered as sent."""
    box.error = DeliveryFailedError("smtp.example cannot be talked to: check it.", kind="unreachable")
    with pytest.raises(DeliveryFailedError):
        reader(house, box).send(W07, now=house.now)
    box.error = None
    reader(house, box).send(W07, now=house.now)
    assert len(box.mails) == 1


def test_a_proof_that_may_be_out_is_not_sent_again(house: PublicationHarness, box: Letterbox) -> None:
    """Nobody knows whether it arrived; `pipeline proof` sends another."""
    box.error = DeliveryUncertainError("smtp.example did not say: look.", kind="uncertain")
    with pytest.raises(DeliveryUncertainError):
        reader(house, box).send(W07, now=house.now)
    box.error = None
    assert "no new proof" in reader(house, box).send(W07, now=house.now)


def test_who_is_stopped_when_it_may_be_out_gives_nothing_back(house: PublicationHarness, box: Letterbox) -> None:
    """SIGTERM after the dot: the next one to come sends no second proof of these bytes."""
    box.error = DeliveryInterrupted()
    with pytest.raises(DeliveryInterrupted):
        reader(house, box).send(W07, now=house.now)
    box.error = None
    assert "no new proof" in reader(house, box).send(W07, now=house.now + 2 * HOUR)


@pytest.mark.parametrize("part", ["html", "txt"])
def test_a_banner_with_an_unknown_name_is_a_sentence(
    house: PublicationHarness, box: Letterbox, tmp_path: Path, part: str
) -> None:
    """It names file and line; nothing is sent, and the proof is due again once the template is mended."""
    broken = tmp_path / "own" / "proof" / f"banner.{part}.j2"
    broken.parent.mkdir(parents=True)
    broken.write_text("\n{{ banner.wek }}\n")
    with pytest.raises(TemplateError, match=rf"Fix .*banner\.{part}\.j2, line 2: .*wek") as trouble:
        reader(house, box, banner=load_banner_templates([broken.parents[1], ROOT / "templates"])).send(
            W07, now=house.now
        )
    assert (trouble.value.file, trouble.value.line) == (str(broken), 2)
    assert "is on its way" in reader(house, box).send(W07, now=house.now)


@pytest.mark.parametrize("move", ["hold", "skip", "send"])
def test_what_is_decided_needs_no_proof(house: PublicationHarness, box: Letterbox, move: str) -> None:
    """Held, skipped or sent: the reason says what to do instead."""
    if move == "send":
        house.approve(W07)
    getattr(house, move)(W07)
    with pytest.raises(RefusedError, match=r"2026-W07 (is held|was skipped|has been sent)"):
        reader(house, box).send(W07, now=house.now)


def test_a_week_that_runs_has_no_proof_yet(house: PublicationHarness, box: Letterbox) -> None:
    """What is still coming in cannot be approved, so nobody is asked."""
    with pytest.raises(RefusedError, match="still running"):
        reader(house, box).send(W08, now=house.now)
    with pytest.raises(NothingToPublishError):
        reader(house, box).send(W08, now=CLOCK.bounds(W08)[1])
    assert box.mails == []


def test_the_task_waits_for_a_draft_and_for_no_answer(house: PublicationHarness, tmp_path: Path) -> None:
    """Occasions come while the newest closed week has a draft that nobody has answered, twice an hour."""
    rhythm = ProofSchedule(store=house.store, calendar=CLOCK)
    period = rhythm.period(house.now, CLOCK.zone)
    assert period == "2026-W07 2026-02-16T06:00Z"
    assert rhythm.period(house.now + HOUR / 4, CLOCK.zone) == period
    assert rhythm.period(house.now + HOUR / 2, CLOCK.zone) != period
    assert rhythm.next_at(house.now, CLOCK.zone) == house.now + HOUR / 2
    house.approve(W07)
    assert rhythm.period(house.now, CLOCK.zone) == ""
    assert rhythm.next_at(house.now, CLOCK.zone) is None
    undrafted = (
        PublicationHarness(tmp_path / "other", house.context.theme) if (tmp_path / "other").mkdir() is None else house
    )
    assert ProofSchedule(store=undrafted.store, calendar=CLOCK).period(house.now, CLOCK.zone) == ""
    undrafted.store.close()


def test_the_task_tells_reasons_and_passes_trouble_on(house: PublicationHarness, box: Letterbox) -> None:
    """That there is nothing to show is a line; that the mail server is away is trouble."""
    task = proof_task(house.store, CLOCK, lambda: reader(house, box))
    assert task.run("", house.now).startswith("2026-W07: the proof of “")  # type: ignore[union-attr]
    house.hold(W07)
    assert "is held" in str(task.run("", house.now))
    house.resume(W07)
    box.error = DeliveryFailedError("smtp.example is away: wait.", kind="unreachable")
    house.overrides["2026-W07"] = replace(Overrides(), subject="Another")
    with pytest.raises(DeliveryFailedError):
        task.run("", house.now + HOUR)
