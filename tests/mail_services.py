"""Mail services on 127.0.0.1, written from what the services publish about their APIs.

Each checks a request as its service describes it (path, authentication, fields), keeps what it accepts, and answers
with the service's own statuses and bodies. ``script`` makes the next requests fail. An address that begins with
``refused`` is refused.
"""

from __future__ import annotations

import hmac
import json
import socket
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler
from threading import Thread
from typing import Any

from pipeline.delivery.mail_api.service import Account
from tests.background_server import BackgroundServer, QuietServer

KEY = "AKIDTEST:s3cr3t-of-the-account"
REGION, DOMAIN, STREAM = "eu-west-1", "news.example.org", "weekly"
Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A message that a service has accepted."""

    id: str
    address: str
    sender: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    """Names are in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request. Names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What becomes of a request instead of a regular answer."""

    status: int = 0
    """0: the connection ends without an answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    accepts: bool = False
    """Whether the service has accepted the messages nevertheless."""
    reads_body: bool = True
    never_ends: Callable[[], None] | None = None
    """Called when the answer is sent but for its last byte, which never comes."""


class FakeService(BackgroundServer):
    """A service; a context manager. Subclasses describe one API each."""

    name = ""
    limited: Answer
    """Too many requests."""
    unauthorised: Answer
    exhausted: Answer | None = None
    """The quota of a day or month is used up."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.accepted: list[Accepted] = []
        self.requests: list[Received] = []
        self.script: list[Failure] = []
        """For the next requests, the first one first."""
        server = QuietServer(self, _Handler)
        self._is_https = tls is not None
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        super().__init__(server)

    @property
    def account(self) -> Account:
        """The account that the service knows."""
        url = f"https://localhost:{self.port}" if self._is_https else f"http://127.0.0.1:{self.port}"
        return Account(key=KEY, url=url, region=REGION, domain=DOMAIN, stream=STREAM)

    def answer(self, seen: Received) -> Answer:
        """Return the answer to a request, and keep its messages."""
        raise NotImplementedError

    def keep(self, address: str, **fields: Any) -> str:
        """Store a message and return its id."""
        made = f"id-{len(self.accepted) + 1}"
        self.accepted.append(Accepted(id=made, address=address, **fields))
        return made

    def keep_raw(self, address: str, raw: bytes) -> str:
        """Store a whole message and return its id."""
        message = message_from_bytes(raw, policy=default)
        bodies = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        return self.keep(
            address,
            sender=str(message["From"]),
            subject=str(message["Subject"]),
            text=bodies["text/plain"].replace("\r\n", "\n"),
            html=bodies["text/html"].replace("\r\n", "\n"),
            headers={name.lower(): str(value) for name, value in message.items()},
        )


class FakeSes(FakeService):
    """SendEmail of Amazon SES, API version 2."""

    name = "ses"

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.limited = self._exception(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
        self.unauthorised = self._exception(403, "InvalidClientTokenId", f"The security token {KEY} is invalid.")
        self.exhausted = self._exception(429, "TooManyRequestsException", "Daily message quota exceeded.")

    def answer(self, seen: Received) -> Answer:
        assert (seen.method, seen.path) == ("POST", "/v2/email/outbound-emails")
        if not _is_signed(seen):
            return self.unauthorised
        fields = json.loads(seen.body)
        assert fields["ConfigurationSetName"] == STREAM
        (address,) = fields["Destination"]["ToAddresses"]
        if address.startswith("refused"):
            return self._exception(400, "BadRequestException", f"Illegal address {address}")
        made = self.keep_raw(address, b64decode(fields["Content"]["Raw"]["Data"], validate=True))
        return 200, {}, json.dumps({"MessageId": made}).encode()

    @staticmethod
    def _exception(status: int, kind: str, message: str) -> Answer:
        headers = {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/com.amazonaws.sesv2/"}
        return status, headers, json.dumps({"message": message}).encode()


def _is_signed(seen: Received) -> bool:
    """Check a request as the specification of Signature Version 4 says, from what was received."""
    key_id, _, secret = KEY.partition(":")
    algorithm, _, rest = seen.headers["authorization"].partition(" ")
    given = dict(part.split("=", 1) for part in rest.split(", "))
    names = given["SignedHeaders"].split(";")
    at = seen.headers["x-amz-date"]
    scope = f"{at[:8]}/{REGION}/ses/aws4_request"
    canonical_headers = "".join(f"{name}:{seen.headers[name]}\n" for name in names)
    canonical = f"{seen.method}\n{seen.path}\n\n{canonical_headers}\n{';'.join(names)}\n{sha256(seen.body).hexdigest()}"
    signing_key = b"AWS4" + secret.encode()
    for text in (at[:8], REGION, "ses", "aws4_request"):
        signing_key = hmac.new(signing_key, text.encode(), sha256).digest()
    to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    expected = hmac.new(signing_key, to_sign.encode(), sha256).hexdigest()
    return (algorithm, given["Credential"], given["Signature"]) == ("AWS4-HMAC-SHA256", f"{key_id}/{scope}", expected)


class FakePostmark(FakeService):
    """The batch endpoint of Postmark."""

    name = "postmark"

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.limited = self._error(429, 429, "Rate limit exceeded.")
        self.unauthorised = self._error(401, 10, f"No Account or Server matches the token {KEY}.")

    def answer(self, seen: Received) -> Answer:
        assert (seen.method, seen.path) == ("POST", "/email/batch")
        if seen.headers.get("x-postmark-server-token") != KEY:
            return self.unauthorised
        messages = json.loads(seen.body)
        if not isinstance(messages, list) or not 1 <= len(messages) <= 500:
            return self._error(422, 410, "Too many batch messages.")
        return 200, {}, json.dumps([self._result(message) for message in messages]).encode()

    def _result(self, fields: dict[str, Any]) -> dict[str, Any]:
        assert fields["MessageStream"] == STREAM
        assert fields["TrackOpens"] is False
        assert fields["TrackLinks"] == "None"
        if fields["To"].startswith("refused-invalid"):
            return {"ErrorCode": 300, "Message": "Error parsing 'To': Illegal email domain 'x'."}
        if fields["To"].startswith("refused"):
            return {"ErrorCode": 406, "Message": f"Found inactive addresses: {fields['To']}."}
        if fields["To"].startswith("account"):
            return {"ErrorCode": 400, "Message": "The 'From' address you supplied is not a Sender Signature."}
        headers = {header["Name"].lower(): header["Value"] for header in fields["Headers"]}
        assert headers.pop("x-pm-keepid") == "true"
        made = self.keep(
            fields["To"],
            sender=fields["From"],
            subject=fields["Subject"],
            text=fields["TextBody"],
            html=fields["HtmlBody"],
            headers=headers,
        )
        return {"To": fields["To"], "MessageID": made, "ErrorCode": 0, "Message": "OK"}

    @staticmethod
    def _error(status: int, code: int, message: str) -> Answer:
        return status, {}, json.dumps({"ErrorCode": code, "Message": message}).encode()


class FakeMailgun(FakeService):
    """messages.mime of Mailgun."""

    name = "mailgun"
    unauthorised = (401, {"Content-Type": "text/plain"}, f"Forbidden: {KEY}".encode())
    limited = (429, {}, b'{"message": "Too many requests"}')

    def answer(self, seen: Received) -> Answer:
        assert (seen.method, seen.path) == ("POST", f"/v3/{DOMAIN}/messages.mime")
        if seen.headers.get("authorization") != "Basic " + b64encode(f"api:{KEY}".encode()).decode():
            return self.unauthorised
        head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
        form = message_from_bytes(head + seen.body.replace(b"message/rfc822", b"application/octet-stream"))
        fields = {str(part.get_param("name", header="content-disposition")): part for part in form.get_payload()}  # type: ignore[union-attr]
        assert fields["o:tracking"].get_payload() == "no"  # type: ignore[union-attr]
        address = fields["to"].get_payload()  # type: ignore[union-attr]
        if address.startswith("refused"):
            return 400, {}, b'{"message": "to parameter is not a valid address. please check documentation"}'
        raw = seen.body.partition(b"message/rfc822\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        made = self.keep_raw(address, raw.rpartition(b"\r\n--")[0] if raw.endswith(b"--") else raw)
        return 200, {}, json.dumps({"id": f"<{made}@{DOMAIN}>", "message": "Queued. Thank you."}).encode()


class FakeResend(FakeService):
    """The batch endpoint of Resend, in permissive mode, with its request keys."""

    name = "resend"

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.limited = self._error(429, "rate_limit_exceeded", "Too many requests.")
        self.unauthorised = self._error(401, "validation_error", f"API key {KEY} is invalid")
        self.exhausted = self._error(429, "monthly_quota_exceeded", "You have reached your monthly quota.")
        self._answers: dict[str, tuple[bytes, Answer]] = {}

    def answer(self, seen: Received) -> Answer:
        assert (seen.method, seen.path) == ("POST", "/emails/batch")
        assert seen.headers["user-agent"]
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            return self.unauthorised
        key = seen.headers["idempotency-key"]
        assert 1 <= len(key) <= 256
        body, answer = self._answers.get(key, (seen.body, None))
        if body != seen.body:
            return self._error(409, "invalid_idempotent_request", "Same key, other payload.")
        if answer is None:
            answer = self._batch(json.loads(seen.body), seen.headers.get("x-batch-validation") == "permissive")
            self._answers[key] = (seen.body, answer)
        return answer

    def _batch(self, messages: list[dict[str, Any]], permissive: bool) -> Answer:
        assert 1 <= len(messages) <= 100
        errors = [
            {"index": number, "message": "Invalid `to` field. The email address needs to follow the format."}
            for number, message in enumerate(messages)
            if message["to"][0].startswith("refused")
        ]
        if errors and not permissive:
            return self._error(422, "validation_error", errors[0]["message"])
        refused = {error["index"] for error in errors}
        data = [{"id": self._keep(message)} for number, message in enumerate(messages) if number not in refused]
        return 200, {}, json.dumps({"data": data, "errors": errors}).encode()

    def _keep(self, fields: dict[str, Any]) -> str:
        return self.keep(
            fields["to"][0],
            sender=fields["from"],
            subject=fields["subject"],
            text=fields["text"],
            html=fields["html"],
            headers={name.lower(): value for name, value in fields["headers"].items()},
        )

    @staticmethod
    def _error(status: int, name: str, message: Any) -> Answer:
        return status, {}, json.dumps({"statusCode": status, "name": name, "message": message}).encode()


FAKES: dict[str, type[FakeService]] = {fake.name: fake for fake in (FakeSes, FakePostmark, FakeMailgun, FakeResend)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: QuietServer

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        """Answer a request, or let it fail as the script says."""
        fake: FakeService = self.server.owner
        failure = fake.script.pop(0) if fake.script else None
        reads_body = failure is None or failure.reads_body
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) if reads_body else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Received(method=self.command, path=self.path, headers=headers, body=body)
        fake.requests.append(seen)
        answer = fake.answer(seen) if failure is None or failure.accepts else None
        if failure is None:
            assert answer is not None
            self._respond(*answer)
        elif failure.status:
            self._respond(failure.status, failure.headers, failure.body, failure.never_ends)
        else:
            self.close_connection = True

    def do_POST(self) -> None:
        """Answer a request."""
        self.do_GET()

    def _respond(
        self, status: int, headers: Mapping[str, str], body: bytes, never_ends: Callable[[], None] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + 2 * (never_ends is not None)))
        self.end_headers()
        self.wfile.write(body)
        if never_ends:
            never_ends()
            self.wfile.write(b" ")  # a client that waits looks at its clock again
            self.server.owner.stopped.wait()


class TunnelProxy(BackgroundServer):
    """An HTTP proxy that makes tunnels to one port, whatever it is asked for, or refuses to; a context manager."""

    def __init__(self, target_port: int, status: str = "200 Connection established") -> None:
        self.heads: list[bytes] = []
        self.target_port = target_port
        self.status = status
        super().__init__(QuietServer(self, _Tunnel))


class _Tunnel(BaseRequestHandler):
    server: QuietServer

    def handle(self) -> None:
        """Answer CONNECT, then pass on bytes until one side ends."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(4096)
        owner: TunnelProxy = self.server.owner
        owner.heads.append(head)
        self.request.sendall(f"HTTP/1.1 {owner.status}\r\n\r\n".encode())
        if owner.status.startswith("200"):
            with socket.create_connection(("127.0.0.1", owner.target_port)) as target:
                back = Thread(target=_pass_on, args=(target, self.request), daemon=True)
                back.start()
                _pass_on(self.request, target)
                back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
