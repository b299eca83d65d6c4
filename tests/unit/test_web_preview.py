"""Where the preview listens, and how a mail is taken apart for it."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from pipeline.model.errors import UsageError
from pipeline.web.desk.mail_details import measure_html, read_mail_details
from pipeline.web.desk.week import ViewOptions, parse_view_options
from pipeline.web.server import bind_socket
from tests.fake_desk import edition


@pytest.mark.loopback
def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    """Two previews at once both start, each at a port of its own, both on this machine alone."""
    with closing(bind_socket(0)) as first, closing(bind_socket(first.getsockname()[1])) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
        assert {first.getsockname()[0], second.getsockname()[0]} == {"127.0.0.1"}


@pytest.mark.loopback
def test_a_free_port_is_taken_as_asked() -> None:
    """The port asked for is the port used, when it is free."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = probe.getsockname()[1]
    with closing(bind_socket(port)) as listener:
        assert listener.getsockname()[1] == port


@pytest.mark.loopback
def test_no_answer_waits_to_be_acknowledged() -> None:
    """A connection sends what it has at once (TCP_NODELAY): otherwise every answer would come 40 ms late."""
    with closing(bind_socket(0)) as listener, closing(socket.create_connection(listener.getsockname())):
        connection, _ = listener.accept()
        with closing(connection):
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.loopback
def test_an_address_of_another_machine_is_refused() -> None:
    """What this machine cannot listen on is said at once, with what can be given instead."""
    with pytest.raises(UsageError, match=r"0\.0\.0\.0"):
        bind_socket(0, "127.0.0.1.9")


@pytest.mark.parametrize(
    ("size", "verdict"), [(30_000, "light"), (30_001, "fine"), (60_001, "heavy"), (90_001, "too heavy")]
)
def test_weights_have_words(size: int, verdict: str) -> None:
    """The words change just above each limit, not at it."""
    assert measure_html(b"x" * size).verdict == verdict


def test_the_scale_ends_where_gmail_cuts() -> None:
    """However heavy a mail, the bar is never longer than its scale."""
    assert measure_html(b"x" * 500_000).share == 1000


def test_a_sender_without_a_name_is_shown_by_address() -> None:
    """The inbox line always has something to show for a sender."""
    sealed = edition("2026-W07", sender="letter@harbourandhearth.example")
    assert read_mail_details(sealed).sender_name == "letter@harbourandhearth.example"


@pytest.mark.parametrize(
    "look", [ViewOptions(), ViewOptions(view="decisions", width="320", scheme="forced", images="none")]
)
def test_a_link_can_be_sent(look: ViewOptions) -> None:
    """The query holds the whole state: reading it gives the same look."""
    assert parse_view_options(dict(pair.split("=") for pair in look.query.split("&"))) == look
