"""Sign messages with DKIM (RFC 6376; Ed25519: RFC 8463), and make the keys for that. Pure.

dkimpy takes 7 ms for a message and parses it for that; a million copies would take two hours. Here the hash of the body
and the signature come from hashlib and cryptography, 0.3 ms; the tests verify with dkimpy. A signature has no time of
its own, so that a copy that is built again has the same bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from pipeline.model.errors import ConfigError

KeyKind = Literal["rsa", "ed25519"]
MIN_RSA_BITS = 1024
"""Receivers ignore signatures of shorter keys (RFC 8301, 3.2)."""
RSA_BITS = 2048
"""The size of new keys; longer ones fit in no single UDP answer of a name server."""
SIGNED_HEADERS = (
    *(b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type"),
    *(b"content-transfer-encoding", b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"),
)
"""Those of a newsletter; Gmail believes one-click unsubscribing only where both of its headers are signed."""
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_LINE_CHARS = 72


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key, and the selector under which its public key is published."""

    selector: str
    private_key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @classmethod
    def read(cls, selector: str, pem: bytes) -> DkimKey:
        """Return the key of a PEM file without a passphrase; ConfigError if it has none that DKIM can use."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError("it contains no private key in PEM without a passphrase") from error
        if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
            raise ConfigError(f"it contains an RSA key of {key.key_size} bits, which receivers ignore")
        if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise ConfigError("it contains a key that is neither RSA nor Ed25519")
        return cls(selector, key)

    @property
    def kind(self) -> KeyKind:
        """The kind of the key, as a DNS record names it."""
        return "rsa" if isinstance(self.private_key, rsa.RSAPrivateKey) else "ed25519"

    @property
    def bits(self) -> int:
        """The size of the key."""
        return self.private_key.key_size if isinstance(self.private_key, rsa.RSAPrivateKey) else 256

    @property
    def dns_record(self) -> str:
        """The TXT record that publishes the public key at ``SELECTOR._domainkey.DOMAIN``."""
        public = self.private_key.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            encoded = public.public_bytes_raw()
        else:
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            encoded = public.public_bytes(serialization.Encoding.DER, form)
        return f"v=DKIM1; k={self.kind}; p={b64encode(encoded).decode('ascii')}"

    def signature(self, data: bytes) -> bytes:
        """Return the signature of canonical headers."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return self.private_key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.private_key.sign(sha256(data).digest())  # RFC 8463, 3


def make_private_key(kind: KeyKind = "rsa") -> bytes:
    """Return a new private key as PEM (PKCS 8)."""
    key = rsa.generate_private_key(65_537, RSA_BITS) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


@dataclass(frozen=True, slots=True)
class DkimSigner:
    """Signs messages for a domain, once with each key."""

    domain: str
    keys: Sequence[DkimKey]
    """One of RSA, which every receiver can verify; one of Ed25519 may be added."""

    def sign(self, message: bytes) -> bytes:
        """Return a message (RFC 5322, CRLF) with a DKIM-Signature for each key before its headers.

        Canonicalisation is relaxed for headers and simple for the body. One more From than there is, is signed, so that
        nobody can add another author (RFC 6376, 5.4.2).
        """
        header, _, body = message.partition(b"\r\n\r\n")
        body_hash = b64encode(sha256(body.rstrip(b"\r\n") + b"\r\n").digest())
        names, data = _signed_headers(_FIELD_END.split(header))
        signatures = [self._signature(key, names, data, body_hash) for key in self.keys]
        return b"".join((*signatures, message))

    def _signature(self, key: DkimKey, names: bytes, data: bytes, body_hash: bytes) -> bytes:
        tags = f"v=1; a={key.kind}-sha256; c=relaxed/simple; d={self.domain}; s={key.selector};".encode("ascii")
        head = b"DKIM-Signature: %b\r\n h=%b;\r\n bh=%b;\r\n b=" % (tags, names, body_hash)
        signature = b64encode(key.signature(data + _relaxed(head)))
        lines = [signature[start : start + _LINE_CHARS] for start in range(0, len(signature), _LINE_CHARS)]
        return head + b"\r\n ".join(lines) + b"\r\n"


def _signed_headers(fields: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Return the names of the headers to sign, for ``h=``, and the headers themselves as they are hashed.

    Where a name occurs more than once, receivers take the last one first (RFC 6376, 5.4.2).
    """
    by_name: dict[bytes, list[bytes]] = {name: [] for name in SIGNED_HEADERS}
    for header_field in fields:
        by_name.get(header_field.partition(b":")[0].strip().lower(), []).append(header_field)
    times = Counter({name: len(headers) for name, headers in by_name.items()}) + Counter({b"from": 1})
    data = b"".join(_relaxed(one) + b"\r\n" for headers in by_name.values() for one in reversed(headers))
    return b":\r\n  ".join(b":".join([name] * number) for name, number in times.items()), data


def _relaxed(header_field: bytes) -> bytes:
    r"""Return a header in relaxed canonical form, without its CRLF (RFC 6376, 3.4.2).

    >>> _relaxed(b"Subject : A \r\n\t slow  loaf ")
    b'subject:A slow loaf'
    """
    name, _, value = header_field.partition(b":")
    return name.strip().lower() + b":" + _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
