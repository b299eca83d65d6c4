"""Doctor checks of SPF, DKIM, DMARC and MX."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from pipeline.delivery.dkim import DkimKey, make_private_key
from pipeline.jobs.doctor.dkim_keys import check_alignment, check_key_files, check_published_keys, make_dkim_key
from pipeline.jobs.doctor.email_auth import (
    check_dkim,
    check_dmarc,
    check_domain,
    check_mx,
    check_spf_alignment,
)
from pipeline.jobs.doctor.spf import check_spf
from pipeline.model.errors import ConfigError, DNSUnavailableError, WriteError
from pipeline.model.health import HealthResult

OURS = "harbour.example"


class Zone:
    """DNS records by name: TXT, MX and addresses."""

    def __init__(
        self,
        texts: Mapping[str, Sequence[str]] | None = None,
        hosts: Mapping[str, Sequence[str]] | None = None,
        addresses: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._texts, self._hosts, self._addresses = texts or {}, hosts or {}, addresses or {}

    def exists(self, name: str) -> bool:
        return any(name == known or known.endswith(f".{name}") for known in (*self._texts, *self._hosts))

    def txt(self, name: str) -> tuple[str, ...]:
        return tuple(self._texts.get(name, ()))

    def mx(self, name: str) -> tuple[str, ...]:
        return tuple(self._hosts.get(name, ()))

    def addresses(self, name: str) -> tuple[str, ...]:
        return tuple(self._addresses.get(name, ()))


class NoNameServer(Zone):
    """No name server answers."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = 0

    def exists(self, name: str) -> bool:
        self.queries += 1
        raise DNSUnavailableError(f"no name server answered for {name}: look at the network")

    def txt(self, name: str) -> tuple[str, ...]:
        raise DNSUnavailableError(f"no name server answered for {name}: look at the network")


def only(results: Sequence[HealthResult]) -> HealthResult:
    (result,) = results
    return result


def spf_result(*records: str, more: Mapping[str, Sequence[str]] | None = None, smtp: str = "") -> HealthResult:
    zone = Zone(
        {OURS: records, **(more or {})},
        hosts={OURS: ["mail.harbour.example"]},
        addresses={"mail.harbour.example": ["192.0.2.25"], "smtp.harbour.example": ["192.0.2.77", "2001:db8::77"]},
    )
    return only(list(check_spf(OURS, zone, smtp)))


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([], "error", "has no record"),
        (["google-site-verification=x"], "error", "has no record"),
        (["v=spf10 -all"], "error", "has no record"),
        (["v=spf1 mx -all"], "ok", "1 of 10 look-ups, and ends with -all"),
        (["V=SPF1 MX ~ALL"], "ok", "ends with ~all"),
        (["v=spf1 -all", "v=spf1 mx -all"], "error", "has 2 records"),
        (["v=spf1 +all"], "error", "allows everybody to send"),
        (["v=spf1 all"], "error", "allows everybody to send"),
        (["v=spf1 mx"], "warning", "does not decide about servers"),
        (["v=spf1 mx ?all"], "warning", "does not decide about servers"),
        (["v=spf1 ipv4:192.0.2.1 -all"], "error", "“ipv4:192.0.2.1” is not a valid term"),
        (["v=spf1 ip4:192.0.2.999 -all"], "error", "is not a network"),
        (["v=spf1 ip6:2001:db8::/32 ip4:192.0.2.0/24 -all"], "ok", "0 of 10"),
        (["v=spf1 include:nowhere.example -all"], "error", "nowhere.example has no SPF record"),
        (["v=spf1 exists:%{i}.list.example -all exp=why.example"], "ok", "1 of 10"),
        (["v=spf1 include: -all"], "error", "is not a valid term"),
        (["v=spf1 redirect=nowhere.example"], "error", "nowhere.example has no SPF record"),
    ],
)
def test_an_spf_record_is_evaluated_as_by_receivers(records: list[str], level: str, words: str) -> None:
    """One valid record with a strict end is ok (RFC 7208, 4.5, 4.6, 5.1)."""
    result = spf_result(*records)
    assert (result.level, words in result.message) == (level, True), result
    assert bool(result.fix) is (level != "ok")


def test_the_look_ups_of_all_included_records_count() -> None:
    """Ten are allowed over all levels (RFC 7208, 4.6.4); a redirect counts."""
    chain = {f"s{n}.example": [f"v=spf1 include:s{n + 1}.example -all"] for n in range(12)}
    end = {"s8.example": ["v=spf1 redirect=end.example"], "end.example": ["v=spf1 ip4:192.0.2.0/24 -all"]}
    assert "10 of 10 look-ups" in spf_result("v=spf1 include:s0.example -all", more=chain | end).message
    assert "needs more than 10" in spf_result("v=spf1 mx include:s0.example -all", more=chain | end).message


def test_records_that_include_each_other_are_evaluated_once() -> None:
    """A circle of includes does not loop."""
    more = {"a.example": ["v=spf1 include:b.example -all"], "b.example": ["v=spf1 include:a.example -all"]}
    assert spf_result("v=spf1 include:a.example -all", more=more).level == "ok"


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
def test_the_result_says_whether_the_mail_server_is_named(record: str) -> None:
    """By its address, by its name, or in an included record."""
    service = {"service.example": ["v=spf1 ip4:192.0.2.64/26 -all"]}
    named = spf_result(record, more=service, smtp="smtp.harbour.example")
    assert (named.level, "names smtp.harbour.example" in named.message) == ("ok", True), named
    unnamed = spf_result("v=spf1 ip4:198.51.100.1 -all", smtp="smtp.harbour.example")
    assert (unnamed.level, "does not name smtp.harbour.example itself" in unnamed.message) == ("warning", True)


def key(length_bytes: int, **tags: str) -> str:
    values = {"v": "DKIM1", "k": "rsa"} | tags | {"p": b64encode(bytes(length_bytes)).decode()}
    return "; ".join(f"{name}={value}" for name, value in values.items())


@pytest.mark.parametrize(
    ("records", "level", "words"),
    [
        ([key(294)], "ok", "contains a key (rsa)"),
        ([key(162)], "warning", "short key"),
        ([key(94)], "error", "too short"),
        ([key(32, k="ed25519")], "ok", "ed25519"),
        ([key(294, t="y")], "warning", "test mode"),
        (["v=DKIM1; p="], "error", "revoked"),
        (["v=DKIM1; p=not base64!"], "error", "incomplete"),
        (["v=DKIM2; p=AAAA"], "error", "version"),
        (["v=spf1 -all"], "error", "has no key"),
        ([], "error", "has no key"),
        ([key(294), key(162)], "error", "2 keys"),
    ],
)
def test_a_dkim_key_is_checked(records: list[str], level: str, words: str) -> None:
    """A single complete key that is in force and long enough is ok (RFC 6376, 3.6.1; RFC 8301)."""
    result = only(list(check_dkim(OURS, Zone({f"mail._domainkey.{OURS}": records}), ["mail"])))
    assert (result.level, words in result.message) == (level, True), result
    assert result.name == f"DKIM mail._domainkey.{OURS}"


def test_dkim_cannot_be_checked_without_a_selector() -> None:
    """DNS does not list selectors; the mail service names them."""
    result = only(list(check_dkim(OURS, Zone(), [])))
    assert (result.level, "[delivery] dkim_selectors" in result.fix) == ("warning", True)


@pytest.mark.parametrize(
    ("record", "level", "words"),
    [
        ("v=DMARC1; p=none; rua=mailto:d@harbour.example", "ok", "only monitors (p=none)"),
        ("v=DMARC1; p=reject; rua=mailto:d@harbour.example", "ok", "rejects forgeries"),
        (
            "v=DMARC1;p=quarantine;adkim=s;aspf=s;rua=mailto:d@x.example",
            "ok",
            "DKIM and SPF must be of harbour.example",
        ),
        ("v=DMARC1; p=none", "warning", "sends no reports"),
        ("v=DMARC1; p=nothing; rua=mailto:d@x.example", "error", "has p=nothing"),
        ("v=DMARC1; rua=mailto:d@x.example", "error", "has no p"),
        ("v=DMARC2; p=none", "error", "has no policy"),
    ],
)
def test_a_dmarc_policy_is_checked(record: str, level: str, words: str) -> None:
    """A policy with a valid p and a report address is ok (RFC 7489, 6.3)."""
    result = only(list(check_dmarc(OURS, Zone({f"_dmarc.{OURS}": [record]}))))
    assert (result.level, words in result.message) == (level, True), result


def test_a_subdomain_uses_the_policy_of_its_parent() -> None:
    """The parent may set a policy for subdomains (``sp``); with two policies none counts."""
    above = Zone({f"_dmarc.{OURS}": ["v=DMARC1; p=none; sp=reject; rua=mailto:d@x.example"]})
    assert "rejects forgeries" in only(list(check_dmarc(f"letters.{OURS}", above))).message
    twice = Zone({f"_dmarc.{OURS}": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]})
    assert "2 policies" in only(list(check_dmarc(OURS, twice))).message


@pytest.mark.parametrize(
    ("hosts", "known", "level", "words"),
    [
        (["mx.harbour.example"], ["mx.harbour.example"], "ok", "leads to mx.harbour.example"),
        (["."], [], "error", "receives no mail"),
        ([], [OURS], "warning", "the address of the web server"),
        ([], [], "error", "nobody can reply"),
        (["mx1.example", "mx2.example"], ["mx2.example"], "warning", "mx1.example, which has no address"),
        (["mx1.example"], [], "error", "mx1.example, which has no address"),
    ],
)
def test_replies_and_bounces_need_a_reachable_host(hosts: list[str], known: list[str], level: str, words: str) -> None:
    """An MX host with an address, or at least an address of the domain (RFC 5321, 5.1; RFC 7505)."""
    zone = Zone(hosts={OURS: hosts}, addresses={name: ["192.0.2.1"] for name in known})
    result = only(list(check_mx(OURS, zone)))
    assert (result.level, words in result.message) == (level, True), result


def test_an_unknown_domain_is_one_result() -> None:
    """An unregistered domain is an error; if its top level is unknown too, the name server is at fault."""
    zone = Zone({"other.example": ["v=spf1 -all"]})
    result = only(list(check_domain(OURS, zone, smtp_host="", selectors=["mail"])))
    assert (result.level, "not in the domain name system" in result.message) == ("error", True)
    result = only(list(check_domain("harbour.invalid", zone, smtp_host="", selectors=["mail"])))
    assert (result.level, "no name server knows .invalid" in result.message) == ("warning", True)


def test_without_a_name_server_there_is_one_warning() -> None:
    """The other checks are skipped, so that nobody waits for four time-outs."""
    lookup = NoNameServer()
    result = only(list(check_domain(OURS, lookup, smtp_host="", selectors=["mail"])))
    assert (result.level, "look at the network" in result.message, lookup.queries) == ("warning", True, 1)


# Our own keys


@cache
def own_key(kind: str = "rsa") -> DkimKey:
    return DkimKey.read(f"{kind}7", make_private_key("rsa" if kind == "rsa" else "ed25519"))


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_the_published_key_must_be_the_one_that_signs(kind: str) -> None:
    """Otherwise the fix is the whole record, to copy."""
    name, record = f"{kind}7._domainkey.{OURS}", own_key(kind).dns_record
    folded = f"{record[:200]} {record[200:]}" if kind == "rsa" else record
    for published in (record, folded):
        assert only(list(check_published_keys(OURS, [own_key(kind)], Zone({name: [published]})))).level == "ok"
    other = DkimKey.read("x", make_private_key("rsa")).dns_record
    for records, words in (([], "has no key"), ([other], "is not the key that signs"), ([record] * 2, "has 2 keys")):
        result = only(list(check_published_keys(OURS, [own_key(kind)], Zone({name: records}))))
        assert (result.level, words in result.message) == ("error", True), result
        assert (record in result.fix) is (len(records) < 2)
    assert only(list(check_published_keys(OURS, [own_key()], NoNameServer()))).level == "warning"


@pytest.mark.parametrize(
    ("signing", "policy", "level"),
    [
        (OURS, "v=DMARC1; p=reject", "ok"),
        (OURS.upper(), "v=DMARC1; p=reject; adkim=s", "ok"),
        (f"mail.{OURS}", "v=DMARC1; p=reject", "ok"),
        (f"mail.{OURS}", "v=DMARC1; p=reject; adkim=s", "error"),
        ("relay.example", "v=DMARC1; p=none", "error"),
        (f"not{OURS}", "v=DMARC1; p=none", "error"),
    ],
)
def test_signatures_must_be_of_the_senders_domain(signing: str, policy: str, level: str) -> None:
    """Or of a related one, if its policy does not ask for strict alignment (RFC 7489, 3.1.1)."""
    result = only(list(check_alignment(OURS, signing, Zone({f"_dmarc.{OURS}": [policy]}))))
    assert (result.level, signing in result.message) == (level, True)
    assert bool(result.fix) is (level == "error")


@pytest.mark.parametrize(
    ("envelope", "policy", "signing", "level", "words"),
    [
        (OURS, "p=reject; aspf=s", "", "ok", "SPF counts for DMARC"),
        (f"bounces.{OURS}", "p=reject", "", "ok", "SPF counts for DMARC"),
        (f"bounces.{OURS}", "p=reject; aspf=s", OURS, "warning", "the DKIM signature alone carries it"),
        (f"bounces.{OURS}", "p=reject; aspf=s", "", "error", "no DKIM signature of the sender’s domain is known"),
        ("relay.example", "p=none", f"mail.{OURS}", "warning", "the DKIM signature alone carries it"),
        ("relay.example", "p=none; adkim=s", f"mail.{OURS}", "error", "may count as forged"),
        ("relay.example", "p=none", "relay.example", "error", "may count as forged"),
        (f"not{OURS}", "p=none", "", "error", "may count as forged"),
    ],
)
def test_bounces_must_go_to_the_senders_domain_or_dkim_counts_alone(
    envelope: str, policy: str, signing: str, level: str, words: str
) -> None:
    """SPF is about the envelope sender: for DMARC it must be of the domain in From or a related one."""
    zone = Zone({f"_dmarc.{OURS}": [f"v=DMARC1; {policy}"]})
    result = only(list(check_spf_alignment(OURS, envelope, zone, signing_domain=signing)))
    assert (result.level, words in result.message, envelope in result.message) == (level, True, True), result
    assert bool(result.fix) is (level != "ok")


def test_two_domains_below_one_with_a_policy_are_related() -> None:
    """Neither is below the other; without that policy nothing shows that both belong to the same organisation."""
    news, bounces = f"news.{OURS}", f"bounces.{OURS}"
    shared = Zone({f"_dmarc.{OURS}": ["v=DMARC1; p=none"]})
    assert only(list(check_spf_alignment(news, bounces, shared))).level == "ok"
    assert only(list(check_alignment(news, bounces, shared))).level == "ok"
    assert only(list(check_spf_alignment(news, bounces, Zone()))).level == "error"
    assert only(list(check_spf_alignment("a.example", "b.example", Zone({"_dmarc.example": ["v=DMARC1"]})))).level == (
        "error"
    )
    assert list(check_spf_alignment(news, bounces, NoNameServer())) == []


def test_the_record_of_the_envelope_senders_domain_is_checked() -> None:
    """That of the domain in From says nothing about mail whose bounces go elsewhere."""
    zone = Zone({OURS: ["v=spf1 -all"], "bounces.example": ["v=spf1 +all"]}, hosts={OURS: ["mx.example"]})
    results = {
        envelope: next(iter(check_domain(OURS, zone, smtp_host="", selectors=[], envelope_domain=envelope)))
        for envelope in ("", "bounces.example")
    }
    assert {name: (result.name, result.level) for name, result in results.items()} == {
        "": (f"SPF of {OURS}", "ok"),
        "bounces.example": ("SPF of bounces.example", "error"),
    }


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """An existing file is never overwritten; one that others may read deserves a warning."""
    path = tmp_path / "dkim.pem"
    assert make_dkim_key(path, "rsa")
    pem = path.read_bytes()
    assert not make_dkim_key(path, "ed25519")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (pem, 0o600)

    def check(keys: Sequence[DkimKey]) -> HealthResult:
        return only(list(check_key_files({"dkim_key": path}, lambda: keys)))

    assert check([DkimKey.read("s7", pem)]).level == "ok"
    path.chmod(0o640)
    assert (check([own_key()]).level, check([own_key()]).fix) == ("warning", f"run: chmod 600 {path}")
    with pytest.raises(WriteError, match="cannot be written"):
        make_dkim_key(tmp_path / "nowhere" / "dkim.pem", "rsa")


def test_a_key_that_cannot_be_read_is_an_error() -> None:
    """The message and the fix are those of the settings."""

    def read() -> Sequence[DkimKey]:
        raise ConfigError("[delivery] dkim_key: a.pem cannot be read: make it.")

    result = only(list(check_key_files({}, read)))
    assert (result.level, result.message, result.fix) == (
        "error",
        "[delivery] dkim_key: a.pem cannot be read",
        "make it",
    )
