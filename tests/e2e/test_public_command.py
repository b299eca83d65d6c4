"""`pipeline run` and the pages for subscribers: served beside the daemon, or alone."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from pipeline.cli import main
from pipeline.web.server import bind_socket
from tests.background_server import free_port
from tests.subscriber_pages import write_publication

pytestmark = pytest.mark.loopback
GIVE_UP_SECONDS = 120.0


@contextmanager
def running(config: Path, *options: str) -> Iterator[None]:
    """Run the daemon; it must end by itself on SIGTERM, with exit code 0."""
    command = [sys.executable, "-m", "pipeline", "run", "--config", str(config), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=GIVE_UP_SECONDS)
        assert process.returncode == 0, log
        assert "Traceback" not in log
    finally:
        process.kill()
        process.wait()


def get(url: str) -> httpx.Response:
    """Return a page, once its server answers."""
    for _ in range(int(GIVE_UP_SECONDS / 0.1)):
        try:
            return httpx.get(url, timeout=GIVE_UP_SECONDS)
        except httpx.ConnectError:
            threading.Event().wait(0.1)
    raise AssertionError(f"nothing answers at {url}")


@pytest.mark.parametrize("options", [(), ("--only", "public")])
def test_run_serves_the_pages_for_subscribers(tmp_path: Path, options: tuple[str, ...]) -> None:
    """They are there, and the desk is served only by the whole daemon."""
    port, desk = free_port(), free_port()
    config = write_publication(tmp_path, url=f"http://127.0.0.1:{port}", port=port)
    nothing = '[web]\nlisten = "127.0.0.1:{desk}"\n\n[fetch]\nfixtures = "fixtures"\n\n[public]'
    (tmp_path / "fixtures").mkdir()
    config.write_text(config.read_text().replace("[public]", nothing.format(desk=desk)))
    with running(config, *options):
        assert "Subscribe to Kelp &amp; Co" in get(f"http://127.0.0.1:{port}/subscribe").text
        if options:
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"http://127.0.0.1:{desk}/")
        else:
            assert "The desk is closed." in get(f"http://127.0.0.1:{desk}/").text


def test_pages_without_a_url_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Their links would lead nowhere: exit code 2, and what to set."""
    config = write_publication(tmp_path, url="")
    assert main(["--config", str(config), "run", "--only", "public"]) == 2
    assert "set [public] url" in capsys.readouterr().err


def test_a_port_in_use_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, since there is nothing else to do."""
    port = free_port()
    config = write_publication(tmp_path, url=f"http://127.0.0.1:{port}", port=port)
    with bind_socket(port):
        assert main(["--config", str(config), "run", "--only", "public"]) == 2
    assert "is in use" in capsys.readouterr().err
