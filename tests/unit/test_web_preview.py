"""The preview's socket, its view options and the details of a mail."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from pipeline.model.errors import UsageError
from pipeline.web.desk.message_details import measure_html, read_message_details
from pipeline.web.desk.week import ViewOptions, parse_view_options
from pipeline.web.server import bind_socket
from tests.fake_desk import edition


@pytest.mark.loopback
def test_the_next_free_port_is_used() -> None:
    """Two previews at once listen on different ports of this machine alone."""
    with closing(bind_socket(0)) as first, closing(bind_socket(first.getsockname()[1])) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
        assert {first.getsockname()[0], second.getsockname()[0]} == {"127.0.0.1"}


@pytest.mark.loopback
def test_a_free_port_is_used() -> None:
    """A port that is free is used as given."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with closing(bind_socket(port)) as listener:
        assert listener.getsockname()[1] == port


@pytest.mark.loopback
def test_connections_send_without_delay() -> None:
    """Connections have TCP_NODELAY; without it each response takes 40 ms longer."""
    with closing(bind_socket(0)) as listener, closing(socket.create_connection(listener.getsockname())):
        connection, _ = listener.accept()
        with closing(connection):
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.loopback
def test_an_address_of_another_machine_is_refused() -> None:
    """An address of another machine is a UsageError that names a valid one."""
    with pytest.raises(UsageError, match=r"0\.0\.0\.0"):
        bind_socket(0, "127.0.0.1.9")


@pytest.mark.parametrize(
    ("size", "verdict"), [(30_000, "light"), (30_001, "fine"), (60_001, "heavy"), (90_001, "too heavy")]
)
def test_sizes_have_verdicts(size: int, verdict: str) -> None:
    """The verdict changes just above each limit."""
    assert measure_html(b"x" * size).verdict == verdict


def test_the_scale_ends_where_gmail_clips() -> None:
    """The bar of a very large mail is no longer than its scale."""
    assert measure_html(b"x" * 500_000).share == 1000


def test_a_sender_without_a_name_is_shown_by_address() -> None:
    """A sender without a display name is shown by address."""
    sealed = edition("2026-W07", sender="letter@harbourandhearth.example")
    assert read_message_details(sealed).sender_name == "letter@harbourandhearth.example"


@pytest.mark.parametrize(
    "options", [ViewOptions(), ViewOptions(view="decisions", width="320", scheme="forced", images="none")]
)
def test_the_query_holds_all_view_options(options: ViewOptions) -> None:
    """Parsing the query of view options returns the same options."""
    assert parse_view_options(dict(pair.split("=") for pair in options.query.split("&"))) == options
