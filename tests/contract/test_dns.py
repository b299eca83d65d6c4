"""The resolver against a name server of the test's own, on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from pipeline.delivery.dns import Resolver
from pipeline.jobs.doctor.email_auth import check_domain
from pipeline.model.errors import DNSUnavailableError

pytestmark = pytest.mark.loopback

RECORDS = {
    ("harbour.example.", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 " "-all"', '"other=words"'],
    ("harbour.example.", "MX"): ["20 backup.harbour.example.", "10 MX.harbour.example."],
    ("mx.harbour.example.", "A"): ["192.0.2.25"],
    ("mx.harbour.example.", "AAAA"): ["2001:db8::25"],
    ("backup.harbour.example.", "A"): ["192.0.2.26"],
    ("silent.example.", "MX"): ["0 ."],
    ("_dmarc.harbour.example.", "TXT"): ['"v=DMARC1; p=none; rua=mailto:d@harbour.example"'],
}


def answer(wire: bytes) -> bytes:
    """Answer one question: from the records, with nothing, or that there is no such name; ``broken`` names fail."""
    query = dns.message.from_wire(wire)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    question = query.question[0]
    name = question.name.to_text().lower()
    kind = dns.rdatatype.to_text(question.rdtype)
    if "broken" in name:
        reply.set_rcode(dns.rcode.SERVFAIL)
    elif found := RECORDS.get((name, kind)):
        reply.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
    elif not any(known == name for known, _ in RECORDS):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return reply.to_wire()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A name server's port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    wire, asker = server.recvfrom(4096)
                except TimeoutError:
                    continue
                server.sendto(answer(wire), asker)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


@pytest.fixture
def resolver(port: int) -> Resolver:
    return Resolver(nameservers=["127.0.0.1"], port=port, timeout_seconds=2.0)


def test_strings_of_a_text_record_are_joined(resolver: Resolver) -> None:
    """Without a blank between them (RFC 7208, 3.3): a long key comes in pieces."""
    assert sorted(resolver.txt("harbour.example")) == ["other=words", "v=spf1 ip4:192.0.2.0/24 -all"]


def test_mail_hosts_come_in_the_order_of_their_preference(resolver: Resolver) -> None:
    """In lower case and without the dot at the end, but for the one that says: no mail."""
    assert resolver.mx("harbour.example") == ("mx.harbour.example", "backup.harbour.example")
    assert resolver.mx("silent.example") == (".",)


def test_addresses_of_both_kinds(resolver: Resolver) -> None:
    """IPv4 first."""
    assert resolver.addresses("mx.harbour.example") == ("192.0.2.25", "2001:db8::25")


@pytest.mark.parametrize("name", ["nowhere.example", "mx.harbour.example", "a..b", f"{'x' * 64}.example"])
def test_what_is_not_there_is_nothing(resolver: Resolver, name: str) -> None:
    """A name that does not exist, one without such a record, one that cannot exist."""
    assert resolver.txt(name) == ()


def test_a_name_may_be_known_without_such_a_record(resolver: Resolver) -> None:
    """That is something else than a name that nobody registered."""
    assert resolver.exists("harbour.example")
    assert not resolver.exists("nowhere.example")


def test_a_server_that_fails_or_is_silent_is_no_answer(resolver: Resolver) -> None:
    """Which is something else than no record: nothing is known then."""
    with pytest.raises(DNSUnavailableError, match="no name server answered"):
        resolver.txt("broken.example")
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))
        silent = Resolver(nameservers=["127.0.0.1"], port=deaf.getsockname()[1], timeout_seconds=0.2)
        with pytest.raises(DNSUnavailableError):
            silent.txt("harbour.example")


def test_the_doctor_reads_a_domain_with_it(resolver: Resolver) -> None:
    """All four kinds of records, from real answers."""
    signs = {
        sign.name: sign.level for sign in check_domain("harbour.example", resolver, smtp_host="", selectors=["mail"])
    }
    assert signs == {
        "SPF of harbour.example": "ok",
        "DKIM mail._domainkey.harbour.example": "error",
        "DMARC of harbour.example": "ok",
        "MX of harbour.example": "ok",
    }
