"""Feeds with hostile bodies, over HTTP: each is reported with its reason, and the healthy feed beside it is published.

All are fetched in one run of ``pipeline fetch``, in a process whose memory is measured, and one digest is written.
`test_fetch_limits.py` has the servers that are slow.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import NOW, PUBLICATION, CliRunner, item, rss
from tests.drip_server import DripServer
from tests.http_server import CannedResponse, HttpServer, gzip_bomb, redirect

pytestmark = pytest.mark.loopback
ROOT = Path(__file__).parents[2]
MAX_BYTES = 4_000_000  # as the reasons below say
MAX_MEGABYTES = 400
"""Of a run that reads dozens of bodies at the same time, the program itself included."""
SECRET = b"the contents of a local file"
SETTINGS = f"""
[fetch]
allow_private_networks = true
concurrency = 8
max_bytes = {MAX_BYTES}
deadline_seconds = 600
timeout_seconds = 300
host_gap_seconds = 0
"""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip_bomb(256).body
GOOD = rss(item("A harmless entry"))
JSON_FEED = b'{"version": "https://jsonfeed.org/version/1.1", "items": '


def feed(title: str, doctype: str = "") -> bytes:
    """Return a feed with a title that may refer to entities of its document type."""
    return f"{doctype}<rss version='2.0'><channel><title>x</title>{item(title)}</channel></rss>".encode()


def entity_bomb() -> bytes:
    """Return a document whose title expands to three gigabytes."""
    steps = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    return feed("&e9;", f"<!DOCTYPE rss [<!ENTITY e0 'hey'>{steps}]>")


def encoded(body: bytes, encoding: str) -> CannedResponse:
    """Return a response with a Content-Encoding."""
    return CannedResponse(body=body, headers={"Content-Encoding": encoding})


TOO_LARGE, BOMB_FOUND = "sent more than 4,000,000 bytes", "bytes that decompress without end"
BROKE_OFF, BROKE_RULES = "closed the connection in the middle of the ", "broke the rules of HTTP ("
ENDLESS: dict[str, tuple[bytes, bytes, str]] = {
    "an endless body": (HEAD + b"\r\n", b"<item>" * 50_000, TOO_LARGE),
    "endless chunks": (CHUNKED, b"4\r\nword\r\n" * 20_000, TOO_LARGE),
    "an endless head": (HEAD, b"X-More: of the same\r\n" * 5_000, "sent more than 262,144 bytes of headers"),
    "a chunk of no size": (CHUNKED + b"zz\r\n", b"x" * 5_000, BROKE_RULES),
    "a chunk of a huge size": (CHUNKED + b"7fffffffffffffff\r\n", b"x" * 500_000, TOO_LARGE),
    "two lengths": (HEAD + b"Content-Length: 9\r\nContent-Length: 11\r\n\r\n", b"x" * 5_000, BROKE_RULES),
}
"""What a server sends first, and then without end, and the reason."""
REFUSED: dict[str, tuple[CannedResponse, str]] = {
    "a gzip bomb": (encoded(BOMB, "gzip"), BOMB_FOUND),
    "a bomb within gzip": (encoded(gzip.compress(BOMB), "gzip"), BOMB_FOUND),
    "a bomb within gzip within gzip": (
        encoded(gzip.compress(gzip.compress(BOMB)), "gzip"),
        "sent a document that is compressed more than twice",
    ),
    "a deflate bomb": (encoded(zlib.compress(bytes(32 << 20)), "deflate"), BOMB_FOUND),
    "a bomb as a file": (CannedResponse(body=BOMB, headers={"Content-Type": "application/gzip"}), BOMB_FOUND),
    "compression cut short": (encoded(gzip.compress(GOOD)[:-9], "gzip"), BROKE_OFF),
    "an announced petabyte": (CannedResponse(content_length=10**15), TOO_LARGE),
    "a length too long": (CannedResponse(content_length=len(GOOD) + 1, body=GOOD), BROKE_OFF),
    "a reset": (CannedResponse(body=GOOD, reset_after_bytes=100), BROKE_OFF),
    "nothing": (CannedResponse(body=b""), "returns an empty body"),
    "only NULs": (CannedResponse(body=bytes(1_000_000)), "returns binary data"),
    "a web page": (CannedResponse(body=b"<!doctype html><title>Welcome</title><p>Hello"), "returns a web page"),
    "a long web page": (CannedResponse(body=b"<!doctype html>" + b"<div><a href=x>" * 200_000), "returns a web page"),
    "JSON of no feed": (CannedResponse(body=b'{"error": "none"}'), "returns JSON that is not a feed"),
    "deep JSON": (CannedResponse(body=JSON_FEED + b"[" * 500_000), "returns JSON that is not valid"),
    "a redirect to itself": (redirect("/a-redirect-to-itself"), "redirects without end"),
    "a redirect to a file": (redirect("file:///etc/hostname"), "redirects to 'file:///etc/hostname', which is not"),
    "a redirect to nowhere": (redirect("http://[::1"), "redirects to 'http://[::1', which is not a web address"),
}
"""Answers without a document that can be read, and the reason."""
READ: dict[str, tuple[bytes, str]] = {
    "an entity bomb": (entity_bomb(), "answered 200 OK"),
    "an external entity": (feed("&secret;", "<!DOCTYPE rss [<!ENTITY secret SYSTEM '{secret}'>]>"), "answered 200 OK"),
    "an external document type": (feed("Salt", "<!DOCTYPE rss SYSTEM '{secret}'>"), "answered 200 OK"),
    "a length too short": (GOOD, "answered 200 OK, but its XML is broken"),
    "NULs between the words": (GOOD.replace(b" ", b"\0 \0"), "answered 200 OK"),
    "UTF-16 by name only": (GOOD.replace(b'"?>', b'" encoding="utf-16"?>'), "answered 200 OK"),
    "UTF-32 without a name": (GOOD.decode().encode("utf-32-le"), "answered 200 OK"),
    "deep XML": (
        GOOD.replace(b"<item>", b"<item>" + b"<a>" * 100_000),
        "answered 200 OK, but its XML is broken: Excessive depth",
    ),
    "deep HTML": (GOOD.replace(b"<description>", b"<description>" + b"&lt;div>" * 100_000), "answered 200 OK"),
    "50,000 items": (
        rss(*(f"<item><guid>{n}</guid></item>" for n in range(50_000))),
        "answered 200 OK; has too many entries, and 45,000 of them, the oldest as far as known, are not read",
    ),
    "a huge attribute": (GOOD.replace(b"<item>", b"<item a='%b'>" % (b"x" * 3_000_000)), "answered 200 OK"),
    "countless attributes": (
        GOOD.replace(b"<item>", b"<item %b>" % b" ".join(b"a%d=''" % n for n in range(100_000))),
        "answered 200 OK",
    ),
}
"""Documents that are read as far as they are harmless, and the report. ``{secret}`` is the URL of another document."""
CASES = {
    **{case: reason for case, (_, _, reason) in ENDLESS.items()},
    **{case: reason for case, (_, reason) in REFUSED.items()},
    **{case: reason for case, (_, reason) in READ.items()},
}


def in_one_run(test: Any) -> Any:
    """Mark a test of the run of all hostile feeds, which takes half a minute."""
    return pytest.mark.slow(minutes=1)(pytest.mark.xdist_group("hostile bodies")(test))


@dataclass(frozen=True, kw_only=True)
class Run:
    """The results of one fetch and digest."""

    exit_codes: tuple[int, int]
    errors: str
    reports: Mapping[str, Mapping[str, Any]]
    """By feed id, as ``pipeline fetch --json`` prints them."""
    titles: Sequence[str]
    digest: str
    asked: Sequence[str]
    """Paths that were requested."""
    megabytes: int


def feed_id(case: str) -> str:
    return re.sub(r"\W+", "-", case.lower())


def run_program(folder: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """Run a command; return its results and its peak memory in MB."""
    report = folder / "megabytes.txt"
    program = (sys.executable, Path(__file__).with_name("hostile_run.py"), NOW.isoformat(), report)
    done = subprocess.run(
        [*program, "--config", folder / "config.toml", *words],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, int(report.read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Fetch all hostile feeds, with a healthy one after each of them, and write the digest."""
    folder, urls = tmp_path_factory.mktemp("hostile"), dict[str, str]()
    with ExitStack() as stack:
        server = stack.enter_context(HttpServer())
        secret = server.url("/secret").encode()
        server.respond("/secret", CannedResponse(body=SECRET))
        for case in CASES:
            if case in ENDLESS:
                endless = DripServer(*ENDLESS[case][:2], pause_seconds=0.0)
                urls[feed_id(case)] = stack.enter_context(endless).url("/feed")
            else:
                server.respond(f"/{feed_id(case)}", answer(case, secret))
                urls[feed_id(case)] = server.url(f"/{feed_id(case)}")
            beside = f"beside-{feed_id(case)}"
            server.respond(f"/{beside}", CannedResponse(body=rss(item(f"Beside {case}"))))
            urls[beside] = server.url(f"/{beside}")
        tables = (f'[[feeds]]\nid = "{name}"\nurl = "{url}"\nkind = "blog"\n' for name, url in urls.items())
        (folder / "config.toml").write_text(PUBLICATION + "".join(tables) + SETTINGS, encoding="utf-8")
        fetched, megabytes = run_program(folder, "fetch", "--json")
    digest, more_megabytes = run_program(folder, "digest", "--week", "current", "--offline")
    written = folder / "editions" / "2026-W07"
    return Run(
        exit_codes=(fetched.returncode, digest.returncode),
        errors=fetched.stderr + digest.stderr,
        reports={report["feed_id"]: report for report in json.loads(fetched.stdout)},
        titles=[story["title"] for story in json.loads((written / "manifest.json").read_bytes())["stories"]],
        digest=(written / "digest.txt").read_text(encoding="utf-8"),
        asked=[seen.path for seen in server.requests],
        megabytes=max(megabytes, more_megabytes),
    )


def answer(case: str, secret: bytes) -> CannedResponse:
    """Return the answer of a case."""
    if case in REFUSED:
        return REFUSED[case][0]
    body = READ[case][0].replace(b"{secret}", secret)
    return CannedResponse(body=body, content_length=len(body) - 30 if case == "a length too short" else None)


@in_one_run
@pytest.mark.parametrize("case", CASES)
def test_a_hostile_feed_is_reported_and_the_one_beside_it_published(run: Run, case: str) -> None:
    """The report says what is wrong with it; stderr, too, if nothing of it can be read."""
    report, beside = run.reports[feed_id(case)], run.reports[f"beside-{feed_id(case)}"]
    assert CASES[case] in report["message"]
    assert report["ok"] == (case in READ)
    assert (CASES[case] in run.errors) == (case not in READ)
    assert (beside["ok"], beside["applied"]["new"]) == (True, 1)
    assert f"Beside {case}" in run.titles


@in_one_run
def test_a_run_with_hostile_feeds_ends_as_any_other(run: Run) -> None:
    """Some feeds failed, the digest is complete, and the memory is bounded by the limit on a document."""
    assert run.exit_codes == (3, 0)
    assert "Traceback" not in run.errors
    assert run.titles.count("A harmless entry") == 1, "the harmless entries of hostile feeds are one story"
    assert run.megabytes < MAX_MEGABYTES


@in_one_run
def test_no_document_names_another(run: Run) -> None:
    """External entities and document types are not fetched, and entities of a document are not expanded."""
    assert "/secret" not in run.asked
    assert SECRET.decode() not in run.digest
    assert "hey" not in run.digest


EPISODE = """<item><guid>e</guid><title>Kelp</title><pubDate>Tue, 10 Feb 2026 09:00:00 GMT</pubDate>
<link>https://pod.example/kelp</link><enclosure url="https://pod.example/k.mp3" type="audio/mpeg" length="1"/>
<description>&lt;p>&lt;img src="{server}/picture">About kelp.&lt;/p></description>{details}</item>"""
TRANSCRIPT = '<podcast:transcript url="{server}/details" type="text/vtt"/>'
CHAPTERS = '<podcast:chapters url="{server}/details" type="application/json+chapters"/>'
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
DETAILS: dict[str, tuple[str, bytes | CannedResponse]] = {
    "a transcript of blank lines": (TRANSCRIPT, b">" + b"\n" * 1_000_000),
    "a transcript that is a bomb": (TRANSCRIPT, encoded(BOMB, "gzip")),
    "a transcript of NULs": (TRANSCRIPT, bytes(1_000_000)),
    "a transcript of cues without text": (TRANSCRIPT, b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\n" * 40_000),
    "chapters that are nested": (CHAPTERS, b'{"chapters": ' + b"[" * 500_000),
    "chapters that are numbers": (CHAPTERS, b'{"chapters": [%b1]}' % (b"1," * 200_000)),
    "chapters with endless titles": (CHAPTERS, b'{"chapters": [{"title": "%b"}]}' % (b"kelp " * 200_000)),
    "chapters that redirect to themselves": (CHAPTERS, redirect("/details")),
}
PICTURES = {
    "of four billion pixels": PNG + b"\xff" * 8 + b"\x08\x02\0\0\0",
    "of no pixels": PNG + bytes(8) + b"\x08\x02\0\0\0",
    "cut short": PNG,
    "of NULs": bytes(1_000_000),
    "without an end": b"\xff\xd8" + b"\xff\xe1\0\x04ab" * 200_000,
    "of entities": entity_bomb().replace(b"rss", b"svg"),
}


@pytest.fixture
def program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[CliRunner]:
    with HttpServer() as server:
        yield CliRunner(tmp_path, server, capsys)


def publish_episode(program: CliRunner, details: str, document: bytes | CannedResponse, picture: bytes) -> list[str]:
    """Serve an episode with these details and picture; return the titles of the digest that is written online."""
    podcast = rss(EPISODE.format(details=details, server="{server}").replace("{server}", program.server.url("")))
    podcast = podcast.replace(b"<rss ", b"<rss xmlns:podcast='https://podcastindex.org/namespace/1.0' ")
    program.serve("/podcast", podcast)
    program.server.respond(
        "/details", document if isinstance(document, CannedResponse) else CannedResponse(body=document)
    )
    program.serve("/picture", picture, {"Content-Type": "image/png"})
    url = program.server.url("/podcast")
    program.write_config(more=f'\n[[feeds]]\nid = "podcast"\nurl = "{url}"\nkind = "podcast"\n')
    program.run_ok("digest", "--week", "current")
    manifest = json.loads((program.config.parent / "editions/2026-W07/manifest.json").read_bytes())
    return [story["title"] for story in manifest["stories"]]


@pytest.mark.parametrize("case", DETAILS)
def test_hostile_details_cost_the_episode_nothing_else(program: CliRunner, case: str) -> None:
    """The episode and the healthy post beside it are in the digest."""
    details, document = DETAILS[case]
    assert {*publish_episode(program, details, document, PNG)} == {"Bread on a stone", "Kelp"}
    assert program.server.requests_for("/details")


@pytest.mark.parametrize("case", PICTURES)
def test_a_hostile_picture_costs_the_digest_nothing_else(program: CliRunner, case: str) -> None:
    """It is fetched to be measured, and the digest is complete."""
    titles = publish_episode(program, TRANSCRIPT, b"WEBVTT", PICTURES[case])
    assert {*titles} == {"Bread on a stone", "Kelp"}
    assert program.server.requests_for("/picture")
