"""Our own DKIM keys: making one, and checking its file, its DNS record and whose signature it makes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.delivery.dkim import RSA_BITS, DkimKey, KeyKind, make_private_key
from pipeline.jobs.doctor.email_auth import check_key, is_aligned
from pipeline.jobs.doctor.spf import domain_result
from pipeline.jobs.ports import DnsLookup
from pipeline.model.errors import ConfigError, DNSUnavailableError, WriteError
from pipeline.model.health import HealthResult


def make_dkim_key(path: Path, kind: KeyKind) -> bool:
    """Write a new private key, which only its owner can read; return False if there is a file already.

    WriteError if it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise WriteError(f"{path} cannot be written ({error.strerror}): choose another [delivery] dkim_key.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(make_private_key(kind))
        file.flush()
        os.fsync(file.fileno())
    return True


def check_key_files(files: Mapping[str, Path], read: Callable[[], Sequence[DkimKey]]) -> Iterator[HealthResult]:
    """Check that the files of keys, by the name of their setting, can be read, and by their owner only."""
    try:
        keys = read()
    except ConfigError as error:
        message, _, fix = str(error).rpartition(": ")
        yield HealthResult(category="mail", name="DKIM", level="error", message=message, fix=fix.rstrip("."))
        return
    for key, (setting, path) in zip(keys, files.items(), strict=True):
        name = f"DKIM {setting}"
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            message, fix = "can be read by others than its owner", f"run: chmod 600 {path}"
            yield HealthResult(category="mail", name=name, level="warning", message=message, fix=fix)
        elif key.bits < RSA_BITS and key.kind == "rsa":
            fix = f"make one of {RSA_BITS} bits under another selector: pipeline doctor --make-dkim-key"
            message = f"is an RSA key of {key.bits} bits, which is short"
            yield HealthResult(category="mail", name=name, level="warning", message=message, fix=fix)
        else:
            message = f"signs editions ({key.kind}, selector {key.selector})"
            yield HealthResult(category="mail", name=name, level="ok", message=message)


def check_published_keys(domain: str, keys: Sequence[DkimKey], lookup: DnsLookup) -> Iterator[HealthResult]:
    """Check that the public key of each of our keys is published for the domain that signs."""
    for key in keys:
        try:
            yield check_key(f"{key.selector}._domainkey.{domain}", lookup, key.dns_record)
        except DNSUnavailableError as error:
            yield domain_result(f"DKIM of {domain}", "warning", f"could not be checked: {str(error).rstrip('.')}")


def check_alignment(domain: str, signing_domain: str, lookup: DnsLookup) -> Iterator[HealthResult]:
    """Check that a signature counts for DMARC: it must be of the sender's domain or a related one (RFC 7489, 3.1.1)."""
    title = f"DMARC alignment of {domain}"
    try:
        is_counted = is_aligned(domain, signing_domain, lookup, "adkim")
    except DNSUnavailableError:
        return
    if is_counted:
        yield domain_result(title, "ok", f"signatures are of {signing_domain}")
        return
    message = f"signatures are of {signing_domain}, so they do not count for DMARC"
    fix = f'set [delivery] dkim_domain = "", and publish the key for {domain}'
    yield domain_result(title, "error", message, fix)
