"""The sender's domain: whether mailboxes believe that a mail is from it, as four kinds of records say.

In: the sender's domain, what is known of how it sends, a way to look records up. Out: Signs. Where no name server
answers, that is one warning, and nobody waits four times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.jobs.doctor.dkim import dkim
from pipeline.jobs.doctor.dmarc import dmarc
from pipeline.jobs.doctor.mx import mx
from pipeline.jobs.doctor.records import Lookup, domain_sign
from pipeline.jobs.doctor.spf import spf
from pipeline.model.errors import NoResolver
from pipeline.model.health import Sign, sign_of


def domain(name: str, lookup: Lookup, *, smtp_host: str, selectors: Sequence[str]) -> Iterator[Sign]:
    """Look at SPF, DKIM, DMARC and MX of the sender's domain."""
    try:
        if not lookup.knows(name):
            yield _unknown(name, lookup)
            return
        yield from spf(name, lookup, smtp_host)
        yield from dkim(name, lookup, selectors)
        yield from dmarc(name, lookup)
        yield from mx(name, lookup)
    except NoResolver as silent:
        yield sign_of(str(silent), group="domain", name=name, level="warning")


def _unknown(name: str, lookup: Lookup) -> Sign:
    top = name.rpartition(".")[2]
    if not lookup.knows(top):
        mend = "look again from a machine that can ask the internet's name servers"
        return domain_sign(name, "warning", f"cannot be looked at: nobody who was asked knows .{top} at all", mend)
    mend = "correct [publication] sender, or register that domain"
    return domain_sign(name, "trouble", "is not in the domain name system, so mail from it is refused", mend)
