"""Proofs: what is sent to the editor and when, and that it is the draft itself."""

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
from pipeline.jobs.editions.corrections import make_correction
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


class FakeMailer:
    """A mailer that keeps messages, or fails with ``error``."""

    name = "fake"
    outcome = "sent"

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
def harness(tmp_path: Path) -> Iterator[PublicationHarness]:
    """A publication whose week has closed, with a draft of two stories."""
    harness = PublicationHarness(tmp_path, shared_theme())
    harness.fetch(entry("Long ago", MONDAY - timedelta(days=90)))
    harness.fetch(entry("Bread", MONDAY + HOUR), entry("Salt & <pepper>", MONDAY + 2 * HOUR))
    harness.set_time_after_closing(W07).digest(W07)
    yield harness
    harness.store.close()


@pytest.fixture
def mailer() -> FakeMailer:
    return FakeMailer()


def sender(harness: PublicationHarness, mailer: FakeMailer, **more: Any) -> ProofSender:
    values: dict[str, Any] = {
        "store": harness.store,
        "context": harness.context,
        "mailer": mailer,
        "banner": load_banner_templates([ROOT / "templates"]),
        "send_policy": SendPolicy(calendar=CLOCK, schedule=None),
        "signing_key": KEY,
        "web_url": "https://desk.example",
    }
    return ProofSender(**(values | more))


def current_draft(harness: PublicationHarness) -> Edition:
    return build_draft(harness.store, harness.context, W07, now=harness.now).edition


def parse_message(message: bytes) -> tuple[EmailMessage, str, str]:
    """Return a message, its text and its HTML."""
    mail = message_from_bytes(message, policy=policy.default)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return mail, text.get_content(), html.get_content()


def test_below_the_banner_is_the_draft_itself(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """Both parts, once decoded, are the draft's own parts with the banner inserted at the top."""
    sender(harness, mailer).send(W07, now=harness.now)
    (mail,) = mailer.mails
    _, text, html = parse_message(mail)
    _, draft_text, draft_html = parse_message(current_draft(harness).eml)
    assert text.endswith(draft_text)
    assert text.removesuffix(draft_text).splitlines()[-2:] == ["=" * 72, ""]
    before, _, after = draft_html.partition("<body>")
    assert html.startswith(before + "<body>")
    assert html.endswith(after)
    assert len(html) > len(draft_html)


def test_the_headers(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """To the editor, marked as a proof, suppressing automatic replies, with a Message-ID of its own."""
    sender(harness, mailer).send(W07, now=harness.now)
    mail, _, _ = parse_message(mailer.mails[0])
    edition = current_draft(harness)
    assert mailer.addresses == ["editor@harbourandhearth.example"]
    assert (mail["To"], mail["Subject"]) == ("editor@harbourandhearth.example", f"[Proof] {edition.subject}")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<2026-W07.{edition.content_hash[:16]}.1.proof@harbourandhearth.example>"
    assert mail["Message-ID"] != parse_message(edition.eml)[0]["Message-ID"]


def test_any_mail_server_accepts_the_message(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """Seven bits, CRLF alone, body lines of 76 characters at most."""
    sender(harness, mailer).send(W07, now=harness.now)
    (mail,) = mailer.mails
    assert mail.isascii()
    assert mail.count(b"\n") == mail.count(b"\r\n") == mail.count(b"\r")
    assert max(map(len, mail.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_there_are_three_buttons_in_both_parts(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """Approve, Hold and Open the desk, each with a token for this draft that is valid for a week."""
    sender(harness, mailer).send(W07, now=harness.now)
    _, text, html = parse_message(mailer.mails[0])
    urls = [line.split(": ")[1] for line in text.splitlines() if "https://desk.example/proof/" in line]
    passes = [verify_token(url.removeprefix("https://desk.example/proof/"), KEY) for url in urls]
    assert [each.action for each in passes] == ["approve", "hold", "open"]
    assert all(f'href="{url}"' in html for url in urls)
    for each in passes:
        assert (each.week, each.content_hash) == ("2026-W07", current_draft(harness).content_hash)
        assert each.expires_at == harness.now + timedelta(days=7)


def test_without_pages_there_are_no_buttons(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """The hint names the command with the hash of the draft."""
    sender(harness, mailer, web_url="").send(W07, now=harness.now)
    _, text, html = parse_message(mailer.mails[0])
    assert "/proof/" not in text + html
    command = f"pipeline approve 2026-W07 --hash {current_draft(harness).content_hash[:12]}"
    assert command in " ".join(text.split())
    assert command in html


def test_check_results_are_in_the_banner(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """The results' own sentences, most severe first, those of links among them; HTML is escaped."""
    dead = CheckResult(
        name="dead-link", level="error", message="Mend <b>that</b> link: `404`.", where="Salt & <pepper>"
    )
    edition = current_draft(harness)
    harness.store.link_checks.save(
        LinkCheck(content_hash=edition.content_hash, checked_at=harness.now, results=(dead,))
    )
    sender(harness, mailer).send(W07, now=harness.now)
    _, text, html = parse_message(mailer.mails[0])
    known = [each["message"] for each in json.loads(edition.manifest)["checks"]]
    banner, shown = html.partition("Bread")[0], " ".join(text.split())
    assert "1 error" in shown
    assert "Errors stop approval." in shown
    assert known
    assert all(" ".join(each.split()) in shown for each in known)
    assert "Mend &lt;b&gt;that&lt;/b&gt; link: <code" in banner
    assert "Salt &amp; &lt;pepper&gt;" in banner
    assert text.index("- Error. Mend <b>that</b>") < text.index("- Warning.")


@pytest.mark.parametrize("has_error", [False, True])
def test_an_edition_with_errors_is_not_announced(
    harness: PublicationHarness, mailer: FakeMailer, has_error: bool
) -> None:
    """Where drafts are sent without an approval, the proof says so, or that errors prevent it."""
    error = CheckResult(name="dead-link", level="error", message="It is dead.", where="Bread")
    harness.store.link_checks.save(
        LinkCheck(
            content_hash=current_draft(harness).content_hash,
            checked_at=harness.now,
            results=(error,) if has_error else (),
        )
    )
    policy_ = SendPolicy(calendar=CLOCK, schedule=FRIDAY, sends_unapproved=True)
    sender(harness, mailer, send_policy=policy_).send(W07, now=harness.now)
    text = " ".join(parse_message(mailer.mails[0])[1].split())
    assert ("It will not go out" in text) is has_error
    assert ("unless somebody holds it" in text) is not has_error


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
def test_the_banner_says_when_the_edition_is_sent(plan: SendPolicy, hours: int, stopped: bool, words: str) -> None:
    """By approval mode, send time, lateness and errors, and never for another week's send."""
    now = CLOCK.bounds(W07)[1] + hours * HOUR
    assert plan.describe(W07, now, blocked=stopped).startswith(words)


def test_the_same_bytes_are_sent_once(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """A changed draft is sent an hour after the last proof at the earliest."""
    proofs = sender(harness, mailer)
    for minutes in (0, 30, 60, 90):
        said = proofs.send(W07, now=harness.now + minutes * HOUR / 60)
    assert len(mailer.mails) == 1
    assert "no new proof" in said
    harness.overrides["2026-W07"] = Overrides(subject="Another subject")
    proofs.send(W07, now=harness.now + HOUR / 2)
    assert len(mailer.mails) == 1
    proofs.send(W07, now=harness.now + HOUR)
    assert [parse_message(each)[0]["Subject"] for each in mailer.mails][1:] == ["[Proof] Another subject"]


def test_a_proof_can_be_resent(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """Each has a Message-ID of its own, so no mailbox hides it."""
    for _ in range(2):
        sender(harness, mailer).send(W07, now=harness.now, resend=True)
    assert len({parse_message(each)[0]["Message-ID"] for each in mailer.mails}) == 2


def test_a_failed_proof_is_due_again(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """If the mail server is away, nothing is recorded as sent."""
    mailer.error = DeliveryFailedError("smtp.example cannot be talked to: check it.", kind="unreachable")
    with pytest.raises(DeliveryFailedError):
        sender(harness, mailer).send(W07, now=harness.now)
    mailer.error = None
    sender(harness, mailer).send(W07, now=harness.now)
    assert len(mailer.mails) == 1


def test_an_uncertain_proof_is_not_sent_again(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """It may have arrived; `pipeline proof` sends another."""
    mailer.error = DeliveryUncertainError("smtp.example did not say: look.", kind="uncertain")
    with pytest.raises(DeliveryUncertainError):
        sender(harness, mailer).send(W07, now=harness.now)
    mailer.error = None
    assert "no new proof" in sender(harness, mailer).send(W07, now=harness.now)


def test_an_interrupted_proof_that_may_have_been_sent_stays_claimed(
    harness: PublicationHarness, mailer: FakeMailer
) -> None:
    """After SIGTERM at the end of the data, no second proof of these bytes is sent."""
    mailer.error = DeliveryInterrupted()
    with pytest.raises(DeliveryInterrupted):
        sender(harness, mailer).send(W07, now=harness.now)
    mailer.error = None
    assert "no new proof" in sender(harness, mailer).send(W07, now=harness.now + 2 * HOUR)


@pytest.mark.parametrize("part", ["html", "txt"])
def test_an_unknown_variable_in_the_banner_names_file_and_line(
    harness: PublicationHarness, mailer: FakeMailer, tmp_path: Path, part: str
) -> None:
    """Nothing is sent, and the proof is due again once the template is fixed."""
    broken = tmp_path / "own" / "proof" / f"banner.{part}.j2"
    broken.parent.mkdir(parents=True)
    broken.write_text("\n{{ banner.wek }}\n")
    with pytest.raises(TemplateError, match=rf"Fix .*banner\.{part}\.j2, line 2: .*wek") as trouble:
        sender(harness, mailer, banner=load_banner_templates([broken.parents[1], ROOT / "templates"])).send(
            W07, now=harness.now
        )
    assert (trouble.value.file, trouble.value.line) == (str(broken), 2)
    assert "was sent to" in sender(harness, mailer).send(W07, now=harness.now)


@pytest.mark.parametrize("move", ["hold", "skip", "send"])
def test_a_decided_edition_has_no_proof(harness: PublicationHarness, mailer: FakeMailer, move: str) -> None:
    """If it is held, skipped or sent, the refusal says what to do instead."""
    if move == "send":
        harness.approve(W07)
    getattr(harness, move)(W07)
    with pytest.raises(RefusedError, match=r"2026-W07 (is held|was skipped|has been sent)"):
        sender(harness, mailer).send(W07, now=harness.now)


def test_a_week_that_has_not_closed_has_no_proof(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """It cannot be approved yet."""
    with pytest.raises(RefusedError, match="still open"):
        sender(harness, mailer).send(W08, now=harness.now)
    with pytest.raises(NothingToPublishError):
        sender(harness, mailer).send(W08, now=CLOCK.bounds(W08)[1])
    assert mailer.mails == []


def test_the_task_runs_twice_an_hour_while_a_draft_is_undecided(harness: PublicationHarness, tmp_path: Path) -> None:
    """It starts when the newest closed week has a draft and stops with a decision."""
    rhythm = ProofSchedule(store=harness.store, calendar=CLOCK)
    period = rhythm.period(harness.now, CLOCK.zone)
    assert period == "2026-W07 2026-02-16T06:00Z"
    assert rhythm.period(harness.now + HOUR / 4, CLOCK.zone) == period
    assert rhythm.period(harness.now + HOUR / 2, CLOCK.zone) != period
    assert rhythm.next_at(harness.now, CLOCK.zone) == harness.now + HOUR / 2
    harness.approve(W07)
    assert rhythm.period(harness.now, CLOCK.zone) == ""
    assert rhythm.next_at(harness.now, CLOCK.zone) is None
    undrafted = (
        PublicationHarness(tmp_path / "other", harness.context.theme)
        if (tmp_path / "other").mkdir() is None
        else harness
    )
    assert ProofSchedule(store=undrafted.store, calendar=CLOCK).period(harness.now, CLOCK.zone) == ""
    undrafted.store.close()


def test_the_task_returns_refusals_and_raises_delivery_errors(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """A week without a proof is a message; a mail server that is away is an error."""
    task = proof_task(harness.store, CLOCK, lambda: sender(harness, mailer))
    assert "2026-W07: the proof of “" in str(task.run("", harness.now))
    harness.hold(W07)
    assert "is held" in str(task.run("", harness.now))
    harness.resume(W07)
    mailer.error = DeliveryFailedError("smtp.example is away: wait.", kind="unreachable")
    harness.overrides["2026-W07"] = replace(Overrides(), subject="Another")
    with pytest.raises(DeliveryFailedError):
        task.run("", harness.now + HOUR)


def test_the_proof_of_a_sent_edition_is_that_of_its_correction(harness: PublicationHarness, mailer: FakeMailer) -> None:
    """It says how to send it and has no button that approves; once it is sent there is no proof any more."""
    harness.approve(W07)
    harness.send(W07)
    with pytest.raises(RefusedError, match="has been sent"):
        sender(harness, mailer).send(W07, now=harness.now)
    draft = make_correction(harness.workflow, W07, "It is on Friday.", now=harness.now)
    sender(harness, mailer).send(W07, now=harness.now)
    message = message_from_bytes(mailer.mails[0], policy=policy.default)
    assert message["Subject"].startswith("[Proof] Correction: ")
    text = " ".join(message.get_body(("plain",)).get_content().split())
    assert "This is correction 1 of an edition that was sent. It is not sent by itself." in text
    assert "`pipeline send 2026-W07 --correction`" in text
    assert "Approve:" not in text
    assert "Open the desk:" in text
    assert "It is on Friday." in text
    harness.store.corrections.change_state(draft, "sent", now=harness.now, actor="ann")
    with pytest.raises(RefusedError, match="has been sent"):
        sender(harness, mailer).send(W07, now=harness.now)
