"""Errors: their messages, and what callers read from them."""

from __future__ import annotations

from typing import get_args

from pipeline.model.errors import (
    AlreadyDeliveredError,
    ConfigError,
    DeliveryError,
    DeliveryKind,
    EditorFileError,
    FeedsFailedError,
    InvalidTokenError,
    TemplateError,
)


def test_a_message_is_kept() -> None:
    """Each class passes it on, with its own fields."""
    for kind in (TemplateError, EditorFileError):
        error = kind("no such macro", file="digest.html", line=7)
        assert (str(error), error.file, error.line) == ("no such macro", "digest.html", 7)
        assert (kind("m").file, kind("m").line) == ("", 0)
    token = InvalidTokenError("it has expired", kind="expired")
    assert (str(token), token.kind) == ("it has expired", "expired")
    failed = FeedsFailedError("2 feeds failed", retry=True, feeds=["a", "b"])
    assert (str(failed), failed.retry, failed.feeds) == ("2 feeds failed", True, ("a", "b"))
    assert FeedsFailedError("m", retry=False).feeds == ()


def test_all_problems_of_a_configuration_are_told() -> None:
    """One a line."""
    error = ConfigError("one", "two", "three")
    assert (str(error), error.problems) == ("one\ntwo\nthree", ("one", "two", "three"))
    assert str(ConfigError("one")) == "one"


def test_what_may_pass_by_itself_is_sent_again() -> None:
    """A refusal for good is not, nor what may have arrived."""
    retried = {kind for kind in get_args(DeliveryKind) if DeliveryError("m", kind=kind).retry}
    assert retried == {"failed", "later", "unreachable"}
    error = DeliveryError("the server is away")
    assert (str(error), error.kind, error.retry) == ("the server is away", "failed", True)
    again = AlreadyDeliveredError("it was sent on Monday")
    assert (str(again), again.retry) == ("it was sent on Monday", False)
