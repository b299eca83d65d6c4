"""DKIM: whether the keys are there with which mailboxes verify our signatures (RFC 6376, RFC 8301).

In: a domain, a Lookup, selectors. Out: Signs.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Sequence

from pipeline.jobs.doctor.records import Lookup, domain_sign, tags
from pipeline.model.health import Sign

_KEY_OVERHEAD_BYTES = 38
"""What a SubjectPublicKeyInfo of RSA holds besides the modulus: enough to tell 1024 bits from 2048."""


def dkim(domain: str, lookup: Lookup, selectors: Sequence[str]) -> Iterator[Sign]:
    """Look at the key of each selector."""
    if not selectors:
        finding = "cannot be looked at, since no selector is known"
        mend = "write the names that your mail service signs with into [delivery] dkim_selectors"
        yield domain_sign(f"DKIM of {domain}", "warning", finding, mend)
    for selector in selectors:
        yield _key(f"{selector}._domainkey.{domain}", lookup)


def _key(name: str, lookup: Lookup) -> Sign:
    records = [found for text in lookup.texts(name) if "p" in (found := tags(text))]
    shown = f"DKIM {name}"
    if not records:
        finding = "has no key, so signatures that name it fail"
        mend = "publish the TXT record that your mail service shows you, or correct [delivery] dkim_selectors"
        return domain_sign(shown, "trouble", finding, mend)
    if len(records) > 1:
        return domain_sign(shown, "trouble", f"has {len(records)} keys, and which one counts is chance", "leave one")
    found = records[0]
    if found.get("v", "DKIM1") != "DKIM1":
        return domain_sign(shown, "trouble", f"is of version {found['v']!r}", "write v=DKIM1")
    if not found["p"]:
        return domain_sign(shown, "trouble", "is withdrawn (p is empty)", "publish the key that is signed with now")
    return _strength(shown, found)


def _strength(shown: str, found: dict[str, str]) -> Sign:
    kind = found.get("k", "rsa")
    try:
        key = b64decode("".join(found["p"].split()), validate=True)
    except NotBase64:
        mend = "publish it again as your mail service shows it, in one piece"
        return domain_sign(shown, "trouble", "holds a key that is not whole", mend)
    bits = (len(key) - _KEY_OVERHEAD_BYTES) * 8
    if kind == "rsa" and bits < 900:
        return domain_sign(shown, "trouble", "holds a key that is too short to count", "make one of 2048 bits")
    if kind == "rsa" and bits < 1900:
        return domain_sign(shown, "warning", "holds a short key", "let your mail service make one of 2048 bits")
    if "y" in found.get("t", "").split(":"):
        mend = "take t=y out once signatures are right"
        return domain_sign(shown, "warning", "is marked as a trial (t=y), so it counts for little", mend)
    return domain_sign(shown, "well", f"holds a key ({kind})")
