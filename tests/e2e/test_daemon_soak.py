"""The daemon among peers that do their worst at the same time: it goes on, says so, and stays small."""

from __future__ import annotations

import json
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from pipeline.model.run import Run
from pipeline.store import Store
from tests.background_server import free_port
from tests.drip_server import DripServer
from tests.http_server import CannedResponse, HttpServer

pytestmark = [pytest.mark.loopback, pytest.mark.slow(minutes=3)]

GIVE_UP_SECONDS = 900.0
IDLE_CONNECTIONS = 1_000
MAX_FILES = 512
MAX_LOG_BYTES = 200_000
MAX_MEMORY_BYTES = 400_000_000
FETCHES = 2
"""How many further fetches are waited for while the mail server drips."""
CONFIG = """
[publication]
name = "Harbour & Hearth"
url = "https://harbourandhearth.example/"
sender = "Harbour & Hearth <letter@harbourandhearth.example>"

[[feeds]]
id = "blog"
url = "{blog}"
kind = "blog"

[[feeds]]
id = "drip"
url = "{drip}"
kind = "blog"

[[feeds]]
id = "podcast"
url = "{podcast}"
kind = "podcast"

[fetch]
allow_private_networks = true
host_gap_seconds = 0
deadline_seconds = 5

[delivery]
smtp_host = "localhost"
smtp_port = {smtp}
smtp_security = "none"
smtp_deadline_seconds = 10

[schedule]
fetch = "every minute"
draft = "{day} 00:00"

[web]
listen = "127.0.0.1:{port}"
"""
FEED = """<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>{name}</title>
<item><title>{title}</title><guid isPermaLink="false">{name}</guid><pubDate>{date}</pubDate>
<link>https://harbourandhearth.example/{name}</link><description>{text}</description>{more}</item></channel></rss>"""
HOSTILE_TRANSCRIPT = b"WEBVTT\n" + b"00:00.000 -->" + b"\n" * 40_000 + b"<" * 40_000 + b"00:01.000 --" * 2_000


def feed(name: str, title: str, text: str, more: str = "") -> CannedResponse:
    """Return a feed with one entry of last week."""
    date = format_datetime(datetime.now(UTC) - timedelta(days=7))
    body = FEED.format(name=name, title=title, date=date, text=text * 20, more=more)
    return CannedResponse(body=body.encode())


class IdleClients:
    """Connections to a server that send nothing, or half a request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.open: list[socket.socket] = []

    def fill(self) -> None:
        """Replace the connections that the server has ended."""
        poller = select.poll()
        for connection in self.open:
            poller.register(connection, select.POLLIN)
        ended = {descriptor for descriptor, _ in poller.poll(0)}
        for connection in [connection for connection in self.open if connection.fileno() in ended]:
            self.open.remove(connection)
            connection.close()
        while len(self.open) < IDLE_CONNECTIONS:
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=GIVE_UP_SECONDS)
            self.open.append(connection)
            if len(self.open) % 2:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")

    def close(self) -> None:
        for connection in self.open:
            connection.close()


class Soak:
    """A daemon, its peers, and what it said about its health."""

    def __init__(self, folder: Path, port: int, clients: IdleClients) -> None:
        self.folder, self.port, self.clients = folder, port, clients
        self.health: list[dict[str, object]] = []
        self.began = time.monotonic()
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run"],
            cwd=folder,
            stderr=self.log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES)),
        )

    def runs(self) -> dict[str, Run]:
        with Store.open(f"sqlite:///{self.folder / 'pipeline.db'}") as store:
            return dict(store.runs.newest())

    def ask(self) -> dict[str, object]:
        """Return what ``/healthz`` says, which it must do however many connections are idle."""
        self.clients.fill()
        answer = httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=GIVE_UP_SECONDS)
        self.health.append({"code": answer.status_code} | json.loads(answer.text))
        return self.health[-1]

    def wait_until(self, is_true: Callable[[], bool], what: str) -> None:
        """Ask for the health again and again until something is true."""
        while not is_true():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < self.began + GIVE_UP_SECONDS, f"no {what}: {self.runs()}, {self.health[-1:]}"
            self.ask()
            time.sleep(0.5)

    def wait_for_the_server(self) -> None:
        while time.monotonic() < self.began + GIVE_UP_SECONDS:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError("the daemon serves no pages")

    def memory_bytes(self) -> int:
        """Return the most memory that the daemon ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[tuple[Soak, DripServer, HttpServer]]:
    """A daemon and its peers; the mail server and the server of the good documents."""
    with ExitStack() as stack:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4_096) if hard > 0 else 4_096, hard))
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        server = stack.enter_context(HttpServer())
        mail = stack.enter_context(DripServer(b"220-", b"x", pause_seconds=0.5))
        drip = stack.enter_context(DripServer(b"HTTP/1.1 200 OK\r\n\r\n<rss>", b" ", pause_seconds=0.5))
        transcript = f'<podcast:transcript url="{server.url("/transcript")}" type="text/vtt"/>'
        enclosure = f'<enclosure url="{server.url("/sound.mp3")}" type="audio/mpeg" length="1"/>'
        server.respond("/blog", feed("blog", "Bread for a cold week", "A loaf that takes two days and no kneading. "))
        episode = ("podcast", "An evening with Ann Vester", "We talk about boats, ropes and the tides of the north. ")
        server.respond("/podcast", feed(*episode, enclosure + transcript))
        server.respond("/transcript", CannedResponse(body=HOSTILE_TRANSCRIPT, headers={"Content-Type": "text/vtt"}))
        port = free_port()
        urls = {"blog": server.url("/blog"), "podcast": server.url("/podcast"), "drip": drip.url("/feed")}
        config = CONFIG.format(**urls, smtp=mail.port, port=port, day=f"{datetime.now(UTC):%a}".lower())
        (tmp_path / "config.toml").write_text(config)
        clients = stack.enter_context(closing(IdleClients(port)))
        running = Soak(tmp_path, port, clients)
        stack.callback(running.log.close)
        stack.callback(running.process.wait)
        stack.callback(running.process.kill)
        yield running, mail, server


def test_the_daemon_among_hostile_peers(soak: tuple[Soak, DripServer, HttpServer]) -> None:
    """A mail server and a feed drip, a thousand connections are idle and a transcript is hostile.

    Every task runs nevertheless, ``/healthz`` answers and names the task that waits, and log and memory are bounded.
    """
    running, mail, server = soak
    running.wait_for_the_server()
    running.wait_until(lambda: "draft" in running.runs() and running.runs()["draft"].finished_at is not None, "draft")
    assert running.runs()["draft"].status == "succeeded", running.runs()["draft"]
    running.wait_until(mail.connected.is_set, "mail")
    fetched: set[str] = set()

    def fetched_again() -> bool:
        run = running.runs()["fetch"]
        if run.finished_at and mail.connected.is_set():
            fetched.add(run.period_key)
        return len(fetched) > FETCHES

    running.wait_until(lambda: running.runs().get("proof") is not None, "proof")
    running.wait_until(lambda: any(answer["task"] == "proof" for answer in running.health), "name of the task")
    running.wait_until(fetched_again, "further fetches")
    assert running.runs()["proof"].status in ("running", "retrying")
    assert {(answer["code"], answer["status"]) for answer in running.health} == {(200, "healthy")}
    assert server.requests_for("/transcript")
    (digest,) = (path.read_text() for path in running.folder.glob("editions/*/digest.txt"))
    assert "Bread for a cold week" in digest
    assert "An evening with Ann Vester" in digest
    assert running.memory_bytes() < MAX_MEMORY_BYTES
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(GIVE_UP_SECONDS) == 0
    log = (running.folder / "log").read_text()
    assert len(log) < MAX_LOG_BYTES
    assert "was too slow on port" in log
    assert "drip did not finish within 5 seconds" in log
    assert "Traceback" not in log
