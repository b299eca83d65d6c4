"""The sender's domain: whether mailboxes believe that a mail is from it, as four kinds of records say.

In: the sender's domain, what is known of how it sends, a way to look records up. Out: Signs. Where no name server
answers, that is one warning, and nobody waits four times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.jobs.doctor.dkim import dkim
from pipeline.jobs.doctor.dmarc import dmarc
from pipeline.jobs.doctor.mx import mx
from pipeline.jobs.doctor.records import Lookup
from pipeline.jobs.doctor.spf import spf
from pipeline.model.errors import NoResolver
from pipeline.model.health import Sign


def domain(name: str, lookup: Lookup, *, smtp_host: str, selectors: Sequence[str]) -> Iterator[Sign]:
    """Look at SPF, DKIM, DMARC and MX of the sender's domain."""
    try:
        yield from spf(name, lookup, smtp_host)
        yield from dkim(name, lookup, selectors)
        yield from dmarc(name, lookup)
        yield from mx(name, lookup)
    except NoResolver as silent:
        finding, _, mend = str(silent).partition(": ")
        yield Sign(group="domain", name=name, level="warning", finding=finding, mend=mend)
