"""SPF, DKIM, DMARC and MX as the doctor reads them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence

import pytest

from pipeline.jobs.doctor.email_auth import check_dkim, check_dmarc, check_domain, check_mx
from pipeline.jobs.doctor.spf import check_spf
from pipeline.model.errors import DNSUnavailableError
from pipeline.model.health import HealthResult

OURS = "harbour.example"


class Zone:
    """Records, by name: TXT are strings, addresses and mail hosts have their own tables."""

    def __init__(
        self,
        texts: Mapping[str, Sequence[str]] | None = None,
        hosts: Mapping[str, Sequence[str]] | None = None,
        addresses: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._texts, self._hosts, self._addresses = texts or {}, hosts or {}, addresses or {}

    def knows(self, name: str) -> bool:
        return any(name == known or known.endswith(f".{name}") for known in (*self._texts, *self._hosts))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._texts.get(name, ()))

    def mail_hosts(self, name: str) -> tuple[str, ...]:
        return tuple(self._hosts.get(name, ()))

    def addresses(self, name: str) -> tuple[str, ...]:
        return tuple(self._addresses.get(name, ()))


class Silence(Zone):
    """No name server answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def knows(self, name: str) -> bool:
        self.asked += 1
        raise DNSUnavailableError(f"no name server answered for {name}: look at the network")


def one(signs: Sequence[HealthResult]) -> HealthResult:
    (sign,) = signs
    return sign


def of_spf(*records: str, more: Mapping[str, Sequence[str]] | None = None, smtp: str = "") -> HealthResult:
    zone = Zone(
        {OURS: records, **(more or {})},
        hosts={OURS: ["mail.harbour.example"]},
        addresses={"mail.harbour.example": ["192.0.2.25"], "smtp.harbour.example": ["192.0.2.77", "2001:db8::77"]},
    )
    return one(list(check_spf(OURS, zone, smtp)))


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([], "trouble", "has no record"),
        (["google-site-verification=x"], "trouble", "has no record"),
        (["v=spf10 -all"], "trouble", "has no record"),
        (["v=spf1 mx -all"], "well", "1 of 10 look-ups, and ends with -all"),
        (["V=SPF1 MX ~ALL"], "well", "ends with ~all"),
        (["v=spf1 -all", "v=spf1 mx -all"], "trouble", "has 2 records"),
        (["v=spf1 +all"], "trouble", "lets everybody send"),
        (["v=spf1 all"], "trouble", "lets everybody send"),
        (["v=spf1 mx"], "warning", "says nothing of machines"),
        (["v=spf1 mx ?all"], "warning", "says nothing of machines"),
        (["v=spf1 ipv4:192.0.2.1 -all"], "trouble", "“ipv4:192.0.2.1” is no term of it"),
        (["v=spf1 ip4:192.0.2.999 -all"], "trouble", "names no network"),
        (["v=spf1 ip6:2001:db8::/32 ip4:192.0.2.0/24 -all"], "well", "0 of 10"),
        (["v=spf1 include:nowhere.example -all"], "trouble", "nowhere.example has no SPF record"),
        (["v=spf1 exists:%{i}.list.example -all exp=why.example"], "well", "1 of 10"),
        (["v=spf1 include: -all"], "trouble", "is no term of it"),
        (["v=spf1 redirect=nowhere.example"], "trouble", "nowhere.example has no SPF record"),
    ],
)
def test_an_spf_record_is_judged_as_receivers_do(records: list[str], level: str, words: str) -> None:
    """One record, well written, strict at its end (RFC 7208, 4.5, 4.6, 5.1)."""
    sign = of_spf(*records)
    assert (sign.level, words in sign.message) == (level, True), sign
    assert bool(sign.fix) is (level != "well")


def test_the_look_ups_of_all_included_records_count() -> None:
    """Ten are allowed, however deep they lie (RFC 7208, 4.6.4); a redirect is one of them."""
    chain = {f"s{n}.example": [f"v=spf1 include:s{n + 1}.example -all"] for n in range(12)}
    end = {"s8.example": ["v=spf1 redirect=end.example"], "end.example": ["v=spf1 ip4:192.0.2.0/24 -all"]}
    assert "10 of 10 look-ups" in of_spf("v=spf1 include:s0.example -all", more=chain | end).message
    assert "takes more than 10" in of_spf("v=spf1 mx include:s0.example -all", more=chain | end).message


def test_records_that_include_each_other_come_to_an_end() -> None:
    """Whoever wrote them meant no endless walk."""
    more = {"a.example": ["v=spf1 include:b.example -all"], "b.example": ["v=spf1 include:a.example -all"]}
    assert of_spf("v=spf1 include:a.example -all", more=more).level == "well"


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 ip4:192.0.2.0/24 -all",
        "v=spf1 ip6:2001:db8::/32 -all",
        "v=spf1 a:smtp.harbour.example -all",
        "v=spf1 include:service.example -all",
        "v=spf1 redirect=service.example",
    ],
)
def test_it_is_said_whether_our_mail_server_is_named(record: str) -> None:
    """By its address, by its name, or by a record that is included."""
    service = {"service.example": ["v=spf1 ip4:192.0.2.64/26 -all"]}
    named = of_spf(record, more=service, smtp="smtp.harbour.example")
    assert (named.level, "names smtp.harbour.example" in named.message) == ("well", True), named
    unnamed = of_spf("v=spf1 ip4:198.51.100.1 -all", smtp="smtp.harbour.example")
    assert (unnamed.level, "does not name smtp.harbour.example itself" in unnamed.message) == ("warning", True)


def key(length_bytes: int, **tags: str) -> str:
    said = {"v": "DKIM1", "k": "rsa"} | tags | {"p": b64encode(bytes(length_bytes)).decode()}
    return "; ".join(f"{name}={value}" for name, value in said.items())


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([key(294)], "well", "holds a key (rsa)"),
        ([key(162)], "warning", "short key"),
        ([key(94)], "trouble", "too short"),
        ([key(32, k="ed25519")], "well", "ed25519"),
        ([key(294, t="y")], "warning", "trial"),
        (["v=DKIM1; p="], "trouble", "withdrawn"),
        (["v=DKIM1; p=not base64!"], "trouble", "not whole"),
        (["v=DKIM2; p=AAAA"], "trouble", "version"),
        (["v=spf1 -all"], "trouble", "has no key"),
        ([], "trouble", "has no key"),
        ([key(294), key(162)], "trouble", "2 keys"),
    ],
)
def test_a_dkim_key_is_judged(records: list[str], level: str, words: str) -> None:
    """It is there, once, whole, in force, and long enough (RFC 6376, 3.6.1; RFC 8301)."""
    sign = one(list(check_dkim(OURS, Zone({f"mail._domainkey.{OURS}": records}), ["mail"])))
    assert (sign.level, words in sign.message) == (level, True), sign
    assert sign.name == f"DKIM mail._domainkey.{OURS}"


def test_without_a_selector_nobody_can_look_for_a_key() -> None:
    """DNS does not list them: the mail service says which names it signs with."""
    sign = one(list(check_dkim(OURS, Zone(), [])))
    assert (sign.level, "[delivery] dkim_selectors" in sign.fix) == ("warning", True)


@pytest.mark.parametrize(
    ("record", "level", "words"),
    [
        ("v=DMARC1; p=none; rua=mailto:d@harbour.example", "well", "only watches (p=none)"),
        ("v=DMARC1; p=reject; rua=mailto:d@harbour.example", "well", "refuses forgeries"),
        (
            "v=DMARC1;p=quarantine;adkim=s;aspf=s;rua=mailto:d@x.example",
            "well",
            "DKIM and SPF must be of harbour.example",
        ),
        ("v=DMARC1; p=none", "warning", "reports to nobody"),
        ("v=DMARC1; p=nothing; rua=mailto:d@x.example", "trouble", "says p=nothing"),
        ("v=DMARC1; rua=mailto:d@x.example", "trouble", "says no p"),
        ("v=DMARC2; p=none", "trouble", "has no policy"),
    ],
)
def test_a_dmarc_policy_is_judged(record: str, level: str, words: str) -> None:
    """It is there, says one of three words, and reports to somebody (RFC 7489, 6.3)."""
    sign = one(list(check_dmarc(OURS, Zone({f"_dmarc.{OURS}": [record]}))))
    assert (sign.level, words in sign.message) == (level, True), sign


def test_a_domain_below_ours_goes_by_the_policy_above() -> None:
    """Which may have another word for it (``sp``); two policies are none."""
    above = Zone({f"_dmarc.{OURS}": ["v=DMARC1; p=none; sp=reject; rua=mailto:d@x.example"]})
    assert "refuses forgeries" in one(list(check_dmarc(f"letters.{OURS}", above))).message
    twice = Zone({f"_dmarc.{OURS}": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})
    assert "2 policies" in one(list(check_dmarc(OURS, twice))).message


@pytest.mark.parametrize(
    ("hosts", "known", "level", "words"),
    [
        (["mx.harbour.example"], ["mx.harbour.example"], "well", "leads to mx.harbour.example"),
        (["."], [], "trouble", "takes no mail"),
        ([], [OURS], "warning", "web server's own address"),
        ([], [], "trouble", "nobody can answer"),
        (["mx1.example", "mx2.example"], ["mx2.example"], "warning", "mx1.example, which has no address"),
        (["mx1.example"], [], "trouble", "mx1.example, which has no address"),
    ],
)
def test_answers_and_bounces_have_a_way(hosts: list[str], known: list[str], level: str, words: str) -> None:
    """An MX that can be reached, or at least an address (RFC 5321, 5.1; RFC 7505)."""
    zone = Zone(hosts={OURS: hosts}, addresses={name: ["192.0.2.1"] for name in known})
    sign = one(list(check_mx(OURS, zone)))
    assert (sign.level, words in sign.message) == (level, True), sign


def test_a_domain_that_nobody_knows_is_said_once() -> None:
    """Not registered: trouble. Not even its top level is known: whoever was asked does not know the internet."""
    zone = Zone({"other.example": ["v=spf1 -all"]})
    sign = one(list(check_domain(OURS, zone, smtp_host="", selectors=["mail"])))
    assert (sign.level, "not in the domain name system" in sign.message) == ("trouble", True)
    sign = one(list(check_domain("harbour.invalid", zone, smtp_host="", selectors=["mail"])))
    assert (sign.level, "knows .invalid at all" in sign.message) == ("warning", True)


def test_without_a_name_server_there_is_one_warning() -> None:
    """Nobody waits for four time-outs, and nothing is called broken that was not seen."""
    silence = Silence()
    sign = one(list(check_domain(OURS, silence, smtp_host="", selectors=["mail"])))
    assert (sign.level, sign.fix, silence.asked) == ("warning", "look at the network", 1)
