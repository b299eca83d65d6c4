"""Links to log in and sessions of editors, in every store: a link works once, a session until it is ended."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from pipeline.jobs.access.log_in import LINK_TTL, MAX_PER_ADDRESS, MAX_PER_NETWORK, LogIn, find_editor
from pipeline.jobs.access.sessions import IDLE_TTL, MAX_TTL, PROOF_TTL, Sessions
from pipeline.model.editor import ActiveSession, Editor
from pipeline.model.errors import InvalidTokenError, TooManyRequestsError, UsageError
from pipeline.store import Store

NOW = datetime(2026, 2, 16, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANN = Editor(name="Ann Harbour", address="Ann@quay.example", may_approve=True)
BOB = Editor(name="Bob Quay", address="bob@quay.example", may_approve=False)
PROOF_READER = Editor(name="eve@quay.example", address="eve@quay.example", may_approve=True)


def sessions(store: Store, *editors: Editor) -> Sessions:
    """Return the sessions of some editors, Ann and Bob by default."""
    return Sessions(store, editors or (ANN, BOB), PROOF_READER)


def log_in(store: Store, *editors: Editor, key: str = "key") -> LogIn:
    """Return what makes links for some editors, Ann and Bob by default."""
    return LogIn(store=store, editors=editors or (ANN, BOB), sessions=sessions(store, *editors), signing_key=key)


def start(store: Store, editor: Editor = ANN, now: datetime = NOW, browser: str = "Firefox") -> str:
    """Log in with a link; return the secret of the session."""
    made = log_in(store)
    return made.use(made.create_token(editor, now=now), now=now, browser=browser)


def active(store: Store, secret: str, now: datetime = NOW) -> ActiveSession:
    """Return the session with a secret, which there must be."""
    found = sessions(store).find(secret, now=now)
    assert found is not None
    return found


def kind_of_refusal(made: LogIn, token: str, now: datetime = NOW) -> str:
    """Return why a link is refused, which is the same whether it is looked at or used."""
    with pytest.raises(InvalidTokenError) as looked_at:
        made.verify(token, now=now)
    with pytest.raises(InvalidTokenError) as used:
        made.use(token, now=now, browser="")
    assert looked_at.value.kind == used.value.kind
    return str(used.value.kind)


def test_a_link_starts_a_session_of_its_editor(store: Store) -> None:
    """The session has the name and the rights that config.toml gives now, and a CSRF token of its own."""
    ann, bob = (active(store, start(store, editor)) for editor in (ANN, BOB))
    assert (ann.editor, ann.refusal) == (ANN, "")
    assert bob.editor == BOB
    assert bob.refusal.endswith("Ask Ann Harbour.")
    assert ann.csrf_token != bob.csrf_token
    demoted = Editor(name="Ann H.", address=ANN.address.lower(), may_approve=False)
    again = sessions(store, demoted).find(start(store), now=NOW)
    assert again is not None
    assert (again.editor, again.refusal != "") == (demoted, True)


def test_looking_at_a_link_does_not_use_it(store: Store) -> None:
    """Mail scanners may follow it; then it still works."""
    made = log_in(store)
    token = made.create_token(BOB, now=NOW)
    before = store.revision()
    assert [made.verify(token, now=NOW) for _ in range(3)] == [BOB, BOB, BOB]
    assert made.use(token, now=NOW, browser="")
    assert store.revision() == before


def test_a_link_works_once_and_for_a_quarter_of_an_hour(store: Store) -> None:
    """The second use is refused, as is a late one, whatever the clock says afterwards."""
    made = log_in(store)
    used, late = made.create_token(ANN, now=NOW), made.create_token(ANN, now=NOW)
    assert made.use(used, now=NOW + LINK_TTL - MINUTE, browser="")
    assert kind_of_refusal(made, used, NOW + LINK_TTL - MINUTE) == "used"
    assert kind_of_refusal(made, late, NOW + LINK_TTL) == "expired"
    store.signup_limits.prune(NOW + 3 * LINK_TTL)
    assert kind_of_refusal(made, used, NOW + 3 * LINK_TTL) == "expired"


def test_an_altered_link_does_not_work(store: Store) -> None:
    """Not with another editor's mark, a later end, a letter less, or the key of another purpose."""
    made = log_in(store)
    token, other = (made.create_token(editor, now=NOW) for editor in (ANN, BOB))
    ending = int((NOW + LINK_TTL).timestamp())
    forged = (
        other.partition(".")[0] + "." + token.partition(".")[2],
        token.replace(str(ending), str(ending + 3600)),
        token[:-1],
        "nothing",
        "",
        "ü" * 40,
        log_in(store, key="another").create_token(ANN, now=NOW),
    )
    assert [kind_of_refusal(made, each) for each in forged] == ["forged"] * len(forged)
    assert made.use(token, now=NOW, browser="")


def test_the_link_of_a_removed_editor_does_not_work(store: Store) -> None:
    """It says so, and works again for an editor who is named again in time."""
    token = log_in(store).create_token(BOB, now=NOW)
    assert kind_of_refusal(log_in(store, ANN), token) == "removed"
    assert log_in(store).use(token, now=NOW, browser="")


def test_of_processes_that_use_one_link_one_succeeds(store: Store, store_url: str) -> None:
    """At the same moment, each with a store of its own."""
    token, barrier = log_in(store).create_token(ANN, now=NOW), Barrier(4)

    def use() -> str:
        with Store.open(store_url) as own:
            made = log_in(own)
            assert made.verify(token, now=NOW) == ANN
            barrier.wait()
            try:
                return "in" if made.use(token, now=NOW, browser="") else ""
            except InvalidTokenError as error:
                return error.kind

    with ThreadPoolExecutor(4) as pool:
        results = sorted(future.result() for future in [pool.submit(use) for _ in range(4)])
    assert results == ["in", "used", "used", "used"]
    assert len(store.editor_sessions.of_editor(ANN.key, NOW)) == 1


def test_only_editors_get_links(store: Store) -> None:
    """However they write their address; three in a quarter of an hour, and others none."""
    made = log_in(store)
    asked = [made.request(address, "203.0.113.0/24", now=NOW) for address in (" ann@QUAY.example ", "eve@quay.example")]
    assert asked == [ANN, None]
    more = [made.request(ANN.address, "203.0.113.0/24", now=NOW) for _ in range(MAX_PER_ADDRESS)]
    assert more == [*[ANN] * (MAX_PER_ADDRESS - 1), None]
    assert made.request(ANN.address, "203.0.113.0/24", now=NOW + 15 * MINUTE) == ANN
    with pytest.raises(UsageError):
        made.request("ann", "203.0.113.0/24", now=NOW)


def test_a_network_asks_for_few_links(store: Store) -> None:
    """The limit is the same for addresses of editors and others, and does not hinder other networks."""
    made = log_in(store)
    for number in range(MAX_PER_NETWORK):
        assert made.request(f"{number}@x.example", "203.0.113.0/24", now=NOW) is None
    for address in (ANN.address, "nobody@x.example"):
        with pytest.raises(TooManyRequestsError):
            made.request(address, "203.0.113.0/24", now=NOW)
    assert made.request(ANN.address, "198.51.100.0/24", now=NOW) == ANN


def test_a_session_ends_when_it_is_not_used(store: Store) -> None:
    """Two weeks after the last use, or 90 days after its start however much it is used."""
    secret, found = start(store), sessions(store)
    assert found.find(secret, now=NOW + IDLE_TTL) is None
    day = timedelta(days=1)
    used = [found.find(secret, now=NOW + number * 10 * day) is not None for number in range(1, 11)]
    assert used == [True] * 8 + [False] * 2
    assert 90 * day == MAX_TTL


def test_a_session_of_a_proof_ends_after_a_day(store: Store) -> None:
    """It belongs to the proof's recipient, named among the editors or not; a link never logs that person in."""
    found = sessions(store)
    secret = found.start(PROOF_READER, "proof", now=NOW, browser="")
    late = active(store, secret, NOW + timedelta(hours=23))
    assert (late.editor, late.refusal) == (PROOF_READER, "")
    assert found.find(secret, now=NOW + PROOF_TTL) is None
    by_link = found.start(PROOF_READER, "link", now=NOW, browser="")
    assert found.find(by_link, now=NOW) is None


def test_sessions_are_listed_and_ended_by_their_own_editor(store: Store) -> None:
    """One by one or all others at once; nobody ends those of somebody else."""
    secrets = [start(store, browser=f"Browser {number}", now=NOW + number * MINUTE) for number in range(3)]
    now, found = NOW + timedelta(hours=1), sessions(store)
    bob_secret = start(store, BOB)
    first, second, _ = (active(store, secret, now) for secret in secrets)
    bob = active(store, bob_secret, now)
    listed = found.of(first, now=now)
    assert {(session.browser, session.started_at, session.used_at) for session in listed} == {
        (f"Browser {number}", NOW + number * MINUTE, now) for number in range(3)
    }
    assert not found.end(bob, first.id)
    assert [found.end(first, second.id), found.end(first, second.id)] == [True, False]
    assert found.find(secrets[1], now=now) is None
    assert found.end_others(first) == 1
    assert [found.find(secret, now=now) is not None for secret in (*secrets, bob_secret)] == [True, False, False, True]


def test_who_is_removed_is_logged_out_for_good(store: Store) -> None:
    """At once, and the session does not come back with the editor."""
    secret, bob_secret = start(store), start(store, BOB)
    without_ann = sessions(store, BOB)
    assert without_ann.find(secret, now=NOW) is None
    without_ann.end_of_removed()
    assert sessions(store).find(secret, now=NOW) is None
    assert sessions(store).find(bob_secret, now=NOW) is not None


def test_the_store_has_no_secret(store: Store) -> None:
    """Who reads the database cannot use a session: it has a hash of each secret."""
    secret = start(store)
    found = active(store, secret)
    rows = [value for _, row in store.maintenance.export_rows() for value in row.values()]
    assert not any(secret in str(value) for value in rows)
    assert sessions(store).find("", now=NOW) is None
    assert sessions(store).find(found.csrf_token, now=NOW) is None


def test_an_editor_is_found_by_name_or_address() -> None:
    """The only one without any; a name that nobody has is answered with those there are."""
    assert [find_editor((ANN, BOB), wanted) for wanted in ("ann harbour", "BOB@quay.example")] == [ANN, BOB]
    assert find_editor((BOB,), "") == BOB
    for wanted, words in (("", "name one of Ann Harbour, Bob Quay"), ("Cid", "there are Ann Harbour, Bob Quay")):
        with pytest.raises(UsageError, match=words):
            find_editor((ANN, BOB), wanted)
